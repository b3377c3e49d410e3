/* resize_to_nhwc.c
 *
 *     x -- resize -- to channels-last -- y      ==>     x -- to channels-last -- resize' -- y
 *     x -- to channels-first -- resize -- y     ==>     x -- resize' -- to channels-first -- y
 *
 * Sizes and scales count all axes, so they turn with the data.
 * Terminates: a resize moves out of the channels-first region, never back.
 */
#include "match.h"

/* resize n on x, whose axes are those of n's operand permuted by perm. */
static nashc_value *
turned(nashc_rw *rw, nashc_node *n, nashc_value *x, const nashc_type *y)
{
    int n_scales, rank = y->rank;
    const double *scales = nashc_attr_floats(n, nashc_attr_index(n, "scales"), &n_scales);
    bool to_last = nashc_value_type(x)->layout != NASHC_LAYOUT_DEFAULT;
    int64_t sizes[NASHC_MAX_RANK] = {0};
    const char *text = "";

    for (int i = 0; i < rank; i++) {
        int from = to_last ? (i == 0 ? 0 : i == rank - 1 ? 1 : i + 1) : i;
        sizes[i] = y->dim[from];
        if (n_scales == rank)
            text = nashc_arena_printf(nashc_rw_arena(rw), "%s%s%.17g", text, i ? "," : "",
                                      scales[from]);
    }
    return nashc_rw_opf(rw, "nn.resize", &x, 1,
                        "sizes=%s mode=%s coord=%s nearest=%s scales=[%s] "
                        "cubic_a=%.17g",
                        nashc_rw_ints(rw, sizes, rank), nashc_match_str(n, "mode"),
                        nashc_match_str(n, "coord"), nashc_match_str(n, "nearest"), text,
                        nashc_attr_float(n, nashc_attr_index(n, "cubic_a")));
}

static bool
from_below(nashc_rw *rw, nashc_node *t)
{
    nashc_node *n = nashc_value_def_by(nashc_node_in(t, 0), "nn.resize");

    if (!n || !nashc_layout_to_last(t) || !nashc_match_sole(rw, n))
        return false;
    nashc_value *x = nashc_node_in(n, 0);
    if (nashc_layout_none(x))
        return nashc_rw_miss(rw, n, "its operand is constant");
    x = nashc_layout_last(rw, x, nashc_value_type(x)->rank);
    nashc_rw_loc(rw, n);
    nashc_rw_replace(rw, nashc_node_out(t, 0),
                     x ? turned(rw, n, x, nashc_value_type(nashc_node_out(n, 0))) : NULL);
    return true;
}

static bool
from_above(nashc_rw *rw, nashc_node *n)
{
    nashc_node *t = nashc_value_def(nashc_node_in(n, 0));

    if (!nashc_layout_to_first(t) || !nashc_match_sole(rw, t))
        return false;
    nashc_value *y = turned(rw, n, nashc_node_in(t, 0), nashc_value_type(nashc_node_out(n, 0)));
    nashc_rw_loc(rw, t);
    nashc_rw_replace(rw, nashc_node_out(n, 0), nashc_rw_like(rw, t, &y, 1));
    return true;
}

static const nashc_pattern from_below_pattern = {"nn.transpose", from_below};
static const nashc_pattern from_above_pattern = {"nn.resize", from_above};

const nashc_pass nashc_pass_resize_to_nhwc = {
    NASHC_DESC(nashc_pass),
    .name = "resize-to-nhwc",
    .alias = "MakeScaleResizeNHWC|AbsorbTransposeIntoResize|absorb-transpose-into-resize",
    .help = "run a resize channels-last where a transpose is next to it",
    .patterns = (const nashc_pattern *const[]){&from_below_pattern, &from_above_pattern, NULL},
};
