/* elt.h: operators that compute element by element, on vectors in flight. */
#ifndef CPU_ELT_H
#define CPU_ELT_H

#include "cg.h"

/* The elements of a result, its axes merged to as few as the operands allow; lanes run along the
 * last one. */
typedef struct cpu_space {
    int rank;
    int64_t dim[NASHC_MAX_RANK];
    int axis[NASHC_MAX_RANK]; /* last axis of the result that each one stands for */
} cpu_space;

/* What makes a value of what was summed up: sum * factor + addend[channel], in 32 bits. */
typedef struct cpu_affine {
    int64_t factor;
    const int32_t *addend;
    int64_t n; /* channels, the last axis */
} cpu_affine;

/* A place in a space while code is built: the first lane. NULL indices are 0. */
typedef struct cpu_point {
    const cpu_space *space;
    LLVMValueRef at[NASHC_MAX_RANK];
    const cpu_affine *affine; /* of the head's sums, which are still without it; NULL: none */
} cpu_point;

/* Can n be computed on vectors, as one of a chain? */
bool cpu_elt_can(const nashc_node *n);

/* Merges the axes of shape out as far as each of the nodes' operands, but for those in chain, and
 * each table of channels lets it. */
void cpu_space_of(cpu_space *s, const nashc_node *const *nodes, int n, const nashc_type *out);

/* Axes of out in two: positions and, last, channels; false where an operand of n other than chain
 * cannot be addressed so. */
bool cpu_space_rows(cpu_space *s, const nashc_node *n, int chain, const nashc_type *out);

/* The result of n where operand chain has the value x (chain -1: all are fetched). */
cpu_vec cpu_elt(cpu_cg *g, const cpu_point *pt, const nashc_node *n, int chain, cpu_vec x);

/* g->lanes elements of value v, broadcast to type out, at pt, in class want. */
cpu_vec cpu_operand(cpu_cg *g, const cpu_point *pt, const nashc_value *v, const nashc_type *out,
                    cpu_class want);

/* g->lanes entries of a table with one entry a channel of out. */
cpu_vec cpu_channels(cpu_cg *g, const cpu_point *pt, const void *table, nashc_cell cell,
                     const nashc_type *out, cpu_class want);

/* Class that holds lo..hi. */
cpu_class cpu_class_of(int64_t lo, int64_t hi);

/* Class in which the elements of a value are computed with. */
cpu_class cpu_class_of_type(const nashc_type *t);

/* Quantising operators (levels.c): thresholds, lines in fixed point, tables. */
cpu_vec cpu_multithreshold(cpu_cg *g, const cpu_point *pt, const nashc_node *n, cpu_vec x);
cpu_vec cpu_requant(cpu_cg *g, const cpu_point *pt, const nashc_node *n, cpu_vec x);
cpu_vec cpu_lut(cpu_cg *g, const cpu_point *pt, const nashc_node *n, cpu_vec x);
bool cpu_multithreshold_can(const nashc_node *n);
bool cpu_requant_can(const nashc_node *n);
bool cpu_lut_can(const nashc_node *n);

/* The least integer that reaches threshold k of row, within lo..hi + 1 of the integers compared. */
int64_t cpu_threshold(const nashc_node *n, int64_t row, int64_t k);

/* Thresholds of a sum without its factor and addend, which move into the table: levels as bytes
 * (sums.c). The value of a sum. */
bool cpu_sum_levels_can(const nashc_node *n, const cpu_affine *a);
LLVMValueRef cpu_sum_levels(cpu_cg *g, const cpu_point *pt, const nashc_node *n, LLVMValueRef sum);
cpu_vec cpu_sum_value(cpu_cg *g, const cpu_point *pt, cpu_vec sum);

/* Activations by functions of libm (curves.c). */
bool cpu_curve_can(const nashc_node *n);
cpu_vec cpu_curve(cpu_cg *g, const cpu_point *pt, const nashc_node *n, cpu_vec x);

/* Quantisers on floats (quant.c). */
cpu_vec cpu_quant(cpu_cg *g, const cpu_point *pt, const nashc_node *n, cpu_vec x);
cpu_vec cpu_bipolar_quant(cpu_cg *g, const cpu_point *pt, const nashc_node *n, cpu_vec x);
cpu_vec cpu_dequant(cpu_cg *g, const cpu_point *pt, const nashc_node *n, cpu_vec x);
cpu_vec cpu_batchnorm(cpu_cg *g, const cpu_point *pt, const nashc_node *n, cpu_vec x);
cpu_vec cpu_trunc(cpu_cg *g, const cpu_point *pt, const nashc_node *n, cpu_vec x);
bool cpu_quant_can(const nashc_node *n);
bool cpu_trunc_can(const nashc_node *n);
bool cpu_batchnorm_can(const nashc_node *n);

/* Shorthands on doubles. */
LLVMValueRef cpu_f64_call(cpu_cg *g, const char *name, LLVMValueRef x);
LLVMValueRef cpu_is_nan(cpu_cg *g, LLVMValueRef x);

#endif
