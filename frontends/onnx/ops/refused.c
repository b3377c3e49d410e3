/* refused.c: operators of the standard that are known and have no hardware form. */
#include "frontends/onnx/ops/family.h"

#define CONTROL "is control flow with sub-graphs, which have no hardware form"
#define RUNNING                                                                                    \
    "divides by a deviation that is computed from the data, which has no hardware form; "          \
    "BatchNormalization, whose statistics are constant, has one"
#define SCORES                                                                                     \
    "multiplies computed tensors with each other and takes a softmax between layers, which has "   \
    "no hardware form"

static const nashc_onnx_row rows[] = {
    {AI_ONNX, "Attention", 23, NULL, SCORES, 0, ANY, 127, REFUSE, NULL},
    {AI_ONNX, "DynamicQuantizeLinear", 11, NULL,
     "takes its scale from the data; only constant scales have a hardware form", 1, 1, 3, REFUSE,
     NULL},
    {AI_ONNX, "GroupNormalization", 18, NULL, RUNNING, 0, ANY, 127, REFUSE, NULL},
    {AI_ONNX, "Loop", 1, NULL, CONTROL, 0, ANY, 127, REFUSE, NULL},
    {AI_ONNX, "RMSNormalization", 23, NULL, RUNNING, 0, ANY, 127, REFUSE, NULL},
    {AI_ONNX, "Scan", 8, NULL, CONTROL, 0, ANY, 127, REFUSE, NULL},
    {MICROSOFT, "Attention", 1, NULL, SCORES, 0, ANY, 127, REFUSE, NULL},
    {MICROSOFT, "MultiHeadAttention", 1, NULL, SCORES, 0, ANY, 127, REFUSE, NULL},
    {MICROSOFT, "SkipLayerNormalization", 1, NULL, RUNNING, 0, ANY, 127, REFUSE, NULL},
    {0},
};

extern const nashc_impl nashc_impl_onnx_refused;

const nashc_impl nashc_impl_onnx_refused = NASHC_IMPL_ONNX("refused", rows);
