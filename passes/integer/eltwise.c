/* eltwise.c: element-wise ops of the model on functions of a tensor: affine form, direction. */
#include "integer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool
si_is_eltwise(const nashc_node *n)
{
    return (nashc_node_op(n)->flags & NASHC_OP_ELTWISE) || nashc_node_is(n, "nn.batchnorm");
}

/* Never decreasing in operand 0, whatever the attributes; or for the usual sign of them. */
static bool
rises(si_state *S, const nashc_node *n)
{
    static const char *const always[] = {
        "nn.relu",     "nn.sigmoid",  "nn.tanh",  "nn.exp",   "nn.log",  "nn.sqrt", "nn.erf",
        "nn.softplus", "nn.sign",     "nn.round", "nn.floor", "nn.ceil", "nn.clip", "nn.selu",
        "nn.softsign", "nn.identity", "nn.cast",  "nn.min",   "nn.max",  NULL};
    static const char *const by_alpha[] = {
        "nn.leaky_relu", "nn.elu", "nn.celu", "nn.hard_sigmoid", "nn.thresholded_relu", NULL};
    si_array slope;
    if (nashc_node_is_any(n, always))
        return true;
    if (nashc_node_is_any(n, by_alpha))
        return nashc_attr_float(n, nashc_attr_index(n, "alpha")) >= 0;
    if (!nashc_node_is(n, "nn.prelu") ||
        !si_from_tensor(S, si_known(S, nashc_node_in(n, 1)), &slope))
        return false;
    for (int64_t i = 0; i < slope.n; i++)
        if (!(slope.v[i] >= 0))
            return false;
    return true;
}

/* Is n, with constants but for operand v, a monotone function of it? */
bool
si_monotone(si_state *S, const nashc_node *n, const nashc_value *v)
{
    static const char *const either[] = {"nn.add",       "nn.sub", "nn.mul",    "nn.min", "nn.max",
                                         "nn.batchnorm", "nn.neg", "q.dequant", NULL};
    return nashc_node_is_any(n, either) ||
           (nashc_node_in(n, 0) == v && (nashc_node_is(n, "nn.div") || rises(S, n)));
}

static double
sign_times(double dir, double c)
{
    return c > 0 ? dir : c < 0 ? -dir : 0.0;
}

static double
over(double x, double c)
{
    return x == 0.0 ? 0.0 : x / c;
}

/* y = x * f, or x / f */
static bool
times_factor(si_state *S, const si_val *x, const si_array *f, bool div, si_val *y)
{
    return si_zip(S, &x->s, f, div ? over : si_mul, &y->s) &&
           si_zip(S, &x->b, f, div ? over : si_mul, &y->b) &&
           si_zip(S, &x->dir, f, sign_times, &y->dir);
}

static bool
batchnorm(si_state *S, const nashc_node *n, const si_val *x, si_val *y)
{
    const nashc_type *t = nashc_value_type(nashc_node_in(n, 0));
    double eps = nashc_attr_f32(n, nashc_attr_index(n, "eps"));
    si_array p[4], a;
    for (int i = 0; i < 4; i++) {
        const nashc_tensor *k = si_known(S, nashc_node_in(n, i + 1));
        double *v = k ? nashc_buf_to_f64(nashc_tensor_buf(k)) : NULL;
        bool ok = v && si_per_channel(S, t, v, &p[i]);
        nashc_mem_free(v);
        if (!ok)
            return false;
    }
    if (!si_zip(S, &p[3], &p[3], si_max, &a))
        return false;
    for (int64_t i = 0; i < a.n; i++)
        a.v[i] = sqrt(a.v[i] + eps);
    if (!si_zip(S, &p[0], &a, si_div, &a)) /* gamma / deviation */
        return false;
    si_val shifted = *x;
    return si_zip(S, &x->b, &p[2], si_sub, &shifted.b) && times_factor(S, &shifted, &a, false, y) &&
           si_zip(S, &y->b, &p[1], si_add, &y->b);
}

static double
negated(double x, double y)
{
    (void)y;
    return -x;
}

static bool
negate(si_state *S, const si_val *x, si_val *y)
{
    return si_zip(S, &x->s, &x->s, negated, &y->s) && si_zip(S, &x->b, &x->b, negated, &y->b) &&
           si_zip(S, &x->dir, &x->dir, negated, &y->dir);
}

