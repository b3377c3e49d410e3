/* eltwise.c: element-wise operators whose ONNX form is not that of the IR. */
#include "frontends/onnx/ops/family.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

/* The element of t without the brackets of its shape, as nn.cast takes it. */
static const char *
element_text(nashc_onnx_in *r, const nashc_type *t)
{
    char text[NASHC_TYPE_STR_MAX];

    nashc_type_print(t, text, sizeof text);
    text[strcspn(text, "[")] = 0;
    return nashc_arena_printf(nashc_onnx_arena(r), "%s", text);
}

/* Sum, Min, Max of any number of operands, two at a time from the left. */
static nashc_value *
chain(nashc_onnx_in *r, const char *op)
{
    nashc_value *v = nashc_onnx_in_value(r, 0);

    for (int i = 1; v && i < nashc_onnx_n_in(r); i++) {
        nashc_value *next = nashc_onnx_in_value(r, i);
        if (!next)
            return NULL;
        v = nashc_onnx_op2(r, op, v, next);
    }
    return v && nashc_onnx_n_in(r) == 1 ? nashc_onnx_op1(r, "nn.identity", v, NULL) : v;
}

static nashc_status
read_variadic(nashc_onnx_in *r)
{
    const char *name = nashc_onnx_op_type(r);
    const char *op = !strcmp(name, "Sum") ? "nn.add" : !strcmp(name, "Min") ? "nn.min" : "nn.max";

    return nashc_onnx_set(r, 0, chain(r, op), nashc_onnx_in_elem(r, 0));
}

/* The sum first, then one division. */
static nashc_status
read_mean(nashc_onnx_in *r)
{
    nashc_value *sum = chain(r, "nn.add");

    if (!sum)
        return nashc_onnx_status(r);
    return nashc_onnx_set(r, 0,
                          nashc_onnx_op2(r, "nn.div", sum, nashc_onnx_f32(r, nashc_onnx_n_in(r))),
                          nashc_onnx_in_elem(r, 0));
}

/* Quotient of integers towards zero, as ONNX has it for integer containers; both known. */
static nashc_status
divide_ints(nashc_onnx_in *r, const nashc_tensor *a, const nashc_tensor *b)
{
    nashc_type out;
    nashc_buf q;

    if (!nashc_type_broadcast(nashc_tensor_type(a), nashc_tensor_type(b), &out))
        return nashc_onnx_error(r, "shapes %s and %s do not broadcast",
                                nashc_type_str(nashc_onnx_diag(r), nashc_tensor_type(a)),
                                nashc_type_str(nashc_onnx_diag(r), nashc_tensor_type(b)));
    out = nashc_type_shaped(nashc_type_int(64), out.rank, out.dim);
    if (!nashc_buf_alloc(&q, &out))
        return nashc_enomem(nashc_onnx_diag(r));
    for (int64_t i = 0; i < q.n; i++) {
        int64_t n = nashc_tensor_get_int(a, nashc_broadcast_index(nashc_tensor_type(a), &out, i));
        int64_t d = nashc_tensor_get_int(b, nashc_broadcast_index(nashc_tensor_type(b), &out, i));
        /* the one quotient that does not fit; divisors of zero were refused in read_div */
        nashc_buf_set_int(&q, i, n == INT64_MIN && d == -1 ? INT64_MAX : n / d);
    }
    return nashc_onnx_set_tensor(r, 0, nashc_tensor_take(&q), nashc_onnx_in_elem(r, 0));
}

/* The same for tensors: up to 16 bits, a float32 quotient never reaches the next integer by
 * rounding, so cutting it off is exact. */
