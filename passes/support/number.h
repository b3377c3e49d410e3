/* number.h: a constant under construction: arithmetic on doubles, broadcast. */
#ifndef NASHC_PASSES_NUMBER_H
#define NASHC_PASSES_NUMBER_H

#include <nashc/rewrite.h>

/* Doubles in the scratch arena. v NULL: out of memory, or integers beyond 2^53; sticky. */
typedef struct number {
    nashc_type type; /* shape and layout */
    int64_t n;
    double *v;
    bool integer; /* came from integer elements only: stays an integer constant if it can */
} number;

number number_of(nashc_rw *rw, const nashc_tensor *t);
number number_new(nashc_rw *rw, const nashc_type *shape, bool integer); /* zeroed */

/* Broadcast f over two constants, or map it over one with a fixed second argument. */
number number_zip(nashc_rw *rw, const number *a, const number *b, double (*f)(double, double));
number number_map(nashc_rw *rw, const number *a, double (*f)(double, double), double b);

double number_add(double a, double b);
double number_mul(double a, double b);

/* All finite (false for a failed one)? Equal, broadcast against each other? */
bool number_finite(const number *a);
bool number_equal(nashc_rw *rw, const number *a, const number *b);

/* The constant: the smallest integer type if all sources were integers and all values are, else
 * f64. A failed number makes the rewrite fail. */
nashc_value *number_const(nashc_rw *rw, const number *a);

/* All of a -1 or 1 (true for a failed one)? */
bool number_is_signs(const number *a);

/* t times signs, one for all or one for each place along the axis, as a constant: of integers the
 * smallest type that holds it, bip stays bip. */
nashc_value *number_flipped(nashc_rw *rw, const nashc_tensor *t, const number *signs, int axis);

#endif
