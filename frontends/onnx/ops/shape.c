/* shape.c: operators that move elements: shapes, axes and ranges resolved to plain numbers. */
#include "frontends/onnx/ops/family.h"
#include <inttypes.h>
#include <string.h>

enum { MAX_PARTS = 4096 }; /* of a Split */

/* Attribute name of axes or another list, or operand i in later opsets. *v NULL: absent. */
static nashc_status
list(nashc_onnx_in *r, const char *name, int i, const int64_t **v, int *n)
{
    if (nashc_onnx_has_attr(r, name)) {
        *v = nashc_onnx_attr_ints(r, name, n);
        return NASHC_OK;
    }
    return i >= 0 ? nashc_onnx_in_ints(r, i, name, v, n) : (*v = NULL, *n = 0, NASHC_OK);
}

/* 0 copies the input's dimension, unless allowzero is set; one -1 takes what is left. */
static nashc_status
read_reshape(nashc_onnx_in *r)
{
    nashc_value *x = nashc_onnx_in_value(r, 0);
    const int64_t *want;
    int64_t dim[NASHC_MAX_RANK], known = 1;
    int n, rest = -1;
    nashc_status s;

    if (!x)
        return nashc_onnx_status(r);
    if ((s = nashc_onnx_in_ints(r, 1, "shape", &want, &n)))
        return s;
    const nashc_type *t = nashc_value_type(x);
    int64_t count = nashc_type_count(t);
    bool keep_zero = nashc_onnx_attr_int(r, "allowzero", 0) != 0;
    if (n > NASHC_MAX_RANK)
        return nashc_onnx_unsup(r, "%d dimensions, at most %d are supported", n, NASHC_MAX_RANK);
    for (int i = 0; i < n; i++) {
        dim[i] = want[i];
        if (want[i] == 0 && !keep_zero) {
            if (i >= t->rank)
                return nashc_onnx_error(r, "shape %s copies dimension %d, the input has %d",
                                        nashc_onnx_ints(r, want, n), i, t->rank);
            dim[i] = t->dim[i];
        } else if (want[i] == -1 && rest < 0) {
            rest = i;
            continue;
        } else if (want[i] < 1) {
            return nashc_onnx_error(r, "shape %s is not legal: %s", nashc_onnx_ints(r, want, n),
                                    want[i] == -1 ? "two entries are -1"
                                                  : "an entry is not positive");
        }
        /* so a product of strange numbers cannot wrap */
        if (!nashc_mul_size(known, dim[i], &known) || known > count)
            return nashc_onnx_error(r,
                                    "shape %s needs more than the %" PRId64 " elements of \"%s\"",
                                    nashc_onnx_ints(r, want, n), count, nashc_onnx_in_name(r, 0));
    }
    if (rest >= 0 ? count % known != 0 : count != known)
        return nashc_onnx_error(r, "%" PRId64 " elements of \"%s\" do not fit shape %s", count,
                                nashc_onnx_in_name(r, 0), nashc_onnx_ints(r, want, n));
    if (rest >= 0)
        dim[rest] = count / known;
    return nashc_onnx_set(r, 0, nashc_onnx_reshape(r, x, dim, n), nashc_onnx_in_elem(r, 0));
}

/* Two dimensions: those before axis, and the rest. */
static nashc_status
read_flatten(nashc_onnx_in *r)
{
    nashc_value *x = nashc_onnx_in_value(r, 0);
    /* axis == rank is legal: then the rest is 1 */
    int64_t axis = nashc_onnx_attr_int(r, "axis", 1), dim[2] = {1, 1};

    if (!x)
        return nashc_onnx_status(r);
    const nashc_type *t = nashc_value_type(x);
    if (axis < -t->rank || axis > t->rank)
        return nashc_onnx_error(r, "axis %" PRId64 " is out of range for %d dimensions", axis,
                                t->rank);
    axis = axis < 0 ? axis + t->rank : axis;
    for (int i = 0; i < t->rank; i++)
        dim[i >= axis] *= t->dim[i];
    return nashc_onnx_set(r, 0, nashc_onnx_reshape(r, x, dim, 2), nashc_onnx_in_elem(r, 0));
}

/* Without perm the axes are reversed. Sorted perm must be 0..n-1: onnx_axes finds doubles and
 * strangers. */
