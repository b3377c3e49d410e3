/* value.c: nodes and values: reading them, and the chains of uses. */
#include "core/base/rng.h"
#include "core/base/running.h"
#include "ir/impl.h"
#include <nashc/op.h>
#include <stdlib.h>
#include <string.h>

/* --- nodes ----------------------------------------------------------------------------------- */

nashc_node *
nashc_node_next(const nashc_node *n)
{
    /* Walks of passes and ops come by here: a crash report names the node they stood at. */
    nashc_frame_seen(n);
    return n->next;
}

nashc_node *
nashc_node_prev(const nashc_node *n)
{
    return n->prev;
}

/* O(1) by the labels of order.c, for nodes of one graph. */
bool
nashc_node_before(const nashc_node *a, const nashc_node *b)
{
    return a->order < b->order;
}

const nashc_op *
nashc_node_op(const nashc_node *n)
{
    return n->op;
}

const char *
nashc_node_opname(const nashc_node *n)
{
    return n->op ? n->op->name : "";
}

/* By name, not by descriptor: a plugin may name ops that it was not built with. */
bool
nashc_node_is(const nashc_node *n, const char *op)
{
    return n && n->op && strcmp(n->op->name, op) == 0;
}

bool
nashc_node_is_any(const nashc_node *n, const char *const *ops)
{
    for (; *ops; ops++)
        if (nashc_node_is(n, *ops))
            return true;
    return false;
}

nashc_graph *
nashc_node_graph(const nashc_node *n)
{
    return n->graph;
}

uint32_t
nashc_node_id(const nashc_node *n)
{
    return n->id;
}

const nashc_loc *
nashc_node_loc(const nashc_node *n)
{
    return &n->loc;
}

const char *
nashc_node_reason(const nashc_node *n)
{
    return n->reason;
}

bool
nashc_node_dead(const nashc_node *n)
{
    return n->flags & NASHC_NODE_DEAD;
}

int
nashc_node_n_in(const nashc_node *n)
{
    return (int)n->n_in;
}

int
nashc_node_n_out(const nashc_node *n)
{
    return (int)n->n_out;
}

nashc_value *
nashc_node_in(const nashc_node *n, int i)
{
    return i >= 0 && (uint32_t)i < n->n_in ? n->in[i].val : NULL;
}

nashc_value *
nashc_node_out(const nashc_node *n, int i)
{
    return i >= 0 && (uint32_t)i < n->n_out ? &n->out[i] : NULL;
}

/* --- values ---------------------------------------------------------------------------------- */

const char *
nashc_value_name(const nashc_value *v)
{
    return v->name;
}

/* The new name is bound before the old one goes, so a failure (taken, memory out) changes
 * nothing. */
bool
nashc_value_set_name(nashc_value *v, const char *name)
{
    const char *sym = nashc_intern(v->graph->module->x, name), *old = v->name;

    if (sym && sym == old)
        return true;
    if (!nashc_value_bind(v, sym))
        return false;
    if (old)
        nashc_map_del(&v->graph->names, old);
    return true;
}

const nashc_type *
nashc_value_type(const nashc_value *v)
{
    return &v->type;
}

void
nashc_value_set_type(nashc_value *v, const nashc_type *t)
{
    if (nashc_type_eq(&v->type, t))
        return;
    v->type = *t;
    v->graph->edits.types++;
}

uint32_t
nashc_value_id(const nashc_value *v)
{
    return v->id;
}

nashc_graph *
nashc_value_graph(const nashc_value *v)
{
    return v->graph;
}

nashc_node *
nashc_value_def(const nashc_value *v)
{
    return v->def;
}

nashc_node *
nashc_value_def_by(const nashc_value *v, const char *op)
{
    return v && nashc_node_is(v->def, op) ? v->def : NULL;
}

int
nashc_value_def_index(const nashc_value *v)
{
    return (int)v->index;
}

bool
nashc_value_is_input(const nashc_value *v)
{
    return v && v->kind == NASHC_V_INPUT;
}

const nashc_tensor *
nashc_value_const(const nashc_value *v)
{
    return v ? v->data : NULL;
}

int
nashc_value_n_uses(const nashc_value *v)
{
    return (int)v->n_uses;
}

