/* sum_operands.c: all combinations of the integers of both operands of a pending sum, sorted by the
 * real values that the model computes for them.
 */
#include "sum_search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SIDE  ((int64_t)1 << 20) /* combinations of one operand of the sum */
#define ALL_SIDES ((int64_t)1 << 22) /* of all variants */
#define MAX_INT   0x1p32             /* so that u with multipliers of 26 bits fits 64 */

static void
leaves_of_variant(const si_chain *l, const si_tensor *sum, int64_t at, si_sum_variant *p)
{
    int64_t e = si_chain_element(l, at);
    const nashc_type *t = nashc_value_type(sum->origin);
    int first[2 * SI_MAX_TERMS], top = 0; /* first leaf of each value on the stack */
    p->n_leaf = p->n_inner = 0;
    for (int i = 0; i < sum->n_term; i++) {
        const si_val *x = sum->term[i].x;
        double s = sum->term[i].sign * si_at(&x->s, t, e);
        if (!x->tensor->ival) {
            top--;
            p->inner[p->n_inner][0] = s;
            p->inner[p->n_inner++][1] = sum->term[i].sign * si_at(&x->b, t, e);
            for (int k = first[top - 1]; k < p->n_leaf; k++)
                p->leaf[k].scale *= s;
            continue;
        }
        const nashc_type *xt = nashc_value_type(x->tensor->ival);
        int64_t f = nashc_broadcast_index(xt, t, e);
        si_leaf *q = &p->leaf[p->n_leaf];
        q->lo = (int64_t)si_at(&x->tensor->lo, xt, f);
        q->step = xt->kind == NASHC_K_BIP ? 2 : 1;
        q->n = ((int64_t)si_at(&x->tensor->hi, xt, f) - q->lo) / q->step + 1;
        q->s = q->scale = s;
        q->b = sum->term[i].sign * si_at(&x->b, t, e);
        first[top++] = p->n_leaf++;
    }
}

bool
si_operands_same(const si_sum_variant *a, const si_sum_variant *b, bool scales_only)
{
    bool same = true;
    for (int k = 0; same && !scales_only && k < a->n_inner; k++)
        same = a->inner[k][0] == b->inner[k][0] && a->inner[k][1] == b->inner[k][1];
    for (int k = 0; same && k < a->n_leaf; k++) {
        const si_leaf *x = &a->leaf[k], *y = &b->leaf[k];
        same = x->scale == y->scale &&
               (scales_only || (x->lo == y->lo && x->n == y->n && x->s == y->s && x->b == y->b));
    }
    return same;
}

/* Sizes of both operands; false: too many combinations. */
static bool
measure(const si_tensor *sum, si_sum_variant *p)
{
    int n_left = 0;
    for (int i = 0; i < sum->n_left; i++)
        n_left += sum->term[i].x->tensor->ival != NULL;
    for (int h = 0; h < 2; h++) {
        si_sum_operand *d = &p->operand[h];
        *d = (si_sum_operand){
            .leaf = h ? n_left : 0, .n_leaf = h ? p->n_leaf - n_left : n_left, .n = 1};
        for (int k = 0; k < d->n_leaf; k++) {
            const si_leaf *q = &p->leaf[d->leaf + k];
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
push_leaf(stack *k, const si_leaf *q)
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

/* Values of all combinations of a operand, by combination; NULL: out of memory. */
static double *
values(const si_tensor *sum, const si_sum_variant *p, int h)
{
    const si_leaf *q = p->leaf;
    const double(*inner)[2] = p->inner;
    stack k = {.top = 0};
    bool ok = true;
    for (int i = 0; ok && i < (h ? sum->n_term : sum->n_left); i++) {
        bool is_leaf = sum->term[i].x->tensor->ival != NULL, mine = h == 0 || i >= sum->n_left;
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
in_order(si_sum_operand *d, bool falling)
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
sort_operand(si_sum_operand *d)
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

/* Both operands of all variants, as far as they differ. */
static bool
fill_operands(si_state *S, const si_chain *l, const si_tensor *sum, si_search *z)
{
    int64_t total = 0;
    for (int64_t i = 0; i < z->n; i++) {
        si_sum_variant *p = &z->variant[i];
        leaves_of_variant(l, sum, i, p);
        p->borrowed = i > 0 && si_operands_same(p, p - 1, false);
        if (p->borrowed)
            memcpy(p->operand, p[-1].operand, sizeof p->operand);
        else if (!measure(sum, p) || (total += p->operand[0].n + p->operand[1].n) > ALL_SIDES)
            return false;
        for (int h = 0; h < 2 && !p->borrowed; h++) {
            p->operand[h].v = values(sum, p, h);
            if (!p->operand[h].v || !sort_operand(&p->operand[h]))
                return si_fail(S, nashc_enomem(S->diag));
        }
    }
    return true;
}

static bool
make_scratch(si_state *S, si_search *z)
{
    int64_t n = 1;
    for (int64_t i = 0; i < z->n; i++)
        for (int h = 0; h < 2; h++)
            n = z->variant[i].operand[h].n > n ? z->variant[i].operand[h].n : n;
    z->raw = malloc((size_t)n * 5 * sizeof(*z->raw));
    if (!z->raw)
        return si_fail(S, nashc_enomem(S->diag));
    z->u[0] = z->raw + n;
    z->u[1] = z->raw + 2 * n;
    z->most = z->raw + 3 * n;
    z->least = z->raw + 4 * n;
    return true;
}

bool
si_operands_make(si_state *S, const si_chain *l, const si_tensor *sum, si_search *z)
{
    return fill_operands(S, l, sum, z) && make_scratch(S, z);
}

/* u of a operand with multipliers m of its leaves, sorted as the values are. */
static void
weigh(const si_sum_variant *p, const si_sum_operand *d, const int64_t *m, int64_t *raw, int64_t *u)
{
    int64_t n = 1;
    raw[0] = 0;
    for (int k = d->leaf; k < d->leaf + d->n_leaf; n *= p->leaf[k++].n)
        for (int64_t i = n - 1; i >= 0; i--) { /* in place, from the end */
            const si_leaf *q = &p->leaf[k];
            int64_t before = raw[i];
            for (int64_t j = 0; j < q->n; j++)
                raw[i * q->n + j] = before + m[k] * (q->lo + q->step * j);
        }
    for (int64_t c = 0; c < n; c++)
        u[d->pos[c]] = raw[c];
}

void
si_operands_weigh(si_search *z, const si_sum_variant *p, const int64_t *m)
{
    int64_t n = p->operand[1].n;
    for (int h = 0; h < 2; h++)
        weigh(p, &p->operand[h], m, z->raw, z->u[h]);
    for (int64_t i = 0; i < n; i++)
        z->most[i] = i && z->most[i - 1] > z->u[1][i] ? z->most[i - 1] : z->u[1][i];
    for (int64_t i = n - 1; i >= 0; i--)
        z->least[i] = i < n - 1 && z->least[i + 1] < z->u[1][i] ? z->least[i + 1] : z->u[1][i];
    z->work += p->operand[0].n + 2 * n;
}

void
si_operands_drop(si_search *z)
{
    for (int64_t i = 0; z->variant && i < z->n; i++) {
        si_sum_variant *p = &z->variant[i];
        for (int h = 0; h < 2 && !p->borrowed; h++) {
            free(p->operand[h].v);
            free(p->operand[h].pos);
        }
        free(p->split);
        free(p->code);
    }
    free(z->variant);
    free(z->raw);
}
