/* buf.c: buffers of elements: how each kind is stored, read, written and compared. */
#include "core/base/mem.h"
#include "core/base/num.h"
#include "ir/impl.h"
#include <math.h>
#include <nashc/tensor.h>
#include <string.h>

/* f16 and minifloats live in floats, which hold all their values exactly. Integers and fixed point
 * (its mantissa) take the next of 8, 16, 32, 64 bits. */
nashc_cell
nashc_type_cell(const nashc_type *t)
{
    bool is_unsigned = t->kind == NASHC_K_UINT || t->kind == NASHC_K_UFIX;
    int bits = t->bits;

    switch (t->kind) {
    case NASHC_K_F64:
        return NASHC_DOUBLE;
    case NASHC_K_F32:
    case NASHC_K_F16:
    case NASHC_K_MINI:
        return NASHC_FLOAT;
    default:
        if (bits <= 8)
            return is_unsigned ? NASHC_U8 : NASHC_I8;
        if (bits <= 16)
            return is_unsigned ? NASHC_U16 : NASHC_I16;
        if (bits <= 32)
            return is_unsigned ? NASHC_U32 : NASHC_I32;
        return is_unsigned ? NASHC_U64 : NASHC_I64;
    }
}

size_t
nashc_cell_size(nashc_cell c)
{
    static const uint8_t size[] = {1, 1, 2, 2, 4, 4, 8, 8, 4, 8};

    return size[c];
}

/* The integer of a cell; of fixed point the mantissa. */
static int64_t
load_int(const nashc_buf *b, int64_t i)
{
    switch (b->cell) {
    case NASHC_I8:
        return ((const int8_t *)b->data)[i];
    case NASHC_U8:
        return ((const uint8_t *)b->data)[i];
    case NASHC_I16:
        return ((const int16_t *)b->data)[i];
    case NASHC_U16:
        return ((const uint16_t *)b->data)[i];
    case NASHC_I32:
        return ((const int32_t *)b->data)[i];
    case NASHC_U32:
        return ((const uint32_t *)b->data)[i];
    default:
        return ((const int64_t *)b->data)[i]; /* u64 holds 0..INT64_MAX only */
    }
}

static void
store_int(nashc_buf *b, int64_t i, int64_t v)
{
    switch (b->cell) {
    case NASHC_I8:
        ((int8_t *)b->data)[i] = (int8_t)v;
        break;
    case NASHC_U8:
        ((uint8_t *)b->data)[i] = (uint8_t)v;
        break;
    case NASHC_I16:
        ((int16_t *)b->data)[i] = (int16_t)v;
        break;
    case NASHC_U16:
        ((uint16_t *)b->data)[i] = (uint16_t)v;
        break;
    case NASHC_I32:
        ((int32_t *)b->data)[i] = (int32_t)v;
        break;
    case NASHC_U32:
        ((uint32_t *)b->data)[i] = (uint32_t)v;
        break;
    default:
        ((int64_t *)b->data)[i] = v;
    }
}

/* The real number. Integers and mantissas beyond 2^53 round: nashc_buf_get_int reads those exactly.
 */
double
nashc_buf_get(const nashc_buf *b, int64_t i)
{
    if (b->cell == NASHC_FLOAT)
        return (double)((const float *)b->data)[i];
    if (b->cell == NASHC_DOUBLE)
        return ((const double *)b->data)[i];
    if (nashc_type_is_fixed(&b->type))
        return ldexp((double)load_int(b, i), b->type.frac - b->type.bits);
    return (double)load_int(b, i);
}

/* Towards zero; what does not fit becomes the nearest that does, NaN 0. */
static int64_t
to_int(double v)
{
    if (isnan(v))
        return 0;
    if (v >= 0x1p63)
        return INT64_MAX;
    return v < -0x1p63 ? INT64_MIN : (int64_t)v;
}

int64_t
nashc_buf_get_int(const nashc_buf *b, int64_t i)
{
    if (b->cell == NASHC_FLOAT)
        return to_int((double)((const float *)b->data)[i]);
    if (b->cell == NASHC_DOUBLE)
        return to_int(((const double *)b->data)[i]);
    return load_int(b, i);
}

/* Floats round to their element; an integer or fixed point that does not fit exactly sets fault
 * instead and leaves the cell: rounding is an operator's business, and the executor reports the
 * fault with the node's name. */
