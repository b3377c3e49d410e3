/* requant.c: q.requant(x, mul, add; shift, qmin, qmax, ties_even), a line in fixed point, rounded
 * and clamped.
 *
 *     y = clamp(floor((x * mul[c] + add[c]) / 2^shift), qmin, qmax)
 *
 * With ties_even an odd quotient without remainder counts as the integer below it: where add holds
 * the half that rounding to the nearest adds, ties go to the even neighbour.
 * mul and add are integer constants [C] or [1]; c is the position along the channel axis of x. All
 * arithmetic is that of 64-bit integers: constants with which some x of the interval would leave
 * them are refused. Evenly spaced thresholds become this (docs/streamline.md). Channels of negative
 * mul fall, so the op as such is not monotone.
 */
#include "ops.h"

enum { SHIFT, QMIN, QMAX, EVEN };

static const nashc_param requant_attrs[] = {
    ATTR(INT, "shift", NULL, "0..62", "the sum is divided by 2 to this"),
    ATTR(INT, "qmin", NULL, NULL, "least result"),
    ATTR(INT, "qmax", NULL, NULL, "greatest result"),
    ATTR(BOOL, "ties_even", "false", NULL, "an odd quotient without remainder is one less"),
    {0},
};

static ops_requant
attrs_of(const nashc_node *n)
{
    return (ops_requant){.shift = (int)nashc_attr_int(n, SHIFT),
                         .even = nashc_attr_bool(n, EVEN),
                         .qmin = nashc_attr_int(n, QMIN),
                         .qmax = nashc_attr_int(n, QMAX)};
}

bool
ops_requant_of(const ops_requant *r, int64_t x, int64_t mul, int64_t add, int64_t *y)
{
    int64_t unit = INT64_C(1) << r->shift, sum;

    if (!ops_mul(x, mul, &sum) || !ops_add(sum, add, &sum))
        return false;
    int64_t q = sum / unit - (sum % unit < 0);
    q -= r->even && sum % unit == 0 && (q & 1);
    *y = q < r->qmin ? r->qmin : q > r->qmax ? r->qmax : q;
    return true;
}

nashc_status
ops_requant_range(const nashc_node *n, const ops_requant *r, const nashc_tensor *mul,
                  const nashc_tensor *add, nashc_type *out, nashc_diag *d)
{
    const nashc_type *x = ops_type(n, 0);
    int64_t muls = nashc_tensor_count(mul), adds = nashc_tensor_count(add);
    int64_t lo = INT64_MAX, hi = INT64_MIN;

    if (r->qmin > r->qmax)
        return nashc_node_error(d, n, "qmin %" PRId64 " exceeds qmax %" PRId64, r->qmin, r->qmax);
    /* A line is monotone in x: the ends of the interval give those of the result. */
    for (int64_t c = 0; c < (muls > adds ? muls : adds); c++) {
        int64_t m = nashc_tensor_get_int(mul, muls == 1 ? 0 : c), y[2];
        int64_t a = nashc_tensor_get_int(add, adds == 1 ? 0 : c);
        if (!ops_requant_of(r, x->lo, m, a, &y[0]) || !ops_requant_of(r, x->hi, m, a, &y[1]))
            return nashc_node_error(d, n,
                                    "x * %" PRId64 " + %" PRId64 " of channel %" PRId64
                                    " leaves 64 bits for x %s",
                                    m, a, c, nashc_type_str(d, x));
        for (int i = 0; i < 2; i++) {
            lo = y[i] < lo ? y[i] : lo;
            hi = y[i] > hi ? y[i] : hi;
        }
    }
    nashc_type_set_range(out, lo, hi);
    return NASHC_OK;
}

/* An integer constant of one element for each channel, or one for all. */
static nashc_status
need_constant(const nashc_node *n, int i, const char *what, nashc_diag *d)
{
    const nashc_type *t = ops_type(n, i);
    nashc_status s = ops_need_rank(n, i, what, 1, 1, d);

    if (s != NASHC_OK)
        return s;
    if (!ops_const(n, i))
        return nashc_node_error(d, n, "%s is not constant", what);
    int64_t channels = nashc_type_channels(ops_type(n, 0));
    if (!nashc_type_is_int(t) || (t->dim[0] != 1 && t->dim[0] != channels))
        return nashc_node_error(d, n, "%s is %s, expected integers [1] or [%" PRId64 "]", what,
                                nashc_type_str(d, t), channels);
    return NASHC_OK;
}

static nashc_status
requant_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    nashc_status s = ops_need_rank(n, 0, "input", 1, NASHC_MAX_RANK, d);

    if (s != NASHC_OK)
        return s;
    const nashc_type *x = ops_type(n, 0);
    if (!nashc_type_is_int(x))
        return nashc_node_error(d, n, "input is %s, expected integers", nashc_type_str(d, x));
    if ((s = need_constant(n, 1, "factor", d)) || (s = need_constant(n, 2, "addend", d)))
        return s;
    ops_requant r = attrs_of(n);
    *out = *x;
    return ops_requant_range(n, &r, ops_const(n, 1), ops_const(n, 2), out, d);
}

static nashc_status
requant_eval(nashc_eval *e, const nashc_node *n)
{
    const nashc_buf *x = nashc_eval_in(e, 0), *mul = nashc_eval_in(e, 1);
    const nashc_buf *add = nashc_eval_in(e, 2);
    nashc_buf *y = nashc_eval_out(e, 0);
    ops_requant r = attrs_of(n);

    for (int64_t i = 0; i < y->n; i++) {
        int64_t c = nashc_buf_channel(x, i), v = ops_int(x, i), q;
        if (!ops_requant_of(&r, v, ops_int(mul, mul->n == 1 ? 0 : c),
                            ops_int(add, add->n == 1 ? 0 : c), &q))
            return nashc_node_error(nashc_eval_diag(e), n, "input %" PRId64 " leaves 64 bits", v);
        nashc_buf_set_int(y, i, q);
    }
    return NASHC_OK;
}

const nashc_op nashc_op_q_requant = {
    NASHC_DESC(nashc_op),
    .name = "q.requant",
    .help = "multiply, add, divide by a power of two, round down and clamp integers",
    .min_in = 3,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .attrs = requant_attrs,
    .infer = requant_infer,
    .eval = requant_eval,
};
