/* const.c: constants of the model: their real values, and their integer codes with a scale. */
#include "integer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

nashc_tensor *
si_keep(si_state *S, nashc_tensor *t)
{
    if (!t) {
        si_fail(S, nashc_enomem(S->diag));
        return NULL;
    }
    if (S->n_owned == S->cap_owned) {
        int cap = S->cap_owned ? 2 * S->cap_owned : 64;
        nashc_tensor **p = realloc(S->owned, (size_t)cap * sizeof(*p));
        if (!p) {
            nashc_tensor_unref(t);
            si_fail(S, nashc_enomem(S->diag));
            return NULL;
        }
        S->owned = p;
        S->cap_owned = cap;
    }
    return S->owned[S->n_owned++] = t;
}

si_val *
si_of(si_state *S, const nashc_value *v)
{
    return &S->val[nashc_value_id(v)];
}

bool
si_is_const(si_state *S, const nashc_value *v)
{
    return nashc_value_const(v) || si_of(S, v)->kind == SI_CONST;
}

nashc_tensor *
si_ref(const nashc_tensor *t)
{
    return nashc_tensor_ref((nashc_tensor *)(uintptr_t)t);
}

/* Runs one op on constants: operand 0 goes in as an input, the others as constants. */
bool
si_eval(si_state *S, const nashc_node *like, const char *op, const char *attrs,
        nashc_tensor *const *in, int n_in, int n_out, nashc_tensor **out)
{
    nashc_module *m = nashc_module_create(S->ctx);
    nashc_graph *g = m ? nashc_module_add_graph(m, "main") : NULL;
    nashc_build *b = g ? nashc_build_create(g, S->diag) : NULL;
    nashc_status st = b ? NASHC_OK : nashc_enomem(S->diag);
    nashc_value **v = si_alloc(S, n_in, sizeof(*v));
    nashc_buf *res = si_alloc(S, n_out, sizeof(*res));
    nashc_node *n = NULL;

    if (st == NASHC_OK && v && res) {
        if (like)
            nashc_build_loc(b, nashc_node_loc(like));
        for (int i = 0; i < n_in; i++)
            v[i] = i == 0  ? nashc_graph_add_input(g, "x", nashc_tensor_type(in[0]))
                   : in[i] ? nashc_build_const(b, NULL, si_ref(in[i]))
                           : NULL;
        n = nashc_build_node(b, op ? op : nashc_node_opname(like), v, n_in, n_out, "%s",
                             attrs ? attrs : nashc_node_attr_text(like, S->a));
        st = nashc_build_status(b);
    }
    if (n && st == NASHC_OK) {
        const nashc_buf *x = nashc_tensor_buf(in[0]);
        for (int i = 0; i < n_out; i++)
            nashc_graph_add_output(g, NULL, nashc_node_out(n, i));
        st = nashc_run_graph(g, &x, res, NASHC_EVAL_WIDE, NULL, NULL, S->diag);
        for (int i = 0; st == NASHC_OK && i < n_out; i++) {
            nashc_type f64 = nashc_type_f64();
            if (res[i].cell == NASHC_DOUBLE) /* f32 results come unrounded */
                res[i].type = nashc_type_with_elem(&res[i].type, &f64);
            out[i] = si_keep(S, nashc_tensor_take(&res[i]));
        }
    }
    nashc_module_free(m);
    return st == NASHC_OK && n && S->st == NASHC_OK ? true : si_fail(S, st ? st : NASHC_ENOMEM);
}

/* The smallest integer type that holds v, in the given shape; bip if shape is. */
nashc_tensor *
si_int_tensor(si_state *S, const nashc_type *shape, const int64_t *v)
{
    nashc_type t = *shape;
    int64_t n = nashc_type_count(shape), lo = 0, hi = 0;
    for (int64_t i = 0; i < n; i++) {
        lo = i == 0 || v[i] < lo ? v[i] : lo;
        hi = i == 0 || v[i] > hi ? v[i] : hi;
    }
    if (t.kind != NASHC_K_BIP)
        nashc_type_set_range(&t, lo, hi);
    return si_keep(S, nashc_tensor_from_i64(&t, v));
}

