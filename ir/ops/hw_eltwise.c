/* hw_eltwise.c: layers that map one beat to one beat: hw.thresholding, hw.channelwise, hw.requant,
 * hw.lut.
 *
 *     hw.thresholding(x, t, [dir])   y = act_bias + #{k : x >= t[c][k]}      (dir[c] < 0: x < t)
 *     hw.channelwise(x, p)           y = x + p[c], x * p[c], or the larger or smaller of both
 *     hw.requant(x, m, a)            y = clamp(floor((x * m[c] + a[c]) / 2^shift), qmin, qmax)
 *     hw.lut(x, table)               y = table[c][x - lo]
 *
 * Operand 0 is a sequence of rows of C channels, C from the parameters, or the last dimension where
 * they hold one row for all. Parameters that repeat after several of its rows leave it its columns.
 * One step a beat. hardware.md B.5, B.11.
 */
#include "hw.h"
#include "ops.h"

static nashc_status
beats_streams(const nashc_node *n, const hw_view *view, nashc_stream *in, nashc_stream *out)
{
    int64_t pe = nashc_attr_int(n, 0), count = view->vecs * view->channels;

    in[0] = hw_stream(nashc_value_type(nashc_node_in(n, 0)), pe, count);
    out[0] = hw_stream(nashc_value_type(nashc_node_out(n, 0)), pe, count);
    return NASHC_OK;
}

static void
rw_step(const nashc_node *n, uint64_t i, uint32_t *reads, uint32_t *writes)
{
    (void)n;
    (void)i;
    *reads = *writes = 1;
}

/* Rows of parameter operand 1: one for all channels, or one a channel. */
static bool
param_view(const nashc_node *n, hw_view *out)
{
    const nashc_type *p = nashc_value_type(nashc_node_in(n, 1));
    int64_t rows = p->rank > 0 ? p->dim[0] : 1;

    return hw_view_of(n, rows > 1 ? rows : 0, out);
}

static nashc_status
param_streams(const nashc_node *n, nashc_stream *in, nashc_stream *out, nashc_diag *d)
{
    hw_view view;

    if (!param_view(n, &view))
        return nashc_node_error(d, n, "the input does not divide into rows of channels");
    return beats_streams(n, &view, in, out);
}

static uint64_t
param_cycles(const nashc_node *n)
{
    hw_view view;

    return param_view(n, &view) ? (uint64_t)(view.vecs * (view.channels / nashc_attr_int(n, 0)))
                                : 0;
}

static bool
param_fold(const nashc_node *n, int64_t k, char *text)
{
    hw_view view;

    return param_view(n, &view) && hw_fold_pe(view.channels, k, text);
}

static nashc_status
param_timing2(const nashc_node *n, nashc_timing *out)
{
    *out = (nashc_timing){.steps = param_cycles(n), .latency = 2, .depth = 2};
    return NASHC_OK;
}

/* Common part of infer: operands, and rows and columns of the result. */
static nashc_status
param_check(const nashc_node *n, hw_view *view, nashc_diag *d)
{
    nashc_status s = hw_check_operand(n, 0, false, d);
    hw_view own;

    if (s != NASHC_OK || (s = hw_check_operand(n, 1, true, d)) != NASHC_OK)
        return s;
    if (!param_view(n, view))
        return nashc_node_error(d, n, "the input %s does not divide into rows of %" PRId64,
                                nashc_type_str(d, nashc_value_type(nashc_node_in(n, 0))),
                                nashc_value_type(nashc_node_in(n, 1))->dim[0]);
    if (hw_view_of(n, 0, &own) && view->channels % own.channels == 0)
        *view = own;
    return NASHC_OK;
}

static nashc_status
pe_verify(const nashc_node *n, nashc_diag *d)
{
    hw_view view;

    if (!param_view(n, &view))
        return nashc_node_error(d, n, "the input does not divide into rows of channels");
    return hw_check_divides(n, "pe", nashc_attr_int(n, 0), view.channels, d);
}

/* --- thresholding ------------------------------------------------------------------------------
 */

