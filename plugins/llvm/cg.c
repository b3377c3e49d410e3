/* cg.c: LLVM IR in terms of loops, vectors and operands. Pointers are i8*, so that the same code
 * serves versions of LLVM with typed and with opaque pointers. */
#include "cg.h"
#include <stdlib.h>
#include <string.h>

/* --- functions ------------------------------------------------------------------------------- */

static void
add_attr(cpu_cg *g, LLVMValueRef fn, const char *key, const char *value)
{
    LLVMAttributeRef a = LLVMCreateStringAttribute(g->ctx, key, (unsigned)strlen(key), value,
                                                   (unsigned)strlen(value));
    LLVMAddAttributeAtIndex(fn, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, a);
}

LLVMValueRef
cpu_add_function(cpu_cg *g, const char *name, LLVMTypeRef t)
{
    LLVMValueRef fn = LLVMAddFunction(g->module, name, t);

    add_attr(g, fn, "target-cpu", g->host.name);
    add_attr(g, fn, "target-features", g->host.features);
    add_attr(g, fn, "prefer-vector-width", g->host.vector == 64 ? "512" : "256");
    return fn;
}

LLVMTypeRef
cpu_kernel_type(cpu_cg *g)
{
    LLVMTypeRef pp = LLVMPointerType(g->ptr, 0), p32 = LLVMPointerType(g->i32, 0);

    return LLVMFunctionType(LLVMVoidTypeInContext(g->ctx), (LLVMTypeRef[]){pp, p32, g->i64, g->i64},
                            4, 0);
}

void
cpu_fn_begin(cpu_cg *g, cpu_step *s)
{
    g->step = s;
    g->fn = cpu_add_function(g, s->symbol, cpu_kernel_type(g));
    g->from = LLVMGetParam(g->fn, 2);
    g->to = LLVMGetParam(g->fn, 3);
    g->entry = LLVMAppendBasicBlockInContext(g->ctx, g->fn, "entry");
    g->body = LLVMAppendBasicBlockInContext(g->ctx, g->fn, "body");
    g->slot = NULL;
    LLVMPositionBuilderAtEnd(g->b, g->body);
}

void
cpu_fn_end(cpu_cg *g)
{
    LLVMBuildRetVoid(g->b);
    LLVMPositionBuilderAtEnd(g->b, g->entry);
    LLVMBuildBr(g->b, g->body);
    free(g->slot);
    g->slot = NULL;
}

/* Runs code in the entry block, which has no end yet; returns where to go back to. */
static LLVMBasicBlockRef
visit_entry(cpu_cg *g)
{
    LLVMBasicBlockRef back = LLVMGetInsertBlock(g->b);
    LLVMPositionBuilderAtEnd(g->b, g->entry);
    return back;
}

static LLVMValueRef
slot_ptr(cpu_cg *g, int value, const void *data)
{
    cpu_step *s = g->step;
    int k = 0;

    while (k < s->n_slot && (s->slot[k].value != value || s->slot[k].data != data))
        k++;
    if (k == s->n_slot) {
        cpu_slot *slots = realloc(s->slot, (size_t)(k + 1) * sizeof *slots);
        LLVMValueRef *known = realloc(g->slot, (size_t)(k + 1) * sizeof *known);
        s->slot = slots ? slots : s->slot;
        g->slot = known ? known : g->slot;
        if (!slots || !known) {
            g->failed = true;
            return LLVMGetUndef(g->ptr);
        }
        s->slot[k] = (cpu_slot){value, data};
        s->n_slot++;
        LLVMBasicBlockRef back = visit_entry(g);
        LLVMValueRef at = cpu_at(g, LLVMGetParam(g->fn, 0), cpu_int(g, 8 * k));
        g->slot[k] = cpu_load(g, g->ptr, at, 8);
        LLVMPositionBuilderAtEnd(g->b, back);
    }
    return g->slot[k];
}

LLVMValueRef
cpu_ptr_value(cpu_cg *g, int value)
{
    return slot_ptr(g, value, NULL);
}

LLVMValueRef
cpu_ptr_const(cpu_cg *g, const void *data)
{
    return slot_ptr(g, -1, data);
}

LLVMValueRef
cpu_ptr_scratch(cpu_cg *g)
{
    return slot_ptr(g, -1, NULL);
}

