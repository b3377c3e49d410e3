/* group.c: groups of values that can only lose the same channels.
 *
 *     layer -> a -- thresholds -> b -- add -> d -- flatten -> e -> layer        {a, b, c, d, e}
 *                   layer -> c ------/
 *
 * A group begins at what layers write and ends at what layers read: only there channels can be
 * cut. It is closed if it also reaches inputs, outputs or an op that channels cannot be followed
 * through.
 */
#include "channels.h"

void *
ch_alloc(ch_state *S, size_t size)
{
    void *p = nashc_arena_alloc(S->a, size ? size : 1);

    S->failed = S->failed || !p;
    return p;
}

static int
root(const ch_state *S, int g)
{
    while (S->groups[g].parent != g) { /* halving the path */
        S->groups[g].parent = S->groups[S->groups[g].parent].parent;
        g = S->groups[g].parent;
    }
    return g;
}

ch_group *
ch_group_of(const ch_state *S, const nashc_value *v)
{
    int g = v && (int64_t)nashc_value_id(v) < S->n_values ? S->group[nashc_value_id(v)] : -1;

    return g < 0 ? NULL : &S->groups[root(S, g)];
}

/* A new group for v, if it is followed; why: it is closed. */
static void
open_group(ch_state *S, const nashc_value *v, const char *why)
{
    const nashc_type *t = nashc_value_type(v);

    if (!ch_followed(t) || nashc_value_const(v))
        return;
    S->groups[S->n_groups] =
        (ch_group){.parent = S->n_groups, .layer = -1, .n = nashc_type_channels(t), .why = why};
    S->per[nashc_value_id(v)] = 1;
    S->group[nashc_value_id(v)] = S->n_groups++;
}

static void
close_group(const ch_state *S, const nashc_value *v, const char *why)
{
    ch_group *G = ch_group_of(S, v);

    if (G && !G->why)
        G->why = why;
}

static const char *
named(ch_state *S, const nashc_node *n, const char *what)
{
    const char *text = nashc_arena_printf(S->a, "%s %s", nashc_node_opname(n), what);

    S->failed = S->failed || !text;
    return text ? text : what;
}

/* v joins the group of x; a feature of v is one of x's over k. */
static void
join(ch_state *S, const nashc_node *n, const nashc_value *v, const nashc_value *x, int64_t k)
{
    uint32_t to = nashc_value_id(v), from = nashc_value_id(x);
    ch_group *G = ch_group_of(S, x), *H = ch_group_of(S, v);
    int64_t per = S->per[from] * k;

    if (!H) {
        S->group[to] = S->group[from];
        S->per[to] = per;
    } else if (G->n != H->n || S->per[to] != per) {
        const char *why = named(S, n, "joins them with others that are flattened differently");
        close_group(S, x, why);
        close_group(S, v, why);
    } else if (G != H) {
        int g = (int)(G - S->groups), h = (int)(H - S->groups);
        S->groups[g > h ? g : h].parent = g > h ? h : g;
        ch_group *one = &S->groups[g > h ? h : g];
        one->why = G->why ? G->why : H->why;
    }
}

static void
place(ch_state *S, const nashc_node *n)
{
    ch_kind kind = ch_kind_of(n);
    int64_t k = 1;

    if (kind == CH_RESHAPE) { /* the features of features that take turns do not follow f / k */
        const nashc_value *x = nashc_node_in(n, 0), *y = nashc_node_out(n, 0);
        int64_t channels = nashc_type_channels(nashc_value_type(x));
        ch_block(n, &k);
        if (S->per[nashc_value_id(x)] != 1 &&
            nashc_type_channels(nashc_value_type(y)) != channels * k)
            kind = CH_OTHER;
    }
    if (kind == CH_OTHER || kind == CH_DENSE)
        for (int i = 0; i < nashc_node_n_out(n); i++)
            open_group(S, nashc_node_out(n, i),
                       kind == CH_DENSE
                           ? NULL
                           : named(S, n, "makes them, and channels are not followed through it"));
    for (int i = 0; i < nashc_node_n_in(n); i++) {
        const nashc_value *x = nashc_node_in(n, i);
        if (!x || nashc_value_const(x) || kind == CH_DENSE)
            continue;
        if (kind == CH_OTHER)
            close_group(S, x, named(S, n, "reads them, and channels are not followed through it"));
        else
            join(S, n, nashc_node_out(n, 0), x, k);
    }
}

