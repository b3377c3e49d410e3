/* pointwise.c: thresholds, constants, requantisers, tables, joins and selections as layers.
 *
 *     q.multithreshold                               hw.thresholding
 *     nn.add, nn.sub, nn.mul with an integer constant    hw.channelwise
 *     nn.add, nn.sub of two tensors                  hw.add_streams, behind hw.window for a
 *                                                    broadcast operand
 *     q.requant                                      hw.requant
 *     q.lut                                          hw.lut
 *     nn.argmax, nn.topk whose values are not read   hw.label_select
 */
#include "convert.h"
#include <math.h>
#include <string.h>

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

const char *
hw_why_not_steps(const nashc_node *n, nashc_arena *a)
{
    const nashc_value *x = nashc_node_in(n, 0), *t = nashc_node_in(n, 1),
                      *dir = nashc_node_in(n, 2);
    int64_t scale = hw_attr(n, "out_scale"), bias = hw_attr(n, "out_bias");

    if (!hw_is_int(x))
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
    nashc_value *in[3] = {x, hw_matrix(c, s.t, s.rows, s.n, NULL), hw_directions(c, &s, channels)};
    return hw_put(
        c, n,
        nashc_build_op(c->b, "hw.thresholding", in, in[2] ? 3 : 2, "%s", hw_steps_text(c, &s)));
}

/* n + c, n - c, n * c with constant c: the constant as integers, its count (1 or channels). */
const char *
hw_constant_operand(const nashc_node *n, hw_conv *c, int64_t **out, int64_t *count)
{
    int k = nashc_value_const(nashc_node_in(n, 1)) ? 1 : 0;
    const nashc_value *x = nashc_node_in(n, 1 - k), *v = nashc_node_in(n, k);
    const nashc_tensor *t = nashc_value_const(v);
    bool sub = nashc_node_is(n, "nn.sub");

    if (!t || nashc_value_const(x))
        return "it joins two tensors, for which there is no layer";
    if (sub && k == 0)
        return "it subtracts a tensor from a constant";
    if (!hw_is_int(x) || !nashc_type_is_int(nashc_tensor_type(t)))
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

/* --- the others ---------------------------------------------------------------------------------
 */

static nashc_status
convert_constant(hw_conv *c, nashc_node *n)
{
    int k = nashc_value_const(nashc_node_in(n, 1)) ? 0 : 1;
    nashc_value *x = c->map[nashc_value_id(nashc_node_in(n, k))];
    int64_t *v = NULL, count;

    if (hw_constant_operand(n, c, &v, &count) || !v)
        return nashc_enomem(c->d);
    int64_t times = positions(nashc_value_type(nashc_node_in(n, k)));
    if (count > 1 && times > 1) {
        v = repeat_rows(c, v, count, 1, times);
        count *= times;
    }
    if (!v)
        return nashc_enomem(c->d);
    nashc_value *in[2] = {x, hw_matrix(c, v, count, 1, NULL)};
    return hw_put(c, n,
                  nashc_build_op(c->b, "hw.channelwise", in, 2, "func=%s",
                                 nashc_node_is(n, "nn.mul") ? "mul" : "add"));
}

static const char *
why_not_requant(const nashc_node *n, nashc_arena *a)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    const nashc_type *m = nashc_value_type(nashc_node_in(n, 1));
    const nashc_type *b = nashc_value_type(nashc_node_in(n, 2));

    (void)a;
    if (x->kind == NASHC_K_BIP)
        return "its input is a bipolar tensor";
    if (hw_attr(n, "qmin") < INT32_MIN || hw_attr(n, "qmax") > INT32_MAX)
        return "a bound of its result exceeds 32 bits";
    if ((m->dim[0] > 1 || b->dim[0] > 1) && !can_repeat(x, 2))
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
    return out ? hw_matrix(c, out, rows * times, 1, NULL) : NULL;
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
    return hw_put(c, n,
                  nashc_build_op(c->b, "hw.requant", in, 3,
                                 "shift=%" PRId64 " qmin=%" PRId64 " qmax=%" PRId64 " ties_even=%s",
                                 hw_attr(n, "shift"), hw_attr(n, "qmin"), hw_attr(n, "qmax"),
                                 hw_attr(n, "ties_even") ? "true" : "false"));
}

