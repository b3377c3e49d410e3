/* turned.h: the gradient of weights where windows are few: sums are rows of channels. */
#ifndef TRAIN_TURNED_H
#define TRAIN_TURNED_H

#include "plugins/train/lanes/product.h"

/* Bytes of scratch; 0 if it is not for such a product. */
size_t train_turned_scratch(const train_product *p, int64_t batch);

/* As train_product_weights. False, and dw as it was: there are too many windows, or too few
 * channels. Its bits do not depend on the number of threads. */
bool train_turned_weights(const nashc_grad_call *c, const train_product *p, const float *x,
                          const float *y, bool add, float *dw);

#endif
