/* products_layer.c: convolutions and matrix products of the model, rebuilt on integers. */
#include "products.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool
fits(si_state *S, const double *v, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (fabs(v[i]) > ldexp(1.0, 60))
            return si_no(S, "its sums would need more than 61 bits");
    return true;
}

static si_products_layer *
new_products_layer(si_state *S, const char *op, const char *attrs, nashc_value *x,
                   const si_coded *w)
{
    si_products_layer *c = si_alloc(S, 1, sizeof(*c));
    if (!c)
        return NULL;
    *c = (si_products_layer){
        .op = op, .attrs = attrs, .node = S->at, .x = x, .w = w->value, .wt = w->t};
    return c;
}

/* A vector over one axis of a tensor of rank rank, ready for broadcasting. */
static bool
vector_along(si_state *S, const double *v, int64_t n, int axis, int rank, si_array *out)
{
    int64_t dim[NASHC_MAX_RANK];
    for (int i = 0; i < rank; i++)
        dim[i] = i == axis ? n : 1;
    if (!si_shape_array(S, out, rank, dim))
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
    const nashc_type *t = nashc_value_type(x->tensor->ival);
    int64_t all[2 * NASHC_MAX_RANK] = {0};
    int first = nashc_type_channel_axis(t) == 1 ? 2 : 1;
    si_array zero = si_scalar(S, 0.0), z;

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
    return si_emit(S, "nn.pad", (nashc_value *[]){x->tensor->ival, si_const_int(S, &z)}, 2,
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
offset_map(si_state *S, nashc_node *n, const si_val *x, si_array *out)
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
    nashc_tensor *in[2] = {si_keep(S, nashc_tensor_take(&buf)), (nashc_tensor *)(uintptr_t)w}, *res;
    return in[0] && si_eval(S, n, NULL, NULL, in, 2, 1, &res) && si_from_tensor(S, res, out);
}

static void
conv_products(const nashc_node *n, si_products *p)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    const nashc_type *w = nashc_value_type(nashc_node_in(n, 1));
    int64_t group = nashc_attr_int(n, nashc_attr_index(n, "group"));
    *p = (si_products){.transposed = nashc_node_is(n, "nn.conv_transpose")};
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
build_conv(si_state *S, nashc_node *n, const si_val *x, const si_products *p,
           const nashc_tensor *codes, const si_array *sw, const si_array *sx, const si_array *bx,
           si_coded *w, double *v)
{
    nashc_value *y = nashc_node_out(n, 0), *ival = x->tensor->ival;
    const nashc_type *t = nashc_value_type(y), *xt = nashc_value_type(nashc_node_in(n, 0));
    int axis = nashc_type_channel_axis(t), spatial;
    const int64_t *pads = nashc_attr_ints(n, nashc_attr_index(n, "pads"), &spatial);
    const char *attrs = nashc_node_attr_text(n, S->a), *op = nashc_node_opname(n);
    si_array s, b, lo, hi, xlo, xhi, bias;
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
            si_offsets(p, w, codes, sw, sx, bx, v);
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
    if (!si_along(S, &x->tensor->lo, xt, nashc_type_channel_axis(xt), &xlo) ||
        !si_along(S, &x->tensor->hi, xt, nashc_type_channel_axis(xt), &xhi)) {
        const nashc_type *it = nashc_value_type(x->tensor->ival);
        xlo = si_scalar(S, (double)it->lo);
        xhi = si_scalar(S, (double)it->hi);
    }
    if (ival != x->tensor->ival) { /* the padding integer may lie outside */
        xlo = si_scalar(S, (double)nashc_value_type(ival)->lo);
        xhi = si_scalar(S, (double)nashc_value_type(ival)->hi);
    }
    if (S->st != NASHC_OK) /* memory was out for one of the intervals */
        return false;
    si_intervals(p, w, &xlo, &xhi, zeros, v, v + p->outputs);
    if (!fits(S, v, 2 * p->outputs))
        return false;
    si_products_layer *layer = new_products_layer(S, op, attrs, ival, w);
    if (!layer || !vector_along(S, v, p->outputs, axis, t->rank, &lo) ||
        !vector_along(S, v + p->outputs, p->outputs, axis, t->rank, &hi) ||
        !vector_along(S, w->s, p->outputs, axis, t->rank, &s))
        return false;
    layer->axis = axis;
    layer->period = p->outputs;
    layer->repeat = p->last ? 1 : p->transposed ? p->taps : p->terms;
    if (p->transposed && p->group_size != p->outputs)
        layer = NULL; /* outputs of a group share their place in w */
    nashc_value *r = si_emit(S, op, (nashc_value *[]){ival, w->value}, 2, attrs);
    if (r && p->transposed) { /* the op knows which taps meet */
        si_array least = si_scalar(S, (double)nashc_value_type(r)->lo);
        si_array most = si_scalar(S, (double)nashc_value_type(r)->hi);
        if (!si_zip(S, &lo, &least, si_max, &lo) || !si_zip(S, &hi, &most, si_min, &hi))
            return false;
    }
    return r && si_anchor(S, y, r, &s, &b, &lo, &hi, layer, NULL);
}

/* Scale of x by channel; positions other than channels must not matter. */
static bool
by_axis(si_state *S, const si_array *a, const nashc_type *t, int axis, si_array *out)
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
    si_products p;
    si_coded w;
    si_array sx, bx, sw;
    nashc_tensor *codes;

    if (!x)
        return false;
    if (!si_is_const(S, nashc_node_in(n, 1)))
        return si_no(S, "its weights are not constant");
    if (!si_const_codes(S, nashc_node_in(n, 1), &codes, &sw))
        return false;
    if (!by_axis(S, &x->s, xt, axis, &sx))
        return si_no(S, "the scale of its input varies along more than the channels");
    bool bx_ok = by_axis(S, &x->b, xt, axis, &bx);
    conv_products(n, &p);
    double *v = malloc((size_t)p.outputs * 2 * sizeof(*v) + 1);
    bool ok = v && si_code_weights(S, codes, &sw, &p, &sx, &w);
    if (ok)
        ok = build_conv(S, n, x, &p, codes, &sw, &sx, bx_ok ? &bx : NULL, &w, v);
    if (v)
        si_drop_coded(&w);
    free(v);
    return ok;
}

