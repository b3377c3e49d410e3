/* product.c: loops around the kernels: what a thread does, in tiles that stay in its caches. */
#include "plugins/train/lanes/product.h"
#include "plugins/train/clones.h"
#include <string.h>

#define SOURCE_FLOATS (256 * 1024) /* of the source that are read again and again: a part of L2 */
#define MEET_ROWS     32           /* positions of a tile of dot products, about: L1 */

static int64_t
least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t
blocks_of(int64_t batch)
{
    return (batch + TRAIN_LANES - 1) / TRAIN_LANES;
}

train_product
train_product_conv(const train_window *w, int64_t group, int64_t cg, int64_t mg)
{
    int64_t taps = w->kh * w->kw;

    return (train_product){.w = *w,
                           .group = group,
                           .cg = cg,
                           .mg = mg,
                           .of_m = cg * taps,
                           .of_c = taps,
                           .of_tap = 1,
                           .image = {w->h * w->w * TRAIN_LANES, TRAIN_LANES},
                           .windows = {w->out_h * w->out_w * TRAIN_LANES, TRAIN_LANES}};
}

/* --- gather and scatter ---------------------------------------------------------------------- */

/* Taps that meet each of the positions along an axis: `most` places a position. */
typedef struct axis {
    int64_t most, *count;
    train_tap *tap;
} axis;

/* From a source to a target map, whichever of the two is the image. */
typedef struct sweep {
    const train_product *p;
    bool gather, add;
    int64_t sources, targets; /* channels of a group */
    int64_t h, width;         /* of the target */
    int64_t source_width;
    train_map from, to;
    int64_t from_block, to_block; /* floats of a block of samples */
    int64_t rows;                 /* of the target between which the source stays in the cache */
    axis row, col;
    float *packed;
    const float *source, *weight, *bias;
    float *target;
    const train_kernel *kernel;
} sweep;

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
fill_axis(axis *a, bool gather, int64_t n, int64_t n_source, int64_t dilation, int64_t stride,
          int64_t pad, int64_t step, int64_t taps)
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

static size_t
sweep_scratch(const train_product *p)
{
    const train_window *w = &p->w;
    int64_t h = w->h > w->out_h ? w->h : w->out_h, width = w->w > w->out_w ? w->w : w->out_w;
    size_t taps = (size_t)(h * w->kh + width * w->kw) * sizeof(train_tap);

    return taps + (size_t)(h + width) * sizeof(int64_t) +
           (size_t)(p->group * p->cg * p->mg * w->kh * w->kw) * sizeof(float);
}

/* Everything but the pointers of the caller; tables are in scratch. */
static sweep
sweep_of(const nashc_grad_call *c, const train_product *p, bool gather)
{
    const train_window *w = &p->w;
    int64_t source_h = gather ? w->h : w->out_h;
    sweep s = {.p = p,
               .gather = gather,
               .sources = gather ? p->cg : p->mg,
               .targets = gather ? p->mg : p->cg,
               .h = gather ? w->out_h : w->h,
               .width = gather ? w->out_w : w->w,
               .source_width = gather ? w->w : w->out_w,
               .from = gather ? p->image : p->windows,
               .to = gather ? p->windows : p->image,
               .kernel = train_kernel_best()};

    s.from_block = p->group * s.sources * source_h * s.source_width * TRAIN_LANES;
    s.to_block = p->group * s.targets * s.h * s.width * TRAIN_LANES;
    s.rows = SOURCE_FLOATS / (s.sources * s.source_width * TRAIN_LANES) + 1;
    s.row = (axis){.most = w->kh, .tap = c->scratch};
    s.col = (axis){.most = w->kw, .tap = s.row.tap + s.h * w->kh};
    s.row.count = (int64_t *)(s.col.tap + s.width * w->kw);
    s.col.count = s.row.count + s.h;
    s.packed = (float *)(s.col.count + s.width);
    fill_axis(&s.row, gather, s.h, source_h, w->dh, w->sh, w->top, s.source_width * s.from.position,
              w->kw);
    fill_axis(&s.col, gather, s.width, s.source_width, w->dw, w->sw, w->left, s.from.position, 1);
    return s;
}

