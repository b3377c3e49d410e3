/* window.c: sliding windows of convolutions and pools.
 *
 *     out = floor((in + begin + end - ((kernel - 1) * dilation + 1)) / stride) + 1
 *
 * With ceil, windows that begin behind the input and its leading padding are dropped (ONNX from
 * opset 19 on, and PyTorch). Transposed: out = (in - 1) * stride + (kernel - 1) * dilation + 1
 * + output_padding - begin - end.
 */
#include "ops.h"

/* Item i of a list attribute that is empty (def) or has as many items as there are axes. */
static nashc_status
list(const nashc_node *n, int attr, const char *name, int want, int64_t def, int64_t *v,
     nashc_diag *d)
{
    int count;
    const int64_t *a = nashc_attr_ints(n, attr, &count);

    if (count && count != want)
        return nashc_node_error(d, n, "%s has %d entries, expected %d", name, count, want);
    for (int i = 0; i < want; i++) {
        v[i] = count ? a[i] : def;
        if (v[i] < def || v[i] > INT32_MAX)
            return nashc_node_error(d, n, "%s %" PRId64 " is out of range %" PRId64 "..2^31-1",
                                    name, v[i], def);
    }
    return NASHC_OK;
}

/* All but the output extents. */
static nashc_status
start(const nashc_node *n, const nashc_type *x, const int64_t *kernel, int attr, ops_window *w,
      nashc_diag *d)
{
    int64_t stride[3], pads[6], dilation[3];
    int nd = x->rank - 2;
    nashc_status s;

    if (nd < 1 || nd > 3)
        return nashc_node_error(d, n, "input is %s, expected rank 3 to 5", nashc_type_str(d, x));
    if ((s = list(n, attr, "stride", nd, 1, stride, d)) != NASHC_OK ||
        (s = list(n, attr + 1, "pads", 2 * nd, 0, pads, d)) != NASHC_OK ||
        (s = list(n, attr + 2, "dilation", nd, 1, dilation, d)) != NASHC_OK)
        return s;
    *w = (ops_window){.nd = nd, .batch = x->dim[0], .channels = nashc_type_channels(x)};
    w->first = nashc_type_channel_axis(x) == 1 ? 2 : 1;
    w->taps = w->in_size = w->out_size = 1;
    for (int i = 0; i < 3; i++) {
        int a = i - (3 - nd); /* spatial axis of the tensor */
        w->in[i] = a < 0 ? 1 : x->dim[w->first + a];
        w->kernel[i] = a < 0 ? 1 : kernel[a];
        w->stride[i] = a < 0 ? 1 : stride[a];
        w->dilation[i] = a < 0 ? 1 : dilation[a];
        w->begin[i] = a < 0 ? 0 : pads[a];
        w->end[i] = a < 0 ? 0 : pads[nd + a];
        if (w->in[i] < 1)
            return nashc_node_error(d, n, "input is %s: axis %d has no known size >= 1",
                                    nashc_type_str(d, x), w->first + a);
        if (w->kernel[i] < 1 || w->kernel[i] > INT32_MAX)
            return nashc_node_error(d, n, "kernel extent %" PRId64 " is out of range 1..2^31-1",
                                    w->kernel[i]);
        if (!nashc_mul_size(w->taps, w->kernel[i], &w->taps) ||
            !nashc_mul_size(w->in_size, w->in[i], &w->in_size))
            return nashc_node_error(d, n, "sizes overflow");
    }
    return NASHC_OK;
}

static nashc_status
finish(const nashc_node *n, ops_window *w, nashc_diag *d)
{
    for (int i = 0; i < 3; i++)
        if (!nashc_mul_size(w->out_size, w->out[i], &w->out_size) ||
            w->out_size > NASHC_MAX_ELEMENTS)
            return nashc_node_error(d, n, "output has more than 2^31 positions");
    return NASHC_OK;
}

nashc_status
ops_window_of(const nashc_node *n, const nashc_type *x, const int64_t *kernel, int attr, bool ceil,
              ops_window *w, nashc_diag *d)
{
    nashc_status s = start(n, x, kernel, attr, w, d);

    if (s != NASHC_OK)
        return s;
    for (int i = 0; i < 3; i++) {
        int axis = w->first + i - (3 - w->nd);
        /* every term is below 2^31 or 2^62: sums fit */
        int64_t extent = (w->kernel[i] - 1) * w->dilation[i] + 1;
        int64_t total = w->in[i] + w->begin[i] + w->end[i];
        if (extent > total)
            return nashc_node_error(d, n,
                                    "window of extent %" PRId64 " (kernel %" PRId64
                                    ", dilation %" PRId64 ") exceeds the padded input of %" PRId64
                                    " along axis %d",
                                    extent, w->kernel[i], w->dilation[i], total, axis);
        int64_t rest = total - extent;
        w->out[i] = rest / w->stride[i] + 1;
        if (ceil && rest % w->stride[i] && w->out[i] * w->stride[i] < w->in[i] + w->begin[i])
            w->out[i]++;
        int64_t last = (w->out[i] - 1) * w->stride[i] - w->begin[i] + extent;
        w->padded |= w->begin[i] > 0 || last > w->in[i];
    }
    return finish(n, w, d);
}

