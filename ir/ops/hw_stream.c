/* hw_stream.c: layers that only move beats: hw.fifo, hw.dwc, hw.duplicate_streams; and
 * hw.label_select, the indices of the largest elements.
 *
 * hardware.md B.10, B.12, B.17, B.18. Cycle behaviour: docs/timing.md.
 */
#include "hw.h"
#include <stdio.h>

/* Result i has the type of operand 0. */
static nashc_status
same_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    nashc_status s = hw_check_operand(n, 0, false, d);

    if (s != NASHC_OK)
        return s;
    for (int i = 0; i < nashc_node_n_out(n); i++)
        out[i] = *nashc_value_type(nashc_node_in(n, 0));
    return NASHC_OK;
}

static nashc_status
copy_eval(nashc_eval *e, const nashc_node *n)
{
    const nashc_buf *x = nashc_eval_in(e, 0);

    for (int k = 0; k < nashc_node_n_out(n); k++) {
        nashc_buf *y = nashc_eval_out(e, k);
        for (int64_t i = 0; i < y->n; i++)
            nashc_buf_set_int(y, i, nashc_buf_get_int(x, i));
    }
    return NASHC_OK;
}

static int64_t
count_of(const nashc_node *n)
{
    return nashc_type_count(nashc_value_type(nashc_node_in(n, 0)));
}

static void
beat_step(const nashc_node *n, uint64_t i, uint32_t *reads, uint32_t *writes)
{
    (void)i;
    *reads = 1;
    *writes = (1u << nashc_node_n_out(n)) - 1;
}

/* --- fifo ----------------------------------------------------------------------------------------
 */

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
    return hw_check_divides(n, "lanes", nashc_attr_int(n, F_LANES), count_of(n), d);
}

static nashc_status
fifo_streams(const nashc_node *n, nashc_stream *in, nashc_stream *out, nashc_diag *d)
{
    (void)d;
    in[0] = out[0] =
        hw_stream(nashc_value_type(nashc_node_in(n, 0)), nashc_attr_int(n, F_LANES), count_of(n));
    return NASHC_OK;
}

static uint64_t
fifo_cycles(const nashc_node *n)
{
    return (uint64_t)(count_of(n) / nashc_attr_int(n, F_LANES));
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
    .timing = fifo_timing, .step = beat_step,       .layer_kind = fifo_kind,
};

const nashc_op nashc_op_hw_fifo = {
    NASHC_DESC(nashc_op), .name = "hw.fifo",   .help = "queue of beats",
    .min_in = 1,          .max_in = 1,         .min_out = 1,
    .max_out = 1,         .attrs = fifo_attrs, .verify = fifo_verify,
    .infer = same_infer,  .eval = copy_eval,   .hw = &fifo_hw,
};

/* --- dwc -----------------------------------------------------------------------------------------
 */

enum { D_IN, D_OUT };

static const nashc_param dwc_attrs[] = {
    {.name = "lanes_in", .domain = "1..", .help = "elements an input beat", .kind = NASHC_P_INT},
    {.name = "lanes_out", .domain = "1..", .help = "elements an output beat", .kind = NASHC_P_INT},
    {0},
};

static nashc_status
dwc_verify(const nashc_node *n, nashc_diag *d)
{
    nashc_status s = hw_check_divides(n, "lanes_in", nashc_attr_int(n, D_IN), count_of(n), d);

    return s != NASHC_OK
               ? s
               : hw_check_divides(n, "lanes_out", nashc_attr_int(n, D_OUT), count_of(n), d);
}

static nashc_status
dwc_streams(const nashc_node *n, nashc_stream *in, nashc_stream *out, nashc_diag *d)
{
    const nashc_type *t = nashc_value_type(nashc_node_in(n, 0));

    (void)d;
    in[0] = hw_stream(t, nashc_attr_int(n, D_IN), count_of(n));
    out[0] = hw_stream(t, nashc_attr_int(n, D_OUT), count_of(n));
    return NASHC_OK;
}

static uint64_t
dwc_cycles(const nashc_node *n)
{
    int64_t in = nashc_attr_int(n, D_IN), out = nashc_attr_int(n, D_OUT);

    return (uint64_t)(count_of(n) / (in < out ? in : out));
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
    .infer = same_infer,
    .eval = copy_eval,
    .hw = &dwc_hw,
};

/* --- duplicate_streams ---------------------------------------------------------------------------
 */

static const nashc_param duplicate_attrs[] = {
    {.name = "pe", .def = "1", .domain = "1..", .help = "elements a beat", .kind = NASHC_P_INT},
    {0},
};

