/* matmul.c: matrix products.
 *
 *     nn.matmul(a, b)       y[.., m, n] = sum over k of a[.., m, k] * b[.., k, n]      (numpy)
 *     nn.gemm(a, b, [c])    y = alpha * a' * b' + beta * c,  a' and b' transposed as asked  (ONNX)
 *
 * Integers: exact ranges for a constant operand (docs/datatypes.md, intervals of sums), the hull
 * over rows or columns. Floats are summed in double and rounded once. The layout of nn.matmul's
 * result is that of a where the rank is the same: a 1x1 convolution on channels-last data is a
 * matmul.
 */
#include "ops.h"

/* a: [batch..., m, k], b: [batch..., k, n] with strides of the last two axes. */
typedef struct matmul {
    int64_t m, k, n;
    int64_t a_m, a_k, b_k, b_n;
    nashc_type a_batch, b_batch, y_batch; /* shapes without the last two axes */
} matmul;

static nashc_type
batch_shape(const nashc_type *t)
{
    return nashc_type_shaped(nashc_type_f32(), t->rank > 2 ? t->rank - 2 : 0, t->dim);
}

static nashc_status
geometry(const nashc_node *n, matmul *g, nashc_diag *d)
{
    nashc_status s;

    if ((s = ops_need_rank(n, 0, "left operand", 1, NASHC_MAX_RANK, d)) != NASHC_OK ||
        (s = ops_need_rank(n, 1, "right operand", 1, NASHC_MAX_RANK, d)) != NASHC_OK)
        return s;
    const nashc_type *a = ops_type(n, 0), *b = ops_type(n, 1);
    int64_t kb = b->dim[b->rank == 1 ? 0 : b->rank - 2];
    g->m = a->rank == 1 ? 1 : a->dim[a->rank - 2];
    g->k = a->dim[a->rank - 1];
    g->n = b->rank == 1 ? 1 : b->dim[b->rank - 1];
    if (g->k < 1 || g->k != kb)
        return nashc_node_error(
            d, n, "inner dimensions of %s and %s differ: %" PRId64 " against %" PRId64,
            nashc_type_str(d, a), nashc_type_str(d, b), g->k, kb);
    g->a_m = g->k;
    g->a_k = 1;
    g->b_k = g->n;
    g->b_n = 1;
    g->a_batch = batch_shape(a);
    g->b_batch = batch_shape(b);
    g->y_batch = nashc_type_f32();
    if (!nashc_type_broadcast(&g->a_batch, &g->b_batch, &g->y_batch))
        return nashc_node_error(d, n, "leading dimensions of %s and %s do not broadcast",
                                nashc_type_str(d, a), nashc_type_str(d, b));
    return NASHC_OK;
}

/* Range of one sum of k products; for a constant operand the hull over its rows or columns. */
static ops_interval
product_range(const nashc_node *n, const matmul *g)
{
    const nashc_tensor *a = ops_const(n, 0), *b = ops_const(n, 1);
    ops_interval ra = ops_interval_of(nashc_node_in(n, 0));
    ops_interval rb = ops_interval_of(nashc_node_in(n, 1)), all = {0, 0};
    const nashc_tensor *w = b ? b : a;

    if (!w)
        return ops_interval_times(ops_interval_mul(ra, rb), g->k);
    int64_t lines = b ? g->n : g->m, size = g->k * lines;
    int64_t step = b ? g->b_n : g->a_m, along = b ? g->b_k : g->a_k;
    for (int64_t i = 0; i < nashc_tensor_count(w) / size * lines; i++) {
        nashc_sums s = {0};
        nashc_sums_add(&s, nashc_tensor_buf(w), i / lines * size + i % lines * step, along, g->k);
        ops_interval r = ops_sums_range(&s, b ? ra : rb);
        all = i ? ops_interval_hull(all, r) : r;
    }
    return all;
}

