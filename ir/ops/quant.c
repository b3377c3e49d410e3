/* quant.c: quantisers (docs/quantisers.md).
 *
 *     q.quant(x, s, z)         u = fl(fl(x / s) + z),  q = R(clamp(u, qmin, qmax)),
 *                              y = fl(fl(q - z) * s);  codes: y = q
 *       round_before_zp        q = clamp(R(fl(x / s)) + z, qmin, qmax)       (QuantizeLinear)
 *       rounding=sign          q = +1 if u >= 0 else -1            (the signed 1-bit quantiser)
 *     q.bipolar_quant(x, s)    y = s if x >= 0 else -s;  codes: +1, -1
 *     q.dequant(q, s, [z])     y = fl((q - z) * s)
 *
 * fl: rounding to f32, after every elementary operation, unless the result is f64 or wide. s and z
 * are constants that broadcast to x.
 */
#include "ops.h"

enum { QMIN, QMAX, ROUNDING, ROUND_BEFORE_ZP, CODES };

static const nashc_param quant_attrs[] = {
    ATTR(INT, "qmin", NULL, NULL, "least code"),
    ATTR(INT, "qmax", NULL, NULL, "greatest code"),
    ATTR(ENUM, "rounding", "round", NASHC_ROUNDINGS "|sign", "rounding to a code"),
    ATTR(BOOL, "round_before_zp", "false", NULL, "round before the zero point is added"),
    ATTR(BOOL, "codes", "false", NULL, "give the integer code itself"),
    {0},
};

/* Operand i, if it is there, must not stretch the shape of x. */
static nashc_status
need_fitting(const nashc_node *n, int i, const char *what, nashc_diag *d)
{
    const nashc_type *x = ops_type(n, 0), *t = ops_type(n, i);
    nashc_type both = *x;

    if (!t)
        return NASHC_OK;
    if (!nashc_type_broadcast(x, t, &both) || !nashc_type_same_shape(&both, x))
        return nashc_node_error(d, n, "%s %s does not broadcast to input %s", what,
                                nashc_type_str(d, t), nashc_type_str(d, x));
    return NASHC_OK;
}

/* Operand i must be a constant of finite numbers; of positive or at least non-zero ones if asked.
 */
static nashc_status
need_scale(const nashc_node *n, int i, const char *what, bool nonzero, bool positive, nashc_diag *d)
{
    const nashc_tensor *t = ops_const(n, i);

    if (!nashc_node_in(n, i))
        return NASHC_OK;
    if (!t)
        return nashc_node_error(d, n, "%s is not a constant", what);
    for (int64_t k = 0; k < nashc_tensor_count(t); k++) {
        double v = nashc_tensor_get(t, k);
        const char *fault = isnan(v)              ? "NaN"
                            : isinf(v)            ? "infinite"
                            : nonzero && v == 0.0 ? "zero"
                            : positive && v < 0.0 ? "negative"
                                                  : NULL;
        if (fault)
            return nashc_node_error(d, n, "%s is %s (element %" PRId64 " of \"%s\")", what, fault,
                                    k, nashc_value_name(nashc_node_in(n, i)));
    }
    return NASHC_OK;
}

static nashc_status
quant_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    int64_t lo = nashc_attr_int(n, QMIN), hi = nashc_attr_int(n, QMAX);
    int64_t limit = (int64_t)1 << 53;
    bool sign = nashc_attr_int(n, ROUNDING) == NASHC_R_SIGN;
    nashc_status s = ops_infer_float(n, out, d);

    if (s != NASHC_OK || (s = need_fitting(n, 1, "scale", d)) != NASHC_OK ||
        (s = need_fitting(n, 2, "zero point", d)) != NASHC_OK)
        return s;
    if (lo > hi)
        return nashc_node_error(d, n, "qmin %" PRId64 " is above qmax %" PRId64, lo, hi);
    if (lo < -limit || hi > limit)
        return nashc_node_error(d, n, "codes %" PRId64 "..%" PRId64 " exceed 2^53", lo, hi);
    if (sign && (lo != -1 || hi != 1))
        return nashc_node_error(d, n, "rounding=sign needs qmin=-1 qmax=1");
    if (nashc_attr_bool(n, CODES)) {
        nashc_type elem = sign ? nashc_type_bip() : nashc_type_for_range(lo, hi);
        *out = nashc_type_with_elem(out, &elem);
    }
    return NASHC_OK;
}