static nashc_status
divide_narrow(nashc_onnx_in *r)
{
    int elem = nashc_onnx_in_elem(r, 0);
    nashc_value *a = nashc_onnx_in_value(r, 0), *b = nashc_onnx_in_value(r, 1);
    nashc_type t;

    if (!a || !b)
        return nashc_onnx_status(r);
    if (!nashc_onnx_elem_type(elem, &t) || t.bits > 16)
        return nashc_onnx_unsup(
            r,
            "division of %s tensors truncates; supported up to 16 bits, and for "
            "constants",
            nashc_onnx_elem_name(elem));
    nashc_value *q = nashc_onnx_op2(r, "nn.div", nashc_onnx_cast(r, a, "f32"), b);
    if (t.kind == NASHC_K_UINT)
        q = nashc_onnx_op1(r, "nn.floor", q, NULL);
    else
        q = nashc_onnx_op2(
            r, "nn.mul", nashc_onnx_op1(r, "nn.sign", q, NULL),
            nashc_onnx_op1(r, "nn.floor", nashc_onnx_op1(r, "nn.abs", q, NULL), NULL));
    return nashc_onnx_set(r, 0, nashc_onnx_cast(r, q, element_text(r, &t)), elem);
}

/* Three meanings by element: truncating for integer containers, exact for known ones, real for
 * floats. */
static nashc_status
read_div(nashc_onnx_in *r)
{
    const nashc_tensor *d = nashc_onnx_in_const(r, 1), *n = nashc_onnx_in_const(r, 0);

    for (int64_t i = 0; d && i < nashc_tensor_count(d); i++)
        if (nashc_tensor_get(d, i) == 0)
            return nashc_onnx_error(r, "divisor \"%s\" is zero (element %" PRId64 ")",
                                    nashc_onnx_in_name(r, 1), i);
    if (nashc_onnx_elem_is_int(nashc_onnx_in_elem(r, 0))) {
        if (n && d && nashc_type_is_int(nashc_tensor_type(n)) &&
            nashc_type_is_int(nashc_tensor_type(d)))
            return divide_ints(r, n, d);
        return divide_narrow(r);
    }
    nashc_value *a = nashc_onnx_in_value(r, 0), *b = nashc_onnx_in_value(r, 1);
    if (!a || !b)
        return nashc_onnx_status(r);
    /* Integers in a float container divide as floats. */
    if (nashc_type_is_int(nashc_value_type(a)) && nashc_type_is_int(nashc_value_type(b)))
        a = nashc_onnx_cast(r, a, "f32");
    return nashc_onnx_set(r, 0, nashc_onnx_op2(r, "nn.div", a, b), nashc_onnx_in_elem(r, 0));
}

/* Limits that cut nothing are left out; a Clip without any is an identity, which cleanup removes.
 */
static nashc_value *
clip(nashc_onnx_in *r, nashc_value *x, bool has_lo, double lo, bool has_hi, double hi)
{
    const char *text = "";

    if (has_lo && lo != -(double)INFINITY)
        text = nashc_arena_printf(nashc_onnx_arena(r), " min=%.17g", lo);
    if (has_hi && hi != (double)INFINITY)
        text = nashc_arena_printf(nashc_onnx_arena(r), "%s max=%.17g", text, hi);
    if (!*text)
        return nashc_onnx_op1(r, "nn.identity", x, NULL);
    return nashc_onnx_op1(r, "nn.clip", x, "%s", text + 1);
}

/* Attributes have the largest float32 as default, which stands for no limit. */
static nashc_status
read_clip_old(nashc_onnx_in *r)
{
    nashc_value *x = nashc_onnx_in_value(r, 0);
    double lo = nashc_onnx_attr_float(r, "min", 0), hi = nashc_onnx_attr_float(r, "max", 0);
    bool has_lo = nashc_onnx_has_attr(r, "min") && lo > -(double)3.4e38f;
    bool has_hi = nashc_onnx_has_attr(r, "max") && hi < (double)3.4e38f;

    if (!x)
        return nashc_onnx_status(r);
    if (has_lo && has_hi && lo > hi)
        return nashc_onnx_error(r, "min %g is greater than max %g", lo, hi);
    return nashc_onnx_set(r, 0, clip(r, x, has_lo, lo, has_hi, hi), nashc_onnx_in_elem(r, 0));
}

/* Known limits become attributes, which passes can reason about; computed ones become max and min.
 */
