/* avgpool.c: average and sum pools, means and sums of the model as integer sums.
 *
 *     mean of s i + b over a window = s / divisor * (sum of i) + b
 *
 * Where the divisor depends on the position (padding that does not count), the sums are multiplied
 * by what is missing to the least common multiple. Where s varies inside a window, as of channels
 * that are summed, the elements are brought to one unit before.
 */
#include "integer.h"

#include <math.h>

#define POOL_BITS 12 /* elements of a window, for the sums in front of it */

/* Attributes of n that nn.sumpool has, too. */
static const char *
window_attrs(si_walk *walk, const nashc_node *n)
{
    static const char *const names[] = {"kernel", "stride", "pads", "dilation"};
    nashc_arena *arena = walk->job->arena;
    const char *attrs = "";
    for (size_t i = 0; i < NASHC_COUNT(names); i++) {
        int k, at = nashc_attr_index(n, names[i]);
        if (at < 0)
            continue;
        const int64_t *v = nashc_attr_ints(n, at, &k);
        if (k)
            attrs = nashc_arena_printf(arena, "%s%s%s=%s", attrs, *attrs ? " " : "", names[i],
                                       nashc_build_ints(walk->build, v, k));
    }
    if (nashc_node_bool(n, "ceil"))
        attrs = nashc_arena_printf(arena, "%s ceil=true", attrs);
    return attrs;
}

static nashc_value *
emit_integer_sum(si_walk *walk, const nashc_node *n, nashc_value *integer)
{
    static const char *const whole[] = {"nn.global_avgpool", "nn.global_sumpool", NULL};
    static const char *const reduce[] = {"nn.reduce_mean", "nn.reduce_sum", NULL};
    if (nashc_node_is_any(n, whole))
        return si_emit(walk, "nn.global_sumpool", &integer, 1, NULL);
    if (nashc_node_is_any(n, reduce))
        return si_emit(walk, "nn.reduce_sum", &integer, 1,
                       nashc_node_attr_text(n, walk->job->arena));
    return si_emit(walk, "nn.sumpool", &integer, 1, window_attrs(walk, n));
}

/* Elements in each window (count), and what the mean divides by, from runs on a tensor of ones. sum
 * is the node of integers that adds. */
static bool
divisors(si_job *job, nashc_node *n, const nashc_node *sum, si_array *count, si_array *divisor)
{
    static const char *const sums[] = {"nn.reduce_sum", "nn.sumpool", "nn.global_sumpool", NULL};
    si_array one = si_scalar(job, 1.0), mean;
    const nashc_tensor *ones = si_real_tensor(job, nashc_value_type(nashc_node_in(n, 0)), &one);
    nashc_tensor *total, *averaged;
    if (!ones ||
        !si_eval(job, n, nashc_node_opname(sum), nashc_node_attr_text(sum, job->arena), &ones, 1, 1,
                 &total) ||
        !si_from_tensor(job, total, count))
        return false;
    *divisor = one;
    if (nashc_node_is_any(n, sums))
        return true;
    if (!si_eval(job, n, NULL, NULL, &ones, 1, 1, &averaged) ||
        !si_from_tensor(job, averaged, &mean) || !si_zip(job, count, &mean, si_div, divisor))
        return false;
    for (int64_t i = 0; i < divisor->n; i++)
        divisor->v[i] = nearbyint(divisor->v[i]);
    si_squeeze(divisor);
    return true;
}

/* Least common multiple, by Euclid; whole numbers in doubles. */
static double
lcm(const si_array *a)
{
    double r = 1;
    for (int64_t i = 0; i < a->n; i++) {
        double x = r, y = a->v[i];
        while (y != 0) {
            double t = fmod(x, y);
            x = y;
            y = t;
        }
        r = r / x * a->v[i];
    }
    return r;
}

/* Does axis i of n's operand go into windows, or away? */
static bool
pooled_axis(const nashc_node *n, const nashc_type *t, const nashc_type *yt, int i)
{
    int count, at = nashc_attr_index(n, "axes");
    const int64_t *axes = at < 0 ? NULL : nashc_attr_ints(n, at, &count);

    if (nashc_node_is(n, "nn.reduce_mean") || nashc_node_is(n, "nn.reduce_sum")) {
        bool listed = !axes || count == 0;
        for (int k = 0; axes && k < count; k++)
            listed = listed || axes[k] == i || axes[k] + t->rank == i;
        return listed;
    }
    return i > 0 && nashc_type_channel_axis(t) != i && yt->rank == t->rank;
}

