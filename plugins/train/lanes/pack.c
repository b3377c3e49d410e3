/* pack.c: weights of some targets side by side, as the kernel of sums reads them. */
#include "plugins/train/lanes/pack.h"
#include <nashc/clones.h>

enum { SIDE = TRAIN_MAC_ROWS };

typedef float line __attribute__((vector_size(SIDE * sizeof(float))));
typedef float mem __attribute__((vector_size(SIDE * sizeof(float)), aligned(4), may_alias));

/* Lines i and i + apart swap their parts of `apart` numbers, the odd ones of the first with the
 * even ones of the second: what the lists choose of both. */
#define SWAP(r, i, apart, first, second)                                                           \
    do {                                                                                           \
        const line a = (r)[i], b = (r)[(i) + (apart)];                                             \
        (r)[i] = __builtin_shufflevector(a, b, first);                                             \
        (r)[(i) + (apart)] = __builtin_shufflevector(a, b, second);                                \
    } while (0)
#define ONES_FIRST   0, 8, 2, 10, 4, 12, 6, 14
#define ONES_SECOND  1, 9, 3, 11, 5, 13, 7, 15
#define TWOS_FIRST   0, 1, 8, 9, 4, 5, 12, 13
#define TWOS_SECOND  2, 3, 10, 11, 6, 7, 14, 15
#define FOURS_FIRST  0, 1, 2, 3, 8, 9, 10, 11
#define FOURS_SECOND 4, 5, 6, 7, 12, 13, 14, 15

/* SIDE lines, from_step apart, become columns, to_step apart. */
static inline __attribute__((always_inline)) void
turn_square(const float *from, int64_t from_step, float *to, int64_t to_step)
{
    line r[SIDE];

#pragma GCC unroll 8
    for (int i = 0; i < SIDE; i++)
        r[i] = *(const mem *)(from + i * from_step);
#pragma GCC unroll 8
    for (int i = 0; i < SIDE; i += 2)
        SWAP(r, i, 1, ONES_FIRST, ONES_SECOND);
#pragma GCC unroll 8
    for (int i = 0; i < SIDE / 2; i++)
        SWAP(r, i / 2 * 4 + i % 2, 2, TWOS_FIRST, TWOS_SECOND);
#pragma GCC unroll 8
    for (int i = 0; i < SIDE / 2; i++)
        SWAP(r, i, 4, FOURS_FIRST, FOURS_SECOND);
#pragma GCC unroll 8
    for (int i = 0; i < SIDE; i++)
        *(mem *)(to + i * to_step) = r[i];
}

/* n blocks of SIDE lines with `many` numbers each: of block k, number j of line i goes to line j of
 * those that the block has, from k * SIDE on. */
NASHC_CLONES static void
turn_blocks(const float *from, int64_t block, int64_t from_step, int64_t n, int64_t many, float *to)
{
    for (int64_t k = 0; k < n; k++, from += block, to += SIDE) {
        int64_t j = 0;
        for (; j + SIDE <= many; j += SIDE)
            turn_square(from + j, from_step, to + j * n * SIDE, n * SIDE);
        for (; j < many; j++)
            for (int i = 0; i < SIDE; i++)
                to[j * n * SIDE + i] = from[i * from_step + j];
    }
}

/* Any strides and number of targets. */
static void
pack_any(const train_weights *w, int64_t n, float *to)
{
    for (int64_t k = 0; k < w->sources; k++)
        for (int64_t tap = 0; tap < w->taps; tap++)
            for (int64_t i = 0; i < n; i++)
                to[(tap * w->sources + k) * n + i] =
                    w->from[i * w->of_target + k * w->of_source + tap * w->of_tap];
}

void
train_pack(const train_weights *w, int64_t n, float *to)
{
    if (n == SIDE && w->of_tap == 1 && w->taps >= SIDE)
        turn_blocks(w->from, w->of_source, w->of_target, w->sources, w->taps, to);
    else if (n == SIDE && w->of_source == 1 && w->taps == 1)
        turn_blocks(w->from, 0, w->of_target, 1, w->sources, to);
    else
        pack_any(w, n, to);
}
