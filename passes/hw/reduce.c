/* reduce.c: sums and extremes over whole axes as layers.
 *
 *     nn.global_sumpool, nn.global_maxpool, nn.reduce_sum, nn.reduce_max, nn.reduce_min   hw.pool
 */
#include "convert.h"
#include <inttypes.h>
#include <string.h>

nashc_value *
hw_put_pool(hw_conv *c, nashc_value *x, const char *func, const int64_t window[3], int64_t channels)
{
    return nashc_build_op(c->b, "hw.pool", &x, 1, "func=%s window=%s channels=%" PRId64, func,
                          nashc_build_ints(c->b, window, 3), hw_columns(x, channels));
}

/* The axes over which n reduces as one run first..last-1; false: with others in between. */
static bool
reduced_axes(const nashc_node *n, int *first, int *last)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    bool global = strstr(nashc_node_opname(n), "global") != NULL, in[NASHC_MAX_RANK] = {false};
    int count = 0;
    const int64_t *axes = global ? NULL : nashc_attr_ints(n, nashc_attr_index(n, "axes"), &count);

    for (int i = 0; i < x->rank; i++)
        in[i] = global ? i > 0 && i != nashc_type_channel_axis(x) : count == 0;
    for (int i = 0; i < count; i++)
        in[axes[i] < 0 ? axes[i] + x->rank : axes[i]] = true;
    *first = x->rank;
    *last = 0;
    for (int i = 0; i < x->rank; i++) {
        if (in[i] && x->dim[i] > 1) {
            *first = i < *first ? i : *first;
            *last = i + 1;
        }
    }
    for (int i = *first; i < *last; i++)
        if (!in[i] && x->dim[i] > 1)
            return false;
    return true;
}

static const char *
why_not_reduce(const nashc_node *n, nashc_arena *a)
{
    int first, last;

    (void)a;
    if (!hw_is_int(nashc_node_in(n, 0)) ||
        !nashc_type_is_int(nashc_value_type(nashc_node_out(n, 0))))
        return "it does not compute integers from integers";
    if (nashc_node_n_in(n) > 1 && nashc_node_in(n, 1))
        return "its axes are an operand";
    return reduced_axes(n, &first, &last) ? NULL : "the axes that it reduces do not lie together";
}

static nashc_status
convert_reduce(hw_conv *c, nashc_node *n)
{
    const nashc_type *t = nashc_value_type(nashc_node_in(n, 0));
    const char *name = nashc_node_opname(n);
    const char *func = strstr(name, "max") ? "max" : strstr(name, "min") ? "min" : "sum";
    int first, last;
    int64_t window[3] = {1, 1, 1}, inner = 1;

    reduced_axes(n, &first, &last);
    for (int i = first; i < last; i++)
        window[0] *= t->dim[i];
    for (int i = last > 0 ? last : t->rank; i < t->rank; i++)
        inner *= t->dim[i];
    return hw_put(c, n,
                  hw_put_pool(c, c->map[nashc_value_id(nashc_node_in(n, 0))], func, window, inner));
}

const hw_rule hw_reduce_rules[] = {
    {"nn.global_sumpool", why_not_reduce, convert_reduce},
    {"nn.global_maxpool", why_not_reduce, convert_reduce},
    {"nn.reduce_sum", why_not_reduce, convert_reduce},
    {"nn.reduce_max", why_not_reduce, convert_reduce},
    {"nn.reduce_min", why_not_reduce, convert_reduce},
    {0},
};
