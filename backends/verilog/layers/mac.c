/* mac.c: parameters of nashc_mac, which hw.mvau and hw.vvau share.
 *
 * Two bipolar operands accumulate the number of equal bits, pop = (acc + N) / 2 of N products;
 * thresholds move along: acc >= t  <=>  pop >= ceil((t + N) / 2).
 */
#include "mac.h"
#include <math.h>
#include <stdlib.h>

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

nashc_status
emit_mac(const nashc_node *n, nashc_vlog *v, const mac_shape *z, nashc_diag *d)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    const nashc_tensor *w = nashc_value_const(nashc_node_in(n, 1));
    const nashc_type *wt = nashc_tensor_type(w), *y = nashc_value_type(nashc_node_out(n, 0));
    bool act = nashc_node_in(n, 2) != NULL;
    int mode = products_mode(x, wt);
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
    int mode = products_mode(x, w);
    uint64_t bits = (uint64_t)(more[mode] + cost_clog2(z->simd));

    if (mode == XNOR && dot)
        bits += 2;
    bits += mode == XNOR    ? 0
            : mode == PM1_W ? x->bits
            : mode == PM1_X ? w->bits
                            : x->bits + w->bits;
    return z->accs > 0 && bits < acc ? bits : acc;
}

/* Counts of 6 equal bits, and their sum; dot: twice that, less the number of all. */
static void
cost_xnor(nashc_cost *c, const mac_shape *z, bool dot, uint64_t sum)
{
    uint64_t groups = (z->simd + 5) / 6, wide = 3 + (uint64_t)cost_clog2(groups);
    uint64_t counts = 3 * (z->simd / 6) + (uint64_t)cost_clog2(z->simd % 6 + 1);
    double rows = products_counted(z, z->pe);

    COST_LUTS(c, COST_XNOR, rows * (double)z->simd, z->simd > 1 ? rows * (double)counts : 0,
              rows * (double)((groups - 1) * (wide < sum ? wide : sum)),
              dot ? (double)(z->pe * sum) : 0);
    c->ff += z->pe * ((z->piped ? counts : 0) + sum);
}

/* Bits of a sum of n operands, none where there is one at most. */
static double
few_bits(double n, uint64_t operand, uint64_t sum)
{
    uint64_t bits = operand + (uint64_t)cost_clog2((uint64_t)ceil(n));

    return n > 1 ? (double)(bits < sum ? bits : sum) : 0;
}

/* Twice the sum of what has weight +1, less the sum of all. What a sum has beyond two operands is
 * reduced to two. */
static void
cost_plus_minus(nashc_cost *c, const mac_shape *z, const nashc_type *x, uint64_t sum)
{
    double some = products_counted(z, z->simd), all = (double)z->simd, rows = (double)z->pe;
    double blocks = (double)z->blocks;
    double more = (some > 2 ? rows * (some - 2) : 0) + (all > 2 ? blocks * (all - 2) : 0);

    COST_LUTS(c, COST_PLUS_MINUS, more * x->bits, more * products_extension(x, x->bits, sum),
              rows * ((double)sum + few_bits(some, x->bits, sum)) +
                  blocks * few_bits(all, x->bits, sum));
    c->ff += z->piped ? (2 * z->pe + z->blocks) * sum : z->pe * sum;
}

/* Bits of the accumulators of n; without thresholds they are its results, whose type says them
 * without a walk over the weights: folding asks for each of its points. */
static uint64_t
acc_bits(const nashc_node *n)
{
    const nashc_type *w = model_in(n, 1);

    if (!thresholds_of(n))
        return model_out(n, 0)->bits;
    return products_mode(model_in(n, 0), w) == XNOR ? (uint64_t)cost_clog2((uint64_t)w->dim[0] + 1)
                                                    : mac_accumulator(n, false).bits;
}

bool
mac_in_dsp(const nashc_node *n, const mac_shape *z, const nashc_device *dev)
{
    const nashc_type *x = model_in(n, 0), *w = model_in(n, 1);
    int64_t res = nashc_node_int(n, "res_type");

    if (products_mode(x, w) != PRODUCT || x->bits == 1 || w->bits == 1)
        return false;
    if (res != 0)
        return res == 2;
    if (!cost_wants_dsp(x->bits, w->bits, dev))
        return false;
    const uint64_t sum = sum_bits(x, w, z, !thresholds_of(n), acc_bits(n));
    const products dsp = products_in_blocks(z, x, w, dev, sum),
                   lut = products_in_planes(z, x, w, sum);
    return products_price(&dsp) <= products_price(&lut);
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
    int mode = products_mode(x, w);
    uint64_t acc = acc_bits(n), sum = sum_bits(x, w, z, !thresholds_of(n), acc);

    if (mode == XNOR) {
        cost_xnor(c, z, !thresholds_of(n), sum);
    } else if (mode == PM1_W) {
        cost_plus_minus(c, z, x, sum);
    } else {
        const products p = mac_in_dsp(n, z, dev) ? products_in_blocks(z, x, w, dev, sum)
                                                 : products_in_planes(z, x, w, sum);
        cost_luts(c, p.part, p.terms);
        COST_LUTS(c, COST_LUT_PRODUCT, p.in_luts);
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
