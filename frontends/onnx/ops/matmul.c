/* matmul.c: Gemm, normalisation and the old Softmax. */
#include "frontends/onnx/ops/family.h"
#include <inttypes.h>
#include <string.h>

/* alpha, beta and transB are attributes of nn.gemm, too. A transposed A is a transpose in front of
 * it, and a C that is computed is added behind it: nn.gemm has a bias, which is constant. */
static nashc_status
read_gemm(nashc_onnx_in *r)
{
    nashc_value *in[3] = {nashc_onnx_in_value(r, 0), nashc_onnx_in_value(r, 1),
                          nashc_onnx_in_value(r, 2)};
    double alpha = nashc_onnx_attr_float(r, "alpha", 1), beta = nashc_onnx_attr_float(r, "beta", 1);
    const char *text = "";

    if (!in[0] || !in[1] || nashc_onnx_failed(r))
        return nashc_onnx_status(r);
    for (int i = 0; i < 2; i++)
        if (nashc_value_type(in[i])->rank != 2)
            return nashc_onnx_error(r, "operand \"%s\" is %s, expected a matrix",
                                    nashc_onnx_in_name(r, i),
                                    nashc_type_str(nashc_onnx_diag(r), nashc_value_type(in[i])));
    /* known while reading, or not */
    bool computed = in[2] && !nashc_onnx_in_param(r, 2);
    nashc_value *c = computed ? in[2] : NULL;
    in[2] = computed ? NULL : in[2];
    if (nashc_onnx_attr_int(r, "transA", 0))
        in[0] = nashc_onnx_transpose(r, in[0], (const int64_t[]){1, 0});
    if (alpha != 1)
        text = nashc_arena_printf(nashc_onnx_arena(r), " alpha=%.17g", alpha);
    /* without C in the node beta has nothing to scale there */
    if (beta != 1 && in[2])
        text = nashc_arena_printf(nashc_onnx_arena(r), "%s beta=%.17g", text, beta);
    if (nashc_onnx_attr_int(r, "transB", 0))
        text = nashc_arena_printf(nashc_onnx_arena(r), "%s trans_b=true", text);
    nashc_value *y = nashc_onnx_op(r, "nn.gemm", in, in[2] ? 3 : 2, *text ? "%s" : NULL,
                                   *text ? text + 1 : text);
    if (c && beta != 1)
        c = nashc_onnx_op2(r, "nn.mul", c, nashc_onnx_f32(r, beta));
    if (c)
        y = nashc_onnx_op2(r, "nn.add", y, c);
    return nashc_onnx_set(r, 0, y, nashc_onnx_in_elem(r, 0));
}

/* A matrix on the right is a weight, whose columns are the outputs; other products have no weights.
 */
static nashc_status
read_matmul(nashc_onnx_in *r)
{
    nashc_value *a = nashc_onnx_in_value(r, 0), *b = nashc_onnx_in_value(r, 1);

    if (!a || !b)
        return nashc_onnx_status(r);
    if (nashc_value_type(b)->rank == 2)
        onnx_integer_operands(r, &a, &b, 1);
    return nashc_onnx_set(r, 0, nashc_onnx_op2(r, "nn.matmul", a, b), nashc_onnx_in_elem(r, 0));
}

