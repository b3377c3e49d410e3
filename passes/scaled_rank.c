/* scaled_rank.c: TopK and ArgMax of M on integers: only the order of the scores matters.
 *
 * Rising maps in front of them (a positive scale, Softmax, Sigmoid) drop out where only indices are
 * used. An offset for each class becomes an integer, with the scores multiplied as far as needed.
 */
#include "scaled.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool
is_any(const nashc_node *n, const char *const *names)
{
    for (; n && *names; names++)
        if (nashc_node_is(n, *names))
            return true;
    return false;
}

static int
axis_of(const nashc_node *n)
{
    int at = nashc_attr_index(n, "axis"), rank = nashc_value_type(nashc_node_in(n, 0))->rank;
    int axis = at < 0 ? rank - 1 : (int)nashc_attr_int(n, at);
    return axis < 0 ? axis + rank : axis;
}

/* Operand of n behind maps that keep the order along its axis. */
static nashc_value *
look_through(const nashc_node *n)
{
    static const char *const softmax[] = {"nn.softmax", "nn.log_softmax", NULL};
    static const char *const strict[] = {"nn.sigmoid",  "nn.tanh",     "nn.exp",
                                         "nn.softplus", "nn.identity", NULL};
    nashc_value *v = nashc_node_in(n, 0);
    for (;;) {
        nashc_node *d = nashc_value_def(v);
        if (is_any(d, strict) || (is_any(d, softmax) && axis_of(d) == axis_of(n)))
            v = nashc_node_in(d, 0);
        else
            return v;
    }
}

/* Does m * i + round(m * b) order all pairs of classes as i + b does, ties included? Scores that
 * differ by less than the rounding of float32 constants may tie, but not change their order. */
static bool
keeps_order(const si_arr *b, double m)
{
    for (int64_t i = 0; i < b->n; i++)
        for (int64_t j = 0; j < i; j++) {
            double d = b->v[i] - b->v[j];
            double q = nearbyint(m * b->v[i]) - nearbyint(m * b->v[j]);
            for (int side = 0; side < 2; side++) {
                double k = side ? ceil(-d) : floor(-d);
                double real = k + d, got = m * k + q;
                if (fabs(real) < 1e-12 * (1 + fabs(d)))
                    real = 0;
                bool close = fabs(real) < 1e-7 * (1 + fabs(d)) && got == 0;
                if (!close && ((real > 0) != (got > 0) || (real < 0) != (got < 0)))
                    return false;
            }
        }
    return true;
}

/* x / y if that is an integer, but for the rounding of doubles; else NaN. */
static double
whole_ratio(double x, double y)
{
    double r = x / y, q = nearbyint(r);
    return isfinite(r) && fabs(r - q) < 1e-9 ? q : NAN;
}

/* Offsets as whole steps of rounded scales m: so classes that are all zero in M still tie. */
static bool
offsets_on_grid(si_state *S, const si_val *x, const si_arr *m, si_arr *b)
{
    si_arr z;
    if (!si_zip(S, &x->b, &x->s, whole_ratio, &z))
        return false;
    for (int64_t i = 0; i < z.n; i++)
        if (isnan(z.v[i]))
            return true;
    return si_zip(S, &z, m, si_mul, b);
}

/* Integers in the order of s * i + b. NULL: refused, or S->st. */
static nashc_value *
scores(si_state *S, const si_val *x)
{
    nashc_value *v = x->base->ival;
    si_arr s = x->s, b = x->b, m, one = si_scalar(S, 1.0);
    double unit = 0;

    if (s.n == 1 && b.n == 1) {
        if (s.v[0] == 0)
            return NULL;
        one.v[0] = s.v[0] < 0 ? -1 : 1;
        return si_times(S, v, &one);
    }
    if (!si_common_unit(s.v, s.n, 16777216.0, &unit)) {
        for (int64_t i = 0; i < s.n; i++)
            unit = fabs(s.v[i]) > unit ? fabs(s.v[i]) : unit;
        unit = ldexp(unit, -30);
    }
    si_arr u = si_scalar(S, unit);
    if (!si_zip(S, &s, &u, si_div, &m) || !si_zip(S, &b, &u, si_div, &b))
        return NULL;
    for (int64_t i = 0; i < m.n; i++)
        m.v[i] = nearbyint(m.v[i]);
    si_squeeze(&m);
    if (!offsets_on_grid(S, x, &m, &b))
        return NULL;
    double k = 1;
    while (k < 16777216.0 && !keeps_order(&b, k))
        k = k < 32 ? k + 1 : k * 2;
    si_arr f = si_scalar(S, k);
    if (!si_zip(S, &m, &f, si_mul, &m) || !si_zip(S, &b, &f, si_mul, &b))
        return NULL;
    for (int64_t i = 0; i < b.n; i++) {
        b.v[i] = nearbyint(b.v[i]);
        if (fabs(b.v[i]) > 4e15)
            return NULL;
    }
    v = si_times(S, v, &m);
    if (v && !si_zero(&b))
        v = si_emit(S, "nn.add", (nashc_value *[]){v, si_const_int(S, &b)}, 2, NULL);
    return v;
}

bool
si_rank_op(si_state *S, nashc_node *n)
{
    bool topk = nashc_node_is(n, "nn.topk");
    nashc_value *idx = nashc_node_out(n, topk ? 1 : 0), *val = topk ? nashc_node_out(n, 0) : NULL;
    bool only_index = !val || nashc_value_n_uses(val) == 0;
    si_arr one = si_scalar(S, 1.0), zero = si_scalar(S, 0.0);
    si_val *x = si_affine(S, only_index ? look_through(n) : nashc_node_in(n, 0));
    nashc_value *v;

    if (!x)
        return si_no(S, "its scores are not on an integer grid");
    if (only_index)
        v = scores(S, x);
    else if (x->s.n == 1 && x->b.n == 1 && x->s.v[0] > 0)
        v = x->base->ival;
    else
        return si_no(S, "its values are used and have a scale or offset for each class");
    if (!v)
        return false;
    nashc_node *m = nashc_build_like(S->b, n, &v, 1);
    if (!m)
        return si_fail(S, nashc_build_status(S->b));
    if (!si_anchor(S, idx, nashc_node_out(m, topk ? 1 : 0), &one, &zero, NULL, NULL, NULL, NULL))
        return false;
    return only_index ||
           si_anchor(S, val, nashc_node_out(m, 0), &x->s, &x->b, NULL, NULL, NULL, NULL);
}
