/* winograd.h: the product that scatters, of windows of 3x3 without strides, with fewer products. */
#ifndef TRAIN_WINOGRAD_H
#define TRAIN_WINOGRAD_H

#include "plugins/train/lanes/product.h"

/* Bytes of scratch of train_winograd_scatter; 0 if it is not for such a product. */
size_t train_winograd_scratch(const train_product *p, int64_t batch, int n_threads);

/* x += the adjoint of the convolution of y, as train_product_scatter within a few roundings. False,
 * and x as it was: the shape is another, or has no gain of it. Its bits do not depend on the number
 * of threads. */
bool train_winograd_scatter(const nashc_grad_call *c, const train_product *p, const float *y,
                            const float *weight, float *x);

#endif
