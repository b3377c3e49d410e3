/* jit.h: the host's processor, and machine code in memory from LLVM modules. */
#ifndef CPU_JIT_H
#define CPU_JIT_H

#include "cg.h"

/* What LLVM knows about the processor this runs on, or the one that o names. */
nashc_status cpu_host_of(cpu_host *h, const cpu_options *o, nashc_diag *d);
void cpu_host_free(cpu_host *h);

/* Object code of g->module, position-independent; to be disposed of by the caller. */
nashc_status cpu_object_code(cpu_cg *g, LLVMMemoryBufferRef *object, nashc_diag *d);

/* A cpu_finish: compiles the module and sets fn of every kernel of the program. cache: folder of
 * compiled code, "" none. */
nashc_status cpu_jit(cpu_cg *g, const void *cache, nashc_diag *d);

/* Frees what cpu_jit left in p->jit. */
void cpu_jit_free(void *jit);

#endif
