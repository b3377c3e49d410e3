/* mac.c: parameters of nashc_mac, which hw.mvau and hw.vvau share.
 *
 * Two bipolar operands accumulate the number of equal bits, pop = (acc + N) / 2 of N products;
 * thresholds move along: acc >= t  <=>  pop >= ceil((t + N) / 2).
 */
#include "mac.h"
#include <stdlib.h>

enum { XNOR, PM1_W, PRODUCT, PM1_X };

static int
arithmetic(const nashc_type *x, const nashc_type *w)
{
    if (x->kind == NASHC_K_BIP)
        return w->kind == NASHC_K_BIP ? XNOR : PM1_X;
    return w->kind == NASHC_K_BIP ? PM1_W : PRODUCT;
}

/* The stream of weights, and the ports of AXI-Lite on the buses of nashc_weight_memory. */
static void
connect(nashc_vlog *v, const nashc_weights *w)
{
    int64_t width = w->lanes * w->elem.bits;

    nashc_vlog_tie(v, "s1_tdata",
                   w->streamed ? nashc_vlog_text(v, "weights_V_TDATA[%" PRId64 ":0]", width - 1)
                               : nashc_vlog_zeros(v, width));
    nashc_vlog_tie(v, "s1_tvalid", w->streamed ? "weights_V_TVALID" : "1'b0");
    if (w->streamed)
        nashc_vlog_tie(v, "s1_tready", "weights_V_TREADY");
    else
        nashc_vlog_open(v, "s1_tready", 1);
    nashc_vlog_tie(v, "lite_s", w->written ? "lite_s" : "101'd0");
    if (w->written)
        nashc_vlog_tie(v, "lite_m", "lite_m");
    else
        nashc_vlog_open(v, "lite_m", 37);
}

nashc_status
emit_weights(const nashc_node *n, nashc_vlog *v, nashc_diag *d)
{
    const nashc_tensor *t = nashc_value_const(nashc_node_in(n, 1));
    bool embedded = nashc_node_int(n, "mem_mode") == 1;
    nashc_weights w;

    if (!nashc_flow_weights(n, &w))
        return nashc_bug(d, nashc_node_loc(n), "layer without weights");
    nashc_vlog_int(v, "WW", w.elem.bits);
    nashc_vlog_int(v, "W_SIGNED", emit_signed(&w.elem));
    nashc_vlog_int(v, "W_EXT", w.streamed);
    nashc_vlog_int(v, "W_AXILITE", w.written);
    connect(v, &w);
    if (w.streamed)
        return NASHC_OK;
    nashc_vlog_str(v, "W_RAM_STYLE", embedded ? "distributed" : nashc_node_str(n, "ram_style"));
    if (w.empty)
        return NASHC_OK;
    nashc_vlog_mem *m = nashc_vlog_memory(v, w.lines, w.lanes * w.elem.bits);
    for (int64_t e = 0; e < w.lines * w.lanes; e++)
        nashc_vlog_put(m, e / w.lanes, e % w.lanes * w.elem.bits, w.elem.bits,
                       emit_code(&w.elem, nashc_tensor_get_int(t, nashc_flow_weight_at(&w, e))));
    nashc_vlog_file(v, "W_FILE", "weights", m);
    return NASHC_OK;
}

int64_t
mac_weight_style(const nashc_node *n)
{
    return nashc_node_int(n, "mem_mode") == 1 ? COST_DISTRIBUTED : nashc_node_int(n, "ram_style");
}

uint64_t
mac_lines(const nashc_node *n)
{
    nashc_weights w;

    return nashc_flow_weights(n, &w) && !w.streamed && !w.written ? (uint64_t)w.lines : 64;
}

void
mac_cost_weights(const nashc_node *n, const nashc_device *dev, nashc_cost *c)
{
    int64_t style = mac_weight_style(n);
    nashc_weights w;

    if (!nashc_flow_weights(n, &w))
        return;
    uint64_t width = (uint64_t)w.lanes * w.elem.bits, lines = (uint64_t)w.lines;
    if (w.streamed) { /* a register */
        c->ff += width;
        return;
    }
    cost_counter(c, lines);
    if (w.written)
        cost_written(c, dev, style, lines, width);
    else
        cost_rom(c, dev, style, lines, width);
}

