/* ranks.h: processes on one or several machines that train one network together.
 *
 * `mpirun -n N nashc train ...` starts N ranks that all do the same on their part of each batch.
 * What they must agree on is summed over all of them. A NULL train_ranks is a process of its own:
 * sums are what they are. All calls come from the main thread, in the same order on all ranks. */
#ifndef TRAIN_RANKS_H
#define TRAIN_RANKS_H

#include <nashc/nashc.h>

typedef struct train_ranks train_ranks;

/* Joins the others if the process was started as one of several; *out stays NULL if it was not.
 * From then on SIGTERM, with which a job is ended when a rank dies, makes train_ranks_wait fail in
 * place of ending the process. EIO: MPI cannot be had. */
nashc_status train_ranks_join(train_ranks **out, nashc_diag *d);

/* Leaves; waits for the others only where all have agreed to end. r may be NULL. */
void train_ranks_leave(train_ranks *r);

int train_ranks_rank(const train_ranks *r);  /* 0 .. count - 1 */
int train_ranks_count(const train_ranks *r); /* 1 where r is NULL */
int train_ranks_local(const train_ranks *r); /* of them on this machine */
const char *train_ranks_library(const train_ranks *r);

/* Numbers one after the other. */
typedef struct train_sum_part {
    float *v;
    int64_t n;
} train_sum_part;

/* Begin to sum entries over all ranks, in place: they are not to be touched until wait returns. The
 * parts travel together. */
void train_ranks_sum(train_ranks *r, const train_sum_part *part, int n_parts);
void train_ranks_sum_double(train_ranks *r, double *v, int64_t n);

/* Gives the sums a chance to move on while other work is done. */
void train_ranks_progress(train_ranks *r);

/* Until all that was begun is done. EIO, with a message: another rank was lost. */
nashc_status train_ranks_wait(train_ranks *r, nashc_diag *d);

/* OK if s is OK on all ranks; else s, or EINPUT on those where it was OK. */
nashc_status train_ranks_agree(train_ranks *r, nashc_status s, nashc_diag *d);

/* All ranks have found by their sums that the run ends: leave waits for them. */
void train_ranks_agreed(train_ranks *r);

/* Whether another rank was lost. */
bool train_ranks_lost(const train_ranks *r);

#endif
