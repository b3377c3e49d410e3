/* affine.c: the affine form of a value, for users that cannot do without.
 *
 * What is a function with kinks may have one still: a relu or clip whose corners lie on the grid of
 * the integers is their min or max. A constant is integers, too, if need be all of them zero.
 */
#include "integer.h"

#include <math.h>
#include <stdlib.h>

#define FINE_BITS  23 /* of corners that are rounded: what float32 has */
#define LEAST_FINE 15
#define ROOM       44 /* bits of integers with them */

/* The integers, 2^fine for each of x, at which x has the real value. False: they are off the grid,
 * which is forgiven where fine is not 0. */
static bool
corner(si_job *job, const si_value *x, double real, int fine, si_array *out)
{
    si_array r = si_scalar(job, real), factor = si_scalar(job, ldexp(1, fine));
    if (!si_zip(job, &r, &x->bias, si_apart, out) || !si_zip(job, out, &x->scale, si_div, out) ||
        !si_zip(job, out, &factor, si_mul, out))
        return false;
    for (int64_t i = 0; fine && i < out->n; i++)
        out->v[i] = nearbyint(out->v[i]);
    return si_round_to_integers(out);
}

/* Bound of a clip: of integers an exact one, else rounded as all float attributes are. */
static double
clip_bound(const nashc_node *n, const char *name)
{
    bool ints = nashc_type_is_int(nashc_value_type(nashc_node_out(n, 0)));
    int i = nashc_attr_index(n, name);

    return ints ? nashc_attr_float(n, i) : nashc_attr_f32(n, i);
}

/* The bounds of n; false: it has none. */
static bool
bounds_of(const nashc_node *n, double *lo, double *hi)
{
    *lo = -INFINITY;
    *hi = INFINITY;
    if (nashc_node_is(n, "nn.relu")) {
        *lo = 0;
        return true;
    }
    if (!nashc_node_is(n, "nn.clip"))
        return false;
    *lo = clip_bound(n, "min");
    *hi = clip_bound(n, "max");
    return true;
}

/* op of v and the integers c. */
static nashc_value *
with_bound(si_walk *walk, const char *op, nashc_value *v, const si_array *c)
{
    return si_emit(walk, op, (nashc_value *[]){v, si_const_int(walk, c)}, 2, NULL);
}

/* Relu and clip whose corners lie on the grid of the integers are a min or max of integers. NULL:
 * they do not, or failed. */
static nashc_value *
integer_clamp(si_walk *walk, const nashc_node *n, const si_value *x, int fine)
{
    double lo, hi;
    si_array factor = si_scalar(walk->job, ldexp(1, fine));
    nashc_value *v = x->tensor->integer;
    const si_array *scale = &x->scale;
    si_array c;
    if (!bounds_of(n, &lo, &hi))
        return NULL;
    v = si_times(walk, v, &factor);
    bool falls = scale->v[0] < 0;
    for (int64_t i = 0; i < scale->n; i++)
        if (scale->v[i] == 0 || (scale->v[i] < 0) != falls)
            return NULL;
    if (v && isfinite(lo)) {
        if (!corner(walk->job, x, lo, fine, &c))
            return NULL;
        v = si_zero(&c) && !falls ? si_emit(walk, "nn.relu", &v, 1, NULL)
                                  : with_bound(walk, falls ? "nn.min" : "nn.max", v, &c);
    }
    if (v && isfinite(hi)) {
        if (!corner(walk->job, x, hi, fine, &c))
            return NULL;
        v = with_bound(walk, falls ? "nn.max" : "nn.min", v, &c);
    }
    return v;
}

/* A constant that is on no grid: an offset to integers that all are zero. */
static bool
as_offset(si_walk *walk, nashc_value *v, nashc_tensor **codes, si_array *scale, si_array *bias)
{
    const nashc_tensor *t = si_failed(walk->job) ? NULL : si_known(walk, v);
    int64_t *zeros = t ? calloc((size_t)nashc_tensor_count(t) + 1, sizeof(*zeros)) : NULL;
    nashc_type shape =
        nashc_type_with_elem(nashc_value_type(v), &(nashc_type){.kind = NASHC_K_UINT});

    if (t && !zeros)
        return si_no_memory(walk->job);
    *scale = si_scalar(walk->job, 0.0);
    bool ok = t && nashc_tensor_all_finite(t) && si_from_tensor(walk->job, t, bias) &&
              (*codes = si_int_tensor(walk->job, &shape, zeros));
    free(zeros);
    return ok;
}

