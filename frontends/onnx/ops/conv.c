/* conv.c: convolutions and pools: windows with auto_pad made explicit. */
#include "frontends/onnx/ops/family.h"
#include <inttypes.h>
#include <string.h>

#define SPATIAL (NASHC_MAX_RANK - 2)

/* Spatial attributes of n axes; pads: begins, then ends. */
typedef struct window {
    int n;
    int64_t kernel[SPATIAL], stride[SPATIAL], dilation[SPATIAL], pads[2 * SPATIAL];
} window;

/* The attribute as n numbers of at least least; absent: def for each. */
static nashc_status
list(nashc_onnx_in *r, const char *name, int n, int64_t def, int64_t least, int64_t *out)
{
    int have;
    const int64_t *v = nashc_onnx_attr_ints(r, name, &have);

    for (int i = 0; i < n; i++)
        out[i] = def;
    if (!v || !have)
        return NASHC_OK;
    if (have != n)
        return nashc_onnx_error(r, "%d %s for %d spatial dimensions", have, name,
                                !strcmp(name, "pads") ? n / 2 : n);
    for (int i = 0; i < n; i++) {
        if (v[i] < least || v[i] > INT32_MAX)
            return nashc_onnx_error(r, "%s holds %" PRId64 ", expected %" PRId64 " to %d", name,
                                    v[i], least, INT32_MAX);
        out[i] = v[i];
    }
    return NASHC_OK;
}

/* ONNX: out = ceil(in / stride), the odd element of the padding at the end (UPPER) or the
 * beginning. */
static nashc_status
auto_pad(nashc_onnx_in *r, const nashc_type *x, window *w)
{
    const char *mode = nashc_onnx_attr_str(r, "auto_pad", "NOTSET");
    bool upper = !strcmp(mode, "SAME_UPPER");

    if (!strcmp(mode, "NOTSET") || !*mode)
        return NASHC_OK;
    memset(w->pads, 0, sizeof w->pads);
    if (!strcmp(mode, "VALID"))
        return NASHC_OK;
    if (!upper && strcmp(mode, "SAME_LOWER"))
        return nashc_onnx_error(r, "auto_pad '%s' is not known",
                                nashc_quote(nashc_onnx_diag(r), mode));
    for (int i = 0; i < w->n; i++) {
        int64_t in = x->dim[i + 2], s = w->stride[i], out = (in + s - 1) / s;
        /* what the windows of `out` outputs span, less the input */
        int64_t total = (out - 1) * s + (w->kernel[i] - 1) * w->dilation[i] + 1 - in;
        total = total < 0 ? 0 : total;
        w->pads[i] = upper ? total / 2 : total - total / 2;
        w->pads[i + w->n] = total - w->pads[i];
    }
    return NASHC_OK;
}

/* Reads the window on x [N,C,...]; kernel: from the weight, NULL: attribute kernel_shape. */
static nashc_status
read_window(nashc_onnx_in *r, const nashc_type *x, const int64_t *kernel, window *w)
{
    nashc_status s;
    int have;
    const int64_t *shape = nashc_onnx_attr_ints(r, "kernel_shape", &have);

    if (x->rank < 3)
        return nashc_onnx_error(r, "input \"%s\" is %s, expected [N,C,...] with spatial dimensions",
                                nashc_onnx_in_name(r, 0), nashc_type_str(nashc_onnx_diag(r), x));
    *w = (window){.n = x->rank - 2};
    if (!kernel && !shape)
        return nashc_onnx_error(r, "attribute kernel_shape is missing");
    if ((s = list(r, "kernel_shape", w->n, 0, 1, w->kernel)) ||
        (s = list(r, "strides", w->n, 1, 1, w->stride)) ||
        (s = list(r, "dilations", w->n, 1, 1, w->dilation)) ||
        (s = list(r, "pads", 2 * w->n, 0, 0, w->pads)))
        return s;
    /* kernel_shape only repeats what the weight has */
    for (int i = 0; kernel && i < w->n; i++) {
        if (shape && have && w->kernel[i] != kernel[i])
            return nashc_onnx_error(r, "kernel_shape holds %" PRId64 ", the weight has %" PRId64,
                                    w->kernel[i], kernel[i]);
        w->kernel[i] = kernel[i];
    }
    return auto_pad(r, x, w);
}

