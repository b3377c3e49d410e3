/* window.h: pools and depthwise convolutions channels-last: lanes are channels. */
#ifndef CPU_WINDOW_H
#define CPU_WINDOW_H

#include "dot.h"

typedef enum cpu_window_kind { CPU_MAX, CPU_SUM, CPU_MEAN, CPU_DEPTHWISE } cpu_window_kind;

typedef struct cpu_window {
    const nashc_node *node;
    const nashc_value *x;
    cpu_window_kind kind;
    cpu_class cls; /* of the result; of the accumulator too, but for */
    bool narrow;   /* the greatest of integers, which is found among cells of x, and */
    bool half;     /* sums modulo 2^16, where the result fits that */
    int64_t batch, h, width, c;
    int64_t kh, kw, sh, sw, dh, dw, top, left, oh, ow;
} cpu_window;

/* Fills w for n if it is a window this file can do. */
bool cpu_window_of(const nashc_node *n, cpu_window *w);

/* What the accumulator meets at a position: image, output row and column, first channel. */
typedef struct cpu_window_at {
    LLVMValueRef n, oy, ox, c;
    LLVMValueRef image; /* slide: image n, or its copy with a border */
    const void *weights;
} cpu_window_at;

/* acc with the element of x at index from base on, and at tap of the kernel, taken in. */
LLVMValueRef cpu_window_take(cpu_cg *g, const cpu_window *w, const cpu_window_at *at,
                             LLVMValueRef base, LLVMValueRef index, LLVMValueRef tap,
                             LLVMValueRef acc);

/* Windows that stay inside the image, or that a border of one value serves (slide.c): no position
 * is checked, and the kernel's loops are unrolled. Bytes of the images with that border, 0 if they
 * need none; code that makes them, of a step before, its cycles and units; image n; the window at a
 * position. */
bool cpu_slide_can(const cpu_program *p, const cpu_window *w);
int64_t cpu_slide_size(const cpu_program *p, const cpu_window *w);
void cpu_slide_feed(cpu_cg *g, const cpu_window *w);
double cpu_slide_share(const cpu_program *p, const cpu_window *w, int64_t *units);
LLVMValueRef cpu_slide_image(cpu_cg *g, const cpu_window *w, LLVMValueRef n);
LLVMValueRef cpu_slide_window(cpu_cg *g, const cpu_window *w, const cpu_window_at *at,
                              LLVMValueRef acc);

void cpu_window_emit(cpu_cg *g, const cpu_window *w, const cpu_space *space, cpu_sink *sink,
                     void *user);

/* Its cycles, roughly, and units. */
double cpu_window_share(const cpu_program *p, const cpu_window *w, int64_t *units);

#endif
