/* array.c: small arrays of doubles that are broadcast against a tensor: scales, offsets, bounds.
 *
 *     tensor [1, 8, 6, 6]     array [8, 1, 1]: one number a channel; [6]: one a column; []: one
 */
#include "array.h"

#include <math.h>
#include <string.h>

si_array
si_scalar(si_job *job, double v)
{
    si_array r = {.rank = 0, .n = 1, .v = si_alloc(job, 1, sizeof(double))};
    if (r.v)
        r.v[0] = v;
    else
        r.n = 0;
    return r;
}

bool
si_shape_array(si_job *job, si_array *out, int rank, const int64_t *dim)
{
    si_array r = {.rank = rank, .n = 1};
    for (int i = 0; i < rank; i++) {
        r.dim[i] = dim[i];
        if (!nashc_mul_size(r.n, dim[i], &r.n))
            return si_fail(job, NASHC_ENOMEM);
    }
    r.v = si_alloc(job, r.n, sizeof(double));
    if (!r.v)
        return false;
    *out = r;
    return true;
}

/* Coordinates of e are taken from the last axis on, as arrays are aligned right; along an axis of
 * length 1 the array has one number for all. */
int64_t
si_index(const si_array *a, const nashc_type *t, int64_t e)
{
    if (a->n == 1)
        return 0;
    int64_t index = 0, step = 1;
    for (int i = 1; i <= t->rank; i++) {
        int64_t d = t->dim[t->rank - i], at = e % d;
        e /= d;
        if (i <= a->rank) {
            int64_t ad = a->dim[a->rank - i];
            if (ad > 1)
                index += at * step;
            step *= ad;
        }
    }
    return index;
}

double
si_at(const si_array *a, const nashc_type *t, int64_t e)
{
    return a->v[si_index(a, t, e)];
}

bool
si_all_eq(const si_array *a, double v)
{
    for (int64_t i = 0; i < a->n; i++)
        if (a->v[i] != v)
            return false;
    return true;
}

bool
si_zero(const si_array *a)
{
    return si_all_eq(a, 0.0);
}

/* Drops axis i if all slices along it are equal. */
static void
squeeze_axis(si_array *a, int axis)
{
    int64_t inner = 1, d = a->dim[axis];
    for (int i = axis + 1; i < a->rank; i++)
        inner *= a->dim[i];
    int64_t outer = inner > 0 ? a->n / (d * inner) : 0;
    for (int64_t o = 0; o < outer; o++)
        for (int64_t k = 1; k < d; k++)
            if (memcmp(a->v + (o * d + k) * inner, a->v + o * d * inner,
                       (size_t)inner * sizeof(double)) != 0)
                return;
    for (int64_t o = 0; o < outer; o++)
        memmove(a->v + o * inner, a->v + o * d * inner, (size_t)inner * sizeof(double));
    a->dim[axis] = 1;
    a->n = outer * inner;
}

/* Zeros become positive first: -0 and 0 are the same number, but not the same bytes. */
void
si_squeeze(si_array *a)
{
    for (int64_t i = 0; i < a->n; i++)
        if (a->v[i] == 0.0)
            a->v[i] = 0.0;
    for (int i = 0; i < a->rank; i++)
        if (a->dim[i] > 1)
            squeeze_axis(a, i);
    if (a->n == 1)
        a->rank = 0;
}

bool
si_from_tensor(si_job *job, const nashc_tensor *t, si_array *out)
{
    const nashc_type *type = nashc_tensor_type(t);
    si_array r;
    if (!si_shape_array(job, &r, type->rank, type->dim))
        return false;
    for (int64_t i = 0; i < r.n; i++)
        r.v[i] = nashc_tensor_get(t, i);
    si_squeeze(&r);
    *out = r;
    return true;
}

/* Axes that the array has not, in front of its own, do not matter to it. */
bool
si_varies(const si_array *a, const nashc_type *t, int axis)
{
    int i = axis - t->rank + a->rank;
    return a->n > 1 && i >= 0 && a->dim[i] > 1;
}

bool
si_channel_only(const si_array *a, const nashc_type *t)
{
    int c = nashc_type_channel_axis(t);
    for (int i = 0; i < t->rank; i++)
        if (i != c && si_varies(a, t, i))
            return false;
    return a->rank <= t->rank || a->n == 1;
}

double
si_channel(const si_array *a, int64_t c)
{
    return a->v[a->n == 1 ? 0 : c];
}

double
si_add(double x, double y)
{
    return x + y;
}

double
si_sub(double x, double y)
{
    return x - y;
}

double
si_apart(double x, double y)
{
    double d = x - y;
    return fabs(d) <= 0x1p-44 * (fabs(x) + fabs(y)) ? 0.0 : d;
}

/* 0 times infinity: a channel with scale 0 stays 0, whatever it is multiplied by. */
double
si_mul(double x, double y)
{
    return x == 0.0 || y == 0.0 ? 0.0 : x * y;
}

double
si_div(double x, double y)
{
    return x / y;
}

double
si_min(double x, double y)
{
    return x < y ? x : y;
}

double
si_max(double x, double y)
{
    return x > y ? x : y;
}

double
si_sgn_mul(double x, double y)
{
    return y > 0 ? x : y < 0 ? -x : 0.0;
}

double
si_negated(double x, double unused)
{
    (void)unused;
    return -x;
}

/* numpy: axes are equal, or one of them is 1 or missing. */
bool
si_joint_shape(const si_array *x, const si_array *y, nashc_type *t)
{
    *t = nashc_type_f64();
    t->rank = (uint8_t)(x->rank > y->rank ? x->rank : y->rank);
    for (int i = 1; i <= t->rank; i++) {
        int64_t a = i <= x->rank ? x->dim[x->rank - i] : 1;
        int64_t b = i <= y->rank ? y->dim[y->rank - i] : 1;
        if (a != b && a != 1 && b != 1)
            return false;
        t->dim[t->rank - i] = a > b ? a : b;
    }
    return true;
}

