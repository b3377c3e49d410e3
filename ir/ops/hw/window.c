/* window.c: hw.window(x), the elements of a frame in the order of a nest of loops.
 *
 *     y = [x[offset + i0 * s0 + i1 * s1 + ..] for i0 < n0 for i1 < n1 ..]      (row-major x)
 *
 * The windows of a convolution on a channels-last image of width W and C channels are the loops
 * (OH, OW, kh, kw, C) with strides (sh*W*C, sw*C, dh*W*C, dw*C, 1); strided, repeated, cut out and
 * transposed frames are other loops. Elements pass in beats of simd, through a ring of depth beats,
 * or, where addresses rise, a line of them; several positions a beat through a line of such beats:
 * docs/layers.md, hw.window. Cycle behaviour:
 * docs/timing.md.
 */
#include "ir/ops/ops.h"
#include "layer.h"
#include <nashc/model.h>
#include <string.h>

enum { W_DIMS, W_STRIDES, W_OFFSET, W_CHANNELS, W_SIMD, W_PARALLEL, W_DEPTH, W_RAM_STYLE, W_ROLE };

static const nashc_param attrs[] = {
    {.name = "dims",
     .domain = "1..",
     .help = "iterations of the loops, outermost first",
     .kind = NASHC_P_INTS},
    {.name = "strides",
     .domain = "0..",
     .help = "elements between iterations of each loop; the last is 1",
     .kind = NASHC_P_INTS},
    {.name = "offset",
     .def = "0",
     .domain = "0..",
     .help = "first element of a frame that is given",
     .kind = NASHC_P_INT},
    {.name = "channels",
     .def = "0",
     .domain = "0..",
     .help = "columns of the result; 0: iterations of the last loop",
     .kind = NASHC_P_INT},
    {.name = "simd",
     .def = "1",
     .domain = "1..",
     .help = "elements a beat that comes in",
     .kind = NASHC_P_INT},
    {.name = "parallel_window",
     .def = "0",
     .domain = "0..1",
     .help = "1: a beat that is given holds a whole window, else as many elements as one that "
             "comes in",
     .kind = NASHC_P_INT},
    {.name = "depth",
     .def = "0",
     .domain = "0..",
     .help = "beats that the ring, if there is one, holds; 0: as many as it takes to keep both "
             "sides moving",
     .kind = NASHC_P_INT},
    {.name = "ram_style",
     .def = "auto",
     .domain = "auto|block|distributed|ultra",
     .help = "memory of the ring, or of the rows in the line",
     .kind = NASHC_P_ENUM},
    {.name = "role",
     .def = "im2col",
     .domain = "im2col|downsample|upsample|crop|shuffle",
     .help = "what the layer is called",
     .kind = NASHC_P_ENUM},
    HW_POSITIONS_ATTR,
    {0},
};

typedef struct nest {
    int n;
    int64_t dim[NASHC_MAX_RANK * 2], stride[NASHC_MAX_RANK * 2]; /* in elements */
} nest;

static int64_t
count_of(const nashc_node *n)
{
    return nashc_type_count(nashc_value_type(nashc_node_in(n, 0)));
}

/* The loops of n. EINPUT: not a nest, or it leaves the frame. Strides are not negative, so the last
 * element asked for is the sum of all spans: one comparison checks the whole nest. */
static nashc_status
nest_of(const nashc_node *n, nest *out, nashc_diag *d)
{
    int nd, ns;
    const int64_t *dim = nashc_attr_ints(n, W_DIMS, &nd);
    const int64_t *stride = nashc_attr_ints(n, W_STRIDES, &ns);
    int64_t last = nashc_attr_int(n, W_OFFSET), count = 1, x = count_of(n);

    if (nd < 1 || nd != ns || nd > (int)NASHC_COUNT(out->dim))
        return nashc_node_error(d, n, "dims and strides must have the same 1 to %zu entries",
                                NASHC_COUNT(out->dim));
    if (stride[nd - 1] != 1)
        return nashc_node_error(d, n, "the last stride is not 1");
    for (int i = 0; i < nd; i++) {
        int64_t span;
        if (!nashc_mul_size(dim[i] - 1, stride[i], &span) || !nashc_add_size(last, span, &last) ||
            !nashc_mul_size(count, dim[i], &count))
            return nashc_node_error(d, n, "the loops are too long");
    }
    if (last >= x)
        return nashc_node_error(d, n, "element %" PRId64 " is asked for, but a frame has %" PRId64,
                                last, x);
    out->n = nd;
    memcpy(out->dim, dim, sizeof *dim * (size_t)nd);
    memcpy(out->stride, stride, sizeof *dim * (size_t)nd);
    return NASHC_OK;
}

