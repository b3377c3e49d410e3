/* duplicate_streams.c: hw.duplicate_streams(x): every beat to all of several readers.
 *
 * docs/layers.md, hw.duplicate_streams. Cycle behaviour: docs/timing.md.
 */
#include "layer.h"

static const nashc_param duplicate_attrs[] = {
    {.name = "pe", .def = "1", .domain = "1..", .help = "elements a beat", .kind = NASHC_P_INT},
    HW_POSITIONS_ATTR,
    {0},
};

static int64_t
channels(const nashc_node *n)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));

    return x->rank ? x->dim[x->rank - 1] : 1;
}

static nashc_status
duplicate_verify(const nashc_node *n, nashc_diag *d)
{
    if (nashc_node_n_out(n) > 32)
        return nashc_node_error(d, n, "more than 32 copies");
    nashc_status s = hw_check_divides(n, "pe", nashc_attr_int(n, 0), channels(n), d);
    return s != NASHC_OK ? s : nashc_hw_check_positions(n, d);
}

static nashc_status
duplicate_positions(const nashc_node *n, int64_t m, nashc_diag *d)
{
    return hw_split_positions(n, hw_count_of(n) / channels(n), m, d);
}

static nashc_status
duplicate_streams(const nashc_node *n, nashc_stream *in, nashc_stream *out, nashc_diag *d)
{
    (void)d;
    in[0] = hw_stream(nashc_value_type(nashc_node_in(n, 0)),
                      nashc_attr_int(n, 0) * nashc_hw_positions(n), hw_count_of(n));
    for (int i = 0; i < nashc_node_n_out(n); i++)
        out[i] = in[0];
    return NASHC_OK;
}

static bool
duplicate_fold(const nashc_node *n, int64_t k, nashc_fold *out)
{
    return hw_fold_pe(channels(n), k, out);
}

static const char *
duplicate_kind(const nashc_node *n)
{
    (void)n;
    return "DuplicateStreams_hls";
}

static const nashc_hw duplicate_hw = {
    NASHC_DESC(nashc_hw),         .streams = duplicate_streams,
    .fold = duplicate_fold,       .positions = duplicate_positions,
    .layer_kind = duplicate_kind,
};

const nashc_op nashc_op_hw_duplicate_streams = {
    NASHC_DESC(nashc_op),
    .name = "hw.duplicate_streams",
    .help = "copies of a stream, one for each reader",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = -1,
    .attrs = duplicate_attrs,
    .verify = duplicate_verify,
    .infer = hw_same_infer,
    .eval = hw_copy_eval,
    .hw = &duplicate_hw,
};
