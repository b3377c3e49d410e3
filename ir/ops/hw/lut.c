/* lut.c: hw.lut(x, table): y = table[c][x - lo]. */
#include "ir/ops/ops.h"
#include "params.h"

enum { L_PE, L_LO, L_RAM_STYLE };

static const nashc_param lut_attrs[] = {
    {.name = "pe", .def = "1", .domain = "1..", .help = "channels a beat", .kind = NASHC_P_INT},
    {.name = "lo", .def = "0", .help = "input of the first table entry", .kind = NASHC_P_INT},
    {.name = "ram_style",
     .def = "auto",
     .domain = "auto|block|distributed",
     .help = "table memory",
     .kind = NASHC_P_ENUM},
    HW_POSITIONS_ATTR,
    {0},
};

static nashc_status
lut_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    hw_view view;
    nashc_status s = hw_param_check(n, &view, d);
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    int64_t rows, size, lo = nashc_attr_int(n, L_LO);
    double min, max;

    if (s != NASHC_OK)
        return s;
    if (!hw_threshold_dims(n, 1, &rows, &size))
        return nashc_node_error(d, n, "the table must be a matrix, a row a channel");
    /* so hardware need not check addresses: each input of its type is in the table */
    if (x->lo < lo || x->hi - lo >= size)
        return nashc_node_error(
            d, n, "inputs lie in %" PRId64 "..%" PRId64 ", the table holds %" PRId64 "..%" PRId64,
            x->lo, x->hi, lo, lo + size - 1);
    nashc_tensor_min_max(nashc_value_const(nashc_node_in(n, 1)), &min, &max);
    const nashc_type *t = nashc_value_type(nashc_node_in(n, 1));
    /* bip keeps its kind: a range of -1..1 would take two bits */
    nashc_type elem =
        t->kind == NASHC_K_BIP ? *t : nashc_type_for_range((int64_t)min, (int64_t)max);
    *out = hw_matrix_type(&elem, view.vecs, view.channels);
    return NASHC_OK;
}

static nashc_status
lut_eval(nashc_eval *e, const nashc_node *n)
{
    const int64_t *x = nashc_eval_i64(e, 0), *t = nashc_eval_i64(e, 1);
    int64_t rows = 1, size = 0, lo = nashc_attr_int(n, L_LO);
    nashc_buf *y = nashc_eval_out(e, 0);

    if (!x || !t)
        return NASHC_ENOMEM;
    hw_threshold_dims(n, 1, &rows, &size);
    for (int64_t i = 0; i < y->n; i++) {
        if (x[i] < lo || x[i] - lo >= size)
            return nashc_node_error(nashc_eval_diag(e), n, "input %" PRId64 " is not in the table",
                                    x[i]);
        nashc_buf_set_int(y, i, t[i % rows * size + x[i] - lo]);
    }
    return NASHC_OK;
}

static const nashc_hw lut_hw = {
    NASHC_DESC(nashc_hw),
    .streams = hw_param_streams,
    .fold = hw_param_fold,
    .positions = hw_param_positions,
};

const nashc_op nashc_op_hw_lut = {
    NASHC_DESC(nashc_op),
    .name = "hw.lut",
    .help = "layer that looks each element up in a table of its channel",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .attrs = lut_attrs,
    .verify = hw_param_verify,
    .infer = lut_infer,
    .eval = lut_eval,
    .hw = &lut_hw,
};
