/* shape.c: operators that move elements: shapes, axes and ranges resolved to plain numbers. */
#include "frontends/onnx/ops/family.h"
#include <inttypes.h>
#include <string.h>

/* Attribute name of axes or another list, or operand i in later opsets. *v NULL: absent. */
static nashc_status
list(onnx_in *r, const char *name, int i, const int64_t **v, int *n)
{
    if (onnx_attr(r, name)) {
        *v = onnx_attr_ints(r, name, n);
        return NASHC_OK;
    }
    return i >= 0 ? onnx_in_ints(r, i, name, v, n) : (*v = NULL, *n = 0, NASHC_OK);
}

nashc_status
onnx_read_reshape(onnx_in *r)
{
    nashc_value *x = onnx_in_value(r, 0);
    const int64_t *want;
    int64_t dim[NASHC_MAX_RANK], known = 1;
    int n, rest = -1;
    nashc_status s;

    if (!x)
        return onnx_build_status(r);
    if ((s = onnx_in_ints(r, 1, "shape", &want, &n)))
        return s;
    const nashc_type *t = nashc_value_type(x);
    int64_t count = nashc_type_count(t);
    bool keep_zero = onnx_attr_int(r, "allowzero", 0) != 0;
    if (n > NASHC_MAX_RANK)
        return onnx_unsup(r, "%d dimensions, at most %d are supported", n, NASHC_MAX_RANK);
    for (int i = 0; i < n; i++) {
        dim[i] = want[i];
        if (want[i] == 0 && !keep_zero) {
            if (i >= t->rank)
                return onnx_err(r, "shape %s copies dimension %d, the input has %d",
                                onnx_ints(r, want, n), i, t->rank);
            dim[i] = t->dim[i];
        } else if (want[i] == -1 && rest < 0) {
            rest = i;
            continue;
        } else if (want[i] < 1) {
            return onnx_err(r, "shape %s is not legal: %s", onnx_ints(r, want, n),
                            want[i] == -1 ? "two entries are -1" : "an entry is not positive");
        }
        if (!nashc_mul_size(known, dim[i], &known) || known > count)
            return onnx_err(r, "shape %s needs more than the %" PRId64 " elements of \"%s\"",
                            onnx_ints(r, want, n), count, onnx_in_name(r, 0));
    }
    if (rest >= 0 ? count % known != 0 : count != known)
        return onnx_err(r, "%" PRId64 " elements of \"%s\" do not fit shape %s", count,
                        onnx_in_name(r, 0), onnx_ints(r, want, n));
    if (rest >= 0)
        dim[rest] = count / known;
    return onnx_set(r, 0, onnx_reshape(r, x, dim, n), onnx_in_elem(r, 0));
}

nashc_status
onnx_read_flatten(onnx_in *r)
{
    nashc_value *x = onnx_in_value(r, 0);
    int64_t axis = onnx_attr_int(r, "axis", 1), dim[2] = {1, 1};

    if (!x)
        return onnx_build_status(r);
    const nashc_type *t = nashc_value_type(x);
    if (axis < -t->rank || axis > t->rank)
        return onnx_err(r, "axis %" PRId64 " is out of range for %d dimensions", axis, t->rank);
    axis = axis < 0 ? axis + t->rank : axis;
    for (int i = 0; i < t->rank; i++)
        dim[i >= axis] *= t->dim[i];
    return onnx_set(r, 0, onnx_reshape(r, x, dim, 2), onnx_in_elem(r, 0));
}