static nashc_status
quant_verify(const nashc_node *n, nashc_diag *d)
{
    nashc_status s = need_scale(n, 1, "scale", true, true, d);

    return s == NASHC_OK ? need_scale(n, 2, "zero point", false, false, d) : s;
}

typedef struct quantiser {
    ops_rounding mode;
    double qmin, qmax;
    bool before, codes, narrow; /* narrow: fl rounds to f32 */
} quantiser;

static inline double
fl(const quantiser *q, double v)
{
    return q->narrow ? (double)(float)v : v;
}

static inline double
clamp(const quantiser *q, double v)
{
    return v < q->qmin ? q->qmin : v > q->qmax ? q->qmax : v;
}

static inline double
rounded(const quantiser *q, double v)
{
    return q->mode == NASHC_R_ROUND ? nearbyint(v) : ops_round(q->mode, v);
}

static double
quantise(const quantiser *q, double x, double s, double z)
{
    double code = fl(q, x / s);

    if (q->mode == NASHC_R_SIGN)
        code = rounded(q, fl(q, code + z));
    else if (q->before)
        code = clamp(q, fl(q, rounded(q, code) + z));
    else
        code = rounded(q, clamp(q, fl(q, code + z)));
    return q->codes ? code : fl(q, fl(q, code - z) * s);
}

static bool
rounds_to_f32(nashc_eval *e, const nashc_node *n)
{
    return !(nashc_eval_flags(e) & NASHC_EVAL_WIDE) && ops_float(n).kind != NASHC_K_F64;
}

static nashc_status
quant_eval(nashc_eval *e, const nashc_node *n)
{
    const double *x = nashc_eval_f64(e, 0), *s = nashc_eval_f64(e, 1), *z = nashc_eval_f64(e, 2);
    nashc_buf *y = nashc_eval_out(e, 0);
    quantiser q = {.mode = (ops_rounding)nashc_attr_int(n, ROUNDING),
                   .qmin = (double)nashc_attr_int(n, QMIN),
                   .qmax = (double)nashc_attr_int(n, QMAX),
                   .before = nashc_attr_bool(n, ROUND_BEFORE_ZP),
                   .codes = nashc_attr_bool(n, CODES),
                   .narrow = rounds_to_f32(e, n)};
    ops_walk ws, wz;

    if (!x || !s || !z)
        return NASHC_ENOMEM;
    ops_walk_init(&ws, &nashc_eval_in(e, 1)->type, &y->type);
    ops_walk_init(&wz, &nashc_eval_in(e, 2)->type, &y->type);
    for (int64_t i = 0; i < y->n; i++) {
        double v = quantise(&q, x[i], s[ops_walk_next(&ws)], z[ops_walk_next(&wz)]);
        ops_put(y, i, v);
    }
    return NASHC_OK;
}

const nashc_op nashc_op_q_quant = {
    NASHC_DESC(nashc_op), .flags = NASHC_OP_ELTWISE | NASHC_OP_MONOTONE,
    .name = "q.quant",    .help = "uniform quantiser with scale and zero point",
    .min_in = 3,          .max_in = 3,
    .min_out = 1,         .max_out = 1,
    .attrs = quant_attrs, .verify = quant_verify,
    .infer = quant_infer, .eval = quant_eval,
};

/* --- q.bipolar_quant: a negative scale turns it around -----------------------------------------
 */

static const nashc_param bipolar_quant_attrs[] = {
    ATTR(BOOL, "codes", "false", NULL, "give +1 and -1 themselves"),
    {0},
};

