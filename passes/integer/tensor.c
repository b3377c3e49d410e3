/* tensor.c: integer tensors of the new graph and what they stand for in the model. */
#include "integer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Constants are equal if they share their storage. */
static const void *
identity_of(const nashc_value *v)
{
    return v && nashc_value_const(v) ? (const void *)nashc_value_const(v) : v;
}

static uint64_t
hash_of(const char *op, nashc_value *const *in, int n, const char *attrs)
{
    uint64_t h = UINT64_C(1469598103934665603);
    for (int k = 0; k < 2; k++)
        for (const char *s = k ? attrs : op; *s; s++)
            h = (h ^ (uint8_t)*s) * UINT64_C(1099511628211);
    for (int i = 0; i < n; i++) /* the table is only searched for equals: order does not matter */
        h = (h ^ (in[i] && !nashc_value_const(in[i]) ? nashc_value_id(in[i]) : 7)) *
            UINT64_C(1099511628211);
    return h;
}

/* Result of a new node, or of an equal one that was built before. */
nashc_value *
si_emit(si_state *S, const char *op, nashc_value *const *in, int n, const char *attrs)
{
    const char *text = attrs ? attrs : "";
    uint64_t h = hash_of(op, in, n, text);
    si_made **list = &S->made[h & (S->n_made - 1)], *m;

    for (m = n <= 3 ? *list : NULL; m; m = m->next) {
        bool same = m->hash == h && strcmp(m->op, op) == 0 && strcmp(m->attrs, text) == 0;
        for (int i = 0; same && i < 3; i++)
            same = identity_of(m->in[i]) == identity_of(i < n ? in[i] : NULL);
        if (same)
            return m->out;
    }
    nashc_value *v = nashc_build_op(S->b, op, in, n, "%s", text);
    if (!v) {
        si_fail(S, nashc_build_status(S->b));
        return NULL;
    }
    if (n <= 3 && (m = si_alloc(S, 1, sizeof(*m))) != NULL) {
        *m = (si_made){.hash = h, .op = op, .attrs = nashc_arena_strdup(S->a, text), .out = v};
        for (int i = 0; i < n; i++)
            m->in[i] = in[i];
        m->next = *list;
        if (m->attrs)
            *list = m;
    }
    return v;
}

nashc_value *
si_const_int(si_state *S, const si_array *a)
{
    int64_t *q = malloc((size_t)a->n * sizeof(*q) + 1);
    if (!q) {
        si_fail(S, nashc_enomem(S->diag));
        return NULL;
    }
    for (int64_t i = 0; i < a->n; i++)
        q[i] = (int64_t)a->v[i];
    nashc_type t = nashc_type_shaped(nashc_type_int(64), a->rank, a->dim);
    nashc_tensor *r = si_int_tensor(S, &t, q);
    free(q);
    return r ? nashc_build_const(S->b, NULL, nashc_tensor_ref(r)) : NULL;
}

/* f32 where that holds the values, else f64 */
nashc_value *
si_const_real(si_state *S, const si_array *a)
{
    bool narrow = true;
    for (int64_t i = 0; i < a->n; i++)
        narrow = narrow && (double)(float)a->v[i] == a->v[i];
    nashc_type t = nashc_type_shaped(narrow ? nashc_type_f32() : nashc_type_f64(), a->rank, a->dim);
    return nashc_build_const(S->b, NULL, nashc_tensor_from_f64(&t, a->v));
}

si_tensor *
si_new_tensor(si_state *S, nashc_value *ival, nashc_value *origin, const si_array *s,
              const si_array *b)
{
    si_tensor *r = si_alloc(S, 1, sizeof(*r));
    if (!r)
        return NULL;
    r->ival = ival;
    r->origin = origin;
    r->s = *s;
    r->b = *b;
    if (ival) {
        const nashc_type *t = nashc_value_type(ival);
        r->lo = si_scalar(S, (double)t->lo);
        r->hi = si_scalar(S, (double)t->hi);
    }
    return S->st == NASHC_OK ? r : NULL;
}

