/* split.h: which nodes of the integer graph become layers, and which the host runs. */
#ifndef NASHC_PASSES_HW_SPLIT_H
#define NASHC_PASSES_HW_SPLIT_H

#include <nashc/lower.h>

typedef enum split_place { SPLIT_PREFIX, SPLIT_LAYER, SPLIT_TAIL } split_place;

typedef struct split {
    nashc_graph *g;
    nashc_arena *a;
    uint8_t *where;   /* by node id: split_place */
    const char **why; /* by node id: why it has no layer */
    bool *leads;      /* by node id: a node that could be a layer depends on it */
    int n_layers;
} split;

/* Places every node of g; through: identities are layers. All is from a; false: memory is out. */
bool split_graph(split *s, nashc_graph *g, bool through, nashc_arena *a);

/* Where v is computed; constants, inputs and NULL belong to the prefix. */
split_place split_of(const split *s, const nashc_value *v);

/* Why n would have to be a layer and cannot be one; NULL: it is one, or the host may run it. */
const char *split_fault(const split *s, const nashc_node *n);

/* Notes behind a fault of n: the types of what it reads. */
void split_note_operands(const nashc_node *n, nashc_diag *d);

#endif
