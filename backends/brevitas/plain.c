/* plain.c: operators without parameters: an expression of PyTorch each. */
#include "brevitas.h"
#include <string.h>

/* --- elementwise ----------------------------------------------------------------------------- */

static void
relu_call(brev *b, const nashc_node *n)
{
    nashc_out_printf(b->f, "F.relu(%s)", brev_in(b, n, 0));
}

static void
two_call(brev *b, const nashc_node *n)
{
    const char *sign = nashc_node_is(n, "nn.add") ? "+" : nashc_node_is(n, "nn.sub") ? "-" : "*";

    nashc_out_printf(b->f, "%s %s %s", brev_in(b, n, 0), sign, brev_in(b, n, 1));
}

static nashc_status
two_check(brev *b, const nashc_node *n)
{
    for (int k = 0; k < 2; k++) {
        const nashc_tensor *t = nashc_value_const(nashc_node_in(n, k));
        if (t && nashc_tensor_count(t) != 1)
            return brev_refuse(b, n, "an operand is a constant of more than one element");
    }
    return NASHC_OK;
}

/* --- pools ----------------------------------------------------------------------------------- */

static nashc_status
pool_check(brev *b, const nashc_node *n)
{
    int axes, k;
    bool even;
    brev_pads(n, &axes, &even);
    const int64_t *dilation = nashc_node_ints(n, "dilation", &k);

    for (int i = 0; i < k; i++)
        if (dilation[i] != 1)
            return brev_refuse(b, n, "its window is dilated");
    if (!even || nashc_value_type(nashc_node_in(n, 0))->rank != 4)
        return brev_refuse(b, n, "only windows on images with even padding are known");
    return NASHC_OK;
}

static void
pool_call(brev *b, const nashc_node *n)
{
    bool mean = nashc_node_is(n, "nn.avgpool"), even;
    int axes, k, s;
    const int64_t *pads = brev_pads(n, &axes, &even), one[2] = {1, 1};
    const int64_t *kernel = nashc_node_ints(n, "kernel", &k),
                  *stride = nashc_node_ints(n, "stride", &s);

    nashc_out_printf(b->f, "F.%s_pool2d(%s, %s, stride=%s", mean ? "avg" : "max", brev_in(b, n, 0),
                     brev_tuple(b, kernel, k), brev_tuple(b, s ? stride : one, 2));
    if (axes)
        nashc_out_printf(b->f, ", padding=%s", brev_tuple(b, pads, axes));
    if (nashc_node_bool(n, "ceil"))
        nashc_out_printf(b->f, ", ceil_mode=True");
    if (mean && !nashc_node_bool(n, "count_include_pad"))
        nashc_out_printf(b->f, ", count_include_pad=False");
    nashc_out_printf(b->f, ")");
}

static void
global_call(brev *b, const nashc_node *n)
{
    nashc_out_printf(b->f, "F.adaptive_%s_pool2d(%s, 1)",
                     nashc_node_is(n, "nn.global_avgpool") ? "avg" : "max", brev_in(b, n, 0));
}

static nashc_status
global_check(brev *b, const nashc_node *n)
{
    return nashc_value_type(nashc_node_in(n, 0))->rank == 4
               ? NASHC_OK
               : brev_refuse(b, n, "its input is no image");
}

/* --- shapes ---------------------------------------------------------------------------------- */

/* The batch stays the first axis. */
static nashc_status
reshape_check(brev *b, const nashc_node *n)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0)),
                     *y = nashc_value_type(nashc_node_out(n, 0));

    return x->rank > 0 && y->rank > 0 && x->dim[0] == y->dim[0]
               ? NASHC_OK
               : brev_refuse(b, n, "it changes the axis of the batch");
}

static void
reshape_call(brev *b, const nashc_node *n)
{
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));

    if (y->rank == 2) {
        nashc_out_printf(b->f, "torch.flatten(%s, 1)", brev_in(b, n, 0));
        return;
    }
    nashc_out_printf(b->f, "%s.reshape(-1", brev_in(b, n, 0));
    for (int i = 1; i < y->rank; i++)
        nashc_out_printf(b->f, ", %" PRId64, y->dim[i]);
    nashc_out_printf(b->f, ")");
}

static void
transpose_call(brev *b, const nashc_node *n)
{
    int k;
    const int64_t *perm = nashc_node_ints(n, "perm", &k);

    nashc_out_printf(b->f, "%s.permute%s", brev_in(b, n, 0),
                     k == 1 ? "(0)" : brev_list(b, perm, k));
}

static nashc_status
slice_check(brev *b, const nashc_node *n)
{
    int k;
    const int64_t *steps = nashc_node_ints(n, "steps", &k), *axes = nashc_node_ints(n, "axes", &k);

    for (int i = 0; i < k; i++)
        if (steps[i] < 1 || axes[i] < 1)
            return brev_refuse(b, n, "it runs backwards, or cuts the batch");
    return NASHC_OK;
}

static void
slice_call(brev *b, const nashc_node *n)
{
    int k;
    const int64_t *starts = nashc_node_ints(n, "starts", &k),
                  *ends = nashc_node_ints(n, "ends", &k);
    const int64_t *steps = nashc_node_ints(n, "steps", &k), *axes = nashc_node_ints(n, "axes", &k);

    nashc_out_printf(b->f, "%s[", brev_in(b, n, 0));
    for (int a = 0; a < nashc_value_type(nashc_node_in(n, 0))->rank; a++) {
        int at = 0;
        while (at < k && axes[at] != a)
            at++;
        nashc_out_printf(b->f, "%s", a ? ", " : "");
        if (at == k)
            nashc_out_printf(b->f, ":");
        else
            nashc_out_printf(b->f, "%" PRId64 ":%" PRId64 ":%" PRId64, starts[at], ends[at],
                             steps[at]);
    }
    nashc_out_printf(b->f, "]");
}

static void
concat_call(brev *b, const nashc_node *n)
{
    nashc_out_printf(b->f, "torch.cat([");
    for (int k = 0; k < nashc_node_n_in(n); k++)
        nashc_out_printf(b->f, "%s%s", k ? ", " : "", brev_in(b, n, k));
    nashc_out_printf(b->f, "], %" PRId64 ")", nashc_node_int(n, "axis"));
}

const brev_emitter brev_plain[] = {
    {"nn.relu", NULL, NULL, relu_call, NULL},
    {"nn.add", two_check, NULL, two_call, NULL},
    {"nn.sub", two_check, NULL, two_call, NULL},
    {"nn.mul", two_check, NULL, two_call, NULL},
    {"nn.maxpool", pool_check, NULL, pool_call, NULL},
    {"nn.avgpool", pool_check, NULL, pool_call, NULL},
    {"nn.global_avgpool", global_check, NULL, global_call, NULL},
    {"nn.global_maxpool", global_check, NULL, global_call, NULL},
    {"nn.reshape", reshape_check, NULL, reshape_call, NULL},
    {"nn.transpose", NULL, NULL, transpose_call, NULL},
    {"nn.slice", slice_check, NULL, slice_call, NULL},
    {"nn.concat", NULL, NULL, concat_call, NULL},
    {0},
};
