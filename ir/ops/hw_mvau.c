/* hw_mvau.c: hw.mvau(x, w, [t], [dir]), matrix-vector unit with an optional threshold activation.
 *
 *     acc[v][r] = sum over c of x[v][c] * w[c][r]
 *     y = acc, or act_bias + #{k : acc >= t[r][k]}     (dir[r] < 0: acc < t[r][k])
 *     bipolar: one threshold, y = +1 where it is reached, else -1
 *
 * x holds vecs * MW elements, w is [MW,MH], t [MH,K] or [1,K] with ascending rows, dir [MH].
 * Schedule: for each vector, for nf < MH/pe, for sf < MW/simd: one step; x is read while nf = 0 and
 * replayed afterwards, a beat of pe results is written when sf is last. hardware.md B.1.
 */
#include "hw.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    A_PE,
    A_SIMD,
    A_MEM_MODE,
    A_RAM_STYLE,
    A_RAM_STYLE_T,
    A_RES_TYPE,
    A_STYLE,
    A_BIAS,
    A_BIPOLAR
};

static const nashc_param attrs[] = {
    {.name = "pe", .def = "1", .domain = "1..", .help = "rows a step", .kind = NASHC_P_INT},
    {.name = "simd", .def = "1", .domain = "1..", .help = "columns a step", .kind = NASHC_P_INT},
    {.name = "mem_mode",
     .def = "internal_decoupled",
     .domain = "internal_decoupled|internal_embedded",
     .help = "where the weights live",
     .kind = NASHC_P_ENUM},
    {.name = "ram_style",
     .def = "auto",
     .domain = "auto|block|distributed|ultra",
     .help = "weight memory",
     .kind = NASHC_P_ENUM},
    {.name = "ram_style_thresholds",
     .def = "auto",
     .domain = "auto|block|distributed",
     .help = "threshold memory",
     .kind = NASHC_P_ENUM},
    {.name = "res_type",
     .def = "auto",
     .domain = "auto|lut|dsp",
     .help = "what multiplies",
     .kind = NASHC_P_ENUM},
    {.name = "act_style",
     .def = "auto",
     .domain = "auto|parallel|binary_search",
     .help = "how thresholds are compared; auto: in parallel up to 3 of them",
     .kind = NASHC_P_ENUM},
    {.name = "act_bias", .def = "0", .help = "added to the count", .kind = NASHC_P_INT},
    {.name = "bipolar",
     .def = "false",
     .help = "one threshold tells -1 from +1",
     .kind = NASHC_P_BOOL},
    {0},
};

static void
dims(const nashc_node *n, int64_t *mw, int64_t *mh)
{
    const nashc_type *w = nashc_value_type(nashc_node_in(n, 1));

    *mw = w->dim[0];
    *mh = w->dim[1];
}

/* Smallest and largest value of any accumulator: hardware.md F.2. */
static nashc_status
acc_range(const nashc_node *n, int64_t *lo, int64_t *hi, nashc_diag *d)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    const nashc_tensor *w = nashc_value_const(nashc_node_in(n, 1));
    int64_t mw, mh, largest = x->hi > -x->lo ? x->hi : -x->lo;
    double wlo, whi;

    dims(n, &mw, &mh);
    nashc_tensor_min_max(w, &wlo, &whi);
    double bound = (whi > -wlo ? whi : -wlo) * (double)largest * (double)mw;
    if (!(bound < 4e18))
        return nashc_node_error(d, n, "the accumulator exceeds 63 bits");
    *lo = INT64_MAX;
    *hi = INT64_MIN;
    for (int64_t r = 0; r < mh; r++) {
        int64_t a = 0, b = 0;
        for (int64_t c = 0; c < mw; c++) {
            int64_t v = nashc_tensor_get_int(w, c * mh + r);
            a += v * (v > 0 ? x->lo : x->hi);
            b += v * (v > 0 ? x->hi : x->lo);
        }
        *lo = a < *lo ? a : *lo;
        *hi = b > *hi ? b : *hi;
    }
    return NASHC_OK;
}

