/* double_to_single.c: rounds f64 constants to f32, as a writer of float32 files has to.
 *
 * A threshold or scale that is no float moves by that; passes keep doubles for this reason. A value
 * that would become infinite is refused.
 * Terminates: each rewrite makes an f64 operand an f32 one.
 */
#include "passes/support/number.h"
#include <math.h>

static bool
round_operands(nashc_rw *rw, nashc_node *n)
{
    for (int i = 0; i < nashc_node_n_in(n); i++) {
        nashc_value *v = nashc_node_in(n, i);
        const nashc_tensor *t = v ? nashc_value_const(v) : NULL;
        if (!t || nashc_tensor_type(t)->kind != NASHC_K_F64)
            continue;
        number c = number_of(rw, t);
        for (int64_t k = 0; c.v && k < c.n; k++)
            if (isfinite(c.v[k]) && !isfinite((float)c.v[k]))
                return nashc_rw_miss(rw, n, "%g is beyond f32", c.v[k]);
        if (!c.v)
            return false;
        nashc_type f32 = nashc_type_f32();
        f32 = nashc_type_with_elem(&c.type, &f32);
        nashc_rw_set_in(rw, n, i, nashc_rw_const(rw, nashc_tensor_from_f64(&f32, c.v)));
        return true;
    }
    return false;
}

static const nashc_pattern round_pattern = {"*", round_operands};

const nashc_pass nashc_pass_double_to_single = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_INEXACT,
    .name = "double-to-single",
    .alias = "DoubleToSingleFloat",
    .help = "round double constants to float",
    .patterns = (const nashc_pattern *const[]){&round_pattern, NULL},
};
