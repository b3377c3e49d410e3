/* slice.c: ranges, picks and padding: axes, ends and indices resolved to plain numbers. */
#include "frontends/onnx/ops/family.h"
#include <inttypes.h>
#include <string.h>

/* Slices x; all lists have n entries; axes NULL: the first n, steps NULL: 1. */
static nashc_status
slice(nashc_onnx_in *r, nashc_value *x, const int64_t *starts, const int64_t *ends,
      const int64_t *axes, const int64_t *steps, int n, nashc_value **out)
{
    const nashc_type *t = nashc_value_type(x);
    int64_t from[NASHC_MAX_RANK], to[NASHC_MAX_RANK], which[NASHC_MAX_RANK], step[NASHC_MAX_RANK];
    int axis;
    nashc_status s;

    if (n > t->rank)
        return nashc_onnx_error(r, "%d ranges for %d dimensions", n, t->rank);
    for (int i = 0; i < n; i++) {
        if ((s = nashc_onnx_axis(r, axes ? axes[i] : i, t->rank, &axis)))
            return s;
        for (int k = 0; k < i; k++)
            if (which[k] == axis)
                return nashc_onnx_error(r, "axis %d is given twice", axis);
        int64_t dim = t->dim[axis], a = starts[i], b = ends[i], st = steps ? steps[i] : 1;
        if (st == 0)
            return nashc_onnx_error(r, "step 0 on axis %d", axis);
        st = st > dim ? dim : st < -dim ? -dim : st; /* longer steps take one element, too */
        /* negative ones count from behind; what lies before the first element becomes -1, which is
         * before it in the IR, too */
        a = a < 0 ? (a < -dim ? -1 : a + dim) : a;
        b = b < 0 ? (b < -dim ? -1 : b + dim) : b;
        if (st > 0) {
            from[i] = a < 0 ? 0 : a > dim ? dim : a;
            to[i] = b < 0 ? 0 : b > dim ? dim : b;
        } else {
            from[i] = a < 0 ? 0 : a >= dim ? dim - 1 : a;
            to[i] = b < -1 ? -1 : b >= dim ? dim - 1 : b;
        }
        if (st > 0 ? from[i] >= to[i] : from[i] <= to[i])
            return nashc_onnx_unsup(
                r, "the range %" PRId64 " to %" PRId64 " on axis %d of %s is empty", starts[i],
                ends[i], axis, nashc_type_str(nashc_onnx_diag(r), t));
        which[i] = axis;
        step[i] = st;
    }
    *out = nashc_onnx_op1(r, "nn.slice", x, "starts=%s ends=%s axes=%s steps=%s",
                          nashc_onnx_ints(r, from, n), nashc_onnx_ints(r, to, n),
                          nashc_onnx_ints(r, which, n), nashc_onnx_ints(r, step, n));
    return NASHC_OK;
}

/* Shared by both forms: the lists are attributes before opset 10, operands from then on. */
static nashc_status
sliced(nashc_onnx_in *r, const int64_t *starts, int n, const int64_t *ends, int n_ends,
       const int64_t *axes, int n_axes, const int64_t *steps, int n_steps)
{
    nashc_value *x = nashc_onnx_in_value(r, 0), *y = NULL;
    nashc_status s;

    if (!x)
        return nashc_onnx_status(r);
    if (!starts || !ends || n_ends != n || (axes && n_axes != n) || (steps && n_steps != n))
        return nashc_onnx_error(r, "starts, ends, axes and steps differ in length");
    if ((s = slice(r, x, starts, ends, axes, steps, n, &y)))
        return s;
    return nashc_onnx_set(r, 0, y, nashc_onnx_in_elem(r, 0));
}

/* No steps before opset 10. */
static nashc_status
read_slice_old(nashc_onnx_in *r)
{
    int n, n_ends, n_axes;
    const int64_t *starts = nashc_onnx_attr_ints(r, "starts", &n);
    const int64_t *ends = nashc_onnx_attr_ints(r, "ends", &n_ends);
    const int64_t *axes = nashc_onnx_attr_ints(r, "axes", &n_axes);

    return sliced(r, starts, n, ends, n_ends, axes, n_axes, NULL, 0);
}

