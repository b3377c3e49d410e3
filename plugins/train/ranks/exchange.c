/* exchange.c: gradients summed over all ranks while backward still runs.
 *
 * The gradient of a parameter is complete when backward has passed the first step that reads it.
 * Parameters are put into buckets in that order, each as large as is worth a message; a bucket sets
 * out when its last parameter is complete, and travels while backward goes on. Which parameter is
 * in which bucket depends on the network and its choices alone, so it is the same on all ranks.
 * Candidates that are not taken have no gradients, and their running values stay as they are.
 *
 * Gradients of scales are summed before they go on to the weights they were measured on: the
 * weights are the same everywhere, so is what they get. */
#include "plugins/train/ranks/exchange.h"
#include "plugins/train/net/choice.h"
#include <limits.h>
#include <stdlib.h>

#define BUCKET (64 * 1024) /* entries: 256 KiB, some tens of microseconds of memory traffic */

/* Numbers that become their sums: gradients. */
typedef struct part {
    int step;  /* after which they are complete */
    int owner; /* candidate whose steps alone read them; -1: none */
    train_sum_part sum;
} part;

typedef struct bucket {
    int step;     /* of its last part */
    int first, n; /* parts, of those that are summed this time */
    int64_t entries;
} bucket;

struct train_exchange {
    train_ranks *ranks;
    train_net *net;
    part *part; /* by falling step */
    bucket *bucket;
    train_sum_part *sum;          /* of those that are summed this time */
    int n_parts, n_buckets, sent; /* sent: buckets */
    int64_t n_running;            /* entries of running values */
    float *running;               /* to be summed */
    float *kept;                  /* running values of the last step that was done on all ranks */
    int *owner;                   /* of a parameter, as of a part */
};

/* --- what is exchanged ----------------------------------------------------------------------- */

/* The first step that reads a slot which shares the memory of value v or gradient g; -1: none. And
 * the owner of all those that do. */
static int
first_reader(const train_net *n, const float *v, const float *g, int *owner)
{
    int first = -1;

    *owner = -1;
    for (int i = 0; i < n->n_steps; i++)
        for (int k = 0; k < n->step[i].n_in; k++) {
            int s = n->step[i].in_slot[k];
            const train_slot *root = s < 0 ? NULL : &n->slot[n->slot[s].root];
            if (!root || !((v && root->v == v) || (g && root->g == g)))
                continue;
            *owner = first < 0 || *owner == n->step[i].owner ? n->step[i].owner : -1;
            first = first < 0 ? i : first;
        }
    return first;
}

static void
add_part(train_exchange *x, float *g, int64_t n)
{
    part p = {.sum = {g, n}};
    int i = x->n_parts++;

    p.step = first_reader(x->net, NULL, g, &p.owner);

    for (; i > 0 && x->part[i - 1].step < p.step; i--)
        x->part[i] = x->part[i - 1];
    x->part[i] = p;
}

static void
make_buckets(train_exchange *x)
{
    int n = 0;

    x->n_buckets = 0;
    for (int i = 0; i < x->n_parts; i++) {
        const part *p = &x->part[i];
        bucket *b = &x->bucket[x->n_buckets - (x->n_buckets > 0)];
        if (x->net->data_only || train_owner_off(x->net, p->owner))
            continue;
        if (x->n_buckets == 0 || b->entries >= BUCKET) {
            b = &x->bucket[x->n_buckets++];
            *b = (bucket){.first = n};
        }
        x->sum[n++] = p->sum;
        b->n++;
        b->entries += p->sum.n;
        b->step = p->step;
    }
}

/* All running values one after the other: to or from a. */
static void
copy_running(const train_exchange *x, float *a, bool from)
{
    for (int i = 0; i < x->net->n_params; i++) {
        train_param *p = &x->net->param[i];
        if (p->trains)
            continue;
        for (int64_t k = 0; k < p->n; k++, a++)
            if (from)
                p->v[k] = *a;
            else
                *a = p->v[k];
    }
}

static void
send_running(train_exchange *x)
{
    copy_running(x, x->running, false);
    train_ranks_sum(x->ranks, &(train_sum_part){x->running, x->n_running}, 1);
}

