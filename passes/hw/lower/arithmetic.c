/* arithmetic.c: operations of one or two numbers as layers.
 *
 *     nn.add, nn.sub, nn.mul, nn.max, nn.min with an integer constant    hw.channelwise
 *     the same of two tensors         hw.add_streams
 *     nn.relu, nn.clip, nn.neg        hw.channelwise with max, min, factor -1
 *     nn.abs                          hw.lut; of many values, or of -1 and +1, the larger of x, -x
 *     nn.sign                         hw.thresholding
 *
 * A constant is a row of parameters a repetition: one for all elements, one a channel, or one for
 * each element of some axes. An operand that is broadcast passes through hw.window before.
 */
#include "lower.h"
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
lower_constant_operand(const nashc_node *n, nashc_arena *a, int64_t **out, int64_t *count)
{
    int k = constant_of(n);
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));

    if (k < 0)
        return "none of its operands is a constant, or both are";
    const nashc_type *t = nashc_value_type(nashc_node_in(n, k));
    if (!lower_is_int(nashc_node_in(n, 1 - k)) || !nashc_type_is_int(t))
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
spread_of(const nashc_node *n, int i, nashc_arena *a, lower_loops *out)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, i));
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));
    int64_t count = nashc_type_count(y), *map = NASHC_NEW_N(a, int64_t, count);

    for (int64_t k = 0; map && k < count; k++)
        map[k] = nashc_broadcast_index(x, y, k);
    return map && lower_fit_loops(map, count, a, out);
}

static const char *
why_not_binary(const nashc_node *n, nashc_arena *a)
{
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));
    int k = constant_of(n);
    int64_t count;
    lower_loops nest;

    if (nashc_value_const(nashc_node_in(n, 0)) && k < 0)
        return "both of its operands are constant";
    if (k >= 0) {
        const char *why = lower_constant_operand(n, a, NULL, &count);
        if (why)
            return why;
    }
    for (int i = 0; i < 2; i++) {
        const nashc_value *v = nashc_node_in(n, i);
        if (!lower_is_int(v))
            return "its operands are not integer tensors";
        if (i != k && nashc_type_count(nashc_value_type(v)) != nashc_type_count(y) &&
            !spread_of(n, i, a, &nest))
            return "the elements of a broadcast operand do not repeat as loops would";
    }
    return NULL;
}

/* Operand i of n as a stream of as many elements as the result has; NULL: building it failed. */
static nashc_value *
operand(nashc_lower *l, const nashc_node *n, int i)
{
    const nashc_value *v = nashc_node_in(n, i);
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));
    nashc_value *x = nashc_lower_stream(l, v);
    lower_loops nest;

    if (nashc_type_count(nashc_value_type(v)) == nashc_type_count(y))
        return x;
    return spread_of(n, i, nashc_lower_arena(l), &nest)
               ? lower_put_loops(l, x, &nest, y->dim[y->rank - 1], "upsample")
               : NULL;
}

static nashc_value *
negated(nashc_lower *l, nashc_value *x)
{
    return lower_put_channelwise(l, x, "mul", &(int64_t){-1}, 1);
}

static nashc_status
convert_binary(nashc_lower *l, nashc_node *n)
{
    const char *func = strchr(nashc_node_opname(n), '.') + 1;
    int k = constant_of(n);
    nashc_value *in[2] = {NULL, NULL};
    int64_t *v, count;

    for (int i = 0; i < 2; i++)
        if (i != k && !(in[i] = operand(l, n, i)))
            return nashc_lower_status(l);
    if (k < 0)
        return nashc_lower_put(l, n, 0,
                               nashc_lower_op(l, "hw.add_streams", in, 2, "func=%s", func));
    if (lower_constant_operand(n, nashc_lower_arena(l), &v, &count) || !v)
        return nashc_enomem(nashc_lower_diag(l));
    nashc_value *x = in[1 - k];
    if (nashc_node_is(n, "nn.sub")) {
        func = "add"; /* x + -v, or -x + v */
        if (k == 0)
            x = negated(l, x);
        for (int64_t i = 0; k == 1 && i < count; i++)
            v[i] = -v[i];
    }
    return nashc_lower_put(l, n, 0, lower_put_channelwise(l, x, func, v, count));
}

/* --- of one number -------------------------------------------------------------------------------
 */

