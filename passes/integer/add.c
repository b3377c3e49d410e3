/* add.c: sums, differences and products of tensors of the model.
 *
 * A sum of equal or simply related scales is one of integers with small multipliers. Else it stays
 * pending, and grows if it is added to. A quantiser behind it gets the smallest multipliers with
 * which its codes are right for all integers (quantised_sum.c); any other user, the exact common
 * unit of all scales, or rounded multipliers and a warning (sum_fallback.c).
 */
#include "integer.h"

#include <math.h>

#define SMALL 1024.0 /* multipliers of simply related scales */

/* --- products ----------------------------------------------------------------------------------
 */

#define PRODUCT_BITS 58 /* of both factors together */
#define FINE_BITS    23 /* of offsets that are rounded: what float32 has */
#define LEAST_FINE   15

/* A factor on its way to integers that are zero where it is. */
typedef struct si_factor {
    const si_value *x;
    si_array steps; /* its offset in steps of its scale, times 2^fine */
    bool whole;     /* they are whole ones: fine is 0 */
    nashc_value *integer;
    si_array scale;
} si_factor;

static bool
find_steps(si_job *job, const si_value *x, si_factor *f)
{
    *f = (si_factor){.x = x, .scale = x->scale, .integer = x->tensor->integer};
    if (!si_zip(job, &x->bias, &x->scale, si_div, &f->steps))
        return false;
    for (int64_t i = 0; i < f->steps.n; i++)
        if (!isfinite(f->steps.v[i]))
            return si_no(job, "a factor has an offset beside a scale of 0");
    si_array rounded = f->steps;
    f->whole = si_zip(job, &f->steps, &f->steps, si_max, &rounded) && /* a copy */
               si_round_to_integers(&rounded);
    f->steps = f->whole ? rounded : f->steps;
    return !si_failed(job);
}

/* Offsets that are whole multiples of the scale, as zero points are, are exact; others are rounded
 * to a grid that is finer by so many bits. */
static bool
centre(si_walk *walk, nashc_node *n, si_factor *f, int fine)
{
    si_job *job = walk->job;
    si_array finer = si_scalar(job, f->whole ? 1 : ldexp(1, fine));
    if (!f->whole) {
        if (fine < LEAST_FINE)
            return si_no(job, "a factor has an offset that is no multiple of its scale");
        si_warn_rounded(job, n, "an offset of a factor is no multiple of its scale", fine + 1,
                        SI_LEAST_BITS, "a quantiser between them needs no rounding");
    }
    if (si_failed(job) || !si_zip(job, &f->scale, &finer, si_div, &f->scale) ||
        !si_zip(job, &f->steps, &finer, si_mul, &f->steps))
        return false;
    for (int64_t i = 0; i < f->steps.n; i++)
        f->steps.v[i] = nearbyint(f->steps.v[i]);
    f->integer = si_times(walk, f->integer, &finer);
    if (!f->integer || si_zero(&f->steps))
        return f->integer;
    nashc_value *in[2] = {f->integer, si_const_int(walk, &f->steps)};
    f->integer = si_emit(walk, "nn.add", in, 2, NULL);
    return f->integer;
}

static bool
product(si_walk *walk, nashc_node *n, const si_value *x, const si_value *y)
{
    si_job *job = walk->job;
    si_array scale, zero = si_scalar(job, 0.0);
    si_factor f[2];
    int n_off = 0, room = PRODUCT_BITS;
    for (int k = 0; k < 2; k++) {
        if (!find_steps(job, k ? y : x, &f[k]))
            return false;
        n_off += !f[k].whole;
        room -= nashc_value_type(f[k].integer)->bits;
    }
    int fine = n_off == 0 ? 0 : room / n_off < FINE_BITS ? room / n_off : FINE_BITS;
    if (!centre(walk, n, &f[0], fine) || !centre(walk, n, &f[1], fine))
        return false;
    nashc_value *in[2] = {f[0].integer, f[1].integer};
    if (nashc_value_type(in[0])->bits + nashc_value_type(in[1])->bits > 62)
        return si_no(job, "its products would need more than 61 bits");
    nashc_value *integer = si_emit(walk, "nn.mul", in, 2, NULL);
    return integer && si_zip(job, &f[0].scale, &f[1].scale, si_mul, &scale) &&
           si_anchor(walk, nashc_node_out(n, 0), integer, &scale, &zero, NULL, NULL, NULL, NULL);
}

/* --- sums --------------------------------------------------------------------------------------
 */

/* Terms of x as an operand of a sum, behind the first n of t. Their number then. */
static int
add_terms(si_term *t, int n, const si_value *x, double sign)
{
    for (int i = 0; i < x->tensor->n_term; i++)
        t[n++] = x->tensor->term[i];
    t[n++] = (si_term){.x = x, .sign = sign};
    return n;
}

