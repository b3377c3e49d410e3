/* matmul.c: matrix-vector units, and the thresholds behind them that they take over.
 *
 *     nn.matmul, nn.gemm [+ nn.add const] [+ q.multithreshold]   hw.mvau
 *     W [M,K] times x [K,N]          columns of x, hw.mvau, rows again: hw.window before and behind
 */
#include "lower.h"
#include <inttypes.h>

static bool
flag(const nashc_node *n, const char *name)
{
    return nashc_node_is(n, "nn.gemm") && nashc_node_bool(n, name);
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
        if (nashc_node_float(n, "alpha") != 1.0 || (b && nashc_node_float(n, "beta") != 1.0))
            return "alpha or beta is not 1";
        if (b)
            return "it has a bias operand, which belongs behind it as nn.add";
    }
    if (!lower_is_int(x))
        return "its input is not an integer tensor";
    if (!nashc_value_const(w))
        return "its weights are not constant";
    if (nashc_value_const(x))
        return "both of its operands are constant";
    if (!lower_is_int(w) || !is_matrix(nashc_value_type(w)))
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

/* The only reader of n's result, past nodes that only relabel it; l: absorb those. */
static nashc_node *
next_worker(const nashc_node *n, nashc_lower *l)
{
    nashc_node *reader = nashc_value_one_user(nashc_node_out(n, 0));

    while (reader && lower_relabels(reader)) {
        if (l)
            nashc_lower_absorb(l, reader);
        reader = nashc_value_one_user(nashc_node_out(reader, 0));
    }
    return reader;
}

/* Are the channels of operand 0 of n the results of m? */
static bool
same_channels(const nashc_node *n, const lower_mvau *m)
{
    const nashc_type *t = nashc_value_type(nashc_node_in(n, 0));
    int64_t inner = 1;

    for (int i = nashc_type_channel_axis(t) + 1; i < t->rank; i++)
        inner *= t->dim[i];
    return inner == m->inner && nashc_type_channels(t) == m->mh;
}

/* The constant that nn.add or nn.sub n adds to each result of m, 1 or m->mh numbers; false: none,
 * or it varies otherwise. */
