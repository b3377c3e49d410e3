/* sparse.h: hw.mvau whose weight words that are all zero take no step (nashc_mvau_sparse). */
#ifndef NASHC_VERILOG_SPARSE_H
#define NASHC_VERILOG_SPARSE_H

#include "mac.h"

/* One step: it meets beat `beat` of the vector with weight word `word`, -1: with zeros; last: a
 * result leaves after it. */
typedef struct sparse_step {
    int64_t word, beat;
    bool last;
} sparse_step;

/* Steps of a vector if n leaves out zero words; 0: it takes a step a word. Reads the weights: O(MW
 * * MH) at most, and about a word for each that is not zero. */
int64_t sparse_round(const nashc_node *n);

/* The steps of a vector of each group, round of them each, one group after the other; ended by
 * nashc_mem_free. NULL: memory is out. */
sparse_step *sparse_steps(const nashc_node *n, int64_t round);

/* Module, parameters and files of the steps and the weights of n. */
nashc_status emit_sparse(const nashc_node *n, nashc_vlog *v, int64_t round, nashc_diag *d);

/* Adds what the steps, the weights and the vector that is kept cost. */
void sparse_cost(const nashc_node *n, int64_t round, const nashc_device *dev, nashc_cost *c);

#endif
