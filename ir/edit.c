/* edit.c: changing graphs: replacing values, erasing and moving nodes, dead code, sorting, types.
 */
#include "core/base/mem.h"
#include "ir/impl.h"
#include <nashc/diag.h>
#include <string.h>

/* All uses move, those as outputs included. O(uses of old). The order of nodes is the caller's
 * concern: v must be computed before the first of these users, which verify checks. */
void
nashc_value_replace(nashc_value *old, nashc_value *v)
{
    nashc_use *last = NULL;

    if (!old || !v || old == v || old->graph != v->graph || !old->uses)
        return;
    for (nashc_use *u = old->uses; u; u = u->next) {
        u->val = v;
        last = u;
    }
    last->next = v->uses; /* splice: no chain is walked but old's */
    if (v->uses)
        v->uses->pprev = &last->next;
    v->uses = old->uses;
    v->uses->pprev = &v->uses;
    v->n_uses += old->n_uses;
    old->uses = NULL;
    old->n_uses = 0;
    v->graph->edits.structure++;
}

/* The same concern for order as in nashc_value_replace. */
void
nashc_node_set_in(nashc_node *n, int i, nashc_value *v)
{
    if (i < 0 || (uint32_t)i >= n->n_in || (v && v->graph != n->graph))
        return;
    nashc_use_set(&n->in[i], v);
    n->graph->edits.structure++;
}

void
nashc_node_set_reason(nashc_node *n, const char *text)
{
    n->reason = text ? nashc_intern(n->graph->module->x, text) : NULL;
}

void
nashc_node_set_loc(nashc_node *n, const nashc_loc *loc)
{
    nashc_irctx *x = n->graph->module->x;

    n->loc = loc ? *loc : (nashc_loc){0};
    n->loc.file = n->loc.file ? nashc_intern(x, n->loc.file) : NULL;
    n->loc.name = n->loc.name ? nashc_intern(x, n->loc.name) : NULL;
}

static bool
is_unused(const nashc_node *n)
{
    for (uint32_t i = 0; i < n->n_out; i++)
        if (n->out[i].uses)
            return false;
    return true;
}

/* n is unused. Its memory stays until the module goes, so that stale pointers can be tested. */
static void
kill(nashc_node *n)
{
    for (uint32_t i = 0; i < n->n_in; i++)
        nashc_use_set(&n->in[i], NULL);
    for (uint32_t i = 0; i < n->n_out; i++)
        nashc_value_unbind(&n->out[i]);
    nashc_node_unlink(n);
    n->flags |= NASHC_NODE_DEAD;
#ifdef NASHC_HARD /* whoever reads a dead node gets nonsense */
    memset(n->in, 0xA5, n->n_in * sizeof(*n->in));
    for (uint32_t i = 0; i < n->n_out; i++)
        memset(&n->out[i].type, 0xA5, sizeof(nashc_type));
    n->n_in = 0;
    n->n_attrs = 0;
#endif
}

/* With producers the whole cone that only n kept alive goes. The work list is threaded through the
 * nodes (link), so an erasure takes no memory and cannot fail. */
void
nashc_node_erase(nashc_node *n, bool with_producers)
{
    nashc_node *work = n;

    if (!n || nashc_node_dead(n) || !is_unused(n))
        return;
    n->link = NULL;
    while (work) {
        nashc_node *top = work;
        work = top->link;
        if (with_producers)
            for (uint32_t i = 0; i < top->n_in; i++) {
                nashc_node *def = top->in[i].val ? top->in[i].val->def : NULL;
                nashc_use_set(&top->in[i], NULL);
                if (def && is_unused(def)) { /* its last use: it is here only once */
                    def->link = work;
                    work = def;
                }
            }
        kill(top);
    }
}

/* pos NULL: to the end. Operands keep their slots; only the label of n is new. */
void
nashc_node_move(nashc_node *n, nashc_node *pos)
{
    if (n == pos)
        return;
    nashc_node_unlink(n);
    nashc_node_link(n, pos);
}

