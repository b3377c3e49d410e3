/* products_layer.h: what the rules of convolutions and matrix products have in common. */
#ifndef NASHC_PASSES_INTEGER_PRODUCTS_LAYER_H
#define NASHC_PASSES_INTEGER_PRODUCTS_LAYER_H

#include "integer.h"
#include "products.h"

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

/* Bits that a layer with weights w adds, outputs of them along axis (si_weight_codes) and counted
 * along axis 0 or 1; w NULL: not known. */
int si_layer_growth(si_walk *walk, nashc_value *w, int axis, bool axis_0, bool axis_1);

#endif
