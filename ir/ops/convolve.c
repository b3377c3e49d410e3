/* convolve.c: sums of products for convolutions and matrix products.
 *
 * A panel holds, for NASHC_TILE output positions, the K input elements each needs, [K][tile]; a
 * result is weight row times panel. Floats are summed in double; integers in 32 bits where elements
 * and sums are small (narrow.c), in double where the sum stays below 2^53 (exact), else in checked
 * 64-bit arithmetic.
 */
#include "ops.h"
#include <math.h>
#include <nashc/clones.h>

NASHC_CLONES static void
dot_f64(const double *restrict a, const double *restrict panel, int64_t k, double *restrict acc)
{
    int64_t i = 0;

    for (int p = 0; p < NASHC_TILE; p++)
        acc[p] = 0.0;
    for (; i + 4 <= k; i += 4) {
        const double *restrict r = panel + i * NASHC_TILE;
        double a0 = a[i], a1 = a[i + 1], a2 = a[i + 2], a3 = a[i + 3];
        for (int p = 0; p < NASHC_TILE; p++)
            acc[p] += a0 * r[p] + a1 * r[NASHC_TILE + p] + a2 * r[2 * NASHC_TILE + p] +
                      a3 * r[3 * NASHC_TILE + p];
    }
    for (; i < k; i++)
        for (int p = 0; p < NASHC_TILE; p++)
            acc[p] += a[i] * panel[i * NASHC_TILE + p];
}

void
ops_dot_f64(const double *a, const double *panel, int64_t k, double *acc)
{
    dot_f64(a, panel, k, acc);
}

bool
ops_float_sums(nashc_eval *e)
{
    return (nashc_eval_flags(e) & NASHC_EVAL_FLOAT_SUMS) &&
           nashc_eval_out(e, 0)->type.kind == NASHC_K_F32;
}

int64_t
ops_fused_block(int64_t n, int64_t k)
{
    int64_t block = 128;

    for (int64_t width = 128; n < k && width > 16 && width / 2 >= n; width /= 2)
        block *= 2;
    return block;
}

/* The sum of a block in one fused chain, block by block. */
void
ops_dot_fused(const double *a, const double *panel, int64_t k, int64_t block, double *acc)
{
    for (int p = 0; p < NASHC_TILE; p++) {
        float sum = 0.0f;
        for (int64_t from = 0; from < k; from += block) {
            float part = 0.0f;
            for (int64_t i = from; i < k && i < from + block; i++)
                part = fmaf((float)a[i], (float)panel[i * NASHC_TILE + p], part);
            sum = from ? sum + part : part;
        }
        acc[p] = (double)sum;
    }
}

/* Products rounded, added up by fours (the last ones by twos), then to the sum. */
void
ops_dot_by_fours(const double *a, const double *panel, int64_t k, double *acc)
{
    for (int p = 0; p < NASHC_TILE; p++) {
        float sum = 0.0f;
        for (int64_t i = 0; i < k;) {
            int64_t left = k - i, end = i + (left >= 4 ? 4 : left >= 2 ? 2 : 1);
            float part = (float)a[i] * (float)panel[i * NASHC_TILE + p];
            for (i++; i < end; i++)
                part += (float)a[i] * (float)panel[i * NASHC_TILE + p];
            sum += part;
        }
        acc[p] = (double)sum;
    }
}

bool
ops_dot_i64(const int64_t *a, const int64_t *panel, int64_t k, int64_t *acc)
{
    bool fits = true;
    int64_t v;

    memset(acc, 0, NASHC_TILE * sizeof *acc);
    for (int64_t i = 0; i < k; i++)
        for (int p = 0; p < NASHC_TILE && a[i]; p++)
            fits &= ops_mul(a[i], panel[i * NASHC_TILE + p], &v) && ops_add(acc[p], v, &acc[p]);
    return fits;
}

bool
ops_products_within(const nashc_buf *a, const nashc_buf *b, int64_t k, int64_t element, int64_t sum)
{
    ops_interval p = ops_interval_mul((ops_interval){a->type.lo, a->type.hi},
                                      (ops_interval){b->type.lo, b->type.hi});

    p = ops_interval_times(ops_interval_hull(p, (ops_interval){0, 0}), k);
    return p.lo >= -sum && p.hi <= sum && a->type.lo >= -element && a->type.hi <= element &&
           b->type.lo >= -element && b->type.hi <= element;
}

bool
ops_exact_f64(const nashc_buf *a, const nashc_buf *b, int64_t k)
{
    int64_t limit = (int64_t)1 << 52; /* half of what is exact: room for a bias below as much */

    return ops_products_within(a, b, k, limit, limit);
}

