/* convert.h: one node of the integer graph to one hardware layer. */
#ifndef NASHC_PASSES_HW_CONVERT_H
#define NASHC_PASSES_HW_CONVERT_H

#include "hw.h"

typedef struct hw_conv {
    nashc_run *r;
    nashc_arena *a;
    nashc_diag *d;
    nashc_build *b;    /* into the graph of layers */
    nashc_value **map; /* by value id of the integer graph: its stream */
    bool *done;        /* by node id: absorbed into an earlier layer */
} hw_conv;

/* NULL if n has a layer, else the first precondition that it misses; owned by a. */
const char *hw_why_not(const nashc_node *n, nashc_arena *a);

/* Does n only relabel the stream (hardware.md B.22)? */
bool hw_relabels(const nashc_node *n);

/* Emits the layer of n, for which hw_why_not was NULL; operands are in c->map, results go there. */
nashc_status hw_convert(hw_conv *c, nashc_node *n);

/* Thresholds as a layer holds them. */
typedef struct hw_steps {
    int64_t rows, n; /* n thresholds a row */
    int64_t *t;      /* ascending rows */
    int64_t *dir;    /* +1 or -1 a channel; NULL: all +1 */
    int64_t bias;
    bool bipolar;
} hw_steps;

/* Thresholds of q.multithreshold mt over integers in [lo, hi] of `channels` channels, to which
 * add[c] (NULL: nothing; n_add 1: for all) is added first: rounded up, moved, clipped to
 * [lo, hi + 1], steps that never or always fire in every channel dropped, equal rows merged. */
nashc_status hw_prepare_steps(const nashc_node *mt, const int64_t *add, int64_t n_add,
                              int64_t channels, int64_t lo, int64_t hi, nashc_arena *a,
                              hw_steps *out, nashc_diag *d);

#endif
