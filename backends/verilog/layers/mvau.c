/* mvau.c: hw.mvau to nashc_mvau.
 *
 * Weight line nf*SF + sf holds W[sf*SIMD+s][nf*PE+p] at [(p*SIMD+s)*WW +: WW], nf counting through
 * the groups.
 */
#include "mac.h"

static nashc_status
emit_mvau(const nashc_node *n, nashc_vlog *v, nashc_diag *d)
{
    const nashc_tensor *w = nashc_value_const(nashc_node_in(n, 1));
    const nashc_type *t = nashc_tensor_type(w);
    int64_t mw = t->dim[0], mh = t->dim[1], pe = emit_int(n, "pe"), simd = emit_int(n, "simd");
    int64_t sf = mw / simd, nf = mh / pe;
    nashc_vlog_mem *m = nashc_vlog_memory(v, nf * sf, pe * simd * t->bits);

    for (int64_t r = 0; r < mh; r++)
        for (int64_t c = 0; c < mw; c++)
            nashc_vlog_put(m, r / pe * sf + c / simd, (r % pe * simd + c % simd) * t->bits, t->bits,
                           emit_code(t, nashc_tensor_get_int(w, c * mh + r)));
    nashc_vlog_core(v, "nashc_mvau");
    nashc_vlog_int(v, "MW", mw);
    nashc_vlog_int(v, "MH", mh);
    nashc_vlog_int(v, "GROUPS", emit_int(n, "groups"));
    nashc_vlog_int(v, "SIMD", simd);
    emit_weights(n, v, emit_int(n, "mem_mode") == 1 ? "logic" : emit_text(n, "ram_style"), m);
    nashc_vlog_tie(v, "s1_tdata", nashc_vlog_zeros(v, pe * simd * t->bits));
    nashc_vlog_tie(v, "s1_tvalid", "1'b0");
    nashc_vlog_open(v, "s1_tready", 1);
    return emit_mac(n, v, 1, d);
}

const nashc_impl nashc_impl_verilog_hw_mvau = NASHC_IMPL_VERILOG("hw.mvau", emit_mvau);