bool
si_spread(si_job *job, const si_array *a, const nashc_type *t, si_array *out)
{
    si_array r;
    if (!si_shape_array(job, &r, t->rank, t->dim))
        return false;
    for (int64_t i = 0; i < r.n; i++)
        r.v[i] = a->v[si_index(a, t, i)];
    *out = r;
    return true;
}

/* f is called once for each element of the joint shape. The result is built aside, so that out may
 * be an operand. */
bool
si_zip(si_job *job, const si_array *x, const si_array *y, si_fn *f, si_array *out)
{
    nashc_type t;
    si_array r;
    if (!si_joint_shape(x, y, &t))
        return si_no(job, NULL);
    if (!x->v || !y->v || !si_shape_array(job, &r, t.rank, t.dim))
        return false;
    for (int64_t i = 0; i < r.n; i++)
        r.v[i] = f(x->v[si_index(x, &t, i)], y->v[si_index(y, &t, i)]);
    si_squeeze(&r);
    *out = r;
    return true;
}

bool
si_negate(si_job *job, const si_array *x, si_array *out)
{
    return si_zip(job, x, x, si_negated, out);
}

bool
si_along(si_job *job, const si_array *a, const nashc_type *t, int axis, si_array *out)
{
    for (int i = 0; i < t->rank; i++)
        if (i != axis && si_varies(a, t, i))
            return si_no(job, NULL);
    si_array r;
    if (!si_shape_array(job, &r, 1, &t->dim[axis]))
        return false;
    for (int64_t i = 0; i < r.n; i++)
        r.v[i] = a->v[a->n == 1 ? 0 : i];
    *out = r;
    return true;
}

/* Without a map where it would not change anything: maps of large tensors are costly. */
bool
si_gather(si_job *job, const si_array *a, const nashc_type *from, const nashc_type *to,
          const int64_t *map, si_array *out)
{
    if (a->n == 1) {
        *out = *a;
        out->rank = 0;
        return true;
    }
    si_array r;
    if (!si_shape_array(job, &r, to->rank, to->dim))
        return false;
    for (int64_t i = 0; i < r.n; i++)
        r.v[i] = si_at(a, from, map[i]);
    si_squeeze(&r);
    *out = r;
    return true;
}

bool
si_per_axis(si_job *job, const double *v, int64_t n, int axis, int rank, si_array *out)
{
    int64_t dim[NASHC_MAX_RANK];
    si_array r;
    for (int i = 0; i < rank; i++)
        dim[i] = i == axis ? n : 1;
    if (!si_shape_array(job, &r, rank, dim))
        return false;
    memcpy(r.v, v, (size_t)r.n * sizeof(*v));
    si_squeeze(&r);
    *out = r;
    return true;
}

bool
si_per_channel(si_job *job, const nashc_type *t, const double *v, si_array *out)
{
    return si_per_axis(job, v, nashc_type_channels(t), nashc_type_channel_axis(t), t->rank, out);
}

bool
si_round_to_integers(si_array *a)
{
    for (int64_t i = 0; i < a->n; i++) {
        double q = nearbyint(a->v[i]);
        if (!(fabs(a->v[i] - q) <= 1e-9 * fabs(q))) /* NaN and infinity are refused, too */
            return false;
        a->v[i] = q;
    }
    return true;
}

/* Products and quotients of a few doubles are off by a few units in the last place. */
static bool
near_integer(double x)
{
    return fabs(x - nearbyint(x)) <= fmin(1e-13 * fabs(x), 1e-3);
}

/* Are all values whole multiples of unit, below max? */
static bool
is_unit(const double *v, int64_t n, double max, double unit)
{
    for (int64_t i = 0; i < n; i++) {
        double m = v[i] / unit;
        if (!near_integer(m) || fabs(m) >= max)
            return false;
    }
    return true;
}

static double
least_magnitude(const double *v, int64_t n)
{
    double least = INFINITY;
    for (int64_t i = 0; i < n; i++)
        if (v[i] != 0.0 && fabs(v[i]) < least)
            least = fabs(v[i]);
    return least;
}

/* Euclid's algorithm on doubles; exact, as fmod is. */
static double
exact_divisor(const double *v, int64_t n)
{
    double divisor = 0.0;
    for (int64_t i = 0; i < n; i++) {
        double a = fabs(v[i]);
        for (int k = 0; a != 0.0 && k < 2000; k++) {
            double rest = divisor == 0.0 ? 0.0 : fmod(a, divisor);
            if (divisor == 0.0) {
                divisor = a;
                break;
            }
            a = rest == 0.0 ? 0.0 : divisor;
            divisor = rest == 0.0 ? divisor : rest;
        }
    }
    return divisor;
}

/* First small fractions of the smallest magnitude, which keep the multipliers small and forgive the
 * rounding of products in double; then the exact greatest common divisor of the doubles. */
bool
si_common_unit(const double *v, int64_t n, double max, double *unit)
{
    double least = least_magnitude(v, n);
    if (least == INFINITY) { /* all are 0 */
        *unit = 1.0;
        return true;
    }
    for (int parts = 1; parts <= 64; parts++)
        if (is_unit(v, n, max, least / parts)) {
            *unit = least / parts;
            return true;
        }
    double divisor = exact_divisor(v, n);
    if (divisor <= 0.0 || !is_unit(v, n, max, divisor))
        return false;
    *unit = divisor;
    return true;
}
