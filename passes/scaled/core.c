/* core.c: sums of products and sum pools of M, rebuilt on integers.
 *
 *     sum_k (s_w[o] w[o][k]) (s_x i[k] + b_x) = s_w[o] s_x (sum_k w[o][k] i[k]) + b_x W[o]
 *
 * Scales that vary along the summed axis are brought to a common unit; the multipliers go into w.
 */
#include "scaled.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_MULTIPLIER 0x1p31

/* A sum of products: output channel o adds, over its k terms, w[w_at(o, k)] * x[channel x_at(o,
 * k)]. */
typedef struct products {
    int64_t outputs, terms;
    int64_t w_o, w_k;              /* steps of o and k in w */
    int axis;                      /* of w, along which o counts */
    int64_t group_size, per_group; /* outputs in a group; channels of x in a group */
    int64_t taps;                  /* terms of one channel of x, next to each other unless by_tap */
    bool by_tap;                   /* channel is the fast index of k (NHWC) */
    bool transposed;               /* w is [channel of x][output in its group][tap] */
    bool last;                     /* transposed, with the output last */
} products;

/* Where term k of output o has its weight. */
static int64_t
w_at(const products *p, int64_t o, int64_t k)
{
    if (!p->transposed)
        return o * p->w_o + k * p->w_k;
    int64_t c = o / p->group_size * p->per_group + k / p->taps;
    int64_t j = o % p->group_size, t = k % p->taps;
    return p->last ? (c * p->taps + t) * p->group_size + j : (c * p->group_size + j) * p->taps + t;
}

static int64_t
channel_of(const products *p, int64_t o, int64_t k)
{
    return o / p->group_size * p->per_group + (p->by_tap ? k % p->per_group : k / p->taps);
}

/* Term k of output o: the two above, without their divisions in the loops over all weights. */
typedef struct term {
    int64_t o, k, at, c;
    int64_t turn; /* terms since c has changed, or come round */
} term;

static term
first_term(const products *p, int64_t o)
{
    return (term){.o = o, .at = w_at(p, o, 0), .c = channel_of(p, o, 0)};
}

static void
next_term(const products *p, term *t)
{
    t->k++;
    t->at = p->transposed ? w_at(p, t->o, t->k) : t->at + p->w_k;
    t->turn++;
    if (p->by_tap)
        t->c += t->turn == p->per_group ? 1 - p->per_group : 1;
    else
        t->c += t->turn == p->taps;
    if (t->turn == (p->by_tap ? p->per_group : p->taps))
        t->turn = 0;
}

typedef struct weights {
    int64_t *q;         /* codes, on the heap */
    nashc_type type;    /* of the code tensor */
    double *s;          /* by output */
    nashc_value *value; /* constant of the new graph */
    const nashc_tensor *t;
} weights;

/* Codes and one scale for each output from the scales of x (by channel) and of w. */
static bool
unify(si_state *S, const products *p, const si_arr *sx, const si_arr *sw, weights *w)
{
    double *v = malloc((size_t)p->terms * sizeof(*v) + 1);
    int bits = 0; /* 0: exact */

    if (!v)
        return si_fail(S, nashc_enomem(S->diag));
    for (int64_t o = 0; o < p->outputs; o++) {
        bool same = true;
        for (term t = first_term(p, o); t.k < p->terms; next_term(p, &t)) {
            double s = si_at(sw, &w->type, t.at) * sx->v[sx->n == 1 ? 0 : t.c];
            /* the scale of a zero does not matter */
            v[t.k] = w->q[t.at] || t.k == 0 ? s : v[0];
            same = same && v[t.k] == v[0];
            if (t.k == 0 && !w->q[t.at] && s == 0.0)
                v[0] = 1.0;
        }
        w->s[o] = v[0];
        if (same)
            continue;
        double unit;
        if (!si_common_unit(v, p->terms, MAX_MULTIPLIER, &unit)) {
            double least = INFINITY, most = 0; /* every term as near as in float32 sums */
            for (int64_t k = 0; k < p->terms; k++) {
                double a = fabs(v[k]);
                most = a > most ? a : most;
                least = a > 0 && a < least ? a : least;
            }
            unit = fmax(ldexp(least, -23), most / MAX_MULTIPLIER);
            int b = ilogb(least / unit) + 1;
            bits = bits == 0 || b < bits ? b : bits;
        }
        for (term t = first_term(p, o); t.k < p->terms; next_term(p, &t))
            w->q[t.at] *= (int64_t)nearbyint(v[t.k] / unit);
        w->s[o] = unit;
    }
    free(v);
    if (bits != 0)
        si_warn_rounded(S, S->at, "the terms of its sums", bits,
                        "one scale for all channels of its input, or scales that are small "
                        "multiples of each other, need no rounding");
    return S->st == NASHC_OK;
}

