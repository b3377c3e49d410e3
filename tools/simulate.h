/* simulate.h: a compiled design on real data: the parts of nashc sim. */
#ifndef NASHC_TOOL_SIMULATE_H
#define NASHC_TOOL_SIMULATE_H

#include "tool.h"

/* What runs on the host around the hardware: copies of the module's @main without the layers. */
typedef struct host_part {
    nashc_module *prefix, *tail; /* owned */
    const nashc_graph *layers;   /* of the module given */
    int n_args, n_results;       /* of the call: streams in and out */
} host_part;

/* Splits @main of m at its call of the graph of layers. prefix: inputs of @main to the operands of
 * the call. tail: inputs of @main, then results of the call, to outputs of @main. */
nashc_status host_split(const nashc_module *m, const char *graph, host_part *out, nashc_diag *d);
void host_free(host_part *h);

/* One run of the simulator over all frames. */
typedef struct sim_job {
    nashc_ctx *ctx;
    nashc_diag *d;
    nashc_arena *a;
    const char *dir, *top, *simulator, *wave;
    const nashc_graph *layers;
    int64_t frames, seed;
    char *folder;  /* temporary, removed by sim_free */
    int64_t *done; /* cycle in which each frame was complete */
    int64_t first; /* of the first beat taken */
    int n_stalls;
    const char **stall_name;
    int64_t *stall;
} sim_job;

/* Does the simulator have a clock, so that first, done and stalls tell something? */
bool sim_counts_cycles(const sim_job *j);

/* Creates the folder. in[i] is the hex text of all frames of input i. */
nashc_status sim_prepare(sim_job *j, char *const *in);
nashc_status sim_run(sim_job *j);

/* All frames of output i as hex text; freed by nashc_mem_free. */
nashc_status sim_output(sim_job *j, int i, char **text);
void sim_free(sim_job *j);

#endif
