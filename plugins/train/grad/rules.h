/* rules.h: the rules that training brings, and small things that they share. */
#ifndef TRAIN_RULES_H
#define TRAIN_RULES_H

#include <nashc/grad.h>
#include <nashc/op.h>

/* All of them, and the tasks; NULL-terminated (rules.c). */
extern const nashc_impl *const train_impls[];

/* nashc_grad.blocks of rules that can have any node in blocks whose batched operands have the rank
 * of the result. */
bool train_blocks(const nashc_grad_call *c);

/* Samples in block b: NASHC_GRAD_BLOCK but in the last. */
static inline int64_t
train_block_size(const nashc_grad_call *c, int64_t b)
{
    int64_t left = c->batch - b * NASHC_GRAD_BLOCK;

    return left < NASHC_GRAD_BLOCK ? left : NASHC_GRAD_BLOCK;
}

/* x, seen as [outer][n][inner], meets a small operand (scale, gamma) of n elements along one axis.
 */
typedef struct train_axis {
    int64_t outer, n, inner;
} train_axis;

/* How `small` is broadcast to x; false if it varies along more than one axis. */
bool train_axis_of(const nashc_grad_call *c, const nashc_grad_arg *x, const nashc_grad_arg *small,
                   train_axis *out);

/* Strides, in elements, with which `a` is walked along the axes of shape (broadcast: 0). */
void train_strides(const nashc_grad_call *c, const nashc_grad_arg *a, const nashc_type *shape,
                   int64_t *stride);

/* Calls each(user, at) for every row of shape (its last axis), at[k] the offset of operand k of n,
 * in row-major order. */
typedef void train_row(void *user, int64_t row, const int64_t *at);
void train_rows(const nashc_type *shape, int n, const int64_t (*stride)[NASHC_MAX_RANK],
                train_row *each, void *user);

#endif
