/* kernel.h: inner loops over blocks of samples, compiled for several instruction sets.
 *
 * Every element of a map is then a row of lanes, whatever the stride, the padding and the size of
 * the map, and no loop has a rest. */
#ifndef TRAIN_KERNEL_H
#define TRAIN_KERNEL_H

#include <nashc/grad.h>

#define TRAIN_LANES    NASHC_GRAD_BLOCK
#define TRAIN_MAC_ROWS 8 /* most results at a time */
#define TRAIN_DOT_TILE 4 /* rows and columns of a tile of dot products */
#define TRAIN_DOT_SIZE (TRAIN_DOT_TILE * TRAIN_DOT_TILE)

/* Where a tap of a window reads: offset in floats, and number of the tap. */
typedef struct train_tap {
    int64_t at, tap;
} train_tap;

/* For i < rows: y[i * y_step] = start + sum over taps (r, q) and k < depth of
 * w[((r.tap + q.tap) * depth + k) * rows + i] * x[r.at + q.at + k * x_step], a row of lanes each.
 * start: y if `add`, else bias[i] or 0. */
typedef struct train_mac {
    const float *x, *w, *bias;
    float *y;
    int64_t x_step, y_step, depth, rows;
    const train_tap *row, *col;
    int64_t n_row, n_col;
    bool add;
    const float *factor; /* of sums of codes */
    const int32_t *start;
} train_mac;

typedef void train_mac_fn(const train_mac *a);

/* Places where two maps meet: n rows of lanes from each offset on. */
typedef struct train_meet {
    int64_t y, x, n;
} train_meet;

/* sum[i * TRAIN_DOT_TILE + j] += sum over places and lanes of y[i * y_step] * x[j * x_step]; along
 * a place x goes on by x_next. rows and columns up to TRAIN_DOT_TILE. */
typedef struct train_dot {
    const float *y, *x;
    int64_t y_step, x_step, y_next, x_next, rows, columns;
    const train_meet *meet;
    int64_t n_meet;
} train_dot;

/* Elements (r, q) of a square of n x n, each a row of lanes at map + r * row + q * TRAIN_LANES;
 * those with bit n * r + q of `inside` are there. The 16 numbers of its transform are at tile + (4
 * * r + q) * step. */
typedef struct train_tile {
    float *map, *tile;
    int64_t row, step;
    unsigned inside;
} train_tile;

typedef struct train_kernel {
    const char *name;
    train_mac_fn *mac;
    void (*dot)(const train_dot *a, float *sum);

    /* The same of codes, exactly: a place of x holds the bytes (0 .. 255) of 4 channels, the first
     * in the lowest, one of w those of their weights (-128 .. 127), k counts such fours, and
     * y = float(start[i] + sum) * factor[i] + bias; start NULL: 0. NULL: no gain here. */
    train_mac_fn *mac_codes;

    /* tile = B^T map B of 4 x 4 elements, 0 where they are not; 2 x 2 elements += A^T tile A
     * (winograd.c). */
    void (*tile_in)(const train_tile *t);
    void (*tile_out)(const train_tile *t);
} train_kernel;

/* The best for this processor. */
const train_kernel *train_kernel_best(void);

#endif
