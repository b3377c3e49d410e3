/* tiles.c: transforms of squares for the fast products (winograd.h), built once for every
 * instruction set. */
#include "plugins/train/lanes/vec.h"
#include "plugins/train/lanes/winograd.h"

#define P    TRAIN_POINT_P
#define Q    TRAIN_POINT_Q
#define SIDE TRAIN_TILE_MOVES /* of a square of results */

/* B^T of 6 elements `step` apart. */
ALWAYS void
to_tile(vec *d, const int step)
{
    const vec d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step], d4 = d[4 * step];
    const vec even_p = d4 - 2.0f * d2, odd_p = P * (d3 - 2.0f * d1);
    const vec even_q = d4 - 0.5f * d2, odd_q = Q * (d3 - 0.5f * d1);

    d[0] = d0 - 2.5f * d2 + d4;
    d[step] = even_p + odd_p;
    d[2 * step] = even_p - odd_p;
    d[3 * step] = even_q + odd_q;
    d[4 * step] = even_q - odd_q;
    d[5 * step] = d1 - 2.5f * d3 + d[5 * step];
}

/* A^T of 6 elements `step` apart. */
ALWAYS void
from_tile(const vec *m, const int step, vec *y, const int y_step)
{
    const vec sum_p = m[step] + m[2 * step], less_p = P * (m[step] - m[2 * step]);
    const vec sum_q = m[3 * step] + m[4 * step], less_q = Q * (m[3 * step] - m[4 * step]);

    y[0] = m[0] + sum_p + sum_q;
    y[y_step] = less_p + less_q;
    y[2 * y_step] = 0.5f * sum_p + 2.0f * sum_q;
    y[3 * y_step] = 0.5f * less_p + 2.0f * less_q + m[5 * step];
}

/* A of 4 elements `step` apart. */
ALWAYS void
spread_line(const vec *y, const int step, vec *u, const int u_step)
{
    const vec y0 = y[0], y1 = y[step], y2 = y[2 * step], y3 = y[3 * step];
    const vec even_p = y0 + 0.5f * y2, odd_p = P * (y1 + 0.5f * y3);
    const vec even_q = y0 + 2.0f * y2, odd_q = Q * (y1 + 2.0f * y3);

    u[0] = y0;
    u[u_step] = even_p + odd_p;
    u[2 * u_step] = even_p - odd_p;
    u[3 * u_step] = even_q + odd_q;
    u[4 * u_step] = even_q - odd_q;
    u[5 * u_step] = y3;
}

/* Row r of a square of n x n, of one vector of lanes; `whole`: nothing is outside. */
ALWAYS void
load_row(const train_tile *t, const int n, const bool whole, int r, int64_t lane, vec *to)
{
    const float *x = t->map + r * t->row + lane;
    const uint64_t bits = t->inside >> n * r;

    for (int i = 0; i < n; i++) {
        to[i] = (vec){0};
        if (whole || (bits >> i & 1u))
            to[i] = *(const mem *)(x + i * TRAIN_LANES);
    }
}

ALWAYS void
square_in(const train_tile *t, const bool whole)
{
    for (int64_t lane = 0; lane < TRAIN_LANES; lane += WIDTH) {
        vec d[TRAIN_TILE_SIZE];
        for (int r = 0; r < TRAIN_TILE; r++) {
            load_row(t, TRAIN_TILE, whole, r, lane, d + r * TRAIN_TILE);
            to_tile(d + r * TRAIN_TILE, 1);
        }
        for (int i = 0; i < TRAIN_TILE; i++) {
            to_tile(d + i, TRAIN_TILE);
            for (int r = 0; r < TRAIN_TILE; r++)
                *(mem *)(t->tile + (r * TRAIN_TILE + i) * t->step + lane) = d[r * TRAIN_TILE + i];
        }
    }
}

static void
in(const train_tile *t)
{
    if (t->inside == (UINT64_C(1) << TRAIN_TILE_SIZE) - 1)
        square_in(t, true);
    else
        square_in(t, false);
}

