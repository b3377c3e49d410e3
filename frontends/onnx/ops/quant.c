/* quant.c: QONNX quantisers: Quant (IntQuant), BipolarQuant, Trunc, FloatQuant.
 *
 * Semantics: QONNX's own, u = fl(fl(x/s) + z), q = R(clamp(u)), y = fl(fl(q - z) * s).
 */
#include "frontends/onnx/ops/family.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAX_BITS = 32 };

/* The constant parameter i as f32 value that broadcasts to x; positive: a scale. */
static nashc_status
parameter(nashc_onnx_in *r, int i, const char *what, bool positive, const nashc_type *x, int axis,
          nashc_value **out)
{
    const nashc_tensor *t = nashc_onnx_in_param(r, i);
    const char *name = nashc_onnx_in_name(r, i);

    if (nashc_onnx_failed(r))
        return NASHC_EINPUT;
    if (!t) {
        nashc_onnx_unsup(r, "%s \"%s\" is not a constant", what, name);
        nashc_help(nashc_onnx_diag(r),
                   "quantisers whose parameters depend on the data have no hardware form");
        return NASHC_EUNSUP;
    }
    int64_t n = nashc_tensor_count(t);
    /* scales may be integers or halves in the file: all are checked as doubles */
    double *v = nashc_buf_to_f64(nashc_tensor_buf(t));
    if (!v)
        return nashc_enomem(nashc_onnx_diag(r));
    for (int64_t k = 0; k < n; k++) {
        const char *wrong = isnan(v[k])                    ? "NaN"
                            : isinf(v[k])                  ? "infinite"
                            : positive && v[k] == 0        ? "zero"
                            : positive && v[k] < 0         ? "negative"
                            : positive && (float)v[k] == 0 ? "zero in float32"
                                                           : NULL;
        if (wrong) {
            nashc_onnx_error(r, "%s \"%s\" is %s (element %" PRId64 ": %g)", what, name, wrong, k,
                             v[k]);
            nashc_mem_free(v);
            return NASHC_EINPUT;
        }
    }
    nashc_type shape = *nashc_tensor_type(t), joint = *x;
    /* a vector along an axis of x: ones around it let it broadcast */
    if (axis >= 0 && shape.rank == 1 && x->rank > 0 && n > 1) {
        int64_t dim[NASHC_MAX_RANK];
        for (int k = 0; k < x->rank; k++)
            dim[k] = k == axis ? n : 1;
        shape = nashc_type_shaped(shape, x->rank, dim);
    } else if (n == 1 && shape.rank > x->rank) {
        shape = nashc_type_shaped(shape, 0, NULL); /* size, not rank, makes a scalar */
    }
    if (!nashc_type_broadcast(x, &shape, &joint) || !nashc_type_same_shape(&joint, x)) {
        nashc_mem_free(v);
        return nashc_onnx_error(r, "%s \"%s\" of shape %s does not broadcast to %s", what, name,
                                nashc_type_str(nashc_onnx_diag(r), nashc_tensor_type(t)),
                                nashc_type_str(nashc_onnx_diag(r), x));
    }
    /* As it is where it can be, so that it keeps its name and is shared. */
    if (nashc_tensor_type(t)->kind == NASHC_K_F32 &&
        nashc_type_same_shape(&shape, nashc_tensor_type(t)))
        *out = nashc_onnx_in_param_value(r, i);
    else
        *out = nashc_onnx_const(r, NULL, nashc_onnx_tensor_f32(v, shape.rank, shape.dim));
    nashc_mem_free(v);
    return *out ? NASHC_OK : nashc_onnx_status(r);
}

/* Zero, negative, infinite or NaN scales have no grid. */
nashc_status
onnx_scale(nashc_onnx_in *r, int i, const nashc_type *x, int axis, nashc_value **out)
{
    return parameter(r, i, "scale", true, x, axis, out);
}

/* May be left out (QuantizeLinear): zero then. */
nashc_status
onnx_zero_point(nashc_onnx_in *r, int i, const nashc_type *x, int axis, nashc_value **out)
{
    if (!nashc_onnx_given(r, i)) {
        *out = nashc_onnx_f32(r, 0);
        return *out ? NASHC_OK : nashc_onnx_status(r);
    }
    return parameter(r, i, "zero point", false, x, axis, out);
}

