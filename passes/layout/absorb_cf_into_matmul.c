/* absorb_cf_into_matmul.c
 *
 *     x [N,H,W,C] -- to channels-first -- reshape [N, C H W] -- matmul W
 *     ==>  x -- reshape [N, H W C] -- matmul W'
 *
 * W' has the rows of W in the order (h, w, c). W is a constant, or a quantiser of constants: its
 * per-row parameters turn as well. Other readers of the reshape keep it.
 * Terminates: the new matmul reads no transpose.
 */
#include "layout.h"
#include "passes/support/match.h"

static bool
absorb(nashc_rw *rw, nashc_node *mm)
{
    nashc_node *flat = nashc_value_def_by(nashc_node_in(mm, 0), "nn.reshape");
    nashc_value *image = flatten_image(nashc_node_in(mm, 0)), *w = nashc_node_in(mm, 1);
    nashc_node *q = match_quantised(w);

    if (!flat || !layout_to_first(nashc_value_def(nashc_node_in(flat, 0))))
        return false;
    if (!image)
        return nashc_rw_miss(rw, flat, "it is no flatten to [N,K]");
    if ((!nashc_value_const(w) && !q) || nashc_value_type(w)->rank != 2)
        return nashc_rw_miss(rw, mm, "the weights are no constant matrix");

    if (q) {
        nashc_value *in[4] = {0};
        for (int i = 0; i < nashc_node_n_in(q) && i < 4; i++) {
            nashc_value *v = nashc_node_in(q, i);
            in[i] = nashc_value_type(v)->rank == 2 ? flatten_const(rw, v, 0, image) : v;
        }
        w = nashc_rw_like(rw, q, in, nashc_node_n_in(q));
    } else {
        w = flatten_const(rw, w, 0, image);
    }
    nashc_value *in[] = {flatten_last(rw, image, mm), w};
    nashc_rw_replace(rw, nashc_node_out(mm, 0), nashc_rw_like(rw, mm, in, 2));
    return true;
}

static const nashc_pattern absorb_pattern = {"nn.matmul", absorb};

const nashc_pass nashc_pass_absorb_cf_into_matmul = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_INEXACT,
    .name = "absorb-cf-into-matmul",
    .alias = "AbsorbChanFirstIntoMatMul|RemoveCNVtoFCFlatten|remove-cnv-to-fc-flatten",
    .help = "permute the rows of a matmul behind a flatten instead of its input",
    .patterns = (const nashc_pattern *const[]){&absorb_pattern, NULL},
};
