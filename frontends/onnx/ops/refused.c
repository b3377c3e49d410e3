/* refused.c: operators of the standard that are known and have no hardware form. */
#include "frontends/onnx/ops/family.h"

static const nashc_onnx_row rows[] = {
    {AI_ONNX, "DynamicQuantizeLinear", 11, NULL,
     "takes its scale from the data; only constant scales have a hardware form", 1, 1, 3, REFUSE,
     NULL},
    {AI_ONNX, "If", 1, NULL, "is control flow with sub-graphs, which have no hardware form", 0, ANY,
     127, REFUSE, NULL},
    {AI_ONNX, "Loop", 1, NULL, "is control flow with sub-graphs, which have no hardware form", 0,
     ANY, 127, REFUSE, NULL},
    {AI_ONNX, "Scan", 8, NULL, "is control flow with sub-graphs, which have no hardware form", 0,
     ANY, 127, REFUSE, NULL},
    {0},
};

extern const nashc_impl nashc_impl_onnx_refused;

const nashc_impl nashc_impl_onnx_refused = NASHC_IMPL_ONNX("refused", rows);
