/* sort_graph.c: puts nodes into topological order, keeping the order they have where it is free. */
#include <nashc/pass.h>

static nashc_status
sort_graph(nashc_run *r, nashc_graph *g)
{
    return nashc_graph_sort(g, nashc_run_diag(r));
}

const nashc_pass nashc_pass_sort_graph = {
    NASHC_DESC(nashc_pass), .name = "sort-graph",
    .alias = "SortGraph",   .help = "put nodes into topological order",
    .run = sort_graph,
};
