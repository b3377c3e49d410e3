/* split.c: hw.split to C: NA beats to the first stream, NB to the second, ROUNDS times. */
#include "parts.h"

static nashc_status
emit_split(const nashc_node *n, nashc_hls *h, nashc_diag *d)
{
    const char *beat = nashc_hls_beat(h, true, 0);

    (void)d;
    hls_parts_sizes(n, h);
    hls_parts_open(h);
    nashc_hls_line(h, "%s x = NASHC_READ(%s, in);", beat, beat);
    nashc_hls_line(h, "if (i < NA)");
    nashc_hls_line(h, "    NASHC_WRITE(%s, out0, x);", nashc_hls_beat(h, false, 0));
    nashc_hls_line(h, "else");
    nashc_hls_line(h, "    NASHC_WRITE(%s, out1, x);", nashc_hls_beat(h, false, 1));
    hls_close(h);
    hls_close(h);
    return NASHC_OK;
}

const nashc_impl nashc_impl_hls_hw_split = NASHC_IMPL_HLS("hw.split", emit_split);

/* --- model --------------------------------------------------------------------------------------
 */

/* Without stages, as in duplicate_streams.c. */
static nashc_status
split_timing(const nashc_node *n, nashc_timing *out)
{
    nashc_status s = hls_parts_timing(n, out);

    out->latency = 0;
    return s;
}

static void
split_step(const nashc_timing *t, uint64_t i, uint32_t *reads, uint32_t *writes)
{
    if (hls_idle(t, i, reads, writes))
        return;
    *reads = 1;
    *writes = hls_parts_second(t, i) ? 2 : 1;
}

static const nashc_layer_model model = {
    NASHC_DESC(nashc_layer_model),
    .cycles = hls_parts_cycles,
    .timing = split_timing,
    .step = split_step,
};

const nashc_impl nashc_impl_hls_model_hw_split = MODEL("hw.split", model);
