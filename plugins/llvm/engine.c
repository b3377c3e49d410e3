/* engine.c: what the plugin finds behind it: compiles a module for this machine. */
#include "engine.h"
#include "jit.h"
#include "object.h"
#include "plugins/threads/pool.h"
#include <nashc/pass.h>
#include <stdlib.h>
#include <string.h>

/* Channels last, and a product, a shift and a clamp in place of comparisons that cost more. */
#define PIPELINE "to-channels-last,thresholds-to-requant(min-thresholds=4)"

/* The module that is compiled. */
static nashc_status
rearrange(cpu_program *p, nashc_diag *d)
{
    nashc_pm_options o = {.struct_size = sizeof o, .bisect_limit = -1};

    p->module = nashc_module_clone(p->plain);
    if (!p->module)
        return nashc_enomem(d);
    int level = nashc_diag_verbosity(d);
    nashc_diag_set_verbosity(d, level < 1 ? level : 1); /* its edits are no news to the user */
    nashc_status s = nashc_run_pipeline(&p->module, PIPELINE, &o, d);
    nashc_diag_set_verbosity(d, level);
    p->graph = nashc_module_main(p->module);
    return s;
}

nashc_status
cpu_program_create(const nashc_module *m, cpu_program **out, nashc_diag *d)
{
    cpu_program *p = nashc_module_main(m) ? calloc(1, sizeof *p) : NULL;
    nashc_status s = NASHC_OK;

    if (!nashc_module_main(m))
        return nashc_error(d, NULL, "the module has no graph");
    if (!p || !(p->arena = nashc_arena_create()) || !(p->plain = nashc_module_clone(m)))
        s = nashc_enomem(d);
    if (s == NASHC_OK)
        s = rearrange(p, d);
    if (s != NASHC_OK) {
        cpu_program_free(p);
        p = NULL;
    }
    *out = p;
    return s;
}

static void
cpu_free(void *program)
{
    cpu_program_free(program);
}

static nashc_status
run(void *program, int64_t n, const nashc_buf *const *in, nashc_buf *out, nashc_diag *d)
{
    return cpu_run(program, n, in, out, d);
}

static nashc_status
cpu_prepare(const nashc_module *m, const nashc_opts *o, void **program, nashc_diag *d)
{
    cpu_options opt = {.cpu = "native",
                       .width = (int)nashc_opts_int(o, "width"),
                       .threads = (int)nashc_opts_int(o, "threads"),
                       .dump = nashc_opts_str(o, "dump")};
    const char *cache = nashc_opts_str(o, "cache");
    cpu_program *p;
    nashc_status s = cpu_program_create(m, &p, d);

    if (opt.threads == 0)
        opt.threads = thread_processors(1);
    if (s == NASHC_OK)
        s = cpu_build(p, &opt, cpu_jit, strcmp(cache, "off") == 0 ? "" : cache, d);
    if (s == NASHC_OK)
        s = cpu_start(p, opt.threads, nashc_opts_int(o, "grain"), d);
    if (s == NASHC_OK)
        *program = p;
    else
        cpu_program_free(p);
    return s;
}

static const cpu_engine engine = {.size = sizeof engine,
                                  .prepare = cpu_prepare,
                                  .run = run,
                                  .free = cpu_free,
                                  .write = cpu_object_write};

const cpu_engine *
cpu_engine_entry(void)
{
    return &engine;
}
