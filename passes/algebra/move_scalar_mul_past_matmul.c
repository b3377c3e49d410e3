/* move_scalar_mul_past_matmul.c
 *
 *     (x * a) W     ==>     (x W) * a          and     V (x * a)     ==>     (V x) * a
 *
 * a may vary over axes that the product keeps: over rows (and batches) on the left, over columns on
 * the right; never over the contracted axis.
 * Terminates: a mul only ever moves towards the outputs.
 */
#include "passes/support/match.h"

static bool
move_mul(nashc_rw *rw, nashc_node *n)
{
    for (int side = 0; side < 2; side++) {
        affine mul;
        if (!affine_before(rw, nashc_node_in(n, side), "nn.mul", &mul))
            continue;

        const nashc_type *x = nashc_value_type(mul.x);
        uint32_t axes = match_axes(mul.t, x);
        int inner = side == 0 || x->rank == 1 ? x->rank - 1 : x->rank - 2;
        if (axes && (axes >> inner & 1 || x->rank < 2)) {
            nashc_rw_miss(rw, mul.node, "the scale varies along the contracted axis");
            continue;
        }
        /* Where the other operand drops or adds axes, only scalars keep their place. */
        if (axes && nashc_value_type(nashc_node_in(n, 1 - side))->rank < 2) {
            nashc_rw_miss(rw, mul.node, "a vector operand drops the axis the scale varies along");
            continue;
        }

        nashc_value *in[] = {nashc_node_in(n, 0), nashc_node_in(n, 1)};
        in[side] = mul.x;
        nashc_value *y = nashc_rw_like(rw, n, in, 2);
        nashc_rw_loc(rw, mul.node);
        nashc_value *c = mul.c;
        if (!axes && nashc_tensor_type(mul.t)->rank > 0)
            c = nashc_rw_const(rw, nashc_tensor_reshaped((nashc_tensor *)mul.t, 0, NULL));
        nashc_rw_replace(rw, nashc_node_out(n, 0),
                         nashc_rw_op(rw, "nn.mul", (nashc_value *[]){y, c}, 2));
        return true;
    }
    return false;
}

static const nashc_pattern move_mul_pattern = {"nn.matmul", move_mul};

const nashc_pass nashc_pass_move_scalar_mul_past_matmul = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_INEXACT,
    .name = "move-scalar-mul-past-matmul",
    .alias = "MoveScalarMulPastMatMul",
    .help = "move a mul that is constant along the contracted axis below a matmul",
    .patterns = (const nashc_pattern *const[]){&move_mul_pattern, NULL},
};
