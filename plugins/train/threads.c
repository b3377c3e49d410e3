/* threads.c: threads that share loops; part t of n goes to thread t, whatever else happens. */
#define _GNU_SOURCE /* sched_getaffinity */
#include "threads.h"
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct worker {
    train_pool *pool;
    pthread_t thread;
    int index;
} worker;

struct train_pool {
    pthread_mutex_t lock;
    pthread_cond_t start, done;
    worker *worker; /* of threads 1 .. n-1 */
    int n, n_started, busy;
    uint64_t round;
    bool end;
    nashc_grad_job *job;
    void *arg;
    int64_t count;
};

static void
do_part(const train_pool *p, int t)
{
    int64_t lo = p->count * t / p->n, hi = p->count * (t + 1) / p->n;

    if (lo < hi)
        p->job(p->arg, t, lo, hi);
}

static void *
work(void *arg)
{
    worker *w = arg;
    train_pool *p = w->pool;
    uint64_t seen = 0;

    pthread_mutex_lock(&p->lock);
    for (;;) {
        while (p->round == seen && !p->end)
            pthread_cond_wait(&p->start, &p->lock);
        if (p->end)
            break;
        seen = p->round;
        pthread_mutex_unlock(&p->lock);
        do_part(p, w->index);
        pthread_mutex_lock(&p->lock);
        if (--p->busy == 0)
            pthread_cond_signal(&p->done);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

train_pool *
train_pool_create(int n)
{
    train_pool *p = calloc(1, sizeof *p);

    if (!p || !(p->worker = calloc((size_t)n, sizeof *p->worker))) {
        free(p);
        return NULL;
    }
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->start, NULL);
    pthread_cond_init(&p->done, NULL);
    p->n = n;
    for (int i = 1; i < n; i++) {
        p->worker[i] = (worker){.pool = p, .index = i};
        if (pthread_create(&p->worker[i].thread, NULL, work, &p->worker[i]) != 0) {
            train_pool_free(p);
            return NULL;
        }
        p->n_started = i;
    }
    return p;
}

void
train_pool_free(train_pool *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->end = true;
    pthread_cond_broadcast(&p->start);
    pthread_mutex_unlock(&p->lock);
    for (int i = 1; i <= p->n_started; i++)
        pthread_join(p->worker[i].thread, NULL);
    pthread_cond_destroy(&p->start);
    pthread_cond_destroy(&p->done);
    pthread_mutex_destroy(&p->lock);
    free(p->worker);
    free(p);
}

int
train_pool_size(const train_pool *p)
{
    return p->n;
}

void
train_pool_run(void *pool, int64_t n, nashc_grad_job *job, void *arg)
{
    train_pool *p = pool;

    p->job = job;
    p->arg = arg;
    p->count = n;
    if (p->n > 1) {
        pthread_mutex_lock(&p->lock);
        p->busy = p->n - 1;
        p->round++;
        pthread_cond_broadcast(&p->start);
        pthread_mutex_unlock(&p->lock);
    }
    do_part(p, 0);
    if (p->n > 1) {
        pthread_mutex_lock(&p->lock);
        while (p->busy > 0)
            pthread_cond_wait(&p->done, &p->lock);
        pthread_mutex_unlock(&p->lock);
    }
}

int
train_threads_default(int sharing)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;

    if (n == sysconf(_SC_NPROCESSORS_ONLN)) /* a launcher that binds has divided them itself */
        n /= sharing;
    return n > 1 ? n : 1;
}
