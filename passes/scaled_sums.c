/* scaled_sums.c: multipliers of a pending sum that are right for every combination of integers.
 *
 *     v = left(i, j, ..) + right(k, ..)      the real value, added as M adds it
 *     u = m_i i + m_j j + .. + m_k k + ..    what the hardware adds
 *
 * A tail that rises has for each code the least double T with which it is reached. The multipliers
 * are right for it if max u over all v < T is less than min u over all v >= T; that minimum is the
 * threshold of u. Both are found in one walk over the combinations of the left and of the right
 * operand, sorted by their values: as rounding is monotone, each left one splits the right ones in
 * two runs. So the cost is that of the two sides, not of their product.
 */
#include "scaled.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SIDE  ((int64_t)1 << 20) /* combinations of one operand of the sum */
#define ALL_SIDES ((int64_t)1 << 22) /* of all lanes */
#define MAX_WORK  ((int64_t)1 << 28)
#define MAX_PAIRS ((int64_t)1 << 21) /* of one lane, where the tail is not monotone */
#define ALL_PAIRS ((int64_t)1 << 24) /* of all lanes */
#define MAX_TABLE ((int64_t)1 << 16) /* integers of u there */
#define MAX_CODES ((int64_t)1 << 22) /* of one lane */
#define MAX_REAL  0x1p400
#define MAX_INT   0x1p32 /* so that u with multipliers of 26 bits fits 64 */

/* One integer tensor in a lane: lo, lo + step, ..., n of them; scale in the whole sum. */
typedef struct leaf {
    int64_t lo, n, step;
    double s, b, scale;
} leaf;

/* All combinations of the integers of one operand; the last leaf counts fastest. */
typedef struct side {
    int leaf, n_leaf;
    int64_t n;
    double *v;    /* rising */
    int32_t *pos; /* of combination c in v */
} side;

typedef struct lane {
    leaf leaf[SI_MAX_TERMS];
    int n_leaf, n_inner;
    double inner[SI_MAX_TERMS][2]; /* factor and offset of each sum inside the sum */
    side side[2];
    bool borrowed; /* the sides are those of an earlier lane */
    double *split; /* least value above each step of the code */
    int64_t n_split;
    int64_t *code; /* of all pairs of left and right, where it neither rises nor falls */
    si_step *step;
} lane;

typedef struct search {
    lane *lane;
    int64_t n;
    int64_t *u[2], *raw, *most, *least; /* scratch for the longest side */
    int64_t work;
    int64_t hard_lane, hard_split; /* where the last candidate failed */
} search;

/* --- real values -------------------------------------------------------------------------------
 */

static void
leaves_of_lane(const si_lanes *l, const si_base *sum, int64_t at, lane *p)
{
    int64_t e = si_lanes_element(l, at);
    const nashc_type *t = nashc_value_type(sum->origin);
    int first[2 * SI_MAX_TERMS], top = 0; /* first leaf of each value on the stack */
    p->n_leaf = p->n_inner = 0;
    for (int i = 0; i < sum->n_term; i++) {
        const si_val *x = sum->term[i].x;
        double s = sum->term[i].sign * si_at(&x->s, t, e);
        if (!x->base->ival) {
            top--;
            p->inner[p->n_inner][0] = s;
            p->inner[p->n_inner++][1] = sum->term[i].sign * si_at(&x->b, t, e);
            for (int k = first[top - 1]; k < p->n_leaf; k++)
                p->leaf[k].scale *= s;
            continue;
        }
        const nashc_type *xt = nashc_value_type(x->base->ival);
        int64_t f = nashc_broadcast_index(xt, t, e);
        leaf *q = &p->leaf[p->n_leaf];
        q->lo = (int64_t)si_at(&x->base->lo, xt, f);
        q->step = xt->kind == NASHC_K_BIP ? 2 : 1;
        q->n = ((int64_t)si_at(&x->base->hi, xt, f) - q->lo) / q->step + 1;
        q->s = q->scale = s;
        q->b = sum->term[i].sign * si_at(&x->b, t, e);
        first[top++] = p->n_leaf++;
    }
}