nashc_status
onnx_read_transpose(onnx_in *r)
{
    nashc_value *x = onnx_in_value(r, 0);
    int64_t reversed[NASHC_MAX_RANK], *sorted;
    int n;
    const int64_t *perm = onnx_attr_ints(r, "perm", &n);
    nashc_status s;

    if (!x)
        return onnx_build_status(r);
    int rank = nashc_value_type(x)->rank;
    if (!perm || !n) {
        for (int i = 0; i < rank; i++)
            reversed[i] = rank - 1 - i;
        perm = reversed;
        n = rank;
    }
    if (n != rank)
        return onnx_err(r, "perm %s has %d entries for %d dimensions", onnx_ints(r, perm, n), n,
                        rank);
    for (int i = 0; i < n; i++)
        if (perm[i] < 0)
            return onnx_err(r, "perm %s is no permutation", onnx_ints(r, perm, n));
    if ((s = onnx_axes(r, perm, n, rank, &sorted))) {
        nashc_note(r->d, "perm %s is no permutation", onnx_ints(r, perm, n));
        return s;
    }
    return onnx_set(r, 0, onnx_transpose(r, x, perm), onnx_in_elem(r, 0));
}

nashc_status
onnx_read_squeeze(onnx_in *r)
{
    nashc_value *x = onnx_in_value(r, 0);
    const int64_t *axes;
    int64_t *sorted, dim[NASHC_MAX_RANK];
    int n, rank = 0, k = 0;
    nashc_status s;

    if (!x)
        return onnx_build_status(r);
    const nashc_type *t = nashc_value_type(x);
    if ((s = list(r, "axes", 1, &axes, &n)) || (s = onnx_axes(r, axes, n, t->rank, &sorted)))
        return s;
    for (int i = 0; i < t->rank; i++) {
        bool drop = axes ? k < n && sorted[k] == i : t->dim[i] == 1;
        if (axes && drop)
            k++;
        if (drop && t->dim[i] != 1)
            return onnx_err(r, "axis %d of %s is not 1", i, nashc_type_str(r->d, t));
        if (!drop)
            dim[rank++] = t->dim[i];
    }
    return onnx_set(r, 0, onnx_reshape(r, x, dim, rank), onnx_in_elem(r, 0));
}

nashc_status
onnx_read_unsqueeze(onnx_in *r)
{
    nashc_value *x = onnx_in_value(r, 0);
    const int64_t *axes;
    int64_t *sorted, dim[NASHC_MAX_RANK];
    int n, k = 0, from = 0;
    nashc_status s;

    if (!x)
        return onnx_build_status(r);
    const nashc_type *t = nashc_value_type(x);
    if ((s = list(r, "axes", 1, &axes, &n)) || (s = onnx_axes(r, axes, n, t->rank + n, &sorted)))
        return s;
    for (int i = 0; i < t->rank + n; i++)
        if (k < n && sorted[k] == i) {
            dim[i] = 1;
            k++;
        } else {
            dim[i] = t->dim[from++];
        }
    return onnx_set(r, 0, onnx_reshape(r, x, dim, t->rank + n), onnx_in_elem(r, 0));
}

nashc_status
onnx_read_expand(onnx_in *r)
{
    nashc_value *x = onnx_in_value(r, 0);
    const int64_t *want;
    int n;
    nashc_type shape = {0};
    nashc_status s;

    if (!x)
        return onnx_build_status(r);
    if ((s = onnx_in_ints(r, 1, "shape", &want, &n)))
        return s;
    if (n > NASHC_MAX_RANK)
        return onnx_unsup(r, "%d dimensions, at most %d are supported", n, NASHC_MAX_RANK);
    for (int i = 0; i < n; i++)
        if (want[i] < 1)
            return onnx_err(r, "shape %s has an entry that is not positive", onnx_ints(r, want, n));
    shape = nashc_type_shaped(*nashc_value_type(x), n, want);
    nashc_type out = shape;
    if (!nashc_type_broadcast(nashc_value_type(x), &shape, &out))
        return onnx_err(r, "%s does not broadcast to %s", nashc_type_str(r->d, nashc_value_type(x)),
                        onnx_ints(r, want, n));
    return onnx_set(r, 0, onnx_op1(r, "nn.expand", x, "shape=%s", onnx_ints(r, out.dim, out.rank)),
                    onnx_in_elem(r, 0));
}

