/* mac.c: what the layers of multipliers and accumulators share: hw.mvau and hw.vvau. */
#include "mac.h"

void
hw_mac_dims(const nashc_node *n, int64_t *products, int64_t *channels)
{
    const nashc_type *w = ops_type(n, 1);

    *products = w->dim[0];
    *channels = w->dim[1];
}

nashc_status
hw_mac_operands(const nashc_node *n, nashc_diag *d)
{
    nashc_status s = hw_check_operand(n, 0, false, d);

    if (s != NASHC_OK || (s = hw_check_operand(n, 1, true, d)) != NASHC_OK)
        return s;
    if (ops_type(n, 1)->rank != 2)
        return nashc_node_error(d, n, "weights must be a matrix, a column a channel");
    return NASHC_OK;
}

/* Values of mem_mode. */
enum { DECOUPLED, EMBEDDED, EXTERNAL };

/* ultra: an UltraRAM cannot be loaded with the configuration of the device, so it starts empty. */
void
hw_mac_weights(const nashc_node *n, nashc_weights *out)
{
    out->operand = 1;
    /* the whole interval of the bits, which replaced weights may use */
    out->elem = nashc_type_shaped(*ops_type(n, 1), 0, NULL);
    nashc_type_limits(&out->elem, &out->elem.lo, &out->elem.hi);
    out->written = nashc_node_bool(n, "runtime_writeable_weights");
    out->streamed = nashc_node_int(n, "mem_mode") == EXTERNAL;
    out->empty = strcmp(nashc_node_str(n, "ram_style"), "ultra") == 0;
}

/* No accumulator overflows, whatever is summed up first. In doubles, with room below 2^63 (9.2e18)
 * for their rounding. */
static nashc_status
bounded(const nashc_node *n, nashc_diag *d)
{
    const nashc_type *x = ops_type(n, 0), *w = ops_type(n, 1);
    nashc_weights z;

    hw_mac_weights(n, &z);
    double largest = fmax((double)x->hi, -(double)x->lo);
    double heaviest = fmax((double)z.elem.hi, -(double)z.elem.lo);

    if (heaviest * largest * (double)w->dim[0] < 4e18)
        return NASHC_OK;
    return nashc_node_error(d, n, "the accumulator exceeds 63 bits");
}

/* Weights that can be replaced: any of their element, at any place. Fixed ones: the hull over the
 * channels of what these very weights can sum up to, which is what the accumulator's width
 * follows. */
nashc_status
hw_mac_range(const nashc_node *n, int64_t *lo, int64_t *hi, nashc_diag *d)
{
    const nashc_type *x = ops_type(n, 0);
    ops_interval all = {INT64_MAX, INT64_MIN};
    int64_t products, channels;
    nashc_weights z;
    nashc_status s = bounded(n, d);

    if (s != NASHC_OK)
        return s;
    hw_mac_weights(n, &z);
    hw_mac_dims(n, &products, &channels);
    if ((z.written || z.streamed) &&
        nashc_products_range(products, z.elem.lo, z.elem.hi, x->lo, x->hi, lo, hi))
        return NASHC_OK;
    for (int64_t c = 0; c < channels; c += NASHC_SUMS_COLUMNS) {
        nashc_sums sums[NASHC_SUMS_COLUMNS] = {{0}};
        int part = (int)(channels - c < NASHC_SUMS_COLUMNS ? channels - c : NASHC_SUMS_COLUMNS);
        nashc_sums_columns(sums, nashc_tensor_buf(ops_const(n, 1)), products, channels, c, part);
        for (int i = 0; i < part; i++)
            all = ops_interval_hull(all, ops_sums_range(&sums[i], (ops_interval){x->lo, x->hi}));
    }
    *lo = all.lo;
    *hi = all.hi;
    return NASHC_OK;
}

