/* family.h: what the tables of operators share: domains, lists of attributes, and what the
 * functions of one file take from another. A file here sees the public interface only, unless it
 * reads protobuf messages itself. */
#ifndef NASHC_ONNX_FAMILY_H
#define NASHC_ONNX_FAMILY_H

#include <nashc/onnx.h>
#include <nashc/tensor.h>

/* Domains. */
#define AI_ONNX       "ai.onnx"
#define QONNX         "qonnx.custom_op.general"
#define CHANNELS_LAST "qonnx.custom_op.channels_last"
#define MICROSOFT     "com.microsoft"
#define FINN          "finn.custom_op.fpgadataflow"
#define VENDOR        "nashc"

#define INF    NASHC_ONNX_INF
#define SAME   NASHC_ONNX_SAME
#define REFUSE NASHC_ONNX_REFUSE
#define ANY    -1

#define CONV_ATTRS "auto_pad-:s dilations-:I group-:i kernel_shape-:I pads-:I strides-:I"
#define POOL_ATTRS                                                                                 \
    "auto_pad-:s ceil_mode-:i dilations-:I kernel_shape-:I pads-:I storage_order-:i strides-:I "   \
    "count_include_pad-:i channels_last-:i"
#define BN_ATTRS "epsilon-:f momentum-:f spatial-:i training_mode-:i consumed_inputs-:I"

/* conv.c: attribute text of a convolution of x with w, or of a pool on x, by the node's attributes,
 * which have been checked against the shapes. */
nashc_status onnx_conv_attrs(nashc_onnx_in *r, const nashc_type *x, const nashc_type *w,
                             const char **text);
nashc_status onnx_pool_text(nashc_onnx_in *r, const nashc_type *x, const char **text);

/* matmul.c: softmax (op) of x over the axes from axis on, as if they were one. */
nashc_value *onnx_softmax_flat(nashc_onnx_in *r, const char *op, nashc_value *x, int axis);

/* integer_operands.c: replaces codes in float by integers, and weights *w, whose outputs run along
 * axis, with them, where the sum of their products may exceed what float32 holds exactly. */
void onnx_integer_operands(nashc_onnx_in *r, nashc_value **x, nashc_value **w, int axis);

/* quant.c: operand i as the constant scale of x, checked: finite, positive, broadcastable to x; as
 * an f32 value. axis >= 0: a 1-D scale runs along that axis of x. */
nashc_status onnx_scale(nashc_onnx_in *r, int i, const nashc_type *x, int axis, nashc_value **out);

/* The same for a zero point (left out: 0). */
nashc_status onnx_zero_point(nashc_onnx_in *r, int i, const nashc_type *x, int axis,
                             nashc_value **out);

/* qdq.c: x quantised to integer container elem (codes), as QuantizeLinear rounds: before the zero
 * point. */
nashc_value *onnx_quantise(nashc_onnx_in *r, nashc_value *x, nashc_value *s, nashc_value *z,
                           int elem);

#endif
