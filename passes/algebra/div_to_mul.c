/* div_to_mul.c
 *
 *     x / c     ==>     x * (1/c), the reciprocal in double
 *
 * A quotient of two numbers of at most 24 bits lies at least 2^-49 (relative) away from every
 * midpoint between neighbouring floats, the product with the double reciprocal at most 2^-52 away
 * from the quotient: both round to the same float, unless the quotient is subnormal. So the rewrite
 * holds where x is a float or a 24-bit integer, c a float and the result a float. Elsewhere c
 * must be a power of two, or `inexact` be given.
 * Terminates: each rewrite removes a div.
 */
#include "passes/support/number.h"
#include <math.h>

/* Are all elements powers of two, whose reciprocals are exact? */
static bool
dyadic(const number *c)
{
    int e;

    for (int64_t i = 0; i < c->n; i++)
        if (fabs(frexp(c->v[i], &e)) != 0.5)
            return false;
    return true;
}

/* At most 24 bits each? */
static bool
narrow(const number *c)
{
    for (int64_t i = 0; i < c->n; i++)
        if ((double)(float)c->v[i] != c->v[i])
            return false;
    return true;
}

static double
divide(double a, double b)
{
    return b / a;
}

static bool
div_to_mul(nashc_rw *rw, nashc_node *n)
{
    nashc_value *x = nashc_node_in(n, 0);
    const nashc_tensor *t = nashc_value_const(nashc_node_in(n, 1));
    const nashc_type *xt = nashc_value_type(x), *yt = nashc_value_type(nashc_node_out(n, 0));

    if (!t || nashc_value_const(x))
        return nashc_rw_miss(rw, n, "the divisor is not a constant, or all is");
    number c = number_of(rw, t), inv = number_map(rw, &c, divide, 1.0);
    if (!number_finite(&c) || !number_finite(&inv))
        return nashc_rw_miss(rw, n, "a divisor or its reciprocal is zero or not finite");
    bool small = xt->kind == NASHC_K_F32 || xt->kind == NASHC_K_F16 ||
                 (nashc_type_is_int(xt) && xt->lo >= -(1 << 24) && xt->hi <= 1 << 24);
    if (!dyadic(&c) && !(small && narrow(&c) && yt->kind == NASHC_K_F32) &&
        !nashc_opts_bool(nashc_rw_opts(rw), "inexact"))
        return nashc_rw_miss(rw, n,
                             "the product may round otherwise than the quotient; option "
                             "inexact allows it");
    inv.integer = false;
    nashc_value *y = nashc_rw_op(rw, "nn.mul", (nashc_value *[]){x, number_const(rw, &inv)}, 2);
    nashc_rw_replace(rw, nashc_node_out(n, 0), y);
    return true;
}

static const nashc_pattern div_to_mul_pattern = {"nn.div", div_to_mul};

static const nashc_param div_to_mul_options[] = {
    {.name = "inexact",
     .def = "false",
     .help = "rewrite also where the last bit may change",
     .kind = NASHC_P_BOOL},
    {0},
};

const nashc_pass nashc_pass_div_to_mul = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_INEXACT,
    .name = "div-to-mul",
    .alias = "ConvertDivToMul",
    .help = "division by a constant as a mul with its reciprocal",
    .options = div_to_mul_options,
    .patterns = (const nashc_pattern *const[]){&div_to_mul_pattern, NULL},
};
