/* layer.c: what the streaming layer ops share: stream views, divisors, thresholds. */
#include "layer.h"
#include "ir/ops/ops.h"
#include <stdlib.h>

/* Shapes before the last dimension do not matter to a layer: [N,H,W,C] and [N*H*W,C] are the same
 * stream. */
bool
hw_view_of(const nashc_node *n, int64_t channels, hw_view *out)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    int64_t count = nashc_type_count(x);

    if (channels == 0)
        channels = x->rank > 0 ? x->dim[x->rank - 1] : 1;
    if (channels < 1 || count < 1 || count % channels != 0)
        return false;
    out->channels = channels;
    out->vecs = count / channels;
    return true;
}

/* A stream has elements, not a shape; count must be a multiple of lanes, which verify has
 * checked. */
nashc_stream
hw_stream(const nashc_type *t, int64_t lanes, int64_t count)
{
    nashc_stream s = {.elem = nashc_type_shaped(*t, 0, NULL), .lanes = lanes};

    s.beats = count / lanes;
    s.width = (uint32_t)(lanes * t->bits);
    return s;
}

/* Results are matrices, whatever the operand's shape. */
nashc_type
hw_matrix_type(const nashc_type *elem, int64_t vecs, int64_t channels)
{
    nashc_type t = nashc_type_shaped(*elem, 2, (int64_t[]){vecs, channels});

    t.layout = NASHC_LAYOUT_DEFAULT;
    return t;
}

nashc_status
hw_check_divides(const nashc_node *n, const char *name, int64_t lanes, int64_t channels,
                 nashc_diag *d)
{
    if (lanes >= 1 && channels % lanes == 0)
        return NASHC_OK;
    nashc_status s =
        nashc_node_error(d, n, "%s=%" PRId64 " does not divide %" PRId64, name, lanes, channels);
    if (d)
        nashc_help(d, "the folding of a layer is a divisor of its dimension");
    return s;
}

/* Infer asks this before anything else of an operand: all that comes behind may divide by its
 * count. */
nashc_status
hw_check_operand(const nashc_node *n, int i, bool constant, nashc_diag *d)
{
    nashc_value *v = nashc_node_in(n, i);
    const nashc_type *t = v ? nashc_value_type(v) : NULL;

    if (!t)
        return nashc_node_error(d, n, "operand %d is missing", i);
    if (!nashc_type_is_int(t))
        return nashc_node_error(d, n, "operand %d (%%%s) is %s, a hardware layer takes integers", i,
                                nashc_value_name(v), nashc_type_str(d, t));
    if (nashc_type_count(t) < 1)
        return nashc_node_error(d, n, "operand %d (%%%s) is %s: its size is not known or zero", i,
                                nashc_value_name(v), nashc_type_str(d, t));
    if (constant && !nashc_value_const(v))
        return nashc_node_error(d, n, "operand %d (%%%s) is not a constant", i,
                                nashc_value_name(v));
    return NASHC_OK;
}

nashc_status
hw_check_stream(const nashc_node *n, int i, nashc_diag *d)
{
    nashc_status s = hw_check_operand(n, i, false, d);
    const nashc_value *v = nashc_node_in(n, i);

    if (s == NASHC_OK && nashc_value_const(v))
        return nashc_node_error(d, n, "operand %d (%%%s) is a constant: that is no stream", i,
                                nashc_value_name(v));
    return s;
}

/* O(sqrt n): small divisors v upwards, then the large ones n / v, the root of a square once. */
int64_t
hw_divisor(int64_t n, int64_t k)
{
    int64_t v = 1;

    for (; v <= n / v; v++)
        if (n % v == 0 && k-- == 0)
            return v;
    for (v--; v >= 1; v--)
        if (n % v == 0 && n / v != v && k-- == 0)
            return n / v;
    return 0;
}

int64_t *
hw_divisors(int64_t n, int64_t *count)
{
    int64_t v = 1, at = 0;

    *count = 0;
    for (; v <= n / v; v++)
        *count += n % v ? 0 : n / v == v ? 1 : 2;
    int64_t *all = malloc((size_t)(*count + 1) * sizeof *all);
    for (v = 1; all && v <= n / v; v++)
        if (n % v == 0) {
            all[*count - 1 - at] = n / v; /* of a square's root the same place */
            all[at++] = v;
        }
    return all;
}

bool
hw_fold_lanes(const char *name, int64_t channels, int64_t k, nashc_fold *out)
{
    int64_t lanes = hw_divisor(channels, k);

    *out = (nashc_fold){.n = 1, .name = {name}, .value = {lanes}};
    return lanes > 0;
}

bool
hw_fold_pe(int64_t channels, int64_t k, nashc_fold *out)
{
    return hw_fold_lanes("pe", channels, k, out);
}

/* By name: passes ask it of layers of all kinds. */
int64_t
nashc_hw_positions(const nashc_node *n)
{
    int64_t m = nashc_node_int(n, "positions");

    return m > 1 ? m : 1; /* 0: a layer without it */
}

nashc_status
hw_split_positions(const nashc_node *n, int64_t vecs, int64_t m, nashc_diag *d)
{
    if (vecs % m == 0)
        return NASHC_OK;
    return nashc_node_error(
        d, n, "positions=%" PRId64 " does not divide the %" PRId64 " positions of a frame", m,
        vecs);
}

/* The folding of n with the most elements a beat: they come in ascending order (nashc_hw.fold). */
static bool
widest(const nashc_node *n, nashc_fold *out)
{
    const nashc_hw *hw = nashc_node_op(n)->hw;
    nashc_fold f;
    int64_t k = 0;

    while (hw->fold && hw->fold(n, k, &f) && f.n >= 0) {
        *out = f;
        k++;
    }
    return k > 0;
}

