/* sums.c: least and greatest values of weighted sums; docs/datatypes.md, intervals of sums. */
#include <nashc/clones.h>
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
    int64_t pos = 0, neg = 0;

    /* no branches: signs of weights are random */
    for (int64_t i = 0; i < count; i++) {
        int64_t v = w[i * step];
        s->overflow |= __builtin_add_overflow(pos, v > 0 ? v : 0, &pos);
        s->overflow |= __builtin_add_overflow(neg, v < 0 ? v : 0, &neg);
    }
    put(s, pos);
    put(s, neg);
}

/* Rows whose sums of cells of up to 16 bits fit 32 bits. */
#define SUM_BLOCK 32768

/* Row by row, as a walk down a column takes a line of the cache for each weight. The sums of a
 * block are of type part: 32 bits where they fit, so that more of them stand in a vector. */
#define SUM_ROWS(name, type, part)                                                                 \
    NASHC_CLONES static void name(const type *w, int64_t rows, int64_t step, int n, int64_t *pos,  \
                                  int64_t *neg)                                                    \
    {                                                                                              \
        for (int64_t from = 0; from < rows; from += SUM_BLOCK) {                                   \
            part p[NASHC_SUMS_COLUMNS] = {0}, m[NASHC_SUMS_COLUMNS] = {0};                         \
            int64_t end = rows - from < SUM_BLOCK ? rows : from + SUM_BLOCK;                       \
            for (int64_t r = from; r < end; r++)                                                   \
                for (int c = 0; c < n; c++) {                                                      \
                    part v = w[r * step + c];                                                      \
                    p[c] += v > 0 ? v : 0;                                                         \
                    m[c] += v < 0 ? v : 0;                                                         \
                }                                                                                  \
            for (int c = 0; c < n; c++) {                                                          \
                pos[c] += p[c];                                                                    \
                neg[c] += m[c];                                                                    \
            }                                                                                      \
        }                                                                                          \
    }

SUM_ROWS(rows_i8, int8_t, int32_t)
SUM_ROWS(rows_u8, uint8_t, int32_t)
SUM_ROWS(rows_i16, int16_t, int32_t)
SUM_ROWS(rows_u16, uint16_t, int32_t)
SUM_ROWS(rows_i32, int32_t, int64_t)

void
nashc_sums_columns(nashc_sums *s, const nashc_buf *w, int64_t rows, int64_t columns, int64_t first,
                   int n)
{
    int64_t pos[NASHC_SUMS_COLUMNS] = {0}, neg[NASHC_SUMS_COLUMNS] = {0};

    switch (w->cell) {
    case NASHC_I8:
        rows_i8((const int8_t *)w->data + first, rows, columns, n, pos, neg);
        break;
    case NASHC_U8:
        rows_u8((const uint8_t *)w->data + first, rows, columns, n, pos, neg);
        break;
    case NASHC_I16:
        rows_i16((const int16_t *)w->data + first, rows, columns, n, pos, neg);
        break;
    case NASHC_U16:
        rows_u16((const uint16_t *)w->data + first, rows, columns, n, pos, neg);
        break;
    case NASHC_I32:
        rows_i32((const int32_t *)w->data + first, rows, columns, n, pos, neg);
        break;
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
