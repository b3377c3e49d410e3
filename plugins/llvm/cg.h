/* cg.h: building LLVM IR: loops, vectors, operands; what all emitters share. */
#ifndef CPU_CG_H
#define CPU_CG_H

#include "program.h"
#include <llvm-c/Core.h>

/* What the host can do; decides vector widths and which kernel a layer gets. */
typedef struct cpu_host {
    char *name, *features; /* of LLVM's target machine */
    int vector;            /* bytes of a vector register */
    int registers;         /* how many of them */
    bool vnni, popcount;   /* vpdpbusd; popcount of vector lanes */
    bool fma;              /* multiplies and adds with one rounding */
    bool x86;
} cpu_host;

/* Element class of a vector in flight. */
typedef enum cpu_class { CPU_I32, CPU_I64, CPU_F64 } cpu_class;

typedef struct cpu_vec {
    LLVMValueRef v;
    cpu_class cls;
} cpu_vec;

typedef struct cpu_cg {
    LLVMContextRef ctx;
    LLVMModuleRef module;
    LLVMBuilderRef b;
    LLVMTypeRef i1, i8, i16, i32, i64, f32, f64, ptr;
    cpu_host host;
    cpu_program *p;
    nashc_diag *diag;
    bool failed; /* memory is out */

    /* the function being built */
    cpu_step *step;
    LLVMValueRef fn;
    LLVMValueRef from, to; /* its units: cpu_step.units */
    LLVMBasicBlockRef entry, body;
    LLVMValueRef *slot; /* pointers loaded in entry, by slot index */
    int lanes;          /* of the vectors that are being emitted */
} cpu_cg;

/* --- functions ------------------------------------------------------------------------------- */

/* A function for the host's processor; the type of those of kernels (cpu_kernel_fn). */
LLVMValueRef cpu_add_function(cpu_cg *g, const char *name, LLVMTypeRef t);
LLVMTypeRef cpu_kernel_type(cpu_cg *g);

void cpu_fn_begin(cpu_cg *g, cpu_step *s);
void cpu_fn_end(cpu_cg *g);

/* Pointers to a value's elements, to a constant, to the step's scratch; loaded once a function. */
LLVMValueRef cpu_ptr_value(cpu_cg *g, int value);
LLVMValueRef cpu_ptr_const(cpu_cg *g, const void *data);
LLVMValueRef cpu_ptr_scratch(cpu_cg *g);

/* Memory that lives as long as the program, for constants of kernels: zeroed, on a multiple of 64.
 */
void *cpu_blob(cpu_cg *g, size_t size);

/* --- scalars and memory ---------------------------------------------------------------------- */

LLVMValueRef cpu_int(cpu_cg *g, int64_t v); /* i64 */
LLVMValueRef cpu_addi(cpu_cg *g, LLVMValueRef a, LLVMValueRef b);
LLVMValueRef cpu_muli(cpu_cg *g, LLVMValueRef a, int64_t k);

/* a + k */
LLVMValueRef cpu_plus(cpu_cg *g, LLVMValueRef a, int64_t k);

/* base + bytes; load and store of any type there, aligned to align bytes. */
LLVMValueRef cpu_at(cpu_cg *g, LLVMValueRef base, LLVMValueRef bytes);
LLVMValueRef cpu_load(cpu_cg *g, LLVMTypeRef t, LLVMValueRef at, int align);
void cpu_store(cpu_cg *g, LLVMValueRef v, LLVMValueRef at, int align);

/* Memory of the function's frame, aligned for vectors. */
LLVMValueRef cpu_frame(cpu_cg *g, int64_t bytes);

/* Call of an intrinsic that is overloaded on types[0..n). */
LLVMValueRef cpu_call(cpu_cg *g, const char *name, LLVMTypeRef *types, int n, LLVMValueRef *args,
                      int n_args);

/* --- control --------------------------------------------------------------------------------- */

#define CPU_MAX_CARRY 40

/* for (i = from; i < to; i += step), entered at least once, with values carried from turn to turn.
 */
