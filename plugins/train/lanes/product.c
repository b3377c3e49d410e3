/* product.c: gradients of weights and biases: what a thread does, in tiles that stay in its
 * caches. */
#include "plugins/train/lanes/product.h"
#include "plugins/train/lanes/coded.h"
#include "plugins/train/lanes/sweep.h"
#include "plugins/train/lanes/turned.h"
#include "plugins/train/lanes/winograd.h"
#include <nashc/clones.h>
#include <string.h>

#define MEET_ROWS 32 /* most positions of a tile of dot products, unless a row has more: L1 */

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

/* --- weights --------------------------------------------------------------------------------- */

typedef struct weights {
    const train_product *p;
    const float *x, *y;
    bool add;
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
    v.n_rows = train_blocks_of(batch) * p->w.out_h;
    v.rows = p->w.out_w < MEET_ROWS ? MEET_ROWS / p->w.out_w : 1;
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
                   .rows = train_least(TRAIN_DOT_TILE, p->mg - m0),
                   .columns = train_least(TRAIN_DOT_TILE, p->cg - c0)};

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

    for (int64_t i = 0; i < train_least(TRAIN_DOT_TILE, p->mg - m0); i++)
        for (int64_t j = 0; j < train_least(TRAIN_DOT_TILE, p->cg - c0); j++)
            for (int64_t tap = 0; tap < v->taps; tap++) {
                float *to = v->dw + (group * p->mg + m0 + i) * p->of_m + (c0 + j) * p->of_c;
                float d = sum[tap * TRAIN_DOT_SIZE + i * TRAIN_DOT_TILE + j];
                to[tap * p->of_tap] = v->add ? to[tap * p->of_tap] + d : d;
            }
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
            n_meet[tap] =
                meet(v, tap, r0, train_least(r0 + v->rows, v->n_rows), meets + tap * v->rows);
        for (int64_t item = lo; item < hi; item++)
            dot_taps(v, item, meets, n_meet);
    }
    for (int64_t item = lo; item < hi; item++)
        add_tile(v, item);
}

void
train_product_weights(const nashc_grad_call *c, const train_product *p, const float *x,
                      const float *y, bool add, float *dw)
{
    weights v = weights_of(p, c->batch);

    if (train_turned_weights(c, p, x, y, add, dw))
        return;
    v.x = x, v.y = y, v.dw = dw, v.add = add;
    v.meet = c->scratch;
    v.n_meet = (int64_t *)(v.meet + c->n_threads * v.taps * v.rows);
    v.sum = (float *)(v.n_meet + c->n_threads * v.taps);
    nashc_grad_parallel(c, n_items(&v), weights_part, &v);
}

size_t
train_product_scratch(const train_product *p, int64_t batch, int n_threads)
{
    size_t a = train_sweep_scratch(p), b = weights_scratch(p, batch, n_threads);
    size_t both = train_coded_scratch(p, batch, n_threads);
    size_t squares = train_winograd_scratch(p, batch, n_threads);
    size_t pairs = train_winograd_weights_scratch(p, batch, n_threads);

    both = both > a ? both : a;
    size_t turned = train_turned_scratch(p, batch);

    both = both > squares ? both : squares;
    both = both > turned ? both : turned;
    both = both > pairs ? both : pairs;
    return both > b ? both : b;
}

/* --- bias ------------------------------------------------------------------------------------ */

typedef struct bias_job {
    train_map m;
    int64_t n, positions, blocks;
    const float *g;
    float *db;
} bias_job;

NASHC_CLONES static void
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
    bias_job j = {.m = *m,
                  .n = n,
                  .positions = positions,
                  .blocks = train_blocks_of(c->batch),
                  .g = g,
                  .db = db};

    nashc_grad_parallel(c, n, bias_part, &j);
}