nashc_status
onnx_read_tile(onnx_in *r)
{
    nashc_value *x = onnx_in_value(r, 0);
    const int64_t *repeats;
    int n;
    nashc_status s;

    if (!x)
        return onnx_build_status(r);
    if ((s = onnx_in_ints(r, 1, "repeats", &repeats, &n)))
        return s;
    const nashc_type *t = nashc_value_type(x);
    if (n != t->rank)
        return onnx_err(r, "%d repeats for %d dimensions", n, t->rank);
    for (int i = 0; i < n; i++)
        if (repeats[i] < 1 || repeats[i] > NASHC_MAX_ELEMENTS / t->dim[i])
            return onnx_err(r, "repeats %s: the result is empty or too large",
                            onnx_ints(r, repeats, n));
    return onnx_set(r, 0, onnx_op1(r, "nn.tile", x, "repeats=%s", onnx_ints(r, repeats, n)),
                    onnx_in_elem(r, 0));
}

nashc_status
onnx_read_concat(onnx_in *r)
{
    int n = onnx_n_in(r), k = 0, axis;
    nashc_value **in = NASHC_NEW_N(r->arena, nashc_value *, n + 1);
    nashc_status s;

    if (!in)
        return nashc_enomem(r->d);
    for (int i = 0; i < n; i++) {
        if (!onnx_has(r, i))
            continue; /* no elements */
        if (!(in[k++] = onnx_in_value(r, i)))
            return onnx_build_status(r);
    }
    if (!k)
        return onnx_unsup(r, "all operands are empty");
    if (!onnx_attr(r, "axis"))
        return onnx_err(r, "attribute axis is missing");
    if ((s = onnx_axis(r, onnx_attr_int(r, "axis", 0), nashc_value_type(in[0])->rank, &axis)))
        return s;
    return onnx_set(r, 0, onnx_op(r, "nn.concat", in, k, "axis=%d", axis), onnx_in_elem(r, 0));
}

nashc_status
onnx_read_split(onnx_in *r)
{
    nashc_value *x = onnx_in_value(r, 0);
    const int64_t *split;
    int64_t parts[ONNX_SMALL], sum = 0;
    int n, axis, n_out = (int)r->node->n_output;
    nashc_status s;

    if (!x)
        return onnx_build_status(r);
    const nashc_type *t = nashc_value_type(x);
    if ((s = onnx_axis(r, onnx_attr_int(r, "axis", 0), t->rank, &axis)) ||
        (s = list(r, "split", 1, &split, &n)))
        return s;
    int64_t want = onnx_attr_int(r, "num_outputs", n_out);
    if (n_out > ONNX_SMALL || want != n_out || (split && n != n_out))
        return onnx_err(r, "%d outputs, %" PRId64 " parts", n_out, split ? n : want);
    for (int i = 0; i < n_out; i++) {
        int64_t size = (t->dim[axis] + n_out - 1) / n_out;
        bool last = i == n_out - 1;
        parts[i] = split ? split[i] : last ? t->dim[axis] - size * (n_out - 1) : size;
        if (parts[i] < 1 || !nashc_add_size(sum, parts[i], &sum))
            return onnx_err(r, "part %d has size %" PRId64, i, parts[i]);
    }
    if (sum != t->dim[axis])
        return onnx_err(r, "parts sum to %" PRId64 ", dimension %d is %" PRId64, sum, axis,
                        t->dim[axis]);
    nashc_node *node = onnx_node(
        r, "nn.split", &x, 1, n_out,
        nashc_arena_printf(r->arena, "axis=%d parts=%s", axis, onnx_ints(r, parts, n_out)));
    if (!node)
        return onnx_build_status(r);
    for (int i = 0; i < n_out; i++)
        if ((s = onnx_set(r, i, nashc_node_out(node, i), onnx_in_elem(r, 0))))
            return s;
    return NASHC_OK;
}

/* --- ranges -------------------------------------------------------------------------------------
 */

