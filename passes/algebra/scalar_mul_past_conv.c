/* scalar_mul_past_conv.c: scalar factors past convolutions, forward and transposed. */
#include "scalar_mul_past_conv.h"
#include "passes/support/match.h"
#include <nashc/op.h>
#include <string.h>

bool
scalar_mul_past_conv(nashc_rw *rw, nashc_node *n)
{
    affine mul;

    if (!affine_before(rw, nashc_node_in(n, 0), "nn.mul", &mul))
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
