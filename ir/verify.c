/* verify.c: are a module's invariants, types and op rules met? */
#include "core/base/mem.h"
#include "ir/impl.h"
#include <nashc/diag.h>
#include <nashc/running.h>

/* --- level 1: structure. A fault is a bug of ours, whatever the input was. -------------------- */

static nashc_status
check_value(const nashc_value *v, const nashc_graph *g, nashc_diag *d, const nashc_loc *loc)
{
    uint32_t n = 0;

    if (v->graph != g || !v->name || nashc_map_get(&g->names, v->name) != v)
        return nashc_bug(d, loc, "value \"%s\" is not known by its name in graph \"%s\"",
                         v->name ? v->name : "", g->name);
    /* n == n_uses inside the loop also ends a chain that runs in a circle */
    for (nashc_use *const *at = &v->uses; *at; at = &(*at)->next, n++)
        if ((*at)->val != v || (*at)->pprev != at || n == v->n_uses)
            return nashc_bug(d, loc, "the chain of uses of \"%s\" is broken", v->name);
    if (n != v->n_uses)
        return nashc_bug(d, loc, "\"%s\" has %u uses, its chain %u", v->name, v->n_uses, n);
    if (v->type.rank > NASHC_MAX_RANK)
        return nashc_bug(d, loc, "\"%s\" has rank %d", v->name, v->type.rank);
    if (v->data && !nashc_type_eq(&v->type, nashc_tensor_type(v->data)))
        return nashc_bug(d, loc, "the type of constant \"%s\" is not that of its data", v->name);
    return NASHC_OK;
}

/* Operand slots of n: each counts in seen[value id], to be compared with the chains. */
static nashc_status
check_operands(const nashc_node *n, uint32_t *seen, nashc_diag *d)
{
    for (uint32_t i = 0; i < n->n_in; i++) {
        const nashc_value *v = n->in[i].val;
        if (n->in[i].user != n)
            return nashc_bug(d, &n->loc, "operand %u of a node belongs to another node", i);
        if (!v) {
            if (!n->op || (int32_t)i < n->op->min_in)
                return nashc_bug(d, &n->loc, "operand %u is missing", i);
            continue;
        }
        if (v->graph != n->graph || (v->def && nashc_node_dead(v->def)))
            return nashc_bug(d, &n->loc, "operand %u is dead or of another graph", i);
        /* the output node, without op, reads behind all */
        if (v->def && n->op && v->def->order >= n->order)
            return nashc_bug(d, &n->loc, "operand %u (\"%s\") is computed after its use", i,
                             v->name);
        seen[v->id]++;
    }
    return NASHC_OK;
}

static nashc_status
check_node(const nashc_node *n, const nashc_graph *g, nashc_diag *d)
{
    const nashc_op *op = n->op;

    if (!op || nashc_node_dead(n) || n->graph != g)
        return nashc_bug(d, &n->loc, "a dead or foreign node is in graph \"%s\"", g->name);
    if ((n->prev ? n->prev->next : g->first) != n || (n->next ? n->next->prev : g->last) != n)
        return nashc_bug(d, &n->loc, "the list of nodes is broken");
    if (n->prev && n->prev->order >= n->order)
        return nashc_bug(d, &n->loc, "the order labels do not ascend");
    if ((int64_t)n->n_in < op->min_in || (op->max_in >= 0 && (int64_t)n->n_in > op->max_in) ||
        (int64_t)n->n_out < op->min_out || (op->max_out >= 0 && (int64_t)n->n_out > op->max_out))
        return nashc_bug(d, &n->loc, "%s has %u operands and %u results", op->name, n->n_in,
                         n->n_out);
    for (uint32_t i = 0; i < n->n_attrs; i++) {
        char err[NASHC_ATTR_ERR];
        if (!n->attrs[i].set)
            return nashc_bug(d, &n->loc, "%s lacks the attribute %s", op->name, op->attrs[i].name);
        if (!nashc_attr_check(&op->attrs[i], &n->attrs[i], err))
            return nashc_bug(d, &n->loc, "attribute %s of %s: %s", op->attrs[i].name, op->name,
                             err);
    }
    return NASHC_OK;
}

/* Operands are counted from the side of the nodes and compared with the chains from the side of the
 * values: a slot in a foreign chain shows in one of the two. O(nodes + operands). */