static bool
same_leaves(const lane *a, const lane *b, bool scales_only)
{
    bool same = true;
    for (int k = 0; same && !scales_only && k < a->n_inner; k++)
        same = a->inner[k][0] == b->inner[k][0] && a->inner[k][1] == b->inner[k][1];
    for (int k = 0; same && k < a->n_leaf; k++) {
        const leaf *x = &a->leaf[k], *y = &b->leaf[k];
        same = x->scale == y->scale &&
               (scales_only || (x->lo == y->lo && x->n == y->n && x->s == y->s && x->b == y->b));
    }
    return same;
}

/* Sizes of both sides; false: too many combinations. */
static bool
measure(const si_base *sum, lane *p)
{
    int n_left = 0;
    for (int i = 0; i < sum->n_left; i++)
        n_left += sum->term[i].x->base->ival != NULL;
    for (int h = 0; h < 2; h++) {
        side *d = &p->side[h];
        *d = (side){.leaf = h ? n_left : 0, .n_leaf = h ? p->n_leaf - n_left : n_left, .n = 1};
        for (int k = 0; k < d->n_leaf; k++) {
            const leaf *q = &p->leaf[d->leaf + k];
            if (q->n > MAX_SIDE / d->n || fabs((double)q->lo) > MAX_INT)
                return false;
            d->n *= q->n;
        }
    }
    return true;
}

typedef struct stack {
    double *v[SI_MAX_TERMS];
    int64_t n[SI_MAX_TERMS];
    int top;
} stack;

static bool
push_leaf(stack *k, const leaf *q)
{
    double *v = malloc((size_t)q->n * sizeof(*v));
    for (int64_t i = 0; v && i < q->n; i++)
        v[i] = q->s * (double)(q->lo + q->step * i) + q->b;
    k->n[k->top] = q->n;
    k->v[k->top] = v;
    k->top += v != NULL;
    return v != NULL;
}

/* The two topmost become their sum, times s, plus b. */
static bool
add_two(stack *k, double s, double b)
{
    double *x = k->v[k->top - 2], *y = k->v[k->top - 1];
    int64_t n = k->n[k->top - 2], n_y = k->n[k->top - 1];
    double *v = malloc((size_t)(n * n_y) * sizeof(*v));
    if (!v)
        return false;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n_y; j++)
            v[i * n_y + j] = s * (x[i] + y[j]) + b;
    free(x);
    free(y);
    k->top--;
    k->v[k->top - 1] = v;
    k->n[k->top - 1] = n * n_y;
    return true;
}

/* Values of all combinations of a side, by combination; NULL: out of memory. */
static double *
values(const si_base *sum, const lane *p, int h)
{
    const leaf *q = p->leaf;
    const double(*inner)[2] = p->inner;
    stack k = {.top = 0};
    bool ok = true;
    for (int i = 0; ok && i < (h ? sum->n_term : sum->n_left); i++) {
        bool is_leaf = sum->term[i].x->base->ival != NULL, mine = h == 0 || i >= sum->n_left;
        if (mine)
            ok = is_leaf ? push_leaf(&k, q) : add_two(&k, (*inner)[0], (*inner)[1]);
        q += is_leaf;
        inner += !is_leaf;
    }
    while (!ok && k.top > 0)
        free(k.v[--k.top]);
    return ok ? k.v[0] : NULL;
}

typedef struct keyed {
    double v;
    int32_t c;
} keyed;

static int
by_value(const void *a, const void *b)
{
    const keyed *x = a, *y = b;
    return x->v != y->v ? (x->v < y->v ? -1 : 1) : (x->c > y->c) - (x->c < y->c);
}

/* Values of one tensor rise or fall already. */
static bool
in_order(side *d, bool falling)
{
    for (int64_t i = 1; i < d->n; i++)
        if (falling ? d->v[i] > d->v[i - 1] : d->v[i] < d->v[i - 1])
            return false;
    for (int64_t i = 0, k = d->n - 1; i < d->n; i++, k--) {
        d->pos[i] = (int32_t)(falling ? k : i);
        if (falling && i < k) {
            double v = d->v[i];
            d->v[i] = d->v[k];
            d->v[k] = v;
        }
    }
    return true;
}

