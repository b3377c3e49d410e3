/* optim.c: Adam (Kingma and Ba 2015, decoupled decay after Loshchilov and Hutter 2019), SGD with
 * momentum, clipping by the norm of all gradients, and schedules of the learning rate. */
#include "plugins/train/optim/optim.h"
#include <math.h>
#include <nashc/clones.h>

#define PI 3.14159265358979323846

NASHC_CLONES static void
adam(const train_optim *o, int64_t step, double lr, double factor, int64_t n, float *p,
     const float *g, float *m, float *u)
{
    double bias1 = 1.0 - pow(o->beta1, (double)step), bias2 = 1.0 - pow(o->beta2, (double)step);
    double beta1 = o->beta1, beta2 = o->beta2;
    float rate = (float)(lr / bias1), root = (float)(1.0 / sqrt(bias2)), eps = (float)o->eps;
    double coupled = o->kind == TRAIN_ADAMW ? 0.0 : o->decay;
    double apart = o->kind == TRAIN_ADAMW ? lr * o->decay : 0.0;

    for (int64_t i = 0; i < n; i++) {
        double w = (double)p[i], d = (double)g[i] * factor + coupled * w;
        w -= apart * w;
        m[i] = (float)(beta1 * (double)m[i] + (1.0 - beta1) * d);
        u[i] = (float)(beta2 * (double)u[i] + (1.0 - beta2) * d * d);
        /* Roots and quotients of floats: those of doubles take most of a pass otherwise. */
        p[i] = (float)(w - (double)(rate * m[i] / (sqrtf(u[i]) * root + eps)));
    }
}

NASHC_CLONES static void
sgd(const train_optim *o, int64_t step, double lr, double factor, int64_t n, float *p,
    const float *g, float *m)
{
    for (int64_t i = 0; i < n; i++) {
        double d = (double)g[i] * factor + o->decay * (double)p[i];
        if (o->momentum != 0.0) {
            double v = step > 1 ? o->momentum * (double)m[i] + d : d;
            m[i] = (float)v;
            d = o->nesterov ? d + o->momentum * v : v;
        }
        p[i] = (float)((double)p[i] - lr * d);
    }
}

void
train_optim_step(const train_optim *o, int64_t step, double lr, double factor, int64_t n, float *p,
                 const float *g, float *m, float *u)
{
    if (o->kind == TRAIN_SGD)
        sgd(o, step, lr, factor, n, p, g, m);
    else
        adam(o, step, lr, factor, n, p, g, m, u);
}

NASHC_CLONES double
train_square_sum(const float *g, int64_t n)
{
    double part[8] = {0.0}, sum = 0.0;
    int64_t whole = n / 8 * 8;

    for (int64_t i = 0; i < whole; i += 8)
        for (int k = 0; k < 8; k++)
            part[k] += (double)g[i + k] * (double)g[i + k];
    for (int64_t i = whole; i < n; i++)
        sum += (double)g[i] * (double)g[i];
    for (int k = 0; k < 8; k++)
        sum += part[k];
    return sum;
}

double
train_clip_factor(double norm, double max)
{
    double factor = max > 0.0 ? max / (norm + 1e-6) : 1.0;

    return factor < 1.0 ? factor : 1.0;
}

double
train_rate(const train_schedule *s, int64_t epoch)
{
    double rate = s->lr, t = (double)(epoch + 1) / (double)(s->epochs > 0 ? s->epochs : 1);

    if (s->kind == TRAIN_STEP)
        rate *= pow(s->gamma, (double)(epoch / (s->period > 0 ? s->period : 1)));
    else if (s->kind == TRAIN_COSINE)
        rate = s->lr_min + (s->lr - s->lr_min) * (1.0 + cos(PI * (t < 1.0 ? t : 1.0))) / 2.0;
    if (epoch < s->warmup)
        rate *= (double)(epoch + 1) / (double)(s->warmup + 1);
    return rate;
}
