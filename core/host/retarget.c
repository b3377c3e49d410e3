/* retarget.c: folds again where layers are fast enough but wait for each other.
 *
 *     layers: T cycles or fewer --> simulation: I > T --> fold for T * T / I --> simulation ...
 */
#include "compile.h"

#define ROUNDS 3

static nashc_status
fold_for(nashc_module **m, const nashc_compile_options *o, uint64_t target, nashc_arena *a,
         nashc_diag *d)
{
    /* Half a cycle more, so that the rate is rounded back to target. */
    const char *text = nashc_arena_printf(
        a,
        "try(retarget(backend=\"%s\";device=\"%s\";clock-ns=%.17g;target-fps=%.17g;"
        "mvau-wwidth-max=%" PRId64 ";mul=%s;adder-graphs=%s))",
        o->backend ? o->backend : "", o->device ? o->device : "", o->clock_ns,
        1e9 / o->clock_ns / ((double)target + 0.5), o->mvau_wwidth_max, o->mul ? o->mul : "auto",
        o->adder_graphs ? o->adder_graphs : "auto");
    nashc_pm_options pm = {.struct_size = sizeof pm, .bisect_limit = -1};

    if (o->pm) {
        pm.verify_each = o->pm->verify_each;
        pm.check_each = o->pm->check_each;
        pm.seed = o->pm->seed;
    }
    return text ? nashc_run_pipeline(m, text, &pm, d) : nashc_enomem(d);
}

/* One round: *trial becomes *m folded for target, *r what it reaches. */
static nashc_status
try_target(const nashc_module *m, const nashc_compile_options *o, uint64_t target,
           nashc_module **trial, nashc_compile_result *r, nashc_arena *a, nashc_diag *d)
{
    if (!(*trial = nashc_module_clone(m)))
        return nashc_enomem(d);
    nashc_status s = fold_for(trial, o, target, a, d);
    if (s == NASHC_OK)
        s = nashc_compile_measure(*trial, o, r, a, d);
    if (s != NASHC_OK || nashc_diag_verbosity(d) < 2)
        return s;
    if (nashc_compile_slowest(r, NULL) <= target)
        nashc_remark(d, NULL,
                     "[retarget] folded for %" PRIu64 " cycles a frame: the interval is %g", target,
                     r->interval);
    else
        nashc_remark(d, NULL, "[retarget] no folding takes %" PRIu64 " cycles a frame or fewer",
                     target);
    return s;
}

nashc_status
nashc_compile_retarget(nashc_module **m, const nashc_compile_options *o, nashc_compile_result *r,
                       nashc_arena *a, nashc_diag *d)
{
    const double goal = 1e9 / o->clock_ns / o->target_fps * (1 + 1e-9);
    uint64_t target = (uint64_t)goal;
    double interval = r->interval;
    nashc_status s = NASHC_OK;

    if (nashc_compile_slowest(r, NULL) > target)
        return NASHC_OK;
    for (int i = 0; i < ROUNDS && s == NASHC_OK && r->interval > goal; i++) {
        nashc_compile_result next = *r;
        nashc_module *trial = NULL;
        uint64_t less = (uint64_t)((double)target * goal / interval);
        target = less < target ? less : target - 1;
        if (target == 0)
            break;
        s = try_target(*m, o, target, &trial, &next, a, d);
        bool reached = s == NASHC_OK && nashc_compile_slowest(&next, NULL) <= target;
        interval = next.interval;
        if (s == NASHC_OK && next.interval < r->interval) {
            nashc_module_free(*m);
            *m = trial;
            *r = next;
        } else {
            nashc_module_free(trial);
        }
        if (!reached) /* no wider folding is there: narrower targets change nothing */
            break;
    }
    return s;
}