/* Slices x; all lists have n entries; axes NULL: the first n, steps NULL: 1. */
static nashc_status
slice(onnx_in *r, nashc_value *x, const int64_t *starts, const int64_t *ends, const int64_t *axes,
      const int64_t *steps, int n, nashc_value **out)
{
    const nashc_type *t = nashc_value_type(x);
    int64_t from[NASHC_MAX_RANK], to[NASHC_MAX_RANK], which[NASHC_MAX_RANK], step[NASHC_MAX_RANK];
    int axis;
    nashc_status s;

    if (n > t->rank)
        return onnx_err(r, "%d ranges for %d dimensions", n, t->rank);
    for (int i = 0; i < n; i++) {
        if ((s = onnx_axis(r, axes ? axes[i] : i, t->rank, &axis)))
            return s;
        for (int k = 0; k < i; k++)
            if (which[k] == axis)
                return onnx_err(r, "axis %d is given twice", axis);
        int64_t dim = t->dim[axis], a = starts[i], b = ends[i], st = steps ? steps[i] : 1;
        if (st == 0)
            return onnx_err(r, "step 0 on axis %d", axis);
        st = st > dim ? dim : st < -dim ? -dim : st; /* longer steps take one element, too */
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
            return onnx_unsup(r, "the range %" PRId64 " to %" PRId64 " on axis %d of %s is empty",
                              starts[i], ends[i], axis, nashc_type_str(r->d, t));
        which[i] = axis;
        step[i] = st;
    }
    *out = onnx_op1(r, "nn.slice", x, "starts=%s ends=%s axes=%s steps=%s", onnx_ints(r, from, n),
                    onnx_ints(r, to, n), onnx_ints(r, which, n), onnx_ints(r, step, n));
    return NASHC_OK;
}

static nashc_status
sliced(onnx_in *r, const int64_t *starts, int n, const int64_t *ends, int n_ends,
       const int64_t *axes, int n_axes, const int64_t *steps, int n_steps)
{
    nashc_value *x = onnx_in_value(r, 0), *y = NULL;
    nashc_status s;

    if (!x)
        return onnx_build_status(r);
    if (!starts || !ends || n_ends != n || (axes && n_axes != n) || (steps && n_steps != n))
        return onnx_err(r, "starts, ends, axes and steps differ in length");
    if ((s = slice(r, x, starts, ends, axes, steps, n, &y)))
        return s;
    return onnx_set(r, 0, y, onnx_in_elem(r, 0));
}

nashc_status
onnx_read_slice_old(onnx_in *r)
{
    int n, n_ends, n_axes;
    const int64_t *starts = onnx_attr_ints(r, "starts", &n);
    const int64_t *ends = onnx_attr_ints(r, "ends", &n_ends);
    const int64_t *axes = onnx_attr_ints(r, "axes", &n_axes);

    return sliced(r, starts, n, ends, n_ends, axes, n_axes, NULL, 0);
}

nashc_status
onnx_read_slice(onnx_in *r)
{
    const int64_t *v[4];
    int n[4];
    static const char *const what[] = {"starts", "ends", "axes", "steps"};

    for (int i = 0; i < 4; i++) {
        nashc_status s = onnx_in_ints(r, i + 1, what[i], &v[i], &n[i]);
        if (s)
            return s;
    }
    return sliced(r, v[0], n[0], v[1], n[1], v[2], n[2], v[3], n[3]);
}