/* Fills w from codes with scale sw; sx by channel. w->q, w->s to be freed by the caller. */
static bool
take_weights(si_state *S, nashc_tensor *codes, const si_arr *sw, const products *p,
             const si_arr *sx, weights *w)
{
    memset(w, 0, sizeof(*w));
    w->type = *nashc_tensor_type(codes);
    w->q = nashc_buf_to_i64(nashc_tensor_buf(codes));
    w->s = malloc((size_t)p->outputs * sizeof(double) + 1);
    if (!w->q || !w->s)
        return si_fail(S, nashc_enomem(S->diag));
    si_arr along;
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

static void
drop_weights(weights *w)
{
    nashc_mem_free(w->q);
    free(w->s);
}

/* Interval of each output; zero: any tap may also meet a padding zero. */
static void
intervals(const products *p, const weights *w, const si_arr *lo, const si_arr *hi, bool zero,
          double *out_lo, double *out_hi)
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
 * sum of a tensor that is zero in M is exactly zero with rounded scales, too. */
static void
offsets(const products *p, const weights *w, const nashc_tensor *codes, const si_arr *sw,
        const si_arr *sx, const si_arr *bx, double *out)
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

static bool
fits(si_state *S, const double *v, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (fabs(v[i]) > ldexp(1.0, 60))
            return si_no(S, "its sums would need more than 61 bits");
    return true;
}

static si_core *
new_core(si_state *S, const char *op, const char *attrs, nashc_value *x, const weights *w)
{
    si_core *c = si_alloc(S, 1, sizeof(*c));
    if (!c)
        return NULL;
    *c = (si_core){.op = op, .attrs = attrs, .node = S->at, .x = x, .w = w->value, .wt = w->t};
    return c;
}

/* A vector over one axis of a tensor of rank rank, ready for broadcasting. */
static bool
vector_along(si_state *S, const double *v, int64_t n, int axis, int rank, si_arr *out)
{
    int64_t dim[NASHC_MAX_RANK];
    for (int i = 0; i < rank; i++)
        dim[i] = i == axis ? n : 1;
    if (!si_shape_arr(S, out, rank, dim))
        return false;
    memcpy(out->v, v, (size_t)n * sizeof(*v));
    si_squeeze(out);
    return true;
}

/* --- convolution -------------------------------------------------------------------------------
 */

/* Zero padding of a tensor with offset b: pads with the integer that stands for 0. */
static nashc_value *
padded(si_state *S, nashc_node *n, const si_val *x, const int64_t *pads, int spatial)
{
    const nashc_type *t = nashc_value_type(x->base->ival);
    int64_t all[2 * NASHC_MAX_RANK] = {0};
    int first = nashc_type_channel_axis(t) == 1 ? 2 : 1;
    si_arr zero = si_scalar(S, 0.0), z;

    if (!si_zip(S, &zero, &x->b, si_sub, &z) || !si_zip(S, &z, &x->s, si_div, &z))
        return NULL;
    for (int64_t i = 0; i < z.n; i++) {
        double q = nearbyint(z.v[i]);
        if (!(fabs(z.v[i] - q) <= 1e-9 * (1 + fabs(q))))
            return NULL;
        z.v[i] = q;
    }
    si_squeeze(&z);
    if (!si_channel_only(&z, t))
        return NULL;
    if (z.n > 1) {
        z.dim[0] = z.n;
        z.rank = 1;
    }
    for (int i = 0; i < spatial; i++) {
        all[first + i] = pads[i];
        all[t->rank + first + i] = pads[spatial + i];
    }
    nashc_build_loc(S->b, nashc_node_loc(n));
    return si_emit(S, "nn.pad", (nashc_value *[]){x->base->ival, si_const_int(S, &z)}, 2,
                   nashc_arena_printf(S->a, "pads=%s", nashc_build_ints(S->b, all, 2 * t->rank)));
}

static const char *
attrs_without_pads(si_state *S, const nashc_node *n)
{
    int ns, nd;
    const int64_t *st = nashc_attr_ints(n, nashc_attr_index(n, "stride"), &ns);
    const int64_t *di = nashc_attr_ints(n, nashc_attr_index(n, "dilation"), &nd);
    return nashc_arena_printf(S->a, "stride=%s dilation=%s group=%" PRId64,
                              nashc_build_ints(S->b, st, ns), nashc_build_ints(S->b, di, nd),
                              nashc_attr_int(n, nashc_attr_index(n, "group")));
}

/* Offset of the result where padding with real zeros meets an offset off the grid: it depends on
 * the position, and is computed by convolving the offset itself. */
static bool
offset_map(si_state *S, nashc_node *n, const si_val *x, si_arr *out)
{
    const nashc_type *t = nashc_value_type(nashc_node_in(n, 0));
    nashc_type f64 = nashc_type_f64(), xt = nashc_type_with_elem(t, &f64);
    nashc_buf buf;
    const nashc_tensor *w = si_known(S, nashc_node_in(n, 1));
    if (!w)
        return false;
    if (!nashc_buf_alloc(&buf, &xt))
        return si_fail(S, nashc_enomem(S->diag));
    for (int64_t i = 0; i < buf.n; i++)
        nashc_buf_set(&buf, i, si_at(&x->b, &xt, i));
    nashc_tensor *in[2] = {si_own(S, nashc_tensor_take(&buf)), (nashc_tensor *)(uintptr_t)w}, *res;
    return in[0] && si_eval(S, n, NULL, NULL, in, 2, 1, &res) && si_from_tensor(S, res, out);
}

static void
conv_products(const nashc_node *n, products *p)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    const nashc_type *w = nashc_value_type(nashc_node_in(n, 1));
    int64_t group = nashc_attr_int(n, nashc_attr_index(n, "group"));
    *p = (products){.transposed = nashc_node_is(n, "nn.conv_transpose")};
    if (p->transposed) {
        p->last = nashc_type_channel_axis(x) != 1;
        p->axis = p->last ? w->rank - 1 : 1;
        p->group_size = w->dim[p->axis];
        p->outputs = p->group_size * group;
        p->per_group = w->dim[0] / group;
        p->terms = nashc_type_count(w) / p->outputs;
        p->taps = p->terms / p->per_group;
        return;
    }
    p->by_tap = nashc_type_channel_axis(x) != 1;
    p->axis = 0;
    p->outputs = w->dim[0];
    p->terms = nashc_type_count(w) / p->outputs;
    p->w_o = p->terms;
    p->w_k = 1;
    p->group_size = p->outputs / group;
    p->per_group = w->dim[p->by_tap ? w->rank - 1 : 1];
    p->taps = p->terms / p->per_group;
}

