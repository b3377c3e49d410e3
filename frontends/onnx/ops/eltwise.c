/* eltwise.c: element-wise operators whose ONNX form is not that of the IR. */
#include "frontends/onnx/ops/family.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

/* The element of t without the brackets of its shape, as nn.cast takes it. */
static const char *
element_text(onnx_in *r, const nashc_type *t)
{
    char text[NASHC_TYPE_STR_MAX];

    nashc_type_print(t, text, sizeof text);
    text[strcspn(text, "[")] = 0;
    return nashc_arena_printf(r->arena, "%s", text);
}

/* Sum, Min, Max of any number of operands, two at a time from the left. */
static nashc_value *
chain(onnx_in *r, const char *op)
{
    nashc_value *v = onnx_in_value(r, 0);

    for (int i = 1; v && i < onnx_n_in(r); i++) {
        nashc_value *next = onnx_in_value(r, i);
        if (!next)
            return NULL;
        v = onnx_op2(r, op, v, next);
    }
    return v && onnx_n_in(r) == 1 ? onnx_op1(r, "nn.identity", v, NULL) : v;
}

nashc_status
onnx_read_variadic(onnx_in *r)
{
    const char *name = r->node->op_type;
    const char *op = !strcmp(name, "Sum") ? "nn.add" : !strcmp(name, "Min") ? "nn.min" : "nn.max";

    return onnx_set(r, 0, chain(r, op), onnx_in_elem(r, 0));
}

nashc_status
onnx_read_mean(onnx_in *r)
{
    nashc_value *sum = chain(r, "nn.add");

    if (!sum)
        return onnx_build_status(r);
    return onnx_set(r, 0, onnx_op2(r, "nn.div", sum, onnx_f32(r, onnx_n_in(r))),
                    onnx_in_elem(r, 0));
}

/* Quotient of integers towards zero, as ONNX has it for integer containers; both known. */
static nashc_status
divide_ints(onnx_in *r, const nashc_tensor *a, const nashc_tensor *b)
{
    nashc_type out;
    nashc_buf q;

    if (!nashc_type_broadcast(nashc_tensor_type(a), nashc_tensor_type(b), &out))
        return onnx_err(r, "shapes %s and %s do not broadcast",
                        nashc_type_str(r->d, nashc_tensor_type(a)),
                        nashc_type_str(r->d, nashc_tensor_type(b)));
    out = nashc_type_shaped(nashc_type_int(64), out.rank, out.dim);
    if (!nashc_buf_alloc(&q, &out))
        return nashc_enomem(r->d);
    for (int64_t i = 0; i < q.n; i++) {
        int64_t n = nashc_tensor_get_int(a, nashc_broadcast_index(nashc_tensor_type(a), &out, i));
        int64_t d = nashc_tensor_get_int(b, nashc_broadcast_index(nashc_tensor_type(b), &out, i));
        nashc_buf_set_int(&q, i, n == INT64_MIN && d == -1 ? INT64_MAX : n / d);
    }
    return onnx_set_tensor(r, 0, nashc_tensor_take(&q), onnx_in_elem(r, 0));
}

/* The same for tensors: up to 16 bits, a float32 quotient never reaches the next integer by
 * rounding, so cutting it off is exact. */
static nashc_status
divide_narrow(onnx_in *r)
{
    int elem = onnx_in_elem(r, 0);
    nashc_value *a = onnx_in_value(r, 0), *b = onnx_in_value(r, 1);
    nashc_type t;

    if (!a || !b)
        return onnx_build_status(r);
    if (!onnx_elem_type(elem, &t) || t.bits > 16)
        return onnx_unsup(r,
                          "division of %s tensors truncates; supported up to 16 bits, and for "
                          "constants",
                          onnx_elem_name(elem));
    nashc_value *q = onnx_op2(r, "nn.div", onnx_cast(r, a, "f32"), b);
    if (t.kind == NASHC_K_UINT)
        q = onnx_op1(r, "nn.floor", q, NULL);
    else
        q = onnx_op2(r, "nn.mul", onnx_op1(r, "nn.sign", q, NULL),
                     onnx_op1(r, "nn.floor", onnx_op1(r, "nn.abs", q, NULL), NULL));
    return onnx_set(r, 0, onnx_cast(r, q, element_text(r, &t)), elem);
}

