/* elt.c: sums, products, comparisons and other functions of single elements as vector code.
 *
 * Each does what the operator's reference meaning does, in the same order and precision: integers
 * in 32 bits where all ranges allow it, else in 64; floats in double. */
#include "elt.h"
#include <math.h>
#include <string.h>

/* One element-wise operator: code on its operands, all of one class. */
typedef struct elt_op {
    const char *name;
    LLVMValueRef (*i)(cpu_cg *g, const nashc_node *n, LLVMValueRef *x); /* NULL: floats only */
    LLVMValueRef (*f)(cpu_cg *g, const nashc_node *n, LLVMValueRef *x); /* NULL: integers only */
} elt_op;

LLVMValueRef
cpu_f64_call(cpu_cg *g, const char *name, LLVMValueRef x)
{
    LLVMTypeRef t = LLVMTypeOf(x);

    return cpu_call(g, name, &t, 1, &x, 1);
}

LLVMValueRef
cpu_is_nan(cpu_cg *g, LLVMValueRef x)
{
    return LLVMBuildFCmp(g->b, LLVMRealUNO, x, x, "");
}

static LLVMValueRef
zero(LLVMValueRef like)
{
    return LLVMConstNull(LLVMTypeOf(like));
}

static LLVMValueRef
f64(cpu_cg *g, double v)
{
    return cpu_splat_f64(g, v).v;
}

#define SELECT(C, A, B) LLVMBuildSelect(g->b, C, A, B, "")
#define ICMP(OP, A, B)  LLVMBuildICmp(g->b, LLVMInt##OP, A, B, "")
#define FCMP(OP, A, B)  LLVMBuildFCmp(g->b, LLVMReal##OP, A, B, "")
#define ELT(NAME, EXPR)                                                                            \
    static LLVMValueRef NAME(cpu_cg *g, const nashc_node *n, LLVMValueRef *x)                      \
    {                                                                                              \
        (void)g, (void)n;                                                                          \
        return EXPR;                                                                               \
    }

ELT(add_i, LLVMBuildAdd(g->b, x[0], x[1], ""))
ELT(add_f, LLVMBuildFAdd(g->b, x[0], x[1], ""))
ELT(sub_i, LLVMBuildSub(g->b, x[0], x[1], ""))
ELT(sub_f, LLVMBuildFSub(g->b, x[0], x[1], ""))
ELT(mul_i, LLVMBuildMul(g->b, x[0], x[1], ""))
ELT(mul_f, LLVMBuildFMul(g->b, x[0], x[1], ""))
ELT(div_f, LLVMBuildFDiv(g->b, x[0], x[1], ""))
ELT(min_i, SELECT(ICMP(SLT, x[0], x[1]), x[0], x[1]))
ELT(max_i, SELECT(ICMP(SGT, x[0], x[1]), x[0], x[1]))
ELT(min_f, SELECT(LLVMBuildOr(g->b, cpu_is_nan(g, x[0]), FCMP(OLT, x[0], x[1]), ""), x[0], x[1]))
ELT(max_f, SELECT(LLVMBuildOr(g->b, cpu_is_nan(g, x[0]), FCMP(OGT, x[0], x[1]), ""), x[0], x[1]))
ELT(prelu_i, SELECT(ICMP(SLT, x[0], zero(x[0])), LLVMBuildMul(g->b, x[0], x[1], ""), x[0]))
ELT(prelu_f, SELECT(FCMP(OLT, x[0], zero(x[0])), LLVMBuildFMul(g->b, x[0], x[1], ""), x[0]))
ELT(neg_i, LLVMBuildSub(g->b, zero(x[0]), x[0], ""))
ELT(neg_f, LLVMBuildFNeg(g->b, x[0], ""))
ELT(abs_i, SELECT(ICMP(SLT, x[0], zero(x[0])), neg_i(g, n, x), x[0]))
ELT(abs_f, cpu_f64_call(g, "llvm.fabs", x[0]))
ELT(relu_i, SELECT(ICMP(SLT, x[0], zero(x[0])), zero(x[0]), x[0]))
ELT(relu_f, SELECT(FCMP(OLT, x[0], zero(x[0])), zero(x[0]), x[0]))
ELT(same, x[0])
ELT(round_f, cpu_f64_call(g, "llvm.nearbyint", x[0]))
ELT(floor_f, cpu_f64_call(g, "llvm.floor", x[0]))
ELT(ceil_f, cpu_f64_call(g, "llvm.ceil", x[0]))
ELT(sqrt_f, cpu_f64_call(g, "llvm.sqrt", x[0]))
ELT(reciprocal_f, LLVMBuildFDiv(g->b, f64(g, 1.0), x[0], ""))
ELT(sign_i,
    LLVMBuildSub(g->b, LLVMBuildZExt(g->b, ICMP(SGT, x[0], zero(x[0])), LLVMTypeOf(x[0]), ""),
                 LLVMBuildZExt(g->b, ICMP(SLT, x[0], zero(x[0])), LLVMTypeOf(x[0]), ""), ""))
