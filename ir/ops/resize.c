/* resize.c: nn.resize(x; sizes, mode, coord, nearest, scales), resampling of any axes.
 *
 * ONNX Resize. Position o of a result axis of size m lies at p of the operand axis of size n, with
 * s = m / n, or scales[axis] if given:
 *
 *     half_pixel (o + 1/2) / s - 1/2    asymmetric o / s    align_corners o * (n - 1) / (m - 1)
 *     (m = s * n, whole or not, if scales are given)
 *     pytorch_half_pixel: as half_pixel, 0 where m = 1      tf_half_pixel_for_nn (o + 1/2) / s
 *     half_pixel_symmetric: half_pixel + n / 2 * (1 - m / (s * n))
 *
 * nearest picks the element at p rounded as `nearest` says; linear and cubic (a = cubic_a, border
 * repeated) weigh 2 and 4 neighbours, axis after axis in double, rounded once at the end.
 */
#include "ops.h"

enum { SIZES, MODE, COORD, NEAREST, SCALES, CUBIC_A };
enum { M_NEAREST, M_LINEAR, M_CUBIC };
enum { C_HALF, C_ASYM, C_ALIGN, C_PYTORCH, C_SYMMETRIC, C_TF };

static const nashc_param resize_attrs[] = {
    ATTR(INTS, "sizes", NULL, "1..2147483648", "shape of the result"),
    ATTR(ENUM, "mode", "nearest", "nearest|linear|cubic", "interpolation"),
    ATTR(ENUM, "coord", "half_pixel",
         "half_pixel|asymmetric|align_corners|pytorch_half_pixel|half_pixel_symmetric|"
         "tf_half_pixel_for_nn",
         "where a result element lies in the operand"),
    ATTR(ENUM, "nearest", "round_prefer_floor", "round_prefer_floor|round_prefer_ceil|floor|ceil",
         "rounding of positions"),
    ATTR(FLOATS, "scales", "[]", NULL, "scale of each axis; [] from the sizes"),
    ATTR(FLOAT, "cubic_a", "-0.75", NULL, "shape of the cubic kernel"),
    {0},
};

static nashc_status
resize_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    int count, n_scales;
    const int64_t *sizes = nashc_attr_ints(n, SIZES, &count);
    const double *scales = nashc_attr_floats(n, SCALES, &n_scales);
    nashc_status s = ops_need_rank(n, 0, "input", 1, NASHC_MAX_RANK, d);

    if (s != NASHC_OK)
        return s;
    const nashc_type *x = ops_type(n, 0);
    if (count != x->rank || (n_scales && n_scales != x->rank))
        return nashc_node_error(d, n, "%d sizes and %d scales for %s", count, n_scales,
                                nashc_type_str(d, x));
    if (!nashc_type_is_static(x))
        return nashc_node_error(d, n, "input is %s: sizes must be known", nashc_type_str(d, x));
    for (int i = 0; i < n_scales; i++)
        if (!(scales[i] > 0.0) || isinf(scales[i]))
            return nashc_node_error(d, n, "scale %g of axis %d is not positive", scales[i], i);
    if (nashc_type_count(x) == 0)
        return nashc_node_error(d, n, "input is %s: nothing can be read from no elements",
                                nashc_type_str(d, x));
    *out = nashc_type_shaped(*x, count, sizes);
    if (nashc_attr_int(n, MODE) != M_NEAREST) {
        nashc_type elem = ops_float(n);
        *out = nashc_type_with_elem(out, &elem);
    }
    return ops_check_shape(n, out, d);
}

/* Is axis a left as it is? */
static bool
is_plain(const nashc_node *n, const nashc_type *x, const nashc_type *y, int a)
{
    int n_scales;
    const double *scales = nashc_attr_floats(n, SCALES, &n_scales);

    return x->dim[a] == y->dim[a] && (!n_scales || scales[a] == 1.0);
}

static double
position(const nashc_node *n, int a, int64_t from, int64_t to, int64_t o)
{
    int n_scales;
    const double *scales = nashc_attr_floats(n, SCALES, &n_scales);
    double s = n_scales ? scales[a] : (double)to / (double)from, p = (double)o;

    switch (nashc_attr_int(n, COORD)) {
    case C_ASYM:
        return p / s;
    case C_ALIGN: {
        double m = n_scales ? s * (double)from : (double)to; /* not rounded to whole elements */
        return to == 1 || m == 1.0 ? 0.0 : p * (double)(from - 1) / (m - 1.0);
    }
    case C_PYTORCH:
        return to == 1 ? 0.0 : (p + 0.5) / s - 0.5;
    case C_SYMMETRIC:
        return (p + 0.5) / s - 0.5 + (double)from / 2.0 * (1.0 - (double)to / (s * (double)from));
    case C_TF:
        return (p + 0.5) / s;
    default:
        return (p + 0.5) / s - 0.5;
    }
}

static int64_t
clamp_index(double p, int64_t size)
{
    return p < 0.0 ? 0 : p > (double)(size - 1) ? size - 1 : (int64_t)p;
}

