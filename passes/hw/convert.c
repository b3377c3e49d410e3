/* convert.c: one node of the integer graph to one hardware layer (hardware.md C.2).
 *
 *     nn.matmul, nn.gemm [+ nn.add const] [+ q.multithreshold]   hw.mvau
 *     q.multithreshold                                           hw.thresholding
 *     nn.add, nn.sub, nn.mul with an integer constant            hw.channelwise
 *     nn.add, nn.sub of two tensors of one shape                 hw.add_streams
 *     q.requant                                                  hw.requant
 *     q.lut                                                      hw.lut
 *     nn.argmax, nn.topk whose values are not read               hw.label_select
 *     nn.reshape, nn.identity, nn.transpose of unit dimensions   nothing: the order stays
 */
#include "convert.h"
#include <math.h>
#include <string.h>

static int64_t
attr(const nashc_node *n, const char *name)
{
    return nashc_attr_int(n, nashc_attr_index(n, name));
}

static bool
is_int(const nashc_value *v)
{
    return v && nashc_type_is_int(nashc_value_type(v));
}

/* Channels are innermost in the row-major order: nothing but unit dimensions behind them. */
static bool
channels_last(const nashc_type *t)
{
    int64_t inner = 1;

    for (int i = nashc_type_channel_axis(t) + 1; i < t->rank; i++)
        inner *= t->dim[i];
    return inner == 1;
}

/* Positions behind a channel in the row-major order. Where there are several, a layer with a row of
 * parameters a channel gets a row a position instead: the channel of row i is i / positions. */
static int64_t
positions(const nashc_type *t)
{
    int64_t inner = 1;

    for (int i = nashc_type_channel_axis(t) + 1; i < t->rank; i++)
        inner *= t->dim[i];
    return inner;
}

#define MAX_ROWS (1 << 16) /* of parameters that are repeated so */

static bool
can_repeat(const nashc_type *t, int64_t columns)
{
    int64_t rows = nashc_type_channels(t) * positions(t);

    return positions(t) == 1 || (rows <= MAX_ROWS && rows * columns <= 16 * MAX_ROWS);
}

/* Each of `rows` rows `times` times in a row. */
static int64_t *
repeat_rows(hw_conv *c, const int64_t *v, int64_t rows, int64_t columns, int64_t times)
{
    int64_t *out = NASHC_NEW_N(c->a, int64_t, rows * times * columns);

    for (int64_t r = 0; out && r < rows * times; r++)
        memcpy(out + r * columns, v + r / times * columns, sizeof *out * (size_t)columns);
    return out;
}

bool
hw_relabels(const nashc_node *n)
{
    const nashc_type *x;
    int64_t last = -1;
    int count;

    if (nashc_node_is(n, "nn.reshape") || nashc_node_is(n, "nn.identity"))
        return true;
    if (!nashc_node_is(n, "nn.transpose"))
        return false;
    x = nashc_value_type(nashc_node_in(n, 0));
    const int64_t *perm = nashc_attr_ints(n, nashc_attr_index(n, "perm"), &count);
    for (int i = 0; i < count; i++) {
        if (x->dim[perm[i]] == 1)
            continue;
        if (perm[i] < last)
            return false;
        last = perm[i];
    }
    return true;
}

/* --- thresholds ---------------------------------------------------------------------------------
 */

static const char *
why_not_steps(const nashc_node *n, nashc_arena *a)
{
    const nashc_value *x = nashc_node_in(n, 0), *t = nashc_node_in(n, 1),
                      *dir = nashc_node_in(n, 2);
    int64_t scale = attr(n, "out_scale"), bias = attr(n, "out_bias");

    if (!is_int(x))
        return "its input is not an integer tensor";
    if (!t || !nashc_value_const(t) || (dir && !nashc_value_const(dir)))
        return "its thresholds are not constant";
    const nashc_type *tt = nashc_value_type(t), *xt = nashc_value_type(x);
    if (tt->rank != 2 || !nashc_tensor_all_finite(nashc_value_const(t)))
        return "its thresholds are not a matrix of finite numbers";
    bool one = tt->dim[1] == 1 && ((scale == 2 && bias == -1) || (scale == -2 && bias == 1));
    if (!one && scale != 1 && scale != -1)
        return nashc_arena_printf(a, "out_scale is %" PRId64 ", a layer counts in steps of 1",
                                  scale);
    if ((tt->dim[0] > 1 || dir) && !can_repeat(xt, tt->dim[1]))
        return "its channels are not the innermost dimension of the stream, which is too long";
    return NULL;
}