static bool
sort_side(side *d)
{
    d->pos = malloc((size_t)d->n * sizeof(*d->pos));
    if (!d->pos)
        return false;
    if (in_order(d, false) || in_order(d, true))
        return true;
    keyed *k = malloc((size_t)d->n * sizeof(*k));
    if (!k)
        return false;
    for (int64_t c = 0; c < d->n; c++)
        k[c] = (keyed){.v = d->v[c], .c = (int32_t)c};
    qsort(k, (size_t)d->n, sizeof(*k), by_value);
    for (int64_t i = 0; i < d->n; i++) {
        d->v[i] = k[i].v;
        d->pos[k[i].c] = (int32_t)i;
    }
    free(k);
    return true;
}

/* Both sides of all lanes, as far as they differ. */
static bool
make_sides(si_state *S, const si_lanes *l, const si_base *sum, search *z)
{
    int64_t total = 0;
    for (int64_t i = 0; i < z->n; i++) {
        lane *p = &z->lane[i];
        leaves_of_lane(l, sum, i, p);
        p->borrowed = i > 0 && same_leaves(p, p - 1, false);
        if (p->borrowed)
            memcpy(p->side, p[-1].side, sizeof p->side);
        else if (!measure(sum, p) || (total += p->side[0].n + p->side[1].n) > ALL_SIDES)
            return false;
        for (int h = 0; h < 2 && !p->borrowed; h++) {
            p->side[h].v = values(sum, p, h);
            if (!p->side[h].v || !sort_side(&p->side[h]))
                return si_fail(S, nashc_enomem(S->diag));
        }
    }
    return true;
}

/* --- one candidate -----------------------------------------------------------------------------
 */

/* u of a side with multipliers m of its leaves, sorted as the values are. */
static void
weigh(const lane *p, const side *d, const int64_t *m, int64_t *raw, int64_t *u)
{
    int64_t n = 1;
    raw[0] = 0;
    for (int k = d->leaf; k < d->leaf + d->n_leaf; n *= p->leaf[k++].n)
        for (int64_t i = n - 1; i >= 0; i--) { /* in place, from the end */
            const leaf *q = &p->leaf[k];
            int64_t before = raw[i];
            for (int64_t j = 0; j < q->n; j++)
                raw[i * q->n + j] = before + m[k] * (q->lo + q->step * j);
        }
    for (int64_t c = 0; c < n; c++)
        u[d->pos[c]] = raw[c];
}

static void
weigh_both(search *z, const lane *p, const int64_t *m)
{
    int64_t n = p->side[1].n;
    for (int h = 0; h < 2; h++)
        weigh(p, &p->side[h], m, z->raw, z->u[h]);
    for (int64_t i = 0; i < n; i++)
        z->most[i] = i && z->most[i - 1] > z->u[1][i] ? z->most[i - 1] : z->u[1][i];
    for (int64_t i = n - 1; i >= 0; i--)
        z->least[i] = i < n - 1 && z->least[i + 1] < z->u[1][i] ? z->least[i + 1] : z->u[1][i];
    z->work += p->side[0].n + 2 * n;
}

/* Largest u below a split and least u above it, and the left combinations they have with how many
 * right ones lie below. */
typedef struct gap {
    int64_t below, above;
    int64_t below_left, below_right, above_left, above_right;
} gap;

static gap
gap_at(search *z, const lane *p, double split)
{
    const side *x = &p->side[0], *y = &p->side[1];
    gap g = {.below = INT64_MIN, .above = INT64_MAX};
    int64_t j = y->n;
    for (int64_t i = 0; i < x->n; i++) {
        while (j > 0 && x->v[i] + y->v[j - 1] >= split)
            j--;
        int64_t u = z->u[0][i];
        if (j > 0 && u + z->most[j - 1] > g.below) {
            g.below = u + z->most[j - 1];
            g.below_left = i;
            g.below_right = j;
        }
        if (j < y->n && u + z->least[j] < g.above) {
            g.above = u + z->least[j];
            g.above_left = i;
            g.above_right = j;
        }
    }
    z->work += x->n + y->n;
    return g;
}

/* Adds sign times the integers of a side at position i to d. */
static void
add_integers(const lane *p, const side *x, int64_t i, int64_t sign, int64_t *d)
{
    int64_t c = 0;
    while (x->pos[c] != i)
        c++;
    for (int k = x->leaf + x->n_leaf - 1; k >= x->leaf; k--) {
        const leaf *q = &p->leaf[k];
        d[k] += sign * (q->lo + q->step * (c % q->n));
        c /= q->n;
    }
}

