/* concat.c: hw.concat to nashc_concat. */
#include "parts.h"

static nashc_status
emit_concat(const nashc_node *n, nashc_vlog *v, nashc_diag *d)
{
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));

    (void)d;
    emit_parts(n, v, "nashc_concat");
    emit_element(v, "X", nashc_value_type(nashc_node_in(n, 0)), y);
    emit_element(v, "X1", nashc_value_type(nashc_node_in(n, 1)), y);
    nashc_vlog_int(v, "OUT_W", y->bits);
    return NASHC_OK;
}

const nashc_impl nashc_impl_verilog_hw_concat = NASHC_IMPL_VERILOG("hw.concat", emit_concat);
