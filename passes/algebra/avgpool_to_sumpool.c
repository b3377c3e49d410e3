/* avgpool_to_sumpool.c
 *
 *     avgpool(x; k) -- [mul c]       ==>     sumpool(x; k) -- mul c / k^2
 *     global_avgpool(x) -- [mul c]   ==>     global_sumpool(x) -- mul c / (H W)
 *
 * Every window must have the same number of elements: no padding that is left out of the count, no
 * ceil. Sums of integers are integers, and where a quantised pool was exported as a mean times k^2
 * the factor is 1. c / k^2 is one division in double, so k^2 / k^2 is 1.
 * Terminates: each rewrite removes an average pool.
 */
#include "passes/support/match.h"
#include "passes/support/number.h"

/* Elements of one window, 0 after a miss. */
static double
window(nashc_rw *rw, const nashc_node *n)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    double size = 1;
    int count = 0;

    if (nashc_node_is(n, "nn.global_avgpool")) {
        for (int a = 0; a < x->rank; a++)
            if (a != 0 && a != nashc_type_channel_axis(x))
                size *= (double)x->dim[a];
        return size;
    }
    if (!match_all(n, "pads", 0) && !nashc_node_int(n, "count_include_pad")) {
        nashc_rw_miss(rw, n, "windows at the border have fewer elements");
        return 0;
    }
    if (nashc_node_int(n, "ceil")) {
        nashc_rw_miss(rw, n, "the last windows may have fewer elements");
        return 0;
    }
    const int64_t *kernel = nashc_node_ints(n, "kernel", &count);
    for (int i = 0; i < count; i++)
        size *= (double)kernel[i];
    return size;
}

static const char *
list(nashc_rw *rw, const nashc_node *n, const char *attr)
{
    int count;
    const int64_t *v = nashc_node_ints(n, attr, &count);

    return nashc_rw_ints(rw, v, count);
}

static bool
to_sum(nashc_rw *rw, nashc_node *n)
{
    nashc_value *x = nashc_node_in(n, 0), *y = nashc_node_out(n, 0), *s;
    double size = window(rw, n);
    affine mul;
    number c = {0};

    if (size == 0)
        return false;
    nashc_node *user = nashc_value_one_user(y);
    if (user && affine_of(user, "nn.mul", &mul)) {
        c = number_of(rw, mul.t);
        y = nashc_node_out(user, 0);
    }
    if (!c.v) {
        nashc_type scalar = nashc_type_f64();
        c = number_new(rw, &scalar, false);
        y = nashc_node_out(n, 0);
        if (c.v)
            c.v[0] = 1;
    }
    for (int64_t i = 0; c.v && i < c.n; i++)
        c.v[i] /= size;

    if (nashc_node_is(n, "nn.global_avgpool"))
        s = nashc_rw_op(rw, "nn.global_sumpool", &x, 1);
    else
        s = nashc_rw_opf(rw, "nn.sumpool", &x, 1, "kernel=%s stride=%s pads=%s dilation=%s",
                         list(rw, n, "kernel"), list(rw, n, "stride"), list(rw, n, "pads"),
                         list(rw, n, "dilation"));
    nashc_rw_replace(rw, y,
                     nashc_rw_op(rw, "nn.mul", (nashc_value *[]){s, number_const(rw, &c)}, 2));
    return true;
}

static const nashc_pattern to_sum_pattern = {"nn.avgpool", to_sum};
static const nashc_pattern to_sum_global_pattern = {"nn.global_avgpool", to_sum};

const nashc_pass nashc_pass_avgpool_to_sumpool = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_INEXACT,
    .name = "avgpool-to-sumpool",
    .alias = "ConvertAvgPoolToSumPool",
    .help = "an average pool as a sum and a mul",
    .patterns = (const nashc_pattern *const[]){&to_sum_pattern, &to_sum_global_pattern, NULL},
};
