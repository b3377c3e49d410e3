/* eltwise.c: gradients of nn.add, nn.sub and nn.mul, with broadcasting: the gradient of an operand
 * that was stretched is the sum over all places it went to. */
#include "plugins/train/grad/rules.h"
#include <nashc/clones.h>
#include <string.h>

typedef enum { ADD, SUB, MUL } kind;

typedef struct binary {
    const nashc_grad_call *c;
    kind kind;
    int64_t size, step[2]; /* of a row; of the operands along it */
} binary;

static kind
kind_of(const nashc_node *n)
{
    return nashc_node_is(n, "nn.add") ? ADD : nashc_node_is(n, "nn.sub") ? SUB : MUL;
}

static inline float
combine(kind k, float a, float b)
{
    return k == ADD ? a + b : k == SUB ? a - b : a * b;
}

/* --- operands of one shape ------------------------------------------------------------------- */

NASHC_CLONES static void
forward_same(void *arg, int thread, int64_t lo, int64_t hi)
{
    const binary *p = arg;
    const float *a = p->c->in[0].v, *b = p->c->in[1].v;
    float *y = p->c->out[0].v;

    const kind k = p->kind;

    (void)thread;
    for (int64_t i = lo; i < hi; i++)
        y[i] = combine(k, a[i], b[i]);
}

/* to = or += the gradient of operand k. */
static inline void
back_elements(const binary *p, int k, const bool set, int64_t lo, int64_t hi)
{
    const float *g = p->c->out[0].g, *other = p->c->in[1 - k].v;
    float *to = p->c->in[k].g;

    if (p->kind == MUL)
        for (int64_t i = lo; i < hi; i++)
            to[i] = (set ? 0.0f : to[i]) + g[i] * other[i];
    else if (p->kind == SUB && k == 1)
        for (int64_t i = lo; i < hi; i++)
            to[i] = (set ? 0.0f : to[i]) - g[i];
    else
        for (int64_t i = lo; i < hi; i++)
            to[i] = (set ? 0.0f : to[i]) + g[i];
}

NASHC_CLONES static void
backward_same(void *arg, int thread, int64_t lo, int64_t hi)
{
    const binary *p = arg;

    (void)thread;
    for (int k = 0; k < 2; k++)
        if (p->c->in[k].g && (p->c->sets >> k & 1u))
            back_elements(p, k, true, lo, hi);
        else if (p->c->in[k].g)
            back_elements(p, k, false, lo, hi);
}

/* --- broadcast operands ---------------------------------------------------------------------- */

static void
forward_row(void *user, int64_t row, const int64_t *at)
{
    const binary *p = user;
    const float *a = p->c->in[0].v + at[0], *b = p->c->in[1].v + at[1];
    float *y = p->c->out[0].v + row * p->size;

    for (int64_t i = 0; i < p->size; i++)
        y[i] = combine(p->kind, a[i * p->step[0]], b[i * p->step[1]]);
}

static void
backward_row(void *user, int64_t row, const int64_t *at)
{
    const binary *p = user;
    const float *g = p->c->out[0].g + row * p->size;

    for (int k = 0; k < 2; k++) {
        float *to = p->c->in[k].g;
        const float *other = p->c->in[1 - k].v;
        float sign = p->kind == SUB && k == 1 ? -1.0f : 1.0f;
        for (int64_t i = 0; to && i < p->size; i++)
            to[at[k] + i * p->step[k]] +=
                p->kind == MUL ? g[i] * other[at[1 - k] + i * p->step[1 - k]] : sign * g[i];
    }
}

static nashc_status
run(const nashc_grad_call *c, nashc_grad_job *same, train_row *row)
{
    binary p = {.c = c, .kind = kind_of(c->node)};
    nashc_type shape = nashc_grad_shape(c, &c->out[0]);
    int64_t stride[2][NASHC_MAX_RANK];

    if (c->in[0].n == c->out[0].n && c->in[1].n == c->out[0].n) {
        nashc_grad_parallel(c, c->out[0].n, same, &p);
        return NASHC_OK;
    }
    p.size = shape.rank ? shape.dim[shape.rank - 1] : 1;
    for (int k = 0; k < 2; k++) {
        train_strides(c, &c->in[k], &shape, stride[k]);
        p.step[k] = shape.rank ? stride[k][shape.rank - 1] : 0;
    }
    train_rows(&shape, 2, (const int64_t(*)[NASHC_MAX_RANK])stride, row, &p);
    return NASHC_OK;
}

static nashc_status
forward(const nashc_grad_call *c)
{
    return run(c, forward_same, forward_row);
}

static nashc_status
backward(const nashc_grad_call *c)
{
    for (int k = 0; k < 2; k++) /* broadcast ones are added to */
        if ((c->sets >> k & 1u) && c->in[k].g &&
            (c->in[0].n != c->out[0].n || c->in[1].n != c->out[0].n))
            memset(c->in[k].g, 0, (size_t)c->in[k].n * sizeof(float));
    return run(c, backward_same, backward_row);
}

static const nashc_grad sum_rule = {NASHC_DESC(nashc_grad), .forward = forward,
                                    .backward = backward, .blocks = train_blocks, .sets = 3};
static const nashc_grad mul_rule = {NASHC_DESC(nashc_grad), .keeps_in = 3,
                                    .forward = forward,     .backward = backward,
                                    .blocks = train_blocks, .sets = 3};
const nashc_impl train_grad_add = NASHC_IMPL_GRAD("nn.add", &sum_rule);
const nashc_impl train_grad_sub = NASHC_IMPL_GRAD("nn.sub", &sum_rule);
const nashc_impl train_grad_mul = NASHC_IMPL_GRAD("nn.mul", &mul_rule);
