/* ops.h: what the operator files share: operands, exact ranges, broadcasting, sliding windows. */
#ifndef NASHC_OPS_H
#define NASHC_OPS_H

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include <nashc/op.h>

/* One row of an attribute table. */
#define ATTR(KIND, NAME, DEF, DOMAIN, HELP)                                                        \
    {                                                                                              \
        .name = NAME, .def = DEF, .domain = DOMAIN, .help = HELP, .kind = NASHC_P_##KIND           \
    }

/* --- operands and element types ----------------------------------------------------------------
 */

/* Type of operand i, NULL if it is left out; whether it is a constant. */
static inline const nashc_type *
ops_type(const nashc_node *n, int i)
{
    const nashc_value *v = nashc_node_in(n, i);
    return v ? nashc_value_type(v) : NULL;
}

static inline const nashc_tensor *
ops_const(const nashc_node *n, int i)
{
    const nashc_value *v = nashc_node_in(n, i);
    return v ? nashc_value_const(v) : NULL;
}

/* Are all operands that are there integers? */
bool ops_all_int(const nashc_node *n);

/* Element (rank 0) of the result of float arithmetic on the operands: f64 if some operand that is
 * not constant is f64, or all are; f16 if all floats are f16; else f32. */
nashc_type ops_float(const nashc_node *n);

/* An operand without element, or one whose rank is out of lo..hi, is an error. what: "weight". */
nashc_status ops_need_rank(const nashc_node *n, int i, const char *what, int lo, int hi,
                           nashc_diag *d);

/* Last step of infer: refuses empty shapes and those of more than NASHC_MAX_ELEMENTS. */
nashc_status ops_check_shape(const nashc_node *n, const nashc_type *out, nashc_diag *d);

/* Attribute value counted from the end if negative: 0..rank-1, or an error. */
nashc_status ops_axis(const nashc_node *n, int64_t axis, int rank, int *out, nashc_diag *d);

/* Shape of an element-wise result over operands 0 .. n_in-1; the layout is that of the first
 * dynamic operand of the result's rank. Element and interval of *out are left alone. */
nashc_status ops_broadcast(const nashc_node *n, nashc_type *out, nashc_diag *d);

/* infer of an op that keeps the shape of operand 0 and gives floats. */
nashc_status ops_infer_float(const nashc_node *n, nashc_type *out, nashc_diag *d);

/* Element of a tensor put together of all operands, into *out, whose shape stays: theirs if it is
 * one, the hull of the ranges for integers, else a float that holds them. */
void ops_hull_elem(const nashc_node *n, nashc_type *out);

/* A constant operand must hold finite numbers only. */
nashc_status ops_need_finite(const nashc_node *n, int i, const char *what, nashc_diag *d);

/* --- exact integer ranges ----------------------------------------------------------------------
 */

typedef struct ops_interval {
    int64_t lo, hi;
} ops_interval;

/* false, and *out untouched, on overflow. */
static inline bool
ops_add(int64_t a, int64_t b, int64_t *out)
{
    int64_t v;

    if (__builtin_add_overflow(a, b, &v))
        return false;
    *out = v;
    return true;
}

static inline bool
ops_mul(int64_t a, int64_t b, int64_t *out)
{
    int64_t v;

    if (__builtin_mul_overflow(a, b, &v))
        return false;
    *out = v;
    return true;
}

/* Range of the integers of v: of the values themselves where v is constant, else of the type. */
ops_interval ops_interval_of(const nashc_value *v);

/* Range of a sum, a product, n terms (n >= 0), and the hull. All of int64 where it overflows. */
ops_interval ops_interval_add(ops_interval a, ops_interval b);
ops_interval ops_interval_mul(ops_interval a, ops_interval b);
ops_interval ops_interval_times(ops_interval a, int64_t n);
ops_interval ops_interval_hull(ops_interval a, ops_interval b);

/* Range of a weighted sum with every x in its range; all of int64 where it overflows. */
ops_interval ops_sums_range(const nashc_sums *s, ops_interval x);

/* Element i of an integer buffer, inline. */
static inline int64_t
ops_int(const nashc_buf *b, int64_t i)
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
    case NASHC_I64:
    case NASHC_U64: /* holds 0..INT64_MAX only */
        return ((const int64_t *)b->data)[i];
    default:
        return nashc_buf_get_int(b, i);
    }
}

/* --- evaluation --------------------------------------------------------------------------------
 */

