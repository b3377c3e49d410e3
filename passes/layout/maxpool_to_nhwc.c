/* maxpool_to_nhwc.c
 *
 *     x -- maxpool -- to channels-last -- y      ==>     x -- to channels-last -- maxpool -- y
 *     x -- to channels-first -- maxpool -- y     ==>     x -- maxpool -- to channels-first -- y
 *
 * Neither rewrite touches another reader of what it moves: then it is left alone.
 * Terminates: pools move out of the channels-first region, never back.
 */
#include "layout.h"
#include "passes/support/match.h"

static bool
from_below(nashc_rw *rw, nashc_node *t)
{
    nashc_node *pool = nashc_value_def_by(nashc_node_in(t, 0), "nn.maxpool");

    return pool && layout_to_last(t) && match_sole(rw, pool) && layout_channels_last(rw, pool);
}

static bool
from_above(nashc_rw *rw, nashc_node *pool)
{
    nashc_node *t = nashc_value_def(nashc_node_in(pool, 0));

    return layout_to_first(t) && match_sole(rw, t) && layout_channels_last(rw, pool);
}

static const nashc_pattern from_below_pattern = {"nn.transpose", from_below};
static const nashc_pattern from_above_pattern = {"nn.maxpool", from_above};

const nashc_pass nashc_pass_maxpool_to_nhwc = {
    NASHC_DESC(nashc_pass),
    .name = "maxpool-to-nhwc",
    .alias = "MakeMaxPoolNHWC",
    .help = "run a max pool channels-last where a transpose is next to it",
    .patterns = (const nashc_pattern *const[]){&from_below_pattern, &from_above_pattern, NULL},
};
