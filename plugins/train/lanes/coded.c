/* coded.c: sums of products of codes. Four channels of the image are the bytes of one place, so
 * that the sweep is that of a map of a quarter of the channels.
 *
 * Bytes are codes less the lowest one, lo, if it is below 0:
 *
 *     y = s_x s_w (sum w (byte + lo)) + bias = s_x s_w (lo sum w + sum w byte) + bias
 *
 * with the first sum over those taps that meet the image; s_x and s_w are the scales.
 *
 * Where both are signs, the bits of one place are 32 channels, 1 for -1, and
 *
 *     y = s_x s_w (products - 2 bits that differ) + bias
 */
#include "plugins/train/lanes/coded.h"
#include "plugins/train/lanes/sweep.h"
#include <math.h>
#include <nashc/clones.h>
#include <string.h>

#define FOUR    4
#define BITS    32
#define ROUNDER 12582912.0f /* 1.5 * 2^23: added, the whole part is in the low bits */

/* Packing a row of the image, and a weight that is beside the next or not, costs about as many
 * multiply-adds of a row. */
#define PACK_COST   12
#define WEIGHT_COST 2
#define COLUMN_COST 12

typedef struct coded {
    const nashc_grad_call *c;
    train_sweep s;
    train_product p; /* of words */
    int64_t cg;      /* channels of the image */
    int64_t unit;    /* of them in a word: FOUR or BITS */
    const nashc_grad_codes *x, *w;
    int32_t *start;
    float *factor;
    uint32_t *words;
    int32_t *of_tap; /* of a thread: sums of the weights of a channel */
    int8_t *line;    /* of a thread: the codes of the weights of a channel */
    bool *bad;       /* of a thread: a value is no code */
} coded;

static int64_t
line_size(const train_product *p)
{
    return p->cg * p->w.kh * p->w.kw;
}

/* Counting bits that differ takes three instructions. */
static int64_t
unit_of(const nashc_grad_call *c, const train_product *p)
{
    bool signs = (c->signs & 3u) == 3u && train_kernel_best()->mac_signs;

    return signs && 3 * ((p->cg + BITS - 1) / BITS) < (p->cg + FOUR - 1) / FOUR ? BITS : FOUR;
}

static train_product
words_of(const train_product *p, int64_t unit)
{
    train_product v = *p;

    v.cg = (p->cg + unit - 1) / unit;
    if (p->image.position != TRAIN_LANES)
        v.image.position = v.cg * TRAIN_LANES;
    return v;
}

static int64_t
n_words(const train_product *v, int64_t batch)
{
    return train_blocks_of(batch) * v->group * v->cg * v->w.h * v->w.w * TRAIN_LANES;
}

static int64_t
n_starts(const train_product *p)
{
    return p->w.out_h * p->w.out_w * p->group * p->mg;
}

size_t
train_coded_scratch(const train_product *p, int64_t batch, int n_threads)
{
    train_product v = words_of(p, FOUR);

    return train_sweep_scratch(&v) + (size_t)(n_words(&v, batch) + n_starts(p)) * sizeof(int32_t) +
           (size_t)(p->group * p->mg) * sizeof(float) +
           (size_t)n_threads * ((size_t)(p->w.kh * p->w.kw) * sizeof(int32_t) +
                                (size_t)line_size(p) + sizeof(bool));
}

/* Codes fit in bytes, and their sums in 32 bits; fewer sums are worth the packing. */
static bool
pays(const nashc_grad_codes *x, const nashc_grad_codes *w, const train_product *p, int64_t batch)
{
    int64_t fewer = p->cg - (p->cg + FOUR - 1) / FOUR, pairs = p->w.kh * p->w.kw * p->mg;
    int64_t rows = train_blocks_of(batch) * p->w.out_h * p->w.out_w;
    int64_t weights = pairs * p->cg * (pairs > p->mg || p->of_c == 1 ? WEIGHT_COST : COLUMN_COST);
    bool bytes = x->lo <= 0 && x->hi >= 0 && x->hi - x->lo <= UINT8_MAX && w->lo >= INT8_MIN &&
                 w->hi <= INT8_MAX;
    bool scales = x->n_scales == 1 &&
                  (w->n_scales == 1 || (w->n_scales == p->group * p->mg && w->inner == p->of_m));

    int32_t most = -w->lo > w->hi ? -w->lo : w->hi;

    bytes = bytes && 2 * (x->hi - x->lo) * most <= train_kernel_best()->two_codes;
    return bytes && scales && line_size(p) <= INT32_MAX / (UINT8_MAX * -INT8_MIN) &&
           rows * (pairs * fewer - PACK_COST * p->cg) > weights;
}

