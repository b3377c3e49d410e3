/* threshold.c: MultiThreshold and XnorPopcountMatMul. */
#include "frontends/onnx/ops/family.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Thresholds [C,K] or [1,K]: no NaN, rows ascending. */
static nashc_status
check_thresholds(nashc_onnx_in *r, const nashc_tensor *t, int64_t channels)
{
    const nashc_type *type = nashc_tensor_type(t);
    const char *name = nashc_onnx_in_name(r, 1);

    if (type->rank != 2)
        return nashc_onnx_error(r, "thresholds \"%s\" are %s, expected a matrix", name,
                                nashc_type_str(nashc_onnx_diag(r), type));
    if (type->dim[0] != 1 && type->dim[0] != channels)
        return nashc_onnx_error(r, "%" PRId64 " threshold rows in \"%s\" for %" PRId64 " channels",
                                type->dim[0], name, channels);
    for (int64_t c = 0; c < type->dim[0]; c++)
        for (int64_t k = 0; k < type->dim[1]; k++) {
            double v = nashc_tensor_get(t, c * type->dim[1] + k);
            if (isnan(v))
                return nashc_onnx_error(
                    r, "threshold %" PRId64 " of channel %" PRId64 " in \"%s\" is NaN", k, c, name);
            if (k && v < nashc_tensor_get(t, c * type->dim[1] + k - 1)) {
                nashc_onnx_error(r, "thresholds \"%s\" of channel %" PRId64 " are not ascending",
                                 name, c);
                nashc_help(nashc_onnx_diag(r),
                           "sort each row; the number of thresholds reached does not depend "
                           "on their order");
                return NASHC_EINPUT;
            }
        }
    return NASHC_OK;
}

/* out_dtype must hold bias + scale * 0..K. */
static nashc_status
check_datatype(nashc_onnx_in *r, double scale, double bias, int64_t k)
{
    const char *name = nashc_onnx_attr_str(r, "out_dtype", "");
    nashc_type t;
    /* linear in the count, so the extremes are at the ends, whatever the sign of scale */
    double ends[2] = {bias, bias + scale * (double)k};

    if (!*name)
        return NASHC_OK;
    if (!nashc_type_from_finn_name(name, &t))
        return nashc_onnx_error(r, "out_dtype '%s' is no datatype",
                                nashc_quote(nashc_onnx_diag(r), name));
    if (!nashc_type_is_int(&t))
        return NASHC_OK;
    for (int i = 0; i < 2; i++)
        if (ends[i] < (double)t.lo || ends[i] > (double)t.hi) {
            nashc_onnx_error(r, "%" PRId64 " thresholds do not fit out_dtype %s", k,
                             nashc_quote(nashc_onnx_diag(r), name));
            nashc_note(nashc_onnx_diag(r),
                       "the output reaches %g, the datatype holds %" PRId64 " to %" PRId64, ends[i],
                       t.lo, t.hi);
            return NASHC_EINPUT;
        }
    return NASHC_OK;
}

