/* ranks.c: a search on several ranks.
 *
 * All ranks draw the same gates, as these are functions of seed, step and edge; each runs its part
 * of both batches. Summed are the gradients of the gates in the architecture's step, those of the
 * weights in theirs, so that alpha and weights stay the same everywhere. */
#include "plugins/train/search/search.h"
#include <string.h>

/* What the architecture's step changes, and the running values, which both steps change. */
struct search_before {
    float *alpha, *m, *u, *running;
    double loss[2], macs, *gate; /* gate: room for the sums */
    int64_t seen[2], right[2];
};

bool
search_leads(const search_run *r)
{
    return train_ranks_rank(r->ranks) == 0;
}

nashc_status
search_ranks_setup(search_run *r)
{
    search_before *b = r->ranks ? NASHC_NEW(r->arena, search_before) : NULL;
    int n = r->n_alpha + 1;

    if (!r->ranks)
        return NASHC_OK;
    if (!b)
        return nashc_enomem(r->diag);
    b->alpha = NASHC_NEW_N(r->arena, float, n);
    b->m = NASHC_NEW_N(r->arena, float, n);
    b->u = NASHC_NEW_N(r->arena, float, n);
    b->gate = NASHC_NEW_N(r->arena, double, n);
    b->running = NASHC_NEW_N(r->arena, float, search_n_running(r));
    r->before = b;
    if (!b->alpha || !b->m || !b->u || !b->gate || !b->running)
        return nashc_enomem(r->diag);
    return train_exchange_create(r->ranks, r->net, &r->exchange, r->diag);
}

nashc_status
search_sum_gates(search_run *r)
{
    int n = r->space.n_ops;

    if (!r->ranks)
        return NASHC_OK;
    for (int i = 0; i < r->n_alpha; i++)
        r->before->gate[i] = r->net->choice[i / n].dgate[i % n];
    train_ranks_sum_double(r->ranks, r->before->gate, r->n_alpha);
    nashc_status s = train_ranks_wait(r->ranks, r->diag);
    for (int i = 0; s == NASHC_OK && i < r->n_alpha; i++)
        r->net->choice[i / n].dgate[i % n] = r->before->gate[i];
    return s;
}

/* Between the state and its copy. */
static void
move(search_run *r, bool back)
{
    search_before *b = r->before;
    struct {
        void *now, *then;
        size_t size;
    } all[] = {{r->alpha, b->alpha, (size_t)r->n_alpha * sizeof(float)},
               {r->alpha_m, b->m, (size_t)r->n_alpha * sizeof(float)},
               {r->alpha_u, b->u, (size_t)r->n_alpha * sizeof(float)},
               {r->loss, b->loss, sizeof b->loss},
               {&r->macs, &b->macs, sizeof b->macs},
               {r->seen, b->seen, sizeof b->seen},
               {r->right, b->right, sizeof b->right}};

    for (size_t i = 0; i < NASHC_COUNT(all); i++)
        memcpy(back ? all[i].now : all[i].then, back ? all[i].then : all[i].now, all[i].size);
    search_copy_running(r, b->running, back);
}

void
search_keep(search_run *r)
{
    if (r->ranks)
        move(r, false);
}

void
search_undo(search_run *r)
{
    if (train_ranks_lost(r->ranks))
        move(r, true);
}

/* A search that --steps ends inside an epoch has its checkpoint already. */
nashc_status
search_save_after_loss(search_run *r)
{
    if (!search_leads(r) || (r->step >= r->n_steps && !search_is_whole(r)))
        return NASHC_OK;
    nashc_status s = search_write_checkpoint(r);
    if (s == NASHC_OK)
        nashc_remark(r->diag, NULL, "checkpoint.npz is of step %" PRId64, r->step);
    return s;
}
