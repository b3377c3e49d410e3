/* move_maxpool_past_multithreshold.c
 *
 *     x -- maxpool -- multithreshold -- y     ==>     x -- multithreshold -- maxpool -- y
 *
 * A count of thresholds never decreases with x, so the maximum passes through it; the pool then
 * works on codes of a few bits. Padding never wins a pool (it is -inf), hence needs no condition.
 * A decreasing row (direction -1, or a negative out_scale) would need a minimum instead.
 * Terminates: a pool only ever moves towards the outputs.
 */
#include "passes/support/match.h"
#include "passes/support/thresholds.h"

static bool
move_pool(nashc_rw *rw, nashc_node *mt)
{
    nashc_node *pool = nashc_value_def_by(nashc_node_in(mt, 0), "nn.maxpool");
    thresholds s;

    if (!pool)
        return false;
    if (!match_sole(rw, pool) || !thresholds_of(rw, mt, &s))
        return false;
    if (nashc_node_int(mt, "out_scale") < 0)
        return nashc_rw_miss(rw, mt, "out_scale is negative");
    for (int64_t c = 0; c < s.rows; c++)
        if (s.dir[c] < 0)
            return nashc_rw_miss(rw, mt, "channel %" PRId64 " counts downwards", c);

    nashc_value *in[] = {nashc_node_in(pool, 0), nashc_node_in(mt, 1), nashc_node_in(mt, 2)};
    nashc_value *codes = nashc_rw_like(rw, mt, in, in[2] ? 3 : 2);
    nashc_rw_loc(rw, pool);
    nashc_rw_replace(rw, nashc_node_out(mt, 0),
                     nashc_rw_like(rw, pool, (nashc_value *[]){codes}, 1));
    return true;
}

static const nashc_pattern move_pool_pattern = {"q.multithreshold", move_pool};

const nashc_pass nashc_pass_move_maxpool_past_multithreshold = {
    NASHC_DESC(nashc_pass),
    .name = "move-maxpool-past-multithreshold",
    .alias = "MoveMaxPoolPastMultiThreshold",
    .help = "move a max pool below a multithreshold, where data is narrow",
    .patterns = (const nashc_pattern *const[]){&move_pool_pattern, NULL},
};
