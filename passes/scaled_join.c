/* scaled_join.c: sums, differences and products of tensors of M.
 *
 *     s1 i + s2 j = u (m1 i + m2 j)    where s1 = m1 u, s2 = m2 u with small integers
 *
 * Else the sum stays pending, and grows if it is added to. A quantiser behind it gets the smallest
 * multipliers with which its codes are right for all integers (scaled_sums.c); any other user, the
 * exact common unit of all scales, or rounded multipliers and a warning.
 */
#include "scaled.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SMALL     1024.0
#define EXACT     0x1p31 /* float32 scales up to a ratio of 2^7 have an exact unit below this */
#define MAX_SUM   0x1p60
#define MAX_EXACT 0x1p53 /* multipliers that a double holds */

static double
minus(double x, double y)
{
    (void)y;
    return -x;
}

/* Integers of a sum: tensors with their scales; offsets by tensor, and that of the sum besides. */
typedef struct parts {
    int n;
    nashc_value *ival[SI_MAX_TERMS];
    si_arr s[SI_MAX_TERMS], b[SI_MAX_TERMS], rest;
} parts;

/* --- weights of terms --------------------------------------------------------------------------
 */

/* s[k] = m[k] u; bits: 0, or how many the rounded multipliers have where that is not exact. */
typedef struct weights {
    si_arr m[SI_MAX_TERMS], u;
    int bits;
} weights;

/* Largest magnitude of the integers of v. */
static double
reach(const nashc_value *v)
{
    const nashc_type *t = nashc_value_type(v);
    return fmax(fabs((double)t->lo), fabs((double)t->hi));
}

/* The unit of n scales if it is exact and its multipliers are below max, or their sum below limit.
 */
static bool
exact_unit(const double *s, const double *most, int n, double max, double limit, double *u)
{
    double largest = 0, sum = 0;
    if (!si_common_unit(s, n, MAX_EXACT, u))
        return false;
    for (int k = 0; k < n; k++) {
        double m = fabs(nearbyint(s[k] / *u));
        largest = fmax(largest, m);
        sum += m * most[k];
    }
    return sum <= MAX_SUM && (largest < max || sum <= limit);
}

/* Unit that gives the smallest scale 24 bits, and the largest one 31 at most: rounding to it
 * changes no term by more than float32 arithmetic would. Coarser if the sum would not fit. */
static double
fine_unit(const double *s, const double *most, int n, int *bits)
{
    double least = INFINITY, largest = 0, sum = 0;
    for (int k = 0; k < n; k++) {
        double a = fabs(s[k]);
        least = a > 0 && a < least ? a : least;
        largest = fmax(largest, a);
        sum += a * (most[k] + 1);
    }
    double u = fmax(fmax(ldexp(least, -23), ldexp(largest, -31)), sum / MAX_SUM);
    int b = ilogb(least / u) + 1;
    *bits = *bits == 0 || b < *bits ? b : *bits;
    return u;
}

/* Shape in which the scales of all parts differ. */
static nashc_type
shape_of(const parts *p)
{
    nashc_type t = nashc_type_f64();
    for (int k = 0; k < p->n; k++)
        t.rank = p->s[k].rank > t.rank ? (uint8_t)p->s[k].rank : t.rank;
    for (int i = 1; i <= t.rank; i++) {
        t.dim[t.rank - i] = 1;
        for (int k = 0; k < p->n; k++) {
            const si_arr *s = &p->s[k];
            if (i <= s->rank && s->dim[s->rank - i] > 1)
                t.dim[t.rank - i] = s->dim[s->rank - i];
        }
    }
    return t;
}

/* Multipliers of all parts; zero scales get multiplier zero. */
static bool
weigh(si_state *S, const parts *p, double max, double limit, weights *w)
{
    nashc_type t = shape_of(p);
    double s[SI_MAX_TERMS], most[SI_MAX_TERMS];
    w->bits = 0;
    for (int k = 0; k < p->n; k++) {
        most[k] = reach(p->ival[k]);
        if (!si_shape_arr(S, &w->m[k], t.rank, t.dim))
            return false;
    }
    if (!si_shape_arr(S, &w->u, t.rank, t.dim))
        return false;
    for (int64_t i = 0; i < w->u.n; i++) {
        for (int k = 0; k < p->n; k++)
            s[k] = si_at(&p->s[k], &t, i);
        if (!exact_unit(s, most, p->n, max, limit, &w->u.v[i]))
            w->u.v[i] = fine_unit(s, most, p->n, &w->bits);
        for (int k = 0; k < p->n; k++)
            w->m[k].v[i] = nearbyint(s[k] / w->u.v[i]);
    }
    for (int k = 0; k < p->n; k++)
        si_squeeze(&w->m[k]);
    si_squeeze(&w->u);
    return true;
}