bool
nashc_value_one_use(const nashc_value *v)
{
    return v->n_uses == 1;
}

/* O(uses). The outputs of a graph are operands of a node outside its list, so use chains hold them
 * like any other reader. */
bool
nashc_value_is_output(const nashc_value *v)
{
    for (const nashc_use *u = v->uses; u; u = u->next)
        if (u->user == &v->graph->outputs)
            return true;
    return false;
}

nashc_node *
nashc_value_one_user(const nashc_value *v)
{
    return v->n_uses == 1 && v->uses->user != &v->graph->outputs ? v->uses->user : NULL;
}

static int
by_order(const void *a, const void *b)
{
    const nashc_node *x = *(nashc_node *const *)a, *y = *(nashc_node *const *)b;

    return (x->order > y->order) - (x->order < y->order);
}

/* In the order of the graph, whatever the order of the chain, and each once though it may read v
 * twice: what passes do with users must not depend on the history of edits. */
nashc_node **
nashc_value_users(const nashc_value *v, nashc_arena *a, int *n)
{
    nashc_node **list = NASHC_NEW_N(a, nashc_node *, v->n_uses + 1);
    size_t count = 0, kept = 0;

    *n = 0;
    if (!list)
        return NULL;
    for (const nashc_use *u = v->uses; u; u = u->next)
        if (u->user != &v->graph->outputs)
            list[count++] = u->user;
    qsort(list, count, sizeof(*list), by_order);
    for (size_t i = 0; i < count; i++)
        if (!i || list[i] != list[i - 1])
            list[kept++] = list[i];
    list[kept] = NULL;
    *n = (int)kept;
    return list;
}

/* --- use chains ------------------------------------------------------------------------------ */

/* Leaves the old chain and joins the new one in O(1): pprev points at the pointer that leads here,
 * be it the head of the chain or the next of another slot. Counts no edit: callers do. */
void
nashc_use_set(nashc_use *u, nashc_value *v)
{
    nashc_use **at;

    if (u->val) {
        *u->pprev = u->next;
        if (u->next)
            u->next->pprev = u->pprev;
        u->val->n_uses--;
    }
    u->val = v;
    u->next = NULL;
    u->pprev = NULL;
    if (!v)
        return;
    at = &v->uses;
#ifdef NASHC_HARD /* not always at the front: nobody may rely on the order */
    v->graph->shuffle = v->graph->shuffle * 6364136223846793005u + 1442695040888963407u;
    if (*at && v->graph->shuffle >> 63)
        at = &(*at)->next;
#endif
    u->next = *at;
    u->pprev = at;
    if (u->next)
        u->next->pprev = &u->next;
    *at = u;
    v->n_uses++;
}

/* Takes the slots one by one and puts each at place 0, 1 or 2 of a new chain. */
static void
shuffle_chain(nashc_value *v, nashc_rng *rng)
{
    nashc_use *left = v->uses, *u;

    v->uses = NULL;
    while ((u = left)) {
        nashc_use **at = &v->uses;
        left = u->next;
        if (*at && nashc_rng_range(rng, 0, 1))
            at = &(*at)->next;
        if (*at && nashc_rng_range(rng, 0, 1))
            at = &(*at)->next;
        u->next = *at;
        u->pprev = at;
        if (u->next)
            u->next->pprev = &u->next;
        *at = u;
    }
}

/* Every live value has a name, so the table of names leads to all chains. */
void
nashc_module_shuffle_uses(nashc_module *m, uint64_t seed)
{
    nashc_rng rng;

    nashc_rng_seed(&rng, seed);
    for (size_t k = 0; k < m->n_graphs; k++) {
        nashc_graph *g = m->graphs[k];
        for (size_t i = 0; i < g->names.n_entry; i++)
            if (g->names.entry[i].key)
                shuffle_chain(g->names.entry[i].value, &rng);
    }
}

/* --- attributes ------------------------------------------------------------------------------ */

/* Attribute i, with its kind in the schema; of what is not there all is 0, so that accessors need
 * no checks of their own. */
static const nashc_attr *
attr(const nashc_node *n, int i, uint32_t *kind)
{
    static const nashc_attr none;

    *kind = 0;
    if (i < 0 || (uint32_t)i >= n->n_attrs || !n->attrs[i].set)
        return &none;
    *kind = n->op->attrs[i].kind;
    return &n->attrs[i];
}

