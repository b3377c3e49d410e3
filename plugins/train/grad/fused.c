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
    bool relu;
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
    *j = (job){.c = c, .relu = relu != NULL, .sum = c->scratch};
    train_norm_of(c, &j->s);
    return train_quant_of(&q, &j->q);
}

static nashc_status
sizes(const nashc_grad_call *c, size_t *saved, size_t *scratch)
{
    job j;

    *saved = 2 * (size_t)nashc_type_channels(c->in[0].type) * sizeof(double);
    *scratch = (size_t)c->n_threads * sizeof(double);
    return setup(c, &j);
}

/* What the quantiser sees of n elements of channel ch; before relu if `raw`. */
TRAIN_CLONES static void
normalise(const job *j, const float *x, int64_t n, int64_t ch, bool relu, float *z)
{
    double mean = j->s.mean[ch], beta = (double)j->c->in[2].v[ch];
    double factor = (double)j->c->in[1].v[ch] / j->s.root[ch];

    for (int64_t i = 0; i < n; i++)
        z[i] = (float)(((double)x[i] - mean) * factor + beta);
    for (int64_t i = 0; relu && i < n; i++)
        z[i] = z[i] > 0.0f ? z[i] : 0.0f;
}

static void
forward_part(void *arg, int thread, int64_t lo, int64_t hi)
{
    const job *j = arg;
    const nashc_grad_arg *in = j->c->in;

    (void)thread;
    for (int64_t ch = lo; ch < hi; ch++) {
        train_norm_statistics(j->c, &j->s, ch);
        for (int64_t o = 0; o < j->s.outer; o++) {
            int64_t at = (o * j->s.channels + ch) * j->s.inner;
            float *y = j->c->out[0].v + at;
            normalise(j, in[0].v + at, j->s.inner, ch, j->relu, y);
            train_quant_values(&j->q, y, j->s.inner, in[SCALE].v[0], in[ZERO].v[0], y);
        }
    }
}

/* n elements at `at`: turns the gradient of y into that of the normalisation; adds to the sums. */
TRAIN_CLONES static void
back_block(const job *j, int64_t at, int64_t n, int64_t ch, double *sum_g, double *sum_gu,
           double *sum_ds)
{
    const float *x = j->c->in[0].v + at;
    float z[TRAIN_QUANT_BLOCK], slope[TRAIN_QUANT_BLOCK], *g = j->c->out[0].g + at;
    double mean = j->s.mean[ch];

    normalise(j, x, n, ch, j->relu, z);
    *sum_ds += train_quant_slopes(&j->q, z, g, n, j->c->in[SCALE].v[0], j->c->in[ZERO].v[0], slope);
    for (int64_t i = 0; i < n; i++)
        g[i] = j->relu && !(z[i] > 0.0f) ? 0.0f : g[i] * slope[i];
    double a[4] = {0.0, 0.0, 0.0, 0.0}, b[4] = {0.0, 0.0, 0.0, 0.0};
    for (int64_t i = n / 4 * 4; i < n; i++) {
        a[0] += (double)g[i];
        b[0] += (double)g[i] * ((double)x[i] - mean);
    }
    for (int64_t i = 0; i + 4 <= n; i += 4)
        for (int k = 0; k < 4; k++) {
            a[k] += (double)g[i + k];
            b[k] += (double)g[i + k] * ((double)x[i + k] - mean);
        }
    *sum_g += (a[0] + a[1]) + (a[2] + a[3]);
    *sum_gu += (b[0] + b[1]) + (b[2] + b[3]);
}

TRAIN_CLONES static void
back_channel(const job *j, int64_t ch, double *sum_ds)
{
    const train_norm *s = &j->s;
    double sum_g = 0.0, sum_gu = 0.0;
    float of_g, of_u, of_1, *dx = j->c->in[0].g;
    const float *x = j->c->in[0].v, *g = j->c->out[0].g;

    for (int64_t o = 0; o < s->outer; o++)
        for (int64_t i = 0; i < s->inner; i += TRAIN_QUANT_BLOCK) {
            int64_t n = s->inner - i < TRAIN_QUANT_BLOCK ? s->inner - i : TRAIN_QUANT_BLOCK;
            back_block(j, (o * s->channels + ch) * s->inner + i, n, ch, &sum_g, &sum_gu, sum_ds);
        }
    train_norm_back(j->c, s, ch, sum_g, sum_gu / s->root[ch], &of_g, &of_u, &of_1);
    double mean = s->mean[ch], factor = (double)of_u / s->root[ch];
    for (int64_t o = 0; dx && o < s->outer; o++) {
        int64_t at = (o * s->channels + ch) * s->inner;
        for (int64_t i = at; i < at + s->inner; i++)
            dx[i] += of_g * g[i] + (float)(((double)x[i] - mean) * factor) + of_1;
    }
}

static void
backward_part(void *arg, int thread, int64_t lo, int64_t hi)
{
    const job *j = arg;

    for (int64_t ch = lo; ch < hi; ch++)
        back_channel(j, ch, &j->sum[thread]);
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

const nashc_grad train_fused_rule = {NASHC_DESC(nashc_grad), .keeps_in = 3, .sizes = sizes,
                                     .forward = forward, .backward = backward};
