/* nhwc.c: QONNX operators on channels-last tensors, as IR operators between transposes. */
#include "frontends/onnx/ops/family.h"
#include <inttypes.h>
#include <string.h>

enum { MAX_KERNEL = 4096 }; /* places of an Im2Col kernel */

/* N, spatial..., C becomes N, C, spatial...; NULL stays NULL. */
static nashc_value *
to_first(nashc_onnx_in *r, nashc_value *x)
{
    int64_t perm[NASHC_MAX_RANK];
    int rank = x ? nashc_value_type(x)->rank : 0;

    for (int i = 0; i < rank; i++)
        perm[i] = i == 0 ? 0 : i == 1 ? rank - 1 : i - 1;
    x = nashc_onnx_transpose(r, x, perm);
    /* a reshape drops the layout, which would still say that channels are last */
    if (x && nashc_value_type(x)->layout != NASHC_LAYOUT_DEFAULT)
        x = nashc_onnx_reshape(r, x, nashc_value_type(x)->dim, rank);
    return x;
}

/* The inverse. */
static nashc_value *
to_last(nashc_onnx_in *r, nashc_value *x)
{
    int64_t perm[NASHC_MAX_RANK];
    int rank = x ? nashc_value_type(x)->rank : 0;

    for (int i = 0; i < rank; i++)
        perm[i] = i == 0 ? 0 : i == rank - 1 ? 1 : i + 1;
    return nashc_onnx_transpose(r, x, perm);
}

/* The attribute as n numbers of at least least; absent: def for each. */
static nashc_status
ints(nashc_onnx_in *r, const char *name, int n, int64_t least, int64_t def, int64_t *out)
{
    int have;
    const int64_t *v = nashc_onnx_attr_ints(r, name, &have);

    for (int i = 0; i < n; i++)
        out[i] = def;
    if (!v)
        return NASHC_OK;
    if (have != n)
        return nashc_onnx_error(r, "attribute %s has %d entries, expected %d", name, have, n);
    for (int i = 0; i < n; i++) {
        if (v[i] < least || v[i] > INT32_MAX)
            return nashc_onnx_error(r, "attribute %s holds %" PRId64, name, v[i]);
        out[i] = v[i];
    }
    return NASHC_OK;
}

/* The patch matrix: for each place of the kernel the input it sees, side by side along the
 * channels, kernel column fastest. */
static nashc_status
read_im2col(nashc_onnx_in *r)
{
    nashc_value *x = nashc_onnx_in_value(r, 0), **parts;
    int64_t kernel[2], stride[2], dilation[2], pad[4], out[2];
    int64_t value = nashc_onnx_attr_int(r, "pad_value", 0);
    nashc_status s;

    if (!x)
        return nashc_onnx_status(r);
    nashc_type t = *nashc_value_type(x);
    if (t.rank != 4)
        return nashc_onnx_error(r, "input \"%s\" is %s, expected [N,H,W,C]",
                                nashc_onnx_in_name(r, 0), nashc_type_str(nashc_onnx_diag(r), &t));
    if ((s = ints(r, "kernel_size", 2, 1, 1, kernel)) || (s = ints(r, "stride", 2, 1, 1, stride)) ||
        (s = ints(r, "dilations", 2, 1, 1, dilation)) || (s = ints(r, "pad_amount", 4, 0, 0, pad)))
        return s;
    for (int i = 0; i < 2; i++) {
        /* pads are begin y, begin x, end y, end x */
        int64_t have = t.dim[i + 1] + pad[i] + pad[i + 2];
        int64_t extent = dilation[i] * (kernel[i] - 1) + 1;
        if (have < extent)
            return nashc_onnx_error(
                r, "kernel of extent %" PRId64 " exceeds the padded input of %" PRId64, extent,
                have);
        out[i] = (have - extent) / stride[i] + 1;
    }
    if (pad[0] || pad[1] || pad[2] || pad[3]) {
        int64_t all[8] = {0, pad[0], pad[1], 0, 0, pad[2], pad[3], 0};
        /* nn.pad without a value pads with zeros */
        nashc_value *in[2] = {x, value ? nashc_onnx_f32(r, (double)value) : NULL};
        x = nashc_onnx_op(r, "nn.pad", in, value ? 2 : 1, "pads=%s", nashc_onnx_ints(r, all, 8));
    }
    int64_t n = kernel[0] * kernel[1];
    if (kernel[0] > MAX_KERNEL || kernel[1] > MAX_KERNEL || n > MAX_KERNEL)
        return nashc_onnx_unsup(r, "a kernel of %" PRId64 " elements", n);
    parts = NASHC_NEW_N(nashc_onnx_arena(r), nashc_value *, n);
    for (int64_t i = 0; parts && i < n; i++) {
        int64_t y = i / kernel[1] * dilation[0], z = i % kernel[1] * dilation[1];
        int64_t from[2] = {y, z};
        /* ends lie just behind the last element that is taken */
        int64_t to[2] = {y + (out[0] - 1) * stride[0] + 1, z + (out[1] - 1) * stride[1] + 1};
        parts[i] = nashc_onnx_op1(r, "nn.slice", x, "starts=%s ends=%s axes=[1,2] steps=%s",
                                  nashc_onnx_ints(r, from, 2), nashc_onnx_ints(r, to, 2),
                                  nashc_onnx_ints(r, stride, 2));
    }
    if (!parts || !parts[0])
        return nashc_onnx_status(r);
    x = n == 1 ? parts[0] : nashc_onnx_op(r, "nn.concat", parts, (int)n, "axis=3");
    return nashc_onnx_set(r, 0, x, nashc_onnx_in_elem(r, 0));
}

