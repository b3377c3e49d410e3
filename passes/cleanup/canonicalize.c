/* canonicalize.c: one form for what can be written in several.
 *
 *     op(c, x), op commutes                    ==>  op(x, c)
 *     reshape(reshape(x))                      ==>  reshape(x), or x
 *     transpose(transpose(x; p); q)            ==>  transpose(x; q after p), or x
 *     transpose(x) that moves only unit axes   ==>  reshape(x)
 *     add(x, x)                                ==>  mul(x, 2)
 *
 * Terminates: constants move back, chains get shorter, transposes and equal operands fewer.
 */
#include "passes/layout/layout.h"
#include "passes/support/match.h"

static bool
merge_reshapes(nashc_rw *rw, nashc_node *n)
{
    nashc_node *first = nashc_value_def_by(nashc_node_in(n, 0), "nn.reshape");

    if (!first)
        return false;
    nashc_rw_replace(
        rw, nashc_node_out(n, 0),
        layout_relabelled(rw, nashc_node_in(first, 0), nashc_value_type(nashc_node_out(n, 0))));
    return true;
}

static bool
ascending(const int64_t *v, int n)
{
    for (int i = 1; i < n; i++)
        if (v[i] < v[i - 1])
            return false;
    return true;
}

static bool
merge_transposes(nashc_rw *rw, nashc_node *n)
{
    nashc_node *first = nashc_value_def_by(nashc_node_in(n, 0), "nn.transpose");
    int64_t both[NASHC_MAX_RANK] = {0};
    int n_p, n_q;

    if (!first)
        return false;
    const int64_t *p = nashc_node_ints(first, "perm", &n_p);
    const int64_t *q = nashc_node_ints(n, "perm", &n_q);
    for (int i = 0; i < n_q; i++)
        both[i] = p[q[i]];
    const nashc_type *x = nashc_value_type(nashc_node_in(first, 0));
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));
    if (ascending(both, n_q)) {
        nashc_rw_replace(rw, nashc_node_out(n, 0),
                         layout_relabelled(rw, nashc_node_in(first, 0), y));
        return true;
    }
    /* A transpose infers its layout from its permutation; both steps together may say otherwise. */
    bool plain = x->layout == NASHC_LAYOUT_DEFAULT && y->layout == NASHC_LAYOUT_DEFAULT;
    if (!plain || (both[0] == 0 && n_q > 0 && both[n_q - 1] == 1))
        return nashc_rw_miss(rw, n, "the layout would change");
    nashc_rw_replace(rw, nashc_node_out(n, 0),
                     nashc_rw_opf(rw, "nn.transpose", (nashc_value *[]){nashc_node_in(first, 0)}, 1,
                                  "perm=%s", nashc_rw_ints(rw, both, n_q)));
    return true;
}

static bool
transpose_to_reshape(nashc_rw *rw, nashc_node *n)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));
    int count;
    const int64_t *perm = nashc_node_ints(n, "perm", &count);
    int64_t last = -1;

    for (int i = 0; i < count; i++)
        if (x->dim[perm[i]] != 1) {
            if (perm[i] < last)
                return false;
            last = perm[i];
        }
    nashc_rw_replace(rw, nashc_node_out(n, 0), layout_relabelled(rw, nashc_node_in(n, 0), y));
    return true;
}

static bool
double_to_mul(nashc_rw *rw, nashc_node *n)
{
    nashc_value *x = nashc_node_in(n, 0);

    if (x != nashc_node_in(n, 1) || nashc_value_const(x))
        return false;
    nashc_rw_replace(rw, nashc_node_out(n, 0),
                     nashc_rw_op(rw, "nn.mul", (nashc_value *[]){x, nashc_rw_int(rw, 2)}, 2));
    return true;
}

static const nashc_pattern constant_last_pattern = {"*", match_constant_last};
static const nashc_pattern merge_reshapes_pattern = {"nn.reshape", merge_reshapes};
static const nashc_pattern merge_transposes_pattern = {"nn.transpose", merge_transposes};
static const nashc_pattern transpose_to_reshape_pattern = {"nn.transpose", transpose_to_reshape};
static const nashc_pattern double_to_mul_pattern = {"nn.add", double_to_mul};

const nashc_pass nashc_pass_canonicalize = {
    NASHC_DESC(nashc_pass),
    .name = "canonicalize",
    .help = "constants last, nested reshapes and transposes merged, x + x as 2 x",
    .patterns =
        (const nashc_pattern *const[]){&constant_last_pattern, &merge_reshapes_pattern,
                                       &merge_transposes_pattern, &transpose_to_reshape_pattern,
                                       &double_to_mul_pattern, NULL},
};