static bool
build_conv(si_state *S, nashc_node *n, const si_val *x, const products *p,
           const nashc_tensor *codes, const si_arr *sw, const si_arr *sx, const si_arr *bx,
           weights *w, double *v)
{
    nashc_value *y = nashc_node_out(n, 0), *ival = x->base->ival;
    const nashc_type *t = nashc_value_type(y), *xt = nashc_value_type(nashc_node_in(n, 0));
    int axis = nashc_type_channel_axis(t), spatial;
    const int64_t *pads = nashc_attr_ints(n, nashc_attr_index(n, "pads"), &spatial);
    const char *attrs = nashc_node_attr_text(n, S->a), *op = nashc_node_opname(n);
    si_arr s, b, lo, hi, xlo, xhi, bias;
    bool pad = p->transposed, zeros; /* its outputs meet some of the taps only */

    spatial /= 2;
    for (int i = 0; i < 2 * spatial; i++)
        pad = pad || pads[i];
    zeros = pad;
    b = si_scalar(S, 0.0);
    if (!si_zero(&x->b)) {
        nashc_value *z = pad && bx && !p->transposed ? padded(S, n, x, pads, spatial) : NULL;
        if (bx && (z || !pad)) {
            ival = z ? z : ival;
            attrs = z ? attrs_without_pads(S, n) : attrs;
            zeros = false;
            offsets(p, w, codes, sw, sx, bx, v);
            if (!vector_along(S, v, p->outputs, axis, t->rank, &b))
                return false;
        } else if (S->st != NASHC_OK || !offset_map(S, n, x, &b)) {
            return false;
        }
    }
    if (nashc_node_in(n, 2)) {
        const nashc_tensor *k = si_known(S, nashc_node_in(n, 2));
        double *bv = k ? nashc_buf_to_f64(nashc_tensor_buf(k)) : NULL;
        bool ok = bv && vector_along(S, bv, p->outputs, axis, t->rank, &bias) &&
                  si_zip(S, &b, &bias, si_add, &b);
        nashc_mem_free(bv);
        if (!ok)
            return false;
    }
    if (!si_along(S, &x->base->lo, xt, nashc_type_channel_axis(xt), &xlo) ||
        !si_along(S, &x->base->hi, xt, nashc_type_channel_axis(xt), &xhi)) {
        const nashc_type *it = nashc_value_type(x->base->ival);
        xlo = si_scalar(S, (double)it->lo);
        xhi = si_scalar(S, (double)it->hi);
    }
    if (ival != x->base->ival) { /* the padding integer may lie outside */
        xlo = si_scalar(S, (double)nashc_value_type(ival)->lo);
        xhi = si_scalar(S, (double)nashc_value_type(ival)->hi);
    }
    if (S->st != NASHC_OK) /* memory was out for one of the intervals */
        return false;
    intervals(p, w, &xlo, &xhi, zeros, v, v + p->outputs);
    if (!fits(S, v, 2 * p->outputs))
        return false;
    si_core *core = new_core(S, op, attrs, ival, w);
    if (!core || !vector_along(S, v, p->outputs, axis, t->rank, &lo) ||
        !vector_along(S, v + p->outputs, p->outputs, axis, t->rank, &hi) ||
        !vector_along(S, w->s, p->outputs, axis, t->rank, &s))
        return false;
    core->axis = axis;
    core->period = p->outputs;
    core->repeat = p->last ? 1 : p->transposed ? p->taps : p->terms;
    if (p->transposed && p->group_size != p->outputs)
        core = NULL; /* outputs of a group share their place in w */
    nashc_value *r = si_emit(S, op, (nashc_value *[]){ival, w->value}, 2, attrs);
    if (r && p->transposed) { /* the op knows which taps meet */
        si_arr least = si_scalar(S, (double)nashc_value_type(r)->lo);
        si_arr most = si_scalar(S, (double)nashc_value_type(r)->hi);
        if (!si_zip(S, &lo, &least, si_max, &lo) || !si_zip(S, &hi, &most, si_min, &hi))
            return false;
    }
    return r && si_anchor(S, y, r, &s, &b, &lo, &hi, core, NULL);
}

