/* narrow.c: sums of products of integers of up to 16 bits, which are exact in 32 bits in any order.
 *
 * Here a panel holds the elements of a column side by side, [tile][k], as those of a row are: sums
 * of pairs of products are single instructions then.
 */
#include "ops.h"
#include <nashc/clones.h>

#define STEP 16 /* elements of a vector */

int64_t
ops_i16_step(int64_t k)
{
    return (k + STEP - 1) / STEP * STEP;
}

bool
ops_exact_i16(const nashc_buf *a, const nashc_buf *b, int64_t k)
{
    /* short sums have more of zeros than of products */
    return k >= STEP && nashc_type_is_int(&a->type) && nashc_type_is_int(&b->type) &&
           ops_products_within(a, b, k, INT16_MAX, INT32_MAX);
}

#define CUT(type)                                                                                  \
    for (int64_t i = 0; i < n; i++)                                                                \
        out[i] = (int16_t)((const type *)b->data)[from + i];                                       \
    break

static void
cut(const nashc_buf *b, int64_t from, int64_t n, int16_t *out)
{
    switch (b->cell) {
    case NASHC_I8:
        CUT(int8_t);
    case NASHC_U8:
        CUT(uint8_t);
    case NASHC_I16:
        CUT(int16_t);
    case NASHC_U16:
        CUT(uint16_t);
    default: /* a wide cell of a type with a small interval */
        for (int64_t i = 0; i < n; i++)
            out[i] = (int16_t)nashc_buf_get_int(b, from + i);
    }
}

int16_t *
ops_i16_rows(nashc_eval *e, int i, int64_t k)
{
    const nashc_buf *b = nashc_eval_in(e, i);
    int64_t step = ops_i16_step(k), rows = b->n / k;
    int16_t *all = nashc_eval_scratch(e, (size_t)(rows * step) * sizeof *all);

    for (int64_t r = 0; all && r < rows; r++)
        cut(b, r * k, k, all + r * step);
    return all;
}

/* Four columns at a time, so that each element of a is loaded once for them. */
NASHC_CLONES static void
dot_i16(const int16_t *restrict a, const int16_t *restrict panel, int64_t k, int32_t *restrict acc)
{
    for (int p = 0; p < NASHC_TILE; p += 4) {
        const int16_t *b0 = panel + p * k, *b1 = b0 + k, *b2 = b1 + k, *b3 = b2 + k;
        int32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;
        for (int64_t i = 0; i < k; i++) {
            s0 += a[i] * b0[i];
            s1 += a[i] * b1[i];
            s2 += a[i] * b2[i];
            s3 += a[i] * b3[i];
        }
        acc[p] = s0;
        acc[p + 1] = s1;
        acc[p + 2] = s2;
        acc[p + 3] = s3;
    }
}

void
ops_dot_i16(const int16_t *a, const int16_t *panel, int64_t step, int32_t *acc)
{
    dot_i16(a, panel, step, acc);
}
