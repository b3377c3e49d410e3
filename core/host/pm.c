/* pm.c: runs pipelines. Every pass works on a clone, which becomes the module only if all is well.
 */
#include "host.h"
#include "ir/impl.h"
#include <string.h>
#include <time.h>

/* --- one pass -------------------------------------------------------------------------------- */

static double
seconds(clockid_t which)
{
    struct timespec t;
    return clock_gettime(which, &t) == 0 ? (double)t.tv_sec + 1e-9 * (double)t.tv_nsec : 0;
}

/* A failure that a pass did not pass on counts all the same: that of any of its builders, or of the
 * run. */
static nashc_status
run_on_graph(nashc_run *r, nashc_graph *g)
{
    nashc_status s = NASHC_OK;
    r->graph = g;
    r->slot = NULL;
    if (r->pass->patterns)
        s = nashc_rewrite_graph(r, g);
    if (s == NASHC_OK && r->pass->run)
        s = r->pass->run(r, g);
    for (size_t i = 0; i < r->n_builds && s == NASHC_OK; i++)
        s = nashc_build_status(r->build[i]);
    r->n_builds = 0;
    return s == NASHC_OK ? r->status : s;
}

/* NASHC_PASS_MODULE: once, with @main at hand; others once for each graph. The number of graphs is
 * read anew, as a pass may add some. */
static nashc_status
run_on_module(nashc_run *r, nashc_module *m)
{
    nashc_status s = NASHC_OK;
    if (r->pass->flags & NASHC_PASS_MODULE) {
        nashc_graph *g = nashc_module_main(m);
        return g ? run_on_graph(r, g) : NASHC_OK;
    }
    for (int i = 0; s == NASHC_OK && i < nashc_module_n_graphs(m); i++)
        s = run_on_graph(r, nashc_module_graph_at(m, i));
    return s;
}

/* Does g call a graph whose results have other types by now than those of the call? */
static bool
calls_stale(const nashc_graph *g)
{
    NASHC_EACH_NODE(g, n)
    {
        const char *name = nashc_node_is(n, "call") ? nashc_attr_str(n, 0) : NULL;
        if (!name)
            continue;
        const nashc_graph *to = nashc_module_graph(nashc_graph_module(g), name + (*name == '@'));
        int n_out = to ? nashc_graph_n_outputs(to) : 0;
        for (int i = 0; i < n_out && i < nashc_node_n_out(n); i++)
            if (!nashc_type_eq(nashc_value_type(nashc_graph_output(to, i)),
                               nashc_value_type(nashc_node_out(n, i))))
                return true;
    }
    return false;
}

/* Callers learn the types that a pass gave to the results of called graphs, one level a round: as
 * calls have no circle, as many rounds as there are graphs suffice. */
static nashc_status
refresh_calls(const nashc_module *m, nashc_diag *d)
{
    nashc_status s = NASHC_OK;
    int n = nashc_module_n_graphs(m);
    bool stale = n > 1;
    for (int round = 0; stale && s == NASHC_OK && round < n; round++) {
        stale = false;
        for (int i = 0; s == NASHC_OK && i < n; i++)
            if (calls_stale(nashc_module_graph_at(m, i))) {
                s = nashc_graph_infer(nashc_module_graph_at(m, i), d);
                stale = true;
            }
    }
    return s;
}

static int
count_nodes(const nashc_module *m)
{
    int n = 0;
    for (int i = 0; i < nashc_module_n_graphs(m); i++)
        n += nashc_graph_n_nodes(nashc_module_graph_at(m, i));
    return n;
}

/* By counters, not by comparing texts: O(graphs). A pass that sets what was there already does not
 * count, see nashc_value_set_type. */
static nashc_edits
sum_edits(const nashc_module *m)
{
    nashc_edits sum = {(uint64_t)nashc_module_n_graphs(m), 0, 0};
    for (int i = 0; i < nashc_module_n_graphs(m); i++) {
        nashc_edits e = nashc_graph_edits(nashc_module_graph_at(m, i));
        sum.structure += e.structure;
        sum.types += e.types;
        sum.attrs += e.attrs;
    }
    return sum;
}

/* Order matters: an invalid graph may crash the executor, so it is verified before it is run.
 * Checking passes change nothing, and INTERFACE passes change what a comparison needs. */
