/* move_mul_past_dwconv.c
 *
 *     conv_dw(x * A, w)     ==>     conv_dw(x, w) * A',   A'[o] = A[o / m]
 *
 * for a depthwise convolution (as many groups as input channels) with m output channels each.
 * Terminates: a mul only ever moves towards the outputs.
 */
#include "passes/support/match.h"
#include "passes/support/number.h"

static bool
move_mul(nashc_rw *rw, nashc_node *n)
{
    affine mul;

    if (!affine_before(rw, nashc_node_in(n, 0), "nn.mul", &mul))
        return false;

    const nashc_type *x = nashc_value_type(mul.x), *y = nashc_value_type(nashc_node_out(n, 0));
    int64_t channels = nashc_type_channels(x), outs = nashc_type_channels(y);
    if (nashc_node_int(n, "group") != channels)
        return nashc_rw_miss(rw, n, "the convolution is not depthwise");
    if (nashc_node_in(n, 2))
        return nashc_rw_miss(rw, n, "the bias would be scaled; extract-conv-bias moves it out");
    if (!match_channelwise(mul.t, x))
        return nashc_rw_miss(rw, mul.node, "the scale is neither scalar nor per channel");
    number a = number_of(rw, mul.t);
    nashc_type shape = match_vector(y, nashc_type_channel_axis(y), outs);
    number b = number_new(rw, &shape, a.integer);
    if (!a.v || !b.v)
        return nashc_rw_miss(rw, mul.node, "the scale exceeds 2^53");
    for (int64_t o = 0; o < outs; o++)
        b.v[o] = a.v[a.n == 1 ? 0 : o / (outs / channels)];

    nashc_value *v = nashc_rw_like(rw, n, (nashc_value *[]){mul.x, nashc_node_in(n, 1)}, 2);
    nashc_rw_loc(rw, mul.node);
    nashc_rw_replace(rw, nashc_node_out(n, 0),
                     nashc_rw_op(rw, "nn.mul", (nashc_value *[]){v, number_const(rw, &b)}, 2));
    return true;
}

static const nashc_pattern move_mul_pattern = {"nn.conv", move_mul};

const nashc_pass nashc_pass_move_mul_past_dwconv = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_INEXACT,
    .name = "move-mul-past-dwconv",
    .alias = "MoveMulPastDWConv",
    .help = "move a scalar or per-channel mul below a depthwise convolution",
    .patterns = (const nashc_pattern *const[]){&move_mul_pattern, NULL},
};
