/* threshold_search.c: where the codes of a chain step, for all variants at once.
 *
 * Narrow intervals are evaluated in full. Else each level of each variant is a bracket, lo
 * before_via and hi at or above the level, that shrinks around a guess until they touch: so the
 * chain was evaluated on both operands of every threshold that is returned.
 */
#include "integer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SWEEP_RANGE ((int64_t)1 << 12)
#define SWEEP_CELLS ((int64_t)1 << 20)
#define TRY_CELLS   ((int64_t)1 << 23)
#define MAX_LEVELS  ((int64_t)1 << 24) /* of all variants */
#define LANE_LEVELS ((int64_t)1 << 20)
#define MAX_STEP    ((int64_t)1 << 60)

typedef struct bracket {
    int64_t lo, hi, step;
    int8_t operand; /* of all probes so far; 2: both operands were met */
} bracket;

void
si_thresholds_free(si_thresholds *p, int64_t n)
{
    for (int64_t i = 0; p && i < n; i++) {
        free(p[i].t);
        free(p[i].table);
    }
    free(p);
}

/* Thresholds from all codes c[0], c[stride], ... of one variant. */
static bool
from_table(si_state *S, si_thresholds *p, const int64_t *c, int64_t stride)
{
    int64_t n = p->hi - p->lo + 1;
    bool up = true, down = true;
    p->cmin = p->cmax = c[0];
    for (int64_t i = 1; i < n; i++) {
        int64_t v = c[i * stride], before = c[(i - 1) * stride];
        up = up && v >= before;
        down = down && v <= before;
        p->cmin = v < p->cmin ? v : p->cmin;
        p->cmax = v > p->cmax ? v : p->cmax;
    }
    if (p->cmax - p->cmin > LANE_LEVELS)
        return si_no(S, "it would need too many thresholds");
    p->dir = up && down ? 0 : up ? 1 : down ? -1 : 2;
    if (p->dir == 0)
        return true;
    int64_t *out = malloc((size_t)(p->dir == 2 ? n : p->cmax - p->cmin) * sizeof(*out) + 1);
    if (!out)
        return si_fail(S, nashc_enomem(S->diag));
    if (p->dir == 2) {
        for (int64_t i = 0; i < n; i++)
            out[i] = c[i * stride];
        p->table = out;
        return true;
    }
    int64_t k = 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t at = p->dir > 0 ? i : n - 1 - i;
        while (k < c[at * stride] - p->cmin)
            out[k++] = p->dir > 0 ? p->lo + at : -(p->lo + at);
    }
    p->t = out;
    return true;
}

static bool
sweep(si_state *S, si_chain *l, si_thresholds *p, int64_t n, int64_t width)
{
    double *x = malloc((size_t)(n * width) * sizeof(*x));
    int64_t *c = malloc((size_t)(n * width) * sizeof(*c));
    bool ok = x && c;
    if (!ok)
        si_fail(S, nashc_enomem(S->diag));
    for (int64_t k = 0; ok && k < width; k++)
        for (int64_t i = 0; i < n; i++)
            x[k * n + i] = (double)(p[i].lo + k < p[i].hi ? p[i].lo + k : p[i].hi);
    ok = ok && si_chain_eval(S, l, NULL, n, width, x, false, c);
    for (int64_t i = 0; ok && i < n; i++)
        ok = from_table(S, &p[i], c + i, n);
    free(x);
    free(c);
    return ok;
}

/* Doubles are ordered as their bits are. Those nearest to zero are left out: no sum of a few
 * products comes that near to it, and differences of two numbers fit 64 bits so. */
#define TINY 0x1p-500

static int64_t
bits_of(double v)
{
    int64_t b;
    memcpy(&b, &v, sizeof b);
    return b;
}

int64_t
si_number_of(double v)
{
    double a = fabs(v);
    if (!(a >= TINY))
        return 0;
    int64_t n = bits_of(a < 1 / TINY ? a : 1 / TINY) - bits_of(TINY) + 1;
    return v < 0 ? -n : n;
}

double
si_real_of(int64_t number)
{
    double v = 0;
    int64_t b = llabs(number) - 1 + bits_of(TINY);
    if (number == 0)
        return 0.0;
    memcpy(&v, &b, sizeof v);
    return number < 0 ? -v : v;
}

static double
value_of(int64_t at, bool real)
{
    return real ? si_real_of(at) : (double)at;
}

