/* channelwise.c: hw.channelwise(x, p): y = x + p[c], x * p[c], or the larger or smaller of both.
 *
 * docs/layers.md, hw.channelwise.
 */
#include "ir/ops/ops.h"
#include "params.h"

enum { C_PE, C_FUNC, C_RAM_STYLE };
enum { ADD, MUL, MAX, MIN };

static const nashc_param channelwise_attrs[] = {
    {.name = "pe", .def = "1", .domain = "1..", .help = "channels a beat", .kind = NASHC_P_INT},
    {.name = "func", .domain = "add|mul|max|min", .help = "operation", .kind = NASHC_P_ENUM},
    {.name = "ram_style",
     .def = "auto",
     .domain = "auto|block|distributed",
     .help = "parameter memory",
     .kind = NASHC_P_ENUM},
    HW_POSITIONS_ATTR,
    {0},
};

/* false: beyond 64 bits. */
static bool
channelwise_value(int64_t func, int64_t x, int64_t p, int64_t *out)
{
    switch (func) {
    case ADD:
        return ops_add(x, p, out);
    case MUL:
        return ops_mul(x, p, out);
    case MAX:
        *out = x > p ? x : p;
        return true;
    default:
        *out = x < p ? x : p;
        return true;
    }
}

static nashc_status
channelwise_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    hw_view view;
    nashc_status s = hw_param_check(n, &view, d);
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    int64_t func = nashc_attr_int(n, C_FUNC), a, b;
    ops_interval r = {INT64_MAX, INT64_MIN};

    if (s != NASHC_OK)
        return s;
    const nashc_tensor *p = nashc_value_const(nashc_node_in(n, 1));
    for (int64_t i = 0; i < nashc_tensor_count(p); i++) { /* monotone in x */
        int64_t v = nashc_tensor_get_int(p, i);
        if (!channelwise_value(func, x->lo, v, &a) || !channelwise_value(func, x->hi, v, &b))
            return nashc_node_error(d, n, "the result exceeds 64 bits");
        r = ops_interval_hull(r, (ops_interval){a < b ? a : b, a < b ? b : a});
    }
    nashc_type elem = nashc_type_for_range(r.lo, r.hi);
    *out = hw_matrix_type(&elem, view.vecs, view.channels);
    return NASHC_OK;
}

static nashc_status
channelwise_eval(nashc_eval *e, const nashc_node *n)
{
    const int64_t *x = nashc_eval_i64(e, 0), *p = nashc_eval_i64(e, 1);
    int64_t rows = nashc_type_count(nashc_value_type(nashc_node_in(n, 1))), v = 0;
    nashc_buf *y = nashc_eval_out(e, 0);

    if (!x || !p)
        return NASHC_ENOMEM;
    for (int64_t i = 0; i < y->n; i++) {
        /* an input outside its declared type; infer has bounded all others */
        y->fault |= !channelwise_value(nashc_attr_int(n, C_FUNC), x[i], p[i % rows], &v);
        nashc_buf_set_int(y, i, v);
    }
    return NASHC_OK;
}

static const char *
channelwise_kind(const nashc_node *n)
{
    static const char *const names[] = {"ChannelwiseOp_hls", "ChannelwiseOp_hls",
                                        "ElementwiseMax_hls", "ElementwiseMin_hls"};

    return names[nashc_attr_int(n, C_FUNC)];
}

static const nashc_hw channelwise_hw = {
    NASHC_DESC(nashc_hw),           .streams = hw_param_streams,
    .fold = hw_param_fold,          .positions = hw_param_positions,
    .layer_kind = channelwise_kind,
};

const nashc_op nashc_op_hw_channelwise = {
    NASHC_DESC(nashc_op),
    .name = "hw.channelwise",
    .help = "layer that adds, multiplies or compares with a constant a channel",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .attrs = channelwise_attrs,
    .verify = hw_param_verify,
    .infer = channelwise_infer,
    .eval = channelwise_eval,
    .hw = &channelwise_hw,
};