static nashc_status
check_result(nashc_pm *pm, const nashc_item *it, const nashc_module *after, bool changed)
{
    nashc_status s = NASHC_OK;
    if (pm->o.verify_each > 0) {
        s = nashc_verify(after, pm->o.verify_each, pm->diag);
        if (s != NASHC_OK && s != NASHC_ENOMEM) {
            s = nashc_bug(pm->diag, NULL, "pass \"%s\" left an invalid graph, see above", it->name);
        }
    }
    if (s != NASHC_OK || !changed || pm->o.check_each <= 0 || it->pass->flags & NASHC_PASS_CHECK)
        return s;
    if (it->pass->flags & NASHC_PASS_INTERFACE)
        nashc_remark(pm->diag, NULL, "[%s] not compared: it changes the interface on purpose",
                     it->name);
    else
        s = nashc_check_equal(pm->module, after, pm->o.check_each, pm->o.seed,
                              it->pass->flags & NASHC_PASS_INEXACT, it->name, pm->diag);
    return s;
}

/* What the options want to see of a pass that succeeded. */
static nashc_status
show_result(nashc_pm *pm, const nashc_item *it, const nashc_module *after, bool changed)
{
    nashc_status s = NASHC_OK;
    if (nashc_name_listed(pm->o.print_after, it->name, it->pass->alias))
        nashc_print_step(pm, "after", it, after);
    if (changed && pm->o.print_changed)
        nashc_print_diff(pm, it, pm->module, after);
    if (changed && pm->o.save_temps)
        s = nashc_save_temp(pm, it, after);
    return s;
}

/* Runs the pass on its clone, takes the time, then checks and shows what came out. */
static nashc_status
run_and_check(nashc_run *r, const nashc_item *it, nashc_module *after, nashc_pass_time *clock)
{
    nashc_pm *pm = r->pm;
    r->stats = clock->stats;
    r->n_stats = clock->n_stats;
    if (pm->o.shuffle_uses)
        nashc_module_shuffle_uses(after, pm->o.shuffle_uses + (uint64_t)pm->n_done);
    nashc_edits old = sum_edits(after), now;
    double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    nashc_status s = run_on_module(r, after);
    if (s == NASHC_OK && !(it->pass->flags & NASHC_PASS_CHECK))
        s = refresh_calls(after, pm->diag);
    clock->wall += seconds(CLOCK_MONOTONIC) - wall;
    clock->cpu += seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    clock->runs++;
    clock->edits += r->n_edits;
    clock->n_nodes = count_nodes(after);
    now = sum_edits(after);
    bool changed = memcmp(&old, &now, sizeof old) != 0;
    if (s == NASHC_OK)
        s = check_result(pm, it, after, changed);
    if (s == NASHC_OK)
        s = show_result(pm, it, after, changed);
    return s;
}

/* The pass works on a clone, and the module is replaced only at the end: a failure leaves what the
 * pass was given, for the repro file and for `try`. Costs a copy of the structure a pass; cells of
 * constants are shared. */
static nashc_status
run_pass(nashc_pm *pm, const nashc_item *it)
{
    if (pm->o.progress)
        pm->o.progress(pm->o.user, it->name, pm->n_done, pm->n_total);
    if (nashc_name_listed(pm->o.print_before, it->name, it->pass->alias))
        nashc_print_step(pm, "before", it, pm->module);
    nashc_module *after = nashc_module_clone(pm->module);
    nashc_pass_time *clock = nashc_pass_clock(pm, it->pass);
    nashc_run r = {.pm = pm,
                   .ctx = pm->ctx,
                   .diag = pm->diag,
                   .arena = nashc_arena_create(),
                   .pass = it->pass,
                   .opts = it->opts,
                   .explain = nashc_name_listed(pm->o.explain, it->name, it->pass->alias)};
    pm->now = it;
    nashc_enter(&r.frame, pm->ctx, NASHC_D_PASS, it->name, NULL, pm->diag);
    nashc_status s = after && clock && r.arena ? run_and_check(&r, it, after, clock) : NASHC_ENOMEM;
    s = nashc_leave(&r.frame, s);
    pm->now = NULL;
    nashc_mem_free(r.build);
    nashc_arena_free(r.arena);
    if (s != NASHC_OK) {
        nashc_module_free(after);
        pm->failed = it;
        return s;
    }
    if (nashc_diag_verbosity(pm->diag) >= 2)
        nashc_remark(pm->diag, NULL, "[%s] %" PRId64 " edits, %d nodes", it->name, r.n_edits,
                     clock->n_nodes);
    nashc_module_free(pm->module);
    pm->module = after;
    pm->n_done++;
    nashc_diag_flush(pm->diag);
    return NASHC_OK;
}

