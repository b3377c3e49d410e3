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
#include "multipliers.h"

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
    double scale[SI_MAX_TERMS], most; /* most: the largest magnitude */
    int64_t last[SI_MAX_TERMS];       /* candidate */
    int next;                         /* number of the next candidate, without help */
    /* two scales: m[two[0]] / m[two[1]] is one of these, or lies between lo and hi */
    int two[2];
    fraction simple[MAX_FRACTIONS];
    int n_simple;
    fraction lo, hi; /* themselves excluded */
    /* more scales: the multiplier of the largest one, and bit k: scale k is rounded the other way
     */
    int64_t largest;
    int rounding;
    int64_t (*excluded)[SI_MAX_TERMS]; /* differences that m must have a positive product with */
    int n_excluded, cap_excluded;
};

/* All denominators up to 16, for ratio or its inverse. False: it is too large for any. */
static bool
small_fractions(double ratio, fraction *out, int *n)
{
    for (int64_t d = 1; d <= 16; d++) {
        double other = ratio >= 1 ? ratio * (double)d : (double)d / ratio;
        if (other > 1e6)
            return false;
        int64_t k = (int64_t)nearbyint(other);
        out[(*n)++] = ratio >= 1 ? (fraction){k, d} : (fraction){d, k};
    }
    return true;
}

/* Fractions near ratio > 0, simple ones first: small ones, then the convergents of the continued
 * fraction with some of those in between. */
static int
fractions(double ratio, fraction *out)
{
    int n = 0;
    double x = ratio;
    fraction before = {0, 1}, now = {1, 0};
    if (!small_fractions(ratio, out, &n))
        return n;
    for (int depth = 0; depth < 24 && x < 1e6; depth++) {
        int64_t whole = (int64_t)floor(x);
        int64_t part[3] = {(whole + 1) / 2, (3 * whole + 2) / 4, whole};
        for (int i = 0; i < 3; i++) {
            fraction f = {part[i] * now.num + before.num, part[i] * now.den + before.den};
            if (f.num > 1 << COARSE_BITS || f.den > 1 << COARSE_BITS)
                return n;
            bool small = f.num < 1 || f.den < 1 || (f.num <= 16 && f.den <= 16);
            if (!small && !(i && part[i] == part[i - 1]) && n < MAX_FRACTIONS)
                out[n++] = f;
        }
        fraction next = {whole * now.num + before.num, whole * now.den + before.den};
        before = now;
        now = next;
        if (x == floor(x))
            break;
        x = 1.0 / (x - floor(x));
    }
    return n;
}

si_multipliers *
si_multipliers_create(const double *s, int n, bool learn)
{
    si_multipliers *search = calloc(1, sizeof(*search));
    if (!search)
        return NULL;
    search->n = n;
    search->learn = learn;
    search->lo = (fraction){0, 1};
    search->hi = (fraction){1, 0};
    for (int k = 0; k < n; k++) {
        search->scale[k] = s[k];
        search->most = fmax(search->most, fabs(s[k]));
        if (s[k] != 0 && search->used++ < 2)
            search->two[search->used - 1] = k;
    }
    if (search->used == 2 && !learn)
        search->n_simple = fractions(fabs(s[search->two[0]] / s[search->two[1]]), search->simple);
    return search;
}

void
si_multipliers_free(si_multipliers *search)
{
    if (search)
        free(search->excluded);
    free(search);
}

/* a d[0] + b d[1] > 0 as a bound of a / b, with a and b the magnitudes of the two multipliers. */
static void
bound_ratio(si_multipliers *search, const int64_t *d)
{
    int first = search->two[0], second = search->two[1];
    int64_t x = search->scale[first] < 0 ? -d[first] : d[first];
    int64_t y = search->scale[second] < 0 ? -d[second] : d[second];
    if (x > 0 && -y * search->lo.den > search->lo.num * x)
        search->lo = (fraction){-y, x};
    else if (x < 0 && y * search->hi.den < search->hi.num * -x)
        search->hi = (fraction){y, -x};
    else if (x == 0 && y <= 0)
        search->hi = search->lo; /* nothing is left */
}

