/* loss.c: cross entropy with label smoothing, in double. */
#include "plugins/train/net/loss.h"
#include "plugins/train/task/task.h"
#include <math.h>
#include <stddef.h>

double
train_class_loss(const float *x, int32_t label, int64_t classes, double e, double share, float *dx)
{
    double max = -INFINITY, sum = 0.0, loss = 0.0;

    for (int64_t k = 0; k < classes; k++)
        max = (double)x[k] > max ? (double)x[k] : max;
    for (int64_t k = 0; k < classes; k++)
        sum += exp((double)x[k] - max);
    for (int64_t k = 0; k < classes; k++) {
        double target = (k == label ? 1.0 - e : 0.0) + e / (double)classes;
        double logp = (double)x[k] - max - log(sum);
        loss -= target != 0.0 ? target * logp : 0.0;
        if (dx)
            dx[k] = (float)((exp(logp) - target) * share);
    }
    return isnan(max) || isinf(max) ? (double)NAN : loss;
}

double
train_cross_entropy(const float *x, const int32_t *label, int64_t n, int64_t classes,
                    double smoothing, float *dx)
{
    double loss = 0.0;

    for (int64_t i = 0; i < n; i++)
        loss += train_class_loss(x + i * classes, label[i], classes, smoothing, 1.0 / (double)n,
                                 dx ? dx + i * classes : NULL);
    return loss / (double)n;
}
