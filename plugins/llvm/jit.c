/* jit.c: LLVM module to object code to functions in memory; compiled code is kept by content. */
#include "jit.h"
#include "cache.h"
#include <llvm-c/Analysis.h>
#include <llvm-c/BitWriter.h>
#include <llvm-c/LLJIT.h>
#include <llvm-c/Orc.h>
#include <llvm-c/Target.h>
#include <llvm-c/TargetMachine.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_MOST ((size_t)256 << 20) /* bytes of compiled code in a folder */

static nashc_status
refuse(nashc_diag *d, const char *what, LLVMErrorRef e)
{
    char *text = LLVMGetErrorMessage(e);

    nashc_unsup(d, NULL, "LLVM: %s: %s", what, text);
    LLVMDisposeErrorMessage(text);
    return NASHC_EUNSUP;
}

/* The levels of x86-64, as compilers name them. */
static const struct level {
    const char *name, *features;
} levels[] = {
    {"x86-64", "+sse2"},
    {"x86-64-v2", "+sse2,+sse4.2,+popcnt"},
    {"x86-64-v3", "+sse2,+sse4.2,+popcnt,+avx2,+bmi,+bmi2,+lzcnt"},
    {"x86-64-v4", "+sse2,+sse4.2,+popcnt,+avx2,+bmi,+bmi2,+lzcnt,"
                  "+avx512f,+avx512bw,+avx512cd,+avx512dq,+avx512vl"},
};

/* A processor of at least that level instead of the host. */
static nashc_status
take_level(cpu_host *h, const char *name, nashc_diag *d)
{
    if (!strstr(h->features, "+sse2"))
        return nashc_usage(d, "cpu %s is of another architecture: use native", name);
    for (size_t i = 0; i < NASHC_COUNT(levels); i++)
        if (strcmp(levels[i].name, name) == 0) {
            cpu_host_free(h);
            h->name = LLVMCreateMessage(levels[i].name);
            h->features = LLVMCreateMessage(levels[i].features);
        }
    return NASHC_OK;
}

nashc_status
cpu_host_of(cpu_host *h, const cpu_options *o, nashc_diag *d)
{
    nashc_status s = NASHC_OK;

    memset(h, 0, sizeof *h);
    if (LLVMInitializeNativeTarget() || LLVMInitializeNativeAsmPrinter())
        return nashc_unsup(d, NULL, "LLVM has no code generator for this processor");
    h->name = LLVMGetHostCPUName();
    h->features = LLVMGetHostCPUFeatures();
    if (strcmp(o->cpu, "native") != 0)
        s = take_level(h, o->cpu, d);
    const char *f = h->features;
    bool avx512 = o->width == 64 && strstr(f, "+avx512bw") && strstr(f, "+avx512vl");
    h->x86 = strstr(f, "+sse2") != NULL;
    h->vector = avx512 ? 64 : o->width >= 32 && strstr(f, "+avx2") ? 32 : 16;
    h->registers = avx512 || !h->x86 ? 32 : 16;
    h->vnni = avx512 && strstr(f, "+avx512vnni");
    h->fma = strstr(f, "+fma") || strstr(f, "+neon");
    h->popcount = (avx512 && strstr(f, "+avx512vpopcntdq")) || strstr(f, "+neon");
    return s;
}

void
cpu_host_free(cpu_host *h)
{
    if (h->name)
        LLVMDisposeMessage(h->name);
    if (h->features)
        LLVMDisposeMessage(h->features);
}

/* --- code generation ------------------------------------------------------------------------- */

/* LLVM ends the process where memory is out. So what it may take is asked for before, and given
 * back: INSTRUCTION bytes for each instruction, twice what was measured, and what it starts with.
 */
#define INSTRUCTION 1500
#define START       ((size_t)4 << 20)

static bool
has_room(const cpu_cg *g)
{
    size_t n = START;

    for (LLVMValueRef f = LLVMGetFirstFunction(g->module); f; f = LLVMGetNextFunction(f))
        for (LLVMBasicBlockRef b = LLVMGetFirstBasicBlock(f); b; b = LLVMGetNextBasicBlock(b))
            for (LLVMValueRef i = LLVMGetFirstInstruction(b); i; i = LLVMGetNextInstruction(i))
                n += INSTRUCTION;
    for (int i = 0; i < g->p->n_blob; i++) /* in an object file they are copied */
        n += 2 * g->p->blob[i].size;
    void *room = nashc_mem_alloc(n);
    nashc_mem_free(room);
    return room != NULL;
}

