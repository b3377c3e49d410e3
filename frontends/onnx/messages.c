/* messages.c: errors that name the node of the file. */
#include "frontends/onnx/graph.h"
#include <stdarg.h>

const char *
onnx_node_title(nashc_onnx_in *r)
{
    const Onnx__NodeProto *n = r->node;
    const char *type = nashc_quote(r->d, n->op_type);

    if (n->name && *n->name)
        return nashc_arena_printf(r->arena, "node \"%s\" (%s)", nashc_quote(r->d, n->name), type);
    return nashc_arena_printf(r->arena, "node %d (%s, writes \"%s\")", r->node_i, type,
                              n->n_output ? nashc_quote(r->d, n->output[0]) : "");
}

/* By number where there is no name: exporters name the tensors rather than the nodes. */
const char *
onnx_node_text(nashc_onnx_in *r, size_t i)
{
    const Onnx__NodeProto *n = r->g->node[i];

    if (n->name && *n->name)
        return nashc_arena_printf(r->arena, "\"%s\"", nashc_quote(r->d, n->name));
    return nashc_arena_printf(r->arena, "%zu (%s)", i, nashc_quote(r->d, n->op_type));
}

/* failed makes everything that builds return NULL from here on, so that one fault gives one
 * message. */
nashc_status
nashc_onnx_error(nashc_onnx_in *r, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    const char *text = nashc_arena_vprintf(r->arena, fmt, ap);
    va_end(ap);
    r->failed = true;
    return nashc_error(r->d, &r->file, "%s: %s", onnx_node_title(r), text);
}

nashc_status
nashc_onnx_unsup(nashc_onnx_in *r, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    const char *text = nashc_arena_vprintf(r->arena, fmt, ap);
    va_end(ap);
    r->failed = true;
    return nashc_unsup(r->d, &r->file, "%s: %s", onnx_node_title(r), text);
}