/* Integers of constant v with their scale and bias. */
static nashc_value *
constant_integers(si_walk *walk, nashc_value *v, si_array *scale, si_array *bias)
{
    nashc_tensor *codes;
    *bias = si_scalar(walk->job, 0.0);
    if (!si_const_codes(walk, v, &codes, scale) && !as_offset(walk, v, &codes, scale, bias))
        return NULL;
    return nashc_build_const(walk->build, NULL, nashc_tensor_ref(codes));
}

/* What v, which has the function x of a tensor, is a clamp of: an affine function of that tensor.
 * NULL: it is none. */
static const si_value *
clamped(si_walk *walk, const nashc_value *v, const si_value *x)
{
    const nashc_node *n = nashc_value_def(v);
    si_value *in = n && nashc_node_in(n, 0) ? si_of(walk, nashc_node_in(n, 0)) : NULL;
    in = in && in->kind == SI_FUN ? si_resolved(walk, in) : NULL;
    return in && in->affine && in->tensor == x->tensor ? in : NULL;
}

/* Integers of v. */
static nashc_value *
clamped_integers(si_walk *walk, const nashc_value *v, const si_value *x, si_array *scale,
                 si_array *bias)
{
    const si_value *in = clamped(walk, v, x);
    if (!in)
        return NULL;
    *scale = in->scale;
    *bias = in->bias;
    return integer_clamp(walk, nashc_value_def(v), in, 0);
}

/* v as affine function of integers of its own. */
static si_value *
set_form(si_walk *walk, nashc_value *v, nashc_value *integer, const si_array *scale,
         const si_array *bias)
{
    si_value *form = integer ? si_alloc(walk->job, 1, sizeof(*form)) : NULL;
    si_tensor *tensor = form ? si_new_tensor(walk->job, integer, v, scale, bias) : NULL;
    if (!tensor || !si_make_affine(walk->job, v, tensor, scale, bias, form))
        return NULL;
    return si_of(walk, v)->form = form;
}

/* Corners off the grid are rounded to one that is finer by as many bits as float32 has. */
si_value *
si_nearly_affine(si_walk *walk, nashc_value *v)
{
    si_job *job = walk->job;
    si_value *x = si_of(walk, v);
    const char *why = job->why;
    const si_value *in = x->kind == SI_FUN && x->tensor->integer ? clamped(walk, v, x) : NULL;
    si_array fine, scale;
    if (!in)
        return NULL;
    int bits = ROOM - nashc_value_type(in->tensor->integer)->bits;
    bits = bits > FINE_BITS ? FINE_BITS : bits;
    fine = si_scalar(job, ldexp(1, -bits));
    nashc_value *integer =
        bits < LEAST_FINE ? NULL : integer_clamp(walk, nashc_value_def(v), in, bits);
    if (!integer || !si_zip(job, &in->scale, &fine, si_mul, &scale))
        return NULL;
    job->why = why;
    si_warn_rounded(job, nashc_value_def(v), "its corners lie off the grid of its integers",
                    bits + 1, SI_LEAST_BITS,
                    "a quantiser between it and the sum needs no rounding");
    return si_failed(job) ? NULL : set_form(walk, v, integer, &scale, &in->bias);
}

si_value *
si_affine(si_walk *walk, nashc_value *v)
{
    si_value *x = si_of(walk, v);
    nashc_value *integer = NULL;
    si_array scale, bias;

    if (x->form)
        return x->form;
    if (si_is_const(walk, v)) {
        integer = constant_integers(walk, v, &scale, &bias);
    } else if (x->kind != SI_FUN) {
        return NULL;
    } else {
        /* What compares a pending sum says which multipliers are right for it. */
        if (!x->affine && nashc_type_is_int(nashc_value_type(v)) && si_imply_quantiser(walk, v))
            return si_of(walk, v)->affine ? si_of(walk, v) : NULL;
        if (si_failed(walk->job) || !(x = si_resolved(walk, x)))
            return NULL;
        if (x->affine)
            return x;
        integer = clamped_integers(walk, v, x, &scale, &bias);
    }
    if (!integer && !si_failed(walk->job) && !si_is_const(walk, v)) {
        if (!si_imply_quantiser(walk, v))
            return NULL;
        if (si_is_const(walk, v)) /* all its codes are one */
            return si_affine(walk, v);
        return si_of(walk, v)->affine ? si_of(walk, v) : NULL;
    }
    return set_form(walk, v, integer, &scale, &bias);
}
