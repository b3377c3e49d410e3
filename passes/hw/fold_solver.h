/* fold_solver.h: the cheapest choice of one point a node, where neighbours cost by pairs.
 *
 *     least  sum over nodes of cost[i][choice i]  +  sum over edges of cost[choice a][choice b]
 *
 * Points, nodes and edges are numbers here: nothing of layers or graphs of the compiler.
 */
#ifndef NASHC_PASSES_HW_FOLD_SOLVER_H
#define NASHC_PASSES_HW_FOLD_SOLVER_H

#include <nashc/base.h>

typedef struct solver_edge {
    int a, b;             /* different nodes; two may have several edges */
    const uint64_t *cost; /* of point p of a with q of b: [p * count[b] + q] */
} solver_edge;

#define SOLVER_CELLS ((uint64_t)1 << 22)

/* All costs together must stay below 2^63. */
typedef struct solver_problem {
    int n, n_edges;
    const int *count;            /* points of node i, >= 1 */
    const uint64_t *const *cost; /* of point p of node i: [i][p] */
    const solver_edge *edges;
    uint64_t cells; /* most combinations looked at to take out one variable; 0: SOLVER_CELLS */
} solver_problem;

typedef struct solver_result {
    int *choice;    /* a point for each node */
    uint64_t cost;  /* of that choice */
    uint64_t bound; /* no choice costs less; equal to cost where the tables were large enough */
} solver_result;

/* Solves p: exactly unless a table would need more than p->cells combinations, which takes graphs
 * that are far from chains, trees and nested forks. All is owned by a; false: memory is out.
 * O(variables^2 + variables * cells). */
bool solver_solve(const solver_problem *p, solver_result *out, nashc_arena *a);

#endif
