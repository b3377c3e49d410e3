/* window.c: hw.window to its library module. */
#include "emit.h"
#include <stdio.h>

static void
put_numbered(nashc_vlog *v, const char *name, int k, int64_t value)
{
    char text[16];

    snprintf(text, sizeof text, "%s%d", name, k);
    nashc_vlog_int(v, text, value);
}

static nashc_status
emit_window(const nashc_node *n, nashc_vlog *v, nashc_diag *d)
{
    nashc_ring r;
    nashc_status s = nashc_node_op(n)->hw->ring(n, &r);

    if (s != NASHC_OK)
        return nashc_node_unsup(d, n, "these loops have no layer");
    nashc_vlog_core(v, "nashc_window");
    nashc_vlog_int(v, "W", emit_int(n, "simd") * nashc_value_type(nashc_node_in(n, 0))->bits);
    nashc_vlog_int(v, "WORDS", r.words);
    nashc_vlog_int(v, "DEPTH", r.depth);
    nashc_vlog_int(v, "FIRST", r.first);
    for (int k = 0; k < r.loops; k++) { /* the module counts them from the innermost */
        int inner = r.loops - 1 - k;
        put_numbered(v, "COUNT", k, r.count[inner]);
        put_numbered(v, "MOVE", k, r.move[inner]);
        put_numbered(v, "FREE", k, r.release[inner]);
    }
    put_numbered(v, "MOVE", NASHC_RING_LOOPS, r.move[r.loops]);
    put_numbered(v, "FREE", NASHC_RING_LOOPS, r.release[r.loops]);
    nashc_vlog_str(v, "RAM_STYLE", emit_text(n, "ram_style"));
    return NASHC_OK;
}

extern const nashc_impl nashc_impl_verilog_hw_window;
const nashc_impl nashc_impl_verilog_hw_window = NASHC_IMPL_VERILOG("hw.window", emit_window);
