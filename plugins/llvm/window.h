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
    bool narrow;   /* the greatest of integers, which is found among cells of x */
    int64_t batch, h, width, c;
    int64_t kh, kw, sh, sw, dh, dw, top, left, oh, ow;
} cpu_window;

/* Fills w for n if it is a window this file can do. */
bool cpu_window_of(const nashc_node *n, cpu_window *w);

void cpu_window_emit(cpu_cg *g, const cpu_window *w, const cpu_space *space, cpu_sink *sink,
                     void *user);

#endif
