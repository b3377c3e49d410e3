/* moves.c: operators that only move elements.
 *
 *     nn.concat, nn.split                            hw.concat, hw.split, chained where there are
 *                                                    more than two
 *     nn.reshape, nn.identity, transposes that leave the order as it is      nothing
 *     nn.transpose, nn.slice, nn.expand, nn.tile, nn.gather, nn.resize (nearest),
 *     nn.depth_to_space, nn.space_to_depth           hw.window, if loops give the elements; else
 *                                                    hw.window and hw.concat, axis by axis
 */
#include "lower.h"
#include <inttypes.h>
#include <string.h>

bool
lower_relabels(const nashc_node *n)
{
    const nashc_type *x;
    int64_t last = -1;
    int count;

    if (nashc_node_is(n, "nn.reshape") || nashc_node_is(n, "nn.identity"))
        return true;
    if (!nashc_node_is(n, "nn.transpose"))
        return false;
    x = nashc_value_type(nashc_node_in(n, 0));
    const int64_t *perm = nashc_node_ints(n, "perm", &count);
    for (int i = 0; i < count; i++) {
        if (x->dim[perm[i]] == 1)
            continue;
        if (perm[i] < last)
            return false;
        last = perm[i];
    }
    return true;
}

/* The elements that the result of n has, as loops, or as places along each axis. */
typedef struct move {
    bool nested;
    lower_loops nest;
    lower_places places;
} move;

static bool
move_of(const nashc_node *n, nashc_arena *a, move *out)
{
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));
    int64_t *map = nashc_index_map(n, NULL, 0, NULL);
    bool good = false;

    if (map) {
        out->nested = lower_fit_loops(map, nashc_type_count(y), a, &out->nest);
        good = out->nested ||
               lower_fit_places(map, nashc_value_type(nashc_node_in(n, 0)), y, a, &out->places);
    }
    nashc_mem_free(map);
    return good;
}

const char *
lower_why_not_move(const nashc_node *n, nashc_arena *a)
{
    move m;

    if (!lower_is_int(nashc_node_in(n, 0)))
        return "its input is not an integer tensor";
    if (lower_relabels(n))
        return NULL;
    for (int i = 1; i < nashc_node_n_in(n); i++)
        if (nashc_node_in(n, i) && !nashc_value_const(nashc_node_in(n, i)))
            return "it reads more than one tensor";
    if (!nashc_type_is_int(nashc_value_type(nashc_node_out(n, 0))))
        return "it computes elements that its input does not have";
    return move_of(n, a, &m)
               ? NULL
               : "neither loops nor a few pieces of each axis give the elements in order";
}

nashc_status
lower_convert_move(nashc_lower *l, nashc_node *n)
{
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));
    nashc_value *x = nashc_lower_in(l, n, 0);
    const char *role = nashc_node_is(n, "nn.resize")  ? "upsample"
                       : nashc_node_is(n, "nn.slice") ? "crop"
                                                      : "shuffle";
    move m;

    if (lower_relabels(n))
        return nashc_lower_put(l, n, 0, x);
    if (!move_of(n, nashc_lower_arena(l), &m))
        return nashc_enomem(nashc_lower_diag(l));
    nashc_value *v = m.nested
                         ? lower_put_loops(l, x, &m.nest, y->rank ? y->dim[y->rank - 1] : 1, role)
                         : lower_put_places(l, x, &m.places);
    return nashc_lower_put(l, n, 0, v);
}

/* --- joining and splitting ---------------------------------------------------------------------
 */

/* Elements of v from axis on: what passes between two changes of the part. */
static int64_t
chunk(const nashc_value *v, int axis)
{
    const nashc_type *t = nashc_value_type(v);
    int64_t n = 1;

    for (int i = axis; i < t->rank; i++)
        n *= t->dim[i];
    return n;
}

static int
axis_of(const nashc_node *n)
{
    int axis = (int)nashc_node_int(n, "axis");

    return axis < 0 ? axis + nashc_value_type(nashc_node_in(n, 0))->rank : axis;
}

static const char *
why_not_concat(const nashc_node *n, nashc_arena *a)
{
    (void)a;
    for (int i = 0; i < nashc_node_n_in(n); i++) {
        if (!lower_is_int(nashc_node_in(n, i)))
            return "its operands are not integer tensors";
        if (nashc_value_const(nashc_node_in(n, i)))
            return "one of its operands is constant";
    }
    return nashc_type_is_int(nashc_value_type(nashc_node_out(n, 0)))
               ? NULL
               : "its result is not an integer tensor";
}

