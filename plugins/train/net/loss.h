/* loss.h: cross entropy of scores with classes. */
#ifndef TRAIN_LOSS_H
#define TRAIN_LOSS_H

#include <stdint.h>

/* Mean over n samples of -sum t log softmax(x), t = (1 - e) onehot + e / classes. dx (NULL: not
 * wanted) is set to its gradient. */
double train_cross_entropy(const float *x, const int32_t *label, int64_t n, int64_t classes,
                           double smoothing, float *dx);

#endif