/* --- making sums -------------------------------------------------------------------------------
 */

static bool
all_negative(const si_arr *a)
{
    for (int64_t i = 0; i < a->n; i++)
        if (a->v[i] >= 0)
            return false;
    return true;
}

static nashc_value *
weighted_sum(si_state *S, nashc_value *x, nashc_value *y, const si_arr *m1, const si_arr *m2)
{
    const char *op = "nn.add";
    si_arr n;
    if (all_negative(m2)) {
        if (!si_zip(S, m2, m2, minus, &n))
            return NULL;
        m2 = &n;
        op = "nn.sub";
    } else if (all_negative(m1)) {
        return weighted_sum(S, y, x, m2, m1);
    }
    nashc_value *in[2] = {si_times(S, x, m1), si_times(S, y, m2)};
    return in[0] && in[1] ? si_emit(S, op, in, 2, NULL) : NULL;
}

/* Does y = f x, with f 1 or -1? Else 0. */
static double
same_weights(const si_arr *x, const si_arr *y)
{
    double f = x->v[0] == y->v[0] ? 1 : -1;
    bool same =
        x->rank == y->rank && memcmp(x->dim, y->dim, (size_t)x->rank * sizeof(x->dim[0])) == 0;
    for (int64_t i = 0; same && i < x->n; i++)
        same = y->v[i] == f * x->v[i];
    return same ? f : 0;
}

/* Multiplied once where several have the same multipliers. */
static bool
join_equals(si_state *S, int *n, nashc_value **v, si_arr *m)
{
    si_arr one = si_scalar(S, 1.0), f = si_scalar(S, 1.0);
    for (int i = 0; i < *n; i++)
        for (int k = i + 1; k < *n;) {
            f.v[0] = same_weights(&m[i], &m[k]);
            if (f.v[0] == 0 || si_zero(&m[i])) {
                k++;
                continue;
            }
            if (f.v[0] < 0 && all_negative(&m[i])) { /* the positive one first */
                nashc_value *x = v[i];
                v[i] = v[k];
                v[k] = x;
                m[i] = m[k];
            }
            if (!(v[i] = weighted_sum(S, v[i], v[k], &one, &f)))
                return false;
            (*n)--;
            memmove(&v[k], &v[k + 1], (size_t)(*n - k) * sizeof(v[0]));
            memmove(&m[k], &m[k + 1], (size_t)(*n - k) * sizeof(m[0]));
        }
    return true;
}

static nashc_value *
emit_sum(si_state *S, int n, nashc_value *const *ival, const si_arr *weight)
{
    nashc_value *v[SI_MAX_TERMS];
    si_arr m[SI_MAX_TERMS], one = si_scalar(S, 1.0);
    memcpy(v, ival, (size_t)n * sizeof(v[0]));
    memcpy(m, weight, (size_t)n * sizeof(m[0]));
    if (n > 2 && !join_equals(S, &n, v, m))
        return NULL;
    nashc_value *r = n == 1 ? si_times(S, v[0], &m[0]) : weighted_sum(S, v[0], v[1], &m[0], &m[1]);
    for (int k = 2; r && k < n; k++)
        r = weighted_sum(S, r, v[k], &one, &m[k]);
    return r;
}

nashc_value *
si_emit_sum(si_state *S, const si_base *sum, const si_arr *m)
{
    nashc_value *v[SI_MAX_TERMS];
    int n = 0;
    for (int i = 0; i < sum->n_term; i++)
        if (sum->term[i].x->base->ival)
            v[n++] = sum->term[i].x->base->ival;
    return emit_sum(S, n, v, m);
}

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
    parts p = {.n = 2};
    weights w;

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
    if (!weigh(S, &p, SMALL, 0, &w) || !si_zip(S, &p.b[0], &p.b[1], si_add, &b))
        return false;
    if (w.bits != 0)
        return pending_sum(S, y, x[0], x[1], sign.v[0]);
    nashc_value *r = emit_sum(S, 2, p.ival, w.m);
    return r && si_anchor(S, y, r, &w.u, &b, NULL, NULL, NULL, NULL);
}

/* --- resolution --------------------------------------------------------------------------------
 */

static bool
add_part(si_state *S, parts *p, nashc_value *ival, const si_arr *s, const si_arr *b, double sign)
{
    si_arr f = si_scalar(S, sign);
    p->ival[p->n] = ival;
    return si_zip(S, s, &f, si_mul, &p->s[p->n]) && si_zip(S, b, &f, si_mul, &p->b[p->n++]);
}

