/* shared.h: sums of the ranks of one machine, through memory that they share. */
#ifndef TRAIN_RANKS_SHARED_H
#define TRAIN_RANKS_SHARED_H

#include <mpi.h>
#include <stdbool.h>
#include <stdint.h>

/* Each rank reads what all have written: more of them are better off with MPI's trees. */
#define SHARED_RANKS 8

/* On all ranks of comm, which are on this machine, at most SHARED_RANKS; false: on some of them
 * there is no such memory, and nothing is left open. */
bool shared_open(MPI_Comm comm);
void shared_close(void); /* waits for all */

/* Begins to sum n floats, or doubles. false: memory is out. */
bool shared_start(void *v, int64_t n, bool wide);

/* true: all that was begun is done. */
bool shared_test(void);

#endif
