/* products.c: sums of products of the model on integers.
 *
 *     sum_k (s_w[o] w[o][k]) (s_x i[k] + b_x) = s_w[o] s_x (sum_k w[o][k] i[k]) + b_x W[o]
 *
 * Scales that vary along the summed axis are brought to a common unit; the multipliers go into w.
 */
#include "products.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_MULTIPLIER 0x1p31
#define MAX_NARROWER   8 /* bits by which codes of one output may be narrower than of others */

/* Where term k of output o has its weight. */
static int64_t
w_at(const si_products *p, int64_t o, int64_t k)
{
    if (!p->transposed)
        return o * p->w_o + k * p->w_k;
    int64_t c = o / p->group_size * p->per_group + k / p->taps;
    int64_t j = o % p->group_size, t = k % p->taps;
    return p->last ? (c * p->taps + t) * p->group_size + j : (c * p->group_size + j) * p->taps + t;
}

static int64_t
channel_of(const si_products *p, int64_t o, int64_t k)
{
    return o / p->group_size * p->per_group + (p->by_tap ? k % p->per_group : k / p->taps);
}

/* Term k of output o: the two above, without their divisions in the loops over all weights. */
typedef struct term {
    int64_t o, k, at, c;
    int64_t at_term; /* terms since c has changed, or come round */
} term;

static term
first_term(const si_products *p, int64_t o)
{
    return (term){.o = o, .at = w_at(p, o, 0), .c = channel_of(p, o, 0)};
}

static void
next_term(const si_products *p, term *t)
{
    t->k++;
    t->at = p->transposed ? w_at(p, t->o, t->k) : t->at + p->w_k;
    t->at_term++;
    if (p->by_tap)
        t->c += t->at_term == p->per_group ? 1 - p->per_group : 1;
    else
        t->c += t->at_term == p->taps;
    if (t->at_term == (p->by_tap ? p->per_group : p->taps))
        t->at_term = 0;
}

/* --- units -------------------------------------------------------------------------------------
 */

/* Scales of the terms of output o that have a weight other than zero: their number. */
static int64_t
scales_of(const si_products *p, const si_array *sx, const si_array *sw, const si_coded *w,
          int64_t o, double *v)
{
    int64_t n = 0;
    for (term t = first_term(p, o); t.k < p->terms; next_term(p, &t))
        if (w->q[t.at])
            v[n++] = si_at(sw, &w->type, t.at) * sx->v[sx->n == 1 ? 0 : t.c];
    return n;
}

static bool
all_same(const double *v, int64_t n)
{
    for (int64_t i = 1; i < n; i++)
        if (v[i] != v[0])
            return false;
    return true;
}

/* The unit of scales v. Where no exact one has multipliers before_via MAX_MULTIPLIER, every term is
 * as near as in float32 sums; bits: of the smallest multiplier then. */
static double
unit_of(const double *v, int64_t n, int *bits)
{
    double unit, least = INFINITY, most = 0;
    if (all_same(v, n))
        return v[0];
    if (si_common_unit(v, n, MAX_MULTIPLIER, &unit))
        return unit;
    for (int64_t i = 0; i < n; i++) {
        double a = fabs(v[i]);
        most = fmax(most, a);
        least = a > 0 && a < least ? a : least;
    }
    unit = fmax(ldexp(least, -23), most / MAX_MULTIPLIER);
    int b = ilogb(least / unit) + 1;
    *bits = *bits == 0 || b < *bits ? b : *bits;
    return unit;
}

/* Largest code of output o with its terms in its unit. */
static double
widest_of(const si_products *p, const si_array *sx, const si_array *sw, const si_coded *w,
          int64_t o)
{
    double most = 0;
    for (term t = first_term(p, o); t.k < p->terms; next_term(p, &t)) {
        double s = si_at(sw, &w->type, t.at) * sx->v[sx->n == 1 ? 0 : t.c];
        most = w->q[t.at] ? fmax(most, fabs((double)w->q[t.at] * nearbyint(s / w->s[o]))) : most;
    }
    return most;
}

