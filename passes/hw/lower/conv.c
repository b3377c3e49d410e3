/* conv.c: convolutions and pools on channels-last frames as layers.
 *
 *     nn.conv        [hw.fmpadding] [hw.window] hw.mvau, or hw.vvau if each channel has a kernel of
 *                    its own; groups of channels: hw.mvau groups=G
 *     nn.conv_transpose             hw.fmpadding with gaps, then as a convolution of stride 1 with
 *                    the kernels turned round
 *     nn.maxpool, nn.sumpool        [hw.fmpadding] [hw.window] hw.pool
 *
 * Windows come with the kernel's positions outside and the channels inside, whatever the folding. A
 * pool whose windows tile the frame needs no window generator: the pool keeps a row of maxima.
 */
#include "lower.h"
#include <inttypes.h>
#include <string.h>

/* A channels-last frame; rank 3 has height 1. */
typedef struct frame {
    int64_t h, w, c;
} frame;

/* A sliding window: rows, then columns. gap: pixels of the border's value between two of the frame.
 * A border below 0 cuts off. */
typedef struct sliding {
    frame in, out;
    int64_t kernel[2], stride[2], dilation[2], before[2], behind[2], gap[2];
} sliding;

static const char *
why_no_frame(const nashc_value *v)
{
    const nashc_type *t = nashc_value_type(v);

    if (!lower_is_int(v))
        return "its input is not an integer tensor";
    if (t->rank != 3 && t->rank != 4)
        return "its input has no one or two spatial dimensions";
    if (nashc_type_channel_axis(t) != t->rank - 1)
        return "its input is channels-first: run to-channels-last before";
    if (t->dim[0] != 1)
        return "its input is a batch: frames pass one by one";
    return NULL;
}

static frame
frame_of(const nashc_value *v)
{
    const nashc_type *t = nashc_value_type(v);

    return (frame){t->rank == 4 ? t->dim[1] : 1, t->dim[t->rank - 2], t->dim[t->rank - 1]};
}

/* Entries of a list attribute for rows and columns; none: def. step: from one kind of entry to the
 * next in "all begins, all ends". */
static void
pair_of(const nashc_node *n, const char *name, int64_t def, bool ends, int64_t out[2])
{
    int count;
    const int64_t *v = nashc_node_ints(n, name, &count);
    bool flat = nashc_value_type(nashc_node_in(n, 0))->rank == 3;
    int axes = flat ? 1 : 2, first = ends ? axes : 0;

    out[0] = flat || count == 0 ? def : v[first];
    out[1] = count == 0 ? def : v[first + axes - 1];
}

/* kernel: rows and columns. Windows may reach behind the padding (ceil), or leave a rest. */
static sliding
sliding_of(const nashc_node *n, const int64_t kernel[2])
{
    sliding s = {.in = frame_of(nashc_node_in(n, 0)), .out = frame_of(nashc_node_out(n, 0))};
    int64_t in[2] = {s.in.h, s.in.w}, out[2] = {s.out.h, s.out.w};

    pair_of(n, "stride", 1, false, s.stride);
    pair_of(n, "dilation", 1, false, s.dilation);
    pair_of(n, "pads", 0, false, s.before);
    pair_of(n, "pads", 0, true, s.behind);
    for (int i = 0; i < 2; i++) {
        s.kernel[i] = kernel[i];
        int64_t need = (out[i] - 1) * s.stride[i] + s.dilation[i] * (kernel[i] - 1) + 1;
        int64_t more = need - in[i] - s.before[i];
        s.behind[i] = more > s.behind[i] ? more : s.behind[i];
    }
    return s;
}

static int64_t
at_least_0(int64_t v)
{
    return v > 0 ? v : 0;
}

/* The sliding window of nn.conv_transpose n: an output at o is the sum over taps t of what lies at
 * o + begin - dilation * t among the pixels, stride apart, with zeros between and around them.
 * Taken from the last tap on, these windows ascend. */
static sliding
transposed_of(const nashc_node *n, const int64_t kernel[2])
{
    sliding s = {.in = frame_of(nashc_node_in(n, 0)), .out = frame_of(nashc_node_out(n, 0))};
    int64_t in[2] = {s.in.h, s.in.w}, out[2] = {s.out.h, s.out.w}, stride[2], begin[2];

    pair_of(n, "stride", 1, false, stride);
    pair_of(n, "dilation", 1, false, s.dilation);
    pair_of(n, "pads", 0, false, begin);
    for (int i = 0; i < 2; i++) {
        s.kernel[i] = kernel[i];
        s.stride[i] = 1;
        s.gap[i] = stride[i] - 1;
        s.before[i] = s.dilation[i] * (kernel[i] - 1) - begin[i];
        s.behind[i] = out[i] - 1 + begin[i] - (in[i] - 1) * stride[i];
    }
    return s;
}

