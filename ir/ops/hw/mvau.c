/* mvau.c: hw.mvau(x, w, [t], [dir]), matrix-vector unit with an optional threshold activation.
 *
 *     acc[v][r] = sum over c of x[v][c] * w[c][r], then as mac.h says
 *
 * x holds vectors of MW elements, w is [MW,MH], t [MH,K] or [1,K], dir [MH]. With groups = G the
 * vectors belong to groups 0 .. G-1 in turn, vector v meets columns g*MH/G .. (g+1)*MH/G - 1 of w,
 * g = v mod G, and the results of G vectors are one row of MH.
 * Schedule: for each vector, for nf < MH/G/pe, for sf < MW/simd: one step; x is read while nf = 0
 * and replayed afterwards, a beat of pe results is written when sf is last. docs/layers.md,
 * hw.mvau.
 */
#include "mac.h"
#include <stdlib.h>
#include <string.h>

enum { A_PE, A_SIMD, A_MEM_MODE, A_GROUPS = A_MEM_MODE + HW_MAC_N };

static const nashc_param attrs[] = {
    ATTR(INT, "pe", "1", "1..", "rows a step"),
    ATTR(INT, "simd", "1", "1..", "columns a step"),
    HW_MAC_ATTRS("auto|lut|dsp|adders"),
    ATTR(INT, "groups", "1", "1..", "vectors belong to so many groups in turn"),
    ATTR(ENUM, "zero_words", "auto", "auto|read|skip",
         "weight words that are all zero: no step where that saves, a step, no step"),
    HW_POSITIONS_ATTR,
    {0},
};

/* Sizes of the layer; mh is the number of rows of a group. */
typedef struct sizes {
    int64_t mw, mh, groups, pe, simd;
} sizes;

static sizes
sizes_of(const nashc_node *n)
{
    sizes z = {.groups = nashc_attr_int(n, A_GROUPS),
               .pe = nashc_attr_int(n, A_PE),
               .simd = nashc_attr_int(n, A_SIMD)};

    hw_mac_dims(n, &z.mw, &z.mh);
    z.mh /= z.groups;
    return z;
}

static int64_t
vectors(const nashc_node *n)
{
    return nashc_type_count(ops_type(n, 0)) / ops_type(n, 1)->dim[0];
}

static nashc_status
mvau_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    int64_t mw, mh, groups = nashc_attr_int(n, A_GROUPS);
    nashc_status s = hw_mac_operands(n, d);
    nashc_type elem;
    hw_view view;

    if (s != NASHC_OK)
        return s;
    hw_mac_dims(n, &mw, &mh);
    if (!hw_view_of(n, mw, &view))
        return nashc_node_error(d, n, "the input does not divide into vectors of %" PRId64, mw);
    if (view.vecs % groups != 0 || mh % groups != 0)
        return nashc_node_error(d, n,
                                "%" PRId64 " vectors and %" PRId64
                                " rows of weights do not both divide into %" PRId64 " groups",
                                view.vecs, mh, groups);
    if ((s = hw_mac_elem(n, &elem, d)) == NASHC_OK)
        *out = hw_matrix_type(&elem, view.vecs / groups, mh);
    return s;
}

static nashc_status
mvau_verify(const nashc_node *n, nashc_diag *d)
{
    nashc_status s;
    sizes z = sizes_of(n);

    if ((s = hw_check_divides(n, "pe", z.pe, z.mh, d)) != NASHC_OK ||
        (s = hw_check_divides(n, "simd", z.simd, z.mw, d)) != NASHC_OK ||
        (s = hw_mac_verify(n, d)) != NASHC_OK)
        return s;
    return nashc_hw_check_positions(n, d);
}

static nashc_status
mvau_positions(const nashc_node *n, int64_t m, nashc_diag *d)
{
    if (nashc_attr_int(n, A_GROUPS) > 1)
        return nashc_node_error(d, n, "positions=%" PRId64 ": groups take turns, one a beat", m);
    return hw_mac_positions(n, vectors(n), m, d);
}

