/* pool.c: maxima, means and sums over sliding windows and over whole images.
 *
 *     nn.maxpool     y = max of the input elements in the window; padding never wins
 *     nn.avgpool     y = sum / count; count: input elements, or those of the padded input too
 *     nn.sumpool     y = sum; padding adds 0
 *     nn.global_*    the same over all spatial positions, which become 1
 *
 * ONNX MaxPool, AveragePool, GlobalAveragePool, GlobalMaxPool. Attributes as in nn.conv; ceil
 * rounds the number of windows up. Sums are taken in double (integers: 64 bits) and rounded once.
 */
#include "ops.h"

enum { KERNEL, STRIDE, PADS, DILATION, CEIL, COUNT_INCLUDE_PAD };
typedef enum { MAX, MEAN, SUM } pool_kind;

#define WINDOW_ATTRS                                                                               \
    ATTR(INTS, "kernel", NULL, "1..2147483647", "extent of the window"),                           \
        ATTR(INTS, "stride", "[]", "1..2147483647", "step of the window; [] is all ones"),         \
        ATTR(INTS, "pads", "[]", "0..1048576", "padding before each axis, then behind; [] none"),  \
        ATTR(INTS, "dilation", "[]", "1..2147483647", "distance of window elements; [] all ones"), \
        ATTR(BOOL, "ceil", "false", NULL, "round the number of windows up")

static const nashc_param pool_attrs[] = {
    WINDOW_ATTRS,
    {0},
};

static const nashc_param avgpool_attrs[] = {
    WINDOW_ATTRS,
    ATTR(BOOL, "count_include_pad", "false", NULL, "divide by the padded window's size"),
    {0},
};

static nashc_status
geometry(const nashc_node *n, bool global, ops_window *w, nashc_diag *d)
{
    nashc_status s = ops_need_rank(n, 0, "input", 3, global ? NASHC_MAX_RANK : 5, d);
    int count;

    if (s != NASHC_OK)
        return s;
    const nashc_type *x = ops_type(n, 0);
    if (global) { /* one window over all positions, as one axis */
        int64_t size = 1;
        int first = nashc_type_channel_axis(x) == 1 ? 2 : 1;
        for (int a = first; a < first + x->rank - 2; a++)
            if (x->dim[a] < 1 || !nashc_mul_size(size, x->dim[a], &size))
                return nashc_node_error(d, n, "input is %s: axis %d has no known size >= 1",
                                        nashc_type_str(d, x), a);
        *w = (ops_window){.nd = x->rank - 2,
                          .first = first,
                          .batch = x->dim[0],
                          .channels = nashc_type_channels(x),
                          .in = {1, 1, size},
                          .out = {1, 1, 1},
                          .kernel = {1, 1, size},
                          .stride = {1, 1, 1},
                          .dilation = {1, 1, 1},
                          .taps = size,
                          .in_size = size,
                          .out_size = 1};
        return NASHC_OK;
    }
    const int64_t *kernel = nashc_attr_ints(n, KERNEL, &count);
    if (count != x->rank - 2)
        return nashc_node_error(d, n, "kernel has %d entries, expected %d for input %s", count,
                                x->rank - 2, nashc_type_str(d, x));
    return ops_window_of(n, x, kernel, STRIDE, nashc_attr_bool(n, CEIL), w, d);
}

static nashc_status
infer(const nashc_node *n, pool_kind what, bool global, nashc_type *out, nashc_diag *d)
{
    ops_window w;
    int64_t least, most;
    nashc_status s = geometry(n, global, &w, d);

    if (s != NASHC_OK)
        return s;
    const nashc_type *x = ops_type(n, 0);
    ops_window_taps(&w, &least, &most);
    if (!least && what != SUM)
        return nashc_node_error(d, n, "a window lies wholly in the padding of input %s",
                                nashc_type_str(d, x));
    if (global) {
        *out = *x;
        for (int a = w.first; a < w.first + w.nd; a++)
            out->dim[a] = 1;
    } else {
        *out = ops_window_shape(&w, x, w.channels);
    }
    nashc_type elem = ops_float(n);
    if (nashc_type_is_int(x) && what == SUM) {
        ops_interval r = {x->lo, x->hi};
        r = ops_interval_hull(ops_interval_times(r, least), ops_interval_times(r, most));
        nashc_type_set_range(out, r.lo, r.hi);
    } else if (what != MAX) {
        *out = nashc_type_with_elem(out, &elem);
    }
    return ops_check_shape(n, out, d);
}

/* Elements of window o in the input and its padding, as count_include_pad has it: windows that
 * ceil lets reach further are cut. */
static int64_t
padded_count(const ops_window *w, int64_t o)
{
    int64_t count = 1;

    for (int i = 2; i >= 0; i--) {
        int64_t from = o % w->out[i] * w->stride[i] - w->begin[i];
        int64_t fit = (w->in[i] + w->end[i] - 1 - from) / w->dilation[i] + 1;
        count *= fit < w->kernel[i] ? fit : w->kernel[i];
        o /= w->out[i];
    }
    return count;
}

