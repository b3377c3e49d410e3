/* join.c: the larger and the smaller of two tensors of the model.
 *
 *     max(s1 i + b1, s2 j + b2)  =  u max(m1 i + c, m2 j) + b2
 *
 * where s1 = m1 u, s2 = m2 u, b1 - b2 = c u. What chooses between them otherwise (choice.c) brings
 * them to one unit in the same way.
 */
#include "join.h"

#include <math.h>

#define EXACT   0x1p31
#define MAX_SUM 0x1p60

bool
si_is_zero(const nashc_value *v)
{
    const nashc_type *t = nashc_value_type(v);
    return t->lo == 0 && t->hi == 0;
}

/* Both operands on grids, and their offsets' difference as a third part, of a constant one. */
static bool
set_parts(si_walk *walk, const nashc_node *n, int first, si_parts *parts)
{
    si_job *job = walk->job;
    si_array one = si_scalar(job, 1.0);
    si_value *x[2];
    for (int k = 0; k < 2; k++) {
        if (!(x[k] = si_affine(walk, nashc_node_in(n, first + k))))
            return si_no(job, "an operand is not on an integer grid");
        parts->integer[k] = x[k]->tensor->integer;
        parts->scale[k] = si_is_zero(parts->integer[k]) ? si_scalar(job, 0.0) : x[k]->scale;
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

bool
si_one_unit(si_walk *walk, nashc_node *n, int first, si_one_unit_pair *pair)
{
    si_job *job = walk->job;
    si_parts parts = {0};
    si_common_scale common;
    if (!set_parts(walk, n, first, &parts) ||
        !si_find_common_scale(job, &parts, EXACT, MAX_SUM / 2, &common))
        return false;
    if (common.bits != 0)
        si_warn_rounded(job, n, "the operands have scales without a common unit", common.bits,
                        SI_LEAST_BITS,
                        "a quantiser right behind it, or one scale for both operands, needs no "
                        "rounding");
    for (int k = 0; k < 2; k++)
        pair->v[k] = si_failed(job) ? NULL : si_times(walk, parts.integer[k], &common.m[k]);
    if (parts.n == 3)
        pair->v[0] = shifted(walk, pair->v[0], &common.m[2]);
    pair->unit = common.unit;
    pair->bias = parts.rest;
    return pair->v[0] && pair->v[1];
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
    si_one_unit_pair pair;
    if (nashc_node_n_out(n) == 1 && si_eltwise(walk, n))
        return true;
    if (si_failed(job) || !si_one_unit(walk, n, 0, &pair))
        return false;
    if (!all_positive(&pair.unit))
        return si_no(job, "the scale of an operand is zero");
    nashc_value *r = si_emit(walk, nashc_node_opname(n), pair.v, 2, NULL);
    return r &&
           si_anchor(walk, nashc_node_out(n, 0), r, &pair.unit, &pair.bias, NULL, NULL, NULL, NULL);
}

static const nashc_integer_rule rule = {NASHC_DESC(nashc_integer_rule), .rebuild = rebuild_max};

extern const nashc_impl nashc_impl_scaled_integer_nn_max, nashc_impl_scaled_integer_nn_min;
const nashc_impl nashc_impl_scaled_integer_nn_max = NASHC_IMPL_SCALED_INTEGER("nn.max", &rule);
const nashc_impl nashc_impl_scaled_integer_nn_min = NASHC_IMPL_SCALED_INTEGER("nn.min", &rule);
