/* winograd.c: gradients of images by squares against sums in double. */
#include "plugins/train/lanes/winograd.h"
#include "tests/train/golden.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 70, BLOCKS = 3 }; /* the last block in part */

typedef struct shape {
    const char *name;
    train_window w;
    int64_t group, cg, mg;
} shape;

#define WINDOW(h_, w_, pad_)                                                                       \
    {                                                                                              \
        .h = (h_), .w = (w_), .out_h = (h_) + 2 * (pad_)-2, .out_w = (w_) + 2 * (pad_)-2, .kh = 3, \
        .kw = 3, .sh = 1, .sw = 1, .dh = 1, .dw = 1, .top = (pad_), .left = (pad_)                 \
    }

static const shape shapes[] = {
    {"no pads", WINDOW(16, 16, 0), 1, 32, 24},
    {"pads, odd sides, channels left over", WINDOW(11, 9, 1), 1, 21, 19},
    {"groups, wide pads", WINDOW(10, 8, 2), 2, 16, 16},
};

static float
made_up(int64_t i)
{
    return (float)((i * 7919 + 13) % 4093 - 2046) / 1024.0f;
}

/* dL/dx of lane k at (y, x) of channel ch of block b; *size the sum of what is summed. */
static double
direct(const shape *s, const float *g, const float *weight, const int64_t at[5], double *size)
{
    const train_window *w = &s->w;
    int64_t group = at[1] / s->cg;
    double sum = 0.0;

    *size = 0.0;
    for (int64_t m = group * s->mg; m < (group + 1) * s->mg; m++)
        for (int64_t tap = 0; tap < 9; tap++) {
            int64_t y = at[2] + w->top - tap / 3, x = at[3] + w->left - tap % 3;
            if (y < 0 || y >= w->out_h || x < 0 || x >= w->out_w)
                continue;
            int64_t i = ((at[0] * s->group * s->mg + m) * w->out_h + y) * w->out_w + x;
            double v = (double)g[i * TRAIN_LANES + at[4]] *
                       (double)weight[(m * s->cg + at[1] % s->cg) * 9 + tap];
            sum += v;
            *size += fabs(v);
        }
    return sum;
}

/* Some elements of dx, which began at 1. */
static void
compare(golden *t, const shape *s, const float *g, const float *weight, const float *dx, int64_t n)
{
    const train_window *w = &s->w;

    for (int64_t i = 0; i < n; i += 37) {
        int64_t line = i / TRAIN_LANES, map = line / (w->h * w->w);
        int64_t at[5] = {map / (s->group * s->cg), map % (s->group * s->cg), line / w->w % w->h,
                         line % w->w, i % TRAIN_LANES};
        double size, want = 1.0 + direct(s, g, weight, at, &size);
        if (!(fabs((double)dx[i] - want) <= 5e-7 * size + 1e-6))
            golden_fault(t, "element %d is %.8g, not %.8g", (int)i, (double)dx[i], want);
    }
}

static void
run(golden *t, const shape *s)
{
    const train_window *w = &s->w;
    train_product p = train_product_conv(w, s->group, s->cg, s->mg);
    int64_t n = BLOCKS * s->group * s->cg * w->h * w->w * TRAIN_LANES,
            n_w = s->group * s->mg * p.of_m;
    int64_t n_g = BLOCKS * s->group * s->mg * w->out_h * w->out_w * TRAIN_LANES;
    float *dx = malloc((size_t)n * sizeof *dx), *g = malloc((size_t)n_g * sizeof *g);
    float *weight = malloc((size_t)n_w * sizeof *weight);
    void *scratch = malloc(train_winograd_scratch(&p, BATCH, train_pool_size(t->pool)) + 1);
    nashc_grad_call c = {NASHC_DESC(nashc_grad_call),
                         .flags = NASHC_GRAD_BLOCKS,
                         .batch = BATCH,
                         .scratch = scratch,
                         .pool = t->pool,
                         .run = train_pool_run,
                         .n_threads = train_pool_size(t->pool)};

    for (int64_t i = 0; dx && i < n; i++)
        dx[i] = 1.0f;
    for (int64_t i = 0; g && i < n_g; i++)
        g[i] = made_up(i);
    for (int64_t i = 0; weight && i < n_w; i++)
        weight[i] = made_up(3 * i + 1);
    if (!dx || !g || !weight || !scratch || !train_winograd_scatter(&c, &p, g, weight, dx))
        golden_fault(t, "it is not done by squares");
    else
        compare(t, s, g, weight, dx, n);
    free(dx);
    free(g);
    free(weight);
    free(scratch);
}

void
golden_winograd(golden *t, const char *filter)
{
    t->folder = "winograd";
    for (size_t i = 0; i < NASHC_COUNT(shapes); i++) {
        t->file = shapes[i].name;
        t->faults = 0;
        if (filter && !strstr("winograd", filter))
            continue;
        run(t, &shapes[i]);
        *(t->faults ? &t->failed : &t->passed) += 1;
    }
}
