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
weight_at(const si_products *p, int64_t o, int64_t k)
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
    int64_t o, k, at, c; /* at: of its weight, c: channel of x */
    int64_t in_run;      /* terms since c has changed, or come round */
} term;

static term
first_term(const si_products *p, int64_t o)
{
    return (term){.o = o, .at = weight_at(p, o, 0), .c = channel_of(p, o, 0)};
}

static void
next_term(const si_products *p, term *t)
{
    int64_t run = p->by_tap ? p->per_group : p->taps;
    bool ends = ++t->in_run == run;
    t->k++;
    t->at = p->transposed ? weight_at(p, t->o, t->k) : t->at + p->w_k;
    t->in_run = ends ? 0 : t->in_run;
    if (p->by_tap)
        t->c += ends ? 1 - run : 1;
    else
        t->c += ends;
}

/* The number of a channel in an array by channel. */
static double
of_channel(const si_array *a, int64_t c)
{
    return a->v[a->n == 1 ? 0 : c];
}

/* --- units -------------------------------------------------------------------------------------
 */

/* Codes on the way to one scale an output. */
typedef struct unification {
    const si_products *p;
    const si_array *w_scale, *x_scale; /* x_scale by channel */
    si_coded *coded;
} unification;

/* What one unit of a term's code is worth in the model. */
static double
term_scale(const unification *u, const term *t)
{
    return si_at(u->w_scale, &u->coded->type, t->at) * of_channel(u->x_scale, t->c);
}

