/* thresholding.c: hw.thresholding(x, t, [dir]): how many thresholds of its channel x reaches.
 *
 *     y = act_bias + #{k : x >= t[c][k]}      (dir[c] < 0: x < t)
 *
 * docs/layers.md, hw.thresholding.
 */
#include "ir/ops/ops.h"
#include "params.h"

enum { T_PE, T_STYLE, T_BIAS, T_BIPOLAR, T_RAM_STYLE };

static const nashc_param threshold_attrs[] = {
    {.name = "pe", .def = "1", .domain = "1..", .help = "channels a beat", .kind = NASHC_P_INT},
    {.name = "style",
     .def = "auto",
     .domain = "auto|parallel|binary_search",
     .help = "how thresholds are compared; auto: in parallel up to 3 of them",
     .kind = NASHC_P_ENUM},
    {.name = "act_bias", .def = "0", .help = "added to the count", .kind = NASHC_P_INT},
    {.name = "bipolar",
     .def = "false",
     .help = "one threshold tells -1 from +1",
     .kind = NASHC_P_BOOL},
    {.name = "ram_style",
     .def = "auto",
     .domain = "auto|block|distributed",
     .help = "threshold memory",
     .kind = NASHC_P_ENUM},
    HW_POSITIONS_ATTR,
    {0},
};

/* The type follows from the number of thresholds, not from their values: see hw_count_type. */
static nashc_status
threshold_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    hw_view view;
    nashc_status s = hw_param_check(n, &view, d);
    int64_t rows, steps;

    if (s != NASHC_OK)
        return s;
    if (!hw_threshold_dims(n, 1, &rows, &steps))
        return nashc_node_error(d, n, "thresholds must be a matrix, a row a channel");
    nashc_type elem =
        hw_count_type(steps, nashc_attr_int(n, T_BIAS), nashc_attr_bool(n, T_BIPOLAR));
    *out = hw_matrix_type(&elem, view.vecs, view.channels);
    return NASHC_OK;
}

static nashc_status
threshold_verify(const nashc_node *n, nashc_diag *d)
{
    nashc_status s = hw_param_verify(n, d);
    hw_view view;

    if (s != NASHC_OK)
        return s;
    if (nashc_node_in(n, 2)) {
        const nashc_type *dir = nashc_value_type(nashc_node_in(n, 2));
        if ((s = hw_check_operand(n, 2, true, d)) != NASHC_OK)
            return s;
        if (!hw_param_view(n, &view) || dir->kind != NASHC_K_BIP ||
            nashc_type_count(dir) != view.channels)
            return nashc_node_error(d, n, "directions must be bip, one a channel");
    }
    return hw_check_thresholds(n, 1, nashc_attr_int(n, T_BIAS), nashc_attr_bool(n, T_BIPOLAR), d);
}

static nashc_status
threshold_eval(nashc_eval *e, const nashc_node *n)
{
    const int64_t *x = nashc_eval_i64(e, 0), *t = nashc_eval_i64(e, 1);
    const int64_t *dir = nashc_node_in(n, 2) ? nashc_eval_i64(e, 2) : NULL;
    int64_t scale = nashc_attr_bool(n, T_BIPOLAR) ? 2 : 1;
    int64_t bias = scale == 2 ? -1 : nashc_attr_int(n, T_BIAS), rows = 1, steps = 0;
    nashc_buf *y = nashc_eval_out(e, 0);
    hw_view view;

    if (!x || !t || (nashc_node_in(n, 2) && !dir))
        return NASHC_ENOMEM;
    if (!hw_param_view(n, &view) || !hw_threshold_dims(n, 1, &rows, &steps))
        return nashc_node_error(nashc_eval_diag(e), n, "shapes do not fit");
    for (int64_t i = 0; i < y->n; i++)
        nashc_buf_set_int(y, i,
                          bias + scale * hw_count(t, dir, rows, steps, i % view.channels, x[i]));
    return NASHC_OK;
}

static const char *
threshold_kind(const nashc_node *n)
{
    (void)n;
    return "Thresholding_rtl";
}

static const nashc_hw threshold_hw = {
    NASHC_DESC(nashc_hw),         .streams = hw_param_streams,
    .fold = hw_param_fold,        .positions = hw_param_positions,
    .layer_kind = threshold_kind,
};

const nashc_op nashc_op_hw_thresholding = {
    NASHC_DESC(nashc_op),
    .name = "hw.thresholding",
    .help = "layer that counts the thresholds of a channel that the input reaches",
    .min_in = 2,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .attrs = threshold_attrs,
    .verify = threshold_verify,
    .infer = threshold_infer,
    .eval = threshold_eval,
    .hw = &threshold_hw,
};
