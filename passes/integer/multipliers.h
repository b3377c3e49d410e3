/* multipliers.h: integers near given real numbers, up to a common factor, few bits first. */
#ifndef NASHC_PASSES_INTEGER_MULTIPLIERS_H
#define NASHC_PASSES_INTEGER_MULTIPLIERS_H

#include <stdbool.h>
#include <stdint.h>

#define SI_MAX_TERMS 8 /* integer tensors in one pending sum */

/* Candidates m[k] ~ s[k] / unit for units of one's choice. */
typedef struct si_multipliers si_multipliers;

/* n scales, at most SI_MAX_TERMS. learn: si_multipliers_exclude will be called for each candidate
 * that is wrong. NULL: out of memory. */
si_multipliers *si_multipliers_create(const double *s, int n, bool learn);
void si_multipliers_free(si_multipliers *search);

/* The next candidate; m has n elements. False: no more. Adds to *work what it took. */
bool si_multipliers_next(si_multipliers *search, int64_t *m, int64_t *work);

/* Remember that m must have a positive product with d; later candidates have. False: out of
 * memory. */
bool si_multipliers_exclude(si_multipliers *search, const int64_t *d);

#endif
