/* golden.h: what the tests of training against stored values share. */
#ifndef GOLDEN_H
#define GOLDEN_H

#include "plugins/train/net/net.h"
#include "tools/tool.h"
#include <jansson.h>

typedef struct golden {
    nashc_ctx *ctx;
    nashc_diag *diag;
    thread_pool *pool;
    const char *folder, *file; /* being tested */
    tool_arrays arrays;
    const json_t *entry;                 /* of index.json */
    int passed, failed, skipped, faults; /* faults: of this file */
} golden;

/* --- arrays ---------------------------------------------------------------------------------- */

/* NULL, and a fault, if it is missing. */
const tool_array *golden_array(golden *t, const char *name);
const tool_array *golden_find(const golden *t, const char *name);
double golden_at(const tool_array *a, int64_t i);
int golden_integer(const tool_array *a, int64_t i); /* 0 if a is NULL */

/* Elements at .. at+n-1 of an array, as far as it has them. */
void golden_numbers(golden *t, const char *name, int64_t at, int64_t n, float *to);

/* How far `got` may be from array NAME_f64 (NAME if there is none): a bound for each element is
 * absolute + relative * |wanted| + of_largest * the largest |wanted|. */
typedef struct golden_bound {
    double absolute, relative, of_largest;
} golden_bound;
void golden_compare(golden *t, const char *name, const float *got, int64_t n, golden_bound b);
void golden_compare_at(golden *t, const char *name, int64_t at, const float *got, int64_t n,
                       golden_bound b);
void golden_fault(golden *t, const char *fmt, ...) NASHC_PRINTF(2, 3);

/* --- graphs of one layer --------------------------------------------------------------------- */

typedef struct golden_graph {
    nashc_module *module;
    nashc_graph *graph;
    nashc_build *b;
    nashc_value *zero; /* a zero point; NULL: none yet */
    train_net *net;
    int64_t batch, collect;
} golden_graph;

bool golden_begin(golden *t, golden_graph *g);
nashc_value *golden_input(golden *t, golden_graph *g, const char *array);
nashc_value *golden_const(golden *t, golden_graph *g, const char *array, const char *name);
nashc_value *golden_number(golden_graph *g, const char *name, double v);

/* Makes the net of y; `grads`: backward and gradients of inputs. */
bool golden_make(golden *t, golden_graph *g, nashc_value *y, bool grads);
void golden_set(golden *t, golden_graph *g, nashc_value *v, const char *array);

/* Forward, then backward from array `upstream` (NULL: none). */
bool golden_run(golden *t, golden_graph *g, bool training, const char *upstream);
void golden_end(golden_graph *g);

/* --- suites ---------------------------------------------------------------------------------- */

typedef void golden_test(golden *t, const char *name);
golden_test golden_layer, golden_quantiser, golden_optimiser, golden_searching;

/* A group of a supernet; a search, with running values of KIND "none", "alpha" or "both". */
void golden_group(golden *t, const char *name);
void golden_iterations(golden *t, const char *name, const char *kind);

/* Operators whose name holds filter (NULL: all). */
void golden_operators(golden *t, const char *filter);

/* Products of codes. */
void golden_codes(golden *t, const char *filter);

/* Convolutions by squares. */
void golden_winograd(golden *t, const char *filter);

/* Losses of tasks against differences, figures against cases worked by hand, scenes. */
void golden_tasks(golden *t, const char *filter);

/* The network in folder root/name; false: it cannot be read here, which is said. */
bool golden_network(golden *t, const char *root, const char *name);

#endif
