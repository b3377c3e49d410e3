/* label_select.c: hw.label_select to C: indices of the K largest elements of a row, best first.
 *
 * The K best so far stand in order. A newcomer takes the place of the first that is smaller, and
 * those from there on move down; among equals the first one stays in front.
 */
#include "model.h"

static nashc_status
select_timing(const nashc_node *n, nashc_timing *out)
{
    uint64_t rows = (uint64_t)hls_out(n, 0)->dim[0], k = (uint64_t)nashc_node_int(n, "k");
    uint64_t reads = beats_in(n) / rows;

    *out = hls_loop(rows * (reads + k), 3);
    out->arg[0] = reads;
    out->arg[1] = reads + k;
    return NASHC_OK;
}

/* Element `value` of label `at` goes through the K best. */
static void
insert(nashc_hls *h, const char *value, const char *index)
{
    nashc_hls_line(h, "const int at = b * PE + p;");
    nashc_hls_line(h, "%s value = x.lane[p];", value);
    nashc_hls_line(h, "%s label = (%s)at;", index, index);
    nashc_hls_line(h, "int moved = 0;");
    nashc_hls_line(h, "for (int k = 0; k < K; k++) {");
    nashc_hls_line(h, "#pragma HLS unroll");
    nashc_hls_line(h, "if (moved || k >= at || value > best[k]) {");
    nashc_hls_line(h, "const %s v = best[k];", value);
    nashc_hls_line(h, "const %s l = labels[k];", index);
    nashc_hls_line(h, "best[k] = value;");
    nashc_hls_line(h, "labels[k] = label;");
    nashc_hls_line(h, "value = v;");
    nashc_hls_line(h, "label = l;");
    nashc_hls_line(h, "moved = 1;");
    hls_close(h);
    hls_close(h);
}

static nashc_status
emit_select(const nashc_node *n, nashc_hls *h, nashc_diag *d)
{
    const char *value = nashc_hls_type(h, hls_in(n, 0)), *index = nashc_hls_type(h, hls_out(n, 0));
    const char *x = nashc_hls_beat(h, true, 0);
    int64_t rows = hls_out(n, 0)->dim[0];

    (void)d;
    nashc_hls_int(h, "ROWS", rows);
    nashc_hls_int(h, "BEATS", (int64_t)beats_in(n) / rows);
    nashc_hls_int(h, "PE", nashc_node_int(n, "pe"));
    nashc_hls_int(h, "K", nashc_node_int(n, "k"));
    nashc_hls_line(h, "%s best[K] = {0};", value);
    nashc_hls_line(h, "%s labels[K] = {0};", index);
    nashc_hls_line(h, "#pragma HLS array_partition variable=best complete");
    nashc_hls_line(h, "#pragma HLS array_partition variable=labels complete");
    nashc_hls_line(h, "%s", "");
    nashc_hls_line(h, "for (int r = 0; r < ROWS; r++) {");
    nashc_hls_line(h, "for (int b = 0; b < BEATS; b++) {");
    nashc_hls_line(h, "#pragma HLS pipeline II=1");
    nashc_hls_line(h, "%s x = NASHC_READ(%s, in);", x, x);
    hls_open_lanes(h);
    insert(h, value, index);
    hls_close(h);
    hls_close(h);
    nashc_hls_line(h, "for (int k = 0; k < K; k++) {");
    nashc_hls_line(h, "#pragma HLS pipeline II=1");
    nashc_hls_line(h, "%s y;", nashc_hls_beat(h, false, 0));
    nashc_hls_line(h, "y.lane[0] = labels[k];");
    hls_give(h, 0, "out", "y");
    hls_close(h);
    hls_close(h);
    return NASHC_OK;
}

const nashc_impl nashc_impl_hls_hw_label_select = NASHC_IMPL_HLS("hw.label_select", emit_select);

/* --- model --------------------------------------------------------------------------------------
 */

/* For each row all reads, then K writes. */
static void
select_step(const nashc_timing *t, uint64_t i, uint32_t *reads, uint32_t *writes)
{
    if (hls_idle(t, i, reads, writes))
        return;
    *reads = i % t->arg[1] < t->arg[0];
    *writes = !*reads;
}

static uint64_t
select_cycles(const nashc_node *n)
{
    nashc_timing t;

    select_timing(n, &t);
    return t.steps;
}

static const nashc_layer_model model = {
    NASHC_DESC(nashc_layer_model),
    .cycles = select_cycles,
    .timing = select_timing,
    .step = select_step,
};

const nashc_impl nashc_impl_hls_model_hw_label_select = MODEL("hw.label_select", model);
