/* thresholding.c: hw.thresholding to C: a beat to a beat, each lane counts its thresholds. */
#include "count.h"
#include "model.h"

static nashc_status
emit_thresholding(const nashc_node *n, nashc_hls *h, nashc_diag *d)
{
    const nashc_type *x = hls_in(n, 0);
    nashc_type value = nashc_type_for_range(x->lo, x->hi); /* bip: -1 or +1 */
    const nashc_tensor *t = nashc_value_const(nashc_node_in(n, 1));
    const nashc_tensor *dir = nashc_node_in(n, 2) ? nashc_value_const(nashc_node_in(n, 2)) : NULL;
    const hls_count c = {.t = t,
                         .dir = dir,
                         .x = &value,
                         .y = hls_out(n, 0),
                         .pe = nashc_node_int(n, "pe"),
                         .bias = nashc_node_int(n, "act_bias"),
                         .style = nashc_node_int(n, "style"),
                         .ram_style = nashc_node_str(n, "ram_style")};
    const char *count = hls_count_function(h, &c);

    (void)d;
    hls_rows_of(n, h, dir ? nashc_tensor_count(dir) : nashc_tensor_type(t)->dim[0]);
    hls_open_rows(h);
    nashc_hls_line(h, "%s x = NASHC_READ(%s, in);", nashc_hls_beat(h, true, 0),
                   nashc_hls_beat(h, true, 0));
    nashc_hls_line(h, "%s y;", nashc_hls_beat(h, false, 0));
    hls_open_lanes(h);
    nashc_hls_line(h, "y.lane[p] = %s(%s, f, p);", count, hls_value(h, x, &value, "x.lane[p]"));
    hls_close(h);
    hls_give(h, 0, "out", "y");
    hls_close(h);
    hls_close(h);
    return NASHC_OK;
}

const nashc_impl nashc_impl_hls_hw_thresholding =
    NASHC_IMPL_HLS("hw.thresholding", emit_thresholding);

/* --- model --------------------------------------------------------------------------------------
 */

static nashc_status
threshold_timing(const nashc_node *n, nashc_timing *out)
{
    int64_t k = hls_in(n, 1)->dim[1];
    bool parallel = hls_parallel(nashc_node_int(n, "style"), k);

    *out = hls_beat_loop(n, parallel ? 4 : 2 + (uint32_t)hls_stages(k));
    return NASHC_OK;
}

static uint64_t
threshold_cycles(const nashc_node *n)
{
    nashc_timing t;

    threshold_timing(n, &t);
    return t.steps;
}

static const nashc_layer_model model = {
    NASHC_DESC(nashc_layer_model),
    .cycles = threshold_cycles,
    .timing = threshold_timing,
    .step = hls_beat_step,
};

const nashc_impl nashc_impl_hls_model_hw_thresholding = MODEL("hw.thresholding", model);
