/* choice.c: the choice between two tensors of the model.
 *
 *     where(mask, x, y)  =  mask x + (1 - mask) y       constant mask: a sum, scales by element
 *     where(c, x, y)     =  u (c i + (1 - c) j) + b     x = u i + b, y = u j + b
 *
 * What is not chosen is 0, so that where neither i nor j is negative, the larger of the two
 * products is the one that is chosen, in no more bits than they have. A choice by which a quantiser
 * is decided comes here behind it: move-choice-past-quantiser.
 */
#include "join.h"

#define EXACT   0x1p31
#define MAX_SUM 0x1p60

/* --- by a constant -----------------------------------------------------------------------------
 */

/* mask, or 1 - mask, as an array of ones and zeros. */
static bool
mask_of(si_walk *walk, nashc_value *v, bool inverted, si_array *out)
{
    if (!si_known_array(walk, v, 0.0, out))
        return false;
    for (int64_t i = 0; i < out->n; i++)
        out->v[i] = (out->v[i] != 0) != inverted;
    return true;
}

/* A sum of two of which one is nothing everywhere. */
static bool
by_mask(si_walk *walk, nashc_node *n)
{
    si_job *job = walk->job;
    nashc_value *y = nashc_node_out(n, 0);
    const nashc_type *t = nashc_value_type(y);
    si_parts parts = {.n = 2};
    si_common_scale common;
    si_array mask, bias;
    for (int k = 0; k < 2; k++) {
        const si_value *x = si_affine(walk, nashc_node_in(n, 1 + k));
        if (!x)
            return si_no(job, "an operand is not on an integer grid");
        if (!nashc_type_same_shape(nashc_value_type(x->tensor->integer), t) && x->scale.n != 1)
            return si_no(job, "an operand with a varying scale is broadcast");
        parts.integer[k] = x->tensor->integer;
        if (!mask_of(walk, nashc_node_in(n, 0), k == 1, &mask) ||
            !si_zip(job, &x->scale, &mask, si_mul, &parts.scale[k]) ||
            !si_zip(job, &x->bias, &mask, si_mul, &parts.bias[k]))
            return false;
    }
    if (!si_find_common_scale(job, &parts, EXACT, MAX_SUM / 2, &common) ||
        !si_zip(job, &parts.bias[0], &parts.bias[1], si_add, &bias))
        return false;
    if (common.bits != 0)
        si_warn_rounded(job, n, "the operands have scales without a common unit", common.bits,
                        SI_LEAST_BITS, "one scale for both operands needs no rounding");
    if (si_failed(job))
        return false;
    nashc_value *r = si_emit_weighted(walk, 2, parts.integer, common.m);
    return r && si_anchor(walk, y, r, &common.unit, &bias, NULL, NULL, NULL, NULL);
}

/* --- by a tensor -------------------------------------------------------------------------------
 */

/* v, which is 0 or 1 in the model, as integers that are so. NULL: it has none, or failed. */
static nashc_value *
bit_of(si_walk *walk, nashc_value *v)
{
    const nashc_type *t = nashc_value_type(v);
    si_value *x = t->kind == NASHC_K_UINT && t->bits == 1 ? si_affine(walk, v) : NULL;
    si_array zero = si_scalar(walk->job, 0.0), factor, addend;
    if (!x || !si_zip(walk->job, &x->scale, &zero, si_add, &factor) || /* copies */
        !si_zip(walk->job, &x->bias, &zero, si_add, &addend) || !si_round_to_integers(&factor) ||
        !si_round_to_integers(&addend))
        return NULL;
    nashc_value *bit = si_times(walk, x->tensor->integer, &factor);
    if (!bit || si_zero(&addend))
        return bit;
    return si_emit(walk, "nn.add", (nashc_value *[]){bit, si_const_int(walk, &addend)}, 2, NULL);
}

/* c v, or (1 - c) v. */
static nashc_value *
chosen(si_walk *walk, nashc_value *c, nashc_value *v, bool inverted)
{
    si_array one = si_scalar(walk->job, 1.0);
    if (inverted)
        c = si_emit(walk, "nn.sub", (nashc_value *[]){si_const_int(walk, &one), c}, 2, NULL);
    return c ? si_emit(walk, "nn.mul", (nashc_value *[]){c, v}, 2, NULL) : NULL;
}

static bool
by_tensor(si_walk *walk, nashc_node *n)
{
    si_job *job = walk->job;
    si_one_unit_pair pair;
    nashc_value *c = bit_of(walk, nashc_node_in(n, 0)), *v[2];
    if (!c)
        return si_no(job, "its condition is no comparison on an integer grid");
    if (!si_one_unit(walk, n, 1, &pair))
        return false;
    for (int k = 0; k < 2; k++) {
        bool nothing = si_is_zero(pair.v[k]) && !si_is_zero(pair.v[1 - k]);
        if (!(v[k] = nothing ? pair.v[k] : chosen(walk, c, pair.v[k], k == 1)))
            return false;
    }
    bool negative = nashc_value_type(v[0])->lo < 0 || nashc_value_type(v[1])->lo < 0;
    nashc_value *r = si_emit(walk, negative ? "nn.add" : "nn.max", v, 2, NULL);
    return r &&
           si_anchor(walk, nashc_node_out(n, 0), r, &pair.unit, &pair.bias, NULL, NULL, NULL, NULL);
}

static bool
rebuild_where(si_walk *walk, nashc_node *n)
{
    if (nashc_node_n_out(n) == 1 && si_eltwise(walk, n))
        return true;
    if (si_failed(walk->job))
        return false;
    return si_is_const(walk, nashc_node_in(n, 0)) ? by_mask(walk, n) : by_tensor(walk, n);
}

static const nashc_integer_rule rule = {NASHC_DESC(nashc_integer_rule), .rebuild = rebuild_where};

extern const nashc_impl nashc_impl_scaled_integer_nn_where;
const nashc_impl nashc_impl_scaled_integer_nn_where = NASHC_IMPL_SCALED_INTEGER("nn.where", &rule);
