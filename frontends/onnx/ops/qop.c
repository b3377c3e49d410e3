/* qop.c: operators that compute on codes: QLinear*, *Integer and onnxruntime's QLinear additions.
 *
 * Products are kept in integers: (x - xz) and (w - wz) meet in an integer convolution or matrix
 * product, whose sum times the float32 factor xs*ws/ys is quantised again. The element-wise ones
 * are dequantised, computed and quantised, as they are defined.
 */
#include "frontends/onnx/ops/family.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Operand i as integers minus their constant zero point, operand z (-1 or left out: 0); axis: of a
 * vector of zero points. Constants are computed at once. */
static nashc_value *
centred(nashc_onnx_in *r, int i, int zi, int axis)
{
    const nashc_tensor *z = zi >= 0 ? nashc_onnx_in_param(r, zi) : NULL,
                       *t = nashc_onnx_in_const(r, i);
    nashc_value *x = nashc_onnx_in_plain(r, i);

    if (!x || nashc_onnx_failed(r))
        return NULL;
    if (!z && zi >= 0 && nashc_onnx_has(r, zi)) {
        nashc_onnx_unsup(r, "zero point \"%s\" is not a constant", nashc_onnx_in_name(r, zi));
        return NULL;
    }
    if (!z || nashc_tensor_all_eq(z, 0))
        return x;
    const nashc_type *xt = nashc_value_type(x);
    int64_t n = nashc_tensor_count(z), inner = 1, dim[NASHC_MAX_RANK];
    if (!nashc_type_is_int(nashc_tensor_type(z)) ||
        (n != 1 && (axis < 0 || axis >= xt->rank || n != xt->dim[axis]))) {
        nashc_onnx_error(
            r, "zero point \"%s\" is %s, expected one integer, or one for each channel",
            nashc_onnx_in_name(r, zi), nashc_type_str(nashc_onnx_diag(r), nashc_tensor_type(z)));
        return NULL;
    }
    for (int k = axis + 1; k < xt->rank; k++)
        inner *= xt->dim[k];
    /* weights: subtracted here, with the interval that comes out, which decides the width of
     * multipliers */
    if (t && nashc_type_is_int(nashc_tensor_type(t))) {
        nashc_type type = nashc_type_with_elem(xt, &(nashc_type){.kind = NASHC_K_INT, .bits = 64});
        int64_t *v = nashc_buf_to_i64(nashc_tensor_buf(t)), count = nashc_tensor_count(t);
        int64_t lo = INT64_MAX, hi = INT64_MIN;
        for (int64_t k = 0; v && k < count; k++) {
            v[k] -= nashc_tensor_get_int(z, n == 1 ? 0 : k / inner % n);
            lo = v[k] < lo ? v[k] : lo;
            hi = v[k] > hi ? v[k] : hi;
        }
        nashc_tensor *out = NULL;
        if (v && lo <= hi) {
            nashc_type_set_range(&type, lo, hi);
            out = nashc_tensor_from_i64(&type, v);
        }
        nashc_mem_free(v);
        return nashc_onnx_const(r, NULL, out);
    }
    for (int k = 0; k < xt->rank; k++)
        dim[k] = n > 1 && k == axis ? n : 1;
    nashc_tensor *zt = nashc_tensor_reshaped((nashc_tensor *)z, n > 1 ? xt->rank : 0, dim);
    return nashc_onnx_op2(r, "nn.sub", x, nashc_onnx_const(r, NULL, zt));
}

/* A constant scale as one float, or n floats along the output channels. */
static nashc_status
scale_at(nashc_onnx_in *r, int i, int64_t n, const nashc_tensor **out)
{
    nashc_value *checked;
    nashc_type any = nashc_type_f32();
    const nashc_tensor *t = nashc_onnx_in_param(r, i);

    if (t && nashc_tensor_count(t) > 1) {
        any = nashc_type_shaped(any, 1, &n);
        if (nashc_tensor_count(t) != n)
            return nashc_onnx_error(
                r, "scale \"%s\" has %" PRId64 " elements for %" PRId64 " output channels",
                nashc_onnx_in_name(r, i), nashc_tensor_count(t), n);
    }
    nashc_status s = onnx_scale(r, i, &any, t && nashc_tensor_count(t) > 1 ? 0 : -1, &checked);
    if (!s)
        *out = t;
    return s;
}

