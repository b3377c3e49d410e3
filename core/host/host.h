/* host.h: what the files of the host share; never installed. */
#ifndef NASHC_HOST_H
#define NASHC_HOST_H

#include "core/base/attr.h"
#include "core/base/diag.h"
#include "core/base/map.h"
#include "core/base/mem.h"
#include "core/base/num.h"
#include "core/base/rng.h"
#include "core/base/str.h"
#include "ir/irctx.h"
#include <nashc/nashc.h>
#include <stdio.h>

/* --- registry.c ------------------------------------------------------------------------------ */

#define NASHC_N_DESC 11 /* NASHC_D_PLUGIN is one of them, whose table stays empty */

typedef struct nashc_entry {
    const void *desc;
    const char *name, *alias; /* alias: NULL or names separated by '|' */
    const char *origin;
    bool hidden;  /* replaced by an override */
    bool foreign; /* a plugin brought it */
} nashc_entry;

/* Entries of one kind; the map leads from name and alias to index + 1. */
typedef struct nashc_table {
    nashc_entry *entry;
    size_t n, cap;
    nashc_map map;
    const char **names; /* cache for nashc_names; NULL: build anew */
} nashc_table;

struct nashc_ctx {
    nashc_arena *arena;
    nashc_diag *diag;
    nashc_irctx *ir;
    nashc_table table[NASHC_N_DESC];
    struct nashc_plugin_row {
        const nashc_plugin *plugin;
        const char *origin;
    } * plugin;
    size_t n_plugins, cap_plugins;
    struct flow_seen *flow_seen; /* flowseen.c; NULL: nothing */
};

extern const nashc_plugin nashc_builtins; /* generated */

/* Index of the entry with this name or alias, -1: none. */
int nashc_table_find(const nashc_table *t, const char *key);

/* --- admission.c ----------------------------------------------------------------------------- */

#define NASHC_MAX_NAME 120

/* Checks all that p brings, before any of it is added. One message says what is wrong. */
nashc_status nashc_admit(nashc_ctx *c, const nashc_plugin *p, const char *origin, nashc_diag *d);

/* The list of descriptors of kind k that p brings; not NULL. */
const void *const *nashc_plugin_list(const nashc_plugin *p, nashc_desc_kind k);

/* Name ("iface/op" for an impl; NULL: memory out) and aliases of a descriptor; the next '|'
 * separated part of *s, which moves on, NULL at the end. Owned by c. */
const char *nashc_desc_name(nashc_ctx *c, nashc_desc_kind k, const void *desc);
const char *nashc_desc_alias(nashc_desc_kind k, const void *desc);
const char *nashc_next_alias(nashc_ctx *c, const char **s);

/* "pass"; NASHC_D_PLUGIN: "plugin". */
const char *nashc_desc_noun(nashc_desc_kind k);

/* The file of the plugin that brought descriptor name of kind k (for NASHC_D_IMPL: of interface
 * name for op); NULL: built-in, or unknown. Async-signal-safe; O(descriptors of the kind). */
const char *nashc_plugin_of(const nashc_ctx *c, nashc_desc_kind k, const char *name,
                            const char *op);

/* --- pipeline.c ------------------------------------------------------------------------------ */

/* Is name one of repeat, fixpoint, try? */
bool nashc_is_combinator(const char *name);

typedef enum nashc_item_kind {
    NASHC_I_SEQUENCE, /* a named pipeline, or the whole text */
    NASHC_I_PASS,
    NASHC_I_REPEAT,
    NASHC_I_FIXPOINT,
    NASHC_I_TRY
} nashc_item_kind;

typedef struct nashc_item {
    nashc_item_kind kind;
    const char *name;       /* as registered */
    const nashc_pass *pass; /* PASS */
    nashc_opts *opts;       /* PASS and named pipelines */
    const char *opt_text;   /* of opts, as written; handed-on values are in it; "" for none */
    int64_t count;          /* REPEAT, FIXPOINT */
    struct nashc_item *child, *next;
} nashc_item;

/* Parses text into a tree owned by a; names the fault with a caret otherwise. file: where the text
 * is from, for messages; NULL: -passes. */
nashc_status nashc_pipeline_parse(nashc_ctx *c, nashc_arena *a, const char *file, const char *text,
                                  nashc_item **out, nashc_diag *d);

/* --- extra.c --------------------------------------------------------------------------------- */

/* Puts extra passes ("after:NAME=PASSES", see nashc_pm_options) into the tree below root. list is
 * NULL-terminated; NULL: none. */
nashc_status nashc_pipeline_extend(nashc_ctx *c, nashc_arena *a, nashc_item *root,
                                   const char *const *list, nashc_diag *d);

/* --- perturb.c ---------------------------------------------------------------------------------
 */

/* As nashc_run_graph with NASHC_EVAL_WIDE, but float results that were rounded are moved by `by` of
 * their largest element, or of the largest term of their sum. Results of q.* ops stay. */
nashc_status nashc_run_perturbed(const nashc_graph *g, const nashc_buf *const *in, nashc_buf *out,
                                 double by);

/* --- pm.c, rewrite.c, instrument.c ----------------------------------------------------------- */

/* State of one nashc_run_pipeline. */
typedef struct nashc_pm {
    nashc_ctx *ctx;
    nashc_diag *diag;
    nashc_arena *arena; /* lives as long as the pipeline runs */
    nashc_pm_options o;
    nashc_module *module; /* the current one */
    int n_done, n_total;
    int64_t n_edits; /* counted ones, all passes */
    bool stopped;    /* the bisect limit has been reached */
    struct nashc_pass_time *times, *last_time;
    const nashc_item *root;
    const nashc_item *now;    /* the pass that runs */
    const nashc_item *failed; /* the item that failed, for the repro file */
} nashc_pm;

typedef struct nashc_pass_time {
    const nashc_pass *pass;
    double wall, cpu;
    int64_t runs, edits;
    int n_nodes; /* after the last run */
    int64_t *stats;
    int n_stats;
    struct nashc_pass_time *next;
} nashc_pass_time;

struct nashc_run {
    nashc_pm *pm;
    nashc_ctx *ctx;
    nashc_diag *diag;
    nashc_arena *arena;
    const nashc_pass *pass;
    const nashc_opts *opts;
    nashc_graph *graph;
    void *slot;
    int64_t *stats;
    int n_stats;
    int64_t n_edits; /* counted edits of this run */
    bool explain;
    nashc_status status; /* sticky failure outside builders */
    nashc_frame frame;   /* names this run as what runs now */
    nashc_build **build; /* handed out */
    size_t n_builds, cap_builds;
};

nashc_status nashc_rewrite_graph(nashc_run *r, nashc_graph *g);

bool nashc_name_listed(const char *const *list, const char *name, const char *alias);

/* Every name in print_before, print_after and explain of o is a pass or "all": else EUSAGE. */
nashc_status nashc_check_pass_names(nashc_ctx *c, const nashc_pm_options *o, nashc_diag *d);

void nashc_print_step(nashc_pm *pm, const char *when, const nashc_item *it, const nashc_module *m);
void nashc_print_diff(const nashc_pm *pm, const nashc_item *it, const nashc_module *before,
                      const nashc_module *after);
nashc_status nashc_save_temp(nashc_pm *pm, const nashc_item *it, const nashc_module *m);
nashc_pass_time *nashc_pass_clock(nashc_pm *pm, const nashc_pass *p);
void nashc_print_times(const nashc_pm *pm);
void nashc_print_stats(const nashc_pm *pm);
void nashc_write_repro(nashc_pm *pm, nashc_status s);

#endif
