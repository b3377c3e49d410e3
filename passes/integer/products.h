/* products.h: sums of products on integers: what convolutions and matrix products have in common.
 */
#ifndef NASHC_PASSES_INTEGER_PRODUCTS_H
#define NASHC_PASSES_INTEGER_PRODUCTS_H

#include "integer.h"

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

/* --- products_layer.c: what the rules of such layers share -------------------------------------
 */

/* A layer on its way from the model to integers. */
typedef struct si_layer_build {
    nashc_node *n;       /* of the model */
    const si_value *x;   /* its operand */
    int x_axis;          /* of x, along which is summed */
    nashc_tensor *codes; /* of the model's weights, with their scale */
    si_array w_scale;
    si_array x_scale, x_bias; /* by channel; x_bias only if has_bias */
    bool has_bias;            /* else the offset of x varies along more than the channels */
    si_products p;
    si_coded coded;
    si_products_layer layer; /* x: what the products read, x's integers or padded ones */
    double *least, *most;    /* by output; least is scratch before */
    si_array bias;           /* of the result */
} si_layer_build;

/* Sets n, x, x_axis, x_scale, x_bias, has_bias and layer; attrs as text. False: the scale varies
 * along more than the channels. */
bool si_layer_operand(si_job *job, nashc_node *n, const si_value *x, int x_axis, const char *op,
                      const char *attrs, si_layer_build *build);
/* Sets coded, least and most, and builds the weights, once p, codes and w_scale are set. Whatever
 * it returns, si_layer_end frees. */
bool si_layer_begin(si_walk *walk, si_layer_build *build);
void si_layer_end(si_layer_build *build);
/* Offsets of x, times the weights, as the bias of the result. */
bool si_layer_offsets(si_job *job, si_layer_build *build);
/* Intervals of the outputs; refused where they need more than 61 bits. zero: terms may be missing.
 */
bool si_layer_intervals(si_job *job, si_layer_build *build, bool zero);
/* Emits the products, and anchors the result of n. turns: outputs may change their sign. */
bool si_layer_emit(si_walk *walk, const si_layer_build *build, bool turns);

/* Bits that a layer with weights w adds, outputs of them along the axes; w NULL: not known. */
int si_layer_growth(si_walk *walk, nashc_value *w, bool axis_0, bool axis_1);

#endif