nashc_status
emit_activation(const nashc_node *n, nashc_vlog *v, bool counts, nashc_diag *d)
{
    const nashc_type *w = nashc_value_type(nashc_node_in(n, 1));
    const nashc_tensor *t = nashc_value_const(nashc_node_in(n, 2));
    const nashc_type *tt = nashc_tensor_type(t);
    int64_t count = nashc_tensor_count(t), style = nashc_node_int(n, "act_style");
    int64_t *values = malloc((size_t)count * sizeof *values);
    emit_steps s = {.t = values,
                    .rows = tt->dim[0],
                    .n = tt->dim[1],
                    .channels = w->dim[1],
                    .pe = nashc_node_int(n, "pe"),
                    .bits = tt->bits,
                    .is_signed = emit_signed(tt),
                    .hash = t,
                    .ram_style = nashc_node_str(n, "ram_style_thresholds")};

    if (!values)
        return nashc_enomem(d);
    for (int64_t i = 0; i < count; i++)
        values[i] = nashc_tensor_get_int(t, i);
    if (counts) {
        for (int64_t i = 0; i < count; i++) {
            int64_t pop = values[i] + w->dim[0];
            pop = pop <= 0 ? 0 : (pop + 1) / 2;
            values[i] = pop > w->dim[0] + 1 ? w->dim[0] + 1 : pop;
        }
        nashc_type u = nashc_type_for_range(0, w->dim[0] + 1);
        s.bits = u.bits;
        s.is_signed = 0;
    }
    if (nashc_node_in(n, 3))
        s.dir = nashc_value_const(nashc_node_in(n, 3));
    s.parallel = emit_parallel(style, s.n);
    nashc_vlog_int(v, "ACT", s.parallel ? 1 : 2);
    nashc_vlog_int(v, "ACTVAL", nashc_node_int(n, "act_bias"));
    emit_thresholds(v, &s);
    free(values);
    return NASHC_OK;
}

/* Bits of the wider operand of a multiplier block, and of the other one, that any family has. */
enum { WIDE = 25, NARROW = 18 };

/* Rows whose weights stand so many bits apart in the wider operand. */
static int64_t
lanes_apart(int64_t apart, const nashc_type *w, int64_t rows)
{
    int64_t lanes = 1;

    while (lanes < rows && lanes * apart + w->bits + 1 <= WIDE)
        lanes++;
    return lanes;
}

/* LUTs of a product that overlaps its neighbours: its low half once more, and taking that off. */
static int64_t
overlap_luts(const nashc_type *x, const nashc_type *w)
{
    int64_t half = (x->bits + w->bits + 1) / 2;

    return half * half / 2 + half;
}

/* What a block is worth among blocks: where narrow products go to them, LUTs are what is short, or
 * somebody has asked for it. */
#define SHORT_BLOCK_LUTS 120

/* Do lanes share bits? Where that gives more of them than it costs in LUTs. */
static bool
overlaps(const nashc_type *x, const nashc_type *w, int64_t rows)
{
    int64_t one = lanes_apart(x->bits + w->bits, w, rows);
    int64_t two = lanes_apart((x->bits + w->bits + 1) / 2, w, rows);

    return x->lo >= 0 && !nashc_type_is_signed(x) && two > one &&
           SHORT_BLOCK_LUTS / two + overlap_luts(x, w) < SHORT_BLOCK_LUTS / one;
}

/* Do so many lanes share bits, as nashc_rows_packed has it? */
static bool
overlap(const nashc_type *x, const nashc_type *w, int64_t lanes)
{
    return lanes > 1 && (lanes - 1) * (x->bits + w->bits) + w->bits + 1 > WIDE;
}

int64_t
mac_lanes(const nashc_type *x, const nashc_type *w, int64_t rows)
{
    int64_t bits = x->bits + w->bits;

    if (x->bits < 2 || x->bits >= NARROW || arithmetic(x, w) != PRODUCT)
        return 1;
    return lanes_apart(overlaps(x, w, rows) ? (bits + 1) / 2 : bits, w, rows);
}

