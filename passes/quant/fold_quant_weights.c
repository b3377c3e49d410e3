/* fold_quant_weights.c
 *
 *     op(x, quant(w; s, z))     ==>     op(x, W) -- mul s',     W = codes - z, an integer constant
 *
 * for conv, conv_transpose, matmul (either side), mul and gather; s must not vary along what op
 * sums over, s' is s laid out along the result. Codes come from the quantiser itself, never from
 * dividing its result by s. A zero point must be an integer; W is then centred.
 * add, sub and div get the value the quantiser gives; integers where its scale is 1.
 * Each reader of a shared quantiser is rewritten on its own. Also for bipolar_quant and dequant.
 * Terminates: each rewrite makes an operand that was a quantised constant a plain one.
 */
#include "passes/support/match.h"
#include "passes/support/number.h"
#include <math.h>

/* Element i of constant operand k of q, broadcast against the codes. */
static double
operand(const nashc_node *q, int k, const nashc_type *shape, int64_t i)
{
    const nashc_tensor *t = nashc_value_const(nashc_node_in(q, k));

    return nashc_tensor_get(t, nashc_broadcast_index(nashc_tensor_type(t), shape, i));
}

/* The codes of q as its evaluation with codes=true gives them: that node is made, run and dropped
 * by the caller's rewrite. NULL v on failure. */
static number
codes_of(nashc_rw *rw, nashc_node *q)
{
    nashc_buf out = {0};
    const nashc_buf *in[3];
    nashc_value *args[3] = {0};
    int n = nashc_node_n_in(q);

    if (nashc_node_is(q, "q.dequant"))
        return number_of(rw, nashc_value_const(nashc_node_in(q, 0)));
    for (int i = 0; i < n; i++) {
        args[i] = nashc_node_in(q, i);
        in[i] = nashc_tensor_buf(nashc_value_const(args[i]));
    }
    nashc_value *v = nashc_rw_like(rw, q, args, n);
    if (v)
        nashc_rw_set_attr(rw, nashc_value_def(v), "codes", "true");
    if (!v || nashc_eval_node(nashc_value_def(v), in, &out, 0, nashc_rw_diag(rw)))
        return (number){0};
    nashc_rw_erase(rw, nashc_value_def(v));
    number codes = number_new(rw, &out.type, true);
    for (int64_t i = 0; codes.v && i < codes.n; i++)
        codes.v[i] = nashc_buf_get(&out, i);
    nashc_buf_free(&out);
    return codes;
}

/* Are scale and zero point usable at all? */
static bool
centred(nashc_rw *rw, const nashc_node *q)
{
    const nashc_value *z = nashc_node_is(q, "q.bipolar_quant") ? NULL : nashc_node_in(q, 2);

    if (z && !nashc_tensor_all_integral(nashc_value_const(z)))
        return nashc_rw_miss(rw, q, "the zero point is not an integer");
    return true;
}

/* Layout of s behind op n when the quantiser is operand side: an axis of s to an axis of the
 * result. False when s varies along an axis that op sums over or moves. */
static bool
laid_out(const nashc_node *n, int side, const nashc_type *w, uint32_t axes, int *from, int *to)
{
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));

    *from = *to = -1;
    if (axes == 0 || nashc_node_is(n, "nn.mul"))
        return true;
    while (!(axes >> ++*from & 1))
        ;
    if (axes != 1u << *from)
        return false;
    if (nashc_node_is(n, "nn.conv")) {
        *to = nashc_type_channel_axis(y);
        return *from == 0;
    }
    if (nashc_node_is(n, "nn.conv_transpose")) {
        *to = nashc_type_channel_axis(y);
        return *from == (*to == 1 ? 1 : w->rank - 1);
    }
    if (nashc_node_is(n, "nn.gather")) {
        *to = y->rank - (w->rank - *from);
        return *from > (int)nashc_node_int(n, "axis") && nashc_node_int(n, "axis") >= 0;
    }
    *to = y->rank - (w->rank - *from);
    return w->rank >= 2 && y->rank >= w->rank && *from == (side == 1 ? w->rank - 1 : w->rank - 2);
}

/* s as a constant that broadcasts against the result of n. */
static nashc_value *
scale_behind(nashc_rw *rw, const nashc_node *n, const number *s, int from, int to)
{
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));
    number out = *s;

    if (s->v && to >= 0) {
        int64_t len = s->n, times = 1;
        if (nashc_node_is(n, "nn.conv_transpose") && from > 0)
            times = nashc_node_int(n, "group");
        nashc_type shape = match_vector(y, to, len * times);
        out = number_new(rw, &shape, s->integer);
        for (int64_t i = 0; out.v && i < out.n; i++)
            out.v[i] = s->v[i % len];
    } else if (s->n == 1) {
        out.type.rank = 0;
    }
    return number_const(rw, &out);
}