static nashc_status
read_slice(nashc_onnx_in *r)
{
    const int64_t *v[4];
    int n[4];
    static const char *const what[] = {"starts", "ends", "axes", "steps"};

    for (int i = 0; i < 4; i++) {
        nashc_status s = nashc_onnx_in_ints(r, i + 1, what[i], &v[i], &n[i]);
        if (s)
            return s;
    }
    return sliced(r, v[0], n[0], v[1], n[1], v[2], n[2], v[3], n[3]);
}

/* Known indices get the smallest type that holds them, and no negative one is left. */
static nashc_status
read_gather(nashc_onnx_in *r)
{
    nashc_value *x = nashc_onnx_in_value(r, 0), *index = NULL;
    const nashc_tensor *t = nashc_onnx_in_param(r, 1);
    int axis;
    nashc_status s;

    if (!x || nashc_onnx_failed(r))
        return nashc_onnx_status(r);
    const nashc_type *xt = nashc_value_type(x);
    if ((s = nashc_onnx_axis(r, nashc_onnx_attr_int(r, "axis", 0), xt->rank, &axis)))
        return s;
    if (t && nashc_type_is_int(nashc_tensor_type(t))) {
        /* Known indices: negative ones count from the end. */
        nashc_type it = nashc_type_with_elem(nashc_tensor_type(t), &(nashc_type){0});
        nashc_type elem = nashc_type_for_range(0, xt->dim[axis] - 1);
        nashc_buf b;
        it = nashc_type_with_elem(&it, &elem);
        if (!nashc_buf_alloc(&b, &it))
            return nashc_enomem(nashc_onnx_diag(r));
        for (int64_t i = 0; i < b.n; i++) {
            int64_t at = nashc_tensor_get_int(t, i), dim = xt->dim[axis];
            if (at < -dim || at >= dim) {
                nashc_buf_free(&b);
                return nashc_onnx_error(
                    r, "index %" PRId64 " is out of range for dimension %" PRId64, at, dim);
            }
            nashc_buf_set_int(&b, i, at < 0 ? at + dim : at);
        }
        index = nashc_onnx_const(r, NULL, nashc_tensor_take(&b));
    } else {
        index = nashc_onnx_in_value(r, 1);
    }
    if (!index)
        return nashc_onnx_status(r);
    return nashc_onnx_set(
        r, 0, nashc_onnx_op(r, "nn.gather", (nashc_value *[]){x, index}, 2, "axis=%d", axis),
        nashc_onnx_in_elem(r, 0));
}

/* --- padding ------------------------------------------------------------------------------------
 */

/* pads: rank begins, rank ends; negative ones cut. */
static nashc_status
pad(nashc_onnx_in *r, nashc_value *x, const int64_t *pads, nashc_value *value)
{
    const nashc_type *t = nashc_value_type(x);
    int64_t starts[NASHC_MAX_RANK], ends[NASHC_MAX_RANK], grow[2 * NASHC_MAX_RANK];
    const char *mode = nashc_onnx_attr_str(r, "mode", "constant");
    bool cut = false, grows = false;
    int rank = t->rank;
    nashc_status s;

    if (strcmp(mode, "constant") && strcmp(mode, "reflect") && strcmp(mode, "edge") &&
        strcmp(mode, "wrap"))
        return nashc_onnx_error(r, "mode '%s' is not known", nashc_quote(nashc_onnx_diag(r), mode));
    for (int i = 0; i < rank; i++) {
        int64_t a = pads[i], b = pads[i + rank];
        if (a > NASHC_MAX_ELEMENTS || b > NASHC_MAX_ELEMENTS || a <= -t->dim[i] ||
            b <= -t->dim[i] || (a < 0 && b < 0 && a + b <= -t->dim[i]))
            return nashc_onnx_error(r, "padding of %" PRId64 " and %" PRId64 " on axis %d of %s", a,
                                    b, i, nashc_type_str(nashc_onnx_diag(r), t));
        starts[i] = a < 0 ? -a : 0;
        ends[i] = b < 0 ? t->dim[i] + b : t->dim[i];
        grow[i] = a > 0 ? a : 0;
        grow[i + rank] = b > 0 ? b : 0;
        cut = cut || a < 0 || b < 0;
        grows = grows || a > 0 || b > 0;
    }
    /* cut first: what is padded with may depend on the edge that is left */
    if (cut && (s = slice(r, x, starts, ends, NULL, NULL, rank, &x)))
        return s;
    if (grows || !cut)
        x = nashc_onnx_op(r, "nn.pad", (nashc_value *[]){x, value}, value ? 2 : 1, "pads=%s%s%s",
                          nashc_onnx_ints(r, grow, 2 * rank),
                          strcmp(mode, "constant") ? " mode=" : "",
                          strcmp(mode, "constant") ? mode : "");
    return nashc_onnx_set(r, 0, x, nashc_onnx_in_elem(r, 0));
}

