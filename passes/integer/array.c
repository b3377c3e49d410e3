/* array.c: small arrays of doubles that are broadcast against a tensor. */
#include "integer.h"

#include <math.h>
#include <string.h>

bool
si_fail(si_state *S, nashc_status st)
{
    if (S->st == NASHC_OK)
        S->st = st;
    return false;
}

bool
si_no(si_state *S, const char *why)
{
    if (!S->why)
        S->why = why;
    return false;
}

void *
si_alloc(si_state *S, int64_t n, size_t size)
{
    int64_t bytes;
    if (!nashc_mul_size(n > 0 ? n : 1, (int64_t)size, &bytes)) {
        si_fail(S, NASHC_ENOMEM);
        return NULL;
    }
    void *p = nashc_arena_alloc(S->a, (size_t)bytes);
    if (!p)
        si_fail(S, nashc_enomem(S->diag));
    return p;
}

si_array
si_scalar(si_state *S, double v)
{
    si_array r = {.rank = 0, .n = 1, .v = si_alloc(S, 1, sizeof(double))};
    if (r.v)
        r.v[0] = v;
    else
        r.n = 0;
    return r;
}

bool
si_shape_array(si_state *S, si_array *out, int rank, const int64_t *dim)
{
    si_array r = {.rank = rank, .n = 1};
    for (int i = 0; i < rank; i++) {
        r.dim[i] = dim[i];
        if (!nashc_mul_size(r.n, dim[i], &r.n))
            return si_fail(S, NASHC_ENOMEM);
    }
    r.v = si_alloc(S, r.n, sizeof(double));
    if (!r.v)
        return false;
    *out = r;
    return true;
}

/* Index into a of element e of a tensor of type t. */
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

void
si_squeeze(si_array *a)
{
    for (int64_t i = 0; i < a->n; i++)
        if (a->v[i] == 0.0)
            a->v[i] = 0.0; /* one zero only */
    for (int i = 0; i < a->rank; i++)
        if (a->dim[i] > 1)
            squeeze_axis(a, i);
    if (a->n == 1)
        a->rank = 0;
}

bool
si_from_tensor(si_state *S, const nashc_tensor *t, si_array *out)
{
    const nashc_type *type = nashc_tensor_type(t);
    si_array r;
    if (!si_shape_array(S, &r, type->rank, type->dim))
        return false;
    for (int64_t i = 0; i < r.n; i++)
        r.v[i] = nashc_tensor_get(t, i);
    si_squeeze(&r);
    *out = r;
    return true;
}

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

/* a is channel only */
double
si_channel(const si_array *a, const nashc_type *t, int64_t c)
{
    (void)t;
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
si_spread(si_state *S, const si_array *a, const nashc_type *t, si_array *out)
{
    si_array r;
    if (!si_shape_array(S, &r, t->rank, t->dim))
        return false;
    for (int64_t i = 0; i < r.n; i++)
        r.v[i] = a->v[si_index(a, t, i)];
    *out = r;
    return true;
}

bool
si_zip(si_state *S, const si_array *x, const si_array *y, si_fn *f, si_array *out)
{
    nashc_type t;
    si_array r;
    if (!si_joint_shape(x, y, &t))
        return si_no(S, NULL);
    if (!x->v || !y->v || !si_shape_array(S, &r, t.rank, t.dim))
        return false;
    for (int64_t i = 0; i < r.n; i++)
        r.v[i] = f(x->v[si_index(x, &t, i)], y->v[si_index(y, &t, i)]);
    si_squeeze(&r);
    *out = r;
    return true;
}

/* Values of a along one axis of t, as a vector of that length; a must not vary otherwise. */
bool
si_along(si_state *S, const si_array *a, const nashc_type *t, int axis, si_array *out)
{
    for (int i = 0; i < t->rank; i++)
        if (i != axis && si_varies(a, t, i))
            return si_no(S, NULL);
    si_array r;
    if (!si_shape_array(S, &r, 1, &t->dim[axis]))
        return false;
    for (int64_t i = 0; i < r.n; i++)
        r.v[i] = a->v[a->n == 1 ? 0 : i];
    *out = r;
    return true;
}

/* out[e] = a[map[e]] for the elements e of type to; map indexes elements of type from. */
bool
si_gather(si_state *S, const si_array *a, const nashc_type *from, const nashc_type *to,
          const int64_t *map, si_array *out)
{
    if (a->n == 1) {
        *out = *a;
        out->rank = 0;
        return true;
    }
    si_array r;
    if (!si_shape_array(S, &r, to->rank, to->dim))
        return false;
    for (int64_t i = 0; i < r.n; i++)
        r.v[i] = si_at(a, from, map[i]);
    si_squeeze(&r);
    *out = r;
    return true;
}

bool
si_per_channel(si_state *S, const nashc_type *t, const double *v, si_array *out)
{
    int c = nashc_type_channel_axis(t);
    si_array r;
    int64_t dim[NASHC_MAX_RANK];
    for (int i = 0; i < t->rank; i++)
        dim[i] = i == c ? t->dim[i] : 1;
    if (!si_shape_array(S, &r, t->rank, dim))
        return false;
    memcpy(r.v, v, (size_t)r.n * sizeof *v);
    si_squeeze(&r);
    *out = r;
    return true;
}

static bool
near_integer(double x)
{
    return fabs(x - nearbyint(x)) <= fmin(1e-13 * fabs(x), 1e-3);
}

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

/* First small multiples of the smallest magnitude, which keep the multipliers small and forgive the
 * rounding of products in double; then the exact greatest common divisor of the doubles. */
bool
si_common_unit(const double *v, int64_t n, double max, double *unit)
{
    double least = INFINITY;
    for (int64_t i = 0; i < n; i++)
        if (v[i] != 0.0 && fabs(v[i]) < least)
            least = fabs(v[i]);
    if (least == INFINITY) {
        *unit = 1.0;
        return true;
    }
    for (int q = 1; q <= 64; q++)
        if (is_unit(v, n, max, least / q)) {
            *unit = least / q;
            return true;
        }
    double g = 0.0;
    for (int64_t i = 0; i < n; i++) {
        double a = fabs(v[i]);
        for (int k = 0; a != 0.0 && k < 2000; k++) { /* Euclid; fmod is exact */
            double r = g == 0.0 ? 0.0 : fmod(a, g);
            if (g == 0.0) {
                g = a;
                break;
            }
            a = r == 0.0 ? 0.0 : g;
            g = r == 0.0 ? g : r;
        }
    }
    if (g <= 0.0 || !is_unit(v, n, max, g))
        return false;
    *unit = g;
    return true;
}