static nashc_status
read_transpose(nashc_onnx_in *r)
{
    nashc_value *x = nashc_onnx_in_value(r, 0);
    int64_t reversed[NASHC_MAX_RANK], *sorted;
    int n;
    const int64_t *perm = nashc_onnx_attr_ints(r, "perm", &n);
    nashc_status s;

    if (!x)
        return nashc_onnx_status(r);
    int rank = nashc_value_type(x)->rank;
    if (!perm || !n) {
        for (int i = 0; i < rank; i++)
            reversed[i] = rank - 1 - i;
        perm = reversed;
        n = rank;
    }
    if (n != rank)
        return nashc_onnx_error(r, "perm %s has %d entries for %d dimensions",
                                nashc_onnx_ints(r, perm, n), n, rank);
    for (int i = 0; i < n; i++)
        if (perm[i] < 0)
            return nashc_onnx_error(r, "perm %s is no permutation", nashc_onnx_ints(r, perm, n));
    if ((s = nashc_onnx_axes(r, perm, n, rank, &sorted))) {
        nashc_note(nashc_onnx_diag(r), "perm %s is no permutation", nashc_onnx_ints(r, perm, n));
        return s;
    }
    return nashc_onnx_set(r, 0, nashc_onnx_transpose(r, x, perm), nashc_onnx_in_elem(r, 0));
}

/* Without axes all dimensions of size 1 go. */
static nashc_status
read_squeeze(nashc_onnx_in *r)
{
    nashc_value *x = nashc_onnx_in_value(r, 0);
    const int64_t *axes;
    int64_t *sorted, dim[NASHC_MAX_RANK];
    int n, rank = 0, k = 0;
    nashc_status s;

    if (!x)
        return nashc_onnx_status(r);
    const nashc_type *t = nashc_value_type(x);
    if ((s = list(r, "axes", 1, &axes, &n)) || (s = nashc_onnx_axes(r, axes, n, t->rank, &sorted)))
        return s;
    for (int i = 0; i < t->rank; i++) {
        /* axes are sorted, so one walk meets them in order */
        bool drop = axes ? k < n && sorted[k] == i : t->dim[i] == 1;
        if (axes && drop)
            k++;
        if (drop && t->dim[i] != 1)
            return nashc_onnx_error(r, "axis %d of %s is not 1", i,
                                    nashc_type_str(nashc_onnx_diag(r), t));
        if (!drop)
            dim[rank++] = t->dim[i];
    }
    return nashc_onnx_set(r, 0, nashc_onnx_reshape(r, x, dim, rank), nashc_onnx_in_elem(r, 0));
}

/* Axes count in the result, so its rank bounds them. */
static nashc_status
read_unsqueeze(nashc_onnx_in *r)
{
    nashc_value *x = nashc_onnx_in_value(r, 0);
    const int64_t *axes;
    int64_t *sorted, dim[NASHC_MAX_RANK];
    int n, k = 0, from = 0;
    nashc_status s;

    if (!x)
        return nashc_onnx_status(r);
    const nashc_type *t = nashc_value_type(x);
    if ((s = list(r, "axes", 1, &axes, &n)) ||
        (s = nashc_onnx_axes(r, axes, n, t->rank + n, &sorted)))
        return s;
    for (int i = 0; i < t->rank + n; i++)
        if (k < n && sorted[k] == i) {
            dim[i] = 1;
            k++;
        } else {
            dim[i] = t->dim[from++];
        }
    return nashc_onnx_set(r, 0, nashc_onnx_reshape(r, x, dim, t->rank + n),
                          nashc_onnx_in_elem(r, 0));
}

/* Both shapes broadcast to each other: a 1 in the wanted shape keeps the input's size. */
static nashc_status
read_expand(nashc_onnx_in *r)
{
    nashc_value *x = nashc_onnx_in_value(r, 0);
    const int64_t *want;
    int n;
    nashc_type shape = {0};
    nashc_status s;

    if (!x)
        return nashc_onnx_status(r);
    if ((s = nashc_onnx_in_ints(r, 1, "shape", &want, &n)))
        return s;
    if (n > NASHC_MAX_RANK)
        return nashc_onnx_unsup(r, "%d dimensions, at most %d are supported", n, NASHC_MAX_RANK);
    for (int i = 0; i < n; i++)
        if (want[i] < 1)
            return nashc_onnx_error(r, "shape %s has an entry that is not positive",
                                    nashc_onnx_ints(r, want, n));
    shape = nashc_type_shaped(*nashc_value_type(x), n, want);
    nashc_type out = shape;
    if (!nashc_type_broadcast(nashc_value_type(x), &shape, &out))
        return nashc_onnx_error(r, "%s does not broadcast to %s",
                                nashc_type_str(nashc_onnx_diag(r), nashc_value_type(x)),
                                nashc_onnx_ints(r, want, n));
    return nashc_onnx_set(
        r, 0, nashc_onnx_op1(r, "nn.expand", x, "shape=%s", nashc_onnx_ints(r, out.dim, out.rank)),
        nashc_onnx_in_elem(r, 0));
}

