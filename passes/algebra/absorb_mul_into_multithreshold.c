/* absorb_mul_into_multithreshold.c
 *
 *     x -- mul A>=0 -- multithreshold T -- y     ==>     x -- multithreshold T / A -- y
 *
 * A is a scalar or varies along the channel axis. T / A is rounded up in double, which decides as
 * the exact quotient would. Where A is 0 the comparison is 0 >= T whatever x is: the threshold
 * becomes -inf (T <= 0, always reached) or +inf (never).
 * Negative factors are absorb-negative-mul's.
 * Terminates: each rewrite removes a mul.
 */
#include "passes/support/match.h"
#include "passes/support/number.h"
#include "passes/support/thresholds.h"
#include <math.h>

static bool
absorb(nashc_rw *rw, nashc_node *mt)
{
    affine mul;
    thresholds s;

    if (!affine_before(rw, nashc_node_in(mt, 0), "nn.mul", &mul))
        return false;
    if (!match_channelwise(mul.t, nashc_value_type(mul.x)))
        return nashc_rw_miss(rw, mul.node, "the scale is neither scalar nor per channel");
    number a = number_of(rw, mul.t);
    if (!number_finite(&a))
        return nashc_rw_miss(rw, mul.node, "the scale is not finite, or exceeds 2^53");
    if (!nashc_tensor_all_ge(mul.t, 0.0))
        return nashc_rw_miss(rw, mul.node,
                             "the scale has a negative element; see "
                             "absorb-negative-mul and factor-mul-sign");
    if (!thresholds_of(rw, mt, &s) || (a.n > 1 && !thresholds_grow(rw, &s)))
        return false;

    bool ones = true;
    for (int64_t i = 0; i < s.rows * s.n; i++) {
        double scale = a.v[a.n == 1 ? 0 : i / s.n];
        ones = ones && scale == 1.0;
        if (scale == 0.0)
            s.t[i] = s.t[i] <= 0.0 ? -INFINITY : INFINITY;
        else
            s.t[i] = thresholds_div(s.t[i], scale);
    }
    s.integer = s.integer && ones;
    nashc_rw_replace(rw, nashc_node_out(mt, 0), thresholds_build(rw, &s, mul.x));
    return true;
}

static const nashc_pattern absorb_pattern = {"q.multithreshold", absorb};

const nashc_pass nashc_pass_absorb_mul_into_multithreshold = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_INEXACT,
    .name = "absorb-mul-into-multithreshold",
    .alias = "AbsorbMulIntoMultiThreshold",
    .help = "divide the thresholds instead of scaling their input",
    .patterns = (const nashc_pattern *const[]){&absorb_pattern, NULL},
};
