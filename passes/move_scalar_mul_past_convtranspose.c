/* move_scalar_mul_past_convtranspose.c
 *
 *     conv_transpose(x * a, w)     ==>     conv_transpose(x, w) * a      for a scalar a
 *
 * Padding is with 0, which any factor keeps. A bias must have been extracted: it would be scaled
 * too.
 * Terminates: a mul only ever moves towards the outputs.
 */
#include "match.h"

static bool
move_mul(nashc_rw *rw, nashc_node *n)
{
    nashc_affine mul;

    if (!nashc_affine_before(rw, nashc_node_in(n, 0), "nn.mul", &mul))
        return false;
    if (nashc_node_in(n, 2))
        return nashc_rw_miss(rw, n, "the bias would be scaled; extract-conv-bias moves it out");
    if (!nashc_tensor_is_scalar(mul.t))
        return nashc_rw_miss(rw, mul.node, "the scale is not a scalar");

    nashc_value *y = nashc_rw_like(rw, n, (nashc_value *[]){mul.x, nashc_node_in(n, 1)}, 2);
    nashc_rw_loc(rw, mul.node);
    nashc_rw_replace(rw, nashc_node_out(n, 0),
                     nashc_rw_op(rw, "nn.mul", (nashc_value *[]){y, mul.c}, 2));
    return true;
}

static const nashc_pattern move_mul_pattern = {"nn.conv_transpose", move_mul};

const nashc_pass nashc_pass_move_scalar_mul_past_convtranspose = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_INEXACT,
    .name = "move-scalar-mul-past-convtranspose",
    .alias = "MoveScalarMulPastConvTranspose",
    .help = "move a mul by a scalar below a transposed convolution",
    .patterns = (const nashc_pattern *const[]){&move_mul_pattern, NULL},
};
