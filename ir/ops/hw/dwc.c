/* dwc.c: hw.dwc(x): the same elements, another number a beat.
 *
 * hardware.md B.12. Cycle behaviour: docs/timing.md.
 */
#include "layer.h"
#include <stdio.h>

enum { D_IN, D_OUT };

static const nashc_param dwc_attrs[] = {
    {.name = "lanes_in", .domain = "1..", .help = "elements an input beat", .kind = NASHC_P_INT},
    {.name = "lanes_out", .domain = "1..", .help = "elements an output beat", .kind = NASHC_P_INT},
    {0},
};

static nashc_status
dwc_verify(const nashc_node *n, nashc_diag *d)
{
    nashc_status s = hw_check_divides(n, "lanes_in", nashc_attr_int(n, D_IN), hw_count_of(n), d);

    return s != NASHC_OK
               ? s
               : hw_check_divides(n, "lanes_out", nashc_attr_int(n, D_OUT), hw_count_of(n), d);
}

static nashc_status
dwc_streams(const nashc_node *n, nashc_stream *in, nashc_stream *out, nashc_diag *d)
{
    const nashc_type *t = nashc_value_type(nashc_node_in(n, 0));

    (void)d;
    in[0] = hw_stream(t, nashc_attr_int(n, D_IN), hw_count_of(n));
    out[0] = hw_stream(t, nashc_attr_int(n, D_OUT), hw_count_of(n));
    return NASHC_OK;
}

static uint64_t
dwc_cycles(const nashc_node *n)
{
    int64_t in = nashc_attr_int(n, D_IN), out = nashc_attr_int(n, D_OUT);

    return (uint64_t)(hw_count_of(n) / (in < out ? in : out));
}

static nashc_status
dwc_cost(const nashc_node *n, const nashc_device *dev, nashc_cost *out)
{
    uint64_t bits = nashc_value_type(nashc_node_in(n, 0))->bits;
    uint64_t in = (uint64_t)nashc_attr_int(n, D_IN), to = (uint64_t)nashc_attr_int(n, D_OUT);
    bool ratio = in % to == 0 || to % in == 0;
    nashc_cost c = {.bram_efficiency = 1, .uram_efficiency = 1};

    (void)dev;
    c.ff = 10 + bits * (in + to + 2 * to);
    c.lut = 20 + bits * (in + to) * (ratio ? 1 : 4);
    *out = c;
    return NASHC_OK;
}

static nashc_status
dwc_timing(const nashc_node *n, nashc_timing *out)
{
    *out = (nashc_timing){.steps = dwc_cycles(n), .latency = 0, .depth = 2};
    return NASHC_OK;
}

/* Whole output beats after so many input beats, or input beats needed for so many outputs. */
static void
dwc_step(const nashc_node *n, uint64_t i, uint32_t *reads, uint32_t *writes)
{
    uint64_t in = (uint64_t)nashc_attr_int(n, D_IN), out = (uint64_t)nashc_attr_int(n, D_OUT);

    if (in <= out) {
        *reads = 1;
        *writes = (i + 1) * in / out > i * in / out;
    } else {
        *reads = ((i + 1) * out + in - 1) / in > (i * out + in - 1) / in;
        *writes = 1;
    }
}

static const char *
dwc_kind(const nashc_node *n)
{
    int64_t in = nashc_attr_int(n, D_IN), out = nashc_attr_int(n, D_OUT);

    return in % out == 0 || out % in == 0 ? "StreamingDataWidthConverter_rtl"
                                          : "StreamingDataWidthConverter_hls";
}

static const nashc_hw dwc_hw = {
    NASHC_DESC(nashc_hw), .streams = dwc_streams, .cycles = dwc_cycles,   .cost = dwc_cost,
    .timing = dwc_timing, .step = dwc_step,       .layer_kind = dwc_kind,
};

const nashc_op nashc_op_hw_dwc = {
    NASHC_DESC(nashc_op),
    .name = "hw.dwc",
    .help = "data width converter: other number of elements a beat",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .attrs = dwc_attrs,
    .verify = dwc_verify,
    .infer = hw_same_infer,
    .eval = hw_copy_eval,
    .hw = &dwc_hw,
};