nashc_status
ops_window_of_transposed(const nashc_node *n, const nashc_type *x, const int64_t *kernel, int attr,
                         int out_pad, ops_window *w, nashc_diag *d)
{
    int64_t extra[3];
    nashc_status s = start(n, x, kernel, attr, w, d);

    if (s != NASHC_OK || (s = list(n, out_pad, "output_padding", w->nd, 0, extra, d)) != NASHC_OK)
        return s;
    for (int i = 0; i < 3; i++) {
        int a = i - (3 - w->nd);
        int64_t size, more = a < 0 ? 0 : extra[a];
        if (more && more >= w->stride[i] && more >= w->dilation[i])
            return nashc_node_error(
                d, n, "output_padding %" PRId64 " is not below stride or dilation", more);
        if (!nashc_mul_size(w->in[i] - 1, w->stride[i], &size) ||
            !nashc_add_size(size, (w->kernel[i] - 1) * w->dilation[i] + 1 + more, &size))
            return nashc_node_error(d, n, "output size overflows along axis %d", w->first + a);
        w->out[i] = size - w->begin[i] - w->end[i];
        if (w->out[i] < 1)
            return nashc_node_error(d, n, "padding leaves nothing of the output along axis %d",
                                    w->first + a);
    }
    w->padded = true; /* at the border, taps meet nothing */
    return finish(n, w, d);
}

void
ops_window_taps(const ops_window *w, int64_t *least, int64_t *most)
{
    *least = *most = 1;
    for (int i = 0; i < 3; i++) {
        int64_t lo = INT64_MAX, hi = 0, extent = (w->kernel[i] - 1) * w->dilation[i] + 1;
        for (int64_t o = 0; o < w->out[i]; o++) {
            int64_t from = o * w->stride[i] - w->begin[i], dil = w->dilation[i];
            int64_t skip = from < 0 ? (-from + dil - 1) / dil : 0; /* taps before the input */
            int64_t fit = from >= w->in[i] ? 0 : (w->in[i] - 1 - from) / dil + 1;
            int64_t count = (fit < w->kernel[i] ? fit : w->kernel[i]) - skip;
            count = count < 0 ? 0 : count;
            lo = count < lo ? count : lo;
            hi = count > hi ? count : hi;
            /* windows inside the input are all alike: on to the last of them */
            if (from >= 0 && from + extent <= w->in[i]) {
                int64_t inside = (w->in[i] - extent - from) / w->stride[i];
                o += inside < w->out[i] - 1 - o ? inside : w->out[i] - 1 - o;
            }
        }
        *least *= lo;
        *most *= hi;
    }
}

int64_t
ops_window_source(const ops_window *w, int64_t o, int64_t t)
{
    int64_t at = 0, size = 1;

    for (int i = 2; i >= 0; i--) {
        int64_t p = o % w->out[i] * w->stride[i] - w->begin[i] + t % w->kernel[i] * w->dilation[i];
        if (p < 0 || p >= w->in[i])
            return -1;
        at += p * size;
        size *= w->in[i];
        o /= w->out[i];
        t /= w->kernel[i];
    }
    return at;
}

int64_t
ops_window_source_transposed(const ops_window *w, int64_t o, int64_t t)
{
    int64_t at = 0, size = 1;

    for (int i = 2; i >= 0; i--) {
        int64_t p = o % w->out[i] + w->begin[i] - t % w->kernel[i] * w->dilation[i];
        if (p < 0 || p % w->stride[i] || p / w->stride[i] >= w->in[i])
            return -1;
        at += p / w->stride[i] * size;
        size *= w->in[i];
        o /= w->out[i];
        t /= w->kernel[i];
    }
    return at;
}

nashc_type
ops_window_shape(const ops_window *w, const nashc_type *x, int64_t channels)
{
    nashc_type out = *x;

    out.dim[nashc_type_channel_axis(x)] = channels;
    for (int a = 0; a < w->nd; a++)
        out.dim[w->first + a] = w->out[3 - w->nd + a];
    return out;
}
