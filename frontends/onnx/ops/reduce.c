/* reduce.c: reductions, ArgMax and TopK. */
#include "frontends/onnx/ops/family.h"
#include <inttypes.h>
#include <string.h>

/* Axes as attribute or operand 1, sorted; none: all axes. */
static nashc_status
reduce_axes(onnx_in *r, int rank, int64_t **axes, int *n, bool *nothing)
{
    const int64_t *v;
    nashc_status s = NASHC_OK;

    if (onnx_attr(r, "axes"))
        v = onnx_attr_ints(r, "axes", n);
    else
        s = onnx_in_ints(r, 1, "axes", &v, n);
    if (s)
        return s;
    *nothing = *n == 0 && onnx_attr_int(r, "noop_with_empty_axes", 0);
    if (*n == 0) {
        int64_t *all = NASHC_NEW_N(r->arena, int64_t, NASHC_MAX_RANK);
        if (!all)
            return nashc_enomem(r->d);
        for (int i = 0; i < rank; i++)
            all[i] = i;
        v = all;
        *n = rank;
    }
    return onnx_axes(r, v, *n, rank, axes);
}

nashc_status
onnx_read_reduce(onnx_in *r)
{
    const char *name = r->node->op_type, *op = "nn.reduce_max";
    nashc_value *x = onnx_in_value(r, 0);
    int64_t *axes;
    int n;
    bool nothing;
    nashc_status s;

    if (!x)
        return onnx_build_status(r);
    if ((s = reduce_axes(r, nashc_value_type(x)->rank, &axes, &n, &nothing)))
        return s;
    if (!strcmp(name, "ReduceMean"))
        op = "nn.reduce_mean";
    else if (!strcmp(name, "ReduceMin"))
        op = "nn.reduce_min";
    else if (strcmp(name, "ReduceMax"))
        op = "nn.reduce_sum";
    if (!strcmp(name, "ReduceSumSquare") || !strcmp(name, "ReduceL2"))
        x = onnx_op2(r, "nn.mul", x, x);
    if (!strcmp(name, "ReduceL1"))
        x = onnx_op1(r, "nn.abs", x, NULL);
    if (!strcmp(name, "ReduceLogSumExp"))
        x = onnx_op1(r, "nn.exp", x, NULL);
    if (nothing || n == 0)
        x = onnx_op1(r, "nn.identity", x, NULL);
    else
        x = onnx_op1(r, op, x, "axes=%s%s", onnx_ints(r, axes, n),
                     onnx_attr_int(r, "keepdims", 1) ? "" : " keepdims=false");
    if (!strcmp(name, "ReduceL2"))
        x = onnx_op1(r, "nn.sqrt", x, NULL);
    if (!strcmp(name, "ReduceLogSum") || !strcmp(name, "ReduceLogSumExp"))
        x = onnx_op1(r, "nn.log", x, NULL);
    return onnx_set(r, 0, x, onnx_in_elem(r, 0));
}

nashc_status
onnx_read_argmax(onnx_in *r)
{
    nashc_value *x = onnx_in_value(r, 0);
    int axis;
    nashc_status s;

    if (!x)
        return onnx_build_status(r);
    s = onnx_axis(r, onnx_attr_int(r, "axis", 0), nashc_value_type(x)->rank, &axis);
    if (s)
        return s;
    if (!strcmp(r->node->op_type, "ArgMin"))
        x = onnx_op1(r, "nn.neg", x, NULL);
    return onnx_set(r, 0,
                    onnx_op1(r, "nn.argmax", x, "axis=%d keepdims=%s%s", axis,
                             onnx_attr_int(r, "keepdims", 1) ? "true" : "false",
                             onnx_attr_int(r, "select_last_index", 0) ? " select_last=true" : ""),
                    ONNX_INT64);
}

nashc_status
onnx_read_topk(onnx_in *r)
{
    nashc_value *x = onnx_in_value(r, 0);
    const int64_t *kv;
    int64_t k = onnx_attr_int(r, "k", 0);
    int n = 0, axis;
    nashc_status s;

    if (!x)
        return onnx_build_status(r);
    const nashc_type *t = nashc_value_type(x);
    if ((s = onnx_axis(r, onnx_attr_int(r, "axis", -1), t->rank, &axis)) ||
        (s = onnx_in_ints(r, 1, "K", &kv, &n)))
        return s;
    if (n > 1)
        return onnx_err(r, "K has %d elements, expected 1", n);
    k = n ? kv[0] : k;
    if (k < 1 || k > t->dim[axis])
        return onnx_err(r, "K is %" PRId64 ", dimension %d is %" PRId64, k, axis, t->dim[axis]);
    nashc_node *node =
        onnx_node(r, "nn.topk", &x, 1, 2,
                  nashc_arena_printf(r->arena, "k=%" PRId64 " axis=%d%s%s", k, axis,
                                     onnx_attr_int(r, "largest", 1) ? "" : " largest=false",
                                     onnx_attr_int(r, "sorted", 1) ? "" : " sorted=false"));
    if (!node)
        return onnx_build_status(r);
    if ((s = onnx_set(r, 0, nashc_node_out(node, 0), onnx_in_elem(r, 0))))
        return s;
    return onnx_set(r, 1, nashc_node_out(node, 1), ONNX_INT64);
}
