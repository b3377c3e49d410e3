/* sum_operands.c: all combinations of the integers of both operands of a sum, sorted by the real
 * values that the model computes for them.
 *
 * An operand may be a sum itself. Its values are computed in the model's order, with the model's
 * factors in between, so that they are rounded as the model's are.
 */
#include "sum_operands.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_OPERAND  ((int64_t)1 << 20) /* combinations of one operand of the sum */
#define ALL_OPERANDS ((int64_t)1 << 22) /* of all variants */
#define MAX_INT      0x1p32             /* so that u with multipliers of 26 bits fits 64 */

/* Biases matter for the values, not for the multipliers. */
bool
si_operands_same(const si_summands *a, const si_summands *b, bool scales_only)
{
    bool same = true;
    for (int k = 0; same && !scales_only && k < a->n_inner; k++)
        same = a->inner[k][0] == b->inner[k][0] && a->inner[k][1] == b->inner[k][1];
    for (int k = 0; same && k < a->n_leaf; k++) {
        const si_leaf *x = &a->leaf[k], *y = &b->leaf[k];
        same = x->scale_in_sum == y->scale_in_sum &&
               (scales_only ||
                (x->lo == y->lo && x->n == y->n && x->scale == y->scale && x->bias == y->bias));
    }
    return same;
}

/* Sizes of both operands; false: too many combinations. */
static bool
measure(const si_sum_order *order, si_sum_variant *variant)
{
    const si_summands *summands = variant->summands;
    int n_left = 0;
    for (int i = 0; i < order->n_left; i++)
        n_left += order->is_leaf[i];
    for (int side = 0; side < 2; side++) {
        si_sum_operand *operand = &variant->operand[side];
        *operand = (si_sum_operand){
            .leaf = side ? n_left : 0, .n_leaf = side ? summands->n_leaf - n_left : n_left, .n = 1};
        for (int k = 0; k < operand->n_leaf; k++) {
            const si_leaf *leaf = &summands->leaf[operand->leaf + k];
            if (leaf->n > MAX_OPERAND / operand->n || fabs((double)leaf->lo) > MAX_INT)
                return false;
            operand->n *= leaf->n;
        }
    }
    return true;
}

/* Values of the terms so far that are no operand of another one yet: a postfix calculator. */
typedef struct calculator {
    double *v[SI_MAX_TERMS];
    int64_t n[SI_MAX_TERMS];
    int top;
} calculator;

/* scale * i + bias for all integers of the leaf. */
static bool
push_leaf(calculator *stack, const si_leaf *leaf)
{
    double *v = malloc((size_t)leaf->n * sizeof(*v));
    for (int64_t i = 0; v && i < leaf->n; i++)
        v[i] = leaf->scale * (double)(leaf->lo + leaf->step * i) + leaf->bias;
    stack->n[stack->top] = leaf->n;
    stack->v[stack->top] = v;
    stack->top += v != NULL;
    return v != NULL;
}

/* The two topmost become their sum, times scale, plus bias. */
static bool
add_two(calculator *stack, double scale, double bias)
{
    double *x = stack->v[stack->top - 2], *y = stack->v[stack->top - 1];
    int64_t n = stack->n[stack->top - 2], n_y = stack->n[stack->top - 1];
    double *v = malloc((size_t)(n * n_y) * sizeof(*v));
    if (!v)
        return false;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n_y; j++)
            v[i * n_y + j] = scale * (x[i] + y[j]) + bias;
    free(x);
    free(y);
    stack->top--;
    stack->v[stack->top - 1] = v;
    stack->n[stack->top - 1] = n * n_y;
    return true;
}

/* Values of all combinations of the operand on a side, by combination; NULL: out of memory. */
static double *
values(const si_sum_order *order, const si_summands *summands, int side)
{
    const si_leaf *leaf = summands->leaf;
    const double(*inner)[2] = summands->inner;
    calculator stack = {.top = 0};
    bool ok = true;
    for (int i = 0; ok && i < (side ? order->n_term : order->n_left); i++) {
        bool is_leaf = order->is_leaf[i], mine = side == 0 || i >= order->n_left;
        if (mine)
            ok = is_leaf ? push_leaf(&stack, leaf) : add_two(&stack, (*inner)[0], (*inner)[1]);
        leaf += is_leaf;
        inner += !is_leaf;
    }
    while (!ok && stack.top > 0)
        free(stack.v[--stack.top]);
    return ok ? stack.v[0] : NULL;
}

typedef struct keyed {
    double v;
    int32_t c;
} keyed;

/* Of equal values the earlier combination comes first: the same order on every machine. */
static int
by_value(const void *a, const void *b)
{
    const keyed *x = a, *y = b;
    return x->v != y->v ? (x->v < y->v ? -1 : 1) : (x->c > y->c) - (x->c < y->c);
}

/* Those of one tensor rise or fall already. */
static bool
in_order(si_sum_operand *operand, bool falling)
{
    for (int64_t i = 1; i < operand->n; i++)
        if (falling ? operand->v[i] > operand->v[i - 1] : operand->v[i] < operand->v[i - 1])
            return false;
    for (int64_t i = 0, mirror = operand->n - 1; i < operand->n; i++, mirror--) {
        operand->pos[i] = (int32_t)(falling ? mirror : i);
        if (falling && i < mirror) {
            double v = operand->v[i];
            operand->v[i] = operand->v[mirror];
            operand->v[mirror] = v;
        }
    }
    return true;
}

