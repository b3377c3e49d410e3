/* conv.c: convolutions of the model on integers.
 *
 * Padding means real zeros. Where the integers have an offset, an explicit nn.pad in front pads
 * with the integer that stands for zero; off the grid of the integers, the offset of the result
 * varies over the border instead.
 */
#include "products_layer.h"

#include <inttypes.h>

/* x's integers behind an nn.pad with what stands for 0. NULL: that is off the grid. */
static nashc_value *
padded(si_walk *walk, const nashc_node *n, const si_value *x, const int64_t *pads, int spatial)
{
    const nashc_type *t = nashc_value_type(x->tensor->integer);
    int64_t all[2 * NASHC_MAX_RANK] = {0};
    int first = nashc_type_channel_axis(t) == 1 ? 2 : 1;
    si_array zero = si_scalar(walk->job, 0.0), padding;

    if (si_padding_fault(walk->job, x, t, &zero, &padding))
        return NULL;
    for (int i = 0; i < spatial; i++) {
        all[first + i] = pads[i];
        all[t->rank + first + i] = pads[spatial + i];
    }
    nashc_build_loc(walk->build, nashc_node_loc(n));
    nashc_value *in[2] = {x->tensor->integer, si_const_int(walk, &padding)};
    return si_emit(walk, "nn.pad", in, 2,
                   nashc_arena_printf(walk->job->arena, "pads=%s",
                                      nashc_build_ints(walk->build, all, 2 * t->rank)));
}

static const char *
attrs_without_pads(si_walk *walk, const nashc_node *n)
{
    int n_stride, n_dilation;
    const int64_t *stride = nashc_node_ints(n, "stride", &n_stride);
    const int64_t *dilation = nashc_node_ints(n, "dilation", &n_dilation);
    return nashc_arena_printf(walk->job->arena, "stride=%s dilation=%s group=%" PRId64,
                              nashc_build_ints(walk->build, stride, n_stride),
                              nashc_build_ints(walk->build, dilation, n_dilation),
                              nashc_node_int(n, "group"));
}

/* Offset of the result where padding with real zeros meets an offset off the grid: it depends on
 * the position, and is computed by convolving the offset itself. */
static bool
offset_map(si_walk *walk, const nashc_node *n, const si_value *x, si_array *out)
{
    const nashc_tensor *in[2] = {NULL, si_known(walk, nashc_node_in(n, 1))};
    nashc_tensor *result;
    if (!in[1])
        return false;
    in[0] = si_real_tensor(walk->job, nashc_value_type(nashc_node_in(n, 0)), &x->bias);
    return in[0] && si_eval(walk->job, n, NULL, NULL, in, 2, 1, &result) &&
           si_from_tensor(walk->job, result, out);
}

/* Of the memory of transposed weights, see products.h. */
static si_products
transposed_products(const nashc_type *x, const nashc_type *w, int64_t groups)
{
    si_products p = {.transposed = true, .last = nashc_type_channel_axis(x) != 1};
    p.axis = p.last ? w->rank - 1 : 1;
    p.group_size = w->dim[p.axis];
    p.outputs = p.group_size * groups;
    p.per_group = w->dim[0] / groups;
    p.terms = nashc_type_count(w) / p.outputs;
    p.taps = p.terms / p.per_group;
    return p;
}

static si_products
conv_products(const nashc_node *n)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    const nashc_type *w = nashc_value_type(nashc_node_in(n, 1));
    int64_t groups = nashc_node_int(n, "group");
    if (nashc_node_is(n, "nn.conv_transpose"))
        return transposed_products(x, w, groups);
    si_products p = {.by_tap = nashc_type_channel_axis(x) != 1, .outputs = w->dim[0], .w_k = 1};
    p.terms = p.w_o = nashc_type_count(w) / p.outputs;
    p.group_size = p.outputs / groups;
    p.per_group = w->dim[p.by_tap ? w->rank - 1 : 1];
    p.taps = p.terms / p.per_group;
    return p;
}

/* What the offset of x makes of the result; sets *zero: terms may be missing at the border. */
static bool
conv_offset(si_walk *walk, si_layer_build *build, bool *zero)
{
    nashc_node *n = build->n;
    int n_pads;
    const int64_t *pads = nashc_node_ints(n, "pads", &n_pads);
    bool transposed = build->p.transposed, pad = transposed; /* its outputs meet some of the taps */
    nashc_value *explicit_pad = NULL;
    for (int i = 0; i < n_pads; i++)
        pad = pad || pads[i];
    *zero = pad;
    if (si_zero(&build->x->bias))
        return true;
    if (pad && build->has_bias && !transposed)
        explicit_pad = padded(walk, n, build->x, pads, n_pads / 2);
    if (!build->has_bias || (pad && !explicit_pad))
        return !si_failed(walk->job) && offset_map(walk, n, build->x, &build->bias);
    if (explicit_pad) {
        build->layer.x = explicit_pad;
        build->layer.attrs = attrs_without_pads(walk, n);
    }
    *zero = false;
    return si_layer_offsets(walk->job, build);
}

