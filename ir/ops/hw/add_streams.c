/* add_streams.c: hw.add_streams(a, b), the sum, difference, product, larger or smaller of two
 * streams.
 *
 * Both hold the same number of elements, in the same order; one step a beat reads both inputs.
 * docs/layers.md, hw.add_streams.
 */
#include "ir/ops/ops.h"
#include "layer.h"

enum { A_PE, A_FUNC };
enum { ADD, SUB, MUL, MAX, MIN };

static const nashc_param attrs[] = {
    {.name = "pe", .def = "1", .domain = "1..", .help = "elements a beat", .kind = NASHC_P_INT},
    {.name = "func",
     .def = "add",
     .domain = "add|sub|mul|max|min",
     .help = "operation",
     .kind = NASHC_P_ENUM},
    HW_POSITIONS_ATTR,
    {0},
};

/* Interval of the results; false: beyond 64 bits. */
static bool
range_of(int64_t func, const nashc_type *a, const nashc_type *b, ops_interval *out)
{
    switch (func) {
    case ADD:
        return ops_add(a->lo, b->lo, &out->lo) && ops_add(a->hi, b->hi, &out->hi);
    case SUB:
        return !__builtin_sub_overflow(a->lo, b->hi, &out->lo) &&
               !__builtin_sub_overflow(a->hi, b->lo, &out->hi);
    case MUL:
        *out = ops_interval_mul((ops_interval){a->lo, a->hi}, (ops_interval){b->lo, b->hi});
        return out->lo != INT64_MIN || out->hi != INT64_MAX;
    case MAX:
        *out = (ops_interval){a->lo > b->lo ? a->lo : b->lo, a->hi > b->hi ? a->hi : b->hi};
        return true;
    default:
        *out = (ops_interval){a->lo < b->lo ? a->lo : b->lo, a->hi < b->hi ? a->hi : b->hi};
        return true;
    }
}

static nashc_status
add_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    int64_t func = nashc_attr_int(n, A_FUNC);
    nashc_status s = hw_check_operand(n, 0, false, d);
    ops_interval r;
    hw_view view;

    if (s != NASHC_OK || (s = hw_check_operand(n, 1, false, d)) != NASHC_OK)
        return s;
    const nashc_type *a = ops_type(n, 0), *b = ops_type(n, 1);
    if (nashc_value_const(nashc_node_in(n, 0)) || nashc_value_const(nashc_node_in(n, 1)))
        return nashc_node_error(d, n, "a constant is no stream: use hw.channelwise");
    if (nashc_type_count(a) != nashc_type_count(b) || !hw_view_of(n, 0, &view))
        return nashc_node_error(d, n, "the streams %s and %s differ in length",
                                nashc_type_str(d, a), nashc_type_str(d, b));
    if (!range_of(func, a, b, &r))
        return nashc_node_error(d, n, "the result exceeds 64 bits");
    nashc_type elem = nashc_type_for_range(r.lo, r.hi);
    /* -1 and +1 stay so under product, maximum and minimum: one bit each; a sum may be 0 */
    if (func >= MUL && a->kind == NASHC_K_BIP && b->kind == NASHC_K_BIP)
        elem = nashc_type_bip();
    *out = hw_matrix_type(&elem, view.vecs, view.channels);
    return NASHC_OK;
}

static nashc_status
add_verify(const nashc_node *n, nashc_diag *d)
{
    hw_view view;

    if (!hw_view_of(n, 0, &view))
        return nashc_node_error(d, n, "the input has no channels");
    nashc_status s = hw_check_divides(n, "pe", nashc_attr_int(n, A_PE), view.channels, d);
    return s != NASHC_OK ? s : nashc_hw_check_positions(n, d);
}

static nashc_status
add_positions(const nashc_node *n, int64_t m, nashc_diag *d)
{
    hw_view view;

    return hw_view_of(n, 0, &view) ? hw_split_positions(n, view.vecs, m, d) : NASHC_EINPUT;
}

/* No overflow: infer has bounded the results. */
static int64_t
value_of(int64_t func, int64_t a, int64_t b)
{
    switch (func) {
    case ADD:
        return a + b;
    case SUB:
        return a - b;
    case MUL:
        return a * b;
    case MAX:
        return a > b ? a : b;
    default:
        return a < b ? a : b;
    }
}

static nashc_status
add_eval(nashc_eval *e, const nashc_node *n)
{
    const int64_t *a = nashc_eval_i64(e, 0), *b = nashc_eval_i64(e, 1);
    nashc_buf *y = nashc_eval_out(e, 0);

    if (!a || !b)
        return NASHC_ENOMEM;
    for (int64_t i = 0; i < y->n; i++)
        nashc_buf_set_int(y, i, value_of(nashc_attr_int(n, A_FUNC), a[i], b[i]));
    return NASHC_OK;
}

static nashc_status
add_streams(const nashc_node *n, nashc_stream *in, nashc_stream *out, nashc_diag *d)
{
    int64_t lanes = nashc_attr_int(n, A_PE) * nashc_hw_positions(n);
    int64_t count = nashc_type_count(ops_type(n, 0));

    (void)d;
    in[0] = hw_stream(ops_type(n, 0), lanes, count);
    in[1] = hw_stream(ops_type(n, 1), lanes, count);
    out[0] = hw_stream(nashc_value_type(nashc_node_out(n, 0)), lanes, count);
    return NASHC_OK;
}

static bool
add_fold(const nashc_node *n, int64_t k, nashc_fold *out)
{
    hw_view view;

    return hw_view_of(n, 0, &view) && hw_fold_pe(view.channels, k, out);
}

static const char *
add_kind(const nashc_node *n)
{
    static const char *const names[] = {"AddStreams_hls", "StreamingEltwise_hls",
                                        "ElementwiseMul_hls", "ElementwiseMax_hls",
                                        "ElementwiseMin_hls"};

    return names[nashc_attr_int(n, A_FUNC)];
}

static const nashc_hw add_hw = {
    NASHC_DESC(nashc_hw),       .streams = add_streams, .fold = add_fold,
    .positions = add_positions, .layer_kind = add_kind,
};

const nashc_op nashc_op_hw_add_streams = {
    NASHC_DESC(nashc_op),
    .name = "hw.add_streams",
    .help = "sum, difference, product, larger or smaller of two streams",
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
