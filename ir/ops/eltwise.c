/* eltwise.c: binary operators, element by element, with numpy broadcasting.
 *
 *     nn.add nn.sub nn.mul nn.div nn.min nn.max nn.pow nn.prelu(x, slope)
 *
 * Floats: computed in double, rounded once to the result. Integers stay integers with their exact
 * range, computed in 64 bits; nn.div and nn.pow of integers are those of the real numbers (f32).
 */
#include "ops.h"

typedef struct binary {
    double (*f)(double a, double b);
    bool (*i)(int64_t a, int64_t b, int64_t *out); /* false: overflow; NULL: never integer */
    ops_interval (*range)(ops_interval a, ops_interval b);
    bool bip; /* {-1,+1} with {-1,+1} gives {-1,+1} */
} binary;

static nashc_status
infer(const nashc_node *n, const binary *op, nashc_type *out, nashc_diag *d)
{
    nashc_status s = ops_broadcast(n, out, d);

    if (s != NASHC_OK)
        return s;
    nashc_type elem = ops_float(n);
    if (op->i && ops_all_int(n)) {
        ops_interval a = ops_interval_of(nashc_node_in(n, 0));
        ops_interval b = ops_interval_of(nashc_node_in(n, 1));
        bool same = nashc_node_in(n, 0) == nashc_node_in(n, 1);
        ops_interval r = op->range(a, b);
        if (same && op->range == ops_interval_mul && a.lo < 0) /* a square */
            r.lo = a.hi < 0 ? a.hi * a.hi : 0;
        nashc_type_set_range(out, r.lo, r.hi);
        if (op->bip && ops_type(n, 0)->kind == NASHC_K_BIP && ops_type(n, 1)->kind == NASHC_K_BIP)
            elem = nashc_type_bip();
        else
            elem = *out;
    }
    *out = nashc_type_with_elem(out, &elem);
    return NASHC_OK;
}

static nashc_status
eval(nashc_eval *e, const binary *op)
{
    nashc_buf *y = nashc_eval_out(e, 0);
    ops_walk wa, wb;

    ops_walk_init(&wa, &nashc_eval_in(e, 0)->type, &y->type);
    ops_walk_init(&wb, &nashc_eval_in(e, 1)->type, &y->type);
    if (nashc_type_is_int(&y->type)) {
        const int64_t *a = nashc_eval_i64(e, 0), *b = nashc_eval_i64(e, 1);
        if (!a || !b)
            return NASHC_ENOMEM;
        for (int64_t i = 0; i < y->n; i++) {
            int64_t v = 0, p = ops_walk_next(&wa), q = ops_walk_next(&wb);
            y->fault |= !op->i(a[p], b[q], &v);
            nashc_buf_set_int(y, i, v);
        }
        return NASHC_OK;
    }
    const double *a = nashc_eval_f64(e, 0), *b = nashc_eval_f64(e, 1);
    if (!a || !b)
        return NASHC_ENOMEM;
    for (int64_t i = 0; i < y->n; i++) {
        int64_t p = ops_walk_next(&wa), q = ops_walk_next(&wb);
        ops_put(y, i, op->f(a[p], b[q]));
    }
    return NASHC_OK;
}

#define BINARY(ID, NAME, HELP, FLAGS, VERIFY)                                                      \
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
        .min_in = 2,          .max_in = 2,                                                         \
        .min_out = 1,         .max_out = 1,                                                        \
        .verify = VERIFY,     .infer = ID##_infer,                                                 \
        .eval = ID##_eval,                                                                         \
    }

/* --- nn.add, nn.sub ----------------------------------------------------------------------------
 */

static double
add_f(double a, double b)
{
    return a + b;
}

static const binary add_op = {add_f, ops_add, ops_interval_add, false};
BINARY(add, "nn.add", "sum", NASHC_OP_COMMUTES | NASHC_OP_MONOTONE, NULL);

static double
sub_f(double a, double b)
{
    return a - b;
}

static bool
sub_i(int64_t a, int64_t b, int64_t *out)
{
    if (b > 0 ? a < INT64_MIN + b : a > INT64_MAX + b)
        return false;
    *out = a - b;
    return true;
}