static nashc_status
mvau_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    nashc_status s = hw_check_operand(n, 0, false, d);
    int64_t mw, mh, rows = 0, steps = 0, lo, hi;
    nashc_type elem;
    hw_view view;

    if (s != NASHC_OK || (s = hw_check_operand(n, 1, true, d)) != NASHC_OK)
        return s;
    if (nashc_value_type(nashc_node_in(n, 1))->rank != 2)
        return nashc_node_error(d, n, "weights must be a matrix [MW,MH]");
    dims(n, &mw, &mh);
    if (!hw_view_of(n, mw, &view))
        return nashc_node_error(d, n, "the input does not divide into vectors of %" PRId64, mw);
    if (nashc_node_in(n, 2)) {
        if ((s = hw_check_operand(n, 2, true, d)) != NASHC_OK)
            return s;
        if (!hw_threshold_dims(n, 2, &rows, &steps) || (rows != 1 && rows != mh))
            return nashc_node_error(
                d, n, "thresholds must be [1,K] or [%" PRId64 ",K], a row a channel", mh);
        elem = hw_count_type(steps, nashc_attr_int(n, A_BIAS), nashc_attr_bool(n, A_BIPOLAR));
    } else {
        if ((s = acc_range(n, &lo, &hi, d)) != NASHC_OK)
            return s;
        elem = nashc_type_for_range(lo, hi);
    }
    *out = hw_matrix_type(&elem, view.vecs, mh);
    return NASHC_OK;
}

static nashc_status
mvau_verify(const nashc_node *n, nashc_diag *d)
{
    int64_t mw, mh;
    nashc_status s;

    dims(n, &mw, &mh);
    if ((s = hw_check_divides(n, "pe", nashc_attr_int(n, A_PE), mh, d)) != NASHC_OK ||
        (s = hw_check_divides(n, "simd", nashc_attr_int(n, A_SIMD), mw, d)) != NASHC_OK)
        return s;
    if (nashc_node_in(n, 3)) {
        const nashc_type *dir = nashc_value_type(nashc_node_in(n, 3));
        if ((s = hw_check_operand(n, 3, true, d)) != NASHC_OK)
            return s;
        if (!nashc_node_in(n, 2) || dir->kind != NASHC_K_BIP || nashc_type_count(dir) != mh)
            return nashc_node_error(d, n, "directions must be bip[%" PRId64 "], with thresholds",
                                    mh);
    }
    if (!nashc_node_in(n, 2) && (nashc_attr_int(n, A_BIAS) || nashc_attr_bool(n, A_BIPOLAR)))
        return nashc_node_error(d, n, "act_bias and bipolar need thresholds");
    return nashc_node_in(n, 2) ? hw_check_thresholds(n, 2, nashc_attr_int(n, A_BIAS),
                                                     nashc_attr_bool(n, A_BIPOLAR), d)
                               : NASHC_OK;
}

static nashc_status
mvau_eval(nashc_eval *e, const nashc_node *n)
{
    const int64_t *x = nashc_eval_i64(e, 0), *w = nashc_eval_i64(e, 1);
    const int64_t *t = nashc_node_in(n, 2) ? nashc_eval_i64(e, 2) : NULL;
    const int64_t *dir = nashc_node_in(n, 3) ? nashc_eval_i64(e, 3) : NULL;
    int64_t mw, mh, rows = 0, steps = 0;
    int64_t scale = nashc_attr_bool(n, A_BIPOLAR) ? 2 : 1;
    int64_t bias = scale == 2 ? -1 : nashc_attr_int(n, A_BIAS);
    nashc_buf *y = nashc_eval_out(e, 0);

    dims(n, &mw, &mh);
    int64_t *acc = nashc_eval_scratch(e, (size_t)mh * sizeof *acc);
    if (!x || !w || !acc || (nashc_node_in(n, 2) && !t) || (nashc_node_in(n, 3) && !dir))
        return NASHC_ENOMEM;
    hw_threshold_dims(n, 2, &rows, &steps);
    for (int64_t v = 0; v < y->n / mh; v++) {
        memset(acc, 0, (size_t)mh * sizeof *acc);
        for (int64_t c = 0; c < mw; c++)
            for (int64_t r = 0; r < mh; r++)
                acc[r] += x[v * mw + c] * w[c * mh + r];
        for (int64_t r = 0; r < mh; r++) {
            int64_t value = acc[r];
            if (t)
                value = bias + scale * hw_count(t, dir, rows, steps, r, value);
            nashc_buf_set_int(y, v * mh + r, value);
        }
    }
    return NASHC_OK;
}

