/* sum_search.h: shared by the files that search the multipliers of a pending sum. */
#ifndef NASHC_PASSES_INTEGER_SUM_SEARCH_H
#define NASHC_PASSES_INTEGER_SUM_SEARCH_H

#include "integer.h"

/* One integer tensor in a variant: lo, lo + step, ..., n of them; scale in the whole sum. */
typedef struct si_leaf {
    int64_t lo, n, step;
    double s, b, scale;
} si_leaf;

/* All combinations of the integers of one operand; the last leaf counts fastest. */
typedef struct si_sum_operand {
    int leaf, n_leaf;
    int64_t n;
    double *v;    /* rising */
    int32_t *pos; /* of combination c in v */
} si_sum_operand;

typedef struct si_sum_variant {
    si_leaf leaf[SI_MAX_TERMS];
    int n_leaf, n_inner;
    double inner[SI_MAX_TERMS][2]; /* factor and offset of each sum inside the sum */
    si_sum_operand operand[2];
    bool borrowed; /* the operands are those of an earlier variant */
    double *split; /* least value above each step of the code */
    int64_t n_split;
    int64_t *code; /* of all pairs of left and right, where it neither rises nor falls */
    si_thresholds *step;
} si_sum_variant;

typedef struct si_search {
    si_sum_variant *variant;
    int64_t n;
    int64_t *u[2], *raw, *most, *least; /* scratch for the longest operand */
    int64_t work, max_work;
    int64_t hard_variant, hard_split; /* where the last candidate failed */
} si_search;

/* --- sum_operands.c --- */

/* All variants of z (as many as l has) with their combinations; scratch for all of them. */
bool si_operands_make(si_state *S, const si_chain *l, const si_tensor *sum, si_search *z);
void si_operands_drop(si_search *z);
/* Do two variants have the same leaves, or the same scales at least? */
bool si_operands_same(const si_sum_variant *a, const si_sum_variant *b, bool scales_only);
/* u of both operands with multipliers m of the leaves, in the order of the values; most and least
 * of the right one up to here and from here on. */
void si_operands_weigh(si_search *z, const si_sum_variant *p, const int64_t *m);

/* --- sum_table.c --- */

/* For chains that are not monotone by construction: splits of all variants that at_term out to be,
 * the codes of all combinations for the others. False: too many, or S->st. */
bool si_table_of_pairs(si_state *S, si_chain *l, si_search *z);
/* Is the code a function of u? Then it is a table of it. */
bool si_table_of_sum(si_state *S, si_search *z, si_sum_variant *p, const int64_t *m);

#endif
