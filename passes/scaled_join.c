/* scaled_join.c: sums, differences and products of two tensors of M.
 *
 *     s1 i + s2 j = u (m1 i + m2 j)    where s1 = m1 u, s2 = m2 u with small integers
 *
 * Else the sum stays pending. A quantiser behind it gets the smallest multipliers with which its
 * codes are right for all pairs (i, j); any other user, the exact common unit of the two scales.
 */
#include "scaled.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SMALL     1024.0
#define EXACT     0x1p31 /* float32 scales up to a ratio of 2^7 have an exact unit below this */
#define MAX_PAIRS ((int64_t)1 << 21) /* of one lane */
#define ALL_PAIRS ((int64_t)1 << 24) /* of all lanes */
#define MAX_RANGE ((int64_t)1 << 22) /* of m1 i + m2 j */
#define MAX_TABLE ((int64_t)1 << 16) /* the same, where the code is not monotone */

/* m1, m2, u of two scales; zero scales get multiplier zero. */
static bool
split_scales(si_state *S, const si_arr *s1, const si_arr *s2, double max, si_arr *m1, si_arr *m2,
             si_arr *u)
{
    si_arr zero = si_scalar(S, 0.0), a, b, one = si_scalar(S, 1.0);
    if (!si_zip(S, s1, s2, si_min, u) || !si_zip(S, s1, &zero, si_add, &a) ||
        !si_zip(S, s2, &zero, si_add, &b))
        return false;
    /* arrays of one shape: that of the broadcast pair, before squeezing it away */
    nashc_type t = nashc_type_f64();
    t.rank = (uint8_t)(a.rank > b.rank ? a.rank : b.rank);
    for (int i = 1; i <= t.rank; i++) {
        int64_t x = i <= a.rank ? a.dim[a.rank - i] : 1, y = i <= b.rank ? b.dim[b.rank - i] : 1;
        t.dim[t.rank - i] = x > y ? x : y;
    }
    if (!si_shape_arr(S, m1, t.rank, t.dim) || !si_shape_arr(S, m2, t.rank, t.dim) ||
        !si_shape_arr(S, u, t.rank, t.dim))
        return false;
    (void)one;
    for (int64_t i = 0; i < u->n; i++) {
        double pair[2] = {si_at(&a, &t, i), si_at(&b, &t, i)};
        if (!si_common_unit(pair, 2, max, &u->v[i]))
            return false;
        m1->v[i] = nearbyint(pair[0] / u->v[i]);
        m2->v[i] = nearbyint(pair[1] / u->v[i]);
    }
    si_squeeze(m1);
    si_squeeze(m2);
    si_squeeze(u);
    return true;
}

static double
minus(double x, double y)
{
    (void)y;
    return -x;
}

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

