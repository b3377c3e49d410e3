/* split.c: hw.split to nashc_split. */
#include "parts.h"

static nashc_status
emit_split(const nashc_node *n, nashc_vlog *v, nashc_diag *d)
{
    (void)d;
    emit_parts(n, v, "nashc_split");
    nashc_vlog_int(v, "XW", nashc_value_type(nashc_node_in(n, 0))->bits);
    return NASHC_OK;
}

const nashc_impl nashc_impl_verilog_hw_split = NASHC_IMPL_VERILOG("hw.split", emit_split);

/* --- model --------------------------------------------------------------------------------------
 */

static nashc_status
split_cost(const nashc_node *n, const nashc_device *dev, nashc_cost *out)
{
    nashc_cost c = {COST_START};

    parts_cost(n, 0, &c);
    cost_pipe(&c, 0, 2, (uint64_t)nashc_node_int(n, "pe") * model_in(n, 0)->bits);
    cost_fit(&c, dev);
    *out = c;
    return NASHC_OK;
}

static nashc_status
split_timing(const nashc_node *n, nashc_timing *out)
{
    *out = parts_timing(n, 0);
    return NASHC_OK;
}

static void
split_step(const nashc_timing *t, uint64_t i, uint32_t *reads, uint32_t *writes)
{
    *reads = 1;
    *writes = parts_second(t, i) ? 2 : 1;
}

static const nashc_layer_model model = {
    NASHC_DESC(nashc_layer_model),
    .cycles = parts_cycles,
    .timing = split_timing,
    .step = split_step,
    .cost = split_cost,
};

const nashc_impl nashc_impl_verilog_model_hw_split = MODEL("hw.split", model);
