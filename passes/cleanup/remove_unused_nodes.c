/* remove_unused_nodes.c: drops nodes that reach no output, in one backward sweep.
 *
 * Constants that only they read go with them: a constant lives as long as it is read.
 */
#include <nashc/pass.h>

static nashc_status
remove_unused(nashc_run *r, nashc_graph *g)
{
    if (nashc_run_edit(r, "remove nodes that reach no output", NULL))
        nashc_stat(r, 0, nashc_graph_remove_dead(g));
    return NASHC_OK;
}

const nashc_pass nashc_pass_remove_unused_nodes = {
    NASHC_DESC(nashc_pass),
    .name = "remove-unused-nodes",
    .alias = "RemoveUnusedNodes|RemoveUnusedTensors|remove-unused-tensors",
    .help = "drop nodes and constants that reach no output",
    .stats = (const char *const[]){"nodes removed", NULL},
    .run = remove_unused,
};