ELT(sign_f, SELECT(FCMP(OGT, x[0], zero(x[0])), f64(g, 1.0),
                   SELECT(FCMP(OLT, x[0], zero(x[0])), f64(g, -1.0), x[0])))
ELT(leaky_relu_f, SELECT(FCMP(OLT, x[0], zero(x[0])),
                         LLVMBuildFMul(g->b, f64(g, nashc_attr_f32(n, 0)), x[0], ""), x[0]))
ELT(thresholded_relu_f, SELECT(LLVMBuildOr(g->b, FCMP(OGT, x[0], f64(g, nashc_attr_f32(n, 0))),
                                           cpu_is_nan(g, x[0]), ""),
                               x[0], zero(x[0])))

/* v limited to lo..hi; NaN stays. */
static LLVMValueRef
limit(cpu_cg *g, LLVMValueRef v, double lo, double hi)
{
    v = SELECT(FCMP(OLT, v, f64(g, lo)), f64(g, lo), v);
    return SELECT(FCMP(OGT, v, f64(g, hi)), f64(g, hi), v);
}

ELT(clip_f, limit(g, x[0], nashc_attr_f32(n, 0), nashc_attr_f32(n, 1)))
ELT(hard_sigmoid_f,
    limit(g,
          LLVMBuildFAdd(g->b, LLVMBuildFMul(g->b, f64(g, nashc_attr_f32(n, 0)), x[0], ""),
                        f64(g, nashc_attr_f32(n, 1)), ""),
          0.0, 1.0))

static LLVMValueRef
clip_i(cpu_cg *g, const nashc_node *n, LLVMValueRef *x)
{
    double lo = nashc_attr_float(n, 0), hi = nashc_attr_float(n, 1);
    const nashc_type *t = nashc_value_type(nashc_node_in(n, 0));
    bool wide = LLVMGetElementType(LLVMTypeOf(x[0])) == g->i64;
    LLVMValueRef v = x[0];

    if (isfinite(lo) &&
        (double)t->lo < lo) { /* else nothing is cut off, and the bound may not fit */
        LLVMValueRef b = cpu_splat_int(g, wide ? CPU_I64 : CPU_I32, (int64_t)lo);
        v = SELECT(ICMP(SLT, v, b), b, v);
    }
    if (isfinite(hi) && (double)t->hi > hi) {
        LLVMValueRef b = cpu_splat_int(g, wide ? CPU_I64 : CPU_I32, (int64_t)hi);
        v = SELECT(ICMP(SGT, v, b), b, v);
    }
    return v;
}

static const elt_op ops[] = {
    {"nn.add", add_i, add_f},
    {"nn.sub", sub_i, sub_f},
    {"nn.mul", mul_i, mul_f},
    {"nn.div", NULL, div_f},
    {"nn.min", min_i, min_f},
    {"nn.max", max_i, max_f},
    {"nn.prelu", prelu_i, prelu_f},
    {"nn.neg", neg_i, neg_f},
    {"nn.abs", abs_i, abs_f},
    {"nn.relu", relu_i, relu_f},
    {"nn.sign", sign_i, sign_f},
    {"nn.round", same, round_f},
    {"nn.floor", same, floor_f},
    {"nn.ceil", same, ceil_f},
    {"nn.identity", same, same},
    {"nn.clip", clip_i, clip_f},
    {"nn.sqrt", NULL, sqrt_f},
    {"nn.reciprocal", NULL, reciprocal_f},
    {"nn.leaky_relu", NULL, leaky_relu_f},
    {"nn.thresholded_relu", NULL, thresholded_relu_f},
    {"nn.hard_sigmoid", NULL, hard_sigmoid_f},
    {"nn.cast", same, same},
};

