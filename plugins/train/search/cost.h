/* cost.h: what candidates cost in hardware, by the compiler's own models. */
#ifndef SEARCH_COST_H
#define SEARCH_COST_H

#include "plugins/train/search/space.h"

typedef enum search_cost_kind {
    SEARCH_LUT,
    SEARCH_BRAM, /* of 18 kbit */
    SEARCH_DSP,
    SEARCH_CYCLES, /* a frame, of the slowest layer of the branch */
    SEARCH_N_COSTS
} search_cost_kind;
extern const char *const search_cost_names[SEARCH_N_COSTS + 1]; /* NULL-terminated */

typedef struct search_costs {
    bool any;
    double from[SEARCH_N_COSTS], to[SEARCH_N_COSTS]; /* weights in the loss, first and last epoch */
    double *of[SEARCH_N_COSTS];                      /* [edge][candidate]; NULL: not asked for */
    double unit[SEARCH_N_COSTS]; /* mean sum over all edges with equal probabilities */
} search_costs;

/* "lut", "lut:0.1", "lut:0..0.5": a cost and its weight. EUSAGE. */
nashc_status search_cost_parse(const char *text, search_costs *out, nashc_diag *d);

/* Device and rate that branches are compiled for. */
typedef struct search_target {
    const char *device; /* NULL: none */
    double clock_ns, target_fps;
} search_target;

/* Fills in costs of every edge and candidate: of its own layers in a small network. Same places
 * are compiled once. Owned by a. */
nashc_status search_costs_find(nashc_ctx *c, const search_space *s, const search_target *t,
                               search_costs *out, nashc_arena *a, nashc_diag *d);

/* Weighted cost of one candidate at weights between first and last (part 0..1), in units. */
double search_cost_of(const search_costs *c, int edge, int op, int n_ops, double part);

#endif