/* One dynamic operand, number at; y is a copy of its si_val. */
static bool
one_dynamic(si_state *S, nashc_node *n, int at, const si_val *x, si_val *y)
{
    const nashc_type *t = nashc_value_type(nashc_node_out(n, 0));
    si_array c;
    bool binary = nashc_node_n_in(n) == 2;

    if (nashc_node_is(n, "nn.batchnorm"))
        return batchnorm(S, n, x, y);
    if (binary) {
        const nashc_tensor *k = si_known(S, nashc_node_in(n, 1 - at));
        if (!k || !si_from_tensor(S, k, &c))
            return false;
        y->by_channel = y->by_channel && si_channel_only(&c, t);
    } else if (nashc_node_n_in(n) > 1) {
        y->by_channel = false;
    }
    if (nashc_node_is(n, "nn.add"))
        return si_zip(S, &x->b, &c, si_add, &y->b);
    if (nashc_node_is(n, "nn.sub") && at == 0)
        return si_zip(S, &x->b, &c, si_sub, &y->b);
    if (nashc_node_is(n, "nn.sub"))
        return negate(S, x, y) && si_zip(S, &y->b, &c, si_add, &y->b);
    if (nashc_node_is(n, "nn.mul"))
        return times_factor(S, x, &c, false, y);
    if (nashc_node_is(n, "nn.div") && at == 0 && !nashc_type_is_int(t))
        return times_factor(S, x, &c, true, y);
    if (nashc_node_is(n, "nn.neg"))
        return negate(S, x, y);
    if (nashc_node_is(n, "nn.identity") || (nashc_node_is(n, "nn.cast") && nashc_type_is_float(t)))
        return true;
    if (nashc_node_is(n, "q.dequant")) {
        si_array s, z;
        const nashc_tensor *sk = si_known(S, nashc_node_in(n, 1));
        const nashc_tensor *zk = nashc_node_in(n, 2) ? si_known(S, nashc_node_in(n, 2)) : NULL;
        z = si_scalar(S, 0.0);
        return sk && si_from_tensor(S, sk, &s) && (!zk || si_from_tensor(S, zk, &z)) &&
               si_zip(S, &x->b, &z, si_sub, &y->b) && times_factor(S, y, &s, false, y);
    }
    y->affine = false;
    y->mono = y->mono && (at == 0 || nashc_node_is(n, "nn.min") || nashc_node_is(n, "nn.max")) &&
              rises(S, n);
    return true;
}

static bool
two_dynamic(si_state *S, const nashc_node *n, const si_val *x0, const si_val *x1, si_val *y)
{
    bool add = nashc_node_is(n, "nn.add"), sub = nashc_node_is(n, "nn.sub");
    y->by_channel = x0->by_channel && x1->by_channel;
    if ((add || sub) && x0->affine && x1->affine) {
        si_fn *f = add ? si_add : si_sub;
        si_array one = si_scalar(S, 1.0);
        return si_zip(S, &x0->s, &x1->s, f, &y->s) && si_zip(S, &x0->b, &x1->b, f, &y->b) &&
               si_zip(S, &one, &y->s, sign_times, &y->dir);
    }
    y->affine = y->mono = false;
    return true;
}

/* All dynamic operands of n are functions of one tensor: so is the result. */
bool
si_eltwise(si_state *S, nashc_node *n)
{
    nashc_value *out = nashc_node_out(n, 0);
    const si_val *x[2] = {0};
    int n_dyn = 0, at = 0;

    for (int i = 0; i < nashc_node_n_in(n); i++) {
        nashc_value *v = nashc_node_in(n, i);
        if (!v || si_is_const(S, v))
            continue;
        const si_val *xv = si_of(S, v);
        if (xv->kind != SI_FUN || n_dyn == 2 || (n_dyn && xv->tensor != x[0]->tensor))
            return false;
        if (!nashc_type_same_shape(nashc_value_type(v), nashc_value_type(out)))
            return si_no(S, "a constant operand broadcasts the tensor to another shape");
        at = n_dyn ? at : i;
        x[n_dyn++] = xv;
    }
    if (n_dyn == 0 || (n_dyn == 2 && nashc_node_n_in(n) != 2))
        return false;
    si_val y = *x[0];
    y.other = NULL;
    if (n_dyn == 1 ? !one_dynamic(S, n, at, x[0], &y) : !two_dynamic(S, n, x[0], x[1], &y))
        return false;
    if (y.affine)
        y.by_channel = y.by_channel && si_channel_only(&y.s, nashc_value_type(out)) &&
                       si_channel_only(&y.b, nashc_value_type(out));
    *si_of(S, out) = y;
    return true;
}

/* Bounds of a clamp in units of x's integers: lo <= i <= hi after sign. False: not integral. */
static bool
bound(si_state *S, const si_val *x, double real, si_array *out)
{
    si_array r = si_scalar(S, real);
    if (!si_zip(S, &r, &x->b, si_sub, out) || !si_zip(S, out, &x->s, si_div, out))
        return false;
    for (int64_t i = 0; i < out->n; i++) {
        double q = nearbyint(out->v[i]);
        if (!isfinite(q) || fabs(out->v[i] - q) > 1e-9 * (1 + fabs(q)))
            return false;
        out->v[i] = q;
    }
    return true;
}