/* The window must fit the padded input, which must be countable. */
static nashc_status
check_fits(nashc_onnx_in *r, const nashc_type *x, const window *w)
{
    for (int i = 0; i < w->n; i++) {
        int64_t in = x->dim[i + 2] + w->pads[i] + w->pads[i + w->n];
        int64_t extent = (w->kernel[i] - 1) * w->dilation[i] + 1;
        if (in < extent)
            return nashc_onnx_error(r,
                                    "kernel of extent %" PRId64
                                    " exceeds the padded input of %" PRId64
                                    " in spatial dimension %d",
                                    extent, in, i);
        if (in > NASHC_MAX_ELEMENTS)
            return nashc_onnx_error(
                r, "padded input of %" PRId64 " is too large in spatial dimension %d", in, i);
    }
    return NASHC_OK;
}

/* Also of no entries. */
static bool
all(const int64_t *v, int n, int64_t value)
{
    for (int i = 0; i < n; i++)
        if (v[i] != value)
            return false;
    return true;
}

/* Attribute text; defaults are left out. */
static const char *
window_text(nashc_onnx_in *r, const window *w, bool kernel)
{
    const char *text = "";

    if (kernel)
        text = nashc_arena_printf(nashc_onnx_arena(r), "kernel=%s",
                                  nashc_onnx_ints(r, w->kernel, w->n));
    if (!all(w->stride, w->n, 1))
        text = nashc_arena_printf(nashc_onnx_arena(r), "%s stride=%s", text,
                                  nashc_onnx_ints(r, w->stride, w->n));
    if (!all(w->pads, 2 * w->n, 0))
        text = nashc_arena_printf(nashc_onnx_arena(r), "%s pads=%s", text,
                                  nashc_onnx_ints(r, w->pads, 2 * w->n));
    if (!all(w->dilation, w->n, 1))
        text = nashc_arena_printf(nashc_onnx_arena(r), "%s dilation=%s", text,
                                  nashc_onnx_ints(r, w->dilation, w->n));
    /* each attribute starts with a blank, but not the text */
    return *text == ' ' ? text + 1 : text;
}

/* w is [out, in/group, ...], for the transposed one [in, out/group, ...]. */
static nashc_status
check_groups(nashc_onnx_in *r, const nashc_type *x, const nashc_type *w, int64_t group,
             bool transposed)
{
    const char *name = nashc_onnx_in_name(r, 1);

    if (w->rank != x->rank)
        return nashc_onnx_error(r, "weight \"%s\" is %s, input is %s", name,
                                nashc_type_str(nashc_onnx_diag(r), w),
                                nashc_type_str(nashc_onnx_diag(r), x));
    if (group < 1)
        return nashc_onnx_error(r, "group is %" PRId64 ", expected at least 1", group);
    if (transposed) {
        if (w->dim[0] != x->dim[1] || w->dim[0] % group)
            return nashc_onnx_error(r,
                                    "input has %" PRId64 " channels, weight \"%s\" expects %" PRId64
                                    " in %" PRId64 " groups",
                                    x->dim[1], name, w->dim[0], group);
        return NASHC_OK;
    }
    if (w->dim[0] % group)
        return nashc_onnx_error(r,
                                "group %" PRId64 " does not divide the %" PRId64 " output channels",
                                group, w->dim[0]);
    /* first, so that the product fits */
    if (group > NASHC_MAX_ELEMENTS || w->dim[1] * group != x->dim[1])
        return nashc_onnx_error(r,
                                "input has %" PRId64 " channels, weight \"%s\" expects %" PRId64
                                " in %" PRId64 " groups",
                                x->dim[1], name, w->dim[1], group);
    return NASHC_OK;
}

/* ONNX has biases as vectors only. */
static nashc_status
check_bias(nashc_onnx_in *r, int i, int64_t channels)
{
    const nashc_type *b = nashc_onnx_in_type(r, i);

    if (b && (b->rank != 1 || b->dim[0] != channels))
        return nashc_onnx_error(r, "bias \"%s\" is %s, expected %" PRId64 " elements",
                                nashc_onnx_in_name(r, i), nashc_type_str(nashc_onnx_diag(r), b),
                                channels);
    return NASHC_OK;
}

nashc_status
onnx_conv_attrs(nashc_onnx_in *r, const nashc_type *x, const nashc_type *w, const char **text)
{
    window win;
    int64_t group = nashc_onnx_attr_int(r, "group", 1);
    nashc_status s = check_groups(r, x, w, group, false);

    if (s || (s = read_window(r, x, w->dim + 2, &win)) || (s = check_fits(r, x, &win)))
        return s;
    /* the kernel's size is that of the weight: nn.conv has no attribute for it */
    const char *t = window_text(r, &win, false);
    *text = group == 1 ? t
                       : nashc_arena_printf(nashc_onnx_arena(r), "%s%sgroup=%" PRId64, t,
                                            *t ? " " : "", group);
    return NASHC_OK;
}