enum { T_PE, T_STYLE, T_BIAS, T_BIPOLAR, T_RAM_STYLE };

static const nashc_param threshold_attrs[] = {
    {.name = "pe", .def = "1", .domain = "1..", .help = "channels a beat", .kind = NASHC_P_INT},
    {.name = "style",
     .def = "auto",
     .domain = "auto|parallel|binary_search",
     .help = "how thresholds are compared; auto: in parallel up to 3 of them",
     .kind = NASHC_P_ENUM},
    {.name = "act_bias", .def = "0", .help = "added to the count", .kind = NASHC_P_INT},
    {.name = "bipolar",
     .def = "false",
     .help = "one threshold tells -1 from +1",
     .kind = NASHC_P_BOOL},
    {.name = "ram_style",
     .def = "auto",
     .domain = "auto|block|distributed|ultra",
     .help = "threshold memory",
     .kind = NASHC_P_ENUM},
    {0},
};

static nashc_status
threshold_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    hw_view view;
    nashc_status s = param_check(n, &view, d);
    int64_t rows, steps;

    if (s != NASHC_OK)
        return s;
    if (!hw_threshold_dims(n, 1, &rows, &steps))
        return nashc_node_error(d, n, "thresholds must be a matrix, a row a channel");
    nashc_type elem =
        hw_count_type(steps, nashc_attr_int(n, T_BIAS), nashc_attr_bool(n, T_BIPOLAR));
    *out = hw_matrix_type(&elem, view.vecs, view.channels);
    return NASHC_OK;
}

static nashc_status
threshold_verify(const nashc_node *n, nashc_diag *d)
{
    nashc_status s = pe_verify(n, d);
    hw_view view;

    if (s != NASHC_OK)
        return s;
    if (nashc_node_in(n, 2)) {
        const nashc_type *dir = nashc_value_type(nashc_node_in(n, 2));
        if ((s = hw_check_operand(n, 2, true, d)) != NASHC_OK)
            return s;
        if (!param_view(n, &view) || dir->kind != NASHC_K_BIP ||
            nashc_type_count(dir) != view.channels)
            return nashc_node_error(d, n, "directions must be bip, one a channel");
    }
    return hw_check_thresholds(n, 1, nashc_attr_int(n, T_BIAS), nashc_attr_bool(n, T_BIPOLAR), d);
}

static nashc_status
threshold_eval(nashc_eval *e, const nashc_node *n)
{
    const int64_t *x = nashc_eval_i64(e, 0), *t = nashc_eval_i64(e, 1);
    const int64_t *dir = nashc_node_in(n, 2) ? nashc_eval_i64(e, 2) : NULL;
    int64_t scale = nashc_attr_bool(n, T_BIPOLAR) ? 2 : 1;
    int64_t bias = scale == 2 ? -1 : nashc_attr_int(n, T_BIAS), rows = 1, steps = 0;
    nashc_buf *y = nashc_eval_out(e, 0);
    hw_view view;

    if (!x || !t || (nashc_node_in(n, 2) && !dir))
        return NASHC_ENOMEM;
    if (!param_view(n, &view) || !hw_threshold_dims(n, 1, &rows, &steps))
        return nashc_node_error(nashc_eval_diag(e), n, "shapes do not fit");
    for (int64_t i = 0; i < y->n; i++)
        nashc_buf_set_int(y, i,
                          bias + scale * hw_count(t, dir, rows, steps, i % view.channels, x[i]));
    return NASHC_OK;
}

static nashc_status
threshold_cost(const nashc_node *n, const nashc_device *dev, nashc_cost *out)
{
    nashc_cost c = {.lut = 40, .ff = 40, .bram_efficiency = 1, .uram_efficiency = 1};
    int64_t rows, steps, pe = nashc_attr_int(n, T_PE);
    uint64_t width = nashc_value_type(nashc_node_in(n, 0))->bits;

    if (!hw_threshold_dims(n, 1, &rows, &steps))
        return NASHC_EBUG;
    c.ff += (uint64_t)pe * width;
    hw_cost_thresholds(&c, hw_parallel(nashc_attr_int(n, T_STYLE), steps), (uint64_t)pe,
                       (uint64_t)steps, width, (uint64_t)(rows > 1 ? rows / pe : 1),
                       nashc_attr_int(n, T_RAM_STYLE));
    if (dev && dev->lut_inputs == 4)
        c.lut = c.lut * 8 / 5;
    *out = c;
    return NASHC_OK;
}