/* src[t][p]: input position that tap t of output position first + p reads, or -1. */
static void
tile_sources(const ops_conv *c, int64_t first, int64_t *src)
{
    const ops_window *w = &c->w;

    for (int64_t t = 0; t < w->taps; t++)
        for (int64_t p = 0; p < NASHC_TILE; p++) {
            int64_t o = first + p, s = -1;
            if (o < w->out_size)
                s = c->transposed ? ops_window_source_transposed(w, o, t)
                                  : ops_window_source(w, o, t);
            src[t * NASHC_TILE + p] = s < 0 ? -1 : s * c->x_p;
        }
}

/* Weight rows as [channel][tap] in every layout, so that sums of floats have one order. */
static const double *
by_channel(nashc_eval *e, const ops_conv *c, const double *weight)
{
    int64_t taps = c->w.taps, k = c->cg * taps, rows = c->group * c->mg;
    if ((c->w_c == taps && c->w_t == 1) || taps == 1 || c->cg == 1)
        return weight;
    double *w = nashc_eval_scratch(e, (size_t)(rows * k) * sizeof *w);
    for (int64_t m = 0; w && m < rows; m++)
        for (int64_t ch = 0; ch < c->cg; ch++)
            for (int64_t t = 0; t < taps; t++)
                w[m * k + ch * taps + t] = weight[m * k + ch * c->w_c + t * c->w_t];
    return w;
}

static void
panel_f64(const ops_conv *c, const double *x, const int64_t *src, double *panel)
{
    for (int64_t ch = 0; ch < c->cg; ch++)
        for (int64_t t = 0; t < c->w.taps; t++) {
            double *row = panel + (ch * c->w.taps + t) * NASHC_TILE;
            const int64_t *s = src + t * NASHC_TILE;
            for (int p = 0; p < NASHC_TILE; p++)
                row[p] = s[p] < 0 ? 0.0 : x[ch * c->x_c + s[p]];
        }
}

static void
panel_i64(const ops_conv *c, const int64_t *x, const int64_t *src, int64_t *panel)
{
    for (int64_t ch = 0; ch < c->cg; ch++)
        for (int64_t t = 0; t < c->w.taps; t++) {
            int64_t *row = panel + (ch * c->w_c + t * c->w_t) * NASHC_TILE;
            const int64_t *s = src + t * NASHC_TILE;
            for (int p = 0; p < NASHC_TILE; p++)
                row[p] = s[p] < 0 ? 0 : x[ch * c->x_c + s[p]];
        }
}

/* By positions; channels that stand side by side, in x and in the weights, are copied so. */
static void
panel_i16(const ops_conv *c, const int16_t *x, const int64_t *src, int64_t step, int16_t *panel)
{
    for (int64_t p = 0; p < NASHC_TILE; p++)
        for (int64_t t = 0; t < c->w.taps; t++) {
            int16_t *to = panel + p * step + t * c->w_t;
            int64_t from = src[t * NASHC_TILE + p];
            for (int64_t ch = 0; ch < c->cg; ch++)
                to[ch * c->w_c] = from < 0 ? 0 : x[ch * c->x_c + from];
        }
}

nashc_status
ops_conv_run_f64(nashc_eval *e, const ops_conv *c, const double *weight)
{
    nashc_buf *y = nashc_eval_out(e, 0);
    bool with_bias = nashc_eval_in(e, 2) != NULL;
    const double *x = nashc_eval_f64(e, 0), *bias = with_bias ? nashc_eval_f64(e, 2) : NULL;
    int64_t k = c->cg * c->w.taps, n_tile = c->w.out_size;
    int64_t *src = nashc_eval_scratch(e, (size_t)c->w.taps * NASHC_TILE * sizeof *src);
    double *panel = nashc_eval_scratch(e, (size_t)k * NASHC_TILE * sizeof *panel);
    int64_t block = ops_float_sums(e) ? ops_fused_block(n_tile, k) : 0;
    double acc[NASHC_TILE];

    weight = by_channel(e, c, weight);
    if (!x || !src || !panel || !weight || (with_bias && !bias))
        return NASHC_ENOMEM;
    for (int64_t first = 0; first < n_tile; first += NASHC_TILE) {
        int64_t count = n_tile - first < NASHC_TILE ? n_tile - first : NASHC_TILE;
        tile_sources(c, first, src);
        for (int64_t bg = 0; bg < c->w.batch * c->group; bg++) {
            int64_t b = bg / c->group, g = bg % c->group;
            panel_f64(c, x + b * c->x_n + g * c->cg * c->x_c, src, panel);
            for (int64_t m = g * c->mg; m < (g + 1) * c->mg; m++) {
                double add = bias ? bias[m] : 0.0;
                int64_t at = b * c->y_n + m * c->y_c + first * c->y_p;
                if (block)
                    ops_dot_fused(weight + m * k, panel, k, block, acc);
                else
                    ops_dot_f64(weight + m * k, panel, k, acc);
                for (int64_t p = 0; p < count; p++)
                    ops_put(y, at + p * c->y_p, acc[p] + add);
            }
        }
    }
    return NASHC_OK;
}

