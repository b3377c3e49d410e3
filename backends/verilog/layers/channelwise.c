/* channelwise.c: hw.channelwise to nashc_channelwise. */
#include "emit.h"
#include <stdlib.h>
#include <string.h>

static nashc_status
emit_channelwise(const nashc_node *n, nashc_vlog *v, nashc_diag *d)
{
    static const int funcs[] = {0, 1, 4, 5}; /* add, mul, max, min as nashc_elementwise counts */
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));
    const nashc_tensor *p = nashc_value_const(nashc_node_in(n, 1));
    const nashc_type *pt = nashc_tensor_type(p);
    int64_t c = emit_channels(n), pe = emit_int(n, "pe"), rows = nashc_tensor_count(p);
    int bits = pt->kind == NASHC_K_BIP ? 2 : pt->bits;

    (void)d;
    nashc_vlog_mem *m = nashc_vlog_memory(v, c / pe, pe * bits);
    for (int64_t i = 0; i < c; i++)
        nashc_vlog_put(m, i / pe, i % pe * bits, bits, nashc_tensor_get_int(p, i % rows));
    nashc_vlog_core(v, "nashc_channelwise");
    nashc_vlog_int(v, "C", c);
    nashc_vlog_int(v, "PE", pe);
    nashc_vlog_int(v, "FUNC", funcs[emit_int(n, "func")]);
    emit_element(v, "X", x, y);
    nashc_vlog_int(v, "OUT_W", y->bits);
    nashc_vlog_int(v, "PW", bits);
    nashc_vlog_int(v, "P_SIGNED", nashc_type_is_signed(pt));
    nashc_vlog_str(v, "RAM_STYLE", emit_text(n, "ram_style"));
    nashc_vlog_file(v, "FILE", "params", m);
    return NASHC_OK;
}

const nashc_impl nashc_impl_verilog_hw_channelwise =
    NASHC_IMPL_VERILOG("hw.channelwise", emit_channelwise);
