/* change_batchsize.c: gives every graph input another first dimension, and what follows from it.
 *
 * Reshapes and expands whose first dimension is the old batch size get the new one; all types are
 * inferred again. Inputs that have another first dimension than the first input stay.
 * Changes the interface.
 */
#include <nashc/rewrite.h>

/* First entry of list attribute attr from old to new. */
static nashc_status
change_first(nashc_run *r, nashc_build *b, nashc_node *n, const char *attr, int64_t old,
             int64_t size)
{
    int count;
    const int64_t *v = nashc_node_ints(n, attr, &count);
    int64_t dim[NASHC_MAX_RANK];

    if (count < 1 || count > NASHC_MAX_RANK || v[0] != old)
        return NASHC_OK;
    for (int i = 0; i < count; i++)
        dim[i] = i ? v[i] : size;
    const char *text = nashc_build_ints(b, dim, count);
    return text ? nashc_node_set_attr(n, attr, text, nashc_run_diag(r)) : nashc_build_status(b);
}

static nashc_status
change(nashc_run *r, nashc_graph *g)
{
    nashc_build *b = nashc_run_build(r, g);
    int64_t size = nashc_opts_int(nashc_run_opts(r), "size"), old = 0;
    nashc_status s = NASHC_OK;

    if (!nashc_run_edit(r, "change batch size", NULL))
        return NASHC_OK;
    for (int i = 0; i < nashc_graph_n_inputs(g); i++) {
        nashc_value *x = nashc_graph_input(g, i);
        nashc_type t = *nashc_value_type(x);
        if (t.rank < 1)
            continue;
        old = old ? old : t.dim[0];
        if (t.dim[0] != old)
            continue;
        t.dim[0] = size;
        nashc_value_set_type(x, &t);
    }
    NASHC_EACH_NODE(g, n)
    {
        if (nashc_node_is(n, "nn.reshape") || nashc_node_is(n, "nn.expand"))
            s = s ? s : change_first(r, b, n, "shape", old, size);
        if (nashc_node_is(n, "nn.resize"))
            s = s ? s : change_first(r, b, n, "sizes", old, size);
    }
    return s ? s : nashc_graph_infer(g, nashc_run_diag(r));
}

static const nashc_param change_options[] = {
    {.name = "size", .def = NULL, .domain = "1..", .help = "new batch size", .kind = NASHC_P_INT},
    {0},
};

const nashc_pass nashc_pass_change_batchsize = {
    NASHC_DESC(nashc_pass),     .flags = NASHC_PASS_MODULE | NASHC_PASS_INTERFACE,
    .name = "change-batchsize", .help = "set the batch size of the graph (changes the interface)",
    .options = change_options,  .run = change,
};
