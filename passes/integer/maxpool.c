/* maxpool.c: max pools of the model on the integers.
 *
 *     tensor -- f -- max pool     ==>     max pool of tensor -- f          f rises
 *                                 ==>     max pool of -tensor -- f(-i)     f falls
 *
 * A max pool commutes with rising functions only, which must be the same within a window. Channels
 * that fall are pooled with their sign changed.
 */
#include "integer.h"

static double
sign_of_direction(double direction, double unused)
{
    (void)unused;
    return direction < 0 ? -1.0 : 1.0;
}

/* The tensor of x with the sign of falling channels changed. NULL: failed. */
static si_tensor *
rising_tensor(si_walk *walk, const nashc_node *n, const si_value *x, const si_array *sign)
{
    si_tensor *tensor = x->tensor, *turned = NULL;
    if (si_all_eq(sign, 1.0))
        return tensor;
    if (si_leads_only_to(tensor->origin, n))
        turned = si_flip_weights(walk, tensor, sign);
    turned = turned ? turned : si_flip_mul(walk, tensor, sign);
    return si_failed(walk->job) ? NULL : turned;
}

/* y in terms of the pooled tensor. */
static bool
pooled(si_walk *walk, nashc_node *n, const si_value *x, const si_tensor *from, nashc_value *integer,
       const si_array *sign)
{
    si_value *y = si_of(walk, nashc_node_out(n, 0));
    si_tensor *tensor = si_new_tensor(walk->job, integer, from->origin, &from->scale, &from->bias);
    if (!tensor)
        return false;
    tensor->lo = from->lo;
    tensor->hi = from->hi;
    si_plain_interval(walk->job, tensor, nashc_value_type(nashc_node_in(n, 0)));
    tensor->source = x->tensor;
    tensor->via = n;
    tensor->via_is_pool = true;
    *y = *x;
    y->form = NULL;
    y->tensor = tensor;
    return si_zip(walk->job, &x->scale, sign, si_sgn_mul, &y->scale) &&
           si_zip(walk->job, &x->direction, sign, si_sgn_mul, &y->direction);
}

static bool
rebuild_maxpool(si_walk *walk, nashc_node *n)
{
    const nashc_type *t = nashc_value_type(nashc_node_in(n, 0));
    si_value *x = si_of(walk, nashc_node_in(n, 0));
    si_array sign;

    if (x->kind != SI_FUN || !(x = si_resolved(walk, x)))
        return false;
    if (!x->monotone)
        return si_no(walk->job, "what it pools is a function that rises and falls: a quantiser in "
                                "front of it gives its values an order");
    if (!x->by_channel || !si_channel_only(&x->direction, t) ||
        !si_channel_only(&x->tensor->scale, t) || !si_channel_only(&x->tensor->bias, t))
        return si_no(walk->job, "values of unlike scales or offsets meet in its windows: a "
                                "quantiser in front of it gives them one scale");
    if (!si_zip(walk->job, &x->direction, &x->direction, sign_of_direction, &sign))
        return false;
    si_tensor *from = rising_tensor(walk, n, x, &sign);
    if (!from)
        return false;
    nashc_node *m = nashc_build_like(walk->build, n, &from->integer, 1);
    if (!m)
        return si_fail(walk->job, nashc_build_status(walk->build));
    return pooled(walk, n, x, from, nashc_node_out(m, 0), &sign);
}

static const nashc_integer_rule maxpool = {NASHC_DESC(nashc_integer_rule),
                                           .rebuild = rebuild_maxpool};

extern const nashc_impl nashc_impl_scaled_integer_nn_maxpool;
extern const nashc_impl nashc_impl_scaled_integer_nn_global_maxpool;
const nashc_impl nashc_impl_scaled_integer_nn_maxpool =
    NASHC_IMPL_SCALED_INTEGER("nn.maxpool", &maxpool);
const nashc_impl nashc_impl_scaled_integer_nn_global_maxpool =
    NASHC_IMPL_SCALED_INTEGER("nn.global_maxpool", &maxpool);