static bool
fold_operand(nashc_rw *rw, nashc_node *n, int side)
{
    nashc_node *q = match_quantised(nashc_node_in(n, side));
    int from, to, n_in = nashc_node_n_in(n);

    if (!q || !centred(rw, q))
        return false;
    const nashc_type *w = nashc_value_type(nashc_node_out(q, 0));
    const nashc_tensor *st = nashc_value_const(nashc_node_in(q, 1));
    if (!laid_out(n, side, w, match_axes(st, w), &from, &to))
        return nashc_rw_miss(rw, q, "its scale varies along an axis that the reader sums over");
    if (nashc_node_in(n, 2) && !nashc_node_is(n, "nn.gather"))
        return nashc_rw_miss(rw, n, "the bias would be scaled; extract-conv-bias moves it out");
    number s = number_of(rw, st);

    number codes = codes_of(rw, q);
    bool bip = codes.v != NULL && nashc_node_n_in(q) == 2;
    for (int64_t i = 0; codes.v && i < codes.n; i++) {
        codes.v[i] -= nashc_node_n_in(q) > 2 ? operand(q, 2, &codes.type, i) : 0.0;
        bip = bip && fabs(codes.v[i]) == 1.0;
    }
    nashc_type elem = nashc_type_bip();
    elem = nashc_type_with_elem(&codes.type, &elem);
    nashc_value *in[3] = {nashc_node_in(n, 0), nashc_node_in(n, 1), nashc_node_in(n, 2)};
    in[side] =
        bip ? nashc_rw_const(rw, nashc_tensor_from_f64(&elem, codes.v)) : number_const(rw, &codes);
    nashc_value *y = nashc_rw_like(rw, n, in, n_in);
    if (!nashc_tensor_all_eq(st, 1.0)) {
        nashc_rw_loc(rw, q);
        y = nashc_rw_op(rw, "nn.mul", (nashc_value *[]){y, scale_behind(rw, n, &s, from, to)}, 2);
    }
    nashc_rw_replace(rw, nashc_node_out(n, 0), y);
    return true;
}

static bool
fold_product(nashc_rw *rw, nashc_node *n)
{
    return fold_operand(rw, n, 1) || fold_operand(rw, n, 0);
}

static bool
fold_weights(nashc_rw *rw, nashc_node *n)
{
    return fold_operand(rw, n, 1);
}

static bool
fold_table(nashc_rw *rw, nashc_node *n)
{
    return fold_operand(rw, n, 0);
}

/* The value of the quantiser itself; integers where scale 1 and zero point 0 make them. */
static bool
fold_value(nashc_rw *rw, nashc_node *n)
{
    nashc_buf out = {0};
    const nashc_buf *in[4];
    int side = match_quantised(nashc_node_in(n, 1)) ? 1 : 0;
    nashc_node *q = match_quantised(nashc_node_in(n, side));

    if (!q)
        return false;
    for (int i = 0; i < nashc_node_n_in(q); i++)
        in[i] = nashc_tensor_buf(nashc_value_const(nashc_node_in(q, i)));
    if (nashc_eval_node(q, in, &out, NASHC_EVAL_WIDE, nashc_rw_diag(rw)))
        return false;
    number v = number_new(rw, &out.type, true);
    for (int64_t i = 0; v.v && i < v.n; i++)
        v.v[i] = nashc_buf_get(&out, i);
    bool plain = nashc_tensor_all_eq(nashc_value_const(nashc_node_in(q, 1)), 1.0);
    if (nashc_node_n_in(q) > 2)
        plain = plain && nashc_tensor_all_eq(nashc_value_const(nashc_node_in(q, 2)), 0.0);
    if (plain)
        nashc_buf_free(&out);
    nashc_rw_set_in(rw, n, side,
                    plain ? number_const(rw, &v) : nashc_rw_const(rw, nashc_tensor_take(&out)));
    return true;
}

static const nashc_pattern patterns[] = {
    {"nn.conv", fold_weights},   {"nn.conv_transpose", fold_weights},
    {"nn.matmul", fold_product}, {"nn.mul", fold_product},
    {"nn.gather", fold_table},   {"nn.add", fold_value},
    {"nn.sub", fold_value},      {"nn.div", fold_value},
};

const nashc_pass nashc_pass_fold_quant_weights = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_INEXACT,
    .name = "fold-quant-weights",
    .alias = "FoldQuantWeights",
    .help = "quantised constants as integer constants, with the scale behind their reader",
    .patterns = (const nashc_pattern *const[]){&patterns[0], &patterns[1], &patterns[2],
                                               &patterns[3], &patterns[4], &patterns[5],
                                               &patterns[6], &patterns[7], NULL},
};
