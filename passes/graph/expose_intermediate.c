/* expose_intermediate.c: makes the values named, or all results of some ops, graph outputs.
 *
 * Changes the interface. What is an output already is not added again.
 */
#include "passes/support/match.h"

static nashc_status
expose(nashc_run *r, nashc_graph *g)
{
    const char *tensors = nashc_opts_str(nashc_run_opts(r), "tensors");
    const char *ops = nashc_opts_str(nashc_run_opts(r), "ops");
    int n_found = 0;

    NASHC_EACH_NODE(g, n)
    for (int i = 0; i < nashc_node_n_out(n); i++) {
        nashc_value *v = nashc_node_out(n, i);
        if (!match_listed(tensors, nashc_value_name(v)) && !match_listed(ops, nashc_node_opname(n)))
            continue;
        n_found++;
        if (nashc_value_is_output(v))
            continue;
        if (!nashc_run_edit(r, "expose", n))
            return NASHC_OK;
        nashc_graph_add_output(g, NULL, v);
    }
    if (!n_found)
        return nashc_error(nashc_run_diag(r), NULL,
                           "expose-intermediate: nothing in the graph "
                           "is meant by its options");
    return NASHC_OK;
}

static const nashc_param expose_options[] = {
    {.name = "tensors", .def = "", .help = "names of values", .kind = NASHC_P_STRING},
    {.name = "ops",
     .def = "",
     .help = "ops all of whose results are meant",
     .kind = NASHC_P_STRING},
    {0},
};

const nashc_pass nashc_pass_expose_intermediate = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_MODULE | NASHC_PASS_INTERFACE,
    .name = "expose-intermediate",
    .alias = "ExposeIntermediateTensors|ExposeIntermediateTensorsLambda|"
             "ExposeIntermediateTensorsPatternList",
    .help = "make internal values outputs of the graph (changes the interface)",
    .options = expose_options,
    .run = expose,
};
