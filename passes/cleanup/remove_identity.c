/* remove_identity.c: drops ops that return their operand unchanged.
 *
 *     x -- add 0 | sub 0 | mul 1 | div 1 | identity | pad none | reshape, cast, slice ... to
 *          itself | of integers: round, floor, ceil; relu, abs, clip that change none -- y
 *     ==>  x
 *
 * Constants are compared exactly: a bias of 1e-6 can move a threshold. `tolerance` relaxes that on
 * request. The shape must stay; so must the element where a reader's meaning depends on it.
 * Terminates: each rewrite removes a node.
 */
#include "passes/support/match.h"
#include <math.h>
#include <string.h>

static bool
all_near(const nashc_tensor *t, double v, double tolerance)
{
    for (int64_t i = 0; i < nashc_tensor_count(t); i++)
        if (!(fabs(nashc_tensor_get(t, i) - v) <= tolerance))
            return false;
    return true;
}

/* Is it an arithmetic op with its neutral element? */
static bool
neutral(nashc_rw *rw, nashc_node *n, nashc_value **x)
{
    static const struct {
        const char *op;
        double v;
    } ops[] = {{"nn.add", 0}, {"nn.sub", 0}, {"nn.mul", 1}, {"nn.div", 1}};
    double tolerance = nashc_opts_float(nashc_rw_opts(rw), "tolerance");
    affine a;

    for (size_t i = 0; i < NASHC_COUNT(ops); i++) {
        if (!nashc_node_is(n, ops[i].op) || nashc_value_const(nashc_node_in(n, 0)))
            continue;
        const nashc_tensor *t = nashc_value_const(nashc_node_in(n, 1));
        if (!t || !all_near(t, ops[i].v, tolerance))
            continue;
        if (!affine_of(n, ops[i].op, &a))
            return nashc_rw_miss(rw, n, "the constant broadcasts the data to a larger shape");
        *x = a.x;
        return true;
    }
    return false;
}

static bool
same_steps(const nashc_node *n)
{
    int count;
    const int64_t *perm = nashc_node_ints(n, "perm", &count);

    for (int i = 0; i < count; i++)
        if (perm[i] != i)
            return false;
    return true;
}

/* Does it move no element, given that the shape is the same? */
static bool
moves_nothing(const nashc_node *n)
{
    if (nashc_node_is(n, "nn.pad"))
        return match_all(n, "pads", 0);
    if (nashc_node_is(n, "nn.transpose"))
        return same_steps(n);
    if (nashc_node_is(n, "nn.slice"))
        return match_all(n, "steps", 1);
    if (nashc_node_is(n, "nn.concat"))
        return nashc_node_n_in(n) == 1;
    if (nashc_node_is(n, "nn.maxpool") || nashc_node_is(n, "nn.avgpool"))
        return match_all(n, "kernel", 1) && match_all(n, "pads", 0);
    return nashc_node_is(n, "nn.identity") || nashc_node_is(n, "nn.reshape") ||
           nashc_node_is(n, "nn.expand") || nashc_node_is(n, "nn.tile") ||
           nashc_node_is(n, "nn.cast") || nashc_node_is(n, "nn.split");
}

/* Does it leave all integers of x's interval alone? */
static bool
keeps_integers(const nashc_node *n, const nashc_value *x)
{
    static const char *const roundings[] = {"nn.round", "nn.floor", "nn.ceil"};
    const nashc_type *t = nashc_value_type(x);

    if (!nashc_type_is_int(t))
        return false;
    for (size_t i = 0; i < NASHC_COUNT(roundings); i++)
        if (nashc_node_is(n, roundings[i]))
            return true;
    if (nashc_node_is(n, "nn.clip"))
        return nashc_node_float(n, "min") <= (double)t->lo &&
               nashc_node_float(n, "max") >= (double)t->hi;
    return t->lo >= 0 && (nashc_node_is(n, "nn.relu") || nashc_node_is(n, "nn.abs"));
}

static bool
remove_identity(nashc_rw *rw, nashc_node *n)
{
    if (nashc_node_n_out(n) != 1)
        return false;

    nashc_value *x = nashc_node_in(n, 0), *y = nashc_node_out(n, 0);
    if (!x || !nashc_type_same_shape(nashc_value_type(x), nashc_value_type(y))) {
        neutral(rw, n, &x); /* for its message only */
        return false;
    }
    if (keeps_integers(n, x)) {
        /* only the element may differ, see below */
    } else if (moves_nothing(n)) {
        if (nashc_node_is(n, "nn.cast") &&
            !nashc_type_same_elem(nashc_value_type(x), nashc_value_type(y)))
            return false;
    } else if (!neutral(rw, n, &x)) {
        return false;
    }
    if (!nashc_type_same_elem(nashc_value_type(x), nashc_value_type(y)) && !match_retypable(rw, y))
        return nashc_rw_miss(rw, n, "a reader depends on the element type of the result");
    nashc_rw_replace(rw, y, x);
    return true;
}

static const nashc_pattern remove_identity_pattern = {"*", remove_identity};

static const nashc_param remove_identity_options[] = {
    {.name = "tolerance",
     .def = "0",
     .domain = "0..1",
     .help = "largest absolute distance from the neutral element",
     .kind = NASHC_P_FLOAT},
    {0},
};

const nashc_pass nashc_pass_remove_identity = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_INEXACT,
    .name = "remove-identity",
    .alias = "RemoveIdentityOps",
    .help = "drop ops that return their operand unchanged",
    .options = remove_identity_options,
    .patterns = (const nashc_pattern *const[]){&remove_identity_pattern, NULL},
};
