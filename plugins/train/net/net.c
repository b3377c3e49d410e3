/* net.c: a network is made, run forward and backward, and freed. */
#include "plugins/train/net/choice.h"
#include <stdlib.h>
#include <string.h>

/* What the loss is taken of: the scores, not what is made of them for people. */
static const nashc_value *
logits_of(const nashc_value *v)
{
    static const char *const last[] = {"nn.softmax", "nn.log_softmax", "nn.argmax", "nn.topk",
                                       NULL};
    const nashc_node *d;

    while ((d = nashc_value_def(v)) && nashc_node_is_any(d, last))
        v = nashc_node_in(d, 0);
    return v;
}

nashc_status
train_net_create(const nashc_graph *g, const train_net_options *o, bool logits, train_net **out,
                 nashc_diag *d)
{
    train_net *n = calloc(1, sizeof *n);
    nashc_status s;

    if (!n || !(n->arena = nashc_arena_create())) {
        free(n);
        return nashc_enomem(d);
    }
    n->graph = g;
    n->diag = d;
    n->pool = o->pool;
    n->max_batch = n->batch = o->batch;
    n->backward = o->backward;
    n->input_grad = o->input_grad;
    n->bn_momentum = 0.1;
    n->collect = o->collect;
    if (nashc_graph_n_outputs(g) < 1)
        s = nashc_error(d, NULL, "the graph has no output");
    else
        s = train_steps_make(n, logits ? logits_of(nashc_graph_output(g, 0))
                                       : nashc_graph_output(g, 0));
    if (s == NASHC_OK && logits && !n->slot[n->output].batched)
        s = nashc_error(d, NULL, "the output does not depend on the input");
    if (s == NASHC_OK)
        s = train_collect_find(n);
    if (s == NASHC_OK && n->collect == 0)
        s = train_fuse(n);
    if (s == NASHC_OK)
        s = train_layout(n);
    if (s == NASHC_OK)
        s = train_codes_find(n);
    if (s == NASHC_OK)
        s = train_choices_find(n);
    if (s == NASHC_OK)
        s = train_plan(n);
    if (s == NASHC_OK)
        *out = n;
    else
        train_net_free(n);
    return s;
}

void
train_net_free(train_net *n)
{
    if (!n)
        return;
    free(n->block);
    free(n->scratch);
    free(n->param);
    nashc_arena_free(n->arena);
    free(n);
}

int64_t
train_slot_size(const train_slot *s, int64_t batch)
{
    int64_t whole = (batch + NASHC_GRAD_BLOCK - 1) / NASHC_GRAD_BLOCK * NASHC_GRAD_BLOCK;

    return s->count * (!s->batched ? 1 : s->blocks ? whole : batch);
}

static void
fill_arg(const train_net *n, int slot, nashc_grad_arg *a)
{
    const train_slot *s = slot < 0 ? NULL : &n->slot[slot];

    *a = (nashc_grad_arg){0};
    if (!s)
        return;
    a->type = nashc_value_type(s->value);
    a->batched = s->batched;
    a->n = train_slot_size(s, n->batch);
    a->v = s->v;
    a->g = s->wants && (s->batched || !n->data_only) ? s->g : NULL;
}

/* Is operand k of a choice, as soon as these are known, a candidate that is not taken? */
static bool
left_out(const train_net *n, const train_step *s, int k)
{
    return n->n_choices > 0 && s->choice >= 0 && n->choice[s->choice].active != k - 1;
}

void
train_step_call(const train_net *n, const train_step *s, nashc_grad_call *c, bool training)
{
    for (int k = 0; k < s->n_in; k++)
        fill_arg(n, left_out(n, s, k) ? -1 : s->in_slot[k], &s->in[k]);
    for (int k = 0; k < s->n_out; k++)
        fill_arg(n, s->out_slot[k], &s->out[k]);
    *c = (nashc_grad_call){NASHC_DESC(nashc_grad_call),
                           .flags = (training ? NASHC_GRAD_TRAINING : 0) |
                                    (s->blocks ? NASHC_GRAD_BLOCKS : 0),
                           .node = s->node,
                           .batch = n->batch,
                           .n_in = s->n_in,
                           .n_out = s->n_out,
                           .in = s->in,
                           .out = s->out,
                           .bn_momentum = n->bn_momentum,
                           .saved = s->saved,
                           .scratch = n->scratch,
                           .n_threads = thread_pool_size(n->pool),
                           .pool = n->pool,
                           .run = thread_pool_share,
                           .diag = n->diag,
                           .codes = s->codes,
                           .signs = s->signs};
}

nashc_status
train_net_forward(train_net *n, int64_t batch, bool training)
{
    nashc_status s = NASHC_OK;

    n->batch = batch;
    n->training = training;
    train_scales_set(n);
    for (int i = 0; s == NASHC_OK && i < n->n_steps; i++) {
        nashc_grad_call c;
        if ((n->step[i].rule->flags & NASHC_GRAD_VIEW) || train_step_off(n, &n->step[i]))
            continue;
        train_collect_step(n, &n->step[i]);
        train_step_call(n, &n->step[i], &c, training);
        s = n->step[i].rule->forward(&c);
    }
    return s;
}

static void
clear_gradients(train_net *n)
{
    for (int i = 0; i < n->n_params; i++)
        if (n->param[i].g && !n->param[i].begins)
            memset(n->param[i].g, 0, (size_t)n->param[i].n * sizeof(float));
    for (int i = 0; i < n->n_scales; i++) {
        const train_slot *s = &n->slot[n->scale[i].slot];
        memset(s->g, 0, (size_t)s->count * sizeof(float));
    }
}

/* Clears the gradients that begin with step t, but those that its rule sets, if it runs: their
 * operands. */
static uint32_t
begin_gradients(const train_net *n, const train_step *t, bool runs)
{
    uint32_t sets = 0;

    for (int z = 0; z < t->n_fresh; z++) {
        const train_slot *r = &n->slot[t->fresh[z].slot];
        if (r->owner >= 0 && train_step_off(n, &n->step[r->def]))
            continue;
        if (runs && t->fresh[z].operand >= 0 && (r->batched || !n->data_only))
            sets |= 1u << t->fresh[z].operand;
        else
            memset(r->g, 0, (size_t)train_slot_size(r, n->batch) * sizeof(float));
    }
    return sets;
}

nashc_status
train_net_backward(train_net *n)
{
    nashc_status s = NASHC_OK;

    clear_gradients(n);
    if (n->watch.begins)
        n->watch.begins(n->watch.arg);
    for (int i = n->n_steps - 1; s == NASHC_OK && i >= 0; i--) {
        train_step *t = &n->step[i];
        nashc_grad_call c;
        bool wanted = n->slot[t->out_slot[0]].batched || !n->data_only;
        bool runs = t->back && wanted && !train_step_off(n, t);
        uint32_t sets = begin_gradients(n, t, runs);
        if (runs) {
            train_step_call(n, t, &c, n->training);
            c.sets = sets;
            s = t->rule->backward(&c);
            train_collect_back(n, t);
        }
        if (t->back && n->watch.step_done)
            n->watch.step_done(n->watch.arg, i);
        if (s == NASHC_OK)
            s = train_choices_back(n, i);
    }
    if (s == NASHC_OK && n->watch.steps_done)
        s = n->watch.steps_done(n->watch.arg);
    if (s == NASHC_OK)
        train_scales_back(n);
    return s;
}
