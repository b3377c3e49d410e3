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
#include "plugins/train/clones.h"
#include "plugins/train/grad/rules.h"
#include <math.h>

void
train_norm_of(const nashc_grad_call *c, train_norm *s)
{
    const nashc_grad_arg *x = &c->in[0];
    nashc_type t = nashc_grad_shape(c, x);
    int axis = nashc_type_channel_axis(&t);

    *s = (train_norm){.outer = 1, .channels = t.dim[axis], .inner = 1};
    for (int a = 0; a < t.rank; a++)
        if (a != axis)
            *(a < axis ? &s->outer : &s->inner) *= t.dim[a];
    s->eps = (double)(float)nashc_node_float(c->node, "eps");
    s->mean = c->saved;
    s->root = s->mean + s->channels;
}

/* Sum of (x - mean), or of its squares, in four parts. */
TRAIN_CLONES static double
line_sum(const float *x, int64_t n, double mean, bool square)
{
    double sum[4] = {0.0, 0.0, 0.0, 0.0};
    int64_t i = 0;

    for (; i + 4 <= n; i += 4)
        for (int k = 0; k < 4; k++) {
            double v = (double)x[i + k] - mean;
            sum[k] += square ? v * v : v;
        }
    for (; i < n; i++) {
        double v = (double)x[i] - mean;
        sum[0] += square ? v * v : v;
    }
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

/* Mean and biased variance in two passes: x may be far from 0. */
static void
measure(const train_norm *s, const float *x, int64_t ch, double *mean, double *var)
{
    double n = (double)(s->outer * s->inner), sum = 0.0, square = 0.0;

    for (int64_t o = 0; o < s->outer; o++)
        sum += line_sum(x + (o * s->channels + ch) * s->inner, s->inner, 0.0, false);
    *mean = sum / n;
    for (int64_t o = 0; o < s->outer; o++)
        square += line_sum(x + (o * s->channels + ch) * s->inner, s->inner, *mean, true);
    *var = square / n;
}

void
train_norm_statistics(const nashc_grad_call *c, const train_norm *s, int64_t ch)
{
    double mean = (double)c->in[3].v[ch], var = (double)c->in[4].v[ch];

    if (c->flags & NASHC_GRAD_TRAINING) {
        double n = (double)(s->outer * s->inner), m = c->bn_momentum;
        double old_mean = mean, old_var = var;
        measure(s, c->in[0].v, ch, &mean, &var);
        c->in[3].v[ch] = (float)((1.0 - m) * old_mean + m * mean);
        c->in[4].v[ch] = (float)((1.0 - m) * old_var + m * var * (n > 1.0 ? n / (n - 1.0) : 1.0));
    }
    s->mean[ch] = mean;
    s->root[ch] = sqrt(var + s->eps);
}

void
train_norm_back(const nashc_grad_call *c, const train_norm *s, int64_t ch, double sum_g,
                double sum_gu, float *dx_of_g, float *dx_of_u, float *dx_of_1)
{
    double n = (double)(s->outer * s->inner), factor = (double)c->in[1].v[ch] / s->root[ch];
    bool batch = c->flags & NASHC_GRAD_TRAINING;

    if (c->in[1].g)
        c->in[1].g[ch] += (float)sum_gu;
    if (c->in[2].g)
        c->in[2].g[ch] += (float)sum_g;
    *dx_of_g = (float)factor;
    *dx_of_u = batch ? (float)(-factor * sum_gu / n) : 0.0f;
    *dx_of_1 = batch ? (float)(-factor * sum_g / n) : 0.0f;
}

typedef struct job {
    const nashc_grad_call *c;
    train_norm s;
} job;

static nashc_status
sizes(const nashc_grad_call *c, size_t *saved, size_t *scratch)
{
    *saved = 2 * (size_t)nashc_type_channels(c->in[0].type) * sizeof(double);
    *scratch = 0;
    return NASHC_OK;
}

static void
forward_part(void *arg, int thread, int64_t lo, int64_t hi)
{
    const job *j = arg;
    const train_norm *s = &j->s;
    const nashc_grad_arg *in = j->c->in;

    (void)thread;
    for (int64_t ch = lo; ch < hi; ch++) {
        train_norm_statistics(j->c, s, ch);
        double factor = (double)in[1].v[ch] / s->root[ch], beta = (double)in[2].v[ch];
        for (int64_t o = 0; o < s->outer; o++) {
            int64_t at = (o * s->channels + ch) * s->inner;
            for (int64_t i = at; i < at + s->inner; i++)
                j->c->out[0].v[i] = (float)(((double)in[0].v[i] - s->mean[ch]) * factor + beta);
        }
    }
}

static void
backward_channel(const job *j, int64_t ch)
{
    const train_norm *s = &j->s;
    const float *x = j->c->in[0].v, *g = j->c->out[0].g;
    double sum_g = 0.0, sum_gu = 0.0;
    float of_g, of_u, of_1, *dx = j->c->in[0].g;

    for (int64_t o = 0; o < s->outer; o++) {
        int64_t at = (o * s->channels + ch) * s->inner;
        for (int64_t i = at; i < at + s->inner; i++) {
            sum_g += (double)g[i];
            sum_gu += (double)g[i] * ((double)x[i] - s->mean[ch]);
        }
    }
    train_norm_back(j->c, s, ch, sum_g, sum_gu / s->root[ch], &of_g, &of_u, &of_1);
    for (int64_t o = 0; dx && o < s->outer; o++) {
        int64_t at = (o * s->channels + ch) * s->inner;
        for (int64_t i = at; i < at + s->inner; i++) {
            float u = (float)(((double)x[i] - s->mean[ch]) / s->root[ch]);
            dx[i] += of_g * g[i] + of_u * u + of_1;
        }
    }
}

static void
backward_part(void *arg, int thread, int64_t lo, int64_t hi)
{
    (void)thread;
    for (int64_t ch = lo; ch < hi; ch++)
        backward_channel(arg, ch);
}

static nashc_status
forward(const nashc_grad_call *c)
{
    job j = {.c = c};

    train_norm_of(c, &j.s);
    nashc_grad_parallel(c, j.s.channels, forward_part, &j);
    return NASHC_OK;
}

static nashc_status
backward(const nashc_grad_call *c)
{
    job j = {.c = c};

    train_norm_of(c, &j.s);
    nashc_grad_parallel(c, j.s.channels, backward_part, &j);
    return NASHC_OK;
}

static const nashc_grad rule = {NASHC_DESC(nashc_grad), .keeps_in = 3,  .trains = 6,
                                .running = 24,          .sizes = sizes, .forward = forward,
                                .backward = backward};
const nashc_impl train_grad_batchnorm = NASHC_IMPL_GRAD("nn.batchnorm", &rule);