static nashc_status
duplicate_verify(const nashc_node *n, nashc_diag *d)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));

    if (nashc_node_n_out(n) > 32)
        return nashc_node_error(d, n, "more than 32 copies");
    return hw_check_divides(n, "pe", nashc_attr_int(n, 0), x->rank ? x->dim[x->rank - 1] : 1, d);
}

static nashc_status
duplicate_streams(const nashc_node *n, nashc_stream *in, nashc_stream *out, nashc_diag *d)
{
    (void)d;
    in[0] = hw_stream(nashc_value_type(nashc_node_in(n, 0)), nashc_attr_int(n, 0), count_of(n));
    for (int i = 0; i < nashc_node_n_out(n); i++)
        out[i] = in[0];
    return NASHC_OK;
}

static uint64_t
duplicate_cycles(const nashc_node *n)
{
    return (uint64_t)(count_of(n) / nashc_attr_int(n, 0));
}

static nashc_status
duplicate_cost(const nashc_node *n, const nashc_device *dev, nashc_cost *out)
{
    uint64_t width = nashc_value_type(nashc_node_in(n, 0))->bits * (uint64_t)nashc_attr_int(n, 0);
    uint64_t copies = (uint64_t)nashc_node_n_out(n);

    (void)dev;
    *out = (nashc_cost){.lut = copies * (4 + width),
                        .ff = copies * (2 + 2 * width),
                        .bram_efficiency = 1,
                        .uram_efficiency = 1};
    return NASHC_OK;
}

static nashc_status
duplicate_timing(const nashc_node *n, nashc_timing *out)
{
    *out = (nashc_timing){.steps = duplicate_cycles(n), .latency = 0, .depth = 2};
    return NASHC_OK;
}

static bool
duplicate_fold(const nashc_node *n, int64_t k, char *text)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));

    return hw_fold_pe(x->rank ? x->dim[x->rank - 1] : 1, k, text);
}

static const char *
duplicate_kind(const nashc_node *n)
{
    (void)n;
    return "DuplicateStreams_hls";
}

static const nashc_hw duplicate_hw = {
    NASHC_DESC(nashc_hw),   .streams = duplicate_streams, .cycles = duplicate_cycles,
    .cost = duplicate_cost, .timing = duplicate_timing,   .step = beat_step,
    .fold = duplicate_fold, .layer_kind = duplicate_kind,
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
    .infer = same_infer,
    .eval = copy_eval,
    .hw = &duplicate_hw,
};

/* --- label_select --------------------------------------------------------------------------------
 */

enum { S_PE, S_K, S_LABELS };

static const nashc_param select_attrs[] = {
    {.name = "pe", .def = "1", .domain = "1..", .help = "labels a beat", .kind = NASHC_P_INT},
    {.name = "k", .def = "1", .domain = "1..", .help = "how many indices", .kind = NASHC_P_INT},
    {.name = "labels",
     .def = "0",
     .domain = "0..",
     .help = "labels of a row; 0: as many as the input has columns",
     .kind = NASHC_P_INT},
    {0},
};

/* False: the labels do not divide the input. */
static bool
select_dims(const nashc_node *n, int64_t *labels, int64_t *vecs)
{
    hw_view view;
    bool good = hw_view_of(n, nashc_attr_int(n, S_LABELS), &view);

    *labels = good ? view.channels : 1;
    *vecs = good ? view.vecs : 0;
    return good;
}

static nashc_status
select_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    nashc_status s = hw_check_operand(n, 0, false, d);
    int64_t labels, vecs, k = nashc_attr_int(n, S_K);

    if (s != NASHC_OK)
        return s;
    if (!select_dims(n, &labels, &vecs))
        return nashc_node_error(d, n, "the input %s does not divide into rows of %" PRId64,
                                nashc_type_str(d, nashc_value_type(nashc_node_in(n, 0))),
                                nashc_attr_int(n, S_LABELS));
    if (k > labels)
        return nashc_node_error(d, n, "k=%" PRId64 " exceeds the %" PRId64 " labels", k, labels);
    nashc_type elem = nashc_type_for_range(0, labels - 1);
    *out = hw_matrix_type(&elem, vecs, k);
    return NASHC_OK;
}

static nashc_status
select_verify(const nashc_node *n, nashc_diag *d)
{
    int64_t labels, vecs;

    select_dims(n, &labels, &vecs);
    return hw_check_divides(n, "pe", nashc_attr_int(n, S_PE), labels, d);
}

