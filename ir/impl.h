/* impl.h: private layout of the IR; the public interface has opaque handles and accessors. */
#ifndef NASHC_IR_IMPL_H
#define NASHC_IR_IMPL_H

#include "core/base/attr.h"
#include "core/base/map.h"
#include "core/base/str.h"
#include "ir/irctx.h"
#include <nashc/ir.h>
#include <nashc/op.h>

/* One operand slot, embedded in its user. */
typedef struct nashc_use {
    nashc_value *val;                /* NULL: optional operand left out */
    nashc_node *user;                /* the output node of the graph for graph outputs */
    struct nashc_use *next, **pprev; /* chain through all uses of val */
} nashc_use;

typedef enum nashc_value_kind { NASHC_V_INPUT, NASHC_V_RESULT, NASHC_V_CONST } nashc_value_kind;

struct nashc_value {
    nashc_node *def; /* NULL for graph inputs and constants */
    nashc_graph *graph;
    nashc_tensor *data; /* non-NULL only for constants; the module's table holds the reference */
    nashc_use *uses;
    const char *name; /* interned; unique in the graph */
    nashc_type type;
    uint32_t id, n_uses; /* id: dense, never reused: index for side tables */
    uint32_t index;      /* which result of def, or which graph input */
    uint8_t kind;        /* nashc_value_kind */
};

#define NASHC_NODE_DEAD      1u
#define NASHC_NODE_OWN_ATTRS 2u /* attrs is this node's, not the defaults shared by all of op */

struct nashc_node {
    const nashc_op *op; /* NULL: the output node */
    nashc_graph *graph;
    nashc_node *prev, *next; /* topological order is an invariant, not an analysis */
    nashc_use *in;           /* n_in slots */
    nashc_value *out;        /* n_out results, inline */
    const nashc_attr *attrs; /* in the order the op descriptor declares them */
    nashc_node *link;        /* work list of an erasure */
    uint32_t n_in, n_out, n_attrs, flags, id;
    uint64_t order;     /* sparse label: a before b iff a.order < b.order */
    nashc_loc loc;      /* strings are interned */
    const char *reason; /* interned; NULL: none */
};

struct nashc_graph {
    nashc_module *module;
    const char *name;
    nashc_node *first, *last;
    nashc_node outputs; /* a node outside the list whose operands are the outputs */
    const char **output_names;
    size_t cap_outputs, cap_output_names;
    nashc_value **inputs;
    size_t n_inputs, cap_inputs;
    nashc_map names; /* interned name to value */
    int n_nodes;
    uint32_t next_node_id, next_value_id, next_name;
    nashc_edits edits;
    uint64_t shuffle; /* state of the hard build's shuffling of use chains */
    void *cache;      /* of nashc_analyse, freed by cache_free */
    void (*cache_free)(void *);
};

typedef struct nashc_meta {
    const char *key, *value;
} nashc_meta;

struct nashc_module {
    nashc_ctx *ctx;
    nashc_irctx *x;
    nashc_arena *arena;
    nashc_meta *meta;
    size_t n_meta, cap_meta;
    nashc_graph **graphs;
    size_t n_graphs, cap_graphs;
    nashc_tensor **tensors; /* open addressing by nashc_tensor_quick; holds one reference each */
    size_t n_tensors, n_tensor_slots;
};

struct nashc_build {
    nashc_graph *graph;
    nashc_diag *diag;
    nashc_node *before; /* NULL: the end */
    nashc_loc loc;
    nashc_status status;
};

/* What the context knows of an op: its schema with the defaults parsed. */
typedef struct nashc_op_info {
    const nashc_op *op;
    uint32_t n_attrs;
    const nashc_attr *defaults;
} nashc_op_info;

/* --- ctx.c ----------------------------------------------------------------------------------- */

/* NULL: memory out, or a default of the op is outside its domain (reported to d as a bug). */
const nashc_op_info *nashc_op_schema(nashc_irctx *x, const nashc_op *op, nashc_diag *d);

/* --- type_text.c ----------------------------------------------------------------------------- */

/* Why the type at *s cannot be read, NULL if it can; moves *s to the fault. */
const char *nashc_type_fault(const char **s);

/* --- tensor.c -------------------------------------------------------------------------------- */

size_t nashc_tensor_bytes(const nashc_tensor *t);
bool nashc_buf_belongs(const nashc_buf *b, int64_t i);   /* element i is of b's type */
void nashc_buf_set_ints(nashc_buf *b, const int64_t *v); /* nashc_buf_set_int, all of them */
uint64_t nashc_tensor_quick(const nashc_tensor *t); /* cheap hash of element, shape and cells */
bool nashc_tensor_same(const nashc_tensor *a, const nashc_tensor *b); /* type and cells */

