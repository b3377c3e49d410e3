/* folded.c: weights whose quantiser was folded away: floats that lie on a grid but for rounding.
 *
 *     w[k] = fl(n[k] u)        n whole and small; u one number for all, or one for each output
 *
 * The unit is guessed from the least magnitude, which is a small multiple of it, and fitted to all
 * weights; then each must lie within one unit in its last place of float32. That weights which were
 * never quantised do so by chance is excluded by counting: one of n units lies so near to the grid
 * with probability n 2^-22, and all together must be less likely than 2^-12.
 */
#include "integer.h"

#include <math.h>
#include <stdlib.h>

#define LAST_PLACE  0x1p-23 /* relative */
#define COARSE      0x1p-22 /* before the unit is fitted */
#define MAX_PARTS   64      /* units in the least magnitude */
#define MAX_CODE    32767.0
#define FREE_BITS   30 /* what the choice of unit and parts can fit by itself */
#define PROVEN_BITS 12
#define MAX_NEARBY  8 /* float32 numbers beside the fitted unit */

/* One set of weights with one unit. */
typedef struct weights {
    const double *v;
    int64_t n, block, period; /* n in blocks, which begin a period apart */
} weights;

static double
weight(const weights *w, int64_t k)
{
    return w->v[k / w->block * w->period + k % w->block];
}

/* Are all whole multiples of u within what is relative to each? Sums for the fit. */
static bool
near_grid(const weights *w, double u, double relative, double *sum, double *square, double *bits)
{
    *sum = *square = *bits = 0;
    for (int64_t k = 0; k < w->n; k++) {
        double v = weight(w, k), n = nearbyint(v / u);
        if (v == 0)
            continue;
        if (n == 0 || fabs(n) > MAX_CODE || fabs(v - n * u) > relative * fabs(v))
            return false;
        *sum += v * n;
        *square += n * n;
        *bits += 22 - log2(fabs(n));
    }
    return true;
}

/* The float32 number beside u whose multiples, rounded, are the weights; u itself if none is. */
static double
exact_unit(const weights *w, double u)
{
    float below = (float)u, above = (float)u;
    for (int i = 0; i < MAX_NEARBY; i++) {
        float candidate[2] = {below, above};
        for (int side = 0; side < 2; side++) {
            bool same = true;
            for (int64_t k = 0; same && k < w->n; k++) {
                double v = weight(w, k);
                same = (float)(nearbyint(v / u) * (double)candidate[side]) == (float)v;
            }
            if (same)
                return (double)candidate[side];
        }
        below = nextafterf(below, 0.0f);
        above = nextafterf(above, INFINITY);
    }
    return u;
}

/* The unit of w; false: none is proven. */
static bool
find_unit(const weights *w, double *unit)
{
    double least = INFINITY, most = 0, sum, square, bits;
    for (int64_t k = 0; k < w->n; k++) {
        double a = fabs(weight(w, k));
        if (!isfinite(a))
            return false;
        least = a > 0 && a < least ? a : least;
        most = fmax(most, a);
    }
    *unit = most > 0 ? least : 1;
    for (int parts = 1; most > least && parts <= MAX_PARTS; parts++) {
        double u = least / parts;
        if (!near_grid(w, u, COARSE, &sum, &square, &bits))
            continue;
        u = sum / square;
        if (!near_grid(w, u, LAST_PLACE, &sum, &square, &bits) || bits < FREE_BITS + PROVEN_BITS)
            continue;
        *unit = exact_unit(w, u);
        return true;
    }
    return most == least || most == 0;
}

/* Units of all outputs along axis of t (axis < 0: one for all). */
static bool
find_units(const double *v, const nashc_type *t, int axis, double *unit)
{
    int64_t inner = 1, n = nashc_type_count(t), outputs = axis < 0 ? 1 : t->dim[axis];
    for (int k = axis + 1; k < t->rank; k++)
        inner *= t->dim[k];
    for (int64_t i = 0; i < outputs; i++) {
        weights w = {.v = v + (axis < 0 ? 0 : i * inner),
                     .n = n / outputs,
                     .block = axis < 0 ? n : inner,
                     .period = outputs * inner};
        if (!find_unit(&w, &unit[i]))
            return false;
    }
    return true;
}

/* v over the units, in the smallest type. */
static nashc_tensor *
codes_of(si_job *job, const double *v, const nashc_type *t, const si_array *unit)
{
    int64_t n = nashc_type_count(t), *code = malloc((size_t)n * sizeof(*code) + 1);
    nashc_type shape = *t;
    if (!code) {
        si_no_memory(job);
        return NULL;
    }
    for (int64_t i = 0; i < n; i++)
        code[i] = (int64_t)nearbyint(v[i] / si_at(unit, t, i));
    nashc_type_set_range(&shape, 0, 1);
    nashc_tensor *r = si_int_tensor(job, &shape, code);
    free(code);
    return r;
}

/* Kept with the value, as the codes of other constants are. */
static bool
recover(si_walk *walk, nashc_value *v, int axis)
{
    si_job *job = walk->job;
    si_value *x = si_of(walk, v);
    const nashc_tensor *known = si_known(walk, v);
    const nashc_type *t = known ? nashc_tensor_type(known) : NULL;
    double *w = known ? nashc_buf_to_f64(nashc_tensor_buf(known)) : NULL;
    double *unit = w ? malloc((size_t)(t->rank ? t->dim[axis] : 1) * sizeof(*unit)) : NULL;
    bool ok = false;
    if (known && !unit)
        si_no_memory(job);
    if (unit && find_units(w, t, -1, unit)) {
        x->scale = si_scalar(job, unit[0]);
        ok = true;
    } else if (unit && t->rank && find_units(w, t, axis, unit)) {
        ok = si_per_axis(job, unit, t->dim[axis], axis, t->rank, &x->scale);
    }
    ok = ok && (x->codes = codes_of(job, w, t, &x->scale));
    x->bias = si_scalar(job, 0.0);
    free(unit);
    nashc_mem_free(w);
    return ok;
}

bool
si_weight_codes(si_walk *walk, nashc_value *v, int axis, nashc_tensor **codes, si_array *scale)
{
    const char *why = walk->job->why;
    if (si_const_codes(walk, v, codes, scale))
        return true;
    if (si_failed(walk->job) || !recover(walk, v, axis))
        return false;
    walk->job->why = why;
    return si_const_codes(walk, v, codes, scale);
}
