/* steps.c: from a graph to slots, one a value, and steps, one a node, with the rules of gradients.
 */
#include "plugins/train/net/net.h"
#include <string.h>

train_slot *
train_net_slot(const train_net *n, const nashc_value *v)
{
    int i = v ? n->slot_of[nashc_value_id(v)] : -1;

    return i < 0 ? NULL : &n->slot[i];
}

/* A tensor of samples has them along its first axis, one of them in the graph. */
static nashc_status
check_batch(const train_net *n, const nashc_value *v, const nashc_node *node)
{
    const nashc_type *t = nashc_value_type(v);

    if (!nashc_type_is_static(t) || t->rank < 1 || t->dim[0] != 1)
        return node ? nashc_node_unsup(
                          n->diag, node,
                          "training needs one sample along the first axis, \"%s\" is %s",
                          nashc_value_name(v), nashc_type_str(n->diag, t))
                    : nashc_unsup(
                          n->diag, NULL,
                          "training needs one sample along the first axis, input \"%s\" is %s",
                          nashc_value_name(v), nashc_type_str(n->diag, t));
    return NASHC_OK;
}

static int
add_slot(train_net *n, const nashc_value *v, bool batched)
{
    int i = n->n_slots++;

    n->slot[i] = (train_slot){.value = v,
                              .count = nashc_type_count(nashc_value_type(v)),
                              .batched = batched,
                              .root = i,
                              .param = -1,
                              .scale = -1,
                              .def = -1};
    n->slot_of[nashc_value_id(v)] = i;
    return i;
}

/* Constants keep their memory; parameters share it. */
static nashc_status
fill_constant(train_net *n, train_slot *s)
{
    const nashc_tensor *t = nashc_value_const(s->value);

    s->v = NASHC_NEW_N(n->arena, float, s->count);
    s->g = NASHC_NEW_N(n->arena, float, s->count);
    if (!s->v || !s->g)
        return nashc_enomem(n->diag);
    for (int64_t i = 0; i < s->count; i++)
        s->v[i] = (float)nashc_tensor_get(t, i);
    return NASHC_OK;
}

static nashc_status
make_param(train_net *n, train_slot *s, bool trains)
{
    if (s->param < 0)
        s->param = train_param_add(n, nashc_value_name(s->value), s->value, trains);
    if (s->param < 0)
        return nashc_enomem(n->diag);
    s->v = n->param[s->param].v;
    s->g = n->param[s->param].g;
    s->wants |= trains;
    return NASHC_OK;
}

/* Operand k of the step: its slot, and what a constant is to the rule. */
static nashc_status
add_operand(train_net *n, train_step *t, int k)
{
    const nashc_value *v = nashc_node_in(t->node, k);
    nashc_status s = NASHC_OK;

    t->in_slot[k] = v ? n->slot_of[nashc_value_id(v)] : -1;
    if (!v)
        return NASHC_OK;
    if (t->in_slot[k] < 0) {
        if (!nashc_value_const(v))
            return nashc_bug(n->diag, NULL, "value \"%s\" is used before it is made",
                             nashc_value_name(v));
        t->in_slot[k] = add_slot(n, v, false);
        s = fill_constant(n, &n->slot[t->in_slot[k]]);
    }
    train_slot *slot = &n->slot[t->in_slot[k]];
    bool real = nashc_value_const(v) && nashc_type_is_float(nashc_value_type(v)) && k < 32;
    if (s == NASHC_OK && real && (t->rule->trains >> k & 1u))
        s = make_param(n, slot, true);
    else if (s == NASHC_OK && real && (t->rule->running >> k & 1u))
        s = make_param(n, slot, false);
    return s;
}

