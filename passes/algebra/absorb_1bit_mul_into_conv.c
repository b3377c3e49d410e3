/* absorb_1bit_mul_into_conv.c
 *
 *     conv(x, W, b) -- mul A -- y     ==>     conv(x, A W, A b) -- y      for A of -1 and +1
 *
 * W and b (if any) are constant; A is a scalar or varies along the output channels, which are the
 * first axis of W. An integer W gets the smallest type that holds the flipped weights, bip stays.
 * Terminates: each rewrite removes a mul.
 */
#include "passes/support/match.h"
#include "passes/support/number.h"

static bool
absorb(nashc_rw *rw, nashc_node *n)
{
    affine mul;

    if (!affine_of(n, "nn.mul", &mul))
        return false;
    nashc_node *conv = nashc_value_def_by(mul.x, "nn.conv");
    if (!conv)
        return false;
    const nashc_tensor *w = nashc_value_const(nashc_node_in(conv, 1));
    nashc_value *b = nashc_node_in(conv, 2);
    number a = number_of(rw, mul.t);
    if (!w || (b && !nashc_value_const(b)))
        return nashc_rw_miss(rw, conv, "weights or bias are not constant");
    if (!number_is_signs(&a))
        return nashc_rw_miss(rw, n, "the scale has elements other than -1 and 1");
    if (!a.v || !match_channelwise(mul.t, nashc_value_type(mul.x)))
        return nashc_rw_miss(rw, n, "the scale is neither scalar nor per channel");
    if (!match_sole(rw, conv))
        return false;

    nashc_rw_loc(rw, conv);
    nashc_value *in[3] = {nashc_node_in(conv, 0), number_flipped(rw, w, &a, 0), NULL};
    if (b)
        in[2] = number_flipped(rw, nashc_value_const(b), &a, 0);
    nashc_rw_replace(rw, nashc_node_out(n, 0), nashc_rw_like(rw, conv, in, b ? 3 : 2));
    return true;
}

static const nashc_pattern absorb_pattern = {"nn.mul", absorb};

const nashc_pass nashc_pass_absorb_1bit_mul_into_conv = {
    NASHC_DESC(nashc_pass),
    .name = "absorb-1bit-mul-into-conv",
    .alias = "Absorb1BitMulIntoConv",
    .help = "flip output channels of constant weights instead of multiplying by -1 and 1",
    .patterns = (const nashc_pattern *const[]){&absorb_pattern, NULL},
};
