/* norm.c: normalisation with given or computed statistics.
 *
 *     nn.batchnorm(x, gamma, beta, mean, var)
 *         y = gamma * (x - mean) / sqrt(var + eps) + beta      parameters [C], channel axis of x
 *     nn.layer_norm(x, scale, [bias])
 *         y = (x - m) / sqrt(v + eps) * scale + bias           m, v over axes axis .. rank-1
 *
 * ONNX BatchNormalization (inference) and LayerNormalization. In double, rounded once.
 */
#include "ops.h"

static const nashc_param batchnorm_attrs[] = {
    ATTR(FLOAT, "eps", "1e-5", NULL, "added to the variance"),
    {0},
};

static nashc_status
batchnorm_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    static const char *const names[] = {"input", "gamma", "beta", "mean", "variance"};
    nashc_status s = ops_need_rank(n, 0, "input", 1, NASHC_MAX_RANK, d);

    if (s != NASHC_OK)
        return s;
    const nashc_type *x = ops_type(n, 0);
    for (int i = 1; i < 5; i++) {
        const nashc_type *p = ops_type(n, i);
        if (!p || p->rank != 1 || p->dim[0] != nashc_type_channels(x))
            return nashc_node_error(d, n, "%s is %s, expected [%" PRId64 "] for input %s", names[i],
                                    p ? nashc_type_str(d, p) : "missing", nashc_type_channels(x),
                                    nashc_type_str(d, x));
    }
    nashc_type elem = ops_float(n);
    *out = nashc_type_with_elem(x, &elem);
    return NASHC_OK;
}

static nashc_status
batchnorm_verify(const nashc_node *n, nashc_diag *d)
{
    const nashc_tensor *var = ops_const(n, 4);
    double eps = nashc_attr_float(n, 0);

    if (!(eps >= 0.0) || isinf(eps))
        return nashc_node_error(d, n, "eps is %g, expected a number >= 0", eps);
    for (int i = 1; i < 5; i++) {
        nashc_status s = ops_need_finite(n, i, "parameter", d);
        if (s != NASHC_OK)
            return s;
    }
    for (int64_t c = 0; var && c < nashc_tensor_count(var); c++) {
        double v = nashc_tensor_get(var, c);
        if (v < 0.0)
            return nashc_node_error(d, n, "negative variance %g of channel %" PRId64, v, c);
        if (v + eps == 0.0)
            return nashc_node_error(d, n, "variance and eps of channel %" PRId64 " are both 0", c);
    }
    return NASHC_OK;
}

static nashc_status
batchnorm_eval(nashc_eval *e, const nashc_node *n)
{
    nashc_buf *y = nashc_eval_out(e, 0);
    const double *x = nashc_eval_f64(e, 0), *gamma = nashc_eval_f64(e, 1);
    const double *beta = nashc_eval_f64(e, 2), *mean = nashc_eval_f64(e, 3);
    const double *var = nashc_eval_f64(e, 4), eps = nashc_attr_f32(n, 0);
    int64_t inner = 1, channels = nashc_type_channels(&y->type);

    if (!x || !gamma || !beta || !mean || !var)
        return NASHC_ENOMEM;
    for (int a = nashc_type_channel_axis(&y->type) + 1; a < y->type.rank; a++)
        inner *= y->type.dim[a];
    for (int64_t line = 0; line < y->n / inner; line++) {
        int64_t c = line % channels;
        double root = sqrt(var[c] + eps);
        if (ops_float_sums(e)) { /* as onnxruntime: a factor and an addend, both rounded */
            float by = (float)gamma[c] * (1.0f / sqrtf((float)var[c] + (float)eps));
            float add = (float)beta[c] - (float)mean[c] * by;
            for (int64_t i = line * inner; i < (line + 1) * inner; i++)
                ops_put(y, i, (double)((float)x[i] * by + add));
            continue;
        }
        for (int64_t i = line * inner; i < (line + 1) * inner; i++)
            ops_put(y, i, gamma[c] * (x[i] - mean[c]) / root + beta[c]);
    }
    return NASHC_OK;
}

