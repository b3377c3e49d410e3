/* activation.c: gradients of functions of one element, and of softmax along the last axis. */
#include "plugins/train/grad/rules.h"
#include <math.h>
#include <nashc/clones.h>

/* y = f(x, p); the gradient is df(x, y, p). */
typedef struct function {
    const char *op;
    float (*f)(float x, const float *p);
    float (*df)(float x, float y, const float *p);
    const char *attr[2]; /* p, by name */
} function;

static float
relu(float x, const float *p)
{
    (void)p;
    return x > 0.0f ? x : 0.0f;
}

static float
relu_slope(float x, float y, const float *p)
{
    (void)y, (void)p;
    return x > 0.0f ? 1.0f : 0.0f;
}

static float
clip(float x, const float *p)
{
    float v = x < p[0] ? p[0] : x;

    return v > p[1] ? p[1] : v;
}

/* 0 at the ends too. */
static float
clip_slope(float x, float y, const float *p)
{
    (void)y;
    return x > p[0] && x < p[1] ? 1.0f : 0.0f;
}

static float
tanh_value(float x, const float *p)
{
    (void)p;
    return tanhf(x);
}

static float
tanh_slope(float x, float y, const float *p)
{
    (void)x, (void)p;
    return 1.0f - y * y;
}

static float
sigmoid(float x, const float *p)
{
    (void)p;
    return 1.0f / (1.0f + expf(-x));
}

static float
sigmoid_slope(float x, float y, const float *p)
{
    (void)x, (void)p;
    return y * (1.0f - y);
}

static float
negative(float x, const float *p)
{
    (void)p;
    return -x;
}

static float
negative_slope(float x, float y, const float *p)
{
    (void)x, (void)y, (void)p;
    return -1.0f;
}

static float
leaky(float x, const float *p)
{
    return x < 0.0f ? p[0] * x : x;
}

static float
leaky_slope(float x, float y, const float *p)
{
    (void)y;
    return x > 0.0f ? 1.0f : p[0];
}

static const function functions[] = {
    {"nn.relu", relu, relu_slope, {NULL, NULL}},
    {"nn.clip", clip, clip_slope, {"min", "max"}},
    {"nn.tanh", tanh_value, tanh_slope, {NULL, NULL}},
    {"nn.sigmoid", sigmoid, sigmoid_slope, {NULL, NULL}},
    {"nn.neg", negative, negative_slope, {NULL, NULL}},
    {"nn.leaky_relu", leaky, leaky_slope, {"alpha", NULL}},
};

typedef struct job {
    const nashc_grad_call *c;
    const function *f;
    float p[2];
} job;

static job
job_of(const nashc_grad_call *c)
{
    job j = {.c = c};

    for (size_t i = 0; i < NASHC_COUNT(functions); i++)
        if (nashc_node_is(c->node, functions[i].op))
            j.f = &functions[i];
    for (int k = 0; k < 2; k++)
        if (j.f->attr[k])
            j.p[k] = (float)nashc_node_float(c->node, j.f->attr[k]);
    return j;
}

/* The common one, without a call an element. */
NASHC_CLONES static void
relu_values(const float *x, int64_t n, float *y)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = x[i] > 0.0f ? x[i] : 0.0f;
}

NASHC_CLONES static void
relu_gradients(const float *x, const float *g, int64_t n, float *dx)
{
    for (int64_t i = 0; i < n; i++)
        dx[i] += x[i] > 0.0f ? g[i] : 0.0f;
}

static void
forward_part(void *arg, int thread, int64_t lo, int64_t hi)
{
    const job *j = arg;

    (void)thread;
    if (j->f->f == relu)
        relu_values(j->c->in[0].v + lo, hi - lo, j->c->out[0].v + lo);
    else
        for (int64_t i = lo; i < hi; i++)
            j->c->out[0].v[i] = j->f->f(j->c->in[0].v[i], j->p);
}

static void
backward_part(void *arg, int thread, int64_t lo, int64_t hi)
{
    const job *j = arg;
    const nashc_grad_arg *x = &j->c->in[0], *y = &j->c->out[0];

    (void)thread;
    if (j->f->f == relu)
        relu_gradients(x->v + lo, y->g + lo, hi - lo, x->g + lo);
    for (int64_t i = lo; i < hi && j->f->f != relu; i++)
        x->g[i] += y->g[i] * j->f->df(x->v[i], y->v[i], j->p);
}

