/* quant.c: quantisers and normalisation on floats as vector code, in double as the reference. */
#include "elt.h"
#include <math.h>

enum { QMIN, QMAX, ROUNDING, ROUND_BEFORE_ZP, CODES };      /* of q.quant */
enum { IN_BITS, OUT_BITS, SIGNED, NARROW, TRUNC_ROUNDING }; /* of q.trunc */
/* in the order of the operator's domain */
enum { R_ROUND, R_CEIL, R_FLOOR, R_UP, R_DOWN, R_HALF_UP, R_HALF_DOWN, R_DPU, R_SIGN };

bool
cpu_quant_can(const nashc_node *n)
{
    const nashc_value *z = nashc_node_in(n, 2);

    /* codes that a broken zero point makes broken are faults: the reference reports them */
    return !nashc_attr_bool(n, CODES) ||
           (nashc_value_const(z) && nashc_tensor_all_integral(nashc_value_const(z)));
}

static LLVMValueRef
select_f(cpu_cg *g, LLVMRealPredicate p, LLVMValueRef a, LLVMValueRef b, LLVMValueRef yes,
         LLVMValueRef no)
{
    return LLVMBuildSelect(g->b, LLVMBuildFCmp(g->b, p, a, b, ""), yes, no, "");
}

/* Rounding to an integer as ops_round has it. */
static LLVMValueRef
rounded(cpu_cg *g, int mode, LLVMValueRef u)
{
    LLVMValueRef zero = LLVMConstNull(LLVMTypeOf(u)), one = cpu_splat_f64(g, 1.0).v;
    LLVMValueRef half = cpu_splat_f64(g, 0.5).v, near, down, up, rest;

    if (mode == R_CEIL || mode == R_FLOOR)
        return cpu_f64_call(g, mode == R_CEIL ? "llvm.ceil" : "llvm.floor", u);
    if (mode == R_SIGN)
        return LLVMBuildSelect(g->b, cpu_is_nan(g, u), u,
                               select_f(g, LLVMRealOGE, u, zero, one, cpu_splat_f64(g, -1.0).v),
                               "");
    near = cpu_f64_call(g, "llvm.nearbyint", u);
    if (mode == R_ROUND)
        return near;
    down = cpu_f64_call(g, "llvm.trunc", u);
    if (mode == R_DOWN)
        return down;
    LLVMTypeRef t = LLVMTypeOf(u);
    rest = cpu_f64_call(g, "llvm.fabs", LLVMBuildFSub(g->b, u, down, ""));
    up = cpu_call(g, "llvm.copysign", &t, 1, (LLVMValueRef[]){one, u}, 2);
    up = LLVMBuildFAdd(g->b, down, up, "");
    if (mode == R_UP)
        return select_f(g, LLVMRealOGT, rest, zero, up, down);
    if (mode == R_HALF_UP)
        return select_f(g, LLVMRealOGE, rest, half, up, down);
    if (mode == R_HALF_DOWN)
        return select_f(g, LLVMRealOGT, rest, half, up, down);
    LLVMValueRef below = LLVMBuildFCmp(g->b, LLVMRealOLT, u, zero, "");
    LLVMValueRef tie = LLVMBuildFCmp(g->b, LLVMRealOEQ, rest, half, "");
    return LLVMBuildSelect(g->b, LLVMBuildAnd(g->b, below, tie, ""), down, near, "");
}

static LLVMValueRef
clamped(cpu_cg *g, const nashc_node *n, LLVMValueRef v)
{
    LLVMValueRef lo = cpu_splat_f64(g, (double)nashc_attr_int(n, QMIN)).v;
    LLVMValueRef hi = cpu_splat_f64(g, (double)nashc_attr_int(n, QMAX)).v;

    return select_f(g, LLVMRealOLT, v, lo, lo, select_f(g, LLVMRealOGT, v, hi, hi, v));
}

/* A NaN among the lanes of v is a fault, and 0. */
static LLVMValueRef
without_nan(cpu_cg *g, LLVMValueRef v)
{
    LLVMValueRef bad = cpu_is_nan(g, v);

    cpu_fault_if(g, bad);
    return LLVMBuildSelect(g->b, bad, LLVMConstNull(LLVMTypeOf(v)), v, "");
}

/* Doubles that are integers as the integers of type t. */
static cpu_vec
codes(cpu_cg *g, LLVMValueRef v, const nashc_type *t)
{
    v = without_nan(g, v);
    return cpu_convert(g, (cpu_vec){v, CPU_F64}, cpu_class_of(t->lo, t->hi));
}

/* May x / s be x * (1 / s), up to ties that are looked at again? One scale, and codes so small that
 * the quotient is right to 2^-22. */