/* Codes at both ends of all variants. */
static bool
ends(si_state *S, si_chain *l, si_thresholds *p, int64_t n, bool real)
{
    double *x = calloc((size_t)n * 2, sizeof(*x));
    int64_t *c = malloc((size_t)n * 2 * sizeof(*c));
    bool ok = x && c;
    if (!ok)
        si_fail(S, nashc_enomem(S->diag));
    for (int64_t i = 0; ok && i < n; i++) {
        x[i] = value_of(p[i].lo, real);
        x[n + i] = value_of(p[i].hi, real);
    }
    ok = ok && si_chain_eval(S, l, NULL, n, 2, x, real, c);
    for (int64_t i = 0; ok && i < n; i++) {
        p[i].dir = c[n + i] > c[i] ? 1 : c[n + i] < c[i] ? -1 : 0;
        p[i].cmin = p[i].dir < 0 ? c[n + i] : c[i];
        p[i].cmax = p[i].dir < 0 ? c[i] : c[n + i];
    }
    free(x);
    free(c);
    return ok;
}

static int64_t
probe(const bracket *b)
{
    int64_t at = b->lo + (b->hi - b->lo) / 2;
    if (b->operand == 1)
        at = b->hi - b->step;
    else if (b->operand == -1)
        at = b->lo + b->step;
    return at <= b->lo ? b->lo + 1 : at >= b->hi ? b->hi - 1 : at;
}

static void
met(bracket *b, int64_t at, bool reached)
{
    int8_t operand = reached ? 1 : -1;
    if (reached)
        b->hi = at;
    else
        b->lo = at;
    b->step = b->step < MAX_STEP ? b->step * 4 : b->step;
    b->operand = b->operand == 0 || b->operand == operand ? operand : 2;
}

/* First probes: where the affine form says, else the middle. */
static void
guess(const si_chain *l, const si_thresholds *p, int64_t variant, int64_t k, bool real, bracket *b,
      int64_t *at)
{
    double n;
    int64_t number = 0;
    b->step = 1;
    b->operand = 0;
    *at = b->lo + (b->hi - b->lo) / 2;
    if (!si_chain_guess(l, variant, (double)(p->cmin + k + 1), &n)) {
        b->operand = 2;
        return;
    }
    if (real) {
        number = si_number_of(n);
        n = (double)(number = p->dir < 0 ? -number : number);
    } else {
        n = ceil(p->dir < 0 ? -n : n);
    }
    *at = !(n > (double)b->lo)   ? b->lo + 1
          : !(n < (double)b->hi) ? b->hi - 1
          : real                 ? number
                                 : (int64_t)n;
}

typedef struct search {
    si_chain *l;
    si_thresholds *p;
    int64_t n;
    bool real;      /* integers are the numbers of doubles */
    int64_t *first; /* first bracket of each variant */
    bracket *b;
    int64_t *open;   /* numbers of the open brackets, by variant */
    int64_t *n_open; /* of each variant */
    int64_t *idx, n_idx;
    double *x;
    int64_t *at, *c, cells; /* probes, as integers too: a double holds 53 bits of them */
} search;

/* Brackets that still gape, gathered; returns the most in one variant. */
static int64_t
gather_open(search *s)
{
    int64_t most = 0;
    s->n_idx = 0;
    for (int64_t i = 0; i < s->n; i++) {
        int64_t k = s->p[i].dir == 0 ? 0 : s->p[i].cmax - s->p[i].cmin, n = 0;
        bracket *b = s->b + s->first[i];
        for (int64_t j = 1; j < k; j++)
            b[j].lo = b[j].lo > b[j - 1].lo ? b[j].lo : b[j - 1].lo;
        for (int64_t j = k - 2; j >= 0; j--)
            b[j].hi = b[j].hi < b[j + 1].hi ? b[j].hi : b[j + 1].hi;
        for (int64_t j = 0; j < k; j++)
            if (b[j].hi - b[j].lo > 1)
                s->open[s->first[i] + n++] = j;
        s->n_open[i] = n;
        if (n)
            s->idx[s->n_idx++] = i;
        most = n > most ? n : most;
    }
    return most;
}

static bool
round_of_probes(si_state *S, search *s, int64_t points, bool first)
{
    int64_t cells = points * s->n_idx;
    if (cells > s->cells) {
        free(s->x);
        free(s->c);
        free(s->at);
        s->at = malloc((size_t)cells * sizeof(*s->at));
        s->x = malloc((size_t)cells * sizeof(*s->x));
        s->c = malloc((size_t)cells * sizeof(*s->c));
        s->cells = cells;
        if (!s->x || !s->c || !s->at)
            return si_fail(S, nashc_enomem(S->diag));
    }
    for (int64_t i = 0; i < s->n_idx; i++) {
        int64_t variant = s->idx[i], n = s->n_open[variant];
        const si_thresholds *p = &s->p[variant];
        for (int64_t k = 0; k < points; k++) {
            int64_t j = s->open[s->first[variant] + (k < n ? k : n - 1)], at;
            bracket *b = s->b + s->first[variant] + j;
            if (first)
                guess(s->l, p, variant, j, s->real, b, &at);
            else
                at = probe(b);
            s->at[k * s->n_idx + i] = at;
            s->x[k * s->n_idx + i] = value_of(p->dir < 0 ? -at : at, s->real);
        }
    }
    if (!si_chain_eval(S, s->l, s->idx, s->n_idx, points, s->x, s->real, s->c))
        return false;
    for (int64_t i = 0; i < s->n_idx; i++) {
        int64_t variant = s->idx[i];
        for (int64_t k = 0; k < s->n_open[variant]; k++) {
            int64_t j = s->open[s->first[variant] + k];
            met(s->b + s->first[variant] + j, s->at[k * s->n_idx + i],
                s->c[k * s->n_idx + i] > s->p[variant].cmin + j);
        }
    }
    return true;
}