/* acc * (alpha*a*b/y), in float32 as the definition has it; channels along axis. iy < 0: without y.
 */
static nashc_value *
rescale(nashc_onnx_in *r, nashc_value *acc, double alpha, int ia, int ib, int iy, int axis)
{
    const nashc_tensor *a, *b, *y = NULL;

    if (!acc)
        return NULL;
    const nashc_type *t = nashc_value_type(acc);
    int64_t n = t->dim[axis], dim[NASHC_MAX_RANK], count;
    if (scale_at(r, ia, n, &a) || scale_at(r, ib, n, &b) || (iy >= 0 && scale_at(r, iy, n, &y)))
        return NULL;
    count = nashc_tensor_count(a) > 1 || nashc_tensor_count(b) > 1 ? n : 1;
    if (nashc_tensor_count(a) > 1 || (y && nashc_tensor_count(y) > 1)) {
        nashc_onnx_unsup(r, "only the scale of the weights may have more than one element");
        return NULL;
    }
    double *v = malloc(sizeof *v * (size_t)count);
    if (!v) {
        nashc_enomem(nashc_onnx_diag(r));
        return NULL;
    }
    for (int64_t i = 0; i < count; i++) {
        /* each step in float32, in the order of the definition: another order rounds otherwise */
        float f = (float)alpha * (float)nashc_tensor_get(a, 0) *
                  (float)nashc_tensor_get(b, nashc_tensor_count(b) > 1 ? i : 0);
        if (y)
            f /= (float)nashc_tensor_get(y, 0);
        v[i] = (double)f;
    }
    for (int k = 0; k < t->rank; k++)
        dim[k] = count > 1 && k == axis ? n : 1;
    nashc_tensor *factor = nashc_onnx_tensor_f32(v, count > 1 ? t->rank : 0, dim);
    free(v);
    return nashc_onnx_op2(r, "nn.mul", acc, nashc_onnx_const(r, NULL, factor));
}

/* Quantises y with scale operand is (-1: 1) and zero point operand iz to the container of iz, uint8
 * where that is left out. */
static nashc_status
finish(nashc_onnx_in *r, nashc_value *y, int is, int iz)
{
    nashc_value *s = NULL, *z = NULL;
    int elem = nashc_onnx_given(r, iz) ? nashc_onnx_in_elem(r, iz) : NASHC_ONNX_UINT8;
    nashc_status st;

    if (!y)
        return nashc_onnx_failed(r) ? NASHC_EINPUT : nashc_onnx_status(r);
    const nashc_type *t = nashc_value_type(y);
    if (is >= 0 && (st = onnx_scale(r, is, t, -1, &s)))
        return st;
    if (is < 0)
        s = nashc_onnx_f32(r, 1);
    if ((st = onnx_zero_point(r, iz, t, -1, &z)))
        return st;
    if (elem != NASHC_ONNX_UINT8 && elem != NASHC_ONNX_INT8 && elem != NASHC_ONNX_UINT16 &&
        elem != NASHC_ONNX_INT16)
        return nashc_onnx_unsup(r, "zero point \"%s\" of type %s", nashc_onnx_in_name(r, iz),
                                nashc_onnx_elem_name(elem));
    return nashc_onnx_set(r, 0, onnx_quantise(r, y, s, z, elem), elem);
}

