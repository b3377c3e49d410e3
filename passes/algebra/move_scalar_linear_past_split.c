/* move_scalar_linear_past_split.c
 *
 *     split(x * a)     ==>     split(x), each part * a      (also x + a)
 *
 * for a scalar, or a constant that does not vary along the axis of the split.
 * Terminates: a linear op only ever moves towards the outputs.
 */
#include "passes/support/match.h"

static bool
move_linear(nashc_rw *rw, nashc_node *n)
{
    affine a;
    nashc_value *x = nashc_node_in(n, 0);

    if (!affine_before(rw, x, "nn.mul", &a) && !affine_before(rw, x, "nn.add", &a))
        return false;
    const nashc_type *xt = nashc_value_type(a.x);
    int64_t axis = nashc_node_int(n, "axis");
    if (match_axes(a.t, xt) & 1u << (axis < 0 ? axis + xt->rank : axis))
        return nashc_rw_miss(rw, a.node, "the constant varies along the axis of the split");

    nashc_node *parts = nashc_rw_node(rw, "nn.split", &a.x, 1, nashc_node_n_out(n), "%s",
                                      nashc_node_attr_text(n, nashc_rw_arena(rw)));
    nashc_rw_loc(rw, a.node);
    for (int i = 0; parts && i < nashc_node_n_out(n); i++) {
        if (nashc_value_n_uses(nashc_node_out(n, i)) == 0)
            continue;
        nashc_value *in[] = {nashc_node_out(parts, i), a.c};
        nashc_rw_replace(rw, nashc_node_out(n, i),
                         nashc_rw_op(rw, nashc_node_opname(a.node), in, 2));
        if (nashc_node_dead(n))
            break;
    }
    return true;
}

static const nashc_pattern move_linear_pattern = {"nn.split", move_linear};

const nashc_pass nashc_pass_move_scalar_linear_past_split = {
    NASHC_DESC(nashc_pass),
    .name = "move-scalar-linear-past-split",
    .alias = "MoveScalarLinearPastSplit",
    .help = "move a mul or add of a constant below a split",
    .patterns = (const nashc_pattern *const[]){&move_linear_pattern, NULL},
};
