/* move_scalar_linear_past_invariant.c
 *
 *     x -- mul | add | div c -- f -- y     ==>     x -- f -- mul | add | div c' -- y
 *
 * f moves elements (reshape, transpose, slice, nearest resize, ...) or averages them. c may be a
 * scalar, or vary along one axis that can be followed through f; c' varies along its image.
 *
 *     f                                   mul, div    add                       axis
 *     reshape                             yes         yes                       same extent and
 * stride transpose                           yes         yes                       permuted slice,
 * resize (nearest)             yes         yes                       untouched by f global_avgpool,
 * avgpool             yes         padding not counted       channels sumpool, global_sumpool yes no
 * channels maxpool, global_maxpool             see move-mul-past-maxpool   yes       channels pad
 * (with 0)                        yes         no                        unpadded tile, expand,
 * depth_to_space, ...   yes         yes                       scalar only
 *
 * Terminates: the linear op only ever moves towards the outputs.
 */
#include "passes/support/match.h"
#include <string.h>

enum { SCALAR, CHANNEL, KEPT, RESHAPED, PERMUTED };

typedef struct form {
    const char *op;
    bool mul, add;
    int axis;
} form;

static const form forms[] = {
    {"nn.reshape", true, true, RESHAPED},
    {"nn.transpose", true, true, PERMUTED},
    {"nn.slice", true, true, KEPT},
    {"nn.resize", true, true, KEPT},
    {"nn.global_avgpool", true, true, CHANNEL},
    {"nn.avgpool", true, true, CHANNEL},
    {"nn.sumpool", true, false, CHANNEL},
    {"nn.global_sumpool", true, false, CHANNEL},
    {"nn.maxpool", false, true, CHANNEL},
    {"nn.global_maxpool", false, true, CHANNEL},
    {"nn.pad", true, false, KEPT},
    {"nn.tile", true, true, SCALAR},
    {"nn.expand", true, true, SCALAR},
    {"nn.depth_to_space", true, true, SCALAR},
    {"nn.space_to_depth", true, true, SCALAR},
};

/* Axis of y with as many elements in front and as large an extent as axis of x has; -1: none. */
static int
reshaped_axis(const nashc_type *x, const nashc_type *y, int axis)
{
    int64_t before = 1, n = 1;

    for (int i = 0; i < axis; i++)
        before *= x->dim[i];
    for (int i = 0; i < y->rank; n *= y->dim[i++])
        if (n == before && y->dim[i] == x->dim[axis])
            return i;
    return -1;
}

/* Axis of f's result that axis of its operand becomes; -1: it does not survive. */
static int
image(const form *how, const nashc_node *f, const nashc_type *x, int axis)
{
    const nashc_type *y = nashc_value_type(nashc_node_out(f, 0));
    int count;

    switch (how->axis) {
    case CHANNEL:
        return axis == nashc_type_channel_axis(x) ? nashc_type_channel_axis(y) : -1;
    case KEPT:
        return x->dim[axis] == y->dim[axis] ? axis : -1;
    case RESHAPED:
        return reshaped_axis(x, y, axis);
    case PERMUTED: {
        const int64_t *perm = nashc_node_ints(f, "perm", &count);
        for (int i = 0; i < count; i++)
            if (perm[i] == axis)
                return i;
        return -1;
    }
    default:
        return -1;
    }
}

/* Is f one of the forms above for this kind of linear op? */
static bool
allowed(nashc_rw *rw, const form *how, const nashc_node *f, bool add)
{
    if (add ? !how->add : !how->mul)
        return nashc_rw_miss(rw, f, "it does not commute with this op");
    if (!strcmp(how->op, "nn.resize") && strcmp(nashc_node_str(f, "mode"), "nearest"))
        return nashc_rw_miss(rw, f, "the resize interpolates");
    if (!strcmp(how->op, "nn.slice")) {
        int count;
        const int64_t *steps = nashc_node_ints(f, "steps", &count);
        for (int i = 0; i < count; i++)
            if (steps[i] < 0)
                return nashc_rw_miss(rw, f, "the slice runs backwards");
    }
    if (!strcmp(how->op, "nn.avgpool") && add && nashc_node_int(f, "count_include_pad") &&
        (!match_all(f, "pads", 0) || nashc_node_int(f, "ceil")))
        return nashc_rw_miss(rw, f, "the padding would meet the shift");
    if (!strcmp(how->op, "nn.pad") &&
        (nashc_node_in(f, 1) || strcmp(nashc_node_str(f, "mode"), "constant")))
        return nashc_rw_miss(rw, f, "it pads with something else than 0");
    return true;
}

/* c for the other side of f; NULL after a miss. */
static nashc_value *
carried(nashc_rw *rw, const form *how, const nashc_node *f, const affine *a)
{
    const nashc_type *x = nashc_value_type(a->x);
    uint32_t axes = match_axes(a->t, x);
    int from = 0, to;

    if (axes == 0)
        return nashc_rw_const(rw, nashc_tensor_reshaped((nashc_tensor *)a->t, 0, NULL));
    while (!(axes >> from & 1))
        from++;
    to = axes == 1u << from ? image(how, f, x, from) : -1;
    if (to < 0) {
        nashc_rw_miss(rw, a->node, "the axis the constant varies along does not survive");
        return NULL;
    }
    nashc_type shape = match_vector(nashc_value_type(nashc_node_out(f, 0)), to, x->dim[from]);
    return nashc_rw_const(rw, nashc_tensor_reshaped((nashc_tensor *)a->t, shape.rank, shape.dim));
}

static bool
move_linear(nashc_rw *rw, nashc_node *f)
{
    static const char *const ops[] = {"nn.mul", "nn.div", "nn.add"};
    const form *how = NULL;
    affine a;

    for (size_t i = 0; i < NASHC_COUNT(forms) && !how; i++)
        how = nashc_node_is(f, forms[i].op) ? &forms[i] : NULL;
    for (int i = 0; how && i < 3; i++) {
        if (!affine_before(rw, nashc_node_in(f, 0), ops[i], &a) || !allowed(rw, how, f, i == 2))
            continue;
        nashc_value *c = carried(rw, how, f, &a);
        if (!c)
            return false;
        nashc_value *y = nashc_rw_like(rw, f, (nashc_value *[]){a.x}, 1);
        nashc_rw_loc(rw, a.node);
        nashc_rw_replace(rw, nashc_node_out(f, 0),
                         nashc_rw_op(rw, ops[i], (nashc_value *[]){y, c}, 2));
        return true;
    }
    return false;
}

static const nashc_pattern move_linear_pattern = {"nn.*", move_linear};

const nashc_pass nashc_pass_move_scalar_linear_past_invariant = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_INEXACT,
    .name = "move-scalar-linear-past-invariant",
    .alias = "MoveScalarLinearPastInvariants",
    .help = "move a mul, div or add of a constant below ops that only move or average elements",
    .patterns = (const nashc_pattern *const[]){&move_linear_pattern, NULL},
};
