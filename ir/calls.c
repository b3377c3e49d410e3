/* calls.c: calls of graphs end, and what they come to is bounded.
 *
 *     size(g) = nodes of g + sum of size(callee) over its calls
 *
 * is the number of nodes that run, or that are written, in the place of g: 15 graphs that call the
 * next one 8 times each come to 8^14. The equation is solved round by round; a round that still
 * changes after as many as calls may nest has found a circle, or calls too deep.
 */
#include "core/base/mem.h"
#include "ir/impl.h"
#include <nashc/diag.h>

#define MAX_NESTING 16 /* what the executor allows */

typedef struct call {
    const nashc_node *node;
    size_t from, to; /* graphs, by their place in the module */
} call;

typedef struct calls {
    call *at;
    size_t n, cap;
    int64_t *size;
} calls;

static bool
add_call(calls *c, const nashc_map *places, const nashc_node *n, size_t from)
{
    const char *name = nashc_attr_str(n, 0);
    const int64_t *to = name ? nashc_map_get(places, name + (name[0] == '@')) : NULL;

    if (!to)
        return true; /* the op's own rules tell */
    if (!nashc_mem_grow((void **)&c->at, &c->cap, c->n + 1, sizeof *c->at))
        return false;
    c->at[c->n++] = (call){n, from, (size_t)(to - c->size)};
    return true;
}

static bool
collect(calls *c, const nashc_module *m)
{
    nashc_map places = {0};
    bool ok = true;

    for (size_t i = 0; ok && i < m->n_graphs; i++)
        ok = nashc_map_put(&places, m->graphs[i]->name, &c->size[i]);
    for (size_t i = 0; ok && i < m->n_graphs; i++)
        for (const nashc_node *n = m->graphs[i]->first; ok && n; n = n->next)
            ok = !nashc_node_is(n, "call") || add_call(c, &places, n, i);
    nashc_map_free(&places);
    return ok;
}

/* sum has room for the graphs. The first call that is at fault is told of. */
static nashc_status
solve(const calls *c, const nashc_module *m, int64_t *sum, nashc_diag *d)
{
    bool grows = c->n > 0;
    const nashc_node *last = NULL;

    for (int round = 0; grows && round <= MAX_NESTING + 1; round++) {
        grows = false;
        for (size_t i = 0; i < m->n_graphs; i++)
            sum[i] = m->graphs[i]->n_nodes;
        for (size_t k = 0; k < c->n; k++) {
            const call *one = &c->at[k];
            sum[one->from] += c->size[one->to];
            if (sum[one->from] > NASHC_MAX_NODES) {
                nashc_node_error(d, one->node,
                                 "with all that is called, graph @%s has more than "
                                 "%d nodes, or calls itself",
                                 m->graphs[one->from]->name, NASHC_MAX_NODES);
                return NASHC_EINPUT;
            }
        }
        for (size_t k = 0; k < c->n; k++)
            if (sum[c->at[k].from] != c->size[c->at[k].from]) {
                last = c->at[k].node;
                grows = true;
            }
        for (size_t i = 0; i < m->n_graphs; i++)
            c->size[i] = sum[i];
    }
    return !grows ? NASHC_OK
                  : nashc_node_error(d, last, "calls are nested deeper than %d, or in a circle",
                                     MAX_NESTING);
}

nashc_status
nashc_verify_calls(const nashc_module *m, nashc_diag *d)
{
    calls c = {.size = nashc_mem_calloc(m->n_graphs, sizeof *c.size)};
    int64_t *sum = nashc_mem_calloc(m->n_graphs, sizeof *sum);
    nashc_status s = c.size && sum && collect(&c, m) ? solve(&c, m, sum, d) : nashc_enomem(d);

    nashc_mem_free(c.at);
    nashc_mem_free(c.size);
    nashc_mem_free(sum);
    return s;
}