static nashc_value *
matrix(hw_conv *c, const int64_t *v, int64_t rows, int64_t cols, const nashc_type *elem)
{
    nashc_type t;

    if (elem) {
        t = *elem;
    } else {
        int64_t lo = v[0], hi = v[0];
        for (int64_t i = 1; i < rows * cols; i++) {
            lo = v[i] < lo ? v[i] : lo;
            hi = v[i] > hi ? v[i] : hi;
        }
        t = nashc_type_for_range(lo, hi);
    }
    t = nashc_type_shaped(t, 2, (int64_t[]){rows, cols});
    return nashc_build_const(c->b, NULL, nashc_tensor_from_i64(&t, v));
}

static nashc_value *
directions(hw_conv *c, const hw_steps *s, int64_t channels)
{
    nashc_type bip = nashc_type_bip(), t = nashc_type_shaped(bip, 1, (int64_t[]){channels});

    return s->dir ? nashc_build_const(c->b, NULL, nashc_tensor_from_i64(&t, s->dir)) : NULL;
}

/* Result of the layer in the place of result 0 of n, with its name. */
static nashc_status
put(hw_conv *c, const nashc_node *n, nashc_value *v)
{
    const nashc_value *old = nashc_node_out(n, 0);

    if (!v)
        return nashc_build_status(c->b);
    c->map[nashc_value_id(old)] = v;
    nashc_value_set_name(v, nashc_value_name(old));
    return NASHC_OK;
}

static const char *
steps_text(hw_conv *c, const hw_steps *s)
{
    return s->bipolar ? "bipolar=true" : nashc_arena_printf(c->a, "act_bias=%" PRId64, s->bias);
}

static nashc_status
convert_steps(hw_conv *c, nashc_node *n)
{
    const nashc_type *xt = nashc_value_type(nashc_node_in(n, 0));
    nashc_value *x = c->map[nashc_value_id(nashc_node_in(n, 0))];
    const nashc_type *st = nashc_value_type(x);
    int64_t channels = nashc_type_channels(xt);
    int64_t times = positions(xt);
    hw_steps s;

    nashc_status status = hw_prepare_steps(n, NULL, 0, channels, st->lo, st->hi, c->a, &s, c->d);
    if (status != NASHC_OK)
        return status;
    if (times > 1 && (s.rows > 1 || s.dir)) {
        s.t = s.rows > 1 ? repeat_rows(c, s.t, s.rows, s.n, times) : s.t;
        s.dir = s.dir ? repeat_rows(c, s.dir, channels, 1, times) : NULL;
        channels *= times;
        s.rows = s.rows > 1 ? channels : 1;
        if (!s.t)
            return nashc_enomem(c->d);
    }
    if (s.dir && s.rows == 1 && channels != st->dim[st->rank - 1]) {
        int64_t *t = NASHC_NEW_N(c->a, int64_t, channels * s.n); /* a row a channel again */
        if (!t)
            return nashc_enomem(c->d);
        for (int64_t i = 0; i < channels * s.n; i++)
            t[i] = s.t[i % s.n];
        s.t = t;
        s.rows = channels;
    }
    nashc_value *in[3] = {x, matrix(c, s.t, s.rows, s.n, NULL), directions(c, &s, channels)};
    return put(c, n,
               nashc_build_op(c->b, "hw.thresholding", in, in[2] ? 3 : 2, "%s", steps_text(c, &s)));
}

/* --- matrix-vector units ------------------------------------------------------------------------
 */

static const char *
why_not_matmul(const nashc_node *n)
{
    const nashc_value *x = nashc_node_in(n, 0), *w = nashc_node_in(n, 1), *b = NULL;
    bool gemm = nashc_node_is(n, "nn.gemm");

    if (gemm) {
        b = nashc_node_in(n, 2);
        if (nashc_attr_bool(n, nashc_attr_index(n, "trans_a")))
            return "its input is transposed";
        if (nashc_attr_float(n, nashc_attr_index(n, "alpha")) != 1.0 ||
            (b && nashc_attr_float(n, nashc_attr_index(n, "beta")) != 1.0))
            return "alpha or beta is not 1";
        if (b)
            return "it has a bias operand, which belongs behind it as nn.add";
    }
    if (!is_int(x))
        return "its input is not an integer tensor";
    if (nashc_value_const(x))
        return "its first operand is constant: the weights must be the second";
    if (!w || !nashc_value_const(w))
        return "its weights are not constant";
    if (!is_int(w) || nashc_value_type(w)->rank != 2)
        return "its weights are not an integer matrix";
    if (!nashc_type_is_int(nashc_value_type(nashc_node_out(n, 0))))
        return "its result is not an integer tensor";
    return NULL;
}