static nashc_status
read_clip(nashc_onnx_in *r)
{
    nashc_value *x = nashc_onnx_in_value(r, 0);
    bool has_lo = nashc_onnx_has(r, 1), has_hi = nashc_onnx_has(r, 2);
    const nashc_tensor *lo = nashc_onnx_in_param(r, 1), *hi = nashc_onnx_in_param(r, 2);

    if (!x || nashc_onnx_failed(r))
        return nashc_onnx_status(r);
    if (has_lo > !!lo || has_hi > !!hi ||
        (lo && hi && nashc_tensor_get(lo, 0) > nashc_tensor_get(hi, 0))) {
        /* limits that are computed, or where the upper one wins over the lower one */
        nashc_value *l = nashc_onnx_in_value(r, 1), *h = nashc_onnx_in_value(r, 2);
        if (nashc_onnx_failed(r))
            return nashc_onnx_status(r);
        x = l ? nashc_onnx_op2(r, "nn.max", x, l) : x;
        x = h ? nashc_onnx_op2(r, "nn.min", x, h) : x;
        return nashc_onnx_set(r, 0, x, nashc_onnx_in_elem(r, 0));
    }
    for (int i = 1; i <= 2; i++) {
        const nashc_tensor *t = i == 1 ? lo : hi;
        if (t && !nashc_tensor_is_scalar(t))
            return nashc_onnx_error(r, "limit \"%s\" has %" PRId64 " elements, expected 1",
                                    nashc_onnx_in_name(r, i), nashc_tensor_count(t));
    }
    return nashc_onnx_set(r, 0,
                          clip(r, x, has_lo, lo ? nashc_tensor_get(lo, 0) : 0, has_hi,
                               hi ? nashc_tensor_get(hi, 0) : 0),
                          nashc_onnx_in_elem(r, 0));
}

/* A cast between containers that changes no value is no node: an identity, or nothing at all. */
static nashc_status
cast_to(nashc_onnx_in *r, int to)
{
    nashc_value *x = nashc_onnx_in_value(r, 0);
    nashc_type t;

    if (!x)
        return nashc_onnx_status(r);
    if (!nashc_onnx_elem_type(to, &t) || t.kind == NASHC_K_MINI || to == NASHC_ONNX_BFLOAT16 ||
        to == NASHC_ONNX_FLOAT8E8M0)
        return nashc_onnx_unsup(r, "cast to data type %d (%s)", to, nashc_onnx_elem_name(to));
    /* Integers that only change the container they are kept in, as the annotation says. */
    const nashc_type *note = nashc_onnx_out_note(r, 0);
    const nashc_type *have = nashc_value_type(x);
    if (nashc_type_is_int(have) && nashc_type_is_float(&t) && note && nashc_type_is_int(note) &&
        note->lo <= have->lo && note->hi >= have->hi)
        return nashc_onnx_set(r, 0, x, to);
    if (t.kind == have->kind && nashc_type_is_float(have)) /* rounded to it before */
        return nashc_onnx_set(r, 0, nashc_onnx_op1(r, "nn.identity", x, NULL), to);
    if (to == nashc_onnx_in_elem(r, 0))
        return nashc_onnx_set(r, 0, nashc_onnx_op1(r, "nn.identity", x, NULL), to);
    if (to == NASHC_ONNX_BOOL) /* everything but zero is true */
        x = nashc_onnx_op1(r, "nn.sign", nashc_onnx_op1(r, "nn.abs", x, NULL), NULL);
    return nashc_onnx_set(r, 0, nashc_onnx_cast(r, x, element_text(r, &t)), to);
}

static nashc_status
read_cast(nashc_onnx_in *r)
{
    return cast_to(r, (int)nashc_onnx_attr_int(r, "to", 0));
}

/* The type of operand 1 counts, not its values. */
static nashc_status
read_cast_like(nashc_onnx_in *r)
{
    return cast_to(r, nashc_onnx_in_elem(r, 1));
}

