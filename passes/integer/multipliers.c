/* multipliers.c: integers near the scales of a sum, few bits first.
 *
 *     two scales:  the simplest fraction in the interval that is left for their ratio
 *     more:        m[k] = s[k] / unit, rounded, for a unit that shrinks in small steps
 *
 * Whoever tries them tells why one was wrong: the difference d of two combinations of integers
 * which it puts in the wrong order. For two scales each difference is a bound of their ratio; for
 * more it rejects the next candidates before anything is computed, as most fail at the same few
 * places. Without such help (learn is false) the candidates are few: small fractions, then the
 * continued fraction, then units in larger steps.
 */
#include "integer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FRACTIONS 96
#define OCTAVE        32   /* units tried between one and its half, without help */
#define FINE          1024 /* with it */
#define MAX_BITS      26
#define COARSE_BITS   20
#define MAX_ROUNDED   4 /* scales for which both neighbouring integers are tried */
#define MAX_EXCLUDED  4096

typedef struct fraction {
    int64_t num, den;
} fraction;

struct si_multipliers {
    int n, used; /* used: scales that are not zero */
    bool learn;
    double s[SI_MAX_TERMS], most;
    int two[2]; /* the first two that are used */
    int64_t fraction[MAX_FRACTIONS][2];
    int n_fraction, at;
    fraction lo, hi; /* bounds for m[two[0]] / m[two[1]], not included */
    int64_t largest; /* multiplier of the largest scale */
    int rounding;    /* bit k: scale k is rounded the other way */
    int64_t last[SI_MAX_TERMS];
    int64_t (*d)[SI_MAX_TERMS];
    int n_d, cap_d;
};

/* Fractions near r > 0, simple ones first: all small denominators, then the continued fraction with
 * some intermediate ones. */
static int
fractions(double r, int64_t (*c)[2])
{
    int n = 0;
    for (int64_t d = 1; d <= 16; d++) {
        double other = r >= 1 ? r * (double)d : (double)d / r;
        if (other > 1e6)
            return n;
        int64_t k = (int64_t)nearbyint(other);
        c[n][0] = r >= 1 ? k : d;
        c[n++][1] = r >= 1 ? d : k;
    }
    double x = r;
    int64_t p0 = 0, q0 = 1, p1 = 1, q1 = 0;
    for (int depth = 0; depth < 24 && x < 1e6; depth++) {
        int64_t a = (int64_t)floor(x), ks[3] = {(a + 1) / 2, (3 * a + 2) / 4, a};
        for (int i = 0; i < 3; i++) {
            int64_t num = ks[i] * p1 + p0, den = ks[i] * q1 + q0;
            if (num > 1 << COARSE_BITS || den > 1 << COARSE_BITS)
                return n;
            bool small = num < 1 || den < 1 || (num <= 16 && den <= 16);
            if (small || (i && ks[i] == ks[i - 1]) || n == MAX_FRACTIONS)
                continue;
            c[n][0] = num;
            c[n++][1] = den;
        }
        int64_t pn = a * p1 + p0, qn = a * q1 + q0;
        p0 = p1;
        q0 = q1;
        p1 = pn;
        q1 = qn;
        if (x == floor(x))
            break;
        x = 1.0 / (x - floor(x));
    }
    return n;
}

si_multipliers *
si_multipliers_create(const double *s, int n, bool learn)
{
    si_multipliers *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    c->n = n;
    c->learn = learn;
    c->lo = (fraction){0, 1};
    c->hi = (fraction){1, 0};
    for (int k = 0; k < n; k++) {
        c->s[k] = s[k];
        c->most = fmax(c->most, fabs(s[k]));
        if (s[k] != 0 && c->used++ < 2)
            c->two[c->used - 1] = k;
    }
    if (c->used == 2 && !learn)
        c->n_fraction = fractions(fabs(s[c->two[0]] / s[c->two[1]]), c->fraction);
    return c;
}

void
si_multipliers_free(si_multipliers *c)
{
    if (c)
        free(c->d);
    free(c);
}

/* a d[0] + b d[1] > 0 as a bound of a / b. */
static void
bound_ratio(si_multipliers *c, const int64_t *d)
{
    int64_t x = c->s[c->two[0]] < 0 ? -d[c->two[0]] : d[c->two[0]];
    int64_t y = c->s[c->two[1]] < 0 ? -d[c->two[1]] : d[c->two[1]];
    if (x > 0 && -y * c->lo.den > c->lo.num * x)
        c->lo = (fraction){-y, x};
    else if (x < 0 && y * c->hi.den < c->hi.num * -x)
        c->hi = (fraction){y, -x};
    else if (x == 0 && y <= 0)
        c->hi = c->lo; /* nothing is left */
}

