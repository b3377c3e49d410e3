/* partition_cut.c: sets of nodes become graphs that are called.
 *
 * Seen from outside a set is one node. The graph is ordered so that nothing stands between the
 * nodes of a set; where that cannot be, a path leads out of it and back in.
 */
#include "graft.h"
#include "partition.h"

typedef struct frame {
    nashc_node *at; /* its operand i is looked at next */
    int i;
} frame;

typedef struct cut {
    parts *p;
    nashc_node **head, **tail; /* by set: its nodes, in order */
    nashc_node **next;         /* by node id */
    uint8_t *state;    /* by node id, of the first node of a set: 1 on the stack, 2 placed */
    bool *read;        /* by value id: outside its set */
    nashc_value **map; /* by value id: what it is in the graph being made */
    frame *stack;
    int n_stack;
    int *order, n_order; /* sets as they come */
} cut;

bool
parts_init(parts *p, nashc_run *r, nashc_graph *g, int n)
{
    *p = (parts){.r = r, .d = nashc_run_diag(r), .a = nashc_run_arena(r), .g = g, .n = n};
    p->n_ids = 2 * (size_t)nashc_graph_max_id(g) + (size_t)n + 2;
    p->name = NASHC_NEW_N(p->a, const char *, n + 1);
    p->of = NASHC_NEW_N(p->a, int, p->n_ids);
    return p->name && p->of;
}

const char *
parts_label(parts *p, const nashc_node *n)
{
    const char *name = nashc_node_loc(n)->name;

    if (name)
        return nashc_quote(p->d, name);
    name = nashc_node_n_out(n) ? nashc_value_name(nashc_node_out(n, 0)) : "?";
    name = nashc_arena_printf(p->a, "%%%s", nashc_quote(p->d, name));
    return name ? name : "?";
}

/* --- order -------------------------------------------------------------------------------------
 */

static int
set_of(const cut *c, const nashc_node *n)
{
    return c->p->of[nashc_node_id(n)];
}

/* The node that stands for n: the first one of its set, or itself. */
static nashc_node *
unit(const cut *c, nashc_node *n)
{
    return set_of(c, n) ? c->head[set_of(c, n)] : n;
}

/* The stack from frame `base` on is a circle: each node reads the next one's unit, and the last one
 * reads the unit of the first. */
static nashc_status
report_circle(cut *c, int base)
{
    int k = base, last = c->n_stack - 1;

    while (k < last && !set_of(c, c->stack[k].at))
        k++;
    const frame *out = &c->stack[k > base ? k - 1 : last]; /* reads what leaves the set */
    const nashc_node *between = out->at, *entry = c->stack[k].at;
    const nashc_node *exit = nashc_value_def(nashc_node_in(between, out->i - 1));
    const char *set = nashc_quote(c->p->d, c->p->name[set_of(c, entry)]);

    nashc_node_error(c->p->d, between,
                     "partition @%s would depend on itself: this node outside reads \"%s\" of it, "
                     "and \"%s\" of it reads what comes of that",
                     set, parts_label(c->p, exit), parts_label(c->p, entry));
    if (set_of(c, between))
        nashc_note(c->p->d, "it is a node of partition @%s",
                   nashc_quote(c->p->d, c->p->name[set_of(c, between)]));
    nashc_help(c->p->d, "put \"%s\" into partition @%s too, or leave \"%s\" out of it",
               parts_label(c->p, between), set, parts_label(c->p, entry));
    return NASHC_EINPUT;
}

static void
place(cut *c, nashc_node *first)
{
    if (set_of(c, first))
        c->order[c->n_order++] = set_of(c, first);
    for (nashc_node *n = first; n; n = c->next[nashc_node_id(n)])
        nashc_node_move(n, NULL);
    c->state[nashc_node_id(first)] = 2;
}