/* The real values of constant v, not rounded to float32. NULL: not constant, or S->st. */
const nashc_tensor *
si_known(si_state *S, nashc_value *v)
{
    if (nashc_value_const(v))
        return nashc_value_const(v);
    si_val *x = si_of(S, v);
    if (x->kind != SI_CONST)
        return NULL;
    if (x->known)
        return x->known;
    nashc_buf buf;
    const nashc_buf *c = nashc_tensor_buf(x->codes);
    nashc_type f64 = nashc_type_f64(), t = nashc_type_with_elem(nashc_value_type(v), &f64);
    if (!nashc_buf_alloc(&buf, &t)) {
        si_fail(S, nashc_enomem(S->diag));
        return NULL;
    }
    for (int64_t i = 0; i < buf.n; i++)
        nashc_buf_set(&buf, i, nashc_buf_get(c, i) * si_at(&x->s, &t, i));
    return x->known = si_keep(S, nashc_tensor_take(&buf));
}

/* A power of two of which all values are multiples, such that the codes stay before_via 2^max_bits.
 */
static bool
dyadic_unit(const nashc_tensor *t, int max_bits, double *unit)
{
    int least = 2000, most = -2000;
    for (int64_t i = 0, n = nashc_tensor_count(t); i < n; i++) {
        double v = nashc_tensor_get(t, i);
        int e;
        if (!isfinite(v))
            return false;
        if (v == 0.0)
            continue;
        double m = frexp(fabs(v), &e);
        most = e > most ? e : most;
        int bits = 0;
        while (m != floor(m)) { /* at most 53 turns */
            m *= 2;
            bits++;
        }
        least = e - bits < least ? e - bits : least;
        if (most - least > max_bits)
            return false;
    }
    *unit = least == 2000 || (least >= 0 && most <= max_bits) ? 1.0 : ldexp(1.0, least);
    return true;
}

/* Are all elements small multiples of the least one? So is a constant that a quantiser gave. */
static bool
few_multiples(si_state *S, const nashc_tensor *t, double *unit)
{
    int64_t n = nashc_tensor_count(t);
    double *v = n > 0 && n <= 4096 ? nashc_buf_to_f64(nashc_tensor_buf(t)) : NULL;
    bool ok = v && si_common_unit(v, n, 65536.0, unit);
    if (!v && n > 0 && n <= 4096)
        si_fail(S, nashc_enomem(S->diag));
    nashc_mem_free(v);
    return ok;
}

bool
si_const_codes(si_state *S, nashc_value *v, nashc_tensor **codes, si_array *s)
{
    si_val *x = si_of(S, v);
    if (!x->codes) {
        const nashc_tensor *t = si_known(S, v);
        double unit;
        if (!t)
            return false;
        if (nashc_type_is_int(nashc_tensor_type(t))) {
            unit = 1.0;
        } else if (!dyadic_unit(t, 16, &unit) && !few_multiples(S, t, &unit)) {
            return S->st == NASHC_OK && si_no(S, "its constant operand is float, not quantised");
        }
        int64_t n = nashc_tensor_count(t), *q = malloc((size_t)n * sizeof(*q) + 1);
        if (!q)
            return si_fail(S, nashc_enomem(S->diag));
        for (int64_t i = 0; i < n; i++)
            q[i] = (int64_t)nearbyint(nashc_tensor_get(t, i) / unit);
        nashc_type shape = *nashc_tensor_type(t);
        if (shape.kind != NASHC_K_BIP)
            nashc_type_set_range(&shape, 0, 1);
        x->codes = si_int_tensor(S, &shape, q);
        free(q);
        x->s = si_scalar(S, unit);
        x->b = si_scalar(S, 0.0);
        if (!x->codes)
            return false;
    }
    *codes = x->codes;
    *s = x->s;
    return true;
}