/* nashc_buf_set, inline for the usual cells. */
static inline void
ops_put(nashc_buf *b, int64_t i, double v)
{
    if (b->cell == NASHC_DOUBLE)
        ((double *)b->data)[i] = v;
    else if (b->type.kind == NASHC_K_F32)
        ((float *)b->data)[i] = (float)v;
    else if (b->cell <= NASHC_U8 && nashc_type_is_int(&b->type) && v >= (double)b->type.lo &&
             v <= (double)b->type.hi && v == (double)(int)v && (v != 0 || b->type.lo != -1))
        ((uint8_t *)b->data)[i] = (uint8_t)(int)v; /* not 0, which bip does not have */
    else
        nashc_buf_set(b, i, v);
}

/* y[i] = x[j], exactly; the type of y holds the value of x. */
static inline void
ops_copy(nashc_buf *y, int64_t i, const nashc_buf *x, int64_t j)
{
    if (y->cell == x->cell && (y->cell >= NASHC_FLOAT || nashc_type_ulp(&y->type) == 1.0)) {
        size_t size = nashc_cell_size(y->cell);
        memcpy((char *)y->data + (size_t)i * size, (const char *)x->data + (size_t)j * size, size);
    } else if (nashc_type_is_int(&y->type) && nashc_type_is_int(&x->type)) {
        nashc_buf_set_int(y, i, ops_int(x, j));
    } else if (nashc_type_is_fixed(&y->type) && nashc_type_same_elem(&y->type, &x->type)) {
        nashc_buf_set_int(y, i, nashc_buf_get_int(x, j));
    } else {
        nashc_buf_set(y, i, nashc_buf_get(x, j));
    }
}

/* n elements from y[i] on = those from x[j] on. */
void ops_copy_run(nashc_buf *y, int64_t i, const nashc_buf *x, int64_t j, int64_t n);

/* Walks the elements of a result and tells the index into an operand that is broadcast to it. */
typedef struct ops_walk {
    int64_t dim[NASHC_MAX_RANK], step[NASHC_MAX_RANK], at[NASHC_MAX_RANK], pos;
    int rank;
} ops_walk;

void ops_walk_init(ops_walk *w, const nashc_type *in, const nashc_type *out);

/* As init, with a step for each axis of out given by the caller. */
void ops_walk_steps(ops_walk *w, const nashc_type *out, const int64_t *step, int64_t start);

static inline int64_t
ops_walk_next(ops_walk *w)
{
    int64_t pos = w->pos;
    for (int a = w->rank - 1; a >= 0; a--) {
        w->pos += w->step[a];
        if (++w->at[a] < w->dim[a])
            break;
        w->pos -= w->step[a] * w->dim[a];
        w->at[a] = 0;
    }
    return pos;
}

/* Row-major strides of t. */
void ops_strides(const nashc_type *t, int64_t *stride);

/* y = f(x), element by element in double. */
nashc_status ops_map(nashc_eval *e, double (*f)(double));

/* A line in fixed point, rounded down and clamped: q.requant and its layer. */
typedef struct ops_requant {
    int shift;
    bool even;
    int64_t qmin, qmax;
} ops_requant;

/* clamp(floor((x * mul + add) / 2^shift), qmin, qmax), where even less 1 if the quotient is an odd
 * integer; false if the sum leaves 64 bits. */
bool ops_requant_of(const ops_requant *r, int64_t x, int64_t mul, int64_t add, int64_t *y);

/* Interval of the result of n for operand 0 in its interval and the constants mul and add (one
 * element or one for each channel); an error at n if a sum leaves 64 bits. */
nashc_status ops_requant_range(const nashc_node *n, const ops_requant *r, const nashc_tensor *mul,
                               const nashc_tensor *add, nashc_type *out, nashc_diag *d);

/* Rounding modes of quantisers, in the order of NASHC_ROUNDINGS. */
typedef enum ops_rounding {
    NASHC_R_ROUND, /* half to even */
    NASHC_R_CEIL,
    NASHC_R_FLOOR,
    NASHC_R_UP,        /* away from zero */
    NASHC_R_DOWN,      /* toward zero */
    NASHC_R_HALF_UP,   /* nearest, half away from zero */
    NASHC_R_HALF_DOWN, /* nearest, half toward zero */
    NASHC_R_DPU,       /* as ROUND, but a negative half goes up */
    NASHC_R_SIGN       /* +1 if u >= 0, else -1 */
} ops_rounding;
#define NASHC_ROUNDINGS "round|ceil|floor|up|down|half_up|half_down|dpu"

double ops_round(ops_rounding mode, double u);

/* --- sliding windows ---------------------------------------------------------------------------
 */

/* Geometry of a convolution or pool, always with three spatial axes: 1-D and 2-D ones have leading
 * axes of size 1. */
