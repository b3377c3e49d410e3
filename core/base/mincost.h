/* mincost.h: the cheapest integers that keep given distances. */
#ifndef NASHC_BASE_MINCOST_H
#define NASHC_BASE_MINCOST_H

#include <nashc/base.h>

/* x[to] - x[from] >= lag, and each unit of that difference costs `cost` >= 0. */
typedef struct nashc_distance {
    uint32_t from, to;
    int64_t lag, cost;
} nashc_distance;

/* x[0 .. n-1] with the least sum of cost * (x[to] - x[from]); x may hold any values before. False:
 * distances contradict each other (a cycle of positive sum), or memory is out. Costs sum up to less
 * than 2^62. In each biconnected part, of n nodes and m edges, O(n * m) for the first x, then
 * O(m log m) for each augmentation, of which there are
 * some n. */
bool nashc_mincost(uint32_t n, const nashc_distance *e, uint32_t m, int64_t *x);

#endif
