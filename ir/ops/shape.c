/* shape.c: ops that move or repeat the elements of one tensor.
 *
 *     nn.reshape(x; shape layout)
 *                              row-major order is kept; one -1 stands for an unknown dimension
 *     nn.transpose(x; perm)    result axis i is axis perm[i] of x
 *     nn.expand(x; shape)      numpy broadcasting
 *     nn.tile(x; repeats)      x repeated along each axis
 *     nn.depth_to_space, nn.space_to_depth
 *
 * Layout: nn.reshape gives the one it names, DEFAULT if none, so that it also relabels.
 * nn.transpose sets NHWC or NWC for [0,2,3,1] and [0,2,1] of a DEFAULT tensor, goes back for
 * [0,3,1,2] and [0,2,1], and keeps a channels-last layout if batch and channel axes stay.
 */
#include "ops.h"

#define SHAPE_OP(ID, NAME, HELP)                                                                   \
    const nashc_op nashc_op_nn_##ID = {                                                            \
        NASHC_DESC(nashc_op), .flags = NASHC_OP_SHAPE,                                             \
        .name = NAME,         .help = HELP,                                                        \
        .min_in = 1,          .max_in = 1,                                                         \
        .min_out = 1,         .max_out = 1,                                                        \
        .attrs = ID##_attrs,  .infer = ID##_infer,                                                 \
        .eval = ID##_eval,                                                                         \
    }

/* y[i] = x[walk]: every op of this file but for its walk. */
static void
gather(nashc_eval *e, ops_walk *w)
{
    const nashc_buf *x = nashc_eval_in(e, 0);
    nashc_buf *y = nashc_eval_out(e, 0);

    for (int64_t i = 0; i < y->n; i++)
        ops_copy(y, i, x, ops_walk_next(w));
}

/* --- nn.reshape --------------------------------------------------------------------------------
 */

static const nashc_param reshape_attrs[] = {
    ATTR(INTS, "shape", NULL, "-1..2147483648", "shape of the result"),
    ATTR(ENUM, "layout", "DEFAULT", "DEFAULT|NHWC|NWC", "layout of the result"), /* nashc_layout */
    {0},
};

static nashc_status
reshape_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    int rank, unknown = 0;
    int64_t have, want = 1;
    const int64_t *shape = nashc_attr_ints(n, 0, &rank);
    nashc_status s = ops_need_rank(n, 0, "input", 0, NASHC_MAX_RANK, d);

    if (s != NASHC_OK)
        return s;
    const nashc_type *x = ops_type(n, 0);
    if (rank > NASHC_MAX_RANK)
        return nashc_node_error(d, n, "shape has %d dimensions, at most %d are possible", rank,
                                NASHC_MAX_RANK);
    for (int i = 0; i < rank; i++) {
        if (shape[i] == -1)
            unknown++;
        else if (shape[i] < 1 || !nashc_mul_size(want, shape[i], &want))
            return nashc_node_error(d, n, "dimension %" PRId64 " of the new shape is not possible",
                                    shape[i]);
    }
    have = nashc_type_count(x);
    if (nashc_type_is_static(x) ? have != want || unknown : unknown != 1)
        return nashc_node_error(d, n, "%s does not have the %" PRId64 " elements of the new shape",
                                nashc_type_str(d, x), want);
    *out = nashc_type_shaped(*x, rank, shape);
    out->layout = (uint8_t)nashc_attr_int(n, 1);
    if (out->layout != NASHC_LAYOUT_DEFAULT && rank != (out->layout == NASHC_LAYOUT_NHWC ? 4 : 3))
        return nashc_node_error(d, n, "layout %s of %d dimensions", nashc_attr_str(n, 1), rank);
    return ops_check_shape(n, out, d);
}

static nashc_status
reshape_eval(nashc_eval *e, const nashc_node *n)
{
    nashc_buf *y = nashc_eval_out(e, 0);

    (void)n;
    for (int64_t i = 0; i < y->n; i++)
        ops_copy(y, i, nashc_eval_in(e, 0), i);
    return NASHC_OK;
}

SHAPE_OP(reshape, "nn.reshape", "the same elements in another shape");

/* --- nn.transpose ------------------------------------------------------------------------------
 */

static const nashc_param transpose_attrs[] = {
    ATTR(INTS, "perm", NULL, "0..7", "operand axis of each result axis"),
    {0},
};

static uint8_t
transposed_layout(const nashc_type *x, const int64_t *perm)
{
    int last = x->rank - 1;
    bool to_last = perm[0] == 0 && perm[last] == 1, inner_sorted = true;

    for (int i = 2; i < last; i++)
        inner_sorted &= perm[i] > perm[i - 1];
    if (x->rank != 3 && x->rank != 4)
        return NASHC_LAYOUT_DEFAULT;
    if (x->layout == NASHC_LAYOUT_DEFAULT)
        return to_last && inner_sorted ? (x->rank == 4 ? NASHC_LAYOUT_NHWC : NASHC_LAYOUT_NWC)
                                       : NASHC_LAYOUT_DEFAULT;
    return perm[0] == 0 && perm[last] == last ? x->layout : NASHC_LAYOUT_DEFAULT;
}

