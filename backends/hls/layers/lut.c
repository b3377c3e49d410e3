/* lut.c: hw.lut to C: y = table[c][x - lo]. */
#include "model.h"

static nashc_status
emit_lut(const nashc_node *n, nashc_hls *h, nashc_diag *d)
{
    const nashc_tensor *t = nashc_value_const(nashc_node_in(n, 1));
    int64_t rows = nashc_tensor_type(t)->dim[0], size = nashc_tensor_type(t)->dim[1];
    hls_rows r = hls_rows_of(n, h, rows);
    const char *table =
        hls_tensor(h, "table", t, 3, (int64_t[]){r.folds, rows > 1 ? r.pe : 1, size});
    nashc_type index = nashc_type_int(32);

    if (!table)
        return nashc_enomem(d);
    nashc_hls_int(h, "LO", nashc_node_int(n, "lo"));
    nashc_hls_line(h, "#pragma HLS array_partition variable=%s complete dim=2", table);
    hls_memory(h, nashc_hls_line, table, 3, 3, "rom_np", nashc_node_str(n, "ram_style"));
    hls_open_rows(h);
    nashc_hls_line(h, "%s x = NASHC_READ(%s, in);", nashc_hls_beat(h, true, 0),
                   nashc_hls_beat(h, true, 0));
    nashc_hls_line(h, "%s y;", nashc_hls_beat(h, false, 0));
    hls_open_lanes(h);
    nashc_hls_line(h, "y.lane[p] = %s%s[%s - LO];", table, r.at,
                   hls_value(h, hls_in(n, 0), &index, "x.lane[p]"));
    hls_close(h);
    hls_give(h, 0, "out", "y");
    hls_close(h);
    hls_close(h);
    return NASHC_OK;
}

const nashc_impl nashc_impl_hls_hw_lut = NASHC_IMPL_HLS("hw.lut", emit_lut);

static const nashc_layer_model model = {
    NASHC_DESC(nashc_layer_model),
    .cycles = hls_param_cycles,
    .timing = hls_param_timing,
    .step = hls_beat_step,
};

const nashc_impl nashc_impl_hls_model_hw_lut = MODEL("hw.lut", model);
