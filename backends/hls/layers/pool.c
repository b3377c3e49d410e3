/* pool.c: hw.pool to C: groups of rows to their maxima, minima or sums.
 *
 * Rows are seen as [outer,KH,OW,KW]; result (o, j) is complete while i and k are last. Until then
 * it waits in acc[j]. A beat is SIMD rows of PE channels, SIMD > 1 of all of them.
 */
#include "model.h"
#include <string.h>

static const int64_t *
window(const nashc_node *n)
{
    int count;

    return nashc_node_ints(n, "window", &count);
}

static int64_t
folds_of(const nashc_node *n)
{
    const nashc_type *y = hls_out(n, 0);

    return y->dim[y->rank - 1] / nashc_node_int(n, "pe");
}

static bool
is_sum(const nashc_node *n)
{
    return strcmp(nashc_node_str(n, "func"), "sum") == 0;
}

/* C: joins `other` to `value`, both results. */
static void
join(const nashc_node *n, nashc_hls *h, const char *other)
{
    if (is_sum(n)) {
        nashc_hls_line(h, "value = (%s)(%s + value);", nashc_hls_type(h, hls_out(n, 0)), other);
        return;
    }
    bool max = strcmp(nashc_node_str(n, "func"), "max") == 0;
    nashc_hls_line(h, "if (%s %s value)", other, max ? ">" : "<");
    nashc_hls_line(h, "    value = %s;", other);
}

/* Lane p of this step, acc being what came before. */
static void
reduce(const nashc_node *n, nashc_hls *h)
{
    const nashc_type *x = hls_in(n, 0), *y = hls_out(n, 0);

    nashc_hls_line(h, "%s value = %s;", nashc_hls_type(h, y), hls_convert(h, x, y, "x.lane[p]"));
    if (nashc_node_int(n, "simd") > 1) {
        nashc_hls_line(h, "for (int s = 1; s < SIMD; s++) {");
        nashc_hls_line(h, "#pragma HLS unroll");
        nashc_hls_line(h, "const %s row = %s;", nashc_hls_type(h, y),
                       hls_convert(h, x, y, "x.lane[s * PE + p]"));
        join(n, h, "row");
        hls_close(h);
    }
    nashc_hls_line(h, "if (!(i == 0 && k == 0)) {");
    join(n, h, "acc[j][f][p]");
    hls_close(h);
    nashc_hls_line(h, "acc[j][f][p] = value;");
    nashc_hls_line(h, "y.lane[p] = value;");
}

static nashc_status
emit_pool(const nashc_node *n, nashc_hls *h, nashc_diag *d)
{
    const int64_t *w = window(n), pe = nashc_node_int(n, "pe"), folds = folds_of(n);

    (void)d;
    nashc_hls_int(h, "OUTER", nashc_type_count(hls_in(n, 0)) / (w[0] * w[1] * w[2] * folds * pe));
    nashc_hls_int(h, "KH", w[0]);
    nashc_hls_int(h, "OW", w[1]);
    nashc_hls_int(h, "KW", w[2] / nashc_node_int(n, "simd")); /* beats */
    nashc_hls_int(h, "FOLDS", folds);
    nashc_hls_int(h, "PE", pe);
    if (nashc_node_int(n, "simd") > 1)
        nashc_hls_int(h, "SIMD", nashc_node_int(n, "simd"));
    nashc_hls_line(h, "%s acc[OW][FOLDS][PE];", nashc_hls_type(h, hls_out(n, 0)));
    hls_memory(h, nashc_hls_line, "acc", 2, 3, "ram_s2p", nashc_node_str(n, "ram_style"));
    nashc_hls_line(h, "%s", "");
    nashc_hls_line(h, "for (int o = 0; o < OUTER; o++) {");
    nashc_hls_line(h, "for (int i = 0; i < KH; i++) {");
    nashc_hls_line(h, "for (int j = 0; j < OW; j++) {");
    nashc_hls_line(h, "for (int k = 0; k < KW; k++) {");
    nashc_hls_line(h, "for (int f = 0; f < FOLDS; f++) {");
    nashc_hls_line(h, "#pragma HLS pipeline II=1");
    nashc_hls_line(h, "%s x = NASHC_READ(%s, in);", nashc_hls_beat(h, true, 0),
                   nashc_hls_beat(h, true, 0));
    nashc_hls_line(h, "%s y;", nashc_hls_beat(h, false, 0));
    hls_open_lanes(h);
    reduce(n, h);
    hls_close(h);
    nashc_hls_line(h, "if (i == KH - 1 && k == KW - 1)");
    nashc_hls_line(h, "    NASHC_WRITE(%s, out, y);", nashc_hls_beat(h, false, 0));
    for (int i = 0; i < 5; i++)
        hls_close(h);
    return NASHC_OK;
}

const nashc_impl nashc_impl_hls_hw_pool = NASHC_IMPL_HLS("hw.pool", emit_pool);

/* --- model --------------------------------------------------------------------------------------
 */

/* Read, join the rows of a beat, join what came before. arg: beats of a row, KH, OW, beats of KW.
 */
static nashc_status
pool_timing(const nashc_node *n, nashc_timing *out)
{
    int64_t simd = nashc_node_int(n, "simd");

    *out = hls_loop(beats_in(n), simd > 1 ? 4 : 3);
    out->arg[0] = (uint64_t)folds_of(n);
    for (int i = 0; i < 3; i++)
        out->arg[1 + i] = (uint64_t)(window(n)[i] / (i == 2 ? simd : 1));
    return NASHC_OK;
}

static uint64_t
pool_cycles(const nashc_node *n)
{
    nashc_timing t;

    pool_timing(n, &t);
    return t.steps;
}

static void
pool_step(const nashc_timing *t, uint64_t i, uint32_t *reads, uint32_t *writes)
{
    uint64_t kh = t->arg[1], ow = t->arg[2], kw = t->arg[3], row = i / t->arg[0];

    if (hls_idle(t, i, reads, writes))
        return;
    *reads = 1;
    *writes = row % kw == kw - 1 && row / kw / ow % kh == kh - 1;
}

static const nashc_layer_model model = {
    NASHC_DESC(nashc_layer_model),
    .cycles = pool_cycles,
    .timing = pool_timing,
    .step = pool_step,
};

const nashc_impl nashc_impl_hls_model_hw_pool = MODEL("hw.pool", model);