/* Two transposes around the plain pool; passes remove them where the neighbours are channels-last.
 */
static nashc_status
read_maxpool_nhwc(nashc_onnx_in *r)
{
    nashc_value *x = to_first(r, nashc_onnx_in_value(r, 0));
    const char *text;
    nashc_status s;

    if (!x)
        return nashc_onnx_status(r);
    if ((s = onnx_pool_text(r, nashc_value_type(x), &text)))
        return s;
    return nashc_onnx_set(r, 0, to_last(r, nashc_onnx_op1(r, "nn.maxpool", x, "%s", text)),
                          nashc_onnx_in_elem(r, 0));
}

/* Bits that v needs, 0 for 0. */
static int
bit_length(uint64_t v)
{
    int n = 0;

    for (; v; v >>= 1)
        n++;
    return n;
}

/* The sum of a window, shifted right: a truncated sum, not a mean. */
static nashc_status
read_quant_avgpool(nashc_onnx_in *r)
{
    const char *layout = nashc_onnx_attr_str(r, "data_layout", "NCHW");
    int64_t k = nashc_onnx_attr_int(r, "kernel", 1), stride = nashc_onnx_attr_int(r, "stride", 1);
    int64_t ibits = nashc_onnx_attr_int(r, "ibits", 8), obits = nashc_onnx_attr_int(r, "obits", 8);
    bool last = !strcmp(layout, "NHWC");
    nashc_value *x = nashc_onnx_in_value(r, 0);

    if (!x)
        return nashc_onnx_status(r);
    const nashc_type *t = nashc_value_type(x);
    if (t->rank != 4)
        return nashc_onnx_error(r, "input \"%s\" is %s, expected 4 dimensions",
                                nashc_onnx_in_name(r, 0), nashc_type_str(nashc_onnx_diag(r), t));
    if (k < 1 || k > 4096 || stride < 1 || stride > 4096 || ibits < 1 || ibits > 32 || obits < 1 ||
        obits > 32 || k > t->dim[last ? 1 : 2] || k > t->dim[last ? 2 : 3])
        return nashc_onnx_error(r,
                                "kernel %" PRId64 ", stride %" PRId64 ", ibits %" PRId64
                                ", obits %" PRId64 " are not legal for %s",
                                k, stride, ibits, obits, nashc_type_str(nashc_onnx_diag(r), t));
    /* QONNX's own formula: bits of the greatest sum of a window, less those of the result; at most
     * 56 bits, as ibits <= 32 and k <= 2^12 */
    int shift = bit_length((uint64_t)((INT64_C(1) << ibits) - 1) * (uint64_t)(k * k)) - (int)obits;
    x = last ? to_first(r, x) : x;
    x = nashc_onnx_op1(r, "nn.sumpool", x,
                       "kernel=[%" PRId64 ",%" PRId64 "] stride=[%" PRId64 ",%" PRId64 "]", k, k,
                       stride, stride);
    if (shift > 0) {
        x = nashc_onnx_op2(r, "nn.mul", x, nashc_onnx_f32(r, 1.0 / (double)(INT64_C(1) << shift)));
        x = nashc_onnx_op1(r, "nn.floor", x, NULL);
    }
    return nashc_onnx_set(r, 0, last ? to_last(r, x) : x, nashc_onnx_in_elem(r, 0));
}

