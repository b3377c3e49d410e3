/* concat.c: hw.concat and hw.split to their modules. */
#include "emit.h"

static void
turns(const nashc_node *n, nashc_vlog *v, const char *module)
{
    int count;
    const int64_t *parts = nashc_attr_ints(n, nashc_attr_index(n, "parts"), &count);

    nashc_vlog_core(v, module);
    nashc_vlog_int(v, "PE", emit_int(n, "pe"));
    nashc_vlog_int(v, "NA", parts[0]);
    nashc_vlog_int(v, "NB", parts[1]);
}

static nashc_status
emit_concat(const nashc_node *n, nashc_vlog *v, nashc_diag *d)
{
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));

    (void)d;
    turns(n, v, "nashc_concat");
    emit_element(v, "X", nashc_value_type(nashc_node_in(n, 0)), y);
    emit_element(v, "X1", nashc_value_type(nashc_node_in(n, 1)), y);
    nashc_vlog_int(v, "OUT_W", y->bits);
    return NASHC_OK;
}

static nashc_status
emit_split(const nashc_node *n, nashc_vlog *v, nashc_diag *d)
{
    (void)d;
    turns(n, v, "nashc_split");
    nashc_vlog_int(v, "XW", nashc_value_type(nashc_node_in(n, 0))->bits);
    return NASHC_OK;
}

extern const nashc_impl nashc_impl_verilog_hw_concat, nashc_impl_verilog_hw_split;
const nashc_impl nashc_impl_verilog_hw_concat = NASHC_IMPL_VERILOG("hw.concat", emit_concat);
const nashc_impl nashc_impl_verilog_hw_split = NASHC_IMPL_VERILOG("hw.split", emit_split);