/* One exact unit of all channels of x, if that makes no code wider than most. */
static bool
share_unit(si_state *S, const si_products *p, const si_array *sx, const si_array *sw, double most,
           si_coded *w)
{
    si_array along;
    double unit;
    if (!si_along(S, sw, &w->type, p->axis, &along) ||
        !si_common_unit(sx->v, sx->n, MAX_MULTIPLIER, &unit))
        return false;
    for (int64_t o = 0; o < p->outputs; o++)
        for (term t = first_term(p, o); t.k < p->terms; next_term(p, &t)) {
            double m = nearbyint(sx->v[sx->n == 1 ? 0 : t.c] / unit);
            if (fabs((double)w->q[t.at] * m) > most)
                return false;
        }
    for (int64_t o = 0; o < p->outputs; o++)
        w->s[o] = along.v[o % along.n] * unit;
    return true;
}

/* Units of outputs with codes far narrower than most become finer: memory for codes has one width,
 * and a layer that compares outputs needs scales that are not far apart. */
static void
level_units(const si_products *p, const si_array *sx, const si_array *sw, double most, si_coded *w)
{
    for (int64_t o = 0; o < p->outputs; o++) {
        double own = widest_of(p, sx, sw, w, o);
        int shift = own > 0 ? ilogb(most / own) - MAX_NARROWER : 0;
        w->s[o] = ldexp(w->s[o], shift > 0 ? -shift : 0);
    }
}

/* Codes and one scale for each output from the scales of x (by channel) and of w. */
static bool
unify(si_state *S, const si_products *p, const si_array *sx, const si_array *sw, si_coded *w)
{
    double *v = malloc((size_t)p->terms * sizeof(*v) + 1), most = 0, any = 1;
    bool mixed = false;
    int bits = 0; /* 0: exact */

    if (!v)
        return si_fail(S, nashc_enomem(S->diag));
    for (int64_t o = 0; o < p->outputs; o++) {
        int64_t n = scales_of(p, sx, sw, w, o, v);
        double unit = n == 0 ? 0 : unit_of(v, n, &bits);
        mixed = mixed || !all_same(v, n) || (n > 0 && unit == 0);
        w->s[o] = unit == 0 ? NAN : unit; /* every term is zero */
        any = unit == 0 ? any : unit;
    }
    free(v);
    for (int64_t o = 0; o < p->outputs; o++)
        w->s[o] = isnan(w->s[o]) ? any : w->s[o];
    if (!mixed)
        return true;
    for (int64_t o = 0; o < p->outputs; o++)
        most = fmax(most, widest_of(p, sx, sw, w, o));
    if (share_unit(S, p, sx, sw, most, w))
        bits = 0;
    else
        level_units(p, sx, sw, most, w);
    for (int64_t o = 0; o < p->outputs; o++)
        for (term t = first_term(p, o); t.k < p->terms; next_term(p, &t)) {
            double s = si_at(sw, &w->type, t.at) * sx->v[sx->n == 1 ? 0 : t.c];
            w->q[t.at] *= w->q[t.at] ? (int64_t)nearbyint(s / w->s[o]) : 0;
        }
    if (bits != 0)
        si_warn_rounded(S, S->at, "the terms of its sums", bits,
                        "one scale for all channels of its input, or scales that are small "
                        "multiples of each other, need no rounding");
    return S->st == NASHC_OK;
}