/* x with border and gaps of value, and the frame that this gives. */
static nashc_value *
put_border(nashc_lower *l, nashc_value *x, frame *f, const sliding *s, nashc_value *value)
{
    int64_t dim[2] = {f->h, f->w}, gaps[2] = {f->h > 1 ? s->gap[0] : 0, f->w > 1 ? s->gap[1] : 0};
    int64_t pads[4] = {at_least_0(s->before[0]), at_least_0(s->before[1]), at_least_0(s->behind[0]),
                       at_least_0(s->behind[1])};
    nashc_value *in[2] = {x, value};

    if (!pads[0] && !pads[1] && !pads[2] && !pads[3] && !gaps[0] && !gaps[1])
        return x;
    f->h = pads[0] + (f->h - 1) * (gaps[0] + 1) + 1 + pads[2];
    f->w = pads[1] + (f->w - 1) * (gaps[1] + 1) + 1 + pads[3];
    return nashc_lower_op(l, "hw.fmpadding", in, 2, "dim=%s pads=%s gaps=%s channels=%" PRId64,
                          nashc_lower_ints(l, dim, 2), nashc_lower_ints(l, pads, 4),
                          nashc_lower_ints(l, gaps, 2), lower_columns(x, f->c));
}

static nashc_value *
one_value(nashc_lower *l, int64_t v)
{
    return nashc_lower_matrix(l, &v, 1, 1, NULL);
}

/* The windows of x, of groups of channels each, a row a position of the kernel. */
static nashc_value *
put_windows(nashc_lower *l, nashc_value *x, const frame *f, const sliding *s, int64_t groups)
{
    bool point = s->kernel[0] == 1 && s->kernel[1] == 1;
    int64_t of_group = f->c / groups;
    int64_t cut[2] = {at_least_0(-s->before[0]), at_least_0(-s->before[1])};
    lower_loops nest = {.n = 6,
                        .dim = {s->out.h, s->out.w, groups, s->kernel[0], s->kernel[1], of_group},
                        .stride = {s->stride[0] * f->w * f->c, s->stride[1] * f->c, of_group,
                                   s->dilation[0] * f->w * f->c, s->dilation[1] * f->c, 1},
                        .offset = (cut[0] * f->w + cut[1]) * f->c};

    return lower_put_loops(l, x, &nest, of_group, point ? "downsample" : "im2col");
}

/* --- convolutions ------------------------------------------------------------------------------
 */

static const char *
why_not_conv(const nashc_node *n, nashc_arena *a)
{
    const nashc_value *w = nashc_node_in(n, 1);
    const char *why = why_no_frame(nashc_node_in(n, 0));

    (void)a;
    if (why)
        return why;
    if (!nashc_value_const(w) || !lower_is_int(w))
        return "its weights are not constant integers";
    if (nashc_node_in(n, 2))
        return "it has a bias operand, which belongs behind it as nn.add";
    if (!nashc_type_is_int(nashc_value_type(nashc_node_out(n, 0))))
        return "its result is not an integer tensor";
    return NULL;
}

/* Weights [O,(kh,)kw,I/G] as rows of kernel positions and channels of a group, a column an output.
 */
static void
conv_weights(const nashc_tensor *w, lower_mvau *m)
{
    for (int64_t o = 0; o < m->mh; o++)
        for (int64_t i = 0; i < m->mw; i++)
            lower_set_weight(m, i, o, nashc_tensor_get_int(w, o * m->mw + i));
}

/* Weights [I,(kh,)kw,O/G] as the same rows and columns, kernels turned round. */
static void
transposed_weights(const nashc_tensor *w, int64_t channels, lower_mvau *m)
{
    const nashc_type *t = nashc_tensor_type(w);
    int64_t outs = t->dim[t->rank - 1], of_group = channels * outs / m->mh;
    int64_t taps = m->mw / of_group;

    for (int64_t o = 0; o < m->mh; o++)
        for (int64_t i = 0; i < m->mw; i++) {
            int64_t from = o / outs * of_group + i % of_group, tap = taps - 1 - i / of_group;
            lower_set_weight(m, i, o,
                             nashc_tensor_get_int(w, (from * taps + tap) * outs + o % outs));
        }
}

