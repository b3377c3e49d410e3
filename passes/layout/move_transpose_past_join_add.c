/* move_transpose_past_join_add.c
 *
 *     transpose(x; p) + transpose(y; p)     ==>     transpose(x + y; p)
 *
 * also for mul, sub, min and max. The permutations must be equal, the operands of one shape.
 * Terminates: each rewrite removes a transpose.
 */
#include "passes/support/match.h"
#include <string.h>

static bool
move_transpose(nashc_rw *rw, nashc_node *n)
{
    nashc_node *a = nashc_value_def_by(nashc_node_in(n, 0), "nn.transpose");
    nashc_node *b = nashc_value_def_by(nashc_node_in(n, 1), "nn.transpose");
    int n_a, n_b;

    if (!a || !b || a == b)
        return false;
    const int64_t *pa = nashc_node_ints(a, "perm", &n_a), *pb = nashc_node_ints(b, "perm", &n_b);
    if (n_a != n_b || memcmp(pa, pb, sizeof *pa * (size_t)n_a))
        return nashc_rw_miss(rw, n, "the permutations differ");
    if (!match_sole(rw, a) || !match_sole(rw, b))
        return false;
    nashc_value *in[] = {nashc_node_in(a, 0), nashc_node_in(b, 0)};
    if (!nashc_type_same_shape(nashc_value_type(in[0]), nashc_value_type(in[1])))
        return nashc_rw_miss(rw, n, "the branches have different shapes");

    nashc_value *v = nashc_rw_like(rw, n, in, 2);
    nashc_rw_loc(rw, a);
    nashc_rw_replace(rw, nashc_node_out(n, 0), nashc_rw_like(rw, a, &v, 1));
    return true;
}

static const nashc_pattern patterns[] = {
    {"nn.add", move_transpose}, {"nn.mul", move_transpose}, {"nn.sub", move_transpose},
    {"nn.min", move_transpose}, {"nn.max", move_transpose},
};

const nashc_pass nashc_pass_move_transpose_past_join_add = {
    NASHC_DESC(nashc_pass),
    .name = "move-transpose-past-join-add",
    .alias = "MoveTransposePastJoinAdd|MoveIdenticalOpPastJoinOp|move-identical-past-join",
    .help = "move equal transposes of two branches below their sum",
    .patterns = (const nashc_pattern *const[]){&patterns[0], &patterns[1], &patterns[2],
                                               &patterns[3], &patterns[4], NULL},
};
