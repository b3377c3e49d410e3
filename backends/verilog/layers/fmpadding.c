/* fmpadding.c: hw.fmpadding to its module. */
#include "emit.h"

static nashc_status
emit_fmpadding(const nashc_node *n, nashc_vlog *v, nashc_diag *d)
{
    static const char *const names[] = {"HEIGHT", "WIDTH", "TOP", "LEFT", "BOTTOM", "RIGHT"};
    static const char *const between[] = {"ROW_GAP", "COL_GAP"};
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));
    const nashc_tensor *p = nashc_value_const(nashc_node_in(n, 1));
    int64_t c = y->dim[1], simd = emit_int(n, "simd"), rows = nashc_tensor_count(p);
    int64_t cells = rows > 1 ? c : simd;
    int count;
    const int64_t *dim = nashc_attr_ints(n, nashc_attr_index(n, "dim"), &count);
    const int64_t *pads = nashc_attr_ints(n, nashc_attr_index(n, "pads"), &count);
    const int64_t *gaps = nashc_attr_ints(n, nashc_attr_index(n, "gaps"), &count);

    (void)d;
    nashc_vlog_mem *m = nashc_vlog_memory(v, cells / simd, simd * y->bits);
    for (int64_t i = 0; i < cells; i++)
        nashc_vlog_put(m, i / simd, i % simd * y->bits, y->bits,
                       emit_code(y, nashc_tensor_get_int(p, i % rows)));
    nashc_vlog_core(v, "nashc_fmpadding");
    nashc_vlog_int(v, "C", c);
    nashc_vlog_int(v, "SIMD", simd);
    for (int i = 0; i < 6; i++)
        nashc_vlog_int(v, names[i], i < 2 ? dim[i] : pads[i - 2]);
    for (int i = 0; i < 2; i++)
        nashc_vlog_int(v, between[i], gaps[i]);
    emit_element(v, "X", x, y);
    nashc_vlog_int(v, "OUT_W", y->bits);
    nashc_vlog_int(v, "SHARED", rows == 1);
    nashc_vlog_file(v, "FILE", "params", m);
    return NASHC_OK;
}

extern const nashc_impl nashc_impl_verilog_hw_fmpadding;
const nashc_impl nashc_impl_verilog_hw_fmpadding =
    NASHC_IMPL_VERILOG("hw.fmpadding", emit_fmpadding);
