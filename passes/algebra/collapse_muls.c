/* collapse_muls.c
 *
 *     x -- mul a -- mul b -- y     ==>     x -- mul (a * b) -- y
 *
 * The product is taken and kept in double.
 * Terminates: each rewrite removes one mul.
 */
#include "passes/support/match.h"
#include "passes/support/number.h"

static int64_t
zeros(const number *a)
{
    int64_t n = 0;

    for (int64_t i = 0; i < a->n; i++)
        n += a->v[i] == 0.0;
    return n;
}

static bool
collapse(nashc_rw *rw, nashc_node *n)
{
    affine second, first;

    if (!affine_of(n, "nn.mul", &second) || !affine_before(rw, second.x, "nn.mul", &first))
        return false;

    number a = number_of(rw, first.t), b = number_of(rw, second.t);
    number ab = number_zip(rw, &a, &b, number_mul);
    if (!number_finite(&ab))
        return nashc_rw_miss(rw, n, "the product is not finite, or exceeds 2^53");
    if (zeros(&ab) > 0 && zeros(&a) + zeros(&b) == 0)
        return nashc_rw_miss(rw, n, "the product underflows");

    nashc_value *in[] = {first.x, number_const(rw, &ab)};
    nashc_rw_replace(rw, nashc_node_out(n, 0), nashc_rw_op(rw, "nn.mul", in, 2));
    return true;
}

static const nashc_pattern collapse_pattern = {"nn.mul", collapse};

const nashc_pass nashc_pass_collapse_muls = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_INEXACT,
    .name = "collapse-muls",
    .alias = "CollapseRepeatedMul",
    .help = "merge two consecutive muls of constants",
    .patterns = (const nashc_pattern *const[]){&collapse_pattern, NULL},
};
