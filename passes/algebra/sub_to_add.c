/* sub_to_add.c
 *
 *     x - c     ==>     x + (-c)
 *     c - x     ==>     x * (-1) + c
 *
 * Exact. Terminates: each rewrite removes a sub.
 */
#include "passes/support/number.h"

static bool
sub_to_add(nashc_rw *rw, nashc_node *n)
{
    nashc_value *a = nashc_node_in(n, 0), *b = nashc_node_in(n, 1), *y;
    const nashc_tensor *ta = nashc_value_const(a), *tb = nashc_value_const(b);

    if (!ta == !tb)
        return nashc_rw_miss(rw, n,
                             ta ? "both operands are constant; fold-constants computes it"
                                : "neither operand is a constant");
    if (ta) {
        nashc_value *m = nashc_rw_op(rw, "nn.mul", (nashc_value *[]){b, nashc_rw_int(rw, -1)}, 2);
        y = nashc_rw_op(rw, "nn.add", (nashc_value *[]){m, a}, 2);
    } else {
        number c = number_of(rw, tb);
        c = number_map(rw, &c, number_mul, -1);
        if (!c.v)
            return nashc_rw_miss(rw, n, "the constant exceeds 2^53");
        y = nashc_rw_op(rw, "nn.add", (nashc_value *[]){a, number_const(rw, &c)}, 2);
    }
    nashc_rw_replace(rw, nashc_node_out(n, 0), y);
    return true;
}

static const nashc_pattern sub_to_add_pattern = {"nn.sub", sub_to_add};

const nashc_pass nashc_pass_sub_to_add = {
    NASHC_DESC(nashc_pass),
    .name = "sub-to-add",
    .alias = "ConvertSubToAdd",
    .help = "subtraction of, or from, a constant as an add",
    .patterns = (const nashc_pattern *const[]){&sub_to_add_pattern, NULL},
};
