/* write_quant.c: quantisers and tables of the IR as QONNX and standard nodes.
 *
 * q.quant with real result is Quant where its range is one of Quant's; another range is that of the
 * next wider Quant, limited behind it. With codes as result, x/s + z comes first and the Quant has
 * scale 1; its output is annotated with an integer datatype, by which the reader knows codes.
 * Rounding before the zero point (QuantizeLinear) is rounding with zero point 0 and shifted limits.
 */
#include "frontends/onnx/write/writer.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const nashc_value *
operand(const onnx_out *o, int i)
{
    return nashc_node_in(o->node, i);
}

static bool
all_equal(const nashc_value *v, double x)
{
    return nashc_tensor_all_eq(nashc_value_const(v), x);
}

/* A Quant format that covers lo..hi, exactly if there is one. */
typedef struct format {
    int bits;
    bool is_signed, narrow;
    int64_t lo, hi;
} format;

static format
format_for(int64_t lo, int64_t hi)
{
    for (int bits = 1; bits <= 32; bits++)
        for (int kind = 0; kind < 4; kind++) {
            format f = {.bits = bits, .is_signed = kind < 2, .narrow = kind & 1};
            if (bits == 1 && f.is_signed)
                continue; /* the sign function */
            f.lo = f.is_signed ? -(INT64_C(1) << (bits - 1)) + f.narrow : 0;
            f.hi =
                f.is_signed ? (INT64_C(1) << (bits - 1)) - 1 : (INT64_C(1) << bits) - 1 - f.narrow;
            if (f.lo == lo && f.hi == hi)
                return f;
        }
    /* else the narrowest that covers it; a Clip cuts the rest */
    for (int bits = 2; bits <= 32; bits++) {
        format f = {.bits = bits, .is_signed = lo < 0};
        f.lo = f.is_signed ? -(INT64_C(1) << (bits - 1)) : 0;
        f.hi = (INT64_C(1) << (bits - f.is_signed)) - 1;
        if (f.lo <= lo && f.hi >= hi)
            return f;
    }
    return (format){0};
}

/* QONNX's names; "sign" has none, see write_quant. */
static const char *
rounding_name(const char *ir)
{
    static const char *const names[][2] = {
        {"round", "ROUND"}, {"ceil", "CEIL"},       {"floor", "FLOOR"},         {"up", "UP"},
        {"down", "DOWN"},   {"half_up", "HALF_UP"}, {"half_down", "HALF_DOWN"}, {"dpu", "DPU"},
    };

    for (size_t i = 0; i < NASHC_COUNT(names); i++)
        if (!strcmp(names[i][0], ir))
            return names[i][1];
    return "ROUND";
}

/* One Quant of tensor x with scale s and zero point z. out NULL: between, annotated with type. */
static const char *
quant(onnx_out *o, const char *x, const char *s, const char *z, const format *f,
      const char *rounding, const char *out, const nashc_type *type)
{
    const char *in[4] = {x, s, z, onnx_put_scalar(o, f->bits, NASHC_ONNX_FLOAT)};

    if (!out)
        out = onnx_between(o, type, NASHC_ONNX_FLOAT);
    onnx_emit(o, ONNX_DOMAIN_QONNX, "Quant", in, 4, &out, 1);
    onnx_put_int(o, "signed", f->is_signed);
    onnx_put_int(o, "narrow", f->narrow);
    onnx_put_str(o, "rounding_mode", rounding);
    return out;
}

/* Least and greatest zero point, integers both. */
static bool
integral_zero(const onnx_out *o, int64_t *least, int64_t *most)
{
    const nashc_tensor *t = nashc_value_const(operand(o, 2));
    double lo, hi;

    nashc_tensor_min_max(t, &lo, &hi);
    if (!nashc_tensor_all_integral(t) || lo < -1e9 || hi > 1e9)
        return false;
    *least = (int64_t)lo;
    *most = (int64_t)hi;
    return true;
}

/* fl(x / s) as float32: in float64 and rounded once more where x or s needs that. */
static const char *
quotient(onnx_out *o)
{
    int work = onnx_elem_of(o, operand(o, 0)) == NASHC_ONNX_DOUBLE ||
                       !onnx_fits_float(nashc_value_const(operand(o, 1)))
                   ? NASHC_ONNX_DOUBLE
                   : NASHC_ONNX_FLOAT;
    const char *u = onnx_use(o, operand(o, 0), work);

    if (!all_equal(operand(o, 1), 1))
        u = onnx_emit1(o, "Div", u, onnx_use(o, operand(o, 1), work), NULL, NULL);
    if (work == NASHC_ONNX_DOUBLE) {
        u = onnx_emit_cast(o, u, NASHC_ONNX_FLOAT, NULL);
    }
    return u;
}

