/* classify.c: one class an image: cross entropy, top 1 and top 5. */
#include "plugins/train/net/loss.h"
#include "plugins/train/task/task.h"
#include <stdlib.h>

/* More outputs than classes are fine: the data may have some of the classes only. */
static nashc_status
check(const nashc_task_case *c, nashc_diag *d)
{
    const nashc_type *t = c->output;
    bool map = t->rank == 4 && t->dim[2] * t->dim[3] > 1;

    if (map) {
        nashc_error(d, NULL, "the model's output is a map, %s, not a score for each class",
                    nashc_type_str(d, t));
        nashc_help(d, "--task detect for boxes, segment for masks");
        return NASHC_EINPUT;
    }
    if (c->classes > c->outputs)
        return nashc_error(d, NULL, "the data have %d classes, the model has %" PRId64 " outputs",
                           c->classes, c->outputs);
    return NASHC_OK;
}

static double
loss(const nashc_task_case *c, const float *y, const int32_t *target, int64_t n, float *dy)
{
    return train_cross_entropy(y, target, n, c->outputs, c->smoothing, dy);
}

static int64_t
right(const nashc_task_case *c, const float *y, const int32_t *target, int64_t n)
{
    int64_t sum = 0;

    for (int64_t i = 0; i < n; i++)
        sum += train_place_of(y + i * c->outputs, c->outputs, target[i]) == 0;
    return sum;
}

static int64_t
n_found(const nashc_task_case *c)
{
    (void)c;
    return 1;
}

static void
find(const nashc_task_case *c, const float *y, int32_t *out)
{
    *out = train_largest(y, c->outputs, 1);
}

/* --- count ----------------------------------------------------------------------------------- */

enum { SEEN, TOP1, TOP5, MATRIX }; /* sums */

typedef struct count {
    nashc_task_case c;
    double sum[];
} count;

static int64_t
n_sums(const nashc_task_case *c)
{
    return MATRIX + (int64_t)c->classes * c->classes;
}

static void *
begin(const nashc_task_case *c)
{
    count *k = calloc(1, sizeof *k + (size_t)n_sums(c) * sizeof(double));

    if (k)
        k->c = *c;
    return k;
}

/* What is found outside the classes of the data is wrong, and in no column. */
static bool
add(void *state, const float *y, const int32_t *target, int64_t n)
{
    count *k = state;
    int64_t classes = k->c.classes;

    for (int64_t i = 0; i < n; i++) {
        const float *x = y + i * k->c.outputs;
        int64_t place = train_place_of(x, k->c.outputs, target[i]);
        int32_t got = train_largest(x, k->c.outputs, 1);
        k->sum[SEEN]++;
        k->sum[TOP1] += place == 0;
        k->sum[TOP5] += place < 5;
        if (got < classes)
            k->sum[MATRIX + target[i] * classes + got]++;
    }
    return true;
}

/* Top-1 is the result. Rows without images give NaN, which readers show as none. */
static double
value(void *state, double *second, double *by_class)
{
    count *k = state;
    double n = k->sum[SEEN] > 0.0 ? k->sum[SEEN] : 1.0;

    if (second)
        *second = k->sum[TOP5] / n;
    for (int i = 0; by_class && i < k->c.classes; i++) {
        const double *row = k->sum + MATRIX + (int64_t)i * k->c.classes;
        double seen = 0.0;
        for (int j = 0; j < k->c.classes; j++)
            seen += row[j];
        by_class[i] = row[i] / seen; /* 0 / 0: of none */
    }
    return k->sum[TOP1] / n;
}

/* All of it are sums, so ranks add theirs up. */
static double *
sums(void *state, int64_t *n)
{
    count *k = state;

    *n = n_sums(&k->c);
    return k->sum;
}

static const double *
confusion(void *state)
{
    return ((count *)state)->sum + MATRIX;
}

static const nashc_task classify = {NASHC_DESC(nashc_task),
                                    .help = "one class an image",
                                    .figure = "top-1",
                                    .key = "top1",
                                    .second = "top-5",
                                    .second_key = "top5",
                                    .target = NASHC_TARGET_LABEL,
                                    .check = check,
                                    .loss = loss,
                                    .right = right,
                                    .n_found = n_found,
                                    .find = find,
                                    .begin = begin,
                                    .add = add,
                                    .value = value,
                                    .end = free,
                                    .sums = sums,
                                    .confusion = confusion};
const nashc_impl train_task_classify = NASHC_IMPL_TASK("classify", &classify);
