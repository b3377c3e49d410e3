/* adder_graph.h: products of a constant matrix and a vector as additions of shifted terms.
 *
 *     y[o] = sum over i of x[i] * w[i][o]
 *
 * Weights are written in canonical signed digits (no two neighbours are non-zero, the fewest digits
 * of -1, 0, +1), so an output is a sum of inputs, shifted, plus or minus. A pair of terms a fixed
 * shift apart that occurs in several places becomes a term of its own, computed once: greedily, the
 * pair that saves most first (two-term common sub-expressions across outputs, as in da4ml, arXiv
 * 2507.04535). What is left of an output is added up in a balanced tree. The same matrix gives the
 * same graph everywhere.
 */
#ifndef NASHC_SUPPORT_ADDER_GRAPH_H
#define NASHC_SUPPORT_ADDER_GRAPH_H

#include <nashc/plugin.h>

/* Most pairs of digits within outputs that are looked through: two tenths of a second. */
#define ADDER_GRAPH_PAIRS 500000

/* n_in rows of n_out weights; every x lies in lo .. hi. */
typedef struct adder_matrix {
    const int64_t *w;
    int n_in, n_out;
    int64_t lo, hi;
} adder_matrix;

/* (a << a_shift) + (b << b_shift), or their difference; one of the shifts is 0. a -1: -b. */
typedef struct adder_node {
    int a, b, a_shift, b_shift;
    bool minus;
} adder_node;

/* A term: input i for i < n_in, then the nodes in an order in which operands come first. level:
 * additions on the longest way to it. */
typedef struct adder_term {
    int64_t lo, hi;
    int level;
    adder_node node; /* unused of inputs */
} adder_term;

/* terms[term] << shift; term -1: zero. */
typedef struct adder_out {
    int term, shift;
} adder_out;

typedef struct adder_graph {
    adder_term *terms;
    adder_out *out; /* n_out */
    int n_in, n_terms, n_out;
} adder_graph;

/* Digits of a weight. The pairs of digits within outputs are the effort. */
int adder_graph_digits(int64_t weight);

/* Additions that no way through the graph exceeds: those of a balanced tree of the output with most
 * digits, and one for a change of sign. At least 1; known before the graph is. O(n_in * n_out). */
int adder_graph_levels(const adder_matrix *m);

/* Builds the graph in a. Every |sum of |w| * |x|| must be below 2^60. false: memory is out.
 * O(pairs * log pairs) and as much memory, some 50 bytes a pair. */
bool adder_graph_build(const adder_matrix *m, nashc_arena *a, adder_graph *out);

/* Bits of an adder that has to compute something: those of a below b pass through. */
int adder_graph_luts(const adder_graph *g, int term);

/* Bits of t, and whether they are two's complement. */
int adder_term_bits(const adder_term *t);

#endif