nashc_value *
si_emit_sum(si_state *S, const si_base *sum, const si_arr *m1, const si_arr *m2)
{
    return weighted_sum(S, sum->term[0]->base->ival, sum->term[1]->base->ival, m1, m2);
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

bool
si_join(si_state *S, nashc_node *n)
{
    bool sub = nashc_node_is(n, "nn.sub"), mul = nashc_node_is(n, "nn.mul");
    nashc_value *y = nashc_node_out(n, 0);
    si_arr s2, b2, m1, m2, u, b, one = si_scalar(S, 1.0), zero = si_scalar(S, 0.0);

    if (!mul && !sub && !nashc_node_is(n, "nn.add"))
        return false;
    si_val *p = si_affine(S, nashc_node_in(n, 0)),
           *q = p ? si_affine(S, nashc_node_in(n, 1)) : NULL;
    if (!p || !q)
        return si_no(S, "an operand is not on an integer grid");
    if (mul)
        return product(S, n, p, q);
    s2 = q->s;
    b2 = q->b;
    if (sub && (!si_zip(S, &q->s, &q->s, minus, &s2) || !si_zip(S, &q->b, &q->b, minus, &b2)))
        return false;
    if (!si_zip(S, &p->b, &b2, si_add, &b))
        return false;
    if (split_scales(S, &p->s, &s2, SMALL, &m1, &m2, &u)) {
        nashc_value *r = weighted_sum(S, p->base->ival, q->base->ival, &m1, &m2);
        return r && si_anchor(S, y, r, &u, &b, NULL, NULL, NULL, NULL);
    }
    if (S->st != NASHC_OK)
        return false;
    si_base *base = si_new_base(S, NULL, y, &one, &zero);
    if (!base)
        return false;
    base->term[0] = p;
    base->term[1] = q;
    base->term_in[0] = nashc_node_in(n, 0);
    base->term_in[1] = nashc_node_in(n, 1);
    base->term_sign = sub ? -1 : 1;
    base->lo = base->hi = zero;
    return si_set_affine(S, y, base, &one, &zero);
}

/* --- exact resolution --------------------------------------------------------------------------
 */

static double
rounded_ratio(double x, double y)
{
    return y == 0 ? 0 : nearbyint(x / y);
}

/* Largest magnitude of the integers of x. */
static double
reach(const si_val *x)
{
    const nashc_type *t = nashc_value_type(x->base->ival);
    double lo = fabs((double)t->lo), hi = fabs((double)t->hi);
    return lo > hi ? lo : hi;
}

static double
magnitude(double x, double y)
{
    (void)y;
    return fabs(x);
}

/* The unit that gives the smaller scale 24 bits, and the larger one 31 at most. */
static double
unit_of(double x, double y)
{
    double least = y == 0 || (x != 0 && x < y) ? x : y, most = x > y ? x : y;
    return fmax(ldexp(least, -23), ldexp(most, -31));
}

/* Unit such that rounding the multipliers to it changes neither term by more than float32
 * arithmetic would; coarser if the sum would not fit 61 bits. */
static bool
fine_multipliers(si_state *S, const si_base *sum, const si_arr *s2, si_arr *m1, si_arr *m2,
                 si_arr *u)
{
    const si_arr *s1 = &sum->term[0]->s;
    si_arr a1 = si_scalar(S, reach(sum->term[0]) + 1), a2 = si_scalar(S, reach(sum->term[1]) + 1);
    si_arr range, most, least = si_scalar(S, ldexp(1.0, -60)), x, y;

    if (!si_zip(S, s1, s1, magnitude, &x) || !si_zip(S, s2, s2, magnitude, &y) ||
        !si_zip(S, &x, &a1, si_mul, &range) || !si_zip(S, &y, &a2, si_mul, &most) ||
        !si_zip(S, &range, &most, si_add, &range) || !si_zip(S, &range, &least, si_mul, &least) ||
        !si_zip(S, &x, &y, unit_of, u) || !si_zip(S, u, &least, si_max, u))
        return false;
    return si_zip(S, s1, u, rounded_ratio, m1) && si_zip(S, s2, u, rounded_ratio, m2);
}

static double
ratio(double x, double y)
{
    double r = y == 0 ? 0 : x / y, q = nearbyint(r);
    return fabs(r - q) < 1e-9 ? q : r;
}

/* Offset of a sum with approximate multipliers: where both terms are zero in M, so is the sum. */
static bool
same_zero(si_state *S, const si_val *x, const si_arr *m, const si_arr *u, si_arr *b)
{
    si_arr z;
    for (int64_t i = 0; i < x->s.n; i++)
        if (x->s.v[i] == 0)
            return false;
    return si_zip(S, &x->b, &x->s, ratio, &z) && si_zip(S, &z, m, si_mul, b) &&
           si_zip(S, b, u, si_mul, b);
}

static si_base *
resolve(si_state *S, si_base *sum)
{
    si_arr s2, b2, b, m1, m2, u, sign = si_scalar(S, sum->term_sign);
    const si_val *p = sum->term[0], *q = sum->term[1];
    if (sum->exact)
        return sum->exact;
    if (!si_zip(S, &q->s, &sign, si_mul, &s2) || !si_zip(S, &q->b, &sign, si_mul, &b2) ||
        !si_zip(S, &p->b, &b2, si_add, &b))
        return NULL;
    if (!split_scales(S, &p->s, &s2, EXACT, &m1, &m2, &u)) {
        si_arr b1;
        if (S->st != NASHC_OK || !fine_multipliers(S, sum, &s2, &m1, &m2, &u))
            return NULL;
        if (same_zero(S, p, &m1, &u, &b1) && same_zero(S, q, &m2, &u, &b2) &&
            !si_zip(S, &b1, &b2, si_add, &b))
            return NULL;
    }
    nashc_value *r = si_emit_sum(S, sum, &m1, &m2);
    si_base *base = r ? si_new_base(S, r, sum->origin, &u, &b) : NULL;
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

/* --- exhaustive search over pairs ---------------------------------------------------------------
 */

typedef struct pairs {
    int64_t lo[2], n[2]; /* intervals of the two integers */
    double s[2], b[2];
    int32_t *code; /* [n[0]][n[1]] */
} pairs;

static void
pairs_of_lane(const si_lanes *l, const si_base *sum, int64_t lane, pairs *p)
{
    int64_t e = si_lanes_element(l, lane);
    const nashc_type *t = nashc_value_type(sum->origin);
    for (int i = 0; i < 2; i++) {
        const si_val *v = sum->term[i];
        const nashc_type *vt = nashc_value_type(v->base->ival);
        int64_t at = nashc_broadcast_index(vt, t, e);
        p->lo[i] = (int64_t)si_at(&v->base->lo, vt, at);
        p->n[i] = (int64_t)si_at(&v->base->hi, vt, at) - p->lo[i] + 1;
        p->s[i] = si_at(&v->s, vt, at) * (i ? sum->term_sign : 1);
        p->b[i] = si_at(&v->b, vt, at) * (i ? sum->term_sign : 1);
    }
}

static bool
eval_pairs(si_state *S, si_lanes *l, int64_t lane, pairs *p)
{
    int64_t n = p->n[0] * p->n[1];
    double *x = malloc((size_t)n * sizeof(*x));
    int64_t *code = malloc((size_t)n * sizeof(*code));
    p->code = malloc((size_t)n * sizeof(*p->code));
    if (!x || !code || !p->code) {
        free(x);
        free(code);
        return si_fail(S, nashc_enomem(S->diag));
    }
    for (int64_t i = 0; i < p->n[0]; i++)
        for (int64_t j = 0; j < p->n[1]; j++) {
            double a = p->s[0] * (double)(p->lo[0] + i) + p->b[0];
            double b = p->s[1] * (double)(p->lo[1] + j) + p->b[1];
            x[i * p->n[1] + j] = a + b;
        }
    bool ok = si_lanes_eval(S, l, &lane, 1, n, x, true, code);
    for (int64_t i = 0; ok && i < n; i++)
        p->code[i] = (int32_t)code[i];
    free(x);
    free(code);
    return ok;
}

/* The codes of all u as a table; between those that occur, the one before. */
static bool
table_in(si_state *S, const int64_t *code, const int64_t *most, int64_t n, si_step *out)
{
    out->table = malloc((size_t)n * sizeof(int64_t));
    for (int64_t u = 0; out->table && u < n; u++)
        out->table[u] = code[u] <= most[u] ? code[u] : out->table[u - 1];
    out->dir = 2;
    return out->table || si_fail(S, nashc_enomem(S->diag));
}

/* Steps in u = m1 i + m2 j if the code is a monotone function of u; if table, any function. */
static bool
steps_in(si_state *S, const pairs *p, int64_t m1, int64_t m2, bool table, si_step *out)
{
    int64_t c1 = m1 < 0 ? p->n[0] - 1 : 0, c2 = m2 < 0 ? p->n[1] - 1 : 0;
    int64_t lo = m1 * (p->lo[0] + c1) + m2 * (p->lo[1] + c2);
    int64_t n = llabs(m1) * (p->n[0] - 1) + llabs(m2) * (p->n[1] - 1) + 1;
    if (n > (table ? MAX_TABLE : MAX_RANGE))
        return false;
    int64_t *least = malloc((size_t)n * 2 * sizeof(*least));
    if (!least)
        return si_fail(S, nashc_enomem(S->diag));
    int64_t *most = least + n;
    most[0] = INT64_MIN;
    for (int64_t u = 0; u < n; u++) {
        least[u] = INT64_MAX;
        most[u] = INT64_MIN;
    }
    for (int64_t i = 0; i < p->n[0]; i++)
        for (int64_t j = 0; j < p->n[1]; j++) {
            int64_t u = m1 * (p->lo[0] + i) + m2 * (p->lo[1] + j) - lo,
                    c = p->code[i * p->n[1] + j];
            least[u] = c < least[u] ? c : least[u];
            most[u] = c > most[u] ? c : most[u];
        }
    bool up = true, down = true, one = true;
    int64_t before = most[0], cmin = most[0], cmax = most[0];
    for (int64_t u = 0; u < n; u++) {
        if (least[u] > most[u])
            continue;
        one = one && least[u] == most[u];
        up = up && one && least[u] >= before;
        down = down && one && most[u] <= before;
        before = most[u];
        cmin = least[u] < cmin ? least[u] : cmin;
        cmax = most[u] > cmax ? most[u] : cmax;
    }
    bool ok = (up || down) && cmax - cmin <= MAX_RANGE;
    *out = (si_step){.lo = lo, .hi = lo + n - 1, .cmin = cmin, .cmax = cmax};
    out->dir = up && down ? 0 : up ? 1 : -1;
    if (!ok && one && table) {
        ok = table_in(S, least, most, n, out);
    } else if (ok && out->dir != 0) {
        out->t = malloc((size_t)(cmax - cmin) * sizeof(int64_t));
        ok = out->t || si_fail(S, nashc_enomem(S->diag));
        int64_t k = 0;
        for (int64_t i = 0; ok && i < n; i++) {
            int64_t u = up ? i : n - 1 - i;
            while (least[u] <= most[u] && k < least[u] - cmin)
                out->t[k++] = up ? lo + u : -(lo + u);
        }
    }
    free(least);
    return ok;
}

#define MAX_CANDIDATES 96

/* Fractions near r > 0, simple ones first: all small denominators, then the continued fraction with
 * some intermediate ones. */
static int
fractions(double r, int64_t (*c)[2])
{
    int n = 0;
    for (int64_t d = 1; d <= 16; d++) {
        double other = r >= 1 ? r * (double)d : (double)d / r;
        if (other > 1e6)
            return n;
        int64_t k = (int64_t)nearbyint(other);
        c[n][0] = r >= 1 ? k : d;
        c[n++][1] = r >= 1 ? d : k;
    }
    double x = r;
    int64_t p0 = 0, q0 = 1, p1 = 1, q1 = 0;
    for (int depth = 0; depth < 24 && x < 1e6; depth++) {
        int64_t a = (int64_t)floor(x), ks[3] = {(a + 1) / 2, (3 * a + 2) / 4, a};
        for (int i = 0; i < 3; i++) {
            int64_t num = ks[i] * p1 + p0, den = ks[i] * q1 + q0;
            if (num > 1 << 20 || den > 1 << 20)
                return n;
            bool small = num < 1 || den < 1 || (num <= 16 && den <= 16);
            if (small || (i && ks[i] == ks[i - 1]) || n == MAX_CANDIDATES)
                continue;
            c[n][0] = num;
            c[n++][1] = den;
        }
        int64_t pn = a * p1 + p0, qn = a * q1 + q0;
        p0 = p1;
        q0 = q1;
        p1 = pn;
        q1 = qn;
        if (x == floor(x))
            break;
        x = 1.0 / (x - floor(x));
    }
    return n;
}

/* Multipliers that are right for all pairs of n lanes with the same scales. */
static bool
find_multipliers(si_state *S, const pairs *p, int64_t n, int64_t *m1, int64_t *m2, si_step *out)
{
    int64_t c[MAX_CANDIDATES][2] = {{1, 1}};
    int64_t g1 = p->s[0] < 0 ? -1 : p->s[0] > 0, g2 = p->s[1] < 0 ? -1 : p->s[1] > 0;
    int n_c = g1 && g2 ? fractions(fabs(p->s[0] / p->s[1]), c) : 1;

    for (int try = 0; try < 2 * n_c && S->st == NASHC_OK; try++) {
        int k = try % n_c;
        int64_t done = 0;
        while (done < n &&
               steps_in(S, &p[done], g1 * c[k][0], g2 * c[k][1], try >= n_c, &out[done]))
            done++;
        for (int64_t i = 0; i < n && done == n; i++) {
            m1[i] = g1 * c[k][0];
            m2[i] = g2 * c[k][1];
        }
        if (done == n)
            return true;
        for (int64_t i = 0; i < done; i++) {
            free(out[i].t);
            free(out[i].table);
            out[i].t = out[i].table = NULL;
        }
    }
    return false;
}

si_step *
si_steps_of_pairs(si_state *S, si_lanes *l, const si_base *sum, int64_t *m1, int64_t *m2)
{
    int64_t n = si_lanes_count(l), total = 0;
    si_step *out = calloc((size_t)n, sizeof(*out));
    pairs *p = calloc((size_t)n, sizeof(*p));
    bool ok = (out && p) || si_fail(S, nashc_enomem(S->diag)), same = true;
    for (int64_t i = 0; ok && i < n; i++) {
        pairs_of_lane(l, sum, i, &p[i]);
        ok = p[i].n[0] <= MAX_PAIRS && p[i].n[1] <= MAX_PAIRS && p[i].n[0] * p[i].n[1] <= MAX_PAIRS;
        total += ok ? p[i].n[0] * p[i].n[1] : 0;
        ok = ok && total <= ALL_PAIRS;
        same = same && p[i].s[0] == p[0].s[0] && p[i].s[1] == p[0].s[1];
    }
    for (int64_t i = 0; ok && i < n; i++)
        ok = eval_pairs(S, l, i, &p[i]);
    bool shared = ok && same && n > 1 && find_multipliers(S, p, n, m1, m2, out);
    for (int64_t i = 0; ok && !shared && i < n; i++)
        ok = find_multipliers(S, &p[i], 1, &m1[i], &m2[i], &out[i]);
    for (int64_t i = 0; p && i < n; i++)
        free(p[i].code);
    free(p);
    if (ok)
        return out;
    si_steps_free(out, n);
    return NULL;
}
