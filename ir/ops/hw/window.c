/* window.c: hw.window(x), the elements of a frame in the order of a nest of loops.
 *
 *     y = [x[offset + i0 * s0 + i1 * s1 + ..] for i0 < n0 for i1 < n1 ..]      (row-major x)
 *
 * The windows of a convolution on a channels-last image of width W and C channels are the loops
 * (OH, OW, kh, kw, C) with strides (sh*W*C, sw*C, dh*W*C, dw*C, 1); strided, repeated, cut out and
 * transposed frames are other loops. Elements pass in beats of simd, through a ring of depth beats:
 * hardware.md B.3, B.14, B.16, B.25. Cycle behaviour: docs/timing.md.
 *
 * Outer loops whose address never falls back tell which elements are no longer needed: of the first
 * p loops, s_j >= sum of (n_k - 1) s_k over the inner ones k < p.
 */
#include "layer.h"
#include <stdio.h>
#include <string.h>

enum { W_DIMS, W_STRIDES, W_OFFSET, W_CHANNELS, W_SIMD, W_DEPTH, W_RAM_STYLE, W_ROLE };

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
    {.name = "simd", .def = "1", .domain = "1..", .help = "elements a beat", .kind = NASHC_P_INT},
    {.name = "depth",
     .def = "0",
     .domain = "0..",
     .help = "beats that the ring holds; 0: as many as it takes to keep both sides moving",
     .kind = NASHC_P_INT},
    {.name = "ram_style",
     .def = "auto",
     .domain = "auto|block|distributed|ultra",
     .help = "memory of the ring",
     .kind = NASHC_P_ENUM},
    {.name = "role",
     .def = "im2col",
     .domain = "im2col|downsample|upsample|crop|shuffle",
     .help = "what the layer is called",
     .kind = NASHC_P_ENUM},
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

/* The loops of n. EINPUT: not a nest, or it leaves the frame. */
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

/* Most elements that a beat can have: they stay neighbours. */
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

/* Loops over beats: without those of one iteration, and with loops in one that follow each other.
 */
static void
in_beats(const nest *z, int64_t simd, nest *out)
{
    out->n = 0;
    for (int i = z->n - 1; i >= 0; i--) {
        int64_t dim = i == z->n - 1 ? z->dim[i] / simd : z->dim[i];
        int64_t stride = i == z->n - 1 ? 1 : z->stride[i] / simd;
        int k = out->n;
        if (dim == 1)
            continue;
        if (k > 0 && stride == out->dim[k - 1] * out->stride[k - 1]) {
            out->dim[k - 1] *= dim;
            continue;
        }
        out->dim[k] = dim;
        out->stride[k] = stride;
        out->n++;
    }
    for (int i = 0; i < out->n / 2; i++) { /* outermost first */
        int k = out->n - 1 - i;
        int64_t dim = out->dim[i], stride = out->stride[i];
        out->dim[i] = out->dim[k];
        out->stride[i] = out->stride[k];
        out->dim[k] = dim;
        out->stride[k] = stride;
    }
}

/* How far loops from..to-1 move the address in all. */
static int64_t
span(const nest *z, int from, int to)
{
    int64_t sum = 0;

    for (int i = from; i < to; i++)
        sum += (z->dim[i] - 1) * z->stride[i];
    return sum;
}

/* How many outer loops never fall back. */
static int
rising(const nest *z)
{
    for (int p = z->n; p > 0; p--) {
        bool good = true;
        for (int j = 0; j < p; j++)
            good = good && z->stride[j] >= span(z, j + 1, p);
        if (good)
            return p;
    }
    return 0;
}

/* Depth with which neither side waits for the other: what a window spans, and what has to come in
 * while one is given (hardware.md B.3.2), of the next frame behind the last one. words: a frame. */
static int64_t
good_depth(const nest *z, int p, int64_t words)
{
    int64_t least = span(z, p, z->n) + 1, window = 1, more = words - span(z, 0, p);

    for (int i = p; i < z->n; i++)
        window *= z->dim[i];
    for (int i = 0; i < p; i++) {
        int64_t jump = z->stride[i] - span(z, i + 1, p);
        more = jump > more ? jump : more;
    }
    more = more > window ? more - window : 0;
    return least + more < 2 ? 2 : least + more;
}

static nashc_status
window_ring(const nashc_node *n, nashc_ring *out)
{
    int64_t simd = nashc_attr_int(n, W_SIMD), depth = nashc_attr_int(n, W_DEPTH);
    nest z, b;
    nashc_status s = nest_of(n, &z, NULL);

    if (s != NASHC_OK)
        return s;
    in_beats(&z, simd, &b);
    if (b.n > NASHC_RING_LOOPS)
        return NASHC_EUNSUP;
    int p = rising(&b);
    *out = (nashc_ring){.words = count_of(n) / simd,
                        .depth = depth ? depth : good_depth(&b, p, count_of(n) / simd),
                        .first = nashc_attr_int(n, W_OFFSET) / simd,
                        .loops = b.n};
    for (int k = 0; k < b.n; k++) {
        out->count[k] = b.dim[k];
        out->move[k] = b.stride[k] - span(&b, k + 1, b.n);
        out->release[k] = k < p ? b.stride[k] - span(&b, k + 1, p) : 0;
    }
    out->move[b.n] = out->words - span(&b, 0, b.n);
    out->release[b.n] = out->words - span(&b, 0, p);
    return NASHC_OK;
}

