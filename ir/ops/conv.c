/* conv.c: nn.conv(x, w, [b]), convolution (cross-correlation) in 1, 2 or 3 dimensions.
 *
 *     y[n][m][o] = b[m] + sum over c, t of w[m][c][t] * x[n][g * C/group + c][o * stride + t *
 *                  dilation - begin],   g = m / (M / group), x = 0 outside
 *
 * ONNX Conv with explicit padding (real zero). x NCHW: w is [M,C/group,k...]; x NHWC: w is
 * [M,k...,C/group] and y is NHWC. Integers: the range is exact for constant weights (transforms
 * A.4), the hull over the output channels. Floats are summed in double and rounded once.
 */
#include "ops.h"

enum { STRIDE, PADS, DILATION, GROUP };

static const nashc_param conv_attrs[] = {
    ATTR(INTS, "stride", "[]", "1..2147483647", "step of the window; [] is all ones"),
    ATTR(INTS, "pads", "[]", "0..2147483647", "zeros before each axis, then behind each; [] none"),
    ATTR(INTS, "dilation", "[]", "1..2147483647", "distance of kernel elements; [] is all ones"),
    ATTR(INT, "group", "1", "1..2147483647", "groups of channels, convolved separately"),
    {0},
};

/* Checks operands, fills geometry and strides. */
static nashc_status
geometry(const nashc_node *n, ops_conv *c, nashc_diag *d)
{
    const nashc_type *x = ops_type(n, 0), *w = ops_type(n, 1);
    const nashc_type *b = ops_type(n, 2);
    int64_t group = nashc_attr_int(n, GROUP);
    nashc_status s;

    if ((s = ops_need_rank(n, 0, "input", 3, 5, d)) != NASHC_OK ||
        (s = ops_need_rank(n, 1, "weight", x->rank, x->rank, d)) != NASHC_OK)
        return s;
    bool last = nashc_type_channel_axis(x) != 1;
    int64_t m = w->dim[0], cg = w->dim[last ? w->rank - 1 : 1];
    if (!nashc_type_is_static(w) || m < 1 || cg < 1)
        return nashc_node_error(d, n, "weight %s is empty", nashc_type_str(d, w));
    if (group < 1)
        return nashc_node_error(d, n, "group %" PRId64 " is not positive", group);
    if (cg > INT32_MAX || cg * group != nashc_type_channels(x))
        return nashc_node_error(d, n,
                                "input %s has %" PRId64 " channels, weight %s expects %" PRId64
                                " (%" PRId64 " x group %" PRId64 ")",
                                nashc_type_str(d, x), nashc_type_channels(x), nashc_type_str(d, w),
                                cg * group, cg, group);
    if (m % group)
        return nashc_node_error(
            d, n, "group %" PRId64 " does not divide the %" PRId64 " output channels", group, m);
    if (b && (b->rank != 1 || b->dim[0] != m))
        return nashc_node_error(d, n, "bias is %s, expected [%" PRId64 "]", nashc_type_str(d, b),
                                m);
    memset(c, 0, sizeof *c);
    s = ops_window_of(n, x, w->dim + (last ? 1 : 2), STRIDE, false, &c->w, d);
    c->group = group;
    c->cg = cg;
    c->mg = m / group;
    c->x_n = c->w.channels * c->w.in_size;
    c->x_c = last ? 1 : c->w.in_size;
    c->x_p = last ? c->w.channels : 1;
    c->y_n = m * c->w.out_size;
    c->y_c = last ? 1 : c->w.out_size;
    c->y_p = last ? m : 1;
    c->w_c = last ? 1 : c->w.taps;
    c->w_t = last ? cg : 1;
    c->channels_last = last;
    return s;
}

static ops_interval
channel_range(const nashc_node *n, const ops_conv *c, int64_t m, ops_interval x)
{
    const nashc_tensor *w = ops_const(n, 1), *b = ops_const(n, 2);
    int64_t k = c->cg * c->w.taps;
    nashc_sums s = {0};
    ops_interval r;

    if (w) {
        nashc_sums_add(&s, nashc_tensor_buf(w), m * k, 1, k);
        r = ops_sums_range(&s, x);
    } else {
        r = ops_interval_times(ops_interval_mul(ops_interval_of(nashc_node_in(n, 1)), x), k);
    }
    if (b) {
        int64_t v = nashc_tensor_get_int(b, m);
        r = ops_interval_add(r, (ops_interval){v, v});
    } else if (nashc_node_in(n, 2)) {
        r = ops_interval_add(r, ops_interval_of(nashc_node_in(n, 2)));
    }
    return r;
}

static nashc_status
conv_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    ops_conv c;
    nashc_status s = geometry(n, &c, d);

    if (s != NASHC_OK)
        return s;
    *out = ops_window_shape(&c.w, ops_type(n, 0), c.mg * c.group);
    if (ops_all_int(n)) {
        ops_interval x = ops_interval_of(nashc_node_in(n, 0)), r, all = {0, 0};
        if (c.w.padded)
            x = ops_interval_hull(x, (ops_interval){0, 0});
        int64_t m_end = ops_const(n, 1) || ops_const(n, 2) ? c.mg * c.group : 1;
        for (int64_t m = 0; m < m_end; m++) {
            r = channel_range(n, &c, m, x);
            all = m ? ops_interval_hull(all, r) : r;
        }
        nashc_type_set_range(out, all.lo, all.hi);
    } else {
        nashc_type elem = ops_float(n);
        *out = nashc_type_with_elem(out, &elem);
    }
    return ops_check_shape(n, out, d);
}

nashc_status
ops_conv_verify(const nashc_node *n, nashc_diag *d)
{
    nashc_status s = ops_need_finite(n, 1, "weight", d);

    return s == NASHC_OK ? ops_need_finite(n, 2, "bias", d) : s;
}

static nashc_status
conv_eval(nashc_eval *e, const nashc_node *n)
{
    ops_conv c;
    nashc_status s = geometry(n, &c, nashc_eval_diag(e));

    if (s != NASHC_OK)
        return s;
    bool whole = nashc_type_is_int(&nashc_eval_out(e, 0)->type);
    if (whole && ops_exact_i16(nashc_eval_in(e, 0), nashc_eval_in(e, 1), c.cg * c.w.taps))
        return ops_conv_run_i16(e, &c);
    if (!whole || ops_exact_f64(nashc_eval_in(e, 0), nashc_eval_in(e, 1), c.cg * c.w.taps)) {
        const double *w = nashc_eval_f64(e, 1);
        return w ? ops_conv_run_f64(e, &c, w) : NASHC_ENOMEM;
    }
    const int64_t *w = nashc_eval_i64(e, 1);
    return w ? ops_conv_run_i64(e, &c, w) : NASHC_ENOMEM;
}

const nashc_op nashc_op_nn_conv = {
    NASHC_DESC(nashc_op),
    .name = "nn.conv",
    .help = "convolution with explicit zero padding, stride, dilation and groups",
    .min_in = 2,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .attrs = conv_attrs,
    .verify = ops_conv_verify,
    .infer = conv_infer,
    .eval = conv_eval,
};