/* Weights of target channels t0 .. t0 + n-1 of a group, as the kernel reads them. */
static float *
packed_at(const sweep *s, int64_t group, int64_t t0)
{
    return s->packed + (group * s->targets + t0) * s->sources * s->p->w.kh * s->p->w.kw;
}

static void
pack_part(void *arg, int thread, int64_t lo, int64_t hi)
{
    const sweep *s = arg;
    const train_product *p = s->p;
    int64_t of_target = s->gather ? p->of_m : p->of_c, of_source = s->gather ? p->of_c : p->of_m;
    int64_t tiles = (s->targets + TRAIN_MAC_ROWS - 1) / TRAIN_MAC_ROWS;

    (void)thread;
    for (int64_t item = lo; item < hi; item++) {
        int64_t group = item / tiles, t0 = item % tiles * TRAIN_MAC_ROWS;
        int64_t n = least(TRAIN_MAC_ROWS, s->targets - t0);
        const float *from = s->weight + group * p->mg * p->of_m + t0 * of_target;
        float *to = packed_at(s, group, t0);
        for (int64_t k = 0; k < s->sources; k++)
            for (int64_t tap = 0; tap < p->w.kh * p->w.kw; tap++)
                for (int64_t i = 0; i < n; i++)
                    to[(tap * s->sources + k) * n + i] =
                        from[i * of_target + k * of_source + tap * p->of_tap];
    }
}

/* One row of the target, some of its channels. */
static void
sweep_row(const sweep *s, int64_t group, int64_t t0, int64_t r)
{
    int64_t block = r / s->h, y = r % s->h;
    train_mac a = {.x = s->source + block * s->from_block + group * s->sources * s->from.channel,
                   .w = packed_at(s, group, t0),
                   .bias = s->bias ? s->bias + group * s->targets + t0 : NULL,
                   .y = s->target + block * s->to_block +
                        (group * s->targets + t0) * s->to.channel + y * s->width * s->to.position,
                   .x_step = s->from.channel,
                   .y_step = s->to.channel,
                   .depth = s->sources,
                   .rows = least(TRAIN_MAC_ROWS, s->targets - t0),
                   .row = s->row.tap + y * s->row.most,
                   .n_row = s->row.count[y],
                   .add = s->add};

    for (int64_t i = 0; i < s->width; i++, a.y += s->to.position) {
        a.col = s->col.tap + i * s->col.most;
        a.n_col = s->col.count[i];
        s->kernel->mac(&a);
    }
}

static void
sweep_part(void *arg, int thread, int64_t lo, int64_t hi)
{
    const sweep *s = arg;

    (void)thread;
    for (int64_t r0 = lo; r0 < hi; r0 += s->rows)
        for (int64_t group = 0; group < s->p->group; group++)
            for (int64_t t0 = 0; t0 < s->targets; t0 += TRAIN_MAC_ROWS)
                for (int64_t r = r0; r < least(r0 + s->rows, hi); r++)
                    sweep_row(s, group, t0, r);
}

static void
run_sweep(const nashc_grad_call *c, sweep *s)
{
    int64_t tiles = (s->targets + TRAIN_MAC_ROWS - 1) / TRAIN_MAC_ROWS;

    nashc_grad_parallel(c, s->p->group * tiles, pack_part, s);
    nashc_grad_parallel(c, blocks_of(c->batch) * s->h, sweep_part, s);
}

void
train_product_gather(const nashc_grad_call *c, const train_product *p, const float *x,
                     const float *weight, const float *bias, bool add, float *y)
{
    sweep s = sweep_of(c, p, true);

    s.source = x, s.weight = weight, s.bias = bias, s.target = y, s.add = add;
    run_sweep(c, &s);
}

void
train_product_scatter(const nashc_grad_call *c, const train_product *p, const float *y,
                      const float *weight, const float *bias, bool add, float *x)
{
    sweep s = sweep_of(c, p, false);

    s.source = y, s.weight = weight, s.bias = bias, s.target = x, s.add = add;
    run_sweep(c, &s);
}

