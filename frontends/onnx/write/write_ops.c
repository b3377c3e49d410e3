/* write_ops.c: arithmetic operators, convolutions and pools of the IR as ONNX nodes. */
#include "frontends/onnx/write/writer.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const nashc_type *
in_type(const onnx_out *o, int i)
{
    return nashc_value_type(nashc_node_in(o->node, i));
}

static bool
channels_last(const nashc_type *t)
{
    return t->layout != NASHC_LAYOUT_DEFAULT;
}

static nashc_status
write_div(onnx_out *o)
{
    int n, work = onnx_work_elem(o);
    const char **in = onnx_operands(o, work, &n), *out = onnx_begin(o, work);

    onnx_emit(o, "", "Div", in, n, &out, 1);
    return onnx_finish(o, work, out);
}

static nashc_status
write_min_max(onnx_out *o)
{
    int n, work = onnx_work_elem(o);
    const char **in = onnx_operands(o, work, &n), *out = onnx_begin(o, work);

    onnx_emit(o, "", strcmp(nashc_node_opname(o->node), "nn.min") ? "Max" : "Min", in, n, &out, 1);
    return onnx_finish(o, work, out);
}

/* BOOL has no arithmetic in ONNX: between nodes the result is a number again. */
static nashc_status
write_compare(onnx_out *o)
{
    const char *op = nashc_node_opname(o->node);
    const char *name = !strcmp(op, "nn.greater")         ? "Greater"
                       : !strcmp(op, "nn.greater_equal") ? "GreaterOrEqual"
                                                         : "Equal";
    int n, work = onnx_work_elem(o);
    const char **in = onnx_operands(o, work, &n);
    const nashc_value *y = nashc_node_out(o->node, 0);
    const char *holds = onnx_between(o, NULL, NASHC_ONNX_BOOL);
    int elem = onnx_container(nashc_value_type(y));

    onnx_emit(o, "", name, in, n, &holds, 1);
    onnx_emit_cast(o, holds, elem, onnx_define(o, y, elem));
    return NASHC_OK;
}

/* The condition is a number in the IR and BOOL in ONNX, hence a Cast before it. */
static nashc_status
write_where(onnx_out *o)
{
    int work = onnx_work_elem(o);
    const nashc_value *c = nashc_node_in(o->node, 0);
    const char *holds = onnx_between_like(o, c, NULL, NASHC_ONNX_BOOL);

    onnx_emit_cast(o, onnx_use(o, c, 0), NASHC_ONNX_BOOL, holds);
    const char *in[3] = {holds, onnx_use(o, nashc_node_in(o->node, 1), work),
                         onnx_use(o, nashc_node_in(o->node, 2), work)};
    const char *out = onnx_begin(o, work);
    onnx_emit(o, "", "Where", in, 3, &out, 1);
    return onnx_finish(o, work, out);
}

static nashc_status
write_clip(onnx_out *o)
{
    int work = onnx_work_elem(o);
    double lo = onnx_get_float(o, "min"), hi = onnx_get_float(o, "max");
    /* A limit that float32 does not hold is applied in double. */
    if (work == NASHC_ONNX_FLOAT &&
        (((double)(float)lo != lo && lo > -1e300) || ((double)(float)hi != hi && hi < 1e300)))
        work = NASHC_ONNX_DOUBLE;
    const char *in[3] = {onnx_use(o, nashc_node_in(o->node, 0), work), NULL, NULL};

    /* beyond 1e300 there is no limit, and no operand */
    if (lo > -1e300)
        in[1] = onnx_put_scalar(o, lo, work == NASHC_ONNX_FLOAT16 ? NASHC_ONNX_FLOAT : work);
    if (hi < 1e300)
        in[2] = onnx_put_scalar(o, hi, work == NASHC_ONNX_FLOAT16 ? NASHC_ONNX_FLOAT : work);
    const char *out = onnx_begin(o, work);
    onnx_emit(o, "", "Clip", in, in[2] ? 3 : in[1] ? 2 : 1, &out, 1);
    return onnx_finish(o, work, out);
}

/* A cast of the IR rounds to a datatype; only those that are containers of ONNX can be said by its
 * Cast. */
static nashc_status
write_cast(onnx_out *o)
{
    const nashc_value *x = nashc_node_in(o->node, 0), *y = nashc_node_out(o->node, 0);
    const nashc_type *t = nashc_value_type(y);
    static const int8_t ints[] = {NASHC_ONNX_INT8, NASHC_ONNX_INT16, NASHC_ONNX_INT32,
                                  NASHC_ONNX_INT64};
    static const int8_t uints[] = {NASHC_ONNX_UINT8, NASHC_ONNX_UINT16, NASHC_ONNX_UINT32,
                                   NASHC_ONNX_UINT64};
    int elem = onnx_container(t);

    if (t->kind == NASHC_K_INT || t->kind == NASHC_K_UINT) {
        int k = t->bits <= 8 ? 0 : t->bits <= 16 ? 1 : t->bits <= 32 ? 2 : 3;
        elem = t->kind == NASHC_K_INT ? ints[k] : uints[k];
    } else if (!nashc_type_is_float(t) || t->kind == NASHC_K_MINI) {
        return onnx_write_vendor(o);
    }
    const char *from = onnx_use(o, x, 0);
    onnx_emit_cast(o, from, elem, onnx_define(o, y, elem));
    return NASHC_OK;
}

