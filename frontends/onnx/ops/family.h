/* family.h: the functions of operators that are not 1:1, named by map.c. */
#ifndef NASHC_ONNX_FAMILY_H
#define NASHC_ONNX_FAMILY_H

#include "frontends/onnx/reader.h"

/* conv.c */
nashc_status onnx_read_conv(onnx_in *r);
nashc_status onnx_read_conv_transpose(onnx_in *r);
nashc_status onnx_read_maxpool(onnx_in *r);
nashc_status onnx_read_avgpool(onnx_in *r);
nashc_status onnx_read_global_pool(onnx_in *r);

/* Attribute text of a convolution of x with w, or of a pool on x, by the node's attributes. */
nashc_status onnx_conv_attrs(onnx_in *r, const nashc_type *x, const nashc_type *w,
                             const char **text);
nashc_status onnx_pool_text(onnx_in *r, const nashc_type *x, const char **text);

/* matmul.c: products, normalisation, softmax */
nashc_status onnx_read_gemm(onnx_in *r);
nashc_status onnx_read_batchnorm(onnx_in *r);
nashc_status onnx_read_layer_norm(onnx_in *r);
nashc_status onnx_read_softmax_old(onnx_in *r);
nashc_status onnx_read_hardmax(onnx_in *r);
nashc_status onnx_read_instance_norm(onnx_in *r);

/* eltwise.c */
nashc_status onnx_read_variadic(onnx_in *r);
nashc_status onnx_read_mean(onnx_in *r);
nashc_status onnx_read_div(onnx_in *r);
nashc_status onnx_read_clip_old(onnx_in *r);
nashc_status onnx_read_clip(onnx_in *r);
nashc_status onnx_read_cast(onnx_in *r);
nashc_status onnx_read_dropout(onnx_in *r);
nashc_status onnx_read_mish(onnx_in *r);
nashc_status onnx_read_swish(onnx_in *r);

/* shape.c */
nashc_status onnx_read_reshape(onnx_in *r);
nashc_status onnx_read_flatten(onnx_in *r);
nashc_status onnx_read_transpose(onnx_in *r);
nashc_status onnx_read_squeeze(onnx_in *r);
nashc_status onnx_read_unsqueeze(onnx_in *r);
nashc_status onnx_read_expand(onnx_in *r);
nashc_status onnx_read_tile(onnx_in *r);
nashc_status onnx_read_concat(onnx_in *r);
nashc_status onnx_read_split(onnx_in *r);
nashc_status onnx_read_slice_old(onnx_in *r);
nashc_status onnx_read_slice(onnx_in *r);
nashc_status onnx_read_gather(onnx_in *r);
nashc_status onnx_read_pad_old(onnx_in *r);
nashc_status onnx_read_pad(onnx_in *r);
nashc_status onnx_read_depth_space(onnx_in *r);

/* constant.c */
nashc_status onnx_read_constant(onnx_in *r);
nashc_status onnx_read_constant_of_shape(onnx_in *r);
nashc_status onnx_read_shape(onnx_in *r);
nashc_status onnx_read_size(onnx_in *r);

/* resize.c */
nashc_status onnx_read_resize(onnx_in *r);
nashc_status onnx_read_resize10(onnx_in *r);
nashc_status onnx_read_upsample(onnx_in *r);

/* reduce.c */
nashc_status onnx_read_reduce(onnx_in *r);
nashc_status onnx_read_argmax(onnx_in *r);
nashc_status onnx_read_topk(onnx_in *r);

/* quant.c: QONNX quantisers */
nashc_status onnx_read_quant(onnx_in *r);
nashc_status onnx_read_bipolar_quant(onnx_in *r);
nashc_status onnx_read_trunc(onnx_in *r);
nashc_status onnx_read_float_quant(onnx_in *r);

/* threshold.c */
nashc_status onnx_read_multithreshold(onnx_in *r);
nashc_status onnx_read_xnor_popcount(onnx_in *r);

/* qdq.c: QuantizeLinear and DequantizeLinear */
nashc_status onnx_read_quantize(onnx_in *r);
nashc_status onnx_read_dequantize(onnx_in *r);

/* qop.c: operators on codes */
nashc_status onnx_read_qlinear_conv(onnx_in *r);
nashc_status onnx_read_qlinear_matmul(onnx_in *r);
nashc_status onnx_read_conv_integer(onnx_in *r);
nashc_status onnx_read_matmul_integer(onnx_in *r);
nashc_status onnx_read_qgemm(onnx_in *r);
nashc_status onnx_read_qlinear_binary(onnx_in *r);
nashc_status onnx_read_qlinear_unary(onnx_in *r);
nashc_status onnx_read_qlinear_concat(onnx_in *r);

/* partition.c: models in other files */
nashc_status onnx_read_partition(onnx_in *r);

/* Does the node name a file that may lie below the model's folder? */
bool onnx_partition_near(onnx_in *r);

/* nhwc.c: channels-last operators of QONNX */
nashc_status onnx_read_im2col(onnx_in *r);
nashc_status onnx_read_maxpool_nhwc(onnx_in *r);
nashc_status onnx_read_quant_avgpool(onnx_in *r);
nashc_status onnx_read_channels_last(onnx_in *r);

/* integer_operands.c: replaces codes in float by integers, and weights *w, whose outputs run along
 * axis, with them, where the sum of their products may exceed what float32 holds exactly. */
void onnx_integer_operands(onnx_in *r, nashc_value **x, nashc_value **w, int axis);
nashc_status onnx_read_matmul(onnx_in *r);

/* vendor.c: IR operators that ONNX cannot say */
nashc_status onnx_read_vendor(onnx_in *r);

/* --- parameters of quantisers, shared by quant.c, qdq.c and qop.c
 * ------------------------------------------------ */

/* Operand i as the constant scale of x, checked: finite, positive, broadcastable to x; as an f32
 * value. axis >= 0: a 1-D scale runs along that axis of x. */
nashc_status onnx_scale(onnx_in *r, int i, const nashc_type *x, int axis, nashc_value **out);

/* The same for a zero point (left out: 0). */
nashc_status onnx_zero_point(onnx_in *r, int i, const nashc_type *x, int axis, nashc_value **out);

/* x quantised to integer container elem (codes), as QuantizeLinear rounds: before the zero point.
 */
nashc_value *onnx_quantise(onnx_in *r, nashc_value *x, nashc_value *s, nashc_value *z, int elem);

#endif
