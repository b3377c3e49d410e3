/* pool.h: threads that wait for work, teams of them that take it in steps, and loops that they
 * share. */
#ifndef THREADS_POOL_H
#define THREADS_POOL_H

#include <stdbool.h>
#include <stdint.h>

/* Processors that this process may run on, at least 1; divided between `sharing` processes where
 * they may all run on all of the machine (a launcher that binds has divided them itself). */
int thread_processors(int sharing);

typedef struct thread_pool thread_pool;
typedef struct thread_team thread_team;

/* n >= 1 workers, one of them the caller of run. spin: one that has nothing to do looks for work
 * for some microseconds before it sleeps, which pays where each has a processor of its own. NULL
 * when threads or memory are out. */
thread_pool *thread_pool_create(int n, bool spin);

/* As create, for n = 0 a thread for each processor that is ours beside `sharing` processes; they
 * look for work where each has a processor. */
thread_pool *thread_pool_open(int64_t n, int sharing);

/* work(user, t) for t = 0 .. n-1, each on a thread of its own, n no more than the pool has; returns
 * when all are done. One run at a time. The others are not woken. */
void thread_pool_run(thread_pool *p, int n, void (*work)(void *user, int t), void *user);

int thread_pool_size(const thread_pool *p);

/* Part of a loop: rounds lo .. hi-1, for thread t. */
typedef void thread_part(void *arg, int t, int64_t lo, int64_t hi);

/* Rounds 0 .. n-1 in equal parts for all threads of the pool (a thread_pool), thread t always the
 * t-th; returns when all are done. */
void thread_pool_share(void *pool, int64_t n, thread_part *part, void *arg);

/* The team that workers first .. first + n-1 are in during a run; each of them asks for it, and
 * with the same arguments throughout the run. */
thread_team *thread_pool_team(thread_pool *p, int first);

/* Waits until n members have come here, whose writes are seen by all of them then. True for all of
 * them if failed was true for one. */
bool thread_team_meet(thread_team *t, int n, bool failed);

void thread_pool_free(thread_pool *p);

#endif
