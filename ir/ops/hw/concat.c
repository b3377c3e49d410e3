/* concat.c: hw.concat(a, b): na elements of a, then nb of b, again and again: one stream of two. */
#include "parts.h"

static const nashc_param concat_attrs[] = {
    HW_PARTS_ATTRS,
    ATTR(INT, "channels", "0", "0..2147483648", "columns of the result, 0: those of a round"),
    {0},
};

/* Both streams hold the same number of parts, or one would be left over at the end of a frame. */
static nashc_status
concat_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    int64_t na = hw_parts(n)[0], nb = hw_parts(n)[1];
    nashc_status s;

    for (int i = 0; i < 2; i++)
        if ((s = hw_check_stream(n, i, d)) != NASHC_OK)
            return s;
    int64_t a = hw_parts_count(n, 0), b = hw_parts_count(n, 1);
    if (a % na != 0 || b % nb != 0 || a / na != b / nb)
        return nashc_node_error(
            d, n, "%s and %s are not as many parts of %" PRId64 " and %" PRId64 " elements",
            nashc_type_str(d, ops_type(n, 0)), nashc_type_str(d, ops_type(n, 1)), na, nb);
    *out = *ops_type(n, 0);
    /* an element that holds the values of both */
    ops_hull_elem(n, out);
    return hw_parts_matrix(n, a + b, nashc_attr_int(n, HW_PARTS_CHANNELS), na + nb, out, d);
}

static nashc_status
concat_eval(nashc_eval *e, const nashc_node *n)
{
    const nashc_buf *a = nashc_eval_in(e, 0), *b = nashc_eval_in(e, 1);
    int64_t na = hw_parts(n)[0], nb = hw_parts(n)[1];
    nashc_buf *y = nashc_eval_out(e, 0);

    for (int64_t i = 0; i < y->n; i++) {
        int64_t round = i / (na + nb), at = i % (na + nb);
        if (at < na)
            ops_copy(y, i, a, round * na + at);
        else
            ops_copy(y, i, b, round * nb + at - na);
    }
    return NASHC_OK;
}

/* Same lanes on all three: pe divides both parts, so a beat never holds the end of one and the
 * begin of the next. */
static nashc_status
concat_streams(const nashc_node *n, nashc_stream *in, nashc_stream *out, nashc_diag *d)
{
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));
    int64_t pe = nashc_attr_int(n, HW_PARTS_PE);

    (void)d;
    for (int i = 0; i < 2; i++)
        in[i] = hw_stream(ops_type(n, i), pe, hw_parts_count(n, i));
    out[0] = hw_stream(y, pe, nashc_type_count(y));
    return NASHC_OK;
}

static const char *
concat_kind(const nashc_node *n)
{
    (void)n;
    return "StreamingConcat_hls";
}

static const nashc_hw concat_hw = {
    NASHC_DESC(nashc_hw),
    .streams = concat_streams,
    .fold = hw_parts_fold,
    .layer_kind = concat_kind,
};

const nashc_op nashc_op_hw_concat = {
    NASHC_DESC(nashc_op),
    .name = "hw.concat",
    .help = "layer that joins two streams part by part",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .attrs = concat_attrs,
    .verify = hw_parts_verify,
    .infer = concat_infer,
    .eval = concat_eval,
    .hw = &concat_hw,
};
