/* window.c: hw.window to its library module. */
#include "model.h"
#include <stdio.h>

static void
put_numbered(nashc_vlog *v, const char *name, int k, int64_t value)
{
    char text[16];

    snprintf(text, sizeof text, "%s%d", name, k);
    nashc_vlog_int(v, text, value);
}

static nashc_status
window_ring(const nashc_node *n, nashc_ring *out)
{
    nashc_loops l = {.first = nashc_node_int(n, "offset"),
                     .count = nashc_type_count(model_in(n, 0)),
                     .lanes = nashc_node_int(n, "simd"),
                     .depth = nashc_node_int(n, "depth")};

    l.dim = nashc_node_ints(n, "dims", &l.n);
    l.stride = nashc_node_ints(n, "strides", &l.n);
    return nashc_ring_of(&l, out);
}

static nashc_status
emit_window(const nashc_node *n, nashc_vlog *v, nashc_diag *d)
{
    nashc_ring r;
    nashc_status s = window_ring(n, &r);

    if (s != NASHC_OK)
        return nashc_node_unsup(d, n, "these loops have no layer");
    nashc_vlog_core(v, "nashc_window");
    nashc_vlog_int(v, "W", nashc_node_int(n, "simd") * nashc_value_type(nashc_node_in(n, 0))->bits);
    nashc_vlog_int(v, "WORDS", r.words);
    nashc_vlog_int(v, "DEPTH", r.depth);
    nashc_vlog_int(v, "FIRST", r.first);
    for (int k = 0; k < r.loops; k++) { /* the module counts them from the innermost */
        int inner = r.loops - 1 - k;
        put_numbered(v, "COUNT", k, r.count[inner]);
        put_numbered(v, "MOVE", k, r.move[inner]);
        put_numbered(v, "FREE", k, r.release[inner]);
    }
    put_numbered(v, "MOVE", NASHC_RING_LOOPS, r.move[r.loops]);
    put_numbered(v, "FREE", NASHC_RING_LOOPS, r.release[r.loops]);
    nashc_vlog_str(v, "RAM_STYLE", nashc_node_str(n, "ram_style"));
    return NASHC_OK;
}

const nashc_impl nashc_impl_verilog_hw_window = NASHC_IMPL_VERILOG("hw.window", emit_window);

/* --- model --------------------------------------------------------------------------------------
 */

/* Both sides of the ring move at once: the longer one counts. */
static uint64_t
window_cycles(const nashc_node *n)
{
    uint64_t in = model_beats_in(n), out = model_beats_out(n);

    return in > out ? in : out;
}

static nashc_status
window_cost(const nashc_node *n, const nashc_device *dev, nashc_cost *out)
{
    uint64_t width = (uint64_t)nashc_node_int(n, "simd") * model_in(n, 0)->bits;
    nashc_cost c = {COST_START};
    nashc_ring r;
    nashc_status s = window_ring(n, &r);

    if (s != NASHC_OK)
        return s;
    uint64_t address = (uint64_t)cost_clog2((uint64_t)(r.words + r.depth) + 2);
    c.lut = 30 + 14 * address + width;
    c.ff = 20 + 4 * address + 3 * width;
    for (int k = 0; k < r.loops; k++) {
        uint64_t bits = (uint64_t)cost_clog2((uint64_t)r.count[k]);
        c.lut += 2 * bits + 2;
        c.ff += bits;
    }
    cost_memory(&c, nashc_node_int(n, "ram_style"), (uint64_t)r.depth, width);
    cost_fit(&c, dev);
    *out = c;
    return NASHC_OK;
}

static nashc_status
window_timing(const nashc_node *n, nashc_timing *out)
{
    (void)n;
    *out = (nashc_timing){.steps = 1, .latency = 1, .depth = 2, .kind = 2};
    return NASHC_OK;
}

static const nashc_layer_model model = {
    NASHC_DESC(nashc_layer_model), .cycles = window_cycles, .timing = window_timing,
    .ring = window_ring,           .cost = window_cost,
};

const nashc_impl nashc_impl_verilog_model_hw_window = MODEL("hw.window", model);
