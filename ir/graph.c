/* graph.c: graphs: names, inputs and outputs, and the list of nodes. */
#include "core/base/mem.h"
#include "ir/impl.h"
#include <stdio.h>
#include <string.h>

const char *
nashc_graph_name(const nashc_graph *g)
{
    return g->name;
}

nashc_module *
nashc_graph_module(const nashc_graph *g)
{
    return g->module;
}

int
nashc_graph_n_nodes(const nashc_graph *g)
{
    return g->n_nodes;
}

/* Room for side tables by node id and by value id alike. Ids are never used again, so it is an
 * upper bound, not a count. */
uint32_t
nashc_graph_max_id(const nashc_graph *g)
{
    return g->next_node_id > g->next_value_id ? g->next_node_id : g->next_value_id;
}

nashc_edits
nashc_graph_edits(const nashc_graph *g)
{
    return g->edits;
}

nashc_node *
nashc_graph_first(const nashc_graph *g)
{
    return g->first;
}

nashc_node *
nashc_graph_last(const nashc_graph *g)
{
    return g->last;
}

/* --- names ----------------------------------------------------------------------------------- */

/* Names count up; a file or a rename may have taken v7: those are passed over. */
const char *
nashc_graph_fresh_name(nashc_graph *g)
{
    for (;;) {
        char text[16];
        const char *sym;
        snprintf(text, sizeof(text), "v%u", g->next_name++);
        sym = nashc_intern(g->module->x, text);
        if (!sym || !nashc_map_get(&g->names, sym))
            return sym;
    }
}

/* A value that is not a node result, under the given name or a fresh one. */
static nashc_value *
new_value(nashc_graph *g, const char *name, nashc_value_kind kind, const nashc_type *t)
{
    const char *sym = name ? nashc_intern(g->module->x, name) : nashc_graph_fresh_name(g);
    nashc_value *v = sym ? NASHC_NEW(g->module->arena, nashc_value) : NULL;

    if (!v)
        return NULL;
    v->graph = g;
    v->kind = (uint8_t)kind;
    v->type = *t;
    if (!nashc_value_bind(v, sym))
        return NULL;
    v->id = g->next_value_id++;
    return v;
}

/* --- inputs and outputs ---------------------------------------------------------------------- */

/* NULL: memory out, or another value has the name. */
nashc_value *
nashc_graph_add_input(nashc_graph *g, const char *name, const nashc_type *t)
{
    nashc_value *v;

    if (!nashc_mem_grow((void **)&g->inputs, &g->cap_inputs, g->n_inputs + 1,
                        sizeof(nashc_value *)))
        return NULL;
    v = new_value(g, name, NASHC_V_INPUT, t);
    if (!v)
        return NULL;
    v->index = (uint32_t)g->n_inputs;
    g->inputs[g->n_inputs++] = v;
    g->edits.structure++;
    return v;
}

int
nashc_graph_n_inputs(const nashc_graph *g)
{
    return (int)g->n_inputs;
}

nashc_value *
nashc_graph_input(const nashc_graph *g, int i)
{
    return i >= 0 && (size_t)i < g->n_inputs ? g->inputs[i] : NULL;
}

/* Only if nothing reads it; later inputs move up. */
void
nashc_graph_remove_input(nashc_graph *g, int i)
{
    nashc_value *v = nashc_graph_input(g, i);

    if (!v || v->uses)
        return;
    nashc_value_unbind(v);
    memmove(&g->inputs[i], &g->inputs[i + 1],
            (g->n_inputs - (size_t)i - 1) * sizeof(nashc_value *));
    g->n_inputs--;
    for (size_t k = (size_t)i; k < g->n_inputs; k++)
        g->inputs[k]->index = (uint32_t)k;
    g->edits.structure++;
}

/* Slots cannot just be moved: chains point at them. So each leaves its chain and joins it anew. */
static bool
grow_outputs(nashc_graph *g)
{
    nashc_node *o = &g->outputs;
    size_t cap = g->cap_outputs ? g->cap_outputs * 2 : 4;
    nashc_use *in;

    if (!nashc_mem_grow((void **)&g->output_names, &g->cap_output_names, (size_t)o->n_in + 1,
                        sizeof(char *)))
        return false;
    if (o->n_in < g->cap_outputs)
        return true;
    in = nashc_mem_calloc(cap, sizeof(*in));
    if (!in)
        return false;
    for (uint32_t i = 0; i < o->n_in; i++) {
        nashc_value *v = o->in[i].val;
        nashc_use_set(&o->in[i], NULL);
        in[i].user = o;
        nashc_use_set(&in[i], v);
    }
    nashc_mem_free(o->in);
    o->in = in;
    g->cap_outputs = cap;
    return true;
}