static nashc_status
convert_conv(nashc_lower *l, nashc_node *n)
{
    const nashc_tensor *weights = nashc_value_const(nashc_node_in(n, 1));
    const nashc_type *w = nashc_tensor_type(weights);
    bool trans = nashc_node_is(n, "nn.conv_transpose");
    int64_t kernel[2] = {w->rank == 4 ? w->dim[1] : 1, w->dim[w->rank - 2]};
    int64_t group = nashc_node_int(n, "group");
    sliding s = trans ? transposed_of(n, kernel) : sliding_of(n, kernel);
    frame f = s.in;
    int64_t of_group = f.c / group;
    bool depthwise = of_group == 1 && s.out.c == f.c && group > 1;
    lower_mvau m = {.op = depthwise ? "hw.vvau" : "hw.mvau",
                    .attrs = depthwise || group == 1 ? ""
                                                     : nashc_arena_printf(nashc_lower_arena(l),
                                                                          "groups=%" PRId64, group),
                    .mw = kernel[0] * kernel[1] * of_group,
                    .mh = s.out.c,
                    .inner = 1};

    nashc_value *x = put_border(l, nashc_lower_in(l, n, 0), &f, &s, one_value(l, 0));
    x = x ? put_windows(l, x, &f, &s, depthwise ? 1 : group) : NULL;
    if (!x)
        return nashc_lower_status(l);
    if (!lower_new_weights(l, &m))
        return nashc_enomem(nashc_lower_diag(l));
    if (trans)
        transposed_weights(weights, f.c, &m);
    else
        conv_weights(weights, &m);
    return lower_put_mvau(l, n, x, &m);
}

/* --- pools -------------------------------------------------------------------------------------
 */

static const char *
why_not_pool(const nashc_node *n, nashc_arena *a)
{
    (void)a;
    return why_no_frame(nashc_node_in(n, 0));
}

/* Do the windows tile the frame? */
static bool
tiles(const sliding *s, const frame *f)
{
    return s->dilation[0] == 1 && s->dilation[1] == 1 && s->stride[0] == s->kernel[0] &&
           s->stride[1] == s->kernel[1] && f->h == s->out.h * s->kernel[0] &&
           f->w == s->out.w * s->kernel[1];
}

static nashc_status
convert_pool(nashc_lower *l, nashc_node *n)
{
    bool max = nashc_node_is(n, "nn.maxpool");
    int64_t kernel[2];

    pair_of(n, "kernel", 1, false, kernel);
    sliding s = sliding_of(n, kernel);
    frame f = s.in;
    nashc_value *x = nashc_lower_in(l, n, 0);
    x = put_border(l, x, &f, &s, one_value(l, max ? nashc_value_type(x)->lo : 0));
    int64_t tile[3] = {kernel[0], s.out.w, kernel[1]};
    int64_t repeated[3] = {1, 1, kernel[0] * kernel[1]};
    bool direct = x && tiles(&s, &f);
    if (x && !direct)
        x = put_windows(l, x, &f, &s, 1);
    if (!x)
        return nashc_lower_status(l);
    return nashc_lower_put(
        l, n, 0, lower_put_pool(l, x, max ? "max" : "sum", direct ? tile : repeated, f.c));
}

static const nashc_lower_rule conv_rule = {
    NASHC_DESC(nashc_lower_rule),
    .why_not = why_not_conv,
    .convert = convert_conv,
};

const nashc_impl nashc_impl_to_hw_nn_conv = NASHC_IMPL_TO_HW("nn.conv", &conv_rule);
const nashc_impl nashc_impl_to_hw_nn_conv_transpose =
    NASHC_IMPL_TO_HW("nn.conv_transpose", &conv_rule);

static const nashc_lower_rule pool_rule = {
    NASHC_DESC(nashc_lower_rule),
    .why_not = why_not_pool,
    .convert = convert_pool,
};

const nashc_impl nashc_impl_to_hw_nn_maxpool = NASHC_IMPL_TO_HW("nn.maxpool", &pool_rule);
const nashc_impl nashc_impl_to_hw_nn_sumpool = NASHC_IMPL_TO_HW("nn.sumpool", &pool_rule);
