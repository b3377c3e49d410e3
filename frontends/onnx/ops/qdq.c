/* qdq.c: QuantizeLinear and DequantizeLinear, and the quantiser that both together are.
 *
 *     Q  q = saturate(round(x/s) + z)        DQ  y = (q - z) * s
 *
 * Q [- Clip] - DQ with equal parameters is one q.quant with real result, which every pass
 * understands; its range is that of the container, narrowed by the Clip. Alone, Q is a q.quant that
 * yields codes, and DQ a q.dequant.
 */
#include "frontends/onnx/ops/family.h"
#include <inttypes.h>
#include <string.h>

/* Containers that a quantiser may yield here: the IR's codes have up to 32 bits. */
static bool
has_ints(int elem)
{
    return nashc_onnx_elem_is_int(elem) && elem != NASHC_ONNX_BOOL && elem != NASHC_ONNX_INT64 &&
           elem != NASHC_ONNX_UINT64;
}

nashc_value *
onnx_quantise(nashc_onnx_in *r, nashc_value *x, nashc_value *s, nashc_value *z, int elem)
{
    nashc_type t;

    if (!x || !s || !z || !nashc_onnx_elem_type(elem, &t))
        return NULL;
    /* With z = 0 it does not matter when it is added. */
    bool zero = nashc_tensor_all_eq(nashc_value_const(z), 0);
    return nashc_onnx_op(r, "q.quant", (nashc_value *[]){x, s, z}, 3,
                         "qmin=%" PRId64 " qmax=%" PRId64 "%s codes=true", t.lo, t.hi,
                         zero ? "" : " round_before_zp=true");
}

/* The axis that a vector of scales runs along; -1: one scale for all. */
static nashc_status
quantiser_axis(nashc_onnx_in *r, const nashc_type *x, int *axis)
{
    const nashc_type *s = nashc_onnx_in_type(r, 1);

    *axis = -1;
    if (nashc_onnx_failed(r) || !s)
        return nashc_onnx_error(r, "scale \"%s\" is missing", nashc_onnx_in_name(r, 1));
    if (nashc_onnx_attr_int(r, "block_size", 0))
        return nashc_onnx_unsup(r, "block_size %" PRId64 ": blocked quantisation is not supported",
                                nashc_onnx_attr_int(r, "block_size", 0));
    if (s->rank == 0 || nashc_type_count(s) == 1)
        return NASHC_OK;
    if (s->rank != 1)
        return nashc_onnx_unsup(r, "scale \"%s\" is %s; only scalars and vectors are supported",
                                nashc_onnx_in_name(r, 1), nashc_type_str(nashc_onnx_diag(r), s));
    /* Files of before opset 13 have vectors, too, along the default axis. */
    int64_t def = x->rank > 1 ? 1 : 0;
    nashc_status st = nashc_onnx_axis(r, nashc_onnx_attr_int(r, "axis", def), x->rank, axis);
    if (!st && s->dim[0] != x->dim[*axis])
        return nashc_onnx_error(r, "scale of %" PRId64 " channels on a dimension of %" PRId64,
                                s->dim[0], x->dim[*axis]);
    return st;
}

static nashc_status
read_quantize(nashc_onnx_in *r)
{
    nashc_value *x = nashc_onnx_in_value(r, 0), *s = NULL, *z = NULL;
    int elem = (int)nashc_onnx_attr_int(r, "output_dtype", 0), axis;
    nashc_status st;

    if (!x)
        return nashc_onnx_status(r);
    if (nashc_onnx_given(r, 2))
        elem = nashc_onnx_in_elem(r, 2);
    elem = elem ? elem : NASHC_ONNX_UINT8;
    if (!has_ints(elem))
        return nashc_onnx_unsup(r,
                                "quantisation to %s; only integers of up to 32 bits are supported",
                                nashc_onnx_elem_name(elem));
    if ((st = quantiser_axis(r, nashc_value_type(x), &axis)) ||
        (st = onnx_scale(r, 1, nashc_value_type(x), axis, &s)) ||
        (st = onnx_zero_point(r, 2, nashc_value_type(x), axis, &z)))
        return st;
    return nashc_onnx_set(r, 0, onnx_quantise(r, x, s, z, elem), elem);
}

