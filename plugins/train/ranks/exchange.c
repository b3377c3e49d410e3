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
#include <stdlib.h>
#include <string.h>

#define BUCKET (64 * 1024) /* entries: 256 KiB, some tens of microseconds of memory traffic */

/* Numbers that become their sums: gradients. */
typedef struct part {
    int step;  /* after which they are complete */
    int owner; /* candidate whose steps alone read them; -1: none */
    float *v;
    int64_t n, at; /* at: in the buffer; -1: not summed this time */
} part;

typedef struct bucket {
    int step; /* of its last part */
    int64_t at, n;
} bucket;

struct train_exchange {
    train_ranks *ranks;
    train_net *net;
    part *part; /* by falling step */
    bucket *bucket;
    int n_parts, n_buckets, sent; /* sent: buckets */
    float *buffer;
    int64_t n_running; /* entries of running values */
    float *running;    /* to be summed */
    float *kept;       /* running values of the last step that was done on all ranks */
    int *owner;        /* of a parameter, as of a part */
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
    part p = {.v = g, .n = n};
    int i = x->n_parts++;

    p.step = first_reader(x->net, NULL, g, &p.owner);

    for (; i > 0 && x->part[i - 1].step < p.step; i--)
        x->part[i] = x->part[i - 1];
    x->part[i] = p;
}

static void
make_buckets(train_exchange *x)
{
    int64_t at = 0;

    x->n_buckets = 0;
    for (int i = 0; i < x->n_parts; i++) {
        part *p = &x->part[i];
        bucket *b = &x->bucket[x->n_buckets - (x->n_buckets > 0)];
        p->at = -1;
        if (x->net->data_only || train_owner_off(x->net, p->owner))
            continue;
        if (x->n_buckets == 0 || b->n >= BUCKET) {
            b = &x->bucket[x->n_buckets++];
            *b = (bucket){.at = at};
        }
        p->at = at;
        at += p->n;
        b->n += p->n;
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
    train_ranks_sum(x->ranks, x->running, x->n_running);
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
send_bucket(train_exchange *x, const bucket *b)
{
    for (int i = 0; i < x->n_parts; i++) {
        const part *p = &x->part[i];
        if (p->at >= b->at && p->at < b->at + b->n)
            memcpy(x->buffer + p->at, p->v, (size_t)p->n * sizeof(float));
    }
    train_ranks_sum(x->ranks, x->buffer + b->at, b->n);
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

    while (x->sent < x->n_buckets && x->bucket[x->sent].step >= step)
        send_bucket(x, &x->bucket[x->sent++]);
    train_ranks_progress(x->ranks);
}

static nashc_status
steps_done(void *arg)
{
    train_exchange *x = arg;

    while (x->sent < x->n_buckets)
        send_bucket(x, &x->bucket[x->sent++]);
    if (x->net->choice_momentum != 0.0)
        send_running(x);
    nashc_status s = train_ranks_wait(x->ranks, x->net->diag);
    if (s != NASHC_OK)
        return s;
    for (int i = 0; i < x->n_parts; i++)
        if (x->part[i].at >= 0)
            memcpy(x->part[i].v, x->buffer + x->part[i].at, (size_t)x->part[i].n * sizeof(float));
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
alloc(train_exchange *x, int n_parts, int64_t n_entries)
{
    x->part = calloc((size_t)n_parts + 1, sizeof *x->part);
    x->bucket = calloc((size_t)n_parts + 1, sizeof *x->bucket);
    x->buffer = calloc((size_t)n_entries + 1, sizeof *x->buffer);
    x->running = calloc((size_t)x->n_running + 1, sizeof *x->running);
    x->kept = calloc((size_t)x->n_running + 1, sizeof *x->kept);
    x->owner = calloc((size_t)x->net->n_params + 1, sizeof *x->owner);
    return x->part && x->bucket && x->buffer && x->running && x->kept && x->owner;
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
    int64_t n_entries = 0;

    *out = NULL;
    if (!ranks)
        return NASHC_OK;
    train_exchange *x = calloc(1, sizeof *x);
    if (!x)
        return nashc_enomem(d);
    x->ranks = ranks;
    x->net = n;
    for (int i = 0; i < n->n_params; i++)
        *(n->param[i].trains ? &n_entries : &x->n_running) += n->param[i].n;
    for (int i = 0; i < n->n_scales; i++)
        n_entries += n->slot[n->scale[i].slot].count;
    if (!alloc(x, n->n_params + n->n_scales, n_entries)) {
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
    free(x->buffer);
    free(x->running);
    free(x->kept);
    free(x->owner);
    free(x);
}