/* x xs xz w ws wz ys yz [b]; b is integer, of scale xs*ws. */
static nashc_status
read_qlinear_conv(nashc_onnx_in *r)
{
    nashc_value *x = centred(r, 0, 2, -1), *w = centred(r, 3, 5, 0), *b = nashc_onnx_in_value(r, 8);
    const char *text;
    nashc_status s;

    if (!x || !w || nashc_onnx_failed(r))
        return nashc_onnx_status(r);
    const nashc_type *xt = nashc_value_type(x), *wt = nashc_value_type(w);
    if ((s = onnx_conv_attrs(r, xt, wt, &text)))
        return s;
    nashc_value *acc =
        nashc_onnx_op(r, "nn.conv", (nashc_value *[]){x, w, b}, b ? 3 : 2, "%s", text);
    return finish(r, rescale(r, acc, 1, 1, 4, 6, 1), -1, 7);
}

/* a as az b bs bz ys yz; scales of b run along its columns. */
static nashc_status
read_qlinear_matmul(nashc_onnx_in *r)
{
    nashc_value *a = centred(r, 0, 2, -1), *b = NULL;

    if (a) {
        const nashc_type *t = nashc_onnx_in_type(r, 3);
        b = centred(r, 3, 5, t ? t->rank - 1 : -1);
    }
    if (!a || !b || nashc_onnx_failed(r))
        return nashc_onnx_status(r);
    nashc_value *acc = nashc_onnx_op2(r, "nn.matmul", a, b);
    if (!acc || nashc_value_type(acc)->rank < 1)
        return acc ? nashc_onnx_unsup(r, "a product of vectors") : nashc_onnx_status(r);
    return finish(r, rescale(r, acc, 1, 1, 4, 6, nashc_value_type(acc)->rank - 1), -1, 7);
}

/* x w [xz] [wz], the sum as it is. */
static nashc_status
read_conv_integer(nashc_onnx_in *r)
{
    nashc_value *x = centred(r, 0, 2, -1), *w = centred(r, 1, 3, 0);
    const char *text;
    nashc_status s;

    if (!x || !w || nashc_onnx_failed(r))
        return nashc_onnx_status(r);
    if ((s = onnx_conv_attrs(r, nashc_value_type(x), nashc_value_type(w), &text)))
        return s;
    return nashc_onnx_set(r, 0, nashc_onnx_op(r, "nn.conv", (nashc_value *[]){x, w}, 2, "%s", text),
                          NASHC_ONNX_INT32);
}

/* a b [az] [bz]; zero points of a run along its rows, those of b along its columns. */
static nashc_status
read_matmul_integer(nashc_onnx_in *r)
{
    const nashc_type *at = nashc_onnx_in_type(r, 0), *bt = nashc_onnx_in_type(r, 1);
    nashc_value *a = centred(r, 0, 2, at && at->rank > 1 ? at->rank - 2 : -1);
    nashc_value *b = centred(r, 1, 3, bt ? bt->rank - 1 : -1);

    return nashc_onnx_set(r, 0, a && b ? nashc_onnx_op2(r, "nn.matmul", a, b) : NULL,
                          NASHC_ONNX_INT32);
}

/* com.microsoft.QGemm: A as az B bs bz [C] [ys yz]; C has the scale alpha*as*bs. */
static nashc_status
read_qgemm(nashc_onnx_in *r)
{
    nashc_value *in[3] = {centred(r, 0, 2, -1), NULL, NULL};
    bool trans_b = nashc_onnx_attr_int(r, "transB", 0) != 0;
    double alpha = nashc_onnx_attr_float(r, "alpha", 1);

    in[1] = in[0] ? centred(r, 3, 5, trans_b ? 0 : 1) : NULL;
    in[2] = in[1] ? nashc_onnx_in_value(r, 6) : NULL;
    if (!in[0] || !in[1] || nashc_onnx_failed(r))
        return nashc_onnx_status(r);
    if (nashc_onnx_attr_int(r, "transA", 0) && nashc_value_type(in[0])->rank == 2)
        in[0] = nashc_onnx_transpose(r, in[0], (const int64_t[]){1, 0});
    nashc_value *acc =
        nashc_onnx_op(r, "nn.gemm", in, in[2] ? 3 : 2, "trans_b=%s", trans_b ? "true" : "false");
    if (!acc)
        return nashc_onnx_status(r);
    if (nashc_onnx_has(r, 7))
        return finish(r, rescale(r, acc, alpha, 1, 4, 7, 1), -1, 8);
    return nashc_onnx_set(r, 0, rescale(r, acc, alpha, 1, 4, -1, 1), NASHC_ONNX_FLOAT);
}

