/* object.c: a program as one C function, in an object file that needs nothing but libc.
 *
 *     int TOP(const IN0 *in0, ..., OUT0 *out0, ..., void *memory)
 *
 * It checks the inputs, calls the kernels in order with pointers into the caller's buffers, into
 * memory and to constants of the object file, and copies the results out. It returns 1 where an
 * executor would have a fault to report: at an input outside its type, and at a NaN that becomes an
 * integer.
 */
#include "object.h"
#include "jit.h"
#include "memplan.h"
#include "move.h"
#include <nashc/compile.h>

/* The function being built. */
typedef struct entry {
    cpu_cg *g;
    LLVMValueRef *global; /* by blob, then by value: constants; NULL: not yet */
    LLVMValueRef memory, slots, fault;
} entry;

/* --- constants ------------------------------------------------------------------------------- */

static LLVMValueRef
add_constant(cpu_cg *g, const char *start, size_t size)
{
    LLVMValueRef v = LLVMConstStringInContext(g->ctx, start, (unsigned)size, 1);
    LLVMValueRef c = LLVMAddGlobal(g->module, LLVMTypeOf(v), "");

    LLVMSetInitializer(c, v);
    LLVMSetGlobalConstant(c, 1);
    LLVMSetLinkage(c, LLVMPrivateLinkage);
    LLVMSetAlignment(c, CPU_ALIGN);
    return c;
}

/* The constant that data points into: a blob or the elements of a value. */
static LLVMValueRef
constant_at(entry *e, const char *data)
{
    cpu_program *p = e->g->p;

    for (int i = 0; i < p->n_blob + p->n_value; i++) {
        const cpu_value *v = i < p->n_blob ? NULL : &p->value[i - p->n_blob];
        cpu_region r = v ? (cpu_region){v->data, 0} : p->blob[i];
        if (v && v->place == CPU_CONST)
            r.size = (size_t)v->n * nashc_cell_size(v->cell);
        if (!r.size || data < r.start || data >= r.start + r.size)
            continue;
        if (!e->global[i])
            e->global[i] = add_constant(e->g, r.start, r.size);
        return cpu_at(e->g, e->global[i], cpu_int(e->g, data - r.start));
    }
    e->g->failed = true;
    return LLVMGetUndef(e->g->ptr);
}

/* --- operands -------------------------------------------------------------------------------- */

static LLVMValueRef
value_at(entry *e, int id)
{
    const cpu_value *v = &e->g->p->value[id];

    if (v->place == CPU_INPUT)
        return LLVMGetParam(e->g->fn, (unsigned)v->input);
    if (v->place == CPU_CONST)
        return constant_at(e, v->data);
    return cpu_at(e->g, e->memory, cpu_int(e->g, (int64_t)v->offset));
}

static void
call_step(entry *e, const cpu_step *s)
{
    cpu_cg *g = e->g;
    LLVMValueRef fn = LLVMGetNamedFunction(g->module, s->symbol);

    for (int k = 0; k < s->n_slot; k++) {
        LLVMValueRef v = s->slot[k].value >= 0 ? value_at(e, s->slot[k].value)
                         : s->slot[k].data
                             ? constant_at(e, s->slot[k].data)
                             : cpu_at(g, e->memory, cpu_int(g, (int64_t)s->scratch_at));
        cpu_store(g, v, cpu_at(g, e->slots, cpu_int(g, 8 * k)), 8);
    }
    LLVMValueRef arg[] = {
        LLVMBuildBitCast(g->b, e->slots, LLVMPointerType(g->ptr, 0), ""),
        LLVMBuildBitCast(g->b, e->fault, LLVMPointerType(g->i32, 0), ""),
        cpu_int(g, 0),
        cpu_int(g, s->units),
    };
    LLVMBuildCall2(g->b, cpu_kernel_type(g), fn, arg, 4, "");
}

/* --- the ends -------------------------------------------------------------------------------- */

/* Sets the fault if one of lanes elements from index at on is outside type t. */
static void
check_lanes(entry *e, const nashc_type *t, LLVMValueRef from, LLVMValueRef at, int lanes)
{
    cpu_cg *g = e->g;
    cpu_if f;

    g->lanes = lanes;
    LLVMValueRef v = cpu_fetch(g, from, nashc_type_cell(t), at, 1, CPU_I64).v;
    LLVMValueRef below = LLVMBuildICmp(g->b, LLVMIntSLT, v, cpu_splat_int(g, CPU_I64, t->lo), "");
    LLVMValueRef above = LLVMBuildICmp(g->b, LLVMIntSGT, v, cpu_splat_int(g, CPU_I64, t->hi), "");
    LLVMTypeRef bits = LLVMIntTypeInContext(g->ctx, (unsigned)lanes);
    LLVMValueRef bad = LLVMBuildBitCast(g->b, LLVMBuildOr(g->b, below, above, ""), bits, "");
    cpu_if_begin(g, &f, LLVMBuildICmp(g->b, LLVMIntNE, bad, LLVMConstNull(bits), ""), NULL, 0);
    cpu_store(g, LLVMConstInt(g->i32, 1, 0), e->fault, 4);
    cpu_if_end(g, &f, NULL);
}

