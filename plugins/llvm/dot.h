/* dot.h: sums of products with constant weights: convolutions channels-last and matrix products.
 *
 * Both operands are cut into words of 32 or 64 bits: of 4 integers of 8 bits, 2 of 16, one of 32 or
 * 64, a double, or the same bit of 32 channels. Lanes are output channels, every lane meets the
 * same word of the input:
 *
 *     acc[p][lane] = acc[p][lane] (+) x[position p][word] (*) w[word][lane]
 *
 * for p positions and a few vectors of lanes at a time, which stay in registers over all words.
 */
#ifndef CPU_DOT_H
#define CPU_DOT_H

#include "elt.h"
#include "planes.h"

typedef enum cpu_dot_kind {
    CPU_DOT_BITS, /* popcount of bit planes */
    CPU_DOT_U8,   /* unsigned x times signed w, four at a time */
    CPU_DOT_I16,  /* two at a time */
    CPU_DOT_I32,
    CPU_DOT_I64,
    CPU_DOT_F64
} cpu_dot_kind;

typedef struct cpu_dot {
    const nashc_node *node;
    const nashc_value *x, *w, *bias; /* bias NULL: none */
    cpu_dot_kind kind;
    int64_t batch, h, width, cg, groups, mg; /* channels in and out of a group */
    int64_t kh, kw, sh, sw, dh, dw, top, left, oh, ow;
    int64_t w_m, w_y, w_x, w_c, w_g; /* steps in the weight tensor; w_g of a group */
    bool padded;

    int64_t hp, wp;            /* extents of the packed input */
    int64_t words, word_size;  /* words of a pixel and group; bytes of a word */
    int64_t per_word;          /* channels in a word */
    cpu_code x_code;           /* how x becomes planes, or what is added to it */
    cpu_weight_code w_code;    /* BITS */
    bool direct;               /* x is read in place */
    int64_t m_pad;             /* mg rounded up to whole blocks */
    int lanes, tile_p, tile_r; /* lanes of an accumulator; positions and vectors of a tile */
} cpu_dot;

/* Fills d for n if it is a product this file can do. */
bool cpu_dot_of(cpu_cg *g, const nashc_node *n, cpu_dot *d);

/* What is done with the sum of g->lanes output channels: pt stands at [position, channel]. */
typedef void cpu_sink(cpu_cg *g, const cpu_point *pt, cpu_vec sum, void *user);

void cpu_dot_emit(cpu_cg *g, const cpu_dot *d, const cpu_space *space, cpu_sink *sink, void *user);

/* Its cycles, roughly, and units. */
double cpu_dot_share(const cpu_dot *d, const cpu_host *h, int64_t *units);

/* Code that writes the images as words, with their borders, to scratch, for a step before: its
 * units are rows (feed.c). Cycles and units of that. */
void cpu_feed_emit(cpu_cg *g, const cpu_dot *d);
double cpu_feed_share(const cpu_dot *d, int64_t *units);

/* Bytes of one packed image; 0: x is read in place. */
int64_t cpu_feed_size(const cpu_dot *d);

#endif
