/* arithmetic.c: operations of one or two numbers as layers.
 *
 *     nn.add, nn.sub, nn.mul, nn.max, nn.min with an integer constant    hw.channelwise
 *     the same of two tensors         hw.add_streams
 *     nn.relu, nn.clip, nn.neg        hw.channelwise with max, min, factor -1
 *     nn.abs                          hw.lut; of many values, or of -1 and +1, the larger of x and
 * -x nn.sign                         hw.thresholding
 *
 * A constant is a row of parameters a repetition: one for all elements, one a channel, or one for
 * each element of some axes. An operand that is broadcast passes through hw.window before.
 */
#include "convert.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

#define MAX_ROWS  (1 << 16) /* of parameters */
#define MAX_TABLE (1 << 12) /* entries */

/* The operand of n that is constant while the other one is not; -1: there is none. */
static int
constant_of(const nashc_node *n)
{
    bool c[2] = {nashc_value_const(nashc_node_in(n, 0)), nashc_value_const(nashc_node_in(n, 1))};

    return c[0] == c[1] ? -1 : c[1];
}

/* Elements of y after which those of the constant t repeat. */
static int64_t
period_of(const nashc_type *t, const nashc_type *y)
{
    int64_t period = 1, sum = 1;

    for (int i = 1; i <= t->rank; i++) {
        sum *= y->dim[y->rank - i];
        period = t->dim[t->rank - i] > 1 ? sum : period;
    }
    return period;
}

const char *
hw_constant_operand(const nashc_node *n, nashc_arena *a, int64_t **out, int64_t *count)
{
    int k = constant_of(n);
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));

    if (k < 0)
        return "none of its operands is a constant, or both are";
    const nashc_type *t = nashc_value_type(nashc_node_in(n, k));
    if (!hw_is_int(nashc_node_in(n, 1 - k)) || !nashc_type_is_int(t))
        return "its operands are not integer tensors";
    *count = period_of(t, y);
    if (*count > MAX_ROWS)
        return nashc_arena_printf(
            a, "its constant repeats after %" PRId64 " elements only, a layer holds %d", *count,
            MAX_ROWS);
    if (!out)
        return NULL;
    *out = NASHC_NEW_N(a, int64_t, *count);
    for (int64_t i = 0; *out && i < *count; i++)
        (*out)[i] = nashc_tensor_get_int(nashc_value_const(nashc_node_in(n, k)),
                                         nashc_broadcast_index(t, y, i));
    return NULL;
}

/* Operand i of n in the shape of its result, as the elements of the operand. */
static bool
spread_of(const nashc_node *n, int i, nashc_arena *a, hw_loops *out)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, i));
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));
    int64_t count = nashc_type_count(y), *map = NASHC_NEW_N(a, int64_t, count);

    for (int64_t k = 0; map && k < count; k++)
        map[k] = nashc_broadcast_index(x, y, k);
    return map && hw_fit_loops(map, count, a, out);
}

static const char *
why_not_binary(const nashc_node *n, nashc_arena *a)
{
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));
    int k = constant_of(n);
    int64_t count;
    hw_loops nest;

    if (nashc_value_const(nashc_node_in(n, 0)) && k < 0)
        return "both of its operands are constant";
    if (k >= 0) {
        const char *why = hw_constant_operand(n, a, NULL, &count);
        if (why)
            return why;
    }
    for (int i = 0; i < 2; i++) {
        const nashc_value *v = nashc_node_in(n, i);
        if (!hw_is_int(v))
            return "its operands are not integer tensors";
        if (i != k && nashc_type_count(nashc_value_type(v)) != nashc_type_count(y) &&
            !spread_of(n, i, a, &nest))
            return "the elements of a broadcast operand do not repeat as loops would";
    }
    return NULL;
}

/* Operand i of n as a stream of as many elements as the result has; NULL: building it failed. */
static nashc_value *
operand(hw_conv *c, const nashc_node *n, int i)
{
    const nashc_value *v = nashc_node_in(n, i);
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));
    nashc_value *x = c->map[nashc_value_id(v)];
    hw_loops nest;

    if (nashc_type_count(nashc_value_type(v)) == nashc_type_count(y))
        return x;
    return spread_of(n, i, c->a, &nest) ? hw_put_loops(c, x, &nest, y->dim[y->rank - 1], "upsample")
                                        : NULL;
}

nashc_value *
hw_put_channelwise(hw_conv *c, nashc_value *x, const char *func, const int64_t *v, int64_t count)
{
    nashc_value *in[2] = {x, hw_matrix(c, v, count, 1, NULL)};

    return x ? nashc_build_op(c->b, "hw.channelwise", in, 2, "func=%s", func) : NULL;
}

static nashc_value *
negated(hw_conv *c, nashc_value *x)
{
    return hw_put_channelwise(c, x, "mul", &(int64_t){-1}, 1);
}