/* Shape t as the standard operators see it: channels behind the batch. */
static nashc_type
channels_first(const nashc_type *t)
{
    nashc_type out = *t;

    out.layout = NASHC_LAYOUT_DEFAULT;
    for (int i = 1; i < t->rank; i++)
        out.dim[i] = t->dim[i == 1 ? t->rank - 1 : i - 1];
    return out;
}

/* Conv, MaxPool, BatchNormalization of the channels_last domain: weights O,kh,kw,I. A tensor that
 * the IR knows as channels-last is used as it is, any other one is turned round. */
static nashc_status
read_channels_last(nashc_onnx_in *r)
{
    const char *name = nashc_onnx_op_type(r), *text;
    nashc_value *x = nashc_onnx_in_value(r, 0), *in[5];
    bool conv = !strcmp(name, "Conv"), turn;
    int n = nashc_onnx_n_in(r);
    nashc_status s;

    if (!x)
        return nashc_onnx_status(r);
    turn = nashc_value_type(x)->layout == NASHC_LAYOUT_DEFAULT;
    if (nashc_value_type(x)->rank < 3)
        return nashc_onnx_error(r, "input \"%s\" is %s, expected [N,...,C]",
                                nashc_onnx_in_name(r, 0),
                                nashc_type_str(nashc_onnx_diag(r), nashc_value_type(x)));
    /* windows and their pads are computed on shapes as the standard has them */
    nashc_type xt = channels_first(nashc_value_type(x));
    in[0] = turn ? to_first(r, x) : x;
    for (int i = 1; i < n; i++)
        if (!(in[i] = nashc_onnx_in_value(r, i)))
            return nashc_onnx_status(r);
    if (conv) {
        nashc_type wt = channels_first(nashc_value_type(in[1]));
        if ((s = onnx_conv_attrs(r, &xt, &wt, &text)))
            return s;
        in[1] = turn ? to_first(r, in[1]) : in[1];
        x = nashc_onnx_op(r, "nn.conv", in, n, "%s", text);
    } else if (!strcmp(name, "MaxPool")) {
        if ((s = onnx_pool_text(r, &xt, &text)))
            return s;
        x = nashc_onnx_op1(r, "nn.maxpool", in[0], "%s", text);
    } else {
        x = nashc_onnx_op(r, "nn.batchnorm", in, 5, "eps=%.17g",
                          nashc_onnx_attr_float(r, "epsilon", (double)1e-5f));
    }
    return nashc_onnx_set(r, 0, turn ? to_last(r, x) : x, nashc_onnx_in_elem(r, 0));
}

static const nashc_onnx_row rows[] = {
    {QONNX, "Im2Col", 1, NULL,
     "depthwise-:i dilations-:I input_shape-:s kernel_size-:I pad_amount-:I pad_value-:i stride-:I",
     1, 1, 1, 0, read_im2col},
    {QONNX, "MaxPoolNHWC", 1, NULL, POOL_ATTRS, 1, 1, 1, 0, read_maxpool_nhwc},
    {QONNX, "QuantAvgPool2d", 1, NULL,
     "data_layout-:s ibits-:i kernel-:i obits-:i signed-:i stride-:i", 1, 1, 1, 0,
     read_quant_avgpool},
    {CHANNELS_LAST, "BatchNormalization", 1, NULL, BN_ATTRS, 5, 5, 1, 0, read_channels_last},
    {CHANNELS_LAST, "Conv", 1, NULL, CONV_ATTRS, 2, 3, 1, 0, read_channels_last},
    {CHANNELS_LAST, "MaxPool", 1, NULL, POOL_ATTRS, 1, 1, 1, 0, read_channels_last},
    {0},
};

extern const nashc_impl nashc_impl_onnx_nhwc;

const nashc_impl nashc_impl_onnx_nhwc = NASHC_IMPL_ONNX("nhwc", rows);
