/* hw_join.c: hw.add_streams(a, b), the sum or difference of two streams.
 *
 * Both hold the same number of elements, in the same order; one step a beat reads both inputs.
 * hardware.md B.9.
 */
#include "hw.h"

enum { A_PE, A_FUNC };

static const nashc_param attrs[] = {
    {.name = "pe", .def = "1", .domain = "1..", .help = "elements a beat", .kind = NASHC_P_INT},
    {.name = "func", .def = "add", .domain = "add|sub", .help = "operation", .kind = NASHC_P_ENUM},
    {0},
};

static const nashc_type *
operand(const nashc_node *n, int i)
{
    return nashc_value_type(nashc_node_in(n, i));
}

static nashc_status
add_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    nashc_status s = hw_check_operand(n, 0, false, d);
    hw_view view;
    int64_t lo, hi;

    if (s != NASHC_OK || (s = hw_check_operand(n, 1, false, d)) != NASHC_OK)
        return s;
    const nashc_type *a = operand(n, 0), *b = operand(n, 1);
    if (nashc_value_const(nashc_node_in(n, 0)) || nashc_value_const(nashc_node_in(n, 1)))
        return nashc_node_error(d, n, "a constant is no stream: use hw.channelwise");
    if (nashc_type_count(a) != nashc_type_count(b) || !hw_view_of(n, 0, &view))
        return nashc_node_error(d, n, "the streams %s and %s differ in length",
                                nashc_type_str(d, a), nashc_type_str(d, b));
    if (a->kind == NASHC_K_BIP || b->kind == NASHC_K_BIP)
        return nashc_node_error(d, n, "a bipolar stream has no adder");
    bool sub = nashc_attr_int(n, A_FUNC) == 1;
    if (sub ? __builtin_sub_overflow(a->lo, b->hi, &lo) || __builtin_sub_overflow(a->hi, b->lo, &hi)
            : __builtin_add_overflow(a->lo, b->lo, &lo) ||
                  __builtin_add_overflow(a->hi, b->hi, &hi))
        return nashc_node_error(d, n, "the result exceeds 64 bits");
    nashc_type elem = nashc_type_for_range(lo, hi);
    *out = hw_matrix_type(&elem, view.vecs, view.channels);
    return NASHC_OK;
}

static nashc_status
add_verify(const nashc_node *n, nashc_diag *d)
{
    hw_view view;

    if (!hw_view_of(n, 0, &view))
        return nashc_node_error(d, n, "the input has no channels");
    return hw_check_divides(n, "pe", nashc_attr_int(n, A_PE), view.channels, d);
}

static nashc_status
add_eval(nashc_eval *e, const nashc_node *n)
{
    const int64_t *a = nashc_eval_i64(e, 0), *b = nashc_eval_i64(e, 1);
    nashc_buf *y = nashc_eval_out(e, 0);

    if (!a || !b)
        return NASHC_ENOMEM;
    for (int64_t i = 0; i < y->n; i++)
        nashc_buf_set_int(y, i, nashc_attr_int(n, A_FUNC) == 1 ? a[i] - b[i] : a[i] + b[i]);
    return NASHC_OK;
}

static nashc_status
add_streams(const nashc_node *n, nashc_stream *in, nashc_stream *out, nashc_diag *d)
{
    int64_t pe = nashc_attr_int(n, A_PE), count = nashc_type_count(operand(n, 0));

    (void)d;
    in[0] = hw_stream(operand(n, 0), pe, count);
    in[1] = hw_stream(operand(n, 1), pe, count);
    out[0] = hw_stream(nashc_value_type(nashc_node_out(n, 0)), pe, count);
    return NASHC_OK;
}

static uint64_t
add_cycles(const nashc_node *n)
{
    return (uint64_t)(nashc_type_count(operand(n, 0)) / nashc_attr_int(n, A_PE));
}

static nashc_status
add_cost(const nashc_node *n, const nashc_device *dev, nashc_cost *out)
{
    uint64_t bits = nashc_value_type(nashc_node_out(n, 0))->bits;
    uint64_t pe = (uint64_t)nashc_attr_int(n, A_PE);

    (void)dev;
    *out = (nashc_cost){.lut = 8 + 2 * pe * bits,
                        .ff = 4 + 3 * pe * bits,
                        .bram_efficiency = 1,
                        .uram_efficiency = 1};
    return NASHC_OK;
}

static nashc_status
add_timing(const nashc_node *n, nashc_timing *out)
{
    *out = (nashc_timing){.steps = add_cycles(n), .latency = 1, .depth = 2};
    return NASHC_OK;
}

static void
add_step(const nashc_node *n, uint64_t i, uint32_t *reads, uint32_t *writes)
{
    (void)n;
    (void)i;
    *reads = 3;
    *writes = 1;
}

static bool
add_fold(const nashc_node *n, int64_t k, char *text)
{
    hw_view view;

    return hw_view_of(n, 0, &view) && hw_fold_pe(view.channels, k, text);
}

static const char *
add_kind(const nashc_node *n)
{
    return nashc_attr_int(n, A_FUNC) == 1 ? "StreamingEltwise_hls" : "AddStreams_hls";
}

static const nashc_hw add_hw = {
    NASHC_DESC(nashc_hw), .streams = add_streams, .cycles = add_cycles, .cost = add_cost,
    .timing = add_timing, .step = add_step,       .fold = add_fold,     .layer_kind = add_kind,
};

const nashc_op nashc_op_hw_add_streams = {
    NASHC_DESC(nashc_op),
    .name = "hw.add_streams",
    .help = "sum or difference of two streams",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .attrs = attrs,
    .verify = add_verify,
    .infer = add_infer,
    .eval = add_eval,
    .hw = &add_hw,
};