void *
cpu_blob(cpu_cg *g, size_t size)
{
    cpu_program *p = g->p;
    char *raw = nashc_arena_alloc(p->arena, size + 64);
    cpu_region *more = realloc(p->blob, (size_t)(p->n_blob + 1) * sizeof *more);

    p->blob = more ? more : p->blob;
    if (!raw || !more) {
        g->failed = true;
        return NULL;
    }
    raw += (64 - (uintptr_t)raw % 64) % 64;
    p->blob[p->n_blob++] = (cpu_region){raw, size};
    return raw;
}

/* --- scalars and memory ---------------------------------------------------------------------- */

LLVMValueRef
cpu_int(cpu_cg *g, int64_t v)
{
    return LLVMConstInt(g->i64, (unsigned long long)v, 1);
}

LLVMValueRef
cpu_addi(cpu_cg *g, LLVMValueRef a, LLVMValueRef b)
{
    return LLVMBuildAdd(g->b, a, b, "");
}

LLVMValueRef
cpu_muli(cpu_cg *g, LLVMValueRef a, int64_t k)
{
    return k == 1 ? a : LLVMBuildMul(g->b, a, cpu_int(g, k), "");
}

LLVMValueRef
cpu_plus(cpu_cg *g, LLVMValueRef a, int64_t k)
{
    return k == 0 ? a : LLVMBuildAdd(g->b, a, cpu_int(g, k), "");
}

LLVMValueRef
cpu_at(cpu_cg *g, LLVMValueRef base, LLVMValueRef bytes)
{
    base = LLVMBuildBitCast(g->b, base, g->ptr, "");
    return LLVMBuildInBoundsGEP2(g->b, g->i8, base, &bytes, 1, "");
}

LLVMValueRef
cpu_load(cpu_cg *g, LLVMTypeRef t, LLVMValueRef at, int align)
{
    LLVMValueRef v =
        LLVMBuildLoad2(g->b, t, LLVMBuildBitCast(g->b, at, LLVMPointerType(t, 0), ""), "");
    LLVMSetAlignment(v, (unsigned)align);
    return v;
}

void
cpu_store(cpu_cg *g, LLVMValueRef v, LLVMValueRef at, int align)
{
    LLVMTypeRef to = LLVMPointerType(LLVMTypeOf(v), 0);
    LLVMValueRef s = LLVMBuildStore(g->b, v, LLVMBuildBitCast(g->b, at, to, ""));
    LLVMSetAlignment(s, (unsigned)align);
}

LLVMValueRef
cpu_frame(cpu_cg *g, int64_t bytes)
{
    LLVMBasicBlockRef back = visit_entry(g);
    LLVMValueRef a = LLVMBuildAlloca(g->b, LLVMArrayType(g->i8, (unsigned)bytes), "");

    LLVMSetAlignment(a, 64);
    a = LLVMBuildBitCast(g->b, a, g->ptr, "");
    LLVMPositionBuilderAtEnd(g->b, back);
    return a;
}

LLVMValueRef
cpu_call(cpu_cg *g, const char *name, LLVMTypeRef *types, int n, LLVMValueRef *args, int n_args)
{
    unsigned id = LLVMLookupIntrinsicID(name, strlen(name));
    LLVMValueRef f = LLVMGetIntrinsicDeclaration(g->module, id, types, (size_t)n);
    LLVMTypeRef t = LLVMIntrinsicGetType(g->ctx, id, types, (size_t)n);

    return LLVMBuildCall2(g->b, t, f, args, (unsigned)n_args, "");
}

/* --- control --------------------------------------------------------------------------------- */

void
cpu_loop_begin(cpu_cg *g, cpu_loop *l, LLVMValueRef from, LLVMValueRef to, int64_t step,
               LLVMValueRef *carry, int n)
{
    l->before = LLVMGetInsertBlock(g->b);
    l->head = LLVMAppendBasicBlockInContext(g->ctx, g->fn, "loop");
    l->to = to;
    l->step = step;
    l->n = n;
    LLVMBuildBr(g->b, l->head);
    LLVMPositionBuilderAtEnd(g->b, l->head);
    l->i = LLVMBuildPhi(g->b, g->i64, "i");
    LLVMAddIncoming(l->i, &from, &l->before, 1);
    for (int k = 0; k < n; k++) {
        l->phi[k] = LLVMBuildPhi(g->b, LLVMTypeOf(carry[k]), "");
        LLVMAddIncoming(l->phi[k], &carry[k], &l->before, 1);
        carry[k] = l->phi[k];
    }
}

