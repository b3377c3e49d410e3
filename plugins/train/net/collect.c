/* collect.c: scales of activations that are measured for some steps before they are learned.
 *
 *     for the first N training steps   t = the k-th smallest |x| of the batch,
 *                                      k = floor(0.99999 n + 0.5),    r = 0.9 r + 0.1 t
 *     s = t / thr;  its gradient goes to the element that is t; evaluation uses r
 *     then                             2^v = r, and v is learned
 *
 * After the default quantisers of activations of Brevitas. For scales that one quantiser reads.
 */
#include "plugins/train/net/net.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PART   0.99999
#define MOVE   0.1
#define KEPT   64 /* largest magnitudes that are looked at: enough for 6 million elements */
#define NUMBER 2  /* of collected numbers: r, steps done */

/* The learned scale that this step measures; NULL: it does not. */
static train_scale *
scale_of(const train_net *n, const train_step *t)
{
    const train_slot *s =
        t->node && nashc_node_is(t->node, "q.quant") ? &n->slot[t->in_slot[1]] : NULL;
    train_scale *c = s && s->scale >= 0 ? &n->scale[s->scale] : NULL;

    return c && c->collected >= 0 ? c : NULL;
}

nashc_status
train_collect_find(train_net *n)
{
    for (int i = 0; n->collect > 0 && i < n->n_scales; i++) {
        train_scale *c = &n->scale[i];
        const nashc_value *v = n->slot[c->slot].value;
        if (c->kind != TRAIN_SCALE_LEARNED || n->slot[c->slot].count != 1 ||
            nashc_value_n_uses(v) != 1)
            continue;
        const char *name = nashc_arena_printf(n->arena, "%s.collected", n->param[c->param].name);
        c->collected = name ? train_param_add_numbers(n, name, NUMBER) : -1;
        if (c->collected < 0)
            return nashc_enomem(n->diag);
    }
    return NASHC_OK;
}

/* Index of the k-th smallest |x|; the k-th from above, equal ones in order of memory, is looked
 * for.
 */
static int64_t
element_of(const train_slot *s, int64_t batch)
{
    int64_t n = s->count * batch, size = train_slot_size(s, batch), kept = 0;
    int64_t from_above = n - (int64_t)floor(PART * (double)n + 0.5), at[KEPT];
    int64_t last = batch / NASHC_GRAD_BLOCK * NASHC_GRAD_BLOCK * s->count; /* block, if not full */
    const float *x = s->v;

    from_above = from_above >= KEPT ? KEPT - 1 : from_above;
    for (int64_t i = 0; i < size; i++) {
        int64_t k = kept;
        if (s->blocks && i >= last && i % NASHC_GRAD_BLOCK >= batch % NASHC_GRAD_BLOCK)
            continue;
        if (kept > from_above && fabsf(x[i]) <= fabsf(x[at[kept - 1]]))
            continue;
        k = kept > from_above ? kept - 1 : kept++;
        for (; k > 0 && fabsf(x[at[k - 1]]) < fabsf(x[i]); k--)
            at[k] = at[k - 1];
        at[k] = i;
    }
    return at[from_above];
}

bool
train_collecting(const train_net *n, const train_scale *c)
{
    return c->collected >= 0 && (int64_t)n->param[c->collected].v[1] < n->collect;
}

/* What evaluation uses while nothing is learned yet. */
float
train_collected(const train_net *n, const train_scale *c)
{
    return n->param[c->collected].v[0] / c->thr;
}

void
train_collect_step(train_net *n, const train_step *t)
{
    train_scale *c = scale_of(n, t);
    const train_slot *x = &n->slot[t->in_slot[0]];

    if (!c || !n->training || !train_collecting(n, c))
        return;
    float *r = n->param[c->collected].v;
    c->element = element_of(x, n->batch);
    float value = fabsf(x->v[c->element]);
    value = value > 1e-10f ? value : 1e-10f;
    n->slot[c->slot].v[0] = value / c->thr;
    r[0] = r[1] == 0.0f ? value : (float)((1.0 - MOVE) * (double)r[0] + MOVE * (double)value);
    r[1] += 1.0f;
    c->measured = true;
    if (!train_collecting(n, c))
        n->param[c->param].v[0] = (float)log2((double)r[0]);
}

void
train_collect_back(const train_net *n, const train_step *t)
{
    train_scale *c = scale_of(n, t);
    const train_slot *x = &n->slot[t->in_slot[0]];

    if (!c || !c->measured)
        return;
    train_slot *s = &n->slot[c->slot];
    float v = x->v[c->element];
    if (x->wants)
        x->g[c->element] += s->g[0] / c->thr * (v > 0.0f ? 1.0f : v < 0.0f ? -1.0f : 0.0f);
    s->g[0] = 0.0f;
    c->measured = false;
}