typedef struct cpu_loop {
    LLVMBasicBlockRef head, before;
    LLVMValueRef i, to;
    int64_t step;
    LLVMValueRef phi[CPU_MAX_CARRY];
    int n;
} cpu_loop;

void cpu_loop_begin(cpu_cg *g, cpu_loop *l, LLVMValueRef from, LLVMValueRef to, int64_t step,
                    LLVMValueRef *carry, int n);
void cpu_loop_end(cpu_cg *g, cpu_loop *l, LLVMValueRef *carry);

/* if (cond) { ... }; carry[0..n) may be changed inside and holds the merged values after. */
typedef struct cpu_if {
    LLVMBasicBlockRef before, end;
    LLVMValueRef old[CPU_MAX_CARRY];
    int n;
} cpu_if;

void cpu_if_begin(cpu_cg *g, cpu_if *f, LLVMValueRef cond, LLVMValueRef *carry, int n);
void cpu_if_end(cpu_cg *g, cpu_if *f, LLVMValueRef *carry);

/* --- units ----------------------------------------------------------------------------------- */

/* Units of a step that are blocks of n parts each: a loop over the blocks that units from .. to-1
 * of the function are in. Parts lo .. hi-1 of block outer.i are its; n == 1: constants 0 and 1. */
typedef struct cpu_blocks {
    cpu_loop outer;
    LLVMValueRef lo, hi;
} cpu_blocks;

void cpu_blocks_begin(cpu_cg *g, cpu_blocks *b, int64_t n);
void cpu_blocks_end(cpu_cg *g, cpu_blocks *b);

/* a as high * n + low, of a < count * n. */
void cpu_divide(cpu_cg *g, LLVMValueRef a, int64_t count, int64_t n, LLVMValueRef *high,
                LLVMValueRef *low);

LLVMValueRef cpu_least(cpu_cg *g, LLVMValueRef a, LLVMValueRef b);
LLVMValueRef cpu_greatest(cpu_cg *g, LLVMValueRef a, LLVMValueRef b);

/* body for lanes elements, from index at on, of n in a row: vectors number lo .. hi-1 of lanes
 * elements each, the last one of what is left. Sets g->lanes. */
typedef void cpu_body(cpu_cg *g, LLVMValueRef at, void *user);
int64_t cpu_vectors(int64_t n, int lanes); /* how many there are */
void cpu_each_vector(cpu_cg *g, LLVMValueRef lo, LLVMValueRef hi, int64_t n, int lanes,
                     cpu_body *body, void *user);

/* --- vectors --------------------------------------------------------------------------------- */

LLVMTypeRef cpu_cell_type(cpu_cg *g, nashc_cell c);
LLVMTypeRef cpu_class_type(cpu_cg *g, cpu_class c);
LLVMTypeRef cpu_vec_type(cpu_cg *g, LLVMTypeRef elem); /* of g->lanes */
bool cpu_cell_signed(nashc_cell c);

/* All lanes alike. */
LLVMValueRef cpu_splat(cpu_cg *g, LLVMValueRef scalar);
LLVMValueRef cpu_splat_int(cpu_cg *g, cpu_class c, int64_t v);
cpu_vec cpu_splat_f64(cpu_cg *g, double v);

/* g->lanes elements of cell from element index at on, stride elements apart, as class want. */
cpu_vec cpu_fetch(cpu_cg *g, LLVMValueRef base, nashc_cell cell, LLVMValueRef at, int64_t stride,
                  cpu_class want);

cpu_vec cpu_convert(cpu_cg *g, cpu_vec x, cpu_class want);

/* Stores x as elements of cell from index at on. */
void cpu_put(cpu_cg *g, cpu_vec x, LLVMValueRef base, nashc_cell cell, LLVMValueRef at);

/* Sets the fault flag of the run if some lane of bad (vector of i1) is set. */
void cpu_fault_if(cpu_cg *g, LLVMValueRef bad);

/* The first n lanes of v. */
LLVMValueRef cpu_first_lanes(cpu_cg *g, LLVMValueRef v, int n);

#endif
