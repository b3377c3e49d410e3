/* coded.h: the product that gathers, of whole numbers: exact sums of bytes, then one scale. */
#ifndef TRAIN_CODED_H
#define TRAIN_CODED_H

#include "plugins/train/lanes/product.h"

/* Bytes of scratch of train_product_gather_codes. */
size_t train_coded_scratch(const train_product *p, int64_t batch, int n_threads);

/* As train_product_gather of operands 0, the image, and 1, the weights, where c->codes says that
 * both are codes of 8 bits at most. False, and y as it was: they are not, or not finite, sums could
 * leave 32 bits, or this processor or shape has no gain of it. */
bool train_product_gather_codes(const nashc_grad_call *c, const train_product *p, const float *bias,
                                float *y);

#endif
