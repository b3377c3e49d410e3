/* compare.c: comparisons, logic on their results, and the choice by one. BOOL is 0 and 1 here. */
#include "frontends/onnx/ops/family.h"
#include <string.h>

/* a < b is b > a. */
static nashc_status
read_compare(nashc_onnx_in *r)
{
    const char *name = nashc_onnx_op_type(r);
    bool less = name[0] == 'L', or_equal = strstr(name, "OrEqual");
    const char *op = !strcmp(name, "Equal") ? "nn.equal"
                     : or_equal             ? "nn.greater_equal"
                                            : "nn.greater";
    nashc_value *a = nashc_onnx_in_value(r, less), *b = nashc_onnx_in_value(r, !less);

    return nashc_onnx_set(r, 0, a && b ? nashc_onnx_op2(r, op, a, b) : NULL, NASHC_ONNX_BOOL);
}

/* A number as a bit: everything but zero is true. */
static nashc_value *
truth(nashc_onnx_in *r, int i)
{
    nashc_value *x = nashc_onnx_in_value(r, i);
    const nashc_type *t = x ? nashc_value_type(x) : NULL;

    if (!x || (nashc_type_is_int(t) && t->lo >= 0 && t->hi <= 1))
        return x;
    return nashc_onnx_op1(r, "nn.sign", nashc_onnx_op1(r, "nn.abs", x, NULL), NULL);
}

/* Of bits: the lesser, the greater, and where they differ. */
static nashc_status
read_logic(nashc_onnx_in *r)
{
    const char *name = nashc_onnx_op_type(r);
    nashc_value *a = truth(r, 0), *b = a ? truth(r, 1) : NULL;

    if (!a || !b)
        return nashc_onnx_status(r);
    nashc_value *y = !strcmp(name, "And") ? nashc_onnx_op2(r, "nn.min", a, b)
                     : !strcmp(name, "Or")
                         ? nashc_onnx_op2(r, "nn.max", a, b)
                         : nashc_onnx_op1(r, "nn.abs", nashc_onnx_op2(r, "nn.sub", a, b), NULL);
    return nashc_onnx_set(r, 0, y, NASHC_ONNX_BOOL);
}

/* 1 - x keeps bits: an interval of 0..1 comes out. */
static nashc_status
read_not(nashc_onnx_in *r)
{
    nashc_value *x = truth(r, 0);
    nashc_type bit = nashc_type_uint(1);
    int64_t one = 1;

    if (!x)
        return nashc_onnx_status(r);
    nashc_value *c = nashc_onnx_const(r, NULL, nashc_tensor_from_i64(&bit, &one));
    return nashc_onnx_set(r, 0, nashc_onnx_op2(r, "nn.sub", c, x), NASHC_ONNX_BOOL);
}

/* Both that are chosen from have one element type. */
static nashc_status
read_where(nashc_onnx_in *r)
{
    nashc_value *in[3] = {truth(r, 0), nashc_onnx_in_value(r, 1), nashc_onnx_in_value(r, 2)};
    int a = nashc_onnx_in_elem(r, 1), b = nashc_onnx_in_elem(r, 2);

    if (!in[0] || !in[1] || !in[2])
        return nashc_onnx_status(r);
    if (a && b && a != b)
        return nashc_onnx_error(r, "input 1 is %s, input 2 is %s; they must be of one type",
                                nashc_onnx_elem_name(a), nashc_onnx_elem_name(b));
    return nashc_onnx_set(r, 0, nashc_onnx_op(r, "nn.where", in, 3, NULL), a);
}

static const nashc_onnx_row rows[] = {
    {AI_ONNX, "And", 7, NULL, "", 2, 2, 1, 0, read_logic},
    {AI_ONNX, "Equal", 7, NULL, "", 2, 2, 1, INF | SAME, read_compare},
    {AI_ONNX, "Greater", 7, NULL, "", 2, 2, 1, INF | SAME, read_compare},
    {AI_ONNX, "GreaterOrEqual", 12, NULL, "", 2, 2, 1, INF | SAME, read_compare},
    {AI_ONNX, "Less", 7, NULL, "", 2, 2, 1, INF | SAME, read_compare},
    {AI_ONNX, "LessOrEqual", 12, NULL, "", 2, 2, 1, INF | SAME, read_compare},
    {AI_ONNX, "Not", 1, NULL, "", 1, 1, 1, 0, read_not},
    {AI_ONNX, "Or", 7, NULL, "", 2, 2, 1, 0, read_logic},
    {AI_ONNX, "Where", 9, NULL, "", 3, 3, 1, INF, read_where},
    {AI_ONNX, "Xor", 7, NULL, "", 2, 2, 1, 0, read_logic},
    {0},
};

extern const nashc_impl nashc_impl_onnx_compare;

const nashc_impl nashc_impl_onnx_compare = NASHC_IMPL_ONNX("compare", rows);
