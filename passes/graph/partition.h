/* partition.h: sets of nodes on their way into graphs of their own. */
#ifndef NASHC_PASSES_PARTITION_H
#define NASHC_PASSES_PARTITION_H

#include <nashc/pass.h>

typedef struct parts {
    nashc_run *r;
    nashc_diag *d;
    nashc_arena *a;
    nashc_graph *g;
    int n;
    const char **name; /* of the graph of set k */
    int *of;           /* by node id: its set, from 1; 0: none */
    size_t n_ids;      /* room for the nodes and values of g, new ones included */
} parts;

/* Room for sets of nodes of g. False: memory is out. */
bool parts_init(parts *p, nashc_run *r, nashc_graph *g, int n);

/* Text for messages: "Conv_3", or "%v3" of a node without a name. */
const char *parts_label(parts *p, const nashc_node *n);

/* Moves each set into its graph, with a call in its place. An error where a set depends on itself
 * by way of a node outside. O(nodes and operands). */
nashc_status parts_cut(parts *p);

#endif
