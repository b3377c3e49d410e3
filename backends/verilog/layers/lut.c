/* lut.c: hw.lut to nashc_lut. */
#include "model.h"

static nashc_status
emit_lut(const nashc_node *n, nashc_vlog *v, nashc_diag *d)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    const nashc_tensor *t = nashc_value_const(nashc_node_in(n, 1));
    const nashc_type *tt = nashc_tensor_type(t), *y = nashc_value_type(nashc_node_out(n, 0));
    int64_t c = emit_channels(n), pe = nashc_node_int(n, "pe"), rows = tt->dim[0],
            size = tt->dim[1];
    int64_t lanes = rows > 1 ? pe : 1, folds = rows > 1 ? c / pe : 1;

    if (x->kind == NASHC_K_BIP)
        return nashc_node_unsup(d, n, "a bipolar stream has no table layer");
    nashc_vlog_core(v, "nashc_lut");
    nashc_vlog_copies(v, nashc_hw_positions(n));
    emit_common(n, v);
    nashc_vlog_int(v, "LO", nashc_node_int(n, "lo"));
    nashc_vlog_int(v, "ENTRIES", size);
    nashc_vlog_int(v, "SHARED", rows == 1);
    nashc_vlog_str(v, "RAM_STYLE", nashc_node_str(n, "ram_style"));
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

/* --- model --------------------------------------------------------------------------------------
 */

static nashc_status
lut_cost(const nashc_node *n, const nashc_device *dev, nashc_cost *out)
{
    uint64_t pe = (uint64_t)nashc_node_int(n, "pe"), bits = model_out(n, 0)->bits;
    uint64_t rows = (uint64_t)model_in(n, 1)->dim[0], size = (uint64_t)model_in(n, 1)->dim[1];
    uint64_t folds = rows > pe ? rows / pe : 1;
    uint64_t address = (uint64_t)cost_clog2(folds * size);
    nashc_cost c = {.ff = (pe + (folds > 1)) * address, COST_START};

    COST_LUTS(&c, COST_TABLE, (double)pe, folds > 1 ? (double)((pe + 1) * address) : 0,
              folds > 1 && nashc_node_int(n, "lo") != 0 ? (double)(pe * address) : 0);
    for (uint64_t p = 0; p < pe; p++)
        cost_rom(&c, dev, nashc_node_int(n, "ram_style"), folds * size, bits);
    cost_pipe(&c, 2, 1, pe * bits);
    cost_fit(&c, dev);
    model_copies(n, &c);
    *out = c;
    return NASHC_OK;
}

static const nashc_layer_model model = {
    NASHC_DESC(nashc_layer_model), .flags = NASHC_MODEL_POSITIONS, .cycles = beats_in,
    .timing = model_param_timing,  .step = beats_all_step,         .cost = lut_cost,
};

const nashc_impl nashc_impl_verilog_model_hw_lut = MODEL("hw.lut", model);
