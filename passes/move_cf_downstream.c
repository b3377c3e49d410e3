/* move_cf_downstream.c
 *
 *     x -- to channels-first -- op(.., z) -- y     ==>     op(x, z') -- to channels-first -- y
 *
 * for element-wise ops and multithresholds. Other operands turn with the data: constants at once,
 * dynamic ones by a transpose of their own. The transpose must have no other reader
 * (move-transpose-past-fork gives each its own).
 * Terminates: a transpose to channels-first only ever moves towards the outputs.
 */
#include "match.h"

static bool
move_down(nashc_rw *rw, nashc_node *op)
{
    const nashc_type *y = nashc_value_type(nashc_node_out(op, 0));
    bool found = false;

    if (!nashc_layout_eltwise(op))
        return false;
    for (int i = 0; i < nashc_node_n_in(op); i++) {
        const nashc_value *v = nashc_node_in(op, i);
        nashc_node *t = v ? nashc_value_def(v) : NULL;
        if (!nashc_layout_to_first(t))
            continue;
        found = true;
        if (!nashc_value_one_use(v) && !(nashc_value_n_uses(v) == 2 && nashc_node_n_in(op) == 2 &&
                                         nashc_node_in(op, 0) == nashc_node_in(op, 1)))
            return nashc_match_sole(rw, t);
    }
    if (!found)
        return false;
    for (int i = 0; i < nashc_node_n_in(op); i++) {
        const nashc_value *v = nashc_node_in(op, i);
        if (v && !nashc_value_const(v) && !nashc_type_same_shape(nashc_value_type(v), y))
            return nashc_rw_miss(rw, op, "an operand is broadcast");
    }

    nashc_value *in[4] = {0};
    bool rows = nashc_node_is(op, "q.multithreshold");
    for (int i = 0; i < nashc_node_n_in(op); i++) {
        nashc_value *v = nashc_node_in(op, i);
        nashc_node *t = v ? nashc_value_def(v) : NULL;
        in[i] = nashc_layout_to_first(t) ? nashc_node_in(t, 0)
                : rows && i > 0          ? v
                                         : nashc_layout_last(rw, v, y->rank);
    }
    nashc_value *v = nashc_rw_like(rw, op, in, nashc_node_n_in(op));
    nashc_rw_replace(rw, nashc_node_out(op, 0), nashc_layout_first(rw, v, y->rank));
    return true;
}

static const nashc_pattern move_down_pattern = {"*", move_down};

const nashc_pass nashc_pass_move_cf_downstream = {
    NASHC_DESC(nashc_pass),
    .name = "move-cf-downstream",
    .alias = "MoveChanFirstDownstream",
    .help = "move transposes to channels-first below element-wise ops",
    .patterns = (const nashc_pattern *const[]){&move_down_pattern, NULL},
};
