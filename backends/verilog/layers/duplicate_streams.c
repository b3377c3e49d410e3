/* duplicate_streams.c: hw.duplicate_streams to nashc_duplicate_streams. */
#include "model.h"

static nashc_status
emit_duplicate(const nashc_node *n, nashc_vlog *v, nashc_diag *d)
{
    (void)d;
    nashc_vlog_core(v, "nashc_duplicate_streams");
    nashc_vlog_int(v, "W", nashc_node_int(n, "pe") * nashc_hw_positions(n) * emit_bits_in(n));
    nashc_vlog_int(v, "OUTPUTS", nashc_node_n_out(n));
    return NASHC_OK;
}

const nashc_impl nashc_impl_verilog_hw_duplicate_streams =
    NASHC_IMPL_VERILOG("hw.duplicate_streams", emit_duplicate);

/* --- model --------------------------------------------------------------------------------------
 */

static nashc_status
duplicate_cost(const nashc_node *n, const nashc_device *dev, nashc_cost *out)
{
    nashc_cost c = {COST_START};

    cost_pipe(&c, 0, (uint64_t)nashc_node_n_out(n),
              model_in(n, 0)->bits * (uint64_t)(nashc_node_int(n, "pe") * nashc_hw_positions(n)));
    cost_fit(&c, dev);
    *out = c;
    return NASHC_OK;
}

static nashc_status
duplicate_timing(const nashc_node *n, nashc_timing *out)
{
    *out = model_beat_timing(n, 0);
    return NASHC_OK;
}

static const nashc_layer_model model = {
    NASHC_DESC(nashc_layer_model), .flags = NASHC_MODEL_POSITIONS, .cycles = beats_in,
    .timing = duplicate_timing,    .step = beats_all_step,         .cost = duplicate_cost,
};

const nashc_impl nashc_impl_verilog_model_hw_duplicate_streams =
    MODEL("hw.duplicate_streams", model);
