/* conv_transpose.c: nn.conv_transpose(x, w, [b]), the adjoint of a convolution.
 *
 *     y[n][m][o] = b[m] + sum over c, i, t with i * stride + t * dilation - begin == o
 *                  of x[n][c][i] * w[c][m][t]
 *
 * ONNX ConvTranspose. x NCHW: w is [C,M/group,k...]; x NHWC: [C,k...,M/group]. A tap meets an
 * output position only if the distance is a multiple of the stride, so the integer range is taken
 * per residue class (phase) of the taps.
 */
#include "ops.h"

enum { STRIDE, PADS, DILATION, GROUP, OUTPUT_PADDING };

static const nashc_param conv_transpose_attrs[] = {
    ATTR(INTS, "stride", "[]", "1..2147483647", "distance of inputs in the output; [] is all ones"),
    ATTR(INTS, "pads", "[]", "0..2147483647", "cut off before each axis, then behind; [] none"),
    ATTR(INTS, "dilation", "[]", "1..2147483647", "distance of kernel elements; [] is all ones"),
    ATTR(INT, "group", "1", "1..2147483647", "groups of channels, convolved separately"),
    ATTR(INTS, "output_padding", "[]", "0..2147483647", "added behind each axis; [] none"),
    {0},
};

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
    int64_t mg = w->dim[last ? w->rank - 1 : 1], channels = nashc_type_channels(x);
    if (!nashc_type_is_static(w) || mg < 1 || w->dim[0] < 1)
        return nashc_node_error(d, n, "weight %s is empty", nashc_type_str(d, w));
    if (w->dim[0] != channels)
        return nashc_node_error(d, n,
                                "input %s has %" PRId64 " channels, weight %s expects %" PRId64,
                                nashc_type_str(d, x), channels, nashc_type_str(d, w), w->dim[0]);
    if (group < 1 || channels % group || group > INT32_MAX || mg > INT32_MAX)
        return nashc_node_error(d, n,
                                "group %" PRId64 " does not divide the %" PRId64 " input channels",
                                group, channels);
    if (b && (b->rank != 1 || b->dim[0] != mg * group))
        return nashc_node_error(d, n, "bias is %s, expected [%" PRId64 "]", nashc_type_str(d, b),
                                mg * group);
    memset(c, 0, sizeof *c);
    s = ops_window_of_transposed(n, x, w->dim + (last ? 1 : 2), STRIDE, OUTPUT_PADDING, &c->w, d);
    c->transposed = true;
    c->channels_last = last;
    c->group = group;
    c->cg = channels / group;
    c->mg = mg;
    c->x_n = channels * c->w.in_size;
    c->x_c = last ? 1 : c->w.in_size;
    c->x_p = last ? channels : 1;
    c->y_n = mg * group * c->w.out_size;
    c->y_c = last ? 1 : c->w.out_size;
    c->y_p = last ? mg * group : 1;
    c->w_c = c->w.taps; /* of the repacked weight, see row_source */
    c->w_t = 1;
    return s;
}

/* Index into the stored weight of output channel m, channel ch of its group, tap t. */
static int64_t
weight_index(const ops_conv *c, int64_t m, int64_t ch, int64_t t)
{
    int64_t channel = m / c->mg * c->cg + ch;

    return c->channels_last ? (channel * c->w.taps + t) * c->mg + m % c->mg
                            : (channel * c->mg + m % c->mg) * c->w.taps + t;
}

/* Number of the first tap that meets the same output positions as tap t. */
static int64_t
tap_phase(const ops_window *w, int64_t t)
{
    int64_t first = 0, unit = 1;

    for (int i = 2; i >= 0; i--) {
        int64_t a = w->stride[i], b = w->dilation[i];
        while (b) { /* a: greatest common divisor */
            int64_t r = a % b;
            a = b;
            b = r;
        }
        first += t % w->kernel[i] % (w->stride[i] / a) * unit;
        unit *= w->kernel[i];
        t /= w->kernel[i];
    }
    return first;
}

static ops_interval
bias_range(const nashc_node *n, int64_t m)
{
    const nashc_tensor *b = ops_const(n, 2);

    if (!nashc_node_in(n, 2))
        return (ops_interval){0, 0};
    if (!b)
        return ops_interval_of(nashc_node_in(n, 2));
    return (ops_interval){nashc_tensor_get_int(b, m), nashc_tensor_get_int(b, m)};
}

