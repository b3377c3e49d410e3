/* sums.c: what becomes of a sum of products: its value, or at once the levels of its thresholds.
 *
 * sum * factor + addend >= t is a comparison of the sum itself with another number, which is found
 * when the code is built; and levels are small, so that they are counted in bytes.
 */
#include "elt.h"

#define MOST_THRESHOLDS 24

enum { BIAS, SCALE };

/* Does the threshold t of a channel with addend c, moved, fit 32 bits? */
static bool
moves(int64_t t, int64_t c)
{
    return t - c > INT32_MIN && t - c < INT32_MAX;
}

bool
cpu_sum_levels_can(const nashc_node *n, const cpu_affine *a)
{
    const nashc_type *x, *y = nashc_value_type(nashc_node_out(n, 0));

    if (!nashc_node_is(n, "q.multithreshold") || nashc_node_in(n, 2) ||
        nashc_cell_size(nashc_type_cell(y)) != 1)
        return false;
    x = nashc_value_type(nashc_node_in(n, 0));
    const nashc_type *t = nashc_value_type(nashc_node_in(n, 1));
    if (t->dim[1] > MOST_THRESHOLDS || cpu_class_of(x->lo, x->hi + 1) != CPU_I32 ||
        (t->dim[0] > 1 && (t->dim[0] != a->n || nashc_type_channel_axis(y) != y->rank - 1)))
        return false;
    for (int64_t c = 0; c < a->n; c++) /* what is summed up lies between these two */
        if (!moves(x->lo, a->addend[c]) || !moves(x->hi + 1, a->addend[c]))
            return false;
    return true;
}

/* v / by, rounded down */
static int64_t
floor_div(int64_t v, int64_t by)
{
    return v / by - (v % by != 0 && (v < 0) != (by < 0));
}

/* Sums reach threshold k if they are not less (factor > 0) or less than the entry of their channel.
 */
static const int32_t *
moved_thresholds(cpu_cg *g, const cpu_affine *a, const nashc_node *n, int64_t k)
{
    int32_t *table = cpu_blob(g, (size_t)a->n * sizeof *table);
    bool one = nashc_value_type(nashc_node_in(n, 1))->dim[0] == 1;

    for (int64_t c = 0; table && c < a->n; c++) {
        int64_t t = cpu_threshold(n, one ? 0 : c, k) - a->addend[c];
        table[c] =
            (int32_t)(a->factor > 0 ? -floor_div(-t, a->factor) : floor_div(t, a->factor) + 1);
    }
    return table;
}

static LLVMValueRef
splat_byte(cpu_cg *g, int64_t v)
{
    return cpu_splat(g, LLVMConstInt(g->i8, (unsigned long long)v & 255, 0));
}

LLVMValueRef
cpu_sum_levels(cpu_cg *g, const cpu_point *pt, const nashc_node *n, LLVMValueRef sum)
{
    const cpu_affine *a = pt->affine;
    int64_t n_t = nashc_value_type(nashc_node_in(n, 1))->dim[1];
    int64_t bias = nashc_attr_int(n, BIAS), scale = nashc_attr_int(n, SCALE);
    LLVMIntPredicate reaches = a->factor > 0 ? LLVMIntSGE : LLVMIntSLT;
    LLVMValueRef count = NULL;

    for (int64_t k = 0; k < n_t; k++) {
        const int32_t *table = moved_thresholds(g, a, n, k);
        if (!table)
            return splat_byte(g, 0);
        LLVMValueRef t = cpu_fetch(g, cpu_ptr_const(g, table), NASHC_I32, pt->at[1], 1, CPU_I32).v;
        LLVMValueRef one = LLVMBuildICmp(g->b, reaches, sum, t, "");
        if (n_t == 1)
            return LLVMBuildSelect(g->b, one, splat_byte(g, bias + scale), splat_byte(g, bias), "");
        one = LLVMBuildZExt(g->b, one, cpu_vec_type(g, g->i8), "");
        count = count ? LLVMBuildAdd(g->b, count, one, "") : one;
    }
    if (scale != 1)
        count = LLVMBuildMul(g->b, count, splat_byte(g, scale), "");
    return LLVMBuildAdd(g->b, count, splat_byte(g, bias), "");
}

cpu_vec
cpu_sum_value(cpu_cg *g, const cpu_point *pt, cpu_vec sum)
{
    const cpu_affine *a = pt->affine;

    if (!a)
        return sum;
    if (a->factor != 1)
        sum.v = LLVMBuildMul(g->b, sum.v, cpu_splat_int(g, CPU_I32, a->factor), "");
    LLVMValueRef add =
        cpu_fetch(g, cpu_ptr_const(g, a->addend), NASHC_I32, pt->at[1], 1, CPU_I32).v;
    return (cpu_vec){LLVMBuildAdd(g->b, sum.v, add, ""), CPU_I32};
}