/* Does the cell of t hold what t does not? */
static bool
cell_is_wider(const nashc_type *t)
{
    int bits = 8 * (int)nashc_cell_size(nashc_type_cell(t));
    bool negative = cpu_cell_signed(nashc_type_cell(t));

    if (!nashc_type_is_int(t) || bits == 64)
        return false; /* types of 64 bits have the range of their cell, or one that is not known */
    int64_t hi = (INT64_C(1) << (bits - negative)) - 1, lo = negative ? -hi - 1 : 0;
    return t->lo > lo || t->hi < hi;
}

static void
check_input(entry *e, int i)
{
    cpu_cg *g = e->g;
    const nashc_type *t = nashc_value_type(nashc_graph_input(g->p->graph, i));
    int64_t n = nashc_type_count(t), bulk = n / 16 * 16;
    LLVMValueRef from = LLVMGetParam(g->fn, (unsigned)i);
    cpu_loop l;

    if (!cell_is_wider(t))
        return;
    if (bulk) {
        cpu_loop_begin(g, &l, cpu_int(g, 0), cpu_int(g, bulk), 16, NULL, 0);
        check_lanes(e, t, from, l.i, 16);
        cpu_loop_end(g, &l, NULL);
    }
    if (n > bulk)
        check_lanes(e, t, from, cpu_int(g, bulk), (int)(n - bulk));
}

static void
store_output(entry *e, int i)
{
    cpu_cg *g = e->g;
    const nashc_value *v = nashc_graph_output(g->p->graph, i);
    const cpu_value *at = &g->p->value[cpu_id(v)];
    int n_in = nashc_graph_n_inputs(g->p->graph);

    cpu_copy_cells(g, value_at(e, cpu_id(v)), at->cell, LLVMGetParam(g->fn, (unsigned)(n_in + i)),
                   nashc_type_cell(nashc_value_type(v)), at->n);
}

/* Leaves the function with 1 if there was a fault. */
static void
leave_on_fault(entry *e)
{
    cpu_cg *g = e->g;
    LLVMBasicBlockRef bad = LLVMAppendBasicBlockInContext(g->ctx, g->fn, "fault");
    LLVMBasicBlockRef good = LLVMAppendBasicBlockInContext(g->ctx, g->fn, "good");
    LLVMValueRef fault = cpu_load(g, g->i32, e->fault, 4);

    LLVMBuildCondBr(g->b, LLVMBuildICmp(g->b, LLVMIntNE, fault, LLVMConstNull(g->i32), ""), bad,
                    good);
    LLVMPositionBuilderAtEnd(g->b, bad);
    LLVMBuildRet(g->b, LLVMConstInt(g->i32, 1, 0));
    LLVMPositionBuilderAtEnd(g->b, good);
}

/* --- the whole ------------------------------------------------------------------------------- */

/* Declares the function and finds its memory, on a multiple of CPU_ALIGN. */
static void
begin(entry *e, const char *name, int most_slots)
{
    cpu_cg *g = e->g;
    int n = nashc_graph_n_inputs(g->p->graph) + nashc_graph_n_outputs(g->p->graph);
    LLVMTypeRef *param = NASHC_NEW_N(g->p->arena, LLVMTypeRef, n + 1);

    for (int i = 0; param && i <= n; i++)
        param[i] = g->ptr;
    g->failed |= !param;
    if (!param)
        return;
    g->fn = cpu_add_function(g, name, LLVMFunctionType(g->i32, param, (unsigned)n + 1, 0));
    g->entry = LLVMAppendBasicBlockInContext(g->ctx, g->fn, "entry");
    g->body = LLVMAppendBasicBlockInContext(g->ctx, g->fn, "body");
    LLVMPositionBuilderAtEnd(g->b, g->body);
    e->fault = cpu_frame(g, 4);
    e->slots = cpu_frame(g, 8 * (int64_t)(most_slots + 1));
    cpu_store(g, LLVMConstNull(g->i32), e->fault, 4);
    LLVMValueRef at = LLVMGetParam(g->fn, (unsigned)n);
    LLVMValueRef past = LLVMBuildPtrToInt(g->b, at, g->i64, "");
    past = LLVMBuildAnd(g->b, LLVMBuildNeg(g->b, past, ""), cpu_int(g, CPU_ALIGN - 1), "");
    e->memory = cpu_at(g, at, past);
}

