/* moves_by_axis.c: moves that take places along each axis in some order, one axis after the other.
 *
 *     y[i][j] = x[p[i]][q[j]]       p = 2 1 | 0 1 2 3 | 2 1 (mirrored)
 *
 * Along an axis the places are one nest of loops, or runs of equal steps: hw.window for each, and
 * hw.concat. What comes first in the result waits for nothing, the others in FIFOs.
 */
#include "lower.h"
#include <inttypes.h>
#include <nashc/model.h>
#include <string.h>

#define MAX_RUNS 16 /* of an axis */

/* Places from i on that a step of the same length joins; *step is its length. */
static int64_t
run_at(const int64_t *at, int64_t n, int64_t i, int64_t *step)
{
    int64_t k = 1;

    *step = i + 1 < n ? at[i + 1] - at[i] : 0;
    while (*step >= 0 && i + k < n && at[i + k] - at[i + k - 1] == *step)
        k++;
    return k;
}

static bool
few_runs(const int64_t *at, int64_t n)
{
    int64_t runs = 0, step;

    for (int64_t i = 0; i < n; i += run_at(at, n, i, &step))
        runs++;
    return runs <= MAX_RUNS;
}

bool
lower_fit_places(const int64_t *map, const nashc_type *x, const nashc_type *y, nashc_arena *a,
                 lower_places *out)
{
    int64_t xs = 1, ys = 1, count = nashc_type_count(y);
    lower_loops nest;

    if (x->rank != y->rank || x->rank == 0 || count < 1)
        return false;
    *out = (lower_places){.rank = x->rank};
    int64_t *sum = NASHC_NEW_N(a, int64_t, count);
    if (!sum)
        return false;
    for (int i = x->rank - 1; i >= 0; i--) {
        int64_t *at = NASHC_NEW_N(a, int64_t, y->dim[i]);
        if (!at)
            return false;
        for (int64_t k = 0; k < y->dim[i]; k++)
            at[k] = map[k * ys] / xs % x->dim[i];
        for (int64_t k = 0; k < count; k++)
            sum[k] += at[k / ys % y->dim[i]] * xs;
        out->from[i] = x->dim[i];
        out->n[i] = y->dim[i];
        out->at[i] = at;
        out->whole[i] = lower_fit_loops(at, y->dim[i], a, &nest) && nest.n + 2 <= NASHC_RING_LOOPS;
        if (!out->whole[i] && !few_runs(at, y->dim[i]))
            return false;
        xs *= x->dim[i];
        ys *= y->dim[i];
    }
    return memcmp(sum, map, sizeof *map * (size_t)count) == 0;
}

/* The elements of x at the places of nest along an axis of n, outer before it, inner behind it. */
static nashc_value *
put_places(nashc_lower *l, nashc_value *x, const lower_loops *nest, int64_t n, int64_t outer,
           int64_t inner, int64_t columns)
{
    lower_loops z = {.n = nest->n + 2, .offset = nest->offset * inner};

    z.dim[0] = outer;
    z.stride[0] = n * inner;
    for (int i = 0; i < nest->n; i++) {
        z.dim[1 + i] = nest->dim[i];
        z.stride[1 + i] = nest->stride[i] * inner;
    }
    z.dim[nest->n + 1] = inner;
    z.stride[nest->n + 1] = 1;
    return lower_put_loops(l, x, &z, columns, "shuffle");
}

static nashc_value *
put_runs(nashc_lower *l, nashc_value *x, const lower_places *p, int axis, int64_t outer,
         int64_t inner, int64_t columns)
{
    const int64_t *at = p->at[axis];
    int64_t n = p->n[axis], run, step, parts[2] = {0, 0};
    nashc_value *in[2] = {NULL, NULL};

    for (int64_t i = 0; i < n; i += run) {
        run = run_at(at, n, i, &step);
        lower_loops nest = {.n = 1, .dim = {run}, .stride = {step < 0 ? 0 : step}, .offset = at[i]};
        in[1] = put_places(l, x, &nest, p->from[axis], outer, inner, columns ? columns : run);
        parts[1] = run * inner;
        in[0] = i == 0 || !in[1]
                    ? in[1]
                    : nashc_lower_op(l, "hw.concat", in, 2, "parts=%s channels=%" PRId64,
                                     nashc_lower_ints(l, parts, 2), columns);
        if (!in[0])
            return NULL;
        parts[0] += parts[1];
    }
    return in[0];
}

nashc_value *
lower_put_places(nashc_lower *l, nashc_value *x, const lower_places *p)
{
    int64_t outer = 1;

    for (int i = 0; x && i < p->rank; i++) {
        int64_t inner = 1, columns = i == p->rank - 1 ? 0 : p->from[p->rank - 1];
        lower_loops nest;
        for (int k = i + 1; k < p->rank; k++)
            inner *= p->from[k];
        if (!p->whole[i])
            x = put_runs(l, x, p, i, outer, inner, columns);
        else if (lower_fit_loops(p->at[i], p->n[i], nashc_lower_arena(l), &nest))
            x = put_places(l, x, &nest, p->from[i], outer, inner, columns ? columns : p->n[i]);
        else
            return NULL;
        outer *= p->n[i];
    }
    return x;
}
