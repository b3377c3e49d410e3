/* fmpadding.c: hw.fmpadding to its module. */
#include "backends/support/border.h"
#include "model.h"

static nashc_status
emit_fmpadding(const nashc_node *n, nashc_vlog *v, nashc_diag *d)
{
    static const char *const names[] = {"HEIGHT", "WIDTH", "TOP", "LEFT", "BOTTOM", "RIGHT"};
    static const char *const between[] = {"ROW_GAP", "COL_GAP"};
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));
    const nashc_tensor *p = nashc_value_const(nashc_node_in(n, 1));
    int64_t c = y->dim[1], simd = nashc_node_int(n, "simd"), rows = nashc_tensor_count(p);
    int64_t positions = nashc_hw_positions(n), cells = rows > 1 ? c : simd;
    int count;
    const int64_t *dim = nashc_node_ints(n, "dim", &count);
    const int64_t *pads = nashc_node_ints(n, "pads", &count);
    const int64_t *gaps = nashc_node_ints(n, "gaps", &count);

    (void)d;
    nashc_vlog_mem *m = nashc_vlog_memory(v, cells / simd, simd * y->bits);
    for (int64_t i = 0; i < cells; i++)
        nashc_vlog_put(m, i / simd, i % simd * y->bits, y->bits,
                       emit_code(y, nashc_tensor_get_int(p, i % rows)));
    nashc_vlog_core(v, positions > 1 ? "nashc_fmpadding_positions" : "nashc_fmpadding");
    nashc_vlog_int(v, "C", c);
    nashc_vlog_int(v, positions > 1 ? "POSITIONS" : "SIMD", positions > 1 ? positions : simd);
    for (int i = 0; i < 6; i++)
        nashc_vlog_int(v, names[i], i < 2 ? dim[i] : pads[i - 2]);
    for (int i = 0; i < (positions > 1 ? 1 : 2); i++) /* no gaps between columns */
        nashc_vlog_int(v, between[i], gaps[i]);
    emit_element(v, "X", x, y);
    nashc_vlog_int(v, "OUT_W", y->bits);
    if (positions == 1)
        nashc_vlog_int(v, "SHARED", rows == 1);
    nashc_vlog_file(v, "FILE", "params", m);
    return NASHC_OK;
}

const nashc_impl nashc_impl_verilog_hw_fmpadding =
    NASHC_IMPL_VERILOG("hw.fmpadding", emit_fmpadding);

/* --- model --------------------------------------------------------------------------------------
 */

/* Are all constants one? Then they need no memory. */
static bool
is_uniform(const nashc_tensor *t)
{
    for (int64_t i = 1; i < nashc_tensor_count(t); i++)
        if (nashc_tensor_get_int(t, i) != nashc_tensor_get_int(t, 0))
            return false;
    return true;
}

static nashc_status
pad_cost(const nashc_node *n, const nashc_device *dev, nashc_cost *out)
{
    uint64_t channels = (uint64_t)nashc_node_int(n, "simd"), bits = model_out(n, 0)->bits;
    uint64_t simd = channels * (uint64_t)nashc_hw_positions(n);
    border b = border_of(n);
    uint64_t x = model_in(n, 0)->bits;
    const nashc_tensor *p = nashc_value_const(nashc_node_in(n, 1));
    uint64_t places = 0;
    nashc_cost c = {.ff = simd * x + 1, COST_START};

    if (b.late > 0)
        c.ff += (uint64_t)b.late * channels * x + 2;
    for (int a = 0; a < 2; a++) {
        places += (uint64_t)cost_clog2((uint64_t)b.out[a] + 1);
        cost_counter(&c, (uint64_t)b.unit[a]);
    }
    cost_counter(&c, (uint64_t)b.folds);
    c.ff += places;
    COST_LUTS(&c, COST_PADDING, 1, (double)places, (double)(simd * bits));
    cost_rom(&c, dev, COST_AUTO, is_uniform(p) ? 1 : (uint64_t)b.folds, channels * bits);
    cost_pipe(&c, 1, 1, simd * bits);
    cost_fit(&c, dev);
    *out = c;
    return NASHC_OK;
}

static nashc_status
pad_timing(const nashc_node *n, nashc_timing *out)
{
    border b = border_of(n);

    *out = (nashc_timing){.steps = beats_out(n), .latency = 1, .depth = 2};
    border_args(&b, out);
    return NASHC_OK;
}

static const nashc_layer_model model = {
    NASHC_DESC(nashc_layer_model), .flags = NASHC_MODEL_POSITIONS,
    .cycles = beats_out,           .timing = pad_timing,
    .step = border_step,           .cost = pad_cost,
};

const nashc_impl nashc_impl_verilog_model_hw_fmpadding = MODEL("hw.fmpadding", model);
