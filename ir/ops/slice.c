/* slice.c: nn.slice(x; starts ends axes steps) and nn.gather(x, idx; axis).
 *
 * nn.slice: bounds are resolved: 0 <= start < size, ends are exclusive, at most the size; with a
 * negative step an end of -1 means before element 0. nn.gather (ONNX Gather): y = x taken at idx
 * along axis; the axes of idx stand in the place of that axis; negative indices count from the end.
 */
#include "ops.h"

enum { STARTS, ENDS, AXES, STEPS };

static const nashc_param slice_attrs[] = {
    ATTR(INTS, "starts", NULL, "0..2147483648", "first element of each axis"),
    ATTR(INTS, "ends", NULL, "-1..2147483648", "behind the last element"),
    ATTR(INTS, "axes", NULL, "-8..7", "axes that are cut"),
    ATTR(INTS, "steps", NULL, "-2147483648..2147483648", "distance of elements, not 0"),
    {0},
};

/* start and step of every axis; the sizes go to *out. */
static nashc_status
resolve(const nashc_node *n, int64_t *start, int64_t *step, nashc_type *out, nashc_diag *d)
{
    int n_start, n_end, n_axes, n_steps, axis;
    const int64_t *starts = nashc_attr_ints(n, STARTS, &n_start);
    const int64_t *ends = nashc_attr_ints(n, ENDS, &n_end);
    const int64_t *axes = nashc_attr_ints(n, AXES, &n_axes);
    const int64_t *steps = nashc_attr_ints(n, STEPS, &n_steps);
    const nashc_type *x = ops_type(n, 0);
    unsigned seen = 0;

    if (n_start != n_end || n_start != n_axes || n_start != n_steps)
        return nashc_node_error(d, n, "%d starts, %d ends, %d axes, %d steps: must be as many",
                                n_start, n_end, n_axes, n_steps);
    *out = *x;
    for (int a = 0; a < x->rank; a++) {
        start[a] = 0;
        step[a] = 1;
    }
    for (int i = 0; i < n_start; i++) {
        nashc_status s = ops_axis(n, axes[i], x->rank, &axis, d);
        if (s != NASHC_OK)
            return s;
        int64_t size = x->dim[axis], by = steps[i];
        if (by == 0)
            return nashc_node_error(d, n, "step 0 along axis %d", axis);
        if (seen & 1u << axis)
            return nashc_node_error(d, n, "axis %d is given twice", axis);
        if (starts[i] < 0 || starts[i] >= size || ends[i] > size || ends[i] < (by < 0 ? -1 : 0))
            return nashc_node_error(d, n,
                                    "range %" PRId64 "..%" PRId64 " is not within axis %d of %s",
                                    starts[i], ends[i], axis, nashc_type_str(d, x));
        int64_t span = by > 0 ? ends[i] - starts[i] : starts[i] - ends[i];
        seen |= 1u << axis;
        start[axis] = starts[i];
        step[axis] = by;
        out->dim[axis] = span <= 0 ? 0 : (span - 1) / (by > 0 ? by : -by) + 1;
    }
    return ops_check_shape(n, out, d);
}

static nashc_status
slice_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    int64_t start[NASHC_MAX_RANK], step[NASHC_MAX_RANK];
    nashc_status s = ops_need_rank(n, 0, "input", 0, NASHC_MAX_RANK, d);

    return s == NASHC_OK ? resolve(n, start, step, out, d) : s;
}

static nashc_status
slice_eval(nashc_eval *e, const nashc_node *n)
{
    const nashc_buf *x = nashc_eval_in(e, 0);
    nashc_buf *y = nashc_eval_out(e, 0);
    int64_t start[NASHC_MAX_RANK], step[NASHC_MAX_RANK], stride[NASHC_MAX_RANK], first = 0;
    nashc_type type;
    ops_walk w;
    nashc_status s = resolve(n, start, step, &type, nashc_eval_diag(e));

    if (s != NASHC_OK)
        return s;
    ops_strides(&x->type, stride);
    for (int a = 0; a < x->type.rank; a++) {
        first += start[a] * stride[a];
        step[a] *= stride[a];
    }
    ops_walk_steps(&w, &y->type, step, first);
    for (int64_t i = 0; i < y->n; i++)
        ops_copy(y, i, x, ops_walk_next(&w));
    return NASHC_OK;
}

