/* layout.c: which values are in blocks of samples (grad.h): those that a rule makes so. Where a
 * step reads a value of the other kind, one that converts it is inserted; inputs and the output are
 * in rows for who stands outside. */
#include "plugins/train/lanes/convert.h"
#include "plugins/train/net/net.h"
#include <string.h>

typedef struct layout {
    train_net *n;
    train_step *step; /* the new ones */
    int n_steps;
    int *twin; /* by slot: that with the other layout, -1: none */
    nashc_status status;
} layout;

static bool
asks_blocks(const train_net *n, const train_step *t)
{
    nashc_grad_call c;

    if (!n->slot[t->out_slot[0]].batched || !NASHC_HAS(t->rule, blocks) || !t->rule->blocks)
        return false;
    train_step_call(n, t, &c, true);
    return t->rule->blocks(&c);
}

static int
add_twin(layout *l, int slot)
{
    train_net *n = l->n;
    int i = n->n_slots++;

    n->slot[i] = n->slot[slot];
    n->slot[i].root = i;
    n->slot[i].blocks = !n->slot[slot].blocks;
    n->slot[i].def = l->n_steps;
    l->twin[slot] = i;
    l->twin[i] = slot;
    return i;
}

/* A step that makes the twin of a slot. */
static int
convert(layout *l, int slot)
{
    train_step *t = &l->step[l->n_steps];
    train_net *n = l->n;

    if (l->twin[slot] >= 0)
        return l->twin[slot];
    *t = (train_step){.rule = n->slot[slot].blocks ? &train_to_rows : &train_to_blocks,
                      .in = NASHC_NEW_N(n->arena, nashc_grad_arg, 1),
                      .out = NASHC_NEW_N(n->arena, nashc_grad_arg, 1),
                      .in_slot = NASHC_NEW_N(n->arena, int, 1),
                      .out_slot = NASHC_NEW_N(n->arena, int, 1),
                      .n_in = 1,
                      .n_out = 1};
    if (!t->in || !t->out || !t->in_slot || !t->out_slot) {
        l->status = nashc_enomem(n->diag);
        return slot;
    }
    t->in_slot[0] = slot;
    t->out_slot[0] = add_twin(l, slot);
    l->n_steps++;
    return t->out_slot[0];
}

static void
add_step(layout *l, const train_step *t)
{
    train_net *n = l->n;
    bool view = t->rule->flags & NASHC_GRAD_VIEW;
    bool blocks = view ? n->slot[t->in_slot[0]].blocks : asks_blocks(n, t);

    for (int k = 0; k < t->n_in && !view; k++) {
        int i = t->in_slot[k];
        if (i >= 0 && n->slot[i].batched && n->slot[i].blocks != blocks)
            t->in_slot[k] = convert(l, i);
    }
    for (int k = 0; k < t->n_out; k++) {
        n->slot[t->out_slot[k]].blocks = blocks;
        n->slot[t->out_slot[k]].def = l->n_steps;
    }
    l->step[l->n_steps] = *t;
    l->step[l->n_steps++].blocks = blocks;
}

nashc_status
train_layout(train_net *n)
{
    layout l = {.n = n};
    train_slot *slot = NASHC_NEW_N(n->arena, train_slot, 2 * n->n_slots + 1);
    int *all = NASHC_NEW_N(n->arena, int, 2 * n->n_slots + 1);

    l.step = NASHC_NEW_N(n->arena, train_step, n->n_steps + n->n_slots + 1);
    l.twin = all;
    if (!slot || !all || !l.step)
        return nashc_enomem(n->diag);
    memcpy(slot, n->slot, (size_t)n->n_slots * sizeof *slot);
    memset(all, -1, (size_t)(2 * n->n_slots + 1) * sizeof *all);
    n->slot = slot;
    for (int i = 0; i < n->n_steps; i++)
        add_step(&l, &n->step[i]);
    if (n->slot[n->output].blocks) {
        const nashc_value *v = n->slot[n->output].value;
        n->output = convert(&l, n->output);
        n->slot_of[nashc_value_id(v)] = n->output;
    }
    n->step = l.step;
    n->n_steps = l.n_steps;
    return l.status;
}
