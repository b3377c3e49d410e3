/* eltwise.c: element-wise ops of the model on functions of a tensor: affine form, direction.
 *
 * Nothing is built here. y = f(x), with x a function of a tensor's integers, is one more function
 * of them. It stays affine through sums and products with constants; through anything else it is
 * followed by whether it rises, and evaluated when a quantiser comes (chain.h).
 */
#include "integer.h"

#include <math.h>

static double
sign_times(double direction, double factor)
{
    return factor > 0 ? direction : factor < 0 ? -direction : 0.0;
}

static double
over(double x, double divisor)
{
    return x == 0.0 ? 0.0 : x / divisor;
}

/* y = x * f, or x / f */
static bool
times_factor(si_job *job, const si_value *x, const si_array *f, bool div, si_value *y)
{
    return si_zip(job, &x->scale, f, div ? over : si_mul, &y->scale) &&
           si_zip(job, &x->bias, f, div ? over : si_mul, &y->bias) &&
           si_zip(job, &x->direction, f, sign_times, &y->direction);
}

static bool
negate(si_job *job, const si_value *x, si_value *y)
{
    return si_negate(job, &x->scale, &y->scale) && si_negate(job, &x->bias, &y->bias) &&
           si_negate(job, &x->direction, &y->direction);
}

/* Constant operand i of a batchnorm, which counts the channels of t. */
static bool
channel_constant(si_walk *walk, const nashc_node *n, int i, const nashc_type *t, si_array *out)
{
    const nashc_tensor *k = si_known(walk, nashc_node_in(n, i));
    double *v = k ? nashc_buf_to_f64(nashc_tensor_buf(k)) : NULL;
    bool ok = v && si_per_channel(walk->job, t, v, out);
    nashc_mem_free(v);
    return ok;
}

/* y = gamma (x - mean) / sqrt(variance + eps) + beta */
static bool
batchnorm(si_walk *walk, const nashc_node *n, const si_value *x, si_value *y)
{
    si_job *job = walk->job;
    const nashc_type *t = nashc_value_type(nashc_node_in(n, 0));
    double eps = nashc_node_f32(n, "eps");
    si_array gamma, beta, mean, variance, factor;
    si_value centred = *x;
    if (!channel_constant(walk, n, 1, t, &gamma) || !channel_constant(walk, n, 2, t, &beta) ||
        !channel_constant(walk, n, 3, t, &mean) || !channel_constant(walk, n, 4, t, &variance) ||
        !si_zip(job, &variance, &variance, si_max, &factor)) /* a copy */
        return false;
    for (int64_t i = 0; i < factor.n; i++)
        factor.v[i] = sqrt(factor.v[i] + eps);
    return si_zip(job, &gamma, &factor, si_div, &factor) &&
           si_zip(job, &x->bias, &mean, si_sub, &centred.bias) &&
           times_factor(job, &centred, &factor, false, y) &&
           si_zip(job, &y->bias, &beta, si_add, &y->bias);
}

/* y = (x - zero) * scale */
static bool
dequantised(si_walk *walk, const nashc_node *n, const si_value *x, si_value *y)
{
    si_array scale, zero;
    return si_known_array(walk, nashc_node_in(n, 1), 1.0, &scale) &&
           si_known_array(walk, nashc_node_in(n, 2), 0.0, &zero) &&
           si_zip(walk->job, &x->bias, &zero, si_sub, &y->bias) &&
           times_factor(walk->job, y, &scale, false, y);
}

/* Operand at of sum, difference, product or quotient n is x, the other one constant c. *done: n is
 * one of them, and stays affine. */
static bool
affine_binary(si_job *job, const nashc_node *n, int at, const si_value *x, const si_array *c,
              si_value *y, bool *done)
{
    *done = true;
    if (nashc_node_is(n, "nn.add"))
        return si_zip(job, &x->bias, c, si_add, &y->bias);
    if (nashc_node_is(n, "nn.sub") && at == 0)
        return si_zip(job, &x->bias, c, si_sub, &y->bias);
    if (nashc_node_is(n, "nn.sub"))
        return negate(job, x, y) && si_zip(job, &y->bias, c, si_add, &y->bias);
    if (nashc_node_is(n, "nn.mul"))
        return times_factor(job, x, c, false, y);
    if (nashc_node_is(n, "nn.div") && at == 0 &&
        !nashc_type_is_int(nashc_value_type(nashc_node_out(n, 0))))
        return times_factor(job, x, c, true, y);
    *done = false;
    return true;
}