/* What is wrong at g: the integers above less those below. */
static void
difference(const search *z, const lane *p, const gap *g, int64_t *d)
{
    const side *y = &p->side[1];
    int64_t below = g->below_right - 1, above = g->above_right;
    while (z->u[1][below] != z->most[g->below_right - 1])
        below--;
    while (z->u[1][above] != z->least[g->above_right])
        above++;
    memset(d, 0, SI_MAX_TERMS * sizeof(*d));
    add_integers(p, &p->side[0], g->below_left, -1, d);
    add_integers(p, y, below, -1, d);
    add_integers(p, &p->side[0], g->above_left, 1, d);
    add_integers(p, y, above, 1, d);
}

/* Is m right for all splits of the lane? Else d is why not. Steps are filled in as it goes. */
static bool
right_for_lane(search *z, lane *p, const int64_t *m, int64_t first, int64_t *d)
{
    si_step *s = p->step;
    int64_t known = -1;
    gap g = {0};
    weigh_both(z, p, m);
    s->lo = s->hi = z->u[0][0];
    for (int64_t i = 1; i < p->side[0].n; i++) {
        s->lo = z->u[0][i] < s->lo ? z->u[0][i] : s->lo;
        s->hi = z->u[0][i] > s->hi ? z->u[0][i] : s->hi;
    }
    s->lo += z->least[0];
    s->hi += z->most[p->side[1].n - 1];
    for (int64_t i = 0; i < p->n_split; i++) {
        int64_t k = (first + i) % p->n_split;
        if (known < 0 || p->split[k] != p->split[known])
            g = gap_at(z, p, p->split[k]);
        known = k;
        if (g.below >= g.above) {
            z->hard_split = k;
            difference(z, p, &g, d);
            return false;
        }
        s->t[k] = s->dir > 0 ? g.above : -g.below;
        if (z->work > MAX_WORK)
            return false;
    }
    return true;
}

/* --- tails that are not monotone by construction ------------------------------------------------
 */

static bool
eval_pairs(si_state *S, si_lanes *l, int64_t at, lane *p)
{
    const side *x = &p->side[0], *y = &p->side[1];
    int64_t n = x->n * y->n;
    double *v = malloc((size_t)n * sizeof(*v));
    p->code = malloc((size_t)n * sizeof(*p->code));
    bool ok = (v && p->code) || si_fail(S, nashc_enomem(S->diag));
    for (int64_t i = 0; ok && i < x->n; i++)
        for (int64_t j = 0; j < y->n; j++)
            v[i * y->n + j] = x->v[i] + y->v[j];
    ok = ok && si_lanes_eval(S, l, &at, 1, n, v, true, p->code);
    free(v);
    return ok;
}

/* Splits of the lane if its codes turn out to rise or fall with the value: least[c], most[c] are
 * the ends of what has code cmin + c. */
static bool
splits_of_codes(si_state *S, lane *p, const double *least, const double *most)
{
    si_step *s = p->step;
    int64_t n = s->cmax - s->cmin, last = 0;
    bool up = true, down = true;
    for (int64_t c = 1; c <= n; c++) {
        if (least[c] > most[c])
            continue;
        up = up && least[c] > most[last];
        down = down && most[c] < least[last];
        last = c;
    }
    s->dir = n == 0 ? 0 : up ? 1 : down ? -1 : 2;
    if (s->dir == 2)
        return true;
    p->n_split = n;
    p->split = malloc((size_t)n * sizeof(*p->split) + 1);
    s->t = malloc((size_t)n * sizeof(*s->t) + 1);
    if (!p->split || !s->t)
        return si_fail(S, nashc_enomem(S->diag));
    last = n;
    for (int64_t c = n; c >= 1; c--) { /* codes that do not occur are passed with the next */
        int64_t below = c - 1;
        last = least[c] <= most[c] ? c : last;
        while (least[below] > most[below])
            below--;
        p->split[c - 1] = up ? least[last] : least[below];
    }
    free(p->code);
    p->code = NULL;
    return true;
}