/* --- weights --------------------------------------------------------------------------------- */

typedef struct weights {
    const train_product *p;
    const float *x, *y;
    float *dw, *sum;  /* sum: tiles of all taps, one item after the other */
    train_meet *meet; /* of a thread: places of all taps, `rows` a tap */
    int64_t *n_meet;  /* of a thread: places of each tap */
    int64_t m_tiles, c_tiles, taps;
    int64_t n_rows, rows; /* rows of windows of all blocks; of a part */
    const train_kernel *kernel;
} weights;

static weights
weights_of(const train_product *p, int64_t batch)
{
    weights v = {.p = p, .taps = p->w.kh * p->w.kw, .kernel = train_kernel_best()};

    v.m_tiles = (p->mg + TRAIN_DOT_TILE - 1) / TRAIN_DOT_TILE;
    v.c_tiles = (p->cg + TRAIN_DOT_TILE - 1) / TRAIN_DOT_TILE;
    v.n_rows = blocks_of(batch) * p->w.out_h;
    v.rows = (MEET_ROWS + p->w.out_w - 1) / p->w.out_w;
    return v;
}

static int64_t
n_items(const weights *v)
{
    return v->p->group * v->m_tiles * v->c_tiles;
}

static size_t
weights_scratch(const train_product *p, int64_t batch, int n_threads)
{
    weights v = weights_of(p, batch);

    return (size_t)(n_items(&v) * v.taps * TRAIN_DOT_SIZE) * sizeof(float) +
           (size_t)(n_threads * v.taps) * (sizeof(int64_t) + (size_t)v.rows * sizeof(train_meet));
}

/* Where tap meets windows of rows r0 .. r1-1; the number of places. */
static int64_t
meet(const weights *v, int64_t tap, int64_t r0, int64_t r1, train_meet *to)
{
    const train_product *p = v->p;
    const train_window *w = &p->w;
    int64_t ky = tap / w->kw * w->dh - w->top, kx = tap % w->kw * w->dw - w->left, lo, hi, n = 0;

    train_inside(kx, w->sw, w->w, w->out_w, &lo, &hi);
    for (int64_t r = r0; r < r1 && lo < hi; r++) {
        int64_t block = r / w->out_h, y = r % w->out_h, row = y * w->sh + ky;
        int64_t image = block * p->group * p->cg * w->h * w->w * TRAIN_LANES;
        int64_t windows = block * p->group * p->mg * w->out_h * w->out_w * TRAIN_LANES;
        if (row < 0 || row >= w->h)
            continue;
        to[n++] = (train_meet){windows + (y * w->out_w + lo) * p->windows.position,
                               image + (row * w->w + lo * w->sw + kx) * p->image.position, hi - lo};
    }
    return n;
}

/* All taps of one tile of channels, for the places of one part. */
static void
dot_taps(const weights *v, int64_t item, const train_meet *meets, const int64_t *n_meet)
{
    const train_product *p = v->p;
    int64_t c0 = item % v->c_tiles * TRAIN_DOT_TILE, group = item / v->c_tiles / v->m_tiles;
    int64_t m0 = item / v->c_tiles % v->m_tiles * TRAIN_DOT_TILE;
    train_dot a = {.y = v->y + (group * p->mg + m0) * p->windows.channel,
                   .x = v->x + (group * p->cg + c0) * p->image.channel,
                   .y_step = p->windows.channel,
                   .x_step = p->image.channel,
                   .y_next = p->windows.position,
                   .x_next = p->w.sw * p->image.position,
                   .rows = least(TRAIN_DOT_TILE, p->mg - m0),
                   .columns = least(TRAIN_DOT_TILE, p->cg - c0)};

    for (int64_t tap = 0; tap < v->taps; tap++) {
        a.meet = meets + tap * v->rows;
        a.n_meet = n_meet[tap];
        if (a.n_meet)
            v->kernel->dot(&a, v->sum + (item * v->taps + tap) * TRAIN_DOT_SIZE);
    }
}

