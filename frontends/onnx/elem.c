/* elem.c: ONNX element types and what they are in the IR. */
#include "frontends/onnx/tensor.h"
#include <math.h>

static const onnx_elem_info infos[NASHC_ONNX_ELEM_COUNT] = {
    [NASHC_ONNX_UNDEFINED] = {"undefined", 0, 0, 0, 0, 0},
    [NASHC_ONNX_FLOAT] = {"float32", 32, NASHC_K_F32, 0, 0, 0},
    [NASHC_ONNX_UINT8] = {"uint8", 8, NASHC_K_UINT, 0, 0, 0},
    [NASHC_ONNX_INT8] = {"int8", 8, NASHC_K_INT, 0, 0, 0},
    [NASHC_ONNX_UINT16] = {"uint16", 16, NASHC_K_UINT, 0, 0, 0},
    [NASHC_ONNX_INT16] = {"int16", 16, NASHC_K_INT, 0, 0, 0},
    [NASHC_ONNX_INT32] = {"int32", 32, NASHC_K_INT, 0, 0, 0},
    [NASHC_ONNX_INT64] = {"int64", 64, NASHC_K_INT, 0, 0, 0},
    [NASHC_ONNX_STRING] = {"string", 0, 0, 0, 0, 0},
    [NASHC_ONNX_BOOL] = {"bool", 8, NASHC_K_UINT, 0, 0, 0},
    [NASHC_ONNX_FLOAT16] = {"float16", 16, NASHC_K_F16, 0, 0, 0},
    [NASHC_ONNX_DOUBLE] = {"float64", 64, NASHC_K_F64, 0, 0, 0},
    [NASHC_ONNX_UINT32] = {"uint32", 32, NASHC_K_UINT, 0, 0, 0},
    [NASHC_ONNX_UINT64] = {"uint64", 64, NASHC_K_UINT, 0, 0, 0},
    [NASHC_ONNX_COMPLEX64] = {"complex64", 0, 0, 0, 0, 0},
    [NASHC_ONNX_COMPLEX128] = {"complex128", 0, 0, 0, 0, 0},
    /* exact in f32; the IR has no element that rounds like it */
    [NASHC_ONNX_BFLOAT16] = {"bfloat16", 16, NASHC_K_F32, 8, 7, 127},
    [NASHC_ONNX_FLOAT8E4M3FN] = {"float8e4m3fn", 8, NASHC_K_MINI, 4, 3, 7},
    [NASHC_ONNX_FLOAT8E4M3FNUZ] = {"float8e4m3fnuz", 8, NASHC_K_MINI, 4, 3, 8},
    [NASHC_ONNX_FLOAT8E5M2] = {"float8e5m2", 8, NASHC_K_MINI, 5, 2, 15},
    [NASHC_ONNX_FLOAT8E5M2FNUZ] = {"float8e5m2fnuz", 8, NASHC_K_MINI, 5, 2, 16},
    [NASHC_ONNX_UINT4] = {"uint4", 4, NASHC_K_UINT, 0, 0, 0},
    [NASHC_ONNX_INT4] = {"int4", 4, NASHC_K_INT, 0, 0, 0},
    [NASHC_ONNX_FLOAT4E2M1] = {"float4e2m1", 4, NASHC_K_MINI, 2, 1, 1},
    [NASHC_ONNX_FLOAT8E8M0] = {"float8e8m0", 8, NASHC_K_F32, 8, 0, 127},
    [NASHC_ONNX_UINT2] = {"uint2", 2, NASHC_K_UINT, 0, 0, 0},
    [NASHC_ONNX_INT2] = {"int2", 2, NASHC_K_INT, 0, 0, 0},
};

const onnx_elem_info *
onnx_elem_get(int elem)
{
    return elem > 0 && elem < NASHC_ONNX_ELEM_COUNT ? &infos[elem] : &infos[0];
}

const char *
nashc_onnx_elem_name(int elem)
{
    return elem >= 0 && elem < NASHC_ONNX_ELEM_COUNT ? infos[elem].name : "unknown";
}

bool
nashc_onnx_elem_is_int(int elem)
{
    int kind = onnx_elem_get(elem)->kind;

    return onnx_elem_get(elem)->bits && (kind == NASHC_K_INT || kind == NASHC_K_UINT);
}

bool
nashc_onnx_elem_is_float(int elem)
{
    return onnx_elem_get(elem)->bits && !nashc_onnx_elem_is_int(elem);
}

bool
nashc_onnx_elem_type(int elem, nashc_type *out)
{
    const onnx_elem_info *e = onnx_elem_get(elem);

    if (!e->bits)
        return false;
    switch (e->kind) {
    case NASHC_K_INT:
        *out = nashc_type_int(e->bits);
        return true;
    case NASHC_K_UINT:
        *out = nashc_type_uint(elem == NASHC_ONNX_BOOL ? 1 : e->bits);
        return true;
    case NASHC_K_F64:
        *out = nashc_type_f64();
        return true;
    case NASHC_K_F32:
        *out = nashc_type_f32();
        return true;
    default:
        *out = (nashc_type){.kind = e->kind, .bits = e->bits};
        if (e->kind == NASHC_K_MINI) {
            out->frac = (int8_t)e->exponent;
            out->mant = (int8_t)e->mantissa;
            out->bias = (int16_t)e->bias;
        }
        return true;
    }
}

double
onnx_float_decode(int elem, uint64_t code)
{
    const onnx_elem_info *e = onnx_elem_get(elem);
    int exponent = e->exponent, mantissa = e->mantissa, bias = e->bias;

    if (elem == NASHC_ONNX_FLOAT16) {
        exponent = 5;
        mantissa = 10;
        bias = 15;
    }
    if (elem == NASHC_ONNX_FLOAT8E8M0)
        return code == 0xff ? (double)NAN : ldexp(1.0, (int)code - bias);
    int64_t m = (int64_t)(code & ((UINT64_C(1) << mantissa) - 1));
    int x = (int)(code >> mantissa & ((UINT64_C(1) << exponent) - 1)), top = (1 << exponent) - 1;
    bool negative = code >> (exponent + mantissa) & 1;
    double v;

    /* Which codes are not numbers differs from format to format. */
    if (elem == NASHC_ONNX_FLOAT16 || elem == NASHC_ONNX_BFLOAT16 ||
        elem == NASHC_ONNX_FLOAT8E5M2) {
        if (x == top)
            return m ? (double)NAN : negative ? -(double)INFINITY : (double)INFINITY;
    } else if (elem == NASHC_ONNX_FLOAT8E4M3FN) {
        if (x == top && m == 7)
            return (double)NAN;
    } else if (elem == NASHC_ONNX_FLOAT8E4M3FNUZ || elem == NASHC_ONNX_FLOAT8E5M2FNUZ) {
        if (code == 0x80)
            return (double)NAN;
    }
    if (x == 0)
        v = ldexp((double)m, 1 - bias - mantissa);
    else
        v = ldexp((double)(m + (INT64_C(1) << mantissa)), x - bias - mantissa);
    return negative ? -v : v;
}
