/* check_grid.h: inputs that a comparison of two graphs runs on. */
#ifndef NASHC_HOST_CHECK_GRID_H
#define NASHC_HOST_CHECK_GRID_H

#include "host.h"

typedef struct check_grid {
    double lo, hi;   /* of the input */
    double step, at; /* grid points at + k * step; step 0: no grid */
    bool only_grid;  /* the graphs promise the same for these points only */
} check_grid;

/* The range and grid of float input i, by the first quantiser behind it in either graph: -4..4
 * where there is none. */
void nashc_check_grid(const nashc_graph *ga, const nashc_graph *gb, int i, nashc_arena *arena,
                      check_grid *out);

#endif