/* n + c, n - c, n * c with constant c: the constant as integers, its count (1 or channels). */
static const char *
constant_operand(const nashc_node *n, hw_conv *c, int64_t **out, int64_t *count)
{
    int k = nashc_value_const(nashc_node_in(n, 1)) ? 1 : 0;
    const nashc_value *x = nashc_node_in(n, 1 - k), *v = nashc_node_in(n, k);
    const nashc_tensor *t = nashc_value_const(v);
    bool sub = nashc_node_is(n, "nn.sub");

    if (!t || nashc_value_const(x))
        return "it joins two tensors, for which there is no layer";
    if (sub && k == 0)
        return "it subtracts a tensor from a constant";
    if (!is_int(x) || !nashc_type_is_int(nashc_tensor_type(t)))
        return "its operands are not integer tensors";
    const nashc_type *xt = nashc_value_type(x);
    if (nashc_type_count(xt) != nashc_type_count(nashc_value_type(nashc_node_out(n, 0))))
        return "it broadcasts its input";
    *count = nashc_tensor_is_scalar(t) ? 1 : nashc_type_channels(xt);
    if (*count > 1 && (!nashc_tensor_is_per_channel(t, xt) || !can_repeat(xt, 1)))
        return "its constant does not vary along the channels only";
    if (!c)
        return NULL;
    *out = NASHC_NEW_N(c->a, int64_t, *count);
    for (int64_t i = 0; *out && i < *count; i++) {
        int64_t e =
            *count > 1 ? (int64_t)nashc_tensor_channel(t, xt, i) : nashc_tensor_get_int(t, 0);
        (*out)[i] = sub ? -e : e;
    }
    return NULL;
}

/* Weights as [MW,MH] integers, bipolar where every weight is. */
static nashc_value *
weights(hw_conv *c, const nashc_node *n, int64_t *mw, int64_t *mh, int64_t **ints)
{
    const nashc_tensor *w = nashc_value_const(nashc_node_in(n, 1));
    const nashc_type *t = nashc_tensor_type(w);
    bool trans = nashc_node_is(n, "nn.gemm") && nashc_attr_bool(n, nashc_attr_index(n, "trans_b"));
    nashc_type bip = nashc_type_bip();
    bool pm1 = true;

    *mw = t->dim[trans];
    *mh = t->dim[!trans];
    *ints = NASHC_NEW_N(c->a, int64_t, *mw * *mh);
    if (!*ints)
        return NULL;
    for (int64_t i = 0; i < *mw; i++)
        for (int64_t r = 0; r < *mh; r++) {
            int64_t v = nashc_tensor_get_int(w, trans ? r * *mw + i : i * *mh + r);
            (*ints)[i * *mh + r] = v;
            pm1 = pm1 && (v == 1 || v == -1);
        }
    return matrix(c, *ints, *mw, *mh, pm1 ? &bip : NULL);
}

/* Bounds of the accumulators; false when they do not fit. */
static bool
acc_bounds(const nashc_type *x, const int64_t *w, int64_t mw, int64_t mh, int64_t *lo, int64_t *hi)
{
    *lo = INT64_MAX;
    *hi = INT64_MIN;
    for (int64_t r = 0; r < mh; r++) {
        int64_t a = 0, b = 0;
        for (int64_t i = 0; i < mw; i++) {
            int64_t v = w[i * mh + r], p, q;
            if (__builtin_mul_overflow(v, v > 0 ? x->lo : x->hi, &p) ||
                __builtin_mul_overflow(v, v > 0 ? x->hi : x->lo, &q) ||
                __builtin_add_overflow(a, p, &a) || __builtin_add_overflow(b, q, &b))
                return false;
        }
        *lo = a < *lo ? a : *lo;
        *hi = b > *hi ? b : *hi;
    }
    return true;
}