/* --- the image ------------------------------------------------------------------------------- */

/* The low bits of ROUNDER + code - lo, or something beyond the range. */
static inline uint32_t
code_bits(float x, float inverse, float shift)
{
    union {
        float f;
        uint32_t u;
    } v = {x * inverse + shift}, zero = {ROUNDER};

    return v.u - zero.u;
}

/* n places of the channels that the compiler knows the number of; the largest of their bits. */
static inline __attribute__((always_inline)) uint32_t
pack_channels(const float *x, int64_t step, const int channels, int64_t n, float inverse,
              float shift, uint32_t *to)
{
    uint32_t most = 0;

    for (int64_t i = 0; i < n; i++) {
        uint32_t word = 0;
        for (int k = 0; k < channels; k++) {
            uint32_t b = code_bits(x[k * step + i], inverse, shift);
            most = b > most ? b : most;
            word |= (b & 255u) << 8 * k;
        }
        to[i] = word;
    }
    return most;
}

/* n places of up to 4 channels, `step` floats apart; false: a value is no code. */
NASHC_CLONES static bool
pack_words(const float *x, int64_t step, int64_t channels, int64_t n, float inverse, int32_t lo,
           uint32_t range, uint32_t *to)
{
    const float shift = ROUNDER - (float)lo;

    switch (channels) {
    case 1:
        return pack_channels(x, step, 1, n, inverse, shift, to) <= range;
    case 2:
        return pack_channels(x, step, 2, n, inverse, shift, to) <= range;
    case 3:
        return pack_channels(x, step, 3, n, inverse, shift, to) <= range;
    default:
        return pack_channels(x, step, FOUR, n, inverse, shift, to) <= range;
    }
}

/* n places of up to 32 channels, `step` floats apart, that are signs; false: a value is none. */
NASHC_CLONES static bool
pack_bits(const float *x, int64_t step, int64_t channels, int64_t n, float inverse, uint32_t *to)
{
    const float shift = ROUNDER + 1.0f;
    uint32_t bad[TRAIN_LANES] = {0}, any = 0;

    for (int64_t i = 0; i < n; i += TRAIN_LANES) {
        uint32_t word[TRAIN_LANES] = {0};
        for (int64_t k = 0; k < channels; k++)
            for (int l = 0; l < TRAIN_LANES; l++) {
                uint32_t b = code_bits(x[k * step + i + l], inverse, shift);
                bad[l] |= b & ~2u; /* 0 for -1, 2 for 1 */
                word[l] |= (~b >> 1 & 1u) << k;
            }
        memcpy(to + i, word, sizeof word);
    }
    for (int l = 0; l < TRAIN_LANES; l++)
        any |= bad[l];
    return any == 0;
}

/* Items are words of channels of all groups and blocks; in a matrix, of all its rows. */
static void
image_part(void *arg, int thread, int64_t lo, int64_t hi)
{
    const coded *v = arg;
    bool rows = v->p.image.position != TRAIN_LANES;
    int64_t positions = v->p.w.h * v->p.w.w, n = rows ? TRAIN_LANES : positions * TRAIN_LANES;

    for (int64_t i = lo; i < hi; i++) {
        int64_t c0 = i % v->p.cg * v->unit, map = i / v->p.cg; /* of a group, or row of a matrix */
        int64_t step = rows ? TRAIN_LANES : v->p.image.channel;
        const float *from = v->c->in[0].v + (map * v->cg + c0) * step;
        int64_t channels = train_least(v->unit, v->cg - c0);
        float inverse = 1.0f / v->x->scale[0];
        v->bad[thread] |= v->unit == BITS
                              ? !pack_bits(from, step, channels, n, inverse, v->words + i * n)
                              : !pack_words(from, step, channels, n, inverse, v->x->lo,
                                            (uint32_t)(v->x->hi - v->x->lo), v->words + i * n);
    }
}