static nashc_status
add_result(train_net *n, train_step *t, int k, bool batched)
{
    const nashc_value *v = nashc_node_out(t->node, k);
    nashc_status s = batched ? check_batch(n, v, t->node) : NASHC_OK;

    t->out_slot[k] = add_slot(n, v, batched);
    n->slot[t->out_slot[k]].def = n->n_steps;
    if (s == NASHC_OK && k == 0 && (t->rule->flags & NASHC_GRAD_VIEW))
        n->slot[t->out_slot[0]].root = n->slot[t->in_slot[0]].root;
    return s;
}

static nashc_status
add_step(train_net *n, const nashc_node *node)
{
    train_step *t = &n->step[n->n_steps];
    bool batched = false;
    nashc_status s = NASHC_OK;

    *t = (train_step){.node = node, .n_in = nashc_node_n_in(node), .n_out = nashc_node_n_out(node)};
    t->rule = nashc_impl_rule(nashc_module_ctx(nashc_graph_module(n->graph)), "grad",
                              nashc_node_opname(node));
    t->in = NASHC_NEW_N(n->arena, nashc_grad_arg, t->n_in + 1);
    t->out = NASHC_NEW_N(n->arena, nashc_grad_arg, t->n_out + 1);
    t->in_slot = NASHC_NEW_N(n->arena, int, t->n_in + 1);
    t->out_slot = NASHC_NEW_N(n->arena, int, t->n_out + 1);
    if (!t->in || !t->out || !t->in_slot || !t->out_slot)
        return nashc_enomem(n->diag);
    if (!t->rule)
        return nashc_node_unsup(n->diag, node, "training has no rule for this operator");
    for (int k = 0; s == NASHC_OK && k < t->n_in; k++) {
        s = add_operand(n, t, k);
        batched |= s == NASHC_OK && t->in_slot[k] >= 0 && n->slot[t->in_slot[k]].batched;
    }
    for (int k = 0; s == NASHC_OK && k < t->n_out; k++)
        s = add_result(n, t, k, batched);
    n->n_steps++;
    return s;
}

/* Marks by id the values that the output depends on. */
static bool *
needed(train_net *n, const nashc_value *output)
{
    bool *mark = NASHC_NEW_N(n->arena, bool, nashc_graph_max_id(n->graph));

    if (!mark)
        return NULL;
    mark[nashc_value_id(output)] = true;
    for (const nashc_node *node = nashc_graph_last(n->graph); node; node = nashc_node_prev(node)) {
        bool any = false;
        for (int k = 0; k < nashc_node_n_out(node); k++)
            any |= mark[nashc_value_id(nashc_node_out(node, k))];
        for (int k = 0; any && k < nashc_node_n_in(node); k++)
            if (nashc_node_in(node, k))
                mark[nashc_value_id(nashc_node_in(node, k))] = true;
    }
    return mark;
}

nashc_status
train_steps_make(train_net *n, const nashc_value *output)
{
    uint32_t max = nashc_graph_max_id(n->graph);
    bool *mark = needed(n, output);
    nashc_status s = NASHC_OK;

    n->slot = NASHC_NEW_N(n->arena, train_slot, max);
    n->slot_of = NASHC_NEW_N(n->arena, int, max);
    n->step = NASHC_NEW_N(n->arena, train_step, nashc_graph_n_nodes(n->graph) + 1);
    if (!mark || !n->slot || !n->slot_of || !n->step)
        return nashc_enomem(n->diag);
    memset(n->slot_of, -1, max * sizeof *n->slot_of);
    for (int i = 0; s == NASHC_OK && i < nashc_graph_n_inputs(n->graph); i++) {
        const nashc_value *v = nashc_graph_input(n->graph, i);
        s = check_batch(n, v, NULL);
        n->slot[add_slot(n, v, true)].wants = n->input_grad;
    }
    NASHC_EACH_NODE(n->graph, node)
    if (s == NASHC_OK && mark[nashc_value_id(nashc_node_out(node, 0))])
        s = add_step(n, node);
    n->output = s == NASHC_OK ? n->slot_of[nashc_value_id(output)] : 0;
    return s == NASHC_OK ? train_scales_find(n) : s;
}
