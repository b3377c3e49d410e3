/* call.c: call(...; graph), another graph of the module applied to the operands. How deep calls
 * nest and what they come to is for nashc_verify to ask, of the module as a whole. */
#include "ops.h"

static const nashc_param call_attrs[] = {
    ATTR(GRAPH, "graph", NULL, NULL, "graph of this module"),
    {0},
};

static nashc_graph *
callee(const nashc_node *n)
{
    const char *name = nashc_attr_str(n, 0);

    return nashc_module_graph(nashc_graph_module(nashc_node_graph(n)),
                              name && name[0] == '@' ? name + 1 : name);
}

static nashc_status
call_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    const nashc_graph *g = callee(n);

    if (!g)
        return nashc_node_error(d, n, "the module has no graph %s", nashc_attr_str(n, 0));
    if (nashc_graph_n_inputs(g) != nashc_node_n_in(n) ||
        nashc_graph_n_outputs(g) != nashc_node_n_out(n))
        return nashc_node_error(d, n,
                                "%d operands and %d results, but @%s has %d inputs and %d "
                                "outputs",
                                nashc_node_n_in(n), nashc_node_n_out(n), nashc_graph_name(g),
                                nashc_graph_n_inputs(g), nashc_graph_n_outputs(g));
    for (int i = 0; i < nashc_node_n_in(n); i++) {
        const nashc_type *want = nashc_value_type(nashc_graph_input(g, i));
        const nashc_type *have = ops_type(n, i);
        if (!have || !nashc_type_same_shape(have, want) || !nashc_type_same_elem(have, want) ||
            have->lo < want->lo || have->hi > want->hi)
            return nashc_node_error(d, n, "operand %d is %s, input \"%s\" of @%s is %s", i,
                                    have ? nashc_type_str(d, have) : "missing",
                                    nashc_value_name(nashc_graph_input(g, i)), nashc_graph_name(g),
                                    nashc_type_str(d, want));
    }
    for (int i = 0; i < nashc_graph_n_outputs(g); i++)
        out[i] = *nashc_value_type(nashc_graph_output(g, i));
    return NASHC_OK;
}

static nashc_status
call_eval(nashc_eval *e, const nashc_node *n)
{
    int n_in = nashc_node_n_in(n), n_out = nashc_node_n_out(n);
    const nashc_buf **in = nashc_eval_scratch(e, (size_t)n_in * sizeof *in + 1);
    nashc_buf *out = nashc_eval_scratch(e, (size_t)n_out * sizeof *out);

    if (!in || !out)
        return NASHC_ENOMEM;
    for (int i = 0; i < n_in; i++)
        in[i] = nashc_eval_in(e, i);
    nashc_status s = nashc_eval_graph(e, callee(n), in, out);
    for (int i = 0; s == NASHC_OK && i < n_out; i++) {
        nashc_buf *y = nashc_eval_out(e, i);
        for (int64_t k = 0; k < y->n; k++)
            ops_copy(y, k, &out[i], k);
        nashc_buf_free(&out[i]);
    }
    return s;
}

const nashc_op nashc_op_call = {
    NASHC_DESC(nashc_op), .name = "call",      .help = "run another graph of the module",
    .min_in = 0,          .max_in = -1,        .min_out = 1,
    .max_out = -1,        .attrs = call_attrs, .infer = call_infer,
    .eval = call_eval,
};
