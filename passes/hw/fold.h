/* fold.h: folding points of layers and the choice among them. */
#ifndef NASHC_PASSES_HW_FOLD_H
#define NASHC_PASSES_HW_FOLD_H

#include "hw.h"

typedef struct fold_point {
    nashc_fold fold;
    uint64_t cycles, score;
    int64_t in, out; /* lanes */
} fold_point;

typedef struct fold_item {
    nashc_node *n;
    const nashc_layer_model *model;
    fold_point *points;
    int n_points, chosen;
    int *prev; /* neighbours upstream, as items; for the DP: best predecessor point */
    uint64_t *best;
} fold_item;

typedef struct fold_problem {
    nashc_run *r;
    nashc_graph *f;
    nashc_diag *d;
    const nashc_backend *backend; /* whose layers these are */
    const nashc_device *dev;
    fold_item *items;
    int n;
    int *item_of; /* by node id, -1: not foldable */
    int64_t wwidth_max, parallel;
} fold_problem;

/* Is n a matrix-vector or vector-vector unit? */
bool fold_multiplies(const nashc_node *n);

/* Weight bits that one PE of an mvau reads a cycle; 0 for other layers. */
int64_t fold_weight_width(const nashc_node *n);

/* Chooses the cheapest points with at most target cycles, converters between layers included:
 * exactly on a chain, by local search elsewhere. */
void fold_solve(fold_problem *z, uint64_t target);

/* FINN's SetFolding (docs/folding.md, compat); wwidth 0: its default of 36. */
nashc_status fold_like_finn(fold_problem *z, uint64_t target, bool two_pass);

#endif