/* --- matmul and gemm ---------------------------------------------------------------------------
 */

/* Two tensors that are both computed: scalar scales, no offsets. */
static bool
dynamic_matmul(si_state *S, nashc_node *n, const si_val *x, const si_val *y)
{
    si_array s, b = si_scalar(S, 0.0);
    if (x->s.n != 1 || y->s.n != 1 || !si_zero(&x->b) || !si_zero(&y->b))
        return si_no(S, "both operands are computed and one has a varying scale or an offset");
    if (!si_zip(S, &x->s, &y->s, si_mul, &s))
        return false;
    nashc_value *r =
        si_emit(S, "nn.matmul", (nashc_value *[]){x->tensor->ival, y->tensor->ival}, 2, NULL);
    return r && si_anchor(S, nashc_node_out(n, 0), r, &s, &b, NULL, NULL, NULL, NULL);
}

/* x [..., K] times constant [K, the model], or constant [the model, K] times x [..., K, N]. */
static bool
const_matmul(si_state *S, nashc_node *n, const si_val *x, nashc_tensor *codes, const si_array *sw,
             bool w_first, const si_array *bias)
{
    nashc_value *y = nashc_node_out(n, 0), *ival = x->tensor->ival;
    const nashc_type *t = nashc_value_type(y), *wt = nashc_tensor_type(codes);
    const nashc_type *xt = nashc_value_type(ival);
    int sum_axis = w_first ? xt->rank - 2 : xt->rank - 1,
        out_axis = w_first ? t->rank - 2 : t->rank - 1;
    si_products p = {0};
    si_coded w;
    si_array sx, bx, s, b, lo, hi, xlo, xhi;

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
    bool ok = v && si_code_weights(S, codes, sw, &p, &sx, &w);
    b = si_scalar(S, 0.0);
    if (ok && !si_zero(&bx)) {
        si_offsets(&p, &w, codes, sw, &sx, &bx, v);
        ok = vector_along(S, v, p.outputs, out_axis, t->rank, &b);
    }
    if (ok && (!by_axis(S, &x->tensor->lo, xt, sum_axis, &xlo) ||
               !by_axis(S, &x->tensor->hi, xt, sum_axis, &xhi))) {
        xlo = si_scalar(S, (double)nashc_value_type(ival)->lo);
        xhi = si_scalar(S, (double)nashc_value_type(ival)->hi);
    }
    ok = ok && S->st == NASHC_OK; /* memory for the intervals */
    if (ok) {
        si_intervals(&p, &w, &xlo, &xhi, false, v, v + p.outputs);
        si_products_layer *layer = new_products_layer(S, "nn.matmul", NULL, ival, &w);
        ok = layer && fits(S, v, 2 * p.outputs) &&
             vector_along(S, v, p.outputs, out_axis, t->rank, &lo) &&
             vector_along(S, v + p.outputs, p.outputs, out_axis, t->rank, &hi) &&
             vector_along(S, w.s, p.outputs, out_axis, t->rank, &s) &&
             (!bias || si_zip(S, &b, bias, si_add, &b));
        nashc_value *r = NULL;
        if (ok) {
            layer->w_first = w_first;
            layer->axis = out_axis;
            layer->period = p.outputs;
            layer->repeat = w_first ? p.terms : 1;
            nashc_value *in[2] = {w_first ? w.value : ival, w_first ? ival : w.value};
            r = si_emit(S, "nn.matmul", in, 2, NULL);
        }
        ok = r && si_anchor(S, y, r, &s, &b, &lo, &hi, layer, NULL);
    }
    if (v)
        si_drop_coded(&w);
    free(v);
    return ok;
}

/* Codes and scale of constant matrix wv, transposed. */
static bool
transposed_codes(si_state *S, nashc_value *wv, nashc_tensor **codes, si_array *s)
{
    nashc_tensor *c;
    si_array sw;
    if (!si_const_codes(S, wv, &c, &sw))
        return false;
    *codes = si_keep(S, nashc_tensor_transposed(c, (const int[]){1, 0}));
    *s = sw;
    if (sw.n > 1) {
        nashc_type t = *nashc_value_type(wv);
        int64_t dim[2] = {t.dim[1], t.dim[0]};
        if (!si_shape_array(S, s, 2, dim))
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
    si_array bias, sw, f = si_scalar(S, beta);
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
    if (tb ? !transposed_codes(S, wv, &codes, &sw) : !si_const_codes(S, wv, &codes, &sw))
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
        si_array sw;
        return si_const_codes(S, w_first ? a : b, &codes, &sw) &&
               const_matmul(S, n, x, codes, &sw, w_first, NULL);
    }
    si_val *y = si_affine(S, b);
    return y && dynamic_matmul(S, n, x, y);
}
