/* const_fold.c: nodes of which all operands are constant: what is known of their results. */
#include "integer.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Codes minus zero point; offset NULL: none. */
static nashc_tensor *
narrowed(si_state *S, const nashc_tensor *t, const si_array *offset)
{
    const nashc_type *type = nashc_tensor_type(t);
    if (type->kind == NASHC_K_BIP && !offset)
        return si_keep(S, si_ref(t));
    int64_t *v = nashc_buf_to_i64(nashc_tensor_buf(t)), n = nashc_tensor_count(t);
    if (!v) {
        si_fail(S, nashc_enomem(S->diag));
        return NULL;
    }
    for (int64_t i = 0; offset && i < n; i++)
        v[i] -= (int64_t)si_at(offset, type, i);
    nashc_type shape = *type;
    if (offset && shape.kind == NASHC_K_BIP)
        shape = nashc_type_shaped(nashc_type_int(2), type->rank, type->dim);
    nashc_tensor *r = si_int_tensor(S, &shape, v);
    nashc_mem_free(v);
    return r;
}

static bool
integral(const si_array *a)
{
    for (int64_t i = 0; i < a->n; i++)
        if (a->v[i] != nearbyint(a->v[i]) || fabs(a->v[i]) > 1e9)
            return false;
    return true;
}

static void
set_codes(si_state *S, nashc_value *v, nashc_tensor *codes, const si_array *s)
{
    si_val *r = si_of(S, v);
    r->kind = SI_CONST;
    r->codes = codes;
    r->s = *s;
    r->b = si_scalar(S, 0.0);
}

static bool
quantised_const(si_state *S, nashc_node *n)
{
    bool bip = nashc_node_is(n, "q.bipolar_quant"), deq = nashc_node_is(n, "q.dequant");
    nashc_tensor *in[3] = {0}, *codes;
    si_array s, z;
    int n_in = nashc_node_n_in(n);
    if (n_in > 3)
        return false;
    for (int i = 0; i < n_in; i++) {
        const nashc_tensor *k = nashc_node_in(n, i) ? si_known(S, nashc_node_in(n, i)) : NULL;
        in[i] = (nashc_tensor *)(uintptr_t)k;
    }
    if (S->st != NASHC_OK || !in[0] || !in[1] || !si_from_tensor(S, in[1], &s))
        return false;
    z = si_scalar(S, 0.0);
    if (!bip && in[2] && !si_from_tensor(S, in[2], &z))
        return false;
    if (!integral(&z))
        return false;
    if (deq) {
        if (!nashc_type_is_int(nashc_tensor_type(in[0])))
            return false;
        codes = in[0];
    } else {
        const char *attrs =
            nashc_arena_printf(S->a, "%s codes=true", nashc_node_attr_text(n, S->a));
        if (nashc_attr_bool(n, nashc_attr_index(n, "codes"))) {
            s = si_scalar(S, 1.0);
            z = si_scalar(S, 0.0);
            attrs = NULL;
        }
        if (!si_eval(S, n, NULL, attrs, in, n_in, 1, &codes))
            return false;
    }
    codes = narrowed(S, codes, si_zero(&z) ? NULL : &z);
    if (codes)
        set_codes(S, nashc_node_out(n, 0), codes, &s);
    return codes != NULL;
}

/* Shape ops move codes and scales alike. */
static bool
moved_const(si_state *S, nashc_node *n)
{
    si_val *x = si_of(S, nashc_node_in(n, 0));
    nashc_value *y = nashc_node_out(n, 0);
    const nashc_type *in = nashc_value_type(nashc_node_in(n, 0));
    nashc_tensor *codes;
    si_array s = x->s;
    if (s.n > 1) {
        int64_t *map = si_index_map(S, n, 0, in);
        bool ok = map && si_gather(S, &x->s, in, nashc_value_type(y), map, &s);
        nashc_mem_free(map);
        if (!ok)
            return false;
    }
    if (!si_eval(S, n, NULL, NULL, &x->codes, 1, 1, &codes))
        return false;
    set_codes(S, y, codes, &s);
    return true;
}

static bool
affine_const(si_state *S, nashc_node *n)
{
    bool div = nashc_node_is(n, "nn.div");
    int c = si_of(S, nashc_node_in(n, 0))->codes ? 1 : 0;
    nashc_value *x = nashc_node_in(n, 1 - c);
    nashc_value *y = nashc_node_out(n, 0);
    si_val *xv = si_of(S, x);
    si_array f, s;
    if (!xv->codes || (div && c == 0) ||
        !nashc_type_same_shape(nashc_value_type(x), nashc_value_type(y)))
        return false;
    const nashc_tensor *k = si_known(S, nashc_node_in(n, c));
    if (!k || !si_from_tensor(S, k, &f) || !si_zip(S, &xv->s, &f, div ? si_div : si_mul, &s))
        return false;
    set_codes(S, y, xv->codes, &s);
    return true;
}

/* All operands of n are constants: so are its results. */
bool
si_const_node(si_state *S, nashc_node *n)
{
    int n_in = nashc_node_n_in(n), n_out = nashc_node_n_out(n);
    bool quant = nashc_node_is(n, "q.quant") || nashc_node_is(n, "q.bipolar_quant") ||
                 nashc_node_is(n, "q.dequant");
    bool done = false;

    if (n_in == 0)
        return false;
    if (quant)
        done = quantised_const(S, n);
    else if ((nashc_node_op(n)->flags & NASHC_OP_SHAPE) && n_in == 1 && n_out == 1 &&
             si_of(S, nashc_node_in(n, 0))->codes)
        done = moved_const(S, n);
    else if (nashc_node_is(n, "nn.mul") || nashc_node_is(n, "nn.div"))
        done = affine_const(S, n);
    if (done || S->st != NASHC_OK)
        return done;
    nashc_tensor **in = si_alloc(S, n_in, sizeof(*in)), **out = si_alloc(S, n_out, sizeof(*out));
    if (!in || !out)
        return false;
    for (int i = 0; i < n_in; i++) {
        nashc_value *v = nashc_node_in(n, i);
        const nashc_tensor *k = v ? si_known(S, v) : NULL;
        if (v && !k)
            return false;
        in[i] = (nashc_tensor *)(uintptr_t)k;
    }
    if (!in[0] || !nashc_node_op(n)->eval || !si_eval(S, n, NULL, NULL, in, n_in, n_out, out))
        return false;
    for (int i = 0; i < n_out; i++) {
        si_val *r = si_of(S, nashc_node_out(n, i));
        r->kind = SI_CONST;
        r->known = out[i];
    }
    return true;
}