static nashc_status
convert_concat(nashc_lower *l, nashc_node *n)
{
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));
    int axis = axis_of(n), n_in = nashc_node_n_in(n);
    int64_t parts[2] = {chunk(nashc_node_in(n, 0), axis)};
    nashc_value *in[2] = {nashc_lower_in(l, n, 0)};

    for (int i = 1; in[0] && i < n_in; i++) {
        bool rows = i == n_in - 1 && axis < y->rank - 1; /* not a round a row */
        in[1] = nashc_lower_in(l, n, i);
        parts[1] = chunk(nashc_node_in(n, i), axis);
        in[0] = nashc_lower_op(l, "hw.concat", in, 2, "parts=%s channels=%" PRId64,
                               nashc_lower_ints(l, parts, 2), rows ? y->dim[y->rank - 1] : 0);
        parts[0] += parts[1];
    }
    return nashc_lower_put(l, n, 0, in[0]);
}

static const char *
why_not_split(const nashc_node *n, nashc_arena *a)
{
    (void)a;
    return lower_is_int(nashc_node_in(n, 0)) ? NULL : "its input is not an integer tensor";
}

static nashc_status
convert_split(nashc_lower *l, nashc_node *n)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    int axis = axis_of(n), n_out = nashc_node_n_out(n);
    nashc_value *rest = nashc_lower_in(l, n, 0);
    int64_t left = chunk(nashc_node_in(n, 0), axis);
    int64_t inner = axis < x->rank - 1 ? x->dim[x->rank - 1] : 0;

    for (int i = 0; i < n_out; i++) {
        const nashc_value *v = nashc_node_out(n, i);
        int64_t parts[2] = {chunk(v, axis), left - chunk(v, axis)};
        int64_t columns[2] = {inner, inner};
        nashc_value *out = rest;
        if (i < n_out - 1) {
            nashc_node *s = nashc_build_node(nashc_lower_build(l), "hw.split", &rest, 1, 2,
                                             "parts=%s channels=%s", nashc_lower_ints(l, parts, 2),
                                             nashc_lower_ints(l, columns, 2));
            if (!s)
                return nashc_lower_status(l);
            out = nashc_node_out(s, 0);
            rest = nashc_node_out(s, 1);
        }
        left = parts[1];
        nashc_status status = nashc_lower_put(l, n, i, out);
        if (status != NASHC_OK)
            return status;
    }
    return NASHC_OK;
}

static const nashc_lower_rule concat_rule = {
    NASHC_DESC(nashc_lower_rule),
    .why_not = why_not_concat,
    .convert = convert_concat,
};

const nashc_impl nashc_impl_to_hw_nn_concat = NASHC_IMPL_TO_HW("nn.concat", &concat_rule);

static const nashc_lower_rule split_rule = {
    NASHC_DESC(nashc_lower_rule),
    .why_not = why_not_split,
    .convert = convert_split,
};

const nashc_impl nashc_impl_to_hw_nn_split = NASHC_IMPL_TO_HW("nn.split", &split_rule);

static const nashc_lower_rule move_rule = {
    NASHC_DESC(nashc_lower_rule),
    .why_not = lower_why_not_move,
    .convert = lower_convert_move,
};

const nashc_impl nashc_impl_to_hw_nn_reshape = NASHC_IMPL_TO_HW("nn.reshape", &move_rule);
const nashc_impl nashc_impl_to_hw_nn_identity = NASHC_IMPL_TO_HW("nn.identity", &move_rule);
const nashc_impl nashc_impl_to_hw_nn_transpose = NASHC_IMPL_TO_HW("nn.transpose", &move_rule);
const nashc_impl nashc_impl_to_hw_nn_slice = NASHC_IMPL_TO_HW("nn.slice", &move_rule);
const nashc_impl nashc_impl_to_hw_nn_expand = NASHC_IMPL_TO_HW("nn.expand", &move_rule);
const nashc_impl nashc_impl_to_hw_nn_tile = NASHC_IMPL_TO_HW("nn.tile", &move_rule);
const nashc_impl nashc_impl_to_hw_nn_gather = NASHC_IMPL_TO_HW("nn.gather", &move_rule);
const nashc_impl nashc_impl_to_hw_nn_resize = NASHC_IMPL_TO_HW("nn.resize", &move_rule);
const nashc_impl nashc_impl_to_hw_nn_depth_to_space =
    NASHC_IMPL_TO_HW("nn.depth_to_space", &move_rule);
const nashc_impl nashc_impl_to_hw_nn_space_to_depth =
    NASHC_IMPL_TO_HW("nn.space_to_depth", &move_rule);
