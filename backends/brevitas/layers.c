/* layers.c: layers with parameters: convolutions, products, batch normalisation. */
#include "brevitas.h"
#include <stdlib.h>
#include <string.h>

/* --- weights --------------------------------------------------------------------------------- */

const nashc_node *
brev_weights(const nashc_node *n, int k)
{
    const nashc_node *q = nashc_value_def(nashc_node_in(n, k));
    bool known = q && (nashc_node_is(q, "q.quant") || nashc_node_is(q, "q.bipolar_quant"));

    return known && nashc_value_const(nashc_node_in(q, 0)) ? q : NULL;
}

static bool
is_sign(const nashc_node *q)
{
    return nashc_node_is(q, "q.bipolar_quant") ||
           strcmp(nashc_node_str(q, "rounding"), "sign") == 0;
}

const char *
brev_weight_text(brev *b, const nashc_node *q, int64_t channels)
{
    const nashc_value *scale = nashc_node_in(q, 1);
    bool per_channel = nashc_value_type(scale)->rank > 0 &&
                       nashc_tensor_count(nashc_value_const(scale)) == channels && channels > 1;
    bool sign, narrow;

    if (is_sign(q) && !per_channel)
        return nashc_arena_printf(
            b->a, "weight_quant=SignedBinaryWeightPerTensorConst, weight_scaling_init=%.9g",
            brev_scalar(scale));
    if (is_sign(q))
        return "weight_quant=SignWeight, weight_scaling_per_output_channel=True";
    int bits = brev_bits(nashc_node_int(q, "qmin"), nashc_node_int(q, "qmax"), &sign, &narrow);
    return nashc_arena_printf(b->a, "weight_quant=%s, weight_bit_width=%d%s",
                              per_channel ? "ChannelWeight" : "TensorWeight", bits,
                              narrow ? "" : ", weight_narrow_range=False");
}

static nashc_status
check_weights(brev *b, const nashc_node *n, int64_t channels)
{
    const nashc_node *q = brev_weights(n, 1);
    bool sign = true, narrow;

    if (!q)
        return brev_refuse(b, n, "its weights are no quantised constant");
    if (!nashc_value_one_use(nashc_node_out(q, 0)))
        return brev_refuse(b, n, "its weights are read elsewhere too");
    int64_t scales = nashc_tensor_count(nashc_value_const(nashc_node_in(q, 1)));
    if (scales != 1 && scales != channels)
        return brev_refuse(b, n, "the scales of its weights are not one an output channel");
    if (nashc_node_is(q, "q.quant") && !is_sign(q) &&
        (!brev_bits(nashc_node_int(q, "qmin"), nashc_node_int(q, "qmax"), &sign, &narrow) || !sign))
        return brev_refuse(b, n, "its weights are of no signed integer type");
    const nashc_value *bias = nashc_node_n_in(n) > 2 ? nashc_node_in(n, 2) : NULL;
    if (bias && !nashc_value_const(bias))
        return brev_refuse(b, n, "its bias is computed");
    return NASHC_OK;
}

static void
weight_row(brev *b, const nashc_node *n, bool turned)
{
    const nashc_value *bias = nashc_node_n_in(n) > 2 ? nashc_node_in(n, 2) : NULL;

    nashc_out_printf(b->f, "        \"%s\": (\"%s.weight\", %s),\n",
                     nashc_value_name(nashc_node_in(brev_weights(n, 1), 0)), brev_module(b, n),
                     turned ? "True" : "False");
    if (bias)
        nashc_out_printf(b->f, "        \"%s\": (\"%s.bias\", False),\n", nashc_value_name(bias),
                         brev_module(b, n));
}

static const char *
bias_text(const nashc_node *n)
{
    return nashc_node_n_in(n) > 2 && nashc_node_in(n, 2) ? "True" : "False";
}

static void
call_module(brev *b, const nashc_node *n)
{
    nashc_out_printf(b->f, "self.%s(%s)", brev_module(b, n), brev_in(b, n, 0));
}

/* --- convolutions ---------------------------------------------------------------------------- */

static nashc_status
conv_check(brev *b, const nashc_node *n)
{
    const nashc_type *w = nashc_value_type(nashc_node_in(n, 1));

    if (w->rank != 3 && w->rank != 4)
        return brev_refuse(b, n, "only one and two axes of space are known");
    return check_weights(b, n, w->dim[0]);
}