static void
end(cpu_cg *g)
{
    LLVMBuildRet(g->b, LLVMConstNull(g->i32));
    LLVMPositionBuilderAtEnd(g->b, g->entry);
    LLVMBuildBr(g->b, g->body);
}

/* Nothing but compiled steps? */
static nashc_status
check_steps(const cpu_program *p, int *most_slots, nashc_diag *d)
{
    *most_slots = 0;
    for (int i = 0; i < p->n_step; i++) {
        const cpu_step *s = &p->step[i];
        *most_slots = s->n_slot > *most_slots ? s->n_slot : *most_slots;
        if (s->kind != CPU_EVAL)
            continue;
        nashc_node_unsup(d, s->node, "backend \"object\" has no code for this operator");
        nashc_help(d, "a model that ends before it can be compiled; docs/executor.md lists what "
                      "is compiled");
        return NASHC_EUNSUP;
    }
    return NASHC_OK;
}

/* Builds the function into the module of g; kernels become private to the file. */
static nashc_status
build_function(cpu_cg *g, const char *name, nashc_diag *d)
{
    const cpu_program *p = g->p;
    entry e = {.g = g};
    int most;
    nashc_status s = check_steps(p, &most, d);

    if (s != NASHC_OK)
        return s;
    e.global = NASHC_NEW_N(p->arena, LLVMValueRef, p->n_blob + p->n_value + 1);
    if (!e.global)
        return nashc_enomem(d);
    begin(&e, name, most);
    for (int i = 0; !g->failed && i < nashc_graph_n_inputs(p->graph); i++)
        check_input(&e, i);
    if (!g->failed)
        leave_on_fault(&e);
    for (int i = 0; !g->failed && i < p->n_step; i++) {
        call_step(&e, &p->step[i]);
        LLVMSetLinkage(LLVMGetNamedFunction(g->module, p->step[i].symbol), LLVMInternalLinkage);
    }
    if (g->failed)
        return nashc_enomem(d);
    leave_on_fault(&e);
    for (int i = 0; i < nashc_graph_n_outputs(p->graph); i++)
        store_output(&e, i);
    end(g);
    return g->failed ? nashc_enomem(d) : NASHC_OK;
}

nashc_outfile *
cpu_package_open(const cpu_package *z, const char *name, const char *suffix, nashc_diag *d)
{
    const char *path = nashc_arena_printf(z->a, "%s/%s%s", z->dir, name, suffix);

    if (path)
        return nashc_out_open(path, d);
    nashc_enomem(d);
    return NULL;
}

/* A cpu_finish: the function, then TOP.o; user: the package, which is told the sizes. */
static nashc_status
write_object(cpu_cg *g, const void *user, nashc_diag *d)
{
    cpu_package *z = (cpu_package *)(uintptr_t)user;
    LLVMMemoryBufferRef object = NULL;
    nashc_status s = build_function(g, z->top, d);

    if (s == NASHC_OK)
        s = cpu_object_code(g, &object, d);
    if (s != NASHC_OK)
        return s;
    z->memory = g->p->memory + CPU_ALIGN - 1;
    z->code = LLVMGetBufferSize(object);
    nashc_outfile *f = cpu_package_open(z, z->top, ".o", d);
    if (f)
        nashc_out_write(f, LLVMGetBufferStart(object), z->code);
    LLVMDisposeMemoryBuffer(object);
    return f ? nashc_out_commit(f, d) : NASHC_EIO;
}

nashc_status
cpu_object_write(const nashc_module *m, const char *path, const nashc_opts *o, nashc_diag *d)
{
    cpu_options opt = {
        .cpu = nashc_opts_str(o, "cpu"), .width = 64, .dump = nashc_opts_str(o, "dump")};
    cpu_package z = {.m = m,
                     .graph = nashc_module_main(m),
                     .dir = path,
                     .top = nashc_opts_str(o, "top"),
                     .cpu = opt.cpu};
    cpu_program *p = NULL;

    if (z.graph && nashc_graph_n_inputs(z.graph) == 0)
        return nashc_error(d, NULL, "the model has no inputs: its results are constants");
    if (!nashc_is_top_name(z.top))
        return nashc_usage(d, "%s is no name for the C function", nashc_quote(d, z.top));
    nashc_status s = cpu_program_create(m, &p, d);
    if (s == NASHC_OK && !(z.a = nashc_arena_create()))
        s = nashc_enomem(d);
    if (s == NASHC_OK)
        s = cpu_build(p, &opt, write_object, &z, d);
    if (s == NASHC_OK)
        s = cpu_package_write(&z, d);
    nashc_arena_free(z.a);
    cpu_program_free(p);
    return s;
}
