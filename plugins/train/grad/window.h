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

/* Columns: row (channel, ky, kx) of `col` has the elements that this tap meets in the windows of
 * rows r0 .. r1-1; row r of windows is row r % out_h of map r / out_h. Channels from first on, n of
 * them; x begins with map 0 and maps follow each other. Padding gives 0. room and col are as large
 * as the functions below say, for r1 - r0 rows. */
void train_columns(const train_window *w, const float *x, int64_t first, int64_t n, int64_t r0,
                   int64_t r1, float *room, float *col);
int64_t train_columns_room(const train_window *w, int64_t rows);
int64_t train_columns_size(const train_window *w, int64_t k, int64_t rows); /* k rows of columns */

/* The adjoint: adds every element of col to the one of x it came from. */
void train_columns_add(const train_window *w, const float *col, int64_t first, int64_t n,
                       int64_t r0, int64_t r1, float *x);

/* Rows of windows for which a tile of k rows of columns stays in the cache; at least 1. */
int64_t train_tile_rows(const train_window *w, int64_t k);

/* First and last + 1 window of n whose tap at `offset` (start of the tap of window 0) is within
 * size. */
void train_inside(int64_t offset, int64_t stride, int64_t size, int64_t n, int64_t *lo,
                  int64_t *hi);

#endif
