/* range.c: the interval of each channel of each value, from the actual constants.
 *
 *     layer            lo[o] = b[o] + sum over c, t of w > 0 ? w * lo[c] : w * hi[c]     (hi alike)
 *     thresholds, requant, relu, clip, min, max, add ...     both ends, as the ops are monotone
 *     max pool, transpose, reshape ...                       those of the operand
 *
 * Padding adds its value to the interval. Ops without a row give the interval of the type, which
 * also bounds all others.
 */
#include "channels.h"
#include "passes/support/match.h"
#include <math.h>

static ch_range
hull(ch_range a, ch_range b)
{
    return (ch_range){a.lo < b.lo ? a.lo : b.lo, a.hi > b.hi ? a.hi : b.hi};
}

static const ch_range *
ranges(const ch_state *S, const nashc_value *v)
{
    return S->range[nashc_value_id(v)];
}

/* Far enough from the ends of 64 bits for sums of a few? */
static bool
tame(const nashc_type *t)
{
    return nashc_type_is_int(t) && t->lo > -(INT64_C(1) << 52) && t->hi < INT64_C(1) << 52;
}

/* Nothing but the type tells the range of the result's channels. */
static void
unknown(const nashc_node *n, ch_range *y, int64_t channels)
{
    const nashc_type *t = nashc_value_type(nashc_node_out(n, 0));

    for (int64_t c = 0; c < channels; c++)
        y[c] = (ch_range){t->lo, t->hi};
}

static void
layer_ranges(ch_state *S, const nashc_node *n, const ch_layer *l, ch_range *y)
{
    const nashc_tensor *b = nashc_node_in(n, 2) ? nashc_value_const(nashc_node_in(n, 2)) : NULL;
    const ch_range *from = ranges(S, nashc_node_in(n, 0));
    int64_t size = l->n[1] * l->n[2], at[3], channels = l->n[l->c];
    int64_t *w = CH_NEW(S, int64_t, size);
    ch_range *x = CH_NEW(S, ch_range, channels);

    if (S->failed || !from || (b && !nashc_type_is_int(nashc_tensor_type(b))))
        return;
    for (int64_t c = 0; c < channels; c++)
        x[c] = l->padded ? hull(from[c], (ch_range){0, 0}) : from[c];
    for (int64_t o = 0; o < l->n[l->o]; o++)
        y[o].lo = y[o].hi = b ? nashc_tensor_get_int(b, o) : 0;
    for (at[0] = 0; at[0] < l->n[0]; at[0]++) {
        const int64_t *v = w;
        ch_load(l->w, at[0] * size, size, w);
        for (at[1] = 0; at[1] < l->n[1]; at[1]++) {
            bool taps = l->c != 2 && l->o != 2; /* the innermost loop meets one channel */
            int64_t run = taps ? l->n[2] : 1;
            for (at[2] = 0; at[2] < l->n[2]; at[2] += run, v += run) {
                nashc_sums sums = {0};
                ch_range part;
                nashc_sums_add_i64(&sums, v, 1, run);
                if (!nashc_sums_range(&sums, x[at[l->c]].lo, x[at[l->c]].hi, &part.lo, &part.hi))
                    return unknown(n, y, l->n[l->o]);
                y[at[l->o]].lo += part.lo;
                y[at[l->o]].hi += part.hi;
            }
        }
    }
}

/* --- thresholds, requant, tables ---------------------------------------------------------------
 */

