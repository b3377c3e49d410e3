/* vvau.c: hw.vvau to C: one product a channel and kernel position, an accumulator for each channel.
 * A beat is SIMD rows of PE channels, SIMD > 1 of all of them.
 */
#include "product.h"

static nashc_status
emit_vvau(const nashc_node *n, nashc_hls *h, nashc_diag *d)
{
    const nashc_tensor *t = nashc_value_const(nashc_node_in(n, 1));
    const nashc_type *wt = nashc_tensor_type(t);
    int64_t kernel = wt->dim[0], pe = nashc_node_int(n, "pe"), folds = wt->dim[1] / pe;
    int64_t simd = nashc_node_int(n, "simd");
    nashc_type type = hls_accumulator(n);
    const char *acc = nashc_hls_type(h, &type);
    const char *w = hls_tensor(h, "weights", t, 3, (int64_t[]){kernel / simd, folds, simd * pe});
    bool embedded = nashc_node_int(n, "mem_mode") == 1;
    nashc_status s = hls_need_constants(n, d);

    if (s != NASHC_OK)
        return s;
    if (!w)
        return nashc_enomem(d);
    nashc_hls_int(h, "RESULTS", nashc_type_count(hls_in(n, 0)) / kernel / wt->dim[1]);
    nashc_hls_int(h, "KERNEL", kernel / simd); /* beats */
    nashc_hls_int(h, "FOLDS", folds);
    nashc_hls_int(h, "PE", pe);
    nashc_hls_int(h, "SIMD", simd);
    nashc_hls_line(h, "%s acc[FOLDS][PE];", acc);
    nashc_hls_line(h, "#pragma HLS array_partition variable=acc complete dim=2");
    hls_memory(h, nashc_hls_line, w, 2, 3, "rom_1p",
               embedded ? "distributed" : nashc_node_str(n, "ram_style"));
    nashc_hls_line(h, "%s", "");
    nashc_hls_line(h, "for (int v = 0; v < RESULTS; v++) {");
    nashc_hls_line(h, "for (int k = 0; k < KERNEL; k++) {");
    nashc_hls_line(h, "for (int f = 0; f < FOLDS; f++) {");
    nashc_hls_line(h, "#pragma HLS pipeline II=1");
    nashc_hls_line(h, "%s x = NASHC_READ(%s, in);", nashc_hls_beat(h, true, 0),
                   nashc_hls_beat(h, true, 0));
    hls_open_lanes(h);
    nashc_hls_line(h, "%s sum = k == 0 ? (%s)0 : acc[f][p];", acc, acc);
    nashc_hls_line(h, "for (int s = 0; s < SIMD; s++)");
    nashc_hls_line(h, "#pragma HLS unroll");
    nashc_hls_line(
        h, "    sum = (%s)(sum + %s);", acc,
        hls_product(n, h, "x.lane[s * PE + p]", nashc_hls_text(h, "%s[k][f][s * PE + p]", w)));
    nashc_hls_line(h, "acc[f][p] = sum;");
    hls_close(h);
    nashc_hls_line(h, "if (k == KERNEL - 1) {");
    nashc_hls_line(h, "%s y;", nashc_hls_beat(h, false, 0));
    hls_open_lanes(h);
    nashc_hls_line(h, "y.lane[p] = %s;", hls_result(n, h, "acc[f][p]", "f"));
    hls_close(h);
    hls_give(h, 0, "out", "y");
    for (int i = 0; i < 4; i++)
        hls_close(h);
    return NASHC_OK;
}

const nashc_impl nashc_impl_hls_hw_vvau = NASHC_IMPL_HLS("hw.vvau", emit_vvau);

/* --- model --------------------------------------------------------------------------------------
 */

/* Read, multiply, add up, accumulate, result. arg: beats of a row, rows of a window in beats. */
static nashc_status
vvau_timing(const nashc_node *n, nashc_timing *out)
{
    const nashc_type *w = hls_in(n, 1);
    int64_t simd = nashc_node_int(n, "simd");

    *out = hls_loop(beats_in(n), (simd > 1 ? 4 : 3) + hls_result_depth(n));
    out->arg[0] = (uint64_t)(w->dim[1] / nashc_node_int(n, "pe"));
    out->arg[1] = (uint64_t)(w->dim[0] / simd);
    return NASHC_OK;
}

static uint64_t
vvau_cycles(const nashc_node *n)
{
    nashc_timing t;

    vvau_timing(n, &t);
    return t.steps;
}

static void
vvau_step(const nashc_timing *t, uint64_t i, uint32_t *reads, uint32_t *writes)
{
    if (hls_idle(t, i, reads, writes))
        return;
    *reads = 1;
    *writes = i / t->arg[0] % t->arg[1] == t->arg[1] - 1;
}

static const nashc_layer_model model = {
    NASHC_DESC(nashc_layer_model),
    .cycles = vvau_cycles,
    .timing = vvau_timing,
    .step = vvau_step,
};

const nashc_impl nashc_impl_hls_model_hw_vvau = MODEL("hw.vvau", model);