/* Scale of x by channel; positions other than channels must not matter. */
static bool
by_axis(si_state *S, const si_arr *a, const nashc_type *t, int axis, si_arr *out)
{
    if (a->n == 1) {
        *out = *a;
        return true;
    }
    return si_along(S, a, t, axis, out);
}

bool
si_conv(si_state *S, nashc_node *n)
{
    nashc_value *xv = nashc_node_in(n, 0);
    const nashc_type *xt = nashc_value_type(xv);
    int axis = nashc_type_channel_axis(xt);
    si_val *x = si_affine(S, xv);
    products p;
    weights w;
    si_arr sx, bx, sw;
    nashc_tensor *codes;

    if (!x)
        return false;
    if (!si_is_const(S, nashc_node_in(n, 1)))
        return si_no(S, "its weights are not constant");
    if (!si_codes(S, nashc_node_in(n, 1), &codes, &sw))
        return false;
    if (!by_axis(S, &x->s, xt, axis, &sx))
        return si_no(S, "the scale of its input varies along more than the channels");
    bool bx_ok = by_axis(S, &x->b, xt, axis, &bx);
    conv_products(n, &p);
    double *v = malloc((size_t)p.outputs * 2 * sizeof(*v) + 1);
    bool ok = v && take_weights(S, codes, &sw, &p, &sx, &w);
    if (ok)
        ok = build_conv(S, n, x, &p, codes, &sw, &sx, bx_ok ? &bx : NULL, &w, v);
    if (v)
        drop_weights(&w);
    free(v);
    return ok;
}

