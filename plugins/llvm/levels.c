/* levels.c: quantisers on integers: thresholds, lines in fixed point, tables. */
#include "elt.h"
#include <math.h>
#include <string.h>

#define FEW 24 /* thresholds that are compared one after the other; more are searched */

static const nashc_tensor *
constant(const nashc_node *n, int i)
{
    const nashc_value *v = nashc_node_in(n, i);

    return v ? nashc_value_const(v) : NULL;
}

/* --- thresholds ------------------------------------------------------------------------------ */

bool
cpu_multithreshold_can(const nashc_node *n)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));

    /* hi + 1 must exist: a threshold that no x reaches; NaN with falling channels is rare */
    if (nashc_type_is_int(x))
        return x->hi < INT64_MAX;
    return !nashc_node_in(n, 2);
}

int64_t
cpu_threshold(const nashc_node *n, int64_t row, int64_t k)
{
    const nashc_tensor *t = constant(n, 1);
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0)), *tt = nashc_tensor_type(t);
    int64_t at = row * tt->dim[1] + k, v;
    double f = nashc_tensor_get(t, at);

    if (nashc_type_is_int(tt))
        v = nashc_tensor_get_int(t, at);
    else
        v = f > (double)x->hi ? x->hi + 1 : f < (double)x->lo ? x->lo : (int64_t)ceil(f);
    return v > x->hi ? x->hi + 1 : v < x->lo ? x->lo : v;
}

/* The thresholds in the class of x, as [pitch][rows]; beyond the last one such that none reach. */
static void *
table_of(cpu_cg *g, const nashc_node *n, cpu_class cls, int64_t pitch)
{
    const nashc_tensor *t = constant(n, 1);
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    int64_t rows = nashc_tensor_type(t)->dim[0], n_t = nashc_tensor_type(t)->dim[1];
    size_t cell = cls == CPU_I32 ? 4 : 8;
    char *table = cpu_blob(g, (size_t)(pitch * rows) * cell);

    for (int64_t i = 0; table && i < rows * pitch; i++) {
        int64_t k = i / rows, row = i % rows;
        if (cls == CPU_F64)
            ((double *)(void *)table)[i] = k < n_t ? nashc_tensor_get(t, row * n_t + k) : INFINITY;
        else if (cls == CPU_I32)
            ((int32_t *)(void *)table)[i] =
                (int32_t)(k < n_t ? cpu_threshold(n, row, k) : x->hi + 1);
        else
            ((int64_t *)(void *)table)[i] = k < n_t ? cpu_threshold(n, row, k) : x->hi + 1;
    }
    return table;
}

/* Lanes of x that reach t, as 1 in 32 bits. */
static LLVMValueRef
reach(cpu_cg *g, cpu_vec x, LLVMValueRef t)
{
    LLVMValueRef c = x.cls == CPU_F64 ? LLVMBuildFCmp(g->b, LLVMRealOGE, x.v, t, "")
                                      : LLVMBuildICmp(g->b, LLVMIntSGE, x.v, t, "");

    return LLVMBuildZExt(g->b, c, cpu_vec_type(g, g->i32), "");
}

static nashc_cell
cell_of(cpu_class c)
{
    return c == CPU_I32 ? NASHC_I32 : c == CPU_I64 ? NASHC_I64 : NASHC_DOUBLE;
}

/* Entry at of a table of one row, in all lanes. */
static LLVMValueRef
splat_entry(cpu_cg *g, const void *table, cpu_class c, int64_t at)
{
    if (c == CPU_F64)
        return cpu_splat_f64(g, ((const double *)table)[at]).v;
    return cpu_splat_int(
        g, c, c == CPU_I32 ? ((const int32_t *)table)[at] : ((const int64_t *)table)[at]);
}

