/* gates.c: probabilities of candidates; after ProxylessNAS (Cai, Zhu and Han 2019). */
#include "plugins/train/search/gates.h"
#include <math.h>

/* Less the largest, so that nothing overflows. In double: probabilities near 0 decide draws. */
void
search_softmax(const float *alpha, int n, double *p)
{
    double max = -INFINITY, sum = 0.0;

    for (int k = 0; k < n; k++)
        max = fmax(max, (double)alpha[k]);
    for (int k = 0; k < n; k++)
        sum += p[k] = exp((double)alpha[k] - max);
    for (int k = 0; k < n; k++)
        p[k] /= sum;
}

/* u in [0, 1). A candidate of probability 0, a barred one, is never drawn, whatever rounding does
 * to the sum. */
int
search_draw(const double *p, int n, double u)
{
    double sum = 0.0;
    int last = 0;

    for (int k = 0; k < n; k++) {
        sum += p[k];
        last = p[k] > 0.0 ? k : last;
        if (u < sum && p[k] > 0.0)
            return k;
    }
    return last; /* the sum was rounded to less than 1 */
}

/* Two without replacement, by their probabilities; then which of them is active, by those two
 * alone. u has three numbers. */
int
search_draw_pair(const double *p, int n, const double *u, int *pair)
{
    double left = 0.0, at = 0.0;

    pair[0] = search_draw(p, n, u[0]);
    for (int k = 0; k < n; k++)
        left += k == pair[0] ? 0.0 : p[k];
    pair[1] = pair[0] ? 0 : 1;
    for (int k = 0; k < n; k++) {
        if (k == pair[0])
            continue;
        at += p[k] / left;
        pair[1] = p[k] > 0.0 ? k : pair[1];
        if (u[1] < at && p[k] > 0.0)
            break;
    }
    return u[2] * (p[pair[0]] + p[pair[1]]) < p[pair[0]] ? 0 : 1;
}

/* By the softmax's derivative: dalpha_k = sum_j dgate_j p_j (delta_jk - p_k). */
void
search_gate_gradient(const double *p, const double *dgate, int n, float *dalpha)
{
    double mean = 0.0;

    for (int k = 0; k < n; k++)
        mean += dgate[k] * p[k];
    for (int k = 0; k < n; k++)
        dalpha[k] += (float)(p[k] * (dgate[k] - mean));
}

/* The softmax over the two that were asked; the others' probabilities stay, see
 * search_pair_step. */
void
search_pair_gradient(const float *alpha, const double *dgate, const int *pair, float *dalpha)
{
    const float two[2] = {alpha[pair[0]], alpha[pair[1]]};
    const double g[2] = {dgate[pair[0]], dgate[pair[1]]};
    float d[2] = {0.0f, 0.0f};
    double p[2];

    search_softmax(two, 2, p);
    search_gate_gradient(p, g, 2, d);
    for (int k = 0; k < 2; k++)
        dalpha[pair[k]] += d[k];
}

/* Of lambda * sum p_k cost_k, which is returned without the gradient's part. */
double
search_cost_gradient(const double *p, const double *cost, double lambda, int n, float *dalpha)
{
    double mean = 0.0;

    for (int k = 0; k < n; k++)
        mean += p[k] * cost[k];
    for (int k = 0; k < n; k++)
        dalpha[k] += (float)(lambda * p[k] * (cost[k] - mean));
    return lambda * mean;
}

/* After the step both alphas are moved by one number, so that the sum of their exponentials is what
 * it was: the probabilities of all other candidates do not change. */
void
search_pair_step(const train_optim *o, int64_t step, double lr, const int *pair, float *alpha,
                 const float *dalpha, float *m, float *u)
{
    double before = 0.0, after = 0.0;
    double top = fmax((double)alpha[pair[0]], (double)alpha[pair[1]]);

    for (int k = 0; k < 2; k++)
        before += exp((double)alpha[pair[k]] - top);
    for (int k = 0; k < 2; k++) {
        int i = pair[k];
        train_optim_step(o, step, lr, 1.0, 1, &alpha[i], &dalpha[i], &m[i], &u[i]);
        after += exp((double)alpha[i] - top);
    }
    for (int k = 0; k < 2; k++)
        alpha[pair[k]] = (float)((double)alpha[pair[k]] - log(after / before));
}

/* In nats; log n where nothing is decided, 0 where all is. */
double
search_entropy(const double *p, int n)
{
    double sum = 0.0;

    for (int k = 0; k < n; k++)
        sum -= p[k] > 0.0 ? p[k] * log(p[k]) : 0.0;
    return sum;
}
