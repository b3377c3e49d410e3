/* window.c: windows and their elements as columns of a matrix (im2col), a tile at a time. */
#include "plugins/train/grad/window.h"
#include "plugins/train/clones.h"
#include <string.h>

#define TILE_FLOATS (64 * 1024) /* half of a small second-level cache */

static int64_t
attr_at(const nashc_node *n, const char *name, int i, int64_t def)
{
    int count;
    const int64_t *v = nashc_node_ints(n, name, &count);

    return i < count ? v[i] : def;
}

nashc_status
train_window_of(const nashc_grad_call *c, const nashc_type *map, const nashc_type *out,
                const int64_t *kernel, train_window *w)
{
    const nashc_node *n = c->node;
    int last = map->rank == 4; /* index of the second axis in attribute lists */

    if (map->rank != 3 && map->rank != 4)
        return nashc_node_unsup(c->diag, n, "training knows windows in one or two dimensions only");
    if (map->layout != NASHC_LAYOUT_DEFAULT)
        return nashc_node_unsup(c->diag, n, "training needs channels-first data");
    *w = (train_window){.channels = map->dim[1],
                        .h = last ? map->dim[2] : 1,
                        .w = map->dim[map->rank - 1],
                        .out_h = last ? out->dim[2] : 1,
                        .out_w = out->dim[map->rank - 1]};
    w->kh = !last ? 1 : kernel ? kernel[0] : attr_at(n, "kernel", 0, 1);
    w->kw = kernel ? kernel[last] : attr_at(n, "kernel", last, 1);
    w->sh = last ? attr_at(n, "stride", 0, 1) : 1;
    w->sw = attr_at(n, "stride", last, 1);
    w->dh = last ? attr_at(n, "dilation", 0, 1) : 1;
    w->dw = attr_at(n, "dilation", last, 1);
    w->top = last ? attr_at(n, "pads", 0, 0) : 0;
    w->left = attr_at(n, "pads", last, 0);
    return NASHC_OK;
}

int64_t
train_tile_rows(const train_window *w, int64_t k)
{
    int64_t rows = TILE_FLOATS / (k * w->out_w);

    return rows < 1 ? 1 : rows;
}

void
train_inside(int64_t offset, int64_t stride, int64_t size, int64_t n, int64_t *lo, int64_t *hi)
{
    *lo = offset >= 0 ? 0 : (-offset + stride - 1) / stride;
    *hi = offset >= size ? 0 : (size - 1 - offset) / stride + 1;
    *lo = *lo > n ? n : *lo;
    *hi = *hi > n ? n : *hi;
    if (*hi < *lo)
        *hi = *lo;
}

/* --- columns --------------------------------------------------------------------------------- */

#define CHUNK 16 /* floats that are moved at a time */

/* A channel of some maps with its padding, columns of the map by their phase to the stride: element
 * (map, row, phase, i) is column i * sw + phase - left of row `row - top`. Every row of windows of
 * a tap is then one piece of it. */
typedef struct padded {
    int64_t rows, width; /* of a map; of a phase */
} padded;

static padded
padded_of(const train_window *w)
{
    return (padded){.rows = (w->out_h - 1) * w->sh + (w->kh - 1) * w->dh + 1,
                    .width = w->out_w + (w->kw - 1) * w->dw / w->sw + 1};
}

int64_t
train_columns_room(const train_window *w, int64_t rows)
{
    padded p = padded_of(w);

    return (rows / w->out_h + 2) * p.rows * w->sw * p.width + CHUNK;
}

int64_t
train_columns_size(const train_window *w, int64_t k, int64_t rows)
{
    return k * rows * w->out_w + CHUNK;
}

/* Channel ch of maps m0 .. m1-1. */
static inline void
pad(const train_window *w, const padded *p, const float *x, int64_t ch, int64_t m0, int64_t m1,
    float *to)
{
    for (int64_t line = 0; line < (m1 - m0) * p->rows * w->sw; line++, to += p->width) {
        int64_t phase = line % w->sw, y = line / w->sw % p->rows - w->top, lo = 0, hi = 0;
        int64_t map = m0 + line / (w->sw * p->rows);
        if (y >= 0 && y < w->h)
            train_inside(phase - w->left, w->sw, w->w, p->width, &lo, &hi);
        const float *from = x + ((map * w->channels + ch) * w->h + y) * w->w + phase - w->left;
        for (int64_t i = 0; i < lo; i++)
            to[i] = 0.0f;
        for (int64_t i = lo; i < hi; i++)
            to[i] = from[i * w->sw];
        for (int64_t i = hi; i < p->width; i++)
            to[i] = 0.0f;
    }
}

