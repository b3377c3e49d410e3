/* move_transpose_past_split.c
 *
 *     split(transpose(x; p); axis)     ==>     split(x; p[axis]), each part transposed by p
 *
 * Terminates: a transpose only ever moves towards the outputs.
 */
#include "passes/support/match.h"

static bool
move_transpose(nashc_rw *rw, nashc_node *n)
{
    nashc_node *t = nashc_value_def_by(nashc_node_in(n, 0), "nn.transpose");
    int count;

    if (!t || !match_sole(rw, t))
        return false;
    const int64_t *perm = nashc_node_ints(t, "perm", &count);
    int64_t axis = nashc_node_int(n, "axis");
    axis = perm[axis < 0 ? axis + count : axis];

    int n_parts;
    const int64_t *sizes = nashc_node_ints(n, "parts", &n_parts);
    nashc_node *parts = nashc_rw_node(rw, "nn.split", (nashc_value *[]){nashc_node_in(t, 0)}, 1,
                                      nashc_node_n_out(n), "axis=%" PRId64 " parts=%s", axis,
                                      nashc_rw_ints(rw, sizes, n_parts));
    nashc_rw_loc(rw, t);
    for (int i = 0; parts && i < n_parts; i++) {
        if (nashc_value_n_uses(nashc_node_out(n, i)) == 0)
            continue;
        nashc_value *part = nashc_node_out(parts, i);
        nashc_rw_replace(rw, nashc_node_out(n, i), nashc_rw_like(rw, t, &part, 1));
        if (nashc_node_dead(n))
            break;
    }
    return true;
}

static const nashc_pattern move_transpose_pattern = {"nn.split", move_transpose};

const nashc_pass nashc_pass_move_transpose_past_split = {
    NASHC_DESC(nashc_pass),
    .name = "move-transpose-past-split",
    .alias = "MoveTransposePastSplit",
    .help = "move a transpose below a split",
    .patterns = (const nashc_pattern *const[]){&move_transpose_pattern, NULL},
};
