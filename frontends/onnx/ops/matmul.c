/* matmul.c: Gemm, normalisation and the old Softmax. */
#include "frontends/onnx/ops/family.h"
#include <inttypes.h>
#include <string.h>

nashc_status
onnx_read_gemm(onnx_in *r)
{
    nashc_value *in[3] = {onnx_in_value(r, 0), onnx_in_value(r, 1), onnx_in_value(r, 2)};
    double alpha = onnx_attr_float(r, "alpha", 1), beta = onnx_attr_float(r, "beta", 1);
    const char *text = "";

    if (!in[0] || !in[1] || r->failed)
        return onnx_build_status(r);
    for (int i = 0; i < 2; i++)
        if (nashc_value_type(in[i])->rank != 2)
            return onnx_err(r, "operand \"%s\" is %s, expected a matrix", onnx_in_name(r, i),
                            nashc_type_str(r->d, nashc_value_type(in[i])));
    if (alpha != 1)
        text = nashc_arena_printf(r->arena, " alpha=%.17g", alpha);
    if (beta != 1 && in[2])
        text = nashc_arena_printf(r->arena, "%s beta=%.17g", text, beta);
    if (onnx_attr_int(r, "transA", 0))
        text = nashc_arena_printf(r->arena, "%s trans_a=true", text);
    if (onnx_attr_int(r, "transB", 0))
        text = nashc_arena_printf(r->arena, "%s trans_b=true", text);
    return onnx_set(
        r, 0,
        onnx_op(r, "nn.gemm", in, in[2] ? 3 : 2, *text ? "%s" : NULL, *text ? text + 1 : text),
        onnx_in_elem(r, 0));
}

nashc_status
onnx_read_matmul(onnx_in *r)
{
    nashc_value *a = onnx_in_value(r, 0), *b = onnx_in_value(r, 1);

    if (!a || !b)
        return onnx_build_status(r);
    if (nashc_value_type(b)->rank == 2)
        onnx_integer_operands(r, &a, &b, 1);
    return onnx_set(r, 0, onnx_op2(r, "nn.matmul", a, b), onnx_in_elem(r, 0));
}

nashc_status
onnx_read_batchnorm(onnx_in *r)
{
    nashc_value *in[5];
    const nashc_tensor *var = onnx_in_const(r, 4);
    double eps = onnx_attr_float(r, "epsilon", (double)1e-5f), min, max;

    for (int i = 0; i < 5; i++)
        if (!(in[i] = i ? onnx_in_value(r, i) : onnx_in_plain(r, i)))
            return onnx_build_status(r);
    if (onnx_attr_int(r, "training_mode", 0) || !onnx_attr_int(r, "spatial", 1))
        return onnx_unsup(r, "only the inference form over channels is supported");
    for (int k = 1; k < (int)r->node->n_output; k++)
        if (onnx_out_used(r, k))
            return onnx_unsup(r, "output %d belongs to training", k);
    const nashc_type *x = nashc_value_type(in[0]);
    if (x->rank < 2)
        return onnx_err(r, "input \"%s\" is %s, expected [N,C,...]", onnx_in_name(r, 0),
                        nashc_type_str(r->d, x));
    for (int i = 1; i < 5; i++) {
        const nashc_type *t = nashc_value_type(in[i]);
        if (t->rank != 1 || t->dim[0] != x->dim[1])
            return onnx_err(r, "parameter \"%s\" is %s, expected %" PRId64 " elements",
                            onnx_in_name(r, i), nashc_type_str(r->d, t), x->dim[1]);
    }
    if (var) {
        nashc_tensor_min_max(var, &min, &max);
        if (min < 0)
            return onnx_err(r, "variance \"%s\" holds the negative value %g", onnx_in_name(r, 4),
                            min);
        if (min + eps <= 0)
            return onnx_err(r, "variance \"%s\" holds zero and epsilon is %g", onnx_in_name(r, 4),
                            eps);
    }
    return onnx_set(r, 0, onnx_op(r, "nn.batchnorm", in, 5, "eps=%.17g", eps), onnx_in_elem(r, 0));
}

