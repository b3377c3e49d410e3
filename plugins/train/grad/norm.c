/* norm.c: gradients of nn.batchnorm, with the statistics of the batch (training) or the running
 * ones.
 *
 *     u = (x - mean) / sqrt(var + eps),  y = gamma u + beta
 *     dgamma = sum g u,  dbeta = sum g
 *     training: dx = gamma / root * (g - mean(g) - u mean(g u));   else dx = g gamma / root
 *
 * Training normalises with the biased variance and keeps the unbiased one. Channels by threads;
 * sums in double, in the order of samples.
 */
#include "plugins/train/grad/norm.h"
#include "plugins/train/grad/rules.h"
#include <math.h>
#include <nashc/clones.h>
#include <string.h>

void
train_norm_of(const nashc_grad_call *c, train_norm *s)
{
    const nashc_type *t = c->in[0].type;

    *s = (train_norm){.blocks = nashc_grad_n_blocks(c), .channels = nashc_type_channels(t)};
    s->size = nashc_type_count(t) / s->channels;
    s->eps = (double)(float)nashc_node_float(c->node, "eps");
    s->mean = c->saved;
    s->root = s->mean + s->channels;
}

nashc_status
train_norm_check(const nashc_grad_call *c)
{
    if (!(c->flags & NASHC_GRAD_BLOCKS) || c->in[0].type->layout != NASHC_LAYOUT_DEFAULT)
        return nashc_node_unsup(c->diag, c->node,
                                "training normalises samples with channels first only");
    return NASHC_OK;
}

/* Adds x - shift and its square, of the first n samples of a block, sample by sample. */
static inline void
add_lanes(const float *x, int64_t size, int64_t n, double shift, double *sum, double *square)
{
    for (int64_t i = 0; i < size; i++, x += NASHC_GRAD_BLOCK)
        for (int64_t k = 0; k < n; k++) {
            double d = (double)x[k] - shift;
            sum[k] += d;
            square[k] += d * d;
        }
}

/* Mean and biased variance, from differences to one of the elements: x may be far from 0. */
NASHC_CLONES static void
measure(const nashc_grad_call *c, const train_norm *s, int64_t ch, double *mean, double *var)
{
    double n = (double)(c->batch * s->size), sum[NASHC_GRAD_BLOCK] = {0.0};
    double square[NASHC_GRAD_BLOCK] = {0.0}, all = 0.0, squares = 0.0;
    double shift = (double)train_norm_line(s, c->in[0].v, 0, ch)[0];

    for (int64_t b = 0; b < s->blocks; b++) {
        const float *x = train_norm_line(s, c->in[0].v, b, ch);
        int64_t samples = train_block_size(c, b);
        if (samples == NASHC_GRAD_BLOCK)
            add_lanes(x, s->size, NASHC_GRAD_BLOCK, shift, sum, square);
        else
            add_lanes(x, s->size, samples, shift, sum, square);
    }
    for (int k = 0; k < NASHC_GRAD_BLOCK; k++) {
        all += sum[k];
        squares += square[k];
    }
    *mean = shift + all / n;
    *var = fmax(squares / n - all / n * (all / n), 0.0);
}

void
train_norm_statistics(const nashc_grad_call *c, const train_norm *s, int64_t ch)
{
    double mean = (double)c->in[3].v[ch], var = (double)c->in[4].v[ch];

    if (c->flags & NASHC_GRAD_TRAINING) {
        double n = (double)(c->batch * s->size), m = c->bn_momentum;
        double old_mean = mean, old_var = var;
        measure(c, s, ch, &mean, &var);
        c->in[3].v[ch] = (float)((1.0 - m) * old_mean + m * mean);
        c->in[4].v[ch] = (float)((1.0 - m) * old_var + m * var * (n > 1.0 ? n / (n - 1.0) : 1.0));
    }
    s->mean[ch] = mean;
    s->root[ch] = sqrt(var + s->eps);
}

NASHC_CLONES void
train_norm_add(const float *x, const float *g, int64_t n, double mean, train_norm_sums *to)
{
    double a[NASHC_GRAD_BLOCK], b[NASHC_GRAD_BLOCK];

    memcpy(a, to->g, sizeof a);
    memcpy(b, to->gx, sizeof b);
    for (int64_t i = 0; i < n; i += NASHC_GRAD_BLOCK)
        for (int k = 0; k < NASHC_GRAD_BLOCK; k++) {
            a[k] += (double)g[i + k];
            b[k] += (double)g[i + k] * ((double)x[i + k] - mean);
        }
    memcpy(to->g, a, sizeof a);
    memcpy(to->gx, b, sizeof b);
}

/* dx = of_g g + of_x (x - mean) + of_1 of n of the samples of a line, 0 of the others; or adds it.
 */
static inline void
back_line(const float *x, const float *g, int64_t size, int64_t n, float mean, const float of[3],
          const bool set, float *dx)
{
    const float of_g = of[0], of_x = of[1], of_1 = of[2];

    for (int64_t i = 0; i < size * NASHC_GRAD_BLOCK; i += NASHC_GRAD_BLOCK) {
        float d[NASHC_GRAD_BLOCK] = {0.0f}; /* dx may be g */
        for (int64_t k = 0; k < n; k++)
            d[k] = of_g * g[i + k] + of_x * (x[i + k] - mean) + of_1;
        for (int64_t k = 0; k < NASHC_GRAD_BLOCK; k++)
            dx[i + k] = set ? d[k] : dx[i + k] + d[k];
    }
}