/* Best first; among equal values the lowest index wins. */
static nashc_status
select_eval(nashc_eval *e, const nashc_node *n)
{
    const int64_t *x = nashc_eval_i64(e, 0);
    int64_t labels, vecs, k = nashc_attr_int(n, S_K);
    nashc_buf *y = nashc_eval_out(e, 0);

    select_dims(n, &labels, &vecs);
    bool *taken = nashc_eval_scratch(e, (size_t)labels);
    if (!x || !taken)
        return NASHC_ENOMEM;
    for (int64_t v = 0; v < vecs; v++) {
        for (int64_t i = 0; i < labels; i++)
            taken[i] = false;
        for (int64_t j = 0; j < k; j++) {
            int64_t best = -1;
            for (int64_t i = 0; i < labels; i++)
                if (!taken[i] && (best < 0 || x[v * labels + i] > x[v * labels + best]))
                    best = i;
            taken[best] = true;
            nashc_buf_set_int(y, v * k + j, best);
        }
    }
    return NASHC_OK;
}

static nashc_status
select_streams(const nashc_node *n, nashc_stream *in, nashc_stream *out, nashc_diag *d)
{
    int64_t labels, vecs;

    (void)d;
    select_dims(n, &labels, &vecs);
    in[0] =
        hw_stream(nashc_value_type(nashc_node_in(n, 0)), nashc_attr_int(n, S_PE), vecs * labels);
    out[0] = hw_stream(nashc_value_type(nashc_node_out(n, 0)), 1, vecs * nashc_attr_int(n, S_K));
    return NASHC_OK;
}

/* Steps for one vector: all reads, and k writes of which the first goes with the last read. */
static uint64_t
select_period(const nashc_node *n, uint64_t *reads)
{
    int64_t labels, vecs;

    select_dims(n, &labels, &vecs);
    *reads = (uint64_t)(labels / nashc_attr_int(n, S_PE));
    return *reads + (uint64_t)nashc_attr_int(n, S_K) - 1;
}

static uint64_t
select_cycles(const nashc_node *n)
{
    int64_t labels, vecs;
    uint64_t reads;

    select_dims(n, &labels, &vecs);
    return (uint64_t)vecs * select_period(n, &reads);
}

static nashc_status
select_cost(const nashc_node *n, const nashc_device *dev, nashc_cost *out)
{
    uint64_t bits = nashc_value_type(nashc_node_in(n, 0))->bits;
    uint64_t index = nashc_value_type(nashc_node_out(n, 0))->bits;
    uint64_t pe = (uint64_t)nashc_attr_int(n, S_PE), k = (uint64_t)nashc_attr_int(n, S_K);

    *out = (nashc_cost){.lut = 40 + (pe + k) * (bits / 2 + bits + 2 * index),
                        .ff = 30 + (k + 2) * (bits + index),
                        .bram_efficiency = 1,
                        .uram_efficiency = 1};
    if (dev && dev->lut_inputs == 4)
        out->lut = out->lut * 8 / 5;
    return NASHC_OK;
}

static nashc_status
select_timing(const nashc_node *n, nashc_timing *out)
{
    *out = (nashc_timing){.steps = select_cycles(n), .latency = 2, .depth = 2};
    return NASHC_OK;
}

static void
select_step(const nashc_node *n, uint64_t i, uint32_t *reads, uint32_t *writes)
{
    uint64_t n_reads, at = i % select_period(n, &n_reads);

    *reads = at < n_reads;
    *writes = at + 1 >= n_reads;
}

static bool
select_fold(const nashc_node *n, int64_t k, char *text)
{
    int64_t labels, vecs;

    select_dims(n, &labels, &vecs);
    return hw_fold_pe(labels, k, text);
}

static const char *
select_kind(const nashc_node *n)
{
    (void)n;
    return "LabelSelect_hls";
}

static const nashc_hw select_hw = {
    NASHC_DESC(nashc_hw), .streams = select_streams, .cycles = select_cycles,
    .cost = select_cost,  .timing = select_timing,   .step = select_step,
    .fold = select_fold,  .layer_kind = select_kind,
};

const nashc_op nashc_op_hw_label_select = {
    NASHC_DESC(nashc_op),
    .name = "hw.label_select",
    .help = "indices of the k largest elements, best first, lower index first among equals",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .attrs = select_attrs,
    .verify = select_verify,
    .infer = select_infer,
    .eval = select_eval,
    .hw = &select_hw,
};