static nashc_status
transpose_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    int count;
    unsigned seen = 0;
    const int64_t *perm = nashc_attr_ints(n, 0, &count);
    nashc_status s = ops_need_rank(n, 0, "input", 0, NASHC_MAX_RANK, d);

    if (s != NASHC_OK)
        return s;
    const nashc_type *x = ops_type(n, 0);
    for (int i = 0; i < count; i++)
        if (perm[i] >= 0 && perm[i] < x->rank)
            seen |= 1u << perm[i];
    if (count != x->rank || seen != (1u << x->rank) - 1u)
        return nashc_node_error(d, n, "perm is no permutation of the %d axes of %s", x->rank,
                                nashc_type_str(d, x));
    *out = *x;
    for (int i = 0; i < count; i++)
        out->dim[i] = x->dim[perm[i]];
    out->layout = x->rank ? transposed_layout(x, perm) : x->layout;
    return NASHC_OK;
}

static nashc_status
transpose_eval(nashc_eval *e, const nashc_node *n)
{
    int count;
    const int64_t *perm = nashc_attr_ints(n, 0, &count);
    int64_t stride[NASHC_MAX_RANK], step[NASHC_MAX_RANK];
    ops_walk w;

    ops_strides(&nashc_eval_in(e, 0)->type, stride);
    for (int i = 0; i < count; i++)
        step[i] = stride[perm[i]];
    ops_walk_steps(&w, &nashc_eval_out(e, 0)->type, step, 0);
    gather(e, &w);
    return NASHC_OK;
}

SHAPE_OP(transpose, "nn.transpose", "permute the axes");

/* --- nn.expand ---------------------------------------------------------------------------------
 */

static const nashc_param expand_attrs[] = {
    ATTR(INTS, "shape", NULL, "1..2147483648", "shape to broadcast to"),
    {0},
};

static nashc_status
expand_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    int rank;
    const int64_t *shape = nashc_attr_ints(n, 0, &rank);
    nashc_status s = ops_need_rank(n, 0, "input", 0, NASHC_MAX_RANK, d);

    if (s != NASHC_OK)
        return s;
    const nashc_type *x = ops_type(n, 0);
    if (rank > NASHC_MAX_RANK)
        return nashc_node_error(d, n, "shape has %d dimensions, at most %d are possible", rank,
                                NASHC_MAX_RANK);
    nashc_type to = nashc_type_shaped(nashc_type_f32(), rank, shape);
    *out = *x;
    if (!nashc_type_broadcast(x, &to, out))
        return nashc_node_error(d, n, "%s does not broadcast to the shape of %s",
                                nashc_type_str(d, x), nashc_type_str(d, &to));
    out->layout = out->rank == x->rank ? x->layout : NASHC_LAYOUT_DEFAULT;
    return ops_check_shape(n, out, d);
}

static nashc_status
expand_eval(nashc_eval *e, const nashc_node *n)
{
    ops_walk w;

    (void)n;
    ops_walk_init(&w, &nashc_eval_in(e, 0)->type, &nashc_eval_out(e, 0)->type);
    gather(e, &w);
    return NASHC_OK;
}

SHAPE_OP(expand, "nn.expand", "broadcast to a shape");

/* --- nn.tile -----------------------------------------------------------------------------------
 */

static const nashc_param tile_attrs[] = {
    ATTR(INTS, "repeats", NULL, "1..2147483648", "repetitions along each axis"),
    {0},
};

static nashc_status
tile_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    int count;
    const int64_t *repeats = nashc_attr_ints(n, 0, &count);
    nashc_status s = ops_need_rank(n, 0, "input", 0, NASHC_MAX_RANK, d);

    if (s != NASHC_OK)
        return s;
    const nashc_type *x = ops_type(n, 0);
    if (count != x->rank)
        return nashc_node_error(d, n, "repeats has %d entries, expected %d for %s", count, x->rank,
                                nashc_type_str(d, x));
    *out = *x;
    for (int i = 0; i < count; i++)
        if (x->dim[i] > 0 && !nashc_mul_size(x->dim[i], repeats[i], &out->dim[i]))
            return nashc_node_error(d, n, "size of axis %d overflows", i);
    return ops_check_shape(n, out, d);
}

