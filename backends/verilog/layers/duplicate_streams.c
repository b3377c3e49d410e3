/* duplicate_streams.c: hw.duplicate_streams to nashc_duplicate_streams. */
#include "emit.h"
#include <string.h>

static nashc_status
emit_duplicate(const nashc_node *n, nashc_vlog *v, nashc_diag *d)
{
    (void)d;
    nashc_vlog_core(v, "nashc_duplicate_streams");
    nashc_vlog_int(v, "W", emit_int(n, "pe") * emit_bits_in(n));
    nashc_vlog_int(v, "N", nashc_node_n_out(n));
    return NASHC_OK;
}

const nashc_impl nashc_impl_verilog_hw_duplicate_streams =
    NASHC_IMPL_VERILOG("hw.duplicate_streams", emit_duplicate);
