/* number.c: constants under construction: doubles, narrowed to integers at the end if they can be.
 */
#include "number.h"
#include <math.h>

static const double exact = 9007199254740992.0; /* 2^53: integers up to here are exact doubles */

number
number_new(nashc_rw *rw, const nashc_type *shape, bool integer)
{
    nashc_type f64 = nashc_type_f64();
    number a = {.type = nashc_type_with_elem(shape, &f64), .integer = integer};

    a.n = nashc_type_count(&a.type);
    if (a.n >= 0)
        a.v = NASHC_NEW_N(nashc_rw_arena(rw), double, a.n ? a.n : 1);
    return a;
}

number
number_of(nashc_rw *rw, const nashc_tensor *t)
{
    const nashc_type *type = nashc_tensor_type(t);
    number a = number_new(rw, type, nashc_type_is_int(type));

    for (int64_t i = 0; a.v && i < a.n; i++) {
        a.v[i] = nashc_tensor_get(t, i);
        if (a.integer && fabs(a.v[i]) > exact)
            a.v = NULL;
    }
    return a;
}

number
number_zip(nashc_rw *rw, const number *a, const number *b, double (*f)(double, double))
{
    nashc_type shape = a->type;
    number out = {.type = shape};

    if (!a->v || !b->v || !nashc_type_broadcast(&a->type, &b->type, &shape))
        return out;
    out = number_new(rw, &shape, a->integer && b->integer);
    for (int64_t i = 0; out.v && i < out.n; i++)
        out.v[i] = f(a->v[nashc_broadcast_index(&a->type, &shape, i)],
                     b->v[nashc_broadcast_index(&b->type, &shape, i)]);
    return out;
}

number
number_map(nashc_rw *rw, const number *a, double (*f)(double, double), double b)
{
    number out = number_new(rw, &a->type, a->integer);

    if (!a->v)
        out.v = NULL;
    for (int64_t i = 0; out.v && i < out.n; i++)
        out.v[i] = f(a->v[i], b);
    return out;
}

double
number_add(double a, double b)
{
    return a + b;
}

double
number_mul(double a, double b)
{
    return a * b;
}

bool
number_finite(const number *a)
{
    for (int64_t i = 0; a->v && i < a->n; i++)
        if (!isfinite(a->v[i]))
            return false;
    return a->v != NULL;
}

bool
number_equal(nashc_rw *rw, const number *a, const number *b)
{
    nashc_type shape = a->type;

    (void)rw;
    if (!a->v || !b->v || !nashc_type_broadcast(&a->type, &b->type, &shape))
        return false;
    int64_t n = nashc_type_count(&shape);
    for (int64_t i = 0; i < n; i++)
        if (!(a->v[nashc_broadcast_index(&a->type, &shape, i)] ==
              b->v[nashc_broadcast_index(&b->type, &shape, i)]))
            return false;
    return n >= 0;
}

nashc_value *
number_const(nashc_rw *rw, const number *a)
{
    if (!a->v)
        return nashc_rw_const(rw, NULL);

    nashc_type type = a->type;
    double lo = 0, hi = 0;
    bool integer = a->integer;
    for (int64_t i = 0; i < a->n && integer; i++) {
        lo = i == 0 || a->v[i] < lo ? a->v[i] : lo;
        hi = i == 0 || a->v[i] > hi ? a->v[i] : hi;
        integer = a->v[i] == floor(a->v[i]) && fabs(a->v[i]) <= exact;
    }
    if (integer)
        nashc_type_set_range(&type, (int64_t)lo, (int64_t)hi);
    return nashc_rw_const(rw, nashc_tensor_from_f64(&type, a->v));
}

bool
number_is_signs(const number *a)
{
    for (int64_t i = 0; a->v && i < a->n; i++)
        if (fabs(a->v[i]) != 1.0)
            return false;
    return true;
}

nashc_value *
number_flipped(nashc_rw *rw, const nashc_tensor *t, const number *signs, int axis)
{
    const nashc_type *type = nashc_tensor_type(t);
    number v = number_of(rw, t);
    int64_t dim = type->rank ? type->dim[axis] : 1, inner = 1;

    for (int a = axis + 1; a < type->rank; a++)
        inner *= type->dim[a];
    for (int64_t i = 0; v.v && i < v.n; i++)
        v.v[i] *= signs->v[signs->n == 1 ? 0 : i / inner % dim];
    if (v.v && (type->kind == NASHC_K_BIP || !nashc_type_is_int(type)))
        return nashc_rw_const(rw, nashc_tensor_from_f64(type, v.v));
    return number_const(rw, &v);
}
