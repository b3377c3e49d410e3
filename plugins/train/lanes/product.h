/* product.h: the three products of a convolution over blocks of samples (kernel.h).
 *
 *     gather    Y[m] = sum over c and taps of W[m][c][tap] X[c][where the tap of the window is]
 *     scatter   the adjoint: X from Y
 *     weights   dW[m][c][tap] = sum over windows and samples of Y[m] X[c]
 *
 * X, the image, has group * cg channels of h x w elements, Y, the windows, group * mg channels of
 * out_h x out_w. A convolution gathers forward and scatters its gradient back, a transposed one the
 * other way round, and a product with a matrix is one with a single tap. */
#ifndef TRAIN_PRODUCT_H
#define TRAIN_PRODUCT_H

#include "plugins/train/grad/window.h"
#include "plugins/train/lanes/kernel.h"

/* Steps in floats from a channel to the next and from a position to the next along a row. */
typedef struct train_map {
    int64_t channel, position;
} train_map;

typedef struct train_product {
    train_window w;
    int64_t group, cg, mg;
    int64_t of_m, of_c, of_tap; /* steps in the weights; m counts over all groups */
    train_map image, windows;
} train_product;

/* A convolution whose weights are [m][c][tap], both maps channel by channel. */
train_product train_product_conv(const train_window *w, int64_t group, int64_t cg, int64_t mg);

/* Bytes of scratch that any of the functions needs for up to `batch` samples. */
size_t train_product_scratch(const train_product *p, int64_t batch, int n_threads);

/* y is set; bias (NULL: none) has a number for each of its channels. */
void train_product_gather(const nashc_grad_call *c, const train_product *p, const float *x,
                          const float *weight, const float *bias, bool add, float *y);
void train_product_scatter(const nashc_grad_call *c, const train_product *p, const float *y,
                           const float *weight, const float *bias, bool add, float *x);

/* Sets dw, or adds to it. Its bits do not depend on the number of threads. */
void train_product_weights(const nashc_grad_call *c, const train_product *p, const float *x,
                           const float *y, bool add, float *dw);

/* Adds the sum over positions and samples of each of n channels of g to db. */
void train_product_bias(const nashc_grad_call *c, const train_map *m, int64_t n, int64_t positions,
                        const float *g, float *db);

#endif
