/* rules.c: how the built-in ops run channels-last: descriptors of the interface "channels-last". */
#include "layout.h"
#include <nashc/rewrite.h>
#include <string.h>

/* Bit set of the CF axes that n reduces or compares along. */
unsigned
layout_reduced(const nashc_node *n)
{
    int count, rank = nashc_value_type(nashc_node_in(n, 0))->rank;
    const int64_t *axes = nashc_node_ints(n, "axes", &count);
    int64_t axis = nashc_node_int(n, "axis");
    unsigned set = 0;

    if (nashc_attr_index(n, "axes") < 0)
        return 1u << (axis < 0 ? axis + rank : axis);
    for (int i = 0; i < count; i++)
        set |= 1u << (axes[i] < 0 ? axes[i] + rank : axes[i]);
    return count ? set : (1u << rank) - 1u;
}

/* Sums of floats must keep their order: not channels together with positions. */
static bool
may_reduce(nashc_rw *rw, nashc_node *n)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    bool sum = nashc_node_is(n, "nn.reduce_sum") || nashc_node_is(n, "nn.reduce_mean");
    bool positions = false;

    for (int a = 2; a < x->rank; a++)
        positions |= x->dim[a] > 1 && layout_reduced(n) >> a & 1u;
    if (sum && nashc_type_is_float(nashc_value_type(nashc_node_out(n, 0))) && positions &&
        x->dim[1] > 1 && layout_reduced(n) >> 1 & 1u)
        return nashc_rw_miss(rw, n, "its sums of floats would change their order");
    return true;
}

static bool
may_resize(nashc_rw *rw, nashc_node *n)
{
    int count, n_scales;
    const int64_t *sizes = nashc_node_ints(n, "sizes", &count);
    const double *scales = nashc_node_floats(n, "scales", &n_scales);
    bool channels = sizes[1] != nashc_value_type(nashc_node_in(n, 0))->dim[1] ||
                    (n_scales > 1 && scales[1] != 1.0);

    if (channels && strcmp(nashc_node_str(n, "mode"), "nearest") != 0)
        return nashc_rw_miss(rw, n, "its sums of floats would change their order");
    return true;
}

static bool
may_gather(nashc_rw *rw, nashc_node *n)
{
    int rank = nashc_value_type(nashc_node_in(n, 1))->rank;

    return rank == 1 || nashc_rw_miss(rw, n, "its index has rank %d", rank);
}

static bool
may_expand(nashc_rw *rw, nashc_node *n)
{
    if (nashc_value_type(nashc_node_out(n, 0))->rank != nashc_value_type(nashc_node_in(n, 0))->rank)
        return nashc_rw_miss(rw, n, "it adds axes");
    return true;
}

/* --- the rules ----------------------------------------------------------------------------------
 */

static const nashc_layout_rule weights = {
    NASHC_DESC(nashc_layout_rule),
    .flags = NASHC_TURN_WEIGHTS | NASHC_TURN_FLOAT,
};

const nashc_impl nashc_impl_channels_last_nn_conv = NASHC_IMPL_CHANNELS_LAST("nn.conv", &weights);
const nashc_impl nashc_impl_channels_last_nn_conv_transpose =
    NASHC_IMPL_CHANNELS_LAST("nn.conv_transpose", &weights);

static const nashc_layout_rule windows = {
    NASHC_DESC(nashc_layout_rule),
    .flags = NASHC_TURN_FLOAT,
};

const nashc_impl nashc_impl_channels_last_nn_maxpool =
    NASHC_IMPL_CHANNELS_LAST("nn.maxpool", &windows);
const nashc_impl nashc_impl_channels_last_nn_avgpool =
    NASHC_IMPL_CHANNELS_LAST("nn.avgpool", &windows);
const nashc_impl nashc_impl_channels_last_nn_sumpool =
    NASHC_IMPL_CHANNELS_LAST("nn.sumpool", &windows);

static const nashc_layout_rule images = {
    NASHC_DESC(nashc_layout_rule),
};

const nashc_impl nashc_impl_channels_last_nn_global_maxpool =
    NASHC_IMPL_CHANNELS_LAST("nn.global_maxpool", &images);
const nashc_impl nashc_impl_channels_last_nn_global_avgpool =
    NASHC_IMPL_CHANNELS_LAST("nn.global_avgpool", &images);
const nashc_impl nashc_impl_channels_last_nn_global_sumpool =
    NASHC_IMPL_CHANNELS_LAST("nn.global_sumpool", &images);
const nashc_impl nashc_impl_channels_last_nn_depth_to_space =
    NASHC_IMPL_CHANNELS_LAST("nn.depth_to_space", &images);
const nashc_impl nashc_impl_channels_last_nn_space_to_depth =
    NASHC_IMPL_CHANNELS_LAST("nn.space_to_depth", &images);

static const nashc_layout_rule rows_of_floats = {
    NASHC_DESC(nashc_layout_rule),
    .flags = NASHC_TURN_ROWS | NASHC_TURN_FLOAT,
};

const nashc_impl nashc_impl_channels_last_nn_batchnorm =
    NASHC_IMPL_CHANNELS_LAST("nn.batchnorm", &rows_of_floats);

static const nashc_layout_rule rows = {
    NASHC_DESC(nashc_layout_rule),
    .flags = NASHC_TURN_ROWS,
};