static int64_t
total(const nest *z)
{
    int64_t n = 1;

    for (int i = 0; i < z->n; i++)
        n *= z->dim[i];
    return n;
}

static nashc_status
window_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    nashc_status s = hw_check_operand(n, 0, false, d);
    int64_t channels = nashc_attr_int(n, W_CHANNELS);
    nest z;

    if (s != NASHC_OK || (s = nest_of(n, &z, d)) != NASHC_OK)
        return s;
    channels = channels ? channels : z.dim[z.n - 1];
    if (total(&z) % channels != 0)
        return nashc_node_error(d, n, "%" PRId64 " elements do not divide into rows of %" PRId64,
                                total(&z), channels);
    *out = hw_matrix_type(nashc_value_type(nashc_node_in(n, 0)), total(&z) / channels, channels);
    return NASHC_OK;
}

/* Most elements that a beat can have: they stay neighbours. The greatest common divisor of the last
 * loop, the frame, the offset and all other strides. */
static int64_t
most_lanes(const nashc_node *n, const nest *z)
{
    int64_t lanes = z->dim[z->n - 1], rest = count_of(n);

    for (int i = -2; i < z->n - 1; i++) {
        int64_t a = lanes;
        int64_t b = i == -2 ? rest : i == -1 ? nashc_attr_int(n, W_OFFSET) : z->stride[i];
        while (b != 0) {
            int64_t r = a % b;
            a = b;
            b = r;
        }
        lanes = a;
    }
    return lanes;
}

static nashc_loops
loops_of(const nashc_node *n, const nest *z)
{
    return (nashc_loops){.n = z->n,
                         .dim = z->dim,
                         .stride = z->stride,
                         .first = nashc_attr_int(n, W_OFFSET),
                         .count = count_of(n),
                         .lanes = nashc_attr_int(n, W_SIMD),
                         .depth = nashc_attr_int(n, W_DEPTH)};
}

/* A line is tried first, as it takes no memory for a ring; parallel windows have no other way. What
 * fits neither is told by the limit it breaks. */
static nashc_status
check_loops(const nashc_node *n, nashc_diag *d)
{
    int64_t simd = nashc_attr_int(n, W_SIMD), depth = nashc_attr_int(n, W_DEPTH);
    bool parallel = nashc_attr_int(n, W_PARALLEL);
    nashc_line line;
    nashc_ring r;
    nest z;
    nashc_status s = nest_of(n, &z, d);

    if (s != NASHC_OK)
        return s;
    if (most_lanes(n, &z) % simd != 0)
        return nashc_node_error(d, n,
                                "simd=%" PRId64 " does not divide %" PRId64
                                ", the elements that stay next to each other",
                                simd, most_lanes(n, &z));
    const nashc_loops l = loops_of(n, &z);
    if (nashc_line_of(&l, parallel, &line) == NASHC_OK)
        return NASHC_OK;
    if (parallel) {
        s = nashc_node_error(
            d, n,
            "these loops give no parallel windows of at most %d beats of simd=%" PRId64 " elements",
            NASHC_LINE_TAPS, simd);
        if (d)
            nashc_help(d, "set parallel_window to 0, or raise simd");
        return s;
    }
    if (nashc_ring_of(&l, &r) != NASHC_OK)
        return nashc_node_unsup(d, n, "more than %d loops", NASHC_RING_LOOPS);
    if (depth != 0 && depth < r.least)
        return nashc_node_error(d, n, "depth=%" PRId64 " is less than the %" PRId64 " it takes",
                                depth, r.least);
    return NASHC_OK;
}

static nashc_status
window_verify(const nashc_node *n, nashc_diag *d)
{
    nashc_status s = check_loops(n, d);

    return s != NASHC_OK ? s : nashc_hw_check_positions(n, d);
}