static nashc_status
convert_binary(hw_conv *c, nashc_node *n)
{
    const char *func = strchr(nashc_node_opname(n), '.') + 1;
    int k = constant_of(n);
    nashc_value *in[2] = {NULL, NULL};
    int64_t *v, count;

    for (int i = 0; i < 2; i++)
        if (i != k && !(in[i] = operand(c, n, i)))
            return nashc_build_status(c->b);
    if (k < 0)
        return hw_put(c, n, nashc_build_op(c->b, "hw.add_streams", in, 2, "func=%s", func));
    if (hw_constant_operand(n, c->a, &v, &count) || !v)
        return nashc_enomem(c->d);
    nashc_value *x = in[1 - k];
    if (nashc_node_is(n, "nn.sub")) {
        func = "add"; /* x + -v, or -x + v */
        if (k == 0)
            x = negated(c, x);
        for (int64_t i = 0; k == 1 && i < count; i++)
            v[i] = -v[i];
    }
    return hw_put(c, n, hw_put_channelwise(c, x, func, v, count));
}

/* --- of one number -------------------------------------------------------------------------------
 */

static const char *
why_not_unary(const nashc_node *n, nashc_arena *a)
{
    (void)a;
    return hw_is_int(nashc_node_in(n, 0)) &&
                   nashc_type_is_int(nashc_value_type(nashc_node_out(n, 0)))
               ? NULL
               : "it does not compute integers from integers";
}

static nashc_value *
put_sign(hw_conv *c, nashc_value *x)
{
    nashc_value *in[2] = {x, hw_matrix(c, (int64_t[]){0, 1}, 1, 2, NULL)};

    return nashc_build_op(c->b, "hw.thresholding", in, 2, "act_bias=-1");
}

static nashc_value *
put_abs(hw_conv *c, nashc_value *x)
{
    const nashc_type *t = nashc_value_type(x);
    nashc_value *in[2] = {x, NULL};

    if (t->kind == NASHC_K_BIP || t->lo <= -MAX_TABLE || t->hi - t->lo >= MAX_TABLE) {
        in[1] = negated(c, x);
        return in[1] ? nashc_build_op(c->b, "hw.add_streams", in, 2, "func=max") : NULL;
    }
    int64_t n = t->hi - t->lo + 1, *v = NASHC_NEW_N(c->a, int64_t, n);
    for (int64_t i = 0; v && i < n; i++)
        v[i] = t->lo + i < 0 ? -(t->lo + i) : t->lo + i;
    in[1] = v ? hw_matrix(c, v, 1, n, NULL) : NULL;
    return in[1] ? nashc_build_op(c->b, "hw.lut", in, 2, "lo=%" PRId64, t->lo) : NULL;
}

/* Not below lo, then not above hi; what holds anyway takes no layer. */
static nashc_value *
put_limits(hw_conv *c, nashc_value *x, double lo, double hi)
{
    if (lo > (double)nashc_value_type(x)->lo)
        x = hw_put_channelwise(c, x, "max", &(int64_t){(int64_t)lo}, 1);
    if (x && hi < (double)nashc_value_type(x)->hi)
        x = hw_put_channelwise(c, x, "min", &(int64_t){(int64_t)hi}, 1);
    return x;
}

static nashc_status
convert_unary(hw_conv *c, nashc_node *n)
{
    nashc_value *x = c->map[nashc_value_id(nashc_node_in(n, 0))], *y = NULL;

    if (nashc_node_is(n, "nn.neg"))
        y = negated(c, x);
    else if (nashc_node_is(n, "nn.sign"))
        y = put_sign(c, x);
    else if (nashc_node_is(n, "nn.relu"))
        y = put_limits(c, x, 0, INFINITY);
    else if (nashc_node_is(n, "nn.clip"))
        y = put_limits(c, x, nashc_attr_float(n, nashc_attr_index(n, "min")),
                       nashc_attr_float(n, nashc_attr_index(n, "max")));
    else
        y = put_abs(c, x);
    if (y == x) { /* nothing to do */
        c->map[nashc_value_id(nashc_node_out(n, 0))] = x;
        return NASHC_OK;
    }
    return hw_put(c, n, y);
}

const hw_rule hw_arithmetic_rules[] = {
    {"nn.add", why_not_binary, convert_binary},
    {"nn.sub", why_not_binary, convert_binary},
    {"nn.mul", why_not_binary, convert_binary},
    {"nn.max", why_not_binary, convert_binary},
    {"nn.min", why_not_binary, convert_binary},
    {"nn.neg", why_not_unary, convert_unary},
    {"nn.relu", why_not_unary, convert_unary},
    {"nn.clip", why_not_unary, convert_unary},
    {"nn.abs", why_not_unary, convert_unary},
    {"nn.sign", why_not_unary, convert_unary},
    {0},
};