nashc_status
onnx_read_div(onnx_in *r)
{
    const nashc_tensor *d = onnx_in_const(r, 1), *n = onnx_in_const(r, 0);

    for (int64_t i = 0; d && i < nashc_tensor_count(d); i++)
        if (nashc_tensor_get(d, i) == 0)
            return onnx_err(r, "divisor \"%s\" is zero (element %" PRId64 ")", onnx_in_name(r, 1),
                            i);
    if (onnx_elem_is_int(onnx_in_elem(r, 0))) {
        if (n && d && nashc_type_is_int(nashc_tensor_type(n)) &&
            nashc_type_is_int(nashc_tensor_type(d)))
            return divide_ints(r, n, d);
        return divide_narrow(r);
    }
    nashc_value *a = onnx_in_value(r, 0), *b = onnx_in_value(r, 1);
    if (!a || !b)
        return onnx_build_status(r);
    /* Integers in a float container divide as floats. */
    if (nashc_type_is_int(nashc_value_type(a)) && nashc_type_is_int(nashc_value_type(b)))
        a = onnx_cast(r, a, "f32");
    return onnx_set(r, 0, onnx_op2(r, "nn.div", a, b), onnx_in_elem(r, 0));
}

static nashc_value *
clip(onnx_in *r, nashc_value *x, bool has_lo, double lo, bool has_hi, double hi)
{
    const char *text = "";

    if (has_lo && lo != -(double)INFINITY)
        text = nashc_arena_printf(r->arena, " min=%.17g", lo);
    if (has_hi && hi != (double)INFINITY)
        text = nashc_arena_printf(r->arena, "%s max=%.17g", text, hi);
    if (!*text)
        return onnx_op1(r, "nn.identity", x, NULL);
    return onnx_op1(r, "nn.clip", x, "%s", text + 1);
}

nashc_status
onnx_read_clip_old(onnx_in *r)
{
    nashc_value *x = onnx_in_value(r, 0);
    double lo = onnx_attr_float(r, "min", 0), hi = onnx_attr_float(r, "max", 0);
    bool has_lo = onnx_attr(r, "min") && lo > -(double)3.4e38f;
    bool has_hi = onnx_attr(r, "max") && hi < (double)3.4e38f;

    if (!x)
        return onnx_build_status(r);
    if (has_lo && has_hi && lo > hi)
        return onnx_err(r, "min %g is greater than max %g", lo, hi);
    return onnx_set(r, 0, clip(r, x, has_lo, lo, has_hi, hi), onnx_in_elem(r, 0));
}

nashc_status
onnx_read_clip(onnx_in *r)
{
    nashc_value *x = onnx_in_value(r, 0);
    bool has_lo = onnx_has(r, 1), has_hi = onnx_has(r, 2);
    const nashc_tensor *lo = onnx_in_const(r, 1), *hi = onnx_in_const(r, 2);

    if (!x || r->failed)
        return onnx_build_status(r);
    if (has_lo > !!lo || has_hi > !!hi ||
        (lo && hi && nashc_tensor_get(lo, 0) > nashc_tensor_get(hi, 0))) {
        /* limits that are computed, or where the upper one wins over the lower one */
        nashc_value *l = onnx_in_value(r, 1), *h = onnx_in_value(r, 2);
        if (r->failed)
            return onnx_build_status(r);
        x = l ? onnx_op2(r, "nn.max", x, l) : x;
        x = h ? onnx_op2(r, "nn.min", x, h) : x;
        return onnx_set(r, 0, x, onnx_in_elem(r, 0));
    }
    for (int i = 1; i <= 2; i++) {
        const nashc_tensor *t = i == 1 ? lo : hi;
        if (t && !nashc_tensor_is_scalar(t))
            return onnx_err(r, "limit \"%s\" has %" PRId64 " elements, expected 1",
                            onnx_in_name(r, i), nashc_tensor_count(t));
    }
    return onnx_set(r, 0,
                    clip(r, x, has_lo, lo ? nashc_tensor_get(lo, 0) : 0, has_hi,
                         hi ? nashc_tensor_get(hi, 0) : 0),
                    onnx_in_elem(r, 0));
}