/* --- the tree -------------------------------------------------------------------------------- */

static nashc_status run_list(nashc_pm *pm, const nashc_item *it);

/* The text decides whether something changed: passes may edit back and forth within a round and
 * still arrive where they were. */
static nashc_status
run_fixpoint(nashc_pm *pm, const nashc_item *it)
{
    for (int64_t round = 0; round < it->count; round++) {
        size_t n_old = 0, n_new = 0;
        char *old = nashc_print(pm->module, &n_old);
        nashc_status s = old ? run_list(pm, it->child) : nashc_enomem(pm->diag);
        char *now = s == NASHC_OK ? nashc_print(pm->module, &n_new) : NULL;
        bool same = old && now && n_old == n_new && memcmp(old, now, n_old) == 0;
        bool room = s != NASHC_OK || now;
        nashc_mem_free(old);
        nashc_mem_free(now);
        if (s != NASHC_OK)
            return s;
        if (!room)
            return nashc_enomem(pm->diag);
        if (same)
            return NASHC_OK;
    }
    nashc_error(pm->diag, NULL, "fixpoint: the graph still changes after %" PRId64 " rounds",
                it->count);
    nashc_help(pm->diag, "two passes may undo each other: look with --print-changed");
    return NASHC_EUNSUP;
}

/* Failures of the kind "cannot do that with this input" are taken back, with their messages; bugs,
 * memory and mismatches are not, as they say something about nashc. */
static nashc_status
run_try(nashc_pm *pm, const nashc_item *it)
{
    nashc_module *snapshot = nashc_module_clone(pm->module);
    if (!snapshot)
        return nashc_enomem(pm->diag);
    int n = nashc_diag_count(pm->diag, NASHC_NOTE);
    nashc_diag_hold(pm->diag, 1);
    nashc_status s = run_list(pm, it->child);
    nashc_diag_hold(pm->diag, -1);
    if (s == NASHC_EINPUT || s == NASHC_EUNSUP) {
        nashc_diag_truncate(pm->diag, n);
        if (nashc_diag_verbosity(pm->diag) >= 2)
            nashc_remark(pm->diag, NULL, "[try] taken back: pass \"%s\" failed",
                         pm->failed ? pm->failed->name : "?");
        pm->failed = NULL;
        nashc_module_free(pm->module);
        pm->module = snapshot;
        return NASHC_OK;
    }
    nashc_module_free(snapshot);
    return s;
}

static nashc_status
run_item(nashc_pm *pm, const nashc_item *it)
{
    nashc_status s = NASHC_OK;
    switch (it->kind) {
    case NASHC_I_PASS:
        return run_pass(pm, it);
    case NASHC_I_REPEAT:
        for (int64_t i = 0; s == NASHC_OK && i < it->count; i++)
            s = run_list(pm, it->child);
        return s;
    case NASHC_I_FIXPOINT:
        return run_fixpoint(pm, it);
    case NASHC_I_TRY:
        return run_try(pm, it);
    case NASHC_I_SEQUENCE:
        break;
    }
    return run_list(pm, it->child);
}

/* Nesting is bounded by the parser. */
static nashc_status
run_list(nashc_pm *pm, const nashc_item *it)
{
    nashc_status s = NASHC_OK;
    for (; s == NASHC_OK && it; it = it->next)
        s = run_item(pm, it);
    return s;
}

/* --- stages ---------------------------------------------------------------------------------- */

static bool
all_static(const nashc_module *m)
{
    for (int i = 0; i < nashc_module_n_graphs(m); i++) {
        nashc_graph *g = nashc_module_graph_at(m, i);
        for (int k = 0; k < nashc_graph_n_inputs(g); k++)
            if (!nashc_type_is_static(nashc_value_type(nashc_graph_input(g, k))))
                return false;
    }
    return true;
}

static bool
any_hw(const nashc_module *m)
{
    for (int i = 0; i < nashc_module_n_graphs(m); i++)
        NASHC_EACH_NODE(nashc_module_graph_at(m, i), n)
        {
            if (nashc_node_op(n)->hw) /* a plugin's layers have other names */
                return true;
        }
    return false;
}

/* Has the module, as it comes in, this property? What only a pass can tell is taken for granted. */
static bool
has_stage(const nashc_module *m, const char *word, size_t len)
{
    if (len == 13 && memcmp(word, "static-shapes", len) == 0)
        return all_static(m);
    if ((len == 7 && memcmp(word, "hw-only", len) == 0) ||
        (len == 6 && memcmp(word, "folded", len) == 0))
        return any_hw(m);
    return true;
}

