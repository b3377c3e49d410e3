/* move_op_past_fork.c
 *
 *     x -- op -- y, read by n nodes     ==>     n copies, each read once
 *
 * In a graph of values a fork costs nothing; the copies are made so that each can sink further. The
 * first reader, or the graph's output, keeps the original. The constant is shared by all.
 * Terminates: a copy has one reader.
 */
#include "passes/support/match.h"

static bool
sink(nashc_rw *rw, nashc_node *n)
{
    if (!match_listed(nashc_opts_str(nashc_rw_opts(rw), "ops"), nashc_node_opname(n)) ||
        nashc_value_n_uses(nashc_node_out(n, 0)) < 2)
        return false;
    if (nashc_node_n_out(n) != 1)
        return nashc_rw_miss(rw, n, "it has several results");
    return match_sink(rw, n);
}

static const nashc_pattern sink_pattern = {"*", sink};

static const nashc_param sink_options[] = {
    {.name = "ops", .def = "nn.add,nn.mul", .help = "ops to copy", .kind = NASHC_P_STRING},
    {0},
};

const nashc_pass nashc_pass_move_op_past_fork = {
    NASHC_DESC(nashc_pass),    .name = "move-op-past-fork",
    .alias = "MoveOpPastFork", .help = "give each reader of an op its own copy",
    .options = sink_options,   .patterns = (const nashc_pattern *const[]){&sink_pattern, NULL},
};