typedef struct ops_window {
    int nd, first; /* spatial axes, and the tensor axis of the first */
    int64_t batch, channels;
    int64_t in[3], out[3], kernel[3], stride[3], dilation[3], begin[3], end[3];
    bool padded;      /* some window reaches beyond the input */
    int64_t taps;     /* kernel positions */
    int64_t in_size;  /* spatial positions of the input */
    int64_t out_size; /* and of the output */
} ops_window;

/* Attributes in the order stride, pads, dilation from index attr on. kernel: nd extents. x: NCHW
 * like or NHWC like. ceil: round the number of windows up. Checked sizes; errors name the axis. */
nashc_status ops_window_of(const nashc_node *n, const nashc_type *x, const int64_t *kernel,
                           int attr, bool ceil, ops_window *w, nashc_diag *d);

/* The same for a transposed convolution; out_pad: attribute index of output_padding. */
nashc_status ops_window_of_transposed(const nashc_node *n, const nashc_type *x,
                                      const int64_t *kernel, int attr, int out_pad, ops_window *w,
                                      nashc_diag *d);

/* Least and greatest number of input elements in a window. */
void ops_window_taps(const ops_window *w, int64_t *least, int64_t *most);

/* Offset among the in_size input positions that tap t of output position o reads, -1: padding. */
int64_t ops_window_source(const ops_window *w, int64_t o, int64_t t);
int64_t ops_window_source_transposed(const ops_window *w, int64_t o, int64_t t);

/* Result type of a window op: shape of x with channels and spatial extents replaced. */
nashc_type ops_window_shape(const ops_window *w, const nashc_type *x, int64_t channels);

/* --- sums of products ----------------------------------------------------------------------------
 */

#define NASHC_TILE 32 /* columns of a panel */

/* acc[p] = sum over i of a[i] * panel[i][p], p < NASHC_TILE. The second: false on overflow. */
void ops_dot_f64(const double *a, const double *panel, int64_t k, double *acc);
bool ops_dot_i64(const int64_t *a, const int64_t *panel, int64_t k, int64_t *acc);

/* Does result 0 ask for sums in float32 (NASHC_EVAL_FLOAT_SUMS)? Then the sum is one of these two,
 * of elements that are float32, after MlasSgemm of onnxruntime 1.32: fused multiply-adds in order,
 * in blocks whose sums are added; or rounded products, added up by fours. */
bool ops_float_sums(nashc_eval *e);
void ops_dot_fused(const double *a, const double *panel, int64_t k, int64_t block, double *acc);
void ops_dot_by_fours(const double *a, const double *panel, int64_t k, double *acc);

/* The block for sums of k terms in rows of n results. */
int64_t ops_fused_block(int64_t n, int64_t k);

/* Are all elements of a and b of a magnitude of at most `element`, and sums of up to k products of
 * them at most `sum`? */
bool ops_products_within(const nashc_buf *a, const nashc_buf *b, int64_t k, int64_t element,
                         int64_t sum);

/* Can sums of k products of elements of a and b be computed in double without rounding? */
bool ops_exact_f64(const nashc_buf *a, const nashc_buf *b, int64_t k);

/* The same with int16 elements and int32 sums, where that is worth it. Rows of k elements stand
 * ops_i16_step(k) apart, filled up with zeros; operand i so, NULL: memory is short. */
bool ops_exact_i16(const nashc_buf *a, const nashc_buf *b, int64_t k);
int64_t ops_i16_step(int64_t k);
int16_t *ops_i16_rows(nashc_eval *e, int i, int64_t k);

/* acc[p] = sum over i < step of a[i] * panel[p][i], p < NASHC_TILE; step as from ops_i16_step. */
void ops_dot_i16(const int16_t *a, const int16_t *panel, int64_t step, int32_t *acc);

/* How a convolution reads its operands. Weight [row][...]: row length k = cg * taps, element of
 * channel c and tap t at c * w_c + t * w_t. */
typedef struct ops_conv {
    ops_window w;
    int64_t group, cg, mg; /* input and output channels of a group */
    int64_t x_n, x_c, x_p; /* strides of batch, channel and position of x */
    int64_t y_n, y_c, y_p;
    int64_t w_c, w_t;
    bool transposed, channels_last;
} ops_conv;

/* Operands x, bias as nashc_eval_in 0 and 2; weights as rows [group * mg][cg * taps]. */
nashc_status ops_conv_run_f64(nashc_eval *e, const ops_conv *c, const double *weight);
nashc_status ops_conv_run_i64(nashc_eval *e, const ops_conv *c, const int64_t *weight);
/* Constant weights and biases of a convolution of either kind are finite. */
nashc_status ops_conv_verify(const nashc_node *n, nashc_diag *d);

/* The same with operand 1 as it is, where ops_exact_i16 holds. */
nashc_status ops_conv_run_i16(nashc_eval *e, const ops_conv *c);

#endif
