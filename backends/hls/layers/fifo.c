/* fifo.c: hw.fifo to C: beats pass; the stream behind the function holds them (top.c). */
#include "model.h"

static nashc_status
emit_fifo(const nashc_node *n, nashc_hls *h, nashc_diag *d)
{
    const char *beat = nashc_hls_beat(h, true, 0);

    (void)d;
    nashc_hls_int(h, "BEATS", (int64_t)beats_in(n));
    nashc_hls_line(h, "for (int i = 0; i < BEATS; i++) {");
    nashc_hls_line(h, "#pragma HLS pipeline II=1");
    nashc_hls_line(h, "NASHC_WRITE(%s, out, NASHC_READ(%s, in));", beat, beat);
    hls_close(h);
    return NASHC_OK;
}

const nashc_impl nashc_impl_hls_hw_fifo = NASHC_IMPL_HLS("hw.fifo", emit_fifo);

/* --- model --------------------------------------------------------------------------------------
 */

/* A loop of one stage is the stream itself, whose FIFO has the depth. */
static nashc_status
fifo_timing(const nashc_node *n, nashc_timing *out)
{
    *out = hls_beat_loop(n, 0);
    out->depth = (uint32_t)nashc_node_int(n, "depth");
    return NASHC_OK;
}

static const nashc_layer_model model = {
    NASHC_DESC(nashc_layer_model),
    .cycles = beats_in,
    .timing = fifo_timing,
    .step = hls_beat_step,
};

const nashc_impl nashc_impl_hls_model_hw_fifo = MODEL("hw.fifo", model);
