/* choice.c: one candidate of each choice is run; the others when their gates' gradients are wanted.
 *
 * All candidates of a choice share the memory of the largest: one is run forward and backward, then
 * the others forward only, one after the other (as Cai, Zhu and Han 2019, but with all paths taken
 * in turn instead of two). Their batch normalisations see the batch and keep their running values,
 * unless choice_momentum says otherwise.
 */
#include "plugins/train/net/choice.h"
#include <string.h>

/* Owners of slots and steps: nobody yet, everybody, or candidate k of choice c. */
#define UNKNOWN (-2)
#define ALL     (-1)

static int
owner(int choice, int candidate)
{
    return choice * TRAIN_MAX_CANDIDATES + candidate;
}

static void
claim(train_net *n, int slot, int who)
{
    int *at = slot < 0 ? NULL : &n->slot[slot].owner;

    if (at)
        *at = *at == UNKNOWN || *at == who ? who : ALL;
}

static nashc_status
count_choices(train_net *n)
{
    int count = 0;

    for (int i = 0; i < n->n_steps; i++) {
        train_step *t = &n->step[i];
        t->owner = ALL;
        t->choice = t->node && nashc_node_is(t->node, "search.choice") ? count++ : -1;
        if (t->choice >= 0 && t->n_in - 1 > TRAIN_MAX_CANDIDATES)
            return nashc_node_unsup(n->diag, t->node, "%d candidates; %d are possible", t->n_in - 1,
                                    TRAIN_MAX_CANDIDATES);
    }
    n->n_choices = count;
    n->choice = NASHC_NEW_N(n->arena, train_choice, count + 1);
    return n->choice ? NASHC_OK : nashc_enomem(n->diag);
}

nashc_status
train_choices_find(train_net *n)
{
    nashc_status s = count_choices(n);

    for (int i = 0; s == NASHC_OK && i < n->n_slots; i++)
        n->slot[i].owner = UNKNOWN;
    for (int i = n->n_steps - 1; s == NASHC_OK && n->n_choices > 0 && i >= 0; i--) {
        train_step *t = &n->step[i];
        int mine = ALL;
        for (int k = 0; k < t->n_out; k++)
            mine = k == 0 ? n->slot[t->out_slot[0]].owner : mine;
        t->owner = mine == UNKNOWN ? ALL : mine;
        for (int k = 0; k < t->n_in; k++)
            claim(n, t->in_slot[k],
                  t->choice < 0 ? t->owner
                  : k == 0      ? ALL
                                : owner(t->choice, k - 1));
        if (t->choice >= 0)
            n->choice[t->choice] =
                (train_choice){.step = i, .first = i, .n = t->n_in - 1, .active = -1};
        if (t->owner >= 0)
            n->choice[t->owner / TRAIN_MAX_CANDIDATES].first = i;
    }
    for (int i = 0; i < n->n_slots; i++) {
        const train_slot *p = &n->slot[i];
        bool result = p->def >= 0 && !nashc_value_const(p->value);
        n->slot[i].owner = result && p->owner >= 0 ? n->step[p->def].owner : ALL;
    }
    return s;
}

bool
train_owner_off(const train_net *n, int who)
{
    return who >= 0 && n->choice[who / TRAIN_MAX_CANDIDATES].active != who % TRAIN_MAX_CANDIDATES;
}

bool
train_step_off(const train_net *n, const train_step *t)
{
    return train_owner_off(n, t->owner);
}

int
train_choice_end(const train_net *n, const train_choice *c)
{
    return 2 * n->n_steps - c->first;
}

/* --- gradients of gates ---------------------------------------------------------------------- */

static double
dot(const train_net *n, const train_step *t, int slot)
{
    const train_slot *y = &n->slot[t->out_slot[0]], *x = &n->slot[slot];
    int64_t count = train_slot_size(y, n->batch); /* behind the last sample the gradient is 0 */
    double sum = 0.0;

    for (int64_t i = 0; i < count; i++)
        sum += (double)x->v[i] * (double)y->g[i];
    return sum;
}

/* The steps of candidate k of choice c, forward. */
static nashc_status
run_again(train_net *n, int c, int k)
{
    nashc_status s = NASHC_OK;

    for (int i = n->choice[c].first; s == NASHC_OK && i < n->choice[c].step; i++) {
        nashc_grad_call call;
        if (n->step[i].owner != owner(c, k) || (n->step[i].rule->flags & NASHC_GRAD_VIEW))
            continue;
        train_step_call(n, &n->step[i], &call, n->training);
        call.bn_momentum = n->choice_momentum;
        s = n->step[i].rule->forward(&call);
    }
    return s;
}

static nashc_status
back_choice(train_net *n, int c)
{
    train_choice *v = &n->choice[c];
    const train_step *t = &n->step[v->step];
    nashc_status s = NASHC_OK;

    memset(v->dgate, 0, sizeof v->dgate);
    for (int k = 0; s == NASHC_OK && k < v->n; k++) {
        bool again = k != v->active || n->choice_momentum > 0.0;
        if (!(v->asked >> k & 1u) || t->in_slot[k + 1] < 0)
            continue;
        if (again)
            s = run_again(n, c, k);
        v->dgate[k] = dot(n, t, again ? t->in_slot[k + 1] : t->out_slot[0]);
    }
    return s;
}

nashc_status
train_choices_back(train_net *n, int i)
{
    nashc_status s = NASHC_OK;

    for (int c = 0; s == NASHC_OK && c < n->n_choices; c++)
        if (n->choice[c].first == i && n->choice[c].asked)
            s = back_choice(n, c);
    return s;
}
