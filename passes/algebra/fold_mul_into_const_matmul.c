/* fold_mul_into_const_matmul.c
 *
 *     matmul(x, W) -- mul a       ==>     matmul(x, W a)        a along the columns
 *     matmul(x * a, W)            ==>     matmul(x, a W)        a along the rows of W
 *
 * for float weights only: integer weights are integers on purpose. Also for a conv followed by a
 * mul per channel. Products are taken in double and rounded once to the element of W.
 * Terminates: each rewrite removes a mul.
 */
#include "passes/support/match.h"
#include "passes/support/number.h"

/* W times a, a varying along axis of W (-1: scalar), in W's element. */
static nashc_value *
scaled(nashc_rw *rw, const nashc_tensor *w, const nashc_tensor *a, int axis)
{
    number wn = number_of(rw, w), an = number_of(rw, a);
    const nashc_type *type = nashc_tensor_type(w);
    int64_t inner = 1;

    for (int i = axis + 1; i < type->rank && axis >= 0; i++)
        inner *= type->dim[i];
    for (int64_t i = 0; wn.v && an.v && i < wn.n; i++)
        wn.v[i] *= an.v[an.n == 1 ? 0 : i / inner % an.n];
    if (!an.v || !number_finite(&wn))
        return NULL;
    return nashc_rw_const(rw, nashc_tensor_from_f64(type, wn.v));
}

static const nashc_tensor *
float_weights(nashc_rw *rw, const nashc_node *n)
{
    const nashc_tensor *w = nashc_value_const(nashc_node_in(n, 1));

    if (w && nashc_type_is_float(nashc_tensor_type(w)) && nashc_tensor_type(w)->rank >= 2)
        return w;
    nashc_rw_miss(rw, n, "its weights are not constant floats");
    return NULL;
}

static bool
fold_behind(nashc_rw *rw, nashc_node *n)
{
    affine mul;

    if (!affine_of(n, "nn.mul", &mul))
        return false;
    nashc_node *op = nashc_value_def(mul.x);
    bool conv = nashc_node_is(op, "nn.conv");
    if (!conv && !nashc_node_is(op, "nn.matmul"))
        return false;
    const nashc_tensor *w = float_weights(rw, op);
    if (!w || !match_sole(rw, op))
        return false;
    const nashc_type *y = nashc_value_type(mul.x);
    uint32_t mask = match_axes(mul.t, y);
    if (conv && nashc_node_in(op, 2))
        return nashc_rw_miss(rw, op, "it has a bias; extract-conv-bias moves it out");
    if (conv ? !match_channelwise(mul.t, y) : (mask & ~(1u << (y->rank - 1))) != 0)
        return nashc_rw_miss(rw, n, "the scale varies along another axis than the outputs");
    nashc_value *v = scaled(rw, w, mul.t, conv ? 0 : nashc_tensor_type(w)->rank - 1);
    if (!v)
        return nashc_rw_miss(rw, n, "a product is not finite");
    nashc_rw_loc(rw, op);
    nashc_rw_replace(rw, nashc_node_out(n, 0),
                     nashc_rw_like(rw, op, (nashc_value *[]){nashc_node_in(op, 0), v}, 2));
    return true;
}

static bool
fold_before(nashc_rw *rw, nashc_node *mm)
{
    affine mul;

    if (!affine_before(rw, nashc_node_in(mm, 0), "nn.mul", &mul))
        return false;
    const nashc_tensor *w = float_weights(rw, mm);
    const nashc_type *x = nashc_value_type(mul.x);
    if (!w)
        return false;
    if (match_axes(mul.t, x) & ~(1u << (x->rank - 1)))
        return nashc_rw_miss(rw, mul.node, "the scale varies along an axis that is kept");
    nashc_value *v = scaled(rw, w, mul.t, nashc_tensor_type(w)->rank - 2);
    if (!v)
        return nashc_rw_miss(rw, mul.node, "a product is not finite");
    nashc_rw_replace(rw, nashc_node_out(mm, 0),
                     nashc_rw_like(rw, mm, (nashc_value *[]){mul.x, v}, 2));
    return true;
}

static const nashc_pattern fold_behind_pattern = {"nn.mul", fold_behind};
static const nashc_pattern fold_before_pattern = {"nn.matmul", fold_before};

const nashc_pass nashc_pass_fold_mul_into_const_matmul = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_INEXACT,
    .name = "fold-mul-into-const-matmul",
    .help = "fold constant scales into float weights",
    .patterns = (const nashc_pattern *const[]){&fold_behind_pattern, &fold_before_pattern, NULL},
};