static bool
varies_in_window(const nashc_node *n, const si_array *a, const nashc_type *t, const nashc_type *yt)
{
    for (int i = 0; i < t->rank; i++)
        if (pooled_axis(n, t, yt, i) && si_varies(a, t, i))
            return true;
    return false;
}

/* An array that does not vary along the pooled axes, against the result of n. */
static bool
carried(si_job *job, const nashc_node *n, const si_array *a, si_array *out)
{
    const nashc_type *t = nashc_value_type(nashc_node_in(n, 0));
    const nashc_type *yt = nashc_value_type(nashc_node_out(n, 0));
    int64_t elements = nashc_type_count(yt), *map;

    if (a->n == 1) {
        *out = *a;
        return true;
    }
    map = si_alloc(job, elements, sizeof(*map));
    if (!map)
        return false;
    for (int64_t e = 0; e < elements; e++) {
        int64_t left = e, step = 1, at = 0;
        int k = yt->rank - 1;
        for (int i = t->rank - 1; i >= 0; step *= t->dim[i--]) {
            bool pooled = pooled_axis(n, t, yt, i);
            if (pooled && yt->rank < t->rank)
                continue; /* the axis is not there any more */
            at += pooled ? 0 : left % yt->dim[k] * step;
            left /= yt->dim[k--];
        }
        map[e] = at;
    }
    return si_gather(job, a, t, yt, map, out);
}

/* The offset of the result: n itself on an offset that varies inside a window. */
static bool
pooled_offset(si_job *job, nashc_node *n, const si_array *bias, si_array *out)
{
    const nashc_tensor *in = si_real_tensor(job, nashc_value_type(nashc_node_in(n, 0)), bias);
    nashc_tensor *pooled;
    return in && si_eval(job, n, NULL, NULL, &in, 1, 1, &pooled) &&
           si_from_tensor(job, pooled, out);
}

/* The same for one that does not: what count elements of it make, divided. */
static bool
carried_offset(si_job *job, nashc_node *n, const si_array *bias, const si_array *count,
               const si_array *divisor, si_array *out)
{
    return carried(job, n, bias, out) && si_zip(job, out, count, si_mul, out) &&
           si_zip(job, out, divisor, si_div, out);
}

/* y = scale / divisor * integer + bias */
static bool
anchor_mean(si_walk *walk, nashc_value *y, nashc_value *integer, si_array *scale,
            const si_array *bias, const si_array *divisor)
{
    si_job *job = walk->job;
    if (divisor->n == 1)
        return si_zip(job, scale, divisor, si_div, scale) &&
               si_anchor(walk, y, integer, scale, bias, NULL, NULL, NULL, NULL);
    si_array m = si_scalar(job, lcm(divisor));
    if (!si_zip(job, scale, &m, si_div, scale) || !si_zip(job, &m, divisor, si_div, &m))
        return false;
    integer = si_times(walk, integer, &m);
    return integer && si_anchor(walk, y, integer, scale, bias, NULL, NULL, NULL, NULL);
}

/* --- scales that vary inside a window ----------------------------------------------------------
 */

#define MAX_MULTIPLIER 0x1p31
#define MAX_SUM_BITS   60

/* The unit of all scales: exact where their multipliers are below MAX_MULTIPLIER, else the smallest
 * one has as many bits as float32. */
static double
unit_of_all(const si_array *scale, int *bits)
{
    double unit, least = INFINITY, most = 0;
    if (si_common_unit(scale->v, scale->n, MAX_MULTIPLIER, &unit))
        return unit;
    for (int64_t i = 0; i < scale->n; i++) {
        double a = fabs(scale->v[i]);
        most = fmax(most, a);
        least = a > 0 && a < least ? a : least;
    }
    unit = fmax(ldexp(least, -23), most / MAX_MULTIPLIER);
    *bits = ilogb(least / unit) + 1;
    return unit;
}

/* m = scale / unit, rounded. An offset that is whole steps of its scale, as zero points are, stays
 * so many of the rounded one: what is 0 in the model stays 0. */
