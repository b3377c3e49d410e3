/* constants_last.c
 *
 *     op(c, x)     ==>     op(x, c)      for a commuting op and a constant c
 *
 * Terminates: each rewrite moves a constant back behind a dynamic operand.
 */
#include "passes/support/match.h"

static const nashc_pattern constant_last_pattern = {"*", match_constant_last};

const nashc_pass nashc_pass_constants_last = {
    NASHC_DESC(nashc_pass),
    .name = "constants-last",
    .alias = "SortCommutativeInputsInitializerLast",
    .help = "put the constant operand of commuting ops last",
    .patterns = (const nashc_pattern *const[]){&constant_last_pattern, NULL},
};