/* Without passes: the IR is in vectors already. */
nashc_status
cpu_object_code(cpu_cg *g, LLVMMemoryBufferRef *object, nashc_diag *d)
{
    char *triple = LLVMGetDefaultTargetTriple(), *text = NULL;
    LLVMTargetRef target;
    nashc_status s = NASHC_OK;

    if (!has_room(g)) {
        LLVMDisposeMessage(triple);
        return nashc_enomem(d);
    }
    if (LLVMVerifyModule(g->module, LLVMReturnStatusAction, &text)) {
        s = nashc_bug(d, NULL, "LLVM: %s", text);
        LLVMDisposeMessage(text);
        LLVMDisposeMessage(triple);
        return s;
    }
    LLVMDisposeMessage(text);
    text = NULL;
    if (LLVMGetTargetFromTriple(triple, &target, &text)) {
        s = nashc_unsup(d, NULL, "LLVM: %s", text);
    } else {
        LLVMTargetMachineRef tm =
            LLVMCreateTargetMachine(target, triple, g->host.name, g->host.features,
                                    LLVMCodeGenLevelDefault, LLVMRelocPIC, LLVMCodeModelSmall);
        LLVMSetTarget(g->module, triple);
        LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(tm);
        LLVMSetModuleDataLayout(g->module, layout);
        LLVMDisposeTargetData(layout);
        if (LLVMTargetMachineEmitToMemoryBuffer(tm, g->module, LLVMObjectFile, &text, object))
            s = nashc_bug(d, NULL, "LLVM: %s", text);
        LLVMDisposeTargetMachine(tm);
    }
    LLVMDisposeMessage(triple);
    LLVMDisposeMessage(text);
    return s;
}

/* Object code of the module, from the cache if it has it. */
static nashc_status
code_of(cpu_cg *g, const char *folder, LLVMMemoryBufferRef *object, nashc_diag *d)
{
    char key[CPU_KEY_SIZE];

    if (folder[0]) {
        LLVMMemoryBufferRef ir = LLVMWriteBitcodeToMemoryBuffer(g->module);
        static const char versions[] = NASHC_VERSION " " CPU_LLVM_VERSION;
        const void *parts[] = {LLVMGetBufferStart(ir), g->host.name, g->host.features, versions};
        size_t sizes[] = {LLVMGetBufferSize(ir), strlen(g->host.name), strlen(g->host.features),
                          sizeof versions};
        cpu_cache_key(parts, sizes, 4, key);
        LLVMDisposeMemoryBuffer(ir);
        size_t size;
        void *data = cpu_cache_get(folder, key, &size);
        if (data) {
            *object = LLVMCreateMemoryBufferWithMemoryRangeCopy(data, size, key);
            free(data);
            return NASHC_OK;
        }
    }
    nashc_status s = cpu_object_code(g, object, d);
    if (s == NASHC_OK && folder[0])
        cpu_cache_put(folder, key, LLVMGetBufferStart(*object), LLVMGetBufferSize(*object),
                      CACHE_MOST);
    return s;
}

/* --- into memory ----------------------------------------------------------------------------- */

/* A just-in-time linker that holds the object; it finds memcpy and the like in this process. */
static nashc_status
load(LLVMOrcLLJITRef *jit, LLVMMemoryBufferRef object, nashc_diag *d)
{
    LLVMErrorRef e = LLVMOrcCreateLLJIT(jit, NULL);
    LLVMOrcDefinitionGeneratorRef process;

    if (e) {
        LLVMDisposeMemoryBuffer(object);
        return refuse(d, "no just-in-time compiler", e);
    }
    LLVMOrcJITDylibRef lib = LLVMOrcLLJITGetMainJITDylib(*jit);
    e = LLVMOrcCreateDynamicLibrarySearchGeneratorForProcess(
        &process, LLVMOrcLLJITGetGlobalPrefix(*jit), NULL, NULL);
    if (e) {
        LLVMDisposeMemoryBuffer(object);
        return refuse(d, "no symbols", e);
    }
    LLVMOrcJITDylibAddGenerator(lib, process);
    e = LLVMOrcLLJITAddObjectFile(*jit, lib, object);
    return e ? refuse(d, "cannot link", e) : NASHC_OK;
}

nashc_status
cpu_jit(cpu_cg *g, const void *cache, nashc_diag *d)
{
    cpu_program *p = g->p;
    LLVMMemoryBufferRef object = NULL;
    LLVMOrcLLJITRef jit = NULL;
    nashc_status s = code_of(g, cache, &object, d);
    if (s == NASHC_OK)
        s = load(&jit, object, d);
    p->jit = jit;
    for (int i = 0; s == NASHC_OK && i < p->n_step; i++) {
        LLVMOrcExecutorAddress at;
        if (p->step[i].kind != CPU_KERNEL)
            continue;
        LLVMErrorRef e = LLVMOrcLLJITLookup(jit, &at, p->step[i].symbol);
        if (e)
            return refuse(d, "cannot link", e);
        p->step[i].fn = (cpu_kernel_fn *)(uintptr_t)at;
    }
    return s;
}

void
cpu_jit_free(void *jit)
{
    if (jit)
        LLVMConsumeError(LLVMOrcDisposeLLJIT(jit));
}
