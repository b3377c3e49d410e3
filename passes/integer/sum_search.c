/* sum_search.c: multipliers of a sum that are right for every combination of integers.
 *
 *     v = left(i, j, ..) + right(k, ..)      the real value, added as the model adds it
 *     u = m_i i + m_j j + .. + m_k k + ..    what the hardware adds
 *
 * A function that rises has for each code the least double T with which it is reached, its split.
 * The multipliers are right for it if max u over all v < T is less than min u over all v >= T; that
 * minimum is the threshold of u. Both are found in one walk over the combinations of the left and
 * of the right operand, sorted by their values: as rounding is monotone, each left one splits the
 * right ones in two runs. So the cost is that of the two operands, not of their product.
 */
#include "sum_operands.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_WORK ((int64_t)1 << 28)
#define MAX_REAL 0x1p400

/* --- one candidate -----------------------------------------------------------------------------
 */

/* Largest u below a split and least u above it; for each the left combination it has, and how many
 * right ones lie below the split beside that one. */
typedef struct gap {
    int64_t below, above;
    int64_t below_left, below_right, above_left, above_right;
} gap;

static gap
gap_at(si_sum_search *search, const si_sum_variant *variant, double split)
{
    const si_sum_operand *left = &variant->operand[0], *right = &variant->operand[1];
    gap g = {.below = INT64_MIN, .above = INT64_MAX};
    int64_t j = right->n; /* right ones below the split; falls as i rises */
    for (int64_t i = 0; i < left->n; i++) {
        while (j > 0 && left->v[i] + right->v[j - 1] >= split)
            j--;
        int64_t u = search->u[0][i];
        if (j > 0 && u + search->most[j - 1] > g.below) {
            g.below = u + search->most[j - 1];
            g.below_left = i;
            g.below_right = j;
        }
        if (j < right->n && u + search->least[j] < g.above) {
            g.above = u + search->least[j];
            g.above_left = i;
            g.above_right = j;
        }
    }
    search->work += left->n + right->n;
    return g;
}

/* Adds sign times the integers of an operand at position i to d. */
static void
add_integers(const si_sum_variant *variant, const si_sum_operand *operand, int64_t i, int64_t sign,
             int64_t *d)
{
    int64_t c = 0;
    while (operand->pos[c] != i)
        c++;
    for (int k = operand->leaf + operand->n_leaf - 1; k >= operand->leaf; k--) {
        const si_leaf *leaf = &variant->summands->leaf[k];
        d[k] += sign * (leaf->lo + leaf->step * (c % leaf->n));
        c /= leaf->n;
    }
}

/* What is wrong at g: the integers above less those below, to which m gives no positive sum. */
static void
difference(const si_sum_search *search, const si_sum_variant *variant, const gap *g, int64_t *d)
{
    const si_sum_operand *left = &variant->operand[0], *right = &variant->operand[1];
    int64_t below = g->below_right - 1, above = g->above_right;
    while (search->u[1][below] != search->most[g->below_right - 1])
        below--;
    while (search->u[1][above] != search->least[g->above_right])
        above++;
    memset(d, 0, SI_MAX_TERMS * sizeof(*d));
    add_integers(variant, left, g->below_left, -1, d);
    add_integers(variant, right, below, -1, d);
    add_integers(variant, left, g->above_left, 1, d);
    add_integers(variant, right, above, 1, d);
}

/* Interval of u. */
static void
set_interval(const si_sum_search *search, const si_sum_variant *variant, si_thresholds *found)
{
    const int64_t *left = search->u[0];
    found->lo = found->hi = left[0];
    for (int64_t i = 1; i < variant->operand[0].n; i++) {
        found->lo = left[i] < found->lo ? left[i] : found->lo;
        found->hi = left[i] > found->hi ? left[i] : found->hi;
    }
    found->lo += search->least[0];
    found->hi += search->most[variant->operand[1].n - 1];
}

/* Is m right for all splits of the variant, from number first on? Else d is why not. Thresholds are
 * filled in as it goes. */
static bool
right_for_variant(si_sum_search *search, si_sum_variant *variant, const int64_t *m, int64_t first,
                  int64_t *d)
{
    si_thresholds *found = variant->found;
    int64_t known = -1; /* split that g belongs to */
    gap g = {0};
    si_operands_weigh(search, variant, m);
    set_interval(search, variant, found);
    for (int64_t i = 0; i < variant->n_split; i++) {
        int64_t k = (first + i) % variant->n_split;
        if (known < 0 || variant->split[k] != variant->split[known])
            g = gap_at(search, variant, variant->split[k]);
        known = k;
        if (g.below >= g.above) {
            search->hard_split = k;
            difference(search, variant, &g, d);
            return false;
        }
        found->threshold[k] = found->direction > 0 ? g.above : -g.below;
        if (search->work > search->max_work)
            return false;
    }
    return true;
}

/* --- search ------------------------------------------------------------------------------------
 */