const nashc_op nashc_op_nn_slice = {
    NASHC_DESC(nashc_op), .flags = NASHC_OP_SHAPE,
    .name = "nn.slice",   .help = "part of a tensor, with steps",
    .min_in = 1,          .max_in = 1,
    .min_out = 1,         .max_out = 1,
    .attrs = slice_attrs, .infer = slice_infer,
    .eval = slice_eval,
};

/* --- nn.gather ---------------------------------------------------------------------------------
 */

static const nashc_param gather_attrs[] = {
    ATTR(INT, "axis", "0", "-8..7", "axis that the indices refer to"),
    {0},
};

static nashc_status
gather_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    int axis, rank = 0;
    int64_t dim[2 * NASHC_MAX_RANK];
    nashc_status s = ops_need_rank(n, 0, "input", 1, NASHC_MAX_RANK, d);

    if (s != NASHC_OK || (s = ops_need_rank(n, 1, "index", 0, NASHC_MAX_RANK, d)) != NASHC_OK)
        return s;
    const nashc_type *x = ops_type(n, 0), *idx = ops_type(n, 1);
    if ((s = ops_axis(n, nashc_attr_int(n, 0), x->rank, &axis, d)) != NASHC_OK)
        return s;
    if (!nashc_type_is_int(idx))
        return nashc_node_error(d, n, "index is %s, expected integers", nashc_type_str(d, idx));
    ops_interval r = ops_interval_of(nashc_node_in(n, 1));
    int64_t size = x->dim[axis];
    if (ops_const(n, 1) && size > 0 && (r.lo < -size || r.hi >= size))
        return nashc_node_error(d, n, "index %" PRId64 " is out of range for axis %d of %s",
                                r.hi >= size ? r.hi : r.lo, axis, nashc_type_str(d, x));
    for (int a = 0; a < axis; a++)
        dim[rank++] = x->dim[a];
    for (int a = 0; a < idx->rank; a++)
        dim[rank++] = idx->dim[a];
    for (int a = axis + 1; a < x->rank; a++)
        dim[rank++] = x->dim[a];
    if (rank > NASHC_MAX_RANK)
        return nashc_node_error(d, n, "result has rank %d, at most %d is possible", rank,
                                NASHC_MAX_RANK);
    *out = nashc_type_shaped(*x, rank, dim);
    out->layout = rank == x->rank ? x->layout : NASHC_LAYOUT_DEFAULT;
    return ops_check_shape(n, out, d);
}

static nashc_status
gather_eval(nashc_eval *e, const nashc_node *n)
{
    const nashc_buf *x = nashc_eval_in(e, 0), *idx = nashc_eval_in(e, 1);
    nashc_buf *y = nashc_eval_out(e, 0);
    int64_t axis = nashc_attr_int(n, 0), inner = 1;

    axis += axis < 0 ? x->type.rank : 0;
    for (int a = (int)axis + 1; a < x->type.rank; a++)
        inner *= x->type.dim[a];
    int64_t size = x->type.dim[axis];
    for (int64_t i = 0; i < y->n; i++) {
        int64_t at = nashc_buf_get_int(idx, i / inner % idx->n), outer = i / (inner * idx->n);
        if (at < -size || at >= size)
            return nashc_node_error(nashc_eval_diag(e), n,
                                    "index %" PRId64 " is out of range for axis of %" PRId64, at,
                                    size);
        at += at < 0 ? size : 0;
        ops_copy(y, i, x, (outer * size + at) * inner + i % inner);
    }
    return NASHC_OK;
}

const nashc_op nashc_op_nn_gather = {
    NASHC_DESC(nashc_op),  .flags = NASHC_OP_SHAPE,
    .name = "nn.gather",   .help = "elements at given indices along an axis",
    .min_in = 2,           .max_in = 2,
    .min_out = 1,          .max_out = 1,
    .attrs = gather_attrs, .infer = gather_infer,
    .eval = gather_eval,
};
