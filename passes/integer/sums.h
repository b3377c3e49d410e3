/* sums.h: shared by the files that search the multipliers of a pending sum. */
#ifndef NASHC_PASSES_SCALED_SUMS_H
#define NASHC_PASSES_SCALED_SUMS_H

#include "integer.h"

/* One integer tensor in a lane: lo, lo + step, ..., n of them; scale in the whole sum. */
typedef struct si_leaf {
    int64_t lo, n, step;
    double s, b, scale;
} si_leaf;

/* All combinations of the integers of one operand; the last leaf counts fastest. */
typedef struct si_side {
    int leaf, n_leaf;
    int64_t n;
    double *v;    /* rising */
    int32_t *pos; /* of combination c in v */
} si_side;

typedef struct si_sum_lane {
    si_leaf leaf[SI_MAX_TERMS];
    int n_leaf, n_inner;
    double inner[SI_MAX_TERMS][2]; /* factor and offset of each sum inside the sum */
    si_side side[2];
    bool borrowed; /* the sides are those of an earlier lane */
    double *split; /* least value above each step of the code */
    int64_t n_split;
    int64_t *code; /* of all pairs of left and right, where it neither rises nor falls */
    si_step *step;
} si_sum_lane;

typedef struct si_search {
    si_sum_lane *lane;
    int64_t n;
    int64_t *u[2], *raw, *most, *least; /* scratch for the longest side */
    int64_t work, max_work;
    int64_t hard_lane, hard_split; /* where the last candidate failed */
} si_search;

/* --- sides.c --- */

/* All lanes of z (as many as l has) with their combinations; scratch for all of them. */
bool si_sides_make(si_state *S, const si_lanes *l, const si_base *sum, si_search *z);
void si_sides_drop(si_search *z);
/* Do two lanes have the same leaves, or the same scales at least? */
bool si_sides_same(const si_sum_lane *a, const si_sum_lane *b, bool scales_only);
/* u of both sides with multipliers m of the leaves, in the order of the values; most and least of
 * the right one up to here and from here on. */
void si_sides_weigh(si_search *z, const si_sum_lane *p, const int64_t *m);

/* --- codes.c --- */

/* For tails that are not monotone by construction: splits of all lanes that turn out to be, the
 * codes of all combinations for the others. False: too many, or S->st. */
bool si_codes_of_pairs(si_state *S, si_lanes *l, si_search *z);
/* Is the code a function of u? Then it is a table of it. */
bool si_codes_as_table(si_state *S, si_search *z, si_sum_lane *p, const int64_t *m);

#endif