/* With thresholds the accumulator does not appear in the type, but it must not overflow either. */
nashc_status
hw_mac_elem(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    int64_t products, channels, rows = 0, steps = 0, lo, hi;
    nashc_status s;

    hw_mac_dims(n, &products, &channels);
    if (nashc_node_in(n, 2)) {
        if ((s = bounded(n, d)) != NASHC_OK || (s = hw_check_operand(n, 2, true, d)) != NASHC_OK)
            return s;
        if (!hw_threshold_dims(n, 2, &rows, &steps) || (rows != 1 && rows != channels))
            return nashc_node_error(
                d, n, "thresholds must be [1,K] or [%" PRId64 ",K], a row a channel", channels);
        *out = hw_count_type(steps, nashc_node_int(n, "act_bias"), nashc_node_bool(n, "bipolar"));
    } else {
        if ((s = hw_mac_range(n, &lo, &hi, d)) != NASHC_OK)
            return s;
        *out = nashc_type_for_range(lo, hi);
    }
    return NASHC_OK;
}

nashc_status
hw_mac_verify(const nashc_node *n, nashc_diag *d)
{
    int64_t products, channels, bias = nashc_node_int(n, "act_bias");
    bool bipolar = nashc_node_bool(n, "bipolar");
    nashc_status s;

    if (nashc_node_bool(n, "runtime_writeable_weights") &&
        nashc_node_int(n, "mem_mode") != DECOUPLED) {
        s = nashc_node_error(d, n, "runtime_writeable_weights with mem_mode %s: no memory to write",
                             nashc_node_str(n, "mem_mode"));
        nashc_help(d, "use mem_mode internal_decoupled, or runtime_writeable_weights 0");
        return s;
    }
    if (strcmp(nashc_node_str(n, "ram_style"), "ultra") == 0 &&
        !nashc_node_bool(n, "runtime_writeable_weights")) {
        s = nashc_node_error(d, n,
                             "ram_style ultra without runtime_writeable_weights: an UltraRAM "
                             "starts empty, and nothing would write the weights");
        nashc_help(d, "use another ram_style, or runtime_writeable_weights 1");
        return s;
    }
    hw_mac_dims(n, &products, &channels);
    if (nashc_node_in(n, 3)) {
        const nashc_type *dir = ops_type(n, 3);
        if ((s = hw_check_operand(n, 3, true, d)) != NASHC_OK)
            return s;
        if (!nashc_node_in(n, 2) || dir->kind != NASHC_K_BIP || nashc_type_count(dir) != channels)
            return nashc_node_error(d, n, "directions must be bip[%" PRId64 "], with thresholds",
                                    channels);
    }
    if (!nashc_node_in(n, 2) && (bias || bipolar))
        return nashc_node_error(d, n, "act_bias and bipolar need thresholds");
    return nashc_node_in(n, 2) ? hw_check_thresholds(n, 2, bias, bipolar, d) : NASHC_OK;
}

/* Positions of a beat share its weights. */
nashc_status
hw_mac_positions(const nashc_node *n, int64_t vectors, int64_t m, nashc_diag *d)
{
    if (nashc_node_int(n, "mem_mode") == EXTERNAL ||
        nashc_node_bool(n, "runtime_writeable_weights"))
        return nashc_node_error(
            d, n, "positions=%" PRId64 ": weights from outside serve one position", m);
    return hw_split_positions(n, vectors, m, d);
}

/* Bipolar is -1 + 2 * count for a count of 0 or 1. */
bool
hw_act_open(nashc_eval *e, const nashc_node *n, hw_act *out)
{
    bool bipolar = nashc_node_bool(n, "bipolar");

    *out = (hw_act){.scale = bipolar ? 2 : 1, .bias = bipolar ? -1 : nashc_node_int(n, "act_bias")};
    if (!nashc_node_in(n, 2))
        return true;
    out->t = nashc_eval_i64(e, 2);
    out->dir = nashc_node_in(n, 3) ? nashc_eval_i64(e, 3) : NULL;
    hw_threshold_dims(n, 2, &out->rows, &out->steps);
    return out->t && (out->dir || !nashc_node_in(n, 3));
}

int64_t
hw_act_value(const hw_act *a, int64_t channel, int64_t acc)
{
    return a->t ? a->bias + a->scale * hw_count(a->t, a->dir, a->rows, a->steps, channel, acc)
                : acc;
}
