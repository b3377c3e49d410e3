/* sweep.h: from a source to a target map, whichever of the two is the image; the products that
 * gather and scatter, of floats (sweep.c) and of codes (coded.c). */
#ifndef TRAIN_SWEEP_H
#define TRAIN_SWEEP_H

#include "plugins/train/lanes/product.h"

/* Taps that meet each of the positions along an axis: `most` places a position. */
typedef struct train_axis_taps {
    int64_t most, *count;
    train_tap *tap;
} train_axis_taps;

typedef struct train_sweep {
    const train_product *p;
    bool gather, add;
    int64_t sources, targets; /* channels of a group */
    int64_t h, width;         /* of the target */
    int64_t source_width;
    train_map from, to;
    int64_t from_block, to_block; /* floats of a block of samples */
    int64_t rows;                 /* of the target between which the source stays in the cache */
    train_axis_taps row, col;
    float *packed; /* weights as the kernel reads them: those of TRAIN_MAC_ROWS targets together */
    const float *source, *weight, *bias;
    float *target;
    const float *factor;  /* of each target, of sums of codes */
    const int32_t *start; /* of those sums: [position of the target][target]; NULL: 0 */
    train_mac_fn *mac;
} train_sweep;

static inline int64_t
train_least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t
train_blocks_of(int64_t batch)
{
    return (batch + TRAIN_LANES - 1) / TRAIN_LANES;
}

/* Bytes of tables and packed weights. */
size_t train_sweep_scratch(const train_product *p);

/* Everything but the pointers of the caller; tables are in c->scratch. */
train_sweep train_sweep_of(const nashc_grad_call *c, const train_product *p, bool gather);

/* Where weights of target channels t0 .. of a group are packed, t0 a multiple of TRAIN_MAC_ROWS. */
float *train_sweep_packed(const train_sweep *s, int64_t group, int64_t t0);

/* Sets the target; weights are packed. */
void train_sweep_run(const nashc_grad_call *c, const train_sweep *s);

#endif
