/* graft_graphs.c: called graphs on their way into another module. */
#include "graft.h"

typedef struct move {
    nashc_run *r;
    nashc_diag *d;
    nashc_arena *a;
    nashc_module *from, *to;
    const char *prefix;
    const char **pair; /* name there, name here */
    int n, n_pairs;
    bool *called, *done; /* by place in `from` */
} move;

static int
place_of(const move *z, const nashc_graph *g)
{
    int i = 0;

    while (i < z->n && nashc_module_graph_at(z->from, i) != g)
        i++;
    return i;
}

static nashc_status
failure(const move *z, const nashc_build *b)
{
    return b && nashc_build_status(b) ? nashc_build_status(b) : nashc_enomem(z->d);
}

static nashc_status
copy_graph(move *z, const nashc_graph *from, nashc_graph *to)
{
    graft t = {.b = nashc_run_build(z->r, to), .a = z->a, .prefix = z->prefix};

    t.graphs = z->pair;
    t.map = NASHC_NEW_N(z->a, nashc_value *, nashc_graph_max_id(from) + 1);
    if (!t.b || !t.map)
        return nashc_enomem(z->d);
    for (int i = 0; i < nashc_graph_n_inputs(from); i++) {
        const nashc_value *v = nashc_graph_input(from, i);
        t.map[nashc_value_id(v)] =
            nashc_graph_add_input(to, nashc_value_name(v), nashc_value_type(v));
    }
    NASHC_EACH_NODE(from, n)
    {
        if (!graft_node(&t, n))
            return failure(z, t.b);
    }
    for (int i = 0; i < nashc_graph_n_outputs(from); i++) {
        nashc_value *v = graft_value(&t, nashc_graph_output(from, i));
        if (!v)
            return failure(z, t.b);
        nashc_graph_add_output(to, nashc_graph_output_name(from, i), v);
    }
    return NASHC_OK;
}

/* Marks what g calls; true: there was something new. */
static bool
mark_called(move *z, const nashc_graph *g)
{
    bool grown = false;

    NASHC_EACH_NODE(g, n)
    {
        const nashc_graph *to = graft_callee(n);
        int i = to ? place_of(z, to) : z->n;
        grown = grown || (i < z->n && !z->called[i]);
        z->called[i] = true;
    }
    return grown;
}

static bool
ready(const move *z, int i)
{
    bool all = z->called[i] && !z->done[i];

    NASHC_EACH_NODE(nashc_module_graph_at(z->from, i), n)
    {
        const nashc_graph *to = all ? graft_callee(n) : NULL;
        all = all && (!to || z->done[place_of(z, to)]);
    }
    return all;
}

static nashc_status
bring(move *z, int i)
{
    const nashc_graph *from = nashc_module_graph_at(z->from, i);
    const char *name = nashc_graph_name(from), *text = name;

    for (int k = 1; text && nashc_module_graph(z->to, text); k++)
        text = k == 1 ? nashc_arena_printf(z->a, "%s.%s", z->prefix, name)
                      : nashc_arena_printf(z->a, "%s.%s_%d", z->prefix, name, k);
    nashc_graph *to = text ? nashc_module_add_graph(z->to, text) : NULL;
    if (!to)
        return nashc_enomem(z->d);
    z->pair[2 * z->n_pairs] = name;
    z->pair[2 * z->n_pairs++ + 1] = text;
    z->done[i] = true;
    return copy_graph(z, from, to);
}

nashc_status
graft_graphs(nashc_run *r, const nashc_graph *from, nashc_module *m, const char *prefix,
             const char *const **pairs)
{
    move z = {.r = r, .d = nashc_run_diag(r), .a = nashc_run_arena(r), .to = m, .prefix = prefix};
    nashc_status s = NASHC_OK;

    z.from = nashc_graph_module(from);
    z.n = nashc_module_n_graphs(z.from);
    z.pair = NASHC_NEW_N(z.a, const char *, 2 * z.n + 2);
    z.called = NASHC_NEW_N(z.a, bool, z.n + 1);
    z.done = NASHC_NEW_N(z.a, bool, z.n + 1);
    if (!z.pair || !z.called || !z.done)
        return nashc_enomem(z.d);
    for (bool grown = mark_called(&z, from); grown;) { /* calls nest at most 16 deep */
        grown = false;
        for (int i = 0; i < z.n; i++)
            if (z.called[i] && mark_called(&z, nashc_module_graph_at(z.from, i)))
                grown = true;
    }
    for (bool grown = true; grown && s == NASHC_OK;) { /* callees first */
        grown = false;
        for (int i = 0; i < z.n && s == NASHC_OK; i++)
            if (ready(&z, i)) {
                s = bring(&z, i);
                grown = true;
            }
    }
    *pairs = z.pair;
    return s;
}
