/* curves.c: activations by exp, tanh and the like: the functions of libm that the reference calls,
 * lane by lane, in the reference's formulas (ir/ops/unary.c, ir/ops/activation.c). */
#include "elt.h"
#include <math.h>

/* fn of each lane of x. */
static LLVMValueRef
libm(cpu_cg *g, const char *name, LLVMValueRef x)
{
    LLVMTypeRef t = LLVMFunctionType(g->f64, &g->f64, 1, 0);
    LLVMValueRef fn = LLVMGetNamedFunction(g->module, name), v = LLVMGetUndef(LLVMTypeOf(x));

    if (!fn)
        fn = LLVMAddFunction(g->module, name, t);
    for (int i = 0; i < g->lanes; i++) {
        LLVMValueRef lane = LLVMConstInt(g->i32, (unsigned)i, 0);
        LLVMValueRef one = LLVMBuildExtractElement(g->b, x, lane, "");
        v = LLVMBuildInsertElement(g->b, v, LLVMBuildCall2(g->b, t, fn, &one, 1, ""), lane, "");
    }
    return v;
}

#define C(V)      cpu_splat_f64(g, V).v
#define ADD(A, B) LLVMBuildFAdd(g->b, A, B, "")
#define MUL(A, B) LLVMBuildFMul(g->b, A, B, "")
#define DIV(A, B) LLVMBuildFDiv(g->b, A, B, "")
#define NEG(A)    LLVMBuildFNeg(g->b, A, "")
#define ABS(A)    cpu_f64_call(g, "llvm.fabs", A)

static LLVMValueRef
where(cpu_cg *g, LLVMRealPredicate p, LLVMValueRef a, double b, LLVMValueRef yes, LLVMValueRef no)
{
    return LLVMBuildSelect(g->b, LLVMBuildFCmp(g->b, p, a, C(b), ""), yes, no, "");
}

#define CURVE(NAME, EXPR)                                                                          \
    static LLVMValueRef NAME(cpu_cg *g, const nashc_node *n, LLVMValueRef x)                       \
    {                                                                                              \
        (void)n;                                                                                   \
        return EXPR;                                                                               \
    }

#define P(I) C(nashc_attr_f32(n, I))

CURVE(sigmoid, DIV(C(1.0), ADD(C(1.0), libm(g, "exp", NEG(x)))))
CURVE(tangent, libm(g, "tanh", x))
CURVE(exponential, libm(g, "exp", x))
CURVE(logarithm, libm(g, "log", x))
CURVE(error, libm(g, "erf", x))
CURVE(softplus,
      ADD(where(g, LLVMRealOGT, x, 0.0, x, C(0.0)), libm(g, "log1p", libm(g, "exp", NEG(ABS(x))))))
CURVE(softsign, where(g, LLVMRealOEQ, ABS(x), INFINITY,
                      where(g, LLVMRealOGT, x, 0.0, C(1.0), C(-1.0)), DIV(x, ADD(C(1.0), ABS(x)))))
CURVE(elu, where(g, LLVMRealOLT, x, 0.0, MUL(P(0), libm(g, "expm1", x)), x))
CURVE(celu, where(g, LLVMRealOLT, x, 0.0, MUL(P(0), libm(g, "expm1", DIV(x, P(0)))), x))
CURVE(selu, where(g, LLVMRealOLT, x, 0.0, MUL(P(1), MUL(P(0), libm(g, "expm1", x))), MUL(P(1), x)))

static const struct curve {
    const char *name;
    LLVMValueRef (*emit)(cpu_cg *g, const nashc_node *n, LLVMValueRef x);
} curves[] = {
    {"nn.sigmoid", sigmoid},   {"nn.tanh", tangent}, {"nn.exp", exponential},
    {"nn.log", logarithm},     {"nn.erf", error},    {"nn.softplus", softplus},
    {"nn.softsign", softsign}, {"nn.elu", elu},      {"nn.celu", celu},
    {"nn.selu", selu},
};

static const struct curve *
curve_of(const nashc_node *n)
{
    for (size_t i = 0; i < NASHC_COUNT(curves); i++)
        if (nashc_node_is(n, curves[i].name))
            return &curves[i];
    return NULL;
}

bool
cpu_curve_can(const nashc_node *n)
{
    return curve_of(n) && !nashc_type_is_int(nashc_value_type(nashc_node_out(n, 0)));
}

cpu_vec
cpu_curve(cpu_cg *g, const cpu_point *pt, const nashc_node *n, cpu_vec x)
{
    (void)pt;
    return (cpu_vec){curve_of(n)->emit(g, n, cpu_convert(g, x, CPU_F64).v), CPU_F64};
}
