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

/* Cycles in which a stream was valid and not ready. */
typedef struct sim_stall {
    const char *name;
    int64_t cycles;
} sim_stall;

/* One run of the simulator over all frames. */
typedef struct sim_job {
    nashc_ctx *ctx;
    nashc_diag *d;
    nashc_arena *a;
    const char *dir, *top, *simulator, *wave;
    const nashc_graph *layers;
    bool rewrites;     /* the bench writes the weights of AXI-Lite before it begins */
    int n_weights;     /* layers whose weights come from outside, or can */
    const char *cache; /* folder of programs built before; NULL: none */
    int64_t frames, seed;
    int64_t cycles; /* expected, for the bar; 0: not known */
    int64_t cycle;  /* the bench is there */
    char *folder;   /* temporary, removed by sim_free */
    int64_t *done;  /* cycle in which each frame was complete */
    int64_t first;  /* of the first beat taken */
    int n_stalls;
    sim_stall *stalls;
} sim_job;

/* Does the simulator have a clock, so that first, done and stalls tell something? */
bool sim_counts_cycles(const sim_job *j);

/* Are the programs of the simulator there that option --simulator names by value? */
bool sim_is_there(const char *value);

/* Fails if the simulator is not there, and says which are, or cannot write such a wave. */
nashc_status sim_check(sim_job *j);

/* Creates the folder. in[i] is the hex text of all frames of input i. */
nashc_status sim_prepare(sim_job *j, char *const *in);
nashc_status sim_run(sim_job *j);

/* All frames of output i as hex text; freed by nashc_mem_free. */
nashc_status sim_output(sim_job *j, int i, char **text);
void sim_free(sim_job *j);

/* A file for the bench, in the folder. */
nashc_status sim_write_file(sim_job *j, const char *name, const char *text);

/* --- sim_weights.c --------------------------------------------------------------------------- */

/* Replaces the weights of layers of f by the arrays that have their names; counts layers whose
 * weights may change into j. path names the file; "": none. EINPUT: no such layer, its weights are
 * constants of the hardware, or the array has another shape or values beyond its type. */
nashc_status sim_weights_take(sim_job *j, nashc_graph *f, const char *path);

/* Writes weights/LAYER.dat for the bench. */
nashc_status sim_weights_write(sim_job *j);

/* --- simulate.c, for verilate.c -------------------------------------------------------------- */

bool sim_wave_is_fst(const sim_job *j);

/* Runs argv in the folder; its output in p, to be freed also after an error. */
nashc_status sim_run_program(sim_job *j, const char *const *argv, tool_process *p);

/* Names of the files of the design that end so, and of its bench, behind the n arguments in argv;
 * NULL-terminated, owned by the job. NULL: memory is out. */
const char **sim_with_sources(sim_job *j, const char *const *argv, int n, const char *suffix);

/* --- verilate.c ------------------------------------------------------------------------------ */

/* The program that simulates the design, from the cache or built; owned by the job. */
nashc_status sim_verilate(sim_job *j, const char **program);

#endif