/* The further outputs of LayerNormalization: mean and 1 / sqrt(variance + epsilon). */
static nashc_status
norm_statistics(onnx_in *r, nashc_value *x, int axis)
{
    int64_t axes[NASHC_MAX_RANK];
    int n = nashc_value_type(x)->rank - axis;
    nashc_status s;

    if (!onnx_out_used(r, 1) && !onnx_out_used(r, 2))
        return NASHC_OK;
    for (int i = 0; i < n; i++)
        axes[i] = axis + i;
    nashc_value *mean = onnx_op1(r, "nn.reduce_mean", x, "axes=%s", onnx_ints(r, axes, n));
    if ((s = onnx_set(r, 1, mean, onnx_in_elem(r, 0))) || !onnx_out_used(r, 2))
        return s;
    nashc_value *d = onnx_op2(r, "nn.sub", x, mean);
    d = onnx_op1(r, "nn.reduce_mean", onnx_op2(r, "nn.mul", d, d), "axes=%s",
                 onnx_ints(r, axes, n));
    d = onnx_op2(r, "nn.add", d, onnx_f32(r, onnx_attr_float(r, "epsilon", (double)1e-5f)));
    d = onnx_op1(r, "nn.reciprocal", onnx_op1(r, "nn.sqrt", d, NULL), NULL);
    return onnx_set(r, 2, d, onnx_in_elem(r, 0));
}

nashc_status
onnx_read_layer_norm(onnx_in *r)
{
    nashc_value *in[3] = {onnx_in_value(r, 0), onnx_in_value(r, 1), onnx_in_value(r, 2)};
    int axis;
    nashc_status s;

    if (!in[0] || !in[1] || r->failed)
        return onnx_build_status(r);
    s = onnx_axis(r, onnx_attr_int(r, "axis", -1), nashc_value_type(in[0])->rank, &axis);
    if (s || (s = norm_statistics(r, in[0], axis)))
        return s;
    return onnx_set(r, 0,
                    onnx_op(r, "nn.layer_norm", in, in[2] ? 3 : 2, "axis=%d eps=%.17g", axis,
                            onnx_attr_float(r, "epsilon", (double)1e-5f)),
                    onnx_in_elem(r, 0));
}

/* Before opset 13 the axes from axis on form one: softmax over all of them together. */
nashc_status
onnx_read_softmax_old(onnx_in *r)
{
    nashc_value *x = onnx_in_value(r, 0);
    const char *op = strcmp(r->node->op_type, "Softmax") ? "nn.log_softmax" : "nn.softmax";
    int axis;
    nashc_status s;

    if (!x)
        return onnx_build_status(r);
    nashc_type t = *nashc_value_type(x);
    if ((s = onnx_axis(r, onnx_attr_int(r, "axis", 1), t.rank, &axis)))
        return s;
    bool flat = true;
    for (int i = axis + 1; i < t.rank; i++)
        flat = flat && t.dim[i] == 1;
    if (flat)
        return onnx_set(r, 0, onnx_op1(r, op, x, "axis=%d", axis), onnx_in_elem(r, 0));
    int64_t dim[2] = {1, 1};
    for (int i = 0; i < t.rank; i++)
        dim[i >= axis] *= t.dim[i];
    x = onnx_reshape(r, x, dim, 2);
    x = onnx_op1(r, op, x, "axis=1");
    return onnx_set(r, 0, onnx_reshape(r, x, t.dim, t.rank), onnx_in_elem(r, 0));
}

