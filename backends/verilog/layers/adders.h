/* adders.h: hw.mvau with res_type=adders: constant weights as a graph of additions. */
#ifndef NASHC_VERILOG_ADDERS_H
#define NASHC_VERILOG_ADDERS_H

#include "backends/support/adder_graph.h"
#include "mac.h"

/* Additions between two registers; weight words of a unit at most. */
enum { ADDERS_LEVELS = 2, ADDERS_WORDS = 8 };

/* The unit of a layer: its graph has an output for each row and weight word, output
 * word * pe + row. */
typedef struct adders {
    adder_matrix m;
    adder_graph g;
    int64_t sf, nf, groups, pe, simd, words;
    int stages;   /* of registers in the graph, the one behind the choice of a word included */
    int *need;    /* by term: the last stage that reads it; -1: none */
    int sum_bits; /* of the result of a step */
    bool sum_signed;
    nashc_type acc;
} adders;

/* Does n add up constants? */
bool adders_used(const nashc_node *n);

/* Stages of the graph of n, found without it. */
uint32_t adders_stages(const nashc_node *n);

/* The unit of n, in a. EUNSUP: it has too many words, or the graph takes too much
 * effort; d (NULL: nobody) is told so. */
nashc_status adders_open(const nashc_node *n, nashc_arena *a, adders *out, nashc_diag *d);

/* Stage whose registers are in front of the additions of term t; -1: t is an input. */
int adders_stage(const adders *z, int t);

/* Adds what the graph of n, of that shape, and all behind it cost. bare: without the graph, which
 * is not built. EUNSUP as above. */
nashc_status adders_cost(const nashc_node *n, const mac_shape *shape, const nashc_device *dev,
                         bool bare, nashc_cost *c);

/* Modules TOP_LAYER_adders, the graph, and TOP_LAYER_unit around it. */
nashc_status emit_adders(const nashc_node *n, nashc_vlog *v, nashc_diag *d);

#endif