int
nashc_graph_remove_dead(nashc_graph *g)
{
    int before = g->n_nodes;

    for (nashc_node *n = g->last, *prev; n; n = prev) {
        prev = n->prev; /* users come later, so they are gone before their producers are seen */
        if (is_unused(n))
            nashc_node_erase(n, false);
    }
    return before - g->n_nodes;
}

/* --- sorting --------------------------------------------------------------------------------- */

enum { WHITE, GREY, BLACK };

/* One node on the stack, and the operand to look at next. */
typedef struct frame {
    nashc_node *node;
    uint32_t next_in;
} frame;

/* Appends to out what start depends on and has not been placed, then start. Depth first, with its
 * own stack. False: a cycle, *culprit is on it. */
static bool
place(nashc_node *start, uint8_t *color, frame *stack, nashc_node **out, size_t *n_out,
      nashc_node **culprit)
{
    size_t depth = 0;

    stack[depth++] = (frame){start, 0};
    color[start->id] = GREY;
    while (depth) {
        frame *f = &stack[depth - 1];
        nashc_node *def = NULL;
        while (f->next_in < f->node->n_in && !def) {
            nashc_value *v = f->node->in[f->next_in++].val;
            if (v && v->def && color[v->def->id] != BLACK)
                def = v->def;
        }
        if (!def) {
            color[f->node->id] = BLACK;
            out[(*n_out)++] = f->node;
            depth--;
        } else if (color[def->id] == GREY) {
            *culprit = def;
            return false;
        } else {
            color[def->id] = GREY;
            stack[depth++] = (frame){def, 0};
        }
    }
    return true;
}

/* For graphs whose list was put together in any order (frontends): O(nodes + operands). Starting
 * from the first node on keeps an order that is right already, so sorting twice changes nothing. */
nashc_status
nashc_graph_sort(nashc_graph *g, nashc_diag *d)
{
    size_t n = (size_t)g->n_nodes, n_out = 0;
    uint8_t *color = nashc_mem_calloc(g->next_node_id, 1);
    frame *stack = nashc_mem_alloc(n * sizeof(*stack));
    nashc_node **out = nashc_mem_alloc(n * sizeof(nashc_node *)), *culprit = NULL;
    nashc_status s = NASHC_OK;

    if (!color || !stack || !out)
        s = nashc_enomem(d);
    for (nashc_node *p = g->first; p && !s; p = p->next)
        if (color[p->id] == WHITE && !place(p, color, stack, out, &n_out, &culprit))
            s = nashc_node_error(d, culprit, "the node depends on its own result");
    if (!s && n) {
        for (size_t i = 0; i < n; i++) {
            out[i]->prev = i ? out[i - 1] : NULL;
            out[i]->next = i + 1 < n ? out[i + 1] : NULL;
        }
        g->first = out[0];
        g->last = out[n - 1];
        nashc_order_renumber(g);
        g->edits.structure++;
    }
    nashc_mem_free(color);
    nashc_mem_free(stack);
    nashc_mem_free(out);
    return s;
}

/* From first to last, so a type that changes reaches all behind it in one walk. */
nashc_status
nashc_graph_infer(nashc_graph *g, nashc_diag *d)
{
    nashc_type *types = NULL;
    size_t cap = 0;
    nashc_status s = NASHC_OK;

    for (nashc_node *n = g->first; n && !s; n = n->next) {
        if (!nashc_mem_grow((void **)&types, &cap, n->n_out, sizeof(*types))) {
            s = nashc_enomem(d);
            break;
        }
        s = nashc_node_infer(n, types, d);
        for (uint32_t i = 0; !s && i < n->n_out; i++)
            nashc_value_set_type(&n->out[i], &types[i]);
    }
    nashc_mem_free(types);
    return s;
}
