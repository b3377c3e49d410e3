/* quant_to_multithreshold.c
 *
 *     x -- relu, clip, tanh, ... -- quant s, z     ==>     multithreshold(x; T) + qmin -- add -z --
 * mul s
 *
 * T[c,k] is the smallest x whose code is at least qmin + 1 + k, found by bisection of activation
 * and quantiser as they are executed, over the ordered bit patterns of f32 (or over the interval of
 * an integer x). So ties, rounding modes, zero points and narrow ranges come out as they are, not
 * as a formula has them. A level that every (no) input reaches gets -inf (+inf). The ops taken
 * along are those of one operand that never decrease. codes=true: only the codes, without add and
 * mul. bipolar_quant: one threshold. Terminates: each rewrite removes a quantiser.
 */
#include "passes/support/match.h"
#include "passes/support/number.h"
#include "passes/support/thresholds.h"
#include <math.h>
#include <string.h>

enum { MAX_CHAIN = 8 };

/* Activation and quantiser in a module of their own, on one element a channel. */
typedef struct probe {
    nashc_module *m;
    nashc_graph *g;
    nashc_diag *d;
    nashc_buf x;
    bool integer, signs, failed; /* signs: integers are never 0 */
    int64_t channels, lo, hi;    /* candidates: integers, or indices of floats */
    int64_t *first, *last, *mid;
    double *codes;
} probe;

static const int64_t largest = 0x7fefffffffffffff; /* index of the largest finite double */

/* Doubles in order: index 0 is 0, -1 the double below it. */
static double
float_at(int64_t i)
{
    uint64_t bits = i >= 0 ? (uint64_t)i : UINT64_C(1) << 63 | (uint64_t)-i;
    double f;

    memcpy(&f, &bits, sizeof f);
    return f;
}

/* Constant v laid out as [1,C], or as a scalar. */
static nashc_value *
copied(nashc_build *b, nashc_value *v)
{
    nashc_tensor *t = (nashc_tensor *)nashc_value_const(v);
    int64_t dim[2] = {1, nashc_tensor_count(t)};

    return nashc_build_const(b, NULL, nashc_tensor_reshaped(t, dim[1] > 1 ? 2 : 0, dim));
}

static nashc_value *
result(nashc_node *n)
{
    return n ? nashc_node_out(n, 0) : NULL;
}

static bool
probe_open(probe *p, nashc_rw *rw, nashc_node *const *chain, int n, nashc_node *q)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n ? chain[n - 1] : q, 0));
    nashc_type type = nashc_type_shaped(*x, 2, (int64_t[]){1, p->channels});
    nashc_type f64 = nashc_type_f64(), cells;
    nashc_arena *a = nashc_rw_arena(rw);

    type.layout = NASHC_LAYOUT_DEFAULT;
    cells = nashc_type_is_int(x) ? type : nashc_type_with_elem(&type, &f64); /* as f32 is kept */
    p->d = nashc_rw_diag(rw);
    p->integer = nashc_type_is_int(x);
    p->signs = x->kind == NASHC_K_BIP;
    p->lo = p->integer ? x->lo : -largest;
    p->hi = p->integer ? x->hi : largest;
    p->first = NASHC_NEW_N(a, int64_t, p->channels);
    p->last = NASHC_NEW_N(a, int64_t, p->channels);
    p->mid = NASHC_NEW_N(a, int64_t, p->channels);
    p->codes = NASHC_NEW_N(a, double, p->channels);
    p->m = nashc_module_create(nashc_run_ctx(nashc_rw_run(rw)));
    p->g = p->m ? nashc_module_add_graph(p->m, "probe") : NULL;
    nashc_build *b = p->g ? nashc_build_create(p->g, p->d) : NULL;
    if (!b || !p->first || !p->last || !p->mid || !p->codes || !nashc_buf_alloc(&p->x, &cells))
        return false;
    p->x.type = type;

    nashc_value *v = nashc_graph_add_input(p->g, "x", &type);
    for (int i = n; i-- > 0;)
        v = result(nashc_build_like(b, chain[i], &v, 1));
    nashc_value *in[3] = {v, copied(b, nashc_node_in(q, 1)), NULL};
    if (nashc_node_in(q, 2))
        in[2] = copied(b, nashc_node_in(q, 2));
    v = result(nashc_build_like(b, q, in, nashc_node_n_in(q)));
    if (!v || nashc_node_set_attr(nashc_value_def(v), "codes", "true", p->d) ||
        nashc_graph_infer(p->g, p->d))
        return false;
    nashc_graph_add_output(p->g, NULL, v);
    return true;
}

