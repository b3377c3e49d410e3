/* insert_topk.c
 *
 *     x -- output     ==>     x -- topk k -- indices -- output
 *
 * on every float or integer output of a graph that is not an index already; the output then gives
 * the k best positions along axis, which is what a classifier's user wants.
 * Terminates: an output that a topk defines is left alone.
 */
#include <inttypes.h>
#include <nashc/pass.h>

static nashc_status
insert(nashc_run *r, nashc_graph *g)
{
    const nashc_opts *o = nashc_run_opts(r);
    nashc_build *b = nashc_run_build(r, g);
    int64_t k = nashc_opts_int(o, "k"), axis = nashc_opts_int(o, "axis");

    for (int i = 0; i < nashc_graph_n_outputs(g); i++) {
        nashc_value *v = nashc_graph_output(g, i);
        const nashc_type *t = nashc_value_type(v);
        nashc_node *def = nashc_value_def(v);
        if (nashc_node_is(def, "nn.topk") || nashc_node_is(def, "nn.argmax")) {
            nashc_run_miss(r, def, "the output is an index already");
            continue;
        }
        int64_t at = axis < 0 ? axis + t->rank : axis;
        if (at < 0 || at >= t->rank || t->dim[at] < k) {
            nashc_run_miss(r, def, "axis %" PRId64 " has fewer than %" PRId64 " elements", axis, k);
            continue;
        }
        if (!nashc_run_edit(r, "insert topk", def))
            break;
        nashc_node *top = nashc_build_node(b, "nn.topk", &v, 1, 2,
                                           "k=%" PRId64 " axis=%" PRId64 " largest=%s sorted=%s", k,
                                           axis, nashc_opts_bool(o, "largest") ? "true" : "false",
                                           nashc_opts_bool(o, "sorted") ? "true" : "false");
        if (!top)
            return nashc_build_status(b);
        nashc_graph_set_output(g, i, nashc_node_out(top, 1));
    }
    return NASHC_OK;
}

static const nashc_param insert_options[] = {
    {.name = "k", .def = "5", .domain = "1..", .help = "number of indices", .kind = NASHC_P_INT},
    {.name = "axis", .def = "-1", .help = "axis to search", .kind = NASHC_P_INT},
    {.name = "largest", .def = "true", .help = "largest, not smallest", .kind = NASHC_P_BOOL},
    {.name = "sorted", .def = "true", .help = "best first", .kind = NASHC_P_BOOL},
    {0},
};

const nashc_pass nashc_pass_insert_topk = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_MODULE | NASHC_PASS_INEXACT | NASHC_PASS_INTERFACE,
    .name = "insert-topk",
    .alias = "InsertTopK",
    .help = "give the indices of the k largest elements of each output instead of the elements",
    .options = insert_options,
    .run = insert,
};
