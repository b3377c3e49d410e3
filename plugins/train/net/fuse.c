/* fuse.c: steps that follow each other become one where a rule does them together. */
#include "plugins/train/grad/fused.h"
#include "plugins/train/net/net.h"
#include <string.h>

static int
step_of(const train_net *n, const nashc_node *node)
{
    for (int i = 0; i < n->n_steps; i++)
        if (n->step[i].node == node)
            return i;
    return -1;
}

/* The step of the quantiser becomes that of all; the others have no node any more. */
static nashc_status
join(train_net *n, train_step *bn, train_step *relu, train_step *quant)
{
    int *in = NASHC_NEW_N(n->arena, int, 8);

    quant->in = NASHC_NEW_N(n->arena, nashc_grad_arg, 8);
    if (!in || !quant->in)
        return nashc_enomem(n->diag);
    memcpy(in, bn->in_slot, 5 * sizeof *in);
    for (int k = 1; k < quant->n_in; k++) /* scale, and zero point if there is one */
        in[4 + k] = quant->in_slot[k];
    n->slot[bn->out_slot[0]].count = 0;
    if (relu)
        n->slot[relu->out_slot[0]].count = 0;
    quant->in_slot = in;
    quant->n_in += 4;
    quant->node = bn->node;
    quant->rule = &train_fused_rule;
    bn->node = NULL;
    if (relu)
        relu->node = NULL;
    return NASHC_OK;
}

static void
compact(train_net *n)
{
    int kept = 0;

    for (int i = 0; i < n->n_steps; i++)
        if (n->step[i].node)
            n->step[kept++] = n->step[i];
    n->n_steps = kept;
    for (int i = 0; i < kept; i++)
        for (int k = 0; k < n->step[i].n_out; k++)
            n->slot[n->step[i].out_slot[k]].def = i;
}

/* Whether step t does nothing with a slot but quantise it. */
static bool
only_quantises(const train_step *t, int slot)
{
    bool reads = false, otherwise = false;

    for (int k = 0; k < t->n_in; k++) {
        reads |= t->in_slot[k] == slot;
        otherwise |= t->in_slot[k] == slot && k > 0;
    }
    return !reads || (!otherwise && t->node && nashc_node_is(t->node, "q.quant"));
}

/* An nn.relu that only quantisers read becomes part of each. */
static void
join_relu(train_net *n, train_step *relu)
{
    int slot = relu->out_slot[0];
    bool all = n->slot[slot].batched && slot != n->output;

    for (int i = 0; i < n->n_steps; i++)
        all = all && only_quantises(&n->step[i], slot);
    for (int i = 0; all && i < n->n_steps; i++)
        if (n->step[i].n_in > 0 && n->step[i].in_slot[0] == slot) {
            n->step[i].in_slot[0] = relu->in_slot[0];
            n->step[i].rule = &train_relu_quant_rule;
        }
    if (all) {
        n->slot[slot].count = 0;
        relu->node = NULL;
    }
}

nashc_status
train_fuse(train_net *n)
{
    nashc_status s = NASHC_OK;

    for (int i = 0; s == NASHC_OK && i < n->n_steps; i++) {
        train_step *t = &n->step[i];
        const nashc_node *relu, *q = t->node ? train_fused_quantiser(t->node, &relu) : NULL;
        int r = q && relu ? step_of(n, relu) : -1, k = q ? step_of(n, q) : -1;
        if (k < 0 || t->out_slot[0] == n->output || !n->slot[t->in_slot[0]].batched)
            continue;
        s = join(n, t, r < 0 ? NULL : &n->step[r], &n->step[k]);
    }
    for (int i = 0; i < n->n_steps; i++)
        if (n->step[i].node && nashc_node_is(n->step[i].node, "nn.relu"))
            join_relu(n, &n->step[i]);
    compact(n);
    return s;
}
