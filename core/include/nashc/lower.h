/* lower.h: how an operator becomes layers of hardware: the interface "to-hw" of nashc_impl. */
#ifndef NASHC_LOWER_H
#define NASHC_LOWER_H

#include <nashc/io.h>
#include <nashc/pass.h>

NASHC_BEGIN

/* One run of to-hw: a graph of integers, whose values are tensors, becomes a graph of layers, whose
 * values are streams. A stream is a tensor of rank 2, [rows, columns]: the elements of the value
 * that it stands for in row-major order, a frame after the other; the columns are its channels
 * where these lie innermost, or whatever the layer that writes it gives. */
typedef struct nashc_lower nashc_lower;

/* The rule of one operator; docs/lowering.md. why_not and convert are a pair: what the first lets
 * pass the second converts, failing for lack of memory or of 64 bits only. So to-hw can place every
 * node before it builds a layer, and check-streamlined knows the answer without building any. */
typedef struct nashc_lower_rule {
    uint32_t struct_size, flags;

    /* NULL: convert will do it. Else the first precondition that n misses, as a clause about "it":
     * "its weights are not constant"; static, or owned by a. Looks at n and what feeds it only, and
     * changes nothing. A NULL why_not: convert does every node. */
    const char *(*why_not)(const nashc_node *n, nashc_arena *a);

    /* Builds the layers and gives each result of n its stream (nashc_lower_put). */
    nashc_status (*convert)(nashc_lower *l, nashc_node *n);
} nashc_lower_rule;

/* An operator has one rule; a plugin replaces that of a built-in with NASHC_F_OVERRIDE. */
#define NASHC_IMPL_TO_HW(op_name, lower_rule)                                                      \
    {                                                                                              \
        NASHC_DESC(nashc_impl), .flags = 0, .iface = "to-hw", .op = op_name, .fn = NULL,           \
                                .rule = 1 ? (lower_rule) : (const nashc_lower_rule *)0             \
    }

/* --- for rules -------------------------------------------------------------------------------
 */

NASHC_API nashc_run *nashc_lower_run(nashc_lower *l);
NASHC_API nashc_arena *nashc_lower_arena(nashc_lower *l); /* scratch of the pass run */
NASHC_API nashc_diag *nashc_lower_diag(nashc_lower *l);
NASHC_API nashc_build *nashc_lower_build(nashc_lower *l); /* at the end of the graph of layers */
NASHC_API nashc_status nashc_lower_status(const nashc_lower *l); /* of the builder */

/* The stream that stands for v, or for operand i of n. NULL: v is a constant, or left out. O(1). */
NASHC_API nashc_value *nashc_lower_stream(const nashc_lower *l, const nashc_value *v);
NASHC_API nashc_value *nashc_lower_in(const nashc_lower *l, const nashc_node *n, int i);

/* v stands for result i of n and takes over its name, unless it is the stream of an operand: then n
 * takes no layer. v must have as many elements as the result; a stream may be put for several
 * results and be read any number of times. NULL v: building it failed, which becomes the status. */
NASHC_API nashc_status nashc_lower_put(nashc_lower *l, const nashc_node *n, int i, nashc_value *v);

/* The layers of the node at hand do the work of n, a later node, as well: n is not converted. */
NASHC_API void nashc_lower_absorb(nashc_lower *l, const nashc_node *n);

/* Result 0 of a new layer, or the layer, with attributes as IR text. NULL operands where the
 * builder has failed give NULL. */
NASHC_API nashc_value *nashc_lower_op(nashc_lower *l, const char *op, nashc_value *const *in,
                                      int n_in, const char *attrs, ...) NASHC_PRINTF(5, 6);
NASHC_API nashc_node *nashc_lower_node(nashc_lower *l, const char *op, nashc_value *const *in,
                                       int n_in, int n_out, const char *attrs, ...)
    NASHC_PRINTF(6, 7);
NASHC_API const char *nashc_lower_ints(nashc_lower *l, const int64_t *v, int n); /* "[1,2]" */

/* Integers as a constant [rows, cols] of element elem (NULL: the smallest type that holds them):
 * the parameters of layers. v has rows * cols entries, row-major, and is copied. */
NASHC_API nashc_value *nashc_lower_matrix(nashc_lower *l, const int64_t *v, int64_t rows,
                                          int64_t cols, const nashc_type *elem);

/* --- for passes that lower -------------------------------------------------------------------
 */

/* For the graph `from` and the empty graph `to` of the same module, owned by the run r. NULL:
 * memory is out, which is reported. */
NASHC_API nashc_lower *nashc_lower_create(nashc_run *r, const nashc_graph *from, nashc_graph *to);

/* s stands for v: what is done for the values that enter. */
NASHC_API void nashc_lower_set_stream(nashc_lower *l, const nashc_value *v, nashc_value *s);
NASHC_API bool nashc_lower_absorbed(const nashc_lower *l, const nashc_node *n);

/* NULL if n becomes layers, else the first precondition that it misses; static or owned by a. */
NASHC_API const char *nashc_lower_why_not(const nashc_node *n, nashc_arena *a);

/* Builds the layers of n, for which nashc_lower_why_not was NULL. Operands have their streams,
 * results get them; EBUG where the rule gave none. */
NASHC_API nashc_status nashc_lower_convert(nashc_lower *l, nashc_node *n);

NASHC_END
#endif