static LLVMValueRef
count_few(cpu_cg *g, const cpu_point *pt, const nashc_node *n, cpu_vec x)
{
    const nashc_type *tt = nashc_tensor_type(constant(n, 1));
    const nashc_type *out = nashc_value_type(nashc_node_out(n, 0));
    int64_t rows = tt->dim[0], k = tt->dim[1];
    char *table = table_of(g, n, x.cls, k);
    LLVMValueRef count = NULL;

    for (int64_t i = 0; table && i < k; i++) {
        const char *row = table + (size_t)(i * rows) * (x.cls == CPU_I32 ? 4 : 8);
        LLVMValueRef t = rows == 1 ? splat_entry(g, table, x.cls, i)
                                   : cpu_channels(g, pt, row, cell_of(x.cls), out, x.cls).v;
        LLVMValueRef one = reach(g, x, t);
        count = count ? LLVMBuildAdd(g->b, count, one, "") : one;
    }
    return table ? count : cpu_splat_int(g, CPU_I32, 0);
}

/* Lanes of a table of channels, by indices of entries. */
static LLVMValueRef
gather(cpu_cg *g, LLVMValueRef base, cpu_class c, LLVMValueRef index)
{
    LLVMTypeRef t = cpu_class_type(g, c);
    LLVMValueRef v = LLVMGetUndef(cpu_vec_type(g, t));
    int size = c == CPU_I32 ? 4 : 8;

    for (int k = 0; k < g->lanes; k++) {
        LLVMValueRef lane = LLVMConstInt(g->i32, (unsigned)k, 0);
        LLVMValueRef i = LLVMBuildExtractElement(g->b, index, lane, "");
        i = LLVMBuildSExt(g->b, i, g->i64, "");
        LLVMValueRef one = cpu_load(g, t, cpu_at(g, base, cpu_muli(g, i, size)), size);
        v = LLVMBuildInsertElement(g->b, v, one, lane, "");
    }
    return v;
}

/* Channel of every lane, in 32 bits. */
static LLVMValueRef
lane_channels(cpu_cg *g, const cpu_point *pt, const nashc_type *out)
{
    int64_t channels = nashc_type_channels(out);
    int32_t *table = cpu_blob(g, (size_t)channels * sizeof *table);

    for (int64_t c = 0; table && c < channels; c++)
        table[c] = (int32_t)c;
    if (!table)
        return cpu_splat_int(g, CPU_I32, 0);
    return cpu_channels(g, pt, table, NASHC_I32, out, CPU_I32).v;
}

/* Binary search over 2^s - 1 thresholds, the missing ones out of reach. */
static LLVMValueRef
count_many(cpu_cg *g, const cpu_point *pt, const nashc_node *n, cpu_vec x)
{
    const nashc_type *tt = nashc_tensor_type(constant(n, 1));
    const nashc_type *out = nashc_value_type(nashc_node_out(n, 0));
    int64_t rows = tt->dim[0], k = tt->dim[1], half = 1;

    while (2 * half - 1 < k)
        half *= 2;
    char *table = table_of(g, n, x.cls, 2 * half - 1);
    LLVMValueRef count = cpu_splat_int(g, CPU_I32, 0);
    if (!table)
        return count;
    LLVMValueRef base = cpu_ptr_const(g, table);
    LLVMValueRef row = rows == 1 ? NULL : lane_channels(g, pt, out);
    for (; half; half /= 2) { /* count thresholds are reached; is the one half further on? */
        LLVMValueRef at = LLVMBuildAdd(g->b, count, cpu_splat_int(g, CPU_I32, half - 1), "");
        if (row)
            at = LLVMBuildAdd(g->b, LLVMBuildMul(g->b, at, cpu_splat_int(g, CPU_I32, rows), ""),
                              row, "");
        LLVMValueRef one = reach(g, x, gather(g, base, x.cls, at));
        one = LLVMBuildMul(g->b, one, cpu_splat_int(g, CPU_I32, half), "");
        count = LLVMBuildAdd(g->b, count, one, "");
    }
    return count;
}

