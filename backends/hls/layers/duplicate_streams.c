/* duplicate_streams.c: hw.duplicate_streams to C: every beat to each of several readers. */
#include "model.h"

static nashc_status
emit_duplicate(const nashc_node *n, nashc_hls *h, nashc_diag *d)
{
    const char *beat = nashc_hls_beat(h, true, 0);
    int copies = nashc_node_n_out(n);

    (void)d;
    nashc_hls_int(h, "BEATS", (int64_t)beats_in(n));
    nashc_hls_line(h, "for (int i = 0; i < BEATS; i++) {");
    nashc_hls_line(h, "#pragma HLS pipeline II=1");
    nashc_hls_line(h, "%s x = NASHC_READ(%s, in);", beat, beat);
    for (int k = 0; k < copies; k++)
        hls_give(h, k, copies > 1 ? nashc_hls_text(h, "out%d", k) : "out", "x");
    hls_close(h);
    return NASHC_OK;
}

const nashc_impl nashc_impl_hls_hw_duplicate_streams =
    NASHC_IMPL_HLS("hw.duplicate_streams", emit_duplicate);

/* --- model --------------------------------------------------------------------------------------
 */

/* A pipeline of a model feeds one stream: with several there is none, but the step in which it runs
 * empty. */
static nashc_status
duplicate_timing(const nashc_node *n, nashc_timing *out)
{
    *out = hls_beat_loop(n, 1);
    out->latency = 0;
    return NASHC_OK;
}

static uint64_t
duplicate_cycles(const nashc_node *n)
{
    return hls_beat_loop(n, 1).steps;
}

static const nashc_layer_model model = {
    NASHC_DESC(nashc_layer_model),
    .cycles = duplicate_cycles,
    .timing = duplicate_timing,
    .step = hls_beat_step,
};

const nashc_impl nashc_impl_hls_model_hw_duplicate_streams = MODEL("hw.duplicate_streams", model);
