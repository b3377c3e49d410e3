/* stream.c: hw.fifo, hw.dwc, hw.duplicate_streams, hw.label_select and hw.pool to their library
 * modules.
 */
#include "emit.h"
#include <string.h>

static int
bits_in(const nashc_node *n)
{
    return nashc_value_type(nashc_node_in(n, 0))->bits;
}

static nashc_status
emit_fifo(const nashc_node *n, nashc_vlog *v, nashc_diag *d)
{
    int bits = 1; /* of a count from 0 to depth */

    (void)d;
    while (bits < 62 && (int64_t)1 << bits < emit_int(n, "depth") + 1)
        bits++;
    nashc_vlog_core(v, "nashc_fifo");
    nashc_vlog_int(v, "W", emit_int(n, "lanes") * bits_in(n));
    nashc_vlog_int(v, "DEPTH", emit_int(n, "depth"));
    nashc_vlog_str(v, "RAM_STYLE", emit_text(n, "ram_style"));
    nashc_vlog_open(v, "count", bits);
    nashc_vlog_open(v, "maxcount", bits);
    return NASHC_OK;
}

static nashc_status
emit_dwc(const nashc_node *n, nashc_vlog *v, nashc_diag *d)
{
    (void)d;
    nashc_vlog_core(v, "nashc_dwc");
    nashc_vlog_int(v, "IN_W", emit_int(n, "lanes_in") * bits_in(n));
    nashc_vlog_int(v, "OUT_W", emit_int(n, "lanes_out") * bits_in(n));
    return NASHC_OK;
}

static nashc_status
emit_duplicate(const nashc_node *n, nashc_vlog *v, nashc_diag *d)
{
    (void)d;
    nashc_vlog_core(v, "nashc_fork");
    nashc_vlog_int(v, "W", emit_int(n, "pe") * bits_in(n));
    nashc_vlog_int(v, "N", nashc_node_n_out(n));
    return NASHC_OK;
}

static nashc_status
emit_select(const nashc_node *n, nashc_vlog *v, nashc_diag *d)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    int64_t labels = emit_int(n, "labels");

    (void)d;
    nashc_vlog_core(v, "nashc_labelselect");
    nashc_vlog_int(v, "LABELS", labels ? labels : x->rank ? x->dim[x->rank - 1] : 1);
    nashc_vlog_int(v, "PE", emit_int(n, "pe"));
    nashc_vlog_int(v, "K", emit_int(n, "k"));
    nashc_vlog_int(v, "XW", x->bits);
    nashc_vlog_int(v, "X_SIGNED", emit_signed(x)); /* bip: 0 < 1 as -1 < +1 */
    nashc_vlog_int(v, "OUT_W", nashc_value_type(nashc_node_out(n, 0))->bits);
    return NASHC_OK;
}

static nashc_status
emit_pool(const nashc_node *n, nashc_vlog *v, nashc_diag *d)
{
    static const char *const names[] = {"KH", "OW", "KW"};
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));
    bool sum = strcmp(emit_text(n, "func"), "sum") == 0;
    int count;
    const int64_t *window = nashc_attr_ints(n, nashc_attr_index(n, "window"), &count);

    (void)d;
    nashc_vlog_core(v, "nashc_pool");
    nashc_vlog_int(v, "C", y->dim[y->rank - 1]);
    nashc_vlog_int(v, "PE", emit_int(n, "pe"));
    nashc_vlog_int(v, "FUNC", emit_int(n, "func"));
    for (int i = 0; i < count; i++)
        nashc_vlog_int(v, names[i], window[i]);
    nashc_vlog_int(v, "XW", x->bits);
    nashc_vlog_int(v, "X_SIGNED", emit_signed(x)); /* bip: 0 < 1 as -1 < +1 */
    nashc_vlog_int(v, "BIPOLAR", sum && x->kind == NASHC_K_BIP);
    nashc_vlog_int(v, "OUT_W", y->bits);
    nashc_vlog_str(v, "RAM_STYLE", emit_text(n, "ram_style"));
    return NASHC_OK;
}

extern const nashc_impl nashc_impl_verilog_hw_fifo, nashc_impl_verilog_hw_dwc,
    nashc_impl_verilog_hw_duplicate_streams, nashc_impl_verilog_hw_label_select,
    nashc_impl_verilog_hw_pool;
const nashc_impl nashc_impl_verilog_hw_fifo = NASHC_IMPL_VERILOG("hw.fifo", emit_fifo);
const nashc_impl nashc_impl_verilog_hw_dwc = NASHC_IMPL_VERILOG("hw.dwc", emit_dwc);
const nashc_impl nashc_impl_verilog_hw_duplicate_streams =
    NASHC_IMPL_VERILOG("hw.duplicate_streams", emit_duplicate);
const nashc_impl nashc_impl_verilog_hw_label_select =
    NASHC_IMPL_VERILOG("hw.label_select", emit_select);
const nashc_impl nashc_impl_verilog_hw_pool = NASHC_IMPL_VERILOG("hw.pool", emit_pool);