/* The mask of a Dropout that drops nothing. */
static nashc_status
all_kept(nashc_onnx_in *r, const nashc_type *x)
{
    nashc_type bit = nashc_type_uint(1), t = nashc_type_with_elem(x, &bit);
    nashc_buf b;

    if (!nashc_onnx_out_used(r, 1))
        return NASHC_OK;
    if (!nashc_buf_alloc(&b, &t))
        return nashc_enomem(nashc_onnx_diag(r));
    for (int64_t i = 0; i < b.n; i++)
        nashc_buf_set_int(&b, i, 1);
    return nashc_onnx_set_tensor(r, 1, nashc_tensor_take(&b), NASHC_ONNX_BOOL);
}

/* Nothing is dropped at inference. */
static nashc_status
read_dropout(nashc_onnx_in *r)
{
    nashc_value *x = nashc_onnx_in_value(r, 0);
    double training, ratio;
    nashc_status s = nashc_onnx_in_number(r, 2, "training_mode", 0, &training);

    if (s || (s = nashc_onnx_in_number(r, 1, "ratio", 0.5, &ratio)) || !x)
        return s ? s : nashc_onnx_status(r);
    if (training != 0 && ratio != 0)
        return nashc_onnx_unsup(r, "only the inference form is supported, training_mode is set");
    if ((s = all_kept(r, nashc_value_type(x))))
        return s;
    return nashc_onnx_set(r, 0, nashc_onnx_op1(r, "nn.identity", x, NULL),
                          nashc_onnx_in_elem(r, 0));
}

/* x * tanh(softplus(x)) */
static nashc_status
read_mish(nashc_onnx_in *r)
{
    nashc_value *x = nashc_onnx_in_value(r, 0);

    if (!x)
        return nashc_onnx_status(r);
    nashc_value *t = nashc_onnx_op1(r, "nn.tanh", nashc_onnx_op1(r, "nn.softplus", x, NULL), NULL);
    return nashc_onnx_set(r, 0, nashc_onnx_op2(r, "nn.mul", x, t), nashc_onnx_in_elem(r, 0));
}

/* x * sigmoid(alpha * x) */
static nashc_status
read_swish(nashc_onnx_in *r)
{
    nashc_value *x = nashc_onnx_in_value(r, 0), *ax = x;
    double alpha = nashc_onnx_attr_float(r, "alpha", 1);

    if (!x)
        return nashc_onnx_status(r);
    if (alpha != 1)
        ax = nashc_onnx_op2(r, "nn.mul", x, nashc_onnx_f32(r, alpha));
    return nashc_onnx_set(r, 0,
                          nashc_onnx_op2(r, "nn.mul", x, nashc_onnx_op1(r, "nn.sigmoid", ax, NULL)),
                          nashc_onnx_in_elem(r, 0));
}

