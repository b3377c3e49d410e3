/* lut.c: hw.lut to nashc_lut. */
#include "emit.h"

static nashc_status
emit_lut(const nashc_node *n, nashc_vlog *v, nashc_diag *d)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    const nashc_tensor *t = nashc_value_const(nashc_node_in(n, 1));
    const nashc_type *tt = nashc_tensor_type(t), *y = nashc_value_type(nashc_node_out(n, 0));
    int64_t c = emit_channels(n), pe = emit_int(n, "pe"), rows = tt->dim[0], size = tt->dim[1];
    int64_t lanes = rows > 1 ? pe : 1, folds = rows > 1 ? c / pe : 1;

    if (x->kind == NASHC_K_BIP)
        return nashc_node_unsup(d, n, "a bipolar stream has no table layer");
    nashc_vlog_core(v, "nashc_lut");
    emit_common(n, v);
    nashc_vlog_int(v, "LO", emit_int(n, "lo"));
    nashc_vlog_int(v, "ENTRIES", size);
    nashc_vlog_int(v, "SHARED", rows == 1);
    nashc_vlog_str(v, "RAM_STYLE", emit_text(n, "ram_style"));
    const char *prefix = nashc_vlog_prefix(v, "FILE", "table", t);
    for (int64_t p = 0; p < lanes; p++) {
        nashc_vlog_mem *m = nashc_vlog_memory(v, folds * size, y->bits);
        for (int64_t f = 0; f < folds; f++)
            for (int64_t i = 0; i < size; i++)
                nashc_vlog_put(
                    m, f * size + i, 0, y->bits,
                    emit_code(tt, nashc_tensor_get_int(t, (rows > 1 ? f * pe + p : 0) * size + i)));
        nashc_vlog_image(v, prefix, m, "%" PRId64, p);
    }
    return NASHC_OK;
}

const nashc_impl nashc_impl_verilog_hw_lut = NASHC_IMPL_VERILOG("hw.lut", emit_lut);
