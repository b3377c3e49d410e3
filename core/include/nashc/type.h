/* type.h: tensor types: element, shape, layout and the interval the values lie in. */
#ifndef NASHC_TYPE_H
#define NASHC_TYPE_H

#include <nashc/base.h>

NASHC_BEGIN

/* Element kinds. Every QONNX datatype has one spelling; see nashc_type_finn_name for the other. */
typedef enum nashc_kind {
    NASHC_K_NONE, /* "none": not known (results of unknown operators) */
    NASHC_K_INT,  /* iN, N 1..64: two's complement */
    NASHC_K_UINT, /* uN, N 1..64; BINARY and bool are u1; u64 holds 0..INT64_MAX only */
    NASHC_K_BIP,  /* bip: {-1, +1} */
    NASHC_K_TER,  /* ter: {-1, 0, +1} */
    NASHC_K_FIX,  /* fxT.I: mantissa iT, value = mantissa * 2^-(T-I) */
    NASHC_K_UFIX, /* ufxT.I: mantissa uT */
    NASHC_K_F32,  /* f32 */
    NASHC_K_F64,  /* f64: scales and thresholds that must not be rounded to f32 yet */
    NASHC_K_F16,  /* f16 */
    NASHC_K_MINI  /* flE.M.B: sign, E exponent and M mantissa bits, bias B, no codes for inf/NaN */
} nashc_kind;

/* Order of the axes. DEFAULT is channels-first by ONNX convention (channel axis 1). */
typedef enum nashc_layout {
    NASHC_LAYOUT_DEFAULT, /* NCHW, NCW, NC; prints as nothing */
    NASHC_LAYOUT_NHWC,
    NASHC_LAYOUT_NWC
} nashc_layout;

/* A plain value, compared with nashc_type_eq. A dimension of -1 is unknown ("?"): allowed between
 * import and fix-batch only. lo and hi bound the values of an integer tensor (mantissas of a fixed
 * point one) from both sides, inclusive; for floats they are 0. */
typedef struct nashc_type {
    uint8_t kind;   /* nashc_kind */
    uint8_t bits;   /* of one element: 1..64; T of fxT.I; 1 + E + M of a minifloat */
    int8_t frac;    /* I of fxT.I; E of a minifloat; else 0 */
    int8_t mant;    /* M of a minifloat; else 0 */
    int16_t bias;   /* B of a minifloat; else 0 */
    uint8_t layout; /* nashc_layout */
    uint8_t rank;   /* 0..NASHC_MAX_RANK */
    int64_t lo, hi;
    int64_t dim[NASHC_MAX_RANK]; /* first rank ones count, the rest are 0 */
} nashc_type;

/* Rank-0 types with the full interval of their element. bits out of 1..64 gives NASHC_K_NONE. */
NASHC_API nashc_type nashc_type_int(int bits);
NASHC_API nashc_type nashc_type_uint(int bits);
NASHC_API nashc_type nashc_type_bip(void);
NASHC_API nashc_type nashc_type_ter(void);
NASHC_API nashc_type nashc_type_f32(void);
NASHC_API nashc_type nashc_type_f64(void);

/* Smallest integer element that holds lo..hi, with that interval, rank 0: u1.. where lo >= 0, else
 * i1... Never bip or ter. lo <= hi. */
NASHC_API nashc_type nashc_type_for_range(int64_t lo, int64_t hi);

/* Copy of t with another shape; rank <= NASHC_MAX_RANK. The layout is kept if the rank is. */
NASHC_API nashc_type nashc_type_shaped(nashc_type t, int rank, const int64_t *dim);

/* Copy of shape's rank, dims and layout, with element and interval of elem. */
NASHC_API nashc_type nashc_type_with_elem(const nashc_type *shape, const nashc_type *elem);

/* Replaces element and interval of t by nashc_type_for_range(lo, hi); shape and layout stay. */
NASHC_API void nashc_type_set_range(nashc_type *t, int64_t lo, int64_t hi);

/* Full interval of the element of t (mantissas for fixed point). False for floats and none. */
NASHC_API bool nashc_type_limits(const nashc_type *t, int64_t *lo, int64_t *hi);

/* Same element, interval, shape and layout? The second ignores interval and element. */
NASHC_API bool nashc_type_eq(const nashc_type *a, const nashc_type *b);
NASHC_API bool nashc_type_same_shape(const nashc_type *a, const nashc_type *b);
NASHC_API bool nashc_type_same_elem(const nashc_type *a, const nashc_type *b);

NASHC_API bool nashc_type_is_int(const nashc_type *t);   /* INT UINT BIP TER */
NASHC_API bool nashc_type_is_fixed(const nashc_type *t); /* FIX UFIX */
NASHC_API bool nashc_type_is_float(const nashc_type *t); /* F32 F64 F16 MINI */
NASHC_API bool nashc_type_is_signed(const nashc_type *t);
NASHC_API bool nashc_type_is_static(const nashc_type *t); /* no dimension is unknown */

/* Number of elements; 1 for rank 0; -1 if a dimension is unknown or the product exceeds
 * NASHC_MAX_ELEMENTS. */
NASHC_API int64_t nashc_type_count(const nashc_type *t);

/* Axis of the channels: last of NHWC and NWC; else 1, or 0 for rank 1; -1 for rank 0. */
NASHC_API int nashc_type_channel_axis(const nashc_type *t);

/* Dimension of that axis; 1 for rank 0. */
NASHC_API int64_t nashc_type_channels(const nashc_type *t);

/* What one mantissa step of a fixed point type is worth: 2^-(T-I). 1 for every other kind. */
NASHC_API double nashc_type_ulp(const nashc_type *t);

/* Does v (a real value; the mantissa times ulp for fixed point) belong to the element and the
 * interval? Minifloats: |v| <= max and no bit below the mantissa, gradual underflow. */
NASHC_API bool nashc_type_holds(const nashc_type *t, double v);

/* numpy broadcasting of shapes; false if they do not fit. The layout is that of the operand of
 * higher rank. Element and interval of *out are left alone. */
NASHC_API bool nashc_type_broadcast(const nashc_type *a, const nashc_type *b, nashc_type *out);

/* Text of the IR, "u2<0..2>[1,7,7,16]NHWC". print writes at most size bytes with the 0 and returns
 * buf; NASHC_TYPE_STR_MAX always suffices. parse reads from *s, moves *s behind the type. */
#define NASHC_TYPE_STR_MAX 320
NASHC_API char *nashc_type_print(const nashc_type *t, char *buf, size_t size);
NASHC_API bool nashc_type_parse(const char **s, nashc_type *out);

/* QONNX names (docs/datatypes.md): "INT4", "BIPOLAR", "FIXED<16,6>", "FLOAT<4,3,7>". Shape is left
 * alone by parse; UFIXED<t,i> is ours. False, *out untouched, when the name is not legal. */
NASHC_API char *nashc_type_finn_name(const nashc_type *t, char *buf, size_t size);
NASHC_API bool nashc_type_from_finn_name(const char *name, nashc_type *out);

NASHC_END
#endif
