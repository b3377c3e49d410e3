/* batchnorm_to_affine.c
 *
 *     batchnorm(x; g, b, m, v)     ==>     x -- mul A -- add B
 *
 * A = g / sqrt(v + eps), B = b - A m, per channel, computed and kept in double: rounding them to
 * float moves thresholds.
 * Terminates: each rewrite removes a batchnorm.
 */
#include "passes/support/match.h"
#include "passes/support/number.h"
#include <math.h>

static bool
to_affine(nashc_rw *rw, nashc_node *n)
{
    number p[4]; /* gamma, beta, mean, variance */
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    int64_t channels = nashc_type_channels(x);
    double eps = nashc_node_f32(n, "eps");

    for (int i = 0; i < 4; i++) {
        const nashc_tensor *t = nashc_value_const(nashc_node_in(n, i + 1));
        if (!t)
            return nashc_rw_miss(rw, n, "operand %d is not a constant", i + 1);
        p[i] = number_of(rw, t);
        if (!p[i].v || p[i].n != channels)
            return nashc_rw_miss(rw, n, "operand %d has not one element a channel", i + 1);
    }

    nashc_type shape = match_vector(x, nashc_type_channel_axis(x), channels);
    number a = number_new(rw, &shape, false), b = number_new(rw, &shape, false);
    for (int64_t c = 0; a.v && b.v && c < channels; c++) {
        a.v[c] = p[0].v[c] / sqrt(p[3].v[c] + eps);
        b.v[c] = p[1].v[c] - a.v[c] * p[2].v[c];
    }
    if (!number_finite(&a) || !number_finite(&b))
        return nashc_rw_miss(rw, n, "scale or bias is not finite (variance + eps <= 0?)");

    nashc_value *m =
        nashc_rw_op(rw, "nn.mul", (nashc_value *[]){nashc_node_in(n, 0), number_const(rw, &a)}, 2);
    nashc_value *y = nashc_rw_op(rw, "nn.add", (nashc_value *[]){m, number_const(rw, &b)}, 2);
    nashc_rw_replace(rw, nashc_node_out(n, 0), y);
    return true;
}

static const nashc_pattern to_affine_pattern = {"nn.batchnorm", to_affine};

const nashc_pass nashc_pass_batchnorm_to_affine = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_INEXACT,
    .name = "batchnorm-to-affine",
    .alias = "BatchNormToAffine",
    .help = "batch normalisation as a mul and an add with double constants",
    .patterns = (const nashc_pattern *const[]){&to_affine_pattern, NULL},
};
