/* flatten.c: an image that is flattened channels-first, x [N,H,W,C] -- to first -- reshape [N,C H
 * W].
 *
 *     reshape(to first(x)) -- op c -- y
 *     ==>  reshape(x) -- op c' -- reshape [N,H,W,C] -- to first -- reshape [N,C H W] -- y
 *
 * c' has the elements of c, counted (c, h, w), in the order (h, w, c).
 */
#include "layout.h"

nashc_value *
flatten_image(const nashc_value *v)
{
    nashc_node *flat = v ? nashc_value_def_by(v, "nn.reshape") : NULL;
    nashc_node *t = flat ? nashc_value_def(nashc_node_in(flat, 0)) : NULL;

    if (!layout_to_first(t))
        return NULL;
    const nashc_type *x = nashc_value_type(nashc_node_in(t, 0)), *y = nashc_value_type(v);
    return y->rank == 2 && y->dim[0] == x->dim[0] ? nashc_node_in(t, 0) : NULL;
}

nashc_value *
flatten_last(nashc_rw *rw, nashc_value *image, const nashc_node *n)
{
    const nashc_type *x = nashc_value_type(image);
    int64_t dim[2] = {x->dim[0], nashc_type_count(x) / x->dim[0]};
    nashc_type flat = nashc_type_shaped(*x, 2, dim);
    int count;
    nashc_node **users = nashc_value_users(image, nashc_rw_arena(rw), &count);

    for (int i = 0; i < count; i++)
        if (nashc_node_is(users[i], "nn.reshape") && nashc_node_before(users[i], n) &&
            nashc_type_same_shape(nashc_value_type(nashc_node_out(users[i], 0)), &flat))
            return nashc_node_out(users[i], 0);
    return layout_relabelled(rw, image, &flat);
}

nashc_value *
flatten_const(nashc_rw *rw, nashc_value *v, int axis, const nashc_value *image)
{
    nashc_tensor *t = (nashc_tensor *)nashc_value_const(v);
    const nashc_type *type = nashc_tensor_type(t), *x = nashc_value_type(image);
    int64_t c = x->dim[x->rank - 1], k = x->rank == 3 ? x->dim[1] : x->dim[1] * x->dim[2];
    int64_t outer = 1, inner = 1;

    if (axis < 0 || axis >= type->rank || type->dim[axis] != c * k || type->dim[axis] == 1)
        return v;
    for (int i = 0; i < axis; i++)
        outer *= type->dim[i];
    for (int i = axis + 1; i < type->rank; i++)
        inner *= type->dim[i];
    nashc_tensor *split = nashc_tensor_reshaped(t, 4, (int64_t[]){outer, c, k, inner});
    nashc_tensor *turned = split ? nashc_tensor_transposed(split, (const int[]){0, 2, 1, 3}) : NULL;
    nashc_value *out =
        nashc_rw_const(rw, turned ? nashc_tensor_reshaped(turned, type->rank, type->dim) : NULL);
    nashc_tensor_unref(split);
    nashc_tensor_unref(turned);
    return out;
}

bool
flatten_channels_last(nashc_rw *rw, nashc_node *n)
{
    nashc_value *in[5] = {0}, *image = NULL, *flat = NULL, *old = nashc_node_out(n, 0);
    const nashc_layout_rule *r = layout_rule(n);
    bool rows = r && r->flags & NASHC_TURN_ROWS;
    int n_in = nashc_node_n_in(n);

    for (int i = 0; i < n_in && !image; i++) {
        flat = nashc_node_in(n, i);
        image = flatten_image(flat);
    }
    if (!image)
        return false;
    if (n_in > 5 || !(rows || nashc_node_op(n)->flags & NASHC_OP_ELTWISE))
        return nashc_rw_miss(rw, n, "it mixes the elements of a flattened image");
    if (!nashc_type_same_shape(nashc_value_type(old), nashc_value_type(flat)))
        return nashc_rw_miss(rw, n, "an operand is broadcast");
    for (int i = 0; i < n_in; i++) {
        const nashc_value *v = nashc_node_in(n, i), *other = flatten_image(v);
        if (v && !nashc_value_const(v) &&
            !(other && nashc_type_same_shape(nashc_value_type(other), nashc_value_type(image))))
            return nashc_rw_miss(rw, n, "an operand is no flattened image of this shape");
    }
    for (int i = 0; i < n_in; i++) {
        nashc_value *v = nashc_node_in(n, i);
        bool constant = v && nashc_value_const(v);
        in[i] = constant ? flatten_const(rw, v, rows ? 0 : nashc_value_type(v)->rank - 1, image)
                : v      ? flatten_last(rw, flatten_image(v), n)
                         : NULL;
    }
    nashc_value *y = nashc_rw_like(rw, n, in, n_in);
    y = layout_relabelled(rw, y, nashc_value_type(image));
    y = y ? layout_first(rw, y, nashc_value_type(image)->rank) : NULL;
    nashc_rw_replace(rw, old, y ? layout_relabelled(rw, y, nashc_value_type(old)) : NULL);
    return true;
}