/* The variance is checked here: hardware gets scale / sqrt(variance + epsilon) as a constant. */
static nashc_status
read_batchnorm(nashc_onnx_in *r)
{
    nashc_value *in[5];
    const nashc_tensor *var = nashc_onnx_in_const(r, 4);
    double eps = nashc_onnx_attr_float(r, "epsilon", (double)1e-5f), min, max;

    for (int i = 0; i < 5; i++)
        if (!(in[i] = i ? nashc_onnx_in_value(r, i) : nashc_onnx_in_plain(r, i)))
            return nashc_onnx_status(r);
    if (nashc_onnx_attr_int(r, "training_mode", 0) || !nashc_onnx_attr_int(r, "spatial", 1))
        return nashc_onnx_unsup(r, "only the inference form over channels is supported");
    /* exporters list them even if nobody reads them */
    for (int k = 1; k < nashc_onnx_n_out(r); k++)
        if (nashc_onnx_out_used(r, k))
            return nashc_onnx_unsup(r, "output %d belongs to training", k);
    const nashc_type *x = nashc_value_type(in[0]);
    if (x->rank < 2)
        return nashc_onnx_error(r, "input \"%s\" is %s, expected [N,C,...]",
                                nashc_onnx_in_name(r, 0), nashc_type_str(nashc_onnx_diag(r), x));
    for (int i = 1; i < 5; i++) {
        const nashc_type *t = nashc_value_type(in[i]);
        if (t->rank != 1 || t->dim[0] != x->dim[1])
            return nashc_onnx_error(r, "parameter \"%s\" is %s, expected %" PRId64 " elements",
                                    nashc_onnx_in_name(r, i), nashc_type_str(nashc_onnx_diag(r), t),
                                    x->dim[1]);
    }
    if (var) {
        nashc_tensor_min_max(var, &min, &max);
        if (min < 0)
            return nashc_onnx_error(r, "variance \"%s\" holds the negative value %g",
                                    nashc_onnx_in_name(r, 4), min);
        /* the root of it would be zero or none */
        if (min + eps <= 0)
            return nashc_onnx_error(r, "variance \"%s\" holds zero and epsilon is %g",
                                    nashc_onnx_in_name(r, 4), eps);
    }
    return nashc_onnx_set(r, 0, nashc_onnx_op(r, "nn.batchnorm", in, 5, "eps=%.17g", eps),
                          nashc_onnx_in_elem(r, 0));
}

/* The further outputs of LayerNormalization: mean and 1 / sqrt(variance + epsilon), of plain
 * operators, where somebody reads them. */
static nashc_status
norm_statistics(nashc_onnx_in *r, nashc_value *x, int axis)
{
    int64_t axes[NASHC_MAX_RANK];
    int n = nashc_value_type(x)->rank - axis;
    nashc_status s;

    if (!nashc_onnx_out_used(r, 1) && !nashc_onnx_out_used(r, 2))
        return NASHC_OK;
    for (int i = 0; i < n; i++)
        axes[i] = axis + i;
    nashc_value *mean =
        nashc_onnx_op1(r, "nn.reduce_mean", x, "axes=%s", nashc_onnx_ints(r, axes, n));
    if ((s = nashc_onnx_set(r, 1, mean, nashc_onnx_in_elem(r, 0))) || !nashc_onnx_out_used(r, 2))
        return s;
    nashc_value *d = nashc_onnx_op2(r, "nn.sub", x, mean);
    d = nashc_onnx_op1(r, "nn.reduce_mean", nashc_onnx_op2(r, "nn.mul", d, d), "axes=%s",
                       nashc_onnx_ints(r, axes, n));
    d = nashc_onnx_op2(r, "nn.add", d,
                       nashc_onnx_f32(r, nashc_onnx_attr_float(r, "epsilon", (double)1e-5f)));
    d = nashc_onnx_op1(r, "nn.reciprocal", nashc_onnx_op1(r, "nn.sqrt", d, NULL), NULL);
    return nashc_onnx_set(r, 2, d, nashc_onnx_in_elem(r, 0));
}

/* Scale and bias are operands; without bias there are two. */
static nashc_status
read_layer_norm(nashc_onnx_in *r)
{
    nashc_value *in[3] = {nashc_onnx_in_value(r, 0), nashc_onnx_in_value(r, 1),
                          nashc_onnx_in_value(r, 2)};
    int axis;
    nashc_status s;

    if (!in[0] || !in[1] || nashc_onnx_failed(r))
        return nashc_onnx_status(r);
    s = nashc_onnx_axis(r, nashc_onnx_attr_int(r, "axis", -1), nashc_value_type(in[0])->rank,
                        &axis);
    if (s || (s = norm_statistics(r, in[0], axis)))
        return s;
    return nashc_onnx_set(r, 0,
                          nashc_onnx_op(r, "nn.layer_norm", in, in[2] ? 3 : 2, "axis=%d eps=%.17g",
                                        axis, nashc_onnx_attr_float(r, "epsilon", (double)1e-5f)),
                          nashc_onnx_in_elem(r, 0));
}