void
cpu_loop_end(cpu_cg *g, cpu_loop *l, LLVMValueRef *carry)
{
    LLVMBasicBlockRef last = LLVMGetInsertBlock(g->b);
    LLVMBasicBlockRef end = LLVMAppendBasicBlockInContext(g->ctx, g->fn, "end");
    LLVMValueRef next = LLVMBuildNSWAdd(g->b, l->i, cpu_int(g, l->step), "");

    LLVMAddIncoming(l->i, &next, &last, 1);
    for (int k = 0; k < l->n; k++)
        LLVMAddIncoming(l->phi[k], &carry[k], &last, 1);
    LLVMBuildCondBr(g->b, LLVMBuildICmp(g->b, LLVMIntSLT, next, l->to, ""), l->head, end);
    LLVMPositionBuilderAtEnd(g->b, end);
}

void
cpu_if_begin(cpu_cg *g, cpu_if *f, LLVMValueRef cond, LLVMValueRef *carry, int n)
{
    LLVMBasicBlockRef then = LLVMAppendBasicBlockInContext(g->ctx, g->fn, "then");

    f->before = LLVMGetInsertBlock(g->b);
    f->end = LLVMAppendBasicBlockInContext(g->ctx, g->fn, "fi");
    f->n = n;
    for (int k = 0; k < n; k++)
        f->old[k] = carry[k];
    LLVMBuildCondBr(g->b, cond, then, f->end);
    LLVMPositionBuilderAtEnd(g->b, then);
}

void
cpu_if_end(cpu_cg *g, cpu_if *f, LLVMValueRef *carry)
{
    LLVMBasicBlockRef last = LLVMGetInsertBlock(g->b);

    LLVMBuildBr(g->b, f->end);
    LLVMMoveBasicBlockAfter(f->end, last);
    LLVMPositionBuilderAtEnd(g->b, f->end);
    for (int k = 0; k < f->n; k++) {
        LLVMValueRef phi = LLVMBuildPhi(g->b, LLVMTypeOf(carry[k]), "");
        LLVMAddIncoming(phi, &f->old[k], &f->before, 1);
        LLVMAddIncoming(phi, &carry[k], &last, 1);
        carry[k] = phi;
    }
}

/* --- vectors --------------------------------------------------------------------------------- */

LLVMTypeRef
cpu_cell_type(cpu_cg *g, nashc_cell c)
{
    LLVMTypeRef of[] = {g->i8,  g->i8,  g->i16, g->i16, g->i32,
                        g->i32, g->i64, g->i64, g->f32, g->f64};
    return of[c];
}

LLVMTypeRef
cpu_class_type(cpu_cg *g, cpu_class c)
{
    return c == CPU_I32 ? g->i32 : c == CPU_I64 ? g->i64 : g->f64;
}

LLVMTypeRef
cpu_vec_type(cpu_cg *g, LLVMTypeRef elem)
{
    return LLVMVectorType(elem, (unsigned)g->lanes);
}

bool
cpu_cell_signed(nashc_cell c)
{
    return c == NASHC_I8 || c == NASHC_I16 || c == NASHC_I32 || c == NASHC_I64;
}

LLVMValueRef
cpu_splat(cpu_cg *g, LLVMValueRef scalar)
{
    LLVMTypeRef t = cpu_vec_type(g, LLVMTypeOf(scalar));
    LLVMValueRef one =
        LLVMBuildInsertElement(g->b, LLVMGetUndef(t), scalar, LLVMConstInt(g->i32, 0, 0), "");
    LLVMValueRef zeros = LLVMConstNull(LLVMVectorType(g->i32, (unsigned)g->lanes));

    return LLVMBuildShuffleVector(g->b, one, LLVMGetUndef(t), zeros, "");
}

LLVMValueRef
cpu_splat_int(cpu_cg *g, cpu_class c, int64_t v)
{
    LLVMValueRef one = LLVMConstInt(c == CPU_I64 ? g->i64 : g->i32, (unsigned long long)v, 1);
    LLVMValueRef all[64];

    for (int i = 0; i < g->lanes; i++)
        all[i] = one;
    return LLVMConstVector(all, (unsigned)g->lanes);
}

cpu_vec
cpu_splat_f64(cpu_cg *g, double v)
{
    LLVMValueRef all[64];

    for (int i = 0; i < g->lanes; i++)
        all[i] = LLVMConstReal(g->f64, v);
    return (cpu_vec){LLVMConstVector(all, (unsigned)g->lanes), CPU_F64};
}