const nashc_op nashc_op_nn_batchnorm = {
    NASHC_DESC(nashc_op),
    .name = "nn.batchnorm",
    .help = "per-channel affine map given as normalisation",
    .min_in = 5,
    .max_in = 5,
    .min_out = 1,
    .max_out = 1,
    .attrs = batchnorm_attrs,
    .verify = batchnorm_verify,
    .infer = batchnorm_infer,
    .eval = batchnorm_eval,
};

/* --- nn.layer_norm -----------------------------------------------------------------------------
 */

static const nashc_param layer_norm_attrs[] = {
    ATTR(INT, "axis", "-1", "-8..7", "first of the normalised axes"),
    ATTR(FLOAT, "eps", "1e-5", NULL, "added to the variance"),
    {0},
};

/* Shape of the normalised axes, to which scale and bias are broadcast. */
static nashc_type
inner_shape(const nashc_type *x, int axis)
{
    return nashc_type_shaped(nashc_type_f32(), x->rank - axis, x->dim + axis);
}

static nashc_status
layer_norm_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    int axis;
    nashc_status s = ops_infer_float(n, out, d);

    if (s != NASHC_OK || (s = ops_axis(n, nashc_attr_int(n, 0), out->rank, &axis, d)) != NASHC_OK)
        return s;
    nashc_type shape = inner_shape(out, axis);
    for (int i = 1; i < nashc_node_n_in(n); i++) {
        const nashc_type *p = ops_type(n, i);
        nashc_type both = shape;
        if ((!p && i == 1) || (p && (!nashc_type_broadcast(&shape, p, &both) ||
                                     !nashc_type_same_shape(&both, &shape))))
            return nashc_node_error(d, n, "%s %s does not broadcast to the axes from %d on of %s",
                                    i == 1 ? "scale" : "bias", p ? nashc_type_str(d, p) : "", axis,
                                    nashc_type_str(d, ops_type(n, 0)));
    }
    return NASHC_OK;
}

static nashc_status
layer_norm_verify(const nashc_node *n, nashc_diag *d)
{
    double eps = nashc_attr_float(n, 1);

    if (!(eps >= 0.0) || isinf(eps))
        return nashc_node_error(d, n, "eps is %g, expected a number >= 0", eps);
    return NASHC_OK;
}

static nashc_status
layer_norm_eval(nashc_eval *e, const nashc_node *n)
{
    nashc_buf *y = nashc_eval_out(e, 0);
    const nashc_buf *sb = nashc_eval_in(e, 1), *bb = nashc_eval_in(e, 2);
    const double *x = nashc_eval_f64(e, 0), *scale = nashc_eval_f64(e, 1);
    const double *bias = bb ? nashc_eval_f64(e, 2) : NULL;
    double eps = nashc_attr_f32(n, 1);
    int64_t axis = nashc_attr_int(n, 0);

    if (!x || !scale || (bb && !bias))
        return NASHC_ENOMEM;
    axis += axis < 0 ? y->type.rank : 0;
    nashc_type shape = inner_shape(&y->type, (int)axis);
    int64_t size = nashc_type_count(&shape);
    for (int64_t at = 0; at < y->n; at += size) {
        double mean = 0.0, var = 0.0;
        ops_walk ws, wb;
        for (int64_t i = 0; i < size; i++)
            mean += x[at + i];
        mean /= (double)size;
        for (int64_t i = 0; i < size; i++)
            var += (x[at + i] - mean) * (x[at + i] - mean);
        double root = sqrt(var / (double)size + eps);
        ops_walk_init(&ws, &sb->type, &shape);
        ops_walk_init(&wb, bb ? &bb->type : &sb->type, &shape);
        for (int64_t i = 0; i < size; i++) {
            double v = (x[at + i] - mean) / root * scale[ops_walk_next(&ws)];
            int64_t b = ops_walk_next(&wb);
            ops_put(y, at + i, bias ? v + bias[b] : v);
        }
    }
    return NASHC_OK;
}

const nashc_op nashc_op_nn_layer_norm = {
    NASHC_DESC(nashc_op),
    .name = "nn.layer_norm",
    .help = "normalise over the last axes",
    .min_in = 2,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .attrs = layer_norm_attrs,
    .verify = layer_norm_verify,
    .infer = layer_norm_infer,
    .eval = layer_norm_eval,
};