/* Operators with code of their own, which read operand 0 as one vector. */
static const struct special {
    const char *name;
    bool (*can)(const nashc_node *n);
    cpu_vec (*emit)(cpu_cg *g, const cpu_point *pt, const nashc_node *n, cpu_vec x);
} specials[] = {
    {"q.multithreshold", cpu_multithreshold_can, cpu_multithreshold},
    {"q.requant", cpu_requant_can, cpu_requant},
    {"q.lut", cpu_lut_can, cpu_lut},
    {"q.quant", cpu_quant_can, cpu_quant},
    {"q.bipolar_quant", NULL, cpu_bipolar_quant},
    {"q.dequant", NULL, cpu_dequant},
    {"q.trunc", cpu_trunc_can, cpu_trunc},
    {"nn.batchnorm", cpu_batchnorm_can, cpu_batchnorm},
};

static const struct special curve = {NULL, NULL, cpu_curve};

static const elt_op *
op_of(const nashc_node *n)
{
    for (size_t i = 0; i < NASHC_COUNT(ops); i++)
        if (nashc_node_is(n, ops[i].name))
            return &ops[i];
    return NULL;
}

static const struct special *
special_of(const nashc_node *n)
{
    for (size_t i = 0; i < NASHC_COUNT(specials); i++)
        if (nashc_node_is(n, specials[i].name))
            return &specials[i];
    return cpu_curve_can(n) ? &curve : NULL;
}

/* Fixed point, halves and minifloats round in ways of their own. */
static bool
plain_kind(const nashc_type *t)
{
    return nashc_type_is_int(t) || t->kind == NASHC_K_F32 || t->kind == NASHC_K_F64;
}

/* A conversion is done here only where it changes no value. */
static bool
cast_keeps(const nashc_type *x, const nashc_type *y)
{
    if (!nashc_type_is_int(y))
        return true;
    return nashc_type_is_int(x) && x->lo >= y->lo && x->hi <= y->hi &&
           (y->kind == NASHC_K_INT || y->kind == NASHC_K_UINT);
}

bool
cpu_elt_can(const nashc_node *n)
{
    const elt_op *op = op_of(n);
    const struct special *s = op ? NULL : special_of(n);
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));

    if ((!op && !s) || nashc_type_count(y) < 1 || !plain_kind(y))
        return false;
    for (int i = 0; i < nashc_node_n_in(n); i++)
        if (nashc_node_in(n, i) && !plain_kind(nashc_value_type(nashc_node_in(n, i))))
            return false;
    if (nashc_node_is(n, "nn.cast") && !cast_keeps(nashc_value_type(nashc_node_in(n, 0)), y))
        return false;
    if (op)
        return nashc_type_is_int(y) ? op->i != NULL : op->f != NULL;
    return !s->can || s->can(n);
}

/* Class in which n computes: 32 bits where operands and result fit. */
static cpu_class
class_of(const nashc_node *n)
{
    cpu_class c = cpu_class_of_type(nashc_value_type(nashc_node_out(n, 0)));

    for (int i = 0; c == CPU_I32 && i < nashc_node_n_in(n); i++)
        if (nashc_node_in(n, i))
            c = cpu_class_of_type(nashc_value_type(nashc_node_in(n, i)));
    return c;
}

cpu_vec
cpu_elt(cpu_cg *g, const cpu_point *pt, const nashc_node *n, int chain, cpu_vec x)
{
    const nashc_type *out = nashc_value_type(nashc_node_out(n, 0));
    const struct special *s = special_of(n);
    cpu_class cls = class_of(n);
    LLVMValueRef in[2];

    if (s) {
        const nashc_value *v = nashc_node_in(n, 0);
        return s->emit(
            g, pt, n,
            chain == 0 ? x : cpu_operand(g, pt, v, out, cpu_class_of_type(nashc_value_type(v))));
    }
    for (int i = 0; i < nashc_node_n_in(n); i++)
        in[i] = (i == chain ? cpu_convert(g, x, cls)
                            : cpu_operand(g, pt, nashc_node_in(n, i), out, cls))
                    .v;
    const elt_op *op = op_of(n);
    return (cpu_vec){(cls == CPU_F64 ? op->f : op->i)(g, n, in), cls};
}