/* NASHC_TILE rows at a time over all vectors, in 32 bits. */
static nashc_status
eval_narrow(nashc_eval *e, const sizes *z, const hw_act *act)
{
    int64_t mh = z->mh * z->groups, step = ops_i16_step(z->mw), across = ops_i16_step(mh);
    const int16_t *x = ops_i16_rows(e, 0, z->mw), *w = ops_i16_rows(e, 1, mh);
    int16_t *panel = nashc_eval_scratch(e, (size_t)step * NASHC_TILE * sizeof *panel);
    nashc_buf *y = nashc_eval_out(e, 0);
    int32_t acc[NASHC_TILE];

    if (!x || !w || !panel)
        return NASHC_ENOMEM;
    for (int64_t g = 0; g < z->groups; g++)
        for (int64_t r = 0; r < z->mh; r += NASHC_TILE) {
            int64_t rows = z->mh - r < NASHC_TILE ? z->mh - r : NASHC_TILE, at = g * z->mh + r;
            for (int64_t c = 0; c < z->mw; c++)
                for (int64_t i = 0; i < rows; i++)
                    panel[i * step + c] = w[c * across + at + i];
            for (int64_t v = g; v < y->n / z->mh; v += z->groups) {
                ops_dot_i16(x + v * step, panel, step, acc);
                for (int64_t i = 0; i < rows; i++)
                    nashc_buf_set_int(y, v * z->mh + r + i, hw_act_value(act, at + i, acc[i]));
            }
        }
    return NASHC_OK;
}

/* The same in double. */
static nashc_status
eval_exact(nashc_eval *e, const sizes *z, const hw_act *act)
{
    const double *x = nashc_eval_f64(e, 0), *w = nashc_eval_f64(e, 1);
    nashc_buf *y = nashc_eval_out(e, 0);
    double *panel = nashc_eval_scratch(e, (size_t)z->mw * NASHC_TILE * sizeof *panel);
    double acc[NASHC_TILE];

    if (!x || !w || !panel)
        return NASHC_ENOMEM;
    memset(panel, 0, (size_t)z->mw * NASHC_TILE * sizeof *panel);
    for (int64_t g = 0; g < z->groups; g++)
        for (int64_t r = 0; r < z->mh; r += NASHC_TILE) {
            int64_t rows = z->mh - r < NASHC_TILE ? z->mh - r : NASHC_TILE, at = g * z->mh + r;
            for (int64_t c = 0; c < z->mw; c++)
                memcpy(panel + c * NASHC_TILE, w + c * z->mh * z->groups + at,
                       (size_t)rows * sizeof *w);
            for (int64_t v = g; v < y->n / z->mh; v += z->groups) {
                ops_dot_f64(x + v * z->mw, panel, z->mw, acc);
                for (int64_t i = 0; i < rows; i++)
                    nashc_buf_set_int(y, v * z->mh + r + i,
                                      hw_act_value(act, at + i, (int64_t)acc[i]));
            }
        }
    return NASHC_OK;
}

static nashc_status
mvau_eval(nashc_eval *e, const nashc_node *n)
{
    nashc_buf *y = nashc_eval_out(e, 0);
    sizes z = sizes_of(n);
    hw_act act;

    if (!hw_act_open(e, n, &act))
        return NASHC_ENOMEM;
    if (ops_exact_i16(nashc_eval_in(e, 0), nashc_eval_in(e, 1), z.mw))
        return eval_narrow(e, &z, &act);
    if (ops_exact_f64(nashc_eval_in(e, 0), nashc_eval_in(e, 1), z.mw))
        return eval_exact(e, &z, &act);
    const int64_t *x = nashc_eval_i64(e, 0), *w = nashc_eval_i64(e, 1);
    int64_t *acc = nashc_eval_scratch(e, (size_t)z.mh * sizeof *acc);
    if (!x || !w || !acc)
        return NASHC_ENOMEM;
    for (int64_t v = 0; v < y->n / z.mh; v++) {
        int64_t at = v % z.groups * z.mh;
        memset(acc, 0, (size_t)z.mh * sizeof *acc);
        for (int64_t c = 0; c < z.mw; c++)
            for (int64_t r = 0; r < z.mh; r++)
                acc[r] += x[v * z.mw + c] * w[c * z.mh * z.groups + at + r];
        for (int64_t r = 0; r < z.mh; r++)
            nashc_buf_set_int(y, v * z.mh + r, hw_act_value(&act, at + r, acc[r]));
    }
    return NASHC_OK;
}

