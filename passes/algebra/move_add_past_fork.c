/* move_add_past_fork.c
 *
 *     x -- add c -- y, read by n nodes     ==>     n copies, each read once
 *
 * In a graph of values a fork costs nothing; the copies are made so that each can sink further. The
 * first reader, or the graph's output, keeps the original. The constant is shared by all.
 * Terminates: a copy has one reader.
 */
#include "passes/support/match.h"

static bool
sink_add(nashc_rw *rw, nashc_node *n)
{
    affine a;

    if (nashc_value_n_uses(nashc_node_out(n, 0)) < 2)
        return false;
    if (!affine_of(n, "nn.add", &a))
        return nashc_rw_miss(rw, n, "no operand is a constant that keeps the shape");
    return match_sink(rw, n);
}

static const nashc_pattern sink_add_pattern = {"nn.add", sink_add};

const nashc_pass nashc_pass_move_add_past_fork = {
    NASHC_DESC(nashc_pass),
    .name = "move-add-past-fork",
    .alias = "MoveAddPastFork",
    .help = "give each reader of an add of a constant its own copy",
    .patterns = (const nashc_pattern *const[]){&sink_add_pattern, NULL},
};
