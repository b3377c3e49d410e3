/* integer.h: how an operator becomes integers: the interface "scaled-integer" of nashc_impl.
 *
 * The pass scaled-integer walks the imported graph ("the model") once and builds the integer graph
 * beside it (docs/streamline.md). Quantisers, element-wise operators (NASHC_OP_ELTWISE, also with
 * NASHC_OP_MONOTONE) and moving ones (NASHC_OP_SHAPE) need no rule: their flags say enough. An
 * operator that computes otherwise brings a rule, which says what its result is in terms of
 * integers:
 *
 *     static bool
 *     rebuild(nashc_integer_walk *walk, nashc_node *n)          y = 2 x, as an example
 *     {
 *         nashc_integer_form *x = nashc_integer_affine(walk, nashc_node_in(n, 0));
 *         if (!x)
 *             return nashc_integer_no(walk, "its operand is not on a grid of integers");
 *         nashc_value *i = nashc_integer_of(x);
 *         nashc_integer_array *two = nashc_integer_scalar(walk, 2.0);
 *         return nashc_integer_anchor(walk, nashc_node_out(n, 0), i,
 *                                     nashc_integer_product(walk, nashc_integer_scale(x), two),
 *                                     nashc_integer_product(walk, nashc_integer_bias(x), two),
 *                                     NULL, NULL);
 *     }
 *     static const nashc_integer_rule rule = {NASHC_DESC(nashc_integer_rule), .rebuild = rebuild};
 *     const nashc_impl impl = NASHC_IMPL_SCALED_INTEGER("my.double", &rule);
 *
 * All that the functions below return lives until the walk ends; none of it is freed. NULL for a
 * pointer operand gives NULL or false, so that calls can be nested and checked once.
 */
#ifndef NASHC_INTEGER_H
#define NASHC_INTEGER_H

#include <nashc/io.h>

NASHC_BEGIN

typedef struct nashc_integer_walk nashc_integer_walk;

/* Doubles that are broadcast (numpy's rules, aligned right) against a tensor: one for all, one a
 * channel, or one an element. */
typedef struct nashc_integer_array nashc_integer_array;

/* A value of the model as scale * integer + bias, where integer is a tensor of the new graph. */
typedef struct nashc_integer_form nashc_integer_form;

/* --- rules -------------------------------------------------------------------------------------
 */

typedef struct nashc_integer_rule {
    uint32_t struct_size, flags;

    /* Builds integers for n, a node of the model, and anchors all its results that are used. False:
     * n stays in float, with the reason that nashc_integer_no was given. Nothing of the model may
     * be edited; nodes that were built for nothing disappear. Called in topological order, once a
     * node, if an operand of n is computed from integers. */
    bool (*rebuild)(nashc_integer_walk *walk, nashc_node *n);

    /* How many bits n adds to the integers of its operands, at most: sums in front of n keep them
     * free of the 61 that integers may have. NULL: none. */
    int (*growth)(nashc_integer_walk *walk, const nashc_node *n);
} nashc_integer_rule;

#define NASHC_INTEGER_LOOKS_BEHIND                                                                 \
    1u /* flag: rebuild is called for floats of the host, too, which may be made of integers */

#define NASHC_IMPL_SCALED_INTEGER(op_name, rule_of_op)                                             \
    {                                                                                              \
        NASHC_DESC(nashc_impl), .iface = "scaled-integer", .op = op_name,                          \
                                .rule = 1 ? (rule_of_op) : (const nashc_integer_rule *)0           \
    }

/* --- what a value is ---------------------------------------------------------------------------
 */

typedef enum nashc_integer_kind {
    NASHC_INTEGER_HOST,     /* a float or index that nodes of the model compute */
    NASHC_INTEGER_CONSTANT, /* known at compile time */
    NASHC_INTEGER_AFFINE,   /* scale * integer + bias */
    NASHC_INTEGER_FUNCTION  /* another function of one integer tensor, element by element */
} nashc_integer_kind;

/* v is a value of the model that comes before the node at hand. O(1). */
NASHC_API nashc_integer_kind nashc_integer_kind_of(const nashc_integer_walk *walk,
                                                   const nashc_value *v);

/* Real values of constant v, with all digits of the model (f64). NULL: not constant, or failed. */
NASHC_API const nashc_tensor *nashc_integer_known(nashc_integer_walk *walk, nashc_value *v);

/* Integer codes of constant v, in the smallest type that holds them; *scale: v = scale * code.
 * NULL: v is not constant, or not on a grid of at most 16 bits, or failed. */