static bool
added_of(const nashc_node *n, const lower_mvau *m, nashc_arena *a, int64_t **add, int64_t *n_add)
{
    bool sub = nashc_node_is(n, "nn.sub");
    int64_t *v, count;

    if (!(sub || nashc_node_is(n, "nn.add")) || !same_channels(n, m) ||
        (sub && nashc_value_const(nashc_node_in(n, 0))) ||
        nashc_type_count(nashc_value_type(nashc_node_in(n, 0))) !=
            nashc_type_count(nashc_value_type(nashc_node_out(n, 0))) ||
        lower_constant_operand(n, a, &v, &count) || !v || (count != 1 && count != m->mh * m->inner))
        return false;
    *n_add = count == 1 ? 1 : m->mh;
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
fusable(const nashc_node *n, const lower_mvau *m, nashc_arena *a)
{
    fused f = {.mt = next_worker(n, NULL)};

    if (f.mt && added_of(f.mt, m, a, &f.add, &f.n_add)) {
        f.added = f.mt;
        f.mt = next_worker(f.added, NULL);
    }
    if (!f.mt || !nashc_node_is(f.mt, "q.multithreshold") || lower_why_not_thresholds(f.mt, a) ||
        !same_channels(f.mt, m))
        f.mt = NULL;
    return f;
}

/* Results of m for n in the order of the tensor. */
static nashc_status
put_in_order(nashc_lower *l, const nashc_node *n, const lower_mvau *m, nashc_value *v)
{
    int64_t rows = v ? nashc_type_count(nashc_value_type(v)) / (m->mh * m->inner) : 0;
    lower_loops nest = {
        .n = 4, .dim = {rows, m->mh, m->inner, 1}, .stride = {m->inner * m->mh, 1, m->mh, 1}};

    return nashc_lower_put(
        l, n, 0, v && m->inner > 1 ? lower_put_loops(l, v, &nest, m->inner, "shuffle") : v);
}

nashc_status
lower_put_mvau(nashc_lower *l, nashc_node *n, nashc_value *x, const lower_mvau *m)
{
    nashc_type bip = nashc_type_bip();
    nashc_value *in[4] = {x, nashc_lower_matrix(l, m->w, m->mw, m->mh, m->bipolar ? &bip : NULL)};
    fused f = fusable(n, m, nashc_lower_arena(l));
    int64_t lo, hi;
    lower_thresholds s;

    if (!acc_bounds(nashc_value_type(x), m->w, m->mw, m->mh, &lo, &hi))
        return nashc_node_unsup(nashc_lower_diag(l), n, "the accumulator exceeds 64 bits");
    if (!f.mt || hi == INT64_MAX)
        return put_in_order(l, n, m, nashc_lower_op(l, m->op, in, 2, "%s", m->attrs));
    nashc_status status = lower_prepare_thresholds(f.mt, f.add, f.n_add, m->mh, lo, hi,
                                                   nashc_lower_arena(l), &s, nashc_lower_diag(l));
    if (status != NASHC_OK)
        return status;
    in[2] = nashc_lower_matrix(l, s.t, s.rows, s.n, NULL);
    in[3] = lower_directions(l, &s, m->mh);
    next_worker(n, l);
    if (f.added) {
        nashc_lower_absorb(l, f.added);
        next_worker(f.added, l);
    }
    nashc_lower_absorb(l, f.mt);
    x = nashc_lower_op(l, m->op, in, in[3] ? 4 : 3, "%s %s", m->attrs,
                       lower_thresholds_text(l, &s));
    return put_in_order(l, f.mt, m, x ? lower_put_affine(l, x, &s) : NULL);
}

int64_t *
lower_new_weights(nashc_lower *l, lower_mvau *m)
{
    m->w = NASHC_NEW_N(nashc_lower_arena(l), int64_t, m->mw * m->mh);
    m->bipolar = true;
    return m->w;
}

void
lower_set_weight(lower_mvau *m, int64_t row, int64_t column, int64_t v)
{
    m->w[row * m->mh + column] = v;
    m->bipolar = m->bipolar && (v == 1 || v == -1);
}

/* The weights w (trans: stored the other way round) with a row a product, a column a result. */
static void
matmul_weights(const nashc_tensor *w, bool trans, lower_mvau *m)
{
    for (int64_t i = 0; i < m->mw; i++)
        for (int64_t r = 0; r < m->mh; r++)
            lower_set_weight(m, i, r,
                             nashc_tensor_get_int(w, trans ? r * m->mw + i : i * m->mh + r));
}

/* x as vectors of k elements; columns: they are the columns of its matrices, n each. */
static nashc_value *
put_vectors(nashc_lower *l, nashc_value *x, bool columns, int64_t k, int64_t n)
{
    int64_t rows = nashc_type_count(nashc_value_type(x)) / (k * n);
    lower_loops nest = {.n = 4, .dim = {rows, n, k, 1}, .stride = {k * n, 1, n, 1}};

    return columns && n > 1 && k > 1 ? lower_put_loops(l, x, &nest, k, "shuffle") : x;
}

static nashc_status
convert_matmul(nashc_lower *l, nashc_node *n)
{
    int k = weights_of(n);
    const nashc_tensor *w = nashc_value_const(nashc_node_in(n, k));
    const nashc_type *t = nashc_tensor_type(w), *xt = nashc_value_type(nashc_node_in(n, 1 - k));
    /* weights that come first are stored the other way round, unless they are transposed */
    bool trans = k == 1 ? flag(n, "trans_b") : !flag(n, "trans_a");
    bool columns = k == 1 ? flag(n, "trans_a") : !flag(n, "trans_b");
    int64_t last = xt->dim[xt->rank - 1];
    lower_mvau m = {.op = "hw.mvau",
                    .attrs = "",
                    .mw = t->dim[t->rank - 2 + trans],
                    .mh = t->dim[t->rank - 1 - trans],
                    .inner = 1};

    if (k == 0)
        m.inner = columns ? (xt->rank > 1 ? last : 1) : xt->dim[xt->rank - 2];
    nashc_value *x =
        put_vectors(l, nashc_lower_in(l, n, 1 - k), columns, m.mw, xt->rank > 1 ? last : 1);
    if (!x)
        return nashc_lower_status(l);
    if (!lower_new_weights(l, &m))
        return nashc_enomem(nashc_lower_diag(l));
    matmul_weights(w, trans, &m);
    return lower_put_mvau(l, n, x, &m);
}

static const nashc_lower_rule matmul_rule = {
    NASHC_DESC(nashc_lower_rule),
    .why_not = why_not_matmul,
    .convert = convert_matmul,
};

const nashc_impl nashc_impl_to_hw_nn_matmul = NASHC_IMPL_TO_HW("nn.matmul", &matmul_rule);
const nashc_impl nashc_impl_to_hw_nn_gemm = NASHC_IMPL_TO_HW("nn.gemm", &matmul_rule);
