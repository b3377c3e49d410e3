/* reduce.c: nn.reduce_mean, nn.reduce_sum, nn.reduce_max, nn.reduce_min over axes.
 *
 * ONNX operators of the names; axes [] means all of them. Sums are taken in double (integers: 64
 * bits, exact) and rounded once; the mean of integers is a float.
 */
#include "ops.h"

enum { AXES, KEEPDIMS };
typedef enum { MEAN, SUM, MAX, MIN } reduction;

static const nashc_param reduce_attrs[] = {
    ATTR(INTS, "axes", "[]", "-8..7", "axes that are reduced; [] all"),
    ATTR(BOOL, "keepdims", "true", NULL, "keep them with size 1"),
    {0},
};

/* Bit set of the reduced axes. */
static nashc_status
reduced_axes(const nashc_node *n, int rank, unsigned *set, nashc_diag *d)
{
    int count, axis;
    const int64_t *axes = nashc_attr_ints(n, AXES, &count);

    *set = count ? 0 : (1u << rank) - 1u;
    for (int i = 0; i < count; i++) {
        nashc_status s = ops_axis(n, axes[i], rank, &axis, d);
        if (s != NASHC_OK)
            return s;
        *set |= 1u << axis;
    }
    return NASHC_OK;
}

static nashc_status
infer(const nashc_node *n, reduction r, nashc_type *out, nashc_diag *d)
{
    unsigned set;
    int rank = 0;
    int64_t dim[NASHC_MAX_RANK], size = 1;
    nashc_status s = ops_need_rank(n, 0, "input", 0, NASHC_MAX_RANK, d);

    if (s != NASHC_OK)
        return s;
    const nashc_type *x = ops_type(n, 0);
    if ((s = reduced_axes(n, x->rank, &set, d)) != NASHC_OK)
        return s;
    for (int a = 0; a < x->rank; a++) {
        bool gone = set >> a & 1u;
        if (gone && (x->dim[a] < 1 || !nashc_mul_size(size, x->dim[a], &size)))
            return nashc_node_error(d, n, "axis %d of %s has no known size", a,
                                    nashc_type_str(d, x));
        if (!gone || nashc_attr_bool(n, KEEPDIMS))
            dim[rank++] = gone ? 1 : x->dim[a];
    }
    *out = nashc_type_shaped(*x, rank, dim);
    out->layout = rank == x->rank ? x->layout : NASHC_LAYOUT_DEFAULT;
    if (r == SUM && nashc_type_is_int(x)) {
        ops_interval sum = ops_interval_times(ops_interval_of(nashc_node_in(n, 0)), size);
        nashc_type_set_range(out, sum.lo, sum.hi);
    } else if (r == SUM || r == MEAN) {
        nashc_type elem = ops_float(n);
        *out = nashc_type_with_elem(out, &elem);
    }
    return ops_check_shape(n, out, d);
}

static void
fold_f64(reduction r, double *acc, double v)
{
    if (r == MEAN || r == SUM)
        *acc += v;
    else if (r == MAX ? v > *acc || isnan(v) : v < *acc || isnan(v))
        *acc = v;
}

static bool
fold_i64(reduction r, int64_t *acc, int64_t v)
{
    if (r == SUM)
        return ops_add(*acc, v, acc);
    if (r == MAX ? v > *acc : v < *acc)
        *acc = v;
    return true;
}

static nashc_status
eval(nashc_eval *e, const nashc_node *n, reduction r)
{
    const nashc_buf *xb = nashc_eval_in(e, 0);
    nashc_buf *y = nashc_eval_out(e, 0);
    int64_t step[NASHC_MAX_RANK], size = 1;
    bool whole = nashc_type_is_int(&y->type);
    unsigned set;
    ops_walk w;
    nashc_status s = reduced_axes(n, xb->type.rank, &set, nashc_eval_diag(e));

    if (s != NASHC_OK)
        return s;
    for (int a = xb->type.rank - 1; a >= 0; a--) {
        bool gone = set >> a & 1u;
        step[a] = gone ? 0 : size;
        size *= gone ? 1 : xb->type.dim[a];
    }
    const double *x = whole ? NULL : nashc_eval_f64(e, 0);
    const int64_t *ix = whole ? nashc_eval_i64(e, 0) : NULL;
    double *acc = nashc_eval_scratch(e, (size_t)y->n * sizeof *acc);
    int64_t *iacc = nashc_eval_scratch(e, (size_t)y->n * sizeof *iacc);
    if (!acc || !iacc || (!x && !ix))
        return NASHC_ENOMEM;
    for (int64_t i = 0; i < y->n; i++) {
        acc[i] = r == MAX ? -INFINITY : r == MIN ? INFINITY : 0.0;
        iacc[i] = r == MAX ? INT64_MIN : r == MIN ? INT64_MAX : 0;
    }
    ops_walk_steps(&w, &xb->type, step, 0);
    for (int64_t i = 0; i < xb->n; i++) {
        int64_t to = ops_walk_next(&w);
        if (whole)
            y->fault |= !fold_i64(r, &iacc[to], ix[i]);
        else
            fold_f64(r, &acc[to], x[i]);
    }
    double count = (double)(xb->n / y->n);
    for (int64_t i = 0; i < y->n; i++) {
        if (whole)
            nashc_buf_set_int(y, i, iacc[i]);
        else
            ops_put(y, i, r == MEAN ? acc[i] / count : acc[i]);
    }
    return NASHC_OK;
}

#define REDUCE(ID, NAME, HELP, R)                                                                  \
    static nashc_status ID##_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)            \
    {                                                                                              \
        return infer(n, R, out, d);                                                                \
    }                                                                                              \
                                                                                                   \
    static nashc_status ID##_eval(nashc_eval *e, const nashc_node *n)                              \
    {                                                                                              \
        return eval(e, n, R);                                                                      \
    }                                                                                              \
                                                                                                   \
    const nashc_op nashc_op_nn_##ID = {                                                            \
        NASHC_DESC(nashc_op), .name = NAME,      .help = HELP, .min_in = 1,                        \
        .max_in = 1,          .min_out = 1,      .max_out = 1, .attrs = reduce_attrs,              \
        .infer = ID##_infer,  .eval = ID##_eval,                                                   \
    }

REDUCE(reduce_mean, "nn.reduce_mean", "mean over axes", MEAN);
REDUCE(reduce_sum, "nn.reduce_sum", "sum over axes", SUM);
REDUCE(reduce_max, "nn.reduce_max", "maximum over axes", MAX);
REDUCE(reduce_min, "nn.reduce_min", "minimum over axes", MIN);