static nashc_status
matmul_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    matmul g;
    nashc_status s = geometry(n, &g, d);

    if (s != NASHC_OK)
        return s;
    const nashc_type *a = ops_type(n, 0), *b = ops_type(n, 1);
    int rank = g.y_batch.rank;
    int64_t dim[NASHC_MAX_RANK];
    memcpy(dim, g.y_batch.dim, sizeof dim);
    if (a->rank > 1)
        dim[rank++] = g.m;
    if (b->rank > 1)
        dim[rank++] = g.n;
    *out = nashc_type_shaped(nashc_type_f32(), rank, dim);
    out->layout = a->rank == rank && rank > 2 ? a->layout : NASHC_LAYOUT_DEFAULT;
    if (ops_all_int(n)) {
        ops_interval r = product_range(n, &g);
        nashc_type_set_range(out, r.lo, r.hi);
    } else {
        nashc_type elem = ops_float(n);
        *out = nashc_type_with_elem(out, &elem);
    }
    return ops_check_shape(n, out, d);
}

static nashc_status
matmul_verify(const nashc_node *n, nashc_diag *d)
{
    nashc_status s = ops_need_finite(n, 0, "left operand", d);

    return s == NASHC_OK ? ops_need_finite(n, 1, "right operand", d) : s;
}

#define PACKED_BLOCK 256

/* What the evaluation of one product needs: operands in one of two forms, scratch, and for nn.gemm
 * the addend. */
typedef struct job {
    matmul g;
    nashc_buf *y;
    const double *a, *b, *c;
    const int64_t *ia, *ib, *ic;
    double *panel, *row;
    int64_t *ipanel, *irow;
    double alpha, beta;
    int64_t c_m, c_n; /* strides of c */
    int64_t block;    /* of sums in float32 (ops_dot_fused); 0: in double, -1: by fours */
} job;

/* How onnxruntime takes a sum in float32: matrices that are constant are packed beforehand, a
 * single row by one that is not has a loop of its own. */
static int64_t
float_block(nashc_eval *e, const nashc_node *n, const matmul *g)
{
    bool matrix = nashc_eval_in(e, 1)->type.rank == 2;
    int64_t rows = matrix && g->n ? nashc_eval_out(e, 0)->n / g->n : g->m;

    if (!ops_float_sums(e))
        return 0;
    if (matrix && ops_const(n, 1))
        return PACKED_BLOCK;
    return rows == 1 && g->b_n == 1 ? -1 : ops_fused_block(g->n, g->k);
}

static nashc_status
prepare(nashc_eval *e, const nashc_node *n, job *j)
{
    size_t k = (size_t)j->g.k;
    bool exact = ops_exact_f64(nashc_eval_in(e, 0), nashc_eval_in(e, 1), j->g.k) &&
                 j->alpha == 1.0 && !nashc_eval_in(e, 2);

    j->y = nashc_eval_out(e, 0);
    j->block = float_block(e, n, &j->g);
    if (nashc_type_is_int(&j->y->type) && !exact) {
        j->ia = nashc_eval_i64(e, 0);
        j->ib = nashc_eval_i64(e, 1);
        j->ic = nashc_eval_in(e, 2) ? nashc_eval_i64(e, 2) : NULL;
        j->ipanel = nashc_eval_scratch(e, k * NASHC_TILE * sizeof *j->ipanel);
        j->irow = nashc_eval_scratch(e, k * sizeof *j->irow);
        return j->ia && j->ib && j->ipanel && j->irow ? NASHC_OK : NASHC_ENOMEM;
    }
    j->a = nashc_eval_f64(e, 0);
    j->b = nashc_eval_f64(e, 1);
    j->c = nashc_eval_in(e, 2) ? nashc_eval_f64(e, 2) : NULL;
    j->panel = nashc_eval_scratch(e, k * NASHC_TILE * sizeof *j->panel);
    j->row = nashc_eval_scratch(e, k * sizeof *j->row);
    return j->a && j->b && j->panel && j->row ? NASHC_OK : NASHC_ENOMEM;
}

static void
emit_f64(const job *j, int64_t at, int64_t c0, int64_t count, const double *acc)
{
    for (int64_t p = 0; p < count; p++) {
        double v = j->alpha * acc[p];
        if (j->c)
            v += j->beta * j->c[c0 + p * j->c_n];
        ops_put(j->y, at + p, v);
    }
}

static void
emit_i64(const job *j, int64_t at, int64_t c0, int64_t count, const int64_t *acc)
{
    for (int64_t p = 0; p < count; p++) {
        int64_t v = 0, add = 0;
        bool fits = ops_mul(acc[p], (int64_t)j->alpha, &v);
        if (j->ic)
            fits &= ops_mul(j->ic[c0 + p * j->c_n], (int64_t)j->beta, &add);
        j->y->fault |= !(fits & ops_add(v, add, &v));
        nashc_buf_set_int(j->y, at + p, v);
    }
}

