/* branch.c: If, whose branches stand in front of it in the graph (branches.c): it passes on the
 * results of the one that was taken. */
#include "frontends/onnx/graph.h"
#include "frontends/onnx/ops/family.h"

/* Result k is operand i, a tensor or a sequence. */
static nashc_status
pass_on(nashc_onnx_in *r, int i, int k)
{
    const onnx_sym *from = onnx_in_sym(r, i);
    onnx_sym *to = onnx_sym_find(r, r->node->output[k]);

    if (from && to && (from->part || from->empty)) {
        to->part = from->part;
        to->n_part = from->n_part;
        to->empty = from->empty;
        to->elem = from->elem;
        return NASHC_OK;
    }
    nashc_value *v = nashc_onnx_in_value(r, i);
    return nashc_onnx_set(r, k, v, nashc_onnx_in_elem(r, i));
}

static nashc_status
read_if(nashc_onnx_in *r)
{
    int n_out = (int)r->node->n_output;
    bool holds = false;
    nashc_status s;

    if ((int)r->node->n_input != 1 + 2 * n_out)
        return nashc_onnx_error(r, "it has no branches then_branch and else_branch");
    s = onnx_if_condition(r, &holds);
    for (int k = 0; !s && k < n_out; k++)
        s = pass_on(r, 1 + (holds ? 0 : n_out) + k, k);
    return s;
}

static const nashc_onnx_row rows[] = {
    {AI_ONNX, "If", 1, NULL, "", 1, ANY, 127, INF, read_if},
    {0},
};

extern const nashc_impl nashc_impl_onnx_branch;

const nashc_impl nashc_impl_onnx_branch = NASHC_IMPL_ONNX("branch", rows);