static nashc_status
bipolar_quant_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    nashc_status s = ops_infer_float(n, out, d);

    if (s != NASHC_OK || (s = need_fitting(n, 1, "scale", d)) != NASHC_OK)
        return s;
    if (nashc_attr_bool(n, 0)) {
        nashc_type bip = nashc_type_bip();
        *out = nashc_type_with_elem(out, &bip);
    }
    return NASHC_OK;
}

static nashc_status
bipolar_quant_verify(const nashc_node *n, nashc_diag *d)
{
    return need_scale(n, 1, "scale", true, false, d);
}

static nashc_status
bipolar_quant_eval(nashc_eval *e, const nashc_node *n)
{
    const double *x = nashc_eval_f64(e, 0), *s = nashc_eval_f64(e, 1);
    nashc_buf *y = nashc_eval_out(e, 0);
    bool codes = nashc_attr_bool(n, 0);
    ops_walk ws;

    if (!x || !s)
        return NASHC_ENOMEM;
    ops_walk_init(&ws, &nashc_eval_in(e, 1)->type, &y->type);
    for (int64_t i = 0; i < y->n; i++) {
        double scale = codes ? 1.0 : s[ops_walk_next(&ws)];
        ops_put(y, i, isnan(x[i]) ? x[i] : x[i] >= 0.0 ? scale : -scale);
    }
    return NASHC_OK;
}

const nashc_op nashc_op_q_bipolar_quant = {
    NASHC_DESC(nashc_op),
    .flags = NASHC_OP_ELTWISE,
    .name = "q.bipolar_quant",
    .help = "sign of x, 0 counting as positive, times a scale",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .attrs = bipolar_quant_attrs,
    .verify = bipolar_quant_verify,
    .infer = bipolar_quant_infer,
    .eval = bipolar_quant_eval,
};

/* --- q.dequant ---------------------------------------------------------------------------------
 */

static nashc_status
dequant_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    nashc_status s = ops_infer_float(n, out, d);

    if (s != NASHC_OK || (s = need_fitting(n, 1, "scale", d)) != NASHC_OK)
        return s;
    return need_fitting(n, 2, "zero point", d);
}

static nashc_status
dequant_eval(nashc_eval *e, const nashc_node *n)
{
    const double *x = nashc_eval_f64(e, 0), *s = nashc_eval_f64(e, 1);
    const double *z = nashc_eval_in(e, 2) ? nashc_eval_f64(e, 2) : NULL;
    nashc_buf *y = nashc_eval_out(e, 0);
    ops_walk ws, wz;

    (void)n;
    if (!x || !s || (nashc_eval_in(e, 2) && !z))
        return NASHC_ENOMEM;
    ops_walk_init(&ws, &nashc_eval_in(e, 1)->type, &y->type);
    ops_walk_init(&wz, &nashc_eval_in(e, z ? 2 : 1)->type, &y->type);
    for (int64_t i = 0; i < y->n; i++) {
        double zero = z ? z[ops_walk_next(&wz)] : 0.0;
        ops_put(y, i, (x[i] - zero) * s[ops_walk_next(&ws)]);
    }
    return NASHC_OK;
}

const nashc_op nashc_op_q_dequant = {
    NASHC_DESC(nashc_op),
    .flags = NASHC_OP_ELTWISE | NASHC_OP_MONOTONE,
    .name = "q.dequant",
    .help = "code less zero point, times scale",
    .min_in = 2,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .verify = quant_verify,
    .infer = dequant_infer,
    .eval = dequant_eval,
};

/* --- q.trunc (docs/quantisers.md, q.trunc)
 * ------------------------------------------------------------------
 *
 *     y0 = round(fl(fl(x / s) + z))
 *     three operands: y = (R(y0 / 2^(in_bits - out_bits)) - z) * s
 *     four: t = 2^round(log2(s_out / s)), y = (R(clamp(y0 / t, qmin, qmax)) - z / t) * s_out
 *
 * qmin, qmax: range of out_bits, signed, narrow as in QONNX. In the first form the value shrinks.
 */

enum { IN_BITS, OUT_BITS, SIGNED, NARROW, TRUNC_ROUNDING };