/* Bound of a Clip: of integers an exact one, else rounded as all float attributes are. */
static double
clip_bound(const nashc_node *n, const char *name)
{
    bool ints = nashc_type_is_int(nashc_value_type(nashc_node_out(n, 0)));
    int i = nashc_attr_index(n, name);

    return ints ? nashc_attr_float(n, i) : nashc_attr_f32(n, i);
}

/* Relu and Clip whose corners lie on the grid of the integers are a min or max of integers. */
static nashc_value *
integer_clamp(si_state *S, const nashc_node *n, const si_val *x)
{
    double lo = -INFINITY, hi = INFINITY;
    nashc_value *v = x->tensor->ival;
    si_array c;
    bool down;

    if (nashc_node_is(n, "nn.relu")) {
        lo = 0;
    } else if (nashc_node_is(n, "nn.clip")) {
        lo = clip_bound(n, "min");
        hi = clip_bound(n, "max");
    } else {
        return NULL;
    }
    for (int64_t i = 0; i < x->s.n; i++)
        if (x->s.v[i] == 0 || (x->s.v[i] < 0) != (x->s.v[0] < 0))
            return NULL;
    down = x->s.v[0] < 0;
    if (isfinite(lo)) {
        if (!bound(S, x, lo, &c))
            return NULL;
        if (si_zero(&c) && !down)
            v = si_emit(S, "nn.relu", &v, 1, NULL);
        else
            v = si_emit(S, down ? "nn.min" : "nn.max", (nashc_value *[]){v, si_const_int(S, &c)}, 2,
                        NULL);
    }
    if (v && isfinite(hi)) {
        if (!bound(S, x, hi, &c))
            return NULL;
        v = si_emit(S, down ? "nn.max" : "nn.min", (nashc_value *[]){v, si_const_int(S, &c)}, 2,
                    NULL);
    }
    return v;
}

/* A constant that is on no grid: an offset to integers that all are zero. */
static bool
offset_of(si_state *S, nashc_value *v, nashc_tensor **codes, si_array *s, si_array *b)
{
    const nashc_tensor *t = S->st == NASHC_OK ? si_known(S, v) : NULL;
    int64_t *zeros = t ? calloc((size_t)nashc_tensor_count(t) + 1, sizeof(*zeros)) : NULL;
    nashc_type shape =
        nashc_type_with_elem(nashc_value_type(v), &(nashc_type){.kind = NASHC_K_UINT});

    if (t && !zeros)
        return si_fail(S, nashc_enomem(S->diag));
    *s = si_scalar(S, 0.0);
    bool ok = t && nashc_tensor_all_finite(t) && si_from_tensor(S, t, b) &&
              (*codes = si_int_tensor(S, &shape, zeros));
    free(zeros);
    return ok;
}

si_val *
si_affine(si_state *S, nashc_value *v)
{
    si_val *x = si_of(S, v);
    nashc_value *ival = NULL;
    si_array s, b = si_scalar(S, 0.0);

    if (x->other)
        return x->other;
    if (si_is_const(S, v)) {
        nashc_tensor *codes;
        if (!si_const_codes(S, v, &codes, &s) && !offset_of(S, v, &codes, &s, &b))
            return NULL;
        ival = nashc_build_const(S->b, NULL, nashc_tensor_ref(codes));
    } else if (x->kind != SI_FUN) {
        return NULL;
    } else {
        if (!(x = si_with_fallback(S, x)) || x->affine)
            return x;
        nashc_node *n = nashc_value_def(v);
        si_val *in = n && nashc_node_in(n, 0) ? si_of(S, nashc_node_in(n, 0)) : NULL;
        if (!in || in->kind != SI_FUN || !(in = si_with_fallback(S, in)) || !in->affine ||
            in->tensor != x->tensor)
            return NULL;
        s = in->s;
        b = in->b;
        ival = integer_clamp(S, n, in);
    }
    si_val *r = ival ? si_alloc(S, 1, sizeof(*r)) : NULL;
    si_tensor *tensor = r ? si_new_tensor(S, ival, v, &s, &b) : NULL;
    if (!tensor)
        return NULL;
    r->kind = SI_FUN;
    r->tensor = tensor;
    r->affine = r->mono = true;
    r->s = s;
    r->b = b;
    r->by_channel = true;
    r->dir = b;
    return si_of(S, v)->other = r;
}
