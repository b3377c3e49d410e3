/* constants_last.c
 *
 *     op(c, x)     ==>     op(x, c)      for a commuting op and a constant c
 *
 * Terminates: each rewrite moves a constant back behind a dynamic operand.
 */
#include <nashc/rewrite.h>

static bool
constant_last(nashc_rw *rw, nashc_node *n)
{
    if (!(nashc_node_op(n)->flags & NASHC_OP_COMMUTES) || nashc_node_n_in(n) != 2)
        return false;

    nashc_value *a = nashc_node_in(n, 0), *b = nashc_node_in(n, 1);
    if (!a || !b || !nashc_value_const(a) || nashc_value_const(b))
        return false;
    nashc_rw_replace(rw, nashc_node_out(n, 0), nashc_rw_like(rw, n, (nashc_value *[]){b, a}, 2));
    return true;
}

static const nashc_pattern constant_last_pattern = {"*", constant_last};

const nashc_pass nashc_pass_constants_last = {
    NASHC_DESC(nashc_pass),
    .name = "constants-last",
    .alias = "SortCommutativeInputsInitializerLast",
    .help = "put the constant operand of commuting ops last",
    .patterns = (const nashc_pattern *const[]){&constant_last_pattern, NULL},
};
