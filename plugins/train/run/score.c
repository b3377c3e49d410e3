/* score.c: how good scores are: top 1, top 5, loss, confusion. */
#include "plugins/train/net/loss.h"
#include "plugins/train/run/run.h"
#include <math.h>
#include <string.h>

/* Number of classes before the true one: larger scores, and equal ones of a lower number. */
static int64_t
rank_of(const float *x, int64_t classes, int32_t label)
{
    int64_t before = 0;

    for (int64_t k = 0; k < classes; k++)
        before += x[k] > x[label] || (x[k] == x[label] && k < label);
    return before;
}

static int32_t
largest(const float *x, int64_t classes)
{
    int32_t at = 0;

    for (int32_t k = 1; k < classes; k++)
        at = x[k] > x[at] ? k : at;
    return at;
}

void
train_score_add(train_score *s, const float *logits, const int32_t *label, int64_t n,
                int64_t classes, double smoothing)
{
    double loss = train_cross_entropy(logits, label, n, classes, smoothing, NULL);

    s->loss = (s->loss * (double)s->n + loss * (double)n) / (double)(s->n + n);
    for (int64_t i = 0; i < n; i++) {
        const float *x = logits + i * classes;
        int32_t got = largest(x, classes);
        int64_t rank = rank_of(x, classes, label[i]);
        s->top1 += rank == 0;
        s->top5 += rank < 5;
        if (s->confusion && got < s->n_classes)
            s->confusion[label[i] * s->n_classes + got]++;
        if (s->predicted)
            s->predicted[s->n + i] = got;
    }
    s->n += n;
}

nashc_status
train_score_net(train_net *net, const train_order *o, train_score *s)
{
    train_order order = *o;
    nashc_status status = NASHC_OK;
    const float *x;
    const int32_t *label;
    int64_t n, number = 0;

    order.shuffle = order.augment = false;
    train_feed *f = train_feed_start(&order, 0, train_batches(&order));
    train_slot *in = train_net_slot(net, nashc_graph_input(net->graph, 0));
    const train_slot *out = &net->slot[net->output];
    if (!f)
        return nashc_enomem(net->diag);
    while (status == NASHC_OK && (n = train_feed_next(f, &x, &label)) > 0) {
        memcpy(in->v, x, (size_t)(n * in->count) * sizeof(float));
        status = train_net_forward(net, n, false);
        if (status == NASHC_OK && train_batch_share(&order, number++) > 0.0)
            train_score_add(s, out->v, label, n, out->count, 0.0);
    }
    if (status == NASHC_OK)
        status = train_feed_fault(f, net->diag);
    train_feed_stop(f);
    return status;
}