static void
conv_module(brev *b, const nashc_node *n)
{
    const nashc_type *w = nashc_value_type(nashc_node_in(n, 1));
    int64_t group = nashc_node_int(n, "group");
    int axes, k;
    bool even;
    const int64_t *pads = brev_pads(n, &axes, &even), *stride = nashc_node_ints(n, "stride", &k);

    nashc_out_printf(b->f, "qnn.QuantConv%dd(%" PRId64 ", %" PRId64 ", %s", w->rank - 2,
                     w->dim[1] * group, w->dim[0], brev_tuple(b, w->dim + 2, w->rank - 2));
    if (k)
        nashc_out_printf(b->f, ", stride=%s", brev_tuple(b, stride, k));
    if (even && axes)
        nashc_out_printf(b->f, ", padding=%s", brev_tuple(b, pads, axes));
    const int64_t *dilation = nashc_node_ints(n, "dilation", &k);
    if (k)
        nashc_out_printf(b->f, ", dilation=%s", brev_tuple(b, dilation, k));
    if (group > 1)
        nashc_out_printf(b->f, ", groups=%" PRId64, group);
    nashc_out_printf(b->f, ", bias=%s,\n%24s%s)", bias_text(n), "",
                     brev_weight_text(b, brev_weights(n, 1), w->dim[0]));
}

static void
conv_call(brev *b, const nashc_node *n)
{
    int axes;
    bool even;
    const int64_t *pads = brev_pads(n, &axes, &even);

    if (even) {
        call_module(b, n);
        return;
    }
    nashc_out_printf(b->f, "self.%s(F.pad(%s, (", brev_module(b, n), brev_in(b, n, 0));
    for (int i = axes - 1; i >= 0; i--) /* PyTorch counts axes from the last */
        nashc_out_printf(b->f, "%" PRId64 ", %" PRId64 "%s", pads[i], pads[axes + i],
                         i ? ", " : "");
    nashc_out_printf(b->f, ")))");
}

static void
conv_table(brev *b, const nashc_node *n)
{
    weight_row(b, n, false);
}

/* --- products -------------------------------------------------------------------------------- */

static bool
is_turned(const nashc_node *n)
{
    return nashc_node_is(n, "nn.matmul") || !nashc_node_bool(n, "trans_b");
}

static nashc_status
linear_check(brev *b, const nashc_node *n)
{
    const nashc_type *w = nashc_value_type(nashc_node_in(n, 1));

    if (w->rank != 2 || nashc_value_type(nashc_node_in(n, 0))->rank != 2)
        return brev_refuse(b, n, "only products with a matrix are known");
    if (nashc_node_is(n, "nn.gemm") &&
        (nashc_node_bool(n, "trans_a") || nashc_node_float(n, "alpha") != 1.0 ||
         nashc_node_float(n, "beta") != 1.0))
        return brev_refuse(b, n, "its first operand is transposed, or it has factors");
    return check_weights(b, n, w->dim[is_turned(n) ? 1 : 0]);
}

static void
linear_module(brev *b, const nashc_node *n)
{
    const nashc_type *w = nashc_value_type(nashc_node_in(n, 1));
    bool turned = is_turned(n);
    int64_t out = w->dim[turned ? 1 : 0];

    nashc_out_printf(b->f, "qnn.QuantLinear(%" PRId64 ", %" PRId64 ", bias=%s, %s)",
                     w->dim[turned ? 0 : 1], out, bias_text(n),
                     brev_weight_text(b, brev_weights(n, 1), out));
}

static void
linear_table(brev *b, const nashc_node *n)
{
    weight_row(b, n, is_turned(n));
}

/* --- batch normalisation --------------------------------------------------------------------- */

static nashc_status
norm_check(brev *b, const nashc_node *n)
{
    int rank = nashc_value_type(nashc_node_in(n, 0))->rank;

    for (int k = 1; k < 5; k++)
        if (!nashc_value_const(nashc_node_in(n, k)))
            return brev_refuse(b, n, "a parameter of it is computed");
    return rank >= 2 && rank <= 4 ? NASHC_OK : brev_refuse(b, n, "it has too many axes");
}

static void
norm_module(brev *b, const nashc_node *n)
{
    int rank = nashc_value_type(nashc_node_in(n, 0))->rank;

    nashc_out_printf(b->f, "nn.BatchNorm%dd(%" PRId64 ", eps=%.9g)", rank < 4 ? 1 : 2,
                     nashc_tensor_count(nashc_value_const(nashc_node_in(n, 1))),
                     nashc_node_float(n, "eps"));
}

static void
norm_table(brev *b, const nashc_node *n)
{
    static const char *const part[] = {"weight", "bias", "running_mean", "running_var"};

    for (int k = 0; k < 4; k++)
        nashc_out_printf(b->f, "        \"%s\": (\"%s.%s\", False),\n",
                         nashc_value_name(nashc_node_in(n, k + 1)), brev_module(b, n), part[k]);
}

const brev_emitter brev_layers[] = {
    {"nn.conv", conv_check, conv_module, conv_call, conv_table},
    {"nn.gemm", linear_check, linear_module, call_module, linear_table},
    {"nn.matmul", linear_check, linear_module, call_module, linear_table},
    {"nn.batchnorm", norm_check, norm_module, call_module, norm_table},
    {0},
};
