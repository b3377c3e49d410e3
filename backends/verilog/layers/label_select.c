/* label_select.c: hw.label_select to nashc_label_select. */
#include "emit.h"
#include <string.h>

static nashc_status
emit_select(const nashc_node *n, nashc_vlog *v, nashc_diag *d)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    int64_t labels = emit_int(n, "labels");

    (void)d;
    nashc_vlog_core(v, "nashc_label_select");
    nashc_vlog_int(v, "LABELS", labels ? labels : x->rank ? x->dim[x->rank - 1] : 1);
    nashc_vlog_int(v, "PE", emit_int(n, "pe"));
    nashc_vlog_int(v, "K", emit_int(n, "k"));
    nashc_vlog_int(v, "XW", x->bits);
    nashc_vlog_int(v, "X_SIGNED", emit_signed(x)); /* bip: 0 < 1 as -1 < +1 */
    nashc_vlog_int(v, "OUT_W", nashc_value_type(nashc_node_out(n, 0))->bits);
    return NASHC_OK;
}

const nashc_impl nashc_impl_verilog_hw_label_select =
    NASHC_IMPL_VERILOG("hw.label_select", emit_select);
