/* concat.c: hw.concat to C: NA beats of the first stream, NB of the second, ROUNDS times. */
#include "parts.h"

/* A beat of input k becomes one of the result. */
static void
pass(const nashc_node *n, nashc_hls *h, int k)
{
    const char *beat = nashc_hls_beat(h, true, k);

    nashc_hls_line(h, "const %s x = NASHC_READ(%s, in%d);", beat, beat, k);
    hls_open_lanes(h);
    nashc_hls_line(h, "y.lane[p] = %s;", hls_convert(h, hls_in(n, k), hls_out(n, 0), "x.lane[p]"));
    hls_close(h);
}

static nashc_status
emit_concat(const nashc_node *n, nashc_hls *h, nashc_diag *d)
{
    (void)d;
    hls_parts_sizes(n, h);
    hls_parts_open(h);
    nashc_hls_line(h, "%s y;", nashc_hls_beat(h, false, 0));
    nashc_hls_line(h, "if (i < NA) {");
    pass(n, h, 0);
    nashc_hls_line(h, "} else {");
    pass(n, h, 1);
    hls_close(h);
    hls_give(h, 0, "out", "y");
    hls_close(h);
    hls_close(h);
    return NASHC_OK;
}

const nashc_impl nashc_impl_hls_hw_concat = NASHC_IMPL_HLS("hw.concat", emit_concat);

static void
concat_step(const nashc_timing *t, uint64_t i, uint32_t *reads, uint32_t *writes)
{
    if (hls_idle(t, i, reads, writes))
        return;
    *reads = hls_parts_second(t, i) ? 2 : 1;
    *writes = 1;
}

static const nashc_layer_model model = {
    NASHC_DESC(nashc_layer_model),
    .cycles = hls_parts_cycles,
    .timing = hls_parts_timing,
    .step = concat_step,
};

const nashc_impl nashc_impl_hls_model_hw_concat = MODEL("hw.concat", model);