/* Operands i, i + 1, i + 2: codes, scale, zero point, as real values. */
static nashc_value *
dequantised(nashc_onnx_in *r, int i)
{
    nashc_value *q = nashc_onnx_in_plain(r, i), *s, *z;

    if (!q || onnx_scale(r, i + 1, nashc_value_type(q), -1, &s) ||
        onnx_zero_point(r, i + 2, nashc_value_type(q), -1, &z))
        return NULL;
    return nashc_onnx_op(r, "q.dequant", (nashc_value *[]){q, s, z}, 3, NULL);
}

/* a as az b bs bz ys [yz] */
static nashc_status
read_qlinear_binary(nashc_onnx_in *r)
{
    const char *op = strcmp(nashc_onnx_op_type(r), "QLinearAdd") ? "nn.mul" : "nn.add";
    /* NULL behind a failure: the first message counts */
    nashc_value *a = dequantised(r, 0), *b = a ? dequantised(r, 3) : NULL;

    if (!a || !b)
        return nashc_onnx_failed(r) ? NASHC_EINPUT : nashc_onnx_status(r);
    return finish(r, nashc_onnx_op2(r, op, a, b), 6, 7);
}

/* x xs xz ys [yz] */
static nashc_status
read_qlinear_unary(nashc_onnx_in *r)
{
    const char *name = nashc_onnx_op_type(r), *text;
    nashc_value *x = dequantised(r, 0);
    nashc_status s;

    if (!x)
        return nashc_onnx_failed(r) ? NASHC_EINPUT : nashc_onnx_status(r);
    if (nashc_onnx_attr_int(r, "channels_last", 0))
        return nashc_onnx_unsup(r, "channels_last is not supported");
    if (!strcmp(name, "QLinearSigmoid"))
        x = nashc_onnx_op1(r, "nn.sigmoid", x, NULL);
    else if (!strcmp(name, "QLinearLeakyRelu"))
        x = nashc_onnx_op1(r, "nn.leaky_relu", x, "alpha=%.17g",
                           nashc_onnx_attr_float(r, "alpha", (double)0.01f));
    else if (!strcmp(name, "QLinearGlobalAveragePool"))
        x = nashc_onnx_op1(r, "nn.global_avgpool", x, NULL);
    else if ((s = onnx_pool_text(r, nashc_value_type(x), &text)))
        return s;
    else
        x = nashc_onnx_op1(
            r, "nn.avgpool", x, "%s%s", text,
            nashc_onnx_attr_int(r, "count_include_pad", 0) ? " count_include_pad=true" : "");
    return finish(r, x, 3, 4);
}

/* com.microsoft.QLinearSoftmax: x xs xz ys yz. Attribute opset tells which Softmax it is. */
static nashc_status
read_qlinear_softmax(nashc_onnx_in *r)
{
    nashc_value *x = dequantised(r, 0);
    bool old = nashc_onnx_attr_int(r, "opset", 13) < 13;
    int axis;
    nashc_status s;

    if (!x)
        return nashc_onnx_failed(r) ? NASHC_EINPUT : nashc_onnx_status(r);
    s = nashc_onnx_axis(r, nashc_onnx_attr_int(r, "axis", old ? 1 : -1), nashc_value_type(x)->rank,
                        &axis);
    if (s)
        return s;
    return finish(r,
                  old ? onnx_softmax_flat(r, "nn.softmax", x, axis)
                      : nashc_onnx_op1(r, "nn.softmax", x, "axis=%d", axis),
                  3, 4);
}

