/* absorb_add_into_multithreshold.c
 *
 *     x -- add A -- multithreshold T -- y     ==>     x -- multithreshold T - A -- y
 *
 * A is a scalar or varies along the channel axis. T - A is rounded up in double, which decides as
 * the exact difference would.
 * Terminates: each rewrite removes an add.
 */
#include "passes/support/match.h"
#include "passes/support/number.h"
#include "passes/support/thresholds.h"

static bool
absorb(nashc_rw *rw, nashc_node *mt)
{
    affine add;
    thresholds s;

    if (!affine_before(rw, nashc_node_in(mt, 0), "nn.add", &add))
        return false;
    if (!match_channelwise(add.t, nashc_value_type(add.x)))
        return nashc_rw_miss(rw, add.node, "the addend is neither scalar nor per channel");
    number a = number_of(rw, add.t);
    if (!number_finite(&a))
        return nashc_rw_miss(rw, add.node, "the addend is not finite, or exceeds 2^53");
    if (!thresholds_of(rw, mt, &s) || (a.n > 1 && !thresholds_grow(rw, &s)))
        return false;

    s.integer = s.integer && a.integer;
    for (int64_t i = 0; i < s.rows * s.n; i++)
        s.t[i] = thresholds_sub(s.t[i], a.v[a.n == 1 ? 0 : i / s.n]);
    nashc_rw_replace(rw, nashc_node_out(mt, 0), thresholds_build(rw, &s, add.x));
    return true;
}

static const nashc_pattern absorb_pattern = {"q.multithreshold", absorb};

const nashc_pass nashc_pass_absorb_add_into_multithreshold = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_INEXACT,
    .name = "absorb-add-into-multithreshold",
    .alias = "AbsorbAddIntoMultiThreshold",
    .help = "shift the thresholds instead of adding a constant to their input",
    .patterns = (const nashc_pattern *const[]){&absorb_pattern, NULL},
};
