/* add_streams.c: hw.add_streams to C: both streams move together, lane by lane. */
#include "model.h"
#include <string.h>

static nashc_status
emit_add_streams(const nashc_node *n, nashc_hls *h, nashc_diag *d)
{
    static const char *const funcs[][2] = {{"add", "a + b"},
                                           {"sub", "a - b"},
                                           {"mul", "a * b"},
                                           {"max", "a > b ? a : b"},
                                           {"min", "a < b ? a : b"}};
    const nashc_type *y = hls_out(n, 0);
    nashc_type both = hls_hull(hls_in(n, 0), hls_in(n, 1)), wide = hls_hull(&both, y);
    const char *type = nashc_hls_type(h, &wide), *func = nashc_node_str(n, "func");

    (void)d;
    nashc_hls_int(h, "BEATS", (int64_t)beats_in(n));
    nashc_hls_int(h, "PE", nashc_node_int(n, "pe"));
    nashc_hls_line(h, "for (int i = 0; i < BEATS; i++) {");
    nashc_hls_line(h, "#pragma HLS pipeline II=1");
    for (int k = 0; k < 2; k++)
        nashc_hls_line(h, "%s x%d = NASHC_READ(%s, in%d);", nashc_hls_beat(h, true, k), k,
                       nashc_hls_beat(h, true, k), k);
    nashc_hls_line(h, "%s y;", nashc_hls_beat(h, false, 0));
    hls_open_lanes(h);
    nashc_hls_line(h, "const %s a = %s;", type, hls_value(h, hls_in(n, 0), &wide, "x0.lane[p]"));
    nashc_hls_line(h, "const %s b = %s;", type, hls_value(h, hls_in(n, 1), &wide, "x1.lane[p]"));
    for (size_t i = 0; i < NASHC_COUNT(funcs); i++)
        if (strcmp(funcs[i][0], func) == 0)
            nashc_hls_line(h, "const %s value = (%s)(%s);", type, type, funcs[i][1]);
    nashc_hls_line(h, "y.lane[p] = %s;", hls_stored(h, y, "value"));
    hls_close(h);
    hls_give(h, 0, "out", "y");
    hls_close(h);
    return NASHC_OK;
}

const nashc_impl nashc_impl_hls_hw_add_streams = NASHC_IMPL_HLS("hw.add_streams", emit_add_streams);

static const nashc_layer_model model = {
    NASHC_DESC(nashc_layer_model),
    .cycles = hls_param_cycles,
    .timing = hls_param_timing,
    .step = hls_beat_step,
};

const nashc_impl nashc_impl_hls_model_hw_add_streams = MODEL("hw.add_streams", model);