/* The bias of the model, one number an output. */
static bool
add_bias(si_walk *walk, si_layer_build *build)
{
    nashc_value *v = nashc_node_in(build->n, 2);
    const nashc_tensor *t = v ? si_known(walk, v) : NULL;
    double *bias = t ? nashc_buf_to_f64(nashc_tensor_buf(t)) : NULL;
    int rank = nashc_value_type(nashc_node_out(build->n, 0))->rank;
    si_array a;
    bool ok = !v || (bias &&
                     si_per_axis(walk->job, bias, build->p.outputs, build->layer.axis, rank, &a) &&
                     si_zip(walk->job, &build->bias, &a, si_add, &build->bias));
    nashc_mem_free(bias);
    return ok;
}

/* In this order: the weights decide on the scale that offsets are made of. */
static bool
build_conv(si_walk *walk, si_layer_build *build)
{
    const si_products *p = &build->p;
    bool zero;
    if (!si_layer_begin(walk, build) || !conv_offset(walk, build, &zero) ||
        !add_bias(walk, build) || !si_layer_intervals(walk->job, build, zero))
        return false;
    build->layer.repeat = p->last ? 1 : p->transposed ? p->taps : p->terms;
    /* outputs of transposed groups share their place in w */
    return si_layer_emit(walk, build, !p->transposed || p->group_size == p->outputs);
}

/* Every output of a transposed convolution meets other taps, so an offset of x would make one of
 * its own for each: integers without it, where it is a whole multiple of the scale. */
static si_value *
without_offset(si_walk *walk, nashc_value *xv, si_value *x)
{
    si_job *job = walk->job;
    si_array c, zero = si_scalar(job, 0.0);
    if (si_zero(&x->bias) || !si_zip(job, &x->bias, &x->scale, si_div, &c) ||
        !si_round_to_integers(&c))
        return x;
    nashc_value *in[2] = {x->tensor->integer, si_const_int(walk, &c)};
    nashc_value *integer = in[1] ? si_emit(walk, "nn.add", in, 2, NULL) : NULL;
    si_tensor *tensor = integer ? si_new_tensor(job, integer, xv, &x->scale, &zero) : NULL;
    si_value *form = tensor ? si_alloc(job, 1, sizeof(*form)) : NULL;
    return form && si_make_affine(job, xv, tensor, &x->scale, &zero, form) ? form : x;
}

static bool
rebuild_conv(si_walk *walk, nashc_node *n)
{
    nashc_value *xv = nashc_node_in(n, 0), *w = nashc_node_in(n, 1);
    int axis = nashc_type_channel_axis(nashc_value_type(xv));
    si_value *x = si_affine(walk, xv);
    si_layer_build build;
    nashc_tensor *codes;
    si_array w_scale;

    if (!x)
        return false;
    if (!si_is_const(walk, w))
        return si_no(walk->job, "its weights are not constant");
    if (nashc_node_is(n, "nn.conv_transpose"))
        x = without_offset(walk, xv, x);
    if (si_failed(walk->job))
        return false;
    if (!si_weight_codes(walk, w, conv_products(n).axis, &codes, &w_scale))
        return false;
    if (!si_layer_operand(walk->job, n, x, axis, nashc_node_opname(n),
                          nashc_node_attr_text(n, walk->job->arena), &build))
        return si_no(walk->job, "the scale of its input varies along more than the channels");
    build.codes = codes;
    build.w_scale = w_scale;
    build.p = conv_products(n);
    build.layer.axis = nashc_type_channel_axis(nashc_value_type(nashc_node_out(n, 0)));
    bool ok = build_conv(walk, &build);
    si_layer_end(&build);
    return ok;
}

static int
conv_growth(si_walk *walk, const nashc_node *n)
{
    bool transposed = nashc_node_is(n, "nn.conv_transpose");
    return si_layer_growth(walk, nashc_node_in(n, 1), conv_products(n).axis, !transposed,
                           transposed);
}

static const nashc_integer_rule rule = {NASHC_DESC(nashc_integer_rule), .rebuild = rebuild_conv,
                                        .growth = conv_growth};

extern const nashc_impl nashc_impl_scaled_integer_nn_conv;
extern const nashc_impl nashc_impl_scaled_integer_nn_conv_transpose;
const nashc_impl nashc_impl_scaled_integer_nn_conv = NASHC_IMPL_SCALED_INTEGER("nn.conv", &rule);
const nashc_impl nashc_impl_scaled_integer_nn_conv_transpose =
    NASHC_IMPL_SCALED_INTEGER("nn.conv_transpose", &rule);