static nashc_status
tile_eval(nashc_eval *e, const nashc_node *n)
{
    const nashc_buf *x = nashc_eval_in(e, 0);
    nashc_buf *y = nashc_eval_out(e, 0);
    int64_t stride[NASHC_MAX_RANK];

    (void)n;
    ops_strides(&x->type, stride);
    for (int64_t i = 0; i < y->n; i++) {
        int64_t at = 0, rest = i;
        for (int a = x->type.rank - 1; a >= 0; a--) {
            at += rest % y->type.dim[a] % x->type.dim[a] * stride[a];
            rest /= y->type.dim[a];
        }
        ops_copy(y, i, x, at);
    }
    return NASHC_OK;
}

SHAPE_OP(tile, "nn.tile", "repeat along each axis");

/* --- nn.depth_to_space, nn.space_to_depth: images of two spatial axes --------------------------
 *
 * DCR: channel = (by * block + bx) * C' + c, CRD: channel = (c * block + by) * block + bx; C' are
 * the channels of the image with more pixels. space_to_depth is the inverse of DCR.
 */

static const nashc_param depth_to_space_attrs[] = {
    ATTR(INT, "block", NULL, "1..65536", "pixels along each side of a block"),
    ATTR(ENUM, "mode", "DCR", "DCR|CRD", "order in the channel axis"),
    {0},
};

static nashc_status
block_infer(const nashc_node *n, bool to_space, nashc_type *out, nashc_diag *d)
{
    int64_t b = nashc_attr_int(n, 0);
    nashc_status s = ops_need_rank(n, 0, "input", 4, 4, d);

    if (s != NASHC_OK)
        return s;
    const nashc_type *x = ops_type(n, 0);
    int c = nashc_type_channel_axis(x), h = c == 1 ? 2 : 1;
    *out = *x;
    if (x->dim[c] < 1 || x->dim[h] < 1 || x->dim[h + 1] < 1)
        return nashc_node_error(d, n, "input is %s: sizes must be known", nashc_type_str(d, x));
    if (to_space ? x->dim[c] % (b * b) : x->dim[h] % b || x->dim[h + 1] % b)
        return nashc_node_error(d, n, "%s does not divide into blocks of %" PRId64 " x %" PRId64,
                                nashc_type_str(d, x), b, b);
    if (to_space) {
        out->dim[c] = x->dim[c] / (b * b);
        if (!nashc_mul_size(x->dim[h], b, &out->dim[h]) ||
            !nashc_mul_size(x->dim[h + 1], b, &out->dim[h + 1]))
            return nashc_node_error(d, n, "size overflows");
    } else {
        out->dim[h] = x->dim[h] / b;
        out->dim[h + 1] = x->dim[h + 1] / b;
        if (!nashc_mul_size(x->dim[c], b * b, &out->dim[c]))
            return nashc_node_error(d, n, "size overflows");
    }
    return ops_check_shape(n, out, d);
}

/* fine: the image with more pixels; each of its elements has one partner in the other. */
static void
block_copy(nashc_eval *e, int64_t b, bool to_space, bool crd)
{
    const nashc_buf *x = nashc_eval_in(e, 0);
    nashc_buf *y = nashc_eval_out(e, 0);
    const nashc_type *fine = to_space ? &y->type : &x->type;
    const nashc_type *coarse = to_space ? &x->type : &y->type;
    int ca = nashc_type_channel_axis(fine), ha = ca == 1 ? 2 : 1;
    int64_t at[4], stride[4];

    ops_strides(coarse, stride);
    for (int64_t i = 0; i < y->n; i++) {
        int64_t rest = i, channels = fine->dim[ca];
        for (int a = 3; a >= 0; a--) {
            at[a] = rest % fine->dim[a];
            rest /= fine->dim[a];
        }
        int64_t part = at[ha] % b * b + at[ha + 1] % b;
        int64_t c = crd ? at[ca] * b * b + part : part * channels + at[ca];
        int64_t j = at[0] * stride[0] + c * stride[ca] + at[ha] / b * stride[ha] +
                    at[ha + 1] / b * stride[ha + 1];
        ops_copy(y, to_space ? i : j, x, to_space ? j : i);
    }
}

static nashc_status
depth_to_space_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    return block_infer(n, true, out, d);
}

static nashc_status
depth_to_space_eval(nashc_eval *e, const nashc_node *n)
{
    block_copy(e, nashc_attr_int(n, 0), true, nashc_attr_int(n, 1) == 1);
    return NASHC_OK;
}

SHAPE_OP(depth_to_space, "nn.depth_to_space", "channels become blocks of pixels");

static const nashc_param space_to_depth_attrs[] = {
    ATTR(INT, "block", NULL, "1..65536", "pixels along each side of a block"),
    {0},
};

static nashc_status
space_to_depth_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    return block_infer(n, false, out, d);
}

static nashc_status
space_to_depth_eval(nashc_eval *e, const nashc_node *n)
{
    block_copy(e, nashc_attr_int(n, 0), false, false);
    return NASHC_OK;
}

SHAPE_OP(space_to_depth, "nn.space_to_depth", "blocks of pixels become channels");