static ops_interval
sub_range(ops_interval a, ops_interval b)
{
    ops_interval r;

    if (!sub_i(a.lo, b.hi, &r.lo) || !sub_i(a.hi, b.lo, &r.hi))
        return (ops_interval){INT64_MIN, INT64_MAX};
    return r;
}

static const binary sub_op = {sub_f, sub_i, sub_range, false};
BINARY(sub, "nn.sub", "difference", 0, NULL);

/* --- nn.mul, nn.div ----------------------------------------------------------------------------
 */

static double
mul_f(double a, double b)
{
    return a * b;
}

static const binary mul_op = {mul_f, ops_mul, ops_interval_mul, true};
BINARY(mul, "nn.mul", "product", NASHC_OP_COMMUTES, NULL);

static double
div_f(double a, double b)
{
    return a / b;
}

static nashc_status
div_verify(const nashc_node *n, nashc_diag *d)
{
    const nashc_tensor *b = ops_const(n, 1);

    for (int64_t i = 0; b && i < nashc_tensor_count(b); i++)
        if (nashc_tensor_get(b, i) == 0.0)
            return nashc_node_error(d, n, "division by zero: element %" PRId64 " of \"%s\"", i,
                                    nashc_value_name(nashc_node_in(n, 1)));
    return NASHC_OK;
}

static const binary div_op = {div_f, NULL, NULL, false};
BINARY(div, "nn.div", "quotient of the real numbers", 0, div_verify);

/* --- nn.min, nn.max: NaN if either operand is --------------------------------------------------
 */

static double
min_f(double a, double b)
{
    return isnan(a) || a < b ? a : b;
}

static bool
min_i(int64_t a, int64_t b, int64_t *out)
{
    *out = a < b ? a : b;
    return true;
}

static ops_interval
min_range(ops_interval a, ops_interval b)
{
    return (ops_interval){a.lo < b.lo ? a.lo : b.lo, a.hi < b.hi ? a.hi : b.hi};
}

static const binary min_op = {min_f, min_i, min_range, true};
BINARY(min, "nn.min", "the smaller", NASHC_OP_COMMUTES | NASHC_OP_MONOTONE, NULL);

static double
max_f(double a, double b)
{
    return isnan(a) || a > b ? a : b;
}

static bool
max_i(int64_t a, int64_t b, int64_t *out)
{
    *out = a > b ? a : b;
    return true;
}

static ops_interval
max_range(ops_interval a, ops_interval b)
{
    return (ops_interval){a.lo > b.lo ? a.lo : b.lo, a.hi > b.hi ? a.hi : b.hi};
}

static const binary max_op = {max_f, max_i, max_range, true};
BINARY(max, "nn.max", "the larger", NASHC_OP_COMMUTES | NASHC_OP_MONOTONE, NULL);

/* --- nn.pow, nn.prelu --------------------------------------------------------------------------
 */

static const binary pow_op = {pow, NULL, NULL, false};
BINARY(pow, "nn.pow", "power", 0, NULL);

static double
prelu_f(double x, double slope)
{
    return x < 0.0 ? x * slope : x;
}

static bool
prelu_i(int64_t x, int64_t slope, int64_t *out)
{
    *out = x;
    return x >= 0 || ops_mul(x, slope, out);
}

static ops_interval
prelu_range(ops_interval x, ops_interval slope)
{
    ops_interval neg = {x.lo, x.hi < -1 ? x.hi : -1}, pos = {x.lo > 0 ? x.lo : 0, x.hi};

    if (x.lo >= 0)
        return x;
    neg = ops_interval_mul(neg, slope);
    return x.hi < 0 ? neg : ops_interval_hull(neg, pos);
}

static nashc_status
prelu_verify(const nashc_node *n, nashc_diag *d)
{
    if (!nashc_type_same_shape(ops_type(n, 0), nashc_value_type(nashc_node_out(n, 0))))
        return nashc_node_error(d, n, "slope %s does not broadcast to input %s",
                                nashc_type_str(d, ops_type(n, 1)),
                                nashc_type_str(d, ops_type(n, 0)));
    return NASHC_OK;
}

static const binary prelu_op = {prelu_f, prelu_i, prelu_range, false};
BINARY(prelu, "nn.prelu", "x, or slope * x where x is negative", 0, prelu_verify);
