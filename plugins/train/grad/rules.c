/* rules.c: the table of rules and tasks, and how operands are broadcast. */
#include "plugins/train/grad/rules.h"
#include "plugins/train/task/task.h"

/* Each is in the file of its family. */
extern const nashc_impl train_grad_conv, train_grad_conv_transpose, train_grad_matmul,
    train_grad_gemm, train_grad_add, train_grad_sub, train_grad_mul, train_grad_batchnorm,
    train_grad_relu, train_grad_clip, train_grad_tanh, train_grad_sigmoid, train_grad_neg,
    train_grad_leaky_relu, train_grad_maxpool, train_grad_avgpool, train_grad_sumpool,
    train_grad_global_maxpool, train_grad_global_avgpool, train_grad_global_sumpool,
    train_grad_reshape, train_grad_identity, train_grad_transpose, train_grad_concat,
    train_grad_slice, train_grad_pad, train_grad_softmax, train_grad_log_softmax, train_grad_quant,
    train_grad_bipolar_quant, train_grad_trunc, train_grad_sign, train_grad_mean_abs,
    train_grad_choice, train_grad_resize;

const nashc_impl *const train_impls[] = {&train_grad_conv,
                                         &train_grad_conv_transpose,
                                         &train_grad_matmul,
                                         &train_grad_gemm,
                                         &train_grad_add,
                                         &train_grad_sub,
                                         &train_grad_mul,
                                         &train_grad_batchnorm,
                                         &train_grad_relu,
                                         &train_grad_clip,
                                         &train_grad_tanh,
                                         &train_grad_sigmoid,
                                         &train_grad_neg,
                                         &train_grad_leaky_relu,
                                         &train_grad_maxpool,
                                         &train_grad_avgpool,
                                         &train_grad_sumpool,
                                         &train_grad_global_maxpool,
                                         &train_grad_global_avgpool,
                                         &train_grad_global_sumpool,
                                         &train_grad_reshape,
                                         &train_grad_identity,
                                         &train_grad_transpose,
                                         &train_grad_concat,
                                         &train_grad_slice,
                                         &train_grad_pad,
                                         &train_grad_softmax,
                                         &train_grad_log_softmax,
                                         &train_grad_quant,
                                         &train_grad_bipolar_quant,
                                         &train_grad_trunc,
                                         &train_grad_sign,
                                         &train_grad_mean_abs,
                                         &train_grad_choice,
                                         &train_grad_resize,
                                         &train_task_classify,
                                         &train_task_detect,
                                         &train_task_segment,
                                         NULL};

bool
train_blocks(const nashc_grad_call *c)
{
    int rank = c->out[0].type->rank;

    for (int k = 0; k < c->n_in; k++)
        if (c->in[k].batched && c->in[k].type->rank != rank)
            return false;
    return rank >= 1 && rank < NASHC_MAX_RANK;
}

bool
train_axis_of(const nashc_grad_call *c, const nashc_grad_arg *x, const nashc_grad_arg *small,
              train_axis *out)
{
    nashc_type shape = nashc_grad_shape(c, x);
    int off = x->type->rank - small->type->rank, axis = -1;

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
    bool shared = c->flags & NASHC_GRAD_BLOCKS && !a->batched; /* by the samples of a block */
    int off = shape->rank - shared - t.rank;
    int64_t step = 1;

    for (int i = shape->rank - 1; i >= 0; i--) {
        int at = i - off;
        int64_t dim = at >= 0 && at < t.rank ? t.dim[at] : 1;
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