static nashc_status
window_positions(const nashc_node *n, int64_t m, nashc_diag *d)
{
    nashc_windows w;
    nest z;
    nashc_status s = nest_of(n, &z, d);

    if (s != NASHC_OK)
        return s;
    nashc_loops l = loops_of(n, &z);
    /* several positions a beat take the widest folding, whatever simd is so far */
    l.lanes = most_lanes(n, &z);
    if (nashc_windows_of(&l, m, &w) == NASHC_OK)
        return NASHC_OK;
    s = nashc_node_error(d, n,
                         "positions=%" PRId64 " does not go with these loops: rows must hold a "
                         "multiple of it, and of the windows that come at once",
                         m);
    if (d)
        nashc_help(d, "pad the rows, or choose another number");
    return s;
}

/* The nest as an odometer over runs of the last loop. */
static nashc_status
window_eval(nashc_eval *e, const nashc_node *n)
{
    const nashc_buf *x = nashc_eval_in(e, 0);
    nashc_buf *y = nashc_eval_out(e, 0);
    int64_t i[NASHC_COUNT(((nest *)0)->dim)] = {0}, at = nashc_attr_int(n, W_OFFSET);
    nest z;
    nashc_status s = nest_of(n, &z, NULL);

    if (s != NASHC_OK)
        return s;
    int64_t run = z.dim[z.n - 1]; /* its stride is 1 */
    for (int64_t k = 0; k < y->n; k += run) {
        ops_copy_run(y, k, x, at, run);
        for (int j = z.n - 2; j >= 0; j--) {
            at += z.stride[j];
            if (++i[j] < z.dim[j])
                break;
            at -= i[j] * z.stride[j];
            i[j] = 0;
        }
    }
    return NASHC_OK;
}

/* Beats that are given at once as one. */
static int64_t
taps(const nashc_loops *l, bool parallel)
{
    nashc_line line;

    return parallel && nashc_line_of(l, true, &line) == NASHC_OK ? line.taps : 1;
}

static nashc_status
window_streams(const nashc_node *n, nashc_stream *in, nashc_stream *out, nashc_diag *d)
{
    const nashc_type *t = nashc_value_type(nashc_node_in(n, 0));
    nest z;
    nashc_status s = nest_of(n, &z, d);

    if (s != NASHC_OK)
        return s;
    const nashc_loops l = loops_of(n, &z);
    int64_t m = nashc_hw_positions(n), at_once = taps(&l, nashc_attr_int(n, W_PARALLEL));
    nashc_windows w;
    if (m > 1) {
        if (nashc_windows_of(&l, m, &w) != NASHC_OK)
            return window_positions(n, m, d);
        at_once = w.windows * w.rows * w.columns;
    }
    in[0] = hw_stream(t, m * l.lanes, l.count);
    out[0] =
        hw_stream(t, l.lanes * at_once, nashc_type_count(nashc_value_type(nashc_node_out(n, 0))));
    return NASHC_OK;
}

/* Beats of all widths, then the same with parallel windows where there are any. */
static bool
window_fold(const nashc_node *n, int64_t k, nashc_fold *out)
{
    nest z;

    if (nest_of(n, &z, NULL) != NASHC_OK)
        return false;
    nashc_loops l = loops_of(n, &z);
    for (int parallel = 0; parallel < 2; parallel++)
        for (int64_t i = 0; (l.lanes = hw_divisor(most_lanes(n, &z), i)) > 0; i++) {
            if ((parallel && taps(&l, true) == 1) || k-- > 0)
                continue;
            *out = (nashc_fold){
                .n = 2, .name = {"simd", "parallel_window"}, .value = {l.lanes, parallel}};
            return true;
        }
    return false;
}

/* Names of FINN's layers, by which its tools and people know them. */
static const char *
window_kind(const nashc_node *n)
{
    static const char *const names[] = {"ConvolutionInputGenerator_rtl", "DownSampler_hls",
                                        "UpsampleNearestNeighbour_hls", "Crop_hls",
                                        "OuterShuffle_hls"};

    return names[nashc_attr_int(n, W_ROLE)];
}

static const nashc_hw window_hw = {
    NASHC_DESC(nashc_hw),          .streams = window_streams, .fold = window_fold,
    .positions = window_positions, .layer_kind = window_kind,
};

const nashc_op nashc_op_hw_window = {
    NASHC_DESC(nashc_op),
    .name = "hw.window",
    .help = "elements of a frame in the order of a nest of loops: windows, strides, transposes",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .attrs = attrs,
    .verify = window_verify,
    .infer = window_infer,
    .eval = window_eval,
    .hw = &window_hw,
};
