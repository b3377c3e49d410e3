/* winograd_weights.c: gradients of 3x3 weights from 36 products for a square of 4x4 windows instead
 * of 144 (winograd.h):
 *
 *     dW = G^T (sum over squares and samples of (B^T X B) (A Y A^T)) G,   by elements
 *
 * X is the square of 6x6 elements of the image that the windows meet, 0 beyond it. Numbers of one
 * place of the 36 are a matrix of channels of the image by squares and samples, and one of squares
 * and samples by channels of the windows, in blocks of TRAIN_LANES of them: its transform exchanges
 * samples and channels, so that sums are rows of lanes that need no folding. */
#include "plugins/train/lanes/winograd.h"
#include <nashc/clones.h>

#define PLACES TRAIN_TILE_SIZE

/* Transformed at a time: a part of L2, with more threads what they share of the cache behind it, as
 * they meet after each such part. */
#define PART_FLOATS   (256 * 1024)
#define SHARED_FLOATS (2 * 1024 * 1024)

/* Transforms, as products of a row of lanes: of a place of X, of Y, and of a weight at all places.
 */
#define IN_COST     6
#define SPREAD_COST 10
#define WEIGHT_COST 32

typedef struct pairs {
    const train_product *p;
    const train_kernel *kernel;
    const float *x, *y;
    float *dw;
    bool add;
    int64_t tile_h, tile_w, n_tiles; /* squares; of all blocks */
    int64_t m_blocks, c_tiles;       /* channels: of the windows / TRAIN_LANES, of the image */
    int64_t some;                    /* squares at a time */
    int64_t x_step, y_step;          /* floats from a place to the next */
    float *tx;                       /* [place][channel of the image][square][sample] */
    float *ty;                       /* [place][m / 32][square][sample][32] */
    float *sum;                      /* [place][channel of the image][m / 32][32] */
    int64_t group, first, n;         /* of the part at hand: first square, how many */
} pairs;

static pairs
pairs_of(const train_product *p, int64_t batch, int n_threads)
{
    pairs v = {.p = p, .kernel = train_kernel_best()};

    v.tile_h = train_squares(p->w.out_h);
    v.tile_w = train_squares(p->w.out_w);
    v.n_tiles = train_blocks_of(batch) * v.tile_h * v.tile_w;
    v.m_blocks = (p->mg + TRAIN_LANES - 1) / TRAIN_LANES;
    v.c_tiles = (p->cg + TRAIN_MAC_ROWS - 1) / TRAIN_MAC_ROWS;
    int64_t of_square = PLACES * (p->cg + v.m_blocks * TRAIN_LANES) * TRAIN_LANES;
    v.some = train_least(v.n_tiles, (n_threads > 1 ? SHARED_FLOATS : PART_FLOATS) / of_square + 1);
    v.x_step = (p->cg * v.some + 1) * TRAIN_LANES; /* places do not share sets of a cache */
    v.y_step = (v.m_blocks * TRAIN_LANES * v.some + 1) * TRAIN_LANES;
    return v;
}

/* Products of a row of lanes for a pair of channels, on both ways. */
static bool
pays(const pairs *v, int64_t batch)
{
    const train_product *p = v->p;

    if (!train_squares_fit(p))
        return false;
    double rest = (double)(v->m_blocks * TRAIN_LANES) / (double)p->mg;
    double more = (double)IN_COST / (double)p->mg + (double)SPREAD_COST / (double)p->cg;
    return (double)(v->n_tiles * PLACES) * rest * (1.0 + more) + WEIGHT_COST * rest <
           0.9 * (double)(train_blocks_of(batch) * train_meetings(&p->w));
}

static int64_t
n_sums(const pairs *v)
{
    return PLACES * v->p->cg * v->m_blocks * TRAIN_LANES;
}

size_t
train_winograd_weights_scratch(const train_product *p, int64_t batch, int n_threads)
{
    pairs v = pairs_of(p, batch, n_threads);

    if (!pays(&v, batch))
        return 0;
    return (size_t)(PLACES * (v.x_step + v.y_step) + n_sums(&v)) * sizeof(float);
}

/* --- transforms ------------------------------------------------------------------------------ */

/* Square t of the part: its block of samples and its first window. */
typedef struct spot {
    int64_t block, y, x;
} spot;

static spot
spot_of(const pairs *v, int64_t t)
{
    int64_t square = v->first + t;

    return (spot){square / (v->tile_h * v->tile_w),
                  TRAIN_TILE_MOVES * (square / v->tile_w % v->tile_h),
                  TRAIN_TILE_MOVES * (square % v->tile_w)};
}

/* Channel c of the image. */
static void
transform_x(const pairs *v, int64_t t, int64_t c)
{
    const train_product *p = v->p;
    const train_window *w = &p->w;
    spot s = spot_of(v, t);
    int64_t map = (s.block * p->group + v->group) * p->cg + c, y = s.y - w->top, x = s.x - w->left;
    train_tile a = {.row = w->w * TRAIN_LANES,
                    .step = v->x_step,
                    .inside = train_inside_square(TRAIN_TILE, y, x, w->h, w->w),
                    .map = (float *)v->x + (map * w->h * w->w + y * w->w + x) * TRAIN_LANES,
                    .tile = v->tx + (c * v->some + t) * TRAIN_LANES};

    v->kernel->tiles->in(&a);
}

