/* code_plan.c: how many rows of thresholds a quantiser needs, and what is in them.
 *
 *     variants of the chain -- one row for all, one a channel, or one an element
 */
#include "quantiser.h"

#include <string.h>

/* Codes of a bipolar quantiser, -1 and 1, as 0 and 1. */
static void
halve(si_code_plan *plan)
{
    for (int64_t i = 0; i < plan->n_variants; i++) {
        si_thresholds *s = &plan->found[i];
        for (int64_t k = 0; s->table && k <= s->hi - s->lo; k++)
            s->table[k] = (s->table[k] + 1) / 2;
        if (s->code_max > s->code_min && s->threshold) /* those of codes 0 and 1 are the same */
            s->threshold[0] = s->threshold[s->code_max - s->code_min - 1];
        s->code_min = (s->code_min + 1) / 2;
        s->code_max = (s->code_max + 1) / 2;
    }
}

/* Same codes on the same interval? */
static bool
same_thresholds(const si_thresholds *a, const si_thresholds *b)
{
    size_t n = (size_t)(a->table            ? a->hi - a->lo + 1
                        : a->direction == 2 ? a->n_up + a->n_down
                                            : a->code_max - a->code_min);
    if (a->lo != b->lo || a->hi != b->hi || a->direction != b->direction ||
        a->code_min != b->code_min || a->code_max != b->code_max || !a->table != !b->table)
        return false;
    if (a->table)
        return memcmp(a->table, b->table, n * sizeof(int64_t)) == 0;
    if (a->direction == 2 &&
        (a->n_up != b->n_up || a->n_down != b->n_down || a->code_lo != b->code_lo))
        return false;
    return a->direction == 0 || memcmp(a->threshold, b->threshold, n * sizeof(int64_t)) == 0;
}

/* One row an element is too much where they agree within each channel. */
static void
choose_rows(si_code_plan *plan, const nashc_type *t)
{
    const si_chain *chain = plan->chain;
    int64_t channels = nashc_type_channels(t);
    plan->n_rows = plan->n_variants == 1 ? 1 : chain->n_rows;
    plan->by_element = false;
    if (plan->n_rows == 1 || chain->n_rows == channels)
        return;
    for (int64_t r = 0; r < chain->n_rows; r++) {
        int64_t first = si_first_of_channel(t, si_channel_of(t, r));
        int64_t a = chain->variant_of[r], b = chain->variant_of[first];
        if (a != b && !same_thresholds(&plan->found[a], &plan->found[b])) {
            plan->by_element = true;
            return;
        }
    }
    plan->n_rows = channels;
}

/* Row r of the plan is that of channel r, unless there is one for all, or one an element. */
const si_thresholds *
si_plan_row(const si_code_plan *plan, const nashc_type *t, int64_t row)
{
    if (plan->n_variants == 1)
        return &plan->found[0];
    if (!plan->by_element && plan->chain->n_rows != plan->n_rows)
        row = si_first_of_channel(t, row); /* rows of the chain are elements */
    return &plan->found[plan->chain->variant_of[row]];
}

/* Are codes -1 and 1, without 0? */
static bool
gives_signs(const nashc_node *quantiser)
{
    const nashc_type *y = nashc_value_type(nashc_node_out(quantiser, 0));
    return nashc_node_is(quantiser, "q.bipolar_quant") || y->kind == NASHC_K_BIP ||
           (nashc_node_is(quantiser, "q.quant") &&
            strcmp(nashc_node_str(quantiser, "rounding"), "sign") == 0);
}

/* Codes of all variants have one type: the least and largest of any decide on it. */
void
si_plan_make(si_code_plan *plan, nashc_node *quantiser, si_chain *chain, si_thresholds *found)
{
    *plan = (si_code_plan){.quantiser = quantiser,
                           .chain = chain,
                           .found = found,
                           .n_variants = chain->n_variants,
                           .bipolar = gives_signs(quantiser)};
    if (plan->bipolar)
        halve(plan);
    for (int64_t i = 0; i < plan->n_variants; i++) {
        const si_thresholds *s = &found[i];
        plan->code_min = i == 0 || s->code_min < plan->code_min ? s->code_min : plan->code_min;
        plan->code_max = i == 0 || s->code_max > plan->code_max ? s->code_max : plan->code_max;
        plan->table = plan->table || s->direction == 2;
        plan->falls = plan->falls || s->direction == -1;
        plan->moves = plan->moves || s->direction != 0;
    }
    choose_rows(plan, nashc_value_type(si_dynamic_operand(chain->walk, quantiser)));
}

bool
si_plan_search(si_job *job, si_code_plan *plan, nashc_node *quantiser, si_chain *chain, bool rises)
{
    si_thresholds *found = si_thresholds_find(job, &chain->function, rises);
    if (found)
        si_plan_make(plan, quantiser, chain, found);
    else
        si_chain_free(chain);
    return found != NULL;
}

void
si_plan_drop(si_code_plan *plan)
{
    si_thresholds_free(plan->found, plan->n_variants);
    si_chain_free(plan->chain);
}
