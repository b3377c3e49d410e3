/* add.c: sums, differences and products of tensors of the model.
 *
 * A sum of equal or simply related scales is one of integers with small multipliers. Else it stays
 * pending, and grows if it is added to. A quantiser behind it gets the smallest multipliers with
 * which its codes are right for all integers (sum_search.c); any other user, the exact common unit
 * of all scales, or rounded multipliers and a warning (sum_fallback.c).
 */
#include "integer.h"

#define SMALL 1024.0

static bool
product(si_state *S, nashc_node *n, const si_val *x, const si_val *y)
{
    si_array s, b = si_scalar(S, 0.0);
    if (!si_zero(&x->b) || !si_zero(&y->b))
        return si_no(S, "a factor has an offset");
    if (!si_zip(S, &x->s, &y->s, si_mul, &s))
        return false;
    nashc_value *r =
        si_emit(S, "nn.mul", (nashc_value *[]){x->tensor->ival, y->tensor->ival}, 2, NULL);
    return r && si_anchor(S, nashc_node_out(n, 0), r, &s, &b, NULL, NULL, NULL, NULL);
}

/* Steps of x as an operand of a sum. */
static int
add_terms(si_term *t, int n, const si_val *x, double sign)
{
    for (int i = 0; i < x->tensor->n_term; i++)
        t[n++] = x->tensor->term[i];
    t[n++] = (si_term){.x = x, .sign = sign};
    return n;
}

static int
n_leaves(const si_val *x)
{
    return x->tensor->ival ? 1 : x->tensor->n_leaf;
}

static bool
pending_sum(si_state *S, nashc_value *y, const si_val *p, const si_val *q, double sign)
{
    si_array one = si_scalar(S, 1.0), zero = si_scalar(S, 0.0);
    si_tensor *tensor = si_new_tensor(S, NULL, y, &one, &zero);
    si_term *t = si_alloc(S, p->tensor->n_term + q->tensor->n_term + 2, sizeof(*t));
    if (!tensor || !t)
        return false;
    tensor->term = t;
    tensor->n_left = add_terms(t, 0, p, 1);
    tensor->n_term = add_terms(t, tensor->n_left, q, sign);
    tensor->n_leaf = n_leaves(p) + n_leaves(q);
    tensor->lo = tensor->hi = zero;
    return si_set_affine(S, y, tensor, &one, &zero);
}

/* x as an operand of a sum: pending sums may stay so. */
static si_val *
operand(si_state *S, nashc_value *v, bool with_fallback)
{
    si_val *x = si_of(S, v);
    bool pending = x->kind == SI_FUN && x->affine && !x->tensor->ival;
    return pending && !with_fallback ? x : si_affine(S, v);
}

bool
si_add_node(si_state *S, nashc_node *n)
{
    bool sub = nashc_node_is(n, "nn.sub"), mul = nashc_node_is(n, "nn.mul");
    nashc_value *y = nashc_node_out(n, 0), *in[2] = {nashc_node_in(n, 0), nashc_node_in(n, 1)};
    si_array sign = si_scalar(S, sub ? -1.0 : 1.0), b;
    si_parts p = {.n = 2};
    si_common_scale w;

    if (!mul && !sub && !nashc_node_is(n, "nn.add"))
        return false;
    si_val *x[2] = {operand(S, in[0], mul), NULL};
    x[1] = x[0] ? operand(S, in[1], mul) : NULL;
    if (x[0] && x[1] && n_leaves(x[0]) + n_leaves(x[1]) > SI_MAX_TERMS) {
        x[0] = operand(S, in[0], true);
        x[1] = x[0] ? operand(S, in[1], true) : NULL;
    }
    if (!x[0] || !x[1])
        return si_no(S, "an operand is not on an integer grid");
    if (mul)
        return product(S, n, x[0], x[1]);
    if (!x[0]->tensor->ival || !x[1]->tensor->ival)
        return pending_sum(S, y, x[0], x[1], sign.v[0]);
    for (int k = 0; k < 2; k++) {
        p.ival[k] = x[k]->tensor->ival;
        p.s[k] = x[k]->s;
        p.b[k] = x[k]->b;
    }
    if (sub && (!si_zip(S, &p.s[1], &sign, si_mul, &p.s[1]) ||
                !si_zip(S, &p.b[1], &sign, si_mul, &p.b[1])))
        return false;
    if (!si_find_common_scale(S, &p, SMALL, 0, &w) || !si_zip(S, &p.b[0], &p.b[1], si_add, &b))
        return false;
    if (w.bits != 0)
        return pending_sum(S, y, x[0], x[1], sign.v[0]);
    nashc_value *r = si_emit_weighted(S, 2, p.ival, w.m);
    return r && si_anchor(S, y, r, &w.u, &b, NULL, NULL, NULL, NULL);
}
