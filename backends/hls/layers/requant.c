/* requant.c: hw.requant to C: y = clamp(floor((x * m + a) / 2^shift), qmin, qmax).
 *
 * ties_even: an odd quotient without remainder is one less.
 */
#include "model.h"

/* Element of x * m + a, wide enough to be shifted, and of the bounds, which the sum is compared
 * with. */
static nashc_type
wide_type(const nashc_node *n)
{
    const nashc_type *x = hls_in(n, 0), *m = hls_in(n, 1), *a = hls_in(n, 2);
    nashc_type bounds = nashc_type_for_range(nashc_node_int(n, "qmin"), nashc_node_int(n, "qmax"));
    int bits = x->bits + m->bits;

    bits = (bits > a->bits ? bits : a->bits) + 2;
    bits = bits > bounds.bits + 1 ? bits : bounds.bits + 1;
    bits = bits > nashc_node_int(n, "shift") + 1 ? bits : (int)nashc_node_int(n, "shift") + 2;
    return nashc_type_int(bits > 64 ? 64 : bits);
}

/* sum: the quotient of a lane, before it is clamped. */
static void
divide(const nashc_node *n, nashc_hls *h, const char *type)
{
    int shift = (int)nashc_node_int(n, "shift");

    nashc_hls_line(h, "%s q = (%s)(sum >> %d); /* rounds down */", type, type, shift);
    if (nashc_node_int(n, "ties_even")) {
        nashc_hls_line(h, "if ((q & 1) && (sum & (((%s)1 << %d) - 1)) == 0)", type, shift);
        nashc_hls_line(h, "    q = (%s)(q - 1);", type);
    }
    nashc_hls_line(h, "if (q < QMIN)");
    nashc_hls_line(h, "    q = (%s)QMIN;", type);
    nashc_hls_line(h, "if (q > QMAX)");
    nashc_hls_line(h, "    q = (%s)QMAX;", type);
}

static nashc_status
emit_requant(const nashc_node *n, nashc_hls *h, nashc_diag *d)
{
    const nashc_tensor *m = nashc_value_const(nashc_node_in(n, 1));
    const nashc_tensor *a = nashc_value_const(nashc_node_in(n, 2));
    nashc_type wide = wide_type(n);
    const char *type = nashc_hls_type(h, &wide), *style = nashc_node_str(n, "ram_style");
    int64_t rows = nashc_tensor_count(m);
    hls_rows r = hls_rows_of(n, h, rows);
    const int64_t dim[] = {r.folds, rows > 1 ? r.pe : 1};
    const char *factors = hls_tensor(h, "factors", m, 2, dim);
    const char *addends = hls_tensor(h, "addends", a, 2, dim);

    if (!factors || !addends)
        return nashc_enomem(d);
    nashc_hls_int(h, "QMIN", nashc_node_int(n, "qmin"));
    nashc_hls_int(h, "QMAX", nashc_node_int(n, "qmax"));
    hls_memory(h, nashc_hls_line, factors, 1, 2, "rom_1p", style);
    hls_memory(h, nashc_hls_line, addends, 1, 2, "rom_1p", style);
    hls_open_rows(h);
    nashc_hls_line(h, "%s x = NASHC_READ(%s, in);", nashc_hls_beat(h, true, 0),
                   nashc_hls_beat(h, true, 0));
    nashc_hls_line(h, "%s y;", nashc_hls_beat(h, false, 0));
    hls_open_lanes(h);
    nashc_hls_line(h, "const %s sum = (%s)(%s * %s + %s);", type, type,
                   hls_value(h, hls_in(n, 0), &wide, "x.lane[p]"),
                   hls_value(h, hls_in(n, 1), &wide, nashc_hls_text(h, "%s%s", factors, r.at)),
                   hls_value(h, hls_in(n, 2), &wide, nashc_hls_text(h, "%s%s", addends, r.at)));
    divide(n, h, type);
    nashc_hls_line(h, "y.lane[p] = %s;", hls_stored(h, hls_out(n, 0), "q"));
    hls_close(h);
    hls_give(h, 0, "out", "y");
    hls_close(h);
    hls_close(h);
    return NASHC_OK;
}

const nashc_impl nashc_impl_hls_hw_requant = NASHC_IMPL_HLS("hw.requant", emit_requant);

/* --- model --------------------------------------------------------------------------------------
 */

/* Read, multiply, add, clamp, write. */
static nashc_status
requant_timing(const nashc_node *n, nashc_timing *out)
{
    *out = hls_beat_loop(n, 5);
    return NASHC_OK;
}

static uint64_t
requant_cycles(const nashc_node *n)
{
    return hls_beat_loop(n, 5).steps;
}

static const nashc_layer_model model = {
    NASHC_DESC(nashc_layer_model),
    .cycles = requant_cycles,
    .timing = requant_timing,
    .step = hls_beat_step,
};

const nashc_impl nashc_impl_hls_model_hw_requant = MODEL("hw.requant", model);
