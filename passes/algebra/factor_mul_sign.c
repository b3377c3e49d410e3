/* factor_mul_sign.c
 *
 *     x -- mul A -- y     ==>     x -- mul sgn A (bip) -- mul |A| -- y
 *
 * for A with a negative element that is not all -1 and +1 already. The sign of 0 is taken as +1, so
 * that it is a member of bip. The sign can then be absorbed by weights in front, the magnitude by
 * thresholds behind.
 * Terminates: |A| has no negative element, sgn A is all ones in magnitude.
 */
#include "passes/support/match.h"
#include "passes/support/number.h"
#include <math.h>

static bool
factor(nashc_rw *rw, nashc_node *n)
{
    affine mul;

    if (!affine_of(n, "nn.mul", &mul) || nashc_tensor_all_ge(mul.t, 0.0))
        return false;

    number a = number_of(rw, mul.t), sign = number_new(rw, &a.type, true);
    bool unit = true;
    if (!number_finite(&a) || !sign.v)
        return nashc_rw_miss(rw, n, "the scale is not finite, or exceeds 2^53");
    for (int64_t i = 0; i < a.n; i++) {
        unit = unit && fabs(a.v[i]) == 1.0;
        sign.v[i] = a.v[i] < 0 ? -1 : 1;
        a.v[i] = fabs(a.v[i]);
    }
    if (unit)
        return nashc_rw_miss(rw, n, "the scale is a sign already");

    nashc_type bip = nashc_type_bip();
    bip = nashc_type_with_elem(&sign.type, &bip);
    nashc_value *s = nashc_rw_const(rw, nashc_tensor_from_f64(&bip, sign.v));
    nashc_value *v = nashc_rw_op(rw, "nn.mul", (nashc_value *[]){mul.x, s}, 2);
    nashc_rw_replace(rw, nashc_node_out(n, 0),
                     nashc_rw_op(rw, "nn.mul", (nashc_value *[]){v, number_const(rw, &a)}, 2));
    return true;
}

static const nashc_pattern factor_pattern = {"nn.mul", factor};

const nashc_pass nashc_pass_factor_mul_sign = {
    NASHC_DESC(nashc_pass),
    .name = "factor-mul-sign",
    .alias = "FactorOutMulSignMagnitude",
    .help = "split a scale with negative elements into a bipolar sign and a magnitude",
    .patterns = (const nashc_pattern *const[]){&factor_pattern, NULL},
};
