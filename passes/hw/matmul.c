/* matmul.c: matrix-vector units, and the thresholds behind them that they take over.
 *
 *     nn.matmul, nn.gemm [+ nn.add const] [+ q.multithreshold]   hw.mvau
 *     W [M,K] times x [K,N]          columns of x, hw.mvau, rows again: hw.window before and behind
 */
#include "convert.h"
#include <inttypes.h>

static bool
flag(const nashc_node *n, const char *name)
{
    return nashc_node_is(n, "nn.gemm") && nashc_attr_bool(n, nashc_attr_index(n, name));
}

/* The operand of n that holds the weights. */
static int
weights_of(const nashc_node *n)
{
    return nashc_value_const(nashc_node_in(n, 0)) ? 0 : 1;
}

/* One matrix, whatever its rank? */
static bool
is_matrix(const nashc_type *t)
{
    int64_t outer = 1;

    for (int i = 0; i < t->rank - 2; i++)
        outer *= t->dim[i];
    return t->rank >= 2 && outer == 1;
}

static const char *
why_not_matmul(const nashc_node *n, nashc_arena *a)
{
    int k = weights_of(n);
    const nashc_value *x = nashc_node_in(n, 1 - k), *w = nashc_node_in(n, k), *b = NULL;

    (void)a;
    if (nashc_node_is(n, "nn.gemm")) {
        b = nashc_node_in(n, 2);
        if (nashc_attr_float(n, nashc_attr_index(n, "alpha")) != 1.0 ||
            (b && nashc_attr_float(n, nashc_attr_index(n, "beta")) != 1.0))
            return "alpha or beta is not 1";
        if (b)
            return "it has a bias operand, which belongs behind it as nn.add";
    }
    if (!hw_is_int(x))
        return "its input is not an integer tensor";
    if (!nashc_value_const(w))
        return "its weights are not constant";
    if (nashc_value_const(x))
        return "both of its operands are constant";
    if (!hw_is_int(w) || !is_matrix(nashc_value_type(w)))
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
        nashc_sums s = {0};
        int64_t a, b;
        nashc_sums_add_i64(&s, w + r, mh, mw);
        if (!nashc_sums_range(&s, x->lo, x->hi, &a, &b))
            return false;
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

/* Are the channels of operand 0 of n the results of unit u? */
static bool
same_channels(const nashc_node *n, const hw_matmul *u)
{
    const nashc_type *t = nashc_value_type(nashc_node_in(n, 0));
    int64_t inner = 1;

    for (int i = nashc_type_channel_axis(t) + 1; i < t->rank; i++)
        inner *= t->dim[i];
    return inner == u->inner && nashc_type_channels(t) == u->mh;
}

/* The constant that nn.add or nn.sub n adds to each result of u, 1 or u->mh numbers; false: none,
 * or it varies otherwise. */
static bool
added_of(const nashc_node *n, const hw_matmul *u, nashc_arena *a, int64_t **add, int64_t *n_add)
{
    bool sub = nashc_node_is(n, "nn.sub");
    int64_t *v, count;

    if (!(sub || nashc_node_is(n, "nn.add")) || !same_channels(n, u) ||
        (sub && nashc_value_const(nashc_node_in(n, 0))) ||
        nashc_type_count(nashc_value_type(nashc_node_in(n, 0))) !=
            nashc_type_count(nashc_value_type(nashc_node_out(n, 0))) ||
        hw_constant_operand(n, a, &v, &count) || !v || (count != 1 && count != u->mh * u->inner))
        return false;
    *n_add = count == 1 ? 1 : u->mh;
    for (int64_t i = 0; i < count; i++) {
        int64_t row = i * *n_add / count;
        if (v[i] != v[row * (count / *n_add)])
            return false;
        v[row] = v[i];
    }
    for (int64_t i = 0; sub && i < *n_add; i++)
        v[i] = -v[i];
    *add = v;
    return true;
}

/* Thresholds that can be fused behind n, and the constant added in between (or NULL). */
typedef struct fused {
    nashc_node *mt, *added;
    int64_t *add, n_add;
} fused;

static fused
fusable(const nashc_node *n, const hw_matmul *u, nashc_arena *a)
{
    fused f = {.mt = next_worker(n, NULL)};

    if (f.mt && added_of(f.mt, u, a, &f.add, &f.n_add)) {
        f.added = f.mt;
        f.mt = next_worker(f.added, NULL);
    }
    if (!f.mt || !nashc_node_is(f.mt, "q.multithreshold") || hw_why_not_thresholds(f.mt, a) ||
        !same_channels(f.mt, u))
        f.mt = NULL;
    return f;
}

/* Results of unit u for n in the order of the tensor. */
static nashc_status
put_in_order(hw_conv *c, const nashc_node *n, const hw_matmul *u, nashc_value *v)
{
    int64_t rows = v ? nashc_type_count(nashc_value_type(v)) / (u->mh * u->inner) : 0;
    hw_loops nest = {
        .n = 4, .dim = {rows, u->mh, u->inner, 1}, .stride = {u->inner * u->mh, 1, u->mh, 1}};

    return hw_put(c, n, v && u->inner > 1 ? hw_put_loops(c, v, &nest, u->inner, "shuffle") : v);
}

nashc_status
hw_put_matmul(hw_conv *c, nashc_node *n, nashc_value *x, const hw_matmul *u)
{
    nashc_value *in[4] = {x, hw_matrix(c, u->w, u->mw, u->mh, u->bipolar ? &c->bip : NULL)};
    fused f = fusable(n, u, c->a);
    int64_t lo, hi;
    hw_thresholds s;

    if (!acc_bounds(nashc_value_type(x), u->w, u->mw, u->mh, &lo, &hi))
        return nashc_node_unsup(c->d, n, "the accumulator exceeds 64 bits");
    if (!f.mt || hi == INT64_MAX)
        return put_in_order(c, n, u, nashc_build_op(c->b, u->op, in, 2, "%s", u->attrs));
    nashc_status status =
        hw_prepare_thresholds(f.mt, f.add, f.n_add, u->mh, lo, hi, c->a, &s, c->d);
    if (status != NASHC_OK)
        return status;
    in[2] = hw_matrix(c, s.t, s.rows, s.n, NULL);
    in[3] = hw_directions(c, &s, u->mh);
    next_worker(n, c->done);
    if (f.added) {
        c->done[nashc_node_id(f.added)] = true;
        next_worker(f.added, c->done);
    }
    c->done[nashc_node_id(f.mt)] = true;
    x = nashc_build_op(c->b, u->op, in, in[3] ? 4 : 3, "%s %s", u->attrs,
                       hw_thresholds_text(c, &s));
    return put_in_order(c, f.mt, u, x ? hw_put_affine(c, x, &s) : NULL);
}

int64_t *
hw_new_weights(hw_conv *c, hw_matmul *u)
{
    u->w = NASHC_NEW_N(c->a, int64_t, u->mw * u->mh);
    u->bipolar = true;
    return u->w;
}

void
hw_set_weight(hw_matmul *u, int64_t row, int64_t column, int64_t v)
{
    u->w[row * u->mh + column] = v;
    u->bipolar = u->bipolar && (v == 1 || v == -1);
}

/* The weights w (trans: stored the other way round) with a row a product, a column a result. */
static void
matmul_weights(const nashc_tensor *w, bool trans, hw_matmul *u)
{
    for (int64_t i = 0; i < u->mw; i++)
        for (int64_t r = 0; r < u->mh; r++)
            hw_set_weight(u, i, r, nashc_tensor_get_int(w, trans ? r * u->mw + i : i * u->mh + r));
}

/* x as vectors of k elements; columns: they are the columns of its matrices, n each. */
static nashc_value *
put_vectors(hw_conv *c, nashc_value *x, bool columns, int64_t k, int64_t n)
{
    int64_t rows = nashc_type_count(nashc_value_type(x)) / (k * n);
    hw_loops nest = {.n = 4, .dim = {rows, n, k, 1}, .stride = {k * n, 1, n, 1}};

    return columns && n > 1 && k > 1 ? hw_put_loops(c, x, &nest, k, "shuffle") : x;
}

static nashc_status
convert_matmul(hw_conv *c, nashc_node *n)
{
    int k = weights_of(n);
    const nashc_tensor *w = nashc_value_const(nashc_node_in(n, k));
    const nashc_type *t = nashc_tensor_type(w), *xt = nashc_value_type(nashc_node_in(n, 1 - k));
    /* weights that come first are stored the other way round, unless they are transposed */
    bool trans = k == 1 ? flag(n, "trans_b") : !flag(n, "trans_a");
    bool columns = k == 1 ? flag(n, "trans_a") : !flag(n, "trans_b");
    int64_t last = xt->dim[xt->rank - 1];
    hw_matmul u = {.op = "hw.mvau",
                   .attrs = "",
                   .mw = t->dim[t->rank - 2 + trans],
                   .mh = t->dim[t->rank - 1 - trans],
                   .inner = 1};

    if (k == 0)
        u.inner = columns ? (xt->rank > 1 ? last : 1) : xt->dim[xt->rank - 2];
    nashc_value *x = put_vectors(c, c->map[nashc_value_id(nashc_node_in(n, 1 - k))], columns, u.mw,
                                 xt->rank > 1 ? last : 1);
    if (!x)
        return nashc_build_status(c->b);
    if (!hw_new_weights(c, &u))
        return nashc_enomem(c->d);
    matmul_weights(w, trans, &u);
    return hw_put_matmul(c, n, x, &u);
}

const hw_rule hw_matmul_rules[] = {
    {"nn.matmul", why_not_matmul, convert_matmul},
    {"nn.gemm", why_not_matmul, convert_matmul},
    {0},
};
