/* absorb_sign_bias_into_multithreshold.c
 *
 *     multithreshold(x; out_bias b) -- add a -- y     ==>     multithreshold(x; out_bias b + a) --
 * y
 *
 * a is an integer scalar. The result type follows from the new bias and out_scale, so an offset
 * that leaves the old type widens it instead of failing. Terminates: each rewrite removes an add.
 */
#include "passes/support/match.h"
#include <math.h>

static bool
absorb(nashc_rw *rw, nashc_node *n)
{
    affine add;

    if (!affine_of(n, "nn.add", &add))
        return false;
    nashc_node *mt = nashc_value_def_by(add.x, "q.multithreshold");
    if (!mt || !match_sole(rw, mt))
        return false;
    if (!nashc_tensor_is_scalar(add.t))
        return nashc_rw_miss(rw, n, "the addend is not a scalar");

    double a = nashc_tensor_get(add.t, 0);
    if (a != floor(a) || fabs(a) > 1e9)
        return nashc_rw_miss(rw, n, "the addend %g is not an integer (of at most 30 bits)", a);

    nashc_value *in[] = {nashc_node_in(mt, 0), nashc_node_in(mt, 1), nashc_node_in(mt, 2)};
    nashc_rw_loc(rw, mt);
    nashc_value *y = nashc_rw_opf(
        rw, "q.multithreshold", in, in[2] ? 3 : 2, "out_bias=%" PRId64 " out_scale=%" PRId64,
        nashc_node_int(mt, "out_bias") + (int64_t)a, nashc_node_int(mt, "out_scale"));
    nashc_rw_replace(rw, nashc_node_out(n, 0), y);
    return true;
}

static const nashc_pattern absorb_pattern = {"nn.add", absorb};

const nashc_pass nashc_pass_absorb_sign_bias_into_multithreshold = {
    NASHC_DESC(nashc_pass),
    .name = "absorb-sign-bias-into-multithreshold",
    .alias = "AbsorbSignBiasIntoMultiThreshold",
    .help = "fold an integer added behind a multithreshold into its out_bias",
    .patterns = (const nashc_pattern *const[]){&absorb_pattern, NULL},
};
