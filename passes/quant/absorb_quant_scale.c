/* absorb_quant_scale.c
 *
 *     x -- mul a -- quant(1, z) -- y     ==>     x -- quant(1/a, z) -- div 1/a -- y
 *
 * for positive a whose reciprocal is a float: powers of two. Anything else would move boundaries.
 * Terminates: each rewrite removes a mul in front of a quantiser.
 */
#include "passes/support/match.h"
#include "passes/support/number.h"
#include <math.h>

static bool
absorb(nashc_rw *rw, nashc_node *q)
{
    affine mul;
    const nashc_tensor *s = nashc_value_const(nashc_node_in(q, 1));
    const nashc_tensor *z = nashc_value_const(nashc_node_in(q, 2));
    int e;

    if (nashc_node_int(q, "codes") || !s || !z ||
        !affine_before(rw, nashc_node_in(q, 0), "nn.mul", &mul))
        return false;
    if (!nashc_tensor_all_eq(s, 1.0) || !nashc_tensor_all_eq(z, 0.0))
        return nashc_rw_miss(rw, q, "it has a scale or a zero point of its own");
    number a = number_of(rw, mul.t), inv = number_new(rw, &a.type, false);
    for (int64_t i = 0; a.v && inv.v && i < a.n; i++) {
        if (frexp(a.v[i], &e) != 0.5 || e < -100 || e > 100)
            return nashc_rw_miss(rw, mul.node, "the factor %g is not a power of two", a.v[i]);
        inv.v[i] = 1.0 / a.v[i];
    }
    if (!a.v)
        return nashc_rw_miss(rw, mul.node, "the factor exceeds 2^53");

    nashc_type f32 = nashc_type_f32();
    f32 = nashc_type_with_elem(&inv.type, &f32);
    nashc_value *c = nashc_rw_const(rw, nashc_tensor_from_f64(&f32, inv.v));
    nashc_value *y = nashc_rw_like(rw, q, (nashc_value *[]){mul.x, c, nashc_node_in(q, 2)}, 3);
    nashc_rw_loc(rw, mul.node);
    nashc_rw_replace(rw, nashc_node_out(q, 0),
                     nashc_rw_op(rw, "nn.div", (nashc_value *[]){y, c}, 2));
    return true;
}

static const nashc_pattern absorb_pattern = {"q.quant", absorb};

const nashc_pass nashc_pass_absorb_quant_scale = {
    NASHC_DESC(nashc_pass),
    .name = "absorb-quant-scale",
    .alias = "AbsorbQuantScale",
    .help = "a power of two in front of a quantiser as its scale",
    .patterns = (const nashc_pattern *const[]){&absorb_pattern, NULL},
};