static nashc_status
check_structure(const nashc_graph *g, nashc_diag *d)
{
    uint32_t *seen = nashc_mem_calloc(g->next_value_id, sizeof(*seen));
    nashc_status s = seen ? NASHC_OK : nashc_enomem(d);
    int n_nodes = 0;

    for (const nashc_node *n = g->first; n && !s; n = n->next, n_nodes++) {
        s = check_node(n, g, d);
        if (!s)
            s = check_operands(n, seen, d);
        for (uint32_t i = 0; !s && i < n->n_out; i++)
            if (n->out[i].def != n || n->out[i].index != i || n->out[i].data)
                s = nashc_bug(d, &n->loc, "result %u of a node is damaged", i);
    }
    if (!s && n_nodes != g->n_nodes)
        s = nashc_bug(d, NULL, "graph \"%s\" has %d nodes, but counts %d", g->name, n_nodes,
                      g->n_nodes);
    if (!s)
        s = check_operands(&g->outputs, seen, d);
    for (size_t i = 0; !s && i < g->n_inputs; i++)
        if (g->inputs[i]->kind != NASHC_V_INPUT || g->inputs[i]->index != i)
            s = nashc_bug(d, NULL, "input %zu of graph \"%s\" is damaged", i, g->name);
    for (size_t i = 0; !s && i < g->names.n_entry; i++) {
        const nashc_value *v = g->names.entry[i].value;
        if (!g->names.entry[i].key)
            continue;
        s = check_value(v, g, d, v->def ? &v->def->loc : NULL);
        if (!s && seen[v->id] != v->n_uses)
            s = nashc_bug(d, NULL, "\"%s\" is read %u times, its chain says %u", v->name,
                          seen[v->id], v->n_uses);
    }
    nashc_mem_free(seen);
    return s;
}

/* --- levels 2 to 4 --------------------------------------------------------------------------- */

/* Level 2: what infer says now is what the values have. An edit that changed an operand and forgot
 * what depends on it shows here. */
static nashc_status
check_types(const nashc_node *n, nashc_type **types, size_t *cap, nashc_diag *d)
{
    nashc_status s;

    if (!nashc_mem_grow((void **)types, cap, n->n_out, sizeof(**types)))
        return nashc_enomem(d);
    s = nashc_node_infer(n, *types, d);
    for (uint32_t i = 0; !s && i < n->n_out; i++)
        if (!nashc_type_eq(&n->out[i].type, *types + i)) {
            char is[NASHC_TYPE_STR_MAX], want[NASHC_TYPE_STR_MAX];
            nashc_type_print(&n->out[i].type, is, sizeof(is));
            nashc_type_print(*types + i, want, sizeof(want));
            s = nashc_node_error(d, n, "result \"%s\" has type %s, its operands give %s",
                                 n->out[i].name, is, want);
        }
    return s;
}

/* What the operator asks of its nodes. */
static nashc_status
check_rules(const nashc_node *n, nashc_diag *d)
{
    nashc_frame f;
    nashc_enter(&f, n->graph->module->ctx, NASHC_D_OP, n->op->name, n, d);
    return nashc_leave(&f, n->op->verify(n, d));
}

/* Level 4, before code is made: nothing opaque, all shapes known. */
static nashc_status
check_known(const nashc_node *n, nashc_diag *d)
{
    if (n->op->flags & NASHC_OP_OPAQUE)
        return nashc_node_unsup(d, n, "the meaning of this operator is not known");
    for (uint32_t i = 0; i < n->n_out; i++) {
        const nashc_value *v = &n->out[i];
        if (v->type.kind == NASHC_K_NONE)
            return nashc_node_error(d, n, "the type of \"%s\" is not known", v->name);
        if (!nashc_type_is_static(&v->type))
            return nashc_node_error(d, n, "the shape of \"%s\" is not known", v->name);
    }
    return NASHC_OK;
}

static nashc_status
check_inputs_known(const nashc_graph *g, nashc_diag *d)
{
    for (size_t i = 0; i < g->n_inputs; i++) {
        const nashc_value *v = g->inputs[i];
        char text[NASHC_TYPE_STR_MAX];
        if (v->type.kind != NASHC_K_NONE && nashc_type_is_static(&v->type))
            continue;
        nashc_error(d, NULL, "graph input \"%s\" has the type %s, which is not fully known",
                    v->name, nashc_type_print(&v->type, text, sizeof(text)));
        nashc_help(d, "fix the batch size and all other dimensions first");
        return NASHC_EINPUT;
    }
    return NASHC_OK;
}

static nashc_status
check_meaning(const nashc_graph *g, int level, nashc_diag *d)
{
    nashc_status s = level >= 4 ? check_inputs_known(g, d) : NASHC_OK;
    nashc_type *types = NULL;
    size_t cap = 0;

    for (const nashc_node *n = g->first; n && !s; n = n->next) {
        s = check_types(n, &types, &cap, d);
        if (!s && level >= 3 && n->op->verify)
            s = check_rules(n, d);
        if (!s && level >= 4)
            s = check_known(n, d);
    }
    nashc_mem_free(types);
    return s;
}

/* Structure of all graphs comes first, as the rules of a call read the graph that is called. */
nashc_status
nashc_verify(const nashc_module *m, int level, nashc_diag *d)
{
    nashc_status s = NASHC_OK;

    for (size_t i = 0; !s && i < m->n_graphs && level >= 1; i++)
        s = check_structure(m->graphs[i], d);
    for (size_t i = 0; !s && i < m->n_graphs && level >= 2; i++)
        s = check_meaning(m->graphs[i], level, d);
    return s == NASHC_OK && level >= 3 ? nashc_verify_calls(m, d) : s;
}
