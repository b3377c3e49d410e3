/* map.c: which ONNX operators there are, from which opset on, and what they are in the IR.
 *
 * One row for each form of an operator. A row with an IR operator and no function is 1:1: it serves
 * reading and writing alike. Attribute lists: see onnx_attr_next in reader.h.
 */
#include "frontends/onnx/ops/family.h"
#include <string.h>

#define STD    ONNX_STD
#define INF    ONNX_R_INF
#define SAME   ONNX_R_SAME
#define REFUSE ONNX_R_REFUSE
#define ANY    -1

#define CONV_ATTRS "auto_pad-:s dilations-:I group-:i kernel_shape-:I pads-:I strides-:I"
#define POOL_ATTRS                                                                                 \
    "auto_pad-:s ceil_mode-:i dilations-:I kernel_shape-:I pads-:I storage_order-:i strides-:I "   \
    "count_include_pad-:i channels_last-:i"
#define BN_ATTRS     "epsilon-:f momentum-:f spatial-:i training_mode-:i consumed_inputs-:I"
#define REDUCE_ATTRS "axes-:I keepdims-:i noop_with_empty_axes-:i"

/* clang-format off */
const onnx_row onnx_rows[] = {
    /* element-wise, one operand */
    {STD, "Abs", 1, "nn.abs", "", 1, 1, 1, 0, NULL},
    {STD, "Ceil", 1, "nn.ceil", "", 1, 1, 1, 0, NULL},
    {STD, "Celu", 12, "nn.celu", "alpha:f", 1, 1, 1, 0, NULL},
    {STD, "Elu", 1, "nn.elu", "alpha:f", 1, 1, 1, 0, NULL},
    {STD, "Erf", 9, "nn.erf", "", 1, 1, 1, 0, NULL},
    {STD, "Exp", 1, "nn.exp", "", 1, 1, 1, 0, NULL},
    {STD, "Floor", 1, "nn.floor", "", 1, 1, 1, 0, NULL},
    {STD, "Gelu", 20, "nn.gelu", "approximate:s", 1, 1, 1, 0, NULL},
    {STD, "HardSigmoid", 1, "nn.hard_sigmoid", "alpha:f beta:f", 1, 1, 1, 0, NULL},
    {STD, "HardSwish", 14, "nn.hard_swish", "", 1, 1, 1, 0, NULL},
    {STD, "Identity", 1, "nn.identity", "", 1, 1, 1, INF, NULL},
    {STD, "LeakyRelu", 1, "nn.leaky_relu", "alpha:f", 1, 1, 1, 0, NULL},
    {STD, "Log", 1, "nn.log", "", 1, 1, 1, 0, NULL},
    {STD, "Neg", 1, "nn.neg", "", 1, 1, 1, INF, NULL},
    {STD, "Reciprocal", 1, "nn.reciprocal", "", 1, 1, 1, 0, NULL},
    {STD, "Relu", 1, "nn.relu", "", 1, 1, 1, 0, NULL},
    {STD, "Round", 11, "nn.round", "", 1, 1, 1, 0, NULL},
    {STD, "Selu", 1, "nn.selu", "alpha:f gamma:f", 1, 1, 1, 0, NULL},
    {STD, "Sigmoid", 1, "nn.sigmoid", "", 1, 1, 1, 0, NULL},
    {STD, "Sign", 9, "nn.sign", "", 1, 1, 1, 0, NULL},
    {STD, "Softplus", 1, "nn.softplus", "", 1, 1, 1, 0, NULL},
    {STD, "Softsign", 1, "nn.softsign", "", 1, 1, 1, 0, NULL},
    {STD, "Sqrt", 1, "nn.sqrt", "", 1, 1, 1, 0, NULL},
    {STD, "Tanh", 1, "nn.tanh", "", 1, 1, 1, 0, NULL},
    {STD, "ThresholdedRelu", 10, "nn.thresholded_relu", "alpha:f", 1, 1, 1, 0, NULL},
    {STD, "Cast", 1, NULL, "to-:i saturate-:i round_mode-:s", 1, 1, 1, INF, onnx_read_cast},
    {STD, "Clip", 6, NULL, "min-:f max-:f", 1, 1, 1, 0, onnx_read_clip_old},
    {STD, "Clip", 11, NULL, "", 1, 3, 1, INF | SAME, onnx_read_clip},
    {STD, "Dropout", 7, NULL, "ratio-:f", 1, 1, 2, 0, onnx_read_dropout},
    {STD, "Dropout", 12, NULL, "seed-:i", 1, 3, 2, 0, onnx_read_dropout},
    {STD, "Mish", 18, NULL, "", 1, 1, 1, 0, onnx_read_mish},
    {STD, "Swish", 24, NULL, "alpha-:f", 1, 1, 1, 0, onnx_read_swish},
    /* element-wise, several operands */
    {STD, "Add", 7, "nn.add", "", 2, 2, 1, SAME, NULL},
    {STD, "Div", 7, NULL, "", 2, 2, 1, SAME, onnx_read_div},
    {STD, "Mul", 7, "nn.mul", "", 2, 2, 1, SAME, NULL},
    {STD, "Pow", 7, "nn.pow", "", 2, 2, 1, 0, NULL},
    {STD, "PRelu", 7, "nn.prelu", "", 2, 2, 1, SAME, NULL},
    {STD, "Sub", 7, "nn.sub", "", 2, 2, 1, SAME, NULL},
    {STD, "Max", 6, NULL, "", 1, ANY, 1, SAME | INF, onnx_read_variadic},
    {STD, "Mean", 6, NULL, "", 1, ANY, 1, SAME, onnx_read_mean},
    {STD, "Min", 6, NULL, "", 1, ANY, 1, SAME | INF, onnx_read_variadic},
    {STD, "Sum", 6, NULL, "", 1, ANY, 1, SAME, onnx_read_variadic},
    /* products, windows, normalisation */
    {STD, "AveragePool", 1, NULL, POOL_ATTRS, 1, 1, 1, 0, onnx_read_avgpool},
    {STD, "BatchNormalization", 7, NULL, BN_ATTRS, 5, 5, 5, 0, onnx_read_batchnorm},
    {STD, "Conv", 1, NULL, CONV_ATTRS, 2, 3, 1, SAME, onnx_read_conv},
    {STD, "ConvTranspose", 1, NULL, CONV_ATTRS " output_padding-:I output_shape-:I", 2, 3, 1, SAME,
     onnx_read_conv_transpose},
    {STD, "Gemm", 7, NULL, "alpha-:f beta-:f transA-:i transB-:i", 2, 3, 1, SAME, onnx_read_gemm},
    {STD, "GlobalAveragePool", 1, NULL, "", 1, 1, 1, 0, onnx_read_global_pool},
    {STD, "GlobalMaxPool", 1, NULL, "", 1, 1, 1, 0, onnx_read_global_pool},
    {STD, "Hardmax", 1, NULL, "axis-:i", 1, 1, 1, 0, onnx_read_hardmax},
    {STD, "Hardmax", 13, NULL, "axis-:i", 1, 1, 1, 0, onnx_read_hardmax},
    {STD, "InstanceNormalization", 6, NULL, "epsilon-:f", 3, 3, 1, 0, onnx_read_instance_norm},
    {STD, "LayerNormalization", 17, NULL, "axis-:i epsilon-:f stash_type-:i", 2, 3, 3, 0,
     onnx_read_layer_norm},
    {STD, "LogSoftmax", 1, NULL, "axis-:i", 1, 1, 1, 0, onnx_read_softmax_old},
    {STD, "LogSoftmax", 13, "nn.log_softmax", "axis:i", 1, 1, 1, 0, NULL},
    {STD, "MatMul", 1, "nn.matmul", "", 2, 2, 1, SAME, onnx_read_matmul},
    {STD, "MaxPool", 1, NULL, POOL_ATTRS, 1, 1, 2, 0, onnx_read_maxpool},
    {STD, "Softmax", 1, NULL, "axis-:i", 1, 1, 1, 0, onnx_read_softmax_old},
    {STD, "Softmax", 13, "nn.softmax", "axis:i", 1, 1, 1, 0, NULL},
    /* shapes */
    {STD, "Concat", 4, NULL, "axis-:i", 1, ANY, 1, SAME | INF, onnx_read_concat},
    {STD, "Constant", 1, NULL,
     "value-:* value_float-:f value_floats-:F value_int-:i value_ints-:I value_string-:* "
     "value_strings-:* sparse_value-:*", 0, 0, 1, INF, onnx_read_constant},
    {STD, "ConstantOfShape", 9, NULL, "value-:t", 1, 1, 1, INF, onnx_read_constant_of_shape},
    {STD, "DepthToSpace", 1, NULL, "blocksize-:i mode-:s", 1, 1, 1, 0, onnx_read_depth_space},
    {STD, "Expand", 8, NULL, "", 2, 2, 1, INF, onnx_read_expand},
    {STD, "Flatten", 1, NULL, "axis-:i", 1, 1, 1, INF, onnx_read_flatten},
    {STD, "Gather", 1, NULL, "axis-:i", 2, 2, 1, INF, onnx_read_gather},
    {STD, "Pad", 2, NULL, "mode-:s pads-:I value-:f", 1, 1, 1, INF, onnx_read_pad_old},
    {STD, "Pad", 11, NULL, "mode-:s", 2, 4, 1, INF, onnx_read_pad},
    {STD, "Reshape", 5, NULL, "allowzero-:i", 2, 2, 1, INF, onnx_read_reshape},
    {STD, "Resize", 10, NULL, "mode-:s", 2, 2, 1, 0, onnx_read_resize10},
    {STD, "Resize", 11, NULL,
     "antialias-:i axes-:I coordinate_transformation_mode-:s cubic_coeff_a-:f exclude_outside-:i "
     "extrapolation_value-:f keep_aspect_ratio_policy-:s mode-:s nearest_mode-:s", 1, 4, 1, 0,
     onnx_read_resize},
    {STD, "Shape", 1, NULL, "start-:i end-:i", 1, 1, 1, INF, onnx_read_shape},
    {STD, "Size", 1, NULL, "", 1, 1, 1, INF, onnx_read_size},
    {STD, "Slice", 1, NULL, "axes-:I ends-:I starts-:I", 1, 1, 1, INF, onnx_read_slice_old},
    {STD, "Slice", 10, NULL, "", 3, 5, 1, INF, onnx_read_slice},
    {STD, "SpaceToDepth", 1, NULL, "blocksize-:i mode-:s", 1, 1, 1, 0, onnx_read_depth_space},
    {STD, "Split", 2, NULL, "axis-:i split-:I num_outputs-:i", 1, 2, 127, INF, onnx_read_split},
    {STD, "Squeeze", 1, NULL, "axes-:I", 1, 2, 1, INF, onnx_read_squeeze},
    {STD, "Tile", 6, NULL, "", 2, 2, 1, INF, onnx_read_tile},
    {STD, "Transpose", 1, NULL, "perm-:I", 1, 1, 1, INF, onnx_read_transpose},
    {STD, "Unsqueeze", 1, NULL, "axes-:I", 1, 2, 1, INF, onnx_read_unsqueeze},
    {STD, "Upsample", 7, NULL, "mode-:s scales-:F", 1, 1, 1, 0, onnx_read_upsample},
    {STD, "Upsample", 9, NULL, "mode-:s", 2, 2, 1, 0, onnx_read_upsample},
    /* reductions */
    {STD, "ArgMax", 1, NULL, "axis-:i keepdims-:i select_last_index-:i", 1, 1, 1, 0,
     onnx_read_argmax},
    {STD, "ArgMin", 1, NULL, "axis-:i keepdims-:i select_last_index-:i", 1, 1, 1, 0,
     onnx_read_argmax},
    {STD, "ReduceL1", 1, NULL, REDUCE_ATTRS, 1, 2, 1, 0, onnx_read_reduce},
    {STD, "ReduceL2", 1, NULL, REDUCE_ATTRS, 1, 2, 1, 0, onnx_read_reduce},
    {STD, "ReduceLogSum", 1, NULL, REDUCE_ATTRS, 1, 2, 1, 0, onnx_read_reduce},
    {STD, "ReduceLogSumExp", 1, NULL, REDUCE_ATTRS, 1, 2, 1, 0, onnx_read_reduce},
    {STD, "ReduceMax", 1, NULL, REDUCE_ATTRS, 1, 2, 1, 0, onnx_read_reduce},
    {STD, "ReduceMean", 1, NULL, REDUCE_ATTRS, 1, 2, 1, 0, onnx_read_reduce},
    {STD, "ReduceMin", 1, NULL, REDUCE_ATTRS, 1, 2, 1, 0, onnx_read_reduce},
    {STD, "ReduceSum", 1, NULL, REDUCE_ATTRS, 1, 2, 1, 0, onnx_read_reduce},
    {STD, "ReduceSumSquare", 1, NULL, REDUCE_ATTRS, 1, 2, 1, 0, onnx_read_reduce},
    {STD, "TopK", 1, NULL, "axis-:i k-:i", 1, 1, 2, 0, onnx_read_topk},
    {STD, "TopK", 10, NULL, "axis-:i largest-:i sorted-:i", 2, 2, 2, 0, onnx_read_topk},
    /* quantised forms of the standard */
    {STD, "ConvInteger", 10, NULL, CONV_ATTRS, 2, 4, 1, 0, onnx_read_conv_integer},
    {STD, "DequantizeLinear", 10, NULL, "axis-:i block_size-:i output_dtype-:i", 2, 3, 1, 0,
     onnx_read_dequantize},
    {STD, "DynamicQuantizeLinear", 11, NULL,
     "takes its scale from the data; only constant scales have a hardware form", 1, 1, 3, REFUSE,
     NULL},
    {STD, "MatMulInteger", 10, NULL, "", 2, 4, 1, 0, onnx_read_matmul_integer},
    {STD, "QLinearConv", 10, NULL, CONV_ATTRS, 8, 9, 1, 0, onnx_read_qlinear_conv},
    {STD, "QLinearMatMul", 10, NULL, "", 8, 8, 1, 0, onnx_read_qlinear_matmul},
    {STD, "QuantizeLinear", 10, NULL, "axis-:i block_size-:i output_dtype-:i precision-:i "
     "saturate-:i", 2, 3, 1, 0, onnx_read_quantize},
    /* control flow, state, text */
    {STD, "If", 1, NULL, "is control flow with sub-graphs, which have no hardware form", 0, ANY,
     127, REFUSE, NULL},
    {STD, "Loop", 1, NULL, "is control flow with sub-graphs, which have no hardware form", 0, ANY,
     127, REFUSE, NULL},
    {STD, "Scan", 8, NULL, "is control flow with sub-graphs, which have no hardware form", 0, ANY,
     127, REFUSE, NULL},
    /* QONNX */
    {ONNX_QONNX, "BipolarQuant", 1, NULL, "", 2, 2, 1, 0, onnx_read_bipolar_quant},
    {ONNX_QONNX, "DebugMarker", 1, "nn.identity", "export_debug_name-:s", 1, 1, 1, 0, NULL},
    {ONNX_QONNX, "FloatQuant", 1, NULL,
     "has_inf-:i has_nan-:i has_subnormal-:i rounding_mode-:s saturation-:i", 6, 6, 1, 0,
     onnx_read_float_quant},
    {ONNX_QONNX, "GenericPartition", 1, "call", "model-:s return_full_exec_context-:i", 0, ANY, 127,
     INF | ONNX_R_FILE, onnx_read_partition},
    {ONNX_QONNX, "Im2Col", 1, NULL,
     "depthwise-:i dilations-:I input_shape-:s kernel_size-:I pad_amount-:I pad_value-:i stride-:I",
     1, 1, 1, 0, onnx_read_im2col},
    {ONNX_QONNX, "IntQuant", 1, NULL, "narrow-:i rounding_mode-:s signed-:i", 4, 4, 1, 0,
     onnx_read_quant},
    {ONNX_QONNX, "MaxPoolNHWC", 1, NULL, POOL_ATTRS, 1, 1, 1, 0, onnx_read_maxpool_nhwc},
    {ONNX_QONNX, "MultiThreshold", 1, NULL,
     "data_layout-:s out_bias-:f out_dtype-:s out_scale-:f", 2, 2, 1, INF,
     onnx_read_multithreshold},
    {ONNX_QONNX, "Quant", 1, NULL, "narrow-:i rounding_mode-:s signed-:i", 4, 4, 1, 0,
     onnx_read_quant},
    {ONNX_QONNX, "QuantAvgPool2d", 1, NULL,
     "data_layout-:s ibits-:i kernel-:i obits-:i signed-:i stride-:i", 1, 1, 1, 0,
     onnx_read_quant_avgpool},
    {ONNX_QONNX, "Trunc", 1, NULL, "narrow-:i rounding_mode-:s signed-:i", 5, 6, 1, 0,
     onnx_read_trunc},
    {ONNX_QONNX, "XnorPopcountMatMul", 1, NULL, "", 2, 2, 1, 0, onnx_read_xnor_popcount},
    {ONNX_CL, "BatchNormalization", 1, NULL, BN_ATTRS, 5, 5, 1, 0, onnx_read_channels_last},
    {ONNX_CL, "Conv", 1, NULL, CONV_ATTRS, 2, 3, 1, 0, onnx_read_channels_last},
    {ONNX_CL, "MaxPool", 1, NULL, POOL_ATTRS, 1, 1, 1, 0, onnx_read_channels_last},
    /* FINN */
    {ONNX_FPGA, "StreamingDataflowPartition", 1, "call",
     "backend-:s device_id-:i instance_name-:s mem_port-:s model-:s partition_id-:i "
     "res_estimate-:s res_hls-:s res_synth-:s return_full_exec_context-:i slr-:i",
     0, ANY, 127, INF | ONNX_R_FILE, onnx_read_partition},
    /* onnxruntime */
    {ONNX_MS, "QGemm", 1, NULL, "alpha-:f transA-:i transB-:i", 6, 9, 1, 0, onnx_read_qgemm},
    {ONNX_MS, "QLinearAdd", 1, NULL, "", 7, 8, 1, 0, onnx_read_qlinear_binary},
    {ONNX_MS, "QLinearAveragePool", 1, NULL, POOL_ATTRS, 4, 5, 1, 0, onnx_read_qlinear_unary},
    {ONNX_MS, "QLinearConcat", 1, NULL, "axis-:i", 5, ANY, 1, 0, onnx_read_qlinear_concat},
    {ONNX_MS, "QLinearGlobalAveragePool", 1, NULL, "channels_last-:i", 5, 5, 1, 0,
     onnx_read_qlinear_unary},
    {ONNX_MS, "QLinearLeakyRelu", 1, NULL, "alpha-:f", 4, 5, 1, 0, onnx_read_qlinear_unary},
    {ONNX_MS, "QLinearMul", 1, NULL, "", 7, 8, 1, 0, onnx_read_qlinear_binary},
    {ONNX_MS, "QLinearSigmoid", 1, NULL, "", 4, 5, 1, 0, onnx_read_qlinear_unary},
    {0},
};
/* clang-format on */

const onnx_row *
onnx_row_find(onnx_domain domain, const char *name, int64_t version, int *since)
{
    static const onnx_row own = {.domain = ONNX_VENDOR,
                                 .name = "own",
                                 .since = 1,
                                 .attrs = "attributes-:s",
                                 .max_in = ANY,
                                 .max_out = 127,
                                 .flags = INF,
                                 .read = onnx_read_vendor};
    const onnx_row *best = NULL;

    *since = 0;
    if (domain == ONNX_VENDOR)
        return &own;
    for (const onnx_row *row = onnx_rows; row->name; row++) {
        if (row->domain != domain || strcmp(row->name, name))
            continue;
        if (!*since || row->since < *since)
            *since = row->since;
        if (row->since <= version && (!best || row->since > best->since))
            best = row;
    }
    return best;
}

const onnx_row *
onnx_row_for(const char *op)
{
    const onnx_row *best = NULL;

    for (const onnx_row *row = onnx_rows; row->name; row++)
        if (row->op && row->domain == STD && !strcmp(row->op, op))
            best = row;
    return best;
}
