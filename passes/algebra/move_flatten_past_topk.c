/* move_flatten_past_topk.c
 *
 *     x [N,1,1,C] -- reshape [N,C] -- topk     ==>     x -- topk -- reshape (values and indices)
 *
 * for a topk along the last axis and a reshape that only drops axes of extent 1.
 * Terminates: a reshape only ever moves towards the outputs.
 */
#include "passes/support/match.h"

static bool
move_flatten(nashc_rw *rw, nashc_node *n)
{
    nashc_node *f = nashc_value_def_by(nashc_node_in(n, 0), "nn.reshape");

    if (!f || !match_sole(rw, f))
        return false;
    const nashc_type *x = nashc_value_type(nashc_node_in(f, 0));
    const nashc_type *flat = nashc_value_type(nashc_node_in(n, 0));
    int64_t axis = nashc_node_int(n, "axis");
    if (axis != -1 && axis != flat->rank - 1)
        return nashc_rw_miss(rw, n, "it does not run along the last axis");
    if (x->rank <= flat->rank || flat->rank != 2 || x->dim[0] != flat->dim[0] ||
        x->dim[x->rank - 1] != flat->dim[1])
        return nashc_rw_miss(rw, f, "it merges axes, or the channels are not last");

    nashc_rw_at(rw, n);
    nashc_node *top =
        nashc_rw_node(rw, "nn.topk", (nashc_value *[]){nashc_node_in(f, 0)}, 1, nashc_node_n_out(n),
                      "k=%" PRId64 " axis=-1 largest=%s sorted=%s", nashc_node_int(n, "k"),
                      nashc_node_int(n, "largest") ? "true" : "false",
                      nashc_node_int(n, "sorted") ? "true" : "false");
    for (int i = 0; top && i < nashc_node_n_out(n); i++) {
        const nashc_type *y = nashc_value_type(nashc_node_out(n, i));
        if (nashc_value_n_uses(nashc_node_out(n, i)) == 0)
            continue;
        nashc_value *v = nashc_rw_opf(rw, "nn.reshape", (nashc_value *[]){nashc_node_out(top, i)},
                                      1, "shape=%s", nashc_rw_ints(rw, y->dim, y->rank));
        nashc_rw_replace(rw, nashc_node_out(n, i), v);
    }
    return true;
}

static const nashc_pattern move_flatten_pattern = {"nn.topk", move_flatten};

const nashc_pass nashc_pass_move_flatten_past_topk = {
    NASHC_DESC(nashc_pass),
    .name = "move-flatten-past-topk",
    .alias = "MoveFlattenPastTopK",
    .help = "move a reshape that drops unit axes below a topk",
    .patterns = (const nashc_pattern *const[]){&move_flatten_pattern, NULL},
};
