/* winograd.h: gradients of convolutions of 3x3 without strides with fewer products: squares of 4x4
 * elements are transformed (Winograd's F(4x4, 3x3) and F(3x3, 4x4); Lavin and Gray, Fast algorithms
 * for convolutional neural networks, 2016) with the points 0, +-p, +-q and infinity, p = 1/sqrt(2),
 * q = sqrt(2), whose roundings are about twice those of a direct sum:
 *
 *     B^T = 1   0  -5/2   0   1  0    G = 1     0     0           A = 1  0   0    0
 *           0 -2p   -2    p   1  0        -2/3  -2p/3 -1/3            1  p  1/2  p/2
 *           0  2p   -2   -p   1  0        -2/3   2p/3 -1/3            1 -p  1/2 -p/2
 *           0 -q/2 -1/2   q   1  0         1/6   q/6   1/3            1  q   2   2q
 *           0  q/2 -1/2  -q   1  0         1/6  -q/6   1/3            1 -q   2  -2q
 *           0   1    0  -5/2  0  1         0     0     1              0  0   0    1 */
#ifndef TRAIN_WINOGRAD_H
#define TRAIN_WINOGRAD_H

#include "plugins/train/lanes/sweep.h"

#define TRAIN_POINT_P 0.70710678118654752f
#define TRAIN_POINT_Q 1.41421356237309505f
#define TRAIN_PART_P  (-2.0f / 3.0f) /* factors of the rows of G */
#define TRAIN_PART_Q  (1.0f / 6.0f)

/* Bytes of scratch; 0 if it is not for such a product. */
size_t train_winograd_scratch(const train_product *p, int64_t batch, int n_threads);
size_t train_winograd_weights_scratch(const train_product *p, int64_t batch, int n_threads);

/* x = or += the adjoint of the convolution of y, as train_product_scatter within a few roundings.
 * False, and x as it was: the shape is another, or has no gain of it. Its bits do not depend on the
 * number of threads. */
bool train_winograd_scatter(const nashc_grad_call *c, const train_product *p, const float *y,
                            const float *weight, bool add, float *x);

/* dw = or += the gradient of the weights, as train_product_weights within a few roundings. False,
 * and dw as it was, and bits as above. */
bool train_winograd_weights(const nashc_grad_call *c, const train_product *p, const float *x,
                            const float *y, bool add, float *dw);

/* --- what both share ------------------------------------------------------------------------- */

/* Squares along an axis of n elements. */
static inline int64_t
train_squares(int64_t n)
{
    return (n + TRAIN_TILE_MOVES - 1) / TRAIN_TILE_MOVES;
}

static inline bool
train_squares_fit(const train_product *p)
{
    const train_window *w = &p->w;

    return w->kh == 3 && w->kw == 3 && w->sh == 1 && w->sw == 1 && w->dh == 1 && w->dw == 1 &&
           p->image.position == TRAIN_LANES && p->of_tap == 1 && p->cg >= TRAIN_MAC_ROWS &&
           p->mg >= TRAIN_MAC_ROWS;
}

/* Pairs of a tap and an element of the image along an axis of n, that meet a window. */
static inline int64_t
train_meetings_along(int64_t n, int64_t n_out, int64_t pad)
{
    int64_t sum = 0;

    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < 3; k++)
            sum += i + pad - k >= 0 && i + pad - k < n_out;
    return sum;
}

/* Products of a pair of channels and a sample, of windows of 3x3. */
static inline int64_t
train_meetings(const train_window *w)
{
    return train_meetings_along(w->h, w->out_h, w->top) *
           train_meetings_along(w->w, w->out_w, w->left);
}

/* Bits of those of n x n elements from (y, x) on that lie in a map. */
static inline uint64_t
train_inside_square(int64_t n, int64_t y, int64_t x, int64_t h, int64_t w)
{
    uint64_t line = 0, bits = 0;

    for (int64_t i = 0; i < n; i++)
        line |= (uint64_t)(x + i >= 0 && x + i < w) << i;
    for (int64_t i = 0; i < n; i++)
        bits |= y + i >= 0 && y + i < h ? line << n * i : 0;
    return bits;
}

#endif