/* By value: exporters write the parameters of Q and DQ as two initialisers. */
static bool
same_content(const nashc_value *a, const nashc_value *b)
{
    const nashc_tensor *x = nashc_value_const(a), *y = nashc_value_const(b);

    if (!x || !y || nashc_tensor_count(x) != nashc_tensor_count(y) ||
        !nashc_type_same_shape(nashc_tensor_type(x), nashc_tensor_type(y)))
        return false;
    for (int64_t i = 0; i < nashc_tensor_count(x); i++)
        if (nashc_tensor_get(x, i) != nashc_tensor_get(y, i))
            return false;
    return true;
}

/* The q.quant that yields the codes q, through up to one clip, whose limits narrow lo and hi. */
static nashc_node *
quantiser_of(const nashc_value *q, int64_t *lo, int64_t *hi)
{
    nashc_node *clip = nashc_value_def_by(q, "nn.clip"), *quant;

    quant = nashc_value_def_by(clip ? nashc_node_in(clip, 0) : q, "q.quant");
    if (!quant || !nashc_node_bool(quant, "codes"))
        return NULL;
    *lo = nashc_node_int(quant, "qmin");
    *hi = nashc_node_int(quant, "qmax");
    if (clip) {
        double min = nashc_node_float(clip, "min");
        double max = nashc_node_float(clip, "max");
        *lo = min > (double)*lo ? (int64_t)min : *lo;
        *hi = max < (double)*hi ? (int64_t)max : *hi;
    }
    return *lo < *hi ? quant : NULL;
}

/* Behind its own quantiser both are one q.quant; else the codes times scale. */
static nashc_status
read_dequantize(nashc_onnx_in *r)
{
    nashc_value *q = nashc_onnx_in_value(r, 0), *s = NULL, *z = NULL;
    int64_t lo = 0, hi = 0;
    int axis;
    nashc_status st;

    if (!q)
        return nashc_onnx_status(r);
    if (!nashc_onnx_elem_is_int(nashc_onnx_in_elem(r, 0)))
        return nashc_onnx_unsup(r, "dequantisation of %s; only integers are supported",
                                nashc_onnx_elem_name(nashc_onnx_in_elem(r, 0)));
    if ((st = quantiser_axis(r, nashc_value_type(q), &axis)) ||
        (st = onnx_scale(r, 1, nashc_value_type(q), axis, &s)) ||
        (st = onnx_zero_point(r, 2, nashc_value_type(q), axis, &z)))
        return st;
    nashc_node *quant = quantiser_of(q, &lo, &hi);
    if (quant && same_content(nashc_node_in(quant, 1), s) &&
        same_content(nashc_node_in(quant, 2), z)) {
        nashc_value *in[3] = {nashc_node_in(quant, 0), s, z};
        return nashc_onnx_set(
            r, 0,
            nashc_onnx_op(r, "q.quant", in, 3, "qmin=%" PRId64 " qmax=%" PRId64 "%s", lo, hi,
                          nashc_node_bool(quant, "round_before_zp") ? " round_before_zp=true" : ""),
            nashc_onnx_in_elem(r, 1));
    }
    return nashc_onnx_set(r, 0, nashc_onnx_op(r, "q.dequant", (nashc_value *[]){q, s, z}, 3, NULL),
                          nashc_onnx_in_elem(r, 1));
}

static const nashc_onnx_row rows[] = {
    {AI_ONNX, "DequantizeLinear", 10, NULL, "axis-:i block_size-:i output_dtype-:i", 2, 3, 1, 0,
     read_dequantize},
    {AI_ONNX, "QuantizeLinear", 10, NULL,
     "axis-:i block_size-:i output_dtype-:i precision-:i saturate-:i", 2, 3, 1, 0, read_quantize},
    {0},
};

extern const nashc_impl nashc_impl_onnx_qdq;

const nashc_impl nashc_impl_onnx_qdq = NASHC_IMPL_ONNX("qdq", rows);
