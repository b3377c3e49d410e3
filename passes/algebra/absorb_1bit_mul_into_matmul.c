/* absorb_1bit_mul_into_matmul.c
 *
 *     matmul(x, W) -- mul A -- y     ==>     matmul(x, W * A) -- y      for A of -1 and +1
 *
 * W is constant; A is a scalar or varies along the columns of W. An integer W gets the smallest
 * type that holds the flipped weights, bip stays bip. Terminates: each rewrite removes a mul.
 */
#include "passes/support/match.h"
#include "passes/support/number.h"

static bool
absorb(nashc_rw *rw, nashc_node *n)
{
    affine mul;

    if (!affine_of(n, "nn.mul", &mul))
        return false;
    nashc_node *mm = nashc_value_def_by(mul.x, "nn.matmul");
    if (!mm)
        return false;
    const nashc_tensor *w = nashc_value_const(nashc_node_in(mm, 1));
    const nashc_type *y = nashc_value_type(mul.x);
    number a = number_of(rw, mul.t);
    if (!w || nashc_tensor_type(w)->rank < 2)
        return nashc_rw_miss(rw, mm, "the weights are no constant matrix");
    if (!number_is_signs(&a))
        return nashc_rw_miss(rw, n, "the scale has elements other than -1 and 1");
    if (!a.v || match_axes(mul.t, y) & ~(1u << (y->rank - 1)))
        return nashc_rw_miss(rw, n, "the scale varies along another axis than the columns");
    if (!match_sole(rw, mm))
        return false;

    nashc_rw_loc(rw, mm);
    int columns = nashc_tensor_type(w)->rank - 1;
    nashc_value *in[] = {nashc_node_in(mm, 0), number_flipped(rw, w, &a, columns)};
    nashc_rw_replace(rw, nashc_node_out(n, 0), nashc_rw_like(rw, mm, in, 2));
    return true;
}

static const nashc_pattern absorb_pattern = {"nn.mul", absorb};

const nashc_pass nashc_pass_absorb_1bit_mul_into_matmul = {
    NASHC_DESC(nashc_pass),
    .name = "absorb-1bit-mul-into-matmul",
    .alias = "Absorb1BitMulIntoMatMul",
    .help = "flip columns of constant weights instead of multiplying by -1 and 1",
    .patterns = (const nashc_pattern *const[]){&absorb_pattern, NULL},
};