nashc_status
onnx_read_gather(onnx_in *r)
{
    nashc_value *x = onnx_in_value(r, 0), *index = NULL;
    const nashc_tensor *t = onnx_in_const(r, 1);
    int axis;
    nashc_status s;

    if (!x || r->failed)
        return onnx_build_status(r);
    const nashc_type *xt = nashc_value_type(x);
    if ((s = onnx_axis(r, onnx_attr_int(r, "axis", 0), xt->rank, &axis)))
        return s;
    if (t && nashc_type_is_int(nashc_tensor_type(t))) {
        /* Known indices: negative ones count from the end. */
        nashc_type it = nashc_type_with_elem(nashc_tensor_type(t), &(nashc_type){0});
        nashc_type elem = nashc_type_for_range(0, xt->dim[axis] - 1);
        nashc_buf b;
        it = nashc_type_with_elem(&it, &elem);
        if (!nashc_buf_alloc(&b, &it))
            return nashc_enomem(r->d);
        for (int64_t i = 0; i < b.n; i++) {
            int64_t at = nashc_tensor_get_int(t, i), dim = xt->dim[axis];
            if (at < -dim || at >= dim) {
                nashc_buf_free(&b);
                return onnx_err(r, "index %" PRId64 " is out of range for dimension %" PRId64, at,
                                dim);
            }
            nashc_buf_set_int(&b, i, at < 0 ? at + dim : at);
        }
        index = onnx_const(r, NULL, nashc_tensor_take(&b));
    } else {
        index = onnx_in_value(r, 1);
    }
    if (!index)
        return onnx_build_status(r);
    return onnx_set(r, 0, onnx_op(r, "nn.gather", (nashc_value *[]){x, index}, 2, "axis=%d", axis),
                    onnx_in_elem(r, 0));
}

/* --- padding ------------------------------------------------------------------------------------
 */

/* pads: rank begins, rank ends; negative ones cut. */
static nashc_status
pad(onnx_in *r, nashc_value *x, const int64_t *pads, nashc_value *value)
{
    const nashc_type *t = nashc_value_type(x);
    int64_t starts[NASHC_MAX_RANK], ends[NASHC_MAX_RANK], grow[2 * NASHC_MAX_RANK];
    const char *mode = onnx_attr_str(r, "mode", "constant");
    bool cut = false, grows = false;
    int rank = t->rank;
    nashc_status s;

    if (strcmp(mode, "constant") && strcmp(mode, "reflect") && strcmp(mode, "edge") &&
        strcmp(mode, "wrap"))
        return onnx_err(r, "mode '%s' is not known", nashc_quote(r->d, mode));
    for (int i = 0; i < rank; i++) {
        int64_t a = pads[i], b = pads[i + rank];
        if (a > NASHC_MAX_ELEMENTS || b > NASHC_MAX_ELEMENTS || a <= -t->dim[i] ||
            b <= -t->dim[i] || (a < 0 && b < 0 && a + b <= -t->dim[i]))
            return onnx_err(r, "padding of %" PRId64 " and %" PRId64 " on axis %d of %s", a, b, i,
                            nashc_type_str(r->d, t));
        starts[i] = a < 0 ? -a : 0;
        ends[i] = b < 0 ? t->dim[i] + b : t->dim[i];
        grow[i] = a > 0 ? a : 0;
        grow[i + rank] = b > 0 ? b : 0;
        cut = cut || a < 0 || b < 0;
        grows = grows || a > 0 || b > 0;
    }
    if (cut && (s = slice(r, x, starts, ends, NULL, NULL, rank, &x)))
        return s;
    if (grows || !cut)
        x = onnx_op(r, "nn.pad", (nashc_value *[]){x, value}, value ? 2 : 1, "pads=%s%s%s",
                    onnx_ints(r, grow, 2 * rank), strcmp(mode, "constant") ? " mode=" : "",
                    strcmp(mode, "constant") ? mode : "");
    return onnx_set(r, 0, x, onnx_in_elem(r, 0));
}

nashc_status
onnx_read_pad_old(onnx_in *r)
{
    nashc_value *x = onnx_in_value(r, 0);
    double value = onnx_attr_float(r, "value", 0);
    int n;
    const int64_t *pads = onnx_attr_ints(r, "pads", &n);

    if (!x)
        return onnx_build_status(r);
    if (!pads || n != 2 * nashc_value_type(x)->rank)
        return onnx_err(r, "%d pads for %d dimensions", n, nashc_value_type(x)->rank);
    return pad(r, x, pads, value != 0 ? onnx_f32(r, value) : NULL);
}

