/* tensor.h: element formats and stored tensors, between tensor.c, elem.c, external.c and write.c.
 */
#ifndef NASHC_ONNX_TENSOR_H
#define NASHC_ONNX_TENSOR_H

#include "frontends/onnx/reader.h"

typedef struct onnx_elem_info {
    const char *name;
    uint8_t bits; /* in raw data; 0: not supported */
    uint8_t kind; /* nashc_kind */
    uint8_t exponent, mantissa;
    int16_t bias;
} onnx_elem_info;

const onnx_elem_info *onnx_elem_get(int elem);

/* Value of a code of a float format of at most 16 bits. */
double onnx_float_decode(int elem, uint64_t code);

/* Reads need bytes of external data into *out (malloc). Only a regular file without other names
 * below the folder of model is opened, without following links. */
nashc_status onnx_external_read(nashc_onnx_in *r, const Onnx__TensorProto *t, const char *what,
                                int64_t need, uint8_t **out);

#endif
