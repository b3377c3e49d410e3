/* winograd.c: four by four elements of the image at a time from 36 products a channel instead of
 * 144 (winograd.h):
 *
 *     X = A^T (sum over m of (G W G^T) (B^T Y B)) A,   products element by element
 *
 * W is turned by half, Y a square of 6x6 windows, 0 beyond them. Numbers of one place of the 36 are
 * matrices of channels, whose product is that of a single tap. */
#include "plugins/train/lanes/winograd.h"
#include "plugins/train/lanes/sweep.h"
#include <nashc/clones.h>
#include <string.h>

#define PLACES      TRAIN_TILE_SIZE
#define TILE_FLOATS (4096 * TRAIN_LANES) /* transformed, of a thread: a part of L2 */

/* Transforms, as products of a row of lanes: of a place of Y, of X, and of a weight at all places.
 */
#define IN_COST     6
#define OUT_COST    5
#define WEIGHT_COST 16

typedef struct winograd {
    const train_product *p;
    const train_kernel *kernel;
    const float *y, *weight;
    bool add;
    float *x;
    float *packed;           /* [group][place_size]: [image channel / 8][windows channel][% 8] */
    float *scratch;          /* of all threads */
    int64_t tile_h, tile_w;  /* squares along the image */
    int64_t some;            /* of them at a time, along a row */
    int64_t in_size, z_size; /* floats of a thread, before and behind the product */
} winograd;

/* From a place to the next: places do not share sets of a cache. */
static int64_t
place_step(int64_t channels, int64_t n)
{
    return (channels * n + 1) * TRAIN_LANES;
}

/* The same of weights. */
static int64_t
place_size(const train_product *p)
{
    return p->cg * p->mg + TRAIN_LANES;
}

static winograd
winograd_of(const train_product *p)
{
    winograd v = {.p = p, .kernel = train_kernel_best()};

    v.tile_h = train_squares(p->w.h);
    v.tile_w = train_squares(p->w.w);
    v.some = train_least(v.tile_w, TILE_FLOATS / (PLACES * p->mg * TRAIN_LANES) + 1);
    v.in_size = PLACES * place_step(p->mg, v.some);
    v.z_size = PLACES * place_step(TRAIN_MAC_ROWS, v.some);
    return v;
}

/* Products of a row of lanes for a pair of channels, on both ways. */
static bool
pays(const train_product *p, int64_t batch)
{
    const train_window *w = &p->w;

    if (!train_squares_fit(p))
        return false;
    int64_t blocks = train_blocks_of(batch), tiles = train_squares(w->h) * train_squares(w->w);
    double more = (double)IN_COST / (double)p->cg + (double)OUT_COST / (double)p->mg;
    return (double)(blocks * tiles * PLACES) * (1.0 + more) + WEIGHT_COST <
           0.9 * (double)(blocks * train_meetings(w));
}

static size_t
packed_size(const train_product *p)
{
    return (size_t)(p->group * PLACES * place_size(p));
}

size_t
train_winograd_scratch(const train_product *p, int64_t batch, int n_threads)
{
    winograd v = winograd_of(p);

    if (!pays(p, batch))
        return 0;
    return (packed_size(p) + (size_t)(n_threads * (v.in_size + v.z_size))) * sizeof(float);
}

/* --- weights --------------------------------------------------------------------------------- */

/* A number of each channel of a tile. */
typedef float tile_row[TRAIN_MAC_ROWS];

/* G of three numbers, `step` rows apart. */
static inline void
transform_three(const tile_row *g, int step, tile_row *to, int to_step)
{
    for (int i = 0; i < TRAIN_MAC_ROWS; i++) {
        const float g0 = g[0][i], g1 = g[step][i], g2 = g[2 * step][i];
        const float ends_p = g0 + 0.5f * g2, middle_p = TRAIN_POINT_P * g1;
        const float ends_q = g0 + 2.0f * g2, middle_q = TRAIN_POINT_Q * g1;

        to[0][i] = g0;
        to[to_step][i] = TRAIN_PART_P * (ends_p + middle_p);
        to[2 * to_step][i] = TRAIN_PART_P * (ends_p - middle_p);
        to[3 * to_step][i] = TRAIN_PART_Q * (ends_q + middle_q);
        to[4 * to_step][i] = TRAIN_PART_Q * (ends_q - middle_q);
        to[5 * to_step][i] = g2;
    }
}

/* G W G^T of the 9 taps at w of n channels, of_c apart, turned by half, to the places `step` apart.
 */
NASHC_CLONES static void
transform_weights(const float *w, int64_t of_c, int64_t n, int64_t step, float *to)
{
    tile_row taps[9] = {{0.0f}}, rows[3 * TRAIN_TILE], all[PLACES];

    for (int64_t i = 0; i < n; i++)
        for (int tap = 0; tap < 9; tap++)
            taps[8 - tap][i] = w[i * of_c + tap];
    for (int q = 0; q < 3; q++)
        transform_three(taps + q, 3, rows + q, 3);
    for (int r = 0; r < TRAIN_TILE; r++)
        transform_three(rows + 3 * r, 1, all + TRAIN_TILE * r, 1);
    for (int i = 0; i < PLACES; i++)
        memcpy(to + i * step, all[i], (size_t)n * sizeof *to);
}

/* Of place i, the weights of image channels c0 .., c0 a multiple of TRAIN_MAC_ROWS. */
static float *
packed_at(const winograd *v, int64_t group, int64_t i, int64_t c0)
{
    return v->packed + (group * PLACES + i) * place_size(v->p) + c0 * v->p->mg;
}