static const nashc_param trunc_attrs[] = {
    ATTR(INT, "in_bits", NULL, "1..53", "width of x / s"),
    ATTR(INT, "out_bits", NULL, "1..53", "width that is left"),
    ATTR(BOOL, "signed", "true", NULL, "the result has a sign (four operands)"),
    ATTR(BOOL, "narrow", "false", NULL, "one code less (four operands)"),
    ATTR(ENUM, "rounding", "floor", NASHC_ROUNDINGS, "rounding of what is cut off"),
    {0},
};

static nashc_status
trunc_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    nashc_status s = dequant_infer(n, out, d);

    if (s != NASHC_OK || (s = need_fitting(n, 3, "output scale", d)) != NASHC_OK)
        return s;
    if (!nashc_node_in(n, 3) && nashc_attr_int(n, IN_BITS) < nashc_attr_int(n, OUT_BITS))
        return nashc_node_error(d, n, "out_bits %" PRId64 " exceeds in_bits %" PRId64,
                                nashc_attr_int(n, OUT_BITS), nashc_attr_int(n, IN_BITS));
    return NASHC_OK;
}

static nashc_status
trunc_verify(const nashc_node *n, nashc_diag *d)
{
    nashc_status s = quant_verify(n, d);

    return s == NASHC_OK ? need_scale(n, 3, "output scale", true, true, d) : s;
}

static nashc_status
trunc_eval(nashc_eval *e, const nashc_node *n)
{
    bool second = nashc_eval_in(e, 3) != NULL, is_signed = nashc_attr_bool(n, SIGNED);
    const double *x = nashc_eval_f64(e, 0), *s = nashc_eval_f64(e, 1), *z = nashc_eval_f64(e, 2);
    const double *so = second ? nashc_eval_f64(e, 3) : s;
    double levels = ldexp(1.0, (int)nashc_attr_int(n, OUT_BITS) - is_signed);
    double narrow = nashc_attr_bool(n, NARROW) ? 1.0 : 0.0;
    quantiser q = {.mode = (ops_rounding)nashc_attr_int(n, TRUNC_ROUNDING),
                   .qmin = is_signed ? narrow - levels : 0.0,
                   .qmax = is_signed ? levels - 1.0 : levels - 1.0 - narrow,
                   .narrow = rounds_to_f32(e, n)};
    double cut = ldexp(1.0, (int)(nashc_attr_int(n, IN_BITS) - nashc_attr_int(n, OUT_BITS)));
    nashc_buf *y = nashc_eval_out(e, 0);
    ops_walk ws, wz, wo;

    if (!x || !s || !z || !so)
        return NASHC_ENOMEM;
    ops_walk_init(&ws, &nashc_eval_in(e, 1)->type, &y->type);
    ops_walk_init(&wz, &nashc_eval_in(e, 2)->type, &y->type);
    ops_walk_init(&wo, &nashc_eval_in(e, second ? 3 : 1)->type, &y->type);
    for (int64_t i = 0; i < y->n; i++) {
        double si = s[ops_walk_next(&ws)], zi = z[ops_walk_next(&wz)];
        double oi = so[ops_walk_next(&wo)];
        double y0 = nearbyint(fl(&q, fl(&q, x[i] / si) + zi));
        double t = second ? exp2(nearbyint(log2(oi / si))) : cut;
        double y1 = ops_round(q.mode, second ? clamp(&q, y0 / t) : y0 / t);
        ops_put(y, i, fl(&q, y1 - (second ? fl(&q, zi / t) : zi)) * oi);
    }
    return NASHC_OK;
}

const nashc_op nashc_op_q_trunc = {
    NASHC_DESC(nashc_op), .flags = NASHC_OP_ELTWISE | NASHC_OP_MONOTONE,
    .name = "q.trunc",    .help = "drop low bits of a quantised value",
    .min_in = 3,          .max_in = 4,
    .min_out = 1,         .max_out = 1,
    .attrs = trunc_attrs, .verify = trunc_verify,
    .infer = trunc_infer, .eval = trunc_eval,
};
