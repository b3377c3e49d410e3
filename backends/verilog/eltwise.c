/* eltwise.c: hw.thresholding, hw.channelwise, hw.requant, hw.lut and hw.add_streams to their
 * modules.
 */
#include "emit.h"
#include <stdlib.h>
#include <string.h>

/* Channels of the layer: rows of its parameters, or the last dimension of its input. */
static int64_t
channels_of(const nashc_node *n)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    const nashc_type *p = nashc_value_type(nashc_node_in(n, 1));
    int64_t rows = p->rank > 0 ? p->dim[0] : 1;

    return rows > 1 ? rows : x->rank > 0 ? x->dim[x->rank - 1] : 1;
}

static void
common(const nashc_node *n, nashc_vlog *v)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));

    nashc_vlog_int(v, "C", channels_of(n));
    nashc_vlog_int(v, "PE", emit_int(n, "pe"));
    nashc_vlog_int(v, "XW", x->bits);
    nashc_vlog_int(v, "X_SIGNED", emit_signed(x));
    nashc_vlog_int(v, "OUT_W", nashc_value_type(nashc_node_out(n, 0))->bits);
}

/* A bipolar input is compared as 0 or 1: -1 >= t <=> t <= -1, +1 >= t <=> t <= 1. */
static int64_t
bipolar_threshold(int64_t t)
{
    return t <= -1 ? 0 : t <= 1 ? 1 : 2;
}

static nashc_status
emit_thresholding(const nashc_node *n, nashc_vlog *v, nashc_diag *d)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    const nashc_tensor *t = nashc_value_const(nashc_node_in(n, 1));
    const nashc_type *tt = nashc_tensor_type(t);
    int64_t count = nashc_tensor_count(t), style = emit_int(n, "style");
    int64_t *values = malloc((size_t)count * sizeof *values);
    bool bip = x->kind == NASHC_K_BIP;
    emit_steps s = {.t = values,
                    .rows = tt->dim[0],
                    .n = tt->dim[1],
                    .channels = channels_of(n),
                    .pe = emit_int(n, "pe"),
                    .bits = bip ? 2 : tt->bits,
                    .is_signed = bip ? 0 : emit_signed(tt),
                    .hash = t,
                    .ram_style = emit_text(n, "ram_style")};

    if (!values)
        return nashc_enomem(d);
    for (int64_t i = 0; i < count; i++) {
        values[i] = nashc_tensor_get_int(t, i);
        values[i] = bip ? bipolar_threshold(values[i]) : values[i];
    }
    if (nashc_node_in(n, 2))
        s.dir = nashc_value_const(nashc_node_in(n, 2));
    s.parallel = style == 1 || (style == 0 && s.n <= 3);
    nashc_vlog_core(v, s.parallel ? "nashc_thresh_par" : "nashc_thresh_bs");
    common(n, v);
    nashc_vlog_int(v, "ACTVAL", emit_int(n, "act_bias"));
    emit_thresholds(v, &s);
    free(values);
    return NASHC_OK;
}

static nashc_status
emit_channelwise(const nashc_node *n, nashc_vlog *v, nashc_diag *d)
{
    static const int funcs[] = {0, 1, 4, 5}; /* add, mul, max, min as nashc_binary counts */
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));
    const nashc_tensor *p = nashc_value_const(nashc_node_in(n, 1));
    const nashc_type *pt = nashc_tensor_type(p);
    int64_t c = channels_of(n), pe = emit_int(n, "pe"), rows = nashc_tensor_count(p);
    int bits = pt->kind == NASHC_K_BIP ? 2 : pt->bits;

    (void)d;
    nashc_vlog_mem *m = nashc_vlog_memory(v, c / pe, pe * bits);
    for (int64_t i = 0; i < c; i++)
        nashc_vlog_put(m, i / pe, i % pe * bits, bits, nashc_tensor_get_int(p, i % rows));
    nashc_vlog_core(v, "nashc_channelwise");
    nashc_vlog_int(v, "C", c);
    nashc_vlog_int(v, "PE", pe);
    nashc_vlog_int(v, "FUNC", funcs[emit_int(n, "func")]);
    emit_element(v, "X", x, y);
    nashc_vlog_int(v, "OUT_W", y->bits);
    nashc_vlog_int(v, "PW", bits);
    nashc_vlog_int(v, "P_SIGNED", nashc_type_is_signed(pt));
    nashc_vlog_str(v, "RAM_STYLE", emit_text(n, "ram_style"));
    nashc_vlog_file(v, "FILE", "params", m);
    return NASHC_OK;
}

/* Bits of v in two's complement, and of what was seen before. */
static int
bits_for(int64_t v, int bits)
{
    int b = nashc_type_for_range(v < 0 ? v : ~v, -1).bits;

    return b > bits ? b : bits;
}

