/* units.c: the part of a step that one call of its function does. */
#include "cg.h"

LLVMValueRef
cpu_least(cpu_cg *g, LLVMValueRef a, LLVMValueRef b)
{
    return LLVMBuildSelect(g->b, LLVMBuildICmp(g->b, LLVMIntSLT, a, b, ""), a, b, "");
}

LLVMValueRef
cpu_greatest(cpu_cg *g, LLVMValueRef a, LLVMValueRef b)
{
    return LLVMBuildSelect(g->b, LLVMBuildICmp(g->b, LLVMIntSGT, a, b, ""), a, b, "");
}

void
cpu_divide(cpu_cg *g, LLVMValueRef a, int64_t count, int64_t n, LLVMValueRef *high,
           LLVMValueRef *low)
{
    *high = count == 1 ? cpu_int(g, 0) : n == 1 ? a : LLVMBuildUDiv(g->b, a, cpu_int(g, n), "");
    *low = n == 1       ? cpu_int(g, 0)
           : count == 1 ? a
                        : LLVMBuildSub(g->b, a, cpu_muli(g, *high, n), "");
}

void
cpu_blocks_begin(cpu_cg *g, cpu_blocks *b, int64_t n)
{
    LLVMValueRef first = g->from, end = g->to;

    if (n > 1) {
        first = LLVMBuildUDiv(g->b, first, cpu_int(g, n), "");
        end = LLVMBuildUDiv(g->b, cpu_plus(g, end, n - 1), cpu_int(g, n), "");
    }
    cpu_loop_begin(g, &b->outer, first, end, 1, NULL, 0);
    LLVMValueRef start = cpu_muli(g, b->outer.i, n);
    b->lo = n == 1 ? cpu_int(g, 0)
                   : cpu_greatest(g, LLVMBuildSub(g->b, g->from, start, ""), cpu_int(g, 0));
    b->hi =
        n == 1 ? cpu_int(g, 1) : cpu_least(g, LLVMBuildSub(g->b, g->to, start, ""), cpu_int(g, n));
}

void
cpu_blocks_end(cpu_cg *g, cpu_blocks *b)
{
    cpu_loop_end(g, &b->outer, NULL);
}

int64_t
cpu_vectors(int64_t n, int lanes)
{
    return (n + lanes - 1) / lanes;
}

void
cpu_each_vector(cpu_cg *g, LLVMValueRef lo, LLVMValueRef hi, int64_t n, int lanes, cpu_body *body,
                void *user)
{
    int64_t whole = n / lanes;
    cpu_loop l;
    cpu_if some, last;

    if (whole) {
        LLVMValueRef end = cpu_least(g, hi, cpu_int(g, whole));
        cpu_if_begin(g, &some, LLVMBuildICmp(g->b, LLVMIntSLT, lo, end, ""), NULL, 0);
        g->lanes = lanes;
        cpu_loop_begin(g, &l, lo, end, 1, NULL, 0);
        body(g, cpu_muli(g, l.i, lanes), user);
        cpu_loop_end(g, &l, NULL);
        cpu_if_end(g, &some, NULL);
    }
    if (n > whole * lanes) {
        cpu_if_begin(g, &last, LLVMBuildICmp(g->b, LLVMIntSGT, hi, cpu_int(g, whole), ""), NULL, 0);
        g->lanes = (int)(n - whole * lanes);
        body(g, cpu_int(g, whole * lanes), user);
        cpu_if_end(g, &last, NULL);
    }
}
