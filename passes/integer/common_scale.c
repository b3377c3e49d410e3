/* common_scale.c: sums of integer tensors with their scales as one integer sum.
 *
 *     s1 i + s2 j + .. = u (m1 i + m2 j + ..)    where s1 = m1 u, s2 = m2 u, ..
 */
#include "integer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SUM   0x1p60
#define FINE_BITS 24     /* of the smallest rounded multiplier, where there is room */
#define MAX_EXACT 0x1p53 /* multipliers that a double holds */

/* --- multipliers -------------------------------------------------------------------------------
 */

static double
largest_magnitude(const nashc_value *v)
{
    const nashc_type *t = nashc_value_type(v);
    return fmax(fabs((double)t->lo), fabs((double)t->hi));
}

/* The unit of n scales if it is exact and its multipliers are below max, or the sum of integers,
 * the largest of which are most, is below limit. */
static bool
exact_unit(const double *scale, const double *most, int n, double max, double limit, double *unit)
{
    double largest = 0, sum = 0;
    if (!si_common_unit(scale, n, MAX_EXACT, unit))
        return false;
    for (int k = 0; k < n; k++) {
        double m = fabs(nearbyint(scale[k] / *unit));
        largest = fmax(largest, m);
        sum += m * most[k];
    }
    return sum <= MAX_SUM && (largest < max || sum <= limit);
}

/* Bits of the smallest multiplier, if fewer than before. */
static void
count_bits(double least, double unit, int *bits)
{
    int own = isfinite(least) ? ilogb(least / unit) + 1 : FINE_BITS;
    *bits = *bits == 0 || own < *bits ? own : *bits;
}

/* A chain of sums keeps its unit, so that nothing of what is added up so far is rounded again: it
 * is halved only as often as a new term needs to have 24 bits. False: there is no such chain, or no
 * room. */
static bool
unit_of_chain(const double *scale, const double *most, const bool *is_sum, int n, double limit,
              double *unit, int *bits)
{
    double least = INFINITY, sum = 0, u = INFINITY;
    for (int k = 0; k < n; k++) {
        double a = fabs(scale[k]);
        sum += a * (most[k] + 1);
        if (is_sum[k] && a > 0)
            u = fmin(u, a);
        else if (a > 0)
            least = fmin(least, a);
    }
    if (!isfinite(u) || !(sum / u <= MAX_SUM))
        return false;
    while (least / u < ldexp(1, FINE_BITS - 1) && sum / u * 2 <= fmax(limit, 1) &&
           sum / u * 2 <= MAX_SUM)
        u /= 2;
    while (least / u < ldexp(1, SI_LEAST_BITS - 1) && sum / u * 2 <= MAX_SUM)
        u /= 2;
    *unit = u;
    count_bits(least, u, bits);
    return true;
}

/* The smallest scale, halved: its own multiplier is exact however small it is, so that only those
 * of the others need bits. False: no room for SI_LEAST_BITS of them. */
static bool
unit_of_least(const double *scale, int n, double sum, double *unit, int *bits)
{
    double least = INFINITY, next = INFINITY;
    for (int k = 0; k < n; k++)
        least = scale[k] != 0 ? fmin(least, fabs(scale[k])) : least;
    for (int k = 0; k < n; k++)
        next = scale[k] != 0 && fabs(scale[k]) != least ? fmin(next, fabs(scale[k])) : next;
    double u = least;
    while (next / u < ldexp(1, SI_LEAST_BITS - 1) && sum / u <= MAX_SUM)
        u /= 2;
    if (!isfinite(next) || !(sum / u <= MAX_SUM))
        return false;
    *unit = u;
    count_bits(next, u, bits);
    return true;
}

/* Unit that gives the smallest scale 24 bits if the sum of integers is below limit then: rounding
 * to it changes no term by more than float32 arithmetic would. Else one that gives the largest
 * scale no more than 31 bits, coarser if the sum would not fit. */
static double
fine_unit(const double *scale, const double *most, int n, double limit, int *bits)
{
    double least = INFINITY, largest = 0, sum = 0;
    for (int k = 0; k < n; k++) {
        double a = fabs(scale[k]);
        least = a > 0 && a < least ? a : least;
        largest = fmax(largest, a);
        sum += a * (most[k] + 1);
    }
    double unit = ldexp(least, 1 - FINE_BITS);
    if (!(sum / unit <= limit))
        unit = fmax(fmax(unit, ldexp(largest, -31)), sum / MAX_SUM);
    if (least / unit < ldexp(1, SI_LEAST_BITS - 1) && unit_of_least(scale, n, sum, &unit, bits))
        return unit;
    count_bits(least, unit, bits);
    return unit;
}

/* Shape in which the scales of all parts differ. */
static nashc_type
shape_of(const si_parts *parts)
{
    nashc_type t = nashc_type_f64();
    for (int k = 0; k < parts->n; k++)
        t.rank = parts->scale[k].rank > t.rank ? (uint8_t)parts->scale[k].rank : t.rank;
    for (int i = 1; i <= t.rank; i++) {
        t.dim[t.rank - i] = 1;
        for (int k = 0; k < parts->n; k++) {
            const si_array *s = &parts->scale[k];
            if (i <= s->rank && s->dim[s->rank - i] > 1)
                t.dim[t.rank - i] = s->dim[s->rank - i];
        }
    }
    return t;
}