/* nashc_thresh_par, or nashc_thresh_bs with DEEP = 1. */
static nashc_status
threshold_timing(const nashc_node *n, nashc_timing *out)
{
    int64_t rows, steps;

    if (!hw_threshold_dims(n, 1, &rows, &steps))
        return NASHC_EBUG;
    *out = (nashc_timing){.steps = param_cycles(n), .latency = 2, .depth = 2};
    if (!hw_parallel(nashc_attr_int(n, T_STYLE), steps))
        out->latency = 2 * hw_stages(steps);
    return NASHC_OK;
}

static const char *
threshold_kind(const nashc_node *n)
{
    (void)n;
    return "Thresholding_rtl";
}

static const nashc_hw threshold_hw = {
    NASHC_DESC(nashc_hw),   .streams = param_streams,     .cycles = param_cycles,
    .cost = threshold_cost, .timing = threshold_timing,   .step = rw_step,
    .fold = param_fold,     .layer_kind = threshold_kind,
};

const nashc_op nashc_op_hw_thresholding = {
    NASHC_DESC(nashc_op),
    .name = "hw.thresholding",
    .help = "layer that counts the thresholds of a channel that the input reaches",
    .min_in = 2,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .attrs = threshold_attrs,
    .verify = threshold_verify,
    .infer = threshold_infer,
    .eval = threshold_eval,
    .hw = &threshold_hw,
};

/* --- channelwise -------------------------------------------------------------------------------
 */

enum { C_PE, C_FUNC, C_RAM_STYLE };
enum { ADD, MUL, MAX, MIN };

static const nashc_param channelwise_attrs[] = {
    {.name = "pe", .def = "1", .domain = "1..", .help = "channels a beat", .kind = NASHC_P_INT},
    {.name = "func", .domain = "add|mul|max|min", .help = "operation", .kind = NASHC_P_ENUM},
    {.name = "ram_style",
     .def = "auto",
     .domain = "auto|block|distributed",
     .help = "parameter memory",
     .kind = NASHC_P_ENUM},
    {0},
};

/* false: beyond 64 bits. */
static bool
channelwise_value(int64_t func, int64_t x, int64_t p, int64_t *out)
{
    switch (func) {
    case ADD:
        return nashc_ops_add(x, p, out);
    case MUL:
        return nashc_ops_mul(x, p, out);
    case MAX:
        *out = x > p ? x : p;
        return true;
    default:
        *out = x < p ? x : p;
        return true;
    }
}

static nashc_status
channelwise_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    hw_view view;
    nashc_status s = param_check(n, &view, d);
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    int64_t func = nashc_attr_int(n, C_FUNC), a, b;
    nashc_range r = {INT64_MAX, INT64_MIN};

    if (s != NASHC_OK)
        return s;
    const nashc_tensor *p = nashc_value_const(nashc_node_in(n, 1));
    for (int64_t i = 0; i < nashc_tensor_count(p); i++) { /* monotone in x */
        int64_t v = nashc_tensor_get_int(p, i);
        if (!channelwise_value(func, x->lo, v, &a) || !channelwise_value(func, x->hi, v, &b))
            return nashc_node_error(d, n, "the result exceeds 64 bits");
        r = nashc_range_hull(r, (nashc_range){a < b ? a : b, a < b ? b : a});
    }
    nashc_type elem = nashc_type_for_range(r.lo, r.hi);
    *out = hw_matrix_type(&elem, view.vecs, view.channels);
    return NASHC_OK;
}