/* Over all axes from axis on as if they were one. */
nashc_value *
onnx_softmax_flat(nashc_onnx_in *r, const char *op, nashc_value *x, int axis)
{
    nashc_type t = *nashc_value_type(x);
    int64_t dim[2] = {1, 1};
    bool flat = true;

    /* only ones behind axis: the reshapes would change nothing */
    for (int i = axis + 1; i < t.rank; i++)
        flat = flat && t.dim[i] == 1;
    if (flat)
        return nashc_onnx_op1(r, op, x, "axis=%d", axis);
    for (int i = 0; i < t.rank; i++)
        dim[i >= axis] *= t.dim[i];
    x = nashc_onnx_op1(r, op, nashc_onnx_reshape(r, x, dim, 2), "axis=1");
    return nashc_onnx_reshape(r, x, t.dim, t.rank);
}

/* Before opset 13 the axes from axis on form one. */
static nashc_status
read_softmax_old(nashc_onnx_in *r)
{
    nashc_value *x = nashc_onnx_in_value(r, 0);
    const char *op = strcmp(nashc_onnx_op_type(r), "Softmax") ? "nn.log_softmax" : "nn.softmax";
    int axis;
    nashc_status s;

    if (!x)
        return nashc_onnx_status(r);
    s = nashc_onnx_axis(r, nashc_onnx_attr_int(r, "axis", 1), nashc_value_type(x)->rank, &axis);
    return s ? s
             : nashc_onnx_set(r, 0, onnx_softmax_flat(r, op, x, axis), nashc_onnx_in_elem(r, 0));
}

/* 1 where the (first) maximum along the axis is, else 0: 1 - min(|position - argmax|, 1). */
static nashc_status
read_hardmax(nashc_onnx_in *r)
{
    nashc_value *x = nashc_onnx_in_value(r, 0);
    bool old = nashc_onnx_version(r) < 13;
    int64_t dim[NASHC_MAX_RANK], flat[2] = {1, 1};
    double *position;
    int axis;
    nashc_status s;

    if (!x)
        return nashc_onnx_status(r);
    nashc_type t = *nashc_value_type(x), shape = t;
    if ((s = nashc_onnx_axis(r, nashc_onnx_attr_int(r, "axis", old ? 1 : -1), t.rank, &axis)))
        return s;
    if (old) { /* as for the old Softmax, the axes from axis on form one */
        for (int i = 0; i < t.rank; i++)
            flat[i >= axis] *= t.dim[i];
        x = nashc_onnx_reshape(r, x, flat, 2);
        shape = nashc_type_shaped(t, 2, flat);
        axis = 1;
    }
    position = NASHC_NEW_N(nashc_onnx_arena(r), double, shape.dim[axis]);
    if (!position)
        return nashc_enomem(nashc_onnx_diag(r));
    for (int64_t i = 0; i < shape.dim[axis]; i++)
        position[i] = (double)i;
    for (int i = 0; i < shape.rank; i++)
        dim[i] = i == axis ? shape.dim[i] : 1;
    /* integers by nature: the difference is exact, and at least 1 everywhere else */
    nashc_value *at = nashc_onnx_op1(r, "nn.argmax", x, "axis=%d keepdims=true", axis);
    nashc_value *all = nashc_onnx_const(r, NULL, nashc_onnx_tensor_f32(position, shape.rank, dim));
    nashc_value *d = nashc_onnx_op1(r, "nn.abs", nashc_onnx_op2(r, "nn.sub", all, at), NULL);
    d = nashc_onnx_op2(r, "nn.sub", nashc_onnx_f32(r, 1),
                       nashc_onnx_op2(r, "nn.min", d, nashc_onnx_f32(r, 1)));
    return nashc_onnx_set(r, 0, old ? nashc_onnx_reshape(r, d, t.dim, t.rank) : d,
                          nashc_onnx_in_elem(r, 0));
}

