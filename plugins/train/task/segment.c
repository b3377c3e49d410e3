/* segment.c: one class a pixel: cross entropy, mean intersection over union. The output is
 * [1, classes, h, w] of the images' size. */
#include "plugins/train/task/task.h"
#include <math.h>
#include <stdlib.h>

#define MAX_SCORES 1024 /* of a pixel */

static nashc_status
check(const nashc_task_case *c, nashc_diag *d)
{
    const nashc_type *t = c->output;

    if (t->rank == 4 && t->dim[1] > MAX_SCORES)
        return nashc_error(d, NULL, "the model's output is %s: segmentation takes up to %d classes",
                           nashc_type_str(d, t), MAX_SCORES);
    if (t->rank == 4 && t->dim[1] >= c->classes && t->dim[2] == c->h && t->dim[3] == c->w)
        return NASHC_OK;
    nashc_error(d, NULL,
                "the model's output is %s: segmentation wants 1x%dx%dx%d, a score for each "
                "class and pixel",
                nashc_type_str(d, t), c->classes, c->h, c->w);
    nashc_help(d, "`head kind=unet` of a genotype makes such a network");
    return NASHC_EINPUT;
}

/* Pixels that count, by which the loss is a mean; ranks weigh their parts with it. */
static int64_t
counted(const nashc_task_case *c, const int32_t *target, int64_t n)
{
    int64_t pixels = 0;

    for (int64_t i = 0; i < n * c->h * c->w; i++)
        pixels += target[i] != NASHC_MASK_NONE;
    return pixels;
}

/* Scores of a pixel lie h * w apart, so they are gathered first. */
static double
loss(const nashc_task_case *c, const float *y, const int32_t *target, int64_t n, float *dy)
{
    int64_t pixels = (int64_t)c->h * c->w, classes = c->output->dim[1];
    float x[MAX_SCORES], dx[MAX_SCORES];
    double sum = 0.0, all = (double)counted(c, target, n);

    for (int64_t i = 0; i < n * pixels; i++) {
        int64_t at = i / pixels * c->outputs + i % pixels;
        bool counts = target[i] != NASHC_MASK_NONE;
        for (int64_t k = 0; k < classes; k++)
            x[k] = y[at + k * pixels];
        if (counts)
            sum += train_class_loss(x, target[i], classes, c->smoothing, 1.0 / all, dy ? dx : NULL);
        for (int64_t k = 0; dy && k < classes; k++)
            dy[at + k * pixels] = counts ? dx[k] : 0.0f;
    }
    return all > 0.0 ? sum / all : 0.0;
}

static int64_t
n_found(const nashc_task_case *c)
{
    return (int64_t)c->h * c->w;
}

static void
find(const nashc_task_case *c, const float *y, int32_t *out)
{
    int64_t pixels = n_found(c);

    for (int64_t i = 0; i < pixels; i++)
        out[i] = train_largest(y + i, c->output->dim[1], pixels);
}

/* --- count ----------------------------------------------------------------------------------- */

typedef struct count {
    nashc_task_case c;
    double matrix[]; /* pixels, [true][found]; the last column: classes that the data do not have */
} count;

static void *
begin(const nashc_task_case *c)
{
    count *k =
        calloc(1, sizeof *k + (size_t)c->classes * ((size_t)c->classes + 1) * sizeof(double));

    if (k)
        k->c = *c;
    return k;
}

/* Row: what is true. Found classes that the data lack share the column behind the matrix. */
static bool
add(void *state, const float *y, const int32_t *target, int64_t n)
{
    count *k = state;
    int64_t pixels = n_found(&k->c);
    int classes = k->c.classes;

    for (int64_t i = 0; i < n * pixels; i++) {
        const float *x = y + i / pixels * k->c.outputs + i % pixels;
        int32_t got = train_largest(x, k->c.output->dim[1], pixels);
        double *matrix = k->matrix;
        if (target[i] == NASHC_MASK_NONE)
            continue;
        if (got < classes)
            matrix[target[i] * classes + got]++;
        else
            matrix[(int64_t)classes * classes + target[i]]++;
    }
    return true;
}

/* Of a class: pixels that are it and were found so, of those that are it or were found so. */
static double
value(void *state, double *second, double *by_class)
{
    count *k = state;
    int n = k->c.classes, seen = 0;
    double sum = 0.0, good = 0.0, all = 0.0;

    for (int i = 0; i < n; i++) {
        double is = k->matrix[(int64_t)n * n + i], found = 0.0, both = k->matrix[i * n + i];
        for (int j = 0; j < n; j++) {
            is += k->matrix[i * n + j];
            found += k->matrix[j * n + i];
        }
        double over = is + found - both;
        if (by_class)
            by_class[i] = over > 0.0 ? both / over : (double)NAN;
        seen += over > 0.0;
        sum += over > 0.0 ? both / over : 0.0;
        good += both;
        all += is;
    }
    if (second)
        *second = all > 0.0 ? good / all : 0.0;
    return seen ? sum / seen : 0.0;
}

static double *
sums(void *state, int64_t *n)
{
    count *k = state;

    *n = (int64_t)k->c.classes * (k->c.classes + 1);
    return k->matrix;
}

static const double *
confusion(void *state)
{
    return ((count *)state)->matrix;
}

static const nashc_task segment = {NASHC_DESC(nashc_task),
                                   .help = "one class a pixel",
                                   .figure = "mIoU",
                                   .key = "miou",
                                   .second = "pixels",
                                   .second_key = "pixels",
                                   .target = NASHC_TARGET_MASK,
                                   .check = check,
                                   .loss = loss,
                                   .n_found = n_found,
                                   .find = find,
                                   .begin = begin,
                                   .add = add,
                                   .value = value,
                                   .end = free,
                                   .sums = sums,
                                   .confusion = confusion,
                                   .counted = counted};
const nashc_impl train_task_segment = NASHC_IMPL_TASK("segment", &segment);
