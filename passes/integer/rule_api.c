/* rule_api.c: what rules from outside call: the functions of <nashc/integer.h>.
 *
 * Rules of this folder call what lies behind them.
 */
#include "integer.h"

#include <string.h>

/* --- what a value is ---------------------------------------------------------------------------
 */

nashc_integer_kind
nashc_integer_kind_of(const nashc_integer_walk *walk, const nashc_value *v)
{
    if (si_is_const(walk, v))
        return NASHC_INTEGER_CONSTANT;
    const si_value *x = si_of(walk, v);
    if (x->kind != SI_FUN)
        return NASHC_INTEGER_HOST;
    return x->affine ? NASHC_INTEGER_AFFINE : NASHC_INTEGER_FUNCTION;
}

const nashc_tensor *
nashc_integer_known(nashc_integer_walk *walk, nashc_value *v)
{
    return v ? si_known(walk, v) : NULL;
}

/* a where later changes of it do not reach; NULL: failed. */
static si_array *
kept(si_job *job, const si_array *a)
{
    si_array *r = a->v ? si_alloc(job, 1, sizeof(*r)) : NULL;
    if (r)
        *r = *a;
    return r;
}

const nashc_tensor *
nashc_integer_codes(nashc_integer_walk *walk, nashc_value *v, const nashc_integer_array **scale)
{
    nashc_tensor *codes;
    si_array s;
    if (!v || !si_is_const(walk, v) || !si_const_codes(walk, v, &codes, &s))
        return NULL;
    *scale = kept(walk->job, &s);
    return *scale ? codes : NULL;
}

nashc_integer_form *
nashc_integer_affine(nashc_integer_walk *walk, nashc_value *v)
{
    return v ? si_affine(walk, v) : NULL;
}

nashc_value *
nashc_integer_of(const nashc_integer_form *x)
{
    return x ? x->tensor->integer : NULL;
}

const nashc_integer_array *
nashc_integer_scale(const nashc_integer_form *x)
{
    return x ? &x->scale : NULL;
}

const nashc_integer_array *
nashc_integer_bias(const nashc_integer_form *x)
{
    return x ? &x->bias : NULL;
}

const nashc_integer_array *
nashc_integer_least(const nashc_integer_form *x)
{
    return x ? &x->tensor->lo : NULL;
}

const nashc_integer_array *
nashc_integer_most(const nashc_integer_form *x)
{
    return x ? &x->tensor->hi : NULL;
}

/* --- arrays ------------------------------------------------------------------------------------
 */

nashc_integer_array *
nashc_integer_scalar(nashc_integer_walk *walk, double v)
{
    si_array a = si_scalar(walk->job, v);
    return kept(walk->job, &a);
}

nashc_integer_array *
nashc_integer_by_channel(nashc_integer_walk *walk, const nashc_type *t, const double *v)
{
    si_array a;
    return si_per_channel(walk->job, t, v, &a) ? kept(walk->job, &a) : NULL;
}

/* Squeezed, like all arrays: what does not vary by element costs nothing later. */
nashc_integer_array *
nashc_integer_by_element(nashc_integer_walk *walk, const nashc_type *t, const double *v)
{
    si_array a;
    if (!si_shape_array(walk->job, &a, t->rank, t->dim))
        return NULL;
    memcpy(a.v, v, (size_t)a.n * sizeof(*v));
    si_squeeze(&a);
    return kept(walk->job, &a);
}

static nashc_integer_array *
zipped(si_job *job, const si_array *x, const si_array *y, si_fn *f)
{
    si_array a;
    return x && y && si_zip(job, x, y, f, &a) ? kept(job, &a) : NULL;
}

nashc_integer_array *
nashc_integer_sum(nashc_integer_walk *walk, const nashc_integer_array *x,
                  const nashc_integer_array *y)
{
    return zipped(walk->job, x, y, si_add);
}

nashc_integer_array *
nashc_integer_product(nashc_integer_walk *walk, const nashc_integer_array *x,
                      const nashc_integer_array *y)
{
    return zipped(walk->job, x, y, si_mul);
}

double
nashc_integer_at(const nashc_integer_array *a, const nashc_type *t, int64_t e)
{
    return si_at(a, t, e);
}

bool
nashc_integer_uniform(const nashc_integer_array *a)
{
    return a->n == 1;
}

bool
nashc_integer_varies(const nashc_integer_array *a, const nashc_type *t, int axis)
{
    return si_varies(a, t, axis);
}

/* --- building ----------------------------------------------------------------------------------
 */

nashc_value *
nashc_integer_op(nashc_integer_walk *walk, const char *op, nashc_value *const *in, int n_in,
                 const char *attrs)
{
    return si_emit(walk, op, in, n_in, attrs);
}

nashc_node *
nashc_integer_like(nashc_integer_walk *walk, const nashc_node *like, nashc_value *const *in,
                   int n_in)
{
    nashc_node *n = nashc_build_like(walk->build, like, in, n_in);
    if (!n)
        si_fail(walk->job, nashc_build_status(walk->build));
    return n;
}

nashc_value *
nashc_integer_const(nashc_integer_walk *walk, const nashc_tensor *t)
{
    return t ? nashc_build_const(walk->build, NULL, si_ref(t)) : NULL;
}

nashc_value *
nashc_integer_numbers(nashc_integer_walk *walk, const nashc_integer_array *a)
{
    return a ? si_const_int(walk, a) : NULL;
}

bool
nashc_integer_anchor(nashc_integer_walk *walk, nashc_value *v, nashc_value *integer,
                     const nashc_integer_array *scale, const nashc_integer_array *bias,
                     const nashc_integer_array *least, const nashc_integer_array *most)
{
    return v && integer && scale && bias &&
           si_anchor(walk, v, integer, scale, bias, least, most, NULL, NULL);
}

bool
nashc_integer_no(nashc_integer_walk *walk, const char *why)
{
    return si_no(walk->job, why);
}

nashc_arena *
nashc_integer_arena(nashc_integer_walk *walk)
{
    return walk->job->arena;
}
