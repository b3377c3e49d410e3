/* moves.c: ops of the model that move elements or choose among them, done on the integers.
 *
 * Moving ops apply to s and b as to the tensor itself. A max pool commutes with increasing maps
 * only: channels that decrease are pooled with their sign changed.
 */
#include "integer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool
moves(si_state *S, const nashc_node *n)
{
    static const char *const names[] = {
        "nn.reshape", "nn.transpose",      "nn.slice",  "nn.expand", "nn.tile", "nn.depth_to_space",
        "nn.split",   "nn.space_to_depth", "nn.gather", "nn.resize", "nn.pad"};
    for (int i = 1; i < nashc_node_n_in(n); i++)
        if (nashc_node_in(n, i) && !si_is_const(S, nashc_node_in(n, i)))
            return false;
    if (nashc_node_is(n, "nn.resize"))
        return strcmp(nashc_attr_str(n, nashc_attr_index(n, "mode")), "nearest") == 0;
    for (size_t i = 0; i < NASHC_COUNT(names); i++)
        if (nashc_node_is(n, names[i]))
            return true;
    return false;
}

/* Intervals that differ by more than the channel are not worth thresholds of their own. */
static void
plain_interval(si_state *S, si_tensor *tensor, const nashc_type *t)
{
    if (!si_channel_only(&tensor->lo, t) || !si_channel_only(&tensor->hi, t)) {
        const nashc_type *it = nashc_value_type(tensor->ival);
        tensor->lo = si_scalar(S, (double)it->lo);
        tensor->hi = si_scalar(S, (double)it->hi);
    }
}

/* Result k of n in terms of a tensor that is n applied to the tensor of x. */
static bool
moved(si_state *S, nashc_node *n, int k, nashc_value *ival, const si_val *x)
{
    const nashc_type *from = nashc_value_type(nashc_node_in(n, 0));
    nashc_value *y = nashc_node_out(n, k);
    const nashc_type *to = nashc_value_type(y);
    si_tensor *old = x->tensor, *tensor = si_new_tensor(S, ival, old->origin, &old->s, &old->b);
    si_val *r = si_of(S, y);
    int64_t *map = NULL;

    if (!tensor)
        return false;
    *r = *x;
    r->other = NULL;
    r->tensor = tensor;
    tensor->before_via = old;
    tensor->via = n;
    tensor->via_out = k;
    const si_array *src[] = {&old->s, &old->b, &old->lo, &old->hi, &x->s, &x->b, &x->dir};
    si_array *dst[] = {&tensor->s, &tensor->b, &tensor->lo, &tensor->hi, &r->s, &r->b, &r->dir};
    bool ok = true;
    for (size_t i = 0; ok && i < NASHC_COUNT(src); i++) {
        if (src[i]->n > 1 && !map && !(map = si_index_map(S, n, k, from)))
            return false;
        ok = si_gather(S, src[i], from, to, map, dst[i]);
    }
    nashc_mem_free(map);
    if (ok)
        plain_interval(S, tensor, to);
    r->by_channel = x->affine
                        ? si_channel_only(&r->s, to) && si_channel_only(&r->b, to) &&
                              si_channel_only(&tensor->s, to) && si_channel_only(&tensor->b, to)
                        : false;
    if (!ok)
        r->kind = SI_NONE;
    return ok;
}

bool
si_shape_node(si_state *S, nashc_node *n)
{
    nashc_value *xv = nashc_node_in(n, 0);
    si_val *x = xv ? si_of(S, xv) : NULL;
    if (!x || x->kind != SI_FUN || !moves(S, n))
        return false;
    if (nashc_node_is(n, "nn.pad") &&
        strcmp(nashc_attr_str(n, nashc_attr_index(n, "mode")), "constant") == 0)
        return si_pad(S, n);
    if (!(x = si_with_fallback(S, x)))
        return false;
    int n_in = nashc_node_n_in(n);
    nashc_value **in = si_alloc(S, n_in, sizeof(*in));
    if (!in)
        return false;
    for (int i = 0; i < n_in; i++)
        in[i] = i ? nashc_node_in(n, i) : x->tensor->ival;
    nashc_node *m = nashc_build_like(S->b, n, in, n_in);
    if (!m)
        return si_fail(S, nashc_build_status(S->b));
    for (int k = 0; k < nashc_node_n_out(n); k++)
        if (!moved(S, n, k, nashc_node_out(m, k), x))
            return false;
    return true;
}

