/* opening.h: what functions.c and branches.c share: the graph of a file with all that is nested in
 * it written out, and the names that a nested body has for what is around it. */
#ifndef NASHC_ONNX_OPENING_H
#define NASHC_ONNX_OPENING_H

#include "frontends/onnx/graph.h"

enum { ONNX_MAX_NESTED = 64, ONNX_MAX_OPENED = 1 << 20 };

/* The graph that comes out, and what is known of the file. */
typedef struct opening {
    nashc_onnx_in *r;
    onnx_names *functions; /* "domain/name/overload" to Onnx__FunctionProto */
    onnx_names *taken;     /* tensor names and prefixes in use */
    Onnx__NodeProto **node;
    const Onnx__FunctionProto **origin;
    onnx_guard **guard;
    size_t n, cap, n_scopes;
} opening;

/* A body at one place of the graph: of a function that a node calls, or a branch of an If. */
typedef struct scope {
    const struct scope *up;
    const Onnx__FunctionProto *f; /* NULL: a branch, which sees the names around it */
    const Onnx__NodeProto *node;  /* with its own references resolved */
    const char *prefix;           /* of the names in the body */
    onnx_names *actual;           /* names of the body to names outside */
    onnx_guard *guard;            /* of its nodes; NULL: none */
    int depth;
} scope;

/* NULL reads as "". */
const char *onnx_or_empty(const char *s);

/* --- functions.c --- */

/* A prefix of its own for the names of a body of node n, with what behind it (""), in c, whose
 * fields up and node are set; and room for n_names names. Too deep or too large is an error. */
nashc_status onnx_scope_enter(opening *o, scope *c, const char *what, size_t n_names);
/* What name of the body is outside; a function's own names are made where they are first met. */
const char *onnx_scope_name(opening *o, const scope *c, const char *name);
/* A name of the body's own, new outside, too. False: no memory. */
bool onnx_scope_own(opening *o, const scope *c, const char *name);
/* A node of the body as it is outside. NULL: no memory. */
Onnx__NodeProto *onnx_scope_node(opening *o, const scope *c, const Onnx__NodeProto *in);
/* One more node of the graph, as it is; in the scope, of the function from, both may be NULL. */
nashc_status onnx_open_append(opening *o, Onnx__NodeProto *n, const scope *c,
                              const Onnx__FunctionProto *from);
/* The same, or what is nested in it. */
nashc_status onnx_open_add(opening *o, Onnx__NodeProto *n, const scope *up,
                           const Onnx__FunctionProto *from);

/* --- branches.c --- */

bool onnx_has_branches(const Onnx__NodeProto *n);
/* Both branches of n, an If, with guards; then n with their results as operands. */
nashc_status onnx_open_branches(opening *o, const Onnx__NodeProto *n, const scope *up,
                                const Onnx__FunctionProto *from);

#endif
