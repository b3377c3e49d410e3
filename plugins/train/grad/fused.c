/* fused.c: y = quant(relu(batchnorm(x))), relu or not, in one pass over memory behind the
 * statistics.
 *
 * Backward computes what stood between anew, with the same roundings, and leaves the gradient
 * behind the normalisation in the place of that of y, which nobody reads any more. */
#include "plugins/train/grad/fused.h"
#include "plugins/train/clones.h"
#include "plugins/train/grad/norm.h"
#include "plugins/train/grad/quant.h"
#include <string.h>

enum { SCALE = 5, ZERO = 6 };

const nashc_node *
train_fused_quantiser(const nashc_node *bn, const nashc_node **relu)
{
    const nashc_node *n =
        nashc_node_is(bn, "nn.batchnorm") ? nashc_value_one_user(nashc_node_out(bn, 0)) : NULL;

    *relu = n && nashc_node_is(n, "nn.relu") ? n : NULL;
    if (*relu)
        n = nashc_value_one_user(nashc_node_out(n, 0));
    if (!n || !nashc_node_is(n, "q.quant") || nashc_node_bool(n, "codes"))
        return NULL;
    for (int i = 1; i < 3; i++)
        if (!nashc_value_const(nashc_node_in(n, i)) ||
            nashc_type_count(nashc_value_type(nashc_node_in(n, i))) != 1)
            return NULL;
    return n;
}

typedef struct job {
    const nashc_grad_call *c;
    train_norm s;
    train_quant q;
    double *sum; /* of ds, a thread */
} job;

static nashc_status
setup(const nashc_grad_call *c, job *j)
{
    const nashc_node *relu, *node = train_fused_quantiser(c->node, &relu);
    nashc_grad_arg in[3] = {c->out[0], c->in[SCALE], c->in[ZERO]};
    nashc_grad_call q = *c;

    q.node = node;
    q.in = in;
    q.n_in = 3;
    *j = (job){.c = c, .sum = c->scratch};
    train_norm_of(c, &j->s);
    nashc_status s = train_quant_of(&q, &j->q);
    j->q.relu = relu != NULL;
    return s;
}

static nashc_status
sizes(const nashc_grad_call *c, size_t *saved, size_t *scratch)
{
    job j;

    *saved = 2 * (size_t)nashc_type_channels(c->in[0].type) * sizeof(double);
    *scratch = (size_t)c->n_threads * sizeof(double);
    nashc_status s = train_norm_check(c);
    return s == NASHC_OK ? setup(c, &j) : s;
}

static void
forward_part(void *arg, int thread, int64_t lo, int64_t hi)
{
    const job *j = arg;
    const nashc_grad_arg *in = j->c->in;
    int64_t n = j->s.size * NASHC_GRAD_BLOCK;

    (void)thread;
    for (int64_t ch = lo; ch < hi; ch++) {
        train_norm_statistics(j->c, &j->s, ch);
        for (int64_t b = 0; b < j->s.blocks; b++) {
            const float *x = train_norm_line(&j->s, in[0].v, b, ch);
            float *y = train_norm_line(&j->s, j->c->out[0].v, b, ch);
            train_norm_values(j->c, &j->s, ch, x, n, y);
            train_quant_values(&j->q, y, n, in[SCALE].v[0], in[ZERO].v[0], y);
        }
    }
}

/* Turns n gradients of y into those of the normalisation; the sum of ds. */
TRAIN_CLONES static double
back_part(const job *j, int64_t ch, const float *x, int64_t n, float *g)
{
    float z[TRAIN_QUANT_BLOCK], slope[TRAIN_QUANT_BLOCK];
    const nashc_grad_arg *in = j->c->in;

    train_norm_values(j->c, &j->s, ch, x, n, z);
    double ds = train_quant_slopes(&j->q, z, g, n, in[SCALE].v[0], in[ZERO].v[0], slope);
    for (int64_t i = 0; i < n; i++)
        g[i] *= slope[i];
    return ds;
}

static void
backward_part(void *arg, int thread, int64_t lo, int64_t hi)
{
    const job *j = arg;
    int64_t size = j->s.size * NASHC_GRAD_BLOCK;

    for (int64_t ch = lo; ch < hi; ch++) {
        for (int64_t b = 0; b < j->s.blocks; b++)
            for (int64_t i = 0; i < size; i += TRAIN_QUANT_BLOCK) {
                int64_t n = size - i < TRAIN_QUANT_BLOCK ? size - i : TRAIN_QUANT_BLOCK;
                j->sum[thread] += back_part(j, ch, train_norm_line(&j->s, j->c->in[0].v, b, ch) + i,
                                            n, train_norm_line(&j->s, j->c->out[0].g, b, ch) + i);
            }
        train_norm_back(j->c, &j->s, ch, j->c->out[0].g);
    }
}

static nashc_status
forward(const nashc_grad_call *c)
{
    job j;
    nashc_status s = setup(c, &j);

    if (s == NASHC_OK)
        nashc_grad_parallel(c, j.s.channels, forward_part, &j);
    return s;
}

static nashc_status
backward(const nashc_grad_call *c)
{
    job j;
    nashc_status s = setup(c, &j);

    if (s != NASHC_OK)
        return s;
    memset(j.sum, 0, (size_t)c->n_threads * sizeof *j.sum);
    nashc_grad_parallel(c, j.s.channels, backward_part, &j);
    double ds = 0.0;
    for (int t = 0; t < c->n_threads; t++)
        ds += j.sum[t];
    if (c->in[SCALE].g)
        c->in[SCALE].g[0] += (float)ds;
    return NASHC_OK;
}

const nashc_grad train_fused_rule = {NASHC_DESC(nashc_grad), .keeps_in = 3,
                                     .sizes = sizes,         .forward = forward,
                                     .backward = backward,   .blocks = train_blocks};