/* How many of the ascending thresholds t[from .. from + k) x reaches. */
static int64_t
reached(const nashc_tensor *t, int64_t from, int64_t k, int64_t x)
{
    bool whole = nashc_type_is_int(nashc_tensor_type(t));
    int64_t lo = 0, hi = k;

    while (lo < hi) {
        int64_t mid = lo + (hi - lo) / 2;
        if (whole ? x >= nashc_tensor_get_int(t, from + mid)
                  : (double)x >= nashc_tensor_get(t, from + mid))
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static void
threshold_ranges(ch_state *S, const nashc_node *n, ch_range *y, int64_t channels)
{
    const ch_range *x = ranges(S, nashc_node_in(n, 0));
    const nashc_tensor *t = nashc_value_const(nashc_node_in(n, 1));
    const nashc_tensor *dir = nashc_node_in(n, 2) ? nashc_value_const(nashc_node_in(n, 2)) : NULL;
    int64_t k = nashc_tensor_type(t)->dim[1], rows = nashc_tensor_type(t)->dim[0];
    int64_t bias = nashc_node_int(n, "out_bias"), scale = nashc_node_int(n, "out_scale");

    for (int64_t c = 0; c < channels; c++) {
        int64_t row = rows == 1 ? 0 : c * k;
        int64_t a = reached(t, row, k, x[c].lo), b = reached(t, row, k, x[c].hi);
        if (dir && nashc_tensor_get_int(dir, c) < 0) {
            a = k - a;
            b = k - b;
        }
        a = bias + scale * a;
        b = bias + scale * b;
        y[c] = hull((ch_range){a, a}, (ch_range){b, b});
    }
}

static void
requant_ranges(ch_state *S, const nashc_node *n, ch_range *y, int64_t channels)
{
    const ch_range *x = ranges(S, nashc_node_in(n, 0));
    const nashc_tensor *mul = nashc_value_const(nashc_node_in(n, 1));
    const nashc_tensor *add = nashc_value_const(nashc_node_in(n, 2));
    int64_t unit = INT64_C(1) << nashc_node_int(n, "shift");
    int64_t qmin = nashc_node_int(n, "qmin"), qmax = nashc_node_int(n, "qmax");
    bool even = nashc_node_int(n, "ties_even");

    for (int64_t c = 0; c < channels; c++) {
        int64_t m = nashc_tensor_get_int(mul, nashc_tensor_count(mul) == 1 ? 0 : c), q[2];
        int64_t a = nashc_tensor_get_int(add, nashc_tensor_count(add) == 1 ? 0 : c);
        for (int i = 0; i < 2; i++) { /* infer has refused constants that would leave 64 bits */
            int64_t sum = (i ? x[c].hi : x[c].lo) * m + a;
            q[i] = sum / unit - (sum % unit < 0);
            q[i] -= even && sum % unit == 0 && (q[i] & 1);
            q[i] = q[i] < qmin ? qmin : q[i] > qmax ? qmax : q[i];
        }
        y[c] = hull((ch_range){q[0], q[0]}, (ch_range){q[1], q[1]});
    }
}

static void
lut_ranges(ch_state *S, const nashc_node *n, ch_range *y, int64_t channels)
{
    const ch_range *x = ranges(S, nashc_node_in(n, 0));
    const nashc_tensor *t = nashc_value_const(nashc_node_in(n, 1));
    int64_t size = nashc_tensor_type(t)->dim[1], rows = nashc_tensor_type(t)->dim[0];
    int64_t first = nashc_node_int(n, "lo");

    for (int64_t c = 0; c < channels; c++) {
        if (c && rows == 1 && x[c].lo == x[c - 1].lo && x[c].hi == x[c - 1].hi) {
            y[c] = y[c - 1];
            continue;
        }
        int64_t row = (rows == 1 ? 0 : c * size) - first;
        for (int64_t i = x[c].lo; i <= x[c].hi; i++) {
            int64_t v = nashc_tensor_get_int(t, row + i);
            y[c] = i == x[c].lo ? (ch_range){v, v} : hull(y[c], (ch_range){v, v});
        }
    }
}

/* --- element by element ------------------------------------------------------------------------
 */

static ch_range
add(ch_range a, ch_range b)
{
    return (ch_range){a.lo + b.lo, a.hi + b.hi};
}

static ch_range
sub(ch_range a, ch_range b)
{
    return (ch_range){a.lo - b.hi, a.hi - b.lo};
}

static ch_range
mul(ch_range a, ch_range b)
{
    ch_range lo = hull((ch_range){a.lo * b.lo, a.lo * b.lo}, (ch_range){a.lo * b.hi, a.lo * b.hi});
    ch_range hi = hull((ch_range){a.hi * b.lo, a.hi * b.lo}, (ch_range){a.hi * b.hi, a.hi * b.hi});

    return hull(lo, hi);
}

static ch_range
lesser(ch_range a, ch_range b)
{
    return (ch_range){a.lo < b.lo ? a.lo : b.lo, a.hi < b.hi ? a.hi : b.hi};
}

static ch_range
greater(ch_range a, ch_range b)
{
    return (ch_range){a.lo > b.lo ? a.lo : b.lo, a.hi > b.hi ? a.hi : b.hi};
}

/* The interval that operand i shows to each channel of the result. */
static const ch_range *
operand(ch_state *S, const nashc_node *n, int i, int64_t channels)
{
    const nashc_value *v = nashc_node_in(n, i);
    const nashc_tensor *t = nashc_value_const(v);
    const nashc_type *type = nashc_value_type(v), *y = nashc_value_type(nashc_node_out(n, 0));
    int at = nashc_type_channel_axis(y) - (y->rank - type->rank);
    int64_t inner = 1, count = at >= 0 ? type->dim[at] : 1;

    if (!t)
        return ranges(S, v);
    ch_range *r = CH_NEW(S, ch_range, channels);
    for (int a = at < 0 ? type->rank : at + 1; a < type->rank; a++)
        inner *= type->dim[a];
    for (int64_t e = 0; r && e < nashc_tensor_count(t); e++) {
        int64_t x = nashc_tensor_get_int(t, e), c = e / inner % count;
        r[c] =
            e < inner * count && e % inner == 0 ? (ch_range){x, x} : hull(r[c], (ch_range){x, x});
    }
    for (int64_t c = count; r && c < channels; c++)
        r[c] = r[0];
    return r;
}

static void
eltwise_ranges(ch_state *S, const nashc_node *n, ch_range *y, int64_t channels)
{
    static const struct {
        const char *op;
        ch_range (*f)(ch_range a, ch_range b);
    } binary[] = {{"nn.add", add},    {"nn.sub", sub},     {"nn.mul", mul},
                  {"nn.min", lesser}, {"nn.max", greater}, {NULL, NULL}};
    int k = 0;

    for (int i = 0; i < nashc_node_n_in(n); i++)
        if (!tame(nashc_value_type(nashc_node_in(n, i))))
            return;
    const ch_range *a = operand(S, n, 0, channels), *b = NULL;
    if (nashc_node_is(n, "nn.relu") || nashc_node_is(n, "nn.clip") ||
        nashc_node_is(n, "nn.identity")) {
        bool relu = nashc_node_is(n, "nn.relu"), clip = nashc_node_is(n, "nn.clip");
        double least = relu ? 0 : clip ? nashc_node_float(n, "min") : -INFINITY;
        double most = clip ? nashc_node_float(n, "max") : INFINITY;
        ch_range low = {least > -0x1p52 ? (int64_t)fmin(least, 0x1p52) : -(INT64_C(1) << 52), 0};
        ch_range high = {most < 0x1p52 ? (int64_t)fmax(most, -0x1p52) : INT64_C(1) << 52, 0};
        low.hi = low.lo;
        high.hi = high.lo;
        for (int64_t c = 0; a && c < channels; c++)
            y[c] = lesser(greater(a[c], low), high);
        return;
    }
    while (binary[k].op && !nashc_node_is(n, binary[k].op))
        k++;
    if (binary[k].op)
        b = operand(S, n, 1, channels);
    for (int64_t c = 0; a && b && c < channels; c++)
        y[c] = binary[k].f(a[c], b[c]);
}

/* --- pools, paddings, moves --------------------------------------------------------------------
 */

/* Elements of a window; *whole: all of them lie in every input. */
static double
window_size(const nashc_node *n, bool *whole)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    int count = 0;
    double size = 1;

    *whole = true;
    if (nashc_node_is(n, "nn.global_sumpool"))
        return (double)nashc_type_count(x) / (double)(x->dim[0] * nashc_type_channels(x));
    const int64_t *kernel = nashc_node_ints(n, "kernel", &count);
    for (int i = 0; i < count; i++)
        size *= (double)kernel[i];
    *whole = match_all(n, "pads", 0) && !nashc_node_int(n, "ceil");
    return size;
}

static void
sum_ranges(ch_state *S, const nashc_node *n, ch_range *y, int64_t channels)
{
    const ch_range *x = ranges(S, nashc_node_in(n, 0));
    bool whole;
    double size = window_size(n, &whole);

    if (size > 0x1p31 || !tame(nashc_value_type(nashc_node_in(n, 0))))
        return;
    for (int64_t c = 0; c < channels; c++) {
        if (fmax(fabs((double)x[c].lo), fabs((double)x[c].hi)) * size >= 0x1p62)
            continue;
        y[c] = (ch_range){x[c].lo * (int64_t)size, x[c].hi * (int64_t)size};
        if (!whole)
            y[c] = hull(y[c], (ch_range){0, 0});
    }
}

static void
pad_ranges(ch_state *S, const nashc_node *n, ch_range *y, int64_t channels)
{
    const ch_range *x = ranges(S, nashc_node_in(n, 0));
    const nashc_tensor *t = nashc_node_in(n, 1) ? nashc_value_const(nashc_node_in(n, 1)) : NULL;
    bool constant = nashc_node_int(n, "mode") == 0;
    int64_t count = t ? nashc_tensor_count(t) : 1;

    for (int64_t c = 0; c < channels; c++) {
        double v = t ? nashc_tensor_get(t, count == channels ? c : 0) : 0;
        if (!constant)
            y[c] = x[c];
        else if (fabs(v) < 0x1p52 && v == nearbyint(v) && (count == 1 || count == channels))
            y[c] = hull(x[c], (ch_range){(int64_t)v, (int64_t)v});
    }
}

static void
reshape_ranges(ch_state *S, const nashc_node *n, ch_range *y, int64_t features)
{
    const ch_range *x = ranges(S, nashc_node_in(n, 0));
    int64_t k, channels = nashc_type_channels(nashc_value_type(nashc_node_in(n, 0)));

    for (int64_t f = 0; ch_block(n, &k) && f < features; f++)
        y[f] = x[f / k % channels];
}

/* Channels side by side stay what they are. */
static void
concat_ranges(ch_state *S, const nashc_node *n, ch_range *y)
{
    const nashc_type *out = nashc_value_type(nashc_node_out(n, 0));
    int64_t axis = nashc_node_int(n, "axis"), at = 0;

    if ((axis < 0 ? axis + out->rank : axis) != nashc_type_channel_axis(out))
        return;
    for (int i = 0; i < nashc_node_n_in(n); i++) {
        const nashc_value *v = nashc_node_in(n, i);
        const nashc_type *t = nashc_value_type(v);
        const ch_range *x = ranges(S, v);
        for (int64_t c = 0; c < t->dim[axis < 0 ? axis + out->rank : axis]; c++, at++)
            if (x && nashc_type_channel_axis(t) == nashc_type_channel_axis(out))
                y[at] = x[c];
    }
}

/* --- all ---------------------------------------------------------------------------------------
 */

static void
node_ranges(ch_state *S, const nashc_node *n, ch_range *y, int64_t channels)
{
    ch_layer l;

    switch (ch_kind_of(n)) {
    case CH_DENSE:
    case CH_DEPTHWISE:
        if (ch_layer_of(n, &l))
            layer_ranges(S, n, &l, y);
        return;
    case CH_ELTWISE:
        eltwise_ranges(S, n, y, channels);
        return;
    case CH_ROWS:
        if (!tame(nashc_value_type(nashc_node_in(n, 0))))
            return;
        if (nashc_node_is(n, "q.multithreshold"))
            threshold_ranges(S, n, y, channels);
        else if (nashc_node_is(n, "q.requant"))
            requant_ranges(S, n, y, channels);
        else if (nashc_node_is(n, "q.lut"))
            lut_ranges(S, n, y, channels);
        else
            pad_ranges(S, n, y, channels);
        return;
    case CH_MOVES:
        if (nashc_node_is(n, "nn.sumpool") || nashc_node_is(n, "nn.global_sumpool"))
            sum_ranges(S, n, y, channels);
        else
            for (int64_t c = 0; c < channels; c++)
                y[c] = ranges(S, nashc_node_in(n, 0))[c];
        return;
    case CH_RESHAPE:
        reshape_ranges(S, n, y, channels);
        return;
    default:
        if (nashc_node_is(n, "nn.concat"))
            concat_ranges(S, n, y);
    }
}

/* The interval of the type for every channel; NULL: not followed. */
static ch_range *
type_ranges(ch_state *S, const nashc_value *v)
{
    const nashc_type *t = nashc_value_type(v);
    int64_t channels = ch_followed(t) ? nashc_type_channels(t) : 0;
    ch_range *r = channels ? CH_NEW(S, ch_range, channels) : NULL;

    for (int64_t c = 0; r && c < channels; c++)
        r[c] = (ch_range){t->lo, t->hi};
    S->range[nashc_value_id(v)] = r;
    return r;
}

void
ch_init(ch_state *S, nashc_run *r, nashc_graph *g)
{
    *S = (ch_state){.run = r, .g = g, .a = nashc_run_arena(r)};
    S->n_values = (int64_t)nashc_graph_max_id(g) + 1;
    S->range = CH_NEW(S, ch_range *, S->n_values);
}

void
ch_find_ranges(ch_state *S)
{
    for (int i = 0; i < nashc_graph_n_inputs(S->g) && !S->failed; i++)
        type_ranges(S, nashc_graph_input(S->g, i));
    NASHC_EACH_NODE(S->g, n)
    for (int i = 0; i < nashc_node_n_out(n) && !S->failed; i++) {
        const nashc_value *v = nashc_node_out(n, i);
        const nashc_type *t = nashc_value_type(v);
        ch_range *r = type_ranges(S, v);
        if (!r || nashc_node_n_out(n) != 1)
            continue;
        node_ranges(S, n, r, nashc_type_channels(t));
        for (int64_t c = 0; c < nashc_type_channels(t); c++) { /* both hold */
            r[c].lo = r[c].lo > t->lo ? r[c].lo : t->lo;
            r[c].hi = r[c].hi < t->hi ? r[c].hi : t->hi;
        }
    }
}