static nashc_status
window_verify(const nashc_node *n, nashc_diag *d)
{
    int64_t simd = nashc_attr_int(n, W_SIMD), depth = nashc_attr_int(n, W_DEPTH);
    nest z, b;
    nashc_status s = nest_of(n, &z, d);

    if (s != NASHC_OK)
        return s;
    if (most_lanes(n, &z) % simd != 0)
        return nashc_node_error(d, n,
                                "simd=%" PRId64 " does not divide %" PRId64
                                ", the elements that stay next to each other",
                                simd, most_lanes(n, &z));
    in_beats(&z, simd, &b);
    if (b.n > NASHC_RING_LOOPS)
        return nashc_node_unsup(d, n, "more than %d loops", NASHC_RING_LOOPS);
    int64_t least = span(&b, rising(&b), b.n) + 1;
    if (depth != 0 && depth < least)
        return nashc_node_error(d, n, "depth=%" PRId64 " is less than the %" PRId64 " it takes",
                                depth, least);
    return NASHC_OK;
}

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
    for (int64_t k = 0; k < y->n; k++) {
        nashc_buf_set_int(y, k, nashc_buf_get_int(x, at));
        for (int j = z.n - 1; j >= 0; j--) {
            at += z.stride[j];
            if (++i[j] < z.dim[j])
                break;
            at -= i[j] * z.stride[j];
            i[j] = 0;
        }
    }
    return NASHC_OK;
}

static nashc_status
window_streams(const nashc_node *n, nashc_stream *in, nashc_stream *out, nashc_diag *d)
{
    const nashc_type *t = nashc_value_type(nashc_node_in(n, 0));
    int64_t simd = nashc_attr_int(n, W_SIMD);

    (void)d;
    in[0] = hw_stream(t, simd, count_of(n));
    out[0] = hw_stream(t, simd, nashc_type_count(nashc_value_type(nashc_node_out(n, 0))));
    return NASHC_OK;
}

static uint64_t
window_cycles(const nashc_node *n)
{
    int64_t in = count_of(n), out = nashc_type_count(nashc_value_type(nashc_node_out(n, 0)));

    return (uint64_t)((in > out ? in : out) / nashc_attr_int(n, W_SIMD));
}

static nashc_status
window_cost(const nashc_node *n, const nashc_device *dev, nashc_cost *out)
{
    uint64_t width =
        (uint64_t)nashc_attr_int(n, W_SIMD) * nashc_value_type(nashc_node_in(n, 0))->bits;
    nashc_cost c = {.bram_efficiency = 1, .uram_efficiency = 1};
    nashc_ring r;
    nashc_status s = window_ring(n, &r);

    if (s != NASHC_OK)
        return s;
    uint64_t address = (uint64_t)hw_clog2((uint64_t)(r.words + r.depth) + 2);
    c.lut = 30 + 14 * address + width;
    c.ff = 20 + 4 * address + 3 * width;
    for (int k = 0; k < r.loops; k++) {
        uint64_t bits = (uint64_t)hw_clog2((uint64_t)r.count[k]);
        c.lut += 2 * bits + 2;
        c.ff += bits;
    }
    hw_cost_memory(&c, nashc_attr_int(n, W_RAM_STYLE), (uint64_t)r.depth, width);
    if (dev && dev->lut_inputs == 4)
        c.lut = c.lut * 8 / 5;
    *out = c;
    return NASHC_OK;
}

static nashc_status
window_timing(const nashc_node *n, nashc_timing *out)
{
    (void)n;
    *out = (nashc_timing){.steps = 1, .latency = 1, .depth = 2, .kind = 2};
    return NASHC_OK;
}

static bool
window_fold(const nashc_node *n, int64_t k, char *text)
{
    nest z;
    int64_t simd = nest_of(n, &z, NULL) == NASHC_OK ? hw_divisor(most_lanes(n, &z), k) : 0;

    if (simd > 0)
        snprintf(text, 96, "simd=%" PRId64, simd);
    return simd > 0;
}

static const char *
window_kind(const nashc_node *n)
{
    static const char *const names[] = {"ConvolutionInputGenerator_rtl", "DownSampler_hls",
                                        "UpsampleNearestNeighbour_hls", "Crop_hls",
                                        "OuterShuffle_hls"};

    return names[nashc_attr_int(n, W_ROLE)];
}

static const nashc_hw window_hw = {
    NASHC_DESC(nashc_hw),      .streams = window_streams, .cycles = window_cycles,
    .cost = window_cost,       .timing = window_timing,   .fold = window_fold,
    .layer_kind = window_kind, .ring = window_ring,
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