static const char *
why_not_lut(const nashc_node *n, nashc_arena *a)
{
    const nashc_value *t = nashc_node_in(n, 1);

    (void)a;
    if (!hw_is_int(nashc_node_in(n, 0)))
        return "its input is not an integer tensor";
    if (!hw_is_int(t) || !nashc_value_const(t) || nashc_value_type(t)->rank != 2)
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
                          hw_matrix(c, v, rows * times, columns, tt)};
    return hw_put(c, n, nashc_build_op(c->b, "hw.lut", in, 2, "lo=%" PRId64, hw_attr(n, "lo")));
}

static const char *
why_not_select(const nashc_node *n, nashc_arena *a)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    bool topk = nashc_node_is(n, "nn.topk");
    int64_t axis = hw_attr(n, "axis");

    (void)a;
    if (!hw_is_int(nashc_node_in(n, 0)))
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
        nashc_build_op(c->b, "hw.label_select", &x, 1, "k=%" PRId64, topk ? hw_attr(n, "k") : 1);
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

/* Operand i of n in the shape of its result, as the elements of the operand. */
static bool
spread_of(const nashc_node *n, int i, nashc_arena *a, hw_nest *out)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, i));
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));
    int64_t count = nashc_type_count(y), *map = NASHC_NEW_N(a, int64_t, count);

    for (int64_t k = 0; map && k < count; k++)
        map[k] = nashc_broadcast_index(x, y, k);
    return map && hw_fit_nest(map, count, a, out);
}

static const char *
why_not_join(const nashc_node *n, nashc_arena *a)
{
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));
    hw_nest nest;

    for (int i = 0; i < 2; i++) {
        const nashc_value *v = nashc_node_in(n, i);
        if (!hw_is_int(v))
            return "its operands are not integer tensors";
        if (nashc_value_type(v)->kind == NASHC_K_BIP)
            return "it adds a bipolar tensor";
        if (!nashc_type_same_shape(nashc_value_type(v), y) && !spread_of(n, i, a, &nest))
            return "the elements of a broadcast operand do not repeat as loops would";
    }
    return NULL;
}

static nashc_status
convert_join(hw_conv *c, nashc_node *n)
{
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));
    nashc_value *in[2];

    for (int i = 0; i < 2; i++) {
        const nashc_value *v = nashc_node_in(n, i);
        hw_nest nest;
        in[i] = c->map[nashc_value_id(v)];
        if (nashc_type_same_shape(nashc_value_type(v), y))
            continue;
        if (!spread_of(n, i, c->a, &nest))
            return nashc_enomem(c->d);
        in[i] = hw_put_nest(c, in[i], &nest, y->dim[y->rank - 1], "upsample");
    }
    return hw_put(c, n,
                  in[0] && in[1] ? nashc_build_op(c->b, "hw.add_streams", in, 2, "func=%s",
                                                  nashc_node_is(n, "nn.sub") ? "sub" : "add")
                                 : NULL);
}

static const char *
why_not_arithmetic(const nashc_node *n, nashc_arena *a)
{
    int64_t *v, count;

    return joins(n) ? why_not_join(n, a) : hw_constant_operand(n, NULL, &v, &count);
}

static nashc_status
convert_arithmetic(hw_conv *c, nashc_node *n)
{
    return joins(n) ? convert_join(c, n) : convert_constant(c, n);
}

const hw_rule hw_pointwise_rules[] = {
    {"q.multithreshold", hw_why_not_steps, convert_steps},
    {"nn.add", why_not_arithmetic, convert_arithmetic},
    {"nn.sub", why_not_arithmetic, convert_arithmetic},
    {"nn.mul", why_not_arithmetic, convert_arithmetic},
    {"q.requant", why_not_requant, convert_requant},
    {"q.lut", why_not_lut, convert_lut},
    {"nn.argmax", why_not_select, convert_select},
    {"nn.topk", why_not_select, convert_select},
    {0},
};