/* Fills w from codes with scale sw; sx by channel. w->q, w->s to be freed by the caller. */
bool
si_code_weights(si_state *S, nashc_tensor *codes, const si_array *sw, const si_products *p,
                const si_array *sx, si_coded *w)
{
    memset(w, 0, sizeof(*w));
    w->type = *nashc_tensor_type(codes);
    w->q = nashc_buf_to_i64(nashc_tensor_buf(codes));
    w->s = malloc((size_t)p->outputs * sizeof(double) + 1);
    if (!w->q || !w->s)
        return si_fail(S, nashc_enomem(S->diag));
    si_array along;
    bool plain = sx->n == 1 && si_along(S, sw, &w->type, p->axis, &along);
    if (plain) {
        for (int64_t o = 0; o < p->outputs; o++)
            w->s[o] = along.v[o % along.n] * sx->v[0];
    } else if (S->st != NASHC_OK || !unify(S, p, sx, sw, w)) {
        return false;
    }
    w->t = codes;
    if (!plain) {
        nashc_type t = w->type;
        bool bip = t.kind == NASHC_K_BIP;
        for (int64_t i = 0, n = nashc_type_count(&t); bip && i < n; i++)
            bip = w->q[i] == 1 || w->q[i] == -1;
        if (!bip)
            nashc_type_set_range(&t, 0, 1);
        w->t = si_int_tensor(S, &t, w->q);
    }
    if (w->t)
        w->value = nashc_build_const(S->b, NULL, nashc_tensor_ref((nashc_tensor *)(uintptr_t)w->t));
    return w->value != NULL;
}

void
si_drop_coded(si_coded *w)
{
    nashc_mem_free(w->q);
    free(w->s);
}

/* Interval of each output; zero: any tap may also meet a padding zero. */
void
si_intervals(const si_products *p, const si_coded *w, const si_array *lo, const si_array *hi,
             bool zero, double *out_lo, double *out_hi)
{
    bool scalar = lo->n == 1 && hi->n == 1;
    double x0 = lo->v[0], x1 = hi->v[0];
    double top = zero ? 0 : INFINITY, bottom = zero ? 0 : -INFINITY; /* a term may be missing */
    if (zero && scalar) {
        x0 = x0 > 0 ? 0 : x0;
        x1 = x1 < 0 ? 0 : x1;
    }
    for (int64_t o = 0; scalar && o < p->outputs; o++) {
        int64_t pos = 0, neg = 0;
        for (term t = first_term(p, o); t.k < p->terms; next_term(p, &t)) {
            int64_t v = w->q[t.at];
            pos += v > 0 ? v : 0;
            neg += v < 0 ? v : 0;
        }
        out_lo[o] = (double)pos * x0 + (double)neg * x1;
        out_hi[o] = (double)pos * x1 + (double)neg * x0;
    }
    for (int64_t o = 0; !scalar && o < p->outputs; o++) {
        double a = 0, b = 0;
        for (term t = first_term(p, o); t.k < p->terms; next_term(p, &t)) {
            double q = (double)w->q[t.at];
            double l = q * lo->v[lo->n == 1 ? 0 : t.c], h = q * hi->v[hi->n == 1 ? 0 : t.c];
            double least = l < h ? l : h, most = l < h ? h : l;
            a += least < top ? least : top; /* minimum and maximum: signs of weights are random */
            b += most > bottom ? most : bottom;
        }
        out_lo[o] = a;
        out_hi[o] = b;
    }
}

/* sum_k W[o][k] * b[channel]. Where b is a zero point times s_x that is a sum of integers: so the
 * sum of a tensor that is zero in the model is exactly zero with rounded scales, too. */
void
si_offsets(const si_products *p, const si_coded *w, const nashc_tensor *codes, const si_array *sw,
           const si_array *sx, const si_array *bx, double *out)
{
    const nashc_type *wt = nashc_tensor_type(codes);
    for (int64_t o = 0; o < p->outputs; o++) {
        double sum = 0, rest = 0;
        for (term t = first_term(p, o); t.k < p->terms; next_term(p, &t)) {
            double s = sx->v[sx->n == 1 ? 0 : t.c], b = bx->v[bx->n == 1 ? 0 : t.c];
            double z = s == 0 ? NAN : b / s, q = nearbyint(z);
            if (fabs(z - q) < 1e-9)
                sum += (double)w->q[t.at] * q;
            else
                rest += nashc_tensor_get(codes, t.at) * si_at(sw, wt, t.at) * b;
        }
        out[o] = w->s[o] * sum + rest;
    }
}