/* Tiles of channels of the image. */
static int64_t
n_tiles(const train_product *p)
{
    return (p->cg + TRAIN_MAC_ROWS - 1) / TRAIN_MAC_ROWS;
}

/* Items are tiles of all groups: lines of a place follow one another. */
static void
pack_part(void *arg, int thread, int64_t lo, int64_t hi)
{
    const winograd *v = arg;
    const train_product *p = v->p;

    (void)thread;
    for (int64_t item = lo; item < hi; item++) {
        int64_t group = item / n_tiles(p), c = item % n_tiles(p) * TRAIN_MAC_ROWS;
        int64_t n = train_least(TRAIN_MAC_ROWS, p->cg - c);
        const float *w = v->weight + group * p->mg * p->of_m + c * p->of_c;
        float *to = packed_at(v, group, 0, c);
        for (int64_t m = 0; m < p->mg; m++)
            transform_weights(w + m * p->of_m, p->of_c, n, place_size(p), to + m * n);
    }
}

/* --- squares --------------------------------------------------------------------------------- */

/* Some squares of a row of them. */
typedef struct squares {
    int64_t block, group, row, col, n; /* first square, how many */
    float *in, *z;
} squares;

static void
transform_in(const winograd *v, const squares *s)
{
    const train_product *p = v->p;
    const train_window *w = &p->w;
    int64_t from = (s->block * p->group + s->group) * p->mg * p->windows.channel;
    int64_t y = TRAIN_TILE_MOVES * s->row + w->top - 2;

    for (int64_t m = 0; m < p->mg; m++) /* squares of a channel are neighbours in memory */
        for (int64_t t = 0; t < s->n; t++) {
            int64_t x = TRAIN_TILE_MOVES * (s->col + t) + w->left - 2;
            int64_t at = from + m * p->windows.channel + (y * w->out_w + x) * TRAIN_LANES;
            train_tile a = {.row = w->out_w * TRAIN_LANES,
                            .step = place_step(p->mg, s->n),
                            .inside = train_inside_square(TRAIN_TILE, y, x, w->out_h, w->out_w),
                            .map = (float *)v->y + at,
                            .tile = s->in + (m * s->n + t) * TRAIN_LANES};
            v->kernel->tiles->in(&a);
        }
}

/* The products of up to TRAIN_MAC_ROWS channels of the image, at all places. */
static void
multiply(const winograd *v, const squares *s, int64_t c0, int64_t rows)
{
    static const train_tap one = {0, 0};
    int64_t in_step = place_step(v->p->mg, s->n), z_step = place_step(rows, s->n);
    train_mac a = {.x_step = s->n * TRAIN_LANES,
                   .y_step = s->n * TRAIN_LANES,
                   .depth = v->p->mg,
                   .rows = rows,
                   .row = &one,
                   .col = &one,
                   .n_row = 1,
                   .n_col = 1};

    for (int64_t i = 0; i < PLACES; i++) {
        a.w = packed_at(v, s->group, i, c0);
        for (int64_t t = 0; t < s->n; t++) {
            a.x = s->in + i * in_step + t * TRAIN_LANES;
            a.y = s->z + i * z_step + t * TRAIN_LANES;
            v->kernel->mac(&a);
        }
    }
}

static void
transform_out(const winograd *v, const squares *s, int64_t c0, int64_t rows)
{
    const train_product *p = v->p;
    const train_window *w = &p->w;
    int64_t to = ((s->block * p->group + s->group) * p->cg + c0) * p->image.channel;

    for (int64_t t = 0; t < s->n; t++) {
        int64_t y = TRAIN_TILE_MOVES * s->row, x = TRAIN_TILE_MOVES * (s->col + t);
        train_tile a = {.row = w->w * TRAIN_LANES,
                        .step = place_step(rows, s->n),
                        .add = v->add,
                        .inside = train_inside_square(TRAIN_TILE_MOVES, y, x, w->h, w->w)};
        for (int64_t i = 0; i < rows; i++) {
            a.map = v->x + to + i * p->image.channel + (y * w->w + x) * TRAIN_LANES;
            a.tile = s->z + (i * s->n + t) * TRAIN_LANES;
            v->kernel->tiles->out(&a);
        }
    }
}

/* Items are rows of squares of all blocks. */
static void
square_part(void *arg, int thread, int64_t lo, int64_t hi)
{
    const winograd *v = arg;
    squares s = {.in = v->scratch + thread * (v->in_size + v->z_size)};

    s.z = s.in + v->in_size;
    for (int64_t item = lo; item < hi; item++)
        for (s.group = 0; s.group < v->p->group; s.group++)
            for (s.col = 0; s.col < v->tile_w; s.col += v->some) {
                s.block = item / v->tile_h;
                s.row = item % v->tile_h;
                s.n = train_least(v->some, v->tile_w - s.col);
                transform_in(v, &s);
                for (int64_t c0 = 0; c0 < v->p->cg; c0 += TRAIN_MAC_ROWS) {
                    int64_t rows = train_least(TRAIN_MAC_ROWS, v->p->cg - c0);
                    multiply(v, &s, c0, rows);
                    transform_out(v, &s, c0, rows);
                }
            }
}

bool
train_winograd_scatter(const nashc_grad_call *c, const train_product *p, const float *y,
                       const float *weight, bool add, float *x)
{
    winograd v = winograd_of(p);

    if (!pays(p, c->batch))
        return false;
    v.y = y, v.weight = weight, v.x = x, v.add = add;
    v.packed = c->scratch;
    v.scratch = v.packed + packed_size(p);
    nashc_grad_parallel(c, p->group * n_tiles(p), pack_part, &v);
    nashc_grad_parallel(c, train_blocks_of(c->batch) * v.tile_h, square_part, &v);
    return true;
}
