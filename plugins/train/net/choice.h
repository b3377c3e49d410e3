/* choice.h: operators of which a network takes one candidate a step: only its steps are run. */
#ifndef TRAIN_CHOICE_H
#define TRAIN_CHOICE_H

#include "plugins/train/net/net.h"

#define TRAIN_MAX_CANDIDATES 64

/* A search.choice, in the order of the graph. Candidates count from 0. */
struct train_choice {
    int step, first; /* of the operator; the first step of a candidate */
    int n;           /* candidates */
    int active;      /* the one taken; -1: none, which gives zeros */
    uint64_t asked;  /* bit k: backward finds dL/dg_k = sum dL/dy * candidate k */
    double dgate[TRAIN_MAX_CANDIDATES]; /* of those; left-out ones: 0 */
};

/* Which steps belong to which candidate: those whose results it alone uses. EUNSUP: too many. */
nashc_status train_choices_find(train_net *n);

/* Does the owner of a step (-1: none) stand for a candidate that is not taken? And the step itself:
 * is it one of such a candidate? */
bool train_owner_off(const train_net *n, int owner);
bool train_step_off(const train_net *n, const train_step *t);

/* Time at whose end the values of the candidates are no longer needed. */
int train_choice_end(const train_net *n, const train_choice *c);

/* After backward of step i: what choices that begin there asked for. A candidate that was not taken
 * is run forward again, in the memory of the one that was. */
nashc_status train_choices_back(train_net *n, int i);

#endif