/* --- weights --------------------------------------------------------------------------------- */

/* Codes of n weights `step` apart; false: one is no code. */
NASHC_CLONES static bool
weight_codes(const float *w, int64_t step, int64_t n, float inverse, int32_t lo, uint32_t range,
             int8_t *to)
{
    const float shift = ROUNDER - (float)lo;
    uint32_t most = 0;

    for (int64_t i = 0; i < n; i++) {
        uint32_t b = code_bits(w[i * step], inverse, shift);
        most = b > most ? b : most;
        to[i] = (int8_t)((int32_t)(b & 255u) + lo);
    }
    return most <= range;
}

/* A word of n codes `taps` apart. */
static inline __attribute__((always_inline)) uint32_t
code_word(const int8_t *line, int64_t taps, const int64_t n)
{
    uint32_t word = 0;

    for (int64_t j = 0; j < n; j++)
        word |= (uint32_t)(uint8_t)line[j * taps] << 8 * j;
    return word;
}

/* The line as [channel][tap] to words of 4 channels, one every n. */
static void
pack_line(const coded *v, const int8_t *line, int64_t n, int32_t *to)
{
    int64_t taps = v->p.w.kh * v->p.w.kw, whole = v->cg / FOUR;

    for (int64_t k = 0; k < v->p.cg; k++)
        for (int64_t tap = 0; tap < taps; tap++) {
            const int8_t *from = line + k * FOUR * taps + tap;
            to[(tap * v->p.cg + k) * n] =
                (int32_t)(k < whole ? code_word(from, taps, FOUR)
                                    : code_word(from, taps, v->cg % FOUR));
        }
}

/* Bits of n signs `taps` apart. */
static inline __attribute__((always_inline)) uint32_t
sign_bits(const int8_t *line, int64_t taps, const int64_t n)
{
    uint32_t word = 0;

    for (int64_t j = 0; j < n; j++)
        word |= (uint32_t)(line[j * taps] < 0) << j;
    return word;
}

/* The line of signs to words of 32; false: a code is 0. */
static bool
pack_signs(const coded *v, const int8_t *line, int64_t n, int32_t *to)
{
    int64_t taps = v->p.w.kh * v->p.w.kw, size = v->cg * taps;
    int zeros = 0;

    for (int64_t i = 0; i < size; i++)
        zeros |= line[i] == 0;
    for (int64_t k = 0; k < v->p.cg; k++)
        for (int64_t tap = 0; tap < taps; tap++) {
            const int8_t *from = line + k * BITS * taps + tap;
            int64_t some = train_least(BITS, v->cg - k * BITS);
            to[(tap * v->p.cg + k) * n] =
                (int32_t)(some == BITS ? sign_bits(from, taps, BITS) : sign_bits(from, taps, some));
        }
    return !zeros;
}

/* For each window, lo times the sum of the weights of channel m whose taps meet the image. */
static void
fill_start(const coded *v, int64_t m, const int8_t *line, int32_t *of_tap)
{
    const train_axis_taps *row = &v->s.row, *col = &v->s.col;
    int64_t taps = v->p.w.kh * v->p.w.kw, all = v->p.group * v->p.mg;

    memset(of_tap, 0, (size_t)taps * sizeof *of_tap);
    for (int64_t k = 0; k < v->cg; k++)
        for (int64_t tap = 0; tap < taps; tap++)
            of_tap[tap] += line[k * taps + tap];
    for (int64_t i = 0; i < v->s.h * v->s.width; i++) {
        int64_t y = i / v->s.width, x = i % v->s.width;
        int32_t sum = 0;
        for (int64_t r = 0; r < row->count[y]; r++)
            for (int64_t q = 0; q < col->count[x]; q++)
                sum += of_tap[row->tap[y * row->most + r].tap + col->tap[x * col->most + q].tap];
        v->start[i * all + m] = v->x->lo * sum;
    }
}

