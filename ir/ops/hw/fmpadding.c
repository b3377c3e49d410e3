/* fmpadding.c: hw.fmpadding(x, p), frames with constants around them and between their pixels.
 *
 *     y[top + r * (gaps[0] + 1)][left + c * (gaps[1] + 1)] = x[r][c], else p
 *
 * x holds frames of dim pixels, row by row, channels last; p is one value, or one a channel. A step
 * an output beat; it reads iff it belongs to a pixel of x. docs/layers.md, hw.fmpadding.
 */
#include "ir/ops/ops.h"
#include "layer.h"

enum { P_SIMD, P_DIM, P_PADS, P_GAPS, P_CHANNELS };

static const nashc_param attrs[] = {
    ATTR(INT, "simd", "1", "1..", "channels a beat"),
    ATTR(INTS, "dim", NULL, "len=2;1..2147483647", "rows and columns of a frame"),
    ATTR(INTS, "pads", NULL, "len=4;0..2147483647", "border: top, left, bottom, right"),
    ATTR(INTS, "gaps", "[0,0]", "len=2;0..2147483647", "rows and columns between two pixels"),
    ATTR(INT, "channels", "0", "0..", "of a pixel; 0: as many as the input has columns"),
    HW_POSITIONS_ATTR,
    {0},
};

typedef struct border {
    int64_t frames, channels, folds;
    int64_t in[2], first[2], unit[2], out[2]; /* rows, columns: of x, before x, from one of x to
                                                 the next, of the result */
} border;

static nashc_status
border_of(const nashc_node *n, border *b, nashc_diag *d)
{
    int count; /* 2, 4 and 2 */
    const int64_t *dim = nashc_attr_ints(n, P_DIM, &count);
    const int64_t *pads = nashc_attr_ints(n, P_PADS, &count);
    const int64_t *gaps = nashc_attr_ints(n, P_GAPS, &count);
    hw_view view;

    for (int a = 0; a < 2; a++) {
        b->in[a] = dim[a];
        b->first[a] = pads[a];
        b->unit[a] = gaps[a] + 1;
        b->out[a] = pads[a] + (dim[a] - 1) * b->unit[a] + 1 + pads[2 + a]; /* below 2^63 */
    }
    if (!hw_view_of(n, nashc_attr_int(n, P_CHANNELS), &view) || view.vecs % (dim[0] * dim[1]) != 0)
        return nashc_node_error(d, n, "the input %s is not whole frames of %" PRId64 "x%" PRId64,
                                nashc_type_str(d, ops_type(n, 0)), dim[0], dim[1]);
    b->frames = view.vecs / (dim[0] * dim[1]);
    b->channels = view.channels;
    b->folds = view.channels / nashc_attr_int(n, P_SIMD);
    return NASHC_OK;
}

/* The element of x if it holds the constants, else the smallest one that holds both. */
static nashc_type
elem_of(const nashc_node *n)
{
    const nashc_type *x = ops_type(n, 0);
    const nashc_tensor *p = ops_const(n, 1);
    ops_interval r = ops_interval_of(nashc_node_in(n, 1));
    bool held = r.lo >= x->lo && r.hi <= x->hi;

    for (int64_t i = 0; x->kind == NASHC_K_BIP && i < nashc_tensor_count(p); i++)
        held = held && nashc_tensor_get_int(p, i) != 0;
    if (held)
        return *x;
    r = ops_interval_hull(r, (ops_interval){x->lo, x->hi});
    return nashc_type_for_range(r.lo, r.hi);
}

static nashc_status
pad_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    nashc_status s = hw_check_stream(n, 0, d);
    int64_t pixels;
    border b;

    if (s != NASHC_OK || (s = hw_check_operand(n, 1, true, d)) != NASHC_OK)
        return s;
    if ((s = border_of(n, &b, d)) != NASHC_OK)
        return s;
    const nashc_type *p = ops_type(n, 1);
    if (p->rank != 2 || p->dim[1] != 1 || (p->dim[0] != 1 && p->dim[0] != b.channels))
        return nashc_node_error(d, n, "values are %s, expected [1,1] or [%" PRId64 ",1]",
                                nashc_type_str(d, p), b.channels);
    if (!nashc_mul_size(b.out[0], b.out[1], &pixels) || !nashc_mul_size(pixels, b.frames, &pixels))
        return nashc_node_error(d, n, "the size of the result overflows");
    nashc_type elem = elem_of(n);
    *out = hw_matrix_type(&elem, pixels, b.channels);
    return ops_check_shape(n, out, d);
}