/* What root depends on and has not been placed, then root; depth first. */
static nashc_status
visit(cut *c, nashc_node *root)
{
    c->n_stack = 0;
    c->stack[c->n_stack++] = (frame){unit(c, root), 0};
    c->state[nashc_node_id(unit(c, root))] = 1;
    while (c->n_stack) {
        frame *f = &c->stack[c->n_stack - 1];
        if (f->i == nashc_node_n_in(f->at)) {
            nashc_node *first = unit(c, f->at), *more = c->next[nashc_node_id(f->at)];
            *f = (frame){more, 0};
            if (!more) {
                place(c, first);
                c->n_stack--;
            }
            continue;
        }
        const nashc_value *v = nashc_node_in(f->at, f->i++);
        nashc_node *def = v ? nashc_value_def(v) : NULL, *to = def ? unit(c, def) : NULL;
        if (!to || to == unit(c, f->at) || c->state[nashc_node_id(to)] == 2)
            continue;
        if (c->state[nashc_node_id(to)] == 1) {
            int base = c->n_stack - 1;
            while (base > 0 && unit(c, c->stack[base].at) != to)
                base--;
            return report_circle(c, base);
        }
        c->state[nashc_node_id(to)] = 1;
        c->stack[c->n_stack++] = (frame){to, 0};
    }
    return NASHC_OK;
}

/* Links the sets, marks what is read outside of them, and orders the nodes. */
static nashc_status
arrange(cut *c)
{
    nashc_graph *g = c->p->g;
    int n_nodes = nashc_graph_n_nodes(g), k = 0;
    nashc_node **all = NASHC_NEW_N(c->p->a, nashc_node *, n_nodes + 1), *def;
    nashc_status s = NASHC_OK;

    if (!all)
        return nashc_enomem(c->p->d);
    NASHC_EACH_NODE(g, n)
    {
        int set = set_of(c, n);
        all[k++] = n;
        if (set && c->head[set])
            c->next[nashc_node_id(c->tail[set])] = n;
        else if (set)
            c->head[set] = n;
        c->tail[set] = n;
        for (int i = 0; i < nashc_node_n_in(n); i++) {
            const nashc_value *v = nashc_node_in(n, i);
            if (v && (def = nashc_value_def(v)) && set_of(c, def) != set)
                c->read[nashc_value_id(v)] = true;
        }
    }
    for (int i = 0; i < nashc_graph_n_outputs(g); i++)
        c->read[nashc_value_id(nashc_graph_output(g, i))] = true;
    for (int i = 0; i < n_nodes && s == NASHC_OK; i++)
        if (!c->state[nashc_node_id(unit(c, all[i]))])
            s = visit(c, all[i]);
    return s;
}

/* --- the graphs --------------------------------------------------------------------------------
 */

/* Values that set k reads from outside, as inputs of f and into args; their number, or -1. */
static int
add_inputs(cut *c, int k, nashc_graph *f, nashc_value **args)
{
    int count = 0;

    for (nashc_node *n = c->head[k]; n; n = c->next[nashc_node_id(n)])
        for (int i = 0; i < nashc_node_n_in(n); i++) {
            nashc_value *v = nashc_node_in(n, i);
            if (!v || nashc_value_const(v) || c->map[nashc_value_id(v)] ||
                (nashc_value_def(v) && set_of(c, nashc_value_def(v)) == k))
                continue;
            nashc_value *x = nashc_graph_add_input(f, nashc_value_name(v), nashc_value_type(v));
            if (!x)
                return -1;
            c->map[nashc_value_id(v)] = x;
            args[count++] = v;
        }
    return count;
}

/* The call in place of set k; its results take over names and readers. */
static nashc_status
link_call(cut *c, int k, nashc_value *const *args, int n_args, nashc_value **outs, int n_outs)
{
    nashc_build *b = nashc_run_build(c->p->r, c->p->g);
    const char *attrs = graft_call(c->p->a, c->p->name[k]);
    const char **name = NASHC_NEW_N(c->p->a, const char *, n_outs + 1);

    if (!b || !attrs || !name)
        return nashc_enomem(c->p->d);
    nashc_build_before(b, c->head[k]);
    nashc_node *call = nashc_build_node(b, "call", args, n_args, n_outs, "%s", attrs);
    if (!call)
        return nashc_build_status(b);
    for (int i = 0; i < n_outs; i++) {
        name[i] = nashc_arena_strdup(c->p->a, nashc_value_name(outs[i]));
        nashc_value_replace(outs[i], nashc_node_out(call, i));
    }
    for (nashc_node *n = c->tail[k], *prev; n != call; n = prev) {
        prev = nashc_node_prev(n);
        nashc_node_erase(n, false);
    }
    for (int i = 0; i < n_outs; i++)
        if (name[i])
            nashc_value_set_name(nashc_node_out(call, i), name[i]);
    return NASHC_OK;
}

