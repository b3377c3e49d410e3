/* collapse_adds.c
 *
 *     x -- add a -- add b -- y     ==>     x -- add (a + b) -- y
 *
 * The sum is taken and kept in double.
 * Terminates: each rewrite removes one add.
 */
#include "passes/support/match.h"
#include "passes/support/number.h"

static bool
collapse(nashc_rw *rw, nashc_node *n)
{
    affine second, first;

    if (!affine_of(n, "nn.add", &second) || !affine_before(rw, second.x, "nn.add", &first))
        return false;

    number a = number_of(rw, first.t), b = number_of(rw, second.t);
    number ab = number_zip(rw, &a, &b, number_add);
    if (!number_finite(&ab))
        return nashc_rw_miss(rw, n, "the sum is not finite, or exceeds 2^53");

    nashc_value *in[] = {first.x, number_const(rw, &ab)};
    nashc_rw_replace(rw, nashc_node_out(n, 0), nashc_rw_op(rw, "nn.add", in, 2));
    return true;
}

static const nashc_pattern collapse_pattern = {"nn.add", collapse};

const nashc_pass nashc_pass_collapse_adds = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_INEXACT,
    .name = "collapse-adds",
    .alias = "CollapseRepeatedAdd|fold-add-chain",
    .help = "merge two consecutive adds of constants",
    .patterns = (const nashc_pattern *const[]){&collapse_pattern, NULL},
};
