/* kinds.c: what is decided by the kind of an operator, whatever its name: plugins bring more. */
#include "integer.h"

#include <string.h>

bool
si_is_quantiser(const nashc_node *n)
{
    static const char *const quantisers[] = {"q.quant", "q.bipolar_quant", "q.multithreshold",
                                             "q.trunc", NULL};
    return nashc_node_is_any(n, quantisers);
}

/* A batchnorm has the flag not, as its constants count channels instead of being broadcast. */
bool
si_is_eltwise(const nashc_node *n)
{
    return (nashc_node_op(n)->flags & NASHC_OP_ELTWISE) || nashc_node_is(n, "nn.batchnorm");
}

/* Of no straight pieces: evenly spaced codes in front of it are unevenly spaced ones behind it. */
bool
si_is_curve(const nashc_node *n)
{
    static const char *const curves[] = {"nn.sigmoid", "nn.tanh",     "nn.exp",      "nn.log",
                                         "nn.sqrt",    "nn.erf",      "nn.elu",      "nn.selu",
                                         "nn.celu",    "nn.softplus", "nn.softsign", NULL};
    return nashc_node_is_any(n, curves);
}

/* Results that are elements of operand 0, in other places. Of nn.resize and nn.pad that is so in
 * some modes only, which is why they lack the flag. */
bool
si_is_moving(si_walk *walk, const nashc_node *n)
{
    for (int i = 1; i < nashc_node_n_in(n); i++)
        if (nashc_node_in(n, i) && !si_is_const(walk, nashc_node_in(n, i)))
            return false;
    if (nashc_node_is(n, "nn.resize"))
        return strcmp(nashc_node_str(n, "mode"), "nearest") == 0;
    return (nashc_node_op(n)->flags & NASHC_OP_SHAPE) || nashc_node_is(n, "nn.pad");
}

/* Never decreasing in operand at, all others being constants? The flag speaks of operand 0, and of
 * the others where they may change places with it. */
bool
si_rises(si_walk *walk, const nashc_node *n, int at)
{
    uint32_t flags = nashc_node_op(n)->flags;
    si_array slope;
    if (flags & NASHC_OP_MONOTONE)
        return at == 0 || (flags & NASHC_OP_COMMUTES);
    if (at == 0 && nashc_node_is(n, "nn.thresholded_relu"))
        return nashc_node_float(n, "alpha") >= 0;
    if (at != 0 || !nashc_node_is(n, "nn.prelu") || !si_known(walk, nashc_node_in(n, 1)) ||
        !si_from_tensor(walk->job, si_known(walk, nashc_node_in(n, 1)), &slope))
        return false;
    for (int64_t i = 0; i < slope.n; i++)
        if (!(slope.v[i] >= 0))
            return false;
    return true;
}

bool
si_monotone(si_walk *walk, const nashc_node *n, const nashc_value *v)
{
    static const char *const either_way[] = {"nn.add", "nn.sub",    "nn.mul", "nn.batchnorm",
                                             "nn.neg", "q.dequant", NULL};
    int at = 0;
    while (at < nashc_node_n_in(n) && nashc_node_in(n, at) != v)
        at++;
    return nashc_node_is_any(n, either_way) || (at == 0 && nashc_node_is(n, "nn.div")) ||
           si_rises(walk, n, at);
}