static void
probe_close(probe *p)
{
    nashc_buf_free(&p->x);
    if (p->m)
        nashc_module_free(p->m);
}

/* Codes of the candidates mid[]. */
static void
probe_run(probe *p)
{
    const nashc_buf *in = &p->x;
    nashc_buf out = {0};

    for (int64_t c = 0; c < p->channels; c++) {
        int64_t at = p->signs && p->mid[c] == 0 ? 1 : p->mid[c];
        nashc_buf_set(&p->x, c, p->integer ? (double)at : float_at(at));
    }
    p->failed = p->failed || nashc_run_graph(p->g, &in, &out, NASHC_EVAL_WIDE, NULL, NULL, p->d);
    for (int64_t c = 0; !p->failed && c < p->channels; c++)
        p->codes[c] = nashc_buf_get(&out, c);
    nashc_buf_free(&out);
}

/* Half way, rounded down, without overflow. */
static int64_t
middle(int64_t a, int64_t b)
{
    return a / 2 + b / 2 + (a % 2 + b % 2 < 0 ? -1 : (a % 2 + b % 2) / 2);
}

/* Moves first[] up to the first candidates, of lo .. hi + 1, whose code reaches level. */
static void
bisect(probe *p, double level)
{
    bool more = true;

    for (int64_t c = 0; c < p->channels; c++)
        p->last[c] = p->hi + 1;
    while (more && !p->failed) {
        more = false;
        for (int64_t c = 0; c < p->channels; c++)
            p->mid[c] = p->first[c] > p->hi ? p->hi : middle(p->first[c], p->last[c]);
        probe_run(p);
        for (int64_t c = 0; !p->failed && c < p->channels; c++) {
            if (p->first[c] >= p->last[c])
                continue;
            if (p->codes[c] >= level)
                p->last[c] = p->mid[c];
            else
                p->first[c] = p->mid[c] + 1;
            more = more || p->first[c] < p->last[c];
        }
    }
}

/* Thresholds of n levels above qmin as num, [channels, n]; v NULL when something failed. */
static number
search(probe *p, nashc_rw *rw, double qmin, double step, int64_t n)
{
    nashc_type shape = nashc_type_shaped(nashc_type_f64(), 2, (int64_t[]){p->channels, n});
    number t = number_new(rw, &shape, p->integer);

    for (int64_t c = 0; c < p->channels; c++)
        p->first[c] = p->lo;
    for (int64_t k = 0; t.v && k < n; k++) {
        bisect(p, qmin + step * (double)(k + 1));
        for (int64_t c = 0; c < p->channels; c++) {
            double *v = &t.v[c * n + k];
            *v = p->integer ? (double)p->first[c] : float_at(p->first[c]);
            if (!p->integer && p->first[c] <= p->lo)
                *v = -INFINITY;
            if (!p->integer && p->first[c] > p->hi)
                *v = INFINITY;
        }
    }
    if (p->failed)
        t.v = NULL;
    return t;
}

/* (codes - z) * s, rounded as the quantiser rounds it. */
static nashc_value *
dequantised(nashc_rw *rw, nashc_value *codes, const nashc_node *q)
{
    const nashc_tensor *z = nashc_node_n_in(q) > 2 ? nashc_value_const(nashc_node_in(q, 2)) : NULL;

    if (z && !nashc_tensor_all_eq(z, 0.0)) {
        number minus = number_of(rw, z);
        minus = number_map(rw, &minus, number_mul, -1);
        minus.integer = true; /* if it is */
        codes = nashc_rw_op(rw, "nn.add", (nashc_value *[]){codes, number_const(rw, &minus)}, 2);
    }
    return nashc_rw_op(rw, "nn.mul", (nashc_value *[]){codes, nashc_node_in(q, 1)}, 2);
}

