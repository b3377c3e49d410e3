/* analysis.c: results of analyses, kept on the graph while the edits they depend on stand still. */
#include "core/base/mem.h"
#include "ir/impl.h"
#include <nashc/pass.h>
#include <string.h>

/* The last result of one analysis on this graph; its memory is its arena's. */
typedef struct cached {
    const nashc_analysis *what;
    nashc_arena *arena;
    nashc_edits at;
    const void *result;
    struct cached *next;
} cached;

static void
free_cache(void *list)
{
    for (cached *c = list, *next; c; c = next) {
        next = c->next;
        nashc_arena_free(c->arena);
        nashc_mem_free(c);
    }
}

static bool
is_valid(const cached *c, nashc_edits now)
{
    uint32_t on = c->what->depends;
    return c->result && (!(on & NASHC_DEP_STRUCTURE) || c->at.structure == now.structure) &&
           (!(on & NASHC_DEP_TYPES) || c->at.types == now.types) &&
           (!(on & NASHC_DEP_ATTRS) || c->at.attrs == now.attrs);
}

/* The result is valid until the next call of the same analysis after an edit: callers keep no
 * pointer over edits. */
const void *
nashc_analyse(const nashc_graph *g, const nashc_analysis *what, nashc_diag *d)
{
    nashc_graph *owner = (nashc_graph *)g; /* a cache is not what const protects */
    void **slot = &owner->cache;
    nashc_edits now = nashc_graph_edits(g);
    owner->cache_free = free_cache;
    cached *c = *slot;
    /* by name, too: two plugins may have built in the same analysis */
    while (c && c->what != what && strcmp(c->what->name, what->name) != 0)
        c = c->next;
    if (c && is_valid(c, now))
        return c->result;
    nashc_arena *a = nashc_arena_create();
    if (!c && a) {
        c = nashc_mem_calloc(1, sizeof *c);
        if (c) {
            c->next = *slot;
            *slot = c;
        }
    }
    if (!a || !c) {
        nashc_arena_free(a);
        nashc_enomem(d);
        return NULL;
    }
    nashc_arena_free(c->arena);
    *c = (cached){.what = what, .arena = a, .at = now, .next = c->next};
    c->result = what->compute(g, a, d); /* NULL, a failure, is not valid: it is tried anew */
    return c->result;
}
