/* join.c: the larger and the smaller of two tensors of the model, and the choice between two by a
 * constant mask.
 *
 *     max(s1 i + b1, s2 j + b2)  =  u max(m1 i + c, m2 j) + b2     s1 = m1 u, s2 = m2 u, b1 - b2 =
 * c u where(mask, x, y)          =  mask x + (1 - mask) y          a sum, with scales by element
 */
#include "integer.h"

#include <math.h>

#define EXACT   0x1p31
#define MAX_SUM 0x1p60

/* Both operands on grids, and their offsets' difference as a third part, of a constant one. */
static bool
set_parts(si_walk *walk, const nashc_node *n, si_parts *parts)
{
    si_job *job = walk->job;
    si_array one = si_scalar(job, 1.0);
    si_value *x[2];
    for (int k = 0; k < 2; k++) {
        if (!(x[k] = si_affine(walk, nashc_node_in(n, k))))
            return si_no(job, "an operand is not on an integer grid");
        parts->integer[k] = x[k]->tensor->integer;
        parts->scale[k] = x[k]->scale;
    }
    parts->rest = x[1]->bias;
    parts->n = 2;
    if (!si_zip(job, &x[0]->bias, &x[1]->bias, si_sub, &parts->scale[2]))
        return false;
    if (!si_zero(&parts->scale[2])) {
        parts->n = 3;
        parts->integer[2] = si_const_int(walk, &one);
    }
    return parts->n == 2 || parts->integer[2];
}

/* Offset c of the first operand, where there is one. */
static nashc_value *
shifted(si_walk *walk, nashc_value *v, const si_array *c)
{
    if (!v || si_zero(c))
        return v;
    return si_emit(walk, "nn.add", (nashc_value *[]){v, si_const_int(walk, c)}, 2, NULL);
}

static bool
all_positive(const si_array *a)
{
    for (int64_t i = 0; i < a->n; i++)
        if (!(a->v[i] > 0))
            return false;
    return true;
}

static bool
rebuild_max(si_walk *walk, nashc_node *n)
{
    si_job *job = walk->job;
    si_parts parts = {0};
    si_common_scale common;
    nashc_value *v[2];
    if (nashc_node_n_out(n) == 1 && si_eltwise(walk, n))
        return true;
    if (si_failed(job) || !set_parts(walk, n, &parts) ||
        !si_find_common_scale(job, &parts, EXACT, MAX_SUM / 2, &common))
        return false;
    if (!all_positive(&common.unit))
        return si_no(job, "the scale of an operand is zero");
    if (common.bits != 0)
        si_warn_rounded(job, n, "the operands have scales without a common unit", common.bits,
                        SI_LEAST_BITS, "one scale for both operands needs no rounding");
    for (int k = 0; k < 2; k++)
        v[k] = si_failed(job) ? NULL : si_times(walk, parts.integer[k], &common.m[k]);
    if (parts.n == 3)
        v[0] = shifted(walk, v[0], &common.m[2]);
    nashc_value *r = v[0] && v[1] ? si_emit(walk, nashc_node_opname(n), v, 2, NULL) : NULL;
    return r && si_anchor(walk, nashc_node_out(n, 0), r, &common.unit, &parts.rest, NULL, NULL,
                          NULL, NULL);
}

static const nashc_integer_rule rule = {NASHC_DESC(nashc_integer_rule), .rebuild = rebuild_max};

extern const nashc_impl nashc_impl_scaled_integer_nn_max, nashc_impl_scaled_integer_nn_min;
const nashc_impl nashc_impl_scaled_integer_nn_max = NASHC_IMPL_SCALED_INTEGER("nn.max", &rule);
const nashc_impl nashc_impl_scaled_integer_nn_min = NASHC_IMPL_SCALED_INTEGER("nn.min", &rule);

/* --- nn.where ----------------------------------------------------------------------------------
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
rebuild_where(si_walk *walk, nashc_node *n)
{
    si_job *job = walk->job;
    nashc_value *y = nashc_node_out(n, 0);
    const nashc_type *t = nashc_value_type(y);
    si_parts parts = {.n = 2};
    si_common_scale common;
    si_array mask, bias;
    if (nashc_node_n_out(n) == 1 && si_eltwise(walk, n))
        return true;
    if (si_failed(job))
        return false;
    if (!si_is_const(walk, nashc_node_in(n, 0)))
        return si_no(job, "it chooses between tensors by a third one");
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

static const nashc_integer_rule where = {NASHC_DESC(nashc_integer_rule), .rebuild = rebuild_where};

extern const nashc_impl nashc_impl_scaled_integer_nn_where;
const nashc_impl nashc_impl_scaled_integer_nn_where = NASHC_IMPL_SCALED_INTEGER("nn.where", &where);