/* y at y0 = alpha * (a at a0) * (b at b0) + beta * c */
static void
product_f64(const job *j, int64_t a0, int64_t b0, int64_t y0)
{
    const matmul *g = &j->g;
    double acc[NASHC_TILE];

    for (int64_t n = 0; n < g->n; n += NASHC_TILE) {
        int64_t count = g->n - n < NASHC_TILE ? g->n - n : NASHC_TILE;
        for (int64_t k = 0; k < g->k; k++)
            for (int64_t p = 0; p < count; p++)
                j->panel[k * NASHC_TILE + p] = j->b[b0 + k * g->b_k + (n + p) * g->b_n];
        for (int64_t m = 0; m < g->m; m++) {
            for (int64_t k = 0; k < g->k; k++)
                j->row[k] = j->a[a0 + m * g->a_m + k * g->a_k];
            if (j->block > 0)
                ops_dot_fused(j->row, j->panel, g->k, j->block, acc);
            else if (j->block)
                ops_dot_by_fours(j->row, j->panel, g->k, acc);
            else
                ops_dot_f64(j->row, j->panel, g->k, acc);
            emit_f64(j, y0 + m * g->n + n, m * j->c_m + n * j->c_n, count, acc);
        }
    }
}

static void
product_i64(const job *j, int64_t a0, int64_t b0, int64_t y0)
{
    const matmul *g = &j->g;
    int64_t acc[NASHC_TILE];

    for (int64_t n = 0; n < g->n; n += NASHC_TILE) {
        int64_t count = g->n - n < NASHC_TILE ? g->n - n : NASHC_TILE;
        for (int64_t k = 0; k < g->k; k++)
            for (int64_t p = 0; p < count; p++)
                j->ipanel[k * NASHC_TILE + p] = j->ib[b0 + k * g->b_k + (n + p) * g->b_n];
        for (int64_t m = 0; m < g->m; m++) {
            for (int64_t k = 0; k < g->k; k++)
                j->irow[k] = j->ia[a0 + m * g->a_m + k * g->a_k];
            j->y->fault |= !ops_dot_i64(j->irow, j->ipanel, g->k, acc);
            emit_i64(j, y0 + m * g->n + n, m * j->c_m + n * j->c_n, count, acc);
        }
    }
}

static void
product(const job *j, int64_t a0, int64_t b0, int64_t y0)
{
    if (j->ia)
        product_i64(j, a0, b0, y0);
    else
        product_f64(j, a0, b0, y0);
}

static nashc_status
matmul_eval(nashc_eval *e, const nashc_node *n)
{
    job j = {.alpha = 1.0};
    ops_walk wa, wb;
    nashc_status s = geometry(n, &j.g, nashc_eval_diag(e));

    if (s != NASHC_OK || (s = prepare(e, n, &j)) != NASHC_OK)
        return s;
    ops_walk_init(&wa, &j.g.a_batch, &j.g.y_batch);
    ops_walk_init(&wb, &j.g.b_batch, &j.g.y_batch);
    for (int64_t i = 0; i < nashc_type_count(&j.g.y_batch); i++) {
        int64_t a0 = ops_walk_next(&wa) * j.g.m * j.g.k;
        product(&j, a0, ops_walk_next(&wb) * j.g.k * j.g.n, i * j.g.m * j.g.n);
    }
    return NASHC_OK;
}

const nashc_op nashc_op_nn_matmul = {
    NASHC_DESC(nashc_op),
    .name = "nn.matmul",
    .help = "matrix product with numpy's broadcasting of leading axes",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .verify = matmul_verify,
    .infer = matmul_infer,
    .eval = matmul_eval,
};

/* --- nn.gemm -----------------------------------------------------------------------------------
 */

enum { ALPHA, BETA, TRANS_A, TRANS_B };

static const nashc_param gemm_attrs[] = {
    ATTR(FLOAT, "alpha", "1", NULL, "factor of the product"),
    ATTR(FLOAT, "beta", "1", NULL, "factor of c"),
    ATTR(BOOL, "trans_a", "false", NULL, "a is stored transposed"),
    ATTR(BOOL, "trans_b", "false", NULL, "b is stored transposed"),
    {0},
};

