/* winograd.c: gradients of images and of weights by squares, and of weights with turned windows,
 * against sums in double. */
#include "plugins/train/lanes/winograd.h"
#include "plugins/train/lanes/turned.h"
#include "tests/train/golden.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 70, BLOCKS = 3 }; /* the last block in part */

typedef struct shape {
    const char *name;
    train_window w;
    int64_t group, cg, mg;
    bool add;    /* to ones; else what was there is lost */
    bool turned; /* few windows, no squares */
} shape;

#define WINDOW(h_, w_, pad_)                                                                       \
    {                                                                                              \
        .h = (h_), .w = (w_), .out_h = (h_) + 2 * (pad_)-2, .out_w = (w_) + 2 * (pad_)-2, .kh = 3, \
        .kw = 3, .sh = 1, .sw = 1, .dh = 1, .dw = 1, .top = (pad_), .left = (pad_)                 \
    }

static const shape shapes[] = {
    {"no pads", WINDOW(16, 16, 0), 1, 32, 24, true},
    {"pads, odd sides, channels left over", WINDOW(11, 9, 1), 1, 21, 27, false},
    {"groups, wide pads", WINDOW(10, 8, 2), 2, 16, 32, true},
    {"more than a block of channels", WINDOW(12, 20, 1), 1, 9, 70, false},
    {"few windows, channels left over", WINDOW(3, 3, 1), 1, 11, 60, true, .turned = true},
    {"one window, groups", WINDOW(3, 3, 0), 2, 8, 32, false, .turned = true},
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

/* Some elements of dx. Those of a square share roundings, so that one with few
 * terms has those of its neighbours: terms are about 1, 9 mg of them the most. */
static void
compare(golden *t, const shape *s, const float *g, const float *weight, const float *dx, int64_t n)
{
    const train_window *w = &s->w;

    for (int64_t i = 0; i < n; i += 37) {
        int64_t line = i / TRAIN_LANES, map = line / (w->h * w->w);
        int64_t at[5] = {map / (s->group * s->cg), map % (s->group * s->cg), line / w->w % w->h,
                         line % w->w, i % TRAIN_LANES};
        double size, want = s->add + direct(s, g, weight, at, &size);
        if (!(fabs((double)dx[i] - want) <= 5e-7 * (size + 3.0 * (double)s->mg)))
            golden_fault(t, "element %d is %.8g, not %.8g", (int)i, (double)dx[i], want);
    }
}

/* dL/dw of (m, c of its group, tap); *size the sum of what is summed. */
static double
direct_weight(const shape *s, const float *x, const float *g, const int64_t at[3], double *size)
{
    const train_window *w = &s->w;
    int64_t ch = at[0] / s->mg * s->cg + at[1], lines = w->out_h * w->out_w;
    double sum = 0.0;

    *size = 0.0;
    for (int64_t i = 0; i < BLOCKS * lines; i++) {
        int64_t block = i / lines, window = i % lines;
        int64_t row = window / w->out_w + at[2] / 3 - w->top;
        int64_t col = window % w->out_w + at[2] % 3 - w->left;
        if (row < 0 || row >= w->h || col < 0 || col >= w->w)
            continue;
        int64_t here = (block * s->group * s->cg + ch) * w->h * w->w + row * w->w + col;
        int64_t there = (block * s->group * s->mg + at[0]) * lines + window;
        for (int64_t k = 0; k < TRAIN_LANES; k++) {
            double v = (double)x[here * TRAIN_LANES + k] * (double)g[there * TRAIN_LANES + k];
            sum += v;
            *size += fabs(v);
        }
    }
    return sum;
}

/* Some weights of dw. */
static void
compare_weights(golden *t, const shape *s, const float *x, const float *g, const float *dw,
                int64_t n)
{
    for (int64_t i = 0; i < n; i += 17) {
        int64_t at[3] = {i / (s->cg * 9), i / 9 % s->cg, i % 9};
        double size, want = s->add + direct_weight(s, x, g, at, &size);
        double bound = s->turned ? 4e-7 : 2e-7; /* a sum in one row, or in parts */
        if (!(fabs((double)dw[i] - want) <= bound * size + 1e-6))
            golden_fault(t, "weight %d is %.8g, not %.8g", (int)i, (double)dw[i], want);
    }
}

static float *
filled(int64_t n, int64_t step, float one)
{
    float *v = malloc((size_t)n * sizeof *v);

    for (int64_t i = 0; v && i < n; i++)
        v[i] = step ? made_up(step * i + 1) : one;
    return v;
}

static void
run(golden *t, const shape *s)
{
    const train_window *w = &s->w;
    train_product p = train_product_conv(w, s->group, s->cg, s->mg);
    int64_t n = BLOCKS * s->group * s->cg * w->h * w->w * TRAIN_LANES;
    int64_t n_w = s->group * s->mg * p.of_m;
    int64_t n_g = BLOCKS * s->group * s->mg * w->out_h * w->out_w * TRAIN_LANES;
    float *dx = filled(n, 0, s->add ? 1.0f : NAN), *x = filled(n, 5, 0.0f),
          *g = filled(n_g, 1, 0.0f);
    float *dw = filled(n_w, 0, s->add ? 1.0f : NAN), *weight = filled(n_w, 3, 0.0f);
    int threads = thread_pool_size(t->pool);
    void *scratch = malloc(train_product_scratch(&p, BATCH, threads) + 1);
    nashc_grad_call c = {NASHC_DESC(nashc_grad_call),
                         .flags = NASHC_GRAD_BLOCKS,
                         .batch = BATCH,
                         .scratch = scratch,
                         .pool = t->pool,
                         .run = thread_pool_share,
                         .n_threads = threads};

    if (!dx || !x || !g || !dw || !weight || !scratch)
        golden_fault(t, "no memory");
    else if (s->turned && !train_turned_weights(&c, &p, x, g, s->add, dw))
        golden_fault(t, "windows are not turned");
    else if (s->turned)
        compare_weights(t, s, x, g, dw, n_w);
    else if (!train_winograd_scatter(&c, &p, g, weight, s->add, dx))
        golden_fault(t, "the image is not done by squares");
    else if (!train_winograd_weights(&c, &p, x, g, s->add, dw))
        golden_fault(t, "weights are not done by squares");
    else {
        compare(t, s, g, weight, dx, n);
        compare_weights(t, s, x, g, dw, n_w);
    }
    free(dx);
    free(x);
    free(g);
    free(dw);
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