static bool
sort_operand(si_sum_operand *operand)
{
    operand->pos = malloc((size_t)operand->n * sizeof(*operand->pos));
    if (!operand->pos)
        return false;
    if (in_order(operand, false) || in_order(operand, true))
        return true;
    keyed *keys = malloc((size_t)operand->n * sizeof(*keys));
    if (!keys)
        return false;
    for (int64_t c = 0; c < operand->n; c++)
        keys[c] = (keyed){.v = operand->v[c], .c = (int32_t)c};
    qsort(keys, (size_t)operand->n, sizeof(*keys), by_value);
    for (int64_t i = 0; i < operand->n; i++) {
        operand->v[i] = keys[i].v;
        operand->pos[keys[i].c] = (int32_t)i;
    }
    free(keys);
    return true;
}

/* Neighbouring variants that have the same terms share their combinations: a bias by channel
 * behind the sum makes many such. */
static bool
fill_operands(si_job *job, const si_summands *summands, si_sum_search *search)
{
    int64_t total = 0;
    for (int64_t i = 0; i < search->n; i++) {
        si_sum_variant *variant = &search->variant[i];
        si_sum_operand *operand = variant->operand;
        variant->summands = &summands[i];
        variant->borrowed = i > 0 && si_operands_same(&summands[i], &summands[i - 1], false);
        if (variant->borrowed)
            memcpy(operand, variant[-1].operand, sizeof variant->operand);
        else if (!measure(search->order, variant) ||
                 (total += operand[0].n + operand[1].n) > ALL_OPERANDS)
            return false;
        for (int side = 0; side < 2 && !variant->borrowed; side++) {
            operand[side].v = values(search->order, variant->summands, side);
            if (!operand[side].v || !sort_operand(&operand[side]))
                return si_no_memory(job);
        }
    }
    return true;
}

/* Five arrays as long as the longest operand, for one candidate after the other. */
static bool
make_scratch(si_job *job, si_sum_search *search)
{
    int64_t n = 1;
    for (int64_t i = 0; i < search->n; i++)
        for (int side = 0; side < 2; side++)
            n = search->variant[i].operand[side].n > n ? search->variant[i].operand[side].n : n;
    search->by_combination = malloc((size_t)n * 5 * sizeof(*search->by_combination));
    if (!search->by_combination)
        return si_no_memory(job);
    search->u[0] = search->by_combination + n;
    search->u[1] = search->by_combination + 2 * n;
    search->most = search->by_combination + 3 * n;
    search->least = search->by_combination + 4 * n;
    return true;
}

bool
si_operands_make(si_job *job, const si_summands *summands, si_sum_search *search)
{
    return fill_operands(job, summands, search) && make_scratch(job, search);
}

/* u of an operand with multipliers m of its leaves, in the order of its values. */
static void
weigh(const si_summands *summands, const si_sum_operand *operand, const int64_t *m,
      int64_t *by_combination, int64_t *u)
{
    int64_t n = 1;
    by_combination[0] = 0;
    for (int k = operand->leaf; k < operand->leaf + operand->n_leaf; k++) {
        const si_leaf *leaf = &summands->leaf[k];
        for (int64_t i = n - 1; i >= 0; i--) { /* in place, from the end */
            int64_t before = by_combination[i];
            for (int64_t j = 0; j < leaf->n; j++)
                by_combination[i * leaf->n + j] = before + m[k] * (leaf->lo + leaf->step * j);
        }
        n *= leaf->n;
    }
    for (int64_t c = 0; c < n; c++)
        u[operand->pos[c]] = by_combination[c];
}

/* most and least are for gap_at of sum_search.c, which meets runs of right combinations. */
void
si_operands_weigh(si_sum_search *search, const si_sum_variant *variant, const int64_t *m)
{
    int64_t n = variant->operand[1].n, *right = search->u[1];
    int64_t *most = search->most, *least = search->least;
    for (int side = 0; side < 2; side++)
        weigh(variant->summands, &variant->operand[side], m, search->by_combination,
              search->u[side]);
    for (int64_t i = 0; i < n; i++)
        most[i] = i && most[i - 1] > right[i] ? most[i - 1] : right[i];
    for (int64_t i = n - 1; i >= 0; i--)
        least[i] = i < n - 1 && least[i + 1] < right[i] ? least[i + 1] : right[i];
    search->work += variant->operand[0].n + 2 * n;
}

void
si_operands_drop(si_sum_search *search)
{
    for (int64_t i = 0; search->variant && i < search->n; i++) {
        si_sum_variant *variant = &search->variant[i];
        for (int side = 0; side < 2 && !variant->borrowed; side++) {
            free(variant->operand[side].v);
            free(variant->operand[side].pos);
        }
        free(variant->split);
        free(variant->code);
    }
    free(search->variant);
    free(search->by_combination);
}