static bool
classify(si_state *S, lane *p)
{
    const side *x = &p->side[0], *y = &p->side[1];
    si_step *s = p->step;
    s->cmin = s->cmax = p->code[0];
    for (int64_t i = 1; i < x->n * y->n; i++) {
        s->cmin = p->code[i] < s->cmin ? p->code[i] : s->cmin;
        s->cmax = p->code[i] > s->cmax ? p->code[i] : s->cmax;
    }
    int64_t n = s->cmax - s->cmin + 1;
    if (n > MAX_CODES)
        return false;
    double *least = malloc((size_t)n * 2 * sizeof(*least)), *most = least + n;
    if (!least)
        return si_fail(S, nashc_enomem(S->diag));
    for (int64_t c = 0; c < n; c++) {
        least[c] = INFINITY;
        most[c] = -INFINITY;
    }
    for (int64_t i = 0, at = 0; i < x->n; i++)
        for (int64_t j = 0; j < y->n; j++, at++) {
            int64_t c = p->code[at] - s->cmin;
            least[c] = fmin(least[c], x->v[i] + y->v[j]);
            most[c] = fmax(most[c], x->v[i] + y->v[j]);
        }
    bool ok = splits_of_codes(S, p, least, most);
    free(least);
    return ok;
}

/* Is the code a function of u? Between those u that occur it is the one before. */
static bool
table_of_u(si_state *S, search *z, lane *p, const int64_t *m)
{
    const side *x = &p->side[0], *y = &p->side[1];
    si_step *s = p->step;
    bool one = true;
    s->lo = s->hi = 0;
    for (int k = 0; k < p->n_leaf; k++) {
        const leaf *q = &p->leaf[k];
        int64_t a = m[k] * q->lo, b = m[k] * (q->lo + q->step * (q->n - 1));
        s->lo += a < b ? a : b;
        s->hi += a < b ? b : a;
    }
    int64_t n = s->hi - s->lo + 1;
    if (n > MAX_TABLE)
        return false;
    weigh_both(z, p, m);
    z->work += x->n * y->n + n;
    free(s->table);
    s->table = malloc((size_t)n * sizeof(*s->table));
    if (!s->table)
        return si_fail(S, nashc_enomem(S->diag));
    for (int64_t u = 0; u < n; u++)
        s->table[u] = INT64_MIN;
    for (int64_t i = 0, at = 0; one && i < x->n; i++)
        for (int64_t j = 0; j < y->n; j++, at++) {
            int64_t *c = &s->table[z->u[0][i] + z->u[1][j] - s->lo];
            one = one && (*c == INT64_MIN || *c == p->code[at]);
            *c = p->code[at];
        }
    for (int64_t u = 1; one && u < n; u++)
        s->table[u] = s->table[u] == INT64_MIN ? s->table[u - 1] : s->table[u];
    return one;
}

/* --- search ------------------------------------------------------------------------------------
 */

/* The thresholds of all lanes as real numbers. */
static bool
find_splits(si_state *S, si_lanes *l, search *z, si_step *step)
{
    int64_t work = 0;
    for (int64_t i = 0; i < z->n; i++) {
        const side *x = &z->lane[i].side[0], *y = &z->lane[i].side[1];
        double lo = x->v[0] + y->v[0], hi = x->v[x->n - 1] + y->v[y->n - 1];
        if (!(fabs(lo) < MAX_REAL && fabs(hi) < MAX_REAL))
            return false;
        step[i].lo = si_number_of(lo);
        step[i].hi = si_number_of(hi);
    }
    if (!si_steps_real(S, l, step))
        return false;
    for (int64_t i = 0; i < z->n; i++) {
        lane *p = &z->lane[i];
        p->n_split = step[i].dir == 0 ? 0 : step[i].cmax - step[i].cmin;
        p->split = malloc((size_t)p->n_split * sizeof(double) + 1);
        if (!p->split)
            return si_fail(S, nashc_enomem(S->diag));
        for (int64_t k = 0; k < p->n_split; k++)
            p->split[k] = si_real_of(step[i].dir > 0 ? step[i].t[k] : 1 - step[i].t[k]);
        work += p->n_split * (p->side[0].n + p->side[1].n);
    }
    return work <= MAX_WORK / 2;
}

/* The codes of all pairs. */
static bool
find_codes(si_state *S, si_lanes *l, search *z)
{
    int64_t total = 0;
    for (int64_t i = 0; i < z->n; i++) {
        const side *d = z->lane[i].side;
        if (d[0].n > MAX_PAIRS / d[1].n || (total += d[0].n * d[1].n) > ALL_PAIRS)
            return false;
    }
    for (int64_t i = 0; i < z->n; i++)
        if (!eval_pairs(S, l, i, &z->lane[i]) || !classify(S, &z->lane[i]))
            return false;
    return true;
}