/* The means of those that have moved: others would only be rounded. */
static void
take_running(train_exchange *x)
{
    const float *a = x->running, count = (float)train_ranks_count(x->ranks);

    for (int i = 0; i < x->net->n_params; i++) {
        train_param *p = &x->net->param[i];
        if (p->trains)
            continue;
        bool moved = x->net->choice_momentum > 0.0 || !train_owner_off(x->net, x->owner[i]);
        for (int64_t k = 0; moved && k < p->n; k++)
            p->v[k] = a[k] / count;
        a += p->n;
    }
    copy_running(x, x->kept, false);
}

/* --- while backward runs --------------------------------------------------------------------- */

static void
send_buckets(train_exchange *x, int step)
{
    while (x->sent < x->n_buckets && x->bucket[x->sent].step >= step) {
        const bucket *b = &x->bucket[x->sent++];
        train_ranks_sum(x->ranks, x->sum + b->first, b->n);
    }
}

static void
backward_begins(void *arg)
{
    train_exchange *x = arg;

    x->sent = 0;
    make_buckets(x);
    if (x->net->choice_momentum == 0.0) /* else backward still moves some */
        send_running(x);
}

static void
step_done(void *arg, int step)
{
    train_exchange *x = arg;

    send_buckets(x, step);
    train_ranks_progress(x->ranks);
}

static nashc_status
steps_done(void *arg)
{
    train_exchange *x = arg;

    send_buckets(x, INT_MIN);
    if (x->net->choice_momentum != 0.0)
        send_running(x);
    nashc_status s = train_ranks_wait(x->ranks, x->net->diag);
    if (s != NASHC_OK)
        return s;
    take_running(x);
    return s;
}

nashc_status
train_exchange_running(train_exchange *x)
{
    if (!x)
        return NASHC_OK;
    send_running(x);
    nashc_status s = train_ranks_wait(x->ranks, x->net->diag);
    if (s == NASHC_OK)
        take_running(x);
    return s;
}

void
train_exchange_undo(train_exchange *x)
{
    if (x)
        copy_running(x, x->kept, true);
}

/* --- set-up ---------------------------------------------------------------------------------- */

static bool
alloc(train_exchange *x, int n_parts)
{
    x->part = calloc((size_t)n_parts + 1, sizeof *x->part);
    x->bucket = calloc((size_t)n_parts + 1, sizeof *x->bucket);
    x->sum = calloc((size_t)n_parts + 1, sizeof *x->sum);
    x->running = calloc((size_t)x->n_running + 1, sizeof *x->running);
    x->kept = calloc((size_t)x->n_running + 1, sizeof *x->kept);
    x->owner = calloc((size_t)x->net->n_params + 1, sizeof *x->owner);
    return x->part && x->bucket && x->sum && x->running && x->kept && x->owner;
}

static void
fill(train_exchange *x)
{
    train_net *n = x->net;

    for (int i = 0; i < n->n_params; i++)
        if (n->param[i].trains)
            add_part(x, n->param[i].g, n->param[i].n);
    for (int i = 0; i < n->n_scales; i++) {
        const train_slot *s = &n->slot[n->scale[i].slot];
        add_part(x, s->g, s->count);
    }
    for (int i = 0; i < n->n_params; i++)
        if (!n->param[i].trains)
            first_reader(n, n->param[i].v, NULL, &x->owner[i]);
    copy_running(x, x->kept, false);
}

nashc_status
train_exchange_create(train_ranks *ranks, train_net *n, train_exchange **out, nashc_diag *d)
{
    *out = NULL;
    if (!ranks)
        return NASHC_OK;
    train_exchange *x = calloc(1, sizeof *x);
    if (!x)
        return nashc_enomem(d);
    x->ranks = ranks;
    x->net = n;
    for (int i = 0; i < n->n_params; i++)
        x->n_running += n->param[i].trains ? 0 : n->param[i].n;
    if (!alloc(x, n->n_params + n->n_scales)) {
        train_exchange_free(x);
        return nashc_enomem(d);
    }
    fill(x);
    n->watch = (train_net_watch){x, backward_begins, step_done, steps_done};
    *out = x;
    return NASHC_OK;
}

void
train_exchange_free(train_exchange *x)
{
    if (!x)
        return;
    x->net->watch = (train_net_watch){0};
    free(x->part);
    free(x->bucket);
    free(x->sum);
    free(x->running);
    free(x->kept);
    free(x->owner);
    free(x);
}
