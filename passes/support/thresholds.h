/* thresholds.h: a multithreshold under construction. */
#ifndef NASHC_PASSES_THRESHOLDS_H
#define NASHC_PASSES_THRESHOLDS_H

#include <nashc/rewrite.h>

typedef struct thresholds {
    nashc_node *node;
    nashc_value *x;
    int64_t rows, n;  /* rows: 1 or channels */
    double *t;        /* rows * n, scratch */
    signed char *dir; /* a row each: +1 counts x >= t, -1 counts x < t */
    bool integer;
} thresholds;

/* Reads node; false with a miss if its thresholds are too wide. */
bool thresholds_of(nashc_rw *rw, nashc_node *node, thresholds *s);

/* One row for each channel of x. */
bool thresholds_grow(nashc_rw *rw, thresholds *s);

/* Smallest double not below t - a: comparing with it is comparing with the exact value. */
double thresholds_sub(double t, double a);

/* Smallest double whose product with a, as it is computed, reaches t; a < 0: is below t. a != 0,
 * finite; infinite t passes through. */
double thresholds_div(double t, double a);

/* A multithreshold of x with the attributes of s->node and these rows (sorted here). */
nashc_value *thresholds_build(nashc_rw *rw, thresholds *s, nashc_value *x);

#endif