/* scale * (x - mean) / sqrt(variance + epsilon) + bias, over the spatial axes of each channel. */
static nashc_status
read_instance_norm(nashc_onnx_in *r)
{
    nashc_value *in[3] = {nashc_onnx_in_plain(r, 0), nashc_onnx_in_value(r, 1),
                          nashc_onnx_in_value(r, 2)};
    int64_t axes[NASHC_MAX_RANK], dim[NASHC_MAX_RANK];

    if (!in[0] || !in[1] || !in[2])
        return nashc_onnx_status(r);
    const nashc_type *x = nashc_value_type(in[0]);
    if (x->rank < 3)
        return nashc_onnx_error(r, "input \"%s\" is %s, expected [N,C,...] with spatial dimensions",
                                nashc_onnx_in_name(r, 0), nashc_type_str(nashc_onnx_diag(r), x));
    for (int i = 0; i < x->rank; i++) {
        axes[i] = i + 2;
        dim[i] = i == 1 ? x->dim[1] : 1;
    }
    for (int i = 1; i < 3; i++) {
        const nashc_type *t = nashc_value_type(in[i]);
        if (t->rank != 1 || t->dim[0] != x->dim[1])
            return nashc_onnx_error(r, "parameter \"%s\" is %s, expected %" PRId64 " elements",
                                    nashc_onnx_in_name(r, i), nashc_type_str(nashc_onnx_diag(r), t),
                                    x->dim[1]);
        /* from [C] to [1, C, 1, ...], so that it broadcasts */
        in[i] = nashc_onnx_reshape(r, in[i], dim, x->rank);
    }
    const char *over = nashc_onnx_ints(r, axes, x->rank - 2);
    nashc_value *d = nashc_onnx_op2(r, "nn.sub", in[0],
                                    nashc_onnx_op1(r, "nn.reduce_mean", in[0], "axes=%s", over));
    nashc_value *v =
        nashc_onnx_op1(r, "nn.reduce_mean", nashc_onnx_op2(r, "nn.mul", d, d), "axes=%s", over);
    v = nashc_onnx_op2(r, "nn.add", v,
                       nashc_onnx_f32(r, nashc_onnx_attr_float(r, "epsilon", (double)1e-5f)));
    d = nashc_onnx_op2(r, "nn.div", d, nashc_onnx_op1(r, "nn.sqrt", v, NULL));
    d = nashc_onnx_op2(r, "nn.add", nashc_onnx_op2(r, "nn.mul", d, in[1]), in[2]);
    return nashc_onnx_set(r, 0, d, nashc_onnx_in_elem(r, 0));
}

static const nashc_onnx_row rows[] = {
    {AI_ONNX, "BatchNormalization", 7, NULL, BN_ATTRS, 5, 5, 5, 0, read_batchnorm},
    {AI_ONNX, "Gemm", 7, NULL, "alpha-:f beta-:f transA-:i transB-:i", 2, 3, 1, SAME, read_gemm},
    {AI_ONNX, "Hardmax", 1, NULL, "axis-:i", 1, 1, 1, 0, read_hardmax},
    {AI_ONNX, "Hardmax", 13, NULL, "axis-:i", 1, 1, 1, 0, read_hardmax},
    {AI_ONNX, "InstanceNormalization", 6, NULL, "epsilon-:f", 3, 3, 1, 0, read_instance_norm},
    {AI_ONNX, "LayerNormalization", 17, NULL, "axis-:i epsilon-:f stash_type-:i", 2, 3, 3, 0,
     read_layer_norm},
    {AI_ONNX, "LogSoftmax", 1, NULL, "axis-:i", 1, 1, 1, 0, read_softmax_old},
    {AI_ONNX, "LogSoftmax", 13, "nn.log_softmax", "axis:i", 1, 1, 1, 0, NULL},
    {AI_ONNX, "MatMul", 1, "nn.matmul", "", 2, 2, 1, SAME, read_matmul},
    {AI_ONNX, "Softmax", 1, NULL, "axis-:i", 1, 1, 1, 0, read_softmax_old},
    {AI_ONNX, "Softmax", 13, "nn.softmax", "axis:i", 1, 1, 1, 0, NULL},
    {0},
};

extern const nashc_impl nashc_impl_onnx_matmul;

const nashc_impl nashc_impl_onnx_matmul = NASHC_IMPL_ONNX("matmul", rows);
