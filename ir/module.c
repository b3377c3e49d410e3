/* module.c: modules: metadata, the list of graphs, and the table of shared constants. */
#include "core/base/mem.h"
#include "ir/impl.h"
#include <nashc/diag.h>
#include <string.h>

nashc_module *
nashc_module_create(nashc_ctx *c)
{
    nashc_module *m = nashc_mem_calloc(1, sizeof(*m));

    if (!m)
        return NULL;
    m->ctx = c;
    m->x = nashc_ctx_ir(c);
    m->arena = nashc_arena_create();
    if (!m->arena) {
        nashc_mem_free(m);
        return NULL;
    }
    return m;
}

/* What a graph has on the heap. The graph itself, its nodes and its values are of the module's
 * arena and stay until the module goes: who still holds a pointer to a removed graph reads old
 * data, not freed memory. */
static void
graph_free(nashc_graph *g)
{
    if (g->cache && g->cache_free)
        g->cache_free(g->cache);
    nashc_map_free(&g->names);
    nashc_mem_free(g->inputs);
    nashc_mem_free(g->outputs.in);
    nashc_mem_free(g->output_names);
    g->inputs = NULL;
    g->outputs.in = NULL;
    g->output_names = NULL;
}

/* Tensors may live on in other modules, which hold references of their own. */
void
nashc_module_free(nashc_module *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->n_graphs; i++)
        graph_free(m->graphs[i]);
    for (size_t i = 0; i < m->n_tensor_slots; i++)
        nashc_tensor_unref(m->tensors[i]);
    nashc_mem_free(m->tensors);
    nashc_mem_free(m->graphs);
    nashc_mem_free(m->meta);
    nashc_arena_free(m->arena);
    nashc_mem_free(m);
}

nashc_ctx *
nashc_module_ctx(const nashc_module *m)
{
    return m->ctx;
}

nashc_arena *
nashc_module_arena(nashc_module *m)
{
    return m->arena;
}

/* Doubles the table, a power of two so that a mask takes the place of a division. Deleting is not
 * needed: a constant that no node reads keeps its slot until the module goes. */
static bool
grow_tensors(nashc_module *m)
{
    size_t n = m->n_tensor_slots ? m->n_tensor_slots * 2 : 32;
    nashc_tensor **slot = nashc_mem_calloc(n, sizeof(*slot));

    if (!slot)
        return false;
    for (size_t i = 0; i < m->n_tensor_slots; i++) {
        nashc_tensor *t = m->tensors[i];
        size_t k;
        if (!t)
            continue;
        for (k = nashc_tensor_quick(t) & (n - 1); slot[k]; k = (k + 1) & (n - 1))
            ;
        slot[k] = t;
    }
    nashc_mem_free(m->tensors);
    m->tensors = slot;
    m->n_tensor_slots = n;
    return true;
}

/* The table is at most half full, so the probe always meets an empty slot. Equal cells are compared
 * only where the quick hash agrees; an interval or layout that differs makes another tensor, for it
 * is part of the type that values take from it. */
nashc_tensor *
nashc_module_intern(nashc_module *m, nashc_tensor *t)
{
    uint64_t quick;
    size_t k, mask;

    if (!t)
        return NULL;
    if ((m->n_tensors + 1) * 2 > m->n_tensor_slots && !grow_tensors(m)) {
        nashc_tensor_unref(t);
        return NULL;
    }
    quick = nashc_tensor_quick(t);
    mask = m->n_tensor_slots - 1;
    for (k = quick & mask; m->tensors[k]; k = (k + 1) & mask) {
        nashc_tensor *old = m->tensors[k];
        if (nashc_tensor_quick(old) == quick && nashc_tensor_same(old, t)) {
            nashc_tensor_unref(t);
            return old;
        }
    }
    m->n_tensors++;
    return m->tensors[k] = t;
}

/* Keys keep the order in which they came, as the text prints them; value NULL removes. Memory out
 * leaves all as it was: callers that must know look the value up (clone.c, parse.c). */
void
nashc_module_set_meta(nashc_module *m, const char *key, const char *value)
{
    const char *v = value ? nashc_intern(m->x, value) : NULL, *k;

    for (size_t i = 0; i < m->n_meta; i++) {
        if (strcmp(m->meta[i].key, key) != 0)
            continue;
        if (v) {
            m->meta[i].value = v;
        } else if (!value) {
            memmove(&m->meta[i], &m->meta[i + 1], (m->n_meta - i - 1) * sizeof(*m->meta));
            m->n_meta--;
        }
        return;
    }
    k = v ? nashc_intern(m->x, key) : NULL;
    if (k && nashc_mem_grow((void **)&m->meta, &m->cap_meta, m->n_meta + 1, sizeof(*m->meta)))
        m->meta[m->n_meta++] = (nashc_meta){k, v};
}

const char *
nashc_module_meta(const nashc_module *m, const char *key)
{
    for (size_t i = 0; i < m->n_meta; i++)
        if (strcmp(m->meta[i].key, key) == 0)
            return m->meta[i].value;
    return NULL;
}

int
nashc_module_n_meta(const nashc_module *m)
{
    return (int)m->n_meta;
}

const char *
nashc_module_meta_key(const nashc_module *m, int i)
{
    return i >= 0 && (size_t)i < m->n_meta ? m->meta[i].key : NULL;
}

nashc_graph *
nashc_module_add_graph(nashc_module *m, const char *name)
{
    const char *sym = nashc_intern(m->x, name);
    nashc_graph *g;

    if (!sym || nashc_module_graph(m, name))
        return NULL;
    g = NASHC_NEW(m->arena, nashc_graph);
    if (!g || !nashc_mem_grow((void **)&m->graphs, &m->cap_graphs, m->n_graphs + 1,
                              sizeof(nashc_graph *)))
        return NULL;
    g->module = m;
    g->name = sym;
    /* names are interned: one address a text */
    g->names.by_address = true;
    g->outputs.graph = g;
    /* outputs are read behind every node */
    g->outputs.order = UINT64_MAX;
    g->shuffle = 1;
    m->graphs[m->n_graphs++] = g;
    return g;
}

void
nashc_module_remove_graph(nashc_module *m, nashc_graph *g)
{
    for (size_t i = 0; i < m->n_graphs; i++) {
        if (m->graphs[i] != g)
            continue;
        memmove(&m->graphs[i], &m->graphs[i + 1], (m->n_graphs - i - 1) * sizeof(nashc_graph *));
        m->n_graphs--;
        graph_free(g);
        return;
    }
}

nashc_graph *
nashc_module_graph(const nashc_module *m, const char *name)
{
    for (size_t i = 0; i < m->n_graphs; i++)
        if (strcmp(m->graphs[i]->name, name) == 0)
            return m->graphs[i];
    return NULL;
}

/* Models of one graph need not call it @main: the first is taken. */
nashc_graph *
nashc_module_main(const nashc_module *m)
{
    nashc_graph *g = nashc_module_graph(m, "main");

    return g ? g : nashc_module_graph_at(m, 0);
}

int
nashc_module_n_graphs(const nashc_module *m)
{
    return (int)m->n_graphs;
}

nashc_graph *
nashc_module_graph_at(const nashc_module *m, int i)
{
    return i >= 0 && (size_t)i < m->n_graphs ? m->graphs[i] : NULL;
}
