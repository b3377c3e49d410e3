/* move_linear_past_eltwise_add.c
 *
 *     mul(x, C) + mul(y, C)     ==>     mul(x + y, C)
 *     add(x, A) + add(y, B)     ==>     add(x + y, A + B)
 *
 * The scales must be equal to the last bit, the branches of one shape; neither branch may be read
 * elsewhere. x + x counts as two branches.
 * Terminates: each rewrite removes a mul or an add.
 */
#include "passes/support/match.h"
#include "passes/support/number.h"

/* Both operands of n are `op` with a constant, read by n only. */
static bool
branches(nashc_rw *rw, nashc_node *n, const char *op, affine *a, affine *b)
{
    nashc_value *va = nashc_node_in(n, 0), *vb = nashc_node_in(n, 1);
    nashc_node *na = nashc_value_def_by(va, op), *nb = nashc_value_def_by(vb, op);

    if (!na || !nb || !affine_of(na, op, a) || !affine_of(nb, op, b))
        return false;
    if (na == nb ? nashc_value_n_uses(va) != 2 : !match_sole(rw, na) || !match_sole(rw, nb))
        return na == nb && nashc_rw_miss(rw, na, "its result has other readers");
    if (!nashc_type_same_shape(nashc_value_type(a->x), nashc_value_type(b->x)))
        return nashc_rw_miss(rw, n, "the branches have different shapes");
    return true;
}

static bool
move_linear(nashc_rw *rw, nashc_node *n)
{
    affine a, b;
    bool mul = branches(rw, n, "nn.mul", &a, &b);

    if (!mul && !branches(rw, n, "nn.add", &a, &b))
        return false;
    number ca = number_of(rw, a.t), cb = number_of(rw, b.t);
    if (mul && !number_equal(rw, &ca, &cb))
        return nashc_rw_miss(rw, n, "the branches have different scales");
    number sum = number_zip(rw, &ca, &cb, number_add);
    if (!number_finite(&sum))
        return nashc_rw_miss(rw, n, "the constants are not finite, or exceed 2^53");

    nashc_value *xy = nashc_rw_op(rw, "nn.add", (nashc_value *[]){a.x, b.x}, 2);
    nashc_rw_loc(rw, a.node);
    /* Of equal scales keep the one that is not the result of broadcasting. */
    nashc_value *c = mul ? a.c : number_const(rw, &sum);
    nashc_rw_replace(rw, nashc_node_out(n, 0),
                     nashc_rw_op(rw, mul ? "nn.mul" : "nn.add", (nashc_value *[]){xy, c}, 2));
    return true;
}

static const nashc_pattern move_linear_pattern = {"nn.add", move_linear};

const nashc_pass nashc_pass_move_linear_past_eltwise_add = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_INEXACT,
    .name = "move-linear-past-eltwise-add",
    .alias = "MoveLinearPastEltwiseAdd|MoveMulPastJoinAdd|MoveAddPastJoinAdd",
    .help = "move equal scales, or any offsets, of two branches below their sum",
    .patterns = (const nashc_pattern *const[]){&move_linear_pattern, NULL},
};
