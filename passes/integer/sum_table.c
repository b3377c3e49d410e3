/* sum_table.c: sums with a function that is not monotone by construction: the codes of all
 * combinations of integers are computed.
 *
 * Codes that turn out to rise or fall with the value have splits like those of sum_search.c. Else
 * any multipliers will do with which u tells apart what has different codes; the table is over u.
 */
#include "sum_operands.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PAIRS ((int64_t)1 << 21) /* of one variant, where the function is not monotone */
#define ALL_PAIRS ((int64_t)1 << 24) /* of all variants */
#define MAX_TABLE ((int64_t)1 << 16) /* integers of u there */
#define MAX_CODES ((int64_t)1 << 22) /* of one variant */

static bool
eval_pairs(si_job *job, const si_function *f, int64_t at, si_sum_variant *variant)
{
    const si_sum_operand *left = &variant->operand[0], *right = &variant->operand[1];
    int64_t n = left->n * right->n;
    double *v = malloc((size_t)n * sizeof(*v));
    variant->code = malloc((size_t)n * sizeof(*variant->code));
    bool ok = (v && variant->code) || si_no_memory(job);
    for (int64_t i = 0; ok && i < left->n; i++)
        for (int64_t j = 0; j < right->n; j++)
            v[i * right->n + j] = left->v[i] + right->v[j];
    ok = ok && f->eval(f->self, &at, 1, n, v, true, variant->code);
    free(v);
    return ok;
}

/* Splits of the variant if its codes turn out to rise or fall with the value: least[c], most[c]
 * are the ends of what has code code_min + c. */
static bool
splits_of_table(si_job *job, si_sum_variant *variant, const double *least, const double *most)
{
    si_thresholds *found = variant->found;
    int64_t n = found->code_max - found->code_min, last = 0;
    bool up = true, down = true;
    for (int64_t c = 1; c <= n; c++) {
        if (least[c] > most[c])
            continue;
        up = up && least[c] > most[last];
        down = down && most[c] < least[last];
        last = c;
    }
    found->direction = n == 0 ? 0 : up ? 1 : down ? -1 : 2;
    if (found->direction == 2)
        return true;
    variant->n_split = n;
    variant->split = malloc((size_t)n * sizeof(*variant->split) + 1);
    found->threshold = malloc((size_t)n * sizeof(*found->threshold) + 1);
    if (!variant->split || !found->threshold)
        return si_no_memory(job);
    last = n;
    for (int64_t c = n; c >= 1; c--) { /* codes that do not occur are passed with the next */
        int64_t below = c - 1;
        last = least[c] <= most[c] ? c : last;
        while (least[below] > most[below])
            below--;
        variant->split[c - 1] = up ? least[last] : least[below];
    }
    free(variant->code);
    variant->code = NULL;
    return true;
}

/* Which way the codes of all pairs go. */
static bool
classify(si_job *job, si_sum_variant *variant)
{
    const si_sum_operand *left = &variant->operand[0], *right = &variant->operand[1];
    si_thresholds *found = variant->found;
    found->code_min = found->code_max = variant->code[0];
    for (int64_t i = 1; i < left->n * right->n; i++) {
        found->code_min = variant->code[i] < found->code_min ? variant->code[i] : found->code_min;
        found->code_max = variant->code[i] > found->code_max ? variant->code[i] : found->code_max;
    }
    int64_t n = found->code_max - found->code_min + 1;
    if (n > MAX_CODES)
        return false;
    double *least = malloc((size_t)n * 2 * sizeof(*least));
    if (!least)
        return si_no_memory(job);
    double *most = least + n;
    for (int64_t c = 0; c < n; c++) {
        least[c] = INFINITY;
        most[c] = -INFINITY;
    }
    for (int64_t i = 0, at = 0; i < left->n; i++)
        for (int64_t j = 0; j < right->n; j++, at++) {
            int64_t c = variant->code[at] - found->code_min;
            least[c] = fmin(least[c], left->v[i] + right->v[j]);
            most[c] = fmax(most[c], left->v[i] + right->v[j]);
        }
    bool ok = splits_of_table(job, variant, least, most);
    free(least);
    return ok;
}

/* From the ends of the leaves, so that all u in between have a place in the table. */
static void
set_interval(const si_summands *summands, const int64_t *m, si_thresholds *found)
{
    found->lo = found->hi = 0;
    for (int k = 0; k < summands->n_leaf; k++) {
        const si_leaf *leaf = &summands->leaf[k];
        int64_t a = m[k] * leaf->lo, b = m[k] * (leaf->lo + leaf->step * (leaf->n - 1));
        found->lo += a < b ? a : b;
        found->hi += a < b ? b : a;
    }
}

/* Enters the codes of all pairs; false: two that have the same u differ. u that do not occur are
 * INT64_MIN. */
static bool
enter_pairs(const si_sum_search *search, const si_sum_variant *variant, si_thresholds *found)
{
    const si_sum_operand *left = &variant->operand[0], *right = &variant->operand[1];
    for (int64_t i = 0, at = 0; i < left->n; i++)
        for (int64_t j = 0; j < right->n; j++, at++) {
            int64_t *code = &found->table[search->u[0][i] + search->u[1][j] - found->lo];
            if (*code != INT64_MIN && *code != variant->code[at])
                return false;
            *code = variant->code[at];
        }
    return true;
}

bool
si_table_of_sum(si_job *job, si_sum_search *search, si_sum_variant *variant, const int64_t *m)
{
    si_thresholds *found = variant->found;
    set_interval(variant->summands, m, found);
    int64_t n = found->hi - found->lo + 1;
    if (n > MAX_TABLE)
        return false;
    si_operands_weigh(search, variant, m);
    search->work += variant->operand[0].n * variant->operand[1].n + n;
    free(found->table);
    found->table = malloc((size_t)n * sizeof(*found->table));
    if (!found->table)
        return si_no_memory(job);
    for (int64_t u = 0; u < n; u++)
        found->table[u] = INT64_MIN;
    if (!enter_pairs(search, variant, found))
        return false;
    for (int64_t u = 1; u < n; u++) /* what does not occur is like the one below */
        found->table[u] = found->table[u] == INT64_MIN ? found->table[u - 1] : found->table[u];
    return true;
}

bool
si_table_of_pairs(si_job *job, si_sum_search *search)
{
    int64_t total = 0;
    for (int64_t i = 0; i < search->n; i++) {
        const si_sum_operand *operand = search->variant[i].operand;
        int64_t left = operand[0].n, right = operand[1].n;
        if (left > MAX_PAIRS / right || (total += left * right) > ALL_PAIRS)
            return false;
    }
    for (int64_t i = 0; i < search->n; i++)
        if (!eval_pairs(job, search->f, i, &search->variant[i]) ||
            !classify(job, &search->variant[i]))
            return false;
    return true;
}