/* Codes that are rounded before zero points from least to most are added: those of the Quant that
 * covers all, moved, then limited. */
static const char *
write_moved(onnx_out *o, int64_t lo, int64_t hi, int64_t least, int64_t most, const char *rounding,
            const char *out)
{
    format f = format_for(lo - most, hi - least);
    nashc_type wide = nashc_type_for_range(f.lo, f.hi), range = nashc_type_for_range(lo, hi);
    nashc_type moved = nashc_type_for_range(f.lo + least, f.hi + most);
    const nashc_tensor *z = nashc_value_const(operand(o, 2));
    nashc_type zt = nashc_type_for_range(least, most);
    double *v = nashc_buf_to_f64(nashc_tensor_buf(z));
    const char *one = onnx_put_scalar(o, 1, NASHC_ONNX_FLOAT),
               *none = onnx_put_scalar(o, 0, NASHC_ONNX_FLOAT);
    const char *u = quant(o, quotient(o), one, none, &f, rounding, NULL, &wide);

    zt = nashc_type_with_elem(nashc_tensor_type(z), &zt);
    nashc_tensor *ints = v ? nashc_tensor_from_f64(&zt, v) : NULL;
    nashc_mem_free(v);
    if (ints)
        u = onnx_emit1(o, "Add", u, onnx_put_tensor(o, "zero_point", ints, NASHC_ONNX_FLOAT),
                       &moved, NULL);
    else
        o->no_memory = true;
    nashc_tensor_unref(ints);
    if (!out)
        out = onnx_between(o, &range, NASHC_ONNX_FLOAT);
    const char *in[3] = {u, onnx_put_scalar(o, (double)lo, NASHC_ONNX_FLOAT),
                         onnx_put_scalar(o, (double)hi, NASHC_ONNX_FLOAT)};
    onnx_emit(o, "", "Clip", in, 3, &out, 1);
    return out;
}

/* Codes: u = fl(fl(x/s) + z), then a Quant of scale 1. out NULL: a tensor between. */
static const char *
write_codes(onnx_out *o, int64_t lo, int64_t hi, bool before, const char *rounding, const char *out)
{
    int64_t least = 0, most = 0;

    if (before && integral_zero(o, &least, &most) && least != most)
        return write_moved(o, lo, hi, least, most, rounding, out);
    bool zero = all_equal(operand(o, 2), 0);
    int64_t shift = least;
    format f = format_for(lo - shift, hi - shift);
    bool exact = f.lo == lo - shift && f.hi == hi - shift, last = exact && !shift;
    nashc_type wide = nashc_type_for_range(f.lo, f.hi), range = nashc_type_for_range(lo, hi);
    nashc_type cut = nashc_type_for_range(lo - shift, hi - shift);
    const char *u = quotient(o);

    if (!zero && !before)
        u = onnx_emit1(o, "Add", u, onnx_use(o, operand(o, 2), NASHC_ONNX_FLOAT), NULL, NULL);
    const char *one = onnx_put_scalar(o, 1, NASHC_ONNX_FLOAT),
               *none = onnx_put_scalar(o, 0, NASHC_ONNX_FLOAT);
    if (!out)
        out = onnx_between(o, &range, NASHC_ONNX_FLOAT);
    u = quant(o, u, one, none, &f, rounding, last ? out : NULL, &wide);
    if (!exact) {
        const char *in[3] = {u, onnx_put_scalar(o, (double)(lo - shift), NASHC_ONNX_FLOAT),
                             onnx_put_scalar(o, (double)(hi - shift), NASHC_ONNX_FLOAT)};
        u = shift ? onnx_between(o, &cut, NASHC_ONNX_FLOAT) : out;
        onnx_emit(o, "", "Clip", in, 3, &u, 1);
    }
    if (shift) { /* an integer operand, so that the sum is one */
        nashc_type t = nashc_type_for_range(shift, shift);
        nashc_tensor *c = nashc_tensor_from_i64(&t, &shift);
        if (c)
            onnx_emit1(o, "Add", u, onnx_put_tensor(o, "zero_point", c, NASHC_ONNX_FLOAT), NULL,
                       out);
        else
            o->no_memory = true;
        nashc_tensor_unref(c);
    }
    return out;
}

/* Real results: y = fl(fl(q - z) * s), where Quant cannot say the limits of the codes from the
 * codes, since limits of y would be rounded. */
