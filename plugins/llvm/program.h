/* program.h: a graph as a list of steps over a block of memory: what `prepare` makes and `run`
 * walks. */
#ifndef CPU_PROGRAM_H
#define CPU_PROGRAM_H

#include "pace.h"
#include <nashc/eval.h>
#include <nashc/op.h>
#include <nashc/plugin.h>

/* Where the elements of a value lie. */
typedef enum cpu_place {
    CPU_NOWHERE, /* inside a kernel only */
    CPU_ARENA,   /* at an offset of the sample's memory */
    CPU_INPUT,   /* in the caller's buffer */
    CPU_CONST    /* in the module's constants */
} cpu_place;

typedef struct cpu_value {
    const nashc_value *v;
    nashc_cell cell; /* as stored: f32 results are kept as doubles, as the reference keeps them */
    int64_t n;       /* elements */
    int root;        /* value whose storage it shares; itself if it has its own */
    cpu_place place;
    int input;        /* of CPU_INPUT: which */
    const void *data; /* of CPU_CONST */
    size_t offset;    /* of CPU_ARENA, in bytes */
    int first, last;  /* steps between which it lives */
} cpu_value;

/* An argument of a kernel: a pointer. */
typedef struct cpu_slot {
    int value;        /* >= 0: elements of that value */
    const void *data; /* else this constant, or NULL: the scratch of the step */
} cpu_slot;

/* Constants of kernels that were made while they were compiled. */
typedef struct cpu_region {
    const char *start;
    size_t size;
} cpu_region;

typedef enum cpu_kind { CPU_KERNEL, CPU_EVAL } cpu_kind;

/* Does units from .. to-1 of its step, of which there is at least one. */
typedef void cpu_kernel_fn(char *const *slots, int32_t *fault, int64_t from, int64_t to);

typedef struct cpu_step {
    cpu_kind kind;
    const nashc_node *node; /* the last one it computes */
    int n_nodes;
    bool feeds;     /* it writes the scratch of the next step, and no result */
    bool fed;       /* the step before does */
    cpu_slot *slot; /* of a kernel */
    int n_slot;
    size_t scratch, scratch_at; /* bytes, and where */
    int64_t units;              /* parts that can be computed at the same time, rows mostly */
    double cost;                /* rough cycles of all of them */
    int parts;                  /* threads it is shared out to, at most */
    char symbol[24];
    cpu_kernel_fn *fn;
    int out;         /* the one result of node that it writes; -1: all of them */
    const char *how; /* one word for reports: "bits", "int8" ... */
} cpu_step;

typedef struct cpu_options {
    int threads, width; /* width: bytes of a vector at most */
    const char *cpu;    /* "native", or a level of x86-64 */
    const char *dump;   /* file for the IR; "": none */
} cpu_options;

struct thread_pool;
struct cpu_frame;

typedef struct cpu_program {
    nashc_module *plain;  /* the module as given: runs again where a sample is faulty */
    nashc_module *module; /* the one that is compiled, channels last */
    const nashc_graph *graph;
    nashc_arena *arena;
    cpu_value *value; /* by value id */
    int n_value;
    cpu_step *step;
    int n_step, max_step;
    cpu_region *blob;
    int n_blob;
    size_t memory; /* bytes a sample */
    void *jit;     /* owns the machine code */
    struct thread_pool *pool;
    int threads, parts; /* parts: the most of a step */
    bool always;        /* steps are shared out, whatever the clock says */
    cpu_pace pace;
    struct cpu_frame *frame; /* what each thread works in (runtime.c) */
} cpu_program;

/* Value id of v in its graph. */
static inline int
cpu_id(const nashc_value *v)
{
    return (int)nashc_value_id(v);
}

/* A program without steps: a copy of m, and one that runs channels last. */
nashc_status cpu_program_create(const nashc_module *m, cpu_program **out, nashc_diag *d);

/* Makes the steps and their code, of which finish, with the user's argument, makes use. */
struct cpu_cg;
typedef nashc_status cpu_finish(struct cpu_cg *g, const void *user, nashc_diag *d);
nashc_status cpu_build(cpu_program *p, const cpu_options *o, cpu_finish *finish, const void *user,
                       nashc_diag *d);

/* Threads for a program that is built, and how its steps are shared out among them: each has grain
 * cycles of a step at least, some times what it costs them to wait for each other; 0: all steps are
 * shared out. */
nashc_status cpu_start(cpu_program *p, int threads, int64_t grain, nashc_diag *d);

/* Runs n samples on the program's threads; in[k * n_in + i], out[k * n_out + i]. Each thread has as
 * many whole samples as any other; the rows of those that are left are shared out. One run at a
 * time. */
nashc_status cpu_run(cpu_program *p, int64_t n, const nashc_buf *const *in, nashc_buf *out,
                     nashc_diag *d);

void cpu_program_free(cpu_program *p);

#endif
