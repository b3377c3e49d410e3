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
    HW_POSITIONS_ATTR,
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

/* One factor and one addend a channel, or one of each for all. The range of the results follows
 * from the input's, clamped. */
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
    for (int64_t i = 0, c = 0; i < y->n; i++, c = c + 1 < rows ? c + 1 : 0) {
        if (!ops_requant_of(&r, x[i], m[c], a[c], &q))
            return nashc_node_error(nashc_eval_diag(e), n, "input %" PRId64 " leaves 64 bits",
                                    x[i]);
        nashc_buf_set_int(y, i, q);
    }
    return NASHC_OK;
}

static const char *
requant_kind(const nashc_node *n)
{
    (void)n;
    return "Requant_rtl";
}

static const nashc_hw requant_hw = {
    NASHC_DESC(nashc_hw),       .streams = hw_param_streams,
    .fold = hw_param_fold,      .positions = hw_param_positions,
    .layer_kind = requant_kind,
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