static nashc_status
write_real(onnx_out *o, int64_t lo, int64_t hi, bool before, const char *rounding)
{
    int64_t least = 0, most = 0;
    bool one = !before || (integral_zero(o, &least, &most) && least == most);
    format f = format_for(lo - most, hi - least);

    if (!f.bits)
        return onnx_write_vendor(o);
    if (one && f.lo == lo - most && f.hi == hi - least) {
        const char *x = onnx_use(o, operand(o, 0), NASHC_ONNX_FLOAT);
        const char *s = onnx_use(o, operand(o, 1), NASHC_ONNX_FLOAT);
        const char *z = before ? onnx_put_scalar(o, 0, NASHC_ONNX_FLOAT)
                               : onnx_use(o, operand(o, 2), NASHC_ONNX_FLOAT);
        quant(o, x, s, z, &f, rounding, onnx_begin(o, NASHC_ONNX_FLOAT), NULL);
        return NASHC_OK;
    }
    const char *q = write_codes(o, lo, hi, before, rounding, NULL);
    if (!all_equal(operand(o, 2), 0))
        q = onnx_emit1(o, "Sub", q, onnx_use(o, operand(o, 2), NASHC_ONNX_FLOAT), NULL, NULL);
    const char *s = onnx_use(o, operand(o, 1), NASHC_ONNX_FLOAT);
    onnx_emit1(o, "Mul", q, s, NULL, onnx_begin(o, NASHC_ONNX_FLOAT));
    return NASHC_OK;
}

/* Real results with a scale of more digits than float32 has: the codes, then fl(fl(q - z) * s). */
static nashc_status
write_scaled(onnx_out *o, int64_t lo, int64_t hi, bool before, const char *rounding)
{
    const char *q = write_codes(o, lo, hi, before, rounding, NULL), *out;

    if (!all_equal(operand(o, 2), 0))
        q = onnx_emit1(o, "Sub", q, onnx_use(o, operand(o, 2), NASHC_ONNX_FLOAT), NULL, NULL);
    q = onnx_emit_cast(o, q, NASHC_ONNX_DOUBLE, NULL);
    q = onnx_emit1(o, "Mul", q, onnx_use(o, operand(o, 1), NASHC_ONNX_DOUBLE), NULL, NULL);
    out = onnx_begin(o, NASHC_ONNX_FLOAT);
    onnx_emit_cast(o, q, NASHC_ONNX_FLOAT, out);
    return NASHC_OK;
}

/* What float32 arithmetic of Quant would round differently goes out under the IR's own name, or by
 * parts. */
static nashc_status
write_quant(onnx_out *o)
{
    int64_t lo = onnx_get_int(o, "qmin"), hi = onnx_get_int(o, "qmax"), least = 0, most = 0;
    bool codes = onnx_get_bool(o, "codes"), before = onnx_get_bool(o, "round_before_zp");
    const char *rounding = onnx_get_str(o, "rounding");
    const nashc_tensor *s = nashc_value_const(operand(o, 1)), *z = nashc_value_const(operand(o, 2));

    const nashc_value *y = nashc_node_out(o->node, 0);
    if (!s || !z || !onnx_fits_float(z) ||
        onnx_container(nashc_value_type(y)) != NASHC_ONNX_FLOAT ||
        onnx_container(nashc_value_type(operand(o, 0))) == NASHC_ONNX_FLOAT16 ||
        nashc_value_type(operand(o, 0))->kind == NASHC_K_F64 || !format_for(lo, hi).bits ||
        (before && !(integral_zero(o, &least, &most) && format_for(lo - most, hi - least).bits)))
        return onnx_write_vendor(o);
    /* the order makes no difference without a zero point */
    if (nashc_tensor_all_eq(z, 0))
        before = false;
    /* Quant computes in float32: scales and operands must be float32 numbers */
    bool plain = onnx_fits_float(s) && onnx_elem_of(o, operand(o, 0)) != NASHC_ONNX_DOUBLE;
    if (!strcmp(rounding, "sign")) {
        format f = {.bits = 1, .is_signed = true, .lo = -1, .hi = 1};
        if (!codes && !plain)
            return onnx_write_vendor(o);
        const char *x = codes ? quotient(o) : onnx_use(o, operand(o, 0), NASHC_ONNX_FLOAT);
        if (codes && !nashc_tensor_all_eq(z, 0))
            x = onnx_emit1(o, "Add", x, onnx_use(o, operand(o, 2), NASHC_ONNX_FLOAT), NULL, NULL);
        const char *one = codes ? onnx_put_scalar(o, 1, NASHC_ONNX_FLOAT)
                                : onnx_use(o, operand(o, 1), NASHC_ONNX_FLOAT);
        const char *none = codes ? onnx_put_scalar(o, 0, NASHC_ONNX_FLOAT)
                                 : onnx_use(o, operand(o, 2), NASHC_ONNX_FLOAT);
        quant(o, x, one, none, &f, "ROUND", onnx_begin(o, NASHC_ONNX_FLOAT), NULL);
        return NASHC_OK;
    }
    rounding = rounding_name(rounding);
    if (codes) {
        write_codes(o, lo, hi, before, rounding, onnx_begin(o, NASHC_ONNX_FLOAT));
        return NASHC_OK;
    }
    return plain ? write_real(o, lo, hi, before, rounding)
                 : write_scaled(o, lo, hi, before, rounding);
}