/* Opset 2: all axes, value as attribute. */
static nashc_status
read_pad_old(nashc_onnx_in *r)
{
    nashc_value *x = nashc_onnx_in_value(r, 0);
    double value = nashc_onnx_attr_float(r, "value", 0);
    int n;
    const int64_t *pads = nashc_onnx_attr_ints(r, "pads", &n);

    if (!x)
        return nashc_onnx_status(r);
    if (!pads || n != 2 * nashc_value_type(x)->rank)
        return nashc_onnx_error(r, "%d pads for %d dimensions", n, nashc_value_type(x)->rank);
    return pad(r, x, pads, value != 0 ? nashc_onnx_f32(r, value) : NULL);
}

/* A fill value of 0 is the operator's own and needs no operand. */
static nashc_status
read_pad(nashc_onnx_in *r)
{
    nashc_value *x = nashc_onnx_in_value(r, 0), *value = NULL;
    const int64_t *pads, *axes;
    int64_t all[2 * NASHC_MAX_RANK] = {0};
    int n, n_axes, axis;
    nashc_status s;

    if (!x)
        return nashc_onnx_status(r);
    int rank = nashc_value_type(x)->rank;
    if ((s = nashc_onnx_in_ints(r, 1, "pads", &pads, &n)) ||
        (s = nashc_onnx_in_ints(r, 3, "axes", &axes, &n_axes)))
        return s;
    if (n != 2 * (axes ? n_axes : rank))
        return nashc_onnx_error(r, "%d pads for %d dimensions", n, axes ? n_axes : rank);
    for (int i = 0; i < n / 2; i++) {
        if ((s = nashc_onnx_axis(r, axes ? axes[i] : i, rank, &axis)))
            return s;
        all[axis] = pads[i];
        all[axis + rank] = pads[i + n / 2];
    }
    if (nashc_onnx_has(r, 2)) {
        const nashc_tensor *t = nashc_onnx_in_param(r, 2);
        if (t && !nashc_tensor_is_scalar(t))
            return nashc_onnx_error(r, "pad value \"%s\" has %" PRId64 " elements, expected 1",
                                    nashc_onnx_in_name(r, 2), nashc_tensor_count(t));
        bool zero = t && nashc_tensor_get(t, 0) == 0;
        if (!zero && !(value = nashc_onnx_in_value(r, 2)))
            return nashc_onnx_status(r);
        /* a vector of one, as some exporters write it */
        if (value && nashc_value_type(value)->rank > 0)
            value = nashc_onnx_reshape(r, value, NULL, 0);
    }
    return pad(r, x, all, value);
}

static const nashc_onnx_row rows[] = {
    {AI_ONNX, "Gather", 1, NULL, "axis-:i", 2, 2, 1, INF, read_gather},
    {AI_ONNX, "Pad", 2, NULL, "mode-:s pads-:I value-:f", 1, 1, 1, INF, read_pad_old},
    {AI_ONNX, "Pad", 11, NULL, "mode-:s", 2, 4, 1, INF, read_pad},
    {AI_ONNX, "Slice", 1, NULL, "axes-:I ends-:I starts-:I", 1, 1, 1, INF, read_slice_old},
    {AI_ONNX, "Slice", 10, NULL, "", 3, 5, 1, INF, read_slice},
    {0},
};

extern const nashc_impl nashc_impl_onnx_slice;

const nashc_impl nashc_impl_onnx_slice = NASHC_IMPL_ONNX("slice", rows);
