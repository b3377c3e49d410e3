/* reduce.c: sums and extremes over whole axes as layers.
 *
 *     nn.global_sumpool, nn.global_maxpool, nn.reduce_sum, nn.reduce_max, nn.reduce_min   hw.pool
 */
#include "lower.h"
#include <inttypes.h>
#include <string.h>

/* The axes over which n reduces as one run first..last-1; false: with others in between. */
static bool
reduced_axes(const nashc_node *n, int *first, int *last)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    bool global = strstr(nashc_node_opname(n), "global") != NULL, in[NASHC_MAX_RANK] = {false};
    int count = 0;
    const int64_t *axes = global ? NULL : nashc_node_ints(n, "axes", &count);

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
    if (!lower_is_int(nashc_node_in(n, 0)) ||
        !nashc_type_is_int(nashc_value_type(nashc_node_out(n, 0))))
        return "it does not compute integers from integers";
    if (nashc_node_n_in(n) > 1 && nashc_node_in(n, 1))
        return "its axes are an operand";
    return reduced_axes(n, &first, &last) ? NULL : "the axes that it reduces do not lie together";
}

static nashc_status
convert_reduce(nashc_lower *l, nashc_node *n)
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
    return nashc_lower_put(l, n, 0,
                           lower_put_pool(l, nashc_lower_in(l, n, 0), func, window, inner));
}

static const nashc_lower_rule reduce_rule = {
    NASHC_DESC(nashc_lower_rule),
    .why_not = why_not_reduce,
    .convert = convert_reduce,
};

const nashc_impl nashc_impl_to_hw_nn_global_sumpool =
    NASHC_IMPL_TO_HW("nn.global_sumpool", &reduce_rule);
const nashc_impl nashc_impl_to_hw_nn_global_maxpool =
    NASHC_IMPL_TO_HW("nn.global_maxpool", &reduce_rule);
const nashc_impl nashc_impl_to_hw_nn_reduce_sum = NASHC_IMPL_TO_HW("nn.reduce_sum", &reduce_rule);
const nashc_impl nashc_impl_to_hw_nn_reduce_max = NASHC_IMPL_TO_HW("nn.reduce_max", &reduce_rule);
const nashc_impl nashc_impl_to_hw_nn_reduce_min = NASHC_IMPL_TO_HW("nn.reduce_min", &reduce_rule);