static nashc_status
write_bipolar_quant(onnx_out *o)
{
    bool codes = onnx_get_bool(o, "codes");
    const nashc_tensor *s = nashc_value_const(operand(o, 1));

    if (!s || !onnx_fits_float(s) || !nashc_tensor_all_ge(s, 0) ||
        onnx_elem_of(o, operand(o, 0)) == NASHC_ONNX_DOUBLE ||
        onnx_elem_of(o, operand(o, 0)) == NASHC_ONNX_FLOAT16)
        return onnx_write_vendor(o);
    const char *in[2] = {onnx_use(o, operand(o, 0), NASHC_ONNX_FLOAT),
                         codes ? onnx_put_scalar(o, 1, NASHC_ONNX_FLOAT)
                               : onnx_use(o, operand(o, 1), NASHC_ONNX_FLOAT)};
    const char *out = onnx_begin(o, NASHC_ONNX_FLOAT);
    onnx_emit(o, ONNX_DOMAIN_QONNX, "BipolarQuant", in, 2, &out, 1);
    return NASHC_OK;
}

/* Constant codes of a standard width with scalar or vector parameters keep the standard form;
 * otherwise a difference and a product say the same. */
static nashc_status
write_dequant(onnx_out *o)
{
    int work = onnx_work_elem(o);
    const char *x = onnx_use(o, operand(o, 0), work);
    const nashc_value *z = operand(o, 2);
    const nashc_tensor *zt = z ? nashc_value_const(z) : NULL;

    if (zt && !nashc_tensor_all_eq(zt, 0)) {
        const char *name = NULL;
        if (nashc_tensor_all_integral(zt) && nashc_type_is_float(nashc_tensor_type(zt))) {
            /* as integers, so that the difference is one, too */
            double lo, hi, *v = nashc_buf_to_f64(nashc_tensor_buf(zt));
            nashc_type t = *nashc_tensor_type(zt);
            nashc_tensor_min_max(zt, &lo, &hi);
            nashc_type_set_range(&t, (int64_t)lo, (int64_t)hi);
            nashc_tensor *ints = v ? nashc_tensor_from_f64(&t, v) : NULL;
            nashc_mem_free(v);
            if (!ints)
                return nashc_enomem(o->d);
            name = onnx_put_tensor(o, "zero_point", ints, work);
            nashc_tensor_unref(ints);
        }
        x = onnx_emit1(o, "Sub", x, name ? name : onnx_use(o, z, work), NULL, NULL);
    }
    const char *s = onnx_use(o, operand(o, 1), work), *out = onnx_begin(o, work);
    onnx_emit1(o, "Mul", x, s, NULL, out);
    return onnx_finish(o, work, out);
}

static nashc_status
write_trunc(onnx_out *o)
{
    bool v2 = operand(o, 3) != NULL;
    const char *in[6];

    if (!v2 && o->trunc_version == 2)
        return onnx_write_vendor(o); /* both forms in one file */

    /* parameters go out as float32: none may lose digits */
    for (int i = 0; i < nashc_node_n_in(o->node); i++)
        if (i && operand(o, i) &&
            (!nashc_value_const(operand(o, i)) ||
             !onnx_fits_float(nashc_value_const(operand(o, i)))))
            return onnx_write_vendor(o);
    for (int i = 0; i < 3; i++)
        in[i] = onnx_use(o, operand(o, i), NASHC_ONNX_FLOAT);
    in[3] = onnx_put_scalar(o, (double)onnx_get_int(o, "in_bits"), NASHC_ONNX_FLOAT);
    in[4] = v2 ? onnx_use(o, operand(o, 3), NASHC_ONNX_FLOAT) : NULL;
    in[v2 ? 5 : 4] = onnx_put_scalar(o, (double)onnx_get_int(o, "out_bits"), NASHC_ONNX_FLOAT);
    const char *out = onnx_begin(o, NASHC_ONNX_FLOAT);
    onnx_emit(o, ONNX_DOMAIN_QONNX, "Trunc", in, v2 ? 6 : 5, &out, 1);
    onnx_put_str(o, "rounding_mode", rounding_name(onnx_get_str(o, "rounding")));
    if (v2) {
        onnx_put_int(o, "signed", onnx_get_bool(o, "signed"));
        onnx_put_int(o, "narrow", onnx_get_bool(o, "narrow"));
    }
    return NASHC_OK;
}