static double
sign_of(double x, double y)
{
    (void)y;
    return (x > 0) - (x < 0);
}

bool
si_set_affine(si_state *S, nashc_value *v, si_tensor *tensor, const si_array *s, const si_array *b)
{
    si_val *r = si_of(S, v);
    r->kind = SI_FUN;
    r->tensor = tensor;
    r->affine = r->mono = true;
    r->s = *s;
    r->b = *b;
    r->by_channel =
        si_channel_only(s, nashc_value_type(v)) && si_channel_only(b, nashc_value_type(v));
    return si_zip(S, s, s, sign_of, &r->dir);
}

bool
si_anchor(si_state *S, nashc_value *v, nashc_value *ival, const si_array *s, const si_array *b,
          const si_array *lo, const si_array *hi, si_products_layer *layer, nashc_value *real)
{
    si_tensor *tensor = ival ? si_new_tensor(S, ival, v, s, b) : NULL;
    if (!tensor)
        return false;
    if (lo && hi) {
        tensor->lo = *lo;
        tensor->hi = *hi;
    }
    tensor->layer = layer;
    if (!si_set_affine(S, v, tensor, s, b))
        return false;
    if (ival == v)
        return true;
    bool same = si_all_eq(s, 1.0) && si_zero(b);
    if (!real && same) {
        real = nashc_type_is_float(nashc_value_type(v)) ? si_emit(S, "nn.cast", &ival, 1, "to=f32")
                                                        : ival;
    } else if (!real) {
        real = si_emit(S, "nn.mul", (nashc_value *[]){ival, si_const_real(S, s)}, 2, NULL);
        if (real && !si_zero(b))
            real = si_emit(S, "nn.add", (nashc_value *[]){real, si_const_real(S, b)}, 2, NULL);
    }
    si_float *f = si_alloc(S, 1, sizeof(*f));
    if (!f || !real)
        return false;
    f->old = v;
    f->real = real;
    f->same = same ? ival : NULL;
    *S->floats_end = f;
    S->floats_end = &f->next;
    return true;
}

nashc_value *
si_times(si_state *S, nashc_value *ival, const si_array *m)
{
    if (si_all_eq(m, 1.0))
        return ival;
    return si_emit(S, "nn.mul", (nashc_value *[]){ival, si_const_int(S, m)}, 2, NULL);
}

static double
flipped_lo(double x, double sign)
{
    return sign < 0 ? -x : x;
}

/* Copy of tensor with ival replaced by its product with sign. */
static si_tensor *
flipped(si_state *S, const si_tensor *tensor, const si_array *sign, nashc_value *ival)
{
    si_tensor *r = si_alloc(S, 1, sizeof(*r));
    si_array a, b;
    if (!r || !ival)
        return NULL;
    *r = *tensor;
    r->ival = ival;
    r->layer = NULL;
    if (!si_zip(S, &tensor->s, sign, si_sgn_mul, &r->s) ||
        !si_zip(S, &tensor->lo, sign, flipped_lo, &a) ||
        !si_zip(S, &tensor->hi, sign, flipped_lo, &b) || !si_zip(S, &a, &b, si_min, &r->lo) ||
        !si_zip(S, &a, &b, si_max, &r->hi))
        return NULL;
    return r;
}

si_tensor *
si_flip_mul(si_state *S, const si_tensor *tensor, const si_array *sign)
{
    return flipped(S, tensor, sign, si_times(S, tensor->ival, sign));
}

/* Signs of the elements behind moving op tensor->via as signs of those in front of it. */
static bool
sign_before(si_state *S, const si_tensor *tensor, const si_array *sign, si_array *out)
{
    const nashc_node *via = tensor->via;
    const nashc_type *in = nashc_value_type(nashc_node_in(via, 0));
    const nashc_type *to = nashc_value_type(nashc_node_out(via, tensor->via_out));
    if (sign->n == 1) {
        *out = *sign;
        return true;
    }
    int64_t *map = si_index_map(S, via, tensor->via_out, in);
    bool ok = map && si_shape_array(S, out, in->rank, in->dim);
    for (int64_t i = 0; ok && i < out->n; i++)
        out->v[i] = 0;
    for (int64_t e = 0, n = nashc_type_count(to); ok && e < n; e++) {
        double s = si_at(sign, to, e);
        ok = out->v[map[e]] == 0 || out->v[map[e]] == s;
        out->v[map[e]] = s;
    }
    nashc_mem_free(map);
    if (!ok)
        return false;
    for (int64_t i = 0; i < out->n; i++)
        out->v[i] = out->v[i] == 0 ? 1 : out->v[i];
    si_squeeze(out);
    return true;
}

