/* give_unique_tensor_names.c: names results and constants tensor_<i> in the order they are printed.
 *
 * Names of graph inputs and of output slots are the interface and stay.
 */
#include <nashc/pass.h>

static void
give(nashc_arena *a, nashc_value *v, int *i)
{
    while (!nashc_value_set_name(v, nashc_arena_printf(a, "tensor_%d", *i)))
        if (++*i > 1 << 24)
            return;
    ++*i;
}

static nashc_status
give_names(nashc_run *r, nashc_graph *g)
{
    nashc_arena *a = nashc_run_arena(r);
    uint8_t *named = NASHC_NEW_N(a, uint8_t, nashc_graph_max_id(g) + 1);
    int i = 0;

    if (!named)
        return nashc_enomem(nashc_run_diag(r));
    if (!nashc_run_edit(r, "name all values", NULL))
        return NASHC_OK;
    for (int pass = 0; pass < 2; pass++) /* first out of the way */
        NASHC_EACH_NODE(g, n)
        {
            for (int k = 0; k < nashc_node_n_in(n); k++) {
                nashc_value *v = nashc_node_in(n, k);
                if (!v || !nashc_value_const(v) || named[nashc_value_id(v)] > pass)
                    continue;
                named[nashc_value_id(v)]++;
                if (pass)
                    give(a, v, &i);
                else
                    nashc_value_set_name(v, nashc_arena_printf(a, ".%u", nashc_value_id(v)));
            }
            for (int k = 0; k < nashc_node_n_out(n); k++) {
                nashc_value *v = nashc_node_out(n, k);
                if (pass)
                    give(a, v, &i);
                else
                    nashc_value_set_name(v, nashc_arena_printf(a, ".%u", nashc_value_id(v)));
            }
        }
    return NASHC_OK;
}

const nashc_pass nashc_pass_give_unique_tensor_names = {
    NASHC_DESC(nashc_pass),
    .name = "give-unique-tensor-names",
    .alias = "GiveUniqueTensorNames|GiveRandomTensorNames|give-random-tensor-names",
    .help = "name results and constants by number",
    .run = give_names,
};
