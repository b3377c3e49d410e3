/* extend_partition.c: the nodes of called graphs in place of their calls.
 *
 *     a -- call @part -- b          @part:  x -- p -- q -- output
 *     ==>  a -- p -- q -- b
 *
 * Nested calls too; a graph that is called twice is there twice. Results keep the names that the
 * call gave them. Graphs of hardware layers stay, unless they are named: they are what is written
 * as a design. Terminates: calls nest at most 16 deep, and what comes out is counted first.
 */
#include "graft.h"
#include <inttypes.h>
#include <string.h>

#define MAX_NESTING 16

typedef struct inlining {
    nashc_run *r;
    nashc_module *m;
    nashc_diag *d;
    nashc_arena *a;
    int n;                /* graphs; what follows is by their place in the module */
    bool *open;           /* calls of it are replaced */
    int *times;           /* it has been put into the graph at hand */
    graft_consts *consts; /* of the graph at hand */
    bool stopped;
} inlining;

static int
place_of(const inlining *z, const nashc_graph *g)
{
    int i = 0;

    while (i < z->n && nashc_module_graph_at(z->m, i) != g)
        i++;
    return i;
}

/* The place of the graph that n calls, if it is to be opened; else -1. */
static int
opened(const inlining *z, const nashc_node *n)
{
    const nashc_graph *g = graft_callee(n);
    int i = g ? place_of(z, g) : -1;

    return i >= 0 && z->open[i] ? i : -1;
}

/* --- which, and how much -----------------------------------------------------------------------
 */

static nashc_status
choose_named(inlining *z, const char *list, const bool *called)
{
    const char **known = NASHC_NEW_N(z->a, const char *, z->n + 1);

    if (!known)
        return nashc_enomem(z->d);
    for (int i = 0; i < z->n; i++)
        known[i] = nashc_graph_name(nashc_module_graph_at(z->m, i));
    for (const char *s = list; *s;) {
        s += strspn(s, ", @");
        size_t len = strcspn(s, ", ");
        const char *name = nashc_arena_printf(z->a, "%.*s", (int)len, s);
        const nashc_graph *g = name && len ? nashc_module_graph(z->m, name) : NULL;
        if (!name)
            return nashc_enomem(z->d);
        if (len && (!g || !called[place_of(z, g)])) {
            nashc_error(z->d, NULL,
                        g ? "extend-partition: no node calls graph @%s"
                          : "extend-partition: the module has no graph @%s",
                        nashc_quote(z->d, name));
            const char *near = g ? "" : nashc_nearest(z->d, name, known);
            if (*near)
                nashc_help(z->d, "%s", near);
            return NASHC_EINPUT;
        }
        if (len)
            z->open[place_of(z, g)] = true;
        s += len;
    }
    return NASHC_OK;
}

static nashc_status
choose(inlining *z)
{
    const char *list = nashc_opts_str(nashc_run_opts(z->r), "graphs");
    bool *called = NASHC_NEW_N(z->a, bool, z->n + 1);

    z->open = NASHC_NEW_N(z->a, bool, z->n + 1);
    z->times = NASHC_NEW_N(z->a, int, z->n + 1);
    if (!called || !z->open || !z->times)
        return nashc_enomem(z->d);
    for (int i = 0; i < z->n; i++)
        NASHC_EACH_NODE(nashc_module_graph_at(z->m, i), n)
        {
            const nashc_graph *g = graft_callee(n);
            if (g)
                called[place_of(z, g)] = true;
        }
    if (*list)
        return choose_named(z, list, called);
    for (int i = 0; i < z->n; i++) {
        const nashc_graph *g = nashc_module_graph_at(z->m, i);
        z->open[i] = called[i] && g != nashc_module_main(z->m) && !graft_is_hardware(g);
    }
    return NASHC_OK;
}

/* Counts the nodes that come out, level by level. */
static nashc_status
count(inlining *z)
{
    int64_t *size = NASHC_NEW_N(z->a, int64_t, z->n + 1);
    bool grows = true;

    if (!size)
        return nashc_enomem(z->d);
    for (int level = 0; grows && level <= MAX_NESTING + 1; level++) {
        grows = false;
        for (int i = 0; i < z->n; i++) {
            const nashc_graph *g = nashc_module_graph_at(z->m, i);
            int64_t sum = nashc_graph_n_nodes(g);
            NASHC_EACH_NODE(g, n)
            {
                int k = opened(z, n);
                sum += k < 0 ? 0 : size[k];
                if (sum > NASHC_MAX_NODES)
                    return nashc_unsup(z->d, NULL,
                                       "extend-partition: graph @%s would have more than %d nodes",
                                       nashc_quote(z->d, nashc_graph_name(g)), NASHC_MAX_NODES);
            }
            grows = grows || sum != size[i];
            size[i] = sum;
        }
    }
    return grows ? nashc_error(z->d, NULL,
                               "extend-partition: calls nest more than %d deep, or in a circle",
                               MAX_NESTING)
                 : NASHC_OK;
}

