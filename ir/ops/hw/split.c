/* split.c: hw.split(x), the inverse of hw.concat: na elements to the first result, then nb to the
 * second, again and again.
 */
#include "parts.h"

static const nashc_param split_attrs[] = {
    HW_PARTS_ATTRS,
    ATTR(INTS, "channels", "[0,0]", "len=2;0..2147483648",
         "columns of the results, 0: those of a round"),
    {0},
};

/* The two results may have rows of their own lengths; 0 takes the part of a round. */
static nashc_status
split_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    int64_t round = hw_parts(n)[0] + hw_parts(n)[1];
    nashc_status s = hw_check_stream(n, 0, d);
    int count;
    const int64_t *channels = nashc_attr_ints(n, HW_PARTS_CHANNELS, &count);

    if (s != NASHC_OK)
        return s;
    if (hw_parts_count(n, 0) % round != 0)
        return nashc_node_error(d, n,
                                "%s is not whole rounds of %" PRId64 " and %" PRId64 " elements",
                                nashc_type_str(d, ops_type(n, 0)), hw_parts(n)[0], hw_parts(n)[1]);
    for (int i = 0; i < 2 && s == NASHC_OK; i++) {
        out[i] = *ops_type(n, 0);
        s = hw_parts_matrix(n, hw_parts_count(n, 0) / round * hw_parts(n)[i], channels[i],
                            hw_parts(n)[i], &out[i], d);
    }
    return s;
}

static nashc_status
split_eval(nashc_eval *e, const nashc_node *n)
{
    const nashc_buf *x = nashc_eval_in(e, 0);
    int64_t round = hw_parts(n)[0] + hw_parts(n)[1], start = 0;

    for (int k = 0; k < 2; k++) {
        nashc_buf *y = nashc_eval_out(e, k);
        int64_t part = hw_parts(n)[k];
        for (int64_t i = 0; i < y->n; i++)
            ops_copy(y, i, x, i / part * round + start + i % part);
        start += part;
    }
    return NASHC_OK;
}

static nashc_status
split_streams(const nashc_node *n, nashc_stream *in, nashc_stream *out, nashc_diag *d)
{
    const nashc_type *x = ops_type(n, 0);
    int64_t pe = nashc_attr_int(n, HW_PARTS_PE);

    (void)d;
    in[0] = hw_stream(x, pe, hw_parts_count(n, 0));
    for (int k = 0; k < 2; k++)
        out[k] = hw_stream(x, pe, nashc_type_count(nashc_value_type(nashc_node_out(n, k))));
    return NASHC_OK;
}

static const char *
split_kind(const nashc_node *n)
{
    (void)n;
    return "StreamingSplit_hls";
}

static const nashc_hw split_hw = {
    NASHC_DESC(nashc_hw),
    .streams = split_streams,
    .fold = hw_parts_fold,
    .layer_kind = split_kind,
};

const nashc_op nashc_op_hw_split = {
    NASHC_DESC(nashc_op),
    .name = "hw.split",
    .help = "layer that deals the parts of a stream out to two",
    .min_in = 1,
    .max_in = 1,
    .min_out = 2,
    .max_out = 2,
    .attrs = split_attrs,
    .verify = hw_parts_verify,
    .infer = split_infer,
    .eval = split_eval,
    .hw = &split_hw,
};
