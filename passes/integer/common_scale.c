/* common_scale.c: sums of integer tensors with their scales as one integer sum.
 *
 *     s1 i + s2 j + .. = u (m1 i + m2 j + ..)    where s1 = m1 u, s2 = m2 u, ..
 */
#include "integer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SUM   0x1p60
#define MAX_EXACT 0x1p53 /* multipliers that a double holds */

/* --- multipliers -------------------------------------------------------------------------------
 */

/* Largest magnitude of the integers of v. */
static double
reach(const nashc_value *v)
{
    const nashc_type *t = nashc_value_type(v);
    return fmax(fabs((double)t->lo), fabs((double)t->hi));
}

/* The unit of n scales if it is exact and its multipliers are before_via max, or their sum
 * before_via limit.
 */
static bool
exact_unit(const double *s, const double *most, int n, double max, double limit, double *u)
{
    double largest = 0, sum = 0;
    if (!si_common_unit(s, n, MAX_EXACT, u))
        return false;
    for (int k = 0; k < n; k++) {
        double m = fabs(nearbyint(s[k] / *u));
        largest = fmax(largest, m);
        sum += m * most[k];
    }
    return sum <= MAX_SUM && (largest < max || sum <= limit);
}

/* Unit that gives the smallest scale 24 bits if the sum of integers is before_via limit then:
 * rounding to it changes no term by more than float32 arithmetic would. Else one that gives the
 * largest scale no more than 31 bits, coarser if the sum would not fit. */
static double
fine_unit(const double *s, const double *most, int n, double limit, int *bits)
{
    double least = INFINITY, largest = 0, sum = 0;
    for (int k = 0; k < n; k++) {
        double a = fabs(s[k]);
        least = a > 0 && a < least ? a : least;
        largest = fmax(largest, a);
        sum += a * (most[k] + 1);
    }
    double u = ldexp(least, -23);
    if (!(sum / u <= limit))
        u = fmax(fmax(u, ldexp(largest, -31)), sum / MAX_SUM);
    int b = ilogb(least / u) + 1;
    *bits = *bits == 0 || b < *bits ? b : *bits;
    return u;
}

/* Shape in which the scales of all parts differ. */
static nashc_type
shape_of(const si_parts *p)
{
    nashc_type t = nashc_type_f64();
    for (int k = 0; k < p->n; k++)
        t.rank = p->s[k].rank > t.rank ? (uint8_t)p->s[k].rank : t.rank;
    for (int i = 1; i <= t.rank; i++) {
        t.dim[t.rank - i] = 1;
        for (int k = 0; k < p->n; k++) {
            const si_array *s = &p->s[k];
            if (i <= s->rank && s->dim[s->rank - i] > 1)
                t.dim[t.rank - i] = s->dim[s->rank - i];
        }
    }
    return t;
}

bool
si_find_common_scale(si_state *S, const si_parts *p, double max, double limit, si_common_scale *w)
{
    nashc_type t = shape_of(p);
    double s[SI_MAX_TERMS], most[SI_MAX_TERMS];
    w->bits = 0;
    for (int k = 0; k < p->n; k++) {
        most[k] = reach(p->ival[k]);
        if (!si_shape_array(S, &w->m[k], t.rank, t.dim))
            return false;
    }
    if (!si_shape_array(S, &w->u, t.rank, t.dim))
        return false;
    for (int64_t i = 0; i < w->u.n; i++) {
        for (int k = 0; k < p->n; k++)
            s[k] = si_at(&p->s[k], &t, i);
        if (!exact_unit(s, most, p->n, max, limit, &w->u.v[i]))
            w->u.v[i] = fine_unit(s, most, p->n, limit, &w->bits);
        for (int k = 0; k < p->n; k++)
            w->m[k].v[i] = nearbyint(s[k] / w->u.v[i]);
    }
    for (int k = 0; k < p->n; k++)
        si_squeeze(&w->m[k]);
    si_squeeze(&w->u);
    return true;
}

/* --- emission ----------------------------------------------------------------------------------
 */

static double
minus(double x, double y)
{
    (void)y;
    return -x;
}

static bool
all_negative(const si_array *a)
{
    for (int64_t i = 0; i < a->n; i++)
        if (a->v[i] >= 0)
            return false;
    return true;
}

static nashc_value *
weighted_sum(si_state *S, nashc_value *x, nashc_value *y, const si_array *m1, const si_array *m2)
{
    const char *op = "nn.add";
    si_array n;
    if (all_negative(m2)) {
        if (!si_zip(S, m2, m2, minus, &n))
            return NULL;
        m2 = &n;
        op = "nn.sub";
    } else if (all_negative(m1)) {
        return weighted_sum(S, y, x, m2, m1);
    }
    nashc_value *in[2] = {si_times(S, x, m1), si_times(S, y, m2)};
    return in[0] && in[1] ? si_emit(S, op, in, 2, NULL) : NULL;
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

/* Multiplied once where several have the same multipliers. */
static bool
add_equals(si_state *S, int *n, nashc_value **v, si_array *m)
{
    si_array one = si_scalar(S, 1.0), f = si_scalar(S, 1.0);
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
            if (!(v[i] = weighted_sum(S, v[i], v[k], &one, &f)))
                return false;
            (*n)--;
            memmove(&v[k], &v[k + 1], (size_t)(*n - k) * sizeof(v[0]));
            memmove(&m[k], &m[k + 1], (size_t)(*n - k) * sizeof(m[0]));
        }
    return true;
}

nashc_value *
si_emit_weighted(si_state *S, int n, nashc_value *const *ival, const si_array *weight)
{
    nashc_value *v[SI_MAX_TERMS];
    si_array m[SI_MAX_TERMS], one = si_scalar(S, 1.0);
    memcpy(v, ival, (size_t)n * sizeof(v[0]));
    memcpy(m, weight, (size_t)n * sizeof(m[0]));
    if (n > 2 && !add_equals(S, &n, v, m))
        return NULL;
    nashc_value *r = n == 1 ? si_times(S, v[0], &m[0]) : weighted_sum(S, v[0], v[1], &m[0], &m[1]);
    for (int k = 2; r && k < n; k++)
        r = weighted_sum(S, r, v[k], &one, &m[k]);
    return r;
}

nashc_value *
si_emit_sum(si_state *S, const si_tensor *sum, const si_array *m)
{
    nashc_value *v[SI_MAX_TERMS];
    int n = 0;
    for (int i = 0; i < sum->n_term; i++)
        if (sum->term[i].x->tensor->ival)
            v[n++] = sum->term[i].x->tensor->ival;
    return si_emit_weighted(S, n, v, m);
}
