/* jit.h: the host's processor, and machine code in memory from LLVM modules. */
#ifndef CPU_JIT_H
#define CPU_JIT_H

#include "cg.h"

/* What LLVM knows about the processor this runs on, of which vectors up to width bytes are used;
 * false, with a message, if it knows none. */
bool cpu_host_of(cpu_host *h, int width, nashc_diag *d);
void cpu_host_free(cpu_host *h);

/* Compiles module m, which is kept by the caller, and sets fn of every kernel of the program.
 * cache: folder of compiled code, "" none. */
nashc_status cpu_jit(cpu_cg *g, const char *cache, nashc_diag *d);

/* Frees what cpu_jit left in p->jit. */
void cpu_jit_free(void *jit);

#endif