static nashc_status
pad_verify(const nashc_node *n, nashc_diag *d)
{
    border b;
    nashc_status s = border_of(n, &b, d);

    if (s != NASHC_OK ||
        (s = hw_check_divides(n, "simd", nashc_attr_int(n, P_SIMD), b.channels, d)) != NASHC_OK)
        return s;
    return nashc_hw_check_positions(n, d);
}

/* Beats of either side are pieces of a row. */
static nashc_status
pad_positions(const nashc_node *n, int64_t m, nashc_diag *d)
{
    border b;
    nashc_status s = border_of(n, &b, d);

    if (s != NASHC_OK)
        return s;
    if (b.unit[1] > 1)
        return nashc_node_error(d, n, "positions=%" PRId64 ": there are gaps between columns", m);
    if (b.in[1] % m == 0 && b.out[1] % m == 0)
        return NASHC_OK;
    return nashc_node_error(d, n,
                            "positions=%" PRId64 " does not divide both %" PRId64 " and %" PRId64
                            ", the columns of a row without and with its border",
                            m, b.in[1], b.out[1]);
}

/* Does pixel i of the result, counted through all frames, come from x? Then *from is which. */
static bool
source(const border *b, int64_t i, int64_t *from)
{
    int64_t c = i % b->out[1] - b->first[1];
    int64_t r = i / b->out[1] % b->out[0] - b->first[0];

    *from = (i / (b->out[0] * b->out[1]) * b->in[0] + r / b->unit[0]) * b->in[1] + c / b->unit[1];
    return r >= 0 && r / b->unit[0] < b->in[0] && r % b->unit[0] == 0 && c >= 0 &&
           c / b->unit[1] < b->in[1] && c % b->unit[1] == 0;
}

static nashc_status
pad_eval(nashc_eval *e, const nashc_node *n)
{
    const nashc_buf *x = nashc_eval_in(e, 0), *p = nashc_eval_in(e, 1);
    nashc_buf *y = nashc_eval_out(e, 0);
    int64_t from;
    border b;
    nashc_status s = border_of(n, &b, nashc_eval_diag(e));

    for (int64_t i = 0; s == NASHC_OK && i < y->n; i += b.channels) {
        if (source(&b, i / b.channels, &from))
            ops_copy_run(y, i, x, from * b.channels, b.channels);
        else
            for (int64_t c = 0; c < b.channels; c++)
                ops_copy(y, i + c, p, c % p->n);
    }
    return s;
}

static nashc_status
pad_streams(const nashc_node *n, nashc_stream *in, nashc_stream *out, nashc_diag *d)
{
    const nashc_type *x = ops_type(n, 0), *y = nashc_value_type(nashc_node_out(n, 0));
    int64_t lanes = nashc_attr_int(n, P_SIMD) * nashc_hw_positions(n);

    (void)d;
    in[0] = hw_stream(x, lanes, nashc_type_count(x));
    out[0] = hw_stream(y, lanes, nashc_type_count(y));
    return NASHC_OK;
}

static bool
pad_fold(const nashc_node *n, int64_t k, nashc_fold *out)
{
    hw_view view;

    return hw_view_of(n, nashc_attr_int(n, P_CHANNELS), &view) &&
           hw_fold_lanes("simd", view.channels, k, out);
}

static const char *
pad_kind(const nashc_node *n)
{
    int count;
    const int64_t *gaps = nashc_attr_ints(n, P_GAPS, &count);

    return gaps[0] || gaps[1] ? "FMPadding_Pixel_hls" : "FMPadding_rtl";
}

static const nashc_hw pad_hw = {
    NASHC_DESC(nashc_hw),       .streams = pad_streams, .fold = pad_fold,
    .positions = pad_positions, .layer_kind = pad_kind,
};

const nashc_op nashc_op_hw_fmpadding = {
    NASHC_DESC(nashc_op),
    .name = "hw.fmpadding",
    .help = "layer that puts constants around a frame, and between its pixels",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .attrs = attrs,
    .verify = pad_verify,
    .infer = pad_infer,
    .eval = pad_eval,
    .hw = &pad_hw,
};
