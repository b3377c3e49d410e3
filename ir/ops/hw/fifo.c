/* fifo.c: hw.fifo(x): queue of beats. hardware.md B.17. Cycle behaviour: docs/timing.md. */
#include "layer.h"
#include <stdio.h>

enum { F_DEPTH, F_LANES, F_RAM_STYLE };

static const nashc_param fifo_attrs[] = {
    {.name = "depth", .domain = "2..", .help = "beats it holds", .kind = NASHC_P_INT},
    {.name = "lanes", .def = "1", .domain = "1..", .help = "elements a beat", .kind = NASHC_P_INT},
    {.name = "ram_style",
     .def = "auto",
     .domain = "auto|block|distributed|ultra",
     .help = "memory",
     .kind = NASHC_P_ENUM},
    {0},
};

static nashc_status
fifo_verify(const nashc_node *n, nashc_diag *d)
{
    return hw_check_divides(n, "lanes", nashc_attr_int(n, F_LANES), hw_count_of(n), d);
}

static nashc_status
fifo_streams(const nashc_node *n, nashc_stream *in, nashc_stream *out, nashc_diag *d)
{
    (void)d;
    in[0] = out[0] = hw_stream(nashc_value_type(nashc_node_in(n, 0)), nashc_attr_int(n, F_LANES),
                               hw_count_of(n));
    return NASHC_OK;
}

static uint64_t
fifo_cycles(const nashc_node *n)
{
    return (uint64_t)(hw_count_of(n) / nashc_attr_int(n, F_LANES));
}

static nashc_status
fifo_cost(const nashc_node *n, const nashc_device *dev, nashc_cost *out)
{
    uint64_t depth = (uint64_t)nashc_attr_int(n, F_DEPTH);
    uint64_t width =
        (uint64_t)nashc_attr_int(n, F_LANES) * nashc_value_type(nashc_node_in(n, 0))->bits;
    nashc_cost c = {.lut = 2 * (uint64_t)hw_clog2(depth) + 4,
                    .ff = 2 * (uint64_t)hw_clog2(depth) + width + 2,
                    .bram_efficiency = 1,
                    .uram_efficiency = 1};

    if (depth > 2)
        hw_cost_memory(&c, nashc_attr_int(n, F_RAM_STYLE), depth, width);
    else
        c.ff += width;
    if (dev && dev->lut_inputs == 4)
        c.lut = c.lut * 8 / 5;
    *out = c;
    return NASHC_OK;
}

static nashc_status
fifo_timing(const nashc_node *n, nashc_timing *out)
{
    *out = (nashc_timing){.steps = fifo_cycles(n),
                          .latency = 0,
                          .depth = (uint32_t)nashc_attr_int(n, F_DEPTH),
                          .kind = 1};
    return NASHC_OK;
}

static const char *
fifo_kind(const nashc_node *n)
{
    (void)n;
    return "StreamingFIFO_rtl";
}

static const nashc_hw fifo_hw = {
    NASHC_DESC(nashc_hw),  .streams = fifo_streams, .cycles = fifo_cycles,   .cost = fifo_cost,
    .timing = fifo_timing, .step = hw_beat_step,    .layer_kind = fifo_kind,
};

const nashc_op nashc_op_hw_fifo = {
    NASHC_DESC(nashc_op),
    .name = "hw.fifo",
    .help = "queue of beats",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .attrs = fifo_attrs,
    .verify = fifo_verify,
    .infer = hw_same_infer,
    .eval = hw_copy_eval,
    .hw = &fifo_hw,
};
