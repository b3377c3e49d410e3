/* to_hw.c: split the integer graph into host prefix, graph of hardware layers, and host tail.
 *
 *     @main:  x -- float chain, quantiser (codes) -- call @dataflow -- scale, softmax -- y
 *     @dataflow:  hw.* layers only, every stream read once
 *
 * What becomes a layer say the lowering rules (nashc/lower.h), who runs what says split.c. A node
 * that neither end may run is reported with the first precondition that it misses. Streams with
 * several readers get a hw.duplicate_streams.
 */
#include "split.h"
#include <nashc/flow.h>

typedef struct lowering {
    nashc_run *r;
    nashc_graph *g; /* the integer graph */
    nashc_arena *a;
    nashc_diag *d;
    split split;
    nashc_value **in;  /* values that enter the layers, and that leave them */
    nashc_value **out; /* of the integer graph */
    int n_in, n_out;
} lowering;

static bool
turns_float(const nashc_value *v, nashc_arena *a)
{
    int n_users;
    nashc_node **users = nashc_value_users(v, a, &n_users);

    for (int i = 0; users && i < n_users; i++)
        if (nashc_node_n_out(users[i]) > 0 && /* an operator of another domain may have none */
            !nashc_type_is_int(nashc_value_type(nashc_node_out(users[i], 0))))
            return true;
    return false;
}

/* Where there is no layer at all, the integers that become floats or leave pass through hardware:
 * behind each goes an identity that counts as one. */
static nashc_status
pass_through(lowering *s)
{
    nashc_build *b = nashc_run_build(s->r, s->g);

    for (nashc_node *n = nashc_graph_first(s->g), *next; n; n = next) {
        next = nashc_node_next(n);
        if (nashc_node_n_out(n) == 0)
            continue;
        nashc_value *v = nashc_node_out(n, 0);
        bool leaves = nashc_value_is_output(v);
        if (!nashc_type_is_int(nashc_value_type(v)) || !(leaves || turns_float(v, s->a)))
            continue;
        nashc_build_before(b, next);
        nashc_build_loc(b, nashc_node_loc(n));
        nashc_value *w = nashc_build_op(b, "nn.identity", &v, 1, NULL);
        if (!w)
            return nashc_build_status(b);
        const char *name = leaves ? nashc_arena_strdup(s->a, nashc_value_name(v)) : NULL;
        nashc_value_replace(v, w);
        nashc_node_set_in(nashc_value_def(w), 0, v);
        if (name)
            nashc_value_set_name(w, name);
    }
    return NASHC_OK;
}

/* Are all results known without the inputs? */
static bool
gives_constants(const nashc_graph *g)
{
    for (int i = 0; i < nashc_graph_n_outputs(g); i++)
        if (nashc_value_def(nashc_graph_output(g, i)) ||
            !nashc_value_const(nashc_graph_output(g, i)))
            return false;
    return nashc_graph_n_outputs(g) > 0;
}

static nashc_status
report(lowering *s)
{
    nashc_status st = NASHC_OK;

    NASHC_EACH_NODE(s->g, n)
    {
        const char *why = split_fault(&s->split, n);
        if (!why)
            continue;
        st = nashc_node_unsup(s->d, n, "no hardware layer: %s", why);
        split_note_operands(n, s->d);
        nashc_help(s->d, "between the first and the last layer every operator needs a layer; see "
                         "`nashc opt MODEL -passes=streamline -o -`");
    }
    if (st == NASHC_OK && s->split.n_layers == 0) {
        bool constant = gives_constants(s->g);
        st = nashc_error(s->d, NULL,
                         constant ? "every result of graph @%s is a constant: no input changes it"
                                  : "graph @%s holds nothing that hardware could do",
                         nashc_graph_name(s->g));
        nashc_help(s->d, "%s",
                   constant ? "a quantiser on the way gives one code for all that it meets: its "
                              "scale does not suit the values"
                            : "hardware starts at an integer tensor: a quantised activation, or "
                              "an input typed by --input-datatype");
    }
    return st;
}

static void
add_once(nashc_value **list, int *n, nashc_value *v)
{
    for (int i = 0; i < *n; i++)
        if (list[i] == v)
            return;
    list[(*n)++] = v;
}

