/* pack.h: weights as the kernel of sums reads them. */
#ifndef TRAIN_PACK_H
#define TRAIN_PACK_H

#include "plugins/train/lanes/kernel.h"

/* Weights of a tile of targets, from the first one's on; steps in floats. */
typedef struct train_weights {
    const float *from;
    int64_t sources, taps;
    int64_t of_target, of_source, of_tap;
} train_weights;

/* Sets to[tap][source][target] of n targets, at most TRAIN_MAC_ROWS. */
void train_pack(const train_weights *w, int64_t n, float *to);

#endif