/* first[c] + by[c] * count: what the count of a channel stands for, in 64 bits if need be. */
static cpu_vec
levels_of(cpu_cg *g, const cpu_point *pt, const nashc_node *n, LLVMValueRef count)
{
    const nashc_type *out = nashc_value_type(nashc_node_out(n, 0));
    const nashc_tensor *dir = constant(n, 2);
    int64_t bias = nashc_attr_int(n, 0), scale = nashc_attr_int(n, 1);
    int64_t k = nashc_tensor_type(constant(n, 1))->dim[1], channels = nashc_type_channels(out);
    cpu_class c = cpu_class_of(out->lo, out->hi);
    LLVMValueRef first = cpu_splat_int(g, c, bias), by = cpu_splat_int(g, c, scale);

    if (dir) {
        int64_t *table = cpu_blob(g, 2 * (size_t)channels * sizeof *table);
        for (int64_t i = 0; table && i < channels; i++) {
            bool down = nashc_tensor_get_int(dir, i) < 0;
            table[i] = down ? bias + scale * k : bias;
            table[channels + i] = down ? -scale : scale;
        }
        if (table) {
            first = cpu_channels(g, pt, table, NASHC_I64, out, c).v;
            by = cpu_channels(g, pt, table + channels, NASHC_I64, out, c).v;
        }
    }
    count = cpu_convert(g, (cpu_vec){count, CPU_I32}, c).v;
    if (dir || scale != 1)
        count = LLVMBuildMul(g->b, count, by, "");
    return (cpu_vec){LLVMBuildAdd(g->b, count, first, ""), c};
}

cpu_vec
cpu_multithreshold(cpu_cg *g, const cpu_point *pt, const nashc_node *n, cpu_vec x)
{
    const nashc_type *t = nashc_value_type(nashc_node_in(n, 0));
    int64_t k = nashc_tensor_type(constant(n, 1))->dim[1];

    if (nashc_type_is_int(t)) /* of which x may be a wider or narrower form */
        x = cpu_convert(g, x, cpu_class_of(t->lo, t->hi + 1));
    return levels_of(g, pt, n, k <= FEW ? count_few(g, pt, n, x) : count_many(g, pt, n, x));
}

/* --- q.requant ------------------------------------------------------------------------------- */

enum { SHIFT, QMIN, QMAX, EVEN };

bool
cpu_requant_can(const nashc_node *n)
{
    (void)n;
    return true; /* the operator's own checks prove that the sum fits 64 bits */
}

static int64_t
entry(const nashc_tensor *t, int64_t c)
{
    return nashc_tensor_get_int(t, nashc_tensor_count(t) == 1 ? 0 : c);
}

/* Do x * mul + add and the bounds fit 32 bits for all x of its interval, in all channels? */
static cpu_class
line_class(const nashc_node *n)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    const nashc_tensor *mul = constant(n, 1), *add = constant(n, 2);
    int64_t limit = INT32_MAX, lo = nashc_attr_int(n, QMIN), hi = nashc_attr_int(n, QMAX);
    int64_t muls = nashc_tensor_count(mul), adds = nashc_tensor_count(add);

    if (lo < -limit || hi > limit || x->lo < -limit || x->hi > limit ||
        nashc_attr_int(n, SHIFT) > 30)
        return CPU_I64;
    for (int64_t c = 0; c < (muls > adds ? muls : adds); c++) {
        int64_t m = entry(mul, c), a = entry(add, c);
        if (m < -limit || m > limit || a < -limit || a > limit)
            return CPU_I64;
        int64_t p = x->lo * m, q = x->hi * m; /* below 2^62 */
        if (p < -limit || p > limit || q < -limit || q > limit || p + a < -limit || p + a > limit ||
            q + a < -limit || q + a > limit)
            return CPU_I64;
    }
    return CPU_I32;
}

static LLVMValueRef
line_operand(cpu_cg *g, const cpu_point *pt, const nashc_node *n, int i, cpu_class c)
{
    const nashc_tensor *t = constant(n, i);
    const nashc_type *out = nashc_value_type(nashc_node_out(n, 0)), *tt = nashc_tensor_type(t);

    if (nashc_tensor_is_scalar(t))
        return cpu_splat_int(g, c, nashc_tensor_get_int(t, 0));
    /* by way of 32 bits where they hold it: then LLVM knows that a product needs no more of it */
    cpu_class by = cpu_class_of(tt->lo, tt->hi);
    cpu_vec v =
        cpu_channels(g, pt, nashc_tensor_data(t), nashc_tensor_buf(t)->cell, out, by < c ? by : c);
    return cpu_convert(g, v, c).v;
}

