/* sum_fallback.c: integers for a pending sum that no quantiser decides on.
 *
 * The exact common unit of all scales, if that leaves room for what the ops behind add; else
 * multipliers that are rounded to no less than float32 has, and a warning.
 */
#include "integer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define EXACT     0x1p31 /* float32 scales up to a ratio of 2^7 have an exact unit before_via this */
#define MAX_SUM   0x1p60
#define MAX_SEEN  256
#define JOIN_BITS 25 /* more multipliers, where scales meet again */
#define POOL_BITS 12
#define RANK_BITS 30 /* scales of the classes */
#define UNKNOWN   60 /* no room at all */

/* --- tensors of a sum --------------------------------------------------------------------------
 */

static bool
add_part(si_state *S, si_parts *p, nashc_value *ival, const si_array *s, const si_array *b,
         double sign)
{
    si_array f = si_scalar(S, sign);
    p->ival[p->n] = ival;
    return si_zip(S, s, &f, si_mul, &p->s[p->n]) && si_zip(S, b, &f, si_mul, &p->b[p->n++]);
}

/* The parts from first on, and the offset beside them, times s, plus b. */
static bool
scale_parts(si_state *S, si_parts *p, int first, si_array *rest, const si_val *x, double sign)
{
    si_array f = si_scalar(S, sign), b;
    if (!si_zip(S, &x->b, &f, si_mul, &b) || !si_zip(S, &x->s, &f, si_mul, &f))
        return false;
    for (int k = first; k < p->n; k++)
        if (!si_zip(S, &p->s[k], &f, si_mul, &p->s[k]) ||
            !si_zip(S, &p->b[k], &f, si_mul, &p->b[k]))
            return false;
    return si_zip(S, rest, &f, si_mul, rest) && si_zip(S, rest, &b, si_add, rest);
}

/* The tensors of a sum. reuse: sums inside it that have integers already are one tensor. */
static bool
parts_of(si_state *S, const si_tensor *sum, bool reuse, si_parts *p)
{
    int first[SI_MAX_TERMS + 1], top = 0;
    si_array rest[SI_MAX_TERMS + 1], zero = si_scalar(S, 0.0);
    p->n = 0;
    for (int i = 0; i <= sum->n_term; i++) { /* beyond the last: the sum itself */
        const si_val *x = i < sum->n_term ? sum->term[i].x : NULL;
        double sign = x ? sum->term[i].sign : 1;
        if (x && x->tensor->ival) {
            first[top] = p->n;
            rest[top++] = zero;
            if (!add_part(S, p, x->tensor->ival, &x->s, &x->b, sign))
                return false;
            continue;
        }
        top--;
        if (!si_zip(S, &rest[top - 1], &rest[top], si_add, &rest[top - 1]))
            return false;
        if (!x)
            break;
        const si_tensor *done = reuse ? x->tensor->exact : NULL;
        if (done) {
            p->n = first[top - 1];
            rest[top - 1] = zero;
            if (!add_part(S, p, done->ival, &done->s, &done->b, 1))
                return false;
        }
        if (!scale_parts(S, p, first[top - 1], &rest[top - 1], x, sign))
            return false;
    }
    p->rest = rest[0];
    return true;
}

static double
ratio(double x, double y)
{
    double r = y == 0 ? 0 : x / y, q = nearbyint(r);
    return fabs(r - q) < 1e-9 ? q : r;
}

/* Offset of a sum with rounded multipliers: where all terms are zero in the model, so is the sum.
 */
static bool
same_zero(si_state *S, const si_parts *p, const si_common_scale *w, si_array *b)
{
    si_array z, sum = p->rest;
    for (int k = 0; k < p->n; k++) {
        for (int64_t i = 0; i < p->s[k].n; i++)
            if (p->s[k].v[i] == 0)
                return false;
        if (!si_zip(S, &p->b[k], &p->s[k], ratio, &z) || !si_zip(S, &z, &w->m[k], si_mul, &z) ||
            !si_zip(S, &z, &w->u, si_mul, &z) || !si_zip(S, &sum, &z, si_add, &sum))
            return false;
    }
    *b = sum;
    return true;
}

static bool
offset_of(si_state *S, const si_parts *p, const si_common_scale *w, si_array *b)
{
    if (w->bits != 0 && same_zero(S, p, w, b))
        return true;
    *b = p->rest;
    for (int k = 0; k < p->n; k++)
        if (S->st != NASHC_OK || !si_zip(S, b, &p->b[k], si_add, b))
            return false;
    return true;
}

/* --- how wide a sum may be ---------------------------------------------------------------------
 */

