/* move_add_past_mul.c
 *
 *     x -- add B -- mul A -- y     ==>     x -- mul A -- add A*B -- y
 *
 * Terminates: an add only ever moves towards the outputs, past one mul each time.
 */
#include "passes/support/match.h"
#include "passes/support/number.h"

static bool
move_add(nashc_rw *rw, nashc_node *n)
{
    affine mul, add;

    if (!affine_of(n, "nn.mul", &mul) || !affine_before(rw, mul.x, "nn.add", &add))
        return false;

    number a = number_of(rw, mul.t), b = number_of(rw, add.t);
    number ab = number_zip(rw, &b, &a, number_mul);
    if (!number_finite(&ab))
        return nashc_rw_miss(rw, n, "the product of the constants is not finite, or exceeds 2^53");

    nashc_value *m = nashc_rw_op(rw, "nn.mul", (nashc_value *[]){add.x, mul.c}, 2);
    nashc_rw_loc(rw, add.node);
    nashc_value *y = nashc_rw_op(rw, "nn.add", (nashc_value *[]){m, number_const(rw, &ab)}, 2);
    nashc_rw_replace(rw, nashc_node_out(n, 0), y);
    return true;
}

static const nashc_pattern move_add_pattern = {"nn.mul", move_add};

const nashc_pass nashc_pass_move_add_past_mul = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_INEXACT,
    .name = "move-add-past-mul",
    .alias = "MoveAddPastMul",
    .help = "move an add of a constant below a mul by a constant",
    .patterns = (const nashc_pattern *const[]){&move_add_pattern, NULL},
};
