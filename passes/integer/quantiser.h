/* quantiser.h: from the thresholds of a chain to nodes of the integer graph. */
#ifndef NASHC_PASSES_INTEGER_QUANTISER_H
#define NASHC_PASSES_INTEGER_QUANTISER_H

#include "chain.h"

/* What a quantiser of the model becomes: one row of thresholds, or of a table, for all elements,
 * for each channel or for each element. */
typedef struct si_code_plan {
    nashc_node *quantiser;
    si_chain *chain;
    si_thresholds *found; /* by variant */
    int64_t n_variants, n_rows;
    int64_t code_min, code_max; /* of all variants */
    bool bipolar;               /* codes are -1 and 1; found has 0 and 1 */
    bool table, falls, moves;   /* some variant is neither, falls, is not constant */
    bool by_element;            /* rows are elements: the tensor must be flattened first */
} si_code_plan;

/* Scale and zero point of the codes that the result of a quantiser is made of. */
typedef struct si_grid {
    si_array scale, zero;
} si_grid;

/* --- code_plan.c --- */

/* found becomes the plan's; si_plan_drop frees both it and the chain. */
void si_plan_make(si_code_plan *plan, nashc_node *quantiser, si_chain *chain, si_thresholds *found);
/* Searches the thresholds of a chain. False: refused or failed, and the chain is freed. */
bool si_plan_search(si_job *job, si_code_plan *plan, nashc_node *quantiser, si_chain *chain,
                    bool rises);
void si_plan_drop(si_code_plan *plan);
const si_thresholds *si_plan_row(const si_code_plan *plan, const nashc_type *t, int64_t row);

/* --- codes.c --- */

/* Codes of tensor: a node, or its integers where they are equal. NULL: refused, or failed. */
nashc_value *si_emit_codes(si_walk *walk, const si_code_plan *plan, si_tensor *tensor);
/* The same of integers x without a tensor of their own, as thresholds or a table. */
nashc_value *si_emit_rows(si_walk *walk, const si_code_plan *plan, nashc_value *x);

/* --- quantiser.c --- */

/* The result of quantiser is made of codes. False: codes is NULL, or failed. */
bool si_anchor_codes(si_walk *walk, nashc_node *quantiser, nashc_value *codes, const si_grid *grid);
/* The codes of n, whose operand is the function x, with all that lies in front of them. */
bool si_quantise(si_walk *walk, nashc_node *n, const si_value *x, const si_grid *grid);
/* All codes of a plan are constant: so is the result. */
bool si_constant_codes(si_walk *walk, const si_code_plan *plan, const si_grid *grid);

typedef enum si_outcome { SI_FAILED = -1, SI_NOT_THIS_WAY, SI_DONE } si_outcome;

/* --- quantised_pool.c, quantised_sum.c --- */

/* Thresholds in front of the pools between a tensor and the function x of it. */
si_outcome si_pools_last(si_walk *walk, nashc_node *quantiser, const si_value *x,
                         const si_grid *grid);
/* Multipliers, with thresholds, of the pending sum that x is a function of. */
si_outcome si_quantised_sum(si_walk *walk, nashc_node *quantiser, const si_value *x,
                            const si_grid *grid);

#endif
