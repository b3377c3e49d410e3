/* move.h: operators that move elements, and copies of elements in general. */
#ifndef CPU_MOVE_H
#define CPU_MOVE_H

#include "cg.h"

/* One copy: n elements from src on in an operand, to dst on. */
typedef struct cpu_piece {
    int operand;
    int64_t n, src, dst;
} cpu_piece;

/* Where the elements of a result come from. */
typedef struct cpu_map {
    int n_operand; /* operands whose elements are moved, the first ones */
    cpu_piece *piece;
    int64_t n_piece;
    int32_t *index; /* the element of operand 0 that each one is, where pieces would be short */
    bool holes;     /* elements that no piece fills are 0, or as in */
    nashc_buf fill; /* a result of which only those count; empty: none */
    bool whole;     /* operand 0 as it is */
} cpu_map;

/* Fills m for result out of n, if n only moves elements; to be freed by cpu_map_free. */
bool cpu_map_of(const cpu_program *p, const nashc_node *n, int out, cpu_map *m);
void cpu_map_free(cpu_map *m);

/* Builds the functions that write result s->out of s->node: first, where m has holes, what no
 * element is moved to, then the elements. Sorts the pieces of m. */
void cpu_fill_emit(cpu_cg *g, cpu_step *s, const cpu_map *m);
void cpu_move_emit(cpu_cg *g, cpu_step *s, cpu_map *m);

/* Elements of two values: where they lie, and as what. */
typedef struct cpu_route {
    LLVMValueRef from, to;
    nashc_cell from_cell, to_cell;
} cpu_route;

/* Is a table of n elements that of matrices of few rows and many columns, one behind the other,
 * each turned? Code for that; the elements keep their form; units are vectors of columns. */
bool cpu_turn_of(const int32_t *index, int64_t n, int64_t *rows, int64_t *cols);
int64_t cpu_turn_units(int64_t n, int64_t rows, int64_t cols);
void cpu_turn_emit(cpu_cg *g, const cpu_route *r, int64_t rows, int64_t cols);

/* Code that copies n elements as cells of another kind, or the same. */
void cpu_copy_cells(cpu_cg *g, LLVMValueRef from, nashc_cell from_cell, LLVMValueRef to,
                    nashc_cell to_cell, int64_t n);

#endif
