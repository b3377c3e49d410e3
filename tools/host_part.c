/* host_part.c: the float ends of @main as modules of their own, around the call of the layers. */
#include "simulate.h"
#include <string.h>

static nashc_node *
find_call(const nashc_graph *g, const char *graph)
{
    NASHC_EACH_NODE(g, n)
    {
        if (nashc_node_is(n, "call") && strcmp(nashc_node_str(n, "graph"), graph) == 0)
            return n;
    }
    return NULL;
}

/* Outputs: first the operands of the call; all others are turned into copies of operand 0. */
static nashc_status
make_prefix(nashc_module *m, const char *graph, nashc_diag *d)
{
    nashc_graph *g = nashc_module_main(m);
    nashc_node *call = find_call(g, graph);
    int old = nashc_graph_n_outputs(g), n = call ? nashc_node_n_in(call) : 0;

    if (n == 0)
        return nashc_error(d, NULL, "the call has no operand");
    for (int i = 0; i < old; i++)
        nashc_graph_set_output(g, i, nashc_node_in(call, 0));
    for (int i = 0; i < n; i++)
        nashc_graph_add_output(g, nashc_arena_printf(nashc_module_arena(m), "stream%d", i),
                               nashc_node_in(call, i));
    nashc_graph_remove_dead(g);
    return NASHC_OK;
}

/* The inputs of the model stay inputs, as nodes behind the call may read them; results of the call
 * become inputs behind those. */
static nashc_status
make_tail(nashc_module *m, const char *graph, nashc_diag *d)
{
    nashc_graph *g = nashc_module_main(m);
    nashc_node *call = find_call(g, graph);

    for (int i = 0; i < nashc_node_n_out(call); i++) {
        nashc_value *v = nashc_node_out(call, i);
        nashc_value *in = nashc_graph_add_input(g, NULL, nashc_value_type(v));
        if (!in)
            return nashc_enomem(d);
        nashc_value_replace(v, in);
    }
    nashc_node_erase(call, false);
    nashc_graph_remove_dead(g);
    return NASHC_OK;
}

/* Both halves are clones of the whole: what a half does not need is dead code and goes. On failure
 * host_free frees what was made. */
nashc_status
host_split(const nashc_module *m, const char *graph, host_part *out, nashc_diag *d)
{
    const nashc_graph *g = nashc_module_main(m);
    nashc_node *call = g ? find_call(g, graph) : NULL;
    nashc_status s;

    out->layers = nashc_module_graph(m, graph);
    if (!call || !out->layers)
        return nashc_error(d, NULL, "model.nashir has no call of graph @%s", graph);
    out->n_args = nashc_node_n_in(call);
    out->n_results = nashc_node_n_out(call);
    out->prefix = nashc_module_clone(m);
    out->tail = nashc_module_clone(m);
    if (!out->prefix || !out->tail)
        return nashc_enomem(d);
    s = make_prefix(out->prefix, graph, d);
    return s == NASHC_OK ? make_tail(out->tail, graph, d) : s;
}

void
host_free(host_part *h)
{
    nashc_module_free(h->prefix);
    nashc_module_free(h->tail);
    h->prefix = h->tail = NULL;
}