static bool
make_scratch(si_state *S, search *z)
{
    int64_t n = 1;
    for (int64_t i = 0; i < z->n; i++)
        for (int h = 0; h < 2; h++)
            n = z->lane[i].side[h].n > n ? z->lane[i].side[h].n : n;
    z->raw = malloc((size_t)n * 5 * sizeof(*z->raw));
    if (!z->raw)
        return si_fail(S, nashc_enomem(S->diag));
    z->u[0] = z->raw + n;
    z->u[1] = z->raw + 2 * n;
    z->most = z->raw + 3 * n;
    z->least = z->raw + 4 * n;
    return true;
}

/* Is m right for the lanes from..from + n - 1? */
static bool
right(si_state *S, search *z, si_multipliers *c, int64_t from, int64_t n, const int64_t *m)
{
    int64_t d[SI_MAX_TERMS], hard = z->hard_lane - from;
    for (int64_t i = 0; i < n; i++) {
        int64_t at = (hard + i) % n;
        lane *p = &z->lane[from + at];
        bool ok = p->code ? table_of_u(S, z, p, m)
                          : right_for_lane(z, p, m, at == hard ? z->hard_split : 0, d);
        if (ok)
            continue;
        z->hard_lane = from + at;
        if (!p->code && z->work <= MAX_WORK && !si_multipliers_exclude(c, d))
            si_fail(S, nashc_enomem(S->diag));
        return false;
    }
    return true;
}

/* Multipliers for n lanes with the same scales. */
static bool
find(si_state *S, search *z, int64_t from, int64_t n, int64_t *m)
{
    lane *p = &z->lane[from];
    double s[SI_MAX_TERMS];
    int64_t one[SI_MAX_TERMS];
    bool found = false, learn = true;
    for (int k = 0; k < p->n_leaf; k++)
        s[k] = p->leaf[k].scale;
    for (int64_t i = 0; i < n; i++)
        learn = learn && !p[i].code;
    si_multipliers *c = si_multipliers_create(s, p->n_leaf, learn);
    if (!c)
        return si_fail(S, nashc_enomem(S->diag));
    z->hard_lane = from;
    z->hard_split = 0;
    while (!found && S->st == NASHC_OK && z->work <= MAX_WORK && si_multipliers_next(c, one))
        found = right(S, z, c, from, n, one);
    si_multipliers_free(c);
    for (int64_t i = from; found && i < from + n; i++)
        for (int k = 0; k < p->n_leaf; k++)
            m[k * z->n + i] = one[k];
    return found && S->st == NASHC_OK;
}

static void
drop_lanes(search *z)
{
    for (int64_t i = 0; z->lane && i < z->n; i++) {
        lane *p = &z->lane[i];
        for (int h = 0; h < 2 && !p->borrowed; h++) {
            free(p->side[h].v);
            free(p->side[h].pos);
        }
        free(p->split);
        free(p->code);
    }
    free(z->lane);
    free(z->raw);
}

si_step *
si_steps_of_sum(si_state *S, si_lanes *l, const si_base *sum, bool rises, int64_t *m)
{
    search z = {.n = si_lanes_count(l)};
    si_step *out = calloc((size_t)z.n, sizeof(*out));
    z.lane = calloc((size_t)z.n, sizeof(*z.lane));
    bool ok = (out && z.lane) || si_fail(S, nashc_enomem(S->diag)), same = true;
    for (int64_t i = 0; ok && i < z.n; i++)
        z.lane[i].step = &out[i];
    ok = ok && make_sides(S, l, sum, &z) && make_scratch(S, &z) &&
         (rises ? find_splits(S, l, &z, out) : find_codes(S, l, &z));
    for (int64_t i = 1; ok && i < z.n; i++)
        same = same && same_leaves(&z.lane[i], &z.lane[0], true);
    bool shared = ok && same && find(S, &z, 0, z.n, m);
    for (int64_t i = 0; ok && !shared && z.n > 1 && i < z.n; i++)
        ok = find(S, &z, i, 1, m);
    ok = ok && (shared || z.n > 1);
    drop_lanes(&z);
    if (ok)
        return out;
    si_steps_free(out, z.n);
    return NULL;
}
