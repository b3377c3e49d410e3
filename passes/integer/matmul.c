/* matmul.c: matrix products of the model on integers: nn.matmul and nn.gemm.
 *
 *     x w     with constant w on either side: products like those of a convolution with one tap
 *     x y     of two computed tensors: scales multiply, and must be one for all
 */
#include "products_layer.h"

/* Two tensors that are both computed: scalar scales, no offsets. */
static bool
dynamic_matmul(si_walk *walk, nashc_node *n, const si_value *x, const si_value *y)
{
    si_array scale, zero = si_scalar(walk->job, 0.0);
    if (x->scale.n != 1 || y->scale.n != 1 || !si_zero(&x->bias) || !si_zero(&y->bias))
        return si_no(walk->job,
                     "both operands are computed and one has a varying scale or an offset");
    if (!si_zip(walk->job, &x->scale, &y->scale, si_mul, &scale))
        return false;
    nashc_value *in[2] = {x->tensor->integer, y->tensor->integer};
    nashc_value *r = si_emit(walk, "nn.matmul", in, 2, NULL);
    return r && si_anchor(walk, nashc_node_out(n, 0), r, &scale, &zero, NULL, NULL, NULL, NULL);
}

/* A constant matrix as an operand. */
typedef struct matrix {
    nashc_tensor *codes;
    si_array scale;
    bool first; /* operand 0 */
} matrix;

/* Output channels are the rows of a constant on the left, the columns of one on the right. */
static si_products
matrix_products(const nashc_type *w, bool first)
{
    si_products p = {.axis = first ? 0 : 1, .taps = 1};
    p.outputs = p.group_size = w->dim[p.axis];
    p.terms = p.per_group = w->dim[1 - p.axis];
    p.w_o = first ? p.terms : 1;
    p.w_k = first ? 1 : p.outputs;
    return p;
}

/* bias NULL: none. */
static bool
build_matmul(si_walk *walk, si_layer_build *build, const si_array *bias)
{
    si_job *job = walk->job;
    if (!si_layer_begin(walk, build) ||
        (!si_zero(&build->x_bias) && !si_layer_offsets(job, build)) ||
        !si_layer_intervals(job, build, false) ||
        (bias && !si_zip(job, &build->bias, bias, si_add, &build->bias)))
        return false;
    build->layer.repeat = build->layer.w_first ? build->p.terms : 1;
    return si_layer_emit(walk, build, true);
}

/* x [..., K] times constant [K, M], or constant [M, K] times x [..., K, N]. bias NULL: none. */
static bool
const_matmul(si_walk *walk, nashc_node *n, const si_value *x, const matrix *w, const si_array *bias)
{
    const nashc_type *t = nashc_value_type(nashc_node_out(n, 0));
    const nashc_type *wt = nashc_tensor_type(w->codes), *xt = nashc_value_type(x->tensor->integer);
    si_layer_build build;
    if (wt->rank != 2 || xt->rank < 2 || xt->rank != t->rank)
        return si_no(walk->job, "its constant operand is not a matrix");
    if (!si_layer_operand(walk->job, n, x, w->first ? xt->rank - 2 : xt->rank - 1, "nn.matmul",
                          NULL, &build) ||
        !build.has_bias)
        return si_no(walk->job,
                     "scale or offset of its input vary along more than the summed axis");
    build.codes = w->codes;
    build.w_scale = w->scale;
    build.p = matrix_products(wt, w->first);
    build.layer.w_first = w->first;
    build.layer.axis = w->first ? t->rank - 2 : t->rank - 1;
    bool ok = build_matmul(walk, &build, bias);
    si_layer_end(&build);
    return ok;
}

/* The scale of w, transposed. */
static bool
transposed_scale(si_job *job, const si_array *scale, const nashc_type *w, si_array *out)
{
    int64_t dim[2] = {w->dim[1], w->dim[0]};
    if (scale->n == 1) {
        *out = *scale;
        return true;
    }
    if (!si_shape_array(job, out, 2, dim))
        return false;
    for (int64_t i = 0; i < dim[0]; i++)
        for (int64_t j = 0; j < dim[1]; j++)
            out->v[i * dim[1] + j] = si_at(scale, w, j * dim[0] + i);
    si_squeeze(out);
    return true;
}

