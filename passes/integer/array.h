/* array.h: small arrays of doubles that are broadcast against a tensor: scales, offsets, bounds.
 *
 * A scale of a layer is one number, or one a channel, or one an element. All three are an array
 * that is broadcast by numpy's rules, aligned right, so that the code that works on them need not
 * tell which it is. Results are squeezed: an axis along which nothing changes has length 1, and an
 * array of one number has rank 0, so that n == 1 means "one number for all".
 */
#ifndef NASHC_PASSES_INTEGER_ARRAY_H
#define NASHC_PASSES_INTEGER_ARRAY_H

#include "job.h"

typedef struct nashc_integer_array {
    int rank;
    int64_t dim[NASHC_MAX_RANK], n; /* n elements */
    double *v;                      /* of the job's arena; row-major */
} si_array;

/* --- making ------------------------------------------------------------------------------------
 */

/* v NULL after memory ran out, which the functions below accept. */
si_array si_scalar(si_job *job, double v);
bool si_shape_array(si_job *job, si_array *out, int rank, const int64_t *dim); /* all 0 */
bool si_from_tensor(si_job *job, const nashc_tensor *t, si_array *out);
/* v has one number for each channel of t. */
bool si_per_channel(si_job *job, const nashc_type *t, const double *v, si_array *out);
/* v has n numbers, for the elements along one axis of a tensor of that rank. */
bool si_per_axis(si_job *job, const double *v, int64_t n, int axis, int rank, si_array *out);
void si_squeeze(si_array *a);

/* --- reading -----------------------------------------------------------------------------------
 */

/* Where element e of a tensor of type t finds its number in a, and the number. O(rank). */
int64_t si_index(const si_array *a, const nashc_type *t, int64_t e);
double si_at(const si_array *a, const nashc_type *t, int64_t e);
double si_channel(const si_array *a, int64_t c); /* of an array that varies by channel only */
bool si_all_eq(const si_array *a, double v);
bool si_zero(const si_array *a);
bool si_varies(const si_array *a, const nashc_type *t, int axis);
bool si_channel_only(const si_array *a, const nashc_type *t);

/* --- computing ---------------------------------------------------------------------------------
 */

typedef double si_fn(double x, double y);
double si_add(double x, double y);
double si_sub(double x, double y);
double si_apart(double x, double y); /* x - y, 0 if they differ by rounding alone */
double si_mul(double x, double y);   /* 0 * inf is 0 */
double si_div(double x, double y);
double si_min(double x, double y);
double si_max(double x, double y);
double si_sgn_mul(double x, double y); /* x * sign(y) */
double si_negated(double x, double unused);

/* f on both, broadcast against each other; out may be x or y. Refused where they do not fit. */
bool si_zip(si_job *job, const si_array *x, const si_array *y, si_fn *f, si_array *out);
bool si_negate(si_job *job, const si_array *x, si_array *out);
/* Shape to which both are broadcast; false: they do not fit. */
bool si_joint_shape(const si_array *x, const si_array *y, nashc_type *t);
/* All elements of t, unlike the results of the others, which are squeezed. */
bool si_spread(si_job *job, const si_array *a, const nashc_type *t, si_array *out);
/* The numbers along one axis of t, as a vector of its length. Refused if a varies otherwise. */
bool si_along(si_job *job, const si_array *a, const nashc_type *t, int axis, si_array *out);
/* out[e] = a[map[e]] for the elements e of type to; map counts elements of type from. */
bool si_gather(si_job *job, const si_array *a, const nashc_type *from, const nashc_type *to,
               const int64_t *map, si_array *out);

/* The largest unit found of which all n values are whole multiples m, |m| below max. Rounding of
 * doubles is forgiven. False: there is none. */
bool si_common_unit(const double *v, int64_t n, double max, double *unit);

/* Numbers that are integers but for rounding become them. False: another one is among them. */
bool si_round_to_integers(si_array *a);

#endif
