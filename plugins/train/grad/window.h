/* window.h: the geometry of windows that convolutions and pools share. */
#ifndef TRAIN_WINDOW_H
#define TRAIN_WINDOW_H

#include <nashc/grad.h>

/* Windows over maps of [channels][h][w]; one-dimensional ones have h = 1. */
typedef struct train_window {
    int64_t channels, h, w, out_h, out_w;
    int64_t kh, kw, sh, sw, dh, dw, top, left;
} train_window;

/* From the attributes kernel (of a pool; else kernel gives its extents), stride, pads and dilation;
 * map has the channels, out the number of windows. EUNSUP for channels-last data and for more than
 * two dimensions. */
nashc_status train_window_of(const nashc_grad_call *c, const nashc_type *map, const nashc_type *out,
                             const int64_t *kernel, train_window *w);

/* First and last + 1 window of n whose tap at `offset` (start of the tap of window 0) is within
 * size. */
void train_inside(int64_t offset, int64_t stride, int64_t size, int64_t n, int64_t *lo,
                  int64_t *hi);

#endif
