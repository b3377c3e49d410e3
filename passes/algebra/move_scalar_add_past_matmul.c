/* move_scalar_add_past_matmul.c
 *
 *     (x + a) W     ==>     x W + a W      for a constant W [K,M]
 *
 * a is a scalar or varies along K only; a W is then one number a column: sum over k of a[k] W[k,m].
 * Terminates: an add only ever moves towards the outputs.
 */
#include "passes/support/match.h"
#include "passes/support/number.h"

static bool
move_add(nashc_rw *rw, nashc_node *n)
{
    affine add;

    if (!affine_before(rw, nashc_node_in(n, 0), "nn.add", &add))
        return false;

    const nashc_tensor *w = nashc_value_const(nashc_node_in(n, 1));
    if (!w)
        return nashc_rw_miss(rw, n, "the right operand is not a constant");
    const nashc_type *wt = nashc_tensor_type(w), *x = nashc_value_type(add.x);
    if (wt->rank != 2)
        return nashc_rw_miss(rw, n, "the right operand is not a matrix");
    if (match_axes(add.t, x) & ~(1u << (x->rank - 1)))
        return nashc_rw_miss(rw, add.node, "the addend varies along an axis that is kept");

    int64_t rows = wt->dim[0], cols = wt->dim[1], n_a = nashc_tensor_count(add.t);
    number a = number_of(rw, add.t), wn = number_of(rw, w);
    nashc_type shape = nashc_type_shaped(nashc_type_f64(), 1, &cols);
    number b = number_new(rw, &shape, a.integer && wn.integer);
    for (int64_t i = 0; a.v && wn.v && b.v && i < rows * cols; i++)
        b.v[i % cols] += a.v[n_a == 1 ? 0 : i / cols] * wn.v[i];
    if (!a.v || !wn.v || !number_finite(&b))
        return nashc_rw_miss(rw, n, "the sums are not finite, or a constant exceeds 2^53");

    nashc_value *y = nashc_rw_like(rw, n, (nashc_value *[]){add.x, nashc_node_in(n, 1)}, 2);
    nashc_rw_loc(rw, add.node);
    nashc_rw_replace(rw, nashc_node_out(n, 0),
                     nashc_rw_op(rw, "nn.add", (nashc_value *[]){y, number_const(rw, &b)}, 2));
    return true;
}

static const nashc_pattern move_add_pattern = {"nn.matmul", move_add};

const nashc_pass nashc_pass_move_scalar_add_past_matmul = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_INEXACT,
    .name = "move-scalar-add-past-matmul",
    .alias = "MoveScalarAddPastMatMul",
    .help = "move an add of a scalar or of a row vector below a matmul with constant weights",
    .patterns = (const nashc_pattern *const[]){&move_add_pattern, NULL},
};