void
nashc_buf_set(nashc_buf *b, int64_t i, double v)
{
    const nashc_type *t = &b->type;

    if (b->cell == NASHC_DOUBLE) {
        ((double *)b->data)[i] = v;
    } else if (b->cell == NASHC_FLOAT) {
        if (t->kind == NASHC_K_F16)
            v = nashc_num_round_f16(v);
        else if (t->kind == NASHC_K_MINI) {
            b->fault |= !isfinite(v);
            v = isnan(v) ? 0 : nashc_num_round_mini(v, t->frac, t->mant, t->bias);
        }
        ((float *)b->data)[i] = (float)v;
    } else if (!nashc_type_holds(t, v)) {
        b->fault = true;
    } else {
        store_int(b, i, (int64_t)(nashc_type_is_fixed(t) ? ldexp(v, t->bits - t->frac) : v));
    }
}

/* bip has no 0 between its limits. */
void
nashc_buf_set_int(nashc_buf *b, int64_t i, int64_t v)
{
    const nashc_type *t = &b->type;

    if (b->cell == NASHC_DOUBLE || b->cell == NASHC_FLOAT)
        nashc_buf_set(b, i, (double)v);
    else if (v < t->lo || v > t->hi || (t->kind == NASHC_K_BIP && v == 0))
        b->fault = true;
    else
        store_int(b, i, v);
}

/* Weights are mostly of 8 bits or less: two plain loops, which compilers turn into vectors, against
 * a switch for each element. Both signs store alike, as the cut to 8 bits is the same. */
void
nashc_buf_set_ints(nashc_buf *b, const int64_t *v)
{
    const nashc_type *t = &b->type;
    bool narrow = b->cell == NASHC_I8 || b->cell == NASHC_U8;

    for (int64_t i = 0; narrow && i < b->n; i++)
        narrow = v[i] >= t->lo && v[i] <= t->hi && (v[i] != 0 || t->kind != NASHC_K_BIP);
    if (narrow)
        for (int64_t i = 0; i < b->n; i++)
            ((uint8_t *)b->data)[i] = (uint8_t)v[i];
    else
        for (int64_t i = 0; i < b->n; i++)
            nashc_buf_set_int(b, i, v[i]);
}

/* The index along the channel axis of element i; 0 for a scalar. */
int64_t
nashc_buf_channel(const nashc_buf *b, int64_t i)
{
    int axis = nashc_type_channel_axis(&b->type);

    if (axis < 0)
        return 0;
    for (int k = axis + 1; k < b->type.rank; k++)
        i /= b->type.dim[k];
    return i % b->type.dim[axis];
}

/* A real number as sign * m * 2^e with the top bit of m set; zero: m = 0. */
typedef struct exact {
    int sign, e;
    uint64_t m;
} exact;

/* m with its top bit moved to the top: equal exponents then compare by m, others by e alone. */
static exact
normal(bool neg, uint64_t m, int e)
{
    exact x = {neg ? -1 : 1, e, m};

    if (!m)
        return (exact){0, 0, 0};
    while (!(x.m >> 63)) {
        x.m <<= 1;
        x.e--;
    }
    return x;
}

/* A double's 53 bits, or an integer's 64: neither goes through the other type. */
static exact
exact_of(const nashc_buf *b, int64_t i)
{
    int64_t v;
    int e;

    if (b->cell == NASHC_FLOAT || b->cell == NASHC_DOUBLE) {
        double f = frexp(nashc_buf_get(b, i), &e);
        return normal(f < 0, (uint64_t)ldexp(fabs(f), 53), e - 53);
    }
    v = load_int(b, i);
    e = nashc_type_is_fixed(&b->type) ? b->type.frac - b->type.bits : 0;
    return normal(v < 0, v < 0 ? 0 - (uint64_t)v : (uint64_t)v, e);
}

static bool
is_wide(const nashc_buf *b)
{
    return b->cell == NASHC_I64 || b->cell == NASHC_U64;
}

/* Three ways: integers as integers; what a double holds exactly, as doubles; the rest, 64 bit
 * integers against floats, as sign, exponent and mantissa. The result is that of real numbers in
 * each. NaN: below all in the second, and not to be relied on. */
