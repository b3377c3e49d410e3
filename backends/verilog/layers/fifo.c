/* fifo.c: hw.fifo to nashc_fifo. */
#include "emit.h"

static nashc_status
emit_fifo(const nashc_node *n, nashc_vlog *v, nashc_diag *d)
{
    int bits = 1; /* of a count from 0 to depth */

    (void)d;
    while (bits < 62 && (int64_t)1 << bits < emit_int(n, "depth") + 1)
        bits++;
    nashc_vlog_core(v, "nashc_fifo");
    nashc_vlog_int(v, "W", emit_int(n, "lanes") * emit_bits_in(n));
    nashc_vlog_int(v, "DEPTH", emit_int(n, "depth"));
    nashc_vlog_str(v, "RAM_STYLE", emit_text(n, "ram_style"));
    nashc_vlog_open(v, "count", bits);
    nashc_vlog_open(v, "maxcount", bits);
    return NASHC_OK;
}

const nashc_impl nashc_impl_verilog_hw_fifo = NASHC_IMPL_VERILOG("hw.fifo", emit_fifo);
