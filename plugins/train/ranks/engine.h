/* engine.h: what the module that links MPI gives to the plugin: sums over all ranks, without
 * waiting.
 *
 * All calls come from one thread, and on all ranks in the same order. */
#ifndef TRAIN_RANKS_ENGINE_H
#define TRAIN_RANKS_ENGINE_H

#include "plugins/train/ranks/ranks.h"

#define TRAIN_RANKS_ENTRY "train_ranks_engine_entry"

typedef struct train_ranks_engine {
    const char *name; /* version of the library */

    /* Once a process. local: ranks on this machine. */
    bool (*join)(int *rank, int *n, int *local);

    /* Begins to replace entries by their sums over all ranks, which are there when test says that
     * all is done. The order of summing depends on the numbers of entries and ranks only. */
    bool (*start_f32)(const train_sum_part *part, int n_parts);
    bool (*start_f64)(double *v, int64_t n);

    /* Moves what was started along: 1 all of it is done, 0 not yet, -1 it cannot be done any more.
     */
    int (*test)(void);

    void (*leave)(void); /* waits for all ranks */
} train_ranks_engine;

#endif