/* Constant v as the second operand. */
static bool
matrix_of(si_walk *walk, nashc_value *v, bool transposed, matrix *w)
{
    nashc_tensor *codes;
    si_array scale;
    w->first = false;
    if (!transposed)
        return si_weight_codes(walk, v, 1, &w->codes, &w->scale);
    if (!si_weight_codes(walk, v, 0, &codes, &scale))
        return false;
    w->codes = si_keep(walk->job, nashc_tensor_transposed(codes, (const int[]){1, 0}));
    return w->codes && transposed_scale(walk->job, &scale, nashc_value_type(v), &w->scale);
}

/* y = alpha x w + beta c */
static bool
rebuild_gemm(si_walk *walk, nashc_node *n)
{
    si_job *job = walk->job;
    nashc_value *c = nashc_node_in(n, 2), *wv = nashc_node_in(n, 1);
    bool trans_a = nashc_node_bool(n, "trans_a");
    bool trans_b = nashc_node_bool(n, "trans_b");
    si_array alpha = si_scalar(job, nashc_node_f32(n, "alpha"));
    si_array beta = si_scalar(job, nashc_node_f32(n, "beta"));
    si_value *x = si_affine(walk, nashc_node_in(n, 0));
    si_array bias;
    matrix w;

    if (!x)
        return false;
    if (!si_is_const(walk, wv))
        return si_no(job, "its weights are not constant");
    if (trans_a)
        return si_no(job, "its first operand is transposed");
    if (!si_known_array(walk, c, 0.0, &bias) || !si_zip(job, &bias, &beta, si_mul, &bias) ||
        !matrix_of(walk, wv, trans_b, &w))
        return false;
    /* alpha goes into the scale before offsets are made of it: they stay whole multiples of it. */
    return si_zip(job, &w.scale, &alpha, si_mul, &w.scale) &&
           const_matmul(walk, n, x, &w, c ? &bias : NULL);
}

/* Along which axis of constant v the outputs lie. */
static int
output_axis(const nashc_value *v, bool first)
{
    int rank = nashc_value_type(v)->rank;
    return rank < 2 ? 0 : first ? rank - 2 : rank - 1;
}

/* The constant may be on either side, or there is none. */
static bool
rebuild_matmul(si_walk *walk, nashc_node *n)
{
    nashc_value *a = nashc_node_in(n, 0), *b = nashc_node_in(n, 1);
    matrix w = {.first = si_is_const(walk, a)};
    si_value *x = si_affine(walk, w.first ? b : a);
    if (!x)
        return false;
    if (w.first || si_is_const(walk, b))
        return si_weight_codes(walk, w.first ? a : b, output_axis(w.first ? a : b, w.first),
                               &w.codes, &w.scale) &&
               const_matmul(walk, n, x, &w, NULL);
    si_value *y = si_affine(walk, b);
    return y && dynamic_matmul(walk, n, x, y);
}

/* Sums over the longer axis, if it is not known which is summed. */
static int
matmul_growth(si_walk *walk, const nashc_node *n)
{
    nashc_value *a = nashc_node_in(n, 0), *b = nashc_node_in(n, 1);
    bool second = si_is_const(walk, b);
    bool rows = nashc_node_is(n, "nn.gemm") && nashc_node_bool(n, "trans_b");
    nashc_value *w = second ? b : a;
    return si_layer_growth(walk, w, rows ? 0 : output_axis(w, !second), true, true);
}

static const nashc_integer_rule matmul = {NASHC_DESC(nashc_integer_rule), .rebuild = rebuild_matmul,
                                          .growth = matmul_growth};
static const nashc_integer_rule gemm = {NASHC_DESC(nashc_integer_rule), .rebuild = rebuild_gemm,
                                        .growth = matmul_growth};

extern const nashc_impl nashc_impl_scaled_integer_nn_matmul, nashc_impl_scaled_integer_nn_gemm;
const nashc_impl nashc_impl_scaled_integer_nn_matmul =
    NASHC_IMPL_SCALED_INTEGER("nn.matmul", &matmul);
const nashc_impl nashc_impl_scaled_integer_nn_gemm = NASHC_IMPL_SCALED_INTEGER("nn.gemm", &gemm);
