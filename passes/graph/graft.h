/* graft.h: nodes of one graph rebuilt in another one, of the same module or of another.
 *
 * Operators, attributes, locations and constants go along; types are inferred from the operands
 * there. Names stay where they are free; "x" of a graft called "part" else becomes "part.x", or
 * "part.x_2".
 */
#ifndef NASHC_PASSES_GRAFT_H
#define NASHC_PASSES_GRAFT_H

#include <nashc/pass.h>

typedef struct graft_consts graft_consts;

typedef struct graft {
    nashc_build *b; /* of the graph that grows; the caller says where */
    nashc_arena *a;
    const char *prefix;
    nashc_value **map;    /* by id of an old value: the new one, NULL: none yet */
    graft_consts *consts; /* NULL, or those that are there already */

    /* Pairs of an old and a new name of called graphs, ended by NULL; NULL: they keep theirs. */
    const char *const *graphs;
} graft;

/* Constants of g that something reads; grafts that share the result make no second constant of the
 * same name and tensor. NULL: memory is out. */
graft_consts *graft_consts_of(const nashc_graph *g, nashc_arena *a);

/* What v has become; constants are made when first asked for. NULL: the builder failed. */
nashc_value *graft_value(graft *t, const nashc_value *v);

/* n with its results, named and in the map; what it reads must be there. */
nashc_node *graft_node(graft *t, const nashc_node *n);

/* Gives v the name, or the nearest free one. */
void graft_name(graft *t, nashc_value *v, const char *name);

/* "graph=@..." for a call of graph `name`, which may be any text. NULL: memory is out. */
const char *graft_call(nashc_arena *a, const char *name);

/* All graphs that `from` calls, in their order, as graphs of m, which is another module; a taken
 * name gets the prefix. *pairs: for graft.graphs. */
nashc_status graft_graphs(nashc_run *r, const nashc_graph *from, nashc_module *m,
                          const char *prefix, const char *const **pairs);

/* Is some node of g a layer of hardware? */
bool graft_is_hardware(const nashc_graph *g);

/* The graph that n calls; NULL: n is no call, or there is no such graph. */
nashc_graph *graft_callee(const nashc_node *n);

/* Does a node of g's module call g? O(nodes of the module). */
bool graft_is_called(const nashc_graph *g);

#endif
