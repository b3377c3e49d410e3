/* pool.h: threads that wait for work. */
#ifndef CPU_POOL_H
#define CPU_POOL_H

typedef struct cpu_pool cpu_pool;

/* n >= 1 workers, one of them the caller of run. NULL when threads or memory are out. */
cpu_pool *cpu_pool_create(int n);

/* work(user, t) for t = 0 .. n-1, each on a thread of its own; returns when all are done. */
void cpu_pool_run(cpu_pool *p, void (*work)(void *user, int t), void *user);

void cpu_pool_free(cpu_pool *p);

#endif