static nashc_status
emit_requant(const nashc_node *n, nashc_vlog *v, nashc_diag *d)
{
    const nashc_tensor *m = nashc_value_const(nashc_node_in(n, 1));
    const nashc_tensor *a = nashc_value_const(nashc_node_in(n, 2));
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    int64_t pe = emit_int(n, "pe"), rows = nashc_tensor_count(m), c = rows > 1 ? rows : pe;
    int mw = 1, aw = 1;

    if (x->kind == NASHC_K_BIP)
        return nashc_node_unsup(d, n, "a bipolar stream has no requantisation layer");
    for (int64_t i = 0; i < rows; i++) {
        mw = bits_for(nashc_tensor_get_int(m, i), mw);
        aw = bits_for(nashc_tensor_get_int(a, i), aw);
    }
    nashc_vlog_mem *mem = nashc_vlog_memory(v, c / pe, pe * (mw + aw));
    for (int64_t i = 0; i < c; i++) {
        int64_t at = i % pe * (mw + aw);
        nashc_vlog_put(mem, i / pe, at, mw, nashc_tensor_get_int(m, i % rows));
        nashc_vlog_put(mem, i / pe, at + mw, aw, nashc_tensor_get_int(a, i % rows));
    }
    nashc_vlog_core(v, "nashc_requant");
    nashc_vlog_int(v, "C", c);
    nashc_vlog_int(v, "PE", pe);
    nashc_vlog_int(v, "XW", x->bits);
    nashc_vlog_int(v, "X_SIGNED", emit_signed(x));
    nashc_vlog_int(v, "MW", mw);
    nashc_vlog_int(v, "AW", aw);
    nashc_vlog_int(v, "SHIFT", emit_int(n, "shift"));
    nashc_vlog_int(v, "EVEN", emit_int(n, "ties_even"));
    nashc_vlog_int(v, "QMIN", emit_int(n, "qmin"));
    nashc_vlog_int(v, "QMAX", emit_int(n, "qmax"));
    nashc_vlog_int(v, "OUT_W", nashc_value_type(nashc_node_out(n, 0))->bits);
    nashc_vlog_str(v, "RAM_STYLE", emit_text(n, "ram_style"));
    nashc_vlog_file(v, "FILE", "params", mem);
    return NASHC_OK;
}

static nashc_status
emit_lut(const nashc_node *n, nashc_vlog *v, nashc_diag *d)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    const nashc_tensor *t = nashc_value_const(nashc_node_in(n, 1));
    const nashc_type *tt = nashc_tensor_type(t), *y = nashc_value_type(nashc_node_out(n, 0));
    int64_t c = channels_of(n), pe = emit_int(n, "pe"), rows = tt->dim[0], size = tt->dim[1];
    int64_t lanes = rows > 1 ? pe : 1, folds = rows > 1 ? c / pe : 1;

    if (x->kind == NASHC_K_BIP)
        return nashc_node_unsup(d, n, "a bipolar stream has no table layer");
    nashc_vlog_core(v, "nashc_lut");
    common(n, v);
    nashc_vlog_int(v, "LO", emit_int(n, "lo"));
    nashc_vlog_int(v, "N", size);
    nashc_vlog_int(v, "SHARED", rows == 1);
    nashc_vlog_str(v, "RAM_STYLE", emit_text(n, "ram_style"));
    const char *prefix = nashc_vlog_prefix(v, "T_FILE", "table", t);
    for (int64_t p = 0; p < lanes; p++) {
        nashc_vlog_mem *m = nashc_vlog_memory(v, folds * size, y->bits);
        for (int64_t f = 0; f < folds; f++)
            for (int64_t i = 0; i < size; i++)
                nashc_vlog_put(
                    m, f * size + i, 0, y->bits,
                    emit_code(tt, nashc_tensor_get_int(t, (rows > 1 ? f * pe + p : 0) * size + i)));
        nashc_vlog_image(v, prefix, m, "%" PRId64, p);
    }
    return NASHC_OK;
}

static nashc_status
emit_add_streams(const nashc_node *n, nashc_vlog *v, nashc_diag *d)
{
    static const int funcs[] = {0, 6, 1, 4, 5}; /* add, sub, mul, max, min as nashc_binary counts */
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));
    nashc_type whole = nashc_type_for_range(-1, 1); /* bipolar elements are computed as integers */

    (void)d;
    nashc_vlog_core(v, "nashc_addstreams");
    nashc_vlog_int(v, "PE", emit_int(n, "pe"));
    emit_element(v, "X", nashc_value_type(nashc_node_in(n, 0)), &whole);
    emit_element(v, "X1", nashc_value_type(nashc_node_in(n, 1)), &whole);
    nashc_vlog_int(v, "FUNC", funcs[emit_int(n, "func")]);
    nashc_vlog_int(v, "OUT_BIP", y->kind == NASHC_K_BIP);
    nashc_vlog_int(v, "OUT_W", y->bits);
    return NASHC_OK;
}

extern const nashc_impl nashc_impl_verilog_hw_thresholding, nashc_impl_verilog_hw_channelwise,
    nashc_impl_verilog_hw_requant, nashc_impl_verilog_hw_lut, nashc_impl_verilog_hw_add_streams;
const nashc_impl nashc_impl_verilog_hw_thresholding =
    NASHC_IMPL_VERILOG("hw.thresholding", emit_thresholding);
const nashc_impl nashc_impl_verilog_hw_channelwise =
    NASHC_IMPL_VERILOG("hw.channelwise", emit_channelwise);
const nashc_impl nashc_impl_verilog_hw_add_streams =
    NASHC_IMPL_VERILOG("hw.add_streams", emit_add_streams);
const nashc_impl nashc_impl_verilog_hw_requant = NASHC_IMPL_VERILOG("hw.requant", emit_requant);
const nashc_impl nashc_impl_verilog_hw_lut = NASHC_IMPL_VERILOG("hw.lut", emit_lut);
