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
    int64_t x_step, y_step, w_step, depth, rows; /* w_step: of mac_lines */
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

#define TRAIN_TILE       6 /* side of a transformed square of 4 x 4 results (winograd.h) */
#define TRAIN_TILE_SIZE  (TRAIN_TILE * TRAIN_TILE)
#define TRAIN_TILE_MOVES 4 /* from a square to the next along an axis */

/* Elements (r, q) of a square of n x n, each a row of lanes at map + r * row + q * TRAIN_LANES;
 * those with bit n * r + q of `inside` are there. Number i of its transform is at tile + i * step.
 */
typedef struct train_tile {
    float *map, *tile;
    int64_t row, step;
    uint64_t inside;
    bool add;                  /* of `out` */
    int64_t channel, channels; /* of `spread`: from a channel to the next, up to TRAIN_LANES */
} train_tile;

/* Transforms of squares (winograd.h); what is outside reads as 0 and is not written. */
typedef struct train_tiles {
    void (*in)(const train_tile *t);  /* tile = B^T map B, 6 x 6 to 6 x 6 */
    void (*out)(const train_tile *t); /* map = or += A^T tile A, 6 x 6 to 4 x 4 */

    /* tile = A map A^T, 4 x 4 to 6 x 6, of `channels` channels with lanes and channels exchanged:
     * number i of sample k of channel m is at i * step + k * TRAIN_LANES + m; 0 from m = channels
     * on. */
    void (*spread)(const train_tile *t);

    /* The same of one element as it is: sample k of channel m is at k * TRAIN_LANES + m. */
    void (*turn)(const train_tile *t);
} train_tiles;

typedef struct train_kernel {
    const char *name;
    train_mac_fn *mac;
    train_mac_fn *mac_lines; /* the same with w[i * w_step + k] */
    void (*dot)(const train_dot *a, float *sum);

    /* The same of codes, exactly: a place of x holds the bytes (0 .. 255) of 4 channels, the first
     * in the lowest, one of w those of their weights (-128 .. 127), k counts such fours, and
     * y = float(start[i] + sum) * factor[i] + bias; start NULL: 0. NULL: no gain here. */
    train_mac_fn *mac_codes;
    int32_t two_codes; /* largest magnitude of a sum of two such products */

    /* The same of signs: a place of x holds a bit of each of 32 channels, 1 for -1, one of w those
     * of their weights, and y = float(start[i] - 2 (bits that differ)) * factor[i] + bias, with
     * start the number of products. NULL: no gain here. */
    train_mac_fn *mac_signs;

    const train_tiles *tiles;
} train_kernel;

/* The best for this processor, unless one is chosen. */
const train_kernel *train_kernel_best(void);

/* Those that this processor can run, best first; `to` has room for TRAIN_KERNELS. Their number. */
#define TRAIN_KERNELS 6
int train_kernels(const train_kernel **to);

/* From now on this one, which must be able to run; NULL: the best again. For tests and
 * measurements: not while a network is there. */
void train_kernel_choose(const train_kernel *k);

#endif