static nashc_status
channelwise_eval(nashc_eval *e, const nashc_node *n)
{
    const int64_t *x = nashc_eval_i64(e, 0), *p = nashc_eval_i64(e, 1);
    int64_t rows = nashc_type_count(nashc_value_type(nashc_node_in(n, 1))), v;
    nashc_buf *y = nashc_eval_out(e, 0);

    if (!x || !p)
        return NASHC_ENOMEM;
    for (int64_t i = 0; i < y->n; i++) {
        y->fault |= !channelwise_value(nashc_attr_int(n, C_FUNC), x[i], p[i % rows], &v);
        nashc_buf_set_int(y, i, v);
    }
    return NASHC_OK;
}

static nashc_status
channelwise_cost(const nashc_node *n, const nashc_device *dev, nashc_cost *out)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    const nashc_type *p = nashc_value_type(nashc_node_in(n, 1));
    nashc_cost c = {.lut = 40, .ff = 40, .bram_efficiency = 1, .uram_efficiency = 1};
    uint64_t pe = (uint64_t)nashc_attr_int(n, C_PE), rows = (uint64_t)nashc_type_count(p);
    uint64_t bits = nashc_value_type(nashc_node_out(n, 0))->bits;

    if (nashc_attr_int(n, C_FUNC) != MUL)
        c.lut += pe * (nashc_attr_int(n, C_FUNC) == ADD ? bits : x->bits + bits);
    else if (x->bits + p->bits > 9 && (!dev || dev->dsp_a > 0))
        c.dsp += pe * ((uint64_t)(x->bits + p->bits + 47) / 48);
    else
        c.lut += pe * x->bits * p->bits;
    c.ff += pe * (x->bits + bits);
    if (rows > pe)
        hw_cost_memory(&c, nashc_attr_int(n, C_RAM_STYLE), rows / pe, pe * p->bits);
    if (dev && dev->lut_inputs == 4)
        c.lut = c.lut * 8 / 5;
    *out = c;
    return NASHC_OK;
}

static const char *
channelwise_kind(const nashc_node *n)
{
    static const char *const names[] = {"ChannelwiseOp_hls", "ChannelwiseOp_hls",
                                        "ElementwiseMax_hls", "ElementwiseMin_hls"};

    return names[nashc_attr_int(n, C_FUNC)];
}

static const nashc_hw channelwise_hw = {
    NASHC_DESC(nashc_hw),     .streams = param_streams,       .cycles = param_cycles,
    .cost = channelwise_cost, .timing = param_timing2,        .step = rw_step,
    .fold = param_fold,       .layer_kind = channelwise_kind,
};

const nashc_op nashc_op_hw_channelwise = {
    NASHC_DESC(nashc_op),
    .name = "hw.channelwise",
    .help = "layer that adds, multiplies or compares with a constant a channel",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .attrs = channelwise_attrs,
    .verify = pe_verify,
    .infer = channelwise_infer,
    .eval = channelwise_eval,
    .hw = &channelwise_hw,
};

/* --- requant ------------------------------------------------------------------------------------
 */

enum { R_PE, R_SHIFT, R_QMIN, R_QMAX, R_EVEN, R_RAM_STYLE };

static const nashc_param requant_attrs[] = {
    {.name = "pe", .def = "1", .domain = "1..", .help = "channels a beat", .kind = NASHC_P_INT},
    {.name = "shift",
     .domain = "0..62",
     .help = "the sum is divided by 2 to this",
     .kind = NASHC_P_INT},
    {.name = "qmin",
     .domain = "-2147483648..2147483647",
     .help = "least result",
     .kind = NASHC_P_INT},
    {.name = "qmax",
     .domain = "-2147483648..2147483647",
     .help = "greatest result",
     .kind = NASHC_P_INT},
    {.name = "ties_even",
     .def = "false",
     .help = "an odd quotient without remainder is one less",
     .kind = NASHC_P_BOOL},
    {.name = "ram_style",
     .def = "auto",
     .domain = "auto|block|distributed",
     .help = "parameter memory",
     .kind = NASHC_P_ENUM},
    {0},
};

static nashc_requant
requant_of(const nashc_node *n)
{
    return (nashc_requant){.shift = (int)nashc_attr_int(n, R_SHIFT),
                           .even = nashc_attr_bool(n, R_EVEN),
                           .qmin = nashc_attr_int(n, R_QMIN),
                           .qmax = nashc_attr_int(n, R_QMAX)};
}

