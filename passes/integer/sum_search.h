/* sum_search.h: multipliers for a sum of integers with which its codes are right.
 *
 *     v = s1 i + s2 j + .. of real scales     becomes     u = m1 i + m2 j + .. of integers
 *
 * so that a code that is a function of v is one of u, for every combination of the integers.
 */
#ifndef NASHC_PASSES_INTEGER_SUM_SEARCH_H
#define NASHC_PASSES_INTEGER_SUM_SEARCH_H

#include "multipliers.h"
#include "threshold_search.h"

/* In which order the model adds: terms in postfix order, operands in front of their sum. */
typedef struct si_sum_order {
    int n_term, n_left;             /* terms; how many of them are in the left operand of the last
                                     * addition, which has no term of its own */
    bool is_leaf[2 * SI_MAX_TERMS]; /* else the sum of the two values in front of it */
} si_sum_order;

/* One integer tensor in a variant: lo, lo + step, ..., n of them. */
typedef struct si_leaf {
    int64_t lo, n, step;
    double scale, bias;  /* in the sum that it is an operand of */
    double scale_in_sum; /* in the whole sum */
} si_leaf;

/* The terms of one variant, each kind in the order of the terms. */
typedef struct si_summands {
    si_leaf leaf[SI_MAX_TERMS];
    int n_leaf, n_inner;
    double inner[SI_MAX_TERMS][2]; /* factor and offset of each sum inside the sum */
} si_summands;

/* Thresholds, or tables, in u of the functions f of the sum's value v; one variant of f for each of
 * the n summands. m[k * n + variant]: multiplier of leaf k, the smallest found that is right.
 * rises: f is monotone. On the heap; NULL: refused (too many combinations, no such multipliers), or
 * the job has failed. Cost: the combinations of the leaves of one operand (2^20 at most), for each
 * candidate and code; all combinations (2^21) where f is not monotone. */
si_thresholds *si_thresholds_of_sum(si_job *job, const si_function *f, const si_sum_order *order,
                                    const si_summands *summands, bool rises, int64_t *m);

#endif