/* Several positions a beat is the step beyond the widest folding: a beat then holds whole
 * positions, so no element has to be told from another by counting. */
nashc_status
nashc_hw_check_positions(const nashc_node *n, nashc_diag *d)
{
    const nashc_hw *hw = nashc_node_op(n)->hw;
    int64_t m = nashc_hw_positions(n);
    nashc_fold f;

    if (m == 1)
        return NASHC_OK;
    if (!NASHC_HAS(hw, positions) || !hw->positions || !widest(n, &f))
        return nashc_node_error(d, n, "positions=%" PRId64 ": this layer takes one a beat", m);
    for (int i = 0; i < f.n; i++)
        if (nashc_node_int(n, f.name[i]) != f.value[i])
            return nashc_node_error(d, n,
                                    "positions=%" PRId64 " asks for %s=%" PRId64
                                    ": beats of several positions hold all that each has",
                                    m, f.name[i], f.value[i]);
    return hw->positions(n, m, d);
}

nashc_status
hw_check_rows(const nashc_node *n, int64_t rows, int64_t channels, nashc_diag *d)
{
    int64_t pe = nashc_node_int(n, "pe"), simd = nashc_node_int(n, "simd");
    nashc_status s = hw_check_divides(n, "pe", pe, channels, d);

    if (s != NASHC_OK || (s = hw_check_divides(n, "simd", simd, rows, d)) != NASHC_OK)
        return s;
    if (simd > 1 && pe != channels)
        return nashc_node_error(d, n,
                                "simd=%" PRId64 " asks for pe=%" PRId64
                                ": beats of several rows hold all their channels",
                                simd, channels);
    return NASHC_OK;
}

/* Folding k: first the divisors of channels as pe with simd 1, then all channels and the divisors
 * of rows but 1, which was the last pe. */
bool
hw_fold_rows(int64_t rows, int64_t channels, int64_t k, nashc_fold *out)
{
    int64_t narrow = 0, pe = hw_divisor(channels, k), simd = 1;

    while (hw_divisor(channels, narrow) > 0)
        narrow++;
    if (k >= narrow) {
        pe = channels;
        simd = hw_divisor(rows, k - narrow + 1);
    }
    *out = (nashc_fold){.n = 2, .name = {"pe", "simd"}, .value = {pe, simd}};
    return simd > 0;
}

bool
hw_threshold_dims(const nashc_node *n, int i, int64_t *rows, int64_t *steps)
{
    nashc_value *v = nashc_node_in(n, i);
    const nashc_type *t = v ? nashc_value_type(v) : NULL;

    if (!t || t->rank != 2)
        return false;
    *rows = t->dim[0];
    *steps = t->dim[1];
    return true;
}

/* The interval holds for any thresholds of that shape, so those may be replaced without a new
 * type. */
nashc_type
hw_count_type(int64_t steps, int64_t bias, bool bipolar)
{
    return bipolar ? nashc_type_bip() : nashc_type_for_range(bias, bias + steps);
}

/* Ascending rows are what makes a binary search in hardware equal to the count of the definition.
 * 65535 keeps the counts in 16 bits. */
nashc_status
hw_check_thresholds(const nashc_node *n, int i, int64_t bias, bool bipolar, nashc_diag *d)
{
    const nashc_tensor *t = nashc_value_const(nashc_node_in(n, i));
    int64_t rows = 0, steps = 0;

    if (!hw_threshold_dims(n, i, &rows, &steps))
        return nashc_node_error(d, n, "thresholds must be a matrix, a row a channel");
    if (bipolar && (steps != 1 || bias != 0))
        return nashc_node_error(d, n, "a bipolar result has one threshold and no act_bias");
    if (steps > 65535)
        return nashc_node_error(d, n, "%" PRId64 " thresholds a channel are more than 65535",
                                steps);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t k = 1; k < steps; k++)
            if (nashc_tensor_get_int(t, r * steps + k - 1) > nashc_tensor_get_int(t, r * steps + k))
                return nashc_node_error(d, n, "thresholds of channel %" PRId64 " do not ascend", r);
    return NASHC_OK;
}

/* All are compared, sorted or not: this is the definition. */
int64_t
hw_count(const int64_t *t, const int64_t *dir, int64_t rows, int64_t steps, int64_t c, int64_t v)
{
    const int64_t *row = t + (rows == 1 ? 0 : c) * steps;
    int64_t count = 0;

    for (int64_t k = 0; k < steps; k++)
        count += v >= row[k];
    return dir && dir[c] < 0 ? steps - count : count;
}

/* Result i has the type of operand 0. */
nashc_status
hw_same_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    nashc_status s = hw_check_operand(n, 0, false, d);

    if (s != NASHC_OK)
        return s;
    for (int i = 0; i < nashc_node_n_out(n); i++)
        out[i] = *nashc_value_type(nashc_node_in(n, 0));
    return NASHC_OK;
}

nashc_status
hw_copy_eval(nashc_eval *e, const nashc_node *n)
{
    const nashc_buf *x = nashc_eval_in(e, 0);

    for (int k = 0; k < nashc_node_n_out(n); k++) {
        nashc_buf *y = nashc_eval_out(e, k);
        ops_copy_run(y, 0, x, 0, y->n);
    }
    return NASHC_OK;
}

int64_t
hw_count_of(const nashc_node *n)
{
    return nashc_type_count(nashc_value_type(nashc_node_in(n, 0)));
}
