/* folded.c: weights whose quantiser was folded away: floats that lie on a grid but for rounding.
 *
 *     w[k] = fl(n[k] u)        n whole and small; u one number for all, or one for each output
 *
 * The unit is guessed from the least magnitude, which is a small multiple of it, and fitted to all
 * weights; then each must lie within one unit in its last place of float32. That weights which were
 * never quantised do so by chance is excluded by counting. The least magnitude fits any unit; each
 * other magnitude of an output lies so near to one of n units with probability n 2^-22, and p units
 * were tried. All outputs together must be less likely than 2^-12, and none may be more likely
 * than not; an output of one magnitude, as signs and ternary weights have it, needs no proof.
 */
#include "integer.h"

#include <math.h>
#include <stdlib.h>

#define LAST_PLACE  0x1p-23 /* relative */
#define COARSE      0x1p-22 /* before the unit is fitted */
#define MAX_PARTS   256     /* units in the least magnitude: all that codes of 8 bits can have */
#define MAX_CODE    32767.0
#define PROVEN_BITS 12
#define MAX_NEARBY  8  /* float32 numbers beside the fitted unit */
#define MAX_WITNESS 64 /* magnitudes of one set that are counted */

/* One set of weights with one unit. */
typedef struct weights {
    const double *v;
    int64_t n, block, period;    /* n in blocks, which begin a period apart */
    double least, most;          /* magnitudes; 0: all are zero */
    double witness[MAX_WITNESS]; /* other magnitudes, each once: the first that there are */
    int n_witness;
} weights;

static double
weight(const weights *w, int64_t k)
{
    return w->v[k / w->block * w->period + k % w->block];
}

/* Equal magnitudes prove nothing twice. False: a weight is no number. */
static bool
find_magnitudes(weights *w)
{
    for (int64_t k = 0; k < w->n; k++) {
        double a = fabs(weight(w, k));
        if (!isfinite(a))
            return false;
        w->most = fmax(w->most, a);
        w->least = a > 0 && (w->least == 0 || a < w->least) ? a : w->least;
    }
    for (int64_t k = 0; k < w->n && w->n_witness < MAX_WITNESS; k++) {
        double a = fabs(weight(w, k));
        bool known = a == 0 || a == w->least;
        for (int i = 0; !known && i < w->n_witness; i++)
            known = a == w->witness[i];
        if (!known)
            w->witness[w->n_witness++] = a;
    }
    return true;
}

/* Are all whole multiples of u within what is relative to each? Sums for the fit. */
static bool
near_grid(const weights *w, double u, double relative, double *sum, double *square)
{
    *sum = *square = 0;
    for (int64_t k = 0; k < w->n; k++) {
        double v = weight(w, k), n = nearbyint(v / u);
        if (v == 0)
            continue;
        if (n == 0 || fabs(n) > MAX_CODE || fabs(v - n * u) > relative * fabs(v))
            return false;
        *sum += v * n;
        *square += n * n;
    }
    return true;
}

/* How unlikely it is, as a power of two, that the magnitudes fit u by chance. */
static double
proof(const weights *w, double u, int parts)
{
    double bits = w->n_witness ? -log2(parts) : 0;
    for (int i = 0; i < w->n_witness; i++)
        bits += 22 - log2(nearbyint(w->witness[i] / u));
    return bits;
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

/* The unit of w, and how unlikely it is; false: none. */
static bool
find_unit(weights *w, double *unit, double *bits)
{
    double sum, square;
    if (!find_magnitudes(w))
        return false;
    *unit = w->least > 0 ? w->least : 1;
    *bits = 0;
    for (int parts = 1; w->n_witness && parts <= MAX_PARTS; parts++) {
        double u = w->least / parts;
        if (!near_grid(w, u, COARSE, &sum, &square))
            continue;
        u = sum / square;
        *bits = proof(w, u, parts);
        if (*bits <= 0 || !near_grid(w, u, LAST_PLACE, &sum, &square))
            continue;
        *unit = exact_unit(w, u);
        return true;
    }
    return w->n_witness == 0;
}

/* Units of outputs along an axis. */
typedef struct units {
    double *unit; /* on the heap */
    int64_t n;
    double widest; /* code */
} units;

/* Units of all outputs along axis of t (axis < 0: one for all). False: none, or not proven. */
static bool
find_units(const double *v, const nashc_type *t, int axis, units *out)
{
    int64_t inner = 1, n = nashc_type_count(t);
    double bits, all = 0;
    bool witnessed = false;
    for (int k = axis + 1; k < t->rank; k++)
        inner *= t->dim[k];
    out->n = axis < 0 ? 1 : t->dim[axis];
    out->widest = 0;
    for (int64_t i = 0; i < out->n; i++) {
        weights w = {.v = v + (axis < 0 ? 0 : i * inner),
                     .n = n / out->n,
                     .block = axis < 0 ? n : inner,
                     .period = out->n * inner};
        if (!find_unit(&w, &out->unit[i], &bits))
            return false;
        all += bits;
        witnessed = witnessed || w.n_witness;
        out->widest = fmax(out->widest, nearbyint(w.most / out->unit[i]));
    }
    return !witnessed || all >= PROVEN_BITS;
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

/* The units of w along axis, or one for all where codes are no wider for it. False: none. */
static bool
choose_units(const double *w, const nashc_type *t, int axis, units *own, units *one)
{
    bool by_output = t->rank > 0 && find_units(w, t, axis, own);
    bool by_tensor = find_units(w, t, -1, one);
    if (by_tensor && (!by_output || one->widest <= own->widest)) {
        own->unit[0] = one->unit[0];
        own->n = 1;
    }
    return by_output || by_tensor;
}

/* Kept with the value, as the codes of other constants are. */
static bool
recover(si_walk *walk, nashc_value *v, int axis)
{
    si_job *job = walk->job;
    si_value *x = si_of(walk, v);
    const nashc_tensor *known = si_known(walk, v);
    const nashc_type *t = known ? nashc_tensor_type(known) : NULL;
    double *w = known ? nashc_buf_to_f64(nashc_tensor_buf(known)) : NULL, all;
    units own = {0}, one = {.unit = &all};
    own.unit = w ? malloc((size_t)(t->rank ? t->dim[axis] : 1) * sizeof(*own.unit)) : NULL;
    bool ok = own.unit && choose_units(w, t, axis, &own, &one);
    if (known && !own.unit)
        si_no_memory(job);
    if (ok && own.n == 1)
        x->scale = si_scalar(job, own.unit[0]);
    else if (ok)
        ok = si_per_axis(job, own.unit, own.n, axis, t->rank, &x->scale);
    ok = ok && (x->codes = codes_of(job, w, t, &x->scale));
    x->bias = si_scalar(job, 0.0);
    free(own.unit);
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
