/* threshold_search.h: where the codes of functions of one integer step. */
#ifndef NASHC_PASSES_INTEGER_THRESHOLD_SEARCH_H
#define NASHC_PASSES_INTEGER_THRESHOLD_SEARCH_H

#include "job.h"

/* n functions ("variants") of an integer or of a real number, each to integer codes. They are
 * searched together, since they can be evaluated together. */
typedef struct si_function {
    int64_t n;
    void *self; /* handed to the three below */
    /* Interval of the integer of a variant. */
    void (*interval)(const void *self, int64_t variant, double *lo, double *hi);
    /* code[p * n_variants + i]: the code at x[p * n_variants + i] of variant[i] (NULL: i).
     * real: x is a real number of the domain, else an integer. False: the job has failed. */
    bool (*eval)(void *self, const int64_t *variant, int64_t n_variants, int64_t points,
                 const double *x, bool real, int64_t *code);
    /* About the number from which on the code is reached, in either direction. False: no idea. */
    bool (*guess)(const void *self, int64_t variant, double code, double *x);
    /* How far from a guess the code may be reached at most; false: no idea. NULL: of none. */
    bool (*line_error)(const void *self, int64_t variant, double *error);
} si_function;

/* The codes of one variant over its interval. Beyond its ends it keeps the code that it has there.
 */
typedef struct si_thresholds {
    int64_t lo, hi;             /* interval of the integer */
    int64_t code_min, code_max; /* of its codes */
    int direction;              /* 1 up, -1 down, 0 constant, 2: neither */
    int64_t *threshold; /* [k]: least integer, counted in the direction, that reaches code_min + k +
                         * 1; code_max - code_min of them. Down: of -integer. On the heap */
    int64_t *table;     /* of direction 2: hi - lo + 1 codes; on the heap */
    /* Of direction 2 without a table: threshold has the integers from which on the code is one
     * more, n_up of them, then the n_down from which on it is one less; code_lo is that at lo. */
    int64_t n_up, n_down, code_lo;
} si_thresholds;

/* One for each variant, on the heap; NULL: refused, or the job has failed. rises: all variants are
 * known to be monotone, so that only both sides of each threshold need be evaluated. */
si_thresholds *si_thresholds_find(si_job *job, const si_function *f, bool rises);
void si_thresholds_free(si_thresholds *found, int64_t n);

/* --- threshold_line.c: thresholds that guesses give --------------------------------------------
 */

/* Codes at both ends of all variants; found has their intervals. */
bool si_thresholds_ends(si_job *job, const si_function *f, si_thresholds *found, bool real);
typedef enum si_line { SI_LINE_FAILED = -1, SI_NO_LINE, SI_LINE } si_line;
/* The thresholds of one variant whose ends are known, by guesses that are evaluated only where they
 * leave a doubt. Some 10 ns a threshold, where a search takes 500. */
si_line si_thresholds_of_line(si_job *job, const si_function *f, int64_t variant, si_thresholds *s);

/* --- all others --------------------------------------------------------------------------------
 */

/* The integers from which on the code is one more, and one less, of any direction: n_up and n_down
 * ascending numbers, of one allocation that up begins, and the code at lo. False: failed. */
bool si_thresholds_steps(si_job *job, const si_thresholds *s, int64_t **up, int64_t *n_up,
                         int64_t **down, int64_t *n_down, int64_t *code_lo);

/* The code at an integer of the interval, or beyond it. O(log thresholds). */
int64_t si_thresholds_code(const si_thresholds *s, int64_t at);

/* The same search over doubles, which are numbered in their order, for variants that are monotone:
 * found[i].lo and .hi come in as numbers of the ends. Refused if there are more than max steps. */
bool si_thresholds_real(si_job *job, const si_function *f, si_thresholds *found, int64_t max);

/* 0 has number 0; |v| is below 2^500, and 0 where it is below 2^-500. */
int64_t si_number_of(double v);
double si_real_of(int64_t number);

#endif
