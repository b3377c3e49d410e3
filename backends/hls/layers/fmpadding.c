/* fmpadding.c: hw.fmpadding to C: row by row over the result; what is not of x is a constant. */
#include "backends/support/border.h"
#include "model.h"

/* C: does place `at` along axis a come from x? */
static const char *
inside(nashc_hls *h, const border *b, int a, const char *at)
{
    const char *range = nashc_hls_text(h, "%s >= %" PRId64 " && %s <= %" PRId64, at, b->first[a],
                                       at, b->first[a] + (b->in[a] - 1) * b->unit[a]);

    return b->unit[a] == 1 ? range
                           : nashc_hls_text(h, "%s && (%s - %" PRId64 ") %% %" PRId64 " == 0",
                                            range, at, b->first[a], b->unit[a]);
}

static void
sizes(const nashc_node *n, nashc_hls *h, const border *b)
{
    int64_t pixels = b->out[0] * b->out[1];

    nashc_hls_int(h, "FRAMES", (int64_t)beats_out(n) / b->folds / pixels);
    nashc_hls_int(h, "HEIGHT", b->out[0]);
    nashc_hls_int(h, "WIDTH", b->out[1]);
    nashc_hls_int(h, "FOLDS", b->folds);
    nashc_hls_int(h, "SIMD", nashc_node_int(n, "simd"));
}

static nashc_status
emit_fmpadding(const nashc_node *n, nashc_hls *h, nashc_diag *d)
{
    const nashc_type *x = hls_in(n, 0), *y = hls_out(n, 0);
    const nashc_tensor *t = nashc_value_const(nashc_node_in(n, 1));
    int64_t rows = nashc_tensor_count(t), simd = nashc_node_int(n, "simd");
    border b = border_of(n);
    const char *pads =
        hls_tensor(h, "pads", t, 2, rows > 1 ? (int64_t[]){b.folds, simd} : (int64_t[]){1, 1});
    const char *pad = nashc_hls_text(h, rows > 1 ? "%s[f][s]" : "%s[0][0]", pads);

    if (!pads)
        return nashc_enomem(d);
    sizes(n, h, &b);
    hls_memory(h, nashc_hls_line, pads, 1, 2, "rom_1p", "auto");
    nashc_hls_line(h, "for (int i = 0; i < FRAMES; i++) {");
    nashc_hls_line(h, "for (int r = 0; r < HEIGHT; r++) {");
    nashc_hls_line(h, "for (int c = 0; c < WIDTH; c++) {");
    nashc_hls_line(h, "for (int f = 0; f < FOLDS; f++) {");
    nashc_hls_line(h, "#pragma HLS pipeline II=1");
    nashc_hls_line(h, "const int row_inside = %s;", inside(h, &b, 0, "r"));
    nashc_hls_line(h, "const int column_inside = %s;", inside(h, &b, 1, "c"));
    nashc_hls_line(h, "%s y;", nashc_hls_beat(h, false, 0));
    nashc_hls_line(h, "if (row_inside && column_inside) {");
    nashc_hls_line(h, "const %s x = NASHC_READ(%s, in);", nashc_hls_beat(h, true, 0),
                   nashc_hls_beat(h, true, 0));
    nashc_hls_line(h, "for (int s = 0; s < SIMD; s++) {");
    nashc_hls_line(h, "#pragma HLS unroll");
    nashc_hls_line(h, "y.lane[s] = %s;", hls_convert(h, x, y, "x.lane[s]"));
    hls_close(h);
    nashc_hls_line(h, "} else {");
    nashc_hls_line(h, "for (int s = 0; s < SIMD; s++) {");
    nashc_hls_line(h, "#pragma HLS unroll");
    nashc_type value = nashc_type_for_range(-1, 1); /* of a bipolar constant */
    const nashc_type *wide = y->kind == NASHC_K_BIP ? &value : y;
    nashc_hls_line(h, "y.lane[s] = %s;",
                   hls_stored(h, y, hls_value(h, nashc_tensor_type(t), wide, pad)));
    hls_close(h);
    hls_close(h);
    hls_give(h, 0, "out", "y");
    for (int i = 0; i < 4; i++)
        hls_close(h);
    return NASHC_OK;
}

const nashc_impl nashc_impl_hls_hw_fmpadding = NASHC_IMPL_HLS("hw.fmpadding", emit_fmpadding);

/* --- model --------------------------------------------------------------------------------------
 */

static nashc_status
pad_timing(const nashc_node *n, nashc_timing *out)
{
    border b = border_of(n);

    *out = hls_loop(beats_out(n), 2);
    border_args(&b, out);
    return NASHC_OK;
}

static uint64_t
pad_cycles(const nashc_node *n)
{
    return beats_out(n) + 2;
}

static void
pad_step(const nashc_timing *t, uint64_t i, uint32_t *reads, uint32_t *writes)
{
    if (!hls_idle(t, i, reads, writes))
        border_step(t, i, reads, writes);
}

static const nashc_layer_model model = {
    NASHC_DESC(nashc_layer_model),
    .cycles = pad_cycles,
    .timing = pad_timing,
    .step = pad_step,
};

const nashc_impl nashc_impl_hls_model_hw_fmpadding = MODEL("hw.fmpadding", model);