static bool
convert(nashc_rw *rw, nashc_node *q)
{
    bool bipolar = nashc_node_is(q, "q.bipolar_quant");
    bool sign = bipolar || !strcmp(nashc_node_str(q, "rounding"), "sign");
    int64_t qmin = sign ? -1 : nashc_node_int(q, "qmin");
    int64_t n = sign ? 1 : nashc_node_int(q, "qmax") - qmin;
    nashc_value *x = nashc_node_in(q, 0);
    nashc_node *chain[MAX_CHAIN];
    int n_chain = 0;
    probe p = {.channels = 1};

    if (nashc_value_const(x))
        return nashc_rw_miss(rw, q, "it quantises a constant; see fold-quant-weights");
    for (int i = 1; i < nashc_node_n_in(q); i++) {
        const nashc_tensor *t = nashc_value_const(nashc_node_in(q, i));
        if (!t || !match_channelwise(t, nashc_value_type(x)))
            return nashc_rw_miss(rw, q, "operand %d is no scalar or per-channel constant", i);
        if (nashc_tensor_count(t) > p.channels && !bipolar)
            p.channels = nashc_tensor_count(t);
    }
    if (nashc_value_type(x)->rank < 1)
        return nashc_rw_miss(rw, q, "a scalar has no channel axis");
    if (n < 1 || n >= INT64_C(1) << nashc_opts_int(nashc_rw_opts(rw), "max-bits"))
        return nashc_rw_miss(rw, q, "it would take %" PRId64 " thresholds, see option max-bits", n);
    for (nashc_node *f; n_chain < MAX_CHAIN && (f = nashc_value_def(x)); x = nashc_node_in(f, 0)) {
        uint32_t wants = NASHC_OP_ELTWISE | NASHC_OP_MONOTONE;
        if ((nashc_node_op(f)->flags & wants) != wants || nashc_node_n_in(f) != 1 ||
            nashc_value_const(nashc_node_in(f, 0)))
            break;
        chain[n_chain++] = f;
    }
    const nashc_type *type = nashc_value_type(x);
    if (type->kind != NASHC_K_F32 && type->kind != NASHC_K_F64 &&
        (!nashc_type_is_int(type) || type->lo < -(INT64_C(1) << 52) || type->hi > INT64_C(1) << 52))
        return nashc_rw_miss(rw, q,
                             "its input is neither f32, f64, nor an integer of at most 52 bits");

    number t = {0};
    if (probe_open(&p, rw, chain, n_chain, q))
        t = search(&p, rw, (double)qmin, sign ? 2 : 1, n);
    probe_close(&p);
    nashc_value *y =
        nashc_rw_opf(rw, "q.multithreshold", (nashc_value *[]){x, number_const(rw, &t)}, 2,
                     "out_bias=%" PRId64 " out_scale=%d", qmin, sign ? 2 : 1);
    if (!nashc_node_int(q, "codes"))
        y = dequantised(rw, y, q);
    nashc_rw_replace(rw, nashc_node_out(q, 0), y);
    return true;
}

static const nashc_pattern convert_pattern = {"q.quant", convert};
static const nashc_pattern convert_bipolar_pattern = {"q.bipolar_quant", convert};

static const nashc_param convert_options[] = {
    {.name = "max-bits",
     .def = "8",
     .domain = "1..16",
     .help = "widest quantiser to convert",
     .kind = NASHC_P_INT},
    {0},
};

const nashc_pass nashc_pass_quant_to_multithreshold = {
    NASHC_DESC(nashc_pass),
    .name = "quant-to-multithreshold",
    .alias = "ConvertQuantActToMultiThreshold|QuantToMultiThreshold|thresholds-exact",
    .help = "activation quantisers as thresholds, found by executing them",
    .options = convert_options,
    .patterns = (const nashc_pattern *const[]){&convert_pattern, &convert_bipolar_pattern, NULL},
};
