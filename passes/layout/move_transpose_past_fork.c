/* move_transpose_past_fork.c
 *
 *     x -- transpose -- y, read by n nodes     ==>     n copies, each read once
 *
 * In a graph of values a fork costs nothing; the copies are made so that each can sink further. The
 * first reader, or the graph's output, keeps the original. The constant is shared by all.
 * Terminates: a copy has one reader.
 */
#include "passes/support/match.h"

static const nashc_pattern sink_pattern = {"nn.transpose", match_sink};

const nashc_pass nashc_pass_move_transpose_past_fork = {
    NASHC_DESC(nashc_pass),
    .name = "move-transpose-past-fork",
    .alias = "MoveTransposePastFork",
    .help = "give each reader of a transpose its own copy",
    .patterns = (const nashc_pattern *const[]){&sink_pattern, NULL},
};
