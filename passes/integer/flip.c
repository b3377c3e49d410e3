/* flip.c: tensors with the sign of some channels changed.
 *
 * Thresholds want functions that rise, and max pools commute with those only. A channel that falls
 * is turned through its weights, which costs nothing, if a products layer made it and nobody else
 * reads it. Moving ops in between are gone through backwards. Else a multiplication turns it.
 */
#include "integer.h"

#define MAX_MOVES 16

static double
times_sign(double x, double sign)
{
    return sign < 0 ? -x : x;
}

/* Copy of tensor with integer replaced by its product with sign. */
static si_tensor *
flipped(si_job *job, const si_tensor *tensor, const si_array *sign, nashc_value *integer)
{
    si_tensor *r = si_alloc(job, 1, sizeof(*r));
    si_array a, b;
    if (!r || !integer)
        return NULL;
    *r = *tensor;
    r->integer = integer;
    r->layer = NULL;
    if (!si_zip(job, &tensor->scale, sign, si_sgn_mul, &r->scale) ||
        !si_zip(job, &tensor->lo, sign, times_sign, &a) ||
        !si_zip(job, &tensor->hi, sign, times_sign, &b) || !si_zip(job, &a, &b, si_min, &r->lo) ||
        !si_zip(job, &a, &b, si_max, &r->hi))
        return NULL;
    return r;
}

si_tensor *
si_flip_mul(si_walk *walk, const si_tensor *tensor, const si_array *sign)
{
    return flipped(walk->job, tensor, sign, si_times(walk, tensor->integer, sign));
}

/* Signs of the elements behind the moving op that leads to tensor as signs of those in front of it.
 * False: an element in front is read with both signs. */
static bool
sign_in_front(si_walk *walk, const si_tensor *tensor, const si_array *sign, si_array *out)
{
    const nashc_type *in = nashc_value_type(nashc_node_in(tensor->via, 0));
    const nashc_type *to = nashc_value_type(nashc_node_out(tensor->via, tensor->via_out));
    if (sign->n == 1) {
        *out = *sign;
        return true;
    }
    int64_t *map = si_map_of(walk, tensor->via, tensor->via_out);
    bool ok = map && si_shape_array(walk->job, out, in->rank, in->dim);
    for (int64_t e = 0, n = nashc_type_count(to); ok && e < n; e++) {
        double s = si_at(sign, to, e);
        ok = out->v[map[e]] == 0 || out->v[map[e]] == s;
        out->v[map[e]] = s;
    }
    nashc_mem_free(map);
    if (!ok)
        return false;
    for (int64_t i = 0; i < out->n; i++) /* nobody reads those that are 0 still */
        out->v[i] = out->v[i] == 0 ? 1 : out->v[i];
    si_squeeze(out);
    return true;
}

/* The layer in front of the moving ops that lead to tensor is turned, and what they move moved
 * again. */
static si_tensor *
flip_moved(si_walk *walk, const si_tensor *tensor, const si_array *sign)
{
    const si_tensor *behind[MAX_MOVES];
    int n = 0;
    si_array s = *sign, in_front;
    for (; tensor->source && !tensor->via_is_pool && n < MAX_MOVES; tensor = tensor->source) {
        if (nashc_node_n_in(tensor->via) != 1 || nashc_node_n_out(tensor->via) != 1 ||
            !sign_in_front(walk, tensor, &s, &in_front))
            return NULL;
        s = in_front;
        behind[n++] = tensor;
    }
    if (tensor->source || !tensor->layer)
        return NULL;
    si_tensor *turned = si_flip_weights(walk, tensor, &s);
    nashc_value *v = turned ? turned->integer : NULL;
    for (int k = n - 1; v && k >= 0; k--) {
        nashc_node *m = nashc_build_like(walk->build, behind[k]->via, &v, 1);
        if (!m)
            si_fail(walk->job, nashc_build_status(walk->build));
        v = m ? nashc_node_out(m, 0) : NULL;
    }
    return v ? flipped(walk->job, behind[0], sign, v) : NULL;
}

/* Weights with the channels of which along is negative turned. NULL: they would need a wider type,
 * or failed. */
static nashc_tensor *
flipped_weights(si_job *job, const si_products_layer *layer, const si_array *along)
{
    const nashc_type *t = nashc_tensor_type(layer->w_tensor);
    int64_t n = nashc_tensor_count(layer->w_tensor);
    int64_t *w = nashc_buf_to_i64(nashc_tensor_buf(layer->w_tensor));
    if (!w) {
        si_no_memory(job);
        return NULL;
    }
    for (int64_t i = 0, o = 0; i < n; i += layer->repeat, o = o + 1 == layer->period ? 0 : o + 1)
        for (int64_t k = i; along->v[o] < 0 && k < i + layer->repeat; k++)
            w[k] = -w[k];
    nashc_tensor *r = si_int_tensor(job, t, w);
    nashc_mem_free(w);
    return r && nashc_tensor_type(r)->bits <= t->bits ? r : NULL;
}

si_tensor *
si_flip_weights(si_walk *walk, const si_tensor *tensor, const si_array *sign)
{
    const si_products_layer *layer = tensor->layer;
    si_array along;
    if (!layer && tensor->source && !tensor->via_is_pool)
        return flip_moved(walk, tensor, sign);
    if (!layer ||
        !si_along(walk->job, sign, nashc_value_type(tensor->integer), layer->axis, &along))
        return NULL;
    nashc_tensor *w = flipped_weights(walk->job, layer, &along);
    if (!w)
        return NULL;
    nashc_value *v = nashc_build_const(walk->build, NULL, nashc_tensor_ref(w));
    nashc_value *in[2] = {layer->w_first ? v : layer->x, layer->w_first ? layer->x : v};
    nashc_build_loc(walk->build, nashc_node_loc(layer->node));
    si_tensor *r = flipped(walk->job, tensor, sign, si_emit(walk, layer->op, in, 2, layer->attrs));
    nashc_build_loc(walk->build, nashc_node_loc(walk->node));
    si_products_layer *turned = r ? si_alloc(walk->job, 1, sizeof(*turned)) : NULL;
    if (!turned)
        return NULL;
    *turned = *layer;
    turned->w = v;
    turned->w_tensor = w;
    r->layer = turned;
    return r;
}

bool
si_leads_only_to(const nashc_value *v, const nashc_node *reader)
{
    for (;;) {
        nashc_node *user = nashc_value_one_user(v);
        if (!user || nashc_node_n_out(user) != 1)
            return false;
        if (user == reader)
            return true;
        v = nashc_node_out(user, 0);
    }
}