static nashc_status
mvau_streams(const nashc_node *n, nashc_stream *in, nashc_stream *out, nashc_diag *d)
{
    int64_t mw, mh;
    hw_view view;

    dims(n, &mw, &mh);
    if (!hw_view_of(n, mw, &view))
        return nashc_node_error(d, n, "the input does not divide into vectors of %" PRId64, mw);
    in[0] =
        hw_stream(nashc_value_type(nashc_node_in(n, 0)), nashc_attr_int(n, A_SIMD), view.vecs * mw);
    out[0] =
        hw_stream(nashc_value_type(nashc_node_out(n, 0)), nashc_attr_int(n, A_PE), view.vecs * mh);
    return NASHC_OK;
}

static uint64_t
mvau_cycles(const nashc_node *n)
{
    int64_t mw, mh;
    hw_view view;

    dims(n, &mw, &mh);
    if (!hw_view_of(n, mw, &view))
        return 0;
    return (uint64_t)(view.vecs * (mw / nashc_attr_int(n, A_SIMD)) *
                      (mh / nashc_attr_int(n, A_PE)));
}

/* Multipliers go to DSPs where asked for, or where both operands are wide. */
static bool
in_dsp(const nashc_node *n, const nashc_device *dev)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    const nashc_type *w = nashc_value_type(nashc_node_in(n, 1));
    int64_t res = nashc_attr_int(n, A_RES_TYPE);

    if (x->kind == NASHC_K_BIP || w->kind == NASHC_K_BIP || x->bits == 1 || w->bits == 1)
        return false;
    if (res != 0)
        return res == 2;
    return x->bits + w->bits > 9 && (!dev || dev->dsp_a > 0);
}

static nashc_status
mvau_cost(const nashc_node *n, const nashc_device *dev, nashc_cost *out)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    const nashc_type *w = nashc_value_type(nashc_node_in(n, 1));
    uint64_t pe = (uint64_t)nashc_attr_int(n, A_PE), simd = (uint64_t)nashc_attr_int(n, A_SIMD);
    uint64_t a = x->bits, b = w->bits, lut_in = dev && dev->lut_inputs ? dev->lut_inputs : 6;
    int64_t mw, mh, lo, hi, rows, steps, style = nashc_attr_int(n, A_RAM_STYLE);
    nashc_cost c = {.bram_efficiency = 1, .uram_efficiency = 1};
    bool embedded = nashc_attr_int(n, A_MEM_MODE) == 1;

    dims(n, &mw, &mh);
    nashc_status s = acc_range(n, &lo, &hi, NULL);
    if (s != NASHC_OK)
        return s;
    uint64_t acc = nashc_type_for_range(lo, hi).bits;
    uint64_t depth = (uint64_t)(mw * mh) / (pe * simd), folds = (uint64_t)mh / pe;
    /* LUTs of a multiply-accumulate: sums grow in groups of 8, so an operand of n bits costs about
     * n + 8; bit planes of the narrower operand; 6-bit tables count equal bits. Fitted to Yosys. */
    uint64_t mult = 0, tree = simd * (a + b + 7), narrow = a < b ? a : b;
    if (x->kind == NASHC_K_BIP && w->kind == NASHC_K_BIP) {
        tree = simd * 9 / 4;
    } else if (in_dsp(n, dev)) {
        c.dsp = pe * simd * ((a + b + 47) / 48);
        tree = simd * (a + b) / 2;
    } else if (narrow > 1) {
        tree = simd * narrow * (a + b - narrow + 8);
    }
    c.lut = 60 + pe * (mult + tree + acc);
    c.ff = 40 + pe * 2 * acc + simd * (a + pe * b);
    hw_cost_memory(&c, embedded ? 2 : style, depth, pe * simd * b);
    if (folds > 1) /* the vector is kept for the other rounds */
        hw_cost_memory(&c, 0, (uint64_t)mw / simd, simd * a);
    if (hw_threshold_dims(n, 2, &rows, &steps))
        hw_cost_thresholds(&c, hw_parallel(nashc_attr_int(n, A_STYLE), steps), pe, (uint64_t)steps,
                           acc, rows > 1 ? folds : 1, nashc_attr_int(n, A_RAM_STYLE_T));
    c.lut = lut_in < 6 ? c.lut * 8 / 5 : c.lut;
    *out = c;
    return NASHC_OK;
}