/* A scalar or a vector of cells in class want. */
static LLVMValueRef
widen(cpu_cg *g, LLVMValueRef v, nashc_cell cell, cpu_class want, bool vector)
{
    LLVMTypeRef to = cpu_class_type(g, want);

    to = vector ? cpu_vec_type(g, to) : to;
    if (cell == NASHC_DOUBLE)
        return v;
    if (cell == NASHC_FLOAT)
        return LLVMBuildFPExt(g->b, v, to, "");
    if (want == CPU_F64)
        return cpu_cell_signed(cell) ? LLVMBuildSIToFP(g->b, v, to, "")
                                     : LLVMBuildUIToFP(g->b, v, to, "");
    return LLVMBuildIntCast2(g->b, v, to, cpu_cell_signed(cell), "");
}

cpu_vec
cpu_fetch(cpu_cg *g, LLVMValueRef base, nashc_cell cell, LLVMValueRef at, int64_t stride,
          cpu_class want)
{
    int size = (int)nashc_cell_size(cell);
    LLVMTypeRef t = cpu_cell_type(g, cell);
    LLVMValueRef from = cpu_at(g, base, cpu_muli(g, at, size));

    if (stride == 1 || (g->lanes == 1 && stride == 0))
        return (cpu_vec){widen(g, cpu_load(g, cpu_vec_type(g, t), from, size), cell, want, true),
                         want};
    if (stride == 0)
        return (cpu_vec){cpu_splat(g, widen(g, cpu_load(g, t, from, size), cell, want, false)),
                         want};
    LLVMValueRef v = LLVMGetUndef(cpu_vec_type(g, t));
    for (int k = 0; k < g->lanes; k++) {
        LLVMValueRef one = cpu_load(g, t, cpu_at(g, from, cpu_int(g, k * stride * size)), size);
        v = LLVMBuildInsertElement(g->b, v, one, LLVMConstInt(g->i32, (unsigned)k, 0), "");
    }
    return (cpu_vec){widen(g, v, cell, want, true), want};
}

cpu_vec
cpu_convert(cpu_cg *g, cpu_vec x, cpu_class want)
{
    LLVMTypeRef to = cpu_vec_type(g, cpu_class_type(g, want));

    if (x.cls == want)
        return x;
    if (want == CPU_F64)
        return (cpu_vec){LLVMBuildSIToFP(g->b, x.v, to, ""), want};
    if (x.cls == CPU_F64)
        return (cpu_vec){LLVMBuildFPToSI(g->b, x.v, to, ""), want};
    return (cpu_vec){want == CPU_I64 ? LLVMBuildSExt(g->b, x.v, to, "")
                                     : LLVMBuildTrunc(g->b, x.v, to, ""),
                     want};
}

void
cpu_put(cpu_cg *g, cpu_vec x, LLVMValueRef base, nashc_cell cell, LLVMValueRef at)
{
    int size = (int)nashc_cell_size(cell);
    LLVMTypeRef t = cpu_vec_type(g, cpu_cell_type(g, cell));

    if (cell >= NASHC_FLOAT) {
        x = cpu_convert(g, x, CPU_F64);
        if (cell == NASHC_FLOAT)
            x.v = LLVMBuildFPTrunc(g->b, x.v, t, "");
    } else {
        x.v = LLVMBuildIntCast2(g->b, x.v, t, 1, "");
    }
    cpu_store(g, x.v, cpu_at(g, base, cpu_muli(g, at, size)), size);
}

void
cpu_fault_if(cpu_cg *g, LLVMValueRef bad)
{
    LLVMTypeRef bits = LLVMIntTypeInContext(g->ctx, (unsigned)g->lanes);
    LLVMValueRef any = LLVMBuildBitCast(g->b, bad, bits, "");
    cpu_if f;

    any = LLVMBuildICmp(g->b, LLVMIntNE, any, LLVMConstNull(bits), "");
    cpu_if_begin(g, &f, any, NULL, 0);
    cpu_store(g, LLVMConstInt(g->i32, 1, 0), LLVMGetParam(g->fn, 1), 4);
    cpu_if_end(g, &f, NULL);
}

LLVMValueRef
cpu_first_lanes(cpu_cg *g, LLVMValueRef v, int n)
{
    LLVMValueRef index[64];

    for (int i = 0; i < n; i++)
        index[i] = LLVMConstInt(g->i32, (unsigned)i, 0);
    return LLVMBuildShuffleVector(g->b, v, LLVMGetUndef(LLVMTypeOf(v)),
                                  LLVMConstVector(index, (unsigned)n), "");
}
