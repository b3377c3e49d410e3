/* fold_transpose_into_quant_const.c
 *
 *     transpose(quant(w, s, z))     ==>     quant(w', s', z')      for constants w, s, z
 *
 * Operands that have fewer axes than w are widened with leading 1s first, as broadcasting does.
 * Other readers keep the quantiser they had. Also for bipolar_quant and dequant.
 * Terminates: each rewrite removes a transpose.
 */
#include "passes/support/match.h"

/* Does someone read from v which axis counts channels? A quantiser of constants does not say. */
static bool
is_data(nashc_rw *rw, const nashc_value *v)
{
    int n = 0;
    nashc_node **users = nashc_value_users(v, nashc_rw_arena(rw), &n);

    if (nashc_value_type(v)->layout == NASHC_LAYOUT_DEFAULT)
        return false;
    for (int i = 0; i < n; i++)
        if (nashc_node_in(users[i], 0) == v)
            return true;
    return nashc_value_is_output(v);
}

static bool
fold(nashc_rw *rw, nashc_node *n)
{
    nashc_node *q = match_quantised(nashc_node_in(n, 0));
    int count, perm[NASHC_MAX_RANK] = {0};
    const int64_t *p = nashc_node_ints(n, "perm", &count);

    if (!q)
        return false;
    if (is_data(rw, nashc_node_out(n, 0)))
        return nashc_rw_miss(rw, n, "its result is channels-last data");
    for (int i = 0; i < count; i++)
        perm[i] = (int)p[i];

    nashc_value *in[4] = {0};
    for (int i = 0; i < nashc_node_n_in(q) && i < 4; i++) {
        nashc_tensor *t = (nashc_tensor *)nashc_value_const(nashc_node_in(q, i));
        const nashc_type *type = nashc_tensor_type(t);
        int64_t dim[NASHC_MAX_RANK];
        in[i] = nashc_node_in(q, i);
        if (nashc_tensor_is_scalar(t) && i > 0)
            continue;
        for (int k = 0; k < count; k++)
            dim[k] = k < count - type->rank ? 1 : type->dim[k - (count - type->rank)];
        nashc_tensor *wide = nashc_tensor_reshaped(t, count, dim);
        in[i] = nashc_rw_const(rw, wide ? nashc_tensor_transposed(wide, perm) : NULL);
        nashc_tensor_unref(wide);
    }
    nashc_rw_loc(rw, q);
    nashc_rw_replace(rw, nashc_node_out(n, 0), nashc_rw_like(rw, q, in, nashc_node_n_in(q)));
    return true;
}

static const nashc_pattern fold_pattern = {"nn.transpose", fold};

const nashc_pass nashc_pass_fold_transpose_into_quant_const = {
    NASHC_DESC(nashc_pass),
    .name = "fold-transpose-into-quant-const",
    .alias = "FoldTransposeIntoQuantInit",
    .help = "transpose the constants of a quantiser instead of its result",
    .patterns = (const nashc_pattern *const[]){&fold_pattern, NULL},
};