cpu_vec
cpu_requant(cpu_cg *g, const cpu_point *pt, const nashc_node *n, cpu_vec x)
{
    cpu_class c = line_class(n);
    int64_t shift = nashc_attr_int(n, SHIFT);
    LLVMValueRef mul = line_operand(g, pt, n, 1, c), add = line_operand(g, pt, n, 2, c);
    LLVMValueRef sum = LLVMBuildMul(g->b, cpu_convert(g, x, c).v, mul, "");

    sum = LLVMBuildAdd(g->b, sum, add, "");
    LLVMValueRef q = LLVMBuildAShr(g->b, sum, cpu_splat_int(g, c, shift), ""); /* rounds down */
    if (nashc_attr_bool(n, EVEN)) {
        LLVMValueRef one = cpu_splat_int(g, c, 1);
        LLVMValueRef rest = cpu_splat_int(g, c, (INT64_C(1) << shift) - 1);
        rest = LLVMBuildAnd(g->b, sum, rest, "");
        rest = LLVMBuildICmp(g->b, LLVMIntEQ, rest, LLVMConstNull(LLVMTypeOf(rest)), "");
        LLVMValueRef odd = LLVMBuildAnd(g->b, q, one, "");
        odd = LLVMBuildSelect(g->b, rest, odd, LLVMConstNull(LLVMTypeOf(odd)), "");
        q = LLVMBuildSub(g->b, q, odd, "");
    }
    LLVMValueRef lo = cpu_splat_int(g, c, nashc_attr_int(n, QMIN));
    LLVMValueRef hi = cpu_splat_int(g, c, nashc_attr_int(n, QMAX));
    q = LLVMBuildSelect(g->b, LLVMBuildICmp(g->b, LLVMIntSLT, q, lo, ""), lo, q, "");
    return (cpu_vec){LLVMBuildSelect(g->b, LLVMBuildICmp(g->b, LLVMIntSGT, q, hi, ""), hi, q, ""),
                     c};
}

/* --- q.lut ----------------------------------------------------------------------------------- */

bool
cpu_lut_can(const nashc_node *n)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    const nashc_tensor *t = constant(n, 1);

    return t && nashc_tensor_count(t) < INT32_MAX && cpu_class_of(x->lo, x->hi) == CPU_I32;
}

cpu_vec
cpu_lut(cpu_cg *g, const cpu_point *pt, const nashc_node *n, cpu_vec x)
{
    const nashc_tensor *t = constant(n, 1);
    const nashc_type *out = nashc_value_type(nashc_node_out(n, 0)), *tt = nashc_tensor_type(t);
    cpu_class c = cpu_class_of_type(tt);
    int64_t count = nashc_tensor_count(t), lo = nashc_attr_int(n, 0);
    char *table = cpu_blob(g, (size_t)count * 8);

    for (int64_t i = 0; table && i < count; i++) {
        if (c == CPU_F64)
            ((double *)(void *)table)[i] = nashc_tensor_get(t, i);
        else if (c == CPU_I64)
            ((int64_t *)(void *)table)[i] = nashc_tensor_get_int(t, i);
        else
            ((int32_t *)(void *)table)[i] = (int32_t)nashc_tensor_get_int(t, i);
    }
    if (!table)
        return x;
    /* in 64 bits the difference cannot overflow; the result is below the size of the table */
    LLVMValueRef at = cpu_convert(g, x, CPU_I64).v;
    at = LLVMBuildSub(g->b, at, cpu_splat_int(g, CPU_I64, lo), "");
    at = cpu_convert(g, (cpu_vec){at, CPU_I64}, CPU_I32).v;
    if (tt->dim[0] > 1) {
        LLVMValueRef row = lane_channels(g, pt, out);
        row = LLVMBuildMul(g->b, row, cpu_splat_int(g, CPU_I32, tt->dim[1]), "");
        at = LLVMBuildAdd(g->b, at, row, "");
    }
    return (cpu_vec){gather(g, cpu_ptr_const(g, table), c, at), c};
}
