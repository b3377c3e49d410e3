/* chain.h: the chain between an integer tensor and a quantiser, as functions of one integer.
 *
 *     tensor -- batchnorm -- relu -- max pool -- reshape -- quantiser
 *
 * Each element of the quantiser's operand is a function of one integer of the tensor: the chain's
 * element-wise nodes with the constants that this element meets. Rows are the elements, or the
 * channels if the constants differ by channel only, or a single one. Rows that meet the same
 * constants are the same function; the different ones are the variants.
 */
#ifndef NASHC_PASSES_INTEGER_CHAIN_H
#define NASHC_PASSES_INTEGER_CHAIN_H

#include "integer.h"
#include "threshold_search.h"

/* Stretch of the chain between ops through which elements are followed: max pools and moves. */
typedef struct si_segment {
    si_tensor *tensor; /* that the functions of the stretch are in terms of */
    int64_t *element;  /* by row: of the tensor */
    bool shuffled;     /* a moving op lies between it and the quantiser */
} si_segment;

typedef struct si_chain si_chain;

/* The quantiser's operand from which on it gives code, for one variant; false: no idea. */
typedef bool si_guess(const si_chain *chain, int64_t variant, double code, double *x);

struct si_chain {
    si_walk *walk;
    si_tensor *tensor; /* where it begins */
    nashc_node *quantiser;
    nashc_node **node; /* in order, the quantiser last; pools and moves, too */
    int n_node;
    si_segment *segment; /* from the quantiser on; the last belongs to the tensor's origin */
    int n_segment, of_tensor;
    int64_t n_rows, n_variants;
    int64_t *variant_of; /* by row */
    int64_t *row_of;     /* by variant: its first row */
    /* By variant. The origin's value is scale * integer + bias, the integer in lo..hi; the
     * quantiser's operand is about guess_scale * integer + guess_bias. */
    double *scale, *bias, *lo, *hi, *guess_scale, *guess_bias;
    double *unit, *zero; /* of an implied quantiser: its value is unit * (code - zero); else NULL */
    si_function function; /* integers to codes, or, if real, values of the origin to codes */
    si_guess *guess;      /* by the kind of the quantiser; NULL: where the sign changes */
    nashc_module *module; /* the last graph that evaluated all variants */
    int64_t module_points;
};

/* tensor is that of the quantiser's operand, or one in front of it with nothing but pools in
 * between. per_channel: refuse if rows are elements. NULL: refused, or failed. */
si_chain *si_chain_create(si_walk *walk, si_tensor *tensor, nashc_node *quantiser,
                          bool per_channel);
void si_chain_free(si_chain *chain);

/* --- chain.c, for chain_eval.c ------------------------------------------------------------------
 */

/* Is n a pool or move between two segments? Else its segment; NULL: it lies behind no tensor of the
 * chain. */
bool si_chain_is_via(const si_chain *chain, const nashc_node *n);
si_segment *si_chain_segment(const si_chain *chain, const nashc_node *n);
/* Are constants of n rows of a table, one for each channel? */
bool si_has_table(const nashc_node *n);
/* Which element (row of a table, if constants of n count channels) of constant operand type kt
 * element e of the result meets. */
int64_t si_constant_index(const nashc_node *n, const nashc_type *kt, int64_t e);

/* The operand of n that is not constant (the first one). */
nashc_value *si_dynamic_operand(const si_walk *walk, const nashc_node *n);

/* --- chain_eval.c ------------------------------------------------------------------------------
 */

/* Sets the three functions. */
void si_chain_set_function(si_chain *chain);
/* False: its offset is so large that doubles do not hold the steps of the quantiser beside it. */
bool si_chain_keeps_offset(const si_chain *chain);
/* Real values, as the model has them, in place of codes: out[p * n_variants + i] at x[..]. */
bool si_chain_values(si_chain *chain, int64_t points, const double *x, bool real, double *out);

/* --- chain_line.c ------------------------------------------------------------------------------
 */

/* Is every variant a line, clamped here and there, so that its steps are where guess says, within
 * the rounding of the model's arithmetic? */
bool si_chain_is_line(const si_chain *chain);
/* That rounding, in integers; false: no idea. */
bool si_chain_line_error(const void *self, int64_t variant, double *error);

#endif
