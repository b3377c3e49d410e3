/* staircase.h: a row of integer thresholds, and the line in fixed point that climbs it. */
#ifndef NASHC_PASSES_STAIRCASE_H
#define NASHC_PASSES_STAIRCASE_H

#include <nashc/base.h>

/* count(x) = #{k < n : x >= t[k]} for x in lo..hi; t ascending, within lo..hi + 1. */
typedef struct staircase {
    const int64_t *t;
    int64_t n, lo, hi;
    bool even; /* the line goes to the even neighbour of a tie */
    bool odd;  /* where a count of 0 stands for an odd code */
} staircase;

/* x -> floor((mul * x + add) / 2^shift), mul >= 0; one less where that is exact and an odd code and
 * the staircase is even. */
typedef struct nashc_line {
    int64_t mul, add;
    int shift;
} nashc_line;

/* Is count the same for all x? */
bool staircase_flat(const staircase *s);

/* A line that clamped to 0..n is count for every x, at this very shift (0..62; from 1 if even):
 * false if there is none, or none that fits. If there is one at a shift, there is one at every
 * greater that fits. */
bool staircase_line(const staircase *s, int shift, nashc_line *out);

/* The same without the certificate that the line is evaluated for: for trials. */
bool staircase_has_line(const staircase *s, int shift);

/* Do products and sums of all lines that may serve stay within 62 bits? Else at no greater shift.
 */
bool staircase_fits(const staircase *s, int shift);

/* The first threshold that no line passes together with those before it, at a shift that fits but
 * has no line. */
int64_t staircase_bend(const staircase *s, int shift);

#endif