/* --- matmul and gemm ---------------------------------------------------------------------------
 */

/* Two tensors that are both computed: scalar scales, no offsets. */
static bool
dynamic_matmul(si_state *S, nashc_node *n, const si_val *x, const si_val *y)
{
    si_arr s, b = si_scalar(S, 0.0);
    if (x->s.n != 1 || y->s.n != 1 || !si_zero(&x->b) || !si_zero(&y->b))
        return si_no(S, "both operands are computed and one has a varying scale or an offset");
    if (!si_zip(S, &x->s, &y->s, si_mul, &s))
        return false;
    nashc_value *r =
        si_emit(S, "nn.matmul", (nashc_value *[]){x->base->ival, y->base->ival}, 2, NULL);
    return r && si_anchor(S, nashc_node_out(n, 0), r, &s, &b, NULL, NULL, NULL, NULL);
}

/* x [..., K] times constant [K, M], or constant [M, K] times x [..., K, N]. */
static bool
const_matmul(si_state *S, nashc_node *n, const si_val *x, nashc_tensor *codes, const si_arr *sw,
             bool w_first, const si_arr *bias)
{
    nashc_value *y = nashc_node_out(n, 0), *ival = x->base->ival;
    const nashc_type *t = nashc_value_type(y), *wt = nashc_tensor_type(codes);
    const nashc_type *xt = nashc_value_type(ival);
    int sum_axis = w_first ? xt->rank - 2 : xt->rank - 1,
        out_axis = w_first ? t->rank - 2 : t->rank - 1;
    products p = {0};
    weights w;
    si_arr sx, bx, s, b, lo, hi, xlo, xhi;

    if (wt->rank != 2 || xt->rank < 2 || xt->rank != t->rank)
        return si_no(S, "its constant operand is not a matrix");
    if (!by_axis(S, &x->s, xt, sum_axis, &sx) || !by_axis(S, &x->b, xt, sum_axis, &bx))
        return si_no(S, "scale or offset of its input vary along more than the summed axis");
    p.outputs = wt->dim[w_first ? 0 : 1];
    p.terms = p.per_group = wt->dim[w_first ? 1 : 0];
    p.axis = w_first ? 0 : 1;
    p.w_o = w_first ? p.terms : 1;
    p.w_k = w_first ? 1 : p.outputs;
    p.group_size = p.outputs;
    p.taps = 1;
    double *v = malloc((size_t)p.outputs * 2 * sizeof(*v) + 1);
    bool ok = v && take_weights(S, codes, sw, &p, &sx, &w);
    b = si_scalar(S, 0.0);
    if (ok && !si_zero(&bx)) {
        offsets(&p, &w, codes, sw, &sx, &bx, v);
        ok = vector_along(S, v, p.outputs, out_axis, t->rank, &b);
    }
    if (ok && (!by_axis(S, &x->base->lo, xt, sum_axis, &xlo) ||
               !by_axis(S, &x->base->hi, xt, sum_axis, &xhi))) {
        xlo = si_scalar(S, (double)nashc_value_type(ival)->lo);
        xhi = si_scalar(S, (double)nashc_value_type(ival)->hi);
    }
    ok = ok && S->st == NASHC_OK; /* memory for the intervals */
    if (ok) {
        intervals(&p, &w, &xlo, &xhi, false, v, v + p.outputs);
        si_core *core = new_core(S, "nn.matmul", NULL, ival, &w);
        ok = core && fits(S, v, 2 * p.outputs) &&
             vector_along(S, v, p.outputs, out_axis, t->rank, &lo) &&
             vector_along(S, v + p.outputs, p.outputs, out_axis, t->rank, &hi) &&
             vector_along(S, w.s, p.outputs, out_axis, t->rank, &s) &&
             (!bias || si_zip(S, &b, bias, si_add, &b));
        nashc_value *r = NULL;
        if (ok) {
            core->w_first = w_first;
            core->axis = out_axis;
            core->period = p.outputs;
            core->repeat = w_first ? p.terms : 1;
            nashc_value *in[2] = {w_first ? w.value : ival, w_first ? ival : w.value};
            r = si_emit(S, "nn.matmul", in, 2, NULL);
        }
        ok = r && si_anchor(S, y, r, &s, &b, &lo, &hi, core, NULL);
    }
    if (v)
        drop_weights(&w);
    free(v);
    return ok;
}