nashc_status
onnx_read_pad(onnx_in *r)
{
    nashc_value *x = onnx_in_value(r, 0), *value = NULL;
    const int64_t *pads, *axes;
    int64_t all[2 * NASHC_MAX_RANK] = {0};
    int n, n_axes, axis;
    nashc_status s;

    if (!x)
        return onnx_build_status(r);
    int rank = nashc_value_type(x)->rank;
    if ((s = onnx_in_ints(r, 1, "pads", &pads, &n)) ||
        (s = onnx_in_ints(r, 3, "axes", &axes, &n_axes)))
        return s;
    if (n != 2 * (axes ? n_axes : rank))
        return onnx_err(r, "%d pads for %d dimensions", n, axes ? n_axes : rank);
    for (int i = 0; i < n / 2; i++) {
        if ((s = onnx_axis(r, axes ? axes[i] : i, rank, &axis)))
            return s;
        all[axis] = pads[i];
        all[axis + rank] = pads[i + n / 2];
    }
    if (onnx_has(r, 2)) {
        const nashc_tensor *t = onnx_in_const(r, 2);
        if (t && !nashc_tensor_is_scalar(t))
            return onnx_err(r, "pad value \"%s\" has %" PRId64 " elements, expected 1",
                            onnx_in_name(r, 2), nashc_tensor_count(t));
        bool zero = t && nashc_tensor_get(t, 0) == 0;
        if (!zero && !(value = onnx_in_value(r, 2)))
            return onnx_build_status(r);
        if (value && nashc_value_type(value)->rank > 0)
            value = onnx_reshape(r, value, NULL, 0);
    }
    return pad(r, x, all, value);
}

nashc_status
onnx_read_depth_space(onnx_in *r)
{
    nashc_value *x = onnx_in_plain(r, 0);
    bool to_space = !strcmp(r->node->op_type, "DepthToSpace");
    int64_t block = onnx_attr_int(r, "blocksize", 0);
    const char *mode = onnx_attr_str(r, "mode", "DCR");

    if (!x)
        return onnx_build_status(r);
    const nashc_type *t = nashc_value_type(x);
    if (t->rank != 4)
        return onnx_err(r, "input \"%s\" is %s, expected [N,C,H,W]", onnx_in_name(r, 0),
                        nashc_type_str(r->d, t));
    if (block < 1 || block > 65536)
        return onnx_err(r, "blocksize %" PRId64, block);
    if (to_space ? t->dim[1] % (block * block) != 0 : t->dim[2] % block || t->dim[3] % block)
        return onnx_err(r, "blocksize %" PRId64 " does not divide %s", block,
                        nashc_type_str(r->d, t));
    if (strcmp(mode, "DCR") && strcmp(mode, "CRD"))
        return onnx_err(r, "mode '%s' is not known", nashc_quote(r->d, mode));
    if (!to_space && !strcmp(mode, "CRD")) { /* channels outermost: no operator of its own */
        int64_t c = t->dim[1], h = t->dim[2] / block, w = t->dim[3] / block, n = t->dim[0];
        int64_t split[6] = {n, c, h, block, w, block}, perm[6] = {0, 1, 3, 5, 2, 4};
        int64_t joined[4] = {n, c * block * block, h, w};
        x = onnx_transpose(r, onnx_reshape(r, x, split, 6), perm);
        return onnx_set(r, 0, x ? onnx_reshape(r, x, joined, 4) : NULL, onnx_in_elem(r, 0));
    }
    if (!to_space)
        return onnx_set(r, 0, onnx_op1(r, "nn.space_to_depth", x, "block=%" PRId64, block),
                        onnx_in_elem(r, 0));
    return onnx_set(r, 0,
                    onnx_op1(r, "nn.depth_to_space", x, "block=%" PRId64 "%s%s", block,
                             strcmp(mode, "DCR") ? " mode=" : "", strcmp(mode, "DCR") ? mode : ""),
                    onnx_in_elem(r, 0));
}
