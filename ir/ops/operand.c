/* operand.c: result elements and shapes that follow from the operands; walking broadcast operands.
 */
#include "ops.h"

bool
ops_all_int(const nashc_node *n)
{
    for (int i = 0; i < nashc_node_n_in(n); i++) {
        const nashc_type *t = ops_type(n, i);
        if (t && !nashc_type_is_int(t))
            return false;
    }
    return true;
}

nashc_type
ops_float(const nashc_node *n)
{
    bool dynamic64 = false, all64 = true, all16 = true, any16 = false;

    for (int i = 0; i < nashc_node_n_in(n); i++) {
        const nashc_type *t = ops_type(n, i);
        if (!t)
            continue;
        dynamic64 |= t->kind == NASHC_K_F64 && !ops_const(n, i);
        all64 &= t->kind == NASHC_K_F64;
        any16 |= t->kind == NASHC_K_F16;
        all16 &= t->kind == NASHC_K_F16 || nashc_type_is_int(t);
    }
    if (dynamic64 || all64)
        return nashc_type_f64();
    nashc_type out = nashc_type_f32();
    if (all16 && any16) {
        out.kind = NASHC_K_F16;
        out.bits = 16;
    }
    return out;
}

nashc_status
ops_need_rank(const nashc_node *n, int i, const char *what, int lo, int hi, nashc_diag *d)
{
    const nashc_type *t = ops_type(n, i);

    if (!t)
        return nashc_node_error(d, n, "%s is missing (operand %d)", what, i);
    if (t->kind == NASHC_K_NONE)
        return nashc_node_error(d, n, "%s %s has no known element type", what,
                                nashc_type_str(d, t));
    if (t->rank >= lo && t->rank <= hi)
        return NASHC_OK;
    if (lo == hi)
        return nashc_node_error(d, n, "%s is %s, expected rank %d", what, nashc_type_str(d, t), lo);
    return nashc_node_error(d, n, "%s is %s, expected rank %d to %d", what, nashc_type_str(d, t),
                            lo, hi);
}

nashc_status
ops_check_shape(const nashc_node *n, const nashc_type *out, nashc_diag *d)
{
    int64_t count = 1;

    for (int i = 0; i < out->rank; i++) {
        if (out->dim[i] == 0)
            return nashc_node_error(d, n, "result %s has no elements", nashc_type_str(d, out));
        if (out->dim[i] > 0 &&
            (!nashc_mul_size(count, out->dim[i], &count) || count > NASHC_MAX_ELEMENTS))
            return nashc_node_error(d, n, "result %s has more than 2^31 elements",
                                    nashc_type_str(d, out));
    }
    return NASHC_OK;
}

nashc_status
ops_axis(const nashc_node *n, int64_t axis, int rank, int *out, nashc_diag *d)
{
    if (axis < -rank || axis >= rank)
        return nashc_node_error(d, n, "axis %" PRId64 " is out of range for rank %d", axis, rank);
    *out = (int)(axis < 0 ? axis + rank : axis);
    return NASHC_OK;
}

nashc_status
ops_broadcast(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    nashc_type shape = {0}, next;
    uint8_t layout = NASHC_LAYOUT_DEFAULT;

    for (int i = 0; i < nashc_node_n_in(n); i++) {
        const nashc_type *t = ops_type(n, i);
        if (!t)
            return nashc_node_error(d, n, "operand %d is missing", i);
        if (t->kind == NASHC_K_NONE)
            return nashc_node_error(d, n, "operand %d is %s: its element type is not known", i,
                                    nashc_type_str(d, t));
        next = shape;
        if (i && !nashc_type_broadcast(&shape, t, &next))
            return nashc_node_error(d, n, "shapes of %s and %s do not broadcast",
                                    nashc_type_str(d, ops_type(n, 0)), nashc_type_str(d, t));
        shape = i ? next : *t;
    }
    bool computed = false; /* constants count only if nothing else tells */
    for (int pass = 0; pass < 2 && !computed; pass++)
        for (int i = 0; i < nashc_node_n_in(n); i++) {
            const nashc_type *t = ops_type(n, i);
            if (t->rank != shape.rank || (!pass && ops_const(n, i)))
                continue;
            computed = true;
            layout = layout == NASHC_LAYOUT_DEFAULT ? t->layout : layout;
        }
    out->rank = shape.rank;
    out->layout = layout;
    memcpy(out->dim, shape.dim, sizeof out->dim);
    return ops_check_shape(n, out, d);
}

nashc_status
ops_infer_float(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    const nashc_type *x = ops_type(n, 0);
    nashc_type elem = ops_float(n);
    nashc_status s = ops_need_rank(n, 0, "input", 0, NASHC_MAX_RANK, d);

    if (s == NASHC_OK)
        *out = nashc_type_with_elem(x, &elem);
    return s;
}

nashc_status
ops_need_finite(const nashc_node *n, int i, const char *what, nashc_diag *d)
{
    const nashc_tensor *t = ops_const(n, i);

    if (t && !nashc_tensor_all_finite(t))
        return nashc_node_error(d, n, "%s \"%s\" holds NaN or infinity", what,
                                nashc_value_name(nashc_node_in(n, i)));
    return NASHC_OK;
}

void
ops_strides(const nashc_type *t, int64_t *stride)
{
    int64_t size = 1;

    for (int a = t->rank - 1; a >= 0; a--) {
        stride[a] = size;
        size *= t->dim[a];
    }
}

void
ops_walk_steps(ops_walk *w, const nashc_type *out, const int64_t *step, int64_t start)
{
    w->rank = out->rank;
    w->pos = start;
    for (int a = 0; a < out->rank; a++) {
        w->dim[a] = out->dim[a];
        w->step[a] = step[a];
        w->at[a] = 0;
    }
}

void
ops_walk_init(ops_walk *w, const nashc_type *in, const nashc_type *out)
{
    int64_t stride[NASHC_MAX_RANK], step[NASHC_MAX_RANK];
    int lead = out->rank - in->rank;

    ops_strides(in, stride);
    for (int a = 0; a < out->rank; a++)
        step[a] = a < lead || in->dim[a - lead] == 1 ? 0 : stride[a - lead];
    ops_walk_steps(w, out, step, 0);
}

nashc_status
ops_map(nashc_eval *e, double (*f)(double))
{
    const double *x = nashc_eval_f64(e, 0);
    nashc_buf *y = nashc_eval_out(e, 0);

    if (!x)
        return NASHC_ENOMEM;
    for (int64_t i = 0; i < y->n; i++)
        ops_put(y, i, f(x[i]));
    return NASHC_OK;
}

void
ops_copy_run(nashc_buf *y, int64_t i, const nashc_buf *x, int64_t j, int64_t n)
{
    const nashc_type *from = &x->type, *to = &y->type;
    size_t size = nashc_cell_size(y->cell);

    if (nashc_type_is_int(from) && from->kind == to->kind && x->cell == y->cell &&
        from->lo >= to->lo && from->hi <= to->hi) /* as it nearly always is */
        memcpy((char *)y->data + (size_t)i * size, (const char *)x->data + (size_t)j * size,
               (size_t)n * size);
    else
        for (int64_t k = 0; k < n; k++)
            ops_copy(y, i + k, x, j + k);
}
