/* add_streams.c: hw.add_streams to nashc_add_streams. */
#include "emit.h"
#include <stdlib.h>
#include <string.h>

static nashc_status
emit_add_streams(const nashc_node *n, nashc_vlog *v, nashc_diag *d)
{
    static const int funcs[] = {0, 6, 1, 4, 5}; /* add, sub, mul, max, min as nashc_elementwise counts */
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));
    nashc_type whole = nashc_type_for_range(-1, 1); /* bipolar elements are computed as integers */

    (void)d;
    nashc_vlog_core(v, "nashc_add_streams");
    nashc_vlog_int(v, "PE", emit_int(n, "pe"));
    emit_element(v, "X", nashc_value_type(nashc_node_in(n, 0)), &whole);
    emit_element(v, "X1", nashc_value_type(nashc_node_in(n, 1)), &whole);
    nashc_vlog_int(v, "FUNC", funcs[emit_int(n, "func")]);
    nashc_vlog_int(v, "OUT_BIP", y->kind == NASHC_K_BIP);
    nashc_vlog_int(v, "OUT_W", y->bits);
    return NASHC_OK;
}

const nashc_impl nashc_impl_verilog_hw_add_streams =
    NASHC_IMPL_VERILOG("hw.add_streams", emit_add_streams);