/* --- module.c -------------------------------------------------------------------------------- */

/* The module's tensor equal to t, which it takes over (the reference of t is consumed, also on
 * failure). NULL: memory out. */
nashc_tensor *nashc_module_intern(nashc_module *m, nashc_tensor *t);

/* --- graph.c --------------------------------------------------------------------------------- */

/* A node outside the list with room for its operands, all NULL, and its results, unnamed. */
nashc_node *nashc_node_alloc(nashc_graph *g, const nashc_op_info *info, uint32_t n_in,
                             uint32_t n_out);
void nashc_node_link(nashc_node *n, nashc_node *before); /* before NULL: at the end */
void nashc_node_unlink(nashc_node *n);
nashc_value *nashc_graph_add_const(nashc_graph *g, const char *name, nashc_tensor *interned);

/* An interned name that no value of g has. base NULL: v0, v1 ... */
const char *nashc_graph_fresh_name(nashc_graph *g);
bool nashc_value_bind(nashc_value *v, const char *interned); /* false: taken, or memory out */
void nashc_value_unbind(nashc_value *v);

/* --- value.c --------------------------------------------------------------------------------- */

void nashc_use_set(nashc_use *u,
                   nashc_value *v); /* moves the slot to the chain of v (NULL: none) */

/* Reorders all use chains of m by seed: what relies on their order shows. */
void nashc_module_shuffle_uses(nashc_module *m, uint64_t seed);

/* --- order.c --------------------------------------------------------------------------------- */

void nashc_order_assign(nashc_node *n); /* n is in the list; gives it a label */
void nashc_order_renumber(nashc_graph *g);

/* --- attr_node.c ----------------------------------------------------------------------------- */

/* Why attribute text was refused. */
typedef struct nashc_attr_fault {
    const char *at; /* in the text */
    int len;
    char text[NASHC_ATTR_ERR];
} nashc_attr_fault;

/* Reads `key=value ...` up to the end of the text, a '!', '#' or newline, into the node's own
 * attributes, which start as defaults. */
nashc_status nashc_node_parse_attrs(nashc_node *n, const char **text, nashc_attr_fault *f,
                                    nashc_diag *d);
nashc_status nashc_node_copy_attrs(nashc_node *n, const nashc_node *from);
void nashc_node_print_attrs(const nashc_node *n, nashc_str *out); /* each with a blank in front */

/* --- build.c --------------------------------------------------------------------------------- */

/* Types of n's results into types (n_out of them). A node without infer, or with an operand of
 * kind none, keeps what it has. */
nashc_status nashc_node_infer(const nashc_node *n, nashc_type *types, nashc_diag *d);

/* --- print.c --------------------------------------------------------------------------------- */

bool nashc_is_ident(const char *s);
void nashc_print_name(nashc_str *out, char sigil, const char *name); /* sigil 0: none */
void nashc_print_data(nashc_str *out, const nashc_tensor *t);

/* Is t printed as `blob`? */
bool nashc_tensor_needs_blob(const nashc_tensor *t);

/* --- blob.c ---------------------------------------------------------------------------------- */

typedef struct nashc_blobs nashc_blobs;

/* Opens and checks header and index. */
nashc_status nashc_blobs_open(const char *path, nashc_blobs **out, nashc_diag *d);

/* The tensor of type t whose hash begins with prefix, its bytes checked against the whole hash. */
nashc_status nashc_blobs_load(nashc_blobs *b, const nashc_type *t, uint64_t prefix,
                              nashc_tensor **out, nashc_diag *d, const nashc_loc *where);
void nashc_blobs_close(nashc_blobs *b);

/* Writes the large constants of m, if it has any. keep: and what the file at path holds that m has
 * not; *more: there was such. */
nashc_status nashc_blobs_write(const nashc_module *m, const char *path, bool keep, bool *more,
                               nashc_diag *d);

/* Constants of g in print order: calls f for each that some node or output reads. */
typedef bool nashc_const_fn(void *user, const nashc_value *v);
bool nashc_graph_each_const(const nashc_graph *g, nashc_const_fn *f, void *user);

/* Do calls of graphs end, and come to no more than NASHC_MAX_NODES nodes? O(nodes + 18 calls). */
nashc_status nashc_verify_calls(const nashc_module *m, nashc_diag *d);

#endif