/* A constant bit width. */
static nashc_status
bit_width(nashc_onnx_in *r, int i, const char *what, int *out)
{
    double bits;
    nashc_status s;

    if (!nashc_onnx_has(r, i))
        return nashc_onnx_error(r, "%s is missing", what);
    if ((s = nashc_onnx_in_number(r, i, what, 0, &bits)))
        return s;
    if (isnan(bits) || bits != floor(bits))
        return nashc_onnx_error(r, "%s %g is not an integer", what, bits);
    if (bits < 1 || bits > MAX_BITS)
        return nashc_onnx_error(r, "%s %g is not in 1 to %d", what, bits, MAX_BITS);
    *out = (int)bits;
    return NASHC_OK;
}

/* IR name of a rounding mode, in any case of letters; NULL: not known. */
static const char *
rounding(const char *mode)
{
    static const char *const names[][2] = {
        {"ROUND", "round"},
        {"HALF_EVEN", "round"},
        {"CEIL", "ceil"},
        {"FLOOR", "floor"},
        {"UP", "up"},
        {"DOWN", "down"},
        {"HALF_UP", "half_up"},
        {"HALF_DOWN", "half_down"},
        {"ROUND_TO_ZERO", "down"},
        {"DPU", "dpu"},
    };

    for (size_t i = 0; i < NASHC_COUNT(names); i++)
        if (!strcasecmp(mode, names[i][0]))
            return names[i][1];
    return NULL;
}

/* Every element already lies on the grid of s and z, so that no rounding decides anything. */
static bool
on_grid(const nashc_tensor *x, const nashc_value *s, const nashc_value *z)
{
    const nashc_tensor *st = nashc_value_const(s), *zt = nashc_value_const(z);
    const nashc_type *t = x ? nashc_tensor_type(x) : NULL;

    if (!x || !st || !zt)
        return false;
    for (int64_t i = 0; i < nashc_tensor_count(x); i++) {
        int64_t k = nashc_broadcast_index(nashc_tensor_type(st), t, i);
        int64_t j = nashc_broadcast_index(nashc_tensor_type(zt), t, i);
        float u = (float)nashc_tensor_get(x, i) / (float)nashc_tensor_get(st, k) +
                  (float)nashc_tensor_get(zt, j);
        /* in float32, as the quantiser computes */
        if (u != floorf(u))
            return false;
    }
    return true;
}

/* Learned rounding has been learned: on constants that lie on the grid it decides nothing any
 * more. */
static nashc_status
rounding_mode(nashc_onnx_in *r, const char *def, const nashc_value *s, const nashc_value *z,
              const char **out)
{
    const char *mode = nashc_onnx_attr_str(r, "rounding_mode", def);

    *out = rounding(mode);
    if (*out)
        return NASHC_OK;
    if (!strcasecmp(mode, "LEARNED_ROUND") || !strcasecmp(mode, "STOCHASTIC_ROUND")) {
        if (s && on_grid(nashc_onnx_in_param(r, 0), s, z)) {
            *out = "round";
            return NASHC_OK;
        }
        return nashc_onnx_unsup(
            r, "rounding mode %s is only defined on constants that are on the grid",
            nashc_quote(nashc_onnx_diag(r), mode));
    }
    nashc_onnx_error(r, "unknown rounding mode '%s'", nashc_quote(nashc_onnx_diag(r), mode));
    nashc_help(nashc_onnx_diag(r),
               "known are ROUND, HALF_EVEN, CEIL, FLOOR, UP, DOWN, HALF_UP, HALF_DOWN, "
               "ROUND_TO_ZERO and DPU");
    return NASHC_EINPUT;
}

/* narrow leaves out the lowest code of signed ranges, the highest one of unsigned ranges. */
static void
code_range(int bits, bool is_signed, bool narrow, int64_t *lo, int64_t *hi)
{
    *lo = is_signed ? -(INT64_C(1) << (bits - 1)) + narrow : 0;
    *hi = is_signed ? (INT64_C(1) << (bits - 1)) - 1 : (INT64_C(1) << bits) - 1 - narrow;
}

/* The result is annotated with an integer datatype and scale and zero point are trivial: the codes
 * themselves, which is how integer graphs are written. */
