/* executor.c: the executor "cpu": compiles a module for this machine. */
#include "jit.h"
#include "pool.h"
#include <nashc/pass.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const nashc_param options[] = {
    {.name = "threads",
     .def = "0",
     .domain = "0..1024",
     .help = "samples at a time; 0: one for each processor",
     .kind = NASHC_P_INT},
    {.name = "dump", .def = "", .help = "file for the LLVM IR", .kind = NASHC_P_PATH},
    {.name = "cache",
     .def = "off",
     .help = "folder that keeps compiled code, or off",
     .kind = NASHC_P_PATH},
    {0},
};

/* The module that is compiled: channels last where that is possible. */
static nashc_status
rearrange(cpu_program *p, nashc_diag *d)
{
    nashc_pm_options o = {.struct_size = sizeof o, .bisect_limit = -1};

    p->module = nashc_module_clone(p->plain);
    if (!p->module)
        return nashc_enomem(d);
    int level = nashc_diag_verbosity(d);
    nashc_diag_set_verbosity(d, level < 1 ? level : 1); /* its edits are no news to the user */
    nashc_status s = nashc_run_pipeline(&p->module, "to-channels-last", &o, d);
    nashc_diag_set_verbosity(d, level);
    p->graph = nashc_module_main(p->module);
    return s;
}

static void
cpu_free(void *program)
{
    cpu_program_free(program);
}

static nashc_status
cpu_prepare(const nashc_module *m, const nashc_opts *o, void **program, nashc_diag *d)
{
    cpu_program *p = calloc(1, sizeof *p);
    cpu_options opt = {.dump = nashc_opts_str(o, "dump"), .cache = nashc_opts_str(o, "cache")};
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    nashc_status s = NASHC_OK;

    if (!nashc_module_main(m)) {
        free(p);
        return nashc_error(d, NULL, "the module has no graph");
    }
    if (!p || !(p->arena = nashc_arena_create()) || !(p->plain = nashc_module_clone(m)))
        s = nashc_enomem(d);
    if (strcmp(opt.cache, "off") == 0)
        opt.cache = "";
    opt.threads = (int)nashc_opts_int(o, "threads");
    if (opt.threads == 0)
        opt.threads = processors > 0 ? (int)processors : 1;
    if (s == NASHC_OK)
        s = rearrange(p, d);
    if (s == NASHC_OK)
        s = cpu_build(p, &opt, d);
    if (s == NASHC_OK) {
        p->threads = opt.threads;
        p->pool = cpu_pool_create(p->threads);
        s = p->pool ? NASHC_OK : nashc_enomem(d);
    }
    if (s == NASHC_OK)
        *program = p;
    else
        cpu_program_free(p);
    return s;
}

static nashc_status
cpu_run_one(void *program, const nashc_buf *const *in, nashc_buf *out, nashc_diag *d)
{
    return cpu_run(program, 1, in, out, d);
}

static nashc_status
cpu_run_many(void *program, int64_t n, const nashc_buf *const *in, nashc_buf *out, nashc_diag *d)
{
    return cpu_run(program, n, in, out, d);
}

static const nashc_executor cpu = {
    NASHC_DESC(nashc_executor),
    .name = "cpu",
    .help = "compiles the graph for this processor through LLVM; integers to the bit",
    .options = options,
    .prepare = cpu_prepare,
    .run = cpu_run_one,
    .free = cpu_free,
    .run_many = cpu_run_many,
};

static const nashc_executor *const executors[] = {&cpu, NULL};

static const nashc_plugin plugin = {
    NASHC_DESC(nashc_plugin),
    .abi = NASHC_ABI,
    .name = "llvm",
    .version = NASHC_VERSION " with LLVM " CPU_LLVM_VERSION,
    .help = "the executor cpu",
    .executors = executors,
};

const nashc_plugin *
nashc_plugin_entry(uint32_t host_abi)
{
    (void)host_abi;
    return &plugin;
}