/* Rows of windows of one tap, `chunk` floats at a time: what goes too far is written over by the
 * next row. Row y of a map is the first. */
static inline float *
take_rows(const train_window *w, const padded *p, const float *from, int64_t y, int64_t n,
          int64_t chunk, float *col)
{
    int64_t line = w->sw * p->width, step = w->sh * line;
    int64_t wrap = p->rows * line - w->out_h * step;

    from += y * step;
    for (int64_t r = 0; r < n; r++, col += w->out_w, from += step) {
        for (int64_t i = 0; i < w->out_w; i += chunk)
            memcpy(col + i, from + i, (size_t)chunk * sizeof *col);
        if (++y == w->out_h) {
            y = 0;
            from += wrap;
        }
    }
    return col;
}

TRAIN_CLONES void
train_columns(const train_window *w, const float *x, int64_t first, int64_t n, int64_t r0,
              int64_t r1, float *room, float *col)
{
    const train_window v = *w;
    padded p = padded_of(&v);
    int64_t taps = v.kh * v.kw, y = r0 % v.out_h, count = r1 - r0;

    for (int64_t k = 0; k < n * taps; k++) {
        int64_t kx = k % v.kw * v.dw, ky = k / v.kw % v.kh * v.dh;
        const float *from = room + kx % v.sw * p.width + kx / v.sw + ky * v.sw * p.width;
        if (k % taps == 0)
            pad(&v, &p, x, first + k / taps, r0 / v.out_h, (r1 - 1) / v.out_h + 1, room);
        col = v.out_w <= 2   ? take_rows(&v, &p, from, y, count, 2, col)
              : v.out_w <= 4 ? take_rows(&v, &p, from, y, count, 4, col)
              : v.out_w <= 8 ? take_rows(&v, &p, from, y, count, 8, col)
                             : take_rows(&v, &p, from, y, count, CHUNK, col);
    }
}

/* Rows of windows in order, and where a tap meets each: its row of a map, -1: above or below it. */
typedef struct rows {
    int64_t y, top,
        end; /* row in the map of the next window row; of the first and behind the last */
    int64_t map, map_size;
} rows;

static rows
rows_from(const train_window *w, int64_t ch, int64_t ky, int64_t r)
{
    rows s = {.top = ky * w->dh - w->top, .map_size = w->channels * w->h * w->w};

    s.end = s.top + w->out_h * w->sh;
    s.y = s.top + r % w->out_h * w->sh;
    s.map = (r / w->out_h * w->channels + ch) * w->h * w->w;
    return s;
}

static inline int64_t
next_row(rows *s, const train_window *w)
{
    int64_t at = s->y < 0 || s->y >= w->h ? -1 : s->map + s->y * w->w;

    s->y += w->sh;
    if (s->y == s->end) {
        s->y = s->top;
        s->map += s->map_size;
    }
    return at;
}

TRAIN_CLONES void
train_columns_add(const train_window *w, const float *col, int64_t first, int64_t n, int64_t r0,
                  int64_t r1, float *x)
{
    for (int64_t k = 0; k < n * w->kh * w->kw; k++) {
        int64_t kx = k % w->kw, ky = k / w->kw % w->kh, ch = first + k / (w->kw * w->kh), lo, hi;
        int64_t left = kx * w->dw - w->left;
        train_inside(left, w->sw, w->w, w->out_w, &lo, &hi);
        rows s = rows_from(w, ch, ky, r0);
        for (int64_t r = r0; r < r1; r++, col += w->out_w) {
            int64_t at = next_row(&s, w);
            for (int64_t i = lo; at >= 0 && i < hi; i++)
                x[at + left + i * w->sw] += col[i];
        }
    }
}
