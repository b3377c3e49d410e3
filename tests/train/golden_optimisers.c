/* golden_optimisers.c: twenty steps on given gradients, clipping, and schedules. */
#include "plugins/train/optim/optim.h"
#include "tests/train/golden.h"
#include <math.h>
#include <string.h>

enum { SIZE = 30, STEPS = 20 };

typedef struct tensor {
    const char *p0, *g, *after, *m, *u;
    float p[SIZE], mv[SIZE], uv[SIZE], grad[SIZE];
    int64_t n;
} tensor;

static void
load(golden *t, const char *name, int64_t at, float *to, int64_t n)
{
    const tool_array *a = golden_array(t, name);

    for (int64_t i = 0; a && i < n; i++)
        to[i] = (float)golden_at(a, at + i);
}

static double
setting(const golden *t, const char *name)
{
    const json_t *v = json_object_get(json_object_get(t->entry, "settings"), name);

    return json_is_true(v) ? 1.0 : json_number_value(v);
}

static train_optim
settings(const golden *t, const char *name)
{
    const json_t *betas = json_object_get(json_object_get(t->entry, "settings"), "betas");

    return (train_optim){.kind = strncmp(name, "sgd", 3) == 0 ? TRAIN_SGD
                                 : strcmp(name, "adamw") == 0 ? TRAIN_ADAMW
                                                              : TRAIN_ADAM,
                         .beta1 = json_number_value(json_array_get(betas, 0)),
                         .beta2 = json_number_value(json_array_get(betas, 1)),
                         .eps = setting(t, "eps"),
                         .momentum = setting(t, "momentum"),
                         .decay = setting(t, "weight_decay"),
                         .nesterov = setting(t, "nesterov") != 0.0};
}

static void
steps(golden *t, const char *name)
{
    train_optim o = settings(t, name);
    tensor p[2] = {{"p0_a", "ga", "a", "m_a", "v_a", .n = 30},
                   {"p0_b", "gb", "b", "m_b", "v_b", .n = 7}};
    const tool_array *lr = golden_array(t, "lr");
    golden_bound b = {.absolute = 2e-6, .relative = 2e-6};

    for (int k = 0; k < 2; k++)
        load(t, p[k].p0, 0, p[k].p, p[k].n);
    for (int64_t s = 0; lr && s < STEPS; s++) {
        double square = 0.0;
        for (int k = 0; k < 2; k++) {
            load(t, p[k].g, s * p[k].n, p[k].grad, p[k].n);
            square += train_square_sum(p[k].grad, p[k].n);
        }
        float norm = (float)sqrt(square);
        if (golden_find(t, "grad_norm"))
            golden_compare_at(t, "grad_norm", s, &norm, 1, (golden_bound){.relative = 1e-6});
        double factor = train_clip_factor(sqrt(square), setting(t, "clip"));
        for (int k = 0; k < 2; k++) {
            train_optim_step(&o, s + 1, golden_at(lr, s), factor, p[k].n, p[k].p, p[k].grad,
                             p[k].mv, p[k].uv);
            golden_compare_at(t, p[k].after, s * p[k].n, p[k].p, p[k].n, b);
        }
    }
    for (int k = 0; k < 2 && o.kind != TRAIN_SGD; k++) {
        golden_compare(t, p[k].m, p[k].mv, p[k].n,
                       (golden_bound){.relative = 1e-5, .of_largest = 1e-6});
        golden_compare(t, p[k].u, p[k].uv, p[k].n,
                       (golden_bound){.relative = 1e-5, .of_largest = 1e-6});
    }
}

static void
clipping(golden *t)
{
    for (int i = 0; i < 6; i++) {
        char name[32];
        float a[SIZE], b[7], max = 0.0f, norm;
        snprintf(name, sizeof name, "in_a%d", i);
        load(t, name, 0, a, SIZE);
        snprintf(name, sizeof name, "in_b%d", i);
        load(t, name, 0, b, 7);
        snprintf(name, sizeof name, "max_norm%d", i);
        load(t, name, 0, &max, 1);
        double exact = sqrt(train_square_sum(a, SIZE) + train_square_sum(b, 7));
        norm = (float)exact;
        snprintf(name, sizeof name, "norm%d", i);
        golden_compare(t, name, &norm, 1, (golden_bound){.relative = 1e-6});
        for (int k = 0; k < SIZE; k++)
            a[k] *= (float)train_clip_factor(exact, (double)max);
        snprintf(name, sizeof name, "out_a%d", i);
        golden_compare(t, name, a, SIZE, (golden_bound){.relative = 1e-6});
    }
}

static void
schedule(golden *t, const char *array, train_schedule s)
{
    const tool_array *a = golden_array(t, array);

    for (int64_t e = 0; a && e < a->buf.n; e++) {
        double want = golden_at(a, e), got = train_rate(&s, e);
        if (fabs(got - want) > 1e-15)
            golden_fault(t, "%s of epoch %d is %.17g, not %.17g", array, (int)e, got, want);
    }
}

static void
schedules(golden *t)
{
    const tool_array *s = golden_array(t, "step_30_100");
    /* The first epoch of a step schedule has the rate itself. */
    double lr = s ? golden_at(s, 0) : 0.0;

    schedule(t, "cosine_200_to_0", (train_schedule){TRAIN_COSINE, 0.025, 0.0, .epochs = 200});
    schedule(t, "cosine_100_to_1e-3", (train_schedule){TRAIN_COSINE, 0.025, 1e-3, .epochs = 100});
    schedule(t, "step_30_100", (train_schedule){TRAIN_STEP, lr, 0.0, 0.1, 30, 100});
    schedule(t, "step_20_100", (train_schedule){TRAIN_STEP, lr, 0.0, 0.1, 20, 100});
}

void
golden_optimiser(golden *t, const char *name)
{
    if (strcmp(name, "clip") == 0)
        clipping(t);
    else if (strcmp(name, "schedules") == 0)
        schedules(t);
    else
        steps(t, name);
}