/* Core of the tensor in front of the moving ops that lead to tensor. */
static si_tensor *
flip_moved(si_state *S, const si_tensor *tensor, const si_array *sign)
{
    const si_tensor *chain[16];
    int n = 0;
    si_array s = *sign, before_via;
    for (; tensor->before_via && !tensor->via_is_pool && n < 16; tensor = tensor->before_via) {
        if (nashc_node_n_in(tensor->via) != 1 || nashc_node_n_out(tensor->via) != 1 ||
            !sign_before(S, tensor, &s, &before_via))
            return NULL;
        s = before_via;
        chain[n++] = tensor;
    }
    if (tensor->before_via || !tensor->layer)
        return NULL;
    si_tensor *f = si_flip_weights(S, tensor, &s);
    nashc_value *v = f ? f->ival : NULL;
    for (int k = n - 1; v && k >= 0; k--) {
        nashc_node *m = nashc_build_like(S->b, chain[k]->via, &v, 1);
        if (!m)
            si_fail(S, nashc_build_status(S->b));
        v = m ? nashc_node_out(m, 0) : NULL;
    }
    return v ? flipped(S, chain[0], sign, v) : NULL;
}

si_tensor *
si_flip_weights(si_state *S, const si_tensor *tensor, const si_array *sign)
{
    if (!tensor->layer && tensor->before_via && !tensor->via_is_pool)
        return flip_moved(S, tensor, sign);
    const si_products_layer *layer = tensor->layer;
    si_array along;
    if (!layer || !si_along(S, sign, nashc_value_type(tensor->ival), layer->axis, &along))
        return NULL;
    const nashc_type *t = nashc_tensor_type(layer->wt);
    int64_t n = nashc_tensor_count(layer->wt), *w = nashc_buf_to_i64(nashc_tensor_buf(layer->wt));
    if (!w) {
        si_fail(S, nashc_enomem(S->diag));
        return NULL;
    }
    for (int64_t i = 0, o = 0; i < n; i += layer->repeat, o = o + 1 == layer->period ? 0 : o + 1)
        for (int64_t k = i; along.v[o] < 0 && k < i + layer->repeat; k++)
            w[k] = -w[k];
    nashc_tensor *wt = si_int_tensor(S, t, w);
    nashc_mem_free(w);
    if (!wt || nashc_tensor_type(wt)->bits > t->bits)
        return NULL;
    nashc_value *wv = nashc_build_const(S->b, NULL, nashc_tensor_ref(wt));
    nashc_value *in[2] = {layer->w_first ? wv : layer->x, layer->w_first ? layer->x : wv};
    nashc_build_loc(S->b, nashc_node_loc(layer->node));
    si_tensor *r = flipped(S, tensor, sign, si_emit(S, layer->op, in, 2, layer->attrs));
    nashc_build_loc(S->b, nashc_node_loc(S->at));
    si_products_layer *c = r ? si_alloc(S, 1, sizeof(*c)) : NULL;
    if (!c)
        return NULL;
    *c = *layer;
    c->w = wv;
    c->wt = wt;
    r->layer = c;
    return r;
}

bool
si_leads_only_to(si_state *S, const nashc_value *v, const nashc_node *w)
{
    (void)S;
    for (;;) {
        nashc_node *u = nashc_value_one_user(v);
        if (!u || nashc_node_n_out(u) != 1)
            return false;
        if (u == w)
            return true;
        v = nashc_node_out(u, 0);
    }
}