static int
n_leaves(const si_value *x)
{
    return x->tensor->integer ? 1 : x->tensor->n_leaf;
}

/* y = x[0] + sign x[1], without integers of its own */
static bool
pending_sum(si_walk *walk, nashc_value *y, si_value *const *x, double sign)
{
    si_array one = si_scalar(walk->job, 1.0), zero = si_scalar(walk->job, 0.0);
    si_tensor *sum = si_new_tensor(walk->job, NULL, y, &one, &zero);
    si_term *term =
        si_alloc(walk->job, x[0]->tensor->n_term + x[1]->tensor->n_term + 2, sizeof(*term));
    if (!sum || !term)
        return false;
    sum->term = term;
    sum->n_left = add_terms(term, 0, x[0], 1);
    sum->n_term = add_terms(term, sum->n_left, x[1], sign);
    sum->n_leaf = n_leaves(x[0]) + n_leaves(x[1]);
    sum->lo = sum->hi = zero;
    return si_set_affine(walk, y, sum, &one, &zero);
}

/* y = x[0] + sign x[1], if their scales are simply related. *pending: they are not. */
static bool
integer_sum(si_walk *walk, nashc_value *y, si_value *const *x, double sign, bool *pending)
{
    si_job *job = walk->job;
    si_array factor = si_scalar(job, sign), bias;
    si_parts parts = {.n = 2};
    si_common_scale common;
    for (int k = 0; k < 2; k++) {
        parts.integer[k] = x[k]->tensor->integer;
        parts.scale[k] = x[k]->scale;
        parts.bias[k] = x[k]->bias;
    }
    if (!si_zip(job, &parts.scale[1], &factor, si_mul, &parts.scale[1]) ||
        !si_zip(job, &parts.bias[1], &factor, si_mul, &parts.bias[1]) ||
        !si_find_common_scale(job, &parts, SMALL, 0, &common) ||
        !si_zip(job, &parts.bias[0], &parts.bias[1], si_add, &bias))
        return false;
    *pending = common.bits != 0;
    if (*pending)
        return false;
    nashc_value *integer = si_emit_weighted(walk, 2, parts.integer, common.m);
    return integer && si_anchor(walk, y, integer, &common.unit, &bias, NULL, NULL, NULL, NULL);
}

/* v as an operand of n; a pending sum may stay one if grow is set. NULL: it is on no grid. */
static si_value *
operand(si_walk *walk, nashc_value *v, bool grow)
{
    si_value *x = si_of(walk, v);
    bool pending = x->kind == SI_FUN && x->affine && !x->tensor->integer;
    if (pending && grow)
        return x;
    x = si_affine(walk, v);
    return x || si_failed(walk->job) || si_is_const(walk, v) ? x : si_nearly_affine(walk, v);
}

static bool
operands(si_walk *walk, const nashc_node *n, bool grow, si_value *x[2])
{
    x[0] = operand(walk, nashc_node_in(n, 0), grow);
    x[1] = x[0] ? operand(walk, nashc_node_in(n, 1), grow) : NULL;
    return x[0] && x[1];
}

/* How many of both operands are constant. */
static int
constants_of(si_walk *walk, const nashc_node *n)
{
    return si_is_const(walk, nashc_node_in(n, 0)) + si_is_const(walk, nashc_node_in(n, 1));
}

bool
si_add_node(si_walk *walk, nashc_node *n)
{
    bool sub = nashc_node_is(n, "nn.sub"), mul = nashc_node_is(n, "nn.mul"), pending = true;
    double sign = sub ? -1.0 : 1.0;
    nashc_value *y = nashc_node_out(n, 0);
    si_value *x[2];

    if (!mul && !sub && !nashc_node_is(n, "nn.add"))
        return false;
    int n_const = constants_of(walk, n);
    bool ok = operands(walk, n, !mul, x);
    if (!si_failed(walk->job) && constants_of(walk, n) > n_const) /* codes that never change */
        return constants_of(walk, n) == 2 ? si_const_node(walk, n) : si_rebuild(walk, n);
    if (ok && n_leaves(x[0]) + n_leaves(x[1]) > SI_MAX_TERMS)
        ok = operands(walk, n, false, x);
    if (!ok)
        return si_no(walk->job, "an operand is not on an integer grid");
    if (mul)
        return product(walk, n, x[0], x[1]);
    if (x[0]->tensor->integer && x[1]->tensor->integer) {
        pending = false;
        if (integer_sum(walk, y, x, sign, &pending))
            return true;
    }
    return pending && pending_sum(walk, y, x, sign);
}
