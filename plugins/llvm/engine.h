/* engine.h: between the plugin, which every command loads, and what links LLVM, which few need. */
#ifndef CPU_ENGINE_H
#define CPU_ENGINE_H

#include <nashc/eval.h>
#include <nashc/op.h>

typedef struct cpu_engine {
    size_t size;
    nashc_status (*prepare)(const nashc_module *m, const nashc_opts *o, void **program,
                            nashc_diag *d);
    nashc_status (*run)(void *program, int64_t n, const nashc_buf *const *in, nashc_buf *out,
                        nashc_diag *d);
    void (*free)(void *program);

    /* nashc_backend.write of the backend `object` */
    nashc_status (*write)(const nashc_module *m, const char *path, const nashc_opts *o,
                          nashc_diag *d);
} cpu_engine;

#define CPU_ENGINE_FILE  "llvm/engine.so" /* beside the plugin */
#define CPU_ENGINE_ENTRY "cpu_engine_entry"

#if defined(__GNUC__)
__attribute__((visibility("default")))
#endif
const cpu_engine *
cpu_engine_entry(void);

#endif