/* The only reader of n's result, past nodes that only relabel it; those are collected in done where
 * it is given. */
static nashc_node *
next_worker(const nashc_node *n, bool *done)
{
    nashc_node *u = nashc_value_one_user(nashc_node_out(n, 0));

    while (u && hw_relabels(u)) {
        if (done)
            done[nashc_node_id(u)] = true;
        u = nashc_value_one_user(nashc_node_out(u, 0));
    }
    return u;
}

/* Do the channels of operand 0 of n lie innermost, and are they mh? */
static bool
same_channels(const nashc_node *n, int64_t mh)
{
    const nashc_type *t = nashc_value_type(nashc_node_in(n, 0));

    return channels_last(t) && nashc_type_channels(t) == mh;
}

/* The thresholds that can be fused behind n with mh results, and the constant added in between (or
 * NULL). */
static nashc_node *
fusable(const nashc_node *n, int64_t mh, nashc_arena *a, nashc_node **add)
{
    nashc_node *u = next_worker(n, NULL);
    int64_t count, *v;

    *add = NULL;
    if (u && (nashc_node_is(u, "nn.add") || nashc_node_is(u, "nn.sub")) && same_channels(u, mh) &&
        !constant_operand(u, NULL, &v, &count)) {
        *add = u;
        u = next_worker(u, NULL);
    }
    return u && nashc_node_is(u, "q.multithreshold") && !why_not_steps(u, a) && same_channels(u, mh)
               ? u
               : NULL;
}

static nashc_status
convert_matmul(hw_conv *c, nashc_node *n)
{
    nashc_value *x = c->map[nashc_value_id(nashc_node_in(n, 0))], *in[4] = {x};
    int64_t mw, mh, *w, lo, hi, *add = NULL, n_add = 0;
    nashc_node *added = NULL, *mt;
    hw_steps s;

    in[1] = weights(c, n, &mw, &mh, &w);
    mt = w ? fusable(n, mh, c->a, &added) : NULL;
    if (!w || !acc_bounds(nashc_value_type(x), w, mw, mh, &lo, &hi))
        return w ? nashc_node_unsup(c->d, n, "the accumulator exceeds 64 bits")
                 : nashc_enomem(c->d);
    if (!mt || hi == INT64_MAX)
        return put(c, n, nashc_build_op(c->b, "hw.mvau", in, 2, NULL));
    if (added && (constant_operand(added, c, &add, &n_add) || !add))
        return nashc_enomem(c->d);
    nashc_status status = hw_prepare_steps(mt, add, n_add, mh, lo, hi, c->a, &s, c->d);
    if (status != NASHC_OK)
        return status;
    in[2] = matrix(c, s.t, s.rows, s.n, NULL);
    in[3] = directions(c, &s, mh);
    next_worker(n, c->done);
    if (added) {
        c->done[nashc_node_id(added)] = true;
        next_worker(added, c->done);
    }
    c->done[nashc_node_id(mt)] = true;
    return put(c, mt, nashc_build_op(c->b, "hw.mvau", in, in[3] ? 4 : 3, "%s", steps_text(c, &s)));
}

/* --- the others ---------------------------------------------------------------------------------
 */

static nashc_status
convert_constant(hw_conv *c, nashc_node *n)
{
    int k = nashc_value_const(nashc_node_in(n, 1)) ? 0 : 1;
    nashc_value *x = c->map[nashc_value_id(nashc_node_in(n, k))];
    int64_t *v = NULL, count;

    if (constant_operand(n, c, &v, &count) || !v)
        return nashc_enomem(c->d);
    int64_t times = positions(nashc_value_type(nashc_node_in(n, k)));
    if (count > 1 && times > 1) {
        v = repeat_rows(c, v, count, 1, times);
        count *= times;
    }
    if (!v)
        return nashc_enomem(c->d);
    nashc_value *in[2] = {x, matrix(c, v, count, 1, NULL)};
    return put(c, n,
               nashc_build_op(c->b, "hw.channelwise", in, 2, "func=%s",
                              nashc_node_is(n, "nn.mul") ? "mul" : "add"));
}