static nashc_status
borders(lowering *s)
{
    int slots = nashc_graph_n_outputs(s->g) + 1;

    NASHC_EACH_NODE(s->g, n)
    {
        slots += nashc_node_n_in(n);
    }
    s->in = NASHC_NEW_N(s->a, nashc_value *, slots);
    s->out = NASHC_NEW_N(s->a, nashc_value *, slots);
    if (!s->in || !s->out)
        return nashc_enomem(s->d);
    NASHC_EACH_NODE(s->g, n)
    {
        bool layer = s->split.where[nashc_node_id(n)] == SPLIT_LAYER;
        for (int i = 0; i < nashc_node_n_in(n); i++) {
            nashc_value *v = nashc_node_in(n, i);
            if (!v || nashc_value_const(v))
                continue;
            if (layer && split_of(&s->split, v) != SPLIT_LAYER)
                add_once(s->in, &s->n_in, v);
            if (!layer && split_of(&s->split, v) == SPLIT_LAYER)
                add_once(s->out, &s->n_out, v);
        }
    }
    for (int i = 0; i < nashc_graph_n_outputs(s->g); i++)
        if (split_of(&s->split, nashc_graph_output(s->g, i)) == SPLIT_LAYER)
            add_once(s->out, &s->n_out, nashc_graph_output(s->g, i));
    return NASHC_OK;
}

/* Rows of the innermost dimension where that holds the channels, else one flat row. */
static nashc_type
stream_type(const nashc_type *t)
{
    int64_t count = nashc_type_count(t);
    int axis = nashc_type_channel_axis(t);
    bool last = t->rank <= 2 || axis == t->rank - 1;
    int64_t channels = t->rank == 0 ? 1 : last ? t->dim[t->rank - 1] : count;
    nashc_type m = nashc_type_shaped(*t, 2, (int64_t[]){count / channels, channels});

    m.layout = NASHC_LAYOUT_DEFAULT;
    return m;
}

static nashc_status
build_layers(lowering *s, nashc_graph *f)
{
    nashc_lower *l = nashc_lower_create(s->r, s->g, f);

    if (!l)
        return NASHC_ENOMEM;
    for (int i = 0; i < s->n_in; i++) {
        nashc_type t = stream_type(nashc_value_type(s->in[i]));
        nashc_lower_set_stream(l, s->in[i],
                               nashc_graph_add_input(f, nashc_value_name(s->in[i]), &t));
    }
    NASHC_EACH_NODE(s->g, n)
    {
        if (s->split.where[nashc_node_id(n)] != SPLIT_LAYER || nashc_lower_absorbed(l, n))
            continue;
        nashc_status st = nashc_lower_convert(l, n);
        if (st != NASHC_OK)
            return st;
        nashc_stat(s->r, 0, 1);
    }
    for (int i = 0; i < s->n_out; i++) {
        nashc_value *v = nashc_lower_stream(l, s->out[i]);
        if (!nashc_value_def(v)) /* a stream needs a layer at one end */
            v = nashc_lower_op(l, "hw.fifo", &v, 1, "depth=2");
        if (!v)
            break;
        nashc_graph_add_output(f, nashc_value_name(s->out[i]), v);
    }
    return nashc_lower_status(l);
}

/* One copy of v for each operand slot and output slot that reads it. */
static nashc_status
duplicate(nashc_build *b, nashc_graph *f, nashc_value *v, nashc_arena *a, nashc_node *def)
{
    int uses = nashc_value_n_uses(v), n_users, k = 0;
    nashc_node **users = nashc_value_users(v, a, &n_users);

    if (uses < 2)
        return NASHC_OK;
    nashc_build_before(b, def ? nashc_node_next(def) : nashc_graph_first(f));
    nashc_node *dup = nashc_build_node(b, "hw.duplicate_streams", &v, 1, uses, NULL);
    if (!dup)
        return nashc_build_status(b);
    for (int u = 0; u < n_users; u++)
        for (int i = 0; i < nashc_node_n_in(users[u]); i++)
            if (nashc_node_in(users[u], i) == v)
                nashc_node_set_in(users[u], i, nashc_node_out(dup, k++));
    for (int i = 0; i < nashc_graph_n_outputs(f); i++)
        if (nashc_graph_output(f, i) == v)
            nashc_graph_set_output(f, i, nashc_node_out(dup, k++));
    return NASHC_OK;
}

static nashc_status
duplicate_all(lowering *s, nashc_graph *f)
{
    nashc_build *b = nashc_run_build(s->r, f);
    nashc_status st = NASHC_OK;

    for (int i = 0; i < nashc_graph_n_inputs(f) && st == NASHC_OK; i++)
        st = duplicate(b, f, nashc_graph_input(f, i), s->a, NULL);
    NASHC_EACH_NODE(f, n)
    {
        if (nashc_node_is(n, "hw.duplicate_streams"))
            continue;
        for (int i = 0; i < nashc_node_n_out(n) && st == NASHC_OK; i++)
            st = duplicate(b, f, nashc_node_out(n, i), s->a, n);
    }
    return st;
}

