/* unit.c: matrix-vector units, and the thresholds behind them that they take over.
 *
 *     nn.matmul, nn.gemm [+ nn.add const] [+ q.multithreshold]   hw.mvau
 */
#include "convert.h"

/* Channels are innermost in the row-major order: nothing but unit dimensions behind them. */
static bool
channels_last(const nashc_type *t)
{
    int64_t inner = 1;

    for (int i = nashc_type_channel_axis(t) + 1; i < t->rank; i++)
        inner *= t->dim[i];
    return inner == 1;
}

static const char *
why_not_matmul(const nashc_node *n, nashc_arena *a)
{
    const nashc_value *x = nashc_node_in(n, 0), *w = nashc_node_in(n, 1), *b = NULL;
    bool gemm = nashc_node_is(n, "nn.gemm");

    (void)a;
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
    if (!hw_is_int(x))
        return "its input is not an integer tensor";
    if (nashc_value_const(x))
        return "its first operand is constant: the weights must be the second";
    if (!w || !nashc_value_const(w))
        return "its weights are not constant";
    if (!hw_is_int(w) || nashc_value_type(w)->rank != 2)
        return "its weights are not an integer matrix";
    if (!nashc_type_is_int(nashc_value_type(nashc_node_out(n, 0))))
        return "its result is not an integer tensor";
    return NULL;
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
        !hw_constant_operand(u, NULL, &v, &count)) {
        *add = u;
        u = next_worker(u, NULL);
    }
    return u && nashc_node_is(u, "q.multithreshold") && !hw_why_not_steps(u, a) &&
                   same_channels(u, mh)
               ? u
               : NULL;
}

nashc_status
hw_put_unit(hw_conv *c, nashc_node *n, nashc_value *x, const hw_unit *u)
{
    nashc_value *in[4] = {x, hw_matrix(c, u->w, u->mw, u->mh, u->bipolar ? &c->bip : NULL)};
    int64_t lo, hi, *add = NULL, n_add = 0;
    nashc_node *added = NULL, *mt = fusable(n, u->mh, c->a, &added);
    hw_steps s;

    if (!acc_bounds(nashc_value_type(x), u->w, u->mw, u->mh, &lo, &hi))
        return nashc_node_unsup(c->d, n, "the accumulator exceeds 64 bits");
    if (!mt || hi == INT64_MAX)
        return hw_put(c, n, nashc_build_op(c->b, u->op, in, 2, "%s", u->attrs));
    if (added && (hw_constant_operand(added, c, &add, &n_add) || !add))
        return nashc_enomem(c->d);
    nashc_status status = hw_prepare_steps(mt, add, n_add, u->mh, lo, hi, c->a, &s, c->d);
    if (status != NASHC_OK)
        return status;
    in[2] = hw_matrix(c, s.t, s.rows, s.n, NULL);
    in[3] = hw_directions(c, &s, u->mh);
    next_worker(n, c->done);
    if (added) {
        c->done[nashc_node_id(added)] = true;
        next_worker(added, c->done);
    }
    c->done[nashc_node_id(mt)] = true;
    return hw_put(
        c, mt,
        nashc_build_op(c->b, u->op, in, in[3] ? 4 : 3, "%s %s", u->attrs, hw_steps_text(c, &s)));
}

int64_t *
hw_new_weights(hw_conv *c, hw_unit *u)
{
    u->w = NASHC_NEW_N(c->a, int64_t, u->mw * u->mh);
    u->bipolar = true;
    return u->w;
}

void
hw_set_weight(hw_unit *u, int64_t row, int64_t column, int64_t v)
{
    u->w[row * u->mh + column] = v;
    u->bipolar = u->bipolar && (v == 1 || v == -1);
}

static nashc_status
convert_matmul(hw_conv *c, nashc_node *n)
{
    const nashc_tensor *w = nashc_value_const(nashc_node_in(n, 1));
    const nashc_type *t = nashc_tensor_type(w);
    bool trans = nashc_node_is(n, "nn.gemm") && nashc_attr_bool(n, nashc_attr_index(n, "trans_b"));
    hw_unit u = {.op = "hw.mvau", .attrs = "", .mw = t->dim[trans], .mh = t->dim[!trans]};

    if (!hw_new_weights(c, &u))
        return nashc_enomem(c->d);
    for (int64_t i = 0; i < u.mw; i++)
        for (int64_t r = 0; r < u.mh; r++)
            hw_set_weight(&u, i, r, nashc_tensor_get_int(w, trans ? r * u.mw + i : i * u.mh + r));
    return hw_put_unit(c, n, c->map[nashc_value_id(nashc_node_in(n, 0))], &u);
}

const hw_rule hw_unit_rules[] = {
    {"nn.matmul", why_not_matmul, convert_matmul},
    {"nn.gemm", why_not_matmul, convert_matmul},
    {0},
};
