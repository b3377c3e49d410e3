/* pad.c: nn.pad(x, [value]; pads, mode), more elements before and behind each axis.
 *
 * ONNX Pad: pads lists the amounts before all axes, then behind all; negative ones cut (constant
 * mode only). constant: value (scalar, or one a channel), 0 if left out. reflect: mirrored without
 * the edge, edge: the edge repeated, wrap: from the other end.
 */
#include "ops.h"

enum { CONSTANT, REFLECT, EDGE, WRAP };

static const nashc_param pad_attrs[] = {
    ATTR(INTS, "pads", NULL, "-2147483648..2147483648", "before each axis, then behind each"),
    ATTR(ENUM, "mode", "constant", "constant|reflect|edge|wrap", "what is put there"),
    {0},
};

/* A constant value that integers can hold? Then *r is its range. */
static bool
integral_value(const nashc_node *n, ops_interval *r)
{
    const nashc_tensor *v = ops_const(n, 1);
    double lo, hi;

    *r = (ops_interval){0, 0};
    if (!nashc_node_in(n, 1))
        return true;
    if (nashc_type_is_int(ops_type(n, 1))) {
        *r = ops_interval_of(nashc_node_in(n, 1));
        return true;
    }
    if (!v || !nashc_tensor_all_integral(v))
        return false;
    nashc_tensor_min_max(v, &lo, &hi);
    if (!(lo >= -0x1p53 && hi <= 0x1p53))
        return false;
    *r = (ops_interval){(int64_t)lo, (int64_t)hi};
    return true;
}

static nashc_status
pad_elem(const nashc_node *n, bool pads_any, nashc_type *out)
{
    const nashc_type *x = ops_type(n, 0);
    ops_interval v;

    if (nashc_attr_int(n, 1) != CONSTANT || !pads_any)
        return NASHC_OK; /* that of x */
    if (nashc_type_is_int(x) && integral_value(n, &v)) {
        v = ops_interval_hull(v, (ops_interval){x->lo, x->hi});
        if (x->lo != v.lo || x->hi != v.hi || x->kind == NASHC_K_BIP)
            nashc_type_set_range(out, v.lo, v.hi);
    } else if (nashc_type_is_fixed(x) && !nashc_node_in(n, 1)) {
        out->lo = x->lo < 0 ? x->lo : 0;
        out->hi = x->hi > 0 ? x->hi : 0;
    } else if (!nashc_type_is_float(x) || nashc_node_in(n, 1)) {
        nashc_type elem = ops_float(n);
        *out = nashc_type_with_elem(out, &elem);
    }
    return NASHC_OK;
}

static nashc_status
pad_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    int count;
    bool any = false;
    int64_t mode = nashc_attr_int(n, 1);
    const int64_t *pads = nashc_attr_ints(n, 0, &count);
    nashc_status s = ops_need_rank(n, 0, "input", 0, NASHC_MAX_RANK, d);

    if (s != NASHC_OK)
        return s;
    const nashc_type *x = ops_type(n, 0), *v = ops_type(n, 1);
    if (count != 2 * x->rank)
        return nashc_node_error(d, n, "pads has %d entries, expected %d for %s", count, 2 * x->rank,
                                nashc_type_str(d, x));
    if (v && nashc_type_count(v) != 1 &&
        (v->rank != 1 || v->dim[0] != nashc_type_channels(x) || x->rank < 2))
        return nashc_node_error(d, n, "value is %s, expected a scalar or one a channel",
                                nashc_type_str(d, v));
    *out = *x;
    for (int a = 0; a < x->rank; a++) {
        int64_t before = pads[a], behind = pads[x->rank + a], size = x->dim[a];
        any |= before > 0 || behind > 0;
        if (before == 0 && behind == 0)
            continue;
        if (size < 1)
            return nashc_node_error(d, n, "input is %s: axis %d has no known size",
                                    nashc_type_str(d, x), a);
        if (mode != CONSTANT && (before < 0 || behind < 0))
            return nashc_node_error(d, n, "negative padding of axis %d needs mode constant", a);
        if ((mode == REFLECT && (before >= size || behind >= size)) ||
            (mode == WRAP && (before > size || behind > size)))
            return nashc_node_error(
                d, n, "axis %d of %s is too short for %" PRId64 " and %" PRId64 " more", a,
                nashc_type_str(d, x), before, behind);
        out->dim[a] = size + before + behind; /* all below 2^32 */
        if (out->dim[a] < 1)
            return nashc_node_error(d, n, "padding leaves nothing of axis %d", a);
    }
    s = pad_elem(n, any, out);
    return s == NASHC_OK ? ops_check_shape(n, out, d) : s;
}

/* Position in 0..size-1 that position p of the padded axis shows; -1: the value. */
static int64_t
source(int64_t p, int64_t size, int64_t mode)
{
    if (p >= 0 && p < size)
        return p;
    switch (mode) {
    case REFLECT:
        return p < 0 ? -p : 2 * (size - 1) - p;
    case EDGE:
        return p < 0 ? 0 : size - 1;
    case WRAP:
        return p < 0 ? p + size : p - size;
    default:
        return -1;
    }
}

static nashc_status
pad_eval(nashc_eval *e, const nashc_node *n)
{
    int count, channel = nashc_type_channel_axis(&nashc_eval_in(e, 0)->type);
    const int64_t *pads = nashc_attr_ints(n, 0, &count);
    const nashc_buf *x = nashc_eval_in(e, 0), *v = nashc_eval_in(e, 1);
    nashc_buf *y = nashc_eval_out(e, 0);
    int64_t stride[NASHC_MAX_RANK], mode = nashc_attr_int(n, 1);

    ops_strides(&x->type, stride);
    for (int64_t i = 0; i < y->n; i++) {
        int64_t rest = i, from = 0, c = 0;
        for (int a = y->type.rank - 1; a >= 0; a--) {
            int64_t p = rest % y->type.dim[a] - pads[a];
            int64_t s = source(p, x->type.dim[a], mode);
            from = s < 0 || from < 0 ? -1 : from + s * stride[a];
            c = a == channel ? p : c;
            rest /= y->type.dim[a];
        }
        if (from >= 0)
            ops_copy(y, i, x, from);
        else if (v && v->n == 1)
            ops_copy(y, i, v, 0);
        else if (v && c >= 0 && c < v->n)
            ops_copy(y, i, v, c);
        /* else 0, as buffers start */
    }
    return NASHC_OK;
}

static nashc_status
pad_verify(const nashc_node *n, nashc_diag *d)
{
    int count, channel = nashc_type_channel_axis(ops_type(n, 0));
    const int64_t *pads = nashc_attr_ints(n, 0, &count);
    const nashc_type *v = ops_type(n, 1);

    if (v && nashc_type_count(v) != 1 && channel >= 0 &&
        (pads[channel] > 0 || pads[count / 2 + channel] > 0))
        return nashc_node_error(d, n, "a value per channel cannot pad the channel axis");
    return ops_need_finite(n, 1, "value", d);
}

const nashc_op nashc_op_nn_pad = {
    NASHC_DESC(nashc_op), .name = "nn.pad",   .help = "more elements before and behind each axis",
    .min_in = 1,          .max_in = 2,        .min_out = 1,
    .max_out = 1,         .attrs = pad_attrs, .verify = pad_verify,
    .infer = pad_infer,   .eval = pad_eval,
};
