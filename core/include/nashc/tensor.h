/* tensor.h: immutable, reference-counted tensor data; and the mutable buffers of the executor. */
#ifndef NASHC_TENSOR_H
#define NASHC_TENSOR_H

#include <nashc/type.h>

NASHC_BEGIN

/* How one element is stored. Follows from the type: the smallest that holds its bits. bip, ter and
 * u1 take a byte; fixed point stores the mantissa; f16 and minifloats are stored as float. */
typedef enum nashc_cell {
    NASHC_I8,
    NASHC_U8,
    NASHC_I16,
    NASHC_U16,
    NASHC_I32,
    NASHC_U32,
    NASHC_I64,
    NASHC_U64,
    NASHC_FLOAT,
    NASHC_DOUBLE
} nashc_cell;

NASHC_API nashc_cell nashc_type_cell(const nashc_type *t);
NASHC_API size_t nashc_cell_size(nashc_cell c);

/* Row-major elements of one tensor. Writing a value outside the type sets fault instead. */
typedef struct nashc_buf {
    nashc_type type;
    int64_t n; /* elements */
    void *data;
    nashc_cell cell;
    bool fault; /* an element did not fit its type; the executor reports it */
} nashc_buf;

/* Element i as a real number (fixed point: mantissa * ulp), or as its integer or mantissa. */
NASHC_API double nashc_buf_get(const nashc_buf *b, int64_t i);
NASHC_API int64_t nashc_buf_get_int(const nashc_buf *b, int64_t i);

/* Store v: floats are rounded once to the element (ties to even); integers must hold v exactly. */
NASHC_API void nashc_buf_set(nashc_buf *b, int64_t i, double v);
NASHC_API void nashc_buf_set_int(nashc_buf *b, int64_t i, int64_t v);

/* Channel index (position along the channel axis) of element i; 0 for rank 0. */
NASHC_API int64_t nashc_buf_channel(const nashc_buf *b, int64_t i);

/* Exact three-way comparison of a[i] with b[j] as real numbers: -1, 0, 1. NaN: -1. */
NASHC_API int nashc_buf_cmp(const nashc_buf *a, int64_t i, const nashc_buf *b, int64_t j);

/* A zeroed buffer on the heap for a static type; false when memory is out. Freed by free. */
NASHC_API bool nashc_buf_alloc(nashc_buf *b, const nashc_type *t);
NASHC_API void nashc_buf_free(nashc_buf *b);

/* All elements as a new heap array of n doubles or integers, to be freed by nashc_mem_free; NULL
 * when memory is out. */
NASHC_API double *nashc_buf_to_f64(const nashc_buf *b);
NASHC_API int64_t *nashc_buf_to_i64(const nashc_buf *b);
NASHC_API void *nashc_mem_alloc(size_t size); /* NULL: memory is out */
NASHC_API void nashc_mem_free(void *p);

/* --- constants ------------------------------------------------------------------------------- */

/* Copies n = nashc_type_count(t) cells of t's storage form from data. The values must belong to the
 * type (checked in debug builds). Returned with one reference; NULL when memory is out. Interning
 * of equal contents happens when the tensor becomes a constant of a module. */
NASHC_API nashc_tensor *nashc_tensor_create(const nashc_type *t, const void *data);

/* From doubles, or integers (mantissas), converted to the storage form; NULL also if one does not
 * belong to the type. */
NASHC_API nashc_tensor *nashc_tensor_from_f64(const nashc_type *t, const double *v);
NASHC_API nashc_tensor *nashc_tensor_from_i64(const nashc_type *t, const int64_t *v);

/* Takes over the data of b, which is empty afterwards; no copy. Of a wide f32 buffer (one with
 * DOUBLE cells) it makes an f32 tensor if every element is a float32, else an f64 one. */
NASHC_API nashc_tensor *nashc_tensor_take(nashc_buf *b);

NASHC_API nashc_tensor *nashc_tensor_ref(nashc_tensor *t);
NASHC_API void nashc_tensor_unref(nashc_tensor *t); /* NULL allowed */