/* alpha and beta are always spelt out. */
static nashc_status
write_gemm(onnx_out *o)
{
    int n, work = onnx_work_elem(o);
    const char **in = onnx_operands(o, work, &n), *out = onnx_begin(o, work);

    onnx_emit(o, "", "Gemm", in, n, &out, 1);
    onnx_put_float(o, "alpha", onnx_get_float(o, "alpha"));
    onnx_put_float(o, "beta", onnx_get_float(o, "beta"));
    onnx_put_int(o, "transA", onnx_get_bool(o, "trans_a"));
    onnx_put_int(o, "transB", onnx_get_bool(o, "trans_b"));
    return onnx_finish(o, work, out);
}

/* QONNX has this one for channels-last tensors, too, in a domain of its own. */
static nashc_status
write_batchnorm(onnx_out *o)
{
    int n, work = onnx_work_elem(o);
    const char **in = onnx_operands(o, work, &n), *out = onnx_begin(o, work);

    onnx_emit(o, channels_last(in_type(o, 0)) ? ONNX_DOMAIN_CL : "", "BatchNormalization", in, n,
              &out, 1);
    onnx_put_float(o, "epsilon", onnx_get_float(o, "eps"));
    return onnx_finish(o, work, out);
}

static nashc_status
write_layer_norm(onnx_out *o)
{
    int n, work = onnx_work_elem(o);
    const char **in = onnx_operands(o, work, &n), *out = onnx_begin(o, work);

    onnx_emit(o, "", "LayerNormalization", in, n, &out, 1);
    onnx_put_int(o, "axis", onnx_get_int(o, "axis"));
    onnx_put_float(o, "epsilon", onnx_get_float(o, "eps"));
    return onnx_finish(o, work, out);
}

/* --- windows ------------------------------------------------------------------------------------
 */

/* Lists that are empty in the IR are left out: empty means the default in both. */
static void
put_window(onnx_out *o, const int64_t *kernel, int n)
{
    int k;
    const int64_t *v;

    onnx_put_ints(o, "kernel_shape", kernel, n);
    if ((v = onnx_get_ints(o, "stride", &k), k))
        onnx_put_ints(o, "strides", v, k);
    if ((v = onnx_get_ints(o, "pads", &k), k))
        onnx_put_ints(o, "pads", v, k);
    if ((v = onnx_get_ints(o, "dilation", &k), k))
        onnx_put_ints(o, "dilations", v, k);
}

/* Channels-last convolutions have weights O,kh,kw,I in QONNX's domain. */
static nashc_status
write_conv(onnx_out *o)
{
    const nashc_type *x = in_type(o, 0), *w = in_type(o, 1);
    int n, work = onnx_work_elem(o);
    const char **in = onnx_operands(o, work, &n), *out = onnx_begin(o, work);

    onnx_emit(o, channels_last(x) ? ONNX_DOMAIN_CL : "", "Conv", in, n, &out, 1);
    put_window(o, w->dim + (channels_last(x) ? 1 : 2), w->rank - 2);
    onnx_put_int(o, "group", onnx_get_int(o, "group"));
    return onnx_finish(o, work, out);
}

static nashc_status
write_conv_transpose(onnx_out *o)
{
    const nashc_type *w = in_type(o, 1);
    int n, k, work = onnx_work_elem(o);
    const int64_t *v;

    if (channels_last(in_type(o, 0)))
        return onnx_write_vendor(o);
    const char **in = onnx_operands(o, work, &n), *out = onnx_begin(o, work);
    onnx_emit(o, "", "ConvTranspose", in, n, &out, 1);
    put_window(o, w->dim + 2, w->rank - 2);
    onnx_put_int(o, "group", onnx_get_int(o, "group"));
    if ((v = onnx_get_ints(o, "output_padding", &k), k))
        onnx_put_ints(o, "output_padding", v, k);
    return onnx_finish(o, work, out);
}

/* Channels-last ones go to QONNX's own domain; the standard has none. */
static nashc_status
write_maxpool(onnx_out *o)
{
    int n, k, work = onnx_work_elem(o);
    const int64_t *kernel = onnx_get_ints(o, "kernel", &k);
    const char **in = onnx_operands(o, work, &n), *out = onnx_begin(o, work);

    onnx_emit(o, channels_last(in_type(o, 0)) ? ONNX_DOMAIN_CL : "", "MaxPool", in, n, &out, 1);
    put_window(o, kernel, k);
    onnx_put_int(o, "ceil_mode", onnx_get_bool(o, "ceil"));
    return onnx_finish(o, work, out);
}

