/* compare_to_difference.c
 *
 *     a, b -- greater -- y     ==>     a, b -- sub -- greater than 0 -- y
 *
 * (greater_equal and equal alike.) The sign of a rounded difference is that of the exact one, as
 * IEEE arithmetic underflows gradually, so that this holds of all finite numbers. Of infinite ones
 * it does not: both operands must come from quantisers, integers or layers by ops that keep finite
 * what is finite. A sum of two tensors has a form on integers whatever their scales are, which
 * a comparison of them has not. Terminates: the new comparison has a constant operand.
 */
#include "passes/support/match.h"
#include <nashc/op.h>

#define MAX_PATH 256

/* Is v finite for certain, by what makes it? */
static bool
is_finite(const nashc_value *v)
{
    static const char *const keeps[] = {"nn.add",
                                        "nn.sub",
                                        "nn.mul",
                                        "nn.neg",
                                        "nn.relu",
                                        "nn.clip",
                                        "nn.abs",
                                        "nn.batchnorm",
                                        "nn.max",
                                        "nn.min",
                                        "nn.identity",
                                        "nn.cast",
                                        "nn.where",
                                        "nn.maxpool",
                                        "nn.reshape",
                                        "nn.transpose",
                                        "nn.slice",
                                        "nn.leaky_relu",
                                        "nn.avgpool",
                                        "nn.global_avgpool",
                                        "nn.global_maxpool",
                                        "nn.reduce_mean",
                                        "nn.reduce_sum",
                                        "nn.pad",
                                        "nn.gather",
                                        "nn.resize",
                                        "nn.elu",
                                        "nn.selu",
                                        "nn.celu",
                                        "nn.hard_swish",
                                        NULL};
    static const char *const makes[] = {"nn.conv",          "nn.matmul",
                                        "nn.gemm",          "nn.conv_transpose",
                                        "nn.sigmoid",       "nn.tanh",
                                        "nn.hard_sigmoid",  "nn.softsign",
                                        "q.quant",          "q.bipolar_quant",
                                        "q.multithreshold", "q.trunc",
                                        "q.dequant",        NULL};
    for (int i = 0; i < MAX_PATH; i++) {
        const nashc_node *n = nashc_value_def(v);
        if (nashc_type_is_int(nashc_value_type(v)) || (n && nashc_node_is_any(n, makes)))
            return true;
        if (!n || !nashc_node_is_any(n, keeps))
            return false;
        int k = nashc_node_is(n, "nn.where");
        while (k + 1 < nashc_node_n_in(n) && nashc_value_const(nashc_node_in(n, k)))
            k++;
        v = nashc_node_in(n, k);
    }
    return false;
}

static bool
subtract(nashc_rw *rw, nashc_node *n)
{
    nashc_value *in[2] = {nashc_node_in(n, 0), nashc_node_in(n, 1)};

    if (nashc_value_const(in[0]) || nashc_value_const(in[1]))
        return false;
    for (int k = 0; k < 2; k++)
        if (!is_finite(in[k]))
            return nashc_rw_miss(rw, n, "operand %d may be infinite", k);
    in[0] = nashc_rw_op(rw, "nn.sub", in, 2);
    in[1] = nashc_rw_int(rw, 0);
    nashc_rw_replace(rw, nashc_node_out(n, 0), nashc_rw_like(rw, n, in, 2));
    return true;
}

static const nashc_pattern greater = {"nn.greater", subtract};
static const nashc_pattern greater_equal = {"nn.greater_equal", subtract};
static const nashc_pattern equal = {"nn.equal", subtract};

const nashc_pass nashc_pass_compare_to_difference = {
    NASHC_DESC(nashc_pass),
    .name = "compare-to-difference",
    .help = "a comparison of two tensors as one of their difference with 0",
    .patterns = (const nashc_pattern *const[]){&greater, &greater_equal, &equal, NULL},
};
