/* make_input_cl.c
 *
 *     input x [N,C,H,W]     ==>     input x [N,H,W,C] -- to channels-first -- ...
 *
 * Changes the interface: callers must hand over channels-last data from then on.
 * Terminates: an input that is channels-last is left alone.
 */
#include <nashc/pass.h>

static nashc_status
make_input_cl(nashc_run *r, nashc_graph *g)
{
    nashc_build *b = nashc_run_build(r, g);

    for (int i = 0; i < nashc_graph_n_inputs(g); i++) {
        nashc_value *x = nashc_graph_input(g, i);
        nashc_type t = *nashc_value_type(x), last = t;
        if ((t.rank != 3 && t.rank != 4) || t.layout != NASHC_LAYOUT_DEFAULT)
            continue;
        if (!nashc_run_edit(r, "make channels-last", NULL))
            break;
        for (int k = 1; k < t.rank; k++)
            last.dim[k] = t.dim[k == t.rank - 1 ? 1 : k + 1];
        last.layout = t.rank == 4 ? NASHC_LAYOUT_NHWC : NASHC_LAYOUT_NWC;
        nashc_value_set_type(x, &last);
        nashc_build_before(b, nashc_graph_first(g));
        nashc_node *made = nashc_build_node(b, "nn.transpose", &x, 1, 1, "perm=%s",
                                            t.rank == 4 ? "[0,3,1,2]" : "[0,2,1]");
        if (!made)
            return nashc_build_status(b);
        nashc_value_replace(x, nashc_node_out(made, 0));
        nashc_node_set_in(made, 0, x);
    }
    return NASHC_OK;
}

const nashc_pass nashc_pass_make_input_cl = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_MODULE | NASHC_PASS_INTERFACE,
    .name = "make-input-cl",
    .alias = "MakeInputChannelsLast",
    .help = "make graph inputs channels-last (changes the interface)",
    .run = make_input_cl,
};