static nashc_status
forward(const nashc_grad_call *c)
{
    job j = job_of(c);

    nashc_grad_parallel(c, c->out[0].n, forward_part, &j);
    return NASHC_OK;
}

static nashc_status
backward(const nashc_grad_call *c)
{
    job j = job_of(c);

    nashc_grad_parallel(c, c->out[0].n, backward_part, &j);
    return NASHC_OK;
}

static const nashc_grad rule = {NASHC_DESC(nashc_grad), .keeps_in = 1,
                                .keeps_out = 1,         .forward = forward,
                                .backward = backward,   .blocks = train_blocks};
const nashc_impl train_grad_relu = NASHC_IMPL_GRAD("nn.relu", &rule);
const nashc_impl train_grad_clip = NASHC_IMPL_GRAD("nn.clip", &rule);
const nashc_impl train_grad_tanh = NASHC_IMPL_GRAD("nn.tanh", &rule);
const nashc_impl train_grad_sigmoid = NASHC_IMPL_GRAD("nn.sigmoid", &rule);
const nashc_impl train_grad_neg = NASHC_IMPL_GRAD("nn.neg", &rule);
const nashc_impl train_grad_leaky_relu = NASHC_IMPL_GRAD("nn.leaky_relu", &rule);

/* --- softmax --------------------------------------------------------------------------------- */

static nashc_status
softmax_sizes(const nashc_grad_call *c, size_t *saved, size_t *scratch)
{
    int64_t axis = nashc_node_int(c->node, "axis");
    int rank = c->in[0].type->rank;

    *saved = *scratch = 0;
    if (axis != -1 && axis != rank - 1)
        return nashc_node_unsup(c->diag, c->node, "training knows softmax of the last axis only");
    return NASHC_OK;
}

static void
softmax_row(const float *x, float *y, int64_t n, bool logarithm)
{
    float max = -INFINITY;
    double sum = 0.0;

    for (int64_t i = 0; i < n; i++)
        max = x[i] > max ? x[i] : max;
    for (int64_t i = 0; i < n; i++)
        sum += exp((double)x[i] - (double)max);
    for (int64_t i = 0; i < n; i++) {
        double v = (double)x[i] - (double)max;
        y[i] = (float)(logarithm ? v - log(sum) : exp(v) / sum);
    }
}

static nashc_status
softmax_forward(const nashc_grad_call *c)
{
    int64_t n = c->in[0].type->dim[c->in[0].type->rank - 1];

    for (int64_t at = 0; at < c->in[0].n; at += n)
        softmax_row(c->in[0].v + at, c->out[0].v + at, n, nashc_node_is(c->node, "nn.log_softmax"));
    return NASHC_OK;
}

/* softmax: dx = y (g - sum g y);    log_softmax: dx = g - exp(y) sum g */
static nashc_status
softmax_backward(const nashc_grad_call *c)
{
    int64_t n = c->in[0].type->dim[c->in[0].type->rank - 1];
    bool logarithm = nashc_node_is(c->node, "nn.log_softmax");

    for (int64_t at = 0; at < c->in[0].n; at += n) {
        const float *y = c->out[0].v + at, *g = c->out[0].g + at;
        double sum = 0.0;
        for (int64_t i = 0; i < n; i++)
            sum += (double)g[i] * (logarithm ? 1.0 : (double)y[i]);
        for (int64_t i = 0; i < n; i++)
            c->in[0].g[at + i] += (float)(logarithm ? (double)g[i] - exp((double)y[i]) * sum
                                                    : (double)y[i] * ((double)g[i] - sum));
    }
    return NASHC_OK;
}

static const nashc_grad softmax_rule = {NASHC_DESC(nashc_grad), .keeps_out = 1,
                                        .sizes = softmax_sizes, .forward = softmax_forward,
                                        .backward = softmax_backward};
const nashc_impl train_grad_softmax = NASHC_IMPL_GRAD("nn.softmax", &softmax_rule);
const nashc_impl train_grad_log_softmax = NASHC_IMPL_GRAD("nn.log_softmax", &softmax_rule);
