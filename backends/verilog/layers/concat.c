/* concat.c: hw.concat to nashc_concat. */
#include "parts.h"

static nashc_status
emit_concat(const nashc_node *n, nashc_vlog *v, nashc_diag *d)
{
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));

    (void)d;
    emit_parts(n, v, "nashc_concat");
    emit_element(v, "X", nashc_value_type(nashc_node_in(n, 0)), y);
    emit_element(v, "X1", nashc_value_type(nashc_node_in(n, 1)), y);
    nashc_vlog_int(v, "OUT_W", y->bits);
    return NASHC_OK;
}

const nashc_impl nashc_impl_verilog_hw_concat = NASHC_IMPL_VERILOG("hw.concat", emit_concat);

/* --- model --------------------------------------------------------------------------------------
 */

static nashc_status
concat_cost(const nashc_node *n, const nashc_device *dev, nashc_cost *out)
{
    uint64_t width = (uint64_t)nashc_node_int(n, "pe") * model_out(n, 0)->bits;
    nashc_cost c = {.ff = width, COST_START};

    parts_cost(n, width, &c);
    cost_pipe(&c, 1, 1, width);
    cost_fit(&c, dev);
    *out = c;
    return NASHC_OK;
}

static nashc_status
concat_timing(const nashc_node *n, nashc_timing *out)
{
    *out = parts_timing(n, 1);
    return NASHC_OK;
}

static void
concat_step(const nashc_timing *t, uint64_t i, uint32_t *reads, uint32_t *writes)
{
    *reads = parts_second(t, i) ? 2 : 1;
    *writes = 1;
}

static const nashc_layer_model model = {
    NASHC_DESC(nashc_layer_model), .cycles = parts_cycles, .timing = concat_timing,
    .step = concat_step,           .cost = concat_cost,
};

const nashc_impl nashc_impl_verilog_model_hw_concat = MODEL("hw.concat", model);
