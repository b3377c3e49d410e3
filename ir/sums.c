/* sums.c: least and greatest values of weighted sums; docs/datatypes.md, intervals of sums. */
#include <nashc/tensor.h>

/* One weight. Positive and negative ones are summed apart: for lo <= x <= hi the extremes of
 * sum(w * x) are pos * lo + neg * hi and pos * hi + neg * lo. */
static void
put(nashc_sums *s, int64_t v)
{
    int64_t *side = v > 0 ? &s->pos : &s->neg;

    if (__builtin_add_overflow(*side, v, side))
        s->overflow = true;
}

/* Cells of up to 32 bits, of which no tensor has so many that 64 bits overflow. */
#define SUM_CELLS(type)                                                                            \
    for (int64_t i = 0, at = start; i < count; i++, at += step) {                                  \
        int64_t v = ((const type *)w->data)[at];                                                   \
        pos += v > 0 ? v : 0;                                                                      \
        neg += v < 0 ? v : 0;                                                                      \
    }                                                                                              \
    break

void
nashc_sums_add(nashc_sums *s, const nashc_buf *w, int64_t start, int64_t step, int64_t count)
{
    int64_t pos = 0, neg = 0;

    switch (w->cell) {
    case NASHC_I8:
        SUM_CELLS(int8_t);
    case NASHC_U8:
        SUM_CELLS(uint8_t);
    case NASHC_I16:
        SUM_CELLS(int16_t);
    case NASHC_U16:
        SUM_CELLS(uint16_t);
    case NASHC_I32:
        SUM_CELLS(int32_t);
    case NASHC_I64:
    case NASHC_U64: /* holds 0..INT64_MAX only */
        nashc_sums_add_i64(s, (const int64_t *)w->data + start, step, count);
        break;
    default:
        for (int64_t i = 0; i < count; i++)
            put(s, nashc_buf_get_int(w, start + i * step));
    }
    put(s, pos);
    put(s, neg);
}

void
nashc_sums_add_i64(nashc_sums *s, const int64_t *w, int64_t step, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        put(s, w[i * step]);
}

/* Row by row, as a walk down a column takes a line of the cache for each weight. */
#define SUM_ROWS(type)                                                                             \
    for (int64_t r = 0; r < rows; r++) {                                                           \
        const type *row = (const type *)w->data + r * columns + first;                             \
        for (int c = 0; c < n; c++) {                                                              \
            int64_t v = row[c];                                                                    \
            pos[c] += v > 0 ? v : 0;                                                               \
            neg[c] += v < 0 ? v : 0;                                                               \
        }                                                                                          \
    }                                                                                              \
    break

void
nashc_sums_columns(nashc_sums *s, const nashc_buf *w, int64_t rows, int64_t columns, int64_t first,
                   int n)
{
    int64_t pos[NASHC_SUMS_COLUMNS] = {0}, neg[NASHC_SUMS_COLUMNS] = {0};

    switch (w->cell) {
    case NASHC_I8:
        SUM_ROWS(int8_t);
    case NASHC_U8:
        SUM_ROWS(uint8_t);
    case NASHC_I16:
        SUM_ROWS(int16_t);
    case NASHC_U16:
        SUM_ROWS(uint16_t);
    case NASHC_I32:
        SUM_ROWS(int32_t);
    default:
        for (int c = 0; c < n; c++)
            nashc_sums_add(&s[c], w, first + c, columns, rows);
    }
    for (int c = 0; c < n; c++) {
        put(&s[c], pos[c]);
        put(&s[c], neg[c]);
    }
}

bool
nashc_sums_range(const nashc_sums *s, int64_t lo, int64_t hi, int64_t *least, int64_t *most)
{
    int64_t a, b, c, e;

    if (s->overflow || __builtin_mul_overflow(s->pos, lo, &a) ||
        __builtin_mul_overflow(s->neg, hi, &b) || __builtin_mul_overflow(s->pos, hi, &c) ||
        __builtin_mul_overflow(s->neg, lo, &e) || __builtin_add_overflow(a, b, &a) ||
        __builtin_add_overflow(c, e, &c))
        return false;
    *least = a;
    *most = c;
    return true;
}

/* The same where weights are known by their interval only, so any of them may stand anywhere: the
 * extremes are at the corners. */
bool
nashc_products_range(int64_t count, int64_t w_lo, int64_t w_hi, int64_t lo, int64_t hi,
                     int64_t *least, int64_t *most)
{
    const int64_t w[] = {w_lo, w_lo, w_hi, w_hi}, x[] = {lo, hi, lo, hi};
    int64_t a = INT64_MAX, b = INT64_MIN, p;

    for (int i = 0; i < 4; i++) {
        if (__builtin_mul_overflow(w[i], x[i], &p))
            return false;
        a = p < a ? p : a;
        b = p > b ? p : b;
    }
    if (__builtin_mul_overflow(a, count, &a) || __builtin_mul_overflow(b, count, &b))
        return false;
    *least = a;
    *most = b;
    return true;
}