/* One dynamic operand, number at; y is a copy of its si_value. */
static bool
one_dynamic(si_walk *walk, nashc_node *n, int at, const si_value *x, si_value *y)
{
    const nashc_type *t = nashc_value_type(nashc_node_out(n, 0));
    bool done = false;
    if (nashc_node_is(n, "nn.batchnorm"))
        return batchnorm(walk, n, x, y);
    if (nashc_node_n_in(n) == 2) {
        si_array c;
        if (!si_known_array(walk, nashc_node_in(n, 1 - at), 0.0, &c))
            return false;
        y->by_channel = y->by_channel && si_channel_only(&c, t);
        if (!affine_binary(walk->job, n, at, x, &c, y, &done))
            return false;
    }
    if (nashc_node_is(n, "q.dequant")) /* affine: its constants tell what varies */
        return dequantised(walk, n, x, y);
    if (nashc_node_n_in(n) > 2)
        y->by_channel = false;
    if (nashc_node_is(n, "nn.neg"))
        return negate(walk->job, x, y);
    if (done || nashc_node_is(n, "nn.identity") ||
        (nashc_node_is(n, "nn.cast") && nashc_type_is_float(t)))
        return true;
    y->affine = false;
    y->monotone = y->monotone && si_rises(walk, n, at);
    return true;
}

/* Sums and differences of affine functions are affine; of other joins nothing is known. */
static bool
joined(si_walk *walk, const nashc_node *n, const si_value *const *x, int count, si_value *y)
{
    si_job *job = walk->job;
    bool add = nashc_node_is(n, "nn.add"), sub = nashc_node_is(n, "nn.sub");
    const nashc_type *t = nashc_value_type(nashc_node_out(n, 0));
    const si_value *x0 = x[0], *x1 = x[1];
    si_fn *f = add ? si_add : si_sub;
    si_array one = si_scalar(job, 1.0), c;
    for (int k = 1; k < count; k++)
        y->by_channel = y->by_channel && x[k]->by_channel;
    for (int i = 0; i < nashc_node_n_in(n); i++)
        if (si_is_const(walk, nashc_node_in(n, i))) {
            if (!si_known_array(walk, nashc_node_in(n, i), 0.0, &c))
                return false;
            y->by_channel = y->by_channel && si_channel_only(&c, t);
        }
    if ((add || sub) && count == 2 && x0->affine && x1->affine)
        return si_zip(job, &x0->scale, &x1->scale, f, &y->scale) &&
               si_zip(job, &x0->bias, &x1->bias, f, &y->bias) &&
               si_zip(job, &one, &y->scale, sign_times, &y->direction);
    y->affine = y->monotone = false;
    return true;
}

#define MAX_DYNAMIC 3 /* nn.where has three operands */

/* The operands that are no constants: their number, and x[k] at operand at[k]. -1: they are not
 * functions of one tensor. */
static int
dynamic_operands(si_walk *walk, const nashc_node *n, const si_value *x[MAX_DYNAMIC],
                 int at[MAX_DYNAMIC])
{
    const nashc_type *t = nashc_value_type(nashc_node_out(n, 0));
    int count = 0;
    for (int i = 0; i < nashc_node_n_in(n); i++) {
        nashc_value *v = nashc_node_in(n, i);
        if (!v || si_is_const(walk, v))
            continue;
        const si_value *value = si_of(walk, v);
        if (value->kind != SI_FUN || count == MAX_DYNAMIC ||
            (count && value->tensor != x[0]->tensor))
            return -1;
        if (!nashc_type_same_shape(nashc_value_type(v), t)) {
            si_no(walk->job, "a constant operand broadcasts the tensor to another shape");
            return -1;
        }
        at[count] = i;
        x[count++] = value;
    }
    return count;
}

bool
si_eltwise(si_walk *walk, nashc_node *n)
{
    nashc_value *out = nashc_node_out(n, 0);
    const nashc_type *t = nashc_value_type(out);
    const si_value *x[MAX_DYNAMIC] = {0};
    int at[MAX_DYNAMIC] = {0}, count = dynamic_operands(walk, n, x, at);
    if (count < 1)
        return false;
    si_value y = *x[0];
    y.form = NULL;
    if (count == 1 ? !one_dynamic(walk, n, at[0], x[0], &y) : !joined(walk, n, x, count, &y))
        return false;
    if (y.affine)
        y.by_channel = y.by_channel && si_channel_only(&y.scale, t) && si_channel_only(&y.bias, t);
    *si_of(walk, out) = y;
    return true;
}