static void
out(const train_tile *t)
{
    for (int64_t lane = 0; lane < TRAIN_LANES; lane += WIDTH) {
        vec half[SIDE * TRAIN_TILE];
        for (int i = 0; i < TRAIN_TILE; i++) {
            vec m[TRAIN_TILE];
            for (int r = 0; r < TRAIN_TILE; r++)
                m[r] = *(const mem *)(t->tile + (r * TRAIN_TILE + i) * t->step + lane);
            from_tile(m, 1, half + i, TRAIN_TILE);
        }
        for (int r = 0; r < SIDE; r++) {
            vec y[SIDE];
            from_tile(half + r * TRAIN_TILE, 1, y, 1);
            for (int i = 0; i < SIDE; i++) {
                mem *to = (mem *)(t->map + r * t->row + i * TRAIN_LANES + lane);
                if (t->inside >> (SIDE * r + i) & 1u)
                    *to = y[i] + (t->add ? (vec)*to : (vec){0});
            }
        }
    }
}

/* --- channels in place of lanes -------------------------------------------------------------- */

/* Exchanges rows and columns: every round rotates the bits of (row, column) by one. */
ALWAYS void
transpose(vec *s)
{
    UNROLL
    for (int n = WIDTH; n > 1; n /= 2) {
        vec to[WIDTH];
        UNROLL
        for (int i = 0; i < WIDTH / 2; i++) {
            to[i] = FIRST(s[2 * i], s[2 * i + 1]);
            to[i + WIDTH / 2] = SECOND(s[2 * i], s[2 * i + 1]);
        }
        UNROLL
        for (int i = 0; i < WIDTH; i++)
            s[i] = to[i];
    }
}

/* WIDTH channels from m0 on by WIDTH samples of an element at y, if it is there, to vectors of
 * samples. */
ALWAYS void
turn_element(const train_tile *t, const float *y, bool there, int64_t m0, vec *s)
{
    UNROLL
    for (int m = 0; m < WIDTH; m++) {
        s[m] = (vec){0};
        if (m0 + m < t->channels && there)
            s[m] = *(const mem *)(y + (m0 + m) * t->channel);
    }
    transpose(s);
}

/* The same of all elements of a square: [element][sample] vectors. */
static void
turn_square(const train_tile *t, int64_t m0, int64_t lane, vec *to)
{
    for (int i = 0; i < SIDE * SIDE; i++) {
        const float *y = t->map + i / SIDE * t->row + i % SIDE * TRAIN_LANES + lane;
        vec s[WIDTH];
        turn_element(t, y, t->inside >> i & 1u, m0, s);
        UNROLL
        for (int k = 0; k < WIDTH; k++)
            to[i * WIDTH + k] = s[k];
    }
}

static void
turn(const train_tile *t)
{
    for (int64_t m0 = 0; m0 < TRAIN_LANES; m0 += WIDTH)
        for (int64_t lane = 0; lane < TRAIN_LANES; lane += WIDTH) {
            vec s[WIDTH];
            turn_element(t, t->map + lane, true, m0, s);
            UNROLL
            for (int k = 0; k < WIDTH; k++)
                *(mem *)(t->tile + (lane + k) * TRAIN_LANES + m0) = s[k];
        }
}

/* y: the elements of a square of one sample, WIDTH vectors apart. */
ALWAYS void
spread_square(const vec *y, float *to, int64_t step)
{
    vec half[TRAIN_TILE * SIDE];

    for (int i = 0; i < SIDE; i++)
        spread_line(y + i * WIDTH, SIDE * WIDTH, half + i, SIDE);
    for (int r = 0; r < TRAIN_TILE; r++) {
        vec u[TRAIN_TILE];
        spread_line(half + r * SIDE, 1, u, 1);
        for (int i = 0; i < TRAIN_TILE; i++)
            *(mem *)(to + (r * TRAIN_TILE + i) * step) = u[i];
    }
}

static void
spread(const train_tile *t)
{
    vec y[SIDE * SIDE * WIDTH];

    for (int64_t m0 = 0; m0 < TRAIN_LANES; m0 += WIDTH)
        for (int64_t lane = 0; lane < TRAIN_LANES; lane += WIDTH) {
            turn_square(t, m0, lane, y);
            for (int64_t k = 0; k < WIDTH; k++)
                spread_square(y + k, t->tile + (lane + k) * TRAIN_LANES + m0, t->step);
        }
}

extern const train_tiles JOIN(train_tiles_, KERNEL);
const train_tiles JOIN(train_tiles_, KERNEL) = {in, out, spread, turn};