/* y = out_scale * (number of thresholds reached) + out_bias, channel by channel. */
static nashc_status
read_multithreshold(nashc_onnx_in *r)
{
    const char *layout = nashc_onnx_attr_str(r, "data_layout", "NCHW");
    bool last = *layout && layout[strlen(layout) - 1] == 'C';
    nashc_value *x = last ? nashc_onnx_in_value(r, 0) : nashc_onnx_in_plain(r, 0), *in[2];
    const nashc_tensor *t = nashc_onnx_in_param(r, 1);
    double scale = nashc_onnx_attr_float(r, "out_scale", 1),
           bias = nashc_onnx_attr_float(r, "out_bias", 0);
    nashc_status s;

    if (!x || nashc_onnx_failed(r))
        return nashc_onnx_status(r);
    if (!t)
        return nashc_onnx_unsup(r, "thresholds \"%s\" are not constant", nashc_onnx_in_name(r, 1));
    const nashc_type *xt = nashc_value_type(x);
    if (xt->rank < 1)
        return nashc_onnx_error(r, "input \"%s\" is a scalar, expected channels",
                                nashc_onnx_in_name(r, 0));
    /* a vector's channels are last anyway, and a known layout says where they are */
    last = last && xt->rank > 2 && xt->layout == NASHC_LAYOUT_DEFAULT;
    int64_t channels = last ? xt->dim[xt->rank - 1] : nashc_type_channels(xt);
    int64_t k = nashc_tensor_type(t)->dim[1];
    if ((s = check_thresholds(r, t, channels)) || (s = check_datatype(r, scale, bias, k)))
        return s;
    /* The channel axis of a tensor without layout is 1: turn the tensor round where it matters. */
    bool turn = last && nashc_tensor_type(t)->dim[0] != 1;
    int rank = xt->rank;
    int64_t to[NASHC_MAX_RANK], back[NASHC_MAX_RANK];
    /* to: the last axis becomes axis 1; back: the inverse */
    for (int i = 0; i < rank; i++) {
        to[i] = i == 0 ? 0 : i == 1 ? rank - 1 : i - 1;
        back[i] = i == 0 ? 0 : i == rank - 1 ? 1 : i + 1;
    }
    in[0] = turn ? nashc_onnx_transpose(r, x, to) : x;
    in[1] = nashc_onnx_in_param_value(r, 1);
    /* Integers stay integers; other scales and biases are float arithmetic behind the count. */
    bool whole = scale == floor(scale) && bias == floor(bias) && fabs(scale) < 1e6 &&
                 fabs(bias) < 1e9 && scale != 0;
    nashc_value *y = whole ? nashc_onnx_op(r, "q.multithreshold", in, 2,
                                           "out_bias=%" PRId64 " out_scale=%" PRId64, (int64_t)bias,
                                           (int64_t)scale)
                           : nashc_onnx_op(r, "q.multithreshold", in, 2, NULL);
    if (turn)
        y = nashc_onnx_transpose(r, y, back);
    if (!whole) {
        y = nashc_onnx_op2(r, "nn.mul", y, nashc_onnx_f32(r, scale));
        if (bias != 0)
            y = nashc_onnx_op2(r, "nn.add", y, nashc_onnx_f32(r, bias));
    }
    return nashc_onnx_set(r, 0, y, nashc_onnx_in_elem(r, 0));
}

/* Number of equal bits: sum of a*b and of (1-a)*(1-b). */
static nashc_status
read_xnor_popcount(nashc_onnx_in *r)
{
    nashc_value *a = nashc_onnx_in_value(r, 0), *b = nashc_onnx_in_value(r, 1), *one;
    static const nashc_kind bit = NASHC_K_UINT;

    if (!a || !b)
        return nashc_onnx_status(r);
    for (int i = 0; i < 2; i++) {
        const nashc_type *t = nashc_value_type(i ? b : a);
        const nashc_tensor *c = nashc_value_const(i ? b : a);
        double lo = nashc_type_is_int(t) ? (double)t->lo : 0;
        double hi = nashc_type_is_int(t) ? (double)t->hi : 1; /* of floats nothing is known */
        if (c)
            nashc_tensor_min_max(c, &lo, &hi);
        if ((nashc_type_is_int(t) && t->kind != bit) || lo < 0 || hi > 1)
            return nashc_onnx_error(r, "operand \"%s\" is %s, expected bits 0 and 1",
                                    nashc_onnx_in_name(r, i),
                                    nashc_type_str(nashc_onnx_diag(r), t));
    }
    /* 1 - a stays an integer only with an integer 1 */
    one = nashc_onnx_f32(r, 1);
    if (nashc_type_is_int(nashc_value_type(a)) && nashc_type_is_int(nashc_value_type(b)))
        one = nashc_build_int(nashc_onnx_build(r), 1);
    nashc_value *both = nashc_onnx_op2(r, "nn.matmul", a, b);
    nashc_value *neither = nashc_onnx_op2(r, "nn.matmul", nashc_onnx_op2(r, "nn.sub", one, a),
                                          nashc_onnx_op2(r, "nn.sub", one, b));
    return nashc_onnx_set(r, 0, nashc_onnx_op2(r, "nn.add", both, neither), NASHC_ONNX_FLOAT);
}

static const nashc_onnx_row rows[] = {
    {QONNX, "MultiThreshold", 1, NULL, "data_layout-:s out_bias-:f out_dtype-:s out_scale-:f", 2, 2,
     1, INF, read_multithreshold},
    {QONNX, "XnorPopcountMatMul", 1, NULL, "", 2, 2, 1, 0, read_xnor_popcount},
    {0},
};

extern const nashc_impl nashc_impl_onnx_threshold;

const nashc_impl nashc_impl_onnx_threshold = NASHC_IMPL_ONNX("threshold", rows);
