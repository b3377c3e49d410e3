/* staircase.c: the integer line under a row of thresholds, found exactly.
 *
 * With F = 2^shift, floor((m x + a) / F) clamped to 0..n is count(x) for all x just if
 *
 *     m * t[k] + a       >= (k + 1) F       for each k with t[k] <= hi    (reached from t[k] on)
 *     m * (t[k] - 1) + a <= (k + 1) F - 1   for each k with t[k] > lo     (and not before)
 *
 * since both sides never decrease with x. Rounding to even, floor((m x + a) / F) less 1 where that
 * is exact and odd, moves the levels of odd codes up by 1. For a given m these are bounds of a from
 * below and above. Where the greatest lower one (of threshold j) exceeds the least upper one (of
 * threshold k),
 *
 *     m * (t[j] - t[k] + 1) >= level[j] - level[k] + 1      level[k] = (k + 1) F, or 1 more
 *
 * is violated, an inequality in m alone which tells on which side of m all solutions lie: bisection
 * finds one or proves that there is none. t[j] = t[k] - 1 implies j < k, where it holds for all m.
 */
#include "staircase.h"

/* Bounds of a for one m, and the thresholds that they come from. */
typedef struct bounds {
    int64_t least, most, j, k;
} bounds;

bool
staircase_flat(const staircase *s)
{
    for (int64_t k = 0; k < s->n; k++)
        if (s->t[k] > s->lo && s->t[k] <= s->hi)
            return false;
    return true;
}

/* What the line reaches at t[k]. */
static int64_t
level(const staircase *s, int64_t unit, int64_t k)
{
    return (k + 1) * unit + (s->even && ((k + 1) & 1) != s->odd);
}

static void
bound_below(const staircase *s, int64_t unit, int64_t mul, int64_t k, bounds *b)
{
    int64_t least = level(s, unit, k) - mul * s->t[k];

    if (least > b->least) {
        b->least = least;
        b->j = k;
    }
}

static void
bound_above(const staircase *s, int64_t unit, int64_t mul, int64_t k, bounds *b)
{
    int64_t most = level(s, unit, k) - 1 - mul * (s->t[k] - 1);

    if (most < b->most) {
        b->most = most;
        b->k = k;
    }
}

static bounds
bounds_of(const staircase *s, int64_t unit, int64_t mul)
{
    bounds b = {INT64_MIN, INT64_MAX, 0, 0};
    int64_t k = 0;

    /* Ascending: always reached ones bound from below only, never reached ones from above. */
    for (; k < s->n && s->t[k] <= s->lo; k++)
        bound_below(s, unit, mul, k, &b);
    for (; k < s->n && s->t[k] <= s->hi; k++) {
        bound_below(s, unit, mul, k, &b);
        bound_above(s, unit, mul, k, &b);
    }
    for (; k < s->n; k++)
        bound_above(s, unit, mul, k, &b);
    return b;
}

/* a / b rounded up, for positive a and b. */
static int64_t
up(int64_t a, int64_t b)
{
    return (a - 1) / b + 1;
}

/* Takes from *from .. *to what violates the inequality of thresholds j and k. */
static void
cut(const staircase *s, int64_t unit, int64_t j, int64_t k, int64_t *from, int64_t *to)
{
    int64_t run = s->t[j] - s->t[k] + 1, rise = level(s, unit, j) - level(s, unit, k) + 1;

    if (run > 0 && rise > 0 && up(rise, run) > *from)
        *from = up(rise, run);
    if (run < 0 && rise / run < *to)
        *to = rise / run; /* both negative, since t ascends */
}

/* The certificate: both functions are monotone steps, so they are equal everywhere if they are at
 * the ends of the interval and on both sides of each threshold. */
static bool
agrees(const staircase *s, const nashc_line *l)
{
    int64_t unit = INT64_C(1) << l->shift;

    for (int64_t k = 0; k <= s->n; k++) {
        /* The first x that reaches k thresholds, and the last. */
        int64_t x[2] = {k ? s->t[k - 1] : s->lo, k < s->n ? s->t[k] - 1 : s->hi};
        if (x[1] < x[0])
            continue; /* equal thresholds, or one that is always or never reached */
        for (int i = 0; i < 2; i++) {
            int64_t sum = l->mul * x[i] + l->add, q = sum / unit - (sum % unit < 0);
            q -= s->even && sum % unit == 0 && (q & 1) != s->odd;
            if ((q < 0 ? 0 : q > s->n ? s->n : q) != k)
                return false;
        }
    }
    return true;
}

/* Where mul lies, if a line exists: the thresholds that are farthest apart confine it, and so the
 * products. False if these may exceed 62 bits. */
static bool
confine(const staircase *s, int shift, int64_t *from, int64_t *to)
{
    int64_t first = 0, last = s->n - 1;
    double limit = 0x1p62, unit = (double)(INT64_C(1) << shift), wide;

    *from = *to = 0;
    if ((double)(s->n + 2) * unit > limit)
        return false;
    if (staircase_flat(s))
        return true;
    while (s->t[first] <= s->lo)
        first++;
    while (s->t[last] > s->hi)
        last--;
    *from = 1;
    *to = s->n << shift; /* beyond all lower bounds */
    cut(s, INT64_C(1) << shift, last, first, from, to);
    cut(s, INT64_C(1) << shift, first, last, from, to);
    wide = (double)(s->hi > -s->lo ? s->hi : -s->lo) + 2;
    return (double)*to * wide + (double)(s->n + 2) * unit <= limit;
}

bool
staircase_fits(const staircase *s, int shift)
{
    int64_t from, to;

    return confine(s, shift, &from, &to);
}

/* A line by its inequalities, of a staircase that is not flat. */
static bool
search(const staircase *s, int shift, int64_t from, int64_t to, nashc_line *out)
{
    int64_t unit = INT64_C(1) << shift;

    while (from <= to) {
        int64_t mul = from + (to - from) / 2;
        bounds b = bounds_of(s, unit, mul);
        if (b.least <= b.most) {
            *out = (nashc_line){mul, b.least, shift};
            return true;
        }
        cut(s, unit, b.j, b.k, &from, &to);
    }
    return false;
}

bool
staircase_has_line(const staircase *s, int shift)
{
    int64_t from, to;
    nashc_line line;

    return confine(s, shift, &from, &to) &&
           (staircase_flat(s) || search(s, shift, from, to, &line));
}

bool
staircase_line(const staircase *s, int shift, nashc_line *out)
{
    int64_t unit = INT64_C(1) << shift, first = 0, from, to;

    if (!confine(s, shift, &from, &to))
        return false;
    if (!staircase_flat(s))
        return search(s, shift, from, to, out) && agrees(s, out);
    while (first < s->n && s->t[first] <= s->lo)
        first++;
    *out = (nashc_line){0, first * unit + s->even, shift};
    return agrees(s, out);
}

int64_t
staircase_bend(const staircase *s, int shift)
{
    int64_t good = 0, bad = s->n + 1;
    nashc_line line;

    while (bad - good > 1) { /* the first good thresholds lie on a line, the first bad do not */
        staircase part = *s;
        part.n = good + (bad - good) / 2;
        if (!staircase_fits(&part, shift) || staircase_line(&part, shift, &line))
            good = part.n;
        else
            bad = part.n;
    }
    return bad - 1;
}
