/* reduce_to_pool.c
 *
 *     x -- reduce_max over rows and columns -- y     ==>     x -- maxpool of that size -- y
 *     x -- reduce_max over other axes -- y     ==>     x -- these axes last -- maxpool -- y
 *     x -- reduce_min -- y                     ==>     x -- -1 times -- .. -- -1 times -- y
 *
 * A pool only moves elements to where one of them is chosen, so nothing is rounded. Terminates:
 * each rewrite removes a reduction.
 */
#include "passes/support/match.h"
#include <inttypes.h>
#include <string.h>

static nashc_value *
reshaped(nashc_rw *rw, nashc_value *x, const int64_t *dim, int rank)
{
    return nashc_rw_opf(rw, "nn.reshape", &x, 1, "shape=%s", nashc_rw_ints(rw, dim, rank));
}

/* The axes that go, by axis. */
static void
find_axes(const nashc_node *n, int rank, bool gone[NASHC_MAX_RANK])
{
    int count;
    const int64_t *axes = nashc_node_ints(n, "axes", &count);

    memset(gone, 0, NASHC_MAX_RANK * sizeof(*gone));
    for (int i = 0; i < count; i++)
        gone[axes[i] < 0 ? axes[i] + rank : axes[i]] = true;
}

/* Of rows and columns: a pool as large as they are. NULL: other axes go. */
static nashc_value *
pool_in_place(nashc_rw *rw, nashc_value *x, const bool *gone)
{
    const nashc_type *t = nashc_value_type(x);
    int64_t kernel[2];
    int spatial = t->rank - 2;

    if (t->rank < 3 || t->rank > 4 || t->layout != NASHC_LAYOUT_DEFAULT || gone[0] || gone[1])
        return NULL;
    for (int i = 0; i < spatial; i++)
        kernel[i] = gone[2 + i] ? t->dim[2 + i] : 1;
    return nashc_rw_opf(rw, "nn.maxpool", &x, 1, "kernel=%s", nashc_rw_ints(rw, kernel, spatial));
}

/* Any axes: those that stay are the channels. */
static nashc_value *
pool_last(nashc_rw *rw, nashc_value *x, const bool *gone)
{
    const nashc_type *t = nashc_value_type(x);
    int64_t perm[NASHC_MAX_RANK], dim[4] = {1, 1, 1, 1};
    bool moves = false;
    int k = 0;

    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < t->rank; i++)
            if (gone[i] == (pass == 1)) {
                moves = moves || k != i;
                dim[1 + pass] *= t->dim[i];
                perm[k++] = i;
            }
    if (moves)
        x = nashc_rw_opf(rw, "nn.transpose", &x, 1, "perm=%s", nashc_rw_ints(rw, perm, k));
    x = x ? reshaped(rw, x, dim, 4) : NULL;
    return x ? nashc_rw_op(rw, "nn.global_maxpool", &x, 1) : NULL;
}

static nashc_value *
negated(nashc_rw *rw, nashc_value *x)
{
    return x ? nashc_rw_op(rw, "nn.neg", &x, 1) : NULL;
}

static bool
to_pool(nashc_rw *rw, nashc_node *n)
{
    bool gone[NASHC_MAX_RANK], least = nashc_node_is(n, "nn.reduce_min");
    nashc_value *x = nashc_node_in(n, 0), *y;
    const nashc_type *t = nashc_value_type(nashc_node_out(n, 0));

    if (nashc_value_const(x))
        return false;
    find_axes(n, nashc_value_type(x)->rank, gone);
    x = least ? negated(rw, x) : x;
    y = x ? pool_in_place(rw, x, gone) : NULL;
    y = y ? y : x ? pool_last(rw, x, gone) : NULL;
    y = least ? negated(rw, y) : y;
    if (y && !nashc_type_same_shape(nashc_value_type(y), t))
        y = reshaped(rw, y, t->dim, t->rank);
    if (!y)
        return false;
    nashc_rw_replace(rw, nashc_node_out(n, 0), y);
    return true;
}

static const nashc_pattern reduce_max_pattern = {"nn.reduce_max", to_pool};
static const nashc_pattern reduce_min_pattern = {"nn.reduce_min", to_pool};

const nashc_pass nashc_pass_reduce_to_pool = {
    NASHC_DESC(nashc_pass),
    .name = "reduce-to-pool",
    .help = "the largest or smallest along axes as a max pool",
    .patterns = (const nashc_pattern *const[]){&reduce_max_pattern, &reduce_min_pattern, NULL},
};
