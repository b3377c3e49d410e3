/* vvau.c: hw.vvau to nashc_vvau. Weight line k*CF + cf holds w[k][cf*PE+p] at [p*WW +: WW]. */
#include "mac.h"

/* One product a lane needs no stage inside the sum. */
static nashc_status
emit_vvau(const nashc_node *n, nashc_vlog *v, nashc_diag *d)
{
    const nashc_tensor *w = nashc_value_const(nashc_node_in(n, 1));
    const nashc_type *t = nashc_tensor_type(w);
    int64_t kernel = t->dim[0], c = t->dim[1], pe = emit_int(n, "pe");
    nashc_vlog_mem *m = nashc_vlog_memory(v, kernel * (c / pe), pe * t->bits);

    for (int64_t i = 0; i < kernel * c; i++)
        nashc_vlog_put(m, i / pe, i % pe * t->bits, t->bits,
                       emit_code(t, nashc_tensor_get_int(w, i)));
    nashc_vlog_core(v, "nashc_vvau");
    nashc_vlog_int(v, "C", c);
    nashc_vlog_int(v, "KERNEL", kernel);
    emit_weights(n, v, emit_text(n, "ram_style"), m);
    return emit_mac(n, v, 0, d);
}

const nashc_impl nashc_impl_verilog_hw_vvau = NASHC_IMPL_VERILOG("hw.vvau", emit_vvau);
