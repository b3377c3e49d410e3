/* quantised_pool.c: quantisers behind pools: thresholds in front of the pools.
 *
 *     tensor -- chain -- max pool -- quantiser   ==>   tensor -- thresholds -- max pool
 *
 * Pools few bits instead of many, where all functions rise the same way.
 */
#include "quantiser.h"

/* Does the code of each channel go the way that the operand of pool via goes? */
static bool
goes_with_pool(si_walk *walk, const si_code_plan *plan, const si_tensor *tensor,
               const nashc_node *via)
{
    const si_value *v = si_of(walk, nashc_node_in(via, 0));
    const nashc_type *t = nashc_value_type(nashc_node_in(via, 0));
    if (!v->monotone || !si_channel_only(&v->direction, t) || !si_channel_only(&tensor->scale, t) ||
        !si_channel_only(&v->tensor->scale, t))
        return false;
    for (int64_t c = 0, n = nashc_type_channels(t); c < n; c++) {
        int64_t row = plan->chain->n_rows == 1 ? 0 : c;
        int code = plan->found[plan->chain->variant_of[row]].direction;
        double direction = si_channel(&v->direction, c);
        bool turned = si_channel(&tensor->scale, c) * si_channel(&v->tensor->scale, c) < 0;
        direction = turned ? -direction : direction; /* with respect to tensor */
        if (code != 0 && code * direction <= 0)
            return false;
    }
    return true;
}

/* May the pools between tensor and the tensor of x work on the codes? */
static bool
pools_may_follow(si_walk *walk, const si_code_plan *plan, const si_tensor *tensor,
                 const si_value *x)
{
    if (plan->table || plan->by_element)
        return false;
    for (const si_tensor *t = x->tensor; t != tensor; t = t->source)
        if (!goes_with_pool(walk, plan, tensor, t->via))
            return false;
    return true;
}

/* The pools from tensor up to top, applied to codes. */
static nashc_value *
pooled(si_walk *walk, nashc_value *codes, const si_tensor *tensor, const si_tensor *top)
{
    int n = 0;
    for (const si_tensor *t = top; t != tensor; t = t->source)
        n++;
    for (int k = n - 1; codes && k >= 0; k--) {
        const si_tensor *t = top;
        for (int i = 0; i < k; i++)
            t = t->source;
        nashc_node *m = nashc_build_like(walk->build, t->via, &codes, 1);
        if (!m)
            si_fail(walk->job, nashc_build_status(walk->build));
        codes = m ? nashc_node_out(m, 0) : NULL;
    }
    return codes;
}

si_outcome
si_pools_last(si_walk *walk, nashc_node *quantiser, const si_value *x, const si_grid *grid)
{
    si_tensor *tensor = x->tensor;
    si_outcome done = SI_NOT_THIS_WAY;
    si_code_plan plan;
    while (tensor->via && tensor->via_is_pool)
        tensor = tensor->source;
    if (tensor == x->tensor || !tensor->integer)
        return SI_NOT_THIS_WAY;
    const char *why = walk->job->why; /* what is refused here is done behind the pools */
    si_chain *chain = si_chain_create(walk, tensor, quantiser, true);
    if (chain && si_plan_search(walk->job, &plan, quantiser, chain, x->monotone)) {
        if (plan.code_min < plan.code_max && pools_may_follow(walk, &plan, tensor, x)) {
            nashc_value *codes = si_emit_codes(walk, &plan, tensor);
            codes = pooled(walk, codes, tensor, x->tensor);
            done = si_anchor_codes(walk, quantiser, codes, grid) ? SI_DONE : SI_FAILED;
        }
        si_plan_drop(&plan);
    }
    walk->job->why = done == SI_DONE ? walk->job->why : why;
    return si_failed(walk->job) ? SI_FAILED : done;
}
