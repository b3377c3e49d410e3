/* gemm_to_matmul.c
 *
 *     alpha a' b' + beta c     ==>     matmul(a', b') -- mul alpha -- add beta c
 *
 * a transposed operand becomes a transposed constant, or a transpose of a dynamic one; factors of 1
 * and a beta of 0 leave nothing behind.
 * Terminates: each rewrite removes a gemm.
 */
#include "passes/support/number.h"
#include <nashc/rewrite.h>

static nashc_value *
transposed(nashc_rw *rw, nashc_value *v, bool yes)
{
    const nashc_tensor *t = nashc_value_const(v);

    if (!yes)
        return v;
    if (t)
        return nashc_rw_const(rw, nashc_tensor_transposed(t, (const int[]){1, 0}));
    return nashc_rw_opf(rw, "nn.transpose", (nashc_value *[]){v}, 1, "perm=[1,0]");
}

static bool
gemm_to_matmul(nashc_rw *rw, nashc_node *n)
{
    nashc_value *c = nashc_node_in(n, 2);
    double alpha = nashc_node_f32(n, "alpha");
    double beta = nashc_node_f32(n, "beta");
    number addend = {0};

    if (c && beta == 0.0)
        c = NULL;
    if (c && beta != 1.0 && nashc_value_const(c)) {
        addend = number_of(rw, nashc_value_const(c));
        addend = number_map(rw, &addend, number_mul, beta);
        if (!number_finite(&addend))
            return nashc_rw_miss(rw, n, "beta times the addend is not finite");
    }

    nashc_value *a = transposed(rw, nashc_node_in(n, 0), nashc_node_int(n, "trans_a"));
    nashc_value *b = transposed(rw, nashc_node_in(n, 1), nashc_node_int(n, "trans_b"));
    nashc_value *y = nashc_rw_op(rw, "nn.matmul", (nashc_value *[]){a, b}, 2);
    if (alpha != 1.0)
        y = nashc_rw_op(rw, "nn.mul", (nashc_value *[]){y, nashc_rw_f64(rw, alpha)}, 2);
    if (addend.v)
        c = number_const(rw, &addend);
    else if (c && beta != 1.0)
        c = nashc_rw_op(rw, "nn.mul", (nashc_value *[]){c, nashc_rw_f64(rw, beta)}, 2);
    if (c)
        y = nashc_rw_op(rw, "nn.add", (nashc_value *[]){y, c}, 2);
    nashc_rw_replace(rw, nashc_node_out(n, 0), y);
    return true;
}

static const nashc_pattern gemm_to_matmul_pattern = {"nn.gemm", gemm_to_matmul};

const nashc_pass nashc_pass_gemm_to_matmul = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_INEXACT,
    .name = "gemm-to-matmul",
    .alias = "GemmToMatMul",
    .help = "gemm as a matmul, a mul and an add",
    .patterns = (const nashc_pattern *const[]){&gemm_to_matmul_pattern, NULL},
};
