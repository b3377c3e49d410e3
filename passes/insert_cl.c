/* insert_cl.c
 *
 *     op(x, w)     ==>     x -- to channels-last -- op(x', w') -- to channels-first
 *
 * for conv, conv_transpose, pools and batchnorm on channels-first tensors of rank 3 and 4. Weights
 * of convolutions turn as well; kernels, strides and paddings count spatial axes only and stay.
 * Terminates: the new ops are channels-last.
 */
#include "match.h"

static bool
insert(nashc_rw *rw, nashc_node *n)
{
    nashc_value *x = nashc_node_in(n, 0);
    const nashc_type *type = nashc_value_type(x);
    bool weights = nashc_node_is(n, "nn.conv") || nashc_node_is(n, "nn.conv_transpose");
    int n_in = nashc_node_n_in(n);
    nashc_value *in[5] = {0};

    if (type->layout != NASHC_LAYOUT_DEFAULT)
        return false;
    if (type->rank != 3 && type->rank != 4)
        return nashc_rw_miss(rw, n, "there is no channels-last layout of rank %d", type->rank);
    if (nashc_layout_none(x))
        return nashc_rw_miss(rw, n, "its data operand is constant");
    for (int i = 0; i < n_in; i++)
        in[i] = nashc_node_in(n, i);
    in[0] = nashc_layout_last(rw, x, type->rank);
    if (weights)
        in[1] = nashc_layout_last(rw, in[1], type->rank);
    nashc_value *y = nashc_rw_like(rw, n, in, n_in);
    nashc_rw_replace(rw, nashc_node_out(n, 0), nashc_layout_first(rw, y, type->rank));
    return true;
}

static const nashc_pattern patterns[] = {
    {"nn.conv", insert},    {"nn.conv_transpose", insert}, {"nn.maxpool", insert},
    {"nn.avgpool", insert}, {"nn.sumpool", insert},        {"nn.batchnorm", insert},
};

const nashc_pass nashc_pass_insert_cl = {
    NASHC_DESC(nashc_pass),
    .name = "insert-cl",
    .alias = "InsertChannelsLastDomainsAndTrafos",
    .help = "run convolutions, pools and batchnorms channels-last, between two transposes",
    .patterns = (const nashc_pattern *const[]){&patterns[0], &patterns[1], &patterns[2],
                                               &patterns[3], &patterns[4], &patterns[5], NULL},
};