/* 1 where the (first) maximum along the axis is, else 0: 1 - min(|position - argmax|, 1). */
nashc_status
onnx_read_hardmax(onnx_in *r)
{
    nashc_value *x = onnx_in_value(r, 0);
    bool old = r->row->since < 13;
    int64_t dim[NASHC_MAX_RANK], flat[2] = {1, 1};
    double *position;
    int axis;
    nashc_status s;

    if (!x)
        return onnx_build_status(r);
    nashc_type t = *nashc_value_type(x), shape = t;
    if ((s = onnx_axis(r, onnx_attr_int(r, "axis", old ? 1 : -1), t.rank, &axis)))
        return s;
    if (old) { /* as for the old Softmax, the axes from axis on form one */
        for (int i = 0; i < t.rank; i++)
            flat[i >= axis] *= t.dim[i];
        x = onnx_reshape(r, x, flat, 2);
        shape = nashc_type_shaped(t, 2, flat);
        axis = 1;
    }
    position = NASHC_NEW_N(r->arena, double, shape.dim[axis]);
    if (!position)
        return nashc_enomem(r->d);
    for (int64_t i = 0; i < shape.dim[axis]; i++)
        position[i] = (double)i;
    for (int i = 0; i < shape.rank; i++)
        dim[i] = i == axis ? shape.dim[i] : 1;
    nashc_value *at = onnx_op1(r, "nn.argmax", x, "axis=%d keepdims=true", axis);
    nashc_value *all = onnx_const(r, NULL, onnx_tensor_f32(position, shape.rank, dim));
    nashc_value *d = onnx_op1(r, "nn.abs", onnx_op2(r, "nn.sub", all, at), NULL);
    d = onnx_op2(r, "nn.sub", onnx_f32(r, 1), onnx_op2(r, "nn.min", d, onnx_f32(r, 1)));
    return onnx_set(r, 0, old ? onnx_reshape(r, d, t.dim, t.rank) : d, onnx_in_elem(r, 0));
}

/* scale * (x - mean) / sqrt(variance + epsilon) + bias, over the spatial axes of each channel. */
nashc_status
onnx_read_instance_norm(onnx_in *r)
{
    nashc_value *in[3] = {onnx_in_plain(r, 0), onnx_in_value(r, 1), onnx_in_value(r, 2)};
    int64_t axes[NASHC_MAX_RANK], dim[NASHC_MAX_RANK];

    if (!in[0] || !in[1] || !in[2])
        return onnx_build_status(r);
    const nashc_type *x = nashc_value_type(in[0]);
    if (x->rank < 3)
        return onnx_err(r, "input \"%s\" is %s, expected [N,C,...] with spatial dimensions",
                        onnx_in_name(r, 0), nashc_type_str(r->d, x));
    for (int i = 0; i < x->rank; i++) {
        axes[i] = i + 2;
        dim[i] = i == 1 ? x->dim[1] : 1;
    }
    for (int i = 1; i < 3; i++) {
        const nashc_type *t = nashc_value_type(in[i]);
        if (t->rank != 1 || t->dim[0] != x->dim[1])
            return onnx_err(r, "parameter \"%s\" is %s, expected %" PRId64 " elements",
                            onnx_in_name(r, i), nashc_type_str(r->d, t), x->dim[1]);
        in[i] = onnx_reshape(r, in[i], dim, x->rank);
    }
    const char *over = onnx_ints(r, axes, x->rank - 2);
    nashc_value *d =
        onnx_op2(r, "nn.sub", in[0], onnx_op1(r, "nn.reduce_mean", in[0], "axes=%s", over));
    nashc_value *v = onnx_op1(r, "nn.reduce_mean", onnx_op2(r, "nn.mul", d, d), "axes=%s", over);
    v = onnx_op2(r, "nn.add", v, onnx_f32(r, onnx_attr_float(r, "epsilon", (double)1e-5f)));
    d = onnx_op2(r, "nn.div", d, onnx_op1(r, "nn.sqrt", v, NULL));
    d = onnx_op2(r, "nn.add", onnx_op2(r, "nn.mul", d, in[1]), in[2]);
    return onnx_set(r, 0, d, onnx_in_elem(r, 0));
}
