/* activation.c: functions of one element with attributes, and nn.cast, nn.identity.
 *
 *     nn.leaky_relu        x < 0 ? alpha * x : x                    alpha >= 0
 *     nn.thresholded_relu  x > alpha ? x : 0
 *     nn.clip              min(max(x, min), max); integers stay integers
 *     nn.hard_sigmoid      clip(alpha * x + beta, 0, 1)             alpha >= 0
 *     nn.elu               x < 0 ? alpha * (exp(x) - 1) : x         alpha >= 0
 *     nn.celu              max(x, 0) + min(alpha * (exp(x / alpha) - 1), 0)
 *     nn.selu              gamma * (x > 0 ? x : alpha * (exp(x) - 1))
 *     nn.gelu              x / 2 * (1 + erf(x / sqrt 2)), or its tanh form
 *
 * ONNX operators of the names; computed in double and rounded once. The bounds on attributes make
 * the ops monotone, which passes rely on; ONNX's own defaults obey them.
 */
#include "ops.h"

/* y[i] = f(x[i], p): p holds the attributes as numbers. */
typedef double (*parametric)(double x, const double *p);

static nashc_status
eval(nashc_eval *e, parametric f, double p0, double p1)
{
    nashc_buf *y = nashc_eval_out(e, 0);
    const double *x = nashc_eval_f64(e, 0);
    const double p[2] = {p0, p1};

    if (!x)
        return NASHC_ENOMEM;
    for (int64_t i = 0; i < y->n; i++)
        ops_put(y, i, f(x[i], p));
    return NASHC_OK;
}

/* Attribute i must be a number from lo on. */
static nashc_status
need_at_least(const nashc_node *n, int i, const char *name, double lo, nashc_diag *d)
{
    double v = nashc_attr_float(n, i);

    if (isfinite(v) && v >= lo)
        return NASHC_OK;
    return nashc_node_error(d, n, "%s is %g, expected a number >= %g", name, v, lo);
}

#define ACTIVATION(ID, NAME, HELP, FLAGS)                                                          \
    const nashc_op nashc_op_nn_##ID = {                                                            \
        NASHC_DESC(nashc_op), .flags = NASHC_OP_ELTWISE | (FLAGS),                                 \
        .name = NAME,         .help = HELP,                                                        \
        .min_in = 1,          .max_in = 1,                                                         \
        .min_out = 1,         .max_out = 1,                                                        \
        .attrs = ID##_attrs,  .verify = ID##_verify,                                               \
        .infer = ID##_infer,  .eval = ID##_eval,                                                   \
    }

/* --- nn.leaky_relu -----------------------------------------------------------------------------
 */

static const nashc_param leaky_relu_attrs[] = {
    ATTR(FLOAT, "alpha", "0.01", NULL, "slope of the negative side, at least 0"),
    {0},
};

#define leaky_relu_infer ops_infer_float

static nashc_status
leaky_relu_verify(const nashc_node *n, nashc_diag *d)
{
    nashc_status s = need_at_least(n, 0, "alpha", 0.0, d);

    if (s != NASHC_OK)
        nashc_help(d, "nn.prelu takes any slope");
    return s;
}

static double
leaky_relu_f(double x, const double *p)
{
    return x < 0.0 ? p[0] * x : x;
}

static nashc_status
leaky_relu_eval(nashc_eval *e, const nashc_node *n)
{
    return eval(e, leaky_relu_f, nashc_attr_f32(n, 0), 0.0);
}

ACTIVATION(leaky_relu, "nn.leaky_relu", "x, or alpha * x where x is negative", NASHC_OP_MONOTONE);

/* --- nn.thresholded_relu -----------------------------------------------------------------------
 */

static const nashc_param thresholded_relu_attrs[] = {
    ATTR(FLOAT, "alpha", "1", NULL, "x up to alpha becomes 0"),
    {0},
};

