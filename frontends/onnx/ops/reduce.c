/* reduce.c: reductions, ArgMax and TopK. */
#include "frontends/onnx/ops/family.h"
#include <inttypes.h>
#include <string.h>

/* Axes as attribute or operand 1, sorted; none: all axes. */
static nashc_status
reduce_axes(nashc_onnx_in *r, int rank, int64_t **axes, int *n, bool *nothing)
{
    const int64_t *v;
    nashc_status s = NASHC_OK;

    if (nashc_onnx_has_attr(r, "axes"))
        v = nashc_onnx_attr_ints(r, "axes", n);
    else
        s = nashc_onnx_in_ints(r, 1, "axes", &v, n);
    if (s)
        return s;
    /* no axes are all axes, unless the node says that they are none */
    *nothing = *n == 0 && nashc_onnx_attr_int(r, "noop_with_empty_axes", 0);
    if (*n == 0) {
        int64_t *all = NASHC_NEW_N(nashc_onnx_arena(r), int64_t, NASHC_MAX_RANK);
        if (!all)
            return nashc_enomem(nashc_onnx_diag(r));
        for (int i = 0; i < rank; i++)
            all[i] = i;
        v = all;
        *n = rank;
    }
    return nashc_onnx_axes(r, v, *n, rank, axes);
}

/* What is not max, min, mean or sum is one of them between element-wise operators: L1 = sum |x|, L2
 * = sqrt(sum x*x), LogSumExp = log(sum exp x). */
static nashc_status
read_reduce(nashc_onnx_in *r)
{
    const char *name = nashc_onnx_op_type(r), *op = "nn.reduce_max";
    nashc_value *x = nashc_onnx_in_value(r, 0);
    int64_t *axes;
    int n;
    bool nothing;
    nashc_status s;

    if (!x)
        return nashc_onnx_status(r);
    if ((s = reduce_axes(r, nashc_value_type(x)->rank, &axes, &n, &nothing)))
        return s;
    if (!strcmp(name, "ReduceMean"))
        op = "nn.reduce_mean";
    else if (!strcmp(name, "ReduceMin"))
        op = "nn.reduce_min";
    else if (strcmp(name, "ReduceMax"))
        op = "nn.reduce_sum";
    /* what comes before the sum */
    if (!strcmp(name, "ReduceSumSquare") || !strcmp(name, "ReduceL2"))
        x = nashc_onnx_op2(r, "nn.mul", x, x);
    if (!strcmp(name, "ReduceL1"))
        x = nashc_onnx_op1(r, "nn.abs", x, NULL);
    if (!strcmp(name, "ReduceLogSumExp"))
        x = nashc_onnx_op1(r, "nn.exp", x, NULL);
    /* n is 0 for a scalar; L1 and its kin still do what is around the reduction */
    if (nothing || n == 0)
        x = nashc_onnx_op1(r, "nn.identity", x, NULL);
    else
        x = nashc_onnx_op1(r, op, x, "axes=%s%s", nashc_onnx_ints(r, axes, n),
                           nashc_onnx_attr_int(r, "keepdims", 1) ? "" : " keepdims=false");
    /* what comes behind it */
    if (!strcmp(name, "ReduceL2"))
        x = nashc_onnx_op1(r, "nn.sqrt", x, NULL);
    if (!strcmp(name, "ReduceLogSum") || !strcmp(name, "ReduceLogSumExp"))
        x = nashc_onnx_op1(r, "nn.log", x, NULL);
    return nashc_onnx_set(r, 0, x, nashc_onnx_in_elem(r, 0));
}

/* The least is the greatest of the negated; the first of equals stays the first. */
static nashc_status
read_argmax(nashc_onnx_in *r)
{
    nashc_value *x = nashc_onnx_in_value(r, 0);
    int axis;
    nashc_status s;

    if (!x)
        return nashc_onnx_status(r);
    s = nashc_onnx_axis(r, nashc_onnx_attr_int(r, "axis", 0), nashc_value_type(x)->rank, &axis);
    if (s)
        return s;
    if (!strcmp(nashc_onnx_op_type(r), "ArgMin"))
        x = nashc_onnx_op1(r, "nn.neg", x, NULL);
    return nashc_onnx_set(
        r, 0,
        nashc_onnx_op1(r, "nn.argmax", x, "axis=%d keepdims=%s%s", axis,
                       nashc_onnx_attr_int(r, "keepdims", 1) ? "true" : "false",
                       nashc_onnx_attr_int(r, "select_last_index", 0) ? " select_last=true" : ""),
        NASHC_ONNX_INT64);
}

