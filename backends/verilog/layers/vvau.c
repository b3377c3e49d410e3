/* vvau.c: hw.vvau to nashc_vvau. */
#include "mac.h"

/* One product a lane needs no stage inside the sum. */
static int64_t
pipe_of(const nashc_node *n)
{
    return nashc_node_int(n, "simd") > 1;
}

/* Rows of a window in beats, and beats of a row. */
static uint64_t
rows_of(const nashc_node *n)
{
    return (uint64_t)(model_in(n, 1)->dim[0] / nashc_node_int(n, "simd"));
}

static uint64_t
folds_of(const nashc_node *n)
{
    return (uint64_t)(model_in(n, 1)->dim[1] / nashc_node_int(n, "pe"));
}

static mac_shape
shape_of(const nashc_node *n)
{
    uint64_t pe = (uint64_t)nashc_node_int(n, "pe"), folds = folds_of(n);

    return (mac_shape){.pe = pe,
                       .simd = (uint64_t)nashc_node_int(n, "simd"),
                       .blocks = pe,
                       .accs = rows_of(n) > 1 ? folds : 0,
                       .folds = folds,
                       .piped = (uint64_t)pipe_of(n),
                       .lines = mac_lines(n),
                       .lanes = 1};
}

static nashc_status
emit_vvau(const nashc_node *n, nashc_vlog *v, nashc_diag *d)
{
    const nashc_type *w = nashc_value_type(nashc_node_in(n, 1));
    const mac_shape shape = shape_of(n);
    nashc_status s;

    nashc_vlog_core(v, "nashc_vvau");
    nashc_vlog_copies(v, nashc_hw_positions(n));
    nashc_vlog_int(v, "C", w->dim[1]);
    nashc_vlog_int(v, "KERNEL", w->dim[0]);
    nashc_vlog_int(v, "SIMD", nashc_node_int(n, "simd"));
    if ((s = emit_weights(n, v, d)) != NASHC_OK)
        return s;
    return emit_mac(n, v, &shape, d);
}

const nashc_impl nashc_impl_verilog_hw_vvau = NASHC_IMPL_VERILOG("hw.vvau", emit_vvau);

/* --- model --------------------------------------------------------------------------------------
 */

static nashc_status
vvau_cost(const nashc_node *n, const nashc_device *dev, nashc_cost *out)
{
    const mac_shape z = shape_of(n);
    nashc_cost c = {COST_START};

    cost_counter(&c, z.folds);
    cost_counter(&c, rows_of(n));
    c.ff += z.pe * z.simd * model_in(n, 0)->bits;
    mac_cost_weights(n, dev, &c);
    mac_cost(n, &z, dev, &c);
    cost_fit(&c, dev);
    model_copies(n, &c);
    *out = c;
    return NASHC_OK;
}

/* nashc_vvau with DEEP = 1 (docs/timing.md). */
static nashc_status
vvau_timing(const nashc_node *n, nashc_timing *out)
{
    *out = (nashc_timing){.steps = beats_in(n),
                          .latency = 2 + (uint32_t)pipe_of(n) + (rows_of(n) > 1) + mac_latency(n),
                          .depth = 2,
                          .arg = {folds_of(n), rows_of(n)}};
    return NASHC_OK;
}

static void
vvau_step(const nashc_timing *t, uint64_t i, uint32_t *reads, uint32_t *writes)
{
    *reads = 1;
    *writes = i / t->arg[0] % t->arg[1] == t->arg[1] - 1;
}

static const nashc_layer_model model = {
    NASHC_DESC(nashc_layer_model),
    .flags = NASHC_MODEL_POSITIONS,
    .cycles = beats_in,
    .timing = vvau_timing,
    .step = vvau_step,
    .cost = vvau_cost,
};

const nashc_impl nashc_impl_verilog_model_hw_vvau = MODEL("hw.vvau", model);
