/* moves.c: ops of the model that move elements, done on the integers.
 *
 *     tensor -- f -- move     ==>     move of tensor -- f
 *
 * They apply to scale, bias and interval as to the tensor itself; where these differ by element,
 * the map of the elements tells where each goes.
 */
#include "integer.h"

#include <string.h>

int64_t *
si_map_of(si_walk *walk, const nashc_node *n, int out)
{
    int n_in = nashc_node_n_in(n);
    const nashc_tensor **constant = si_alloc(walk->job, n_in, sizeof(*constant));
    if (!constant)
        return NULL;
    for (int i = 1; i < n_in; i++)
        constant[i] = nashc_node_in(n, i) ? si_known(walk, nashc_node_in(n, i)) : NULL;
    int64_t *map = si_failed(walk->job) ? NULL : nashc_index_map(n, constant, out, walk->job->diag);
    if (!map)
        si_fail(walk->job, NASHC_ENOMEM); /* keeps an earlier failure */
    return map;
}

void
si_plain_interval(si_job *job, si_tensor *tensor, const nashc_type *t)
{
    if (!si_channel_only(&tensor->lo, t) || !si_channel_only(&tensor->hi, t)) {
        const nashc_type *it = nashc_value_type(tensor->integer);
        tensor->lo = si_scalar(job, (double)it->lo);
        tensor->hi = si_scalar(job, (double)it->hi);
    }
}

/* All arrays of a tensor and of the function of it, moved by result k of n. */
static bool
move_arrays(si_walk *walk, const nashc_node *n, int k, const si_value *x, si_tensor *tensor,
            si_value *y)
{
    const nashc_type *from = nashc_value_type(nashc_node_in(n, 0));
    const nashc_type *to = nashc_value_type(nashc_node_out(n, k));
    const si_tensor *old = x->tensor;
    const si_array *src[] = {&old->scale, &old->bias, &old->lo,     &old->hi,
                             &x->scale,   &x->bias,   &x->direction};
    si_array *dst[] = {&tensor->scale, &tensor->bias, &tensor->lo,  &tensor->hi,
                       &y->scale,      &y->bias,      &y->direction};
    int64_t *map = NULL;
    bool ok = true;
    for (size_t i = 0; ok && i < NASHC_COUNT(src); i++) {
        if (src[i]->n > 1 && !map && !(map = si_map_of(walk, n, k)))
            return false;
        ok = si_gather(walk->job, src[i], from, to, map, dst[i]);
    }
    nashc_mem_free(map);
    return ok;
}

/* Result k of n in terms of a tensor that is n applied to the tensor of x. */
static bool
moved(si_walk *walk, nashc_node *n, int k, nashc_value *integer, const si_value *x)
{
    nashc_value *y = nashc_node_out(n, k);
    const nashc_type *to = nashc_value_type(y);
    si_tensor *old = x->tensor;
    si_tensor *tensor = si_new_tensor(walk->job, integer, old->origin, &old->scale, &old->bias);
    si_value *r = si_of(walk, y);
    if (!tensor)
        return false;
    *r = *x;
    r->form = NULL;
    r->tensor = tensor;
    tensor->source = old;
    tensor->via = n;
    tensor->via_out = k;
    if (!move_arrays(walk, n, k, x, tensor, r)) {
        r->kind = SI_NONE;
        return false;
    }
    si_plain_interval(walk->job, tensor, to);
    r->by_channel = x->affine && si_channel_only(&r->scale, to) && si_channel_only(&r->bias, to) &&
                    si_channel_only(&tensor->scale, to) && si_channel_only(&tensor->bias, to);
    return true;
}

bool
si_moving_node(si_walk *walk, nashc_node *n)
{
    nashc_value *xv = nashc_node_in(n, 0);
    si_value *x = xv ? si_of(walk, xv) : NULL;
    int n_in = nashc_node_n_in(n);
    if (!x || x->kind != SI_FUN || !si_is_moving(walk, n))
        return false;
    if (nashc_node_is(n, "nn.pad") && strcmp(nashc_node_str(n, "mode"), "constant") == 0)
        return si_pad(walk, n);
    nashc_value **in = si_alloc(walk->job, n_in, sizeof(*in));
    if (!(x = si_resolved(walk, x)) || !in)
        return false;
    for (int i = 0; i < n_in; i++)
        in[i] = i ? nashc_node_in(n, i) : x->tensor->integer;
    nashc_node *m = nashc_build_like(walk->build, n, in, n_in);
    if (!m)
        return si_fail(walk->job, nashc_build_status(walk->build));
    for (int k = 0; k < nashc_node_n_out(n); k++)
        if (!moved(walk, n, k, nashc_node_out(m, k), x))
            return false;
    return true;
}
