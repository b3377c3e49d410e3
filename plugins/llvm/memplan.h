/* memplan.h: which bytes of one block each value of a program uses, and when. */
#ifndef CPU_MEMPLAN_H
#define CPU_MEMPLAN_H

#include <stdbool.h>
#include <stddef.h>

#define CPU_ALIGN 64 /* bytes: a cache line and the widest vector */

/* size bytes are needed from step first to step last, inclusive; offset is the answer. */
typedef struct cpu_lease {
    size_t size, offset;
    int first, last;
} cpu_lease;

/* Gives each lease an offset, a multiple of CPU_ALIGN, so that leases that overlap in time do not
 * overlap in memory; *total is the size of the block. The largest are placed first, each at the
 * lowest place free: O(n^2). False when memory is out. */
bool cpu_memplan(cpu_lease *lease, int n, size_t *total);

#endif
