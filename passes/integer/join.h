/* join.h: two tensors of the model on one grid. */
#ifndef NASHC_PASSES_INTEGER_JOIN_H
#define NASHC_PASSES_INTEGER_JOIN_H

#include "integer.h"

typedef struct si_one_unit_pair {
    nashc_value *v[2];   /* integers, each in the shape of its operand */
    si_array unit, bias; /* the real numbers are unit * v + bias; unit is not negative */
} si_one_unit_pair;

/* Operands first and first + 1 of n as integers in one unit, with one offset: exact where there is
 * such a unit, else rounded, with the warning `rounded-scales`. False: one is on no grid, or
 * failed. */
bool si_one_unit(si_walk *walk, nashc_node *n, int first, si_one_unit_pair *pair);

/* Are the integers v all 0? They suit any unit. */
bool si_is_zero(const nashc_value *v);

#endif
