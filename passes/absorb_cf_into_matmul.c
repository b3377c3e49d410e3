/* absorb_cf_into_matmul.c
 *
 *     x [N,H,W,C] -- to channels-first -- reshape [N, C H W] -- matmul W
 *     ==>  x -- reshape [N, H W C] -- matmul W'
 *
 * W' has the rows of W in the order (h, w, c). W is a constant, or a quantiser of constants: its
 * per-row parameters turn as well.
 * Terminates: each rewrite removes a transpose.
 */
#include "match.h"

/* Constant v with its rows, counted (c, h, w), in the order (h, w, c); v itself if it has no rows.
 */
static nashc_value *
rows_turned(nashc_rw *rw, nashc_value *v, const nashc_type *x)
{
    nashc_tensor *t = (nashc_tensor *)nashc_value_const(v);
    const nashc_type *type = nashc_tensor_type(t);
    int64_t c = x->dim[x->rank - 1], k = x->rank == 3 ? x->dim[1] : x->dim[1] * x->dim[2];

    if (type->rank != 2 || type->dim[0] != c * k || type->dim[0] == 1)
        return v;
    nashc_tensor *split = nashc_tensor_reshaped(t, 3, (int64_t[]){c, k, type->dim[1]});
    nashc_tensor *turned = split ? nashc_tensor_transposed(split, (const int[]){1, 0, 2}) : NULL;
    nashc_value *out =
        nashc_rw_const(rw, turned ? nashc_tensor_reshaped(turned, 2, type->dim) : NULL);
    nashc_tensor_unref(split);
    nashc_tensor_unref(turned);
    return out;
}

static bool
absorb(nashc_rw *rw, nashc_node *mm)
{
    nashc_node *flat = nashc_value_def_by(nashc_node_in(mm, 0), "nn.reshape");
    nashc_node *t = flat ? nashc_value_def(nashc_node_in(flat, 0)) : NULL;
    nashc_value *w = nashc_node_in(mm, 1);
    nashc_node *q = nashc_match_quantised(w);

    if (!nashc_layout_to_first(t))
        return false;
    const nashc_type *x = nashc_value_type(nashc_node_in(t, 0));
    const nashc_type *y = nashc_value_type(nashc_node_out(flat, 0));
    if (y->rank != 2 || y->dim[0] != x->dim[0])
        return nashc_rw_miss(rw, flat, "it is no flatten to [N,K]");
    if ((!nashc_value_const(w) && !q) || nashc_value_type(w)->rank != 2)
        return nashc_rw_miss(rw, mm, "the weights are no constant matrix");
    if (!nashc_match_sole(rw, flat))
        return false;

    if (q) {
        nashc_value *in[4] = {0};
        for (int i = 0; i < nashc_node_n_in(q) && i < 4; i++)
            in[i] = rows_turned(rw, nashc_node_in(q, i), x);
        w = nashc_rw_like(rw, q, in, nashc_node_n_in(q));
    } else {
        w = rows_turned(rw, w, x);
    }
    nashc_value *f = nashc_rw_opf(rw, "nn.reshape", (nashc_value *[]){nashc_node_in(t, 0)}, 1,
                                  "shape=%s", nashc_rw_ints(rw, y->dim, y->rank));
    nashc_rw_replace(rw, nashc_node_out(mm, 0), nashc_rw_like(rw, mm, (nashc_value *[]){f, w}, 2));
    return true;
}

static const nashc_pattern absorb_pattern = {"nn.matmul", absorb};

const nashc_pass nashc_pass_absorb_cf_into_matmul = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_INEXACT,
    .name = "absorb-cf-into-matmul",
    .alias = "AbsorbChanFirstIntoMatMul|RemoveCNVtoFCFlatten|remove-cnv-to-fc-flatten",
    .help = "permute the rows of a matmul behind a flatten instead of its input",
    .patterns = (const nashc_pattern *const[]){&absorb_pattern, NULL},
};
