/* insert_cl.c
 *
 *     op(x, w)     ==>     x -- to channels-last -- op(x', w') -- to channels-first
 *
 * for ops with NASHC_TURN_FLOAT (conv, conv_transpose, pools, batchnorm) on channels-first tensors
 * of rank 3 and 4, and for every other op on integers that has a rule: hardware wants the channels
 * innermost.
 * Weights of convolutions turn as well; kernels, strides and paddings count spatial axes only and
 * stay. An op on integers beside a matmul of rank 3 or 4, or in front of [0,3,1,2], stays: its
 * channels are last, whatever the layout is called. Terminates: the new ops are channels-last.
 */
#include "layout.h"
#include <nashc/rewrite.h>

static bool
has_channels_last(const nashc_node *n)
{
    int count;

    if (nashc_node_is(n, "nn.transpose")) {
        const int64_t *perm = nashc_node_ints(n, "perm", &count);
        return count == 4 && perm[0] == 0 && perm[1] == 3 && perm[2] == 1;
    }
    return (nashc_node_is(n, "nn.matmul") || nashc_node_is(n, "nn.gemm")) &&
           nashc_value_type(nashc_node_out(n, 0))->rank > 2;
}

/* Is a neighbour of n of the kind above? */
static bool
beside_last(nashc_rw *rw, const nashc_node *n)
{
    int count;

    for (int i = 0; i < nashc_node_n_in(n); i++) {
        const nashc_value *v = nashc_node_in(n, i);
        const nashc_node *def = v ? nashc_value_def(v) : NULL;
        if (def && !nashc_node_is(def, "nn.transpose") && has_channels_last(def))
            return true;
    }
    for (int k = 0; k < nashc_node_n_out(n); k++) {
        nashc_node **users = nashc_value_users(nashc_node_out(n, k), nashc_rw_arena(rw), &count);
        for (int i = 0; i < count; i++)
            if (has_channels_last(users[i]))
                return true;
    }
    return false;
}

static bool
is_integer_data(const nashc_value *v)
{
    const nashc_type *t = v ? nashc_value_type(v) : NULL;

    return t && !nashc_value_const(v) && nashc_type_is_int(t) && (t->rank == 3 || t->rank == 4);
}

static bool
insert(nashc_rw *rw, nashc_node *n)
{
    const nashc_layout_rule *r = layout_rule(n);
    bool integer = false;

    if (r && r->flags & NASHC_TURN_FLOAT)
        return layout_channels_last(rw, n);
    for (int i = 0; i < nashc_node_n_in(n); i++)
        integer |= is_integer_data(nashc_node_in(n, i));
    for (int i = 0; i < nashc_node_n_out(n); i++)
        integer |= is_integer_data(nashc_node_out(n, i));
    if (!integer || layout_to_last(n) || layout_to_first(n))
        return false;
    if (beside_last(rw, n))
        return nashc_rw_miss(rw, n, "its channels are last already");
    return layout_channels_last(rw, n);
}

static const nashc_pattern pattern = {"*", insert};

const nashc_pass nashc_pass_insert_cl = {
    NASHC_DESC(nashc_pass),
    .name = "insert-cl",
    .alias = "InsertChannelsLastDomainsAndTrafos",
    .help = "run convolutions, pools, batchnorms and ops on integers channels-last",
    .patterns = (const nashc_pattern *const[]){&pattern, NULL},
};
