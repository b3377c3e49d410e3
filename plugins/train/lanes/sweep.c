/* sweep.c: gather and scatter: from one map to the other, tiles of channels by rows. */
#include "plugins/train/lanes/sweep.h"
#include "plugins/train/lanes/pack.h"

#define SOURCE_FLOATS (256 * 1024) /* of the source that are read again and again: a part of L2 */

/* Place in the source that tap k meets at position i of the target; -1: none. */
static int64_t
place(bool gather, int64_t i, int64_t k, int64_t stride, int64_t pad, int64_t n)
{
    int64_t at = gather ? i * stride - pad + k : i + pad - k;

    if (!gather) {
        if (at < 0 || at % stride)
            return -1;
        at /= stride;
    }
    return at >= 0 && at < n ? at : -1;
}

static void
fill_axis(train_axis_taps *a, bool gather, int64_t n, int64_t n_source, int64_t dilation,
          int64_t stride, int64_t pad, int64_t step, int64_t taps)
{
    for (int64_t i = 0; i < n; i++) {
        train_tap *t = a->tap + i * a->most;
        a->count[i] = 0;
        for (int64_t k = 0; k < a->most; k++) {
            int64_t at = place(gather, i, k * dilation, stride, pad, n_source);
            if (at >= 0)
                t[a->count[i]++] = (train_tap){at * step, k * taps};
        }
    }
}

size_t
train_sweep_scratch(const train_product *p)
{
    const train_window *w = &p->w;
    int64_t h = w->h > w->out_h ? w->h : w->out_h, width = w->w > w->out_w ? w->w : w->out_w;
    size_t taps = (size_t)(h * w->kh + width * w->kw) * sizeof(train_tap);

    return taps + (size_t)(h + width) * sizeof(int64_t) +
           (size_t)(p->group * p->cg * p->mg * w->kh * w->kw) * sizeof(float);
}

train_sweep
train_sweep_of(const nashc_grad_call *c, const train_product *p, bool gather)
{
    const train_window *w = &p->w;
    int64_t source_h = gather ? w->h : w->out_h;
    train_sweep s = {.p = p,
                     .gather = gather,
                     .sources = gather ? p->cg : p->mg,
                     .targets = gather ? p->mg : p->cg,
                     .h = gather ? w->out_h : w->h,
                     .width = gather ? w->out_w : w->w,
                     .source_width = gather ? w->w : w->out_w,
                     .from = gather ? p->image : p->windows,
                     .to = gather ? p->windows : p->image,
                     .mac = train_kernel_best()->mac};

    s.from_block = p->group * s.sources * source_h * s.source_width * TRAIN_LANES;
    s.to_block = p->group * s.targets * s.h * s.width * TRAIN_LANES;
    s.rows = SOURCE_FLOATS / (s.sources * s.source_width * TRAIN_LANES) + 1;
    s.row = (train_axis_taps){.most = w->kh, .tap = c->scratch};
    s.col = (train_axis_taps){.most = w->kw, .tap = s.row.tap + s.h * w->kh};
    s.row.count = (int64_t *)(s.col.tap + s.width * w->kw);
    s.col.count = s.row.count + s.h;
    s.packed = (float *)(s.col.count + s.width);
    fill_axis(&s.row, gather, s.h, source_h, w->dh, w->sh, w->top, s.source_width * s.from.position,
              w->kw);
    fill_axis(&s.col, gather, s.width, s.source_width, w->dw, w->sw, w->left, s.from.position, 1);
    return s;
}

float *
train_sweep_packed(const train_sweep *s, int64_t group, int64_t t0)
{
    return s->packed + (group * s->targets + t0) * s->sources * s->p->w.kh * s->p->w.kw;
}

static void
pack_part(void *arg, int thread, int64_t lo, int64_t hi)
{
    const train_sweep *s = arg;
    const train_product *p = s->p;
    int64_t tiles = (s->targets + TRAIN_MAC_ROWS - 1) / TRAIN_MAC_ROWS;
    train_weights w = {.sources = s->sources,
                       .taps = p->w.kh * p->w.kw,
                       .of_target = s->gather ? p->of_m : p->of_c,
                       .of_source = s->gather ? p->of_c : p->of_m,
                       .of_tap = p->of_tap};

    (void)thread;
    for (int64_t item = lo; item < hi; item++) {
        int64_t group = item / tiles, t0 = item % tiles * TRAIN_MAC_ROWS;
        w.from = s->weight + group * p->mg * p->of_m + t0 * w.of_target;
        train_pack(&w, train_least(TRAIN_MAC_ROWS, s->targets - t0),
                   train_sweep_packed(s, group, t0));
    }
}

/* One row of the target, some of its channels. */
static void
sweep_row(const train_sweep *s, int64_t group, int64_t t0, int64_t r)
{
    int64_t block = r / s->h, y = r % s->h;
    train_mac a = {.x = s->source + block * s->from_block + group * s->sources * s->from.channel,
                   .w = train_sweep_packed(s, group, t0),
                   .bias = s->bias ? s->bias + group * s->targets + t0 : NULL,
                   .y = s->target + block * s->to_block +
                        (group * s->targets + t0) * s->to.channel + y * s->width * s->to.position,
                   .x_step = s->from.channel,
                   .y_step = s->to.channel,
                   .depth = s->sources,
                   .rows = train_least(TRAIN_MAC_ROWS, s->targets - t0),
                   .row = s->row.tap + y * s->row.most,
                   .n_row = s->row.count[y],
                   .add = s->add};

    a.factor = s->factor ? s->factor + group * s->targets + t0 : NULL;
    for (int64_t i = 0; i < s->width; i++, a.y += s->to.position) {
        if (s->start)
            a.start =
                s->start + (y * s->width + i) * s->p->group * s->targets + group * s->targets + t0;
        a.col = s->col.tap + i * s->col.most;
        a.n_col = s->col.count[i];
        s->mac(&a);
    }
}

static void
sweep_part(void *arg, int thread, int64_t lo, int64_t hi)
{
    const train_sweep *s = arg;

    (void)thread;
    for (int64_t r0 = lo; r0 < hi; r0 += s->rows)
        for (int64_t group = 0; group < s->p->group; group++)
            for (int64_t t0 = 0; t0 < s->targets; t0 += TRAIN_MAC_ROWS)
                for (int64_t r = r0; r < train_least(r0 + s->rows, hi); r++)
                    sweep_row(s, group, t0, r);
}

void
train_sweep_run(const nashc_grad_call *c, const train_sweep *s)
{
    nashc_grad_parallel(c, train_blocks_of(c->batch) * s->h, sweep_part, (void *)s);
}

static void
pack_and_run(const nashc_grad_call *c, train_sweep *s)
{
    int64_t tiles = (s->targets + TRAIN_MAC_ROWS - 1) / TRAIN_MAC_ROWS;

    nashc_grad_parallel(c, s->p->group * tiles, pack_part, s);
    train_sweep_run(c, s);
}

void
train_product_gather(const nashc_grad_call *c, const train_product *p, const float *x,
                     const float *weight, const float *bias, bool add, float *y)
{
    train_sweep s = train_sweep_of(c, p, true);

    s.source = x, s.weight = weight, s.bias = bias, s.target = y, s.add = add;
    pack_and_run(c, &s);
}

void
train_product_scatter(const nashc_grad_call *c, const train_product *p, const float *y,
                      const float *weight, const float *bias, bool add, float *x)
{
    train_sweep s = train_sweep_of(c, p, false);

    s.source = y, s.weight = weight, s.bias = bias, s.target = x, s.add = add;
    pack_and_run(c, &s);
}