/* Hull over output channels and phases. x holds 0: at the border any tap may meet nothing. */
static nashc_status
sum_range(const nashc_node *n, const ops_conv *c, ops_interval x, ops_interval *all, nashc_diag *d)
{
    const nashc_tensor *w = ops_const(n, 1);
    nashc_arena *a = nashc_arena_create();
    nashc_sums *s = a ? NASHC_NEW_N(a, nashc_sums, c->w.taps) : NULL;
    ops_interval any = ops_interval_mul(x, ops_interval_of(nashc_node_in(n, 1)));

    any = ops_interval_times(any, c->cg * c->w.taps);
    *all = (ops_interval){INT64_MAX, INT64_MIN};
    for (int64_t m = 0; s && m < c->mg * c->group; m++) {
        ops_interval r = ops_interval_times(
            ops_interval_mul(x, ops_interval_of(nashc_node_in(n, 1))), c->cg * c->w.taps);
        memset(s, 0, (size_t)c->w.taps * sizeof *s);
        for (int64_t t = 0; w && t < c->w.taps; t++)
            for (int64_t ch = 0; ch < c->cg; ch++)
                nashc_sums_add(&s[tap_phase(&c->w, t)], nashc_tensor_buf(w),
                               weight_index(c, m, ch, t), 1, 1);
        for (int64_t t = 0; w && t < c->w.taps; t++)
            r = t ? ops_interval_hull(r, ops_sums_range(&s[t], x)) : ops_sums_range(s, x);
        *all = ops_interval_hull(*all, ops_interval_add(r, bias_range(n, m)));
    }
    nashc_arena_free(a);
    return s ? NASHC_OK : nashc_enomem(d);
}

static nashc_status
conv_transpose_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    ops_conv c;
    nashc_status s = geometry(n, &c, d);

    if (s != NASHC_OK)
        return s;
    *out = ops_window_shape(&c.w, ops_type(n, 0), c.mg * c.group);
    if (ops_all_int(n)) {
        ops_interval all, x = ops_interval_of(nashc_node_in(n, 0));
        s = sum_range(n, &c, ops_interval_hull(x, (ops_interval){0, 0}), &all, d);
        if (s != NASHC_OK)
            return s;
        nashc_type_set_range(out, all.lo, all.hi);
    } else {
        nashc_type elem = ops_float(n);
        *out = nashc_type_with_elem(out, &elem);
    }
    return ops_check_shape(n, out, d);
}

/* The weight is repacked to rows [group * mg][cg * taps]; then it is a convolution that reads its
 * input at other positions. */
static nashc_status
conv_transpose_eval(nashc_eval *e, const nashc_node *n)
{
    ops_conv c;
    nashc_status s = geometry(n, &c, nashc_eval_diag(e));

    if (s != NASHC_OK)
        return s;
    int64_t k = c.cg * c.w.taps, rows = c.mg * c.group;
    bool whole = nashc_type_is_int(&nashc_eval_out(e, 0)->type) &&
                 !ops_exact_f64(nashc_eval_in(e, 0), nashc_eval_in(e, 1), k);
    const double *w = whole ? NULL : nashc_eval_f64(e, 1);
    const int64_t *iw = whole ? nashc_eval_i64(e, 1) : NULL;
    double *p = whole ? NULL : nashc_eval_scratch(e, (size_t)(rows * k) * sizeof *p);
    int64_t *ip = whole ? nashc_eval_scratch(e, (size_t)(rows * k) * sizeof *ip) : NULL;
    if (whole ? !iw || !ip : !w || !p)
        return NASHC_ENOMEM;
    for (int64_t m = 0; m < rows; m++)
        for (int64_t i = 0; i < k; i++) {
            int64_t from = weight_index(&c, m, i / c.w.taps, i % c.w.taps);
            if (whole)
                ip[m * k + i] = iw[from];
            else
                p[m * k + i] = w[from];
        }
    return whole ? ops_conv_run_i64(e, &c, ip) : ops_conv_run_f64(e, &c, p);
}

const nashc_op nashc_op_nn_conv_transpose = {
    NASHC_DESC(nashc_op),
    .name = "nn.conv_transpose",
    .help = "transposed convolution",
    .min_in = 2,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .attrs = conv_transpose_attrs,
    .verify = ops_conv_verify,
    .infer = conv_transpose_infer,
    .eval = conv_transpose_eval,
};
