/* sum_table.c: pending sums with a chain that is not monotone by construction: the codes of all
 * combinations of integers are computed.
 */
#include "sum_search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PAIRS ((int64_t)1 << 21) /* of one variant, where the chain is not monotone */
#define ALL_PAIRS ((int64_t)1 << 24) /* of all variants */
#define MAX_TABLE ((int64_t)1 << 16) /* integers of u there */
#define MAX_CODES ((int64_t)1 << 22) /* of one variant */

static bool
eval_pairs(si_state *S, si_chain *l, int64_t at, si_sum_variant *p)
{
    const si_sum_operand *x = &p->operand[0], *y = &p->operand[1];
    int64_t n = x->n * y->n;
    double *v = malloc((size_t)n * sizeof(*v));
    p->code = malloc((size_t)n * sizeof(*p->code));
    bool ok = (v && p->code) || si_fail(S, nashc_enomem(S->diag));
    for (int64_t i = 0; ok && i < x->n; i++)
        for (int64_t j = 0; j < y->n; j++)
            v[i * y->n + j] = x->v[i] + y->v[j];
    ok = ok && si_chain_eval(S, l, &at, 1, n, v, true, p->code);
    free(v);
    return ok;
}

/* Splits of the variant if its codes at_term out to rise or fall with the value: least[c], most[c]
 * are the ends of what has code cmin + c. */
static bool
splits_of_table(si_state *S, si_sum_variant *p, const double *least, const double *most)
{
    si_thresholds *s = p->step;
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
        int64_t before_via = c - 1;
        last = least[c] <= most[c] ? c : last;
        while (least[before_via] > most[before_via])
            before_via--;
        p->split[c - 1] = up ? least[last] : least[before_via];
    }
    free(p->code);
    p->code = NULL;
    return true;
}

static bool
classify(si_state *S, si_sum_variant *p)
{
    const si_sum_operand *x = &p->operand[0], *y = &p->operand[1];
    si_thresholds *s = p->step;
    s->cmin = s->cmax = p->code[0];
    for (int64_t i = 1; i < x->n * y->n; i++) {
        s->cmin = p->code[i] < s->cmin ? p->code[i] : s->cmin;
        s->cmax = p->code[i] > s->cmax ? p->code[i] : s->cmax;
    }
    int64_t n = s->cmax - s->cmin + 1;
    if (n > MAX_CODES)
        return false;
    double *least = malloc((size_t)n * 2 * sizeof(*least));
    if (!least)
        return si_fail(S, nashc_enomem(S->diag));
    double *most = least + n;
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
    bool ok = splits_of_table(S, p, least, most);
    free(least);
    return ok;
}

/* Is the code a function of u? Between those u that occur it is the one before. */
bool
si_table_of_sum(si_state *S, si_search *z, si_sum_variant *p, const int64_t *m)
{
    const si_sum_operand *x = &p->operand[0], *y = &p->operand[1];
    si_thresholds *s = p->step;
    bool one = true;
    s->lo = s->hi = 0;
    for (int k = 0; k < p->n_leaf; k++) {
        const si_leaf *q = &p->leaf[k];
        int64_t a = m[k] * q->lo, b = m[k] * (q->lo + q->step * (q->n - 1));
        s->lo += a < b ? a : b;
        s->hi += a < b ? b : a;
    }
    int64_t n = s->hi - s->lo + 1;
    if (n > MAX_TABLE)
        return false;
    si_operands_weigh(z, p, m);
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

/* The codes of all pairs. */
bool
si_table_of_pairs(si_state *S, si_chain *l, si_search *z)
{
    int64_t total = 0;
    for (int64_t i = 0; i < z->n; i++) {
        const si_sum_operand *d = z->variant[i].operand;
        if (d[0].n > MAX_PAIRS / d[1].n || (total += d[0].n * d[1].n) > ALL_PAIRS)
            return false;
    }
    for (int64_t i = 0; i < z->n; i++)
        if (!eval_pairs(S, l, i, &z->variant[i]) || !classify(S, &z->variant[i]))
            return false;
    return true;
}
