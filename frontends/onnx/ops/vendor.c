/* vendor.c: the domain "nashc": IR operators that no standard operator expresses, under their own
 * names, with their attributes as text of the IR. */
#include "frontends/onnx/ops/family.h"
#include "frontends/onnx/reader.h"
#include "frontends/onnx/write/writer.h"
#include <string.h>

static nashc_status
read_vendor(nashc_onnx_in *r)
{
    const Onnx__AttributeProto *a = onnx_attr(r, "attributes");
    const char *text = a ? nashc_onnx_attr_str(r, "attributes", "") : "";
    int n = (int)r->node->n_input, n_out = (int)r->node->n_output;
    nashc_value **in = NASHC_NEW_N(r->arena, nashc_value *, n + 1);
    nashc_status s;

    if (!in)
        return nashc_enomem(r->d);
    if (!nashc_find(r->ctx, NASHC_D_OP, r->node->op_type))
        return nashc_onnx_unsup(r, "this nashc has no operator \"%s\"; a plugin may bring it",
                                nashc_quote(r->d, r->node->op_type));
    for (int i = 0; i < n; i++)
        if (!(in[i] = nashc_onnx_in_value(r, i)) && *r->node->input[i])
            return nashc_onnx_status(r);
    nashc_node *node = nashc_onnx_node(r, r->node->op_type, in, n, n_out, text);
    if (!node)
        return nashc_onnx_status(r);
    for (int k = 0; k < n_out; k++)
        if ((s = nashc_onnx_set(r, k, nashc_node_out(node, k),
                                onnx_container(nashc_value_type(nashc_node_out(node, k))))))
            return s;
    return NASHC_OK;
}

static const nashc_onnx_row rows[] = {
    {VENDOR, "*", 1, NULL, "attributes-:s", 0, ANY, 127, INF | NASHC_ONNX_MORE, read_vendor},
    {0},
};

extern const nashc_impl nashc_impl_onnx_vendor;

const nashc_impl nashc_impl_onnx_vendor = NASHC_IMPL_ONNX("vendor", rows);