static const char *
why_not_requant(const nashc_node *n)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    const nashc_type *m = nashc_value_type(nashc_node_in(n, 1));
    const nashc_type *a = nashc_value_type(nashc_node_in(n, 2));

    if (x->kind == NASHC_K_BIP)
        return "its input is a bipolar tensor";
    if (attr(n, "qmin") < INT32_MIN || attr(n, "qmax") > INT32_MAX)
        return "a bound of its result exceeds 32 bits";
    if ((m->dim[0] > 1 || a->dim[0] > 1) && !can_repeat(x, 2))
        return "its channels are not the innermost dimension of the stream, which is too long";
    return NULL;
}

/* A constant vector of q.requant as one column, a row for each of `rows` channels, each repeated.
 */
static nashc_value *
column(hw_conv *c, const nashc_value *v, int64_t rows, int64_t times)
{
    const nashc_tensor *t = nashc_value_const(v);
    int64_t n = nashc_tensor_count(t), *out = NASHC_NEW_N(c->a, int64_t, rows * times);

    for (int64_t i = 0; out && i < rows * times; i++)
        out[i] = nashc_tensor_get_int(t, n == 1 ? 0 : i / times);
    return out ? matrix(c, out, rows * times, 1, NULL) : NULL;
}

static nashc_status
convert_requant(hw_conv *c, nashc_node *n)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    nashc_value *m = nashc_node_in(n, 1), *a = nashc_node_in(n, 2);
    bool one = nashc_value_type(m)->dim[0] == 1 && nashc_value_type(a)->dim[0] == 1;
    int64_t rows = one ? 1 : nashc_type_channels(x), times = one ? 1 : positions(x);
    nashc_value *in[3] = {c->map[nashc_value_id(nashc_node_in(n, 0))], column(c, m, rows, times),
                          column(c, a, rows, times)};

    if (!in[1] || !in[2])
        return nashc_enomem(c->d);
    return put(c, n,
               nashc_build_op(c->b, "hw.requant", in, 3,
                              "shift=%" PRId64 " qmin=%" PRId64 " qmax=%" PRId64 " ties_even=%s",
                              attr(n, "shift"), attr(n, "qmin"), attr(n, "qmax"),
                              attr(n, "ties_even") ? "true" : "false"));
}

static const char *
why_not_lut(const nashc_node *n)
{
    const nashc_value *t = nashc_node_in(n, 1);

    if (!is_int(nashc_node_in(n, 0)))
        return "its input is not an integer tensor";
    if (!is_int(t) || !nashc_value_const(t) || nashc_value_type(t)->rank != 2)
        return "its table is not a constant integer matrix";
    if (nashc_value_type(t)->dim[0] > 1 &&
        !can_repeat(nashc_value_type(nashc_node_in(n, 0)), nashc_value_type(t)->dim[1]))
        return "its channels are not the innermost dimension of the stream, which is too long";
    return NULL;
}

static nashc_status
convert_lut(hw_conv *c, nashc_node *n)
{
    const nashc_tensor *t = nashc_value_const(nashc_node_in(n, 1));
    const nashc_type *tt = nashc_tensor_type(t);
    int64_t rows = tt->dim[0], columns = tt->dim[1];
    int64_t times = rows > 1 ? positions(nashc_value_type(nashc_node_in(n, 0))) : 1;
    int64_t *v = NASHC_NEW_N(c->a, int64_t, rows * columns);

    for (int64_t i = 0; v && i < rows * columns; i++)
        v[i] = nashc_tensor_get_int(t, i);
    v = v ? repeat_rows(c, v, rows, columns, times) : NULL;
    if (!v)
        return nashc_enomem(c->d);
    nashc_value *in[2] = {c->map[nashc_value_id(nashc_node_in(n, 0))],
                          matrix(c, v, rows * times, columns, tt)};
    return put(c, n, nashc_build_op(c->b, "hw.lut", in, 2, "lo=%" PRId64, attr(n, "lo")));
}

static const char *
why_not_select(const nashc_node *n)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    bool topk = nashc_node_is(n, "nn.topk");
    int64_t axis = attr(n, "axis");

    if (!is_int(nashc_node_in(n, 0)))
        return "its input is not an integer tensor";
    if (axis < 0)
        axis += x->rank;
    for (int64_t i = axis + 1; i < x->rank; i++)
        if (x->dim[i] != 1)
            return "it does not run along the innermost dimension";
    if (topk && !nashc_attr_bool(n, nashc_attr_index(n, "largest")))
        return "it asks for the smallest elements";
    if (topk && nashc_value_n_uses(nashc_node_out(n, 0)) > 0)
        return "its values are read, the layer gives indices only";
    if (!topk && nashc_attr_bool(n, nashc_attr_index(n, "select_last")))
        return "it takes the last of equal elements";
    return NULL;
}

