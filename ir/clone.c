/* clone.c: copies of modules: structure is copied, tensors are shared, ids are dense again. */
#include "core/base/mem.h"
#include "ir/impl.h"
#include <nashc/diag.h>
#include <string.h>

/* Copy of one graph in the making: map[id of the old value] is the new one. */
typedef struct copy {
    const nashc_graph *from;
    nashc_graph *to;
    nashc_value **map;
} copy;

/* The copy of an operand; constants are copied when first met, that is in print order. */
static nashc_value *
mapped(copy *c, const nashc_value *v)
{
    nashc_value *w = c->map[v->id];
    nashc_tensor *t;

    if (w || !v->data)
        return w;
    t = nashc_module_intern(c->to->module, nashc_tensor_ref(v->data));
    w = t ? nashc_graph_add_const(c->to, v->name, t) : NULL;
    return c->map[v->id] = w;
}

/* Types and names are taken over, not inferred: a clone of a module that does not verify is the
 * same broken module. */
static bool
copy_node(copy *c, const nashc_node *n)
{
    nashc_module *m = c->to->module;
    const nashc_op_info *info = nashc_op_schema(m->x, n->op, NULL);
    nashc_value *few[8], **in = few;
    nashc_node *p;
    bool ok = info != NULL;

    if (n->n_in > NASHC_COUNT(few))
        in = nashc_mem_alloc(n->n_in * sizeof(nashc_value *));
    if (!in)
        return false;
    for (uint32_t i = 0; ok && i < n->n_in; i++) {
        in[i] = n->in[i].val ? mapped(c, n->in[i].val) : NULL;
        ok = in[i] || !n->in[i].val;
    }
    p = ok ? nashc_node_alloc(c->to, info, n->n_in, n->n_out) : NULL;
    ok = p && !nashc_node_copy_attrs(p, n);
    if (ok) {
        p->loc = n->loc;
        p->reason = n->reason ? nashc_intern(c->to->module->x, n->reason) : NULL;
        nashc_node_link(p, NULL);
        for (uint32_t i = 0; i < n->n_in; i++)
            nashc_use_set(&p->in[i], in[i]);
    }
    for (uint32_t i = 0; ok && i < n->n_out; i++) {
        p->out[i].type = n->out[i].type;
        c->map[n->out[i].id] = &p->out[i];
        ok = nashc_value_bind(&p->out[i], n->out[i].name);
    }
    if (in != few)
        nashc_mem_free(in);
    return ok;
}

static bool
copy_graph(nashc_module *m, const nashc_graph *g)
{
    copy c = {.from = g, .to = nashc_module_add_graph(m, g->name)};
    bool ok = c.to != NULL;

    c.map = nashc_mem_calloc(g->next_value_id, sizeof(nashc_value *));
    ok = ok && c.map;
    for (size_t i = 0; ok && i < g->n_inputs; i++) {
        const nashc_value *v = g->inputs[i];
        ok = (c.map[v->id] = nashc_graph_add_input(c.to, v->name, &v->type)) != NULL;
    }
    for (const nashc_node *n = g->first; ok && n; n = n->next)
        ok = copy_node(&c, n);
    for (uint32_t i = 0; ok && i < g->outputs.n_in; i++) {
        nashc_value *v = mapped(&c, g->outputs.in[i].val);
        if (v)
            nashc_graph_add_output(c.to, g->output_names[i], v);
        ok = v && c.to->outputs.n_in == i + 1;
    }
    if (ok)
        /* Putting the copy together is no edit. */
        c.to->edits = g->edits;
    nashc_mem_free(c.map);
    return ok;
}

/* O(nodes + operands); the cells of constants are shared, not copied. This is what makes it cheap
 * to run each pass on a clone. */
nashc_module *
nashc_module_clone(const nashc_module *m)
{
    nashc_module *c = nashc_module_create(m->ctx);
    bool ok = c != NULL;

    for (size_t i = 0; ok && i < m->n_meta; i++) {
        /* which reports nothing, so the count tells */
        nashc_module_set_meta(c, m->meta[i].key, m->meta[i].value);
        ok = c->n_meta == i + 1;
    }
    for (size_t i = 0; ok && i < m->n_graphs; i++)
        ok = copy_graph(c, m->graphs[i]);
    if (ok)
        return c;
    nashc_module_free(c);
    return NULL;
}
