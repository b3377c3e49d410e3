/* resize_to_nhwc.c
 *
 *     x -- resize -- to channels-last -- y      ==>     x -- to channels-last -- resize' -- y
 *     x -- to channels-first -- resize -- y     ==>     x -- resize' -- to channels-first -- y
 *
 * Sizes and scales count all axes, so they turn with the data.
 * Terminates: a resize moves out of the channels-first region, never back.
 */
#include "layout.h"
#include "passes/support/match.h"

static bool
from_below(nashc_rw *rw, nashc_node *t)
{
    nashc_node *resize = nashc_value_def_by(nashc_node_in(t, 0), "nn.resize");

    return resize && layout_to_last(t) && match_sole(rw, resize) &&
           layout_channels_last(rw, resize);
}

static bool
from_above(nashc_rw *rw, nashc_node *resize)
{
    nashc_node *t = nashc_value_def(nashc_node_in(resize, 0));

    return layout_to_first(t) && match_sole(rw, t) && layout_channels_last(rw, resize);
}

static const nashc_pattern from_below_pattern = {"nn.transpose", from_below};
static const nashc_pattern from_above_pattern = {"nn.resize", from_above};

const nashc_pass nashc_pass_resize_to_nhwc = {
    NASHC_DESC(nashc_pass),
    .name = "resize-to-nhwc",
    .alias = "MakeScaleResizeNHWC|AbsorbTransposeIntoResize|absorb-transpose-into-resize",
    .help = "run a resize channels-last where a transpose is next to it",
    .patterns = (const nashc_pattern *const[]){&from_below_pattern, &from_above_pattern, NULL},
};