static double
flip_sign(double dir, double y)
{
    (void)y;
    return dir < 0 ? -1.0 : 1.0;
}

bool
si_maxpool(si_state *S, nashc_node *n)
{
    nashc_value *xv = nashc_node_in(n, 0), *yv = nashc_node_out(n, 0);
    const nashc_type *t = nashc_value_type(xv);
    si_val *x = si_of(S, xv), *y = si_of(S, yv);
    si_array sign;

    if (x->kind != SI_FUN)
        return false;
    if (!(x = si_with_fallback(S, x)))
        return false;
    if (!x->mono || !x->by_channel || !si_channel_only(&x->dir, t) ||
        !si_channel_only(&x->tensor->s, t) || !si_channel_only(&x->tensor->b, t))
        return si_no(S, "the function in front of the max pool is not monotone, or varies inside "
                        "a window");
    if (!si_zip(S, &x->dir, &x->dir, flip_sign, &sign))
        return false;
    si_tensor *from = x->tensor;
    if (!si_all_eq(&sign, 1.0)) {
        si_tensor *f =
            si_leads_only_to(S, from->origin, n) ? si_flip_weights(S, from, &sign) : NULL;
        from = f ? f : si_flip_mul(S, from, &sign);
        if (!from || S->st != NASHC_OK)
            return false;
    }
    nashc_node *m = nashc_build_like(S->b, n, &from->ival, 1);
    if (!m)
        return si_fail(S, nashc_build_status(S->b));
    si_tensor *tensor = si_new_tensor(S, nashc_node_out(m, 0), from->origin, &from->s, &from->b);
    if (!tensor)
        return false;
    tensor->lo = from->lo;
    tensor->hi = from->hi;
    plain_interval(S, tensor, t);
    tensor->before_via = x->tensor;
    tensor->via = n;
    tensor->via_is_pool = true;
    *y = *x;
    y->other = NULL;
    y->tensor = tensor;
    return si_zip(S, &x->s, &sign, si_sgn_mul, &y->s) &&
           si_zip(S, &x->dir, &sign, si_sgn_mul, &y->dir);
}

/* Constant padding with the integer that stands for the value. */
bool
si_pad(si_state *S, nashc_node *n)
{
    nashc_value *xv = nashc_node_in(n, 0), *yv = nashc_node_out(n, 0);
    const nashc_type *t = nashc_value_type(xv);
    si_val *x = si_affine(S, xv);
    si_array p, z;
    int count;
    const int64_t *pads = nashc_attr_ints(n, nashc_attr_index(n, "pads"), &count);

    if (!x)
        return false;
    p = si_scalar(S, 0.0);
    if (nashc_node_in(n, 1) && (!si_known(S, nashc_node_in(n, 1)) ||
                                !si_from_tensor(S, si_known(S, nashc_node_in(n, 1)), &p)))
        return false;
    if (p.n > 1 && p.rank == 1) { /* one value a channel */
        double *v = p.v;
        if (!si_per_channel(S, t, v, &p))
            return false;
    }
    for (int i = 0; i < t->rank; i++)
        if ((pads[i] || pads[i + t->rank]) && (si_varies(&x->s, t, i) || si_varies(&x->b, t, i)))
            return si_no(S, "scale or offset vary along a padded axis");
    if (!si_zip(S, &p, &x->b, si_sub, &z) || !si_zip(S, &z, &x->s, si_div, &z))
        return false;
    for (int64_t i = 0; i < z.n; i++) {
        double q = nearbyint(z.v[i]);
        if (!(fabs(z.v[i] - q) <= 1e-9 * (1 + fabs(q))))
            return si_no(S, "the padding value is not on the grid of the integers");
        z.v[i] = q;
    }
    si_squeeze(&z);
    if (!si_channel_only(&z, t))
        return si_no(S, "the padding value varies along more than the channels");
    if (z.n > 1) { /* nn.pad takes one value a channel as a vector */
        z.dim[0] = z.n;
        z.rank = 1;
    }
    nashc_value *in[2] = {x->tensor->ival, si_all_eq(&z, 0.0) ? NULL : si_const_int(S, &z)};
    nashc_value *ival = si_emit(S, "nn.pad", in, in[1] ? 2 : 1, nashc_node_attr_text(n, S->a));
    return ival && si_anchor(S, yv, ival, &x->s, &x->b, NULL, NULL, NULL, NULL);
}