nashc_status
onnx_read_cast(onnx_in *r)
{
    nashc_value *x = onnx_in_value(r, 0);
    int to = (int)onnx_attr_int(r, "to", 0);
    nashc_type t;

    if (!x)
        return onnx_build_status(r);
    if (!onnx_elem_type(to, &t) || t.kind == NASHC_K_MINI || to == ONNX_BFLOAT16 ||
        to == ONNX_FLOAT8E8M0)
        return onnx_unsup(r, "cast to data type %d (%s)", to, onnx_elem_name(to));
    /* Integers that only change the container they are kept in, as the annotation says. */
    const onnx_sym *out = onnx_sym_find(r, r->node->output[0]);
    const nashc_type *have = nashc_value_type(x);
    if (nashc_type_is_int(have) && nashc_type_is_float(&t) && out && out->note &&
        nashc_type_is_int(out->note) && out->note->lo <= have->lo && out->note->hi >= have->hi)
        return onnx_set(r, 0, x, to);
    if (t.kind == have->kind && nashc_type_is_float(have)) /* rounded to it before */
        return onnx_set(r, 0, onnx_op1(r, "nn.identity", x, NULL), to);
    if (to == onnx_in_elem(r, 0))
        return onnx_set(r, 0, onnx_op1(r, "nn.identity", x, NULL), to);
    if (to == ONNX_BOOL) /* everything but zero is true */
        x = onnx_op1(r, "nn.sign", onnx_op1(r, "nn.abs", x, NULL), NULL);
    return onnx_set(r, 0, onnx_cast(r, x, element_text(r, &t)), to);
}

/* The mask of a Dropout that drops nothing. */
static nashc_status
all_kept(onnx_in *r, const nashc_type *x)
{
    nashc_type bit = nashc_type_uint(1), t = nashc_type_with_elem(x, &bit);
    nashc_buf b;

    if (!onnx_out_used(r, 1))
        return NASHC_OK;
    if (!nashc_buf_alloc(&b, &t))
        return nashc_enomem(r->d);
    for (int64_t i = 0; i < b.n; i++)
        nashc_buf_set_int(&b, i, 1);
    return onnx_set_tensor(r, 1, nashc_tensor_take(&b), ONNX_BOOL);
}

nashc_status
onnx_read_dropout(onnx_in *r)
{
    nashc_value *x = onnx_in_value(r, 0);
    double training, ratio;
    nashc_status s = onnx_in_number(r, 2, "training_mode", 0, &training);

    if (s || (s = onnx_in_number(r, 1, "ratio", 0.5, &ratio)) || !x)
        return s ? s : onnx_build_status(r);
    if (training != 0 && ratio != 0)
        return onnx_unsup(r, "only the inference form is supported, training_mode is set");
    if ((s = all_kept(r, nashc_value_type(x))))
        return s;
    return onnx_set(r, 0, onnx_op1(r, "nn.identity", x, NULL), onnx_in_elem(r, 0));
}

nashc_status
onnx_read_mish(onnx_in *r)
{
    nashc_value *x = onnx_in_value(r, 0);

    if (!x)
        return onnx_build_status(r);
    nashc_value *t = onnx_op1(r, "nn.tanh", onnx_op1(r, "nn.softplus", x, NULL), NULL);
    return onnx_set(r, 0, onnx_op2(r, "nn.mul", x, t), onnx_in_elem(r, 0));
}

nashc_status
onnx_read_swish(onnx_in *r)
{
    nashc_value *x = onnx_in_value(r, 0), *ax = x;
    double alpha = onnx_attr_float(r, "alpha", 1);

    if (!x)
        return onnx_build_status(r);
    if (alpha != 1)
        ax = onnx_op2(r, "nn.mul", x, onnx_f32(r, alpha));
    return onnx_set(r, 0, onnx_op2(r, "nn.mul", x, onnx_op1(r, "nn.sigmoid", ax, NULL)),
                    onnx_in_elem(r, 0));
}
