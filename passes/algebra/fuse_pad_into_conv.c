/* fuse_pad_into_conv.c
 *
 *     x -- pad 0 on spatial axes -- conv -- y     ==>     x -- conv with more padding -- y
 *
 * also for sumpool, and for an avgpool that counts its padding.
 * Terminates: each rewrite removes a pad in front of a convolution.
 */
#include "passes/support/match.h"
#include <string.h>

static bool
fuse(nashc_rw *rw, nashc_node *n)
{
    nashc_node *pad = nashc_value_def_by(nashc_node_in(n, 0), "nn.pad");
    int64_t all[2 * NASHC_MAX_RANK] = {0};
    int count, own;

    if (!pad)
        return false;
    const nashc_type *x = nashc_value_type(nashc_node_in(pad, 0));
    const nashc_value *fill = nashc_node_in(pad, 1);
    const int64_t *p = nashc_node_ints(pad, "pads", &count);
    const int64_t *q = nashc_node_ints(n, "pads", &own);
    int nd = x->rank - 2, first = nashc_type_channel_axis(x) == 1 ? 2 : 1;
    if (strcmp(nashc_node_str(pad, "mode"), "constant") ||
        (fill && (!nashc_value_const(fill) || !nashc_tensor_all_eq(nashc_value_const(fill), 0.0))))
        return nashc_rw_miss(rw, pad, "it pads with something else than 0");
    if (nashc_node_is(n, "nn.avgpool") && !nashc_node_int(n, "count_include_pad"))
        return nashc_rw_miss(rw, n, "it does not count its own padding");
    if (nd < 1 || count != 2 * x->rank)
        return false;
    for (int a = 0; a < x->rank; a++)
        if (a >= first && a < first + nd) {
            all[a - first] = p[a] + (own ? q[a - first] : 0);
            all[nd + a - first] = p[x->rank + a] + (own ? q[nd + a - first] : 0);
        } else if (p[a] || p[x->rank + a]) {
            return nashc_rw_miss(rw, pad, "it pads batch or channels");
        }
    for (int i = 0; i < 2 * nd; i++)
        if (all[i] < 0)
            return nashc_rw_miss(rw, pad, "it crops");
    if (!match_sole(rw, pad))
        return false;

    /* The attribute first, then the operand: in between shapes only grow, and nobody reads them. */
    nashc_value *in[] = {nashc_node_in(n, 0), nashc_node_in(n, 1), nashc_node_in(n, 2)};
    nashc_value *y = nashc_rw_like(rw, n, in, nashc_node_n_in(n));
    nashc_node *made = y ? nashc_value_def(y) : NULL;
    nashc_rw_set_attr(rw, made, "pads", nashc_rw_ints(rw, all, 2 * nd));
    nashc_rw_set_in(rw, made, 0, nashc_node_in(pad, 0));
    nashc_rw_replace(rw, nashc_node_out(n, 0), y);
    return true;
}

static const nashc_pattern fuse_conv_pattern = {"nn.conv", fuse};
static const nashc_pattern fuse_sumpool_pattern = {"nn.sumpool", fuse};
static const nashc_pattern fuse_avgpool_pattern = {"nn.avgpool", fuse};

const nashc_pass nashc_pass_fuse_pad_into_conv = {
    NASHC_DESC(nashc_pass),
    .name = "fuse-pad-into-conv",
    .alias = "FusePadIntoConv",
    .help = "zero padding in front of a convolution as its own padding",
    .patterns = (const nashc_pattern *const[]){&fuse_conv_pattern, &fuse_sumpool_pattern,
                                               &fuse_avgpool_pattern, NULL},
};