static bool
lists_word(const char *list, const char *word, size_t len)
{
    for (const char *s = list; s && *s; s += strspn(s, " ")) {
        size_t n = strcspn(s, " ");
        if (n == len && memcmp(s, word, len) == 0)
            return true;
        s += n;
    }
    return false;
}

/* Follows the tree in the order it will run and collects what passes give; before anything runs, so
 * that a pipeline that cannot work says so at once. Bodies of loops count as run once. */
static nashc_status
check_stages(nashc_pm *pm, const nashc_item *it, nashc_str *given)
{
    nashc_status s = NASHC_OK;
    for (; s == NASHC_OK && it; it = it->next) {
        if (it->kind != NASHC_I_PASS) {
            s = check_stages(pm, it->child, given);
            continue;
        }
        pm->n_total++;
        for (const char *w = it->pass->needs; w && *w; w += strspn(w, " ")) {
            size_t len = strcspn(w, " ");
            if (!lists_word(given->data, w, len) && !has_stage(pm->module, w, len)) {
                nashc_error(pm->diag, NULL,
                            "pass \"%s\" needs a graph that is %.*s, which neither "
                            "the input is nor a pass before it makes",
                            it->name, (int)len, w);
                return NASHC_EINPUT;
            }
            w += len;
        }
        if (it->pass->gives) {
            nashc_str_puts(given, it->pass->gives);
            nashc_str_putc(given, ' ');
        }
    }
    return s;
}

/* --- entry ----------------------------------------------------------------------------------- */

/* The pipeline that runs in this thread, for a crash to save what it was given. */
static _Thread_local nashc_pm *running_pm;

/* From the handler of a crash: memory may be in any state, but a file that is likely good beats
 * none. running_pm is cleared first, so that a crash in here does not come back. */
void
nashc_running_repro(void)
{
    nashc_pm *pm = running_pm;
    running_pm = NULL;
    if (!pm || !pm->now)
        return;
    pm->failed = pm->now;
    nashc_write_repro(pm, NASHC_EBUG);
    nashc_diag_flush(pm->diag);
}

/* struct_size is the caller's: members that its headers did not know keep their defaults. */
static void
take_options(nashc_pm_options *to, const nashc_pm_options *from)
{
    *to = (nashc_pm_options){.struct_size = sizeof *to, .bisect_limit = -1};
    if (from)
        memcpy(to, from, from->struct_size < sizeof *to ? from->struct_size : sizeof *to);
}

/* *m is the last good module in any case, owned by the caller. Pipelines may nest (a pass that runs
 * one), so the outer one is put back. */
nashc_status
nashc_run_pipeline(nashc_module **m, const char *text, const nashc_pm_options *o, nashc_diag *d)
{
    nashc_pm pm = {.ctx = nashc_module_ctx(*m), .diag = d, .arena = nashc_arena_create()};
    nashc_pm *outer = running_pm;
    nashc_item *root = NULL;
    nashc_str given = {0};
    take_options(&pm.o, o);
    if (!pm.arena)
        return nashc_enomem(d);
    pm.module = *m;
    nashc_status s = nashc_pipeline_parse(pm.ctx, pm.arena, NULL, text, &root, d);
    if (s == NASHC_OK)
        s = nashc_check_pass_names(pm.ctx, &pm.o, d);
    if (s == NASHC_OK)
        s = nashc_pipeline_extend(pm.ctx, pm.arena, root, pm.o.extra_passes, d);
    if (s == NASHC_OK)
        s = check_stages(&pm, root->child, &given);
    nashc_str_free(&given);
    pm.root = root;
    running_pm = &pm;
    if (s == NASHC_OK)
        s = run_list(&pm, root->child);
    running_pm = outer;
    if (s != NASHC_OK && pm.failed)
        nashc_write_repro(&pm, s);
    *m = pm.module; /* after a failure: what the failing pass was given */
    if (pm.o.progress)
        pm.o.progress(pm.o.user, NULL, pm.n_done, pm.n_total);
    if (pm.o.time_passes)
        nashc_print_times(&pm);
    if (pm.o.stats)
        nashc_print_stats(&pm);
    if (pm.stopped && s == NASHC_OK)
        nashc_remark(d, NULL, "stopped after %" PRId64 " edits (--bisect-limit)", pm.n_edits);
    nashc_arena_free(pm.arena);
    return s;
}