static nashc_value *
reshaped(nashc_build *b, nashc_value *v, const nashc_type *want)
{
    static const char *const layout[] = {"DEFAULT", "NHWC", "NWC"};
    const nashc_type *t = nashc_value_type(v);
    bool same = t->rank == want->rank && t->layout == want->layout;

    for (int i = 0; same && i < t->rank; i++)
        same = t->dim[i] == want->dim[i];
    return same ? v
                : nashc_build_op(b, "nn.reshape", &v, 1, "shape=%s layout=%s",
                                 nashc_build_ints(b, want->dim, want->rank), layout[want->layout]);
}

/* The call in the place of the layers, the tail behind it. */
static nashc_status
link_main(lowering *s, nashc_graph *f)
{
    nashc_build *b = nashc_run_build(s->r, s->g);
    nashc_value **args = NASHC_NEW_N(s->a, nashc_value *, s->n_in + 1);
    const char **names = NASHC_NEW_N(s->a, const char *, s->n_out + 1);
    nashc_node *first = NULL, *end = nashc_graph_last(s->g);

    if (!args || !names)
        return nashc_enomem(s->d);
    for (nashc_node *n = nashc_graph_first(s->g), *next; n; n = next) {
        next = n == end ? NULL : nashc_node_next(n);
        if (s->split.where[nashc_node_id(n)] == SPLIT_PREFIX)
            continue;
        nashc_node_move(n, NULL); /* behind all of the prefix, order kept */
        first = first ? first : n;
    }
    nashc_build_before(b, first);
    for (int i = 0; i < s->n_in; i++)
        args[i] = reshaped(b, s->in[i], nashc_value_type(nashc_graph_input(f, i)));
    nashc_node *call =
        nashc_build_node(b, "call", args, s->n_in, s->n_out, "graph=@%s", nashc_graph_name(f));
    if (!call)
        return nashc_build_status(b);
    for (int i = 0; i < s->n_out; i++) {
        nashc_value *v = reshaped(b, nashc_node_out(call, i), nashc_value_type(s->out[i]));
        if (!v)
            return nashc_build_status(b);
        names[i] = nashc_arena_strdup(s->a, nashc_value_name(s->out[i]));
        nashc_value_replace(s->out[i], v);
        s->out[i] = v;
    }
    nashc_graph_remove_dead(s->g);
    for (int i = 0; i < s->n_out; i++)
        nashc_value_set_name(s->out[i], names[i]);
    return nashc_graph_infer(s->g, s->d);
}

static nashc_status
place_all(lowering *s)
{
    nashc_status st = NASHC_OK;

    if (!split_graph(&s->split, s->g, false, s->a))
        return nashc_enomem(s->d);
    if (s->split.n_layers > 0 || (st = pass_through(s)) != NASHC_OK)
        return st;
    return split_graph(&s->split, s->g, true, s->a) ? NASHC_OK : nashc_enomem(s->d);
}

static nashc_status
run(nashc_run *r, nashc_graph *g)
{
    lowering s = {.r = r, .g = g, .a = nashc_run_arena(r), .d = nashc_run_diag(r)};
    nashc_status st = place_all(&s);

    if (st != NASHC_OK)
        return st;
    if ((st = report(&s)) != NASHC_OK || (st = borders(&s)) != NASHC_OK)
        return st;
    if (s.n_in == 0 || s.n_out == 0)
        return nashc_error(s.d, NULL, "no output of graph @%s depends on the layers' input",
                           nashc_graph_name(g));
    nashc_graph *f = nashc_module_add_graph(nashc_graph_module(g), "dataflow");
    if (!f)
        return nashc_error(s.d, NULL, "the module has a graph @dataflow already");
    if ((st = build_layers(&s, f)) != NASHC_OK)
        return st;
    nashc_graph_remove_dead(f);
    if ((st = duplicate_all(&s, f)) != NASHC_OK || (st = link_main(&s, f)) != NASHC_OK)
        return st;
    return nashc_flow_check(f, false, s.d);
}

const nashc_pass nashc_pass_to_hw = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_MODULE,
    .name = "to-hw",
    .alias = "ConvertToHWLayers|CreateDataflowPartition",
    .help = "turn the integer graph into hardware layers, with float ends left to the host",
    .stats = (const char *const[]){"layers", NULL},
    .needs = "static-shapes",
    .gives = "hw-only",
    .run = run,
};
