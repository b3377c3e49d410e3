/* evaluate.h: constants that are computed: one op on constant tensors, integers in small types. */
#ifndef NASHC_PASSES_INTEGER_EVALUATE_H
#define NASHC_PASSES_INTEGER_EVALUATE_H

#include "array.h"

/* Runs one op as node like has it on tensors: operand 0 goes in as an input, the others as
 * constants (NULL: left out). op, attrs NULL: those of like. Results are kept by the job; f32 ones
 * come as f64, unrounded. */
bool si_eval(si_job *job, const nashc_node *like, const char *op, const char *attrs,
             const nashc_tensor *const *in, int n_in, int n_out, nashc_tensor **out);

/* v in the shape of t, in the smallest integer type that holds it; bip if t is. */
nashc_tensor *si_int_tensor(si_job *job, const nashc_type *t, const int64_t *v);

/* The numbers of a, spread over t, as a tensor of f64. */
nashc_tensor *si_real_tensor(si_job *job, const nashc_type *t, const si_array *a);

/* One more reference to t. */
nashc_tensor *si_ref(const nashc_tensor *t);

#endif
