/* absorb_transpose_into_multithreshold.c
 *
 *     x -- to channels-first -- multithreshold -- y     ==>     x -- multithreshold -- to
 * channels-first
 *
 * A multithreshold finds its channels by the layout of its input, so the thresholds stay.
 * Terminates: a transpose only ever moves towards the outputs.
 */
#include "layout.h"
#include "passes/support/match.h"

static bool
absorb(nashc_rw *rw, nashc_node *mt)
{
    nashc_node *t = nashc_value_def(nashc_node_in(mt, 0));

    return layout_to_first(t) && match_sole(rw, t) && layout_channels_last(rw, mt);
}

static const nashc_pattern absorb_pattern = {"q.multithreshold", absorb};

const nashc_pass nashc_pass_absorb_transpose_into_multithreshold = {
    NASHC_DESC(nashc_pass),
    .name = "absorb-transpose-into-multithreshold",
    .alias = "AbsorbTransposeIntoMultiThreshold",
    .help = "run a multithreshold channels-last, in front of the transpose",
    .patterns = (const nashc_pattern *const[]){&absorb_pattern, NULL},
};
