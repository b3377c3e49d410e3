/* softmax.c: nn.softmax and nn.log_softmax along one axis.
 *
 *     softmax(x)[i]     = exp(x[i] - max) / sum over j of exp(x[j] - max)
 *     log_softmax(x)[i] = x[i] - max - log(sum)
 *
 * ONNX from opset 13 on (one axis; the importer expands older forms). In double, rounded once.
 */
#include "ops.h"

static const nashc_param softmax_attrs[] = {
    ATTR(INT, "axis", "-1", "-8..7", "axis of the distribution"),
    {0},
};

static nashc_status
softmax_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    int axis;
    nashc_status s = ops_infer_float(n, out, d);

    return s == NASHC_OK ? ops_axis(n, nashc_attr_int(n, 0), out->rank, &axis, d) : s;
}

static nashc_status
eval(nashc_eval *e, const nashc_node *n, bool logarithm)
{
    const double *x = nashc_eval_f64(e, 0);
    nashc_buf *y = nashc_eval_out(e, 0);
    int64_t axis = nashc_attr_int(n, 0), inner = 1;

    if (!x)
        return NASHC_ENOMEM;
    axis += axis < 0 ? y->type.rank : 0;
    for (int a = (int)axis + 1; a < y->type.rank; a++)
        inner *= y->type.dim[a];
    int64_t size = y->type.dim[axis];
    for (int64_t line = 0; line < y->n / size; line++) {
        int64_t at = line / inner * inner * size + line % inner;
        double max = -INFINITY, sum = 0.0;
        for (int64_t i = 0; i < size; i++)
            max = x[at + i * inner] > max ? x[at + i * inner] : max;
        for (int64_t i = 0; i < size; i++)
            sum += exp(x[at + i * inner] - max);
        for (int64_t i = 0; i < size; i++) {
            double v = x[at + i * inner] - max;
            ops_put(y, at + i * inner, logarithm ? v - log(sum) : exp(v) / sum);
        }
    }
    return NASHC_OK;
}

static nashc_status
softmax_eval(nashc_eval *e, const nashc_node *n)
{
    return eval(e, n, false);
}

static nashc_status
log_softmax_eval(nashc_eval *e, const nashc_node *n)
{
    return eval(e, n, true);
}

const nashc_op nashc_op_nn_softmax = {
    NASHC_DESC(nashc_op),
    .name = "nn.softmax",
    .help = "exp(x) / sum of exp(x) along an axis",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .attrs = softmax_attrs,
    .infer = softmax_infer,
    .eval = softmax_eval,
};

const nashc_op nashc_op_nn_log_softmax = {
    NASHC_DESC(nashc_op),
    .name = "nn.log_softmax",
    .help = "logarithm of softmax along an axis",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .attrs = softmax_attrs,
    .infer = softmax_infer,
    .eval = log_softmax_eval,
};
