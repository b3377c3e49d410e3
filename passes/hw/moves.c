/* moves.c: operators that only move elements.
 *
 *     nn.concat, nn.split                            hw.concat, hw.split, chained where there are
 *                                                    more than two
 *     nn.reshape, nn.identity, transposes that leave the order as it is      nothing
 *     nn.transpose, nn.slice, nn.expand, nn.tile, nn.gather, nn.resize (nearest),
 *     nn.depth_to_space, nn.space_to_depth           hw.window, if loops give the elements; else
 *                                                    hw.window and hw.concat, axis by axis
 */
#include "convert.h"
#include <inttypes.h>
#include <string.h>

/* The elements that the result of n has, as loops, or as places along each axis. */
typedef struct move {
    bool nested;
    hw_loops nest;
    hw_places places;
} move;

static bool
move_of(const nashc_node *n, nashc_arena *a, move *out)
{
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));
    int64_t *map = nashc_index_map(n, NULL, 0, NULL);
    bool good = false;

    if (map) {
        out->nested = hw_fit_loops(map, nashc_type_count(y), a, &out->nest);
        good = out->nested ||
               hw_fit_places(map, nashc_value_type(nashc_node_in(n, 0)), y, a, &out->places);
    }
    nashc_mem_free(map);
    return good;
}

const char *
hw_why_not_move(const nashc_node *n, nashc_arena *a)
{
    move m;

    if (!hw_is_int(nashc_node_in(n, 0)))
        return "its input is not an integer tensor";
    if (hw_relabels(n))
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
hw_convert_move(hw_conv *c, nashc_node *n)
{
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));
    nashc_value *x = c->map[nashc_value_id(nashc_node_in(n, 0))];
    const char *role = nashc_node_is(n, "nn.resize")  ? "upsample"
                       : nashc_node_is(n, "nn.slice") ? "crop"
                                                      : "shuffle";
    move m;

    if (hw_relabels(n)) {
        c->map[nashc_value_id(nashc_node_out(n, 0))] = x;
        return NASHC_OK;
    }
    if (!move_of(n, c->a, &m))
        return nashc_enomem(c->d);
    nashc_value *v = m.nested ? hw_put_loops(c, x, &m.nest, y->rank ? y->dim[y->rank - 1] : 1, role)
                              : hw_put_places(c, x, &m.places);
    if (v == x) { /* nothing to do */
        c->map[nashc_value_id(nashc_node_out(n, 0))] = x;
        return NASHC_OK;
    }
    return hw_put(c, n, v);
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
    int axis = (int)hw_attr(n, "axis");

    return axis < 0 ? axis + nashc_value_type(nashc_node_in(n, 0))->rank : axis;
}

static const char *
why_not_concat(const nashc_node *n, nashc_arena *a)
{
    (void)a;
    for (int i = 0; i < nashc_node_n_in(n); i++) {
        if (!hw_is_int(nashc_node_in(n, i)))
            return "its operands are not integer tensors";
        if (nashc_value_const(nashc_node_in(n, i)))
            return "one of its operands is constant";
    }
    return nashc_type_is_int(nashc_value_type(nashc_node_out(n, 0)))
               ? NULL
               : "its result is not an integer tensor";
}

static nashc_status
convert_concat(hw_conv *c, nashc_node *n)
{
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));
    int axis = axis_of(n), n_in = nashc_node_n_in(n);
    int64_t parts[2] = {chunk(nashc_node_in(n, 0), axis)};
    nashc_value *in[2] = {c->map[nashc_value_id(nashc_node_in(n, 0))]};

    for (int i = 1; in[0] && i < n_in; i++) {
        bool rows = i == n_in - 1 && axis < y->rank - 1; /* not a round a row */
        in[1] = c->map[nashc_value_id(nashc_node_in(n, i))];
        parts[1] = chunk(nashc_node_in(n, i), axis);
        in[0] = nashc_build_op(c->b, "hw.concat", in, 2, "parts=%s channels=%" PRId64,
                               nashc_build_ints(c->b, parts, 2), rows ? y->dim[y->rank - 1] : 0);
        parts[0] += parts[1];
    }
    return hw_put(c, n, in[0]);
}

static const char *
why_not_split(const nashc_node *n, nashc_arena *a)
{
    (void)a;
    return hw_is_int(nashc_node_in(n, 0)) ? NULL : "its input is not an integer tensor";
}

static nashc_status
convert_split(hw_conv *c, nashc_node *n)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    int axis = axis_of(n), n_out = nashc_node_n_out(n);
    nashc_value *rest = c->map[nashc_value_id(nashc_node_in(n, 0))];
    int64_t left = chunk(nashc_node_in(n, 0), axis);
    int64_t inner = axis < x->rank - 1 ? x->dim[x->rank - 1] : 0;

    for (int i = 0; i < n_out; i++) {
        const nashc_value *v = nashc_node_out(n, i);
        int64_t parts[2] = {chunk(v, axis), left - chunk(v, axis)};
        int64_t columns[2] = {inner, inner};
        nashc_value *out = rest;
        if (i < n_out - 1) {
            nashc_node *s = nashc_build_node(c->b, "hw.split", &rest, 1, 2, "parts=%s channels=%s",
                                             nashc_build_ints(c->b, parts, 2),
                                             nashc_build_ints(c->b, columns, 2));
            if (!s)
                return nashc_build_status(c->b);
            out = nashc_node_out(s, 0);
            rest = nashc_node_out(s, 1);
        }
        left = parts[1];
        c->map[nashc_value_id(v)] = out;
        nashc_value_set_name(out, nashc_value_name(v));
    }
    return NASHC_OK;
}

const hw_rule hw_move_rules[] = {
    {"nn.concat", why_not_concat, convert_concat},
    {"nn.split", why_not_split, convert_split},
    {"nn.reshape", hw_why_not_move, hw_convert_move},
    {"nn.identity", hw_why_not_move, hw_convert_move},
    {"nn.transpose", hw_why_not_move, hw_convert_move},
    {"nn.slice", hw_why_not_move, hw_convert_move},
    {"nn.expand", hw_why_not_move, hw_convert_move},
    {"nn.tile", hw_why_not_move, hw_convert_move},
    {"nn.gather", hw_why_not_move, hw_convert_move},
    {"nn.resize", hw_why_not_move, hw_convert_move},
    {"nn.depth_to_space", hw_why_not_move, hw_convert_move},
    {"nn.space_to_depth", hw_why_not_move, hw_convert_move},
    {0},
};