nashc_status
emit_mac(const nashc_node *n, nashc_vlog *v, const mac_shape *z, nashc_diag *d)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    const nashc_tensor *w = nashc_value_const(nashc_node_in(n, 1));
    const nashc_type *wt = nashc_tensor_type(w), *y = nashc_value_type(nashc_node_out(n, 0));
    bool act = nashc_node_in(n, 2) != NULL;
    int mode = arithmetic(x, wt);
    nashc_type acc = act ? mac_accumulator(n, true) : *y;

    if (mode == XNOR && act)
        acc = nashc_type_for_range(0, wt->dim[0]);
    nashc_vlog_int(v, "PE", nashc_node_int(n, "pe"));
    nashc_vlog_int(v, "MODE", mode);
    nashc_vlog_int(v, "XW", x->bits);
    nashc_vlog_int(v, "X_SIGNED", emit_signed(x));
    nashc_vlog_int(v, "ACC_W", acc.bits);
    nashc_vlog_int(v, "ACC_SIGNED", emit_signed(&acc));
    nashc_vlog_int(v, "DOT", mode == XNOR && !act);
    nashc_vlog_int(v, "MUL_STYLE", !mac_in_dsp(n, z, NULL));
    nashc_vlog_int(v, "PIPE", (int64_t)z->piped);
    nashc_vlog_int(v, "OUT_W", y->bits);
    return act ? emit_activation(n, v, mode == XNOR, d) : NASHC_OK;
}

/* --- model --------------------------------------------------------------------------------------
 */

/* Thresholds of n; NULL: it gives its accumulators. */
static const nashc_type *
thresholds_of(const nashc_node *n)
{
    return nashc_node_in(n, 2) ? model_in(n, 2) : NULL;
}

static bool
is_parallel(const nashc_node *n)
{
    return emit_parallel(nashc_node_int(n, "act_style"), thresholds_of(n)->dim[1]);
}

static void
cost_activation(const nashc_node *n, const nashc_device *dev, uint64_t width, nashc_cost *c)
{
    const nashc_type *t = thresholds_of(n);
    uint64_t pe = (uint64_t)nashc_node_int(n, "pe");

    if (t)
        cost_thresholds(c, &(cost_steps){.dev = dev,
                                         .parallel = is_parallel(n),
                                         .pe = pe,
                                         .steps = (uint64_t)t->dim[1],
                                         .width = width,
                                         .folds = t->dim[0] > 1 ? (uint64_t)t->dim[0] / pe : 1,
                                         .bits = t->bits < width ? t->bits : width,
                                         .out = model_out(n, 0)->bits,
                                         .ram_style = nashc_node_int(n, "ram_style_thresholds")});
}

/* Bits of a sum of a step, as in nashc_mac. */
static uint64_t
sum_bits(const nashc_type *x, const nashc_type *w, const mac_shape *z, bool dot, uint64_t acc)
{
    static const int more[] = {[XNOR] = 1, [PM1_W] = 1, [PRODUCT] = 0, [PM1_X] = 2};
    int mode = arithmetic(x, w);
    uint64_t bits = (uint64_t)(more[mode] + cost_clog2(z->simd));

    if (mode == XNOR && dot)
        bits += 2;
    bits += mode == XNOR    ? 0
            : mode == PM1_W ? x->bits
            : mode == PM1_X ? w->bits
                            : x->bits + w->bits;
    return z->accs > 0 && bits < acc ? bits : acc;
}

/* Of products that are added up, those that count: half of those with constants vanish, and of a
 * few lines of weights some bits are the same in all. */
static double
counted(const mac_shape *z, uint64_t all)
{
    return z->lines < 32 ? (double)all - (double)all / (double)((uint64_t)1 << z->lines)
                         : (double)all;
}

/* Bits that extend signs of operands of so many bits to those of their sum. */
static double
extension(const nashc_type *t, uint64_t bits, uint64_t sum)
{
    return emit_signed(t) && sum > bits ? (double)(sum - bits) : 0;
}

/* Counts of 6 equal bits, and their sum. */
static void
cost_xnor(nashc_cost *c, const mac_shape *z, uint64_t sum)
{
    uint64_t counts = z->piped ? 3 * (z->simd / 6) + (uint64_t)cost_clog2(z->simd % 6 + 1) : 0;

    COST_LUTS(c, COST_XNOR, counted(z, z->pe * z->simd), (double)(z->pe * counts),
              (double)(z->pe * sum));
    c->ff += z->pe * (counts + sum);
}

