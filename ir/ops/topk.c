/* topk.c: nn.topk(x; k axis largest sorted) -> values, indices; nn.argmax(x; axis keepdims).
 *
 * ONNX TopK and ArgMax. Of equal elements the one with the lower index comes first (nn.argmax with
 * select_last: the last). Indices have the smallest unsigned type that holds the size of the axis
 * less one. Results of nn.topk are always sorted, whatever `sorted` says: any order is allowed
 * then.
 */
#include "ops.h"

enum { K, AXIS, LARGEST, SORTED };

static const nashc_param topk_attrs[] = {
    ATTR(INT, "k", NULL, "1..2147483648", "how many"),
    ATTR(INT, "axis", "-1", "-8..7", "axis along which they are compared"),
    ATTR(BOOL, "largest", "true", NULL, "the largest, else the smallest"),
    ATTR(BOOL, "sorted", "true", NULL, "in order"),
    {0},
};

static nashc_status
topk_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    int axis;
    int64_t k = nashc_attr_int(n, K);
    nashc_status s = ops_need_rank(n, 0, "input", 1, NASHC_MAX_RANK, d);

    if (s != NASHC_OK)
        return s;
    const nashc_type *x = ops_type(n, 0);
    if ((s = ops_axis(n, nashc_attr_int(n, AXIS), x->rank, &axis, d)) != NASHC_OK)
        return s;
    if (k < 1 || x->dim[axis] < k)
        return nashc_node_error(d, n, "k is %" PRId64 ", axis %d of %s has %" PRId64 " elements", k,
                                axis, nashc_type_str(d, x), x->dim[axis]);
    out[0] = *x;
    out[0].dim[axis] = k;
    out[1] = out[0];
    nashc_type_set_range(&out[1], 0, x->dim[axis] - 1);
    return NASHC_OK;
}

/* Lines along an axis: element j of line i is at line_start + j * inner. */
static int64_t
line_start(const nashc_type *t, int axis, int64_t line, int64_t *inner)
{
    *inner = 1;
    for (int a = axis + 1; a < t->rank; a++)
        *inner *= t->dim[a];
    return line / *inner * *inner * t->dim[axis] + line % *inner;
}

static nashc_status
topk_eval(nashc_eval *e, const nashc_node *n)
{
    const nashc_buf *x = nashc_eval_in(e, 0);
    nashc_buf *values = nashc_eval_out(e, 0), *indices = nashc_eval_out(e, 1);
    int axis = (int)nashc_attr_int(n, AXIS);
    int64_t k = nashc_attr_int(n, K);

    axis += axis < 0 ? x->type.rank : 0;
    int64_t size = x->type.dim[axis], inner, inner_y;
    int64_t *best = nashc_eval_scratch(e, (size_t)k * sizeof *best);
    if (!best)
        return NASHC_ENOMEM;
    for (int64_t line = 0; line < x->n / size; line++) {
        int64_t at = line_start(&x->type, axis, line, &inner), have = 0;
        for (int64_t j = 0; j < size; j++) { /* insertion among the best so far */
            int64_t p = have < k ? have : k;
            while (p > 0) {
                int c = nashc_buf_cmp(x, at + j * inner, x, at + best[p - 1] * inner);
                if (nashc_attr_bool(n, LARGEST) ? c <= 0 : c >= 0)
                    break;
                p--;
            }
            if (p >= k)
                continue;
            have += have < k;
            memmove(best + p + 1, best + p, (size_t)(have - 1 - p) * sizeof *best);
            best[p] = j;
        }
        int64_t to = line_start(&values->type, axis, line, &inner_y);
        for (int64_t j = 0; j < k; j++) {
            ops_copy(values, to + j * inner_y, x, at + best[j] * inner);
            nashc_buf_set_int(indices, to + j * inner_y, best[j]);
        }
    }
    return NASHC_OK;
}

const nashc_op nashc_op_nn_topk = {
    NASHC_DESC(nashc_op),
    .name = "nn.topk",
    .help = "the k largest or smallest elements and their indices",
    .min_in = 1,
    .max_in = 1,
    .min_out = 2,
    .max_out = 2,
    .attrs = topk_attrs,
    .infer = topk_infer,
    .eval = topk_eval,
};

/* --- nn.argmax ---------------------------------------------------------------------------------
 */

static const nashc_param argmax_attrs[] = {
    ATTR(INT, "axis", "0", "-8..7", "axis along which elements are compared"),
    ATTR(BOOL, "keepdims", "true", NULL, "keep the axis with size 1"),
    ATTR(BOOL, "select_last", "false", NULL, "of equal elements the last one, else the first"),
    {0},
};

static nashc_status
argmax_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    int axis, rank = 0;
    int64_t dim[NASHC_MAX_RANK];
    nashc_status s = ops_need_rank(n, 0, "input", 1, NASHC_MAX_RANK, d);

    if (s != NASHC_OK)
        return s;
    const nashc_type *x = ops_type(n, 0);
    if ((s = ops_axis(n, nashc_attr_int(n, 0), x->rank, &axis, d)) != NASHC_OK)
        return s;
    if (x->dim[axis] < 1)
        return nashc_node_error(d, n, "axis %d of %s has no known size", axis,
                                nashc_type_str(d, x));
    for (int a = 0; a < x->rank; a++)
        if (a != axis || nashc_attr_bool(n, 1))
            dim[rank++] = a == axis ? 1 : x->dim[a];
    *out = nashc_type_shaped(*x, rank, dim);
    out->layout = rank == x->rank ? x->layout : NASHC_LAYOUT_DEFAULT;
    nashc_type_set_range(out, 0, x->dim[axis] - 1);
    return NASHC_OK;
}

static nashc_status
argmax_eval(nashc_eval *e, const nashc_node *n)
{
    const nashc_buf *x = nashc_eval_in(e, 0);
    nashc_buf *y = nashc_eval_out(e, 0);
    int axis = (int)nashc_attr_int(n, 0);
    int64_t inner;

    axis += axis < 0 ? x->type.rank : 0;
    for (int64_t line = 0; line < y->n; line++) {
        int64_t at = line_start(&x->type, axis, line, &inner), best = 0;
        for (int64_t j = 1; j < x->type.dim[axis]; j++) {
            int c = nashc_buf_cmp(x, at + j * inner, x, at + best * inner);
            if (c > 0 || (c == 0 && nashc_attr_bool(n, 2)))
                best = j;
        }
        nashc_buf_set_int(y, line, best);
    }
    return NASHC_OK;
}

const nashc_op nashc_op_nn_argmax = {
    NASHC_DESC(nashc_op),
    .name = "nn.argmax",
    .help = "index of the largest element along an axis",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .attrs = argmax_attrs,
    .infer = argmax_infer,
    .eval = argmax_eval,
};
