/* norm.h: one channel of batch normalisation; shared with the fused form. */
#ifndef TRAIN_NORM_H
#define TRAIN_NORM_H

#include <nashc/grad.h>

typedef struct train_norm {
    int64_t outer, channels, inner; /* x is [outer][channels][inner] */
    double eps, *mean, *root;       /* of each channel; kept for backward */
} train_norm;

/* Of the nn.batchnorm at c->node; mean and root are 2 * channels doubles at c->saved. */
void train_norm_of(const nashc_grad_call *c, train_norm *s);

/* Fills mean and root of channel ch, and in training moves its running values. */
void train_norm_statistics(const nashc_grad_call *c, const train_norm *s, int64_t ch);

/* From sum g and sum g u over channel ch: adds dgamma and dbeta, and gives dx as
 * dx_of_g * g + dx_of_u * u + dx_of_1. */
void train_norm_back(const nashc_grad_call *c, const train_norm *s, int64_t ch, double sum_g,
                     double sum_gu, float *dx_of_g, float *dx_of_u, float *dx_of_1);

#endif
