/* rules.c: the table of rules, and how operands are broadcast. */
#include "plugins/train/grad/rules.h"

/* One line a rule; each is in the file of its family. */
#define RULES(X)                                                                                   \
    X(conv)                                                                                        \
    X(conv_transpose)                                                                              \
    X(matmul)                                                                                      \
    X(gemm) X(add) X(sub) X(mul) X(batchnorm) X(relu) X(clip) X(tanh) X(sigmoid) X(neg)            \
        X(leaky_relu) X(maxpool) X(avgpool) X(sumpool) X(global_maxpool) X(global_avgpool)         \
            X(global_sumpool) X(reshape) X(identity) X(transpose) X(concat) X(slice) X(pad)        \
                X(softmax) X(log_softmax) X(quant) X(bipolar_quant) X(trunc)

#define DECLARE(name) extern const nashc_impl train_grad_##name;
#define ENTRY(name)   &train_grad_##name,

RULES(DECLARE)
const nashc_impl *const train_grad_rules[] = {RULES(ENTRY) NULL};

bool
train_axis_of(const nashc_grad_call *c, const nashc_grad_arg *x, const nashc_grad_arg *small,
              train_axis *out)
{
    nashc_type shape = nashc_grad_shape(c, x);
    int off = shape.rank - small->type->rank, axis = -1;

    for (int a = 0; a < small->type->rank; a++)
        if (small->type->dim[a] > 1) {
            if (axis >= 0)
                return false;
            axis = a + off;
        }
    *out = (train_axis){1, 1, 1};
    for (int a = 0; a < shape.rank; a++)
        *(axis < 0 || a > axis ? &out->inner : a < axis ? &out->outer : &out->n) *= shape.dim[a];
    return true;
}

void
train_strides(const nashc_grad_call *c, const nashc_grad_arg *a, const nashc_type *shape,
              int64_t *stride)
{
    nashc_type t = nashc_grad_shape(c, a);
    int64_t step = 1;

    for (int i = shape->rank - 1; i >= 0; i--) {
        int at = i - (shape->rank - t.rank);
        int64_t dim = at >= 0 ? t.dim[at] : 1;
        stride[i] = dim > 1 ? step : 0;
        step *= dim;
    }
}

void
train_rows(const nashc_type *shape, int n, const int64_t (*stride)[NASHC_MAX_RANK], train_row *each,
           void *user)
{
    int64_t count[NASHC_MAX_RANK] = {0}, at[4] = {0}, rows = 1;

    for (int a = 0; a < shape->rank - 1; a++)
        rows *= shape->dim[a];
    for (int64_t r = 0; r < rows; r++) {
        each(user, r, at);
        for (int a = shape->rank - 2; a >= 0; a--) {
            bool wraps = ++count[a] == shape->dim[a];
            for (int k = 0; k < n; k++)
                at[k] += wraps ? -(shape->dim[a] - 1) * stride[k][a] : stride[k][a];
            if (!wraps)
                break;
            count[a] = 0;
        }
    }
}