static nashc_status
write_float_quant(onnx_out *o)
{
    const char *in[6] = {onnx_use(o, operand(o, 0), NASHC_ONNX_FLOAT),
                         onnx_use(o, operand(o, 1), NASHC_ONNX_FLOAT),
                         onnx_put_scalar(o, (double)onnx_get_int(o, "exponent"), NASHC_ONNX_FLOAT),
                         onnx_put_scalar(o, (double)onnx_get_int(o, "mantissa"), NASHC_ONNX_FLOAT),
                         onnx_put_scalar(o, (double)onnx_get_int(o, "bias"), NASHC_ONNX_FLOAT),
                         onnx_put_scalar(o, onnx_get_float(o, "max"), NASHC_ONNX_FLOAT)};
    const char *out = onnx_begin(o, NASHC_ONNX_FLOAT);

    onnx_emit(o, ONNX_DOMAIN_QONNX, "FloatQuant", in, 6, &out, 1);
    onnx_put_str(o, "rounding_mode", rounding_name(onnx_get_str(o, "rounding")));
    onnx_put_int(o, "saturation", onnx_get_bool(o, "saturation"));
    onnx_put_int(o, "has_inf", onnx_get_bool(o, "has_inf"));
    onnx_put_int(o, "has_nan", onnx_get_bool(o, "has_nan"));
    onnx_put_int(o, "has_subnormal", 1);
    return NASHC_OK;
}

/* y = table[c][x - lo]: one Gather from all rows behind each other, row c from c * N on. */
static nashc_status
write_lut(onnx_out *o)
{
    const nashc_value *x = operand(o, 0);
    const nashc_tensor *table = nashc_value_const(operand(o, 1));
    const nashc_type *xt = nashc_value_type(x);
    int work = onnx_work_elem(o), axis = nashc_type_channel_axis(xt);
    nashc_type shape = {0};

    if (!table || work != NASHC_ONNX_FLOAT || xt->lo < -(1 << 24) || xt->hi > 1 << 24)
        return onnx_write_vendor(o);
    int64_t rows = nashc_tensor_type(table)->dim[0], size = nashc_tensor_type(table)->dim[1];
    int64_t flat = rows * size, lo = onnx_get_int(o, "lo");
    shape.rank = rows > 1 ? xt->rank : 0;
    for (int i = 0; i < shape.rank; i++)
        shape.dim[i] = i == axis ? rows : 1;
    nashc_type t =
        nashc_type_shaped(nashc_type_for_range(-lo, (rows - 1) * size - lo), shape.rank, shape.dim);
    nashc_buf b;
    if (!nashc_buf_alloc(&b, &t))
        return nashc_enomem(o->d);
    for (int64_t c = 0; c < b.n; c++)
        nashc_buf_set_int(&b, c, c * size - lo);
    nashc_tensor *first = nashc_tensor_take(&b);
    nashc_tensor *all = nashc_tensor_reshaped((nashc_tensor *)table, 1, &flat);
    if (first && all) {
        const char *at = onnx_emit1(o, "Add", onnx_use(o, x, NASHC_ONNX_FLOAT),
                                    onnx_put_tensor(o, "row", first, NASHC_ONNX_FLOAT), NULL, NULL);
        at = onnx_emit_cast(o, at, NASHC_ONNX_INT64, NULL);
        const char *out_table = onnx_put_tensor(o, "table", all, NASHC_ONNX_FLOAT);
        onnx_emit1(o, "Gather", out_table, at, NULL, onnx_begin(o, work));
        onnx_put_int(o, "axis", 0);
    } else {
        o->no_memory = true;
    }
    nashc_tensor_unref(first);
    nashc_tensor_unref(all);
    return NASHC_OK;
}

const onnx_writer onnx_quant_writers[] = {
    {"q.quant", write_quant},
    {"q.bipolar_quant", write_bipolar_quant},
    {"q.dequant", write_dequant},
    {"q.trunc", write_trunc},
    {"q.float_quant", write_float_quant},
    {"q.lut", write_lut},
    {0},
};
