/* float_quant.c: q.float_quant(x, s), rounding to a minifloat (docs/quantisers.md, q.float_quant).
 *
 *     v = x / s,  l = max(floor(log2(|v| + 2^-126)) - m, 1 - bias - m),  q = 2^l * R(v / 2^l)
 *     M = min((2 - 2^-m) * 2^(2^e - 1 - bias), max),  y = clamp(q, -M, M) * s
 *
 * Without saturation what exceeds M becomes infinite (has_inf), else NaN (has_nan), else an error.
 * Gradual underflow always. QONNX FloatQuant.
 */
#include "ops.h"

enum { EXPONENT, MANTISSA, BIAS, MAX, ROUNDING, SATURATION, HAS_INF, HAS_NAN };

static const nashc_param float_quant_attrs[] = {
    ATTR(INT, "exponent", NULL, "1..8", "exponent bits"),
    ATTR(INT, "mantissa", NULL, "0..23", "mantissa bits"),
    ATTR(INT, "bias", NULL, "-127..255", "exponent bias"),
    ATTR(FLOAT, "max", "inf", NULL, "largest value, if below that of the format"),
    ATTR(ENUM, "rounding", "round", NASHC_ROUNDINGS, "rounding of the mantissa"),
    ATTR(BOOL, "saturation", "true", NULL, "limit to the largest value"),
    ATTR(BOOL, "has_inf", "false", NULL, "without saturation: overflow is infinite"),
    ATTR(BOOL, "has_nan", "false", NULL, "without saturation: overflow is NaN"),
    {0},
};

static nashc_status
float_quant_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    nashc_status st = ops_infer_float(n, out, d);
    const nashc_type *x = ops_type(n, 0), *s = ops_type(n, 1);

    if (st != NASHC_OK)
        return st;
    nashc_type both = *x;
    if (!s || !nashc_type_broadcast(x, s, &both) || !nashc_type_same_shape(&both, x))
        return nashc_node_error(d, n, "scale %s does not broadcast to input %s",
                                s ? nashc_type_str(d, s) : "", nashc_type_str(d, x));
    return NASHC_OK;
}

static nashc_status
float_quant_verify(const nashc_node *n, nashc_diag *d)
{
    const nashc_tensor *s = ops_const(n, 1);

    if (!s)
        return nashc_node_error(d, n, "scale is not a constant");
    for (int64_t i = 0; i < nashc_tensor_count(s); i++)
        if (!(nashc_tensor_get(s, i) > 0.0) || isinf(nashc_tensor_get(s, i)))
            return nashc_node_error(d, n, "scale is %g, expected a positive number",
                                    nashc_tensor_get(s, i));
    if (!(nashc_attr_float(n, MAX) > 0.0))
        return nashc_node_error(d, n, "max is %g, expected a positive number",
                                nashc_attr_float(n, MAX));
    return NASHC_OK;
}

static nashc_status
float_quant_eval(nashc_eval *e, const nashc_node *n)
{
    int m = (int)nashc_attr_int(n, MANTISSA), bias = (int)nashc_attr_int(n, BIAS);
    ops_rounding mode = (ops_rounding)nashc_attr_int(n, ROUNDING);
    const double *x = nashc_eval_f64(e, 0), *s = nashc_eval_f64(e, 1);
    nashc_buf *y = nashc_eval_out(e, 0);
    double top = ldexp(2.0 - ldexp(1.0, -m), (1 << nashc_attr_int(n, EXPONENT)) - 1 - bias);
    ops_walk ws;

    if (!x || !s)
        return NASHC_ENOMEM;
    bool narrow = !(nashc_eval_flags(e) & NASHC_EVAL_WIDE) && y->type.kind != NASHC_K_F64;
    top = fmin(top, nashc_attr_float(n, MAX));
    ops_walk_init(&ws, &nashc_eval_in(e, 1)->type, &y->type);
    for (int64_t i = 0; i < y->n; i++) {
        double si = s[ops_walk_next(&ws)], v = x[i] / si, q = v;
        v = narrow ? (double)(float)v : v;
        if (isfinite(v)) {
            int least = 1 - bias - m, l = ilogb(fabs(v) + 0x1p-126) - m;
            l = l > least ? l : least;
            q = ldexp(ops_round(mode, ldexp(v, -l)), l);
        }
        if (fabs(q) > top && nashc_attr_bool(n, SATURATION))
            q = copysign(top, q);
        else if (fabs(q) > top && nashc_attr_bool(n, HAS_INF))
            q = copysign(INFINITY, q);
        else if (fabs(q) > top && nashc_attr_bool(n, HAS_NAN))
            q = NAN;
        else if (fabs(q) > top)
            return nashc_node_error(nashc_eval_diag(e), n,
                                    "%g exceeds %g, and the format has no infinity and no NaN", q,
                                    top);
        ops_put(y, i, q * si);
    }
    return NASHC_OK;
}

const nashc_op nashc_op_q_float_quant = {
    NASHC_DESC(nashc_op),
    .flags = NASHC_OP_ELTWISE | NASHC_OP_MONOTONE,
    .name = "q.float_quant",
    .help = "round to a minifloat with scale",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .attrs = float_quant_attrs,
    .verify = float_quant_verify,
    .infer = float_quant_infer,
    .eval = float_quant_eval,
};
