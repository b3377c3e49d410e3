/* concat.c: nn.concat(x0, x1, ...; axis) and its inverse nn.split(x; axis, parts).
 *
 * The element of a concatenation is that of the operands if it is one, the hull of the ranges for
 * integers, and a float that holds them (ops_float) otherwise. It is channels-last if one of
 * the operands says so: constants often do not. Operands may repeat.
 */
#include "ops.h"

static const nashc_param concat_attrs[] = {
    ATTR(INT, "axis", NULL, "-8..7", "axis along which the operands follow each other"),
    {0},
};

void
ops_hull_elem(const nashc_node *n, nashc_type *out)
{
    nashc_type elem = *ops_type(n, 0);
    ops_interval r = ops_interval_of(nashc_node_in(n, 0));
    bool same = true, same_range = true;

    for (int i = 1; i < nashc_node_n_in(n); i++) {
        const nashc_type *t = ops_type(n, i);
        same &= nashc_type_same_elem(t, &elem);
        same_range &= t->lo == elem.lo && t->hi == elem.hi;
        r = ops_interval_hull(r, ops_interval_of(nashc_node_in(n, i)));
    }
    if (same && (same_range || nashc_type_is_float(&elem))) {
        *out = nashc_type_with_elem(out, &elem);
    } else if (ops_all_int(n)) {
        nashc_type_set_range(out, r.lo, r.hi);
    } else {
        elem = same ? elem : ops_float(n);
        if (nashc_type_is_fixed(&elem))
            nashc_type_limits(&elem, &elem.lo, &elem.hi);
        *out = nashc_type_with_elem(out, &elem);
    }
}

static nashc_status
concat_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    int axis;
    nashc_status s;

    for (int i = 0; i < nashc_node_n_in(n); i++)
        if ((s = ops_need_rank(n, i, "operand", 1, NASHC_MAX_RANK, d)) != NASHC_OK)
            return s;
    *out = *ops_type(n, 0);
    if ((s = ops_axis(n, nashc_attr_int(n, 0), out->rank, &axis, d)) != NASHC_OK)
        return s;
    for (int i = 1; i < nashc_node_n_in(n); i++) {
        const nashc_type *t = ops_type(n, i);
        bool fits = t->rank == out->rank;
        out->layout = out->layout == NASHC_LAYOUT_DEFAULT ? t->layout : out->layout;
        for (int a = 0; fits && a < t->rank; a++)
            fits = a == axis || t->dim[a] == out->dim[a];
        if (!fits)
            return nashc_node_error(d, n, "%s and %s differ beside axis %d",
                                    nashc_type_str(d, ops_type(n, 0)), nashc_type_str(d, t), axis);
        if (out->dim[axis] < 0 || t->dim[axis] < 0)
            out->dim[axis] = -1;
        else if (!nashc_add_size(out->dim[axis], t->dim[axis], &out->dim[axis]))
            return nashc_node_error(d, n, "size of axis %d overflows", axis);
    }
    ops_hull_elem(n, out);
    return ops_check_shape(n, out, d);
}

/* Elements between two steps of the axis. */
static int64_t
inner_size(const nashc_type *t, int64_t axis)
{
    int64_t size = 1;

    for (int a = t->rank - 1; a > (axis < 0 ? axis + t->rank : axis); a--)
        size *= t->dim[a];
    return size;
}

static nashc_status
concat_eval(nashc_eval *e, const nashc_node *n)
{
    nashc_buf *y = nashc_eval_out(e, 0);
    int64_t axis = nashc_attr_int(n, 0), inner = inner_size(&y->type, axis), start = 0;

    axis += axis < 0 ? y->type.rank : 0;
    int64_t line = y->type.dim[axis] * inner;
    for (int k = 0; k < nashc_node_n_in(n); k++) {
        const nashc_buf *x = nashc_eval_in(e, k);
        int64_t part = x->type.dim[axis] * inner;
        for (int64_t i = 0; i < x->n; i++)
            ops_copy(y, i / part * line + start + i % part, x, i);
        start += part;
    }
    return NASHC_OK;
}

const nashc_op nashc_op_nn_concat = {
    NASHC_DESC(nashc_op),  .flags = NASHC_OP_SHAPE,
    .name = "nn.concat",   .help = "tensors one after the other along an axis",
    .min_in = 1,           .max_in = -1,
    .min_out = 1,          .max_out = 1,
    .attrs = concat_attrs, .infer = concat_infer,
    .eval = concat_eval,
};

/* --- nn.split ----------------------------------------------------------------------------------
 */

static const nashc_param split_attrs[] = {
    ATTR(INT, "axis", NULL, "-8..7", "axis that is cut"),
    ATTR(INTS, "parts", NULL, "1..2147483648", "size of each result along the axis"),
    {0},
};

static nashc_status
split_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    int axis, count;
    int64_t sum = 0;
    const int64_t *parts = nashc_attr_ints(n, 1, &count);
    nashc_status s = ops_need_rank(n, 0, "input", 1, NASHC_MAX_RANK, d);

    if (s != NASHC_OK)
        return s;
    const nashc_type *x = ops_type(n, 0);
    if ((s = ops_axis(n, nashc_attr_int(n, 0), x->rank, &axis, d)) != NASHC_OK)
        return s;
    if (count != nashc_node_n_out(n))
        return nashc_node_error(d, n, "%d parts for %d results", count, nashc_node_n_out(n));
    for (int i = 0; i < count; i++)
        if (parts[i] < 1 || !nashc_add_size(sum, parts[i], &sum))
            return nashc_node_error(d, n, "part %" PRId64 " is not possible", parts[i]);
    if (sum != x->dim[axis])
        return nashc_node_error(d, n, "parts sum to %" PRId64 ", axis %d of %s has %" PRId64, sum,
                                axis, nashc_type_str(d, x), x->dim[axis]);
    for (int i = 0; i < count; i++) {
        out[i] = *x;
        out[i].dim[axis] = parts[i];
    }
    return NASHC_OK;
}

static nashc_status
split_eval(nashc_eval *e, const nashc_node *n)
{
    const nashc_buf *x = nashc_eval_in(e, 0);
    int64_t axis = nashc_attr_int(n, 0), inner = inner_size(&x->type, axis), start = 0;

    axis += axis < 0 ? x->type.rank : 0;
    int64_t line = x->type.dim[axis] * inner;
    for (int k = 0; k < nashc_node_n_out(n); k++) {
        nashc_buf *y = nashc_eval_out(e, k);
        int64_t part = y->type.dim[axis] * inner;
        for (int64_t i = 0; i < y->n; i++)
            ops_copy(y, i, x, i / part * line + start + i % part);
        start += part;
    }
    return NASHC_OK;
}

const nashc_op nashc_op_nn_split = {
    NASHC_DESC(nashc_op), .flags = NASHC_OP_SHAPE,
    .name = "nn.split",   .help = "cut along an axis",
    .min_in = 1,          .max_in = 1,
    .min_out = 1,         .max_out = -1,
    .attrs = split_attrs, .infer = split_infer,
    .eval = split_eval,
};
