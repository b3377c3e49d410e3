/* type.c: element kinds, intervals and shapes. Text forms are in type_text.c. */
#include "core/base/num.h"
#include <math.h>
#include <nashc/type.h>
#include <string.h>

/* An element over the whole interval of its bits. bip and ter keep lo..hi as well: no kind of
 * integer is without an interval. */
static nashc_type
make(nashc_kind kind, int bits)
{
    nashc_type t = {.kind = (uint8_t)kind, .bits = (uint8_t)bits};

    nashc_type_limits(&t, &t.lo, &t.hi);
    return t;
}

nashc_type
nashc_type_int(int bits)
{
    return bits < 1 || bits > 64 ? (nashc_type){0} : make(NASHC_K_INT, bits);
}

nashc_type
nashc_type_uint(int bits)
{
    return bits < 1 || bits > 64 ? (nashc_type){0} : make(NASHC_K_UINT, bits);
}

nashc_type
nashc_type_bip(void)
{
    return make(NASHC_K_BIP, 1);
}

nashc_type
nashc_type_ter(void)
{
    return make(NASHC_K_TER, 2);
}

nashc_type
nashc_type_f32(void)
{
    return make(NASHC_K_F32, 32);
}

nashc_type
nashc_type_f64(void)
{
    return make(NASHC_K_F64, 64);
}

bool
nashc_type_limits(const nashc_type *t, int64_t *lo, int64_t *hi)
{
    switch (t->kind) {
    case NASHC_K_INT:
    case NASHC_K_FIX:
        /* unsigned, as 1 << 63 is no int64_t */
        *hi = (int64_t)((UINT64_C(1) << (t->bits - 1)) - 1);
        *lo = -*hi - 1;
        return true;
    case NASHC_K_UINT:
    case NASHC_K_UFIX:
        *lo = 0;
        /* u64 ends at INT64_MAX: all integers of the IR are int64_t */
        *hi = t->bits >= 63 ? INT64_MAX : (int64_t)((UINT64_C(1) << t->bits) - 1);
        return true;
    case NASHC_K_BIP:
    case NASHC_K_TER:
        *lo = -1;
        *hi = 1;
        return true;
    default:
        return false;
    }
}

/* The narrowest iN or uN that holds lo..hi. -(lo + 1) is ~lo: as many bits as lo has in two's
 * complement, and no overflow for INT64_MIN. */
nashc_type
nashc_type_for_range(int64_t lo, int64_t hi)
{
    uint64_t reach = lo >= 0 ? (uint64_t)hi : (uint64_t)(hi > -(lo + 1) ? hi : -(lo + 1));
    int bits = lo < 0;
    nashc_type t;

    for (; reach; reach >>= 1)
        bits++;
    t = make(lo < 0 ? NASHC_K_INT : NASHC_K_UINT, bits ? bits : 1);
    t.lo = lo;
    t.hi = hi;
    return t;
}

/* The layout names axes, so it is kept only with the rank. Dimensions behind the rank are 0 as
 * hashes take in all of dim. */
nashc_type
nashc_type_shaped(nashc_type t, int rank, const int64_t *dim)
{
    if (rank != t.rank)
        t.layout = NASHC_LAYOUT_DEFAULT;
    t.rank = (uint8_t)rank;
    for (int i = 0; i < NASHC_MAX_RANK; i++)
        t.dim[i] = i < rank ? dim[i] : 0;
    return t;
}

nashc_type
nashc_type_with_elem(const nashc_type *shape, const nashc_type *elem)
{
    nashc_type t = *elem;

    t.rank = shape->rank;
    t.layout = shape->layout;
    memcpy(t.dim, shape->dim, sizeof(t.dim));
    return t;
}

void
nashc_type_set_range(nashc_type *t, int64_t lo, int64_t hi)
{
    nashc_type elem = nashc_type_for_range(lo, hi);

    *t = nashc_type_with_elem(t, &elem);
}

/* The interval is left out: i8 and i8<0..3> are the same element, stored alike. */
bool
nashc_type_same_elem(const nashc_type *a, const nashc_type *b)
{
    return a->kind == b->kind && a->bits == b->bits && a->frac == b->frac && a->mant == b->mant &&
           a->bias == b->bias;
}

bool
nashc_type_same_shape(const nashc_type *a, const nashc_type *b)
{
    if (a->rank != b->rank || a->layout != b->layout)
        return false;
    for (int i = 0; i < a->rank; i++)
        if (a->dim[i] != b->dim[i])
            return false;
    return true;
}

bool
nashc_type_eq(const nashc_type *a, const nashc_type *b)
{
    return nashc_type_same_elem(a, b) && a->lo == b->lo && a->hi == b->hi &&
           nashc_type_same_shape(a, b);
}