static void
add_tile(const weights *v, int64_t item)
{
    const train_product *p = v->p;
    int64_t c0 = item % v->c_tiles * TRAIN_DOT_TILE, group = item / v->c_tiles / v->m_tiles;
    int64_t m0 = item / v->c_tiles % v->m_tiles * TRAIN_DOT_TILE;
    const float *sum = v->sum + item * v->taps * TRAIN_DOT_SIZE;

    for (int64_t i = 0; i < least(TRAIN_DOT_TILE, p->mg - m0); i++)
        for (int64_t j = 0; j < least(TRAIN_DOT_TILE, p->cg - c0); j++)
            for (int64_t tap = 0; tap < v->taps; tap++)
                v->dw[(group * p->mg + m0 + i) * p->of_m + (c0 + j) * p->of_c + tap * p->of_tap] +=
                    sum[tap * TRAIN_DOT_SIZE + i * TRAIN_DOT_TILE + j];
}

static void
weights_part(void *arg, int thread, int64_t lo, int64_t hi)
{
    const weights *v = arg;
    train_meet *meets = v->meet + thread * v->taps * v->rows;
    int64_t size = v->taps * TRAIN_DOT_SIZE, *n_meet = v->n_meet + thread * v->taps;

    memset(v->sum + lo * size, 0, (size_t)((hi - lo) * size) * sizeof(float));
    for (int64_t r0 = 0; r0 < v->n_rows; r0 += v->rows) {
        for (int64_t tap = 0; tap < v->taps; tap++)
            n_meet[tap] = meet(v, tap, r0, least(r0 + v->rows, v->n_rows), meets + tap * v->rows);
        for (int64_t item = lo; item < hi; item++)
            dot_taps(v, item, meets, n_meet);
    }
    for (int64_t item = lo; item < hi; item++)
        add_tile(v, item);
}

void
train_product_weights(const nashc_grad_call *c, const train_product *p, const float *x,
                      const float *y, float *dw)
{
    weights v = weights_of(p, c->batch);

    v.x = x, v.y = y, v.dw = dw;
    v.meet = c->scratch;
    v.n_meet = (int64_t *)(v.meet + c->n_threads * v.taps * v.rows);
    v.sum = (float *)(v.n_meet + c->n_threads * v.taps);
    nashc_grad_parallel(c, n_items(&v), weights_part, &v);
}

size_t
train_product_scratch(const train_product *p, int64_t batch, int n_threads)
{
    size_t a = sweep_scratch(p), b = weights_scratch(p, batch, n_threads);

    return a > b ? a : b;
}

/* --- bias ------------------------------------------------------------------------------------ */

typedef struct bias_job {
    train_map m;
    int64_t n, positions, blocks;
    const float *g;
    float *db;
} bias_job;

TRAIN_CLONES static void
bias_part(void *arg, int thread, int64_t lo, int64_t hi)
{
    const bias_job *j = arg;

    (void)thread;
    for (int64_t ch = lo; ch < hi; ch++) {
        double sum[TRAIN_LANES] = {0.0}, all = 0.0;
        for (int64_t b = 0; b < j->blocks; b++)
            for (int64_t i = 0; i < j->positions; i++) {
                const float *g = j->g + b * j->n * j->positions * TRAIN_LANES + ch * j->m.channel +
                                 i * j->m.position;
                for (int k = 0; k < TRAIN_LANES; k++)
                    sum[k] += (double)g[k];
            }
        for (int k = 0; k < TRAIN_LANES; k++)
            all += sum[k];
        j->db[ch] += (float)all;
    }
}

void
train_product_bias(const nashc_grad_call *c, const train_map *m, int64_t n, int64_t positions,
                   const float *g, float *db)
{
    bias_job j = {
        .m = *m, .n = n, .positions = positions, .blocks = blocks_of(c->batch), .g = g, .db = db};

    nashc_grad_parallel(c, n, bias_part, &j);
}