#define thresholded_relu_infer ops_infer_float

static nashc_status
thresholded_relu_verify(const nashc_node *n, nashc_diag *d)
{
    return need_at_least(n, 0, "alpha", -INFINITY, d);
}

static double
thresholded_relu_f(double x, const double *p)
{
    return x > p[0] || isnan(x) ? x : 0.0;
}

static nashc_status
thresholded_relu_eval(nashc_eval *e, const nashc_node *n)
{
    return eval(e, thresholded_relu_f, nashc_attr_f32(n, 0), 0.0);
}

ACTIVATION(thresholded_relu, "nn.thresholded_relu", "x where x > alpha, else 0", 0);

/* --- nn.clip -----------------------------------------------------------------------------------
 */

static const nashc_param clip_attrs[] = {
    ATTR(FLOAT, "min", "-inf", NULL, "lower bound"),
    ATTR(FLOAT, "max", "inf", NULL, "upper bound; wins over the lower one"),
    {0},
};

static double
clip_f(double x, const double *p)
{
    x = x < p[0] ? p[0] : x;
    return x > p[1] ? p[1] : x;
}

/* Is b a bound that clips integers to integers? */
static bool
is_integer_bound(double b)
{
    return isinf(b) || (b == nearbyint(b) && fabs(b) <= 0x1p53);
}

static int64_t
clip_i(const nashc_node *n, int64_t x)
{
    double lo = nashc_attr_float(n, 0), hi = nashc_attr_float(n, 1);

    if (isfinite(lo) && x < (int64_t)lo)
        x = (int64_t)lo;
    return isfinite(hi) && x > (int64_t)hi ? (int64_t)hi : x;
}

static nashc_status
clip_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    nashc_status s = ops_infer_float(n, out, d);
    double lo = nashc_attr_float(n, 0), hi = nashc_attr_float(n, 1);

    if (s != NASHC_OK || !ops_all_int(n))
        return s;
    if (isnan(lo) || isnan(hi) || lo == INFINITY || hi == -INFINITY || !is_integer_bound(lo) ||
        !is_integer_bound(hi))
        return NASHC_OK; /* a bound between integers: real numbers */
    ops_interval r = ops_interval_of(nashc_node_in(n, 0));
    nashc_type_set_range(out, clip_i(n, r.lo), clip_i(n, r.hi));
    return NASHC_OK;
}

static nashc_status
clip_verify(const nashc_node *n, nashc_diag *d)
{
    if (isnan(nashc_attr_float(n, 0)) || isnan(nashc_attr_float(n, 1)))
        return nashc_node_error(d, n, "a bound is NaN");
    return NASHC_OK;
}

static nashc_status
clip_eval(nashc_eval *e, const nashc_node *n)
{
    nashc_buf *y = nashc_eval_out(e, 0);

    if (!nashc_type_is_int(&y->type))
        return eval(e, clip_f, nashc_attr_f32(n, 0), nashc_attr_f32(n, 1));
    const int64_t *x = nashc_eval_i64(e, 0);
    if (!x)
        return NASHC_ENOMEM;
    for (int64_t i = 0; i < y->n; i++)
        nashc_buf_set_int(y, i, clip_i(n, x[i]));
    return NASHC_OK;
}

ACTIVATION(clip, "nn.clip", "x limited to min..max", NASHC_OP_MONOTONE);

/* --- nn.hard_sigmoid ---------------------------------------------------------------------------
 */

static const nashc_param hard_sigmoid_attrs[] = {
    ATTR(FLOAT, "alpha", "0.2", NULL, "slope, at least 0"),
    ATTR(FLOAT, "beta", "0.5", NULL, "value at 0"),
    {0},
};

#define hard_sigmoid_infer ops_infer_float

static nashc_status
hard_sigmoid_verify(const nashc_node *n, nashc_diag *d)
{
    nashc_status s = need_at_least(n, 0, "alpha", 0.0, d);

    return s == NASHC_OK ? need_at_least(n, 1, "beta", -INFINITY, d) : s;
}