bool
nashc_type_is_int(const nashc_type *t)
{
    return t->kind >= NASHC_K_INT && t->kind <= NASHC_K_TER;
}

bool
nashc_type_is_fixed(const nashc_type *t)
{
    return t->kind == NASHC_K_FIX || t->kind == NASHC_K_UFIX;
}

bool
nashc_type_is_float(const nashc_type *t)
{
    return t->kind >= NASHC_K_F32 && t->kind <= NASHC_K_MINI;
}

bool
nashc_type_is_signed(const nashc_type *t)
{
    return t->kind != NASHC_K_UINT && t->kind != NASHC_K_UFIX && t->kind != NASHC_K_NONE;
}

bool
nashc_type_is_static(const nashc_type *t)
{
    for (int i = 0; i < t->rank; i++)
        if (t->dim[i] < 0)
            return false;
    return true;
}

/* -1: a dimension is not known, or there are more than NASHC_MAX_ELEMENTS. Beside an empty
 * dimension the others still have to keep within that, as strides are products of them. */
int64_t
nashc_type_count(const nashc_type *t)
{
    int64_t n = 1;
    bool empty = false;

    for (int i = 0; i < t->rank; i++) {
        if (t->dim[i] < 0)
            return -1;
        if (t->dim[i] == 0)
            empty = true;
        else if (!nashc_mul_size(n, t->dim[i], &n) || n > NASHC_MAX_ELEMENTS)
            return -1;
    }
    return empty ? 0 : n;
}

/* Channels are axis 1, as in ONNX, but last where a layout says so and in vectors. Rank 0: -1. */
int
nashc_type_channel_axis(const nashc_type *t)
{
    if (t->layout != NASHC_LAYOUT_DEFAULT || t->rank < 2)
        return t->rank - 1;
    return 1;
}

int64_t
nashc_type_channels(const nashc_type *t)
{
    int axis = nashc_type_channel_axis(t);

    return axis < 0 ? 1 : t->dim[axis];
}

double
nashc_type_ulp(const nashc_type *t)
{
    return nashc_type_is_fixed(t) ? ldexp(1.0, t->frac - t->bits) : 1.0;
}

/* lo <= v <= hi for an integral v, without the rounding of (double)hi. */
static bool
between(double v, int64_t lo, int64_t hi)
{
    if (!(v >= -0x1p63 && v < 0x1p63) || v != trunc(v))
        return false;
    return (int64_t)v >= lo && (int64_t)v <= hi;
}

/* Floats: what is stored must come back as the same number. f32 admits infinities and NaN; a
 * minifloat has neither. */
bool
nashc_type_holds(const nashc_type *t, double v)
{
    switch (t->kind) {
    case NASHC_K_INT:
    case NASHC_K_UINT:
    case NASHC_K_TER:
        return between(v, t->lo, t->hi);
    case NASHC_K_BIP:
        return v != 0 && between(v, t->lo, t->hi);
    case NASHC_K_FIX:
    case NASHC_K_UFIX:
        return between(ldexp(v, t->bits - t->frac), t->lo, t->hi);
    case NASHC_K_F64:
        return true;
    case NASHC_K_F32:
        return isnan(v) || isinf(v) || (fabs(v) <= 0x1.fffffep127 && (double)(float)v == v);
    case NASHC_K_F16:
        return isnan(v) || nashc_num_round_f16(v) == v;
    case NASHC_K_MINI:
        return isfinite(v) && nashc_num_round_mini(v, t->frac, t->mant, t->bias) == v;
    default:
        return false;
    }
}

/* Shapes are aligned at their last dimension, as numpy and ONNX do. The layout comes from the
 * operand of the higher rank: of equal ranks, from the one that has any. */
bool
nashc_type_broadcast(const nashc_type *a, const nashc_type *b, nashc_type *out)
{
    int rank = a->rank > b->rank ? a->rank : b->rank;
    int64_t dim[NASHC_MAX_RANK] = {0};

    for (int i = 0; i < rank; i++) {
        int ia = i - (rank - a->rank), ib = i - (rank - b->rank);
        int64_t da = ia < 0 ? 1 : a->dim[ia], db = ib < 0 ? 1 : b->dim[ib];
        if (da == db || db == 1)
            dim[i] = da;
        else if (da == 1 || da == -1)
            dim[i] = db; /* an unknown one must turn out to fit the known */
        else if (db == -1)
            dim[i] = da;
        else
            return false;
    }
    out->layout = a->rank > b->rank || (a->rank == b->rank && a->layout) ? a->layout : b->layout;
    out->rank = (uint8_t)rank;
    memcpy(out->dim, dim, sizeof(dim));
    return true;
}