static nashc_status
make_graph(cut *c, int k)
{
    nashc_graph *f = nashc_module_add_graph(nashc_graph_module(c->p->g), c->p->name[k]);
    graft t = {.a = c->p->a, .prefix = c->p->name[k], .map = c->map};
    int n_slots = 1, n_args, n_outs = 0;

    if (!f)
        return nashc_error(c->p->d, NULL, "partition: the module has a graph @%s already",
                           nashc_quote(c->p->d, c->p->name[k]));
    for (nashc_node *n = c->head[k]; n; n = c->next[nashc_node_id(n)])
        n_slots += nashc_node_n_in(n) + nashc_node_n_out(n);
    nashc_value **args = NASHC_NEW_N(c->p->a, nashc_value *, n_slots);
    nashc_value **outs = NASHC_NEW_N(c->p->a, nashc_value *, n_slots);
    t.b = nashc_run_build(c->p->r, f);
    if (!args || !outs || !t.b || (n_args = add_inputs(c, k, f, args)) < 0)
        return nashc_enomem(c->p->d);
    for (nashc_node *n = c->head[k]; n; n = c->next[nashc_node_id(n)]) {
        if (!graft_node(&t, n))
            return nashc_build_status(t.b) ? nashc_build_status(t.b) : nashc_enomem(c->p->d);
        for (int i = 0; i < nashc_node_n_out(n); i++) {
            nashc_value *v = nashc_node_out(n, i);
            if (!c->read[nashc_value_id(v)])
                continue;
            nashc_graph_add_output(f, NULL, c->map[nashc_value_id(v)]);
            outs[n_outs++] = v;
        }
    }
    for (nashc_node *n = c->head[k]; n; n = c->next[nashc_node_id(n)]) /* for the next one */
        for (int i = 0; i < nashc_node_n_in(n); i++)
            if (nashc_node_in(n, i))
                c->map[nashc_value_id(nashc_node_in(n, i))] = NULL;
    if (n_outs)
        return link_call(c, k, args, n_args, outs, n_outs);
    nashc_node_error(c->p->d, c->head[k],
                     "partition @%s: nothing outside reads a result of its nodes",
                     nashc_quote(c->p->d, c->p->name[k]));
    nashc_help(c->p->d, "remove-unused-nodes drops what no output needs");
    return NASHC_EINPUT;
}

nashc_status
parts_cut(parts *p)
{
    cut c = {.p = p};
    nashc_status s;

    c.head = NASHC_NEW_N(p->a, nashc_node *, p->n + 1);
    c.tail = NASHC_NEW_N(p->a, nashc_node *, p->n + 1);
    c.order = NASHC_NEW_N(p->a, int, p->n + 1);
    c.next = NASHC_NEW_N(p->a, nashc_node *, p->n_ids);
    c.state = NASHC_NEW_N(p->a, uint8_t, p->n_ids);
    c.read = NASHC_NEW_N(p->a, bool, p->n_ids);
    c.map = NASHC_NEW_N(p->a, nashc_value *, p->n_ids);
    c.stack = NASHC_NEW_N(p->a, frame, nashc_graph_n_nodes(p->g) + 1);
    if (!c.head || !c.tail || !c.order || !c.next || !c.state || !c.read || !c.map || !c.stack)
        return nashc_enomem(p->d);
    if ((s = arrange(&c)) != NASHC_OK)
        return s;
    for (int i = 0; i < c.n_order && s == NASHC_OK; i++) {
        if (!nashc_run_edit(p->r, "partition", c.head[c.order[i]]))
            break;
        s = make_graph(&c, c.order[i]);
        nashc_stat(p->r, 0, 1);
    }
    return s;
}