/* Ends of v of all variants, as numbers of doubles; false: too large. */
static bool
set_ends(const si_sum_search *search, si_thresholds *found, int64_t *longest)
{
    *longest = 1;
    for (int64_t i = 0; i < search->n; i++) {
        const si_sum_operand *x = &search->variant[i].operand[0];
        const si_sum_operand *y = &search->variant[i].operand[1];
        double lo = x->v[0] + y->v[0], hi = x->v[x->n - 1] + y->v[y->n - 1];
        if (!(fabs(lo) < MAX_REAL && fabs(hi) < MAX_REAL))
            return false;
        found[i].lo = si_number_of(lo);
        found[i].hi = si_number_of(hi);
        *longest = x->n + y->n > *longest ? x->n + y->n : *longest;
    }
    return true;
}

/* The thresholds of all variants as real numbers. */
static bool
find_splits(si_job *job, si_sum_search *search, si_thresholds *found)
{
    int64_t longest;
    if (!set_ends(search, found, &longest) ||
        !si_thresholds_real(job, search->f, found, MAX_WORK / 2 / longest))
        return false;
    for (int64_t i = 0; i < search->n; i++) {
        si_sum_variant *variant = &search->variant[i];
        const si_thresholds *real = &found[i];
        variant->n_split = real->direction == 0 ? 0 : real->code_max - real->code_min;
        variant->split = malloc((size_t)variant->n_split * sizeof(double) + 1);
        if (!variant->split)
            return si_no_memory(job);
        for (int64_t k = 0; k < variant->n_split; k++)
            variant->split[k] =
                si_real_of(real->direction > 0 ? real->threshold[k] : 1 - real->threshold[k]);
    }
    return true;
}

/* Is m right for the variants from..from + n - 1? */
static bool
right(si_job *job, si_sum_search *search, si_multipliers *candidates, int64_t from, int64_t n,
      const int64_t *m)
{
    int64_t d[SI_MAX_TERMS], hard = search->hard_variant - from;
    for (int64_t i = 0; i < n; i++) {
        int64_t at = (hard + i) % n, split = at == hard ? search->hard_split : 0;
        si_sum_variant *variant = &search->variant[from + at];
        bool ok = variant->code ? si_table_of_sum(job, search, variant, m)
                                : right_for_variant(search, variant, m, split, d);
        if (ok)
            continue;
        search->hard_variant = from + at;
        if (!variant->code && search->work <= search->max_work &&
            !si_multipliers_exclude(candidates, d))
            si_no_memory(job);
        return false;
    }
    return true;
}

/* Multipliers for n variants with the same scales. */
static bool
find(si_job *job, si_sum_search *search, int64_t from, int64_t n, int64_t *m)
{
    const si_summands *summands = search->variant[from].summands;
    double scale[SI_MAX_TERMS];
    int64_t candidate[SI_MAX_TERMS];
    bool found = false, learn = true;
    for (int k = 0; k < summands->n_leaf; k++)
        scale[k] = summands->leaf[k].scale_in_sum;
    for (int64_t i = from; i < from + n; i++)
        learn = learn && !search->variant[i].code;
    si_multipliers *candidates = si_multipliers_create(scale, summands->n_leaf, learn);
    if (!candidates)
        return si_no_memory(job);
    search->hard_variant = from;
    search->hard_split = 0;
    while (!found && !si_failed(job) && search->work <= search->max_work &&
           si_multipliers_next(candidates, candidate, &search->work))
        found = right(job, search, candidates, from, n, candidate);
    si_multipliers_free(candidates);
    for (int64_t i = from; found && i < from + n; i++)
        for (int k = 0; k < summands->n_leaf; k++)
            m[k * search->n + i] = candidate[k];
    return found && !si_failed(job);
}

/* One set of multipliers for all variants, else one for each. */
static bool
find_all(si_job *job, si_sum_search *search, int64_t *m)
{
    int64_t n = search->n;
    bool same = true, ok = true;
    for (int64_t i = 1; i < n; i++)
        same = same &&
               si_operands_same(search->variant[i].summands, search->variant[0].summands, true);
    search->max_work = n > 1 ? MAX_WORK / 2 : MAX_WORK;
    if (same && find(job, search, 0, n, m))
        return true;
    search->max_work = MAX_WORK;
    for (int64_t i = 0; ok && n > 1 && i < n; i++)
        ok = find(job, search, i, 1, m);
    return ok && n > 1;
}

si_thresholds *
si_thresholds_of_sum(si_job *job, const si_function *f, const si_sum_order *order,
                     const si_summands *summands, bool rises, int64_t *m)
{
    si_sum_search search = {.f = f, .order = order, .n = f->n};
    si_thresholds *found = calloc((size_t)f->n, sizeof(*found));
    search.variant = calloc((size_t)f->n, sizeof(*search.variant));
    bool ok = (found && search.variant) || si_no_memory(job);
    for (int64_t i = 0; ok && i < f->n; i++)
        search.variant[i].found = &found[i];
    ok = ok && si_operands_make(job, summands, &search) &&
         (rises ? find_splits(job, &search, found) : si_table_of_pairs(job, &search)) &&
         find_all(job, &search, m);
    si_operands_drop(&search);
    if (ok)
        return found;
    si_thresholds_free(found, f->n);
    return NULL;
}
