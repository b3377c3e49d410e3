/* requant.c: hw.requant to nashc_requant. */
#include "model.h"

/* Bits of v in two's complement, and of what was seen before. */
static int
bits_for(int64_t v, int bits)
{
    int b = nashc_type_for_range(v < 0 ? v : ~v, -1).bits;

    return b > bits ? b : bits;
}

static nashc_status
emit_requant(const nashc_node *n, nashc_vlog *v, nashc_diag *d)
{
    const nashc_tensor *m = nashc_value_const(nashc_node_in(n, 1));
    const nashc_tensor *a = nashc_value_const(nashc_node_in(n, 2));
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    int64_t pe = nashc_node_int(n, "pe"), rows = nashc_tensor_count(m), c = rows > 1 ? rows : pe;
    int mw = 1, aw = 1;

    if (x->kind == NASHC_K_BIP)
        return nashc_node_unsup(d, n, "a bipolar stream has no requantisation layer");
    for (int64_t i = 0; i < rows; i++) {
        mw = bits_for(nashc_tensor_get_int(m, i), mw);
        aw = bits_for(nashc_tensor_get_int(a, i), aw);
    }
    nashc_vlog_mem *mem = nashc_vlog_memory(v, c / pe, pe * (mw + aw));
    for (int64_t i = 0; i < c; i++) {
        int64_t at = i % pe * (mw + aw);
        nashc_vlog_put(mem, i / pe, at, mw, nashc_tensor_get_int(m, i % rows));
        nashc_vlog_put(mem, i / pe, at + mw, aw, nashc_tensor_get_int(a, i % rows));
    }
    nashc_vlog_core(v, "nashc_requant");
    nashc_vlog_copies(v, nashc_hw_positions(n));
    nashc_vlog_int(v, "C", c);
    nashc_vlog_int(v, "PE", pe);
    nashc_vlog_int(v, "XW", x->bits);
    nashc_vlog_int(v, "X_SIGNED", emit_signed(x));
    nashc_vlog_int(v, "FACTOR_W", mw);
    nashc_vlog_int(v, "ADDEND_W", aw);
    nashc_vlog_int(v, "SHIFT", nashc_node_int(n, "shift"));
    nashc_vlog_int(v, "EVEN", nashc_node_int(n, "ties_even"));
    nashc_vlog_int(v, "QMIN", nashc_node_int(n, "qmin"));
    nashc_vlog_int(v, "QMAX", nashc_node_int(n, "qmax"));
    nashc_vlog_int(v, "OUT_W", nashc_value_type(nashc_node_out(n, 0))->bits);
    nashc_vlog_str(v, "RAM_STYLE", nashc_node_str(n, "ram_style"));
    nashc_vlog_file(v, "FILE", "params", mem);
    return NASHC_OK;
}

const nashc_impl nashc_impl_verilog_hw_requant = NASHC_IMPL_VERILOG("hw.requant", emit_requant);

/* --- model --------------------------------------------------------------------------------------
 */

static nashc_status
requant_cost(const nashc_node *n, const nashc_device *dev, nashc_cost *out)
{
    uint64_t pe = (uint64_t)nashc_node_int(n, "pe");
    uint64_t rows = (uint64_t)nashc_type_count(model_in(n, 1)), folds = rows > pe ? rows / pe : 1;
    uint64_t x = model_in(n, 0)->bits, m = model_in(n, 1)->bits, a = model_in(n, 2)->bits;
    uint64_t bits = model_out(n, 0)->bits, sum = (x + 1 + m > a ? x + 1 + m : a) + 1;
    uint64_t wide_x = x + !emit_signed(model_in(n, 0)), wide_m = m + !emit_signed(model_in(n, 1));
    bool dsp = cost_takes_dsp(wide_x, wide_m, wide_x + wide_m, dev);
    nashc_cost c = {.ff = pe * (x + bits), COST_START};

    cost_counter(&c, folds);
    /* bits that all rows have alike are constant, which takes no LUT */
    double differ = folds < 32 ? 1 - 2 / (double)((uint64_t)1 << folds) : 1;
    COST_LUTS(&c, COST_REQUANT, (double)(pe * sum) * differ,
              (double)pe * ((double)sum - (double)nashc_node_int(n, "shift")), (double)(pe * bits),
              dsp ? 0 : (double)(pe * x * m));
    c.dsp = dsp ? pe * cost_dsps(x, m) : 0;
    c.ff += pe * (x + 1 + m); /* Yosys leaves the register of a product outside of blocks */
    cost_rom(&c, dev, nashc_node_int(n, "ram_style"), folds, pe * (m + a));
    c.ff += folds > 1 ? cost_columns(folds, pe * a) : 0;
    cost_pipe(&c, 3, 1, pe * bits);
    cost_fit(&c, dev);
    model_copies(n, &c);
    *out = c;
    return NASHC_OK;
}

static nashc_status
requant_timing(const nashc_node *n, nashc_timing *out)
{
    *out = model_beat_timing(n, 3);
    return NASHC_OK;
}

static const nashc_layer_model model = {
    NASHC_DESC(nashc_layer_model), .flags = NASHC_MODEL_POSITIONS, .cycles = beats_in,
    .timing = requant_timing,      .step = beats_all_step,         .cost = requant_cost,
};

const nashc_impl nashc_impl_verilog_model_hw_requant = MODEL("hw.requant", model);