/* K is an attribute in opset 1, a constant operand later. */
static nashc_status
read_topk(nashc_onnx_in *r)
{
    nashc_value *x = nashc_onnx_in_value(r, 0);
    const int64_t *kv;
    int64_t k = nashc_onnx_attr_int(r, "k", 0);
    int n = 0, axis;
    nashc_status s;

    if (!x)
        return nashc_onnx_status(r);
    const nashc_type *t = nashc_value_type(x);
    if ((s = nashc_onnx_axis(r, nashc_onnx_attr_int(r, "axis", -1), t->rank, &axis)) ||
        (s = nashc_onnx_in_ints(r, 1, "K", &kv, &n)))
        return s;
    if (n > 1)
        return nashc_onnx_error(r, "K has %d elements, expected 1", n);
    /* whichever the version has */
    k = n ? kv[0] : k;
    if (k < 1 || k > t->dim[axis])
        return nashc_onnx_error(r, "K is %" PRId64 ", dimension %d is %" PRId64, k, axis,
                                t->dim[axis]);
    nashc_node *node = nashc_onnx_node(
        r, "nn.topk", &x, 1, 2,
        nashc_arena_printf(nashc_onnx_arena(r), "k=%" PRId64 " axis=%d%s%s", k, axis,
                           nashc_onnx_attr_int(r, "largest", 1) ? "" : " largest=false",
                           nashc_onnx_attr_int(r, "sorted", 1) ? "" : " sorted=false"));
    if (!node)
        return nashc_onnx_status(r);
    if ((s = nashc_onnx_set(r, 0, nashc_node_out(node, 0), nashc_onnx_in_elem(r, 0))))
        return s;
    return nashc_onnx_set(r, 1, nashc_node_out(node, 1), NASHC_ONNX_INT64);
}

#define AXES "axes-:I keepdims-:i noop_with_empty_axes-:i"

static const nashc_onnx_row rows[] = {
    {AI_ONNX, "ArgMax", 1, NULL, "axis-:i keepdims-:i select_last_index-:i", 1, 1, 1, 0,
     read_argmax},
    {AI_ONNX, "ArgMin", 1, NULL, "axis-:i keepdims-:i select_last_index-:i", 1, 1, 1, 0,
     read_argmax},
    {AI_ONNX, "ReduceL1", 1, NULL, AXES, 1, 2, 1, 0, read_reduce},
    {AI_ONNX, "ReduceL2", 1, NULL, AXES, 1, 2, 1, 0, read_reduce},
    {AI_ONNX, "ReduceLogSum", 1, NULL, AXES, 1, 2, 1, 0, read_reduce},
    {AI_ONNX, "ReduceLogSumExp", 1, NULL, AXES, 1, 2, 1, 0, read_reduce},
    {AI_ONNX, "ReduceMax", 1, NULL, AXES, 1, 2, 1, 0, read_reduce},
    {AI_ONNX, "ReduceMean", 1, NULL, AXES, 1, 2, 1, 0, read_reduce},
    {AI_ONNX, "ReduceMin", 1, NULL, AXES, 1, 2, 1, 0, read_reduce},
    {AI_ONNX, "ReduceSum", 1, NULL, AXES, 1, 2, 1, 0, read_reduce},
    {AI_ONNX, "ReduceSumSquare", 1, NULL, AXES, 1, 2, 1, 0, read_reduce},
    {AI_ONNX, "TopK", 1, NULL, "axis-:i k-:i", 1, 1, 2, 0, read_topk},
    {AI_ONNX, "TopK", 10, NULL, "axis-:i largest-:i sorted-:i", 2, 2, 2, 0, read_topk},
    {0},
};

extern const nashc_impl nashc_impl_onnx_reduce;

const nashc_impl nashc_impl_onnx_reduce = NASHC_IMPL_ONNX("reduce", rows);
