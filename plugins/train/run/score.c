/* score.c: how many images of one class each are right: the count of the task "classify" in short.
 */
#include "plugins/train/run/run.h"

/* The label is in place 0: no other class has a higher score (train_place_of has the rule of
 * ties). */
void
train_score_add(train_score *s, const float *logits, const int32_t *label, int64_t n,
                int64_t classes)
{
    for (int64_t i = 0; i < n; i++)
        s->top1 += train_place_of(logits + i * classes, classes, label[i]) == 0;
    s->n += n;
}

nashc_status
train_score_net(train_net *net, const train_order *o, train_score *s)
{
    train_count k;
    nashc_status status = train_count_begin(&k, train_task_classify.rule,
                                            nashc_value_type(net->slot[net->output].value),
                                            o->images, false, net->diag);

    if (status == NASHC_OK)
        status = train_count_net(net, o, &k);
    if (status == NASHC_OK)
        *s = (train_score){k.n, (int64_t)(k.task->value(k.state, NULL, NULL) * (double)k.n + 0.5)};
    train_count_end(&k);
    return status;
}