static nashc_status
convert_select(hw_conv *c, nashc_node *n)
{
    nashc_value *x = c->map[nashc_value_id(nashc_node_in(n, 0))];
    bool topk = nashc_node_is(n, "nn.topk");
    nashc_value *v =
        nashc_build_op(c->b, "hw.label_select", &x, 1, "k=%" PRId64, topk ? attr(n, "k") : 1);
    const nashc_value *old = nashc_node_out(n, topk);

    if (!v)
        return nashc_build_status(c->b);
    c->map[nashc_value_id(old)] = v;
    nashc_value_set_name(v, nashc_value_name(old));
    return NASHC_OK;
}

/* n adds or subtracts two integer streams. */
static bool
joins(const nashc_node *n)
{
    return (nashc_node_is(n, "nn.add") || nashc_node_is(n, "nn.sub")) &&
           !nashc_value_const(nashc_node_in(n, 0)) && !nashc_value_const(nashc_node_in(n, 1));
}

static const char *
why_not_join(const nashc_node *n)
{
    const nashc_value *a = nashc_node_in(n, 0), *b = nashc_node_in(n, 1);

    if (!is_int(a) || !is_int(b))
        return "its operands are not integer tensors";
    const nashc_type *at = nashc_value_type(a), *bt = nashc_value_type(b);
    if (!nashc_type_same_shape(at, bt))
        return "it broadcasts one of two tensors";
    if (at->kind == NASHC_K_BIP || bt->kind == NASHC_K_BIP)
        return "it adds a bipolar tensor";
    return NULL;
}

static nashc_status
convert_join(hw_conv *c, nashc_node *n)
{
    nashc_value *in[2] = {c->map[nashc_value_id(nashc_node_in(n, 0))],
                          c->map[nashc_value_id(nashc_node_in(n, 1))]};

    return put(c, n,
               nashc_build_op(c->b, "hw.add_streams", in, 2, "func=%s",
                              nashc_node_is(n, "nn.sub") ? "sub" : "add"));
}

const char *
hw_why_not(const nashc_node *n, nashc_arena *a)
{
    int64_t *v, count;

    if (nashc_node_is(n, "nn.matmul") || nashc_node_is(n, "nn.gemm"))
        return why_not_matmul(n);
    if (nashc_node_is(n, "q.multithreshold"))
        return why_not_steps(n, a);
    if (joins(n))
        return why_not_join(n);
    if (nashc_node_is(n, "nn.add") || nashc_node_is(n, "nn.sub") || nashc_node_is(n, "nn.mul"))
        return constant_operand(n, NULL, &v, &count);
    if (nashc_node_is(n, "q.requant"))
        return why_not_requant(n);
    if (nashc_node_is(n, "q.lut"))
        return why_not_lut(n);
    if (nashc_node_is(n, "nn.argmax") || nashc_node_is(n, "nn.topk"))
        return why_not_select(n);
    if (hw_relabels(n))
        return is_int(nashc_node_in(n, 0)) ? NULL : "its input is not an integer tensor";
    return "there is no layer for this operator";
}

nashc_status
hw_convert(hw_conv *c, nashc_node *n)
{
    nashc_build_loc(c->b, nashc_node_loc(n));
    if (nashc_node_is(n, "nn.matmul") || nashc_node_is(n, "nn.gemm"))
        return convert_matmul(c, n);
    if (nashc_node_is(n, "q.multithreshold"))
        return convert_steps(c, n);
    if (nashc_node_is(n, "q.requant"))
        return convert_requant(c, n);
    if (nashc_node_is(n, "q.lut"))
        return convert_lut(c, n);
    if (nashc_node_is(n, "nn.argmax") || nashc_node_is(n, "nn.topk"))
        return convert_select(c, n);
    if (hw_relabels(n)) {
        c->map[nashc_value_id(nashc_node_out(n, 0))] = c->map[nashc_value_id(nashc_node_in(n, 0))];
        return NASHC_OK;
    }
    return joins(n) ? convert_join(c, n) : convert_constant(c, n);
}
