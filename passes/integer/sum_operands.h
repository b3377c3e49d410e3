/* sum_operands.h: what the files share that search the multipliers of a sum. */
#ifndef NASHC_PASSES_INTEGER_SUM_OPERANDS_H
#define NASHC_PASSES_INTEGER_SUM_OPERANDS_H

#include "sum_search.h"

/* All combinations of the integers of one operand; the last leaf counts fastest. */
typedef struct si_sum_operand {
    int leaf, n_leaf; /* its first leaf, and how many */
    int64_t n;        /* combinations */
    double *v;        /* their values, rising */
    int32_t *pos;     /* of combination c in v */
} si_sum_operand;

typedef struct si_sum_variant {
    const si_summands *summands;
    si_sum_operand operand[2]; /* of the last addition: left, right */
    bool borrowed;             /* the operands are those of an earlier variant */
    double *split;             /* least value above each step of the code */
    int64_t n_split;
    int64_t *code; /* of all pairs of left and right, where it neither rises nor falls */
    si_thresholds *found;
} si_sum_variant;

typedef struct si_sum_search {
    const si_function *f;
    const si_sum_order *order;
    si_sum_variant *variant;
    int64_t n;
    /* Scratch for the longest operand. u: of both operands, in the order of their values; most and
     * least u of the right one up to a place, and from there on. */
    int64_t *u[2], *by_combination, *most, *least;
    int64_t work, max_work;
    int64_t hard_variant, hard_split; /* where the last candidate failed */
} si_sum_search;

/* --- sum_operands.c --- */

/* Combinations of all variants, and scratch for all of them. False: too many, or failed. */
bool si_operands_make(si_job *job, const si_summands *summands, si_sum_search *search);
void si_operands_drop(si_sum_search *search);
/* Do two variants have the same leaves, or the same scales at least? */
bool si_operands_same(const si_summands *a, const si_summands *b, bool scales_only);
/* u, most and least with multipliers m of the leaves. */
void si_operands_weigh(si_sum_search *search, const si_sum_variant *variant, const int64_t *m);

/* --- sum_table.c --- */

/* For functions that are not monotone by construction: splits of all variants that turn out to be,
 * the codes of all combinations for the others. False: too many, or failed. */
bool si_table_of_pairs(si_job *job, si_sum_search *search);
/* Is the code a function of u? Then it is a table of it. */
bool si_table_of_sum(si_job *job, si_sum_search *search, si_sum_variant *variant, const int64_t *m);

#endif