/* The parts from first on, and the offset beside them, times s, plus b. */
static bool
scale_parts(si_state *S, parts *p, int first, si_arr *rest, const si_val *x, double sign)
{
    si_arr f = si_scalar(S, sign), b;
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
parts_of(si_state *S, const si_base *sum, bool reuse, parts *p)
{
    int first[SI_MAX_TERMS + 1], top = 0;
    si_arr rest[SI_MAX_TERMS + 1], zero = si_scalar(S, 0.0);
    p->n = 0;
    for (int i = 0; i <= sum->n_term; i++) { /* beyond the last: the sum itself */
        const si_val *x = i < sum->n_term ? sum->term[i].x : NULL;
        double sign = x ? sum->term[i].sign : 1;
        if (x && x->base->ival) {
            first[top] = p->n;
            rest[top++] = zero;
            if (!add_part(S, p, x->base->ival, &x->s, &x->b, sign))
                return false;
            continue;
        }
        top--;
        if (!si_zip(S, &rest[top - 1], &rest[top], si_add, &rest[top - 1]))
            return false;
        if (!x)
            break;
        const si_base *done = reuse ? x->base->exact : NULL;
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

/* Offset of a sum with rounded multipliers: where all terms are zero in M, so is the sum. */
static bool
same_zero(si_state *S, const parts *p, const weights *w, si_arr *b)
{
    si_arr z, sum = p->rest;
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
offset_of(si_state *S, const parts *p, const weights *w, si_arr *b)
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

#define MAX_SEEN  256
#define JOIN_BITS 25 /* more multipliers, where scales meet again */
#define POOL_BITS 12
#define UNKNOWN   60 /* no room at all */

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
        si_arr s;
        if (!nashc_node_is(n, layers[i]))
            continue;
        for (int k = 0; k < 2; k++)
            if (si_is_const(S, nashc_node_in(n, k)))
                w = nashc_node_in(n, k);
        if (!w || !si_codes(S, w, &codes, &s))
            return UNKNOWN;
        const nashc_type *t = nashc_tensor_type(codes);
        int64_t outputs = i == 0 || (i > 1 && t->dim[0] < t->dim[1]) ? t->dim[0] : t->dim[1];
        return t->bits + ilogb((double)nashc_type_count(t) / (double)outputs) + 1;
    }
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

static si_base *
resolve(si_state *S, si_base *sum)
{
    parts p;
    weights w;
    si_arr b;
    if (sum->exact)
        return sum->exact;
    double limit = ldexp(MAX_SUM, -growth_behind(S, sum->origin));
    if (S->st != NASHC_OK || !parts_of(S, sum, true, &p) || !weigh(S, &p, EXACT, limit, &w))
        return NULL;
    if (w.bits != 0 && p.n < sum->n_leaf &&
        (!parts_of(S, sum, false, &p) || !weigh(S, &p, EXACT, limit, &w)))
        return NULL;
    if (!offset_of(S, &p, &w, &b))
        return NULL;
    if (w.bits != 0)
        si_warn_rounded(S, nashc_value_def(sum->origin), "the terms", w.bits,
                        si_is_quantiser(S->at)
                            ? "terms of fewer bits, or with one scale, need no rounding"
                            : "a quantiser right behind the sum, or one scale for all terms, needs "
                              "no rounding");
    nashc_value *r = S->st == NASHC_OK ? emit_sum(S, p.n, p.ival, w.m) : NULL;
    si_base *base = r ? si_new_base(S, r, sum->origin, &w.u, &b) : NULL;
    if (base)
        base->pending = sum;
    return sum->exact = base;
}

si_val *
si_resolved(si_state *S, si_val *x)
{
    if (x->base->ival)
        return x;
    si_base *base = resolve(S, x->base);
    si_val *r = base ? si_alloc(S, 1, sizeof(*r)) : NULL;
    if (!r)
        return NULL;
    *r = *x;
    r->base = base;
    r->other = NULL;
    si_arr b;
    if (!si_zip(S, &x->s, &base->s, si_mul, &r->s) || !si_zip(S, &x->s, &base->b, si_mul, &b) ||
        !si_zip(S, &b, &x->b, si_add, &r->b))
        return NULL;
    const nashc_type *t = nashc_value_type(base->ival);
    r->by_channel = r->by_channel && si_channel_only(&base->s, t) && si_channel_only(&base->b, t);
    return r;
}
