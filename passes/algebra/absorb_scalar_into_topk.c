/* absorb_scalar_into_topk.c
 *
 *     x -- mul a>0 | add a | softmax | sigmoid | ... -- topk (indices only) | argmax
 *     ==>  x -- topk | argmax
 *
 * A strictly increasing map keeps the order, so the indices stay; the values would not, hence they
 * must be unused. a is a scalar; a softmax must run along the same axis.
 * (Rounding can make ties of values that differ; then the index found here is the right one.)
 * Terminates: each rewrite shortens the chain in front of the topk.
 */
#include "passes/support/match.h"

/* Same axis, counted from the front? */
static bool
same_axis(const nashc_node *a, const nashc_node *b)
{
    int rank = nashc_value_type(nashc_node_in(a, 0))->rank;
    int64_t i = nashc_node_int(a, "axis"), j = nashc_node_int(b, "axis");

    return (i < 0 ? i + rank : i) == (j < 0 ? j + rank : j);
}

/* The operand of f if f is strictly increasing along the axis of top; else NULL. */
static nashc_value *
through(nashc_rw *rw, nashc_node *f, const nashc_node *top)
{
    affine a;

    if (affine_of(f, "nn.mul", &a) || affine_of(f, "nn.add", &a)) {
        double v = nashc_tensor_get(a.t, 0);
        if (!nashc_tensor_is_scalar(a.t))
            nashc_rw_miss(rw, f, "the constant is not a scalar");
        else if (nashc_node_is(f, "nn.mul") && !(v > 0))
            nashc_rw_miss(rw, f, "the scale is not positive");
        else
            return a.x;
        return NULL;
    }
    if (nashc_node_is(f, "nn.softmax") || nashc_node_is(f, "nn.log_softmax")) {
        if (same_axis(f, top))
            return nashc_node_in(f, 0);
        nashc_rw_miss(rw, f, "the softmax runs along another axis");
        return NULL;
    }
    return nashc_node_is(f, "nn.sigmoid") || nashc_node_is(f, "nn.tanh") ? nashc_node_in(f, 0)
                                                                         : NULL;
}

static bool
absorb(nashc_rw *rw, nashc_node *top)
{
    nashc_node *f = nashc_value_def(nashc_node_in(top, 0));
    nashc_value *x = f ? through(rw, f, top) : NULL;
    bool topk = nashc_node_is(top, "nn.topk");

    if (!x)
        return false;
    if (topk && nashc_value_n_uses(nashc_node_out(top, 0)) > 0)
        return nashc_rw_miss(rw, top, "its values are used");
    nashc_rw_set_in(rw, top, 0, x);
    return true;
}

static const nashc_pattern absorb_topk_pattern = {"nn.topk", absorb};
static const nashc_pattern absorb_argmax_pattern = {"nn.argmax", absorb};

const nashc_pass nashc_pass_absorb_scalar_into_topk = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_INEXACT,
    .name = "absorb-scalar-into-topk",
    .alias = "AbsorbScalarMulAddIntoTopK",
    .help = "drop increasing maps in front of a topk or argmax",
    .patterns = (const nashc_pattern *const[]){&absorb_topk_pattern, &absorb_argmax_pattern, NULL},
};