static int64_t
nearest_index(const nashc_node *n, double p, int64_t size)
{
    double f = floor(p), rest = p - f;

    switch (nashc_attr_int(n, NEAREST)) {
    case 0: /* round_prefer_floor */
        return clamp_index(rest > 0.5 ? f + 1.0 : f, size);
    case 1: /* round_prefer_ceil */
        return clamp_index(rest >= 0.5 ? f + 1.0 : f, size);
    case 2:
        return clamp_index(f, size);
    default:
        return clamp_index(ceil(p), size);
    }
}

void
nashc_resize_nearest(const nashc_node *n, int axis, int64_t *from)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));
    int64_t to = y->dim[axis], size = x->dim[axis];

    for (int64_t o = 0; o < to; o++)
        from[o] =
            is_plain(n, x, y, axis) ? o : nearest_index(n, position(n, axis, size, to, o), size);
}

static nashc_status
eval_nearest(nashc_eval *e, const nashc_node *n)
{
    const nashc_buf *x = nashc_eval_in(e, 0);
    nashc_buf *y = nashc_eval_out(e, 0);
    int64_t stride[NASHC_MAX_RANK], *index[NASHC_MAX_RANK];

    ops_strides(&x->type, stride);
    for (int a = 0; a < y->type.rank; a++) {
        index[a] = nashc_eval_scratch(e, (size_t)y->type.dim[a] * sizeof **index);
        if (!index[a])
            return NASHC_ENOMEM;
        nashc_resize_nearest(n, a, index[a]);
    }
    for (int64_t i = 0; i < y->n; i++) {
        int64_t rest = i, from = 0;
        for (int a = y->type.rank - 1; a >= 0; a--) {
            from += index[a][rest % y->type.dim[a]] * stride[a];
            rest /= y->type.dim[a];
        }
        ops_copy(y, i, x, from);
    }
    return NASHC_OK;
}

/* Weights of the four elements floor(p) - 1 .. floor(p) + 2. */
static void
kernel_weights(const nashc_node *n, double t, double *w)
{
    double a = nashc_attr_float(n, CUBIC_A);

    if (nashc_attr_int(n, MODE) == M_LINEAR) {
        w[0] = w[3] = 0.0;
        w[1] = 1.0 - t;
        w[2] = t;
        return;
    }
    w[0] = ((a * (t + 1.0) - 5.0 * a) * (t + 1.0) + 8.0 * a) * (t + 1.0) - 4.0 * a;
    w[1] = ((a + 2.0) * t - (a + 3.0)) * t * t + 1.0;
    w[2] = ((a + 2.0) * (1.0 - t) - (a + 3.0)) * (1.0 - t) * (1.0 - t) + 1.0;
    w[3] = ((a * (2.0 - t) - 5.0 * a) * (2.0 - t) + 8.0 * a) * (2.0 - t) - 4.0 * a;
}

/* One axis: in is [outer][from][inner], out is [outer][to][inner]. */
static void
resample(const nashc_node *n, int a, const double *in, int64_t outer, int64_t from, int64_t inner,
         double *out, int64_t to)
{
    for (int64_t o = 0; o < to; o++) {
        double p = position(n, a, from, to, o), w[4];
        double base = floor(p);
        kernel_weights(n, p - base, w);
        for (int64_t u = 0; u < outer; u++)
            for (int64_t i = 0; i < inner; i++) {
                double v = 0.0;
                for (int k = 0; k < 4; k++) {
                    int64_t at = clamp_index(base - 1.0 + k, from);
                    v += w[k] != 0.0 ? w[k] * in[(u * from + at) * inner + i] : 0.0;
                }
                out[(u * to + o) * inner + i] = v;
            }
    }
}

static nashc_status
resize_eval(nashc_eval *e, const nashc_node *n)
{
    nashc_buf *y = nashc_eval_out(e, 0);
    nashc_type shape = nashc_eval_in(e, 0)->type;
    const double *x;

    if (nashc_attr_int(n, MODE) == M_NEAREST)
        return eval_nearest(e, n);
    if (!(x = nashc_eval_f64(e, 0)))
        return NASHC_ENOMEM;
    for (int a = 0; a < y->type.rank; a++) {
        int64_t outer = 1, inner = 1, from = shape.dim[a], to = y->type.dim[a];
        if (is_plain(n, &nashc_eval_in(e, 0)->type, &y->type, a))
            continue;
        for (int i = 0; i < a; i++)
            outer *= shape.dim[i];
        for (int i = a + 1; i < shape.rank; i++)
            inner *= shape.dim[i];
        double *out = nashc_eval_scratch(e, (size_t)(outer * inner * to) * sizeof *out);
        if (!out)
            return NASHC_ENOMEM;
        resample(n, a, x, outer, from, inner, out, to);
        x = out;
        shape.dim[a] = to;
    }
    for (int64_t i = 0; i < y->n; i++)
        ops_put(y, i, x[i]);
    return NASHC_OK;
}

const nashc_op nashc_op_nn_resize = {
    NASHC_DESC(nashc_op), .name = "nn.resize",   .help = "resample: nearest, linear or cubic",
    .min_in = 1,          .max_in = 1,           .min_out = 1,
    .max_out = 1,         .attrs = resize_attrs, .infer = resize_infer,
    .eval = resize_eval,
};