static nashc_status
requant_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    hw_view view;
    nashc_status s = param_check(n, &view, d);
    nashc_requant r = requant_of(n);

    if (s != NASHC_OK || (s = hw_check_operand(n, 2, true, d)) != NASHC_OK)
        return s;
    const nashc_tensor *m = nashc_ops_const(n, 1), *a = nashc_ops_const(n, 2);
    if (nashc_tensor_count(m) != nashc_tensor_count(a))
        return nashc_node_error(d, n, "%" PRId64 " factors, but %" PRId64 " addends",
                                nashc_tensor_count(m), nashc_tensor_count(a));
    *out = hw_matrix_type(nashc_ops_type(n, 0), view.vecs, view.channels);
    return nashc_requant_range(n, &r, m, a, out, d);
}

static nashc_status
requant_eval(nashc_eval *e, const nashc_node *n)
{
    const int64_t *x = nashc_eval_i64(e, 0), *m = nashc_eval_i64(e, 1), *a = nashc_eval_i64(e, 2);
    int64_t rows = nashc_type_count(nashc_ops_type(n, 1)), q;
    nashc_buf *y = nashc_eval_out(e, 0);
    nashc_requant r = requant_of(n);

    if (!x || !m || !a)
        return NASHC_ENOMEM;
    for (int64_t i = 0; i < y->n; i++) {
        if (!nashc_requant_of(&r, x[i], m[i % rows], a[i % rows], &q))
            return nashc_node_error(nashc_eval_diag(e), n, "input %" PRId64 " leaves 64 bits",
                                    x[i]);
        nashc_buf_set_int(y, i, q);
    }
    return NASHC_OK;
}

static nashc_status
requant_cost(const nashc_node *n, const nashc_device *dev, nashc_cost *out)
{
    nashc_cost c = {.lut = 40, .ff = 40, .bram_efficiency = 1, .uram_efficiency = 1};
    uint64_t pe = (uint64_t)nashc_attr_int(n, R_PE);
    uint64_t rows = (uint64_t)nashc_type_count(nashc_ops_type(n, 1));
    uint64_t x = nashc_ops_type(n, 0)->bits, m = nashc_ops_type(n, 1)->bits;
    uint64_t a = nashc_ops_type(n, 2)->bits, bits = nashc_value_type(nashc_node_out(n, 0))->bits;
    uint64_t sum = (x + m > a ? x + m : a) + 1;

    if (x + m > 9 && (!dev || dev->dsp_a > 0))
        c.dsp += pe * ((x + m + 47) / 48);
    else
        c.lut += pe * x * m;
    c.lut += pe * (sum + 2 * bits); /* the addition, and a comparison with each bound */
    c.ff += pe * (x + m + x + a + bits);
    if (rows > pe)
        hw_cost_memory(&c, nashc_attr_int(n, R_RAM_STYLE), rows / pe, pe * (m + a));
    if (dev && dev->lut_inputs == 4)
        c.lut = c.lut * 8 / 5;
    *out = c;
    return NASHC_OK;
}

static nashc_status
requant_timing(const nashc_node *n, nashc_timing *out)
{
    *out = (nashc_timing){.steps = param_cycles(n), .latency = 3, .depth = 2};
    return NASHC_OK;
}

static const char *
requant_kind(const nashc_node *n)
{
    (void)n;
    return "Requant_rtl";
}

static const nashc_hw requant_hw = {
    NASHC_DESC(nashc_hw), .streams = param_streams,   .cycles = param_cycles,
    .cost = requant_cost, .timing = requant_timing,   .step = rw_step,
    .fold = param_fold,   .layer_kind = requant_kind,
};

const nashc_op nashc_op_hw_requant = {
    NASHC_DESC(nashc_op),
    .name = "hw.requant",
    .help = "layer that multiplies, adds, divides by a power of two, rounds down and clamps",
    .min_in = 3,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .attrs = requant_attrs,
    .verify = pe_verify,
    .infer = requant_infer,
    .eval = requant_eval,
    .hw = &requant_hw,
};

