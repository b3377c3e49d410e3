/* pool.c: threads that wait for work. Steps of a network take microseconds, so who waits looks at a
 * word of memory first, and only then leaves the processor to others. */
#define _GNU_SOURCE /* sched_getaffinity */
#include "pool.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#define SPINS                                                                                      \
    1500 /* looks at a gate before sleep: some fifty microseconds, which a wake-up may take */

/* A number that one thread changes and others wait for. */
typedef struct gate {
    atomic_uint turn;
    atomic_int sleepers;
    pthread_mutex_t lock;
    pthread_cond_t opened;
} gate;

struct thread_team {
    gate gate; /* turn: 2 for each meeting, and 1 if a member had failed */
    atomic_int here;
    atomic_bool failed;
    int spins;
};

typedef struct worker {
    struct thread_pool *pool;
    pthread_t thread;
    int index;
    gate start;       /* turn counts its runs */
    thread_team team; /* that it is the first of */
} worker;

struct thread_pool {
    void (*work)(void *user, int t);
    void *user;
    atomic_int busy; /* workers that have not finished the run */
    gate done;       /* turn counts runs */
    int n, spins;
    bool stop;
    worker worker[];
};

int
thread_processors(int sharing)
{
    long all = sysconf(_SC_NPROCESSORS_ONLN), n = all;
#ifdef __linux__
    cpu_set_t set; /* some of them, where the process was told so */
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        n = CPU_COUNT(&set);
#endif
    if (n == all)
        n /= sharing;
    return n > 1 ? (int)n : 1;
}

/* --- gates ----------------------------------------------------------------------------------- */

static void
gate_init(gate *g)
{
    atomic_init(&g->turn, 0);
    atomic_init(&g->sleepers, 0);
    pthread_mutex_init(&g->lock, NULL);
    pthread_cond_init(&g->opened, NULL);
}

static void
gate_destroy(gate *g)
{
    pthread_mutex_destroy(&g->lock);
    pthread_cond_destroy(&g->opened);
}

static void
relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

/* Who goes to sleep counts itself before it looks once more, and who opens looks for sleepers after
 * the turn has changed: one of them sees the other. */
static void
gate_open(gate *g, unsigned turn)
{
    atomic_store(&g->turn, turn);
    if (atomic_load(&g->sleepers) == 0)
        return;
    pthread_mutex_lock(&g->lock);
    pthread_cond_broadcast(&g->opened);
    pthread_mutex_unlock(&g->lock);
}

/* Waits until the turn is not `seen`; returns it. */
static unsigned
gate_wait(gate *g, unsigned seen, int spins)
{
    unsigned turn = atomic_load(&g->turn);

    for (int i = 0; i < spins && turn == seen; i++) {
        relax();
        turn = atomic_load_explicit(&g->turn, memory_order_acquire);
    }
    if (turn != seen)
        return turn;
    pthread_mutex_lock(&g->lock);
    atomic_fetch_add(&g->sleepers, 1);
    while ((turn = atomic_load(&g->turn)) == seen)
        pthread_cond_wait(&g->opened, &g->lock);
    atomic_fetch_sub(&g->sleepers, 1);
    pthread_mutex_unlock(&g->lock);
    return turn;
}

/* --- the pool -------------------------------------------------------------------------------- */

static void *
wait_and_work(void *arg)
{
    worker *w = arg;
    thread_pool *p = w->pool;
    unsigned turn = 0;

    for (;;) {
        turn = gate_wait(&w->start, turn, p->spins);
        if (p->stop)
            return NULL;
        p->work(p->user, w->index);
        if (atomic_fetch_sub(&p->busy, 1) == 1)
            gate_open(&p->done, atomic_load(&p->done.turn) + 1);
    }
}

static void
call_worker(worker *w)
{
    gate_open(&w->start, atomic_load(&w->start.turn) + 1);
}

static void
worker_init(thread_pool *p, int index)
{
    worker *w = &p->worker[index];

    w->pool = p;
    w->index = index;
    gate_init(&w->start);
    gate_init(&w->team.gate);
    w->team.spins = p->spins;
}

thread_pool *
thread_pool_create(int n, bool spin)
{
    thread_pool *p = calloc(1, sizeof *p + (size_t)n * sizeof p->worker[0]);

    if (!p)
        return NULL;
    p->spins = spin ? SPINS : 0;
    gate_init(&p->done);
    worker_init(p, 0);
    for (p->n = 1; p->n < n; p->n++) {
        worker *w = &p->worker[p->n];
        worker_init(p, p->n);
        if (pthread_create(&w->thread, NULL, wait_and_work, w) != 0) {
            gate_destroy(&w->start);
            gate_destroy(&w->team.gate);
            thread_pool_free(p);
            return NULL;
        }
    }
    return p;
}

thread_pool *
thread_pool_open(int64_t n, int sharing)
{
    int processors = thread_processors(sharing);

    return thread_pool_create(n ? (int)n : processors, n <= processors);
}

void
thread_pool_run(thread_pool *p, int n, void (*work)(void *user, int t), void *user)
{
    unsigned done = atomic_load(&p->done.turn);

    p->work = work;
    p->user = user;
    atomic_store(&p->busy, n - 1);
    for (int t = 1; t < n; t++)
        call_worker(&p->worker[t]);
    work(user, 0);
    if (n > 1)
        gate_wait(&p->done, done, p->spins);
}

int
thread_pool_size(const thread_pool *p)
{
    return p->n;
}

typedef struct loop {
    thread_part *part;
    void *arg;
    int64_t n;
    int threads;
} loop;

static void
do_part(void *user, int t)
{
    loop *l = user;
    int64_t lo = l->n * t / l->threads, hi = l->n * (t + 1) / l->threads;

    if (lo < hi)
        l->part(l->arg, t, lo, hi);
}

void
thread_pool_share(void *pool, int64_t n, thread_part *part, void *arg)
{
    thread_pool *p = pool;

    thread_pool_run(p, p->n, do_part, &(loop){part, arg, n, p->n});
}

thread_team *
thread_pool_team(thread_pool *p, int first)
{
    return &p->worker[first].team;
}

bool
thread_team_meet(thread_team *t, int n, bool failed)
{
    unsigned turn = atomic_load(&t->gate.turn);

    if (n == 1)
        return failed;
    if (failed)
        atomic_store(&t->failed, true);
    if (atomic_fetch_add(&t->here, 1) == n - 1) { /* the last one tells what all will see */
        bool any = atomic_exchange(&t->failed, false);
        atomic_store(&t->here, 0);
        gate_open(&t->gate, ((turn | 1u) + 1) | any);
        return any;
    }
    return gate_wait(&t->gate, turn, t->spins) & 1u;
}

void
thread_pool_free(thread_pool *p)
{
    if (!p)
        return;
    p->stop = true;
    for (int t = 1; t < p->n; t++)
        call_worker(&p->worker[t]);
    for (int t = 1; t < p->n; t++)
        pthread_join(p->worker[t].thread, NULL);
    for (int t = 0; t < p->n; t++) {
        gate_destroy(&p->worker[t].start);
        gate_destroy(&p->worker[t].team.gate);
    }
    gate_destroy(&p->done);
    free(p);
}
