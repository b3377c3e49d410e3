/* absorb_scale_into_threshold_output.c
 *
 *     multithreshold(x; out_scale s, out_bias b) -- mul a -- y
 *     ==>  multithreshold(x; out_scale s*a, out_bias b*a) -- y
 *
 * a is a positive integer scalar: out_scale and out_bias are integers, any other scale stays a mul.
 * Terminates: each rewrite removes a mul.
 */
#include "passes/support/match.h"
#include <math.h>

static bool
absorb(nashc_rw *rw, nashc_node *n)
{
    affine mul;

    if (!affine_of(n, "nn.mul", &mul))
        return false;
    nashc_node *mt = nashc_value_def_by(mul.x, "q.multithreshold");
    if (!mt || !match_sole(rw, mt))
        return false;
    if (!nashc_tensor_is_scalar(mul.t))
        return nashc_rw_miss(rw, n, "the scale is not a scalar");

    double a = nashc_tensor_get(mul.t, 0);
    int64_t scale = nashc_node_int(mt, "out_scale"), bias = nashc_node_int(mt, "out_bias");
    if (a != floor(a) || a < 1)
        return nashc_rw_miss(rw, n, "the scale %g is not a positive integer", a);
    if (fabs((double)scale * a) > 1e9 || fabs((double)bias * a) > 1e9)
        return nashc_rw_miss(rw, n, "the products exceed 30 bits");

    nashc_value *in[] = {nashc_node_in(mt, 0), nashc_node_in(mt, 1), nashc_node_in(mt, 2)};
    nashc_rw_loc(rw, mt);
    nashc_value *y = nashc_rw_opf(rw, "q.multithreshold", in, in[2] ? 3 : 2,
                                  "out_bias=%" PRId64 " out_scale=%" PRId64, bias * (int64_t)a,
                                  scale * (int64_t)a);
    nashc_rw_replace(rw, nashc_node_out(n, 0), y);
    return true;
}

static const nashc_pattern absorb_pattern = {"nn.mul", absorb};

const nashc_pass nashc_pass_absorb_scale_into_threshold_output = {
    NASHC_DESC(nashc_pass),
    .name = "absorb-scale-into-threshold-output",
    .help = "fold a positive integer factor behind a multithreshold into its out_scale",
    .patterns = (const nashc_pattern *const[]){&absorb_pattern, NULL},
};
