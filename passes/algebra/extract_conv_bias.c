/* extract_conv_bias.c
 *
 *     conv(x, w, b)     ==>     conv(x, w) -- add b as [1,C,1,..]
 *
 * b is a constant, or a quantiser of constants (whose operands are reshaped too, so that it stays
 * recognisable), or anything else (then a reshape is inserted). Also for conv_transpose.
 * Terminates: each rewrite removes a bias operand.
 */
#include "passes/support/match.h"

/* v as a vector along the channel axis of type y. */
static nashc_value *
along_channels(nashc_rw *rw, nashc_value *v, const nashc_type *y)
{
    int64_t n = nashc_type_count(nashc_value_type(v));
    nashc_type shape = match_vector(y, nashc_type_channel_axis(y), n);
    const nashc_tensor *t = nashc_value_const(v);

    if (t && n == 1)
        return v;
    if (t)
        return nashc_rw_const(rw, nashc_tensor_reshaped((nashc_tensor *)t, shape.rank, shape.dim));
    return nashc_rw_opf(rw, "nn.reshape", (nashc_value *[]){v}, 1, "shape=%s",
                        nashc_rw_ints(rw, shape.dim, shape.rank));
}

static bool
extract(nashc_rw *rw, nashc_node *conv)
{
    nashc_value *b = nashc_node_in(conv, 2);
    const nashc_type *y = nashc_value_type(nashc_node_out(conv, 0));

    if (!b)
        return false;

    nashc_node *q = match_quantised(b);
    nashc_value *bias;
    if (q) {
        nashc_value *in[4];
        for (int i = 0; i < nashc_node_n_in(q); i++)
            in[i] = along_channels(rw, nashc_node_in(q, i), y);
        nashc_rw_loc(rw, q);
        bias = nashc_rw_like(rw, q, in, nashc_node_n_in(q));
        nashc_rw_loc(rw, conv);
    } else {
        bias = along_channels(rw, b, y);
    }
    nashc_value *in[] = {nashc_node_in(conv, 0), nashc_node_in(conv, 1)};
    nashc_value *sum = nashc_rw_like(rw, conv, in, 2);
    nashc_rw_replace(rw, nashc_node_out(conv, 0),
                     nashc_rw_op(rw, "nn.add", (nashc_value *[]){sum, bias}, 2));
    return true;
}

static const nashc_pattern extract_pattern = {"nn.conv", extract};
static const nashc_pattern extract_transpose_pattern = {"nn.conv_transpose", extract};

const nashc_pass nashc_pass_extract_conv_bias = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_INEXACT,
    .name = "extract-conv-bias",
    .alias = "ExtractBiasFromConv",
    .help = "the bias of a convolution as an add behind it",
    .patterns = (const nashc_pattern *const[]){&extract_pattern, &extract_transpose_pattern, NULL},
};