/* Block b of channels of the windows. */
static void
transform_y(const pairs *v, int64_t t, int64_t b)
{
    const train_product *p = v->p;
    const train_window *w = &p->w;
    spot s = spot_of(v, t);
    int64_t map = (s.block * p->group + v->group) * p->mg + b * TRAIN_LANES;
    train_tile a = {.row = w->out_w * TRAIN_LANES,
                    .step = v->y_step,
                    .channel = p->windows.channel,
                    .channels = train_least(TRAIN_LANES, p->mg - b * TRAIN_LANES),
                    .inside = train_inside_square(TRAIN_TILE_MOVES, s.y, s.x, w->out_h, w->out_w),
                    .map = (float *)v->y + map * p->windows.channel +
                           (s.y * w->out_w + s.x) * TRAIN_LANES,
                    .tile = v->ty + (b * v->some + t) * TRAIN_LANES * TRAIN_LANES};

    v->kernel->tiles->spread(&a);
}

/* Items are the squares of the part; those of a channel are neighbours in memory. */
static void
transform_part(void *arg, int thread, int64_t lo, int64_t hi)
{
    const pairs *v = arg;

    (void)thread;
    for (int64_t c = 0; c < v->p->cg; c++)
        for (int64_t t = lo; t < hi; t++)
            transform_x(v, t, c);
    for (int64_t b = 0; b < v->m_blocks; b++)
        for (int64_t t = lo; t < hi; t++)
            transform_y(v, t, b);
}

/* --- the product ----------------------------------------------------------------------------- */

/* Items are tiles of channels of the image, of all places. */
static void
multiply_part(void *arg, int thread, int64_t lo, int64_t hi)
{
    static const train_tap one = {0, 0};
    const pairs *v = arg;
    int64_t cg = v->p->cg, line = v->m_blocks * TRAIN_LANES;
    train_mac a = {.x_step = TRAIN_LANES,
                   .y_step = line,
                   .w_step = v->some * TRAIN_LANES,
                   .depth = v->n * TRAIN_LANES,
                   .row = &one,
                   .col = &one,
                   .n_row = 1,
                   .n_col = 1,
                   .add = v->first > 0};

    (void)thread;
    for (int64_t item = lo; item < hi; item++) {
        int64_t place = item / v->c_tiles, c0 = item % v->c_tiles * TRAIN_MAC_ROWS;
        a.rows = train_least(TRAIN_MAC_ROWS, cg - c0);
        a.w = v->tx + place * v->x_step + c0 * a.w_step;
        for (int64_t b = 0; b < v->m_blocks; b++) {
            a.x = v->ty + place * v->y_step + b * v->some * TRAIN_LANES * TRAIN_LANES;
            a.y = v->sum + (place * cg + c0) * line + b * TRAIN_LANES;
            v->kernel->mac_lines(&a);
        }
    }
}

/* --- back to weights ------------------------------------------------------------------------- */

/* G^T of six rows of lanes, `step` apart. */
static inline void
back_six(const float *z, int64_t step, float *to, int to_step)
{
    for (int i = 0; i < TRAIN_LANES; i++) {
        const float p1 = z[step + i], p2 = z[2 * step + i];
        const float q1 = z[3 * step + i], q2 = z[4 * step + i];
        const float sum_p = TRAIN_PART_P * (p1 + p2), sum_q = TRAIN_PART_Q * (q1 + q2);

        to[i] = z[i] + sum_p + sum_q;
        to[to_step + i] =
            TRAIN_POINT_P * TRAIN_PART_P * (p1 - p2) + TRAIN_POINT_Q * TRAIN_PART_Q * (q1 - q2);
        to[2 * to_step + i] = 0.5f * sum_p + 2.0f * sum_q + z[5 * step + i];
    }
}

/* Items are channels of the image. */
NASHC_CLONES static void
back_part(void *arg, int thread, int64_t lo, int64_t hi)
{
    const pairs *v = arg;
    const train_product *p = v->p;
    int64_t line = v->m_blocks * TRAIN_LANES, step = p->cg * line;
    float rows[3][TRAIN_TILE][TRAIN_LANES], taps[3][3][TRAIN_LANES];

    (void)thread;
    for (int64_t c = lo; c < hi; c++)
        for (int64_t m0 = 0; m0 < p->mg; m0 += TRAIN_LANES) {
            const float *z = v->sum + c * line + m0;
            float *to = v->dw + (v->group * p->mg + m0) * p->of_m + c * p->of_c;
            for (int i = 0; i < TRAIN_TILE; i++)
                back_six(z + i * step, TRAIN_TILE * step, rows[0][i], TRAIN_TILE * TRAIN_LANES);
            for (int r = 0; r < 3; r++)
                back_six(rows[r][0], TRAIN_LANES, taps[r][0], TRAIN_LANES);
            for (int64_t m = 0; m < train_least(TRAIN_LANES, p->mg - m0); m++)
                for (int tap = 0; tap < 9; tap++)
                    to[m * p->of_m + tap] =
                        taps[tap / 3][tap % 3][m] + (v->add ? to[m * p->of_m + tap] : 0.0f);
        }
}

bool
train_winograd_weights(const nashc_grad_call *c, const train_product *p, const float *x,
                       const float *y, bool add, float *dw)
{
    pairs v = pairs_of(p, c->batch, c->n_threads);

    if (!pays(&v, c->batch))
        return false;
    v.x = x, v.y = y, v.dw = dw, v.add = add;
    v.tx = c->scratch;
    v.ty = v.tx + PLACES * v.x_step;
    v.sum = v.ty + PLACES * v.y_step;
    for (v.group = 0; v.group < p->group; v.group++) {
        for (v.first = 0; v.first < v.n_tiles; v.first += v.some) {
            v.n = train_least(v.some, v.n_tiles - v.first);
            nashc_grad_parallel(c, v.n, transform_part, &v);
            nashc_grad_parallel(c, PLACES * v.c_tiles, multiply_part, &v);
        }
        nashc_grad_parallel(c, p->cg, back_part, &v);
    }
    return true;
}