NASHC_API const nashc_type *nashc_tensor_type(const nashc_tensor *t);
NASHC_API const void *nashc_tensor_data(const nashc_tensor *t);
NASHC_API const nashc_buf *nashc_tensor_buf(const nashc_tensor *t); /* a read-only view */
NASHC_API int64_t nashc_tensor_count(const nashc_tensor *t);
NASHC_API double nashc_tensor_get(const nashc_tensor *t, int64_t i);
NASHC_API int64_t nashc_tensor_get_int(const nashc_tensor *t, int64_t i);

/* SHA-256 over element, shape and data (docs/ir.md), 32 bytes; computed once. */
NASHC_API const uint8_t *nashc_tensor_hash(const nashc_tensor *t);

/* Same bytes under another shape of the same count; shares the storage. */
NASHC_API nashc_tensor *nashc_tensor_reshaped(nashc_tensor *t, int rank, const int64_t *dim);

/* New tensor with axes permuted: result axis i is axis perm[i] of t. */
NASHC_API nashc_tensor *nashc_tensor_transposed(const nashc_tensor *t, const int *perm);

NASHC_API bool nashc_tensor_all_ge(const nashc_tensor *t, double v);
NASHC_API bool nashc_tensor_all_eq(const nashc_tensor *t, double v);
NASHC_API bool nashc_tensor_all_integral(const nashc_tensor *t);
NASHC_API bool nashc_tensor_all_finite(const nashc_tensor *t);
NASHC_API void nashc_tensor_min_max(const nashc_tensor *t, double *min, double *max);

/* One element only (any rank)? */
NASHC_API bool nashc_tensor_is_scalar(const nashc_tensor *t);

/* Scalar, or varying along the channel axis of x only when broadcast against x. */
NASHC_API bool nashc_tensor_is_per_channel(const nashc_tensor *t, const nashc_type *x);

/* Element of t that channel c of x meets when t is broadcast against x; t must be per channel. */
NASHC_API double nashc_tensor_channel(const nashc_tensor *t, const nashc_type *x, int64_t c);

/* --- weighted sums -----------------------------------------------------------------------------
 */

/* Sums of the positive and of the negative weights of sum over k of w[k] * x[k]: with every x[k] in
 * lo..hi it lies in pos * lo + neg * hi .. pos * hi + neg * lo, and reaches both ends. Zeroed at
 * first. */
typedef struct nashc_sums {
    int64_t pos, neg;
    bool overflow; /* beyond 64 bits */
} nashc_sums;

/* Adds the integer weights start, start + step, ... (count of them) of w; and w[0], w[step], ...
 */
NASHC_API void nashc_sums_add(nashc_sums *s, const nashc_buf *w, int64_t start, int64_t step,
                              int64_t count);
NASHC_API void nashc_sums_add_i64(nashc_sums *s, const int64_t *w, int64_t step, int64_t count);

/* Adds to s[0..n-1] the columns first .. first + n - 1 of a matrix of integers w[rows, columns];
 * n <= NASHC_SUMS_COLUMNS. */
#define NASHC_SUMS_COLUMNS 64
NASHC_API void nashc_sums_columns(nashc_sums *s, const nashc_buf *w, int64_t rows, int64_t columns,
                                  int64_t first, int n);

/* Least and greatest value of the sum with every x in lo..hi. false: beyond 64 bits; *least and
 * *most are untouched. What an accumulator holds on the way from 0 to the sum, or a sum whose terms
 * may be missing, is that of lo..hi with 0 in it. */
NASHC_API bool nashc_sums_range(const nashc_sums *s, int64_t lo, int64_t hi, int64_t *least,
                                int64_t *most);

/* Least and greatest sum of count (>= 1) products of any weights in w_lo..w_hi and any inputs in
 * lo..hi: what is left to know of weights that may be replaced. false: as above. */
NASHC_API bool nashc_products_range(int64_t count, int64_t w_lo, int64_t w_hi, int64_t lo,
                                    int64_t hi, int64_t *least, int64_t *most);

NASHC_END
#endif
