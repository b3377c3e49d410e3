/* channelwise.c: hw.channelwise to nashc_channelwise. */
#include "elementwise.h"

static nashc_status
emit_channelwise(const nashc_node *n, nashc_vlog *v, nashc_diag *d)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));
    const nashc_tensor *p = nashc_value_const(nashc_node_in(n, 1));
    const nashc_type *pt = nashc_tensor_type(p);
    int64_t c = emit_channels(n), pe = nashc_node_int(n, "pe"), rows = nashc_tensor_count(p);
    int bits = pt->kind == NASHC_K_BIP ? 2 : pt->bits;

    (void)d;
    nashc_vlog_mem *m = nashc_vlog_memory(v, c / pe, pe * bits);
    for (int64_t i = 0; i < c; i++)
        nashc_vlog_put(m, i / pe, i % pe * bits, bits, nashc_tensor_get_int(p, i % rows));
    nashc_vlog_core(v, "nashc_channelwise");
    nashc_vlog_copies(v, nashc_hw_positions(n));
    nashc_vlog_int(v, "C", c);
    nashc_vlog_int(v, "PE", pe);
    emit_func(n, v);
    emit_element(v, "X", x, y);
    nashc_vlog_int(v, "OUT_W", y->bits);
    nashc_vlog_int(v, "PW", bits);
    nashc_vlog_int(v, "P_SIGNED", nashc_type_is_signed(pt));
    nashc_vlog_str(v, "RAM_STYLE", nashc_node_str(n, "ram_style"));
    nashc_vlog_file(v, "FILE", "params", m);
    return NASHC_OK;
}

const nashc_impl nashc_impl_verilog_hw_channelwise =
    NASHC_IMPL_VERILOG("hw.channelwise", emit_channelwise);

/* --- model --------------------------------------------------------------------------------------
 */

static nashc_status
channelwise_cost(const nashc_node *n, const nashc_device *dev, nashc_cost *out)
{
    uint64_t x = model_in(n, 0)->bits, p = model_in(n, 1)->bits, bits = model_out(n, 0)->bits;
    uint64_t pe = (uint64_t)nashc_node_int(n, "pe");
    uint64_t rows = (uint64_t)nashc_type_count(model_in(n, 1));
    uint64_t folds = rows > pe ? rows / pe : 1;
    nashc_cost c = {.ff = pe * x, COST_START};

    cost_counter(&c, folds);
    elementwise_cost(&(elementwise_lanes){.func = nashc_node_str(n, "func"),
                                          .x = model_in(n, 0),
                                          .x1 = model_in(n, 1),
                                          .y = model_out(n, 0),
                                          .lanes = pe,
                                          .constants = nashc_value_const(nashc_node_in(n, 1))},
                     dev, &c);
    c.ff += pe * bits;
    cost_rom(&c, dev, nashc_node_int(n, "ram_style"), folds, pe * p);
    cost_pipe(&c, 2, 1, pe * bits);
    cost_fit(&c, dev);
    model_copies(n, &c);
    *out = c;
    return NASHC_OK;
}

static const nashc_layer_model model = {
    NASHC_DESC(nashc_layer_model), .flags = NASHC_MODEL_POSITIONS, .cycles = beats_in,
    .timing = model_param_timing,  .step = beats_all_step,         .cost = channelwise_cost,
};

const nashc_impl nashc_impl_verilog_model_hw_channelwise = MODEL("hw.channelwise", model);
