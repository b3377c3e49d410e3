/* vvau.c: hw.vvau(x, w, [t], [dir]), depthwise products with an optional threshold activation.
 *
 *     acc[p][c] = sum over k of x[p*K + k][c] * w[k][c], then as mac.h says
 *
 * x holds rows of C channels, K of them for each of P results; w is [K,C], t [C,L] or [1,L], dir
 * [C]. Schedule: for each result, for k < K/simd, for cf < C/pe: one step, which reads a beat; a
 * beat of pe results is written when k is last. A beat of simd > 1 rows has all their channels.
 * FINN orders the input otherwise: docs/layers.md, hw.vvau.
 */
#include "mac.h"
#include <string.h>

enum { A_PE, A_SIMD };

static const nashc_param attrs[] = {
    ATTR(INT, "pe", "1", "1..", "channels a step"),
    ATTR(INT, "simd", "1", "1..", "kernel positions a step; more than 1 take pe of all channels"),
    HW_MAC_ATTRS("auto|lut|dsp"),
    HW_POSITIONS_ATTR,
    {0},
};

static nashc_status
vvau_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    nashc_status s = hw_mac_operands(n, d);
    int64_t kernel, channels;
    nashc_type elem;
    hw_view view;

    if (s != NASHC_OK)
        return s;
    hw_mac_dims(n, &kernel, &channels);
    if (!hw_view_of(n, channels, &view) || view.vecs % kernel != 0)
        return nashc_node_error(d, n,
                                "the input does not divide into windows of %" PRId64
                                " rows of %" PRId64 " channels",
                                kernel, channels);
    if ((s = hw_mac_elem(n, &elem, d)) == NASHC_OK)
        *out = hw_matrix_type(&elem, view.vecs / kernel, channels);
    return s;
}

static nashc_status
vvau_verify(const nashc_node *n, nashc_diag *d)
{
    int64_t kernel, channels;

    hw_mac_dims(n, &kernel, &channels);
    nashc_status s = hw_check_rows(n, kernel, channels, d);
    if (s != NASHC_OK || (s = hw_mac_verify(n, d)) != NASHC_OK)
        return s;
    return nashc_hw_check_positions(n, d);
}

static nashc_status
vvau_positions(const nashc_node *n, int64_t m, nashc_diag *d)
{
    int64_t kernel, channels;

    hw_mac_dims(n, &kernel, &channels);
    return hw_mac_positions(n, nashc_type_count(ops_type(n, 0)) / (kernel * channels), m, d);
}

static nashc_status
vvau_eval(nashc_eval *e, const nashc_node *n)
{
    const int64_t *x = nashc_eval_i64(e, 0), *w = nashc_eval_i64(e, 1);
    nashc_buf *y = nashc_eval_out(e, 0);
    int64_t kernel, channels;
    hw_act act;

    if (!x || !w || !hw_act_open(e, n, &act))
        return NASHC_ENOMEM;
    hw_mac_dims(n, &kernel, &channels);
    for (int64_t i = 0; i < y->n; i++) {
        int64_t c = i % channels, acc = 0;
        const int64_t *window = x + (i - c) * kernel;
        for (int64_t k = 0; k < kernel; k++)
            acc += window[k * channels + c] * w[k * channels + c];
        nashc_buf_set_int(y, i, hw_act_value(&act, c, acc));
    }
    return NASHC_OK;
}

static nashc_status
vvau_streams(const nashc_node *n, nashc_stream *in, nashc_stream *out, nashc_diag *d)
{
    const nashc_type *x = ops_type(n, 0), *y = nashc_value_type(nashc_node_out(n, 0));
    int64_t lanes = nashc_attr_int(n, A_PE) * nashc_hw_positions(n);

    (void)d;
    in[0] = hw_stream(x, lanes * nashc_attr_int(n, A_SIMD), nashc_type_count(x));
    out[0] = hw_stream(y, lanes, nashc_type_count(y));
    return NASHC_OK;
}

static bool
vvau_fold(const nashc_node *n, int64_t k, nashc_fold *out)
{
    int64_t kernel, channels;

    hw_mac_dims(n, &kernel, &channels);
    return hw_fold_rows(kernel, channels, k, out);
}

static const char *
vvau_kind(const nashc_node *n)
{
    (void)n;
    return "VVAU_hls";
}

/* Line k * CF + cf; element p * SIMD + s of it is w[k*SIMD+s][cf*PE+p]. */
static void
vvau_weights(const nashc_node *n, nashc_weights *out)
{
    int64_t pe = nashc_attr_int(n, A_PE), simd = nashc_attr_int(n, A_SIMD), kernel, c;

    hw_mac_dims(n, &kernel, &c);
    const int64_t count[] = {simd, pe, c / pe, kernel / simd}, stride[] = {c, 1, pe, simd * c};

    hw_mac_weights(n, out);
    memcpy(out->count, count, sizeof count);
    memcpy(out->stride, stride, sizeof stride);
    out->lanes = pe * simd;
    out->lines = kernel / simd * (c / pe);
    out->rounds = nashc_type_count(ops_type(n, 0)) / (kernel * c);
}

static const nashc_hw vvau_hw = {
    NASHC_DESC(nashc_hw),    .streams = vvau_streams, .fold = vvau_fold,
    .layer_kind = vvau_kind, .weights = vvau_weights, .positions = vvau_positions,
};

const nashc_op nashc_op_hw_vvau = {
    NASHC_DESC(nashc_op), .name = "hw.vvau", .help = "depthwise products with optional thresholds",
    .min_in = 2,          .max_in = 4,       .min_out = 1,
    .max_out = 1,         .attrs = attrs,    .verify = vvau_verify,
    .infer = vvau_infer,  .eval = vvau_eval, .hw = &vvau_hw,
};
