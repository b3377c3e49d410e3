/* ir.h: modules, graphs, nodes and values: reading them, building them, their text form. */
#ifndef NASHC_IR_H
#define NASHC_IR_H

#include <nashc/tensor.h>

NASHC_BEGIN

typedef struct nashc_op nashc_op;
typedef struct nashc_param nashc_param;

/* Where a node or a message comes from. Strings are owned by module, context or caller. */
typedef struct nashc_loc {
    const char *file; /* NULL: none */
    const char *name; /* name of the node in the source file; NULL: none */
    int line, col;    /* from 1; 0: none */
} nashc_loc;

/* --- modules and graphs ---------------------------------------------------------------------- */

NASHC_API nashc_module *nashc_module_create(nashc_ctx *c);
NASHC_API void nashc_module_free(nashc_module *m);
NASHC_API nashc_ctx *nashc_module_ctx(const nashc_module *m);
NASHC_API nashc_arena *nashc_module_arena(nashc_module *m);

/* Structure is copied, tensors are shared: O(nodes). Ids are renumbered densely in print order.
 * NULL when memory is out. */
NASHC_API nashc_module *nashc_module_clone(const nashc_module *m);

/* Metadata: key to text, in order of insertion; NULL value removes. */
NASHC_API void nashc_module_set_meta(nashc_module *m, const char *key, const char *value);
NASHC_API const char *nashc_module_meta(const nashc_module *m, const char *key);
NASHC_API int nashc_module_n_meta(const nashc_module *m);
NASHC_API const char *nashc_module_meta_key(const nashc_module *m, int i);

/* The name must be new in m. The graph "main" is the entry; else the first one is. */
NASHC_API nashc_graph *nashc_module_add_graph(nashc_module *m, const char *name);
NASHC_API void nashc_module_remove_graph(nashc_module *m, nashc_graph *g);
NASHC_API nashc_graph *nashc_module_graph(const nashc_module *m, const char *name);
NASHC_API nashc_graph *nashc_module_main(const nashc_module *m);
NASHC_API int nashc_module_n_graphs(const nashc_module *m);
NASHC_API nashc_graph *nashc_module_graph_at(const nashc_module *m, int i);

NASHC_API const char *nashc_graph_name(const nashc_graph *g);
NASHC_API nashc_module *nashc_graph_module(const nashc_graph *g);
NASHC_API int nashc_graph_n_nodes(const nashc_graph *g);
NASHC_API uint32_t nashc_graph_max_id(const nashc_graph *g); /* node and value ids are below */

/* name NULL: a fresh one. Returns NULL if the name is taken. */
NASHC_API nashc_value *nashc_graph_add_input(nashc_graph *g, const char *name, const nashc_type *t);
NASHC_API int nashc_graph_n_inputs(const nashc_graph *g);
NASHC_API nashc_value *nashc_graph_input(const nashc_graph *g, int i);
NASHC_API void nashc_graph_remove_input(nashc_graph *g, int i); /* must be unused */

/* An output slot has a name of its own (NULL: that of the value), which stays when the value is
 * replaced: it is the name users know the result by. A slot counts as a use of the value. */
NASHC_API void nashc_graph_add_output(nashc_graph *g, const char *name, nashc_value *v);
NASHC_API int nashc_graph_n_outputs(const nashc_graph *g);
NASHC_API nashc_value *nashc_graph_output(const nashc_graph *g, int i);
NASHC_API const char *nashc_graph_output_name(const nashc_graph *g, int i);
NASHC_API void nashc_graph_set_output(nashc_graph *g, int i, nashc_value *v);
NASHC_API void nashc_graph_remove_output(nashc_graph *g, int i);

/* Edit counters: a cached analysis is valid while those that it depends on stand still. */
typedef struct nashc_edits {
    uint64_t structure, types, attrs;
} nashc_edits;
NASHC_API nashc_edits nashc_graph_edits(const nashc_graph *g);

