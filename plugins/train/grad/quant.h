/* quant.h: one element of a quantiser; shared with the fused form. */
#ifndef TRAIN_QUANT_H
#define TRAIN_QUANT_H

#include "plugins/train/grad/rules.h"

/* The order of the op's attribute. */
typedef enum train_rounding {
    TRAIN_ROUND,
    TRAIN_CEIL,
    TRAIN_FLOOR,
    TRAIN_UP,
    TRAIN_DOWN,
    TRAIN_HALF_UP,
    TRAIN_HALF_DOWN,
    TRAIN_DPU,
    TRAIN_SIGN
} train_rounding;

typedef struct train_quant {
    train_rounding mode;
    bool before, weight, z_per_scale;
    bool relu; /* x is what stands before an nn.relu */
    float qmin, qmax;
    train_axis axis; /* of the scales along x */
} train_quant;

/* Of the q.quant or q.bipolar_quant at c->node. */
nashc_status train_quant_of(const nashc_grad_call *c, train_quant *q);

/* y = the quantised x, n elements of one scale s and zero point z. */
void train_quant_values(const train_quant *q, const float *x, int64_t n, float s, float z,
                        float *y);

/* slope = dy/dx of each; the sum of g dy/ds, 0 if g is NULL. n up to TRAIN_QUANT_BLOCK. */
#define TRAIN_QUANT_BLOCK 256
double train_quant_slopes(const train_quant *q, const float *x, const float *g, int64_t n, float s,
                          float z, float *slope);

/* Adds the threads' sums of ds, n a thread, to the gradient of the scale. */
void train_quant_add_scale(const nashc_grad_call *c, const double *sum, int64_t n);

float train_round(train_rounding mode, float u);

#endif
