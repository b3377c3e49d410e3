/* move_cl_upstream.c
 *
 *     x -- op c -- to channels-last -- y     ==>     x -- to channels-last -- op c' -- y
 *
 * for every op that channels_last.c knows. Other operands turn with the data; other readers of the
 * op get its result turned back, which move-cf-downstream then moves on. Terminates: an op turns
 * once.
 */
#include "layout.h"

static bool
move_up(nashc_rw *rw, nashc_node *t)
{
    nashc_node *op = nashc_value_def(nashc_node_in(t, 0));

    return op && layout_to_last(t) && layout_channels_last(rw, op);
}

static const nashc_pattern move_up_pattern = {"nn.transpose", move_up};

const nashc_pass nashc_pass_move_cl_upstream = {
    NASHC_DESC(nashc_pass),
    .name = "move-cl-upstream",
    .alias = "MoveChanLastUpstream",
    .help = "move transposes to channels-last above the ops in front of them",
    .patterns = (const nashc_pattern *const[]){&move_up_pattern, NULL},
};