static bool
bisect(si_state *S, si_chain *l, si_thresholds *p, int64_t n, bool real, int64_t max)
{
    search s = {.l = l, .p = p, .n = n, .real = real};
    int64_t total = 0, points;
    bool ok = true;

    for (int64_t i = 0; i < n; i++)
        total += p[i].dir == 0 ? 0 : p[i].cmax - p[i].cmin;
    if (total > max)
        return si_no(S, "it would need too many thresholds");
    s.first = malloc((size_t)n * sizeof(int64_t) + 1);
    s.n_open = malloc((size_t)n * sizeof(int64_t) + 1);
    s.idx = malloc((size_t)n * sizeof(int64_t) + 1);
    s.b = malloc((size_t)total * sizeof(bracket) + 1);
    s.open = malloc((size_t)total * sizeof(int64_t) + 1);
    if (!s.first || !s.n_open || !s.idx || !s.b || !s.open)
        ok = si_fail(S, nashc_enomem(S->diag));
    total = 0;
    for (int64_t i = 0; ok && i < n; i++) {
        int64_t k = p[i].dir == 0 ? 0 : p[i].cmax - p[i].cmin;
        s.first[i] = total;
        for (int64_t j = 0; j < k; j++)
            s.b[total++] = (bracket){.lo = p[i].dir < 0 ? -p[i].hi : p[i].lo,
                                     .hi = p[i].dir < 0 ? -p[i].lo : p[i].hi};
    }
    bool first = true;
    while (ok && (points = gather_open(&s)) > 0) {
        ok = round_of_probes(S, &s, points, first);
        first = false;
    }
    for (int64_t i = 0; ok && i < n; i++) {
        int64_t k = p[i].dir == 0 ? 0 : p[i].cmax - p[i].cmin;
        if (k == 0)
            continue;
        p[i].t = malloc((size_t)k * sizeof(int64_t));
        ok = p[i].t || si_fail(S, nashc_enomem(S->diag));
        for (int64_t j = 0; ok && j < k; j++)
            p[i].t[j] = s.b[s.first[i] + j].hi;
    }
    free(s.first);
    free(s.n_open);
    free(s.idx);
    free(s.b);
    free(s.open);
    free(s.x);
    free(s.at);
    free(s.c);
    return ok;
}

bool
si_thresholds_real(si_state *S, si_chain *l, si_thresholds *p, int64_t max)
{
    int64_t n = si_chain_variants(l);
    return ends(S, l, p, n, true) && bisect(S, l, p, n, true, max);
}

si_thresholds *
si_thresholds_find(si_state *S, si_chain *l, bool rises)
{
    int64_t n = si_chain_variants(l), width = 1;
    si_thresholds *p = calloc((size_t)n, sizeof(*p));
    bool ok;

    if (!p) {
        si_fail(S, nashc_enomem(S->diag));
        return NULL;
    }
    for (int64_t i = 0; i < n; i++) {
        p[i].lo = (int64_t)si_chain_lo(l, i);
        p[i].hi = (int64_t)si_chain_hi(l, i);
        if (p[i].hi - p[i].lo + 1 > width)
            width = p[i].hi - p[i].lo + 1;
    }
    if (width > (int64_t)1 << 61)
        ok = si_no(S, "its integers are wider than 61 bits");
    else if (width <= SWEEP_RANGE && width * n <= SWEEP_CELLS)
        ok = sweep(S, l, p, n, width);
    else if (rises)
        ok = ends(S, l, p, n, false) && bisect(S, l, p, n, false, MAX_LEVELS);
    else if (width <= TRY_CELLS / n)
        ok = sweep(S, l, p, n, width);
    else
        ok = si_no(S, "the function in front of it is not monotone by construction, and its "
                      "integers are too many to try them all");
    if (ok)
        return p;
    si_thresholds_free(p, n);
    return NULL;
}
