/* norm.h: one channel of batch normalisation; shared with the fused form. */
#ifndef TRAIN_NORM_H
#define TRAIN_NORM_H

#include <nashc/grad.h>

typedef struct train_norm {
    int64_t blocks, channels, size; /* x is [blocks][channels][size][NASHC_GRAD_BLOCK] */
    double eps, *mean, *root;       /* of each channel; kept for backward */
} train_norm;

/* Channel ch of block b: size rows of samples. */
static inline float *
train_norm_line(const train_norm *s, float *x, int64_t b, int64_t ch)
{
    return x + (b * s->channels + ch) * s->size * NASHC_GRAD_BLOCK;
}

/* EUNSUP: x is not in blocks, or its channels are not along the second axis. */
nashc_status train_norm_check(const nashc_grad_call *c);

/* Of the nn.batchnorm at c->node; mean and root are 2 * channels doubles at c->saved. */
void train_norm_of(const nashc_grad_call *c, train_norm *s);

/* Fills mean and root of channel ch, and in training moves its running values. */
void train_norm_statistics(const nashc_grad_call *c, const train_norm *s, int64_t ch);

/* y = gamma (x - mean) / root + beta of n elements of channel ch. */
void train_norm_values(const nashc_grad_call *c, const train_norm *s, int64_t ch, const float *x,
                       int64_t n, float *y);

/* Sums of g and g (x - mean), by samples of a block. */
typedef struct train_norm_sums {
    double g[NASHC_GRAD_BLOCK], gx[NASHC_GRAD_BLOCK];
} train_norm_sums;

/* Adds those of n elements, whole rows of samples; g is 0 behind the last sample. */
void train_norm_add(const float *x, const float *g, int64_t n, double mean, train_norm_sums *to);

/* From the gradient g of the result and its sums over channel ch: adds those of gamma and beta, and
 * adds or sets (nashc_grad.sets) that of x, if wanted. */
void train_norm_back(const nashc_grad_call *c, const train_norm *s, int64_t ch,
                     const train_norm_sums *sums, float *g);

#endif