/* --- in place of a call ------------------------------------------------------------------------
 */

/* Results of the call become those of the graph, under the names that they had. */
static nashc_status
hand_over(inlining *z, graft *t, nashc_node *call, const nashc_graph *f)
{
    int n = nashc_node_n_out(call);
    const char **name = NASHC_NEW_N(z->a, const char *, n);
    nashc_value **v = NASHC_NEW_N(z->a, nashc_value *, n);

    for (int i = 0; i < n; i++) {
        if (!name || !v || !(v[i] = graft_value(t, nashc_graph_output(f, i))))
            return nashc_build_status(t->b) ? nashc_build_status(t->b) : nashc_enomem(z->d);
        name[i] = nashc_arena_strdup(z->a, nashc_value_name(nashc_node_out(call, i)));
        nashc_value_replace(nashc_node_out(call, i), v[i]);
    }
    nashc_node_erase(call, false);
    for (int i = n; i-- > 0;) /* one that is two results has the first name */
        if (name[i] && nashc_value_def(nashc_graph_output(f, i)))
            nashc_value_set_name(v[i], name[i]);
    return NASHC_OK;
}

/* *next: the first node that has not been looked at, which may be a call of the graph just put in.
 */
static nashc_status
inline_call(inlining *z, nashc_build *b, nashc_node *call, int which, nashc_node **next)
{
    const nashc_graph *f = nashc_module_graph_at(z->m, which);
    const char *name = nashc_graph_name(f);
    graft t = {.b = b, .a = z->a, .prefix = name, .consts = z->consts};
    nashc_node *first = NULL;
    nashc_status s;

    if (z->times[which]++)
        t.prefix = nashc_arena_printf(z->a, "%s_%d", name, z->times[which]);
    t.map = NASHC_NEW_N(z->a, nashc_value *, nashc_graph_max_id(f) + 1);
    if (!t.map || !t.prefix)
        return nashc_enomem(z->d);
    for (int i = 0; i < nashc_graph_n_inputs(f); i++)
        t.map[nashc_value_id(nashc_graph_input(f, i))] = nashc_node_in(call, i);
    nashc_build_before(b, call);
    NASHC_EACH_NODE(f, n)
    {
        nashc_node *made = graft_node(&t, n);
        if (!made)
            return nashc_build_status(b) ? nashc_build_status(b) : nashc_enomem(z->d);
        first = first ? first : made;
    }
    *next = first ? first : nashc_node_next(call);
    if ((s = hand_over(z, &t, call, f)) == NASHC_OK)
        nashc_stat(z->r, 0, 1);
    return s;
}

static nashc_status
flatten(inlining *z, nashc_graph *g)
{
    nashc_build *b = nashc_run_build(z->r, g);
    nashc_status s = NASHC_OK;
    bool changed = false;

    memset(z->times, 0, (size_t)z->n * sizeof *z->times);
    z->consts = NULL;
    for (nashc_node *n = nashc_graph_first(g), *next; n && s == NASHC_OK; n = next) {
        int which = opened(z, n);
        next = nashc_node_next(n);
        if (which < 0)
            continue;
        if (!nashc_run_edit(z->r, "inline", n)) {
            z->stopped = true;
            break;
        }
        if (!z->consts)
            z->consts = graft_consts_of(g, z->a);
        s = b && z->consts ? inline_call(z, b, n, which, &next) : nashc_enomem(z->d);
        changed = true;
    }
    return changed && s == NASHC_OK ? nashc_graph_infer(g, z->d) : s;
}

static nashc_status
extend(nashc_run *r, nashc_graph *g)
{
    inlining z = {.r = r, .d = nashc_run_diag(r), .a = nashc_run_arena(r)};
    nashc_status s;

    z.m = nashc_graph_module(g);
    z.n = nashc_module_n_graphs(z.m);
    if ((s = choose(&z)) != NASHC_OK || (s = count(&z)) != NASHC_OK)
        return s;
    for (int i = 0; i < z.n && s == NASHC_OK; i++)
        if (!z.open[i])
            s = flatten(&z, nashc_module_graph_at(z.m, i));
    for (int i = z.n; i-- > 0 && s == NASHC_OK && !z.stopped;)
        if (z.open[i])
            nashc_module_remove_graph(z.m, nashc_module_graph_at(z.m, i));
    return s;
}

static const nashc_param extend_options[] = {
    {.name = "graphs",
     .def = "",
     .help = "names of the called graphs; empty: all but those of hardware layers",
     .kind = NASHC_P_STRING},
    {0},
};

const nashc_pass nashc_pass_extend_partition = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_MODULE,
    .name = "extend-partition",
    .alias = "ExtendPartition",
    .help = "put the nodes of called graphs in place of their calls",
    .options = extend_options,
    .stats = (const char *const[]){"calls", NULL},
    .run = extend,
};