static double
hard_sigmoid_f(double x, const double *p)
{
    double v = p[0] * x + p[1];

    return v < 0.0 ? 0.0 : v > 1.0 ? 1.0 : v;
}

static nashc_status
hard_sigmoid_eval(nashc_eval *e, const nashc_node *n)
{
    return eval(e, hard_sigmoid_f, nashc_attr_f32(n, 0), nashc_attr_f32(n, 1));
}

ACTIVATION(hard_sigmoid, "nn.hard_sigmoid", "clip(alpha * x + beta, 0, 1)", NASHC_OP_MONOTONE);

/* --- nn.elu, nn.celu, nn.selu ------------------------------------------------------------------
 */

static const nashc_param elu_attrs[] = {
    ATTR(FLOAT, "alpha", "1", NULL, "limit of the negative side, at least 0"),
    {0},
};

#define elu_infer ops_infer_float

static nashc_status
elu_verify(const nashc_node *n, nashc_diag *d)
{
    return need_at_least(n, 0, "alpha", 0.0, d);
}

static double
elu_f(double x, const double *p)
{
    return x < 0.0 ? p[0] * expm1(x) : x;
}

static nashc_status
elu_eval(nashc_eval *e, const nashc_node *n)
{
    return eval(e, elu_f, nashc_attr_f32(n, 0), 0.0);
}

ACTIVATION(elu, "nn.elu", "x, or alpha * (exp(x) - 1) where x is negative", NASHC_OP_MONOTONE);

static const nashc_param celu_attrs[] = {
    ATTR(FLOAT, "alpha", "1", NULL, "limit of the negative side, positive"),
    {0},
};

#define celu_infer ops_infer_float

static nashc_status
celu_verify(const nashc_node *n, nashc_diag *d)
{
    return need_at_least(n, 0, "alpha", 0x1p-126, d);
}

static double
celu_f(double x, const double *p)
{
    return x < 0.0 ? p[0] * expm1(x / p[0]) : x;
}

static nashc_status
celu_eval(nashc_eval *e, const nashc_node *n)
{
    return eval(e, celu_f, nashc_attr_f32(n, 0), 0.0);
}

ACTIVATION(celu, "nn.celu", "x, or alpha * (exp(x / alpha) - 1) where x is negative",
           NASHC_OP_MONOTONE);

static const nashc_param selu_attrs[] = {
    ATTR(FLOAT, "alpha", "1.67326319217681884765625", NULL, "limit of the negative side, >= 0"),
    ATTR(FLOAT, "gamma", "1.05070102214813232421875", NULL, "slope of the positive side, >= 0"),
    {0},
};

#define selu_infer ops_infer_float

static nashc_status
selu_verify(const nashc_node *n, nashc_diag *d)
{
    nashc_status s = need_at_least(n, 0, "alpha", 0.0, d);

    return s == NASHC_OK ? need_at_least(n, 1, "gamma", 0.0, d) : s;
}

static double
selu_f(double x, const double *p)
{
    return x < 0.0 ? p[1] * (p[0] * expm1(x)) : p[1] * x;
}

static nashc_status
selu_eval(nashc_eval *e, const nashc_node *n)
{
    return eval(e, selu_f, nashc_attr_f32(n, 0), nashc_attr_f32(n, 1));
}

ACTIVATION(selu, "nn.selu", "gamma * x, or gamma * alpha * (exp(x) - 1) where x is negative",
           NASHC_OP_MONOTONE);

/* --- nn.gelu -----------------------------------------------------------------------------------
 */

static const nashc_param gelu_attrs[] = {
    ATTR(ENUM, "approximate", "none", "none|tanh", "tanh: the cheaper formula"),
    {0},
};

#define gelu_infer  ops_infer_float
#define gelu_verify NULL