static nashc_status
gemm_geometry(const nashc_node *n, matmul *g, nashc_diag *d)
{
    nashc_status s;

    if ((s = ops_need_rank(n, 0, "left operand", 2, 2, d)) != NASHC_OK ||
        (s = ops_need_rank(n, 1, "right operand", 2, 2, d)) != NASHC_OK)
        return s;
    const nashc_type *a = ops_type(n, 0), *b = ops_type(n, 1);
    bool ta = nashc_attr_bool(n, TRANS_A), tb = nashc_attr_bool(n, TRANS_B);
    *g = (matmul){.m = a->dim[ta], .k = a->dim[!ta], .n = b->dim[!tb]};
    if (g->k < 1 || g->k != b->dim[tb])
        return nashc_node_error(
            d, n, "inner dimensions of %s and %s differ: %" PRId64 " against %" PRId64,
            nashc_type_str(d, a), nashc_type_str(d, b), g->k, b->dim[tb]);
    g->a_m = ta ? 1 : g->k;
    g->a_k = ta ? g->m : 1;
    g->b_k = tb ? 1 : g->n;
    g->b_n = tb ? g->k : 1;
    return NASHC_OK;
}

static bool
is_small_integer(double v)
{
    return v == nearbyint(v) && fabs(v) < 0x1p31;
}

static nashc_status
gemm_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    matmul g;
    nashc_type sum;
    double alpha = nashc_attr_f32(n, ALPHA), beta = nashc_attr_f32(n, BETA);
    nashc_status s = gemm_geometry(n, &g, d);

    if (s != NASHC_OK)
        return s;
    *out = nashc_type_shaped(nashc_type_f32(), 2, (const int64_t[]){g.m, g.n});
    const nashc_type *c = ops_type(n, 2);
    sum = *out;
    if (c && (!nashc_type_broadcast(out, c, &sum) || !nashc_type_same_shape(&sum, out)))
        return nashc_node_error(d, n,
                                "c is %s, which does not broadcast to [%" PRId64 ",%" PRId64 "]",
                                nashc_type_str(d, c), g.m, g.n);
    if (ops_all_int(n) && is_small_integer(alpha) && is_small_integer(beta)) {
        ops_interval r =
            ops_interval_mul(product_range(n, &g), (ops_interval){(int64_t)alpha, (int64_t)alpha});
        if (c)
            r = ops_interval_add(r, ops_interval_mul(ops_interval_of(nashc_node_in(n, 2)),
                                                     (ops_interval){(int64_t)beta, (int64_t)beta}));
        nashc_type_set_range(out, r.lo, r.hi);
    } else {
        nashc_type elem = ops_float(n);
        *out = nashc_type_with_elem(out, &elem);
    }
    return ops_check_shape(n, out, d);
}

static nashc_status
gemm_verify(const nashc_node *n, nashc_diag *d)
{
    nashc_status s = matmul_verify(n, d);

    if (s == NASHC_OK)
        s = ops_need_finite(n, 2, "c", d);
    if (s == NASHC_OK &&
        !(isfinite(nashc_attr_float(n, ALPHA)) && isfinite(nashc_attr_float(n, BETA))))
        return nashc_node_error(d, n, "alpha and beta must be finite");
    return s;
}

static nashc_status
gemm_eval(nashc_eval *e, const nashc_node *n)
{
    job j = {.alpha = nashc_attr_f32(n, ALPHA), .beta = nashc_attr_f32(n, BETA)};
    const nashc_buf *c = nashc_eval_in(e, 2);
    nashc_status s = gemm_geometry(n, &j.g, nashc_eval_diag(e));

    if (s != NASHC_OK || (s = prepare(e, n, &j)) != NASHC_OK)
        return s;
    if (c && !j.c && !j.ic)
        return NASHC_ENOMEM;
    if (c) {
        ops_walk w;
        ops_walk_init(&w, &c->type, &nashc_eval_out(e, 0)->type);
        j.c_m = w.step[0];
        j.c_n = w.step[1];
    }
    product(&j, 0, 0, 0);
    return NASHC_OK;
}

const nashc_op nashc_op_nn_gemm = {
    NASHC_DESC(nashc_op), .name = "nn.gemm",   .help = "matrix product with scale and addend",
    .min_in = 2,          .max_in = 3,         .min_out = 1,
    .max_out = 1,         .attrs = gemm_attrs, .verify = gemm_verify,
    .infer = gemm_infer,  .eval = gemm_eval,
};