const nashc_impl nashc_impl_channels_last_q_multithreshold =
    NASHC_IMPL_CHANNELS_LAST("q.multithreshold", &rows);
const nashc_impl nashc_impl_channels_last_q_requant = NASHC_IMPL_CHANNELS_LAST("q.requant", &rows);
const nashc_impl nashc_impl_channels_last_q_lut = NASHC_IMPL_CHANNELS_LAST("q.lut", &rows);

static const nashc_layout_rule concat = {
    NASHC_DESC(nashc_layout_rule),
    .flags = NASHC_TURN_ALL,
    .axis = "axis",
};

const nashc_impl nashc_impl_channels_last_nn_concat =
    NASHC_IMPL_CHANNELS_LAST("nn.concat", &concat);

static const nashc_layout_rule axis = {
    NASHC_DESC(nashc_layout_rule),
    .axis = "axis",
};

const nashc_impl nashc_impl_channels_last_nn_split = NASHC_IMPL_CHANNELS_LAST("nn.split", &axis);
const nashc_impl nashc_impl_channels_last_nn_softmax =
    NASHC_IMPL_CHANNELS_LAST("nn.softmax", &axis);
const nashc_impl nashc_impl_channels_last_nn_log_softmax =
    NASHC_IMPL_CHANNELS_LAST("nn.log_softmax", &axis);
const nashc_impl nashc_impl_channels_last_nn_topk = NASHC_IMPL_CHANNELS_LAST("nn.topk", &axis);
const nashc_impl nashc_impl_channels_last_nn_argmax = NASHC_IMPL_CHANNELS_LAST("nn.argmax", &axis);

static const nashc_layout_rule gather = {
    NASHC_DESC(nashc_layout_rule),
    .axis = "axis",
    .may = may_gather,
};

const nashc_impl nashc_impl_channels_last_nn_gather =
    NASHC_IMPL_CHANNELS_LAST("nn.gather", &gather);

static const nashc_layout_rule axes = {
    NASHC_DESC(nashc_layout_rule),
    .axes = "axes",
};

const nashc_impl nashc_impl_channels_last_nn_slice = NASHC_IMPL_CHANNELS_LAST("nn.slice", &axes);
const nashc_impl nashc_impl_channels_last_nn_reduce_max =
    NASHC_IMPL_CHANNELS_LAST("nn.reduce_max", &axes);
const nashc_impl nashc_impl_channels_last_nn_reduce_min =
    NASHC_IMPL_CHANNELS_LAST("nn.reduce_min", &axes);

static const nashc_layout_rule sums = {
    NASHC_DESC(nashc_layout_rule),
    .axes = "axes",
    .may = may_reduce,
};

const nashc_impl nashc_impl_channels_last_nn_reduce_sum =
    NASHC_IMPL_CHANNELS_LAST("nn.reduce_sum", &sums);
const nashc_impl nashc_impl_channels_last_nn_reduce_mean =
    NASHC_IMPL_CHANNELS_LAST("nn.reduce_mean", &sums);

static const nashc_layout_rule pad = {
    NASHC_DESC(nashc_layout_rule),
    .lists = {"pads"},
};

const nashc_impl nashc_impl_channels_last_nn_pad = NASHC_IMPL_CHANNELS_LAST("nn.pad", &pad);

static const nashc_layout_rule tile = {
    NASHC_DESC(nashc_layout_rule),
    .lists = {"repeats"},
};

const nashc_impl nashc_impl_channels_last_nn_tile = NASHC_IMPL_CHANNELS_LAST("nn.tile", &tile);

static const nashc_layout_rule expand = {
    NASHC_DESC(nashc_layout_rule),
    .lists = {"shape"},
    .may = may_expand,
};

const nashc_impl nashc_impl_channels_last_nn_expand =
    NASHC_IMPL_CHANNELS_LAST("nn.expand", &expand);

static const nashc_layout_rule resize = {
    NASHC_DESC(nashc_layout_rule),
    .lists = {"sizes", "scales"},
    .may = may_resize,
};

const nashc_impl nashc_impl_channels_last_nn_resize =
    NASHC_IMPL_CHANNELS_LAST("nn.resize", &resize);

static const nashc_layout_rule reshape = {
    NASHC_DESC(nashc_layout_rule),
    .turn = layout_reshape_last,
};

const nashc_impl nashc_impl_channels_last_nn_reshape =
    NASHC_IMPL_CHANNELS_LAST("nn.reshape", &reshape);

static const nashc_layout_rule transpose = {
    NASHC_DESC(nashc_layout_rule),
    .turn = layout_transpose_last,
};

const nashc_impl nashc_impl_channels_last_nn_transpose =
    NASHC_IMPL_CHANNELS_LAST("nn.transpose", &transpose);

/* Ops without a rule that are element by element turn all operands. */
static const nashc_layout_rule eltwise = {
    NASHC_DESC(nashc_layout_rule),
    .flags = NASHC_TURN_ALL,
};

const nashc_layout_rule *
layout_rule(const nashc_node *n)
{
    nashc_ctx *c = nashc_module_ctx(nashc_graph_module(nashc_node_graph(n)));
    const nashc_layout_rule *r = nashc_impl_rule(c, "channels-last", nashc_node_opname(n));
    bool free = nashc_node_op(n)->flags & NASHC_OP_ELTWISE && nashc_node_n_out(n) == 1;

    return r ? r : free ? &eltwise : NULL;
}