/* --- walking --------------------------------------------------------------------------------- */

/* Topological order. Inside NASHC_EACH_NODE the current node may be erased and nodes may be
 * inserted anywhere. */
NASHC_API nashc_node *nashc_graph_first(const nashc_graph *g);
NASHC_API nashc_node *nashc_graph_last(const nashc_graph *g);
NASHC_API nashc_node *nashc_node_next(const nashc_node *n);
NASHC_API nashc_node *nashc_node_prev(const nashc_node *n);
#define NASHC_EACH_NODE(g, n)                                                                      \
    for (nashc_node *n = nashc_graph_first(g), *n##_next_ = n ? nashc_node_next(n) : NULL; n;      \
         n = n##_next_, n##_next_ = n ? nashc_node_next(n) : NULL)

/* Does a come before b? O(1). */
NASHC_API bool nashc_node_before(const nashc_node *a, const nashc_node *b);

NASHC_API const nashc_op *nashc_node_op(const nashc_node *n);
NASHC_API const char *nashc_node_opname(const nashc_node *n);
NASHC_API bool nashc_node_is(const nashc_node *n, const char *op); /* NULL n: false */
/* Is n of an op in the list, which NULL ends? NULL n: false. */
NASHC_API bool nashc_node_is_any(const nashc_node *n, const char *const *ops);
NASHC_API nashc_graph *nashc_node_graph(const nashc_node *n);
NASHC_API uint32_t nashc_node_id(const nashc_node *n);
NASHC_API const nashc_loc *nashc_node_loc(const nashc_node *n);
NASHC_API bool nashc_node_dead(const nashc_node *n);
NASHC_API int nashc_node_n_in(const nashc_node *n);
NASHC_API int nashc_node_n_out(const nashc_node *n);
NASHC_API nashc_value *nashc_node_in(const nashc_node *n,
                                     int i); /* NULL: left out, or beyond n_in */
NASHC_API nashc_value *nashc_node_out(const nashc_node *n, int i);

NASHC_API const char *nashc_value_name(const nashc_value *v);
NASHC_API bool nashc_value_set_name(nashc_value *v, const char *name); /* false if taken */
NASHC_API const nashc_type *nashc_value_type(const nashc_value *v);
NASHC_API void nashc_value_set_type(nashc_value *v, const nashc_type *t);
NASHC_API uint32_t nashc_value_id(const nashc_value *v);
NASHC_API nashc_graph *nashc_value_graph(const nashc_value *v);
NASHC_API nashc_node *nashc_value_def(const nashc_value *v); /* NULL: graph input or constant */
NASHC_API nashc_node *nashc_value_def_by(const nashc_value *v, const char *op); /* else NULL */
NASHC_API int nashc_value_def_index(const nashc_value *v); /* which result, or which graph input */
NASHC_API bool nashc_value_is_input(const nashc_value *v);
NASHC_API const nashc_tensor *nashc_value_const(const nashc_value *v); /* NULL: not constant */

/* Number of operand slots and graph outputs that read v. One use means just that. */
NASHC_API int nashc_value_n_uses(const nashc_value *v);
NASHC_API bool nashc_value_one_use(const nashc_value *v);
NASHC_API bool nashc_value_is_output(const nashc_value *v);

/* The only reader of v if it has exactly one use and that is a node; else NULL. */
NASHC_API nashc_node *nashc_value_one_user(const nashc_value *v);

/* Distinct nodes that read v, by order (graph outputs are left out), into an array from a; *n is
 * their number. O(u log u). */
NASHC_API nashc_node **nashc_value_users(const nashc_value *v, nashc_arena *a, int *n);

/* Attribute i as the op's schema declares it. The kind must fit the schema. Lists and strings
 * belong to the module. */
NASHC_API int64_t nashc_attr_int(const nashc_node *n, int i); /* INT, BOOL, ENUM (its index) */
NASHC_API bool nashc_attr_bool(const nashc_node *n, int i);
NASHC_API double nashc_attr_float(const nashc_node *n, int i);
NASHC_API double nashc_attr_f32(const nashc_node *n, int i); /* rounded to f32: what ONNX means */
NASHC_API const char *nashc_attr_str(const nashc_node *n, int i); /* STRING, ENUM, PATH, GRAPH */
NASHC_API const int64_t *nashc_attr_ints(const nashc_node *n, int i, int *count);
NASHC_API const double *nashc_attr_floats(const nashc_node *n, int i, int *count);
NASHC_API const nashc_type *nashc_attr_type(const nashc_node *n, int i);
NASHC_API int nashc_attr_index(const nashc_node *n, const char *name); /* -1: no such attribute */

/* The same by the attribute's name; zero, "" or NULL (*count 0) if the op has none of it. O(number
 * of attributes): loops over elements ask once. */
NASHC_API int64_t nashc_node_int(const nashc_node *n, const char *name);
NASHC_API bool nashc_node_bool(const nashc_node *n, const char *name);
NASHC_API double nashc_node_float(const nashc_node *n, const char *name);
NASHC_API double nashc_node_f32(const nashc_node *n, const char *name);
NASHC_API const char *nashc_node_str(const nashc_node *n, const char *name);
NASHC_API const int64_t *nashc_node_ints(const nashc_node *n, const char *name, int *count);
NASHC_API const double *nashc_node_floats(const nashc_node *n, const char *name, int *count);

/* All attributes that differ from their default, as IR text "pe=4 simd=8"; owned by a. */
NASHC_API const char *nashc_node_attr_text(const nashc_node *n, nashc_arena *a);

/* --- building -------------------------------------------------------------------------------- */

/* Builders insert before a point (NULL: at the end), stamp a location, and fail stickily:
 * operations on a failed builder do nothing and return NULL, NULL operands included; the first
 * cause is reported to d and kept as the status. */
NASHC_API nashc_build *nashc_build_create(nashc_graph *g, nashc_diag *d); /* owned by g's module */
NASHC_API nashc_status nashc_build_status(const nashc_build *b);
NASHC_API nashc_graph *nashc_build_graph(const nashc_build *b);
NASHC_API nashc_arena *nashc_build_arena(nashc_build *b);
NASHC_API void nashc_build_before(nashc_build *b, nashc_node *n);
NASHC_API void nashc_build_loc(nashc_build *b, const nashc_loc *loc);

/* One node of op with n_in operands (NULL: an optional one left out) and attributes given as IR
 * text
 * ("pads=[1,1] group=2"; NULL: all defaults). Arity, attributes and types are checked; result types
 * come from op->infer. nashc_build_op returns result 0. */
NASHC_API nashc_value *nashc_build_op(nashc_build *b, const char *op, nashc_value *const *in,
                                      int n_in, const char *attrs, ...) NASHC_PRINTF(5, 6);
NASHC_API nashc_node *nashc_build_node(nashc_build *b, const char *op, nashc_value *const *in,
                                       int n_in, int n_out, const char *attrs, ...)
    NASHC_PRINTF(6, 7);

/* A new node with op and attributes of like, other operands; n_out as like. */
NASHC_API nashc_node *nashc_build_like(nashc_build *b, const nashc_node *like,
                                       nashc_value *const *in, int n_in);

/* The same with the attributes that attrs, IR text, gives changed. */
NASHC_API nashc_node *nashc_build_like_with(nashc_build *b, const nashc_node *like,
                                            nashc_value *const *in, int n_in, const char *attrs);

/* Constants. name NULL: derived. const_take consumes the reference of t; NULL t fails (ENOMEM).
 * Equal tensors share storage. */
NASHC_API nashc_value *nashc_build_const(nashc_build *b, const char *name, nashc_tensor *t);
NASHC_API nashc_value *nashc_build_f64(nashc_build *b, double v); /* rank 0, f64 */
NASHC_API nashc_value *nashc_build_f32(nashc_build *b, float v);
NASHC_API nashc_value *nashc_build_int(nashc_build *b, int64_t v); /* rank 0, smallest type */

/* "[1,2,3]" for attribute text; owned by the builder's module. */
NASHC_API const char *nashc_build_ints(nashc_build *b, const int64_t *v, int n);

/* --- editing (passes use nashc_rw_* inside patterns) -------------------------------------------
 */

/* All uses of old, graph outputs included, read v instead. O(uses of old). */
NASHC_API void nashc_value_replace(nashc_value *old, nashc_value *v);
NASHC_API void nashc_node_set_in(nashc_node *n, int i, nashc_value *v);

/* Sets an attribute from IR text or an integer, without running infer again; checked against the
 * schema. */
NASHC_API nashc_status nashc_node_set_attr(nashc_node *n, const char *name, const char *text,
                                           nashc_diag *d);
NASHC_API nashc_status nashc_node_set_attr_int(nashc_node *n, const char *name, int64_t v,
                                               nashc_diag *d);
NASHC_API void nashc_node_set_loc(nashc_node *n, const nashc_loc *loc);

/* Why a pass left n as it is, a clause about it, for the pass that must refuse it: kept in memory
 * and by clones, not printed. NULL: nothing is known. */
NASHC_API void nashc_node_set_reason(nashc_node *n, const char *text);
NASHC_API const char *nashc_node_reason(const nashc_node *n);

/* n and, if asked, every producer that loses its last use by it. n's results must be unused. */
NASHC_API void nashc_node_erase(nashc_node *n, bool with_producers);

/* Moves n before pos (NULL: to the end); the caller keeps the order topological. */
NASHC_API void nashc_node_move(nashc_node *n, nashc_node *pos);

/* Removes nodes whose results reach no output; the number removed. O(nodes). */
NASHC_API int nashc_graph_remove_dead(nashc_graph *g);

/* Sorts nodes topologically after foreign edits; EINPUT names a node on a cycle. O(nodes). */
NASHC_API nashc_status nashc_graph_sort(nashc_graph *g, nashc_diag *d);

/* Re-runs infer over the whole graph and stores the types. */
NASHC_API nashc_status nashc_graph_infer(nashc_graph *g, nashc_diag *d);

/* --- checking and text ------------------------------------------------------------------------ */

/* 1 structure, 2 + types, 3 + op rules, 4 + nothing of level none (static shapes, known ops). A
 * fault at level 1 is EBUG, above EINPUT. */
NASHC_API nashc_status nashc_verify(const nashc_module *m, int level, nashc_diag *d);

/* Canonical text: print(parse(print(m))) == print(m). The result is on the heap, freed by
 * nashc_mem_free; *size without the final 0. NULL when memory is out. */
NASHC_API char *nashc_print(const nashc_module *m, size_t *size);

/* One node or value definition as its IR line, without newline; owned by a. */
NASHC_API const char *nashc_node_line(const nashc_node *n, nashc_arena *a);

/* file names the text in messages; blobs of `blob HEX` constants come from blob_path (NULL: there
 * are none). Types given in the text are checked against infer. */
NASHC_API nashc_status nashc_parse(nashc_ctx *c, const char *file, const char *text, size_t size,
                                   const char *blob_path, nashc_module **out, nashc_diag *d);

/* Reads FILE.nashir (and FILE.nashblob); writes both, each to a temporary name first. write with
 * path "-" prints the text alone to standard output. The blob file is written only if needed. */
NASHC_API nashc_status nashc_read_nashir(nashc_ctx *c, const char *path, nashc_module **out,
                                         nashc_diag *d);
NASHC_API nashc_status nashc_write_nashir(const nashc_module *m, const char *path, nashc_diag *d);

NASHC_END
#endif