static const nashc_onnx_row rows[] = {
    {AI_ONNX, "Abs", 1, "nn.abs", "", 1, 1, 1, 0, NULL},
    {AI_ONNX, "Ceil", 1, "nn.ceil", "", 1, 1, 1, 0, NULL},
    {AI_ONNX, "Celu", 12, "nn.celu", "alpha:f", 1, 1, 1, 0, NULL},
    {AI_ONNX, "Elu", 1, "nn.elu", "alpha:f", 1, 1, 1, 0, NULL},
    {AI_ONNX, "Erf", 9, "nn.erf", "", 1, 1, 1, 0, NULL},
    {AI_ONNX, "Exp", 1, "nn.exp", "", 1, 1, 1, 0, NULL},
    {AI_ONNX, "Floor", 1, "nn.floor", "", 1, 1, 1, 0, NULL},
    {AI_ONNX, "Gelu", 20, "nn.gelu", "approximate:s", 1, 1, 1, 0, NULL},
    {AI_ONNX, "HardSigmoid", 1, "nn.hard_sigmoid", "alpha:f beta:f", 1, 1, 1, 0, NULL},
    {AI_ONNX, "HardSwish", 14, "nn.hard_swish", "", 1, 1, 1, 0, NULL},
    {AI_ONNX, "Identity", 1, "nn.identity", "", 1, 1, 1, INF, NULL},
    {AI_ONNX, "LeakyRelu", 1, "nn.leaky_relu", "alpha:f", 1, 1, 1, 0, NULL},
    {AI_ONNX, "Log", 1, "nn.log", "", 1, 1, 1, 0, NULL},
    {AI_ONNX, "Neg", 1, "nn.neg", "", 1, 1, 1, INF, NULL},
    {AI_ONNX, "Reciprocal", 1, "nn.reciprocal", "", 1, 1, 1, 0, NULL},
    {AI_ONNX, "Relu", 1, "nn.relu", "", 1, 1, 1, 0, NULL},
    {AI_ONNX, "Round", 11, "nn.round", "", 1, 1, 1, 0, NULL},
    {AI_ONNX, "Selu", 1, "nn.selu", "alpha:f gamma:f", 1, 1, 1, 0, NULL},
    {AI_ONNX, "Sigmoid", 1, "nn.sigmoid", "", 1, 1, 1, 0, NULL},
    {AI_ONNX, "Sign", 9, "nn.sign", "", 1, 1, 1, 0, NULL},
    {AI_ONNX, "Softplus", 1, "nn.softplus", "", 1, 1, 1, 0, NULL},
    {AI_ONNX, "Softsign", 1, "nn.softsign", "", 1, 1, 1, 0, NULL},
    {AI_ONNX, "Sqrt", 1, "nn.sqrt", "", 1, 1, 1, 0, NULL},
    {AI_ONNX, "Tanh", 1, "nn.tanh", "", 1, 1, 1, 0, NULL},
    {AI_ONNX, "ThresholdedRelu", 10, "nn.thresholded_relu", "alpha:f", 1, 1, 1, 0, NULL},
    {AI_ONNX, "Cast", 1, NULL, "to-:i saturate-:i round_mode-:s", 1, 1, 1, INF, read_cast},
    {AI_ONNX, "CastLike", 15, NULL, "saturate-:i round_mode-:s", 2, 2, 1, INF, read_cast_like},
    {AI_ONNX, "Clip", 6, NULL, "min-:f max-:f", 1, 1, 1, 0, read_clip_old},
    {AI_ONNX, "Clip", 11, NULL, "", 1, 3, 1, INF | SAME, read_clip},
    {AI_ONNX, "Dropout", 7, NULL, "ratio-:f", 1, 1, 2, 0, read_dropout},
    {AI_ONNX, "Dropout", 12, NULL, "seed-:i", 1, 3, 2, 0, read_dropout},
    {AI_ONNX, "Mish", 18, NULL, "", 1, 1, 1, 0, read_mish},
    {AI_ONNX, "Swish", 24, NULL, "alpha-:f", 1, 1, 1, 0, read_swish},
    {AI_ONNX, "Add", 7, "nn.add", "", 2, 2, 1, SAME, NULL},
    {AI_ONNX, "Div", 7, NULL, "", 2, 2, 1, SAME, read_div},
    {AI_ONNX, "Mul", 7, "nn.mul", "", 2, 2, 1, SAME, NULL},
    {AI_ONNX, "Pow", 7, "nn.pow", "", 2, 2, 1, 0, NULL},
    {AI_ONNX, "PRelu", 7, "nn.prelu", "", 2, 2, 1, SAME, NULL},
    {AI_ONNX, "Sub", 7, "nn.sub", "", 2, 2, 1, SAME, NULL},
    {AI_ONNX, "Max", 6, NULL, "", 1, ANY, 1, SAME | INF, read_variadic},
    {AI_ONNX, "Mean", 6, NULL, "", 1, ANY, 1, SAME, read_mean},
    {AI_ONNX, "Min", 6, NULL, "", 1, ANY, 1, SAME | INF, read_variadic},
    {AI_ONNX, "Sum", 6, NULL, "", 1, ANY, 1, SAME, read_variadic},
    {0},
};

extern const nashc_impl nashc_impl_onnx_eltwise;

const nashc_impl nashc_impl_onnx_eltwise = NASHC_IMPL_ONNX("eltwise", rows);
