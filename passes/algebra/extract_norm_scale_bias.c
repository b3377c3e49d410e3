/* extract_norm_scale_bias.c
 *
 *     layer_norm(x, scale, bias)     ==>     layer_norm(x, 1) -- mul scale -- add bias
 *
 * Terminates: the new layer_norm has scale 1 and no bias, which is left alone.
 */
#include "passes/support/number.h"

static bool
extract(nashc_rw *rw, nashc_node *n)
{
    nashc_value *scale = nashc_node_in(n, 1), *bias = nashc_node_in(n, 2);
    const nashc_tensor *t = nashc_value_const(scale);

    if (!t)
        return nashc_rw_miss(rw, n, "the scale is not a constant");
    if (!bias && nashc_tensor_all_eq(t, 1.0))
        return false;
    number one = number_new(rw, nashc_tensor_type(t), false);
    for (int64_t i = 0; one.v && i < one.n; i++)
        one.v[i] = 1.0;

    nashc_value *in[] = {nashc_node_in(n, 0), number_const(rw, &one)};
    nashc_value *y = nashc_rw_like(rw, n, in, 2);
    if (!nashc_tensor_all_eq(t, 1.0))
        y = nashc_rw_op(rw, "nn.mul", (nashc_value *[]){y, scale}, 2);
    if (bias)
        y = nashc_rw_op(rw, "nn.add", (nashc_value *[]){y, bias}, 2);
    nashc_rw_replace(rw, nashc_node_out(n, 0), y);
    return true;
}

static const nashc_pattern extract_pattern = {"nn.layer_norm", extract};

const nashc_pass nashc_pass_extract_norm_scale_bias = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_INEXACT,
    .name = "extract-norm-scale-bias",
    .alias = "ExtractNormScaleBias",
    .help = "scale and bias of a layer_norm as a mul and an add behind it",
    .patterns = (const nashc_pattern *const[]){&extract_pattern, NULL},
};