static const char *
why_not_unary(const nashc_node *n, nashc_arena *a)
{
    (void)a;
    return lower_is_int(nashc_node_in(n, 0)) &&
                   nashc_type_is_int(nashc_value_type(nashc_node_out(n, 0)))
               ? NULL
               : "it does not compute integers from integers";
}

static nashc_value *
put_sign(nashc_lower *l, nashc_value *x)
{
    nashc_value *in[2] = {x, nashc_lower_matrix(l, (int64_t[]){0, 1}, 1, 2, NULL)};

    return nashc_lower_op(l, "hw.thresholding", in, 2, "act_bias=-1");
}

static nashc_value *
put_abs(nashc_lower *l, nashc_value *x)
{
    const nashc_type *t = nashc_value_type(x);
    nashc_value *in[2] = {x, NULL};

    if (t->kind == NASHC_K_BIP || t->lo <= -MAX_TABLE || t->hi - t->lo >= MAX_TABLE) {
        in[1] = negated(l, x);
        return in[1] ? nashc_lower_op(l, "hw.add_streams", in, 2, "func=max") : NULL;
    }
    int64_t n = t->hi - t->lo + 1, *v = NASHC_NEW_N(nashc_lower_arena(l), int64_t, n);
    for (int64_t i = 0; v && i < n; i++)
        v[i] = t->lo + i < 0 ? -(t->lo + i) : t->lo + i;
    in[1] = v ? nashc_lower_matrix(l, v, 1, n, NULL) : NULL;
    return in[1] ? nashc_lower_op(l, "hw.lut", in, 2, "lo=%" PRId64, t->lo) : NULL;
}

/* Not below lo, then not above hi; what holds anyway takes no layer. */
static nashc_value *
put_limits(nashc_lower *l, nashc_value *x, double lo, double hi)
{
    if (lo > (double)nashc_value_type(x)->lo)
        x = lower_put_channelwise(l, x, "max", &(int64_t){(int64_t)lo}, 1);
    if (x && hi < (double)nashc_value_type(x)->hi)
        x = lower_put_channelwise(l, x, "min", &(int64_t){(int64_t)hi}, 1);
    return x;
}

static nashc_status
convert_unary(nashc_lower *l, nashc_node *n)
{
    nashc_value *x = nashc_lower_in(l, n, 0), *y = NULL;

    if (nashc_node_is(n, "nn.neg"))
        y = negated(l, x);
    else if (nashc_node_is(n, "nn.sign"))
        y = put_sign(l, x);
    else if (nashc_node_is(n, "nn.relu"))
        y = put_limits(l, x, 0, INFINITY);
    else if (nashc_node_is(n, "nn.clip"))
        y = put_limits(l, x, nashc_node_float(n, "min"), nashc_node_float(n, "max"));
    else
        y = put_abs(l, x);
    return nashc_lower_put(l, n, 0, y);
}

static const nashc_lower_rule binary_rule = {
    NASHC_DESC(nashc_lower_rule),
    .why_not = why_not_binary,
    .convert = convert_binary,
};

const nashc_impl nashc_impl_to_hw_nn_add = NASHC_IMPL_TO_HW("nn.add", &binary_rule);
const nashc_impl nashc_impl_to_hw_nn_sub = NASHC_IMPL_TO_HW("nn.sub", &binary_rule);
const nashc_impl nashc_impl_to_hw_nn_mul = NASHC_IMPL_TO_HW("nn.mul", &binary_rule);
const nashc_impl nashc_impl_to_hw_nn_max = NASHC_IMPL_TO_HW("nn.max", &binary_rule);
const nashc_impl nashc_impl_to_hw_nn_min = NASHC_IMPL_TO_HW("nn.min", &binary_rule);

static const nashc_lower_rule unary_rule = {
    NASHC_DESC(nashc_lower_rule),
    .why_not = why_not_unary,
    .convert = convert_unary,
};

const nashc_impl nashc_impl_to_hw_nn_neg = NASHC_IMPL_TO_HW("nn.neg", &unary_rule);
const nashc_impl nashc_impl_to_hw_nn_relu = NASHC_IMPL_TO_HW("nn.relu", &unary_rule);
const nashc_impl nashc_impl_to_hw_nn_clip = NASHC_IMPL_TO_HW("nn.clip", &unary_rule);
const nashc_impl nashc_impl_to_hw_nn_abs = NASHC_IMPL_TO_HW("nn.abs", &unary_rule);
const nashc_impl nashc_impl_to_hw_nn_sign = NASHC_IMPL_TO_HW("nn.sign", &unary_rule);
