/* vvau.c: hw.vvau(x, w, [t], [dir]), depthwise products with an optional threshold activation.
 *
 *     acc[p][c] = sum over k of x[p*K + k][c] * w[k][c], then as mac.h says
 *
 * x holds rows of C channels, K of them for each of P results; w is [K,C], t [C,L] or [1,L], dir
 * [C]. Schedule: for each result, for k < K, for cf < C/pe: one step, which reads a beat; a beat of
 * pe results is written when k is last. hardware.md B.2 has another order of the input.
 */
#include "mac.h"

enum { A_PE, A_RAM_STYLE };

static const nashc_param attrs[] = {
    ATTR(INT, "pe", "1", "1..", "channels a step"),
    HW_MAC_ATTRS,
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
    nashc_status s = hw_check_divides(n, "pe", nashc_attr_int(n, A_PE), channels, d);
    return s != NASHC_OK ? s : hw_mac_verify(n, d);
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

    (void)d;
    in[0] = hw_stream(x, nashc_attr_int(n, A_PE), nashc_type_count(x));
    out[0] = hw_stream(y, nashc_attr_int(n, A_PE), nashc_type_count(y));
    return NASHC_OK;
}

static uint64_t
vvau_cycles(const nashc_node *n)
{
    return (uint64_t)(nashc_type_count(ops_type(n, 0)) / nashc_attr_int(n, A_PE));
}

/* LUTs that multiply in one lane; fitted to Yosys. */
static uint64_t
product(const nashc_node *n)
{
    const nashc_type *x = ops_type(n, 0), *w = ops_type(n, 1);
    uint64_t a = x->bits, b = w->bits, narrow = a < b ? a : b;

    if (x->kind == NASHC_K_BIP)
        return b + 5;
    return w->kind == NASHC_K_BIP ? 3 * a : narrow * (a + b - narrow + 2);
}

static nashc_status
vvau_cost(const nashc_node *n, const nashc_device *dev, nashc_cost *out)
{
    uint64_t pe = (uint64_t)nashc_attr_int(n, A_PE);
    uint64_t a = ops_type(n, 0)->bits, b = ops_type(n, 1)->bits;
    uint64_t y = nashc_value_type(nashc_node_out(n, 0))->bits;
    nashc_cost c = {.bram_efficiency = 1, .uram_efficiency = 1};
    bool dsp = hw_mac_in_dsp(n, dev);
    int64_t kernel, channels, lo, hi;

    hw_mac_dims(n, &kernel, &channels);
    nashc_status s = hw_mac_range(n, &lo, &hi, NULL);
    if (s != NASHC_OK)
        return s;
    uint64_t folds = (uint64_t)channels / pe, lines = (uint64_t)kernel * folds;
    uint64_t width = nashc_type_for_range(lo, hi).bits, acc = kernel > 1 ? width : 0;
    c.lut = 20 + pe * ((dsp ? 0 : product(n)) + acc + y);
    c.dsp = dsp ? pe * ((a + b + 47) / 48) : 0;
    c.ff = 10 + 2 * (uint64_t)hw_clog2(lines) + pe * ((dsp ? 1 : 2) * (a + b) + acc + 2 * y);
    hw_cost_memory(&c, nashc_attr_int(n, A_RAM_STYLE), lines, pe * b);
    if (kernel > 1 && folds > 1) {
        c.ff += pe * acc;
        hw_cost_memory(&c, 0, folds, pe * acc);
    }
    hw_mac_activation(n, dev, pe, width, &c);
    *out = c;
    return NASHC_OK;
}

/* nashc_vvau with PIPE = 0 and DEEP = 1 (docs/timing.md). */
static nashc_status
vvau_timing(const nashc_node *n, nashc_timing *out)
{
    int64_t kernel, channels;

    hw_mac_dims(n, &kernel, &channels);
    *out = (nashc_timing){
        .steps = vvau_cycles(n), .latency = 2 + (kernel > 1) + hw_mac_latency(n), .depth = 2};
    return NASHC_OK;
}

static void
vvau_step(const nashc_node *n, uint64_t i, uint32_t *reads, uint32_t *writes)
{
    int64_t kernel, channels;

    hw_mac_dims(n, &kernel, &channels);
    uint64_t folds = (uint64_t)(channels / nashc_attr_int(n, A_PE));
    *reads = 1;
    *writes = i / folds % (uint64_t)kernel == (uint64_t)kernel - 1;
}

static bool
vvau_fold(const nashc_node *n, int64_t k, char *text)
{
    int64_t kernel, channels;

    hw_mac_dims(n, &kernel, &channels);
    return hw_fold_pe(channels, k, text);
}

static const char *
vvau_kind(const nashc_node *n)
{
    (void)n;
    return "VVAU_hls";
}

static const nashc_hw vvau_hw = {
    NASHC_DESC(nashc_hw),  .streams = vvau_streams, .cycles = vvau_cycles, .cost = vvau_cost,
    .timing = vvau_timing, .step = vvau_step,       .fold = vvau_fold,     .layer_kind = vvau_kind,
};

const nashc_op nashc_op_hw_vvau = {
    NASHC_DESC(nashc_op), .name = "hw.vvau", .help = "depthwise products with optional thresholds",
    .min_in = 2,          .max_in = 4,       .min_out = 1,
    .max_out = 1,         .attrs = attrs,    .verify = vvau_verify,
    .infer = vvau_infer,  .eval = vvau_eval, .hw = &vvau_hw,
};
