/* graft.c: nodes of one graph rebuilt in another one. */
#include "graft.h"
#include <string.h>

/* --- constants that are there ------------------------------------------------------------------
 */

typedef struct entry {
    const char *name;
    const nashc_tensor *t;
    nashc_value *v; /* NULL: free */
} entry;

struct graft_consts {
    nashc_arena *a;
    entry *slot; /* open addressing by name */
    size_t n, n_slots;
};

static entry *
find(const graft_consts *c, const char *name, const nashc_tensor *t)
{
    size_t h = 2166136261u;

    for (const char *s = name; *s; s++)
        h = (h ^ (unsigned char)*s) * 16777619u;
    for (size_t k = h & (c->n_slots - 1);; k = (k + 1) & (c->n_slots - 1)) {
        entry *e = &c->slot[k];
        if (!e->v || (e->t == t && strcmp(e->name, name) == 0))
            return e;
    }
}

static bool
enter(graft_consts *c, const char *name, nashc_value *v)
{
    if (2 * (c->n + 1) > c->n_slots) {
        graft_consts old = *c;
        c->n_slots = old.n_slots ? 2 * old.n_slots : 64;
        c->slot = NASHC_NEW_N(c->a, entry, c->n_slots);
        if (!c->slot)
            return false;
        for (size_t i = 0; i < old.n_slots; i++)
            if (old.slot[i].v)
                *find(c, old.slot[i].name, old.slot[i].t) = old.slot[i];
    }
    entry *e = find(c, name, nashc_value_const(v));
    if (!e->v) {
        *e = (entry){name, nashc_value_const(v), v};
        c->n++;
    }
    return true;
}

graft_consts *
graft_consts_of(const nashc_graph *g, nashc_arena *a)
{
    graft_consts *c = NASHC_NEW(a, graft_consts);
    nashc_value *v;

    if (!c)
        return NULL;
    c->a = a;
    NASHC_EACH_NODE(g, n)
    {
        for (int i = 0; i < nashc_node_n_in(n); i++)
            if ((v = nashc_node_in(n, i)) && nashc_value_const(v) &&
                !enter(c, nashc_value_name(v), v))
                return NULL;
    }
    for (int i = 0; i < nashc_graph_n_outputs(g); i++)
        if (nashc_value_const(v = nashc_graph_output(g, i)) && !enter(c, nashc_value_name(v), v))
            return NULL;
    return c;
}

/* --- values and nodes --------------------------------------------------------------------------
 */

void
graft_name(graft *t, nashc_value *v, const char *name)
{
    const char *text = name;

    for (int k = 1; text && !nashc_value_set_name(v, text); k++)
        text = k == 1 ? nashc_arena_printf(t->a, "%s.%s", t->prefix, name)
                      : nashc_arena_printf(t->a, "%s.%s_%d", t->prefix, name, k);
}

nashc_value *
graft_value(graft *t, const nashc_value *v)
{
    nashc_value **to = &t->map[nashc_value_id(v)];
    const nashc_tensor *c = nashc_value_const(v);
    const entry *e =
        !*to && c && t->consts && t->consts->n ? find(t->consts, nashc_value_name(v), c) : NULL;

    if (*to || !c)
        return *to;
    if (e && e->v)
        return *to = e->v;
    *to = nashc_build_const(t->b, NULL, nashc_tensor_ref((nashc_tensor *)c));
    if (*to)
        graft_name(t, *to, nashc_value_name(v));
    return *to && t->consts && !enter(t->consts, nashc_value_name(v), *to) ? NULL : *to;
}

const char *
graft_call(nashc_arena *a, const char *name)
{
    char *text = nashc_arena_alloc(a, 4 * strlen(name) + 16), *p = text;

    if (!text)
        return NULL;
    p = strcpy(text, "graph=@\"") + 8;
    for (const char *s = name; *s; s++) {
        static const char hex[] = "0123456789abcdef";
        unsigned char c = (unsigned char)*s;
        if (c >= 32 && c < 127 && c != '"' && c != '\\') {
            *p++ = *s;
            continue;
        }
        memcpy(p, (char[]){'\\', 'x', hex[c >> 4], hex[c & 15]}, 4);
        p += 4;
    }
    *p = '"';
    return text;
}

static const char *
renamed(const graft *t, const char *name)
{
    const char *const *pair = t->graphs;

    while (pair && *pair && strcmp(*pair, name) != 0)
        pair += 2;
    return pair && *pair ? pair[1] : NULL;
}

nashc_node *
graft_node(graft *t, const nashc_node *n)
{
    int n_in = nashc_node_n_in(n), n_out = nashc_node_n_out(n);
    nashc_value **in = NASHC_NEW_N(t->a, nashc_value *, n_in + 1);
    const nashc_graph *to = t->graphs ? graft_callee(n) : NULL;
    const char *name = to ? renamed(t, nashc_graph_name(to)) : NULL;

    for (int i = 0; in && i < n_in; i++) {
        const nashc_value *v = nashc_node_in(n, i);
        in[i] = v ? graft_value(t, v) : NULL;
        if (v && !in[i])
            return NULL;
    }
    const char *attrs = name ? graft_call(t->a, name) : NULL;
    if (!in || (name && !attrs))
        return NULL;
    nashc_build_loc(t->b, nashc_node_loc(n));
    nashc_node *made = name ? nashc_build_node(t->b, "call", in, n_in, n_out, "%s", attrs)
                            : nashc_build_like(t->b, n, in, n_in);
    for (int i = 0; made && n_out > 1 && i < n_out; i++) { /* out of each other's way first */
        const char *own = nashc_arena_printf(t->a, ".%u", nashc_value_id(nashc_node_out(made, i)));
        if (own)
            nashc_value_set_name(nashc_node_out(made, i), own);
    }
    for (int i = 0; made && i < n_out; i++) {
        const nashc_value *v = nashc_node_out(n, i);
        t->map[nashc_value_id(v)] = nashc_node_out(made, i);
        graft_name(t, nashc_node_out(made, i), nashc_value_name(v));
    }
    return made;
}

nashc_graph *
graft_callee(const nashc_node *n)
{
    int at = nashc_node_is(n, "call") ? nashc_attr_index(n, "graph") : -1;
    const char *name = at < 0 ? NULL : nashc_attr_str(n, at);

    return name ? nashc_module_graph(nashc_graph_module(nashc_node_graph(n)), name + (*name == '@'))
                : NULL;
}

bool
graft_is_hardware(const nashc_graph *g)
{
    NASHC_EACH_NODE(g, n)
    {
        if (strncmp(nashc_node_opname(n), "hw.", 3) == 0)
            return true;
    }
    return false;
}

bool
graft_is_called(const nashc_graph *g)
{
    const nashc_module *m = nashc_graph_module(g);

    for (int i = 0; i < nashc_module_n_graphs(m); i++)
        NASHC_EACH_NODE(nashc_module_graph_at(m, i), n)
        {
            if (graft_callee(n) == g)
                return true;
        }
    return false;
}
