/* pool.h: threads that wait for work, and teams of them that take it in steps. */
#ifndef CPU_POOL_H
#define CPU_POOL_H

#include <stdbool.h>

/* Processors that this process may run on: at least 1. */
int cpu_processors(void);

typedef struct cpu_pool cpu_pool;
typedef struct cpu_team cpu_team;

/* n >= 1 workers, one of them the caller of run. spin: one that has nothing to do looks for work
 * for some microseconds before it sleeps, which pays where each has a processor of its own. NULL
 * when threads or memory are out. */
cpu_pool *cpu_pool_create(int n, bool spin);

/* work(user, t) for t = 0 .. n-1, each on a thread of its own, n no more than the pool has; returns
 * when all are done. One run at a time. The others are not woken. */
void cpu_pool_run(cpu_pool *p, int n, void (*work)(void *user, int t), void *user);

/* The team that workers first .. first + n-1 are in during a run; each of them asks for it, and
 * with the same arguments throughout the run. */
cpu_team *cpu_pool_team(cpu_pool *p, int first);

/* Waits until n members have come here, whose writes are seen by all of them then. True for all of
 * them if failed was true for one. */
bool cpu_team_meet(cpu_team *t, int n, bool failed);

void cpu_pool_free(cpu_pool *p);

#endif
