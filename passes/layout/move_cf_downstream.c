/* move_cf_downstream.c
 *
 *     x -- to channels-first -- op(.., z) -- y     ==>     op(x, z') -- to channels-first -- y
 *
 * for every op that channels_last.c knows, and, with a flatten behind the transpose, for those of
 * flatten.c. Other operands turn with the data: constants at once, dynamic ones by a transpose of
 * their own. Other readers of the transpose keep it. Terminates: an op turns once.
 */
#include "layout.h"

static bool
move_down(nashc_rw *rw, nashc_node *op)
{
    for (int i = 0; i < nashc_node_n_in(op); i++) {
        const nashc_value *v = nashc_node_in(op, i);
        if (v && layout_to_first(nashc_value_def(v)) && !layout_to_last(op))
            return layout_channels_last(rw, op);
    }
    return flatten_channels_last(rw, op);
}

static const nashc_pattern move_down_pattern = {"*", move_down};

const nashc_pass nashc_pass_move_cf_downstream = {
    NASHC_DESC(nashc_pass),
    .name = "move-cf-downstream",
    .alias = "MoveChanFirstDownstream",
    .help = "move transposes to channels-first below the ops behind them",
    .patterns = (const nashc_pattern *const[]){&move_down_pattern, NULL},
};