int64_t
nashc_attr_int(const nashc_node *n, int i)
{
    uint32_t kind;
    const nashc_attr *a = attr(n, i, &kind);

    return kind == NASHC_P_INT || kind == NASHC_P_BOOL || kind == NASHC_P_ENUM ? a->u.i : 0;
}

bool
nashc_attr_bool(const nashc_node *n, int i)
{
    return nashc_attr_int(n, i) != 0;
}

double
nashc_attr_float(const nashc_node *n, int i)
{
    uint32_t kind;
    const nashc_attr *a = attr(n, i, &kind);

    return kind == NASHC_P_FLOAT ? a->u.f : kind == NASHC_P_INT ? (double)a->u.i : 0;
}

/* As a graph of f32 sees it: ONNX keeps attributes as floats, the IR as doubles. */
double
nashc_attr_f32(const nashc_node *n, int i)
{
    return (double)(float)nashc_attr_float(n, i);
}

const char *
nashc_attr_str(const nashc_node *n, int i)
{
    uint32_t kind;
    const nashc_attr *a = attr(n, i, &kind);

    return a->s ? a->s : "";
}

const int64_t *
nashc_attr_ints(const nashc_node *n, int i, int *count)
{
    uint32_t kind;
    const nashc_attr *a = attr(n, i, &kind);
    static const int64_t none;

    *count = kind == NASHC_P_INTS ? a->n : 0;
    return *count ? a->u.ints : &none;
}

const double *
nashc_attr_floats(const nashc_node *n, int i, int *count)
{
    uint32_t kind;
    const nashc_attr *a = attr(n, i, &kind);
    static const double none;

    *count = kind == NASHC_P_FLOATS ? a->n : 0;
    return *count ? a->u.floats : &none;
}

const nashc_type *
nashc_attr_type(const nashc_node *n, int i)
{
    static const nashc_type none;
    uint32_t kind;
    const nashc_attr *a = attr(n, i, &kind);

    return kind == NASHC_P_TYPE ? a->u.type : &none;
}

/* Linear: ops have a dozen attributes at most. Code that runs for each element uses the index, an
 * enum beside the attribute table. */
int
nashc_attr_index(const nashc_node *n, const char *name)
{
    for (uint32_t i = 0; i < n->n_attrs; i++)
        if (strcmp(n->op->attrs[i].name, name) == 0)
            return (int)i;
    return -1;
}

int64_t
nashc_node_int(const nashc_node *n, const char *name)
{
    return nashc_attr_int(n, nashc_attr_index(n, name));
}

bool
nashc_node_bool(const nashc_node *n, const char *name)
{
    return nashc_attr_bool(n, nashc_attr_index(n, name));
}

double
nashc_node_float(const nashc_node *n, const char *name)
{
    return nashc_attr_float(n, nashc_attr_index(n, name));
}

double
nashc_node_f32(const nashc_node *n, const char *name)
{
    return nashc_attr_f32(n, nashc_attr_index(n, name));
}

const char *
nashc_node_str(const nashc_node *n, const char *name)
{
    return nashc_attr_str(n, nashc_attr_index(n, name));
}

/* NULL where the op has no such attribute, else never NULL, empty lists included. */
const int64_t *
nashc_node_ints(const nashc_node *n, const char *name, int *count)
{
    int i = nashc_attr_index(n, name);

    *count = 0;
    return i < 0 ? NULL : nashc_attr_ints(n, i, count);
}

const double *
nashc_node_floats(const nashc_node *n, const char *name, int *count)
{
    int i = nashc_attr_index(n, name);

    *count = 0;
    return i < 0 ? NULL : nashc_attr_floats(n, i, count);
}

/* The old name, if there is one, stays bound. */
bool
nashc_value_bind(nashc_value *v, const char *interned)
{
    if (!interned || nashc_map_get(&v->graph->names, interned) ||
        !nashc_map_put(&v->graph->names, interned, v))
        return false;
    v->name = interned;
    return true;
}

void
nashc_value_unbind(nashc_value *v)
{
    if (v->name)
        nashc_map_del(&v->graph->names, v->name);
    v->name = NULL;
}