/* Bits that node n adds to the integers of an operand. */
static int
growth(si_state *S, const nashc_node *n)
{
    static const char *const pools[] = {"nn.avgpool",        "nn.sumpool",     "nn.global_avgpool",
                                        "nn.global_sumpool", "nn.reduce_mean", "nn.reduce_sum"};
    static const char *const layers[] = {"nn.conv", "nn.conv_transpose", "nn.matmul", "nn.gemm"};
    int n_computed = 0;
    for (size_t i = 0; i < NASHC_COUNT(pools); i++)
        if (nashc_node_is(n, pools[i]))
            return POOL_BITS;
    for (int i = 0; i < nashc_node_n_in(n); i++)
        n_computed += nashc_node_in(n, i) && !si_is_const(S, nashc_node_in(n, i));
    for (size_t i = 0; i < NASHC_COUNT(layers); i++) {
        nashc_value *w = NULL;
        nashc_tensor *codes;
        si_array s;
        if (!nashc_node_is(n, layers[i]))
            continue;
        for (int k = 0; k < 2; k++)
            if (si_is_const(S, nashc_node_in(n, k)))
                w = nashc_node_in(n, k);
        if (!w || !si_const_codes(S, w, &codes, &s))
            return UNKNOWN;
        const nashc_type *t = nashc_tensor_type(codes);
        int64_t outputs = i == 0 || (i > 1 && t->dim[0] < t->dim[1]) ? t->dim[0] : t->dim[1];
        return t->bits + ilogb((double)nashc_type_count(t) / (double)outputs) + 1;
    }
    if (nashc_node_is(n, "nn.argmax") || nashc_node_is(n, "nn.topk"))
        return RANK_BITS;
    return n_computed < 2 ? 0 : nashc_node_is(n, "nn.mul") ? UNKNOWN : JOIN_BITS;
}

/* Bits that the ops behind v add to its integers, up to the next quantisers. */
static int
growth_behind(si_state *S, const nashc_value *v)
{
    const nashc_value *seen[MAX_SEEN] = {v};
    int bits[MAX_SEEN] = {0}, n = 1, most = 0;
    const char *why = S->why;
    for (int i = 0; i < n; i++) {
        int n_users;
        nashc_node **user = nashc_value_users(seen[i], S->a, &n_users);
        for (int k = 0; user && k < n_users; k++) {
            if (si_is_quantiser(user[k]))
                continue;
            int b = bits[i] + growth(S, user[k]);
            most = b > most ? b : most;
            if (n + nashc_node_n_out(user[k]) > MAX_SEEN || most >= UNKNOWN)
                return UNKNOWN;
            for (int o = 0; o < nashc_node_n_out(user[k]); o++) {
                bits[n] = b;
                seen[n++] = nashc_node_out(user[k], o);
            }
        }
    }
    S->why = why;
    return most;
}

/* --- resolution --------------------------------------------------------------------------------
 */

void
si_warn_rounded(si_state *S, const nashc_node *n, const char *what, int bits, const char *help)
{
    nashc_loc loc = nashc_node_loc(n) ? *nashc_node_loc(n) : (nashc_loc){0};
    int n_errors = nashc_diag_count(S->diag, NASHC_ERROR);
    if (!loc.name)
        loc.name = nashc_arena_printf(S->a, "%%%s", nashc_value_name(nashc_node_out(n, 0)));
    nashc_warning(S->diag, &loc, "rounded-scales",
                  "%s have scales without a common unit: multipliers are rounded to %d bits", what,
                  bits);
    nashc_help(S->diag, "%s", help);
    if (nashc_diag_count(S->diag, NASHC_ERROR) > n_errors) /* the user made it an error */
        si_fail(S, NASHC_EUNSUP);
}

static si_tensor *
fall_back(si_state *S, si_tensor *sum)
{
    si_parts p;
    si_common_scale w;
    si_array b;
    if (sum->exact)
        return sum->exact;
    double limit = ldexp(MAX_SUM, -growth_behind(S, sum->origin));
    if (S->st != NASHC_OK || !parts_of(S, sum, true, &p) ||
        !si_find_common_scale(S, &p, EXACT, limit, &w))
        return NULL;
    if (w.bits != 0 && p.n < sum->n_leaf &&
        (!parts_of(S, sum, false, &p) || !si_find_common_scale(S, &p, EXACT, limit, &w)))
        return NULL;
    if (!offset_of(S, &p, &w, &b))
        return NULL;
    if (w.bits != 0)
        si_warn_rounded(S, nashc_value_def(sum->origin), "the terms", w.bits,
                        si_is_quantiser(S->at)
                            ? "terms of fewer bits, or with one scale, need no rounding"
                            : "a quantiser right behind the sum, or one scale for all terms, needs "
                              "no rounding");
    nashc_value *r = S->st == NASHC_OK ? si_emit_weighted(S, p.n, p.ival, w.m) : NULL;
    si_tensor *tensor = r ? si_new_tensor(S, r, sum->origin, &w.u, &b) : NULL;
    if (tensor)
        tensor->pending = sum;
    return sum->exact = tensor;
}

si_val *
si_with_fallback(si_state *S, si_val *x)
{
    if (x->tensor->ival)
        return x;
    si_tensor *tensor = fall_back(S, x->tensor);
    si_val *r = tensor ? si_alloc(S, 1, sizeof(*r)) : NULL;
    if (!r)
        return NULL;
    *r = *x;
    r->tensor = tensor;
    r->other = NULL;
    si_array b;
    if (!si_zip(S, &x->s, &tensor->s, si_mul, &r->s) || !si_zip(S, &x->s, &tensor->b, si_mul, &b) ||
        !si_zip(S, &b, &x->b, si_add, &r->b))
        return NULL;
    const nashc_type *t = nashc_value_type(tensor->ival);
    r->by_channel =
        r->by_channel && si_channel_only(&tensor->s, t) && si_channel_only(&tensor->b, t);
    return r;
}
