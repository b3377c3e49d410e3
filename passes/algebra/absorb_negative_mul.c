/* absorb_negative_mul.c
 *
 *     x -- mul A -- multithreshold T -- y     ==>     x -- multithreshold T', direction -1 -- y
 *
 * on the channels with A < 0: there x * A >= T is x <= T / A, that is x < T' with T' the smallest
 * number above T / A, and the row counts x < T' (direction -1). A row that counts downwards already
 * turns to count upwards. Other channels are treated as absorb-mul-into-multithreshold does.
 * Terminates: each rewrite removes a mul.
 */
#include "passes/support/match.h"
#include "passes/support/number.h"
#include "passes/support/thresholds.h"
#include <math.h>

static void
turn_row(thresholds *s, int64_t row, double a)
{
    for (int64_t k = 0; k < s->n; k++) {
        double *t = &s->t[row * s->n + k];
        if (a == 0.0)
            *t = *t <= 0.0 ? -INFINITY : INFINITY;
        else
            *t = thresholds_div(*t, a);
    }
    if (a < 0.0)
        s->dir[row] = (signed char)-s->dir[row];
}

static bool
absorb(nashc_rw *rw, nashc_node *mt)
{
    affine mul;
    thresholds s;

    if (!affine_before(rw, nashc_node_in(mt, 0), "nn.mul", &mul))
        return false;
    if (nashc_tensor_all_ge(mul.t, 0.0))
        return nashc_rw_miss(rw, mul.node,
                             "the scale has no negative element; "
                             "absorb-mul-into-multithreshold takes it");
    if (!match_channelwise(mul.t, nashc_value_type(mul.x)))
        return nashc_rw_miss(rw, mul.node, "the scale is neither scalar nor per channel");
    number a = number_of(rw, mul.t);
    if (!number_finite(&a))
        return nashc_rw_miss(rw, mul.node, "the scale is not finite, or exceeds 2^53");
    if (!thresholds_of(rw, mt, &s) || (a.n > 1 && !thresholds_grow(rw, &s)))
        return false;

    s.integer = false;
    for (int64_t row = 0; row < s.rows; row++)
        turn_row(&s, row, a.v[a.n == 1 ? 0 : row]);
    nashc_rw_replace(rw, nashc_node_out(mt, 0), thresholds_build(rw, &s, mul.x));
    return true;
}

static const nashc_pattern absorb_pattern = {"q.multithreshold", absorb};

const nashc_pass nashc_pass_absorb_negative_mul = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_INEXACT,
    .name = "absorb-negative-mul",
    .help = "absorb a scale with negative elements: those channels count downwards",
    .patterns = (const nashc_pattern *const[]){&absorb_pattern, NULL},
};
