/* products.h: sums of products on integers: weights, intervals and offsets of a layer. */
#ifndef NASHC_PASSES_INTEGER_PRODUCTS_H
#define NASHC_PASSES_INTEGER_PRODUCTS_H

#include "evaluate.h"

/* Output channel o adds, over its terms k, a weight times an element of channel c of x; which ones
 * the fields tell. In memory of w the steps of o and k are w_o and w_k, unless it is transposed. */
typedef struct si_products {
    int64_t outputs, terms;
    int64_t w_o, w_k;
    int axis;                      /* of w, along which o counts */
    int64_t group_size, per_group; /* outputs in a group; channels of x in a group */
    int64_t taps;                  /* terms of one channel of x, next to each other unless by_tap */
    bool by_tap;                   /* the channel is the fast index of k (NHWC) */
    bool transposed;               /* w is [channel of x][output in its group][tap] */
    bool last;                     /* transposed, with the output last */
} si_products;

/* Weights of a layer of integers. */
typedef struct si_coded {
    int64_t *code; /* on the heap, in the order of the model's weights */
    nashc_type type;
    double *scale;              /* by output: of the sum; on the heap */
    const nashc_tensor *tensor; /* the codes */
} si_coded;

/* Codes and scales of node n's sums from codes with scale w_scale, and x_scale by channel. The
 * caller drops coded, whatever is returned. */
bool si_code_weights(si_job *job, const nashc_node *n, const si_products *p, nashc_tensor *codes,
                     const si_array *w_scale, const si_array *x_scale, si_coded *coded);
void si_drop_coded(si_coded *coded);

/* Interval of each output, from that of x by channel. zero: any term may also meet a padding zero.
 */
void si_intervals(const si_products *p, const si_coded *coded, const si_array *lo,
                  const si_array *hi, bool zero, double *out_lo, double *out_hi);

/* What the offsets of x, by channel, add to each output. */
void si_offsets(const si_products *p, const si_coded *coded, const nashc_tensor *codes,
                const si_array *w_scale, const si_array *x_scale, const si_array *x_bias,
                double *out);

#endif