NASHC_API const nashc_tensor *nashc_integer_codes(nashc_integer_walk *walk, nashc_value *v,
                                                  const nashc_integer_array **scale);

/* v as an affine function of integers. Constants have one; functions with kinks on the grid (relu,
 * clip) get one by an integer op; sums whose scales have no common unit get multipliers, with the
 * warning `rounded-scales` if need be. NULL: v has none, or failed. */
NASHC_API nashc_integer_form *nashc_integer_affine(nashc_integer_walk *walk, nashc_value *v);

/* Integers of a form, in the shape of its value; scale and bias against them; the closed interval
 * of them, by channel where it pays. NULL for NULL. */
NASHC_API nashc_value *nashc_integer_of(const nashc_integer_form *x);
NASHC_API const nashc_integer_array *nashc_integer_scale(const nashc_integer_form *x);
NASHC_API const nashc_integer_array *nashc_integer_bias(const nashc_integer_form *x);
NASHC_API const nashc_integer_array *nashc_integer_least(const nashc_integer_form *x);
NASHC_API const nashc_integer_array *nashc_integer_most(const nashc_integer_form *x);

/* --- arrays ------------------------------------------------------------------------------------
 */

/* One number for all; one for each channel of t; one for each element of t. NULL: failed. */
NASHC_API nashc_integer_array *nashc_integer_scalar(nashc_integer_walk *walk, double v);
NASHC_API nashc_integer_array *nashc_integer_by_channel(nashc_integer_walk *walk,
                                                        const nashc_type *t, const double *v);
NASHC_API nashc_integer_array *nashc_integer_by_element(nashc_integer_walk *walk,
                                                        const nashc_type *t, const double *v);

/* Sum and product, broadcast against each other. NULL: the shapes do not fit, or failed. */
NASHC_API nashc_integer_array *nashc_integer_sum(nashc_integer_walk *walk,
                                                 const nashc_integer_array *x,
                                                 const nashc_integer_array *y);
NASHC_API nashc_integer_array *nashc_integer_product(nashc_integer_walk *walk,
                                                     const nashc_integer_array *x,
                                                     const nashc_integer_array *y);

/* The number that element e of a tensor of type t meets. O(rank). */
NASHC_API double nashc_integer_at(const nashc_integer_array *a, const nashc_type *t, int64_t e);

/* Is it one number for all? Does it, against a tensor of type t, change along this axis? */
NASHC_API bool nashc_integer_uniform(const nashc_integer_array *a);
NASHC_API bool nashc_integer_varies(const nashc_integer_array *a, const nashc_type *t, int axis);

/* --- building ----------------------------------------------------------------------------------
 */

/* Result 0 of a new node on integers (or of an equal one that was built before), with attributes as
 * IR text; NULL: all defaults. The same op with the attributes of a node of the model, and all its
 * results. NULL: failed. */
NASHC_API nashc_value *nashc_integer_op(nashc_integer_walk *walk, const char *op,
                                        nashc_value *const *in, int n_in, const char *attrs);
NASHC_API nashc_node *nashc_integer_like(nashc_integer_walk *walk, const nashc_node *like,
                                         nashc_value *const *in, int n_in);

/* A constant: a tensor of integers (one more reference is taken), or an array of whole numbers. */
NASHC_API nashc_value *nashc_integer_const(nashc_integer_walk *walk, const nashc_tensor *t);
NASHC_API nashc_value *nashc_integer_numbers(nashc_integer_walk *walk,
                                             const nashc_integer_array *a);

/* v, a result of the node at hand, is scale * integer + bias from here on. integer has the shape of
 * v; least, most: its interval, both or neither (NULL: that of its type). False: an operand is
 * NULL, or failed. */
NASHC_API bool nashc_integer_anchor(nashc_integer_walk *walk, nashc_value *v, nashc_value *integer,
                                    const nashc_integer_array *scale,
                                    const nashc_integer_array *bias,
                                    const nashc_integer_array *least,
                                    const nashc_integer_array *most);

/* Why the node at hand stays in float: one line without capital and full stop, of static or walk's
 * memory; the first one counts. Returns false. */
NASHC_API bool nashc_integer_no(nashc_integer_walk *walk, const char *why);

/* Scratch that lives until the walk ends. */
NASHC_API nashc_arena *nashc_integer_arena(nashc_integer_walk *walk);

NASHC_END
#endif
