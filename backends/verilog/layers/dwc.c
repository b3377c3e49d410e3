/* dwc.c: hw.dwc to nashc_dwc. */
#include "emit.h"

static nashc_status
emit_dwc(const nashc_node *n, nashc_vlog *v, nashc_diag *d)
{
    (void)d;
    nashc_vlog_core(v, "nashc_dwc");
    nashc_vlog_int(v, "S_W", emit_int(n, "lanes_in") * emit_bits_in(n));
    nashc_vlog_int(v, "M_W", emit_int(n, "lanes_out") * emit_bits_in(n));
    return NASHC_OK;
}

const nashc_impl nashc_impl_verilog_hw_dwc = NASHC_IMPL_VERILOG("hw.dwc", emit_dwc);
