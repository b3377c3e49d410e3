/* kernel.h: one function of the program: a head, and the element-wise nodes that follow it. */
#ifndef CPU_KERNEL_H
#define CPU_KERNEL_H

#include "window.h"

#define CPU_MAX_CHAIN 12

typedef enum cpu_head { CPU_HEAD_NONE, CPU_HEAD_DOT, CPU_HEAD_WINDOW } cpu_head;

typedef struct cpu_kernel {
    cpu_head head;
    const nashc_node *head_node; /* NULL with CPU_HEAD_NONE */
    const nashc_node *chain[CPU_MAX_CHAIN];
    int operand[CPU_MAX_CHAIN]; /* which one comes from before; -1: none (the first) */
    int n_chain;
} cpu_kernel;

/* The kernel that n begins; false if n is nothing that is compiled. */
bool cpu_kernel_begin(cpu_cg *g, const nashc_node *n, cpu_kernel *k);

/* Adds nodes that can be computed in passing, as far as the graph allows it and taken[node id],
 * what is in a kernel already, is 0. */
void cpu_kernel_extend(cpu_kernel *k, const int *taken);

/* The node whose result the kernel stores. */
const nashc_node *cpu_kernel_last(const cpu_kernel *k);

/* Does k read a form of its input that a step before writes to its scratch? The function of that
 * step. */
bool cpu_kernel_feeds(cpu_cg *g, const cpu_kernel *k);
void cpu_kernel_feed(cpu_cg *g, const cpu_kernel *k, cpu_step *s);

/* Builds the function of s for k. */
void cpu_kernel_emit(cpu_cg *g, const cpu_kernel *k, cpu_step *s);

#endif
