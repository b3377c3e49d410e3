/* unary.c: functions of one element without attributes.
 *
 *     nn.neg nn.abs nn.relu nn.sign nn.round nn.floor nn.ceil nn.identity   integers stay integers
 *     nn.sigmoid nn.tanh nn.exp nn.log nn.sqrt nn.erf nn.softplus nn.softsign nn.reciprocal
 *     nn.hard_swish                                                         floats
 *
 * ONNX operators of the names. Computed in double, rounded once. nn.round: half to even; nn.sign:
 * 0 for 0.
 */
#include "ops.h"

typedef struct unary {
    double (*f)(double x);
    bool (*i)(int64_t x, int64_t *out); /* false: overflow; NULL: never integer */
    bool bip;                           /* maps {-1,+1} to {-1,+1} */
} unary;

/* Range of an op that is monotone on the negative and on the positive side of 0. */
static ops_interval
image(const unary *op, ops_interval x)
{
    int64_t at[3] = {x.lo, x.hi, x.lo <= 0 && x.hi >= 0 ? 0 : x.lo}, v;
    ops_interval r = {INT64_MAX, INT64_MIN};

    for (int k = 0; k < 3; k++) {
        if (!op->i(at[k], &v))
            return (ops_interval){INT64_MIN, INT64_MAX};
        r = ops_interval_hull(r, (ops_interval){v, v});
    }
    return r;
}

static nashc_status
infer(const nashc_node *n, const unary *op, nashc_type *out, nashc_diag *d)
{
    nashc_status s = ops_infer_float(n, out, d);

    if (s != NASHC_OK || !op->i || !ops_all_int(n))
        return s;
    const nashc_type *x = ops_type(n, 0);
    if (op->bip && x->kind == NASHC_K_BIP) {
        *out = *x;
        return NASHC_OK;
    }
    ops_interval r = image(op, ops_interval_of(nashc_node_in(n, 0)));
    nashc_type_set_range(out, r.lo, r.hi);
    return NASHC_OK;
}

static nashc_status
eval(nashc_eval *e, const unary *op)
{
    nashc_buf *y = nashc_eval_out(e, 0);

    if (!nashc_type_is_int(&y->type))
        return ops_map(e, op->f);
    const int64_t *x = nashc_eval_i64(e, 0);
    if (!x)
        return NASHC_ENOMEM;
    for (int64_t i = 0; i < y->n; i++) {
        int64_t v = 0;
        y->fault |= !op->i(x[i], &v);
        nashc_buf_set_int(y, i, v);
    }
    return NASHC_OK;
}

#define UNARY(ID, NAME, HELP, FLAGS, F, I, BIP)                                                    \
    static const unary ID##_op = {F, I, BIP};                                                      \
                                                                                                   \
    static nashc_status ID##_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)            \
    {                                                                                              \
        return infer(n, &ID##_op, out, d);                                                         \
    }                                                                                              \
                                                                                                   \
    static nashc_status ID##_eval(nashc_eval *e, const nashc_node *n)                              \
    {                                                                                              \
        (void)n;                                                                                   \
        return eval(e, &ID##_op);                                                                  \
    }                                                                                              \
                                                                                                   \
    const nashc_op nashc_op_nn_##ID = {                                                            \
        NASHC_DESC(nashc_op), .flags = NASHC_OP_ELTWISE | (FLAGS),                                 \
        .name = NAME,         .help = HELP,                                                        \
        .min_in = 1,          .max_in = 1,                                                         \
        .min_out = 1,         .max_out = 1,                                                        \
        .infer = ID##_infer,  .eval = ID##_eval,                                                   \
    }

static double
neg_f(double x)
{
    return -x;
}

static bool
neg_i(int64_t x, int64_t *out)
{
    if (x == INT64_MIN)
        return false;
    *out = -x;
    return true;
}

static bool
abs_i(int64_t x, int64_t *out)
{
    *out = x;
    return x >= 0 || neg_i(x, out);
}

static double
relu_f(double x)
{
    return x < 0.0 ? 0.0 : x; /* NaN stays */
}

static bool
relu_i(int64_t x, int64_t *out)
{
    *out = x < 0 ? 0 : x;
    return true;
}

static double
sign_f(double x)
{
    return x > 0.0 ? 1.0 : x < 0.0 ? -1.0 : x;
}

static bool
sign_i(int64_t x, int64_t *out)
{
    *out = (x > 0) - (x < 0);
    return true;
}

static bool
same_i(int64_t x, int64_t *out)
{
    *out = x;
    return true;
}

UNARY(neg, "nn.neg", "negation", 0, neg_f, neg_i, true);
UNARY(abs, "nn.abs", "absolute value", 0, fabs, abs_i, false);
UNARY(relu, "nn.relu", "the larger of x and 0", NASHC_OP_MONOTONE, relu_f, relu_i, false);
UNARY(sign, "nn.sign", "-1, 0 or 1", NASHC_OP_MONOTONE, sign_f, sign_i, true);
UNARY(round, "nn.round", "nearest integer, half to even", NASHC_OP_MONOTONE, nearbyint, same_i,
      true);
UNARY(floor, "nn.floor", "next integer below", NASHC_OP_MONOTONE, floor, same_i, true);
UNARY(ceil, "nn.ceil", "next integer above", NASHC_OP_MONOTONE, ceil, same_i, true);

static double
sigmoid_f(double x)
{
    return 1.0 / (1.0 + exp(-x));
}

static double
softplus_f(double x) /* log(1 + exp(x)) without overflow */
{
    return (x > 0.0 ? x : 0.0) + log1p(exp(-fabs(x)));
}

static double
softsign_f(double x)
{
    return isinf(x) ? copysign(1.0, x) : x / (1.0 + fabs(x));
}

static double
reciprocal_f(double x)
{
    return 1.0 / x;
}

static double
hard_swish_f(double x) /* x * clip(x / 6 + 1 / 2, 0, 1) */
{
    double g = x / 6.0 + 0.5;

    return x * (g < 0.0 ? 0.0 : g > 1.0 ? 1.0 : g);
}

UNARY(sigmoid, "nn.sigmoid", "1 / (1 + exp(-x))", NASHC_OP_MONOTONE, sigmoid_f, NULL, false);
UNARY(tanh, "nn.tanh", "hyperbolic tangent", NASHC_OP_MONOTONE, tanh, NULL, false);
UNARY(exp, "nn.exp", "exponential", NASHC_OP_MONOTONE, exp, NULL, false);
UNARY(log, "nn.log", "natural logarithm", NASHC_OP_MONOTONE, log, NULL, false);
UNARY(sqrt, "nn.sqrt", "square root", NASHC_OP_MONOTONE, sqrt, NULL, false);
UNARY(erf, "nn.erf", "error function", NASHC_OP_MONOTONE, erf, NULL, false);
UNARY(softplus, "nn.softplus", "log(1 + exp(x))", NASHC_OP_MONOTONE, softplus_f, NULL, false);
UNARY(softsign, "nn.softsign", "x / (1 + |x|)", NASHC_OP_MONOTONE, softsign_f, NULL, false);
UNARY(reciprocal, "nn.reciprocal", "1 / x", 0, reciprocal_f, NULL, false);
UNARY(hard_swish, "nn.hard_swish", "x * clip(x / 6 + 1 / 2, 0, 1)", 0, hard_swish_f, NULL, false);