/* Without bias: with one the sum is float arithmetic anyway, and stays as the file has it. */
static nashc_status
read_conv(nashc_onnx_in *r)
{
    nashc_value *x = nashc_onnx_in_plain(r, 0), *w = nashc_onnx_in_value(r, 1),
                *b = nashc_onnx_in_value(r, 2);
    const char *text;
    nashc_status s;

    if (!x || !w || nashc_onnx_failed(r))
        return nashc_onnx_status(r);
    if ((s = onnx_conv_attrs(r, nashc_value_type(x), nashc_value_type(w), &text)) ||
        (s = check_bias(r, 2, nashc_value_type(w)->dim[0])))
        return s;
    if (!b)
        onnx_integer_operands(r, &x, &w, 0);
    return nashc_onnx_set(
        r, 0, nashc_onnx_op(r, "nn.conv", (nashc_value *[]){x, w, b}, b ? 3 : 2, "%s", text),
        nashc_onnx_in_elem(r, 0));
}

/* Padding so that the output has the wanted size; a size that is too large by it becomes output
 * padding. */
static nashc_status
transpose_sizes(nashc_onnx_in *r, const nashc_type *x, window *w, int64_t *extra)
{
    const char *mode = nashc_onnx_attr_str(r, "auto_pad", "NOTSET");
    bool same = !strcmp(mode, "SAME_UPPER") || !strcmp(mode, "SAME_LOWER");
    int n;
    const int64_t *shape = nashc_onnx_attr_ints(r, "output_shape", &n);

    if (!same && !(shape && n))
        return NASHC_OK;
    if (shape && n != w->n && n != w->n + 2)
        return nashc_onnx_error(r, "output_shape has %d entries for %d spatial dimensions", n,
                                w->n);
    for (int i = 0; i < w->n; i++) {
        /* the last entries of output_shape: some files have batch and channels before them */
        int64_t s = w->stride[i], want = shape && n ? shape[n - w->n + i] : x->dim[i + 2] * s;
        int64_t total =
            s * (x->dim[i + 2] - 1) + extra[i] + (w->kernel[i] - 1) * w->dilation[i] + 1 - want;
        if (want < 1 || want > NASHC_MAX_ELEMENTS)
            return nashc_onnx_error(r, "output_shape holds %" PRId64, want);
        if (total < 0) {
            extra[i] -= total;
            total = 0;
        }
        bool upper = !strcmp(mode, "SAME_UPPER");
        w->pads[i] = upper ? total / 2 : total - total / 2;
        w->pads[i + w->n] = total - w->pads[i];
    }
    return NASHC_OK;
}

/* SAME pads so that the output is input * stride, which needs the output, not the input, to be
 * solved for. */
static nashc_status
read_conv_transpose(nashc_onnx_in *r)
{
    nashc_value *x = nashc_onnx_in_plain(r, 0), *w = nashc_onnx_in_value(r, 1),
                *b = nashc_onnx_in_value(r, 2);
    int64_t extra[SPATIAL], group = nashc_onnx_attr_int(r, "group", 1);
    window win;
    nashc_status s;

    if (!x || !w || nashc_onnx_failed(r))
        return nashc_onnx_status(r);
    const nashc_type *xt = nashc_value_type(x), *wt = nashc_value_type(w);
    if ((s = check_groups(r, xt, wt, group, true)) || (s = check_bias(r, 2, wt->dim[1] * group)))
        return s;
    const char *mode = nashc_onnx_attr_str(r, "auto_pad", "NOTSET");
    if (!strncmp(mode, "SAME", 4)) { /* solved for the output below, not for the input */
        win = (window){.n = xt->rank - 2};
        memcpy(win.kernel, wt->dim + 2, sizeof(int64_t) * (size_t)win.n);
        if ((s = list(r, "strides", win.n, 1, 1, win.stride)) ||
            (s = list(r, "dilations", win.n, 1, 1, win.dilation)))
            return s;
    } else if ((s = read_window(r, xt, wt->dim + 2, &win))) {
        return s;
    }
    if ((s = list(r, "output_padding", win.n, 0, 0, extra)) ||
        (s = transpose_sizes(r, xt, &win, extra)))
        return s;
    const char *text = window_text(r, &win, false);
    if (group != 1)
        text = nashc_arena_printf(nashc_onnx_arena(r), "%s group=%" PRId64, text, group);
    if (!all(extra, win.n, 0))
        text = nashc_arena_printf(nashc_onnx_arena(r), "%s output_padding=%s", text,
                                  nashc_onnx_ints(r, extra, win.n));
    return nashc_onnx_set(r, 0,
                          nashc_onnx_op(r, "nn.conv_transpose", (nashc_value *[]){x, w, b},
                                        b ? 3 : 2, "%s", *text == ' ' ? text + 1 : text),
                          nashc_onnx_in_elem(r, 0));
}

