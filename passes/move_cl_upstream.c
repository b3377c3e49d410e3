/* move_cl_upstream.c
 *
 *     x -- op c -- to channels-last -- y     ==>     x -- to channels-last -- op c' -- y
 *
 * for element-wise ops (quantisers with per-channel parameters included) and multithresholds with
 * one dynamic operand. Constants turn with the data.
 * Terminates: a transpose to channels-last only ever moves towards the inputs.
 */
#include "match.h"

static bool
move_up(nashc_rw *rw, nashc_node *t)
{
    nashc_node *op = nashc_value_def(nashc_node_in(t, 0));
    int dynamic = 0;

    if (!nashc_layout_to_last(t) || !nashc_layout_eltwise(op))
        return false;
    for (int i = 0; i < nashc_node_n_in(op); i++) {
        const nashc_value *v = nashc_node_in(op, i);
        if (!v || nashc_layout_none(v))
            continue;
        dynamic++;
        if (!nashc_type_same_shape(nashc_value_type(v), nashc_value_type(nashc_node_out(op, 0))))
            return nashc_rw_miss(rw, op, "an operand is broadcast");
    }
    if (dynamic != 1)
        return nashc_rw_miss(rw, op, "it has %d dynamic operands", dynamic);
    if (!nashc_match_sole(rw, op))
        return false;
    nashc_rw_loc(rw, op);
    nashc_rw_replace(rw, nashc_node_out(t, 0), nashc_layout_rebuilt(rw, op, true));
    return true;
}

static const nashc_pattern move_up_pattern = {"nn.transpose", move_up};

const nashc_pass nashc_pass_move_cl_upstream = {
    NASHC_DESC(nashc_pass),
    .name = "move-cl-upstream",
    .alias = "MoveChanLastUpstream",
    .help = "move transposes to channels-last above element-wise ops",
    .patterns = (const nashc_pattern *const[]){&move_up_pattern, NULL},
};
