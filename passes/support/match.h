/* match.h: what passes look for: constants beside data, single readers, attributes by name. */
#ifndef NASHC_PASSES_MATCH_H
#define NASHC_PASSES_MATCH_H

#include <inttypes.h>
#include <nashc/rewrite.h>

/* --- op(data, constant) ------------------------------------------------------------------------
 */

typedef struct affine {
    nashc_node *node;
    nashc_value *x;        /* the dynamic operand */
    nashc_value *c;        /* the constant one, */
    const nashc_tensor *t; /* and its elements */
} affine;

/* Is n op(x, c) with one constant operand (either if op commutes, else the second), and has the
 * result the shape of x? NULL n: false. */
bool affine_of(nashc_node *n, const char *op, affine *out);

/* The same for the node that defines v, which must be its only reader's operand: reports a miss at
 * v's node when it has more readers. Silent when v is not op(x, c) at all. */
bool affine_before(nashc_rw *rw, const nashc_value *v, const char *op, affine *out);

/* Miss unless result 0 of n is read once (a graph output counts). */
bool match_sole(nashc_rw *rw, const nashc_node *n);

/* Bit a is set if c, broadcast against x, varies along axis a of x by its shape. 0: scalar. */
uint32_t match_axes(const nashc_tensor *c, const nashc_type *x);

/* Are the axes of mask just the channel axis of x, or none? */
bool match_channelwise(const nashc_tensor *c, const nashc_type *x);

/* Type of a constant that varies along axis of x only: f64, n elements there, 1 elsewhere. */
nashc_type match_vector(const nashc_type *x, int axis, int64_t n);

/* May the readers of v see integers where they saw floats of the same value? nn.* and q.* ops
 * compute with real values; graph outputs, calls and ops of other dialects depend on the element.
 */
bool match_retypable(nashc_rw *rw, const nashc_value *v);

/* All elements of list attribute attr are v (an empty list too)? */
bool match_all(const nashc_node *n, const char *attr, int64_t v);

/* Does the comma-separated list (blanks, and a leading "nn." or "q." on either side ignored) hold
 * name? */
bool match_listed(const char *list, const char *name);

/* The quantiser, bipolar quantiser or dequantiser of constants that defines v; else NULL. */
nashc_node *match_quantised(const nashc_value *v);

/* op(c, x) to op(x, c) where op commutes and c is a constant. */
bool match_constant_last(nashc_rw *rw, nashc_node *n);

/* Gives every reader of node n's result its own copy of n, so that each can be rewritten alone; the
 * first keeps n, or the graph output does. False, with a miss where it says why, if there is only
 * one reader. */
bool match_sink(nashc_rw *rw, nashc_node *n);

#endif
