/* pool.c: hw.pool to nashc_pool. */
#include "emit.h"

static nashc_status
emit_pool(const nashc_node *n, nashc_vlog *v, nashc_diag *d)
{
    static const char *const names[] = {"KH", "OW", "KW"};
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));
    int count;
    const int64_t *window = nashc_attr_ints(n, nashc_attr_index(n, "window"), &count);

    (void)d;
    nashc_vlog_core(v, "nashc_pool");
    nashc_vlog_int(v, "C", y->dim[y->rank - 1]);
    nashc_vlog_int(v, "PE", emit_int(n, "pe"));
    emit_func(n, v);
    for (int i = 0; i < count; i++)
        nashc_vlog_int(v, names[i], window[i]);
    emit_element(v, "X", x, y); /* the largest of bip is bip: 0 < 1 as -1 < +1 */
    nashc_vlog_int(v, "OUT_W", y->bits);
    nashc_vlog_str(v, "RAM_STYLE", emit_text(n, "ram_style"));
    return NASHC_OK;
}

const nashc_impl nashc_impl_verilog_hw_pool = NASHC_IMPL_VERILOG("hw.pool", emit_pool);
