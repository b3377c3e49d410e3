/* ir.c: which function writes an IR node. */
#include "frontends/onnx/write/writer.h"
#include <string.h>

static const onnx_writer *
writer_of(const char *op)
{
    static const onnx_writer *const tables[] = {onnx_arithmetic_writers, onnx_shape_writers,
                                                onnx_quant_writers, onnx_threshold_writers};

    for (size_t i = 0; i < NASHC_COUNT(tables); i++)
        for (const onnx_writer *w = tables[i]; w->op; w++)
            if (!strcmp(w->op, op))
                return w;
    return NULL;
}

nashc_status
onnx_write_node(onnx_out *o, const nashc_node *n)
{
    const char *op = nashc_node_opname(n);
    const onnx_writer *w = writer_of(op);
    const nashc_onnx_row *row = w ? NULL : onnx_rows_for_op(o->rows, op);

    o->node = n;
    o->n_parts = 0;
    return w ? w->write(o) : row ? onnx_write_row(o, row) : onnx_write_vendor(o);
}