/* Reports nothing: the caller sees by the number of outputs whether it worked. The name of an
 * output may differ from its value's, as one value may be several outputs. */
void
nashc_graph_add_output(nashc_graph *g, const char *name, nashc_value *v)
{
    nashc_node *o = &g->outputs;
    const char *sym;

    if (!v || v->graph != g)
        return;
    sym = name ? nashc_intern(g->module->x, name) : v->name;
    if (!sym || !grow_outputs(g))
        return;
    o->in[o->n_in] = (nashc_use){.user = o};
    g->output_names[o->n_in] = sym;
    nashc_use_set(&o->in[o->n_in++], v);
    g->edits.structure++;
}

int
nashc_graph_n_outputs(const nashc_graph *g)
{
    return (int)g->outputs.n_in;
}

nashc_value *
nashc_graph_output(const nashc_graph *g, int i)
{
    return i >= 0 && (uint32_t)i < g->outputs.n_in ? g->outputs.in[i].val : NULL;
}

const char *
nashc_graph_output_name(const nashc_graph *g, int i)
{
    return i >= 0 && (uint32_t)i < g->outputs.n_in ? g->output_names[i] : NULL;
}

void
nashc_graph_set_output(nashc_graph *g, int i, nashc_value *v)
{
    if (i < 0 || (uint32_t)i >= g->outputs.n_in || !v || v->graph != g)
        return;
    nashc_use_set(&g->outputs.in[i], v);
    g->edits.structure++;
}

/* The operands move down slot by slot, as chains point at slots. */
void
nashc_graph_remove_output(nashc_graph *g, int i)
{
    nashc_node *o = &g->outputs;

    if (i < 0 || (uint32_t)i >= o->n_in)
        return;
    for (uint32_t k = (uint32_t)i; k + 1 < o->n_in; k++) {
        nashc_use_set(&o->in[k], o->in[k + 1].val);
        g->output_names[k] = g->output_names[k + 1];
    }
    nashc_use_set(&o->in[--o->n_in], NULL);
    g->edits.structure++;
}

/* --- nodes ----------------------------------------------------------------------------------- */

nashc_value *
nashc_graph_add_const(nashc_graph *g, const char *name, nashc_tensor *interned)
{
    nashc_value *v = new_value(g, name, NASHC_V_CONST, nashc_tensor_type(interned));

    if (v) {
        v->data = interned;
        g->edits.structure++;
    }
    return v;
}

nashc_node *
nashc_node_alloc(nashc_graph *g, const nashc_op_info *info, uint32_t n_in, uint32_t n_out)
{
    /* One block: node, slots, results. The number of operands and of results is fixed for the life
     * of the node, so no slot ever moves. */
    size_t in_at = (sizeof(nashc_node) + 15) / 16 * 16;
    size_t out_at = in_at + (n_in * sizeof(nashc_use) + 15) / 16 * 16;
    char *p = nashc_arena_alloc(g->module->arena, out_at + n_out * sizeof(nashc_value));
    nashc_node *n = (nashc_node *)(void *)p;

    if (!p)
        return NULL;
    n->op = info->op;
    n->graph = g;
    n->in = (nashc_use *)(void *)(p + in_at);
    n->out = (nashc_value *)(void *)(p + out_at);
    /* shared until the node gets attributes of its own */
    n->attrs = info->defaults;
    n->n_attrs = info->n_attrs;
    n->n_in = n_in;
    n->n_out = n_out;
    n->id = g->next_node_id++;
    for (uint32_t i = 0; i < n_in; i++)
        n->in[i].user = n;
    for (uint32_t i = 0; i < n_out; i++) {
        nashc_value *v = &n->out[i];
        v->def = n;
        v->graph = g;
        v->kind = NASHC_V_RESULT;
        v->index = i;
        v->id = g->next_value_id++;
    }
    return n;
}

/* Links n and gives it a label between its neighbours. */
void
nashc_node_link(nashc_node *n, nashc_node *before)
{
    nashc_graph *g = n->graph;

    n->next = before;
    n->prev = before ? before->prev : g->last;
    if (n->prev)
        n->prev->next = n;
    else
        g->first = n;
    if (before)
        before->prev = n;
    else
        g->last = n;
    g->n_nodes++;
    g->edits.structure++;
    nashc_order_assign(n);
}

/* Leaves n's own links as they are: a walk that stands on n can go on. */
void
nashc_node_unlink(nashc_node *n)
{
    nashc_graph *g = n->graph;

    if (n->prev)
        n->prev->next = n->next;
    else
        g->first = n->next;
    if (n->next)
        n->next->prev = n->prev;
    else
        g->last = n->prev;
    g->n_nodes--;
    g->edits.structure++;
}
