/* exchange.h: gradients of a network summed over all ranks while backward still runs. */
#ifndef TRAIN_EXCHANGE_H
#define TRAIN_EXCHANGE_H

#include "plugins/train/net/net.h"
#include "plugins/train/ranks/ranks.h"

typedef struct train_exchange train_exchange;

/* From here on each backward of n gives the gradients of the whole batch, the same on all ranks, if
 * the gradient of the output was that of the whole batch's loss; after it the running values are
 * the means over all ranks. Choices are alike on all ranks; the gradients of their gates are left
 * as they are. *out stays NULL where ranks is NULL. */
nashc_status train_exchange_create(train_ranks *ranks, train_net *n, train_exchange **out,
                                   nashc_diag *d);
void train_exchange_free(train_exchange *x);

/* Without a backward: running values of what was run become their means over all ranks. x may be
 * NULL. */
nashc_status train_exchange_running(train_exchange *x);

/* After a backward that failed for a lost rank: running values as they were before the step. */
void train_exchange_undo(train_exchange *x);

#endif