static bool
yields_codes(nashc_onnx_in *r, const nashc_value *s, const nashc_value *z, const nashc_type *range)
{
    const nashc_type *note = nashc_onnx_out_note(r, 0);

    return note && nashc_type_is_int(note) && nashc_tensor_all_eq(nashc_value_const(s), 1) &&
           (!z || nashc_tensor_all_eq(nashc_value_const(z), 0)) && note->lo <= range->lo &&
           note->hi >= range->hi;
}

/* One signed bit is the sign: codes -1 and 1. */
static nashc_status
read_quant(nashc_onnx_in *r)
{
    nashc_value *x = nashc_onnx_in_value(r, 0), *s = NULL, *z = NULL;
    bool is_signed = nashc_onnx_attr_int(r, "signed", 1) != 0,
         narrow = nashc_onnx_attr_int(r, "narrow", 1);
    int bits = 0;
    int64_t lo, hi;
    const char *mode = "sign";
    nashc_status st;

    if (!x)
        return nashc_onnx_status(r);
    const nashc_type *t = nashc_value_type(x);
    if ((st = onnx_scale(r, 1, t, -1, &s)) || (st = onnx_zero_point(r, 2, t, -1, &z)) ||
        (st = bit_width(r, 3, "bit width", &bits)))
        return st;
    if ((st = rounding_mode(r, "ROUND", s, z, &mode)))
        return st;
    code_range(bits, is_signed, narrow, &lo, &hi);
    if (bits == 1 && is_signed) {
        lo = -1;
        hi = 1;
        mode = "sign";
    }
    /* one bit, unsigned and narrow */
    if (lo == hi)
        return nashc_onnx_error(r, "bit width %d leaves one level only (signed %d, narrow %d)",
                                bits, is_signed, narrow);
    nashc_type range = nashc_type_for_range(lo, hi);
    bool codes = yields_codes(r, s, z, &range);
    return nashc_onnx_set(r, 0,
                          nashc_onnx_op(r, "q.quant", (nashc_value *[]){x, s, z}, 3,
                                        "qmin=%" PRId64 " qmax=%" PRId64 "%s%s%s", lo, hi,
                                        strcmp(mode, "round") ? " rounding=" : "",
                                        strcmp(mode, "round") ? mode : "",
                                        codes ? " codes=true" : ""),
                          NASHC_ONNX_FLOAT);
}

/* -s and s by the sign of x. */
static nashc_status
read_bipolar_quant(nashc_onnx_in *r)
{
    nashc_value *x = nashc_onnx_in_value(r, 0), *s = NULL;
    nashc_type range = nashc_type_bip();
    nashc_status st;

    if (!x)
        return nashc_onnx_status(r);
    if ((st = onnx_scale(r, 1, nashc_value_type(x), -1, &s)))
        return st;
    bool codes = yields_codes(r, s, NULL, &range);
    return nashc_onnx_set(r, 0,
                          nashc_onnx_op(r, "q.bipolar_quant", (nashc_value *[]){x, s}, 2,
                                        codes ? "codes=true" : NULL),
                          NASHC_ONNX_FLOAT);
}

/* Five operands: version 1, output scale is the input scale; six: version 2. Files import either
 * version under old domain names, so the operands decide. */
static nashc_status
read_trunc(nashc_onnx_in *r)
{
    nashc_value *in[4] = {nashc_onnx_in_value(r, 0), NULL, NULL, NULL};
    bool v2 = nashc_onnx_n_in(r) == 6,
         old_name = strcmp(nashc_onnx_domain(r), "qonnx.custom_op.general") != 0;
    int in_bits = 0, out_bits = 0;
    const char *mode, *text;
    nashc_status s;

    if (!in[0])
        return nashc_onnx_status(r);
    if (v2 != (nashc_onnx_version(r) >= 2) && !old_name)
        nashc_warning(nashc_onnx_diag(r), nashc_onnx_loc(r), "trunc-version",
                      "Trunc with %d operands is version %d, the file imports %" PRId64
                      "; read by its operands",
                      nashc_onnx_n_in(r), v2 ? 2 : 1, nashc_onnx_version(r));
    const nashc_type *t = nashc_value_type(in[0]);
    if ((s = onnx_scale(r, 1, t, -1, &in[1])) || (s = onnx_zero_point(r, 2, t, -1, &in[2])) ||
        (s = bit_width(r, 3, "input bit width", &in_bits)) ||
        (s = bit_width(r, v2 ? 5 : 4, "output bit width", &out_bits)) ||
        (s = rounding_mode(r, "FLOOR", NULL, NULL, &mode)))
        return s;
    if (v2 && (s = onnx_scale(r, 4, t, -1, &in[3])))
        return s;
    if (!v2 && out_bits > in_bits)
        return nashc_onnx_error(r, "output bit width %d exceeds the input's %d", out_bits, in_bits);
    text = nashc_arena_printf(nashc_onnx_arena(r),
                              "in_bits=%d out_bits=%d signed=%s narrow=%s rounding=%s", in_bits,
                              out_bits, nashc_onnx_attr_int(r, "signed", 1) ? "true" : "false",
                              nashc_onnx_attr_int(r, "narrow", 0) ? "true" : "false", mode);
    return nashc_onnx_set(r, 0, nashc_onnx_op(r, "q.trunc", in, v2 ? 4 : 3, "%s", text),
                          NASHC_ONNX_FLOAT);
}

