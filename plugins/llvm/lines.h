/* lines.h: operators that look at all elements along axes: reductions, greatest ones, softmax. */
#ifndef CPU_LINES_H
#define CPU_LINES_H

#include "cg.h"

/* Is n such an operator that this file can do? */
bool cpu_lines_can(const nashc_node *n);

/* Builds the function of s, which writes all results of s->node. */
void cpu_lines_emit(cpu_cg *g, cpu_step *s);

#endif
