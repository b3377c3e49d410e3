/* fifo.c: hw.fifo(x): queue of beats. docs/layers.md, hw.fifo. Cycle behaviour: docs/timing.md. */
#include "layer.h"

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

/* A FIFO has no pe: lanes is what its neighbours put into a beat, over the whole frame, so it may
 * span rows. */
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

static const char *
fifo_kind(const nashc_node *n)
{
    (void)n;
    return "StreamingFIFO_rtl";
}

static const nashc_hw fifo_hw = {
    NASHC_DESC(nashc_hw),
    .streams = fifo_streams,
    .layer_kind = fifo_kind,
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
