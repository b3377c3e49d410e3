/* add_streams.c: hw.add_streams to nashc_add_streams. */
#include "elementwise.h"

static nashc_status
emit_add_streams(const nashc_node *n, nashc_vlog *v, nashc_diag *d)
{
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));
    nashc_type whole = nashc_type_for_range(-1, 1); /* bipolar elements are computed as integers */

    (void)d;
    nashc_vlog_core(v, "nashc_add_streams");
    nashc_vlog_int(v, "PE", nashc_node_int(n, "pe") * nashc_hw_positions(n));
    emit_element(v, "X", nashc_value_type(nashc_node_in(n, 0)), &whole);
    emit_element(v, "X1", nashc_value_type(nashc_node_in(n, 1)), &whole);
    emit_func(n, v);
    nashc_vlog_int(v, "OUT_BIP", y->kind == NASHC_K_BIP);
    nashc_vlog_int(v, "OUT_W", y->bits);
    return NASHC_OK;
}

const nashc_impl nashc_impl_verilog_hw_add_streams =
    NASHC_IMPL_VERILOG("hw.add_streams", emit_add_streams);

/* --- model --------------------------------------------------------------------------------------
 */

static nashc_status
add_cost(const nashc_node *n, const nashc_device *dev, nashc_cost *out)
{
    uint64_t bits = model_out(n, 0)->bits;
    uint64_t pe = (uint64_t)(nashc_node_int(n, "pe") * nashc_hw_positions(n));
    nashc_cost c = {COST_START};

    COST_LUTS(&c, COST_ADD_STREAMS, 1);
    elementwise_cost(&(elementwise_lanes){.func = nashc_node_str(n, "func"),
                                          .x = model_in(n, 0),
                                          .x1 = model_in(n, 1),
                                          .y = model_out(n, 0),
                                          .lanes = pe},
                     dev, &c);
    c.ff += pe * bits;
    cost_pipe(&c, 1, 1, pe * bits);
    cost_fit(&c, dev);
    *out = c;
    return NASHC_OK;
}

static nashc_status
add_timing(const nashc_node *n, nashc_timing *out)
{
    *out = model_beat_timing(n, 1);
    return NASHC_OK;
}

static const nashc_layer_model model = {
    NASHC_DESC(nashc_layer_model), .flags = NASHC_MODEL_POSITIONS, .cycles = beats_in,
    .timing = add_timing,          .step = beats_all_step,         .cost = add_cost,
};

const nashc_impl nashc_impl_verilog_model_hw_add_streams = MODEL("hw.add_streams", model);
