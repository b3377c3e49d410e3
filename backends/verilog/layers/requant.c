/* requant.c: hw.requant to nashc_requant. */
#include "emit.h"

/* Bits of v in two's complement, and of what was seen before. */
static int
bits_for(int64_t v, int bits)
{
    int b = nashc_type_for_range(v < 0 ? v : ~v, -1).bits;

    return b > bits ? b : bits;
}

static nashc_status
emit_requant(const nashc_node *n, nashc_vlog *v, nashc_diag *d)
{
    const nashc_tensor *m = nashc_value_const(nashc_node_in(n, 1));
    const nashc_tensor *a = nashc_value_const(nashc_node_in(n, 2));
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    int64_t pe = emit_int(n, "pe"), rows = nashc_tensor_count(m), c = rows > 1 ? rows : pe;
    int mw = 1, aw = 1;

    if (x->kind == NASHC_K_BIP)
        return nashc_node_unsup(d, n, "a bipolar stream has no requantisation layer");
    for (int64_t i = 0; i < rows; i++) {
        mw = bits_for(nashc_tensor_get_int(m, i), mw);
        aw = bits_for(nashc_tensor_get_int(a, i), aw);
    }
    nashc_vlog_mem *mem = nashc_vlog_memory(v, c / pe, pe * (mw + aw));
    for (int64_t i = 0; i < c; i++) {
        int64_t at = i % pe * (mw + aw);
        nashc_vlog_put(mem, i / pe, at, mw, nashc_tensor_get_int(m, i % rows));
        nashc_vlog_put(mem, i / pe, at + mw, aw, nashc_tensor_get_int(a, i % rows));
    }
    nashc_vlog_core(v, "nashc_requant");
    nashc_vlog_int(v, "C", c);
    nashc_vlog_int(v, "PE", pe);
    nashc_vlog_int(v, "XW", x->bits);
    nashc_vlog_int(v, "X_SIGNED", emit_signed(x));
    nashc_vlog_int(v, "FACTOR_W", mw);
    nashc_vlog_int(v, "ADDEND_W", aw);
    nashc_vlog_int(v, "SHIFT", emit_int(n, "shift"));
    nashc_vlog_int(v, "EVEN", emit_int(n, "ties_even"));
    nashc_vlog_int(v, "QMIN", emit_int(n, "qmin"));
    nashc_vlog_int(v, "QMAX", emit_int(n, "qmax"));
    nashc_vlog_int(v, "OUT_W", nashc_value_type(nashc_node_out(n, 0))->bits);
    nashc_vlog_str(v, "RAM_STYLE", emit_text(n, "ram_style"));
    nashc_vlog_file(v, "FILE", "params", mem);
    return NASHC_OK;
}

const nashc_impl nashc_impl_verilog_hw_requant = NASHC_IMPL_VERILOG("hw.requant", emit_requant);