/* repeats has one entry for each axis. */
static nashc_status
read_tile(nashc_onnx_in *r)
{
    nashc_value *x = nashc_onnx_in_value(r, 0);
    const int64_t *repeats;
    int n;
    nashc_status s;

    if (!x)
        return nashc_onnx_status(r);
    if ((s = nashc_onnx_in_ints(r, 1, "repeats", &repeats, &n)))
        return s;
    const nashc_type *t = nashc_value_type(x);
    if (n != t->rank)
        return nashc_onnx_error(r, "%d repeats for %d dimensions", n, t->rank);
    for (int i = 0; i < n; i++)
        /* each alone; the type of the result checks their product */
        if (repeats[i] < 1 || repeats[i] > NASHC_MAX_ELEMENTS / t->dim[i])
            return nashc_onnx_error(r, "repeats %s: the result is empty or too large",
                                    nashc_onnx_ints(r, repeats, n));
    return nashc_onnx_set(
        r, 0, nashc_onnx_op1(r, "nn.tile", x, "repeats=%s", nashc_onnx_ints(r, repeats, n)),
        nashc_onnx_in_elem(r, 0));
}

/* Operands without elements add nothing. */
static nashc_status
read_concat(nashc_onnx_in *r)
{
    int n = nashc_onnx_n_in(r), k = 0, axis;
    nashc_value **in = NASHC_NEW_N(nashc_onnx_arena(r), nashc_value *, n + 1);
    nashc_status s;

    if (!in)
        return nashc_enomem(nashc_onnx_diag(r));
    for (int i = 0; i < n; i++) {
        if (!nashc_onnx_has(r, i))
            continue; /* no elements */
        if (!(in[k++] = nashc_onnx_in_value(r, i)))
            return nashc_onnx_status(r);
    }
    if (!k)
        return nashc_onnx_unsup(r, "all operands are empty");
    if (!nashc_onnx_has_attr(r, "axis"))
        return nashc_onnx_error(r, "attribute axis is missing");
    if ((s = nashc_onnx_axis(r, nashc_onnx_attr_int(r, "axis", 0), nashc_value_type(in[0])->rank,
                             &axis)))
        return s;
    return nashc_onnx_set(r, 0, nashc_onnx_op(r, "nn.concat", in, k, "axis=%d", axis),
                          nashc_onnx_in_elem(r, 0));
}

/* Without sizes the parts are equal, the last one smaller where the dimension does not divide. */
static nashc_status
read_split(nashc_onnx_in *r)
{
    nashc_value *x = nashc_onnx_in_value(r, 0);
    const int64_t *split;
    int64_t parts[MAX_PARTS], sum = 0;
    int n, axis, n_out = nashc_onnx_n_out(r);
    nashc_status s;

    if (!x)
        return nashc_onnx_status(r);
    const nashc_type *t = nashc_value_type(x);
    if ((s = nashc_onnx_axis(r, nashc_onnx_attr_int(r, "axis", 0), t->rank, &axis)) ||
        (s = list(r, "split", 1, &split, &n)))
        return s;
    /* opset 18 says it twice, by the attribute and by the outputs */
    int64_t want = nashc_onnx_attr_int(r, "num_outputs", n_out);
    if (n_out > MAX_PARTS || want != n_out || (split && n != n_out))
        return nashc_onnx_error(r, "%d outputs, %" PRId64 " parts", n_out, split ? n : want);
    for (int i = 0; i < n_out; i++) {
        /* the last part may come out empty or negative: refused below */
        int64_t size = (t->dim[axis] + n_out - 1) / n_out;
        bool last = i == n_out - 1;
        parts[i] = split ? split[i] : last ? t->dim[axis] - size * (n_out - 1) : size;
        if (parts[i] < 1 || !nashc_add_size(sum, parts[i], &sum))
            return nashc_onnx_error(r, "part %d has size %" PRId64, i, parts[i]);
    }
    if (sum != t->dim[axis])
        return nashc_onnx_error(r, "parts sum to %" PRId64 ", dimension %d is %" PRId64, sum, axis,
                                t->dim[axis]);
    nashc_node *node = nashc_onnx_node(r, "nn.split", &x, 1, n_out,
                                       nashc_arena_printf(nashc_onnx_arena(r), "axis=%d parts=%s",
                                                          axis, nashc_onnx_ints(r, parts, n_out)));
    if (!node)
        return nashc_onnx_status(r);
    for (int i = 0; i < n_out; i++)
        if ((s = nashc_onnx_set(r, i, nashc_node_out(node, i), nashc_onnx_in_elem(r, 0))))
            return s;
    return NASHC_OK;
}