bool
si_find_common_scale(si_job *job, const si_parts *parts, double max, double limit,
                     si_common_scale *common)
{
    nashc_type t = shape_of(parts);
    double scale[SI_MAX_TERMS], most[SI_MAX_TERMS];
    common->bits = 0;
    for (int k = 0; k < parts->n; k++) {
        most[k] = largest_magnitude(parts->integer[k]);
        if (!si_shape_array(job, &common->m[k], t.rank, t.dim))
            return false;
    }
    if (!si_shape_array(job, &common->unit, t.rank, t.dim))
        return false;
    for (int64_t i = 0; i < common->unit.n; i++) {
        for (int k = 0; k < parts->n; k++)
            scale[k] = si_at(&parts->scale[k], &t, i);
        if (!exact_unit(scale, most, parts->n, max, limit, &common->unit.v[i]) &&
            !unit_of_chain(scale, most, parts->is_sum, parts->n, limit, &common->unit.v[i],
                           &common->bits))
            common->unit.v[i] = fine_unit(scale, most, parts->n, limit, &common->bits);
        for (int k = 0; k < parts->n; k++)
            common->m[k].v[i] = nearbyint(scale[k] / common->unit.v[i]);
    }
    for (int k = 0; k < parts->n; k++)
        si_squeeze(&common->m[k]);
    si_squeeze(&common->unit);
    return true;
}

/* --- emission ----------------------------------------------------------------------------------
 */

static bool
all_negative(const si_array *a)
{
    for (int64_t i = 0; i < a->n; i++)
        if (a->v[i] >= 0)
            return false;
    return true;
}

/* m1 x + m2 y, by a subtraction where one of the multipliers is negative. */
static nashc_value *
weighted_sum(si_walk *walk, nashc_value *x, nashc_value *y, const si_array *m1, const si_array *m2)
{
    const char *op = "nn.add";
    si_array positive;
    if (all_negative(m2)) {
        if (!si_negate(walk->job, m2, &positive))
            return NULL;
        m2 = &positive;
        op = "nn.sub";
    } else if (all_negative(m1)) {
        return weighted_sum(walk, y, x, m2, m1);
    }
    nashc_value *in[2] = {si_times(walk, x, m1), si_times(walk, y, m2)};
    return in[0] && in[1] ? si_emit(walk, op, in, 2, NULL) : NULL;
}

/* Does y = f x, with f 1 or -1? Else 0. */
static double
same_multipliers(const si_array *x, const si_array *y)
{
    double f = x->v[0] == y->v[0] ? 1 : -1;
    bool same =
        x->rank == y->rank && memcmp(x->dim, y->dim, (size_t)x->rank * sizeof(x->dim[0])) == 0;
    for (int64_t i = 0; same && i < x->n; i++)
        same = y->v[i] == f * x->v[i];
    return same ? f : 0;
}

/* Terms that have the same multipliers, up to the sign, are added first, so that they are
 * multiplied once. */
static bool
add_equals(si_walk *walk, int *n, nashc_value **v, si_array *m)
{
    si_array one = si_scalar(walk->job, 1.0), f = si_scalar(walk->job, 1.0);
    for (int i = 0; i < *n; i++)
        for (int k = i + 1; k < *n;) {
            f.v[0] = same_multipliers(&m[i], &m[k]);
            if (f.v[0] == 0 || si_zero(&m[i])) {
                k++;
                continue;
            }
            if (f.v[0] < 0 && all_negative(&m[i])) { /* the positive one first */
                nashc_value *x = v[i];
                v[i] = v[k];
                v[k] = x;
                m[i] = m[k];
            }
            if (!(v[i] = weighted_sum(walk, v[i], v[k], &one, &f)))
                return false;
            (*n)--;
            memmove(&v[k], &v[k + 1], (size_t)(*n - k) * sizeof(v[0]));
            memmove(&m[k], &m[k + 1], (size_t)(*n - k) * sizeof(m[0]));
        }
    return true;
}

nashc_value *
si_emit_weighted(si_walk *walk, int n, nashc_value *const *integer, const si_array *weight)
{
    nashc_value *v[SI_MAX_TERMS], *sum;
    si_array m[SI_MAX_TERMS], one = si_scalar(walk->job, 1.0);
    memcpy(v, integer, (size_t)n * sizeof(v[0]));
    memcpy(m, weight, (size_t)n * sizeof(m[0]));
    if (n > 2 && !add_equals(walk, &n, v, m))
        return NULL;
    sum = n == 1 ? si_times(walk, v[0], &m[0]) : weighted_sum(walk, v[0], v[1], &m[0], &m[1]);
    for (int k = 2; sum && k < n; k++)
        sum = weighted_sum(walk, sum, v[k], &one, &m[k]);
    return sum;
}

nashc_value *
si_emit_sum(si_walk *walk, const si_tensor *sum, const si_array *m)
{
    nashc_value *v[SI_MAX_TERMS];
    int n = 0;
    for (int i = 0; i < sum->n_term; i++)
        if (sum->term[i].x->tensor->integer)
            v[n++] = sum->term[i].x->tensor->integer;
    return si_emit_weighted(walk, n, v, m);
}