/* The arrays of the operands, one behind the other along the axis. */
static bool
chain_arrays(si_state *S, const si_array *const *a, nashc_value *const *v, int n, int axis,
             const nashc_type *out, si_array *r)
{
    bool same = true;
    for (int i = 0; i < n; i++)
        same = same && a[i]->n == 1 && a[i]->v[0] == a[0]->v[0];
    if (same) {
        *r = *a[0];
        return true;
    }
    int64_t dim[NASHC_MAX_RANK];
    for (int k = 0; k < out->rank; k++) {
        dim[k] = k == axis ? out->dim[k] : 1;
        for (int i = 0; i < n; i++)
            if (k != axis && si_varies(a[i], nashc_value_type(v[i]), k))
                dim[k] = out->dim[k];
    }
    if (!si_shape_array(S, r, out->rank, dim))
        return false;
    nashc_type full = nashc_type_shaped(nashc_type_f64(), out->rank, dim);
    int64_t inner = 1;
    for (int k = axis + 1; k < out->rank; k++)
        inner *= dim[k];
    for (int64_t e = 0; e < r->n; e++) {
        int64_t at = e / inner % dim[axis], rest = e % inner, outer = e / inner / dim[axis];
        int i = 0;
        while (at >= nashc_value_type(v[i])->dim[axis])
            at -= nashc_value_type(v[i++])->dim[axis];
        nashc_type part = full;
        part.dim[axis] = nashc_value_type(v[i])->dim[axis];
        r->v[e] = si_at(a[i], &part, (outer * part.dim[axis] + at) * inner + rest);
    }
    si_squeeze(r);
    return true;
}

bool
si_concat(si_state *S, nashc_node *n)
{
    int n_in = nashc_node_n_in(n), axis = (int)nashc_attr_int(n, nashc_attr_index(n, "axis"));
    nashc_value *y = nashc_node_out(n, 0), **ival, **v;
    const nashc_type *t = nashc_value_type(y);
    const si_array **a;
    si_val **x;
    si_array r[4];

    ival = si_alloc(S, n_in, sizeof(*ival));
    v = si_alloc(S, n_in, sizeof(*v));
    x = si_alloc(S, n_in, sizeof(*x));
    a = si_alloc(S, n_in, sizeof(*a));
    if (!ival || !v || !x || !a)
        return false;
    axis += axis < 0 ? t->rank : 0;
    for (int i = 0; i < n_in; i++) {
        v[i] = nashc_node_in(n, i);
        if (!(x[i] = si_affine(S, v[i])))
            return si_no(S, "an operand is not on an integer grid");
        ival[i] = x[i]->tensor->ival;
    }
    for (int k = 0; k < 4; k++) {
        for (int i = 0; i < n_in; i++)
            a[i] = k == 0   ? &x[i]->s
                   : k == 1 ? &x[i]->b
                   : k == 2 ? &x[i]->tensor->lo
                            : &x[i]->tensor->hi;
        if (!chain_arrays(S, a, v, n_in, axis, t, &r[k]))
            return false;
    }
    nashc_value *c = si_emit(S, "nn.concat", ival, n_in, nashc_node_attr_text(n, S->a));
    return c && si_anchor(S, y, c, &r[0], &r[1], &r[2], &r[3], NULL, NULL);
}
