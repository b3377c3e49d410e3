/* pool.c: hw.pool(x), maxima, minima or sums of groups of rows, channel by channel.
 *
 *     y[o*ow + j][c] = max, min or sum over i < kh, k < kw of x[((o*kh + i)*ow + j)*kw + k][c]
 *
 * x is rows of C elements, seen as [outer,kh,ow,kw]. Max and min keep the element, bip included;
 * a bipolar sum adds -1 and +1. One step a beat of pe channels, or of all channels of simd rows k,
 * in the order of x; the result of (o, j) is written while i and k are last. docs/layers.md,
 * hw.pool.
 */
#include "ir/ops/ops.h"
#include "layer.h"

enum { A_PE, A_SIMD, A_FUNC, A_WINDOW, A_CHANNELS, A_RAM_STYLE };
enum { F_MAX, F_MIN, F_SUM };

static const nashc_param attrs[] = {
    ATTR(INT, "pe", "1", "1..", "channels a step"),
    ATTR(INT, "simd", "1", "1..",
         "rows next to each other a step; more than 1 take pe of all channels"),
    ATTR(ENUM, "func", NULL, "max|min|sum", "operation"),
    ATTR(INTS, "window", NULL, "len=3;1..",
         "[kh,ow,kw]: rows are seen as [outer,kh,ow,kw], kh and kw are reduced"),
    ATTR(INT, "channels", "0", "0..", "elements of a row; 0: of the last dimension"),
    ATTR(ENUM, "ram_style", "auto", "auto|block|distributed|ultra", "accumulators"),
    HW_POSITIONS_ATTR,
    {0},
};

static const int64_t *
window(const nashc_node *n)
{
    int count;

    return nashc_attr_ints(n, A_WINDOW, &count);
}

static int64_t
channels(const nashc_node *n)
{
    hw_view view;

    return hw_view_of(n, nashc_attr_int(n, A_CHANNELS), &view) ? view.channels : 1;
}

/* Rows that are reduced to one. */
static int64_t
group(const nashc_node *n)
{
    return window(n)[0] * window(n)[2];
}

static nashc_status
pool_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    nashc_status s = hw_check_operand(n, 0, false, d);
    const nashc_type *x = ops_type(n, 0);
    const int64_t *w = window(n);
    int64_t rows, lo, hi;
    hw_view view;

    if (s != NASHC_OK)
        return s;
    if (!hw_view_of(n, nashc_attr_int(n, A_CHANNELS), &view))
        return nashc_node_error(d, n, "the input does not divide into rows of %" PRId64,
                                nashc_attr_int(n, A_CHANNELS));
    if (!nashc_mul_size(w[0], w[2], &rows) || !nashc_mul_size(rows, w[1], &rows) ||
        view.vecs % rows != 0)
        return nashc_node_error(d, n,
                                "the %" PRId64 " rows of the input do not divide into %" PRId64
                                " x %" PRId64 " x %" PRId64,
                                view.vecs, w[0], w[1], w[2]);
    nashc_type elem = nashc_type_shaped(*x, 0, NULL);
    if (nashc_attr_int(n, A_FUNC) == F_SUM) {
        if (!ops_mul(x->lo, group(n), &lo) || !ops_mul(x->hi, group(n), &hi))
            return nashc_node_error(d, n, "the result exceeds 64 bits");
        elem = nashc_type_for_range(lo, hi);
    }
    *out = hw_matrix_type(&elem, view.vecs / group(n), view.channels);
    return NASHC_OK;
}

static nashc_status
pool_verify(const nashc_node *n, nashc_diag *d)
{
    nashc_status s = hw_check_rows(n, window(n)[2], channels(n), d);

    return s != NASHC_OK ? s : nashc_hw_check_positions(n, d);
}

/* A beat holds the rows k of m results next to each other: of one row j, or, where that is all
 * there is of a result, of any. */
static nashc_status
pool_positions(const nashc_node *n, int64_t m, nashc_diag *d)
{
    const int64_t *w = window(n);
    int64_t results = hw_count_of(n) / channels(n) / group(n);

    return hw_split_positions(n, w[0] == 1 ? results : w[1], m, d);
}

static nashc_status
pool_eval(nashc_eval *e, const nashc_node *n)
{
    const int64_t *x = nashc_eval_i64(e, 0), *w = window(n);
    int64_t c = channels(n), func = nashc_attr_int(n, A_FUNC);
    nashc_buf *y = nashc_eval_out(e, 0);

    if (!x)
        return NASHC_ENOMEM;
    for (int64_t at = 0; at < y->n; at++) {
        int64_t row = at / c, first = row / w[1] * w[0] * w[1] + row % w[1], acc = 0;
        for (int64_t i = 0; i < w[0]; i++)
            for (int64_t k = 0; k < w[2]; k++) {
                int64_t v = x[((first + i * w[1]) * w[2] + k) * c + at % c];
                if (func == F_SUM)
                    acc += v;
                else if ((i == 0 && k == 0) || (func == F_MAX ? v > acc : v < acc))
                    acc = v;
            }
        nashc_buf_set_int(y, at, acc);
    }
    return NASHC_OK;
}

static nashc_status
pool_streams(const nashc_node *n, nashc_stream *in, nashc_stream *out, nashc_diag *d)
{
    const nashc_type *x = ops_type(n, 0), *y = nashc_value_type(nashc_node_out(n, 0));
    int64_t lanes = nashc_attr_int(n, A_PE) * nashc_hw_positions(n);

    (void)d;
    in[0] = hw_stream(x, lanes * nashc_attr_int(n, A_SIMD), nashc_type_count(x));
    out[0] = hw_stream(y, lanes, nashc_type_count(y));
    return NASHC_OK;
}

static bool
pool_fold(const nashc_node *n, int64_t k, nashc_fold *out)
{
    return hw_fold_rows(window(n)[2], channels(n), k, out);
}

/* FINN's layers: a window after its generator, a max pool on image rows, a sum over an image. */
static const char *
pool_kind(const nashc_node *n)
{
    const int64_t *w = window(n);
    int64_t func = nashc_attr_int(n, A_FUNC);

    if (func == F_MAX && (w[0] > 1 || w[1] > 1))
        return "StreamingMaxPool_hls";
    return func == F_SUM && w[0] > 1 && w[1] == 1 && w[2] == 1 ? "GlobalAccPool_hls" : "Pool_hls";
}

static const nashc_hw pool_hw = {
    NASHC_DESC(nashc_hw),        .streams = pool_streams, .fold = pool_fold,
    .positions = pool_positions, .layer_kind = pool_kind,
};

const nashc_op nashc_op_hw_pool = {
    NASHC_DESC(nashc_op),
    .name = "hw.pool",
    .help = "layer that reduces groups of rows to their maxima, minima or sums",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .attrs = attrs,
    .verify = pool_verify,
    .infer = pool_infer,
    .eval = pool_eval,
    .hw = &pool_hw,
};
