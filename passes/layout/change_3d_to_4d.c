/* change_3d_to_4d.c
 *
 *     conv1d(x [N,C,L], w)     ==>     reshape [N,C,L,1] -- conv2d w [O,C,k,1] -- reshape [N,O,L']
 *
 * also for conv_transpose and pools of rank 3. Neighbouring reshapes merge under canonicalize, so
 * that a chain of such ops stays in four dimensions.
 * Terminates: the new ops have rank 4.
 */
#include <nashc/rewrite.h>

static const char *
widened(nashc_rw *rw, const nashc_node *n, const char *attr, int64_t fill)
{
    int count;
    const int64_t *v = nashc_node_ints(n, attr, &count);

    if (count == 0)
        return "[]";
    if (count == 1)
        return nashc_rw_ints(rw, (int64_t[]){v[0], fill}, 2);
    return nashc_rw_ints(rw, (int64_t[]){v[0], fill, v[1], fill}, 4);
}

static nashc_value *
with_axis(nashc_rw *rw, nashc_value *v)
{
    const nashc_type *t = nashc_value_type(v);
    int64_t dim[4] = {t->dim[0], t->dim[1], t->dim[2], 1};
    nashc_tensor *data = (nashc_tensor *)nashc_value_const(v);

    if (data)
        return nashc_rw_const(rw, nashc_tensor_reshaped(data, 4, dim));
    return nashc_rw_opf(rw, "nn.reshape", &v, 1, "shape=%s", nashc_rw_ints(rw, dim, 4));
}

/* A new node like n with its spatial attributes widened. */
static nashc_value *
planar(nashc_rw *rw, const nashc_node *n, nashc_value *const *in, int n_in)
{
    const char *stride = widened(rw, n, "stride", 1), *pads = widened(rw, n, "pads", 0);
    const char *dilation = widened(rw, n, "dilation", 1), *kernel = widened(rw, n, "kernel", 1);
    const char *op = nashc_node_opname(n);

    if (nashc_node_is(n, "nn.conv"))
        return nashc_rw_opf(rw, op, in, n_in, "stride=%s pads=%s dilation=%s group=%" PRId64,
                            stride, pads, dilation, nashc_node_int(n, "group"));
    if (nashc_node_is(n, "nn.conv_transpose"))
        return nashc_rw_opf(rw, op, in, n_in,
                            "stride=%s pads=%s dilation=%s output_padding=%s group=%" PRId64,
                            stride, pads, dilation, widened(rw, n, "output_padding", 0),
                            nashc_node_int(n, "group"));
    return nashc_rw_opf(rw, op, in, n_in, "kernel=%s stride=%s pads=%s dilation=%s ceil=%s%s",
                        kernel, stride, pads, dilation,
                        nashc_node_int(n, "ceil") ? "true" : "false",
                        nashc_node_int(n, "count_include_pad") ? " count_include_pad=true" : "");
}

static bool
to_4d(nashc_rw *rw, nashc_node *n)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));
    bool weights = nashc_node_is(n, "nn.conv") || nashc_node_is(n, "nn.conv_transpose");

    if (x->rank != 3)
        return false;
    if (x->layout != NASHC_LAYOUT_DEFAULT)
        return nashc_rw_miss(rw, n, "it is channels-last");
    nashc_value *in[] = {nashc_node_in(n, 0), nashc_node_in(n, 1), nashc_node_in(n, 2)};
    in[0] = with_axis(rw, in[0]);
    if (weights)
        in[1] = with_axis(rw, in[1]);
    nashc_value *v = planar(rw, n, in, nashc_node_n_in(n));
    nashc_rw_replace(
        rw, nashc_node_out(n, 0),
        nashc_rw_opf(rw, "nn.reshape", &v, 1, "shape=%s", nashc_rw_ints(rw, y->dim, y->rank)));
    return true;
}

static const nashc_pattern patterns[] = {
    {"nn.conv", to_4d},    {"nn.conv_transpose", to_4d}, {"nn.maxpool", to_4d},
    {"nn.avgpool", to_4d}, {"nn.sumpool", to_4d},
};

const nashc_pass nashc_pass_change_3d_to_4d = {
    NASHC_DESC(nashc_pass),
    .name = "change-3d-to-4d",
    .alias = "Change3DTo4DTensors",
    .help = "one-dimensional convolutions and pools as two-dimensional ones",
    .patterns = (const nashc_pattern *const[]){&patterns[0], &patterns[1], &patterns[2],
                                               &patterns[3], &patterns[4], NULL},
};