bool
si_multipliers_exclude(si_multipliers *search, const int64_t *d)
{
    if (search->used == 2)
        bound_ratio(search, d);
    if (search->used == 2 || search->n_excluded == MAX_EXCLUDED)
        return true;
    if (search->n_excluded == search->cap_excluded) {
        int cap = search->cap_excluded ? 2 * search->cap_excluded : 16;
        void *p = realloc(search->excluded, (size_t)cap * sizeof(*search->excluded));
        if (!p)
            return false;
        search->excluded = p;
        search->cap_excluded = cap;
    }
    memcpy(search->excluded[search->n_excluded++], d, (size_t)search->n * sizeof(*d));
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
set_two(const si_multipliers *search, fraction f, int64_t *m)
{
    memset(m, 0, (size_t)search->n * sizeof(*m));
    m[search->two[0]] = search->scale[search->two[0]] < 0 ? -f.num : f.num;
    m[search->two[1]] = search->scale[search->two[1]] < 0 ? -f.den : f.den;
}

/* The scales over the unit that makes the largest one parts; false: one has no other rounding. */
static bool
rounded(const si_multipliers *search, double parts, int rounding, int64_t *m)
{
    for (int k = 0; k < search->n; k++) {
        double x = search->most == 0 ? 0 : search->scale[k] / search->most * parts,
               q = nearbyint(x);
        if ((rounding >> k & 1) && x == q)
            return false;
        m[k] = (int64_t)q + (rounding >> k & 1 ? (q < x ? 1 : -1) : 0);
    }
    return true;
}

/* The units have few bits, so that every machine gets the same integers. */
static bool
coarse(const si_multipliers *search, int number, int64_t *m)
{
    if (number / OCTAVE >= COARSE_BITS || (search->most == 0 && number > 0))
        return false;
    return rounded(search, ldexp(OCTAVE + number % OCTAVE, number / OCTAVE - 5), 0, m);
}

static bool
fine(si_multipliers *search, int64_t *m)
{
    int roundings = search->used <= MAX_ROUNDED ? 1 << search->n : 1;
    do {
        if (search->largest == 0 || ++search->rounding >= roundings) {
            search->rounding = 0;
            search->largest += search->largest < FINE ? 1 : search->largest / FINE;
        }
        if (search->largest >> MAX_BITS || (search->most == 0 && search->largest > 1))
            return false;
    } while (!rounded(search, (double)search->largest, search->rounding, m));
    return true;
}

/* Is m a multiple of an earlier candidate, or the last one again? */
static bool
seen_before(const si_multipliers *search, const int64_t *m)
{
    int64_t g = 0;
    for (int k = 0; k < search->n; k++)
        for (int64_t a = llabs(m[k]), r; a != 0; a = r) {
            r = g == 0 ? 0 : g % a;
            g = a;
        }
    return g > 1 || (g == 1 && memcmp(m, search->last, (size_t)search->n * sizeof(*m)) == 0);
}

/* Does a difference reject m? It moves to the end, where the search begins. */
static bool
is_excluded(si_multipliers *search, const int64_t *m, int64_t *work)
{
    for (int i = search->n_excluded - 1; i >= 0; i--) {
        int64_t sum = 0, d[SI_MAX_TERMS];
        ++*work;
        for (int k = 0; k < search->n; k++)
            sum += m[k] * search->excluded[i][k];
        if (sum > 0)
            continue;
        memcpy(d, search->excluded[i], sizeof d);
        memcpy(search->excluded[i], search->excluded[search->n_excluded - 1], sizeof d);
        memcpy(search->excluded[search->n_excluded - 1], d, sizeof d);
        return true;
    }
    return false;
}

bool
si_multipliers_next(si_multipliers *search, int64_t *m, int64_t *work)
{
    fraction f;
    if (search->learn && search->used == 2) {
        if (!simplest(search->lo, search->hi, &f))
            return false;
        set_two(search, f, m);
        return true;
    }
    if (search->next < search->n_simple) {
        set_two(search, search->simple[search->next++], m);
        return true;
    }
    while (search->learn ? fine(search, m) : coarse(search, search->next++ - search->n_simple, m)) {
        if (seen_before(search, m))
            continue;
        memcpy(search->last, m, (size_t)search->n * sizeof(*m));
        ++*work;
        if (!is_excluded(search, m, work))
            return true;
    }
    return false;
}
