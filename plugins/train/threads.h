/* threads.h: threads that share loops. */
#ifndef TRAIN_THREADS_H
#define TRAIN_THREADS_H

#include <nashc/grad.h>

typedef struct train_pool train_pool;

/* n threads, the caller among them. NULL: they cannot be had. */
train_pool *train_pool_create(int n);
void train_pool_free(train_pool *p);
int train_pool_size(const train_pool *p);

/* As nashc_grad_call.run; pool is a train_pool. Not reentrant. */
void train_pool_run(void *pool, int64_t n, nashc_grad_job *job, void *arg);

/* As many as the machine has processors for this process, which are divided between `sharing`
 * processes where they may all run on all of them. */
int train_threads_default(int sharing);

#endif
