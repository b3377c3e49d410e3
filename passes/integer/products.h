/* products.h: sums of products on integers, for convolutions and matrix products. */
#ifndef NASHC_PASSES_INTEGER_PRODUCTS_H
#define NASHC_PASSES_INTEGER_PRODUCTS_H

#include "integer.h"

/* A sum of products: output channel o adds, over its k terms, w[w_at(o, k)] * x[channel x_at(o,
 * k)]. */
typedef struct si_products {
    int64_t outputs, terms;
    int64_t w_o, w_k;              /* steps of o and k in w */
    int axis;                      /* of w, along which o counts */
    int64_t group_size, per_group; /* outputs in a group; channels of x in a group */
    int64_t taps;                  /* terms of one channel of x, next to each other unless by_tap */
    bool by_tap;                   /* channel is the fast index of k (NHWC) */
    bool transposed;               /* w is [channel of x][output in its group][tap] */
    bool last;                     /* transposed, with the output last */
} si_products;

typedef struct si_coded {
    int64_t *q;         /* codes, on the heap */
    nashc_type type;    /* of the code tensor */
    double *s;          /* by output */
    nashc_value *value; /* constant of the new graph */
    const nashc_tensor *t;
} si_coded;

/* Fills w from codes with scale sw; sx by channel. The caller drops w, whatever is returned. */
bool si_code_weights(si_state *S, nashc_tensor *codes, const si_array *sw, const si_products *p,
                     const si_array *sx, si_coded *w);
void si_drop_coded(si_coded *w);
/* Interval of each output; zero: any tap may also meet a padding zero. */
void si_intervals(const si_products *p, const si_coded *w, const si_array *lo, const si_array *hi,
                  bool zero, double *out_lo, double *out_hi);
/* sum_k W[o][k] * b[channel] for each output. */
void si_offsets(const si_products *p, const si_coded *w, const nashc_tensor *codes,
                const si_array *sw, const si_array *sx, const si_array *bx, double *out);

#endif