/* A window that lies in the padding alone would have no maximum and no mean. */
nashc_status
onnx_pool_text(nashc_onnx_in *r, const nashc_type *x, const char **text)
{
    window win;
    nashc_status s = read_window(r, x, NULL, &win);

    if (s || (s = check_fits(r, x, &win)))
        return s;
    for (int i = 0; i < win.n; i++) {
        int64_t extent = (win.kernel[i] - 1) * win.dilation[i] + 1;
        if (win.pads[i] >= extent || win.pads[i + win.n] >= extent)
            return nashc_onnx_error(r,
                                    "padding of %" PRId64 " and %" PRId64
                                    " leaves windows without input for a kernel of extent %" PRId64,
                                    win.pads[i], win.pads[i + win.n], extent);
    }
    *text = window_text(r, &win, true);
    if (nashc_onnx_attr_int(r, "ceil_mode", 0))
        *text = nashc_arena_printf(nashc_onnx_arena(r), "%s ceil=true", *text);
    return NASHC_OK;
}

/* Its padding is minus infinity, that of nn.maxpool too. */
static nashc_status
read_maxpool(nashc_onnx_in *r)
{
    nashc_value *x = nashc_onnx_in_plain(r, 0);
    const char *text;
    nashc_status s;

    if (!x)
        return nashc_onnx_status(r);
    if (nashc_onnx_out_used(r, 1))
        return nashc_onnx_unsup(r, "output Indices is used; only the values are supported");
    if ((s = onnx_pool_text(r, nashc_value_type(x), &text)))
        return s;
    return nashc_onnx_set(r, 0, nashc_onnx_op1(r, "nn.maxpool", x, "%s", text),
                          nashc_onnx_in_elem(r, 0));
}

/* Without count_include_pad the mean is over what lies in the input. */
static nashc_status
read_avgpool(nashc_onnx_in *r)
{
    nashc_value *x = nashc_onnx_in_plain(r, 0);
    const char *text;
    nashc_status s;

    if (!x)
        return nashc_onnx_status(r);
    if ((s = onnx_pool_text(r, nashc_value_type(x), &text)))
        return s;
    if (nashc_onnx_attr_int(r, "count_include_pad", 0))
        text = nashc_arena_printf(nashc_onnx_arena(r), "%s count_include_pad=true", text);
    return nashc_onnx_set(r, 0, nashc_onnx_op1(r, "nn.avgpool", x, "%s", text),
                          nashc_onnx_in_elem(r, 0));
}

/* Over all spatial axes. */
static nashc_status
read_global_pool(nashc_onnx_in *r)
{
    nashc_value *x = nashc_onnx_in_plain(r, 0);

    if (!x)
        return nashc_onnx_status(r);
    if (nashc_value_type(x)->rank < 3)
        return nashc_onnx_error(r, "input \"%s\" is %s, expected [N,C,...] with spatial dimensions",
                                nashc_onnx_in_name(r, 0),
                                nashc_type_str(nashc_onnx_diag(r), nashc_value_type(x)));
    return nashc_onnx_set(r, 0,
                          nashc_onnx_op1(r,
                                         strcmp(nashc_onnx_op_type(r), "GlobalMaxPool")
                                             ? "nn.global_avgpool"
                                             : "nn.global_maxpool",
                                         x, NULL),
                          nashc_onnx_in_elem(r, 0));
}

static const nashc_onnx_row rows[] = {
    {AI_ONNX, "AveragePool", 1, NULL, POOL_ATTRS, 1, 1, 1, 0, read_avgpool},
    {AI_ONNX, "Conv", 1, NULL, CONV_ATTRS, 2, 3, 1, SAME, read_conv},
    {AI_ONNX, "ConvTranspose", 1, NULL, CONV_ATTRS " output_padding-:I output_shape-:I", 2, 3, 1,
     SAME, read_conv_transpose},
    {AI_ONNX, "GlobalAveragePool", 1, NULL, "", 1, 1, 1, 0, read_global_pool},
    {AI_ONNX, "GlobalMaxPool", 1, NULL, "", 1, 1, 1, 0, read_global_pool},
    {AI_ONNX, "MaxPool", 1, NULL, POOL_ATTRS, 1, 1, 2, 0, read_maxpool},
    {0},
};

extern const nashc_impl nashc_impl_onnx_conv;

const nashc_impl nashc_impl_onnx_conv = NASHC_IMPL_ONNX("conv", rows);
