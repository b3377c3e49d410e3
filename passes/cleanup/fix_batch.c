/* fix_batch.c: gives unknown dimensions of the graph inputs a size.
 *
 *     x: f32[?,3,32,32]     ==>     x: f32[1,3,32,32]
 *
 * Types of everything else follow by inference. QONNX: ChangeBatchSize.
 */
#include <nashc/pass.h>

static const nashc_param options[] = {
    {.name = "batch",
     .def = "1",
     .domain = "1..",
     .help = "size of unknown dimensions",
     .kind = NASHC_P_INT},
    {0},
};

static nashc_status
fix_batch(nashc_run *r, nashc_graph *g)
{
    int64_t batch = nashc_opts_int(nashc_run_opts(r), "batch");
    bool changed = false;
    for (int i = 0; i < nashc_graph_n_inputs(g); i++) {
        nashc_value *v = nashc_graph_input(g, i);
        nashc_type t = *nashc_value_type(v);
        if (nashc_type_is_static(&t) || !nashc_run_edit(r, "fix input", NULL))
            continue;
        for (int k = 0; k < t.rank; k++)
            t.dim[k] = t.dim[k] < 0 ? batch : t.dim[k];
        nashc_value_set_type(v, &t);
        changed = true;
    }
    return changed ? nashc_graph_infer(g, nashc_run_diag(r)) : NASHC_OK;
}

const nashc_pass nashc_pass_fix_batch = {
    NASHC_DESC(nashc_pass),     .name = "fix-batch",
    .alias = "ChangeBatchSize", .help = "give unknown dimensions of the inputs a size",
    .options = options,         .gives = "static-shapes",
    .run = fix_batch,
};