typedef struct pool {
    ops_window w;
    pool_kind what;
    bool include_pad;
    int64_t x_c, x_p, y_c, y_p;
    const int64_t *src; /* input positions of the current window, -1: padding */
} pool;

static void
window_f64(const pool *p, const double *x, nashc_buf *y, int64_t at, int64_t divisor)
{
    double v = p->what == MAX ? -INFINITY : 0.0;

    for (int64_t t = 0; t < p->w.taps; t++) {
        if (p->src[t] < 0)
            continue;
        double e = x[p->src[t] * p->x_p];
        if (p->what != MAX)
            v += e;
        else if (e > v || isnan(e))
            v = e;
    }
    ops_put(y, at, p->what == MEAN ? v / (double)divisor : v);
}

static void
window_i64(const pool *p, const int64_t *x, nashc_buf *y, int64_t at)
{
    int64_t v = p->what == MAX ? INT64_MIN : 0;

    for (int64_t t = 0; t < p->w.taps; t++) {
        if (p->src[t] < 0)
            continue;
        int64_t e = x[p->src[t] * p->x_p];
        if (p->what == MAX)
            v = e > v ? e : v;
        else
            y->fault |= !ops_add(v, e, &v);
    }
    nashc_buf_set_int(y, at, v);
}

static nashc_status
eval(nashc_eval *e, const nashc_node *n, pool_kind what, bool global)
{
    nashc_buf *y = nashc_eval_out(e, 0);
    pool p = {.what = what};
    nashc_status s = geometry(n, global, &p.w, nashc_eval_diag(e));

    if (s != NASHC_OK)
        return s;
    bool last = p.w.first == 1, whole = nashc_type_is_int(&y->type);
    int64_t *src = nashc_eval_scratch(e, (size_t)p.w.taps * sizeof *src);
    const double *x = whole ? NULL : nashc_eval_f64(e, 0);
    const int64_t *ix = whole ? nashc_eval_i64(e, 0) : NULL;
    if (!src || (!x && !ix))
        return NASHC_ENOMEM;
    p.src = src;
    p.include_pad = what == MEAN && !global && nashc_attr_bool(n, COUNT_INCLUDE_PAD);
    p.x_c = last ? 1 : p.w.in_size;
    p.x_p = last ? p.w.channels : 1;
    p.y_c = last ? 1 : p.w.out_size;
    p.y_p = last ? p.w.channels : 1;
    for (int64_t o = 0; o < p.w.out_size; o++) {
        int64_t count = 0;
        for (int64_t t = 0; t < p.w.taps; t++) {
            src[t] = ops_window_source(&p.w, o, t);
            count += src[t] >= 0;
        }
        if (p.include_pad)
            count = padded_count(&p.w, o);
        for (int64_t b = 0; b < p.w.batch; b++)
            for (int64_t c = 0; c < p.w.channels; c++) {
                int64_t from = b * p.w.channels * p.w.in_size + c * p.x_c;
                int64_t at = b * p.w.channels * p.w.out_size + c * p.y_c + o * p.y_p;
                if (whole)
                    window_i64(&p, ix + from, y, at);
                else
                    window_f64(&p, x + from, y, at, count);
            }
    }
    return NASHC_OK;
}

/* The six ops differ in these two facts only. */
#define POOL(ID, NAME, HELP, WHAT, GLOBAL, ATTRS)                                                  \
    static nashc_status ID##_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)            \
    {                                                                                              \
        return infer(n, WHAT, GLOBAL, out, d);                                                     \
    }                                                                                              \
                                                                                                   \
    static nashc_status ID##_eval(nashc_eval *e, const nashc_node *n)                              \
    {                                                                                              \
        return eval(e, n, WHAT, GLOBAL);                                                           \
    }                                                                                              \
                                                                                                   \
    const nashc_op nashc_op_nn_##ID =                                                              \
        {                                                                                          \
            NASHC_DESC(nashc_op), .name = NAME,      .help = HELP, .min_in = 1,                    \
            .max_in = 1,          .min_out = 1,      .max_out = 1, .attrs = ATTRS,                 \
            .infer = ID##_infer,  .eval = ID##_eval,                                               \
    }

POOL(maxpool, "nn.maxpool", "maximum over a sliding window", MAX, false, pool_attrs);
POOL(avgpool, "nn.avgpool", "mean over a sliding window", MEAN, false, avgpool_attrs);
POOL(sumpool, "nn.sumpool", "sum over a sliding window", SUM, false, pool_attrs);
POOL(global_maxpool, "nn.global_maxpool", "maximum over all positions", MAX, true, NULL);
POOL(global_avgpool, "nn.global_avgpool", "mean over all positions", MEAN, true, NULL);
POOL(global_sumpool, "nn.global_sumpool", "sum over all positions", SUM, true, NULL);
