/* fold.h: folding points of layers and the choice among them. */
#ifndef NASHC_PASSES_HW_FOLD_H
#define NASHC_PASSES_HW_FOLD_H

#include "hw.h"

#define FOLD_NO_SCORE  UINT64_MAX /* not asked for yet */
#define FOLD_POSITIONS 32         /* most positions a beat */

typedef struct fold_point {
    nashc_fold fold;
    uint64_t cycles, score;
    int64_t positions; /* a beat */
    nashc_cost cost;   /* behind score, unless that is a bound: of products then */
    bool bound, adds;  /* score is what a graph of additions costs at least; cost is that of one */
    uint64_t products; /* what those would score, if adds */
    int64_t *in, *out; /* lanes by operand and by result; 0 for constants */
} fold_point;

typedef struct fold_item {
    nashc_node *n;
    const nashc_layer_model *model;
    fold_point *points; /* as nashc_hw.fold gives them; of a layer without it, the one it has; then
                           those of several positions a beat */
    int n_points, chosen;
    int n_single;      /* points of one position a beat */
    uint64_t single;   /* fewest cycles of these */
    bool open;         /* nobody has said what multiplies */
    const char *res;   /* what somebody or the device has said, or "auto"; NULL: nothing */
    const char *moved; /* what fold_balance says; NULL: it leaves the layer alone */
    nashc_cost cost;   /* of the chosen point */
} fold_item;

typedef struct fold_problem {
    nashc_run *r;
    nashc_graph *f;
    nashc_diag *d;
    const nashc_backend *backend; /* whose layers these are */
    const nashc_device *dev;
    const char *const *names; /* by node id */
    fold_item *items;
    int n;
    int *item_of; /* by node id, -1: no layer */
    int64_t wwidth_max, parallel;
    int64_t positions;  /* most a beat, at most FOLD_POSITIONS */
    nashc_cost reserve; /* fit: room of the device to be left */
    bool no_dsp;        /* the device has none, so all res_type are lut */
    bool add,
        add_always; /* constants as graphs of additions: where cheaper, wherever they can be */
} fold_problem;

/* What a choice costs, converters included: as a score, with a bound that no choice of the target
 * is below, and as resources. */
typedef struct fold_result {
    uint64_t score, bound;
    nashc_cost cost;
} fold_result;

/* Is n a matrix-vector or vector-vector unit? */
bool fold_multiplies(const nashc_node *n);

/* Weight bits that one PE of an mvau reads a cycle; 0 for other layers. */
int64_t fold_weight_width(const nashc_node *n);

/* Fills in names and items of z, with the points of each that wwidth_max allows. */
nashc_status fold_collect(fold_problem *z);

/* The points of one item, anew after its layer has changed. */
nashc_status fold_collect_item(fold_problem *z, fold_item *it);

/* Fewest cycles of a point of it. */
uint64_t fold_least(const fold_item *it);

/* fold_rows.c: longer rows of padded frames, where a number of positions that reaches the target,
 * or comes nearest, needs them; or for the layer that takes the most cycles, for the next larger
 * number there is, *done: the points of its items are new ones. O(layers) a frame that changes. */
nashc_status fold_lengthen_rows(fold_problem *z, uint64_t target);
nashc_status fold_lengthen_blocking(fold_problem *z, bool *done);

/* Lengthens the rows of the frames that pad makes in g to a multiple of m columns, where windows
 * allow it: as set-folding did in the design that a folding file with m positions comes from. */
nashc_status fold_lengthen_for(nashc_run *r, nashc_graph *g, nashc_node *pad, int64_t m);

/* The layer that takes the most cycles at its widest folding; NULL: there is no layer. */
fold_item *fold_slowest(fold_problem *z, uint64_t *cycles);

/* Chooses the cheapest points with at most target cycles, which every layer must have, converters
 * between layers included. Nodes are left as they were folded last: fold_apply comes after. */
nashc_status fold_solve(fold_problem *z, uint64_t target, fold_result *out);

/* fold_adders.c: may it become a graph of additions? Gives q, a point of such an item with the cost
 * of products, that of a graph as a bound if it may be less; and costs to the chosen points that
 * have bounds, *more: there were some, so others may be cheaper. Says what was gained. */
bool fold_may_add(const fold_problem *z, const fold_item *it);
nashc_status fold_bound_adders(fold_problem *z, fold_item *it, fold_point *q);
nashc_status fold_settle_adders(fold_problem *z, bool *more);
void fold_tell_adders(const fold_problem *z);

/* Lets cheaper graphs of additions be chosen or not from now on: points are weighed again. */
void fold_let_add(fold_problem *z, bool add);

/* Moves multipliers of layers, as chosen, between LUTs and DSPs where z->dev, filled to the part
 * fill, has too few of one; r->cost follows. Nodes are left as with fold_solve. */
nashc_status fold_balance(fold_problem *z, double fill, fold_result *r);

/* Folds every layer as chosen. */
nashc_status fold_apply(fold_problem *z);

/* fold_fit.c: chooses the points of most frames a second that z->dev has room for, filled to
 * percent (0: as much as planners fill), and says what limits them. */
nashc_status fold_fit(fold_problem *z, double percent, uint64_t *target, fold_result *out);

/* FINN's SetFolding (docs/folding.md, compat); wwidth 0: its default of 36. */
nashc_status fold_like_finn(fold_problem *z, uint64_t target, bool two_pass);

#endif
