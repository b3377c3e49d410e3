/* pool.c: threads that wait for work. */
#include "pool.h"
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

typedef struct worker {
    struct cpu_pool *pool;
    pthread_t thread;
    int index;
} worker;

struct cpu_pool {
    pthread_mutex_t lock;
    pthread_cond_t start, done;
    void (*work)(void *user, int t);
    void *user;
    unsigned long turn; /* counts runs: a worker does each once */
    int busy, n;
    bool stop;
    worker worker[];
};

static void *
wait_and_work(void *arg)
{
    worker *w = arg;
    cpu_pool *p = w->pool;
    unsigned long seen = 0;

    pthread_mutex_lock(&p->lock);
    for (;;) {
        while (p->turn == seen && !p->stop)
            pthread_cond_wait(&p->start, &p->lock);
        if (p->stop)
            break;
        seen = p->turn;
        pthread_mutex_unlock(&p->lock);
        p->work(p->user, w->index);
        pthread_mutex_lock(&p->lock);
        if (--p->busy == 0)
            pthread_cond_signal(&p->done);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

cpu_pool *
cpu_pool_create(int n)
{
    cpu_pool *p = calloc(1, sizeof *p + (size_t)n * sizeof p->worker[0]);

    if (!p)
        return NULL;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->start, NULL);
    pthread_cond_init(&p->done, NULL);
    for (p->n = 1; p->n < n; p->n++) {
        worker *w = &p->worker[p->n];
        w->pool = p;
        w->index = p->n;
        if (pthread_create(&w->thread, NULL, wait_and_work, w) != 0) {
            cpu_pool_free(p);
            return NULL;
        }
    }
    return p;
}

void
cpu_pool_run(cpu_pool *p, void (*work)(void *user, int t), void *user)
{
    pthread_mutex_lock(&p->lock);
    p->work = work;
    p->user = user;
    p->busy = p->n - 1;
    p->turn++;
    pthread_cond_broadcast(&p->start);
    pthread_mutex_unlock(&p->lock);
    work(user, 0);
    pthread_mutex_lock(&p->lock);
    while (p->busy > 0)
        pthread_cond_wait(&p->done, &p->lock);
    pthread_mutex_unlock(&p->lock);
}

void
cpu_pool_free(cpu_pool *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->stop = true;
    pthread_cond_broadcast(&p->start);
    pthread_mutex_unlock(&p->lock);
    for (int t = 1; t < p->n; t++)
        pthread_join(p->worker[t].thread, NULL);
    pthread_cond_destroy(&p->start);
    pthread_cond_destroy(&p->done);
    pthread_mutex_destroy(&p->lock);
    free(p);
}
