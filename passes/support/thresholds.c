/* thresholds.c: the rows of a multithreshold as doubles, moved exactly and built anew.
 *
 * A threshold is compared with doubles only, so the smallest double that is not below the exact
 * value t - a or t / a decides x >= t - a and x < t - a as the exact value would.
 */
#include "thresholds.h"
#include "number.h"
#include <math.h>
#include <stdlib.h>

bool
thresholds_of(nashc_rw *rw, nashc_node *node, thresholds *s)
{
    const nashc_tensor *t = nashc_value_const(nashc_node_in(node, 1));
    nashc_value *dir_v = nashc_node_in(node, 2);
    const nashc_tensor *dir = dir_v ? nashc_value_const(dir_v) : NULL;

    if (!t || (dir_v && !dir))
        return false; /* which the verifier refuses */

    number num = number_of(rw, t);
    if (!num.v)
        return nashc_rw_miss(rw, node, "thresholds exceed 2^53");
    *s = (thresholds){.node = node,
                      .x = nashc_node_in(node, 0),
                      .rows = num.type.dim[0],
                      .n = num.type.dim[1],
                      .t = num.v,
                      .integer = num.integer};
    if (dir && nashc_tensor_count(dir) > s->rows && !thresholds_grow(rw, s))
        return false;
    if (!s->dir)
        s->dir = NASHC_NEW_N(nashc_rw_arena(rw), signed char, s->rows + 1);
    for (int64_t c = 0; s->dir && c < s->rows; c++)
        s->dir[c] = dir && nashc_tensor_get(dir, nashc_tensor_count(dir) == 1 ? 0 : c) < 0 ? -1 : 1;
    return s->dir != NULL;
}

bool
thresholds_grow(nashc_rw *rw, thresholds *s)
{
    int64_t channels = nashc_type_channels(nashc_value_type(s->x)), size;

    if (s->rows == channels)
        return true;
    if (!nashc_mul_size(channels, s->n, &size) || size > NASHC_MAX_ELEMENTS)
        return false;
    double *t = NASHC_NEW_N(nashc_rw_arena(rw), double, size + 1);
    signed char *dir = NASHC_NEW_N(nashc_rw_arena(rw), signed char, channels + 1);
    if (!t || !dir)
        return false;
    for (int64_t i = 0; i < size; i++)
        t[i] = s->t[i % s->n];
    for (int64_t c = 0; c < channels; c++)
        dir[c] = s->dir ? s->dir[0] : 1;
    s->t = t;
    s->dir = dir;
    s->rows = channels;
    return true;
}

double
thresholds_sub(double t, double a)
{
    double d = t - a;

    if (!isfinite(t) || !isfinite(d))
        return d;
    /* Knuth's error term: t - a = d + e exactly. */
    double z = d - t, e = (t - (d - z)) - (a + z);
    return e > 0 ? nextafter(d, INFINITY) : d;
}

double
thresholds_div(double t, double a)
{
    double x = t / a, next;

    if (!isfinite(t) || !isfinite(x) || a == 0)
        return x;
    /* The quotient is rounded, and so is the product that is compared with t. */
    for (int i = 0; i < 8 && (a > 0 ? x * a < t : x * a >= t); i++)
        x = nextafter(x, INFINITY);
    for (int i = 0; i < 8; i++, x = next) {
        next = nextafter(x, -INFINITY);
        if (a > 0 ? next * a < t : next * a >= t)
            break;
    }
    return x;
}

static int
ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Are all rows the same, and count upwards? */
static bool
uniform(const thresholds *s)
{
    for (int64_t c = 0; c < s->rows; c++)
        for (int64_t k = 0; k < s->n; k++)
            if (s->dir[c] < 0 || s->t[c * s->n + k] != s->t[k])
                return false;
    return true;
}

nashc_value *
thresholds_build(nashc_rw *rw, thresholds *s, nashc_value *x)
{
    nashc_type shape = nashc_type_f64();
    bool down = false;

    for (int64_t c = 0; c < s->rows; c++) {
        qsort(s->t + c * s->n, (size_t)s->n, sizeof(double), ascending);
        down |= s->dir[c] < 0;
    }
    if (uniform(s))
        s->rows = 1;
    shape = nashc_type_shaped(shape, 2, (int64_t[]){s->rows, s->n});
    number t = {.type = shape, .n = s->rows * s->n, .v = s->t, .integer = s->integer};
    nashc_value *in[3] = {x, number_const(rw, &t), NULL};
    if (down) {
        nashc_type bip = nashc_type_bip();
        int64_t channels = nashc_type_channels(nashc_value_type(x));
        int64_t *dir = NASHC_NEW_N(nashc_rw_arena(rw), int64_t, channels + 1);

        for (int64_t c = 0; dir && c < channels; c++)
            dir[c] = s->dir[s->rows == 1 ? 0 : c];
        bip = nashc_type_shaped(bip, 1, &channels);
        in[2] = nashc_rw_const(rw, dir ? nashc_tensor_from_i64(&bip, dir) : NULL);
    }
    return nashc_rw_like(rw, s->node, in, down ? 3 : 2);
}
