/* run.c: what a running pass may ask: options, scratch, edits, statistics, near misses. */
#include "host.h"

nashc_ctx *
nashc_run_ctx(nashc_run *r)
{
    return r->ctx;
}

nashc_diag *
nashc_run_diag(nashc_run *r)
{
    return r->diag;
}

nashc_arena *
nashc_run_arena(nashc_run *r)
{
    return r->arena;
}

/* A place for the pass's own state, NULL at the begin of each graph. */
void **
nashc_run_slot(nashc_run *r)
{
    return &r->slot;
}

const nashc_opts *
nashc_run_opts(nashc_run *r)
{
    return r->opts;
}

/* Kept in a list, so that the failure of any builder a pass made fails the pass, whether it looked
 * or not (run_on_graph in pm.c). */
nashc_build *
nashc_run_build(nashc_run *r, nashc_graph *g)
{
    nashc_build *b = nashc_build_create(g, r->diag);
    if (!b ||
        !nashc_mem_grow((void **)&r->build, &r->cap_builds, r->n_builds + 1, sizeof *r->build))
        r->status = r->status == NASHC_OK ? nashc_enomem(r->diag) : r->status;
    else
        r->build[r->n_builds++] = b;
    return b;
}

/* Out of range is ignored: counters are for people, not worth a failure. */
void
nashc_stat(nashc_run *r, int i, int64_t by)
{
    if (i >= 0 && i < r->n_stats)
        r->stats[i] += by;
}

/* False: the limit is reached, and the pass is to stop changing things. Edits are counted over all
 * passes of the pipeline, so that a bisection finds the one edit that breaks a model. */
bool
nashc_run_edit(nashc_run *r, const char *what, const nashc_node *n)
{
    nashc_pm *pm = r->pm;
    if (pm->o.bisect_limit >= 0 && pm->n_edits >= pm->o.bisect_limit) {
        pm->stopped = true;
        return false;
    }
    pm->n_edits++;
    r->n_edits++;
    if (nashc_diag_verbosity(r->diag) >= 3) {
        bool named = n && !nashc_node_dead(n) && nashc_node_n_out(n) > 0;
        nashc_remark(r->diag, NULL, "[%s] edit %" PRId64 ": %s%s%s", r->pass->name, pm->n_edits,
                     what, named ? " at %" : "",
                     named ? nashc_value_name(nashc_node_out(n, 0)) : "");
    }
    return true;
}

/* Returns false always, so that a matcher says `return nashc_run_miss(...)`. Costs nothing unless
 * --explain names the pass. */
bool
nashc_run_miss(nashc_run *r, const nashc_node *n, const char *fmt, ...)
{
    if (!r->explain)
        return false;
    va_list ap;
    va_start(ap, fmt);
    const char *text = nashc_arena_vprintf(r->arena, fmt, ap);
    va_end(ap);
    nashc_loc loc = n && nashc_node_loc(n) ? *nashc_node_loc(n) : (nashc_loc){0};
    const char *name = loc.name, *sigil = "";
    if (!name && n && nashc_node_n_out(n) > 0) {
        name = nashc_value_name(nashc_node_out(n, 0));
        sigil = "%";
    }
    loc.name = NULL;
    nashc_remark(r->diag, &loc, "[%s] node \"%s%s\": %s", r->pass->name, sigil,
                 nashc_quote(r->diag, name ? name : "?"), text ? text : "");
    return false;
}