/* Codes and scale of constant matrix wv, transposed. */
static bool
transposed_codes(si_state *S, nashc_value *wv, nashc_tensor **codes, si_arr *s)
{
    nashc_tensor *c;
    si_arr sw;
    if (!si_codes(S, wv, &c, &sw))
        return false;
    *codes = si_own(S, nashc_tensor_transposed(c, (const int[]){1, 0}));
    *s = sw;
    if (sw.n > 1) {
        nashc_type t = *nashc_value_type(wv);
        int64_t dim[2] = {t.dim[1], t.dim[0]};
        if (!si_shape_arr(S, s, 2, dim))
            return false;
        for (int64_t i = 0; i < dim[0]; i++)
            for (int64_t j = 0; j < dim[1]; j++)
                s->v[i * dim[1] + j] = si_at(&sw, &t, j * dim[0] + i);
        si_squeeze(s);
    }
    return *codes != NULL;
}

static bool
gemm(si_state *S, nashc_node *n)
{
    nashc_value *cv = nashc_node_in(n, 2), *wv = nashc_node_in(n, 1);
    bool ta = nashc_attr_bool(n, nashc_attr_index(n, "trans_a"));
    bool tb = nashc_attr_bool(n, nashc_attr_index(n, "trans_b"));
    double alpha = nashc_attr_f32(n, nashc_attr_index(n, "alpha"));
    double beta = nashc_attr_f32(n, nashc_attr_index(n, "beta"));
    si_val *x = si_affine(S, nashc_node_in(n, 0));
    si_arr bias, sw, f = si_scalar(S, beta);
    nashc_tensor *codes;

    if (!x || !si_is_const(S, wv))
        return x ? si_no(S, "its weights are not constant") : false;
    if (ta)
        return si_no(S, "its first operand is transposed");
    if (cv) {
        const nashc_tensor *k = si_known(S, cv);
        if (!k || !si_from_tensor(S, k, &bias) || !si_zip(S, &bias, &f, si_mul, &bias))
            return false;
    }
    if (tb ? !transposed_codes(S, wv, &codes, &sw) : !si_codes(S, wv, &codes, &sw))
        return false;
    /* alpha goes into the scale before offsets are made of it: they stay whole multiples of it. */
    f = si_scalar(S, alpha);
    return si_zip(S, &sw, &f, si_mul, &sw) &&
           const_matmul(S, n, x, codes, &sw, false, cv ? &bias : NULL);
}

bool
si_matmul(si_state *S, nashc_node *n)
{
    nashc_value *a = nashc_node_in(n, 0), *b = nashc_node_in(n, 1);
    if (nashc_node_is(n, "nn.gemm"))
        return gemm(S, n);
    bool w_first = si_is_const(S, a);
    si_val *x = si_affine(S, w_first ? b : a);
    if (!x)
        return false;
    if (w_first || si_is_const(S, b)) {
        nashc_tensor *codes;
        si_arr sw;
        return si_codes(S, w_first ? a : b, &codes, &sw) &&
               const_matmul(S, n, x, codes, &sw, w_first, NULL);
    }
    si_val *y = si_affine(S, b);
    return y && dynamic_matmul(S, n, x, y);
}
