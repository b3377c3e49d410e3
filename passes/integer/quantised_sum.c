/* quantised_sum.c: quantisers on pending sums: the multipliers for which their codes are right.
 *
 *     s1 i + s2 j -- chain -- quantiser     ==>     m1 i + m2 j -- thresholds or table
 *
 * This file says what the terms are in each variant of the chain; sum_search.c finds m1 and m2.
 */
#include "quantiser.h"

#include <stdlib.h>
#include <string.h>

#include "sum_search.h"

/* The order of the additions is that of the model for all elements. */
static si_sum_order
order_of(const si_tensor *sum)
{
    si_sum_order order = {.n_term = sum->n_term, .n_left = sum->n_left};
    for (int i = 0; i < sum->n_term; i++)
        order.is_leaf[i] = sum->term[i].x->tensor->integer != NULL;
    return order;
}

/* Leaf of a term at element e of the sum. */
static si_leaf
leaf_of(const si_term *term, const nashc_type *t, int64_t e)
{
    const si_value *x = term->x;
    const nashc_type *type = nashc_value_type(x->tensor->integer);
    int64_t own = nashc_broadcast_index(type, t, e);
    int64_t lo = (int64_t)si_at(&x->tensor->lo, type, own);
    int64_t hi = (int64_t)si_at(&x->tensor->hi, type, own);
    int64_t step = type->kind == NASHC_K_BIP ? 2 : 1;
    double scale = term->sign * si_at(&x->scale, t, e);
    return (si_leaf){.lo = lo,
                     .step = step,
                     .n = (hi - lo) / step + 1,
                     .scale = scale,
                     .scale_in_sum = scale,
                     .bias = term->sign * si_at(&x->bias, t, e)};
}

/* The terms of a sum at element e. */
static si_summands
summands_at(const si_tensor *sum, int64_t e)
{
    const nashc_type *t = nashc_value_type(sum->origin);
    si_summands s = {0};
    int first[2 * SI_MAX_TERMS], top = 0; /* first leaf of each value that is in no sum yet */
    for (int i = 0; i < sum->n_term; i++) {
        const si_term *term = &sum->term[i];
        if (term->x->tensor->integer) {
            first[top++] = s.n_leaf;
            s.leaf[s.n_leaf++] = leaf_of(term, t, e);
            continue;
        }
        double *inner = s.inner[s.n_inner++];
        inner[0] = term->sign * si_at(&term->x->scale, t, e);
        inner[1] = term->sign * si_at(&term->x->bias, t, e);
        top--;
        for (int k = first[top - 1]; k < s.n_leaf; k++)
            s.leaf[k].scale_in_sum *= inner[0];
    }
    return s;
}

/* Thresholds of the chain in the sum with multipliers m, by leaf and variant. */
static si_thresholds *
search(si_job *job, const si_chain *chain, const si_tensor *sum, bool rises, int64_t *m)
{
    si_sum_order order = order_of(sum);
    const si_segment *last = &chain->segment[chain->n_segment - 1];
    si_summands *summands = malloc((size_t)chain->n_variants * sizeof(*summands) + 1);
    if (!summands) {
        si_no_memory(job);
        return NULL;
    }
    for (int64_t i = 0; i < chain->n_variants; i++)
        summands[i] = summands_at(sum, last->element[chain->row_of[i]]);
    si_thresholds *found = si_thresholds_of_sum(job, &chain->function, &order, summands, rises, m);
    free(summands);
    return found;
}

/* Multipliers m of the rows, by variant, as an array against the result of the quantiser. */
static bool
row_array(si_job *job, const si_code_plan *plan, const int64_t *m, si_array *out)
{
    const nashc_type *t = nashc_value_type(nashc_node_out(plan->quantiser, 0));
    int64_t n_rows = plan->chain->n_rows, n = nashc_type_count(t);
    if (n_rows == 1) {
        *out = si_scalar(job, (double)m[0]);
        return !si_failed(job);
    }
    double *v = si_alloc(job, n_rows, sizeof(*v));
    for (int64_t r = 0; v && r < n_rows; r++)
        v[r] = (double)m[plan->chain->variant_of[r]];
    if (!v)
        return false;
    if (n_rows != n)
        return si_per_channel(job, t, v, out);
    if (!si_shape_array(job, out, t->rank, t->dim))
        return false;
    memcpy(out->v, v, (size_t)n * sizeof(*v));
    si_squeeze(out);
    return true;
}

/* The sum with multipliers m, and the quantiser on it. */
static bool
emit_sum_codes(si_walk *walk, const si_code_plan *plan, const si_tensor *sum, const int64_t *m,
               const si_grid *grid)
{
    si_array weight[SI_MAX_TERMS];
    for (int k = 0; k < sum->n_leaf; k++)
        if (!row_array(walk->job, plan, m + k * plan->n_variants, &weight[k]))
            return false;
    nashc_value *u = si_emit_sum(walk, sum, weight);
    return u && si_anchor_codes(walk, plan->quantiser, si_emit_rows(walk, plan, u), grid);
}

/* Where no multipliers are found, the sum falls back on those of sum_fallback.c. */
si_outcome
si_quantised_sum(si_walk *walk, nashc_node *quantiser, const si_value *x, const si_grid *grid)
{
    si_job *job = walk->job;
    const si_tensor *sum = x->tensor;
    const char *why = job->why; /* what is refused here has another way still */
    si_outcome done = SI_NOT_THIS_WAY;
    si_code_plan plan;
    si_chain *chain = si_chain_create(walk, x->tensor, quantiser, false);
    size_t n = chain ? (size_t)(chain->n_variants * sum->n_leaf) : 0;
    int64_t *m = chain ? malloc(n * sizeof(*m)) : NULL;
    if (chain && !m)
        si_no_memory(job);
    si_thresholds *found = m ? search(job, chain, sum, x->monotone, m) : NULL;
    if (found) {
        si_plan_make(&plan, quantiser, chain, found);
        bool ok = plan.code_min == plan.code_max ? si_constant_codes(walk, &plan, grid)
                                                 : emit_sum_codes(walk, &plan, sum, m, grid);
        done = ok ? SI_DONE : SI_FAILED;
        si_plan_drop(&plan);
    } else {
        si_chain_free(chain);
    }
    free(m);
    job->why = why;
    return si_failed(job) ? SI_FAILED : done;
}
