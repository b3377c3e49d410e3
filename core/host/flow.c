/* flow.c: names and streams of a graph of hw.* layers. */
#include <ctype.h>
#include <nashc/flow.h>
#include <string.h>

/* The first graph of nothing but layers: @dataflow of a compiled model, or a file that is such a
 * graph alone. */
nashc_graph *
nashc_flow_graph(const nashc_module *m, nashc_diag *d)
{
    for (int i = 0; i < nashc_module_n_graphs(m); i++) {
        nashc_graph *g = nashc_module_graph_at(m, i);
        bool all = nashc_graph_n_nodes(g) > 0;
        NASHC_EACH_NODE(g, n)
        {
            all = all && nashc_node_op(n)->hw;
        }
        if (all)
            return g;
    }
    nashc_error(d, NULL, "the module holds no graph of hardware layers");
    nashc_help(d, "`nashc compile` makes one; a pipeline of your own needs to-hw, set-folding, "
                  "insert-dwc and insert-fifo");
    return NULL;
}

/* Names as FINN writes them, since folding files and people go by these; a layer of a plugin gets
 * one made from its op. */
const char *
nashc_flow_kind(const nashc_node *n, nashc_arena *a)
{
    const nashc_hw *hw = nashc_node_op(n)->hw;
    const char *kind;

    if (!hw)
        return NULL;
    if (NASHC_HAS(hw, layer_kind) && hw->layer_kind && (kind = hw->layer_kind(n)))
        return kind;
    /* "hw.swg_line" -> "SwgLine_rtl" */
    const char *name = strchr(nashc_node_opname(n), '.');
    name = name ? name + 1 : nashc_node_opname(n);
    char *s = nashc_arena_alloc(a, strlen(name) + 5), *p = s;
    if (!s)
        return NULL;
    bool upper = true;
    for (; *name; name++) {
        if (isalnum((unsigned char)*name))
            *p++ = (char)(upper ? toupper((unsigned char)*name) : *name);
        upper = !isalnum((unsigned char)*name);
    }
    strcpy(p, "_rtl");
    return s;
}

/* KIND_0, KIND_1 .. in graph order: the same names in folding files, reports, Verilog instances and
 * stalls. By node id; O(layers * kinds). */
const char *const *
nashc_flow_names(const nashc_graph *g, nashc_arena *a)
{
    const char **names = NASHC_NEW_N(a, const char *, nashc_graph_max_id(g) + 1);
    struct kind {
        const char *name;
        int n;
    } *kinds = NASHC_NEW_N(a, struct kind, nashc_graph_n_nodes(g) + 1);
    int n_kinds = 0;

    if (!names || !kinds)
        return NULL;
    NASHC_EACH_NODE(g, n)
    {
        const char *kind = nashc_flow_kind(n, a);
        int k = 0;
        if (!kind)
            continue;
        while (k < n_kinds && strcmp(kinds[k].name, kind) != 0)
            k++;
        if (k == n_kinds)
            kinds[n_kinds++].name = kind;
        names[nashc_node_id(n)] = nashc_arena_printf(a, "%s_%d", kind, kinds[k].n++);
    }
    return names;
}

/* Which dynamic operand of n, from 0, is operand i? Constants are no streams. */
static int
stream_index(const nashc_node *n, int i)
{
    int k = 0;

    for (int j = 0; j < i; j++)
        k += nashc_node_in(n, j) && !nashc_value_const(nashc_node_in(n, j));
    return k;
}

/* The arrays of the caller hold NASHC_FLOW_PORTS streams each, so the number is checked before the
 * layer fills them. */
static nashc_status
node_streams(const nashc_node *n, nashc_stream *in, nashc_stream *out, nashc_diag *d)
{
    const nashc_hw *hw = nashc_node_op(n)->hw;

    if (!hw || !hw->streams)
        return nashc_node_error(d, n, "this operator is no hardware layer");
    if (nashc_node_n_in(n) > NASHC_FLOW_PORTS || nashc_node_n_out(n) > NASHC_FLOW_PORTS)
        return nashc_node_error(d, n, "more than %d streams", NASHC_FLOW_PORTS);
    return hw->streams(n, in, out, d);
}