/* --- lut -----------------------------------------------------------------------------------------
 */

enum { L_PE, L_LO, L_RAM_STYLE };

static const nashc_param lut_attrs[] = {
    {.name = "pe", .def = "1", .domain = "1..", .help = "channels a beat", .kind = NASHC_P_INT},
    {.name = "lo", .def = "0", .help = "input of the first table entry", .kind = NASHC_P_INT},
    {.name = "ram_style",
     .def = "auto",
     .domain = "auto|block|distributed",
     .help = "table memory",
     .kind = NASHC_P_ENUM},
    {0},
};

static nashc_status
lut_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    hw_view view;
    nashc_status s = param_check(n, &view, d);
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    int64_t rows, size, lo = nashc_attr_int(n, L_LO);
    double min, max;

    if (s != NASHC_OK)
        return s;
    if (!hw_threshold_dims(n, 1, &rows, &size))
        return nashc_node_error(d, n, "the table must be a matrix, a row a channel");
    if (x->lo < lo || x->hi - lo >= size)
        return nashc_node_error(
            d, n, "inputs lie in %" PRId64 "..%" PRId64 ", the table holds %" PRId64 "..%" PRId64,
            x->lo, x->hi, lo, lo + size - 1);
    nashc_tensor_min_max(nashc_value_const(nashc_node_in(n, 1)), &min, &max);
    const nashc_type *t = nashc_value_type(nashc_node_in(n, 1));
    nashc_type elem =
        t->kind == NASHC_K_BIP ? *t : nashc_type_for_range((int64_t)min, (int64_t)max);
    *out = hw_matrix_type(&elem, view.vecs, view.channels);
    return NASHC_OK;
}

static nashc_status
lut_eval(nashc_eval *e, const nashc_node *n)
{
    const int64_t *x = nashc_eval_i64(e, 0), *t = nashc_eval_i64(e, 1);
    int64_t rows = 1, size = 0, lo = nashc_attr_int(n, L_LO);
    nashc_buf *y = nashc_eval_out(e, 0);

    if (!x || !t)
        return NASHC_ENOMEM;
    hw_threshold_dims(n, 1, &rows, &size);
    for (int64_t i = 0; i < y->n; i++) {
        if (x[i] < lo || x[i] - lo >= size)
            return nashc_node_error(nashc_eval_diag(e), n, "input %" PRId64 " is not in the table",
                                    x[i]);
        nashc_buf_set_int(y, i, t[i % rows * size + x[i] - lo]);
    }
    return NASHC_OK;
}

static nashc_status
lut_cost(const nashc_node *n, const nashc_device *dev, nashc_cost *out)
{
    nashc_cost c = {.lut = 40, .ff = 40, .bram_efficiency = 1, .uram_efficiency = 1};
    uint64_t pe = (uint64_t)nashc_attr_int(n, L_PE);
    uint64_t bits = nashc_value_type(nashc_node_out(n, 0))->bits;
    int64_t rows = 1, size = 0;

    hw_threshold_dims(n, 1, &rows, &size);
    for (uint64_t p = 0; p < pe; p++)
        hw_cost_memory(&c, nashc_attr_int(n, L_RAM_STYLE),
                       (uint64_t)size * (rows > 1 ? (uint64_t)rows / pe : 1), bits);
    c.ff += pe * bits;
    if (dev && dev->lut_inputs == 4)
        c.lut = c.lut * 8 / 5;
    *out = c;
    return NASHC_OK;
}

static const nashc_hw lut_hw = {
    NASHC_DESC(nashc_hw),    .streams = param_streams, .cycles = param_cycles, .cost = lut_cost,
    .timing = param_timing2, .step = rw_step,          .fold = param_fold,
};

const nashc_op nashc_op_hw_lut = {
    NASHC_DESC(nashc_op),
    .name = "hw.lut",
    .help = "layer that looks each element up in a table of its channel",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .attrs = lut_attrs,
    .verify = pe_verify,
    .infer = lut_infer,
    .eval = lut_eval,
    .hw = &lut_hw,
};