/* of_g, of_x, of_1 of back_line, from the sums; adds dgamma and dbeta. */
static void
factors(const nashc_grad_call *c, const train_norm *s, int64_t ch, double sum_g, double sum_gu,
        float of[3])
{
    double n = (double)(c->batch * s->size), factor = (double)c->in[1].v[ch] / s->root[ch];
    bool batch = c->flags & NASHC_GRAD_TRAINING;

    sum_gu /= s->root[ch];
    if (c->in[1].g)
        c->in[1].g[ch] += (float)sum_gu;
    if (c->in[2].g)
        c->in[2].g[ch] += (float)sum_g;
    of[0] = (float)factor;
    of[1] = batch ? (float)(-factor * sum_gu / n / s->root[ch]) : 0.0f;
    of[2] = batch ? (float)(-factor * sum_g / n) : 0.0f;
}

NASHC_CLONES void
train_norm_back(const nashc_grad_call *c, const train_norm *s, int64_t ch,
                const train_norm_sums *sums, float *g)
{
    double sum_g = 0.0, sum_gu = 0.0;
    float *dx = c->in[0].g, of[3], mean = (float)s->mean[ch];
    bool set = c->sets & 1u;

    for (int k = 0; k < NASHC_GRAD_BLOCK; k++) {
        sum_g += sums->g[k];
        sum_gu += sums->gx[k];
    }
    factors(c, s, ch, sum_g, sum_gu, of);
    for (int64_t b = 0; dx && b < s->blocks; b++) {
        const float *xl = train_norm_line(s, c->in[0].v, b, ch), *gl = train_norm_line(s, g, b, ch);
        float *to = train_norm_line(s, dx, b, ch);
        int64_t n = train_block_size(c, b);
        if (n == NASHC_GRAD_BLOCK && set)
            back_line(xl, gl, s->size, NASHC_GRAD_BLOCK, mean, of, true, to);
        else if (n == NASHC_GRAD_BLOCK)
            back_line(xl, gl, s->size, NASHC_GRAD_BLOCK, mean, of, false, to);
        else
            back_line(xl, gl, s->size, n, mean, of, set, to);
    }
}

NASHC_CLONES void
train_norm_values(const nashc_grad_call *c, const train_norm *s, int64_t ch, const float *x,
                  int64_t n, float *y)
{
    double mean = s->mean[ch], beta = (double)c->in[2].v[ch];
    double factor = (double)c->in[1].v[ch] / s->root[ch];

    for (int64_t i = 0; i < n; i++)
        y[i] = (float)(((double)x[i] - mean) * factor + beta);
}

/* --- the op ---------------------------------------------------------------------------------- */

typedef struct job {
    const nashc_grad_call *c;
    train_norm s;
} job;

static nashc_status
sizes(const nashc_grad_call *c, size_t *saved, size_t *scratch)
{
    *saved = 2 * (size_t)nashc_type_channels(c->in[0].type) * sizeof(double);
    *scratch = 0;
    return train_norm_check(c);
}

static void
forward_part(void *arg, int thread, int64_t lo, int64_t hi)
{
    const job *j = arg;
    const train_norm *s = &j->s;

    (void)thread;
    for (int64_t ch = lo; ch < hi; ch++) {
        train_norm_statistics(j->c, s, ch);
        for (int64_t b = 0; b < s->blocks; b++)
            train_norm_values(j->c, s, ch, train_norm_line(s, j->c->in[0].v, b, ch),
                              s->size * NASHC_GRAD_BLOCK,
                              train_norm_line(s, j->c->out[0].v, b, ch));
    }
}

static void
backward_part(void *arg, int thread, int64_t lo, int64_t hi)
{
    const job *j = arg;

    const train_norm *s = &j->s;

    (void)thread;
    for (int64_t ch = lo; ch < hi; ch++) {
        train_norm_sums sums = {0};
        for (int64_t b = 0; b < s->blocks; b++)
            train_norm_add(train_norm_line(s, j->c->in[0].v, b, ch),
                           train_norm_line(s, j->c->out[0].g, b, ch), s->size * NASHC_GRAD_BLOCK,
                           s->mean[ch], &sums);
        train_norm_back(j->c, s, ch, &sums, j->c->out[0].g);
    }
}

static nashc_status
run(const nashc_grad_call *c, nashc_grad_job *part)
{
    job j = {.c = c};

    train_norm_of(c, &j.s);
    nashc_grad_parallel(c, j.s.channels, part, &j);
    return NASHC_OK;
}

static nashc_status
forward(const nashc_grad_call *c)
{
    return run(c, forward_part);
}

static nashc_status
backward(const nashc_grad_call *c)
{
    return run(c, backward_part);
}

static const nashc_grad rule = {NASHC_DESC(nashc_grad), .keeps_in = 3,          .trains = 6,
                                .running = 24,          .sizes = sizes,         .forward = forward,
                                .backward = backward,   .blocks = train_blocks, .sets = 1,
                                .in_place = 1};
const nashc_impl train_grad_batchnorm = NASHC_IMPL_GRAD("nn.batchnorm", &rule);
