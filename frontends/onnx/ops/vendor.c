/* vendor.c: the domain "nashc": IR operators that no standard operator expresses, under their own
 * names, with their attributes as text of the IR. */
#include "frontends/onnx/ops/family.h"
#include <string.h>

nashc_status
onnx_read_vendor(onnx_in *r)
{
    const Onnx__AttributeProto *a = onnx_attr(r, "attributes");
    const char *text = a ? onnx_attr_str(r, "attributes", "") : "";
    int n = (int)r->node->n_input, n_out = (int)r->node->n_output;
    nashc_value **in = NASHC_NEW_N(r->arena, nashc_value *, n + 1);
    nashc_status s;

    if (!in)
        return nashc_enomem(r->d);
    if (!nashc_find(r->ctx, NASHC_D_OP, r->node->op_type))
        return onnx_unsup(r, "this nashc has no operator \"%s\"; a plugin may bring it",
                          nashc_quote(r->d, r->node->op_type));
    for (int i = 0; i < n; i++)
        if (!(in[i] = onnx_in_value(r, i)) && *r->node->input[i])
            return onnx_build_status(r);
    nashc_node *node = onnx_node(r, r->node->op_type, in, n, n_out, text);
    if (!node)
        return onnx_build_status(r);
    for (int k = 0; k < n_out; k++)
        if ((s = onnx_set(r, k, nashc_node_out(node, k), n ? onnx_in_elem(r, 0) : ONNX_FLOAT)))
            return s;
    return NASHC_OK;
}
