/* give_readable_tensor_names.c: names values after the node that makes or reads them.
 *
 *     result i of node N              N_out<i>
 *     constant operand k of node N    N_param<k>, k counting N's constants (first reader's name)
 *
 * Names of graph inputs and of output slots are the interface and stay; with `ends` inputs become
 * global_in, global_in_1, ... Nodes without a name are numbered.
 */
#include <nashc/pass.h>

/* A name for v made of parts, with a number behind it if it is taken. */
static void
rename_value(nashc_arena *a, nashc_value *v, const char *name)
{
    if (nashc_value_set_name(v, name))
        return;
    for (int i = 1; i < 1 << 20; i++)
        if (nashc_value_set_name(v, nashc_arena_printf(a, "%s_%d", name, i)))
            return;
}

/* First names that cannot be in the way of the final ones. */
static void
clear_names(nashc_arena *a, nashc_graph *g)
{
    NASHC_EACH_NODE(g, n)
    {
        for (int i = 0; i < nashc_node_n_in(n); i++) {
            nashc_value *v = nashc_node_in(n, i);
            if (v && nashc_value_const(v))
                nashc_value_set_name(v, nashc_arena_printf(a, ".c%u", nashc_value_id(v)));
        }
        for (int i = 0; i < nashc_node_n_out(n); i++) {
            nashc_value *v = nashc_node_out(n, i);
            nashc_value_set_name(v, nashc_arena_printf(a, ".v%u", nashc_value_id(v)));
        }
    }
}

static void
name_after(nashc_arena *a, nashc_node *n, int number)
{
    const char *node = nashc_node_loc(n)->name;
    int param = 0;

    if (!node || !*node)
        node = nashc_arena_printf(a, "node%d", number);
    for (int i = 0; i < nashc_node_n_in(n); i++) {
        nashc_value *v = nashc_node_in(n, i);
        if (v && nashc_value_const(v)) {
            if (nashc_value_name(v)[0] == '.')
                rename_value(a, v, nashc_arena_printf(a, "%s_param%d", node, param));
            param++;
        }
    }
    for (int i = 0; i < nashc_node_n_out(n); i++)
        rename_value(a, nashc_node_out(n, i), nashc_arena_printf(a, "%s_out%d", node, i));
}

static nashc_status
give_names(nashc_run *r, nashc_graph *g)
{
    nashc_arena *a = nashc_run_arena(r);
    int number = 0;

    if (!nashc_run_edit(r, "name all values", NULL))
        return NASHC_OK;
    clear_names(a, g);
    for (int i = 0; nashc_opts_bool(nashc_run_opts(r), "ends") && i < nashc_graph_n_inputs(g); i++)
        rename_value(a, nashc_graph_input(g, i),
                     i ? nashc_arena_printf(a, "global_in_%d", i) : "global_in");
    NASHC_EACH_NODE(g, n)
    name_after(a, n, number++);
    return NASHC_OK;
}

static const nashc_param give_names_options[] = {
    {.name = "ends", .def = "false", .help = "rename graph inputs too", .kind = NASHC_P_BOOL},
    {0},
};

const nashc_pass nashc_pass_give_readable_tensor_names = {
    NASHC_DESC(nashc_pass),
    .name = "give-readable-tensor-names",
    .alias = "GiveReadableTensorNames",
    .help = "name values after the node that makes or reads them",
    .options = give_names_options,
    .run = give_names,
};
