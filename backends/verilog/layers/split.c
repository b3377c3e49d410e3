/* split.c: hw.split to nashc_split. */
#include "parts.h"

static nashc_status
emit_split(const nashc_node *n, nashc_vlog *v, nashc_diag *d)
{
    (void)d;
    emit_parts(n, v, "nashc_split");
    nashc_vlog_int(v, "XW", nashc_value_type(nashc_node_in(n, 0))->bits);
    return NASHC_OK;
}

const nashc_impl nashc_impl_verilog_hw_split = NASHC_IMPL_VERILOG("hw.split", emit_split);