int
nashc_buf_cmp(const nashc_buf *a, int64_t i, const nashc_buf *b, int64_t j)
{
    exact x, y;
    int c;

    if (nashc_type_is_int(&a->type) && nashc_type_is_int(&b->type) && a->cell <= NASHC_U64 &&
        b->cell <= NASHC_U64) {
        int64_t u = load_int(a, i), v = load_int(b, j);
        return (u > v) - (u < v);
    }
    if (!is_wide(a) && !is_wide(b)) { /* both exact as doubles */
        double u = nashc_buf_get(a, i), v = nashc_buf_get(b, j);
        return u > v ? 1 : u == v ? 0 : -1;
    }
    if (a->cell > NASHC_U64 && !isfinite(nashc_buf_get(a, i)))
        return nashc_buf_get(a, i) > 0 ? 1 : -1;
    if (b->cell > NASHC_U64 && !isfinite(nashc_buf_get(b, j)))
        return nashc_buf_get(b, j) < 0 ? 1 : -1;
    x = exact_of(a, i);
    y = exact_of(b, j);
    if (x.sign != y.sign)
        return x.sign < y.sign ? -1 : 1;
    c = x.e != y.e ? (x.e > y.e ? 1 : -1) : (x.m > y.m) - (x.m < y.m);
    return x.sign < 0 ? -c : c;
}

bool
nashc_buf_alloc(nashc_buf *b, const nashc_type *t)
{
    int64_t n = nashc_type_count(t), size;
    nashc_cell cell = nashc_type_cell(t);
    void *data;

    if (n < 0 || !nashc_mul_size(n, (int64_t)nashc_cell_size(cell), &size) ||
        size > NASHC_MAX_BYTES)
        return false;
    data = nashc_mem_calloc((size_t)size, 1);
    if (!data)
        return false;
    *b = (nashc_buf){.type = *t, .n = n, .data = data, .cell = cell};
    return true;
}

void
nashc_buf_free(nashc_buf *b)
{
    nashc_mem_free(b->data);
    *b = (nashc_buf){0};
}

/* v[i], a `to`, = element i of b, a T, for all of them. */
#define COPY_ALL(b, v, to, T)                                                                      \
    for (int64_t i = 0; i < (b)->n; i++)                                                           \
    (v)[i] = (to)((const T *)(b)->data)[i]

/* The same for the cells of integers; u64 holds 0..INT64_MAX only. */
#define COPY_INTS(b, v, to)                                                                        \
    switch ((b)->cell) {                                                                           \
    case NASHC_I8:                                                                                 \
        COPY_ALL(b, v, to, int8_t);                                                                \
        break;                                                                                     \
    case NASHC_U8:                                                                                 \
        COPY_ALL(b, v, to, uint8_t);                                                               \
        break;                                                                                     \
    case NASHC_I16:                                                                                \
        COPY_ALL(b, v, to, int16_t);                                                               \
        break;                                                                                     \
    case NASHC_U16:                                                                                \
        COPY_ALL(b, v, to, uint16_t);                                                              \
        break;                                                                                     \
    case NASHC_I32:                                                                                \
        COPY_ALL(b, v, to, int32_t);                                                               \
        break;                                                                                     \
    case NASHC_U32:                                                                                \
        COPY_ALL(b, v, to, uint32_t);                                                              \
        break;                                                                                     \
    default:                                                                                       \
        COPY_ALL(b, v, to, int64_t);                                                               \
    }

/* One switch for the whole buffer, not one for each element. */
double *
nashc_buf_to_f64(const nashc_buf *b)
{
    double *v = nashc_mem_alloc((size_t)b->n * sizeof(*v));

    if (!v)
        return NULL;
    if (nashc_type_is_fixed(&b->type))
        for (int64_t i = 0; i < b->n; i++)
            v[i] = nashc_buf_get(b, i);
    else if (b->cell == NASHC_FLOAT)
        COPY_ALL(b, v, double, float);
    else if (b->cell == NASHC_DOUBLE)
        COPY_ALL(b, v, double, double);
    else
        COPY_INTS(b, v, double);
    return v;
}

int64_t *
nashc_buf_to_i64(const nashc_buf *b)
{
    int64_t *v = nashc_mem_alloc((size_t)b->n * sizeof(*v));

    if (!v)
        return NULL;
    if (b->cell >= NASHC_FLOAT)
        for (int64_t i = 0; i < b->n; i++)
            v[i] = nashc_buf_get_int(b, i);
    else
        COPY_INTS(b, v, int64_t);
    return v;
}
