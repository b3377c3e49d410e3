/* turned.c: the gradient of weights where windows are few, as in the last layers of a network and
 * in products with a matrix. Dot products along samples (product.c) then fold their vectors for a
 * handful of products; here the windows are turned, so that a row of lanes is of TRAIN_LANES
 * channels of the windows, and sums of such rows need no folding:
 *
 *     sum[tap][c][m ..] += X[c][sample] Y[sample][m ..]
 */
#include "plugins/train/lanes/turned.h"
#include "plugins/train/lanes/sweep.h"
#include <string.h>

#define TURNED_FLOATS (128 * 1024) /* most of turned windows: a part of L2 */
#define FOLD_COST     6            /* of a tile of dot products, in windows */
#define TURN_COST     12           /* of a window, in products of a row of lanes */

typedef struct turned {
    const train_product *p;
    const train_kernel *kernel;
    const float *x, *y;
    float *dw;
    bool add;
    int64_t m_blocks, c_tiles, taps, places; /* channels of windows / TRAIN_LANES; all windows */
    float *ty;                               /* [group][m / 32][window][sample][32] */
    float *sum;                              /* [group][tap][c][m / 32][32] */
} turned;

static turned
turned_of(const train_product *p, int64_t batch)
{
    turned v = {.p = p, .kernel = train_kernel_best(), .taps = p->w.kh * p->w.kw};

    v.m_blocks = (p->mg + TRAIN_LANES - 1) / TRAIN_LANES;
    v.c_tiles = (p->cg + TRAIN_MAC_ROWS - 1) / TRAIN_MAC_ROWS;
    v.places = train_blocks_of(batch) * p->w.out_h * p->w.out_w;
    return v;
}

static int64_t
n_turned(const turned *v)
{
    return v->p->group * v->m_blocks * v->places * TRAIN_LANES * TRAIN_LANES;
}

static int64_t
n_sums(const turned *v)
{
    return v->p->group * v->taps * v->p->cg * v->m_blocks * TRAIN_LANES;
}

/* Products of a row of lanes for a pair of channels and a tap, on both ways. */
static bool
pays(const turned *v)
{
    const train_product *p = v->p;
    double rest = (double)(v->m_blocks * TRAIN_LANES) / (double)p->mg;
    double more = (double)TURN_COST / (double)(p->cg * v->taps);

    return p->cg >= TRAIN_MAC_ROWS && n_turned(v) <= TURNED_FLOATS &&
           (double)v->places * rest * (1.0 + more) < (double)(v->places + FOLD_COST);
}

size_t
train_turned_scratch(const train_product *p, int64_t batch)
{
    turned v = turned_of(p, batch);

    return pays(&v) ? (size_t)(n_turned(&v) + n_sums(&v)) * sizeof(float) : 0;
}

/* --- the windows ----------------------------------------------------------------------------- */

/* Items are blocks of channels of all groups. */
static void
turn_part(void *arg, int thread, int64_t lo, int64_t hi)
{
    const turned *v = arg;
    const train_product *p = v->p;
    int64_t size = p->w.out_h * p->w.out_w;

    (void)thread;
    for (int64_t i = lo; i < hi; i++)
        for (int64_t at = 0; at < v->places; at++) {
            int64_t m0 = i % v->m_blocks * TRAIN_LANES, m = i / v->m_blocks * p->mg + m0;
            const float *from = v->y + at / size * p->group * p->mg * size * TRAIN_LANES +
                                m * p->windows.channel + at % size * p->windows.position;
            v->kernel->tiles->turn(
                &(train_tile){.map = (float *)from,
                              .tile = v->ty + (i * v->places + at) * TRAIN_LANES * TRAIN_LANES,
                              .channel = p->windows.channel,
                              .channels = train_least(TRAIN_LANES, p->mg - m0)});
        }
}

/* --- the product ----------------------------------------------------------------------------- */