/* Twice the sum of what has weight +1, less the sum of all. */
static void
cost_plus_minus(nashc_cost *c, const mac_shape *z, const nashc_type *x, uint64_t sum)
{
    double added = counted(z, (z->pe + z->blocks) * z->simd);

    COST_LUTS(c, COST_PLUS_MINUS, added * x->bits, added * extension(x, x->bits, sum),
              (double)(z->pe * sum));
    c->ff += z->piped ? (2 * z->pe + z->blocks) * sum : z->pe * sum;
}

/* What a way to multiply takes: bits of its parts, as COST_PLANES and so on name them, of which
 * `adders` are a LUT each; what else is counted. */
typedef struct products {
    enum cost_part part;
    double terms[COST_TERMS], adders;
    uint64_t lut, ff, dsp;
} products;

/* Chains of additions of what the bits of the narrower operand choose of pairs of columns, four
 * pairs a chain; their sums, and the sums of these over the bits. */
static products
in_planes(const mac_shape *z, const nashc_type *x, const nashc_type *w, uint64_t sum)
{
    bool bip = x->kind == NASHC_K_BIP, x_planes = bip || x->bits < w->bits;
    uint64_t each = bip ? 2 : x_planes ? x->bits : w->bits, planes = z->pe * each;
    uint64_t bits = x_planes ? w->bits : x->bits, pairs = (z->simd + 1) / 2;
    uint64_t gated = bits + 1 + (uint64_t)cost_clog2(pairs), chain = bits + 1;

    chain += pairs < 3 ? pairs - 1 : 2;
    gated = gated < sum ? gated : sum;
    /* rows that share an x share the sums of its pairs, too */
    uint64_t added = pairs * chain + ((pairs + 3) / 4 - 1) * gated;
    uint64_t shared = (x_planes ? z->pe : z->blocks) * pairs * (bits + 1);
    products p = {.part = COST_PLANES,
                  .terms = {counted(z, planes * added), counted(z, shared),
                            (double)(planes * gated), (double)(z->pe * (each - 1) * sum)},
                  .ff = (z->piped ? planes * gated : 0) + z->pe * sum};

    /* what a single column lets through is part of the LUTs of the sums */
    p.adders = (z->simd > 1 ? p.terms[0] + p.terms[1] : 0) + p.terms[3];
    return p;
}

/* Registers behind sums of four columns, with what those of all lanes but the lowest lack, and
 * behind the sum of x. */
static uint64_t
packed_registers(const mac_shape *z, const nashc_type *x, const nashc_type *w, uint64_t sum)
{
    uint64_t mixed = !emit_signed(x) && emit_signed(w) && !overlap(x, w, z->lanes);
    uint64_t group = x->bits + w->bits + mixed + (uint64_t)cost_clog2(z->simd < 4 ? z->simd : 4);

    group = (group < sum ? group : sum) + (emit_signed(x) ? 1 : 0);
    return z->pe * ((z->simd + 3) / 4) * group + x->bits + (uint64_t)cost_clog2(z->simd);
}

/* Products in multiplier blocks. Yosys leaves the registers behind them outside. */
static products
in_blocks(const mac_shape *z, const nashc_type *x, const nashc_type *w, uint64_t sum)
{
    uint64_t a = x->bits, b = w->bits, rows = z->pe / z->blocks, lanes = (uint64_t)z->lanes;
    uint64_t blocks = z->blocks * ((rows + lanes - 1) / lanes) * z->simd;
    double added = counted(z, z->pe * z->simd);
    const nashc_type *either = emit_signed(x) ? x : w;
    products p = {.part = lanes > 1 ? COST_PACKED : COST_MULTIPLY,
                  .terms = {added * (double)(a + b), 0, (double)(z->pe * sum), 0},
                  .ff = z->pe * sum,
                  .dsp = blocks * cost_dsps(a, b)};

    if (lanes == 1) {
        p.terms[1] = added * extension(either, a + b, sum);
        p.adders = z->simd > 1 ? p.terms[0] + p.terms[1] : 0;
        p.ff += z->piped ? blocks * (a + b) : 0;
        return p;
    }
    p.terms[3] = (double)(z->simd * a);
    p.adders = p.terms[0] + p.terms[3];
    p.ff += z->piped ? packed_registers(z, x, w, sum) : 0;
    p.lut = overlap(x, w, z->lanes) ? z->pe * z->simd * (uint64_t)overlap_luts(x, w) : 0;
    return p;
}

