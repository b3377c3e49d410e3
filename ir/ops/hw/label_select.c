/* label_select.c: hw.label_select(x): indices of the largest elements of each row.
 *
 * docs/layers.md, hw.label_select. Cycle behaviour: docs/timing.md.
 */
#include "layer.h"

enum { S_PE, S_K, S_LABELS };

static const nashc_param select_attrs[] = {
    {.name = "pe", .def = "1", .domain = "1..", .help = "labels a beat", .kind = NASHC_P_INT},
    {.name = "k", .def = "1", .domain = "1..", .help = "how many indices", .kind = NASHC_P_INT},
    {.name = "labels",
     .def = "0",
     .domain = "0..",
     .help = "labels of a row; 0: as many as the input has columns",
     .kind = NASHC_P_INT},
    {0},
};

/* False: the labels do not divide the input. */
static bool
select_dims(const nashc_node *n, int64_t *labels, int64_t *vecs)
{
    hw_view view;
    bool good = hw_view_of(n, nashc_attr_int(n, S_LABELS), &view);

    *labels = good ? view.channels : 1;
    *vecs = good ? view.vecs : 0;
    return good;
}

static nashc_status
select_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    nashc_status s = hw_check_operand(n, 0, false, d);
    int64_t labels, vecs, k = nashc_attr_int(n, S_K);

    if (s != NASHC_OK)
        return s;
    if (!select_dims(n, &labels, &vecs))
        return nashc_node_error(d, n, "the input %s does not divide into rows of %" PRId64,
                                nashc_type_str(d, nashc_value_type(nashc_node_in(n, 0))),
                                nashc_attr_int(n, S_LABELS));
    if (k > labels)
        return nashc_node_error(d, n, "k=%" PRId64 " exceeds the %" PRId64 " labels", k, labels);
    nashc_type elem = nashc_type_for_range(0, labels - 1);
    *out = hw_matrix_type(&elem, vecs, k);
    return NASHC_OK;
}

static nashc_status
select_verify(const nashc_node *n, nashc_diag *d)
{
    int64_t labels, vecs;

    select_dims(n, &labels, &vecs);
    return hw_check_divides(n, "pe", nashc_attr_int(n, S_PE), labels, d);
}

/* Best first; among equal values the lowest index wins. O(k * labels) a row. */
static nashc_status
select_eval(nashc_eval *e, const nashc_node *n)
{
    const int64_t *x = nashc_eval_i64(e, 0);
    int64_t labels, vecs, k = nashc_attr_int(n, S_K);
    nashc_buf *y = nashc_eval_out(e, 0);

    select_dims(n, &labels, &vecs);
    bool *taken = nashc_eval_scratch(e, (size_t)labels);
    if (!x || !taken)
        return NASHC_ENOMEM;
    for (int64_t v = 0; v < vecs; v++) {
        for (int64_t i = 0; i < labels; i++)
            taken[i] = false;
        for (int64_t j = 0; j < k; j++) {
            int64_t best = -1;
            for (int64_t i = 0; i < labels; i++)
                if (!taken[i] && (best < 0 || x[v * labels + i] > x[v * labels + best]))
                    best = i;
            taken[best] = true;
            nashc_buf_set_int(y, v * k + j, best);
        }
    }
    return NASHC_OK;
}

static nashc_status
select_streams(const nashc_node *n, nashc_stream *in, nashc_stream *out, nashc_diag *d)
{
    int64_t labels, vecs;

    (void)d;
    select_dims(n, &labels, &vecs);
    in[0] =
        hw_stream(nashc_value_type(nashc_node_in(n, 0)), nashc_attr_int(n, S_PE), vecs * labels);
    out[0] = hw_stream(nashc_value_type(nashc_node_out(n, 0)), 1, vecs * nashc_attr_int(n, S_K));
    return NASHC_OK;
}

static bool
select_fold(const nashc_node *n, int64_t k, nashc_fold *out)
{
    int64_t labels, vecs;

    select_dims(n, &labels, &vecs);
    return hw_fold_pe(labels, k, out);
}

static const char *
select_kind(const nashc_node *n)
{
    (void)n;
    return "LabelSelect_hls";
}

static const nashc_hw select_hw = {
    NASHC_DESC(nashc_hw),
    .streams = select_streams,
    .fold = select_fold,
    .layer_kind = select_kind,
};

const nashc_op nashc_op_hw_label_select = {
    NASHC_DESC(nashc_op),
    .name = "hw.label_select",
    .help = "indices of the k largest elements, best first, lower index first among equals",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .attrs = select_attrs,
    .verify = select_verify,
    .infer = select_infer,
    .eval = select_eval,
    .hw = &select_hw,
};
