/* thresholding.c: hw.thresholding to nashc_thresholding_parallel or nashc_thresholding_search. */
#include "model.h"
#include <stdlib.h>

/* A bipolar input is compared as 0 or 1: -1 >= t <=> t <= -1, +1 >= t <=> t <= 1. */
static int64_t
bipolar_threshold(int64_t t)
{
    return t <= -1 ? 0 : t <= 1 ? 1 : 2;
}

static nashc_status
emit_thresholding(const nashc_node *n, nashc_vlog *v, nashc_diag *d)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    const nashc_tensor *t = nashc_value_const(nashc_node_in(n, 1));
    const nashc_type *tt = nashc_tensor_type(t);
    int64_t count = nashc_tensor_count(t), style = nashc_node_int(n, "style");
    int64_t *values = malloc((size_t)count * sizeof *values);
    bool bip = x->kind == NASHC_K_BIP;
    emit_steps s = {.t = values,
                    .rows = tt->dim[0],
                    .n = tt->dim[1],
                    .channels = emit_channels(n),
                    .pe = nashc_node_int(n, "pe"),
                    .bits = bip ? 2 : tt->bits,
                    .is_signed = bip ? 0 : emit_signed(tt),
                    .hash = t,
                    .ram_style = nashc_node_str(n, "ram_style")};

    if (!values)
        return nashc_enomem(d);
    for (int64_t i = 0; i < count; i++) {
        values[i] = nashc_tensor_get_int(t, i);
        values[i] = bip ? bipolar_threshold(values[i]) : values[i];
    }
    if (nashc_node_in(n, 2))
        s.dir = nashc_value_const(nashc_node_in(n, 2));
    s.parallel = emit_parallel(style, s.n);
    nashc_vlog_core(v, s.parallel ? "nashc_thresholding_parallel" : "nashc_thresholding_search");
    nashc_vlog_copies(v, nashc_hw_positions(n));
    emit_common(n, v);
    nashc_vlog_int(v, "ACTVAL", nashc_node_int(n, "act_bias"));
    emit_thresholds(v, &s);
    free(values);
    return NASHC_OK;
}

const nashc_impl nashc_impl_verilog_hw_thresholding =
    NASHC_IMPL_VERILOG("hw.thresholding", emit_thresholding);

/* --- model --------------------------------------------------------------------------------------
 */

static bool
is_parallel(const nashc_node *n)
{
    return emit_parallel(nashc_node_int(n, "style"), model_in(n, 1)->dim[1]);
}

/* Stages of the pipeline. */
static uint32_t
latency_of(const nashc_node *n)
{
    const nashc_type *t = model_in(n, 1);
    int64_t folds = t->dim[0] > 1 ? t->dim[0] / nashc_node_int(n, "pe") : 1;

    return is_parallel(n) ? 2 : emit_search_cycles(t->dim[1], folds);
}

static nashc_status
threshold_cost(const nashc_node *n, const nashc_device *dev, nashc_cost *out)
{
    const nashc_type *x = model_in(n, 0), *t = model_in(n, 1);
    uint64_t pe = (uint64_t)nashc_node_int(n, "pe");
    cost_steps s = {.dev = dev,
                    .parallel = is_parallel(n),
                    .pe = pe,
                    .steps = (uint64_t)t->dim[1],
                    .width = x->bits,
                    .folds = t->dim[0] > 1 ? (uint64_t)t->dim[0] / pe : 1,
                    .bits = x->kind == NASHC_K_BIP ? 2 : t->bits,
                    .out = model_out(n, 0)->bits,
                    .ram_style = nashc_node_int(n, "ram_style")};
    nashc_cost c = {.ff = s.parallel ? pe * x->bits : 0, COST_START};

    cost_counter(&c, s.folds);
    if (!s.parallel && s.folds > 1) { /* the fold behind the next one, and a choice of the two */
        c.ff += (uint64_t)cost_clog2(s.folds);
        c.lut += (uint64_t)cost_clog2(s.folds);
    }
    cost_thresholds(&c, &s);
    cost_pipe(&c, latency_of(n), 1, pe * s.out);
    cost_fit(&c, dev);
    model_copies(n, &c);
    *out = c;
    return NASHC_OK;
}

/* nashc_thresholding_parallel, or nashc_thresholding_search with DEEP = 1. */
static nashc_status
threshold_timing(const nashc_node *n, nashc_timing *out)
{
    *out = model_beat_timing(n, latency_of(n));
    return NASHC_OK;
}

static const nashc_layer_model model = {
    NASHC_DESC(nashc_layer_model), .flags = NASHC_MODEL_POSITIONS, .cycles = beats_in,
    .timing = threshold_timing,    .step = beats_all_step,         .cost = threshold_cost,
};

const nashc_impl nashc_impl_verilog_model_hw_thresholding = MODEL("hw.thresholding", model);
