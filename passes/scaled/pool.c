/* pool.c: average pools of M as integer sums: mean = s / divisor * sum + b.
 *
 * Where the divisor depends on the position (padding that does not count), the sums are multiplied
 * by what is missing to the least common multiple.
 */
#include "scaled.h"

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
divisors(si_state *S, nashc_node *n, const nashc_node *sum, si_arr *count, si_arr *divisor)
{
    const nashc_type *t = nashc_value_type(nashc_node_in(n, 0));
    nashc_type f64 = nashc_type_f64(), ot = nashc_type_with_elem(t, &f64);
    nashc_buf buf;
    if (!nashc_buf_alloc(&buf, &ot))
        return si_fail(S, nashc_enomem(S->diag));
    for (int64_t i = 0; i < buf.n; i++)
        nashc_buf_set(&buf, i, 1.0);
    nashc_tensor *ones = si_own(S, nashc_tensor_take(&buf)), *mean, *total;
    si_arr m;
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
lcm(const si_arr *a)
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

bool
si_sum_pool(si_state *S, nashc_node *n)
{
    nashc_value *xv = nashc_node_in(n, 0), *y = nashc_node_out(n, 0);
    const nashc_type *t = nashc_value_type(xv), *yt = nashc_value_type(y);
    si_val *x = si_affine(S, xv);
    si_arr count, divisor, s, b;

    if (!x)
        return false;
    if (yt->rank != t->rank && (x->s.n > 1 || x->b.n > 1))
        return si_no(S, "the pool removes axes of a tensor with a scale or offset that vary");
    for (int i = 0; i < t->rank; i++)
        if (yt->rank == t->rank && yt->dim[i] != t->dim[i] &&
            (si_varies(&x->s, t, i) || si_varies(&x->b, t, i)))
            return si_no(S, "scale or offset vary inside a window");
    for (int i = 0; i < t->rank; i++)
        if (yt->rank == t->rank && nashc_type_channel_axis(t) != i && i > 0 &&
            (si_varies(&x->s, t, i) || si_varies(&x->b, t, i)))
            return si_no(S, "scale or offset vary with the position");
    nashc_value *ival = sum_of(S, n, x->base->ival);
    if (!ival || !divisors(S, n, nashc_value_def(ival), &count, &divisor))
        return false;
    if (!si_zip(S, &x->b, &count, si_mul, &b) || !si_zip(S, &b, &divisor, si_div, &b))
        return false;
    if (divisor.n == 1)
        return si_zip(S, &x->s, &divisor, si_div, &s) &&
               si_anchor(S, y, ival, &s, &b, NULL, NULL, NULL, NULL);
    si_arr m = si_scalar(S, lcm(&divisor));
    if (!si_zip(S, &x->s, &m, si_div, &s) || !si_zip(S, &m, &divisor, si_div, &m))
        return false;
    ival = si_times(S, ival, &m);
    return ival && si_anchor(S, y, ival, &s, &b, NULL, NULL, NULL, NULL);
}