/* LUT equivalents, to choose by. A bit of an adder is a LUT: coefficients follow from designs, so
 * that designs must not follow from them. */
static double
price(const products *p)
{
    return p->adders + (double)p->lut + (double)p->ff / 4 + (double)(COST_DSP_LUTS * p->dsp);
}

/* Bits of the accumulators of n; without thresholds they are its results, whose type says them
 * without a walk over the weights: folding asks for each of its points. */
static uint64_t
acc_bits(const nashc_node *n)
{
    const nashc_type *w = model_in(n, 1);

    if (!thresholds_of(n))
        return model_out(n, 0)->bits;
    return arithmetic(model_in(n, 0), w) == XNOR ? (uint64_t)cost_clog2((uint64_t)w->dim[0] + 1)
                                                 : mac_accumulator(n, false).bits;
}

bool
mac_in_dsp(const nashc_node *n, const mac_shape *z, const nashc_device *dev)
{
    const nashc_type *x = model_in(n, 0), *w = model_in(n, 1);
    int64_t res = nashc_node_int(n, "res_type");

    if (arithmetic(x, w) != PRODUCT || x->bits == 1 || w->bits == 1)
        return false;
    if (res != 0)
        return res == 2;
    if (!cost_wants_dsp(x->bits, w->bits, dev))
        return false;
    const uint64_t sum = sum_bits(x, w, z, !thresholds_of(n), acc_bits(n));
    const products dsp = in_blocks(z, x, w, sum), lut = in_planes(z, x, w, sum);
    return price(&dsp) <= price(&lut);
}

void
mac_cost_results(const nashc_node *n, const mac_shape *z, const nashc_device *dev, uint64_t acc,
                 uint64_t stages, nashc_cost *c)
{
    uint64_t delay = stages + (z->accs > 0);

    if (z->accs > 0) {
        uint64_t address = (uint64_t)cost_clog2(z->accs);
        COST_LUTS(c, COST_ACCUMULATE, 1, (double)(z->pe * acc),
                  z->accs > 1 ? (double)(z->pe * acc) : 0);
        c->ff += z->pe * acc + (stages - 1) * 2 + 2 + stages * address;
        if (z->accs > 1 && !cost_ram(c, dev, COST_AUTO, z->accs, z->pe * acc))
            c->ff += z->pe * acc; /* the register of the read */
    }
    cost_activation(n, dev, acc, c);
    if (thresholds_of(n)) {
        c->ff += delay - 1;
        cost_counter(c, thresholds_of(n)->dim[0] > 1 ? z->folds : 1);
    }
    cost_pipe(c, delay + mac_latency(n), 1, z->pe * model_out(n, 0)->bits);
}

void
mac_cost(const nashc_node *n, const mac_shape *z, const nashc_device *dev, nashc_cost *c)
{
    const nashc_type *x = model_in(n, 0), *w = model_in(n, 1);
    int mode = arithmetic(x, w);
    uint64_t acc = acc_bits(n), sum = sum_bits(x, w, z, !thresholds_of(n), acc);

    if (mode == XNOR) {
        cost_xnor(c, z, sum);
    } else if (mode == PM1_W) {
        cost_plus_minus(c, z, x, sum);
    } else {
        const products p =
            mac_in_dsp(n, z, dev) ? in_blocks(z, x, w, sum) : in_planes(z, x, w, sum);
        cost_luts(c, p.part, p.terms);
        c->lut += p.lut;
        c->ff += p.ff;
        c->dsp += p.dsp;
    }
    mac_cost_results(n, z, dev, acc, 2 + z->piped, c);
}

uint32_t
mac_latency(const nashc_node *n)
{
    const nashc_type *t = thresholds_of(n);

    if (!t)
        return 0;
    return is_parallel(n) ? 1
                          : emit_search_cycles(
                                t->dim[1], t->dim[0] > 1 ? t->dim[0] / nashc_node_int(n, "pe") : 1);
}
