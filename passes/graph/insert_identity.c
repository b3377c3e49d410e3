/* insert_identity.c
 *
 *     x -- readers     ==>     x -- identity -- readers
 *
 * at the value called `tensor`, or at graph inputs and outputs (`at=inputs|outputs|io`): it keeps
 * patterns from reaching over that place.
 */
#include <nashc/pass.h>
#include <string.h>

/* An identity between v and all its readers. */
static nashc_status
behind(nashc_run *r, nashc_build *b, nashc_graph *g, nashc_value *v)
{
    nashc_node *def = nashc_value_def(v);

    if (!nashc_run_edit(r, "insert identity", def))
        return NASHC_OK;
    nashc_build_before(b, def ? nashc_node_next(def) : nashc_graph_first(g));
    nashc_node *n = nashc_build_node(b, "nn.identity", &v, 1, 1, NULL);
    if (!n)
        return nashc_build_status(b);
    nashc_value_replace(v, nashc_node_out(n, 0));
    nashc_node_set_in(n, 0, v);
    return NASHC_OK;
}

/* An identity between v and output slot i. */
static nashc_status
before_output(nashc_run *r, nashc_build *b, nashc_graph *g, int i)
{
    nashc_value *v = nashc_graph_output(g, i);

    if (!nashc_run_edit(r, "insert identity", nashc_value_def(v)))
        return NASHC_OK;
    nashc_build_before(b, NULL);
    nashc_node *n = nashc_build_node(b, "nn.identity", &v, 1, 1, NULL);
    if (!n)
        return nashc_build_status(b);
    nashc_graph_set_output(g, i, nashc_node_out(n, 0));
    return NASHC_OK;
}

static nashc_status
insert(nashc_run *r, nashc_graph *g)
{
    const nashc_opts *o = nashc_run_opts(r);
    const char *tensor = nashc_opts_str(o, "tensor"), *at = nashc_opts_str(o, "at");
    nashc_build *b = nashc_run_build(r, g);
    bool io = !strcmp(at, "io"), ins = io || !strcmp(at, "inputs");
    bool outs = io || !strcmp(at, "outputs"), found = false;
    nashc_status s = NASHC_OK;

    NASHC_EACH_NODE(g, n)
    for (int i = 0; i < nashc_node_n_out(n) && !s && *tensor; i++)
        if (!strcmp(nashc_value_name(nashc_node_out(n, i)), tensor)) {
            found = true;
            s = behind(r, b, g, nashc_node_out(n, i));
        }
    for (int i = 0; i < nashc_graph_n_inputs(g) && !s; i++) {
        nashc_value *v = nashc_graph_input(g, i);
        bool named = *tensor && !strcmp(nashc_value_name(v), tensor);
        found = found || named;
        if ((ins || named) && nashc_value_n_uses(v) > 0)
            s = behind(r, b, g, v);
    }
    for (int i = 0; i < nashc_graph_n_outputs(g) && !s && outs; i++)
        s = before_output(r, b, g, i);
    if (!s && *tensor && !found)
        return nashc_error(nashc_run_diag(r), NULL, "insert-identity: no value is called \"%s\"",
                           nashc_quote(nashc_run_diag(r), tensor));
    return s;
}

static const nashc_param insert_options[] = {
    {.name = "tensor", .def = "", .help = "name of a value", .kind = NASHC_P_STRING},
    {.name = "at",
     .def = "none",
     .domain = "none|inputs|outputs|io",
     .help = "graph ends to protect",
     .kind = NASHC_P_ENUM},
    {0},
};

const nashc_pass nashc_pass_insert_identity = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_MODULE,
    .name = "insert-identity",
    .alias = "InsertIdentity|InsertIdentityOnAllTopLevelIO|insert-identity-on-io",
    .help = "put an identity behind a value, or at the ends of the graph",
    .options = insert_options,
    .run = insert,
};
