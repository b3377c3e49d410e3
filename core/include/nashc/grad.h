/* grad.h: how an operator is differentiated: rules of the interface "grad", called by training. */
#ifndef NASHC_GRAD_H
#define NASHC_GRAD_H

#include <nashc/io.h>

NASHC_BEGIN

/* Operand or result of a node in a training step: float32, row-major. `type` is what the graph
 * says; a batched value depends on the graph's input and holds `batch` samples one after the other,
 * so its first axis, 1 in the graph, is `batch` in memory. */
typedef struct nashc_grad_arg {
    const nashc_type *type;
    int64_t n;    /* elements in memory */
    bool batched; /* else one for all samples: weights, scales */
    float *v;     /* values; NULL: operand left out, or a value that backward did not ask for */
    float *g;     /* dL/dv. Operands: backward adds to it (or sets it, nashc_grad.sets), NULL if not
                   * wanted; results: given */
} nashc_grad_arg;

/* What is known of the values of an operand that quantisers made: element i in memory is a whole
 * number from lo to hi, times scale[i / inner % n_scales], or not finite. scale NULL: nothing. */
typedef struct nashc_grad_codes {
    const float *scale;
    int64_t n_scales, inner;
    int32_t lo, hi;
} nashc_grad_codes;

/* nashc_grad_call.flags. TRAINING: statistics of the batch, kept running. BLOCKS: every batched
 * operand and result is in blocks of NASHC_GRAD_BLOCK samples, element by element, the samples of a
 * block side by side: element i of sample k is at ((k / B) * elements + i) * B + k % B. Places
 * behind the last sample hold finite values that mean nothing; their gradients are 0. */
#define NASHC_GRAD_TRAINING 1u
#define NASHC_GRAD_BLOCKS   2u
#define NASHC_GRAD_BLOCK    32

/* Does items lo .. hi-1 of a loop in thread `thread`. */
typedef void nashc_grad_job(void *arg, int thread, int64_t lo, int64_t hi);

/* One call of a rule. Everything is the caller's; results start undefined in forward. */
typedef struct nashc_grad_call {
    uint32_t struct_size, flags;
    const nashc_node *node;
    int64_t batch;
    int n_in, n_out;
    const nashc_grad_arg *in, *out;
    double bn_momentum; /* weight of the batch in running statistics */
    void *saved;        /* kept from forward to backward, as large as sizes said */
    void *scratch;      /* of this call */
    int n_threads;
    void *pool;
    void (*run)(void *pool, int64_t n, nashc_grad_job *job, void *arg);
    nashc_diag *diag;
    const nashc_grad_codes *codes; /* of each operand; NULL: nothing is known of any */
    uint32_t signs;                /* operands whose codes are -1 and 1 only */
    uint32_t sets; /* operands whose gradient is not there yet: backward sets all of it */
} nashc_grad_call;

#define NASHC_GRAD_VIEW                                                                            \
    1u /* nashc_grad.flags: result 0 is operand 0 under another shape: no calls */

/* The rule of an op. Masks have bit i for operand or result i; beyond 31 there is no bit, so that
 * variadic ops say all or none. */
typedef struct nashc_grad {
    uint32_t struct_size, flags;
    uint32_t keeps_in, keeps_out; /* whose values backward reads */
    uint32_t trains;              /* constant operands that are parameters */
    uint32_t running;             /* constant operands that are running statistics */
    uint32_t scales;              /* constant operands that are scales of a quantiser */

    /* Bytes of saved and scratch, with the largest batch; EUNSUP for what the rule cannot do. NULL:
     * 0 and 0, all can be done. Values are not there yet. */
    nashc_status (*sizes)(const nashc_grad_call *c, size_t *saved, size_t *scratch);

    nashc_status (*forward)(const nashc_grad_call *c);
    nashc_status (*backward)(const nashc_grad_call *c); /* NULL: no gradient flows through the op */

    /* Whether calls of this node may have NASHC_GRAD_BLOCKS, and then always have. NULL: never. */
    bool (*blocks)(const nashc_grad_call *c);

    /* Operands whose gradient backward can set instead of adding to it, with 0 behind the last
     * sample of a block, where nashc_grad_call.sets asks for it: others start at 0. */
    uint32_t sets;

    /* Operands, of those that it sets, whose gradient may be in the place of that of result 0, as
     * large as it: element i of the one is written behind the last reading of element i of the
     * other. */
    uint32_t in_place;
} nashc_grad;

#define NASHC_IMPL_GRAD(op_, rule_)                                                                \
    {                                                                                              \
        NASHC_DESC(nashc_impl), .iface = "grad", .op = (op_),                                      \
                                .rule = (1 ? (rule_) : (const nashc_grad *)0)                      \
    }

/* Splits 0 .. n-1 evenly between the threads, in order; returns when all is done. Which thread does
 * which part depends on n and the number of threads only. */
static inline void
nashc_grad_parallel(const nashc_grad_call *c, int64_t n, nashc_grad_job *job, void *arg)
{
    c->run(c->pool, n, job, arg);
}

/* Blocks that hold the batch. */
static inline int64_t
nashc_grad_n_blocks(const nashc_grad_call *c)
{
    return (c->batch + NASHC_GRAD_BLOCK - 1) / NASHC_GRAD_BLOCK;
}

/* The type with the axis of samples as it is in memory; in blocks: with that of blocks, and one
 * more axis at the end, of the samples of a block. */
static inline nashc_type
nashc_grad_shape(const nashc_grad_call *c, const nashc_grad_arg *a)
{
    nashc_type t = *a->type;
    bool blocks = c->flags & NASHC_GRAD_BLOCKS;

    if (!a->batched || t.rank < 1)
        return t;
    t.dim[0] *= blocks ? nashc_grad_n_blocks(c) : c->batch;
    if (blocks)
        t.dim[t.rank++] = NASHC_GRAD_BLOCK;
    return t;
}

NASHC_END
#endif