static void
put_sum(nashc_buf *y, int64_t i, int64_t sum, int64_t bias)
{
    y->fault |= !ops_add(sum, bias, &sum);
    nashc_buf_set_int(y, i, sum);
}

nashc_status
ops_conv_run_i16(nashc_eval *e, const ops_conv *c)
{
    nashc_buf *y = nashc_eval_out(e, 0);
    bool with_bias = nashc_eval_in(e, 2) != NULL;
    const int64_t *bias = with_bias ? nashc_eval_i64(e, 2) : NULL;
    int64_t k = c->cg * c->w.taps, n_tile = c->w.out_size, step = ops_i16_step(k);
    const int16_t *x = ops_i16_rows(e, 0, nashc_eval_in(e, 0)->n), *w = ops_i16_rows(e, 1, k);
    int64_t *src = nashc_eval_scratch(e, (size_t)c->w.taps * NASHC_TILE * sizeof *src);
    int16_t *panel = nashc_eval_scratch(e, (size_t)step * NASHC_TILE * sizeof *panel);
    int32_t acc[NASHC_TILE];

    if (!x || !w || !src || !panel || (with_bias && !bias))
        return NASHC_ENOMEM;
    for (int64_t first = 0; first < n_tile; first += NASHC_TILE) {
        int64_t count = n_tile - first < NASHC_TILE ? n_tile - first : NASHC_TILE;
        tile_sources(c, first, src);
        for (int64_t bg = 0; bg < c->w.batch * c->group; bg++) {
            int64_t b = bg / c->group, g = bg % c->group;
            panel_i16(c, x + b * c->x_n + g * c->cg * c->x_c, src, step, panel);
            for (int64_t m = g * c->mg; m < (g + 1) * c->mg; m++) {
                int64_t at = b * c->y_n + m * c->y_c + first * c->y_p;
                ops_dot_i16(w + m * step, panel, step, acc);
                for (int64_t p = 0; p < count; p++)
                    put_sum(y, at + p * c->y_p, acc[p], bias ? bias[m] : 0);
            }
        }
    }
    return NASHC_OK;
}

nashc_status
ops_conv_run_i64(nashc_eval *e, const ops_conv *c, const int64_t *weight)
{
    nashc_buf *y = nashc_eval_out(e, 0);
    bool with_bias = nashc_eval_in(e, 2) != NULL;
    const int64_t *x = nashc_eval_i64(e, 0), *bias = with_bias ? nashc_eval_i64(e, 2) : NULL;
    int64_t k = c->cg * c->w.taps, n_tile = c->w.out_size;
    int64_t *src = nashc_eval_scratch(e, (size_t)c->w.taps * NASHC_TILE * sizeof *src);
    int64_t *panel = nashc_eval_scratch(e, (size_t)k * NASHC_TILE * sizeof *panel);
    int64_t acc[NASHC_TILE];

    if (!x || !src || !panel || (with_bias && !bias))
        return NASHC_ENOMEM;
    for (int64_t first = 0; first < n_tile; first += NASHC_TILE) {
        int64_t count = n_tile - first < NASHC_TILE ? n_tile - first : NASHC_TILE;
        tile_sources(c, first, src);
        for (int64_t bg = 0; bg < c->w.batch * c->group; bg++) {
            int64_t b = bg / c->group, g = bg % c->group;
            panel_i64(c, x + b * c->x_n + g * c->cg * c->x_c, src, panel);
            for (int64_t m = g * c->mg; m < (g + 1) * c->mg; m++) {
                int64_t at = b * c->y_n + m * c->y_c + first * c->y_p;
                y->fault |= !ops_dot_i64(weight + m * k, panel, k, acc);
                for (int64_t p = 0; p < count; p++)
                    put_sum(y, at + p * c->y_p, acc[p], bias ? bias[m] : 0);
            }
        }
    }
    return NASHC_OK;
}
