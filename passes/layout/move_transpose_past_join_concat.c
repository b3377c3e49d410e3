/* move_transpose_past_join_concat.c
 *
 *     concat(transpose(x; p), transpose(y; p), ...; axis)
 *     ==>  transpose(concat(x, y, ...; p[axis]); p)
 *
 * Terminates: each rewrite removes all transposes but one.
 */
#include "passes/support/match.h"
#include <string.h>

static bool
move_transpose(nashc_rw *rw, nashc_node *n)
{
    int n_in = nashc_node_n_in(n), n_p = 0, n_q;
    int64_t axis = nashc_node_int(n, "axis");
    nashc_value **in = NASHC_NEW_N(nashc_rw_arena(rw), nashc_value *, n_in + 1);
    const int64_t *p = NULL;
    nashc_node *first = NULL;

    for (int i = 0; in && i < n_in; i++) {
        nashc_node *t = nashc_value_def_by(nashc_node_in(n, i), "nn.transpose");
        if (!t)
            return false;
        const int64_t *q = nashc_node_ints(t, "perm", &n_q);
        if (!first) {
            first = t;
            p = q;
            n_p = n_q;
        }
        if (n_p != n_q || memcmp(p, q, sizeof *p * (size_t)n_p))
            return nashc_rw_miss(rw, n, "the permutations differ");
        if (!match_sole(rw, t))
            return false;
        in[i] = nashc_node_in(t, 0);
        if (nashc_value_type(in[i])->layout != nashc_value_type(in[0])->layout)
            return nashc_rw_miss(rw, n, "the branches have different layouts");
    }
    if (!first || n_in < 2)
        return false;

    axis = p[axis < 0 ? axis + n_p : axis];
    nashc_value *v = nashc_rw_opf(rw, "nn.concat", in, n_in, "axis=%" PRId64, axis);
    nashc_rw_loc(rw, first);
    nashc_rw_replace(rw, nashc_node_out(n, 0), nashc_rw_like(rw, first, &v, 1));
    return true;
}

static const nashc_pattern move_transpose_pattern = {"nn.concat", move_transpose};

const nashc_pass nashc_pass_move_transpose_past_join_concat = {
    NASHC_DESC(nashc_pass),
    .name = "move-transpose-past-join-concat",
    .alias = "MoveTransposePastJoinConcat",
    .help = "move equal transposes of all branches below a concat",
    .patterns = (const nashc_pattern *const[]){&move_transpose_pattern, NULL},
};
