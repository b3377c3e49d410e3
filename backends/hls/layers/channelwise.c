/* channelwise.c: hw.channelwise to C: each lane meets the constant of its channel. */
#include "model.h"
#include <string.h>

/* C: y of x and p, both of the wide type. */
static void
combine(nashc_hls *h, const char *func, const char *wide, const nashc_type *y)
{
    static const char *const funcs[][2] = {
        {"add", "x + c"}, {"mul", "x * c"}, {"max", "x > c ? x : c"}, {"min", "x < c ? x : c"}};

    for (size_t i = 0; i < NASHC_COUNT(funcs); i++)
        if (strcmp(funcs[i][0], func) == 0)
            nashc_hls_line(h, "const %s value = (%s)(%s);", wide, wide, funcs[i][1]);
    nashc_hls_line(h, "y.lane[p] = %s;", hls_stored(h, y, "value"));
}

static nashc_status
emit_channelwise(const nashc_node *n, nashc_hls *h, nashc_diag *d)
{
    const nashc_tensor *t = nashc_value_const(nashc_node_in(n, 1));
    const nashc_type *x = hls_in(n, 0), *y = hls_out(n, 0), *c = nashc_tensor_type(t);
    int64_t rows = nashc_tensor_count(t);
    hls_rows r = hls_rows_of(n, h, rows);
    const char *table = hls_tensor(h, "params", t, 2, (int64_t[]){r.folds, rows > 1 ? r.pe : 1});
    nashc_type both = hls_hull(x, c), wide = hls_hull(&both, y);
    const char *type = nashc_hls_type(h, &wide);

    if (!table)
        return nashc_enomem(d);
    hls_memory(h, nashc_hls_line, table, 1, 2, "rom_1p", nashc_node_str(n, "ram_style"));
    hls_open_rows(h);
    nashc_hls_line(h, "%s b = NASHC_READ(%s, in);", nashc_hls_beat(h, true, 0),
                   nashc_hls_beat(h, true, 0));
    nashc_hls_line(h, "%s y;", nashc_hls_beat(h, false, 0));
    hls_open_lanes(h);
    nashc_hls_line(h, "const %s x = %s;", type, hls_value(h, x, &wide, "b.lane[p]"));
    nashc_hls_line(h, "const %s c = %s;", type,
                   hls_value(h, c, &wide, nashc_hls_text(h, "%s%s", table, r.at)));
    combine(h, nashc_node_str(n, "func"), type, y);
    hls_close(h);
    hls_give(h, 0, "out", "y");
    hls_close(h);
    hls_close(h);
    return NASHC_OK;
}

const nashc_impl nashc_impl_hls_hw_channelwise = NASHC_IMPL_HLS("hw.channelwise", emit_channelwise);

static const nashc_layer_model model = {
    NASHC_DESC(nashc_layer_model),
    .cycles = hls_param_cycles,
    .timing = hls_param_timing,
    .step = hls_beat_step,
};

const nashc_impl nashc_impl_hls_model_hw_channelwise = MODEL("hw.channelwise", model);
