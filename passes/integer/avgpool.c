/* avgpool.c: average pools of the model as integer sums: mean = s / divisor * sum + b.
 *
 * Where the divisor depends on the position (padding that does not count), the sums are multiplied
 * by what is missing to the least common multiple.
 */
#include "integer.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static nashc_value *
sum_of(si_state *S, const nashc_node *n, nashc_value *ival)
{
    if (nashc_node_is(n, "nn.global_avgpool") || nashc_node_is(n, "nn.global_sumpool"))
        return si_emit(S, "nn.global_sumpool", &ival, 1, NULL);
    if (nashc_node_is(n, "nn.reduce_mean") || nashc_node_is(n, "nn.reduce_sum"))
        return si_emit(S, "nn.reduce_sum", &ival, 1, nashc_node_attr_text(n, S->a));
    const char *names[] = {"kernel", "stride", "pads", "dilation"};
    const char *attrs = "";
    for (size_t i = 0; i < NASHC_COUNT(names); i++) {
        int k, at = nashc_attr_index(n, names[i]);
        if (at < 0)
            continue;
        const int64_t *v = nashc_attr_ints(n, at, &k);
        if (k)
            attrs = nashc_arena_printf(S->a, "%s%s%s=%s", attrs, *attrs ? " " : "", names[i],
                                       nashc_build_ints(S->b, v, k));
    }
    if (nashc_attr_bool(n, nashc_attr_index(n, "ceil")))
        attrs = nashc_arena_printf(S->a, "%s ceil=true", attrs);
    return si_emit(S, "nn.sumpool", &ival, 1, attrs);
}

static const char *
sum_attrs(si_state *S, const nashc_node *sum)
{
    return nashc_node_attr_text(sum, S->a);
}

/* Elements in each window (count), and what the mean divides by, from runs on a tensor of ones. */
static bool
divisors(si_state *S, nashc_node *n, const nashc_node *sum, si_array *count, si_array *divisor)
{
    const nashc_type *t = nashc_value_type(nashc_node_in(n, 0));
    nashc_type f64 = nashc_type_f64(), ot = nashc_type_with_elem(t, &f64);
    nashc_buf buf;
    if (!nashc_buf_alloc(&buf, &ot))
        return si_fail(S, nashc_enomem(S->diag));
    for (int64_t i = 0; i < buf.n; i++)
        nashc_buf_set(&buf, i, 1.0);
    nashc_tensor *ones = si_keep(S, nashc_tensor_take(&buf)), *mean, *total;
    si_array m;
    bool is_sum = nashc_node_is(n, "nn.reduce_sum") || nashc_node_is(n, "nn.sumpool") ||
                  nashc_node_is(n, "nn.global_sumpool");
    if (!ones || !si_eval(S, n, nashc_node_opname(sum), sum_attrs(S, sum), &ones, 1, 1, &total) ||
        !si_from_tensor(S, total, count))
        return false;
    if (is_sum) {
        *divisor = si_scalar(S, 1.0);
        return true;
    }
    if (!si_eval(S, n, NULL, NULL, &ones, 1, 1, &mean) || !si_from_tensor(S, mean, &m) ||
        !si_zip(S, count, &m, si_div, divisor))
        return false;
    for (int64_t i = 0; i < divisor->n; i++)
        divisor->v[i] = nearbyint(divisor->v[i]);
    si_squeeze(divisor);
    return true;
}

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
carried(si_state *S, const nashc_node *n, const si_array *a, si_array *out)
{
    const nashc_type *t = nashc_value_type(nashc_node_in(n, 0));
    const nashc_type *yt = nashc_value_type(nashc_node_out(n, 0));
    int64_t elements = nashc_type_count(yt), *map;

    if (a->n == 1) {
        *out = *a;
        return true;
    }
    map = si_alloc(S, elements, sizeof(*map));
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
    return si_gather(S, a, t, yt, map, out);
}

/* The offset of the result: n itself on an offset that varies with the position. */
static bool
pooled_offset(si_state *S, nashc_node *n, const si_array *b, si_array *out)
{
    const nashc_type *t = nashc_value_type(nashc_node_in(n, 0));
    nashc_type f64 = nashc_type_f64(), bt = nashc_type_with_elem(t, &f64);
    nashc_buf buf;
    nashc_tensor *in, *res;

    if (!nashc_buf_alloc(&buf, &bt))
        return si_fail(S, nashc_enomem(S->diag));
    for (int64_t i = 0; i < buf.n; i++)
        nashc_buf_set(&buf, i, si_at(b, &bt, i));
    in = si_keep(S, nashc_tensor_take(&buf));
    return in && si_eval(S, n, NULL, NULL, &in, 1, 1, &res) && si_from_tensor(S, res, out);
}

bool
si_sum_pool(si_state *S, nashc_node *n)
{
    nashc_value *xv = nashc_node_in(n, 0), *y = nashc_node_out(n, 0);
    const nashc_type *t = nashc_value_type(xv), *yt = nashc_value_type(y);
    si_val *x = si_affine(S, xv);
    si_array count, divisor, s, b;

    if (!x)
        return false;
    if (varies_in_window(n, &x->s, t, yt))
        return si_no(S, "the scale varies inside a window");
    nashc_value *ival = sum_of(S, n, x->tensor->ival);
    if (!ival || !divisors(S, n, nashc_value_def(ival), &count, &divisor) ||
        !carried(S, n, &x->s, &s))
        return false;
    if (varies_in_window(n, &x->b, t, yt)
            ? !pooled_offset(S, n, &x->b, &b)
            : !carried(S, n, &x->b, &b) || !si_zip(S, &b, &count, si_mul, &b) ||
                  !si_zip(S, &b, &divisor, si_div, &b))
        return false;
    if (divisor.n == 1)
        return si_zip(S, &s, &divisor, si_div, &s) &&
               si_anchor(S, y, ival, &s, &b, NULL, NULL, NULL, NULL);
    si_array m = si_scalar(S, lcm(&divisor));
    if (!si_zip(S, &s, &m, si_div, &s) || !si_zip(S, &m, &divisor, si_div, &m))
        return false;
    ival = si_times(S, ival, &m);
    return ival && si_anchor(S, y, ival, &s, &b, NULL, NULL, NULL, NULL);
}