bool
si_multipliers_exclude(si_multipliers *c, const int64_t *d)
{
    if (c->used == 2)
        bound_ratio(c, d);
    if (c->used == 2 || c->n_d == MAX_EXCLUDED)
        return true;
    if (c->n_d == c->cap_d) {
        int cap = c->cap_d ? 2 * c->cap_d : 16;
        void *p = realloc(c->d, (size_t)cap * sizeof(*c->d));
        if (!p)
            return false;
        c->d = p;
        c->cap_d = cap;
    }
    memcpy(c->d[c->n_d++], d, (size_t)c->n * sizeof(*d));
    return true;
}

/* Fraction with the least terms between lo and hi. As a continued fraction: the whole part of lo as
 * long as both have it, then the least integer in between. */
static bool
simplest(fraction lo, fraction hi, fraction *r)
{
    fraction before = {0, 1}, now = {1, 0};
    if (lo.num * hi.den >= hi.num * lo.den)
        return false;
    for (;;) {
        int64_t a = lo.num / lo.den;
        bool last = (a + 1) * hi.den < hi.num;
        a += last;
        fraction next = {a * now.num + before.num, a * now.den + before.den};
        if (a >> MAX_BITS || next.num >> MAX_BITS || next.den >> MAX_BITS)
            return false;
        before = now;
        now = next;
        if (last)
            break;
        fraction x = {lo.num - a * lo.den, lo.den}, y = {hi.num - a * hi.den, hi.den};
        lo = (fraction){y.den, y.num};
        hi = (fraction){x.den, x.num};
    }
    *r = now;
    return true;
}

static void
set_two(const si_multipliers *c, int64_t a, int64_t b, int64_t *m)
{
    memset(m, 0, (size_t)c->n * sizeof(*m));
    m[c->two[0]] = c->s[c->two[0]] < 0 ? -a : a;
    m[c->two[1]] = c->s[c->two[1]] < 0 ? -b : b;
}

/* The scales over the unit that makes the largest one parts; false: one has no other rounding. */
static bool
rounded(const si_multipliers *c, double parts, int rounding, int64_t *m)
{
    for (int k = 0; k < c->n; k++) {
        double x = c->most == 0 ? 0 : c->s[k] / c->most * parts, q = nearbyint(x);
        if ((rounding >> k & 1) && x == q)
            return false;
        m[k] = (int64_t)q + (rounding >> k & 1 ? (q < x ? 1 : -1) : 0);
    }
    return true;
}

/* The units have few bits, so that every machine gets the same integers. */
static bool
coarse(si_multipliers *c, int at, int64_t *m)
{
    if (at / OCTAVE >= COARSE_BITS || (c->most == 0 && at > 0))
        return false;
    return rounded(c, ldexp(OCTAVE + at % OCTAVE, at / OCTAVE - 5), 0, m);
}

static bool
fine(si_multipliers *c, int64_t *m)
{
    int roundings = c->used <= MAX_ROUNDED ? 1 << c->n : 1;
    do {
        if (c->largest == 0 || ++c->rounding >= roundings) {
            c->rounding = 0;
            c->largest += c->largest < FINE ? 1 : c->largest / FINE;
        }
        if (c->largest >> MAX_BITS || (c->most == 0 && c->largest > 1))
            return false;
    } while (!rounded(c, (double)c->largest, c->rounding, m));
    return true;
}

/* Is m a multiple of an earlier candidate, or the last one again? */
static bool
known(const si_multipliers *c, const int64_t *m)
{
    int64_t g = 0;
    for (int k = 0; k < c->n; k++)
        for (int64_t a = llabs(m[k]), r; a != 0; a = r) {
            r = g == 0 ? 0 : g % a;
            g = a;
        }
    return g > 1 || (g == 1 && memcmp(m, c->last, (size_t)c->n * sizeof(*m)) == 0);
}

/* The difference that rejects a candidate moves to the end, where the search begins. */
static bool
excluded(si_multipliers *c, const int64_t *m, int64_t *work)
{
    for (int i = c->n_d - 1; i >= 0; i--) {
        int64_t sum = 0, d[SI_MAX_TERMS];
        ++*work;
        for (int k = 0; k < c->n; k++)
            sum += m[k] * c->d[i][k];
        if (sum > 0)
            continue;
        memcpy(d, c->d[i], sizeof d);
        memcpy(c->d[i], c->d[c->n_d - 1], sizeof d);
        memcpy(c->d[c->n_d - 1], d, sizeof d);
        return true;
    }
    return false;
}

bool
si_multipliers_next(si_multipliers *c, int64_t *m, int64_t *work)
{
    fraction f;
    if (c->learn && c->used == 2) {
        if (!simplest(c->lo, c->hi, &f))
            return false;
        set_two(c, f.num, f.den, m);
        return true;
    }
    for (;;) {
        if (c->at < c->n_fraction) {
            set_two(c, c->fraction[c->at][0], c->fraction[c->at][1], m);
            c->at++;
            return true;
        }
        if (c->learn ? !fine(c, m) : !coarse(c, c->at++ - c->n_fraction, m))
            return false;
        if (known(c, m))
            continue;
        memcpy(c->last, m, (size_t)c->n * sizeof(*m));
        ++*work;
        if (!excluded(c, m, work))
            return true;
    }
}