static bool
takes_reciprocal(const nashc_node *n)
{
    const nashc_tensor *s = nashc_value_const(nashc_node_in(n, 1));
    const nashc_tensor *z = nashc_value_const(nashc_node_in(n, 2));
    double most = 0x1p28;

    if (!s || !z || !nashc_tensor_is_scalar(s) || !nashc_tensor_is_scalar(z) ||
        nashc_attr_int(n, ROUNDING) != R_ROUND || nashc_attr_bool(n, ROUND_BEFORE_ZP) ||
        !nashc_attr_bool(n, CODES))
        return false;
    double by = fabs(nashc_tensor_get(s, 0));
    return by > 0x1p-60 && by < 0x1p60 && fabs(nashc_tensor_get(z, 0)) < most &&
           (double)nashc_attr_int(n, QMIN) > -most && (double)nashc_attr_int(n, QMAX) < most;
}

/* Codes of x, which is divided only where a lane comes close to a tie, or is no number. */
static LLVMValueRef
quick_codes(cpu_cg *g, const nashc_node *n, LLVMValueRef x, LLVMValueRef s, LLVMValueRef z)
{
    double by = nashc_tensor_get(nashc_value_const(nashc_node_in(n, 1)), 0);
    LLVMTypeRef bits = LLVMIntTypeInContext(g->ctx, (unsigned)g->lanes);
    LLVMValueRef v = LLVMBuildFMul(g->b, x, cpu_splat_f64(g, 1.0 / by).v, "");
    cpu_if f;

    v = clamped(g, n, LLVMBuildFAdd(g->b, v, z, ""));
    LLVMValueRef q[1] = {rounded(g, R_ROUND, v)};
    v = cpu_f64_call(g, "llvm.fabs", LLVMBuildFSub(g->b, v, q[0], ""));
    v = LLVMBuildFCmp(g->b, LLVMRealUGT, v, cpu_splat_f64(g, 0.5 - 0x1p-20).v, "");
    LLVMValueRef close = LLVMBuildBitCast(g->b, v, bits, "");
    cpu_if_begin(g, &f, LLVMBuildICmp(g->b, LLVMIntNE, close, LLVMConstNull(bits), ""), q, 1);
    v = LLVMBuildFAdd(g->b, LLVMBuildFDiv(g->b, x, s, ""), z, "");
    q[0] = without_nan(g, rounded(g, R_ROUND, clamped(g, n, v)));
    cpu_if_end(g, &f, q);
    return q[0];
}

cpu_vec
cpu_quant(cpu_cg *g, const cpu_point *pt, const nashc_node *n, cpu_vec x)
{
    const nashc_type *out = nashc_value_type(nashc_node_out(n, 0));
    LLVMValueRef s = cpu_operand(g, pt, nashc_node_in(n, 1), out, CPU_F64).v;
    LLVMValueRef z = cpu_operand(g, pt, nashc_node_in(n, 2), out, CPU_F64).v;
    LLVMValueRef v = cpu_convert(g, x, CPU_F64).v;
    int mode = (int)nashc_attr_int(n, ROUNDING);

    if (takes_reciprocal(n) && nashc_type_is_int(out))
        return cpu_convert(g, (cpu_vec){quick_codes(g, n, v, s, z), CPU_F64},
                           cpu_class_of(out->lo, out->hi));
    v = LLVMBuildFDiv(g->b, v, s, "");
    if (mode == R_SIGN)
        v = rounded(g, mode, LLVMBuildFAdd(g->b, v, z, ""));
    else if (nashc_attr_bool(n, ROUND_BEFORE_ZP))
        v = clamped(g, n, LLVMBuildFAdd(g->b, rounded(g, mode, v), z, ""));
    else
        v = rounded(g, mode, clamped(g, n, LLVMBuildFAdd(g->b, v, z, "")));
    if (!nashc_attr_bool(n, CODES))
        v = LLVMBuildFMul(g->b, LLVMBuildFSub(g->b, v, z, ""), s, "");
    return nashc_type_is_int(out) ? codes(g, v, out) : (cpu_vec){v, CPU_F64};
}

cpu_vec
cpu_bipolar_quant(cpu_cg *g, const cpu_point *pt, const nashc_node *n, cpu_vec x)
{
    const nashc_type *out = nashc_value_type(nashc_node_out(n, 0));
    LLVMValueRef v = cpu_convert(g, x, CPU_F64).v, s = cpu_splat_f64(g, 1.0).v;

    if (!nashc_attr_bool(n, 0))
        s = cpu_operand(g, pt, nashc_node_in(n, 1), out, CPU_F64).v;
    LLVMValueRef y =
        select_f(g, LLVMRealOGE, v, LLVMConstNull(LLVMTypeOf(v)), s, LLVMBuildFNeg(g->b, s, ""));
    y = LLVMBuildSelect(g->b, cpu_is_nan(g, v), v, y, "");
    return nashc_type_is_int(out) ? codes(g, y, out) : (cpu_vec){y, CPU_F64};
}

cpu_vec
cpu_dequant(cpu_cg *g, const cpu_point *pt, const nashc_node *n, cpu_vec x)
{
    const nashc_type *out = nashc_value_type(nashc_node_out(n, 0));
    LLVMValueRef s = cpu_operand(g, pt, nashc_node_in(n, 1), out, CPU_F64).v;
    LLVMValueRef z = nashc_node_in(n, 2) ? cpu_operand(g, pt, nashc_node_in(n, 2), out, CPU_F64).v
                                         : LLVMConstNull(LLVMTypeOf(s));
    LLVMValueRef v = LLVMBuildFSub(g->b, cpu_convert(g, x, CPU_F64).v, z, "");

    return (cpu_vec){LLVMBuildFMul(g->b, v, s, ""), CPU_F64};
}