/* Which layers read each group, and where its first stuck channels are. */
static void
note(ch_state *S, nashc_node *n)
{
    if (ch_kind_of(n) == CH_DENSE) {
        ch_group *G = ch_group_of(S, nashc_node_in(n, 0));
        S->reads[S->n_reads] = (ch_read){n, G->layer};
        G->layer = S->n_reads++;
    }
    for (int i = 0; i < nashc_node_n_out(n); i++) {
        const nashc_value *v = nashc_node_out(n, i);
        const ch_range *r = S->range[nashc_value_id(v)];
        ch_group *G = ch_group_of(S, v);
        int64_t stuck = 0;
        if (!G || G->v)
            continue;
        for (int64_t c = 0; c < nashc_type_channels(nashc_value_type(v)); c++)
            stuck += r[c].lo == r[c].hi;
        G->v = stuck ? v : NULL;
        G->n_stuck = stuck;
    }
}

/* Tables and requants accept an interval only, calls that of the parameter; and what is computed
 * from a wider interval has a wider one. */
static void
find_tight(ch_state *S)
{
    S->tight = CH_NEW(S, uint8_t, S->n_values);
    for (nashc_node *n = nashc_graph_last(S->g); n && !S->failed; n = nashc_node_prev(n)) {
        bool tight =
            nashc_node_is(n, "q.lut") || nashc_node_is(n, "q.requant") || nashc_node_is(n, "call");
        for (int i = 0; i < nashc_node_n_out(n) && !nashc_node_is(n, "q.multithreshold"); i++)
            tight = tight || S->tight[nashc_value_id(nashc_node_out(n, i))];
        for (int i = 0; tight && i < nashc_node_n_in(n); i++)
            if (nashc_node_in(n, i))
                S->tight[nashc_value_id(nashc_node_in(n, i))] = 1;
    }
}

void
ch_find_groups(ch_state *S)
{
    find_tight(S);
    S->group = CH_NEW(S, int, S->n_values);
    S->per = CH_NEW(S, int64_t, S->n_values);
    S->groups = CH_NEW(S, ch_group, S->n_values);
    S->reads = CH_NEW(S, ch_read, S->n_values);
    for (int64_t i = 0; i < S->n_values && !S->failed; i++)
        S->group[i] = -1;
    for (int i = 0; i < nashc_graph_n_inputs(S->g) && !S->failed; i++)
        open_group(S, nashc_graph_input(S->g, i), "they come from an input of the graph");
    NASHC_EACH_NODE(S->g, n)
    if (!S->failed)
        place(S, n);
    for (int i = 0; i < nashc_graph_n_outputs(S->g) && !S->failed; i++)
        close_group(S, nashc_graph_output(S->g, i), "they are an output of the graph");
    NASHC_EACH_NODE(S->g, m)
    if (!S->failed)
        note(S, m);
}

const uint8_t *
ch_gone(ch_state *S, const nashc_value *v)
{
    const ch_group *G = ch_group_of(S, v);

    if (!G || !G->gone)
        return NULL;
    int64_t per = S->per[nashc_value_id(v)], n = nashc_type_channels(nashc_value_type(v));
    if (per == 1 && n == G->n)
        return G->gone;
    uint8_t *wide = CH_NEW(S, uint8_t, n);
    for (int64_t f = 0; wide && f < n; f++)
        wide[f] = G->gone[f / per % G->n];
    return wide;
}
