/* plugin.c: the executor "cpu" and the backend "object": their descriptions. LLVM takes 20 ms and
 * 50 MB to load, so what links it stands in a file of its own, which is opened when a program is
 * prepared. */
#define _GNU_SOURCE /* dladdr */
#include "engine.h"
#include <dlfcn.h>
#include <nashc/plugin.h>
#include <stdlib.h>
#include <string.h>

static const nashc_param options[] = {
    {.name = "threads",
     .def = "0",
     .domain = "0..1024",
     .help = "how many compute, samples first, then rows of one; 0: one for each processor",
     .kind = NASHC_P_INT},
    {.name = "grain",
     .def = "3000",
     .domain = "0..1000000000",
     .help = "estimated cycles that each thread must have of a step that is shared out",
     .kind = NASHC_P_INT},
    {.name = "width",
     .def = "64",
     .domain = "16..64",
     .help =
         "bytes of the vectors that are used at most; below 64 as on processors without AVX-512",
     .kind = NASHC_P_INT},
    {.name = "dump", .def = "", .help = "file for the LLVM IR", .kind = NASHC_P_PATH},
    {.name = "cache",
     .def = "off",
     .help = "folder that keeps compiled code, or off",
     .kind = NASHC_P_PATH},
    {0},
};

/* A program, and the engine that made it. */
typedef struct cpu_handle {
    const cpu_engine *engine;
    void *program;
} cpu_handle;

/* Path of the engine, beside this file; to be freed. */
static char *
engine_path(void)
{
    static const char anchor; /* an address inside this file */
    Dl_info info;

    if (!dladdr(&anchor, &info) || !info.dli_fname)
        return NULL;
    const char *slash = strrchr(info.dli_fname, '/');
    size_t len = slash ? (size_t)(slash - info.dli_fname) + 1 : 0;
    char *path = malloc(len + sizeof CPU_ENGINE_FILE);
    if (path) {
        memcpy(path, info.dli_fname, len);
        memcpy(path + len, CPU_ENGINE_FILE, sizeof CPU_ENGINE_FILE);
    }
    return path;
}

/* It stays loaded: LLVM cannot be unloaded safely. */
static const cpu_engine *
find_engine(nashc_diag *d)
{
    char *path = engine_path();
    void *file = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
    const cpu_engine *(*entry)(void) = NULL;

    if (file)
        *(void **)&entry = dlsym(file, CPU_ENGINE_ENTRY);
    if (!entry) {
        nashc_io_error(d, NULL, "the engine of the plugin llvm cannot be loaded: %s",
                       path ? dlerror() : "its place is not known");
        nashc_help(d, "it needs the shared library of LLVM " CPU_LLVM_VERSION
                      ", which it was built with: on Debian the package libllvm" CPU_LLVM_MAJOR);
    }
    free(path);
    return entry ? entry() : NULL;
}

static nashc_status
cpu_prepare(const nashc_module *m, const nashc_opts *o, void **program, nashc_diag *d)
{
    cpu_handle h = {.engine = find_engine(d)}, *kept = malloc(sizeof *kept);
    nashc_status s = h.engine ? NASHC_OK : NASHC_EIO;

    if (s == NASHC_OK && !kept)
        s = nashc_enomem(d);
    if (s == NASHC_OK)
        s = h.engine->prepare(m, o, &h.program, d);
    if (s == NASHC_OK) {
        *kept = h;
        *program = kept;
        return s;
    }
    free(kept);
    return s;
}

static nashc_status
cpu_run_many(void *program, int64_t n, const nashc_buf *const *in, nashc_buf *out, nashc_diag *d)
{
    const cpu_handle *h = program;

    return h->engine->run(h->program, n, in, out, d);
}

static nashc_status
cpu_run(void *program, const nashc_buf *const *in, nashc_buf *out, nashc_diag *d)
{
    return cpu_run_many(program, 1, in, out, d);
}

static void
cpu_free(void *program)
{
    cpu_handle *h = program;

    if (h)
        h->engine->free(h->program);
    free(h);
}

static const nashc_executor cpu = {
    NASHC_DESC(nashc_executor),
    .name = "cpu",
    .help = "compiles the graph for this processor through LLVM; integers to the bit",
    .options = options,
    .prepare = cpu_prepare,
    .run = cpu_run,
    .free = cpu_free,
    .run_many = cpu_run_many,
};

static const nashc_executor *const executors[] = {&cpu, NULL};

static const nashc_param object_options[] = {
    {.name = "top", .def = "network", .help = "name of the C function", .kind = NASHC_P_STRING},
    {.name = "cpu",
     .def = "native",
     .domain = "native|x86-64|x86-64-v2|x86-64-v3|x86-64-v4",
     .help = "the least processor that the code must run on",
     .kind = NASHC_P_ENUM},
    {.name = "dump", .def = "", .help = "file for the LLVM IR", .kind = NASHC_P_PATH},
    {0},
};

static nashc_status
object_write(const nashc_module *m, const char *path, const nashc_opts *o, nashc_diag *d)
{
    const cpu_engine *engine = find_engine(d);

    return engine ? engine->write(m, path, o, d) : NASHC_EIO;
}

static const nashc_backend object = {
    NASHC_DESC(nashc_backend),
    .name = "object",
    .help = "machine code: an object file with one plain C function, its header and an example",
    .options = object_options,
    .needs = "streamlined",
    .write = object_write,
};

static const nashc_backend *const backends[] = {&object, NULL};

static const nashc_plugin plugin = {
    NASHC_DESC(nashc_plugin),
    .abi = NASHC_ABI,
    .name = "llvm",
    .version = CPU_LLVM_VERSION,
    .help = "the executor cpu and the backend object, built on LLVM",
    .backends = backends,
    .executors = executors,
};

const nashc_plugin *
nashc_plugin_entry(uint32_t host_abi)
{
    (void)host_abi;
    return &plugin;
}
