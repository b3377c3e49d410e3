/* pad.c: nn.pad as layers.
 *
 *     x -- hw.window (elements cut off) -- hw.fmpadding (rows and columns) .. (other axes) -- y
 *
 * Values of the frame itself (reflect, edge, wrap) are moves of elements: moves_by_axis.c.
 */
#include "lower.h"
#include <inttypes.h>
#include <string.h>

static const int64_t *
pads_of(const nashc_node *n)
{
    int count;

    return nashc_node_ints(n, "pads", &count);
}

static bool
grows(const nashc_node *n, int axis)
{
    const int64_t *pads = pads_of(n);
    int rank = nashc_value_type(nashc_node_in(n, 0))->rank;

    return axis >= 0 && (pads[axis] > 0 || pads[axis + rank] > 0);
}

static const char *
why_not_pad(const nashc_node *n, nashc_arena *a)
{
    const nashc_value *v = nashc_node_in(n, 1);
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));

    if (strcmp(nashc_node_str(n, "mode"), "constant") != 0)
        return lower_why_not_move(n, a);
    if (!lower_is_int(nashc_node_in(n, 0)))
        return "its input is not an integer tensor";
    if (x->rank == 0)
        return "its input has no axes";
    if (!v)
        return NULL;
    if (!nashc_value_const(v) || !lower_is_int(v))
        return "its value is not a constant integer";
    if (nashc_type_count(nashc_value_type(v)) == 1)
        return NULL;
    if (nashc_type_channel_axis(x) != x->rank - 1)
        return "its values differ between channels, which are not the innermost dimension";
    for (int i = 0; i < x->rank; i++)
        if (i != x->rank - 2 && i != x->rank - 3 && grows(n, i))
            return "its values differ between channels, and it pads more than rows and columns";
    return NULL;
}

/* Elements without those that negative pads cut off; dim becomes the extents. */
static nashc_value *
put_cut(nashc_lower *l, const nashc_node *n, nashc_value *x, int64_t *dim)
{
    const int64_t *pads = pads_of(n);
    int rank = nashc_value_type(nashc_node_in(n, 0))->rank;
    lower_loops nest = {.n = rank};
    int64_t stride = 1;

    for (int i = rank - 1; i >= 0; i--) {
        int64_t before = pads[i] < 0 ? -pads[i] : 0;
        nest.stride[i] = stride;
        nest.offset += before * stride;
        stride *= dim[i];
        dim[i] -= before + (pads[i + rank] < 0 ? -pads[i + rank] : 0);
        nest.dim[i] = dim[i];
    }
    return lower_put_loops(l, x, &nest, dim[rank - 1], "crop");
}

/* x with constants along axes `axis` and, if two, the next one. */
static nashc_value *
put_axes(nashc_lower *l, const nashc_node *n, nashc_value *x, nashc_value *value, int64_t *dim,
         int axis, bool two)
{
    int rank = nashc_value_type(nashc_node_in(n, 0))->rank;
    int64_t size[2] = {1, 1}, pads[4] = {0}, inner = 1;
    nashc_value *in[2] = {x, value};

    for (int i = two ? 0 : 1; i < 2; i++) { /* a single axis: columns */
        int a = axis + (two ? i : 0);
        int64_t before = pads_of(n)[a], behind = pads_of(n)[a + rank];
        size[i] = dim[a];
        pads[i] = before > 0 ? before : 0;
        pads[2 + i] = behind > 0 ? behind : 0;
        dim[a] += pads[i] + pads[2 + i];
    }
    for (int i = axis + 1 + two; i < rank; i++)
        inner *= dim[i];
    return nashc_lower_op(l, "hw.fmpadding", in, 2, "dim=%s pads=%s channels=%" PRId64,
                          nashc_lower_ints(l, size, 2), nashc_lower_ints(l, pads, 4),
                          lower_columns(x, inner));
}

static nashc_status
convert_pad(nashc_lower *l, nashc_node *n)
{
    const nashc_type *t = nashc_value_type(nashc_node_in(n, 0));
    const nashc_tensor *p = nashc_node_in(n, 1) ? nashc_value_const(nashc_node_in(n, 1)) : NULL;
    int64_t dim[NASHC_MAX_RANK], rows = p ? nashc_tensor_count(p) : 1;
    int64_t *v = NASHC_NEW_N(nashc_lower_arena(l), int64_t, rows);
    int two = t->rank >= 3 ? t->rank - 3 : -2; /* this axis and the next at once */

    if (strcmp(nashc_node_str(n, "mode"), "constant") != 0)
        return lower_convert_move(l, n);
    if (!v)
        return nashc_enomem(nashc_lower_diag(l));
    for (int64_t i = 0; p && i < rows; i++)
        v[i] = nashc_tensor_get_int(p, i);
    memcpy(dim, t->dim, sizeof *dim * (size_t)t->rank);
    nashc_value *value = nashc_lower_matrix(l, v, rows, 1, NULL);
    nashc_value *x = put_cut(l, n, nashc_lower_in(l, n, 0), dim);
    for (int i = 0; x && i < t->rank; i++) {
        bool pair = i == two && (grows(n, i) || grows(n, i + 1));
        if (pair || (i != two && i != two + 1 && grows(n, i)))
            x = put_axes(l, n, x, value, dim, i, pair);
    }
    return nashc_lower_put(l, n, 0, x);
}

static const nashc_lower_rule pad_rule = {
    NASHC_DESC(nashc_lower_rule),
    .why_not = why_not_pad,
    .convert = convert_pad,
};

const nashc_impl nashc_impl_to_hw_nn_pad = NASHC_IMPL_TO_HW("nn.pad", &pad_rule);
