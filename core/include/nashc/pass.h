/* pass.h: pass and pipeline descriptors, and what a running pass may ask. */
#ifndef NASHC_PASS_H
#define NASHC_PASS_H

#include <nashc/op.h>

NASHC_BEGIN

typedef struct nashc_pattern {
    const char *root; /* op name of the root; "*": every node; "q.*": a prefix */
    bool (*rewrite)(nashc_rw *rw, nashc_node *root); /* true iff it edited */
} nashc_pattern;

#define NASHC_PASS_INEXACT                                                                         \
    1u                       /* changes values on purpose, or moves floats: checks use tolerance   \
                              */
#define NASHC_PASS_MODULE 2u /* run once a module (g is its entry), not once a graph */
#define NASHC_PASS_CHECK  4u /* only looks and complains; edits nothing */
#define NASHC_PASS_INTERFACE                                                                       \
    8u /* changes inputs or outputs of the graph: there is nothing to compare it with */

typedef struct nashc_pass {
    uint32_t struct_size, flags;
    const char *name, *alias, *help; /* alias: "MoveMulPastMaxPool"; several: separated by '|' */
    const nashc_param *options;
    const char *const *stats;  /* NULL-terminated counter names, bumped with nashc_stat */
    const char *needs, *gives; /* stages: "static-shapes integer-only hw-only folded"; NULL: none */
    const nashc_pattern *const *patterns; /* NULL-terminated; run to a fixpoint first */
    nashc_status (*run)(nashc_run *r, nashc_graph *g); /* then this; either may be NULL */
} nashc_pass;

/* A named pass list, itself usable as a pass: name(option=value). In its text the value "$option"
 * of an item is that of the pipeline's own option (left out while that is empty), and
 * if<option>(a,b) stands only if the option is neither empty nor false. */
typedef struct nashc_pipeline {
    uint32_t struct_size, flags;
    const char *name, *alias, *help;
    const char *text;
    const nashc_param *options; /* ends with {0}; NULL: none */
} nashc_pipeline;

/* --- inside run
 * ------------------------------------------------------------------------------------ */

NASHC_API nashc_ctx *nashc_run_ctx(nashc_run *r);
NASHC_API nashc_diag *nashc_run_diag(nashc_run *r);
NASHC_API nashc_arena *nashc_run_arena(nashc_run *r); /* scratch, dies with this run */

/* A pointer for the pass, NULL when the run of a graph begins: what its patterns share. */
NASHC_API void **nashc_run_slot(nashc_run *r);
NASHC_API const nashc_opts *nashc_run_opts(nashc_run *r);
NASHC_API nashc_build *nashc_run_build(nashc_run *r, nashc_graph *g);
NASHC_API void nashc_stat(nashc_run *r, int i, int64_t by);

/* May the pass make one more edit? False once --bisect-limit is reached. Code passes ask before
 * each edit they count; patterns are asked by the driver. */
NASHC_API bool nashc_run_edit(nashc_run *r, const char *what, const nashc_node *n);

/* Explains a near miss under --explain; costs nothing otherwise. Returns false. */
NASHC_API bool nashc_run_miss(nashc_run *r, const nashc_node *n, const char *fmt, ...)
    NASHC_PRINTF(3, 4);

/* --- analyses
 * ---------------------------------------------------------------------------------------- */

/* Computed on demand, cached on the graph, dropped when an edit counter it depends on has moved. */
typedef struct nashc_analysis {
    const char *name;
    uint32_t depends; /* NASHC_DEP_* */
    void *(*compute)(const nashc_graph *g, nashc_arena *a, nashc_diag *d);
} nashc_analysis;
#define NASHC_DEP_STRUCTURE 1u
#define NASHC_DEP_TYPES     2u
#define NASHC_DEP_ATTRS     4u
NASHC_API const void *nashc_analyse(const nashc_graph *g, const nashc_analysis *what,
                                    nashc_diag *d);

/* --- running pipelines
 * --------------------------------------------------------------------------------- */

typedef struct nashc_pm_options {
    uint32_t struct_size;
    int verify_each; /* 0 none, else level of nashc_verify after each pass */
    int check_each;  /* random inputs for the comparison after each pass; 0: no check */
    uint64_t seed;
    int64_t bisect_limit;            /* edits allowed; -1: no limit */
    uint64_t shuffle_uses;           /* 0: no */
    const char *const *print_before; /* NULL-terminated names or "all"; EUSAGE: an unknown one */
    const char *const *print_after;
    const char *const *explain;
    bool print_changed, time_passes, stats;
    const char *save_temps; /* directory, NULL: none */
    const char *repro;      /* file written on failure, NULL: none */
    void (*progress)(void *user, const char *pass, int done, int total);
    void *user;
    const char *repro_on_bug; /* like repro, but only when the failure is a bug; NULL: none */

    /* "after:NAME=PASSES" or "before:NAME=PASSES" each, NULL-terminated; NULL: none. NAME is a pass
     * or a named pipeline, by name or alias, at any depth of the pipeline; PASSES are put at every
     * place of it, in the order of this list. A NAME that does not occur is EUSAGE. */
    const char *const *extra_passes;
} nashc_pm_options;

/* Runs the pipeline text on *m, pass by pass, each on a clone: on failure *m is what it was before
 * the failing pass. Dumps go to standard error. */
NASHC_API nashc_status nashc_run_pipeline(nashc_module **m, const char *text,
                                          const nashc_pm_options *o, nashc_diag *d);

/* Only parses, and checks names and options: EUSAGE with a caret under the fault. */
NASHC_API nashc_status nashc_check_pipeline(nashc_ctx *c, const char *text, nashc_diag *d);

/* The same with the extra passes, and names of passes, of o (NULL: none). */
NASHC_API nashc_status nashc_check_pipeline_opts(nashc_ctx *c, const char *text,
                                                 const nashc_pm_options *o, nashc_diag *d);

/* Inputs at the ends of their ranges, that each check has besides the random ones. */
#define NASHC_CHECK_CORNERS 4

/* Compares two modules of equal interface on n random and the corner inputs: EMISMATCH names the
 * first differing output element, its two values and the input. Boundary cases (docs/numerics.md)
 * are counted apart; both modules are run by the reference executor. what names the step in
 * messages.
 */
NASHC_API nashc_status nashc_check_equal(const nashc_module *a, const nashc_module *b, int n,
                                         uint64_t seed, bool inexact, const char *what,
                                         nashc_diag *d);

NASHC_END
#endif
