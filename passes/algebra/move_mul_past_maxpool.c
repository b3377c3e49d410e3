/* move_mul_past_maxpool.c
 *
 *     x -- mul c>=0 -- maxpool -- y     ==>     x -- maxpool -- mul c -- y
 *
 * max(c*a, c*b) = c*max(a, b) for c >= 0, so the scale sinks below the pool, where a later pass
 * merges it into a threshold. Holds for scalar and per-channel c; padding is -inf, so unaffected.
 * Terminates: a mul only ever moves towards the outputs.
 */
#include "passes/support/match.h"

static bool
move_mul(nashc_rw *rw, nashc_node *pool)
{
    affine mul;

    if (!affine_before(rw, nashc_node_in(pool, 0), "nn.mul", &mul))
        return false;
    if (!nashc_tensor_all_ge(mul.t, 0.0))
        return nashc_rw_miss(rw, mul.node, "scale has a negative element");
    if (!match_channelwise(mul.t, nashc_value_type(mul.x)))
        return nashc_rw_miss(rw, mul.node, "scale is neither scalar nor per channel");

    nashc_value *p = nashc_rw_like(rw, pool, (nashc_value *[]){mul.x}, 1);
    nashc_rw_loc(rw, mul.node);
    nashc_value *y = nashc_rw_op(rw, "nn.mul", (nashc_value *[]){p, mul.c}, 2);
    nashc_rw_replace(rw, nashc_node_out(pool, 0), y);
    return true;
}

static const nashc_pattern move_mul_pattern = {"nn.maxpool", move_mul};
static const nashc_pattern move_mul_global_pattern = {"nn.global_maxpool", move_mul};

const nashc_pass nashc_pass_move_mul_past_maxpool = {
    NASHC_DESC(nashc_pass),
    .name = "move-mul-past-maxpool",
    .alias = "MoveMulPastMaxPool",
    .help = "move a non-negative scalar or per-channel mul below a max pool",
    .patterns = (const nashc_pattern *const[]){&move_mul_pattern, &move_mul_global_pattern, NULL},
};