/* v as its reader n sees it, which may differ from the writer in lanes before insert-dwc has
 * run. */
static nashc_status
read_stream(const nashc_node *n, const nashc_value *v, nashc_stream *out, nashc_diag *d)
{
    nashc_stream in[NASHC_FLOW_PORTS], res[NASHC_FLOW_PORTS];
    nashc_status s = node_streams(n, in, res, d);

    if (s != NASHC_OK)
        return s;
    for (int i = 0; i < nashc_node_n_in(n); i++)
        if (nashc_node_in(n, i) == v) {
            *out = in[stream_index(n, i)];
            return NASHC_OK;
        }
    return nashc_bug(d, nashc_node_loc(n), "value %%%s is not read here", nashc_value_name(v));
}

/* As the writer of v sees it; an input of the graph as its reader. */
nashc_status
nashc_flow_stream(const nashc_value *v, nashc_stream *out, nashc_diag *d)
{
    nashc_stream in[NASHC_FLOW_PORTS], res[NASHC_FLOW_PORTS];
    nashc_node *n = nashc_value_def(v);
    nashc_status s;

    if (n) {
        if ((s = node_streams(n, in, res, d)) == NASHC_OK)
            *out = res[nashc_value_def_index(v)];
        return s;
    }
    n = nashc_value_one_user(v);
    if (!n)
        return nashc_error(d, NULL, "stream %%%s has no layer at either end", nashc_value_name(v));
    return read_stream(n, v, out, d);
}

/* A stream has one writer and one reader: handshakes do not fork. Bits and elements must agree
 * always, lanes once converters are in. */
static nashc_status
check_value(const nashc_value *v, bool lanes, nashc_diag *d)
{
    nashc_node *reader = nashc_value_one_user(v);
    nashc_stream from, to;
    nashc_status s;

    if (nashc_value_n_uses(v) != 1)
        return nashc_error(d, nashc_value_def(v) ? nashc_node_loc(nashc_value_def(v)) : NULL,
                           "stream %%%s has %d readers, expected one", nashc_value_name(v),
                           nashc_value_n_uses(v));
    if ((s = nashc_flow_stream(v, &from, d)) != NASHC_OK || !reader)
        return s;
    if ((s = read_stream(reader, v, &to, d)) != NASHC_OK)
        return s;
    if (from.elem.bits != to.elem.bits || from.lanes * from.beats != to.lanes * to.beats)
        return nashc_node_error(d, reader, "the ends of stream %%%s differ in element or count",
                                nashc_value_name(v));
    if (lanes && from.lanes != to.lanes) {
        s = nashc_node_error(
            d, reader, "stream %%%s carries %" PRId64 " elements a beat, but %" PRId64 " are read",
            nashc_value_name(v), from.lanes, to.lanes);
        if (d)
            nashc_help(d, "run the pass insert-dwc");
        return s;
    }
    return NASHC_OK;
}

nashc_status
nashc_flow_check(const nashc_graph *g, bool lanes, nashc_diag *d)
{
    nashc_status s = NASHC_OK;

    for (int i = 0; i < nashc_graph_n_inputs(g) && s == NASHC_OK; i++)
        s = check_value(nashc_graph_input(g, i), lanes, d);
    NASHC_EACH_NODE(g, n)
    {
        if (s != NASHC_OK)
            break;
        if (!nashc_node_op(n)->hw)
            s = nashc_node_error(d, n, "this operator is no hardware layer");
        for (int i = 0; i < nashc_node_n_out(n) && s == NASHC_OK; i++)
            s = check_value(nashc_node_out(n, i), lanes, d);
    }
    return s;
}

double
nashc_flow_interval(const nashc_flow_result *r)
{
    return r->period ? (double)r->cycles / (double)r->period : (double)r->cycles;
}