static nashc_status
mvau_streams(const nashc_node *n, nashc_stream *in, nashc_stream *out, nashc_diag *d)
{
    sizes z = sizes_of(n);
    int64_t m = nashc_hw_positions(n);

    (void)d;
    in[0] = hw_stream(ops_type(n, 0), m * z.simd, vectors(n) * z.mw);
    out[0] = hw_stream(nashc_value_type(nashc_node_out(n, 0)), m * z.pe, vectors(n) * z.mh);
    return NASHC_OK;
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
mvau_fold(const nashc_node *n, int64_t k, nashc_fold *out)
{
    int64_t np, ns, m = 0;
    sizes z = sizes_of(n);
    int64_t *pe = hw_divisors(z.mh, &np), *simd = hw_divisors(z.mw, &ns);
    point *all = malloc((size_t)(np * ns) * sizeof *all);
    bool room = pe && simd && all, there = k >= 0 && k < np * ns;

    if (!room) {
        out->n = -1;
    } else if (there) {
        for (int64_t i = 0; i < np; i++)
            for (int64_t j = 0; j < ns; j++)
                all[m++] = (point){pe[i], simd[j]};
        qsort(all, (size_t)m, sizeof *all, point_cmp);
        *out = (nashc_fold){.n = 2, .name = {"pe", "simd"}, .value = {all[k].pe, all[k].simd}};
    }
    free(pe);
    free(simd);
    free(all);
    return there || !room;
}

/* FINN's choice of style (docs/layers.md, hw.mvau); ours differs in the cost model only. */
static const char *
mvau_kind(const nashc_node *n)
{
    const nashc_type *x = ops_type(n, 0), *w = ops_type(n, 1);
    bool rtl = !nashc_node_in(n, 2) && nashc_type_is_signed(w) && x->bits >= 4 && w->bits >= 4 &&
               w->bits <= 8 && (x->bits <= 8 || (x->bits == 9 && nashc_type_is_signed(x)));

    return rtl ? "MVAU_rtl" : "MVAU_hls";
}

/* Line nf * SF + sf, nf counting through the groups; element p * SIMD + s of it is
 * w[sf*SIMD+s][nf*PE+p]. */
static void
mvau_weights(const nashc_node *n, nashc_weights *out)
{
    sizes z = sizes_of(n);
    int64_t mh = z.mh * z.groups, sf = z.mw / z.simd, nf = mh / z.pe;
    const int64_t count[] = {z.simd, z.pe, sf, nf}, stride[] = {mh, 1, z.simd * mh, z.pe};

    hw_mac_weights(n, out);
    memcpy(out->count, count, sizeof count);
    memcpy(out->stride, stride, sizeof stride);
    out->lanes = z.pe * z.simd;
    out->lines = sf * nf;
    out->rounds = vectors(n) / z.groups;
}

static const nashc_hw mvau_hw = {
    NASHC_DESC(nashc_hw),    .streams = mvau_streams, .fold = mvau_fold,
    .layer_kind = mvau_kind, .weights = mvau_weights, .positions = mvau_positions,
};

const nashc_op nashc_op_hw_mvau = {
    NASHC_DESC(nashc_op), .name = "hw.mvau", .help = "matrix-vector unit with optional thresholds",
    .min_in = 2,          .max_in = 4,       .min_out = 1,
    .max_out = 1,         .attrs = attrs,    .verify = mvau_verify,
    .infer = mvau_infer,  .eval = mvau_eval, .hw = &mvau_hw,
};