static bool
round_scales(si_job *job, const si_value *x, double unit, si_array *m, si_array *bias)
{
    si_array u = si_scalar(job, unit), steps;
    *bias = x->bias;
    if (!si_zip(job, &x->scale, &u, si_div, m) || !si_zip(job, &x->bias, &x->scale, si_div, &steps))
        return false;
    for (int64_t i = 0; i < m->n; i++)
        m->v[i] = nearbyint(m->v[i]);
    for (int64_t i = 0; i < x->scale.n; i++)
        if (x->scale.v[i] == 0) /* its offset is no number of steps */
            return true;
    if (!si_round_to_integers(&steps))
        return !si_failed(job);
    return si_zip(job, &steps, m, si_mul, bias) && si_zip(job, bias, &u, si_mul, bias);
}

/* *x as integers with one scale for all. False: they would be too wide, or failed. */
static bool
one_scale(si_walk *walk, nashc_node *n, si_value *x)
{
    si_job *job = walk->job;
    int bits = 0;
    double unit = unit_of_all(&x->scale, &bits), most = 0;
    const nashc_type *t = nashc_value_type(x->tensor->integer);
    double terms = (double)nashc_type_count(t) /
                   (double)nashc_type_count(nashc_value_type(nashc_node_out(n, 0)));
    si_tensor *tensor = si_alloc(job, 1, sizeof(*tensor));
    si_array m, bias;

    if (!tensor || !round_scales(job, x, unit, &m, &bias))
        return false;
    for (int64_t i = 0; i < m.n; i++)
        most = fmax(most, fabs(m.v[i]));
    if (t->bits + log2(most + 1) + log2(terms) > MAX_SUM_BITS)
        return si_no(job, "its sums would need more than 61 bits");
    if (bits)
        si_warn_rounded(job, n, "the terms of its sums have scales without a common unit", bits,
                        SI_LEAST_BITS,
                        "one scale for all that is summed, or scales that are small multiples of "
                        "each other, need no rounding");
    *tensor = *x->tensor;
    tensor->integer = si_failed(job) ? NULL : si_times(walk, x->tensor->integer, &m);
    x->tensor = tensor;
    x->scale = si_scalar(job, unit);
    x->bias = bias;
    return tensor->integer;
}

static bool
rebuild_pool(si_walk *walk, nashc_node *n)
{
    si_job *job = walk->job;
    nashc_value *xv = nashc_node_in(n, 0), *y = nashc_node_out(n, 0);
    const nashc_type *t = nashc_value_type(xv), *yt = nashc_value_type(y);
    const si_value *affine = si_affine(walk, xv);
    si_array count, divisor, scale, bias;
    si_value x;

    if (!affine)
        return false;
    x = *affine;
    if (varies_in_window(n, &x.scale, t, yt) && !one_scale(walk, n, &x))
        return false;
    nashc_value *integer = emit_integer_sum(walk, n, x.tensor->integer);
    if (!integer || !divisors(job, n, nashc_value_def(integer), &count, &divisor) ||
        !carried(job, n, &x.scale, &scale))
        return false;
    if (varies_in_window(n, &x.bias, t, yt)
            ? !pooled_offset(job, n, &x.bias, &bias)
            : !carried_offset(job, n, &x.bias, &count, &divisor, &bias))
        return false;
    return anchor_mean(walk, y, integer, &scale, &bias, &divisor);
}

/* Windows are small, whole images rarely more than 64 x 64. */
static int
pool_growth(si_walk *walk, const nashc_node *n)
{
    (void)walk;
    (void)n;
    return POOL_BITS;
}

static const nashc_integer_rule rule = {NASHC_DESC(nashc_integer_rule), .rebuild = rebuild_pool,
                                        .growth = pool_growth};

#define POOL(ID)                                                                                   \
    extern const nashc_impl nashc_impl_scaled_integer_nn_##ID;                                     \
    const nashc_impl nashc_impl_scaled_integer_nn_##ID = NASHC_IMPL_SCALED_INTEGER("nn." #ID, &rule)

POOL(avgpool);
POOL(sumpool);
POOL(global_avgpool);
POOL(global_sumpool);
POOL(reduce_mean);
POOL(reduce_sum);