/* The same of signs: their number. */
static void
fill_count(const coded *v, int64_t m)
{
    int64_t all = v->p.group * v->p.mg;

    for (int64_t y = 0; y < v->s.h; y++)
        for (int64_t x = 0; x < v->s.width; x++)
            v->start[(y * v->s.width + x) * all + m] =
                (int32_t)(v->cg * v->s.row.count[y] * v->s.col.count[x]);
}

/* Items are channels of the windows. */
static void
weights_part(void *arg, int thread, int64_t lo, int64_t hi)
{
    const coded *v = arg;
    int64_t taps = v->p.w.kh * v->p.w.kw, size = v->cg * taps;
    int8_t *line = v->line + thread * size;
    uint32_t range = (uint32_t)(v->w->hi - v->w->lo);

    for (int64_t m = lo; m < hi; m++) {
        int64_t of_group = m % v->p.mg, tile = of_group % TRAIN_MAC_ROWS, t0 = of_group - tile;
        float *packed = train_sweep_packed(&v->s, m / v->p.mg, t0);
        float scale = v->w->scale[v->w->n_scales == 1 ? 0 : m];
        v->bad[thread] |= !weight_codes(v->c->in[1].v + m * v->p.of_m, taps > 1 ? 1 : v->p.of_c,
                                        size, 1.0f / scale, v->w->lo, range, line);
        int64_t n = train_least(TRAIN_MAC_ROWS, v->p.mg - t0);
        if (v->unit == BITS) {
            v->bad[thread] |= !pack_signs(v, line, n, (int32_t *)packed + tile);
            fill_count(v, m);
        } else {
            pack_line(v, line, n, (int32_t *)packed + tile);
            if (v->start)
                fill_start(v, m, line, v->of_tap + thread * taps);
        }
        v->factor[m] = (float)((double)v->x->scale[0] * (double)scale);
    }
}

/* --- the product ----------------------------------------------------------------------------- */

/* Behind the tables of the sweep. */
static void
lay_out(coded *v, const train_product *p)
{
    const nashc_grad_call *c = v->c;
    char *at = (char *)c->scratch + train_sweep_scratch(&v->p);

    v->words = (uint32_t *)at;
    v->start = (int32_t *)(v->words + n_words(&v->p, c->batch));
    v->factor = (float *)(v->start + n_starts(p));
    v->of_tap = (int32_t *)(v->factor + p->group * p->mg);
    v->line = (int8_t *)(v->of_tap + c->n_threads * p->w.kh * p->w.kw);
    v->bad = (bool *)(v->line + c->n_threads * line_size(p));
    memset(v->bad, 0, (size_t)c->n_threads * sizeof *v->bad);
    v->start = v->x->lo < 0 ? v->start : NULL; /* signs have one */
}

bool
train_product_gather_codes(const nashc_grad_call *c, const train_product *p, const float *bias,
                           float *y)
{
    int64_t unit = unit_of(c, p);
    coded v = {.c = c, .p = words_of(p, unit), .cg = p->cg, .unit = unit};
    int64_t n = p->image.position == TRAIN_LANES ? p->w.h * p->w.w * TRAIN_LANES : TRAIN_LANES;
    bool bad = false;

    if (!c->codes || !train_kernel_best()->mac_codes)
        return false;
    v.x = &c->codes[0];
    v.w = &c->codes[1];
    if (!v.x->scale || !v.w->scale || !pays(v.x, v.w, p, c->batch))
        return false;
    v.s = train_sweep_of(c, &v.p, true);
    lay_out(&v, p);
    nashc_grad_parallel(c, n_words(&v.p, c->batch) / n, image_part, &v);
    nashc_grad_parallel(c, p->group * p->mg, weights_part, &v);
    for (int t = 0; t < c->n_threads; t++)
        bad |= v.bad[t];
    if (bad)
        return false;
    v.s.source = (const float *)v.words;
    v.s.bias = bias;
    v.s.target = y;
    v.s.factor = v.factor;
    v.s.start = v.start;
    v.s.mac = unit == BITS ? train_kernel_best()->mac_signs : train_kernel_best()->mac_codes;
    train_sweep_run(c, &v.s);
    return true;
}
