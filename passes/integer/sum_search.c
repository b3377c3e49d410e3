/* sum_search.c: multipliers of a pending sum that are right for every combination of integers.
 *
 *     v = left(i, j, ..) + right(k, ..)      the real value, added as the model adds it
 *     u = m_i i + m_j j + .. + m_k k + ..    what the hardware adds
 *
 * A chain that rises has for each code the least double T with which it is reached. The multipliers
 * are right for it if max u over all v < T is less than min u over all v >= T; that minimum is the
 * threshold of u. Both are found in one walk over the combinations of the left and of the right
 * operand, sorted by their values: as rounding is monotone, each left one splits the right ones in
 * two runs. So the cost is that of the two operands, not of their product.
 */
#include "sum_search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_WORK ((int64_t)1 << 28)
#define MAX_REAL 0x1p400

/* --- one candidate -----------------------------------------------------------------------------
 */

/* Largest u before_via a split and least u above it, and the left combinations they have with how
 * many right ones lie before_via. */
typedef struct gap {
    int64_t before_via, above;
    int64_t below_left, below_right, above_left, above_right;
} gap;

static gap
gap_at(si_search *z, const si_sum_variant *p, double split)
{
    const si_sum_operand *x = &p->operand[0], *y = &p->operand[1];
    gap g = {.before_via = INT64_MIN, .above = INT64_MAX};
    int64_t j = y->n;
    for (int64_t i = 0; i < x->n; i++) {
        while (j > 0 && x->v[i] + y->v[j - 1] >= split)
            j--;
        int64_t u = z->u[0][i];
        if (j > 0 && u + z->most[j - 1] > g.before_via) {
            g.before_via = u + z->most[j - 1];
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

/* Adds sign times the integers of a operand at position i to d. */
static void
add_integers(const si_sum_variant *p, const si_sum_operand *x, int64_t i, int64_t sign, int64_t *d)
{
    int64_t c = 0;
    while (x->pos[c] != i)
        c++;
    for (int k = x->leaf + x->n_leaf - 1; k >= x->leaf; k--) {
        const si_leaf *q = &p->leaf[k];
        d[k] += sign * (q->lo + q->step * (c % q->n));
        c /= q->n;
    }
}

/* What is wrong at g: the integers above less those before_via. */
static void
difference(const si_search *z, const si_sum_variant *p, const gap *g, int64_t *d)
{
    const si_sum_operand *y = &p->operand[1];
    int64_t before_via = g->below_right - 1, above = g->above_right;
    while (z->u[1][before_via] != z->most[g->below_right - 1])
        before_via--;
    while (z->u[1][above] != z->least[g->above_right])
        above++;
    memset(d, 0, SI_MAX_TERMS * sizeof(*d));
    add_integers(p, &p->operand[0], g->below_left, -1, d);
    add_integers(p, y, before_via, -1, d);
    add_integers(p, &p->operand[0], g->above_left, 1, d);
    add_integers(p, y, above, 1, d);
}

/* Is m right for all splits of the variant? Else d is why not. Steps are filled in as it goes. */
static bool
right_for_variant(si_search *z, si_sum_variant *p, const int64_t *m, int64_t first, int64_t *d)
{
    si_thresholds *s = p->step;
    int64_t known = -1;
    gap g = {0};
    si_operands_weigh(z, p, m);
    s->lo = s->hi = z->u[0][0];
    for (int64_t i = 1; i < p->operand[0].n; i++) {
        s->lo = z->u[0][i] < s->lo ? z->u[0][i] : s->lo;
        s->hi = z->u[0][i] > s->hi ? z->u[0][i] : s->hi;
    }
    s->lo += z->least[0];
    s->hi += z->most[p->operand[1].n - 1];
    for (int64_t i = 0; i < p->n_split; i++) {
        int64_t k = (first + i) % p->n_split;
        if (known < 0 || p->split[k] != p->split[known])
            g = gap_at(z, p, p->split[k]);
        known = k;
        if (g.before_via >= g.above) {
            z->hard_split = k;
            difference(z, p, &g, d);
            return false;
        }
        s->t[k] = s->dir > 0 ? g.above : -g.before_via;
        if (z->work > z->max_work)
            return false;
    }
    return true;
}

/* --- search ------------------------------------------------------------------------------------
 */

/* The thresholds of all variants as real numbers. */
static bool
find_splits(si_state *S, si_chain *l, si_search *z, si_thresholds *step)
{
    int64_t longest = 1;
    for (int64_t i = 0; i < z->n; i++) {
        const si_sum_operand *x = &z->variant[i].operand[0], *y = &z->variant[i].operand[1];
        double lo = x->v[0] + y->v[0], hi = x->v[x->n - 1] + y->v[y->n - 1];
        if (!(fabs(lo) < MAX_REAL && fabs(hi) < MAX_REAL))
            return false;
        step[i].lo = si_number_of(lo);
        step[i].hi = si_number_of(hi);
        longest = x->n + y->n > longest ? x->n + y->n : longest;
    }
    if (!si_thresholds_real(S, l, step, MAX_WORK / 2 / longest))
        return false;
    for (int64_t i = 0; i < z->n; i++) {
        si_sum_variant *p = &z->variant[i];
        p->n_split = step[i].dir == 0 ? 0 : step[i].cmax - step[i].cmin;
        p->split = malloc((size_t)p->n_split * sizeof(double) + 1);
        if (!p->split)
            return si_fail(S, nashc_enomem(S->diag));
        for (int64_t k = 0; k < p->n_split; k++)
            p->split[k] = si_real_of(step[i].dir > 0 ? step[i].t[k] : 1 - step[i].t[k]);
    }
    return true;
}

/* Is m right for the variants from..from + n - 1? */
static bool
right(si_state *S, si_search *z, si_multipliers *c, int64_t from, int64_t n, const int64_t *m)
{
    int64_t d[SI_MAX_TERMS], hard = z->hard_variant - from;
    for (int64_t i = 0; i < n; i++) {
        int64_t at = (hard + i) % n;
        si_sum_variant *p = &z->variant[from + at];
        bool ok = p->code ? si_table_of_sum(S, z, p, m)
                          : right_for_variant(z, p, m, at == hard ? z->hard_split : 0, d);
        if (ok)
            continue;
        z->hard_variant = from + at;
        if (!p->code && z->work <= z->max_work && !si_multipliers_exclude(c, d))
            si_fail(S, nashc_enomem(S->diag));
        return false;
    }
    return true;
}

/* Multipliers for n variants with the same scales. */
static bool
find(si_state *S, si_search *z, int64_t from, int64_t n, int64_t *m)
{
    si_sum_variant *p = &z->variant[from];
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
    z->hard_variant = from;
    z->hard_split = 0;
    while (!found && S->st == NASHC_OK && z->work <= z->max_work &&
           si_multipliers_next(c, one, &z->work))
        found = right(S, z, c, from, n, one);
    si_multipliers_free(c);
    for (int64_t i = from; found && i < from + n; i++)
        for (int k = 0; k < p->n_leaf; k++)
            m[k * z->n + i] = one[k];
    return found && S->st == NASHC_OK;
}

si_thresholds *
si_thresholds_of_sum(si_state *S, si_chain *l, const si_tensor *sum, bool rises, int64_t *m)
{
    si_search z = {.n = si_chain_variants(l)};
    si_thresholds *out = calloc((size_t)z.n, sizeof(*out));
    z.variant = calloc((size_t)z.n, sizeof(*z.variant));
    bool ok = (out && z.variant) || si_fail(S, nashc_enomem(S->diag)), same = true;
    for (int64_t i = 0; ok && i < z.n; i++)
        z.variant[i].step = &out[i];
    ok = ok && si_operands_make(S, l, sum, &z) &&
         (rises ? find_splits(S, l, &z, out) : si_table_of_pairs(S, l, &z));
    for (int64_t i = 1; ok && i < z.n; i++)
        same = same && si_operands_same(&z.variant[i], &z.variant[0], true);
    z.max_work = z.n > 1 ? MAX_WORK / 2 : MAX_WORK;
    bool shared = ok && same && find(S, &z, 0, z.n, m);
    z.max_work = MAX_WORK;
    for (int64_t i = 0; ok && !shared && z.n > 1 && i < z.n; i++)
        ok = find(S, &z, i, 1, m);
    ok = ok && (shared || z.n > 1);
    si_operands_drop(&z);
    if (ok)
        return out;
    si_thresholds_free(out, z.n);
    return NULL;
}