static double
gelu_f(double x, const double *p)
{
    double inner = 0.79788456080286535588 * (x + 0.044715 * x * x * x); /* sqrt(2 / pi) */

    if (isinf(x))
        return x > 0.0 ? x : 0.0;
    return 0.5 * x * (1.0 + (p[0] != 0.0 ? tanh(inner) : erf(x * 0.70710678118654752440)));
}

static nashc_status
gelu_eval(nashc_eval *e, const nashc_node *n)
{
    return eval(e, gelu_f, (double)nashc_attr_int(n, 0), 0.0);
}

ACTIVATION(gelu, "nn.gelu", "x times the normal distribution function of x", 0);

/* --- nn.cast: to integers toward zero, to fixed point and floats to the nearest ----------------
 */

static const nashc_param cast_attrs[] = {
    ATTR(TYPE, "to", NULL, NULL, "element type"),
    {0},
};

static nashc_status
cast_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    nashc_type to = *nashc_attr_type(n, 0);
    nashc_status s = ops_need_rank(n, 0, "input", 0, NASHC_MAX_RANK, d);

    if (s != NASHC_OK)
        return s;
    if (to.kind == NASHC_K_NONE || to.rank)
        return nashc_node_error(d, n, "%s is no element type", nashc_type_str(d, &to));
    const nashc_type *x = ops_type(n, 0);
    if (nashc_type_is_int(x) && (to.kind == NASHC_K_INT || to.kind == NASHC_K_UINT)) {
        ops_interval r = ops_interval_of(nashc_node_in(n, 0));
        if (r.lo > to.hi || r.hi < to.lo)
            return nashc_node_error(d, n, "no value of %s fits %s", nashc_type_str(d, x),
                                    nashc_type_str(d, &to));
        to.lo = r.lo > to.lo ? r.lo : to.lo;
        to.hi = r.hi < to.hi ? r.hi : to.hi;
    }
    *out = nashc_type_with_elem(x, &to);
    return NASHC_OK;
}

#define cast_verify NULL

static nashc_status
cast_eval(nashc_eval *e, const nashc_node *n)
{
    const nashc_buf *x = nashc_eval_in(e, 0);
    nashc_buf *y = nashc_eval_out(e, 0);
    double ulp = nashc_type_ulp(&y->type);

    (void)n;
    for (int64_t i = 0; i < y->n; i++) {
        if (nashc_type_is_int(&y->type) && nashc_type_is_int(&x->type))
            nashc_buf_set_int(y, i, ops_int(x, i));
        else if (nashc_type_is_int(&y->type))
            nashc_buf_set(y, i, trunc(nashc_buf_get(x, i)));
        else if (nashc_type_is_fixed(&y->type))
            nashc_buf_set(y, i, nearbyint(nashc_buf_get(x, i) / ulp) * ulp);
        else
            ops_put(y, i, nashc_buf_get(x, i));
    }
    return NASHC_OK;
}

ACTIVATION(cast, "nn.cast", "convert the element type; toward zero for integers",
           NASHC_OP_MONOTONE);

/* --- nn.identity -------------------------------------------------------------------------------
 */

#define identity_attrs  NULL
#define identity_verify NULL

static nashc_status
identity_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    nashc_status s = ops_need_rank(n, 0, "input", 0, NASHC_MAX_RANK, d);

    if (s == NASHC_OK)
        *out = *ops_type(n, 0);
    return s;
}

static nashc_status
identity_eval(nashc_eval *e, const nashc_node *n)
{
    nashc_buf *y = nashc_eval_out(e, 0);

    (void)n;
    for (int64_t i = 0; i < y->n; i++)
        ops_copy(y, i, nashc_eval_in(e, 0), i);
    return NASHC_OK;
}

ACTIVATION(identity, "nn.identity", "x", NASHC_OP_MONOTONE | NASHC_OP_SHAPE);
