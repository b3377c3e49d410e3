/* transpose.c: what the passes between channels-first and channels-last share.
 *
 *     to last    [0,2,3,1], [0,2,1]      to first    [0,3,1,2], [0,2,1]
 *
 * The permutations of rank 3 are the same both ways; the layouts of the types tell them apart.
 */
#include "layout.h"
#include "passes/support/match.h"

static const int to_last[2][4] = {{0, 2, 1}, {0, 2, 3, 1}};
static const int to_first[2][4] = {{0, 2, 1}, {0, 3, 1, 2}};

static bool
is_transpose(const nashc_node *n, bool last)
{
    int count;

    if (!nashc_node_is(n, "nn.transpose"))
        return false;
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));
    const nashc_type *cf = last ? x : y, *cl = last ? y : x;
    if (x->rank != 3 && x->rank != 4)
        return false;
    const int *want = last ? to_last[x->rank - 3] : to_first[x->rank - 3];
    const int64_t *perm = nashc_node_ints(n, "perm", &count);
    for (int i = 0; i < count; i++)
        if (perm[i] != want[i])
            return false;
    return cf->layout == NASHC_LAYOUT_DEFAULT && cl->layout != NASHC_LAYOUT_DEFAULT;
}

bool
layout_to_last(const nashc_node *n)
{
    return is_transpose(n, true);
}

bool
layout_to_first(const nashc_node *n)
{
    return is_transpose(n, false);
}

bool
layout_none(const nashc_value *v)
{
    return v && (nashc_value_const(v) || match_quantised(v));
}

static nashc_value *
permuted_const(nashc_rw *rw, nashc_value *v, const int *perm, int rank)
{
    nashc_tensor *t = (nashc_tensor *)nashc_value_const(v);
    const nashc_type *type = nashc_tensor_type(t);
    int64_t dim[4];

    if (nashc_tensor_is_scalar(t) && type->rank < rank)
        return v;
    for (int i = 0; i < rank; i++)
        dim[i] = i < rank - type->rank ? 1 : type->dim[i - (rank - type->rank)];
    nashc_tensor *wide = nashc_tensor_reshaped(t, rank, dim);
    nashc_value *c = nashc_rw_const(rw, wide ? nashc_tensor_transposed(wide, perm) : NULL);
    nashc_tensor_unref(wide);
    return c;
}

static nashc_value *
permuted(nashc_rw *rw, nashc_value *v, const int *perm, int rank)
{
    nashc_node *q = match_quantised(v);

    if (!v)
        return NULL;
    if (nashc_value_const(v))
        return permuted_const(rw, v, perm, rank);
    if (q) {
        nashc_value *in[4] = {0};
        for (int i = 0; i < nashc_node_n_in(q) && i < 4; i++)
            in[i] = permuted_const(rw, nashc_node_in(q, i), perm, rank);
        return nashc_rw_like(rw, q, in, nashc_node_n_in(q));
    }
    int64_t p[4];
    for (int i = 0; i < rank; i++)
        p[i] = perm[i];
    return nashc_rw_opf(rw, "nn.transpose", &v, 1, "perm=%s", nashc_rw_ints(rw, p, rank));
}

nashc_value *
layout_last(nashc_rw *rw, nashc_value *v, int rank)
{
    return permuted(rw, v, to_last[rank - 3], rank);
}

nashc_value *
layout_first(nashc_rw *rw, nashc_value *v, int rank)
{
    return permuted(rw, v, to_first[rank - 3], rank);
}

nashc_value *
layout_relabelled(nashc_rw *rw, nashc_value *v, const nashc_type *type)
{
    static const char *const names[] = {"DEFAULT", "NHWC", "NWC"};

    if (nashc_type_same_shape(nashc_value_type(v), type))
        return v;
    return nashc_rw_opf(rw, "nn.reshape", &v, 1, "shape=%s layout=%s",
                        nashc_rw_ints(rw, type->dim, type->rank), names[type->layout]);
}