/* nashc_mvau with PIPE = 1 and DEEP = 1 (docs/timing.md). */
static nashc_status
mvau_timing(const nashc_node *n, nashc_timing *out)
{
    int64_t mw, mh, rows, steps;
    uint32_t latency = 3;

    dims(n, &mw, &mh);
    latency += mw > nashc_attr_int(n, A_SIMD);
    if (hw_threshold_dims(n, 2, &rows, &steps))
        latency += hw_parallel(nashc_attr_int(n, A_STYLE), steps) ? 1 : 2 * hw_stages(steps) - 1;
    *out = (nashc_timing){.steps = mvau_cycles(n), .latency = latency, .depth = 2};
    return NASHC_OK;
}

static void
mvau_step(const nashc_node *n, uint64_t i, uint32_t *reads, uint32_t *writes)
{
    int64_t mw, mh;

    dims(n, &mw, &mh);
    uint64_t sf = (uint64_t)(mw / nashc_attr_int(n, A_SIMD));
    uint64_t nf = (uint64_t)(mh / nashc_attr_int(n, A_PE));
    *reads = i / sf % nf == 0;
    *writes = i % sf == sf - 1;
}

typedef struct point {
    int64_t pe, simd;
} point;

static int
point_cmp(const void *a, const void *b)
{
    const point *p = a, *q = b;
    int64_t x = p->pe * p->simd, y = q->pe * q->simd;

    if (x != y)
        return x < y ? -1 : 1;
    return p->simd < q->simd ? -1 : p->simd > q->simd;
}

static bool
mvau_fold(const nashc_node *n, int64_t k, char *text)
{
    int64_t mw, mh, np = 0, ns = 0, m = 0;

    dims(n, &mw, &mh);
    while (hw_divisor(mh, np) > 0)
        np++;
    while (hw_divisor(mw, ns) > 0)
        ns++;
    if (k < 0 || k >= np * ns)
        return false;
    point *all = malloc((size_t)(np * ns) * sizeof *all);
    if (!all)
        return false;
    for (int64_t i = 0; i < np; i++)
        for (int64_t j = 0; j < ns; j++)
            all[m++] = (point){hw_divisor(mh, i), hw_divisor(mw, j)};
    qsort(all, (size_t)m, sizeof *all, point_cmp);
    snprintf(text, 96, "pe=%" PRId64 " simd=%" PRId64, all[k].pe, all[k].simd);
    free(all);
    return true;
}

/* FINN's choice of style (hardware.md C.4); ours differs in the cost model only. */
static const char *
mvau_kind(const nashc_node *n)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    const nashc_type *w = nashc_value_type(nashc_node_in(n, 1));
    bool rtl = !nashc_node_in(n, 2) && nashc_type_is_signed(w) && x->bits >= 4 && w->bits >= 4 &&
               w->bits <= 8 && (x->bits <= 8 || (x->bits == 9 && nashc_type_is_signed(x)));

    return rtl ? "MVAU_rtl" : "MVAU_hls";
}

static const nashc_hw mvau_hw = {
    NASHC_DESC(nashc_hw),  .streams = mvau_streams, .cycles = mvau_cycles, .cost = mvau_cost,
    .timing = mvau_timing, .step = mvau_step,       .fold = mvau_fold,     .layer_kind = mvau_kind,
};

const nashc_op nashc_op_hw_mvau = {
    NASHC_DESC(nashc_op), .name = "hw.mvau", .help = "matrix-vector unit with optional thresholds",
    .min_in = 2,          .max_in = 4,       .min_out = 1,
    .max_out = 1,         .attrs = attrs,    .verify = mvau_verify,
    .infer = mvau_infer,  .eval = mvau_eval, .hw = &mvau_hw,
};