static nashc_status
write_avgpool(onnx_out *o)
{
    int n, k, n_dilation, work = onnx_work_elem(o);
    const int64_t *kernel = onnx_get_ints(o, "kernel", &k);

    onnx_get_ints(o, "dilation", &n_dilation);
    if (channels_last(in_type(o, 0)))
        return onnx_write_vendor(o);
    /* AveragePool has dilations since opset 19 */
    if (n_dilation && o->opset < 19)
        o->opset = 19;
    const char **in = onnx_operands(o, work, &n), *out = onnx_begin(o, work);
    onnx_emit(o, "", "AveragePool", in, n, &out, 1);
    put_window(o, kernel, k);
    onnx_put_int(o, "ceil_mode", onnx_get_bool(o, "ceil"));
    onnx_put_int(o, "count_include_pad", onnx_get_bool(o, "count_include_pad"));
    return onnx_finish(o, work, out);
}

/* The sum of a window is a depthwise convolution with ones. */
static nashc_status
write_sumpool(onnx_out *o)
{
    const nashc_type *x = in_type(o, 0);
    int k, work = onnx_work_elem(o);
    const int64_t *kernel = onnx_get_ints(o, "kernel", &k);
    nashc_type shape = *x;

    if (channels_last(x) || onnx_get_bool(o, "ceil") || work != NASHC_ONNX_FLOAT)
        return onnx_write_vendor(o);
    /* one filter of ones [C, 1, kernel...] for each channel */
    shape.dim[0] = x->dim[1];
    shape.dim[1] = 1;
    for (int i = 0; i < k; i++)
        shape.dim[i + 2] = kernel[i];
    nashc_type one = nashc_type_with_elem(&shape, &(nashc_type){.kind = NASHC_K_UINT, .bits = 1});
    one.lo = one.hi = 1;
    nashc_buf b;
    if (!nashc_buf_alloc(&b, &one))
        return nashc_enomem(o->d);
    for (int64_t i = 0; i < b.n; i++)
        nashc_buf_set_int(&b, i, 1);
    nashc_tensor *t = nashc_tensor_take(&b);
    if (!t)
        return nashc_enomem(o->d);
    const char *in[2] = {onnx_use(o, nashc_node_in(o->node, 0), work),
                         onnx_put_tensor(o, "ones", t, NASHC_ONNX_FLOAT)};
    nashc_tensor_unref(t);
    const char *out = onnx_begin(o, work);
    onnx_emit(o, "", "Conv", in, 2, &out, 1);
    put_window(o, kernel, k);
    onnx_put_int(o, "group", x->dim[1]);
    return onnx_finish(o, work, out);
}

/* Channels-last, or a sum: a reduction over the spatial axes says the same. */
static nashc_status
write_global_pool(onnx_out *o)
{
    const char *op = nashc_node_opname(o->node), *name;
    const nashc_type *x = in_type(o, 0);
    int work = onnx_work_elem(o), from = channels_last(x) ? 1 : 2;
    int64_t axes[NASHC_MAX_RANK];
    const char *in[2] = {onnx_use(o, nashc_node_in(o->node, 0), work), NULL};

    for (int i = 0; i < x->rank - 2; i++)
        axes[i] = from + i;
    if (!strcmp(op, "nn.global_sumpool")) {
        in[1] = onnx_put_shape(o, axes, x->rank - 2);
        const char *out = onnx_begin(o, work);
        onnx_emit(o, "", "ReduceSum", in, 2, &out, 1);
        onnx_put_int(o, "keepdims", 1);
        return onnx_finish(o, work, out);
    }
    bool max = !strcmp(op, "nn.global_maxpool");
    name = max ? "GlobalMaxPool" : "GlobalAveragePool";
    if (channels_last(x))
        name = max ? "ReduceMax" : "ReduceMean";
    const char *out = onnx_begin(o, work);
    onnx_emit(o, "", name, in, 1, &out, 1);
    if (channels_last(x)) {
        onnx_put_ints(o, "axes", axes, x->rank - 2);
        onnx_put_int(o, "keepdims", 1);
    }
    return onnx_finish(o, work, out);
}

const onnx_writer onnx_arithmetic_writers[] = {
    {"nn.div", write_div},
    {"nn.min", write_min_max},
    {"nn.max", write_min_max},
    {"nn.greater", write_compare},
    {"nn.greater_equal", write_compare},
    {"nn.equal", write_compare},
    {"nn.where", write_where},
    {"nn.clip", write_clip},
    {"nn.cast", write_cast},
    {"nn.gemm", write_gemm},
    {"nn.batchnorm", write_batchnorm},
    {"nn.layer_norm", write_layer_norm},
    {"nn.conv", write_conv},
    {"nn.conv_transpose", write_conv_transpose},
    {"nn.maxpool", write_maxpool},
    {"nn.avgpool", write_avgpool},
    {"nn.sumpool", write_sumpool},
    {"nn.global_avgpool", write_global_pool},
    {"nn.global_maxpool", write_global_pool},
    {"nn.global_sumpool", write_global_pool},
    {0},
};