/* com.microsoft.QLinearWhere: condition, a as az, b bs bz, ys yz. */
static nashc_status
read_qlinear_where(nashc_onnx_in *r)
{
    nashc_value *c = nashc_onnx_in_value(r, 0), *a = c ? dequantised(r, 1) : NULL;
    nashc_value *in[3] = {c, a, a ? dequantised(r, 4) : NULL};

    if (!in[2])
        return nashc_onnx_failed(r) ? NASHC_EINPUT : nashc_onnx_status(r);
    return finish(r, nashc_onnx_op(r, "nn.where", in, 3, NULL), 7, 8);
}

/* com.microsoft.QLinearConcat: ys yz, then x xs xz for each operand. */
static nashc_status
read_qlinear_concat(nashc_onnx_in *r)
{
    int n = (nashc_onnx_n_in(r) - 2) / 3, axis;
    nashc_value **in = NASHC_NEW_N(nashc_onnx_arena(r), nashc_value *, n + 1);
    nashc_status s;

    if (!in)
        return nashc_enomem(nashc_onnx_diag(r));
    if (n < 1 || nashc_onnx_n_in(r) != 2 + 3 * n)
        return nashc_onnx_error(r, "%d inputs, expected 2 and 3 for each operand",
                                nashc_onnx_n_in(r));
    for (int i = 0; i < n; i++)
        if (!(in[i] = dequantised(r, 2 + 3 * i)))
            return nashc_onnx_failed(r) ? NASHC_EINPUT : nashc_onnx_status(r);
    if ((s = nashc_onnx_axis(r, nashc_onnx_attr_int(r, "axis", 0), nashc_value_type(in[0])->rank,
                             &axis)))
        return s;
    return finish(r, nashc_onnx_op(r, "nn.concat", in, n, "axis=%d", axis), 0, 1);
}

static const nashc_onnx_row rows[] = {
    {AI_ONNX, "ConvInteger", 10, NULL, CONV_ATTRS, 2, 4, 1, 0, read_conv_integer},
    {AI_ONNX, "MatMulInteger", 10, NULL, "", 2, 4, 1, 0, read_matmul_integer},
    {AI_ONNX, "QLinearConv", 10, NULL, CONV_ATTRS, 8, 9, 1, 0, read_qlinear_conv},
    {AI_ONNX, "QLinearMatMul", 10, NULL, "", 8, 8, 1, 0, read_qlinear_matmul},
    {MICROSOFT, "QGemm", 1, NULL, "alpha-:f transA-:i transB-:i", 6, 9, 1, 0, read_qgemm},
    {MICROSOFT, "QLinearAdd", 1, NULL, "", 7, 8, 1, 0, read_qlinear_binary},
    {MICROSOFT, "QLinearAveragePool", 1, NULL, POOL_ATTRS, 4, 5, 1, 0, read_qlinear_unary},
    {MICROSOFT, "QLinearConcat", 1, NULL, "axis-:i", 5, ANY, 1, 0, read_qlinear_concat},
    {MICROSOFT, "QLinearGlobalAveragePool", 1, NULL, "channels_last-:i", 5, 5, 1, 0,
     read_qlinear_unary},
    {MICROSOFT, "QLinearLeakyRelu", 1, NULL, "alpha-:f", 4, 5, 1, 0, read_qlinear_unary},
    {MICROSOFT, "QLinearMul", 1, NULL, "", 7, 8, 1, 0, read_qlinear_binary},
    {MICROSOFT, "QLinearSigmoid", 1, NULL, "", 4, 5, 1, 0, read_qlinear_unary},
    {MICROSOFT, "QLinearSoftmax", 1, NULL, "axis-:i opset-:i", 4, 5, 1, 0, read_qlinear_softmax},
    {MICROSOFT, "QLinearWhere", 1, NULL, "", 8, 9, 1, 0, read_qlinear_where},
    {0},
};

extern const nashc_impl nashc_impl_onnx_qop;

const nashc_impl nashc_impl_onnx_qop = NASHC_IMPL_ONNX("qop", rows);
