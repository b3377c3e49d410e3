/* multithreshold.c: q.multithreshold(x, t, [dir]), how many thresholds of its channel x reaches.
 *
 *     y = out_bias + out_scale * count,   count = #{k : x >= t[c][k]}  where dir[c] = +1
 *                                                 #{k : x <  t[c][k]}  where dir[c] = -1
 *
 * t [C,K] or [1,K], each row ascending; c is the position along the channel axis of x. QONNX
 * MultiThreshold (docs/quantisers.md, q.multithreshold); dir counts channels of negative gain down.
 * NaN reaches nothing.
 */
#include "ops.h"

enum { OUT_BIAS, OUT_SCALE };

static const nashc_param multithreshold_attrs[] = {
    ATTR(INT, "out_bias", "0", "-2147483648..2147483647", "added to the scaled count"),
    ATTR(INT, "out_scale", "1", "-2147483648..2147483647", "factor of the count"),
    {0},
};

static nashc_status
multithreshold_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    nashc_status s = ops_need_rank(n, 0, "input", 1, NASHC_MAX_RANK, d);
    int64_t bias = nashc_attr_int(n, OUT_BIAS), scale = nashc_attr_int(n, OUT_SCALE);

    if (s != NASHC_OK || (s = ops_need_rank(n, 1, "thresholds", 2, 2, d)) != NASHC_OK)
        return s;
    const nashc_type *x = ops_type(n, 0), *t = ops_type(n, 1);
    const nashc_type *dir = ops_type(n, 2);
    int64_t channels = nashc_type_channels(x), k = t->dim[1];
    if ((t->dim[0] != 1 && t->dim[0] != channels) || k < 1)
        return nashc_node_error(d, n, "thresholds are %s, expected [1,K] or [%" PRId64 ",K]",
                                nashc_type_str(d, t), channels);
    if (dir && (dir->kind != NASHC_K_BIP || dir->rank != 1 || dir->dim[0] != channels))
        return nashc_node_error(d, n, "directions are %s, expected bip[%" PRId64 "]",
                                nashc_type_str(d, dir), channels);
    *out = *x;
    if (k == 1 && scale == 2 && bias == -1) {
        nashc_type bip = nashc_type_bip();
        *out = nashc_type_with_elem(x, &bip);
        return NASHC_OK;
    }
    ops_interval r = ops_interval_mul((ops_interval){0, k}, (ops_interval){scale, scale});
    r = ops_interval_add(r, (ops_interval){bias, bias});
    nashc_type_set_range(out, r.lo, r.hi);
    return NASHC_OK;
}

static nashc_status
multithreshold_verify(const nashc_node *n, nashc_diag *d)
{
    const nashc_tensor *t = ops_const(n, 1);

    if (!t)
        return nashc_node_error(d, n, "thresholds are not constant");
    if (nashc_node_in(n, 2) && !ops_const(n, 2))
        return nashc_node_error(d, n, "directions are not constant");
    const nashc_buf *b = nashc_tensor_buf(t);
    int64_t k = b->type.dim[1];
    for (int64_t i = 0; i < b->n; i++) {
        if (isnan(nashc_buf_get(b, i)))
            return nashc_node_error(d, n, "threshold %" PRId64 " of channel %" PRId64 " is NaN",
                                    i % k, i / k);
        if (i % k && nashc_buf_cmp(b, i - 1, b, i) > 0)
            return nashc_node_error(d, n,
                                    "thresholds of channel %" PRId64
                                    " are not ascending: %g at %" PRId64 " before %g",
                                    i / k, nashc_buf_get(b, i - 1), i % k - 1, nashc_buf_get(b, i));
    }
    return NASHC_OK;
}

/* Can the elements of b be compared as doubles? */
static bool
is_exact(const nashc_buf *b)
{
    int64_t limit = (int64_t)1 << 53;

    return nashc_type_is_float(&b->type) || (b->type.lo >= -limit && b->type.hi <= limit);
}

/* Number of elements of row t[0..k) that are <= x. */
static int64_t
reached(const double *t, int64_t k, bool ascending, double x)
{
    int64_t lo = 0, hi = k, count = 0;

    if (!ascending) {
        for (int64_t i = 0; i < k; i++)
            count += x >= t[i];
        return count;
    }
    while (lo < hi) { /* t[0..lo) <= x < t[hi..k) */
        int64_t mid = lo + (hi - lo) / 2;
        if (x >= t[mid])
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static bool
is_ascending(const double *t, int64_t rows, int64_t k)
{
    for (int64_t r = 0; r < rows; r++)
        for (int64_t i = 1; i < k; i++)
            if (!(t[r * k + i - 1] <= t[r * k + i]))
                return false;
    return true;
}

static nashc_status
multithreshold_eval(nashc_eval *e, const nashc_node *n)
{
    const nashc_buf *x = nashc_eval_in(e, 0), *t = nashc_eval_in(e, 1), *dir = nashc_eval_in(e, 2);
    nashc_buf *y = nashc_eval_out(e, 0);
    int64_t k = t->type.dim[1], rows = t->type.dim[0], inner = 1;
    int64_t channels = nashc_type_channels(&x->type);
    bool exact = is_exact(x) && is_exact(t);
    const double *xv = exact ? nashc_eval_f64(e, 0) : NULL;
    const double *tv = exact ? nashc_eval_f64(e, 1) : NULL;

    if (exact && (!xv || !tv))
        return NASHC_ENOMEM;
    for (int a = nashc_type_channel_axis(&x->type) + 1; a < x->type.rank; a++)
        inner *= x->type.dim[a];
    bool ascending = exact && is_ascending(tv, rows, k);
    for (int64_t i = 0; i < y->n; i++) {
        int64_t c = i / inner % channels, count = 0, row = rows == 1 ? 0 : c;
        if (exact)
            count = reached(tv + row * k, k, ascending, xv[i]);
        for (int64_t j = 0; !exact && j < k; j++)
            count += nashc_buf_cmp(x, i, t, row * k + j) >= 0;
        if (dir && nashc_buf_get_int(dir, c) < 0)
            count = exact && isnan(xv[i]) ? 0 : k - count;
        nashc_buf_set_int(y, i, nashc_attr_int(n, OUT_BIAS) + nashc_attr_int(n, OUT_SCALE) * count);
    }
    return NASHC_OK;
}

const nashc_op nashc_op_q_multithreshold = {
    NASHC_DESC(nashc_op),
    .name = "q.multithreshold",
    .help = "count the thresholds of a channel that the input reaches",
    .min_in = 2,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .attrs = multithreshold_attrs,
    .verify = multithreshold_verify,
    .infer = multithreshold_infer,
    .eval = multithreshold_eval,
};