/* q.trunc with a scale of the result takes one, and one of x. */
bool
cpu_trunc_can(const nashc_node *n)
{
    for (int i = 1; nashc_node_in(n, 3) && i < 4; i += 2) {
        const nashc_tensor *s = nashc_value_const(nashc_node_in(n, i));
        if (!s || !nashc_tensor_is_scalar(s))
            return false;
    }
    return true;
}

/* What the codes of a q.trunc are divided by: a power of two. */
static double
cut_of(const nashc_node *n)
{
    if (!nashc_node_in(n, 3))
        return ldexp(1.0, (int)(nashc_attr_int(n, IN_BITS) - nashc_attr_int(n, OUT_BITS)));
    double s = nashc_tensor_get(nashc_value_const(nashc_node_in(n, 1)), 0);
    double to = nashc_tensor_get(nashc_value_const(nashc_node_in(n, 3)), 0);
    return exp2(nearbyint(log2(to / s)));
}

/* v within the range of the codes of a q.trunc; NaN stays. */
static LLVMValueRef
within_bits(cpu_cg *g, const nashc_node *n, LLVMValueRef v)
{
    bool is_signed = nashc_attr_bool(n, SIGNED);
    double levels = ldexp(1.0, (int)nashc_attr_int(n, OUT_BITS) - is_signed);
    double narrow = nashc_attr_bool(n, NARROW) ? 1.0 : 0.0;
    LLVMValueRef lo = cpu_splat_f64(g, is_signed ? narrow - levels : 0.0).v;
    LLVMValueRef hi = cpu_splat_f64(g, is_signed ? levels - 1.0 : levels - 1.0 - narrow).v;

    return select_f(g, LLVMRealOLT, v, lo, lo, select_f(g, LLVMRealOGT, v, hi, hi, v));
}

cpu_vec
cpu_trunc(cpu_cg *g, const cpu_point *pt, const nashc_node *n, cpu_vec x)
{
    const nashc_type *out = nashc_value_type(nashc_node_out(n, 0));
    bool second = nashc_node_in(n, 3) != NULL;
    LLVMValueRef s = cpu_operand(g, pt, nashc_node_in(n, 1), out, CPU_F64).v;
    LLVMValueRef z = cpu_operand(g, pt, nashc_node_in(n, 2), out, CPU_F64).v;
    LLVMValueRef t = cpu_splat_f64(g, cut_of(n)).v;
    LLVMValueRef to = second ? cpu_operand(g, pt, nashc_node_in(n, 3), out, CPU_F64).v : s;

    LLVMValueRef v = LLVMBuildFDiv(g->b, cpu_convert(g, x, CPU_F64).v, s, "");
    v = rounded(g, R_ROUND, LLVMBuildFAdd(g->b, v, z, ""));
    v = LLVMBuildFDiv(g->b, v, t, "");
    if (second) {
        v = within_bits(g, n, v);
        z = LLVMBuildFDiv(g->b, z, t, "");
    }
    v = LLVMBuildFSub(g->b, rounded(g, (int)nashc_attr_int(n, TRUNC_ROUNDING), v), z, "");
    return (cpu_vec){LLVMBuildFMul(g->b, v, to, ""), CPU_F64};
}

/* One parameter of nn.batchnorm as doubles; the variance as what is divided by. */
static const double *
parameter(cpu_cg *g, const nashc_node *n, int i)
{
    const nashc_tensor *t = nashc_value_const(nashc_node_in(n, i));
    int64_t count = nashc_tensor_count(t);
    double *v = cpu_blob(g, (size_t)count * sizeof *v), eps = nashc_attr_f32(n, 0);

    for (int64_t c = 0; v && c < count; c++) {
        v[c] = nashc_tensor_get(t, c);
        if (i == 4)
            v[c] = sqrt(v[c] + eps);
    }
    return v;
}

bool
cpu_batchnorm_can(const nashc_node *n)
{
    for (int i = 1; i < 5; i++)
        if (!nashc_value_const(nashc_node_in(n, i)))
            return false;
    return true;
}

cpu_vec
cpu_batchnorm(cpu_cg *g, const cpu_point *pt, const nashc_node *n, cpu_vec x)
{
    const nashc_type *out = nashc_value_type(nashc_node_out(n, 0));
    LLVMValueRef p[5];

    for (int i = 1; i < 5; i++)
        p[i] = cpu_channels(g, pt, parameter(g, n, i), NASHC_DOUBLE, out, CPU_F64).v;
    LLVMValueRef v = LLVMBuildFSub(g->b, cpu_convert(g, x, CPU_F64).v, p[3], "");
    v = LLVMBuildFDiv(g->b, LLVMBuildFMul(g->b, p[1], v, ""), p[4], "");
    return (cpu_vec){LLVMBuildFAdd(g->b, v, p[2], ""), CPU_F64};
}
