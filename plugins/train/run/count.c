/* count.c: how good a network is at its task, over images. */
#include "plugins/train/run/run.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What a task has to know of a network and its data; shared by the loss of training and by
 * counting. */
nashc_task_case
train_case(const nashc_type *output, const train_images *p, double smoothing)
{
    return (nashc_task_case){.struct_size = sizeof(nashc_task_case),
                             .output = output,
                             .outputs = nashc_type_count(output),
                             .targets = p->targets,
                             .classes = p->n_classes,
                             .h = p->h,
                             .w = p->w,
                             .smoothing = smoothing};
}

/* *k is good for train_count_end in any case. keep: room for what is found in each of the p->n
 * images. */
nashc_status
train_count_begin(train_count *k, const nashc_task *task, const nashc_type *output,
                  const train_images *p, bool keep, nashc_diag *d)
{
    *k = (train_count){.task = task, .c = train_case(output, p, 0.0)};
    nashc_status s = task->check(&k->c, d);

    if (s != NASHC_OK)
        return s;
    k->state = task->begin(&k->c);
    k->n_found = keep ? task->n_found(&k->c) : 0;
    k->found = keep ? calloc((size_t)(p->n * k->n_found), sizeof *k->found) : NULL;
    return k->state && (k->found || !keep) ? NASHC_OK : nashc_enomem(d);
}

void
train_say_hidden(const nashc_task *t, int64_t hidden, int64_t objects, const char *where,
                 nashc_diag *d)
{
    if (hidden > 0)
        nashc_warning(d, NULL, "hidden-objects",
                      "%" PRId64 " of %" PRId64 " objects of %s (%.2f %%) %s", hidden, objects,
                      where, 100.0 * (double)hidden / (double)objects, t->hidden_why);
}

bool
train_count_add(train_count *k, const float *y, const int32_t *target, int64_t n)
{
    double loss = k->task->loss(&k->c, y, target, n, NULL);
    int64_t objects = 0;

    k->hidden += k->task->hidden ? k->task->hidden(&k->c, target, n, &objects) : 0;
    k->objects += objects;
    /* a running mean: the sum of millions of losses would lose digits */
    k->loss = (k->loss * (double)k->n + loss * (double)n) / (double)(k->n + n);
    for (int64_t i = 0; k->found && i < n; i++)
        k->task->find(&k->c, y + i * k->c.outputs, k->found + (k->n + i) * k->n_found);
    k->n += n;
    return k->task->add(k->state, y, target, n);
}

void
train_count_end(train_count *k)
{
    if (k->state)
        k->task->end(k->state);
    free(k->found);
    *k = (train_count){0};
}

/* Images in the order of the data, unchanged: counting must not depend on the seed. With several
 * ranks a batch of which this one has no part is run, but not counted. */
nashc_status
train_count_net(train_net *net, const train_order *o, train_count *k)
{
    train_order order = *o;
    nashc_status status = NASHC_OK;
    const float *x;
    const int32_t *target;
    int64_t n, number = 0;

    order.shuffle = order.augment = false;
    train_feed *f = train_feed_start(&order, 0, train_batches(&order));
    train_slot *in = train_net_slot(net, nashc_graph_input(net->graph, 0));
    const train_slot *out = &net->slot[net->output];
    if (!f)
        return nashc_enomem(net->diag);
    while (status == NASHC_OK && (n = train_feed_next(f, &x, &target)) > 0) {
        memcpy(in->v, x, (size_t)(n * in->count) * sizeof(float));
        status = train_net_forward(net, n, false);
        if (status == NASHC_OK && train_batch_share(&order, number++) > 0.0 &&
            !train_count_add(k, out->v, target, n))
            status = nashc_enomem(net->diag);
    }
    if (status == NASHC_OK)
        status = train_feed_fault(f, net->diag);
    train_feed_stop(f);
    return status;
}