/* DCR: blocks are the outer part of the channels; CRD: the inner one. */
static nashc_status
read_depth_space(nashc_onnx_in *r)
{
    nashc_value *x = nashc_onnx_in_plain(r, 0);
    bool to_space = !strcmp(nashc_onnx_op_type(r), "DepthToSpace");
    int64_t block = nashc_onnx_attr_int(r, "blocksize", 0);
    const char *mode = nashc_onnx_attr_str(r, "mode", "DCR");

    if (!x)
        return nashc_onnx_status(r);
    const nashc_type *t = nashc_value_type(x);
    if (t->rank != 4)
        return nashc_onnx_error(r, "input \"%s\" is %s, expected [N,C,H,W]",
                                nashc_onnx_in_name(r, 0), nashc_type_str(nashc_onnx_diag(r), t));
    /* so that block * block stays far below 2^63 */
    if (block < 1 || block > 65536)
        return nashc_onnx_error(r, "blocksize %" PRId64, block);
    if (to_space ? t->dim[1] % (block * block) != 0 : t->dim[2] % block || t->dim[3] % block)
        return nashc_onnx_error(r, "blocksize %" PRId64 " does not divide %s", block,
                                nashc_type_str(nashc_onnx_diag(r), t));
    if (strcmp(mode, "DCR") && strcmp(mode, "CRD"))
        return nashc_onnx_error(r, "mode '%s' is not known", nashc_quote(nashc_onnx_diag(r), mode));
    if (!to_space && !strcmp(mode, "CRD")) { /* channels outermost: no operator of its own */
        int64_t c = t->dim[1], h = t->dim[2] / block, w = t->dim[3] / block, n = t->dim[0];
        int64_t split[6] = {n, c, h, block, w, block}, perm[6] = {0, 1, 3, 5, 2, 4};
        int64_t joined[4] = {n, c * block * block, h, w};
        x = nashc_onnx_transpose(r, nashc_onnx_reshape(r, x, split, 6), perm);
        return nashc_onnx_set(r, 0, x ? nashc_onnx_reshape(r, x, joined, 4) : NULL,
                              nashc_onnx_in_elem(r, 0));
    }
    if (!to_space)
        return nashc_onnx_set(r, 0,
                              nashc_onnx_op1(r, "nn.space_to_depth", x, "block=%" PRId64, block),
                              nashc_onnx_in_elem(r, 0));
    return nashc_onnx_set(r, 0,
                          nashc_onnx_op1(r, "nn.depth_to_space", x, "block=%" PRId64 "%s%s", block,
                                         strcmp(mode, "DCR") ? " mode=" : "",
                                         strcmp(mode, "DCR") ? mode : ""),
                          nashc_onnx_in_elem(r, 0));
}

static const nashc_onnx_row rows[] = {
    {AI_ONNX, "Concat", 4, NULL, "axis-:i", 1, ANY, 1, SAME | INF, read_concat},
    {AI_ONNX, "DepthToSpace", 1, NULL, "blocksize-:i mode-:s", 1, 1, 1, 0, read_depth_space},
    {AI_ONNX, "Expand", 8, NULL, "", 2, 2, 1, INF, read_expand},
    {AI_ONNX, "Flatten", 1, NULL, "axis-:i", 1, 1, 1, INF, read_flatten},
    {AI_ONNX, "Reshape", 5, NULL, "allowzero-:i", 2, 2, 1, INF, read_reshape},
    {AI_ONNX, "SpaceToDepth", 1, NULL, "blocksize-:i mode-:s", 1, 1, 1, 0, read_depth_space},
    {AI_ONNX, "Split", 2, NULL, "axis-:i split-:I num_outputs-:i", 1, 2, 127, INF, read_split},
    {AI_ONNX, "Squeeze", 1, NULL, "axes-:I", 1, 2, 1, INF, read_squeeze},
    {AI_ONNX, "Tile", 6, NULL, "", 2, 2, 1, INF, read_tile},
    {AI_ONNX, "Transpose", 1, NULL, "perm-:I", 1, 1, 1, INF, read_transpose},
    {AI_ONNX, "Unsqueeze", 1, NULL, "axes-:I", 1, 2, 1, INF, read_unsqueeze},
    {0},
};

extern const nashc_impl nashc_impl_onnx_shape;

const nashc_impl nashc_impl_onnx_shape = NASHC_IMPL_ONNX("shape", rows);
