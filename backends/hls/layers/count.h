/* count.h: thresholds of a layer: how many of a channel's a value reaches. */
#ifndef NASHC_HLS_COUNT_H
#define NASHC_HLS_COUNT_H

#include "emit.h"

typedef struct hls_count {
    const nashc_tensor *t, *dir; /* [rows,K]; NULL: all channels count upwards */
    const nashc_type *x, *y;     /* of the values compared, of the result */
    int64_t pe, bias, style;     /* style: 0 auto, 1 parallel, 2 binary search */
    const char *ram_style;
} hls_count;

/* Defines LAYER_count(x, f, p), the stored result of lane p of fold f for value x. Its name. */
const char *hls_count_function(nashc_hls *h, const hls_count *c);

/* Are n thresholds compared at once? */
bool hls_parallel(int64_t style, int64_t n);

/* Halvings of a search among n thresholds: ceil(log2(n + 1)). */
int hls_stages(int64_t n);

#endif