/* Constant scalar operand i as a number of legal range. */
static nashc_status
number(nashc_onnx_in *r, int i, const char *what, double lo, double hi, bool integer, double *out)
{
    nashc_status s;

    if (!nashc_onnx_has(r, i))
        return nashc_onnx_error(r, "%s is missing", what);
    if ((s = nashc_onnx_in_number(r, i, what, 0, out)))
        return s;
    if (!(*out >= lo && *out <= hi) || (integer && *out != floor(*out)))
        return nashc_onnx_error(r, "%s is %g, expected %s%g to %g", what, *out,
                                integer ? "an integer of " : "", lo, hi);
    return NASHC_OK;
}

/* Bounds are those of float32, in which the operator computes. */
static nashc_status
read_float_quant(nashc_onnx_in *r)
{
    nashc_value *x = nashc_onnx_in_value(r, 0), *s = NULL;
    double exponent = 0, mantissa = 0, bias = 0, max = 0;
    const char *mode;
    nashc_status st;

    if (!x)
        return nashc_onnx_status(r);
    if ((st = onnx_scale(r, 1, nashc_value_type(x), -1, &s)) ||
        (st = number(r, 2, "exponent bit width", 1, 8, true, &exponent)) ||
        (st = number(r, 3, "mantissa bit width", 0, 23, true, &mantissa)) ||
        (st = number(r, 4, "exponent bias", -256, 256, true, &bias)) ||
        (st = number(r, 5, "maximum", 0, (double)3.4028235e38f, false, &max)) ||
        (st = rounding_mode(r, "ROUND", NULL, NULL, &mode)))
        return st;
    return nashc_onnx_set(
        r, 0,
        nashc_onnx_op(
            r, "q.float_quant", (nashc_value *[]){x, s}, 2,
            "exponent=%d mantissa=%d bias=%d max=%.17g rounding=%s saturation=%s has_inf=%s "
            "has_nan=%s",
            (int)exponent, (int)mantissa, (int)bias, max, mode,
            nashc_onnx_attr_int(r, "saturation", 1) ? "true" : "false",
            nashc_onnx_attr_int(r, "has_inf", 0) ? "true" : "false",
            nashc_onnx_attr_int(r, "has_nan", 0) ? "true" : "false"),
        NASHC_ONNX_FLOAT);
}

static const nashc_onnx_row rows[] = {
    {QONNX, "BipolarQuant", 1, NULL, "", 2, 2, 1, 0, read_bipolar_quant},
    {QONNX, "DebugMarker", 1, "nn.identity", "export_debug_name-:s", 1, 1, 1, 0, NULL},
    {QONNX, "FloatQuant", 1, NULL,
     "has_inf-:i has_nan-:i has_subnormal-:i rounding_mode-:s saturation-:i", 6, 6, 1, 0,
     read_float_quant},
    {QONNX, "IntQuant", 1, NULL, "narrow-:i rounding_mode-:s signed-:i", 4, 4, 1, 0, read_quant},
    {QONNX, "Quant", 1, NULL, "narrow-:i rounding_mode-:s signed-:i", 4, 4, 1, 0, read_quant},
    {QONNX, "Trunc", 1, NULL, "narrow-:i rounding_mode-:s signed-:i", 5, 6, 1, 0, read_trunc},
    {0},
};

extern const nashc_impl nashc_impl_onnx_quant;

const nashc_impl nashc_impl_onnx_quant = NASHC_IMPL_ONNX("quant", rows);