/* Scales of the terms of output o that have a weight other than zero: their number. */
static int64_t
scales_of(const unification *u, int64_t o, double *scale)
{
    int64_t n = 0;
    for (term t = first_term(u->p, o); t.k < u->p->terms; next_term(u->p, &t))
        if (u->coded->code[t.at])
            scale[n++] = term_scale(u, &t);
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

/* The unit of n scales. Where no exact one has multipliers below MAX_MULTIPLIER, every term is as
 * near as in float32 sums; bits: of the smallest multiplier then. */
static double
unit_of(const double *scale, int64_t n, int *bits)
{
    double unit, least = INFINITY, most = 0;
    if (all_same(scale, n))
        return scale[0];
    if (si_common_unit(scale, n, MAX_MULTIPLIER, &unit))
        return unit;
    for (int64_t i = 0; i < n; i++) {
        double a = fabs(scale[i]);
        most = fmax(most, a);
        least = a > 0 && a < least ? a : least;
    }
    unit = fmax(ldexp(least, -23), most / MAX_MULTIPLIER);
    int own = ilogb(least / unit) + 1;
    *bits = *bits == 0 || own < *bits ? own : *bits;
    return unit;
}

/* The unit of each output as its scale. mixed: some have several scales. */
static bool
own_units(si_job *job, const unification *u, bool *mixed, int *bits)
{
    double *scale = malloc((size_t)u->p->terms * sizeof(*scale) + 1), any = 1;
    double *out = u->coded->scale;
    if (!scale)
        return si_no_memory(job);
    for (int64_t o = 0; o < u->p->outputs; o++) {
        int64_t n = scales_of(u, o, scale);
        double unit = n == 0 ? 0 : unit_of(scale, n, bits);
        *mixed = *mixed || !all_same(scale, n) || (n > 0 && unit == 0);
        out[o] = unit == 0 ? NAN : unit; /* every term is zero */
        any = unit == 0 ? any : unit;
    }
    free(scale);
    for (int64_t o = 0; o < u->p->outputs; o++)
        out[o] = isnan(out[o]) ? any : out[o];
    return true;
}

/* Largest code of output o with its terms in its unit. */
static double
widest_of(const unification *u, int64_t o)
{
    double most = 0;
    for (term t = first_term(u->p, o); t.k < u->p->terms; next_term(u->p, &t)) {
        double code = (double)u->coded->code[t.at];
        double m = nearbyint(term_scale(u, &t) / u->coded->scale[o]);
        most = code != 0 ? fmax(most, fabs(code * m)) : most;
    }
    return most;
}

/* One exact unit of all channels of x, if that makes no code wider than most. */
static bool
share_unit(si_job *job, const unification *u, double most)
{
    si_coded *coded = u->coded;
    const si_products *p = u->p;
    si_array along;
    double unit;
    if (!si_along(job, u->w_scale, &coded->type, p->axis, &along) ||
        !si_common_unit(u->x_scale->v, u->x_scale->n, MAX_MULTIPLIER, &unit))
        return false;
    for (int64_t o = 0; o < p->outputs; o++)
        for (term t = first_term(p, o); t.k < p->terms; next_term(p, &t)) {
            double m = nearbyint(of_channel(u->x_scale, t.c) / unit);
            if (fabs((double)coded->code[t.at] * m) > most)
                return false;
        }
    for (int64_t o = 0; o < p->outputs; o++)
        coded->scale[o] = along.v[o % along.n] * unit;
    return true;
}

/* Units of outputs with codes far narrower than most become finer: memory for codes has one width,
 * and a layer that compares outputs needs scales that are not far apart. */
static void
level_units(const unification *u, double most)
{
    for (int64_t o = 0; o < u->p->outputs; o++) {
        double own = widest_of(u, o);
        int shift = own > 0 ? ilogb(most / own) - MAX_NARROWER : 0;
        u->coded->scale[o] = ldexp(u->coded->scale[o], shift > 0 ? -shift : 0);
    }
}

/* Codes and one scale for each output. */
static bool
unify(si_job *job, const nashc_node *n, const unification *u)
{
    si_coded *coded = u->coded;
    const si_products *p = u->p;
    double most = 0;
    bool mixed = false;
    int bits = 0; /* 0: exact */
    if (!own_units(job, u, &mixed, &bits))
        return false;
    if (!mixed)
        return true;
    for (int64_t o = 0; o < p->outputs; o++)
        most = fmax(most, widest_of(u, o));
    if (share_unit(job, u, most))
        bits = 0;
    else
        level_units(u, most);
    for (int64_t o = 0; o < p->outputs; o++)
        for (term t = first_term(p, o); t.k < p->terms; next_term(p, &t)) {
            double m = nearbyint(term_scale(u, &t) / coded->scale[o]);
            coded->code[t.at] *= coded->code[t.at] ? (int64_t)m : 0;
        }
    if (bits != 0)
        si_warn_rounded(job, n, "the terms of its sums have scales without a common unit", bits,
                        SI_LEAST_BITS,
                        "one scale for all channels of its input, or scales that are small "
                        "multiples of each other, need no rounding");
    return !si_failed(job);
}

/* The codes as a tensor; bipolar ones stay so if they can. */
static nashc_tensor *
tensor_of(si_job *job, const si_coded *coded)
{
    nashc_type t = coded->type;
    bool bip = t.kind == NASHC_K_BIP;
    for (int64_t i = 0, n = nashc_type_count(&t); bip && i < n; i++)
        bip = coded->code[i] == 1 || coded->code[i] == -1;
    if (!bip)
        nashc_type_set_range(&t, 0, 1);
    return si_int_tensor(job, &t, coded->code);
}

bool
si_code_weights(si_job *job, const nashc_node *n, const si_products *p, nashc_tensor *codes,
                const si_array *w_scale, const si_array *x_scale, si_coded *coded)
{
    unification u = {.p = p, .w_scale = w_scale, .x_scale = x_scale, .coded = coded};
    si_array along;
    memset(coded, 0, sizeof(*coded));
    coded->type = *nashc_tensor_type(codes);
    coded->code = nashc_buf_to_i64(nashc_tensor_buf(codes));
    coded->scale = malloc((size_t)p->outputs * sizeof(double) + 1);
    if (!coded->code || !coded->scale)
        return si_no_memory(job);
    if (x_scale->n == 1 && si_along(job, w_scale, &coded->type, p->axis, &along)) {
        for (int64_t o = 0; o < p->outputs; o++)
            coded->scale[o] = along.v[o % along.n] * x_scale->v[0];
        coded->tensor = codes;
    } else if (!si_failed(job) && unify(job, n, &u)) {
        coded->tensor = tensor_of(job, coded);
    }
    return coded->tensor != NULL;
}

void
si_drop_coded(si_coded *coded)
{
    nashc_mem_free(coded->code);
    free(coded->scale);
}

/* --- sums --------------------------------------------------------------------------------------
 */

/* One interval lo..hi for all of x: the sums of the positive and of the negative weights decide. */
static void
interval_of_all(const si_products *p, const si_coded *coded, int64_t o, double lo, double hi,
                double *least, double *most)
{
    nashc_sums sums = {0};
    if (!p->transposed)
        nashc_sums_add_i64(&sums, coded->code + weight_at(p, o, 0), p->w_k, p->terms);
    else
        for (term t = first_term(p, o); t.k < p->terms; next_term(p, &t))
            nashc_sums_add_i64(&sums, &coded->code[t.at], 1, 1);
    *least = sums.overflow ? -INFINITY : (double)sums.pos * lo + (double)sums.neg * hi;
    *most = sums.overflow ? INFINITY : (double)sums.pos * hi + (double)sums.neg * lo;
}

/* One interval for each channel of x. */
static void
interval_by_channel(const si_products *p, const si_coded *coded, int64_t o, const si_array *lo,
                    const si_array *hi, bool zero, double *least, double *most)
{
    double top = zero ? 0 : INFINITY, bottom = zero ? 0 : -INFINITY; /* a term may be missing */
    *least = *most = 0;
    for (term t = first_term(p, o); t.k < p->terms; next_term(p, &t)) {
        double code = (double)coded->code[t.at];
        double a = code * of_channel(lo, t.c), b = code * of_channel(hi, t.c);
        double small = a < b ? a : b, large = a < b ? b : a;
        *least += small < top ? small : top; /* no branches: signs of weights are random */
        *most += large > bottom ? large : bottom;
    }
}

void
si_intervals(const si_products *p, const si_coded *coded, const si_array *lo, const si_array *hi,
             bool zero, double *out_lo, double *out_hi)
{
    bool one = lo->n == 1 && hi->n == 1;
    double least = lo->v[0], most = hi->v[0];
    if (zero) {
        least = least > 0 ? 0 : least;
        most = most < 0 ? 0 : most;
    }
    for (int64_t o = 0; o < p->outputs; o++)
        if (one)
            interval_of_all(p, coded, o, least, most, &out_lo[o], &out_hi[o]);
        else
            interval_by_channel(p, coded, o, lo, hi, zero, &out_lo[o], &out_hi[o]);
}

/* sum_k W[o][k] * bias[channel]. Where the bias is a zero point times the scale that is a sum of
 * integers: so the sum of a tensor that is zero in the model is exactly zero with rounded scales,
 * too. */
void
si_offsets(const si_products *p, const si_coded *coded, const nashc_tensor *codes,
           const si_array *w_scale, const si_array *x_scale, const si_array *x_bias, double *out)
{
    const nashc_type *type = nashc_tensor_type(codes);
    for (int64_t o = 0; o < p->outputs; o++) {
        double sum = 0, rest = 0;
        for (term t = first_term(p, o); t.k < p->terms; next_term(p, &t)) {
            double scale = of_channel(x_scale, t.c), bias = of_channel(x_bias, t.c);
            double zero = scale == 0 ? NAN : bias / scale, whole = nearbyint(zero);
            if (fabs(zero - whole) < 1e-9)
                sum += (double)coded->code[t.at] * whole;
            else
                rest += nashc_tensor_get(codes, t.at) * si_at(w_scale, type, t.at) * bias;
        }
        out[o] = coded->scale[o] * sum + rest;
    }
}
