/* join.c: sums, differences and products of tensors of M.
 *
 * A sum of equal or simply related scales is one of integers with small multipliers. Else it stays
 * pending, and grows if it is added to. A quantiser behind it gets the smallest multipliers with
 * which its codes are right for all integers (sums.c); any other user, the exact common unit
 * of all scales, or rounded multipliers and a warning (resolve.c).
 */
#include "integer.h"

#define SMALL 1024.0

static bool
product(si_state *S, nashc_node *n, const si_val *x, const si_val *y)
{
    si_arr s, b = si_scalar(S, 0.0);
    if (!si_zero(&x->b) || !si_zero(&y->b))
        return si_no(S, "a factor has an offset");
    if (!si_zip(S, &x->s, &y->s, si_mul, &s))
        return false;
    nashc_value *r = si_emit(S, "nn.mul", (nashc_value *[]){x->base->ival, y->base->ival}, 2, NULL);
    return r && si_anchor(S, nashc_node_out(n, 0), r, &s, &b, NULL, NULL, NULL, NULL);
}

/* Steps of x as an operand of a sum. */
static int
add_terms(si_term *t, int n, const si_val *x, double sign)
{
    for (int i = 0; i < x->base->n_term; i++)
        t[n++] = x->base->term[i];
    t[n++] = (si_term){.x = x, .sign = sign};
    return n;
}

static int
n_leaves(const si_val *x)
{
    return x->base->ival ? 1 : x->base->n_leaf;
}

static bool
pending_sum(si_state *S, nashc_value *y, const si_val *p, const si_val *q, double sign)
{
    si_arr one = si_scalar(S, 1.0), zero = si_scalar(S, 0.0);
    si_base *base = si_new_base(S, NULL, y, &one, &zero);
    si_term *t = si_alloc(S, p->base->n_term + q->base->n_term + 2, sizeof(*t));
    if (!base || !t)
        return false;
    base->term = t;
    base->n_left = add_terms(t, 0, p, 1);
    base->n_term = add_terms(t, base->n_left, q, sign);
    base->n_leaf = n_leaves(p) + n_leaves(q);
    base->lo = base->hi = zero;
    return si_set_affine(S, y, base, &one, &zero);
}

/* x as an operand of a sum: pending sums may stay so. */
static si_val *
operand(si_state *S, nashc_value *v, bool resolved)
{
    si_val *x = si_of(S, v);
    bool pending = x->kind == SI_FUN && x->affine && !x->base->ival;
    return pending && !resolved ? x : si_affine(S, v);
}

bool
si_join(si_state *S, nashc_node *n)
{
    bool sub = nashc_node_is(n, "nn.sub"), mul = nashc_node_is(n, "nn.mul");
    nashc_value *y = nashc_node_out(n, 0), *in[2] = {nashc_node_in(n, 0), nashc_node_in(n, 1)};
    si_arr sign = si_scalar(S, sub ? -1.0 : 1.0), b;
    si_parts p = {.n = 2};
    si_weights w;

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
    if (!x[0]->base->ival || !x[1]->base->ival)
        return pending_sum(S, y, x[0], x[1], sign.v[0]);
    for (int k = 0; k < 2; k++) {
        p.ival[k] = x[k]->base->ival;
        p.s[k] = x[k]->s;
        p.b[k] = x[k]->b;
    }
    if (sub && (!si_zip(S, &p.s[1], &sign, si_mul, &p.s[1]) ||
                !si_zip(S, &p.b[1], &sign, si_mul, &p.b[1])))
        return false;
    if (!si_weigh(S, &p, SMALL, 0, &w) || !si_zip(S, &p.b[0], &p.b[1], si_add, &b))
        return false;
    if (w.bits != 0)
        return pending_sum(S, y, x[0], x[1], sign.v[0]);
    nashc_value *r = si_emit_weighted(S, 2, p.ival, w.m);
    return r && si_anchor(S, y, r, &w.u, &b, NULL, NULL, NULL, NULL);
}
