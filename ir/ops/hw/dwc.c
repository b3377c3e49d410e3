/* dwc.c: hw.dwc(x): the same elements, another number a beat.
 *
 * docs/layers.md, hw.dwc. Cycle behaviour: docs/timing.md.
 */
#include "layer.h"

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

/* FINN has an RTL converter for whole ratios only. */
static const char *
dwc_kind(const nashc_node *n)
{
    int64_t in = nashc_attr_int(n, D_IN), out = nashc_attr_int(n, D_OUT);

    return in % out == 0 || out % in == 0 ? "StreamingDataWidthConverter_rtl"
                                          : "StreamingDataWidthConverter_hls";
}

static const nashc_hw dwc_hw = {
    NASHC_DESC(nashc_hw),
    .streams = dwc_streams,
    .layer_kind = dwc_kind,
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
