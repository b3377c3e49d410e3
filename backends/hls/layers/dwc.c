/* dwc.c: hw.dwc to C: elements wait in line until there are enough for a beat.
 *
 * A step moves a beat of the side with fewer lanes: before a beat is written, one is read if fewer
 * than that are waiting.
 */
#include "model.h"

static uint64_t
steps_of(const nashc_node *n)
{
    uint64_t in = beats_in(n), out = beats_out(n);

    return in > out ? in : out;
}

static nashc_status
emit_dwc(const nashc_node *n, nashc_hls *h, nashc_diag *d)
{
    const char *x = nashc_hls_beat(h, true, 0), *elem = nashc_hls_type(h, hls_in(n, 0));

    (void)d;
    nashc_hls_int(h, "STEPS", (int64_t)steps_of(n));
    nashc_hls_int(h, "IN", nashc_node_int(n, "lanes_in"));
    nashc_hls_int(h, "OUT", nashc_node_int(n, "lanes_out"));
    nashc_hls_line(h, "%s line[IN + OUT];", elem);
    nashc_hls_line(h, "int waiting = 0;");
    nashc_hls_line(h, "#pragma HLS array_partition variable=line complete");
    nashc_hls_line(h, "%s", "");
    nashc_hls_line(h, "for (int i = 0; i < STEPS; i++) {");
    nashc_hls_line(h, "#pragma HLS pipeline II=1");
    nashc_hls_line(h, "if (waiting < OUT) {");
    nashc_hls_line(h, "%s x = NASHC_READ(%s, in);", x, x);
    nashc_hls_line(h, "for (int l = 0; l < IN; l++) {");
    nashc_hls_line(h, "#pragma HLS unroll");
    nashc_hls_line(h, "line[waiting + l] = x.lane[l];");
    hls_close(h);
    nashc_hls_line(h, "waiting += IN;");
    hls_close(h);
    nashc_hls_line(h, "if (waiting >= OUT) {");
    nashc_hls_line(h, "%s y;", nashc_hls_beat(h, false, 0));
    nashc_hls_line(h, "for (int l = 0; l < OUT; l++) {");
    nashc_hls_line(h, "#pragma HLS unroll");
    nashc_hls_line(h, "y.lane[l] = line[l];");
    hls_close(h);
    nashc_hls_line(h, "for (int l = 0; l < IN; l++) {");
    nashc_hls_line(h, "#pragma HLS unroll");
    nashc_hls_line(h, "line[l] = line[l + OUT];");
    hls_close(h);
    nashc_hls_line(h, "waiting -= OUT;");
    hls_give(h, 0, "out", "y");
    hls_close(h);
    hls_close(h);
    return NASHC_OK;
}

const nashc_impl nashc_impl_hls_hw_dwc = NASHC_IMPL_HLS("hw.dwc", emit_dwc);

/* --- model --------------------------------------------------------------------------------------
 */

static nashc_status
dwc_timing(const nashc_node *n, nashc_timing *out)
{
    *out = hls_loop(steps_of(n), 2);
    out->arg[0] = (uint64_t)nashc_node_int(n, "lanes_in");
    out->arg[1] = (uint64_t)nashc_node_int(n, "lanes_out");
    return NASHC_OK;
}

static uint64_t
dwc_cycles(const nashc_node *n)
{
    return steps_of(n) + 2;
}

/* Whole output beats after so many input beats, or input beats needed for so many outputs. */
static void
dwc_step(const nashc_timing *t, uint64_t i, uint32_t *reads, uint32_t *writes)
{
    uint64_t in = t->arg[0], out = t->arg[1];

    if (hls_idle(t, i, reads, writes))
        return;
    *reads = in <= out || ((i + 1) * out + in - 1) / in > (i * out + in - 1) / in;
    *writes = in > out || (i + 1) * in / out > i * in / out;
}

static const nashc_layer_model model = {
    NASHC_DESC(nashc_layer_model),
    .cycles = dwc_cycles,
    .timing = dwc_timing,
    .step = dwc_step,
};

const nashc_impl nashc_impl_hls_model_hw_dwc = MODEL("hw.dwc", model);