/* All blocks of m for one window and the tap of a that it meets in the image at x. */
static void
add_window(const turned *v, train_mac *a, int64_t group, int64_t at, float *sum)
{
    for (int64_t b = 0; b < v->m_blocks; b++) {
        a->x = v->ty + ((group * v->m_blocks + b) * v->places + at) * TRAIN_LANES * TRAIN_LANES;
        a->y = sum + b * TRAIN_LANES;
        v->kernel->mac_lines(a);
    }
    a->add = true;
}

/* One tap of a tile of channels of the image. */
static void
add_tap(const turned *v, int64_t group, int64_t tap, int64_t c0)
{
    static const train_tap one = {0, 0};
    const train_product *p = v->p;
    const train_window *w = &p->w;
    int64_t line = v->m_blocks * TRAIN_LANES, size = w->out_h * w->out_w;
    int64_t ky = tap / w->kw * w->dh - w->top, kx = tap % w->kw * w->dw - w->left;
    float *sum = v->sum + ((group * v->taps + tap) * p->cg + c0) * line;
    train_mac a = {.x_step = TRAIN_LANES,
                   .y_step = line,
                   .w_step = p->image.channel,
                   .depth = TRAIN_LANES,
                   .rows = train_least(TRAIN_MAC_ROWS, p->cg - c0),
                   .row = &one,
                   .col = &one,
                   .n_row = 1,
                   .n_col = 1};

    for (int64_t at = 0; at < v->places; at++) {
        int64_t block = at / size, y = at % size / w->out_w * w->sh + ky;
        int64_t x = at % w->out_w * w->sw + kx;
        if (y < 0 || y >= w->h || x < 0 || x >= w->w)
            continue;
        a.w = v->x + block * p->group * p->cg * w->h * w->w * TRAIN_LANES +
              (group * p->cg + c0) * p->image.channel + (y * w->w + x) * p->image.position;
        add_window(v, &a, group, at, sum);
    }
    if (!a.add) /* no window meets it */
        memset(sum, 0, (size_t)(a.rows * line) * sizeof *sum);
}

/* Items are tiles of channels of the image, of all taps and groups. */
static void
multiply_part(void *arg, int thread, int64_t lo, int64_t hi)
{
    const turned *v = arg;

    (void)thread;
    for (int64_t i = lo; i < hi; i++)
        add_tap(v, i / v->c_tiles / v->taps, i / v->c_tiles % v->taps,
                i % v->c_tiles * TRAIN_MAC_ROWS);
}

/* --- back to weights ------------------------------------------------------------------------- */

/* Items are channels of the image of all groups; weights of a few windows' channels at a time, so
 * that those of all taps are in the cache. */
static void
back_part(void *arg, int thread, int64_t lo, int64_t hi)
{
    const turned *v = arg;
    const train_product *p = v->p;
    int64_t line = v->m_blocks * TRAIN_LANES;

    (void)thread;
    for (int64_t i = lo; i < hi; i++)
        for (int64_t m0 = 0; m0 < p->mg; m0 += TRAIN_LANES) {
            int64_t group = i / p->cg, c = i % p->cg, n = train_least(TRAIN_LANES, p->mg - m0);
            float *to = v->dw + (group * p->mg + m0) * p->of_m + c * p->of_c;
            for (int64_t tap = 0; tap < v->taps; tap++, to += p->of_tap) {
                const float *from = v->sum + ((group * v->taps + tap) * p->cg + c) * line + m0;
                for (int64_t m = 0; m < n; m++)
                    to[m * p->of_m] = from[m] + (v->add ? to[m * p->of_m] : 0.0f);
            }
        }
}

bool
train_turned_weights(const nashc_grad_call *c, const train_product *p, const float *x,
                     const float *y, bool add, float *dw)
{
    turned v = turned_of(p, c->batch);

    if (!pays(&v))
        return false;
    v.x = x, v.y = y, v.dw = dw, v.add = add;
    v.ty = c->scratch;
    v.sum = v.ty + n_turned(&v);
    nashc_grad_parallel(c, p->group * v.m_blocks, turn_part, &v);
    nashc_grad_parallel(c, p->group * v.taps * v.c_tiles, multiply_part, &v);
    nashc_grad_parallel(c, p->group * p->cg, back_part, &v);
    return true;
}
