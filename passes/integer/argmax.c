/* argmax.c: TopK and ArgMax of the model on integers: only the order of the scores matters.
 *
 * Rising maps in front of them (a positive scale, Softmax, Sigmoid) drop out where only indices are
 * used. An offset for each class becomes an integer, with the scores multiplied as far as needed.
 * Scales of classes without a common unit become the multipliers of fewest bits with which the
 * order is right for all integers.
 */
#include "integer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SMALL        1024.0 /* multipliers of scales with a common unit */
#define EXACT        16777216.0
#define MAX_BITS     30 /* of multipliers without one */
#define MIN_BITS     12 /* if their order is not proven */
#define MAX_CLASSES  4096
#define MAX_OFFSET   0x1p52
#define MAX_MEETINGS 65536
#define MAX_WORK     ((int64_t)1 << 25)

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
        if (nashc_node_is_any(d, strict) ||
            (nashc_node_is_any(d, softmax) && axis_of(d) == axis_of(n)))
            v = nashc_node_in(d, 0);
        else
            return v;
    }
}

/* Does m * i + round(m * b) order all pairs of classes as i + b does, ties included? Scores that
 * differ by less than the rounding of float32 constants may tie, but not change their order. */
static bool
keeps_order(const si_array *b, double m)
{
    for (int64_t i = 0; i < b->n; i++)
        for (int64_t j = 0; j < i; j++) {
            double d = b->v[i] - b->v[j];
            double q = nearbyint(m * b->v[i]) - nearbyint(m * b->v[j]);
            for (int operand = 0; operand < 2; operand++) {
                double k = operand ? ceil(-d) : floor(-d);
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

/* x / y if that is an integer, but for the rounding of doubles; else NaN. Of ratios beyond 2^44
 * doubles do not tell whether they are. */
static double
whole_ratio(double x, double y)
{
    double r = x / y, q = nearbyint(r);
    return fabs(r) <= 0x1p44 && fabs(r - q) < 1e-9 + fabs(r) * 0x1p-50 ? q : NAN;
}

static double
magnitude_ratio(double x, double y)
{
    return y == 0 ? 0 : fabs(x / y);
}

/* Bits that multipliers of x may have: products fit 60 bits, offsets a double. -1: S->st. */
static int
room(si_state *S, const si_val *x)
{
    const nashc_type *t = nashc_value_type(x->tensor->ival);
    double most = fmax(fabs((double)t->lo), fabs((double)t->hi)), offset = 1;
    si_array z;
    if (!si_zip(S, &x->b, &x->s, magnitude_ratio, &z))
        return -1;
    for (int64_t i = 0; i < z.n; i++)
        offset = fmax(offset, z.v[i]);
    int bits = MAX_BITS, for_sum = 59 - ilogb(fmax(most, 1)), for_offset = 50 - ilogb(offset);
    bits = for_sum < bits ? for_sum : bits;
    return for_offset < bits ? for_offset : bits;
}

/* --- scales without a common unit --------------------------------------------------------------
 */

/* Classes: value s[c] i + b[c] in the model, integer m[c] i + q[c] here, for each i in lo..hi. */
typedef struct classes {
    int64_t n, lo, hi;
    si_array s, b, m, q; /* n elements each */
    bool meet;           /* is there a value that all classes take for some integer? */
    double common;       /* the value */
} classes;

static bool
all_take(const classes *z, double v)
{
    for (int64_t i = 0; i < z->n; i++)
        if (isnan(whole_ratio(z->b.v[i] - v, z->s.v[i])))
            return false;
    return true;
}

/* Quantisers with zero points give 0 in all classes, and an addend moves it for all. */
static void
find_common_value(classes *z)
{
    z->common = 0;
    z->meet = all_take(z, 0);
    for (int64_t i = z->lo; !z->meet && i <= z->hi && i - z->lo < MAX_MEETINGS; i++) {
        z->common = z->s.v[0] * (double)i + z->b.v[0];
        z->meet = all_take(z, z->common);
    }
}

/* Are all integers of class d in the order with integer i of class c in which the model's values
 * are? Both are monotone in the integer j of d, so those next to where the values cross decide. */
static bool
in_order(const classes *z, int64_t c, int64_t d, int64_t i)
{
    double x = z->s.v[c] * (double)i + z->b.v[c];
    double at = z->s.v[d] == 0 ? (double)z->lo : floor((x - z->b.v[d]) / z->s.v[d]);
    int64_t k = (int64_t)z->m.v[c] * i + (int64_t)z->q.v[c];
    int64_t from = (int64_t)fmin(fmax(at - 1, (double)z->lo), (double)z->hi);
    for (int64_t j = from; j <= from + 3 && j <= z->hi; j++) {
        double y = z->s.v[d] * (double)j + z->b.v[d];
        int64_t l = (int64_t)z->m.v[d] * j + (int64_t)z->q.v[d];
        bool tie = fabs(x - y) <= 1e-12 * (fabs(x) + fabs(y));
        if (tie ? k != l : (x < y) != (k < l) || k == l)
            return false;
    }
    return true;
}

static bool
all_in_order(const classes *z, int64_t *work)
{
    for (int64_t c = 0; c < z->n; c++)
        for (int64_t d = 0; d < c; d++)
            for (int64_t i = z->lo; i <= z->hi; i++) {
                ++*work;
                if (!in_order(z, c, d, i))
                    return false;
            }
    return true;
}

static double
rounded_ratio(double x, double unit)
{
    return nearbyint(x / unit);
}

/* m and q for a unit that leaves the largest scale so many bits. Where all classes meet in a value,
 * offsets are whole steps from there, so that classes that have it in the model still tie. */
static void
weigh(classes *z, int bits)
{
    double unit = 0;
    for (int64_t i = 0; i < z->n; i++)
        unit = fmax(unit, ldexp(fabs(z->s.v[i]), -bits));
    unit = unit > 0 ? unit : 1;
    for (int64_t i = 0; i < z->n; i++) {
        z->m.v[i] = nearbyint(z->s.v[i] / unit);
        z->q.v[i] = z->meet ? whole_ratio(z->b.v[i] - z->common, z->s.v[i]) * z->m.v[i]
                            : nearbyint(z->b.v[i] / unit);
    }
}

static bool
set_classes(si_state *S, const si_val *x, classes *z)
{
    const nashc_type *t = nashc_value_type(x->tensor->ival);
    nashc_type shape;
    if (!si_joint_shape(&x->s, &x->b, &shape))
        return si_no(S, NULL);
    if (!si_spread(S, &x->s, &shape, &z->s) || !si_spread(S, &x->b, &shape, &z->b) ||
        !si_spread(S, &x->s, &shape, &z->m) || !si_spread(S, &x->b, &shape, &z->q))
        return false;
    z->n = z->s.n;
    z->lo = t->lo;
    z->hi = t->hi;
    find_common_value(z);
    return true;
}

/* m and q of the fewest bits, up to most, with which the order is proven right. */
static bool
prove_order(classes *z, int most)
{
    int64_t work = 0;
    if (z->n > MAX_CLASSES || z->hi - z->lo >= MAX_WORK / (z->n * z->n))
        return false;
    for (int bits = 3; bits <= most && work < MAX_WORK; bits++) {
        weigh(z, bits);
        if (all_in_order(z, &work))
            return true;
    }
    return false;
}

/* --- scores ------------------------------------------------------------------------------------
 */

/* m * i + q as a node; i where m is all 1 and q all 0. */
static nashc_value *
line_of(si_state *S, nashc_value *v, si_array *m, si_array *q)
{
    for (int64_t i = 0; i < q->n; i++) {
        q->v[i] = nearbyint(q->v[i]);
        if (fabs(q->v[i]) > MAX_OFFSET) {
            si_no(S, "an offset of its scores has too many steps");
            return NULL;
        }
    }
    si_squeeze(m);
    si_squeeze(q);
    v = si_times(S, v, m);
    if (v && !si_zero(q))
        v = si_emit(S, "nn.add", (nashc_value *[]){v, si_const_int(S, q)}, 2, NULL);
    return v;
}

/* m and q of so many bits for the largest scale, with a warning, since the order of close scores
 * may be wrong. */
static bool
round_classes(si_state *S, nashc_node *n, classes *z, int bits)
{
    int least = bits; /* of the smallest multiplier */
    weigh(z, bits);
    for (int64_t i = 0; i < z->n; i++) {
        int of_class = z->m.v[i] == 0 ? 0 : ilogb(z->m.v[i]) + 1;
        least = z->s.v[i] != 0 && of_class < least ? of_class : least;
    }
    if (least < MIN_BITS)
        return si_no(S, "its scores have unrelated scales, and no room for multipliers");
    si_warn_rounded(S, n, "the scores of the classes", least,
                    "one scale for all classes, as a layer with one scale for its weights gives, "
                    "needs no rounding");
    return S->st == NASHC_OK;
}

/* Integers in the order of s * i + b. NULL: refused, or S->st. */
static nashc_value *
scores(si_state *S, nashc_node *n, const si_val *x)
{
    nashc_value *v = x->tensor->ival;
    si_array s = x->s, b = x->b, m, one = si_scalar(S, 1.0);
    double unit = 0;

    if (s.n == 1 && b.n == 1) {
        if (s.v[0] == 0)
            return NULL;
        one.v[0] = s.v[0] < 0 ? -1 : 1;
        return si_times(S, v, &one);
    }
    if (!si_common_unit(s.v, s.n, SMALL, &unit)) {
        classes z;
        int most = room(S, x);
        if (most < 0 || !set_classes(S, x, &z))
            return NULL;
        bool right = prove_order(&z, most);
        if (S->st != NASHC_OK)
            return NULL;
        if (right || !si_common_unit(s.v, s.n, EXACT, &unit))
            return right || round_classes(S, n, &z, most) ? line_of(S, v, &z.m, &z.q) : NULL;
    }
    si_array u = si_scalar(S, unit);
    if (!si_zip(S, &s, &u, rounded_ratio, &m) || !si_zip(S, &b, &u, si_div, &b))
        return NULL;
    double k = 1, most = 0;
    while (k < 16777216.0 && !keeps_order(&b, k))
        k = k < 32 ? k + 1 : k * 2;
    for (int64_t i = 0; i < b.n; i++)
        most = fmax(most, fabs(b.v[i]) * k);
    if (most > MAX_OFFSET) {
        classes z;
        return set_classes(S, x, &z) && round_classes(S, n, &z, room(S, x))
                   ? line_of(S, v, &z.m, &z.q)
                   : NULL;
    }
    si_array f = si_scalar(S, k);
    if (!si_zip(S, &m, &f, si_mul, &m) || !si_zip(S, &b, &f, si_mul, &b))
        return NULL;
    return line_of(S, v, &m, &b);
}

bool
si_argmax(si_state *S, nashc_node *n)
{
    bool topk = nashc_node_is(n, "nn.topk");
    nashc_value *idx = nashc_node_out(n, topk ? 1 : 0), *val = topk ? nashc_node_out(n, 0) : NULL;
    bool only_index = !val || nashc_value_n_uses(val) == 0;
    si_array one = si_scalar(S, 1.0), zero = si_scalar(S, 0.0);
    si_val *x = si_affine(S, only_index ? look_through(n) : nashc_node_in(n, 0));
    nashc_value *v;

    if (!x)
        return si_no(S, "its scores are not on an integer grid");
    if (only_index)
        v = scores(S, n, x);
    else if (x->s.n == 1 && x->b.n == 1 && x->s.v[0] > 0)
        v = x->tensor->ival;
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
