/* requant.c: hw.requant(x, m, a): y = clamp(floor((x * m[c] + a[c]) / 2^shift), qmin, qmax). */
#include "ir/ops/ops.h"
#include "params.h"

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

static ops_requant
requant_of(const nashc_node *n)
{
    return (ops_requant){.shift = (int)nashc_attr_int(n, R_SHIFT),
                         .even = nashc_attr_bool(n, R_EVEN),
                         .qmin = nashc_attr_int(n, R_QMIN),
                         .qmax = nashc_attr_int(n, R_QMAX)};
}

static nashc_status
requant_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    hw_view view;
    nashc_status s = hw_param_check(n, &view, d);
    ops_requant r = requant_of(n);

    if (s != NASHC_OK || (s = hw_check_operand(n, 2, true, d)) != NASHC_OK)
        return s;
    const nashc_tensor *m = ops_const(n, 1), *a = ops_const(n, 2);
    if (nashc_tensor_count(m) != nashc_tensor_count(a))
        return nashc_node_error(d, n, "%" PRId64 " factors, but %" PRId64 " addends",
                                nashc_tensor_count(m), nashc_tensor_count(a));
    *out = hw_matrix_type(ops_type(n, 0), view.vecs, view.channels);
    return ops_requant_range(n, &r, m, a, out, d);
}

static nashc_status
requant_eval(nashc_eval *e, const nashc_node *n)
{
    const int64_t *x = nashc_eval_i64(e, 0), *m = nashc_eval_i64(e, 1), *a = nashc_eval_i64(e, 2);
    int64_t rows = nashc_type_count(ops_type(n, 1)), q;
    nashc_buf *y = nashc_eval_out(e, 0);
    ops_requant r = requant_of(n);

    if (!x || !m || !a)
        return NASHC_ENOMEM;
    for (int64_t i = 0; i < y->n; i++) {
        if (!ops_requant_of(&r, x[i], m[i % rows], a[i % rows], &q))
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
    uint64_t rows = (uint64_t)nashc_type_count(ops_type(n, 1));
    uint64_t x = ops_type(n, 0)->bits, m = ops_type(n, 1)->bits;
    uint64_t a = ops_type(n, 2)->bits, bits = nashc_value_type(nashc_node_out(n, 0))->bits;
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
    *out = (nashc_timing){.steps = hw_param_cycles(n), .latency = 3, .depth = 2};
    return NASHC_OK;
}

static const char *
requant_kind(const nashc_node *n)
{
    (void)n;
    return "Requant_rtl";
}

static const nashc_hw requant_hw = {
    NASHC_DESC(nashc_hw),  .streams = hw_param_streams, .cycles = hw_param_cycles,
    .cost = requant_cost,  .timing = requant_timing,    .step = hw_beat_step,
    .fold = hw_param_fold, .layer_kind = requant_kind,
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
    .verify = hw_param_verify,
    .infer = requant_infer,
    .eval = requant_eval,
    .hw = &requant_hw,
};
