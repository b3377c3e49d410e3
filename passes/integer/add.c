/* add.c: sums, differences and products of tensors of the model.
 *
 * A sum of equal or simply related scales is one of integers with small multipliers. Else it stays
 * pending, and grows if it is added to. A quantiser behind it gets the smallest multipliers with
 * which its codes are right for all integers (quantised_sum.c); any other user, the exact common
 * unit of all scales, or rounded multipliers and a warning (sum_fallback.c).
 */
#include "integer.h"

#define SMALL 1024.0 /* multipliers of simply related scales */

/* Integers of x that are zero where it is: offsets are whole multiples of the scale, as zero points
 * are. NULL: they are not, or failed. */
static nashc_value *
centred(si_walk *walk, const si_value *x)
{
    si_array c;
    if (si_zero(&x->bias))
        return x->tensor->integer;
    if (!si_zip(walk->job, &x->bias, &x->scale, si_div, &c))
        return NULL;
    if (!si_round_to_integers(&c)) {
        si_no(walk->job, "a factor has an offset that is no multiple of its scale");
        return NULL;
    }
    nashc_value *in[2] = {x->tensor->integer, si_const_int(walk, &c)};
    return si_emit(walk, "nn.add", in, 2, NULL);
}

static bool
product(si_walk *walk, nashc_node *n, const si_value *x, const si_value *y)
{
    si_array scale, zero = si_scalar(walk->job, 0.0);
    nashc_value *in[2] = {centred(walk, x), NULL};
    in[1] = in[0] ? centred(walk, y) : NULL;
    if (!in[1] || !si_zip(walk->job, &x->scale, &y->scale, si_mul, &scale))
        return false;
    nashc_value *integer = si_emit(walk, "nn.mul", in, 2, NULL);
    return integer &&
           si_anchor(walk, nashc_node_out(n, 0), integer, &scale, &zero, NULL, NULL, NULL, NULL);
}

/* Terms of x as an operand of a sum, behind the first n of t. Their number then. */
static int
add_terms(si_term *t, int n, const si_value *x, double sign)
{
    for (int i = 0; i < x->tensor->n_term; i++)
        t[n++] = x->tensor->term[i];
    t[n++] = (si_term){.x = x, .sign = sign};
    return n;
}

static int
n_leaves(const si_value *x)
{
    return x->tensor->integer ? 1 : x->tensor->n_leaf;
}

/* y = x[0] + sign x[1], without integers of its own */
static bool
pending_sum(si_walk *walk, nashc_value *y, si_value *const *x, double sign)
{
    si_array one = si_scalar(walk->job, 1.0), zero = si_scalar(walk->job, 0.0);
    si_tensor *sum = si_new_tensor(walk->job, NULL, y, &one, &zero);
    si_term *term =
        si_alloc(walk->job, x[0]->tensor->n_term + x[1]->tensor->n_term + 2, sizeof(*term));
    if (!sum || !term)
        return false;
    sum->term = term;
    sum->n_left = add_terms(term, 0, x[0], 1);
    sum->n_term = add_terms(term, sum->n_left, x[1], sign);
    sum->n_leaf = n_leaves(x[0]) + n_leaves(x[1]);
    sum->lo = sum->hi = zero;
    return si_set_affine(walk, y, sum, &one, &zero);
}

/* y = x[0] + sign x[1], if their scales are simply related. *pending: they are not. */
static bool
integer_sum(si_walk *walk, nashc_value *y, si_value *const *x, double sign, bool *pending)
{
    si_job *job = walk->job;
    si_array factor = si_scalar(job, sign), bias;
    si_parts parts = {.n = 2};
    si_common_scale common;
    for (int k = 0; k < 2; k++) {
        parts.integer[k] = x[k]->tensor->integer;
        parts.scale[k] = x[k]->scale;
        parts.bias[k] = x[k]->bias;
    }
    if (!si_zip(job, &parts.scale[1], &factor, si_mul, &parts.scale[1]) ||
        !si_zip(job, &parts.bias[1], &factor, si_mul, &parts.bias[1]) ||
        !si_find_common_scale(job, &parts, SMALL, 0, &common) ||
        !si_zip(job, &parts.bias[0], &parts.bias[1], si_add, &bias))
        return false;
    *pending = common.bits != 0;
    if (*pending)
        return false;
    nashc_value *integer = si_emit_weighted(walk, 2, parts.integer, common.m);
    return integer && si_anchor(walk, y, integer, &common.unit, &bias, NULL, NULL, NULL, NULL);
}

/* v as an operand of n; a pending sum may stay one if grow is set. NULL: it is on no grid. */
static si_value *
operand(si_walk *walk, nashc_value *v, bool grow)
{
    si_value *x = si_of(walk, v);
    bool pending = x->kind == SI_FUN && x->affine && !x->tensor->integer;
    if (pending && grow)
        return x;
    x = si_affine(walk, v);
    return x || si_failed(walk->job) || si_is_const(walk, v) ? x : si_nearly_affine(walk, v);
}

static bool
operands(si_walk *walk, const nashc_node *n, bool grow, si_value *x[2])
{
    x[0] = operand(walk, nashc_node_in(n, 0), grow);
    x[1] = x[0] ? operand(walk, nashc_node_in(n, 1), grow) : NULL;
    return x[0] && x[1];
}

/* How many of both operands are constant. */
static int
constants_of(si_walk *walk, const nashc_node *n)
{
    return si_is_const(walk, nashc_node_in(n, 0)) + si_is_const(walk, nashc_node_in(n, 1));
}

bool
si_add_node(si_walk *walk, nashc_node *n)
{
    bool sub = nashc_node_is(n, "nn.sub"), mul = nashc_node_is(n, "nn.mul"), pending = true;
    double sign = sub ? -1.0 : 1.0;
    nashc_value *y = nashc_node_out(n, 0);
    si_value *x[2];

    if (!mul && !sub && !nashc_node_is(n, "nn.add"))
        return false;
    int n_const = constants_of(walk, n);
    bool ok = operands(walk, n, !mul, x);
    if (!si_failed(walk->job) && constants_of(walk, n) > n_const) /* codes that never change */
        return constants_of(walk, n) == 2 ? si_const_node(walk, n) : si_rebuild(walk, n);
    if (ok && n_leaves(x[0]) + n_leaves(x[1]) > SI_MAX_TERMS)
        ok = operands(walk, n, false, x);
    if (!ok)
        return si_no(walk->job, "an operand is not on an integer grid");
    if (mul)
        return product(walk, n, x[0], x[1]);
    if (x[0]->tensor->integer && x[1]->tensor->integer) {
        pending = false;
        if (integer_sum(walk, y, x, sign, &pending))
            return true;
    }
    return pending && pending_sum(walk, y, x, sign);
}
