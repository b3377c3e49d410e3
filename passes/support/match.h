/* match.h: what the algebraic passes share: constants beside data, arithmetic on them, steps. */
#ifndef NASHC_PASSES_MATCH_H
#define NASHC_PASSES_MATCH_H

#include <inttypes.h>
#include <nashc/rewrite.h>

/* --- op(data, constant) ------------------------------------------------------------------------
 */

typedef struct nashc_affine {
    nashc_node *node;
    nashc_value *x;        /* the dynamic operand */
    nashc_value *c;        /* the constant one, */
    const nashc_tensor *t; /* and its elements */
} nashc_affine;

/* Is n op(x, c) with one constant operand (either if op commutes, else the second), and has the
 * result the shape of x? NULL n: false. */
bool nashc_affine_of(nashc_node *n, const char *op, nashc_affine *out);

/* The same for the node that defines v, which must be its only reader's operand: reports a miss at
 * v's node when it has more readers. Silent when v is not op(x, c) at all. */
bool nashc_affine_before(nashc_rw *rw, const nashc_value *v, const char *op, nashc_affine *out);

/* Miss unless result 0 of n is read once (a graph output counts). */
bool nashc_match_sole(nashc_rw *rw, const nashc_node *n);

/* Bit a is set if c, broadcast against x, varies along axis a of x by its shape. 0: scalar. */
uint32_t nashc_match_axes(const nashc_tensor *c, const nashc_type *x);

/* Are the axes of mask just the channel axis of x, or none? */
bool nashc_match_channelwise(const nashc_tensor *c, const nashc_type *x);

/* Type of a constant that varies along axis of x only: f64, n elements there, 1 elsewhere. */
nashc_type nashc_match_vector(const nashc_type *x, int axis, int64_t n);

/* May the readers of v see integers where they saw floats of the same value? nn.* and q.* ops
 * compute with real values; graph outputs, calls and ops of other dialects depend on the element.
 */
bool nashc_match_retypable(nashc_rw *rw, const nashc_value *v);

/* Attributes by name. */
int64_t nashc_match_int(const nashc_node *n, const char *attr);
const int64_t *nashc_match_ints(const nashc_node *n, const char *attr, int *count);
const char *nashc_match_str(const nashc_node *n, const char *attr);

/* All elements of list attribute attr are v (an empty list too)? */
bool nashc_match_all(const nashc_node *n, const char *attr, int64_t v);

/* Does the comma-separated list (blanks, and a leading "nn." or "q." on either side ignored) hold
 * name? */
bool nashc_match_listed(const char *list, const char *name);

/* The quantiser, bipolar quantiser or dequantiser of constants that defines v; else NULL. */
nashc_node *nashc_match_quantised(const nashc_value *v);

/* op(c, x) to op(x, c) where op commutes and c is a constant. */
bool nashc_match_constant_last(nashc_rw *rw, nashc_node *n);

/* Gives every reader of node n's result its own copy of n, so that each can be rewritten alone; the
 * first keeps n, or the graph output does. False, with a miss where it says why, if there is only
 * one reader. */
bool nashc_match_sink(nashc_rw *rw, nashc_node *n);

/* --- numbers: a constant under construction ------------------------------------------------------
 */

/* Doubles in the scratch arena. v NULL: out of memory, or integers beyond 2^53; sticky. */
typedef struct nashc_num {
    nashc_type type; /* shape and layout */
    int64_t n;
    double *v;
    bool integer; /* came from integer elements only: stays an integer constant if it can */
} nashc_num;

nashc_num nashc_num_of(nashc_rw *rw, const nashc_tensor *t);
nashc_num nashc_num_new(nashc_rw *rw, const nashc_type *shape, bool integer); /* zeroed */

/* Broadcast f over two constants, or map it over one with a fixed second argument. */
nashc_num nashc_num_zip(nashc_rw *rw, const nashc_num *a, const nashc_num *b,
                        double (*f)(double, double));
nashc_num nashc_num_map(nashc_rw *rw, const nashc_num *a, double (*f)(double, double), double b);

double nashc_num_add(double a, double b);
double nashc_num_mul(double a, double b);

/* All finite (false for a failed one)? Equal, broadcast against each other? */
bool nashc_num_finite(const nashc_num *a);
bool nashc_num_equal(nashc_rw *rw, const nashc_num *a, const nashc_num *b);

/* The constant: the smallest integer type if all sources were integers and all values are, else
 * f64. A failed number makes the rewrite fail. */
nashc_value *nashc_num_const(nashc_rw *rw, const nashc_num *a);

/* --- steps: a multithreshold under construction --------------------------------------------------
 */

typedef struct nashc_steps {
    nashc_node *node;
    nashc_value *x;
    int64_t rows, n;  /* rows: 1 or channels */
    double *t;        /* rows * n, scratch */
    signed char *dir; /* a row each: +1 counts x >= t, -1 counts x < t */
    bool integer;
} nashc_steps;

/* Reads node; false with a miss if its thresholds are too wide. */
bool nashc_steps_of(nashc_rw *rw, nashc_node *node, nashc_steps *s);

/* One row for each channel of x. */
bool nashc_steps_grow(nashc_rw *rw, nashc_steps *s);

/* Smallest double not below t - a: comparing with it is comparing with the exact value. */
double nashc_steps_sub(double t, double a);

/* Smallest double whose product with a, as it is computed, reaches t; a < 0: is below t. a != 0,
 * finite; infinite t passes through. */
double nashc_steps_div(double t, double a);

/* A multithreshold of x with the attributes of s->node and these rows (sorted here). */
nashc_value *nashc_steps_build(nashc_rw *rw, nashc_steps *s, nashc_value *x);

/* --- layouts -------------------------------------------------------------------------------------
 */

/* Is n a transpose from channels-first to channels-last, or back (rank 3 or 4)? NULL n: false. */
bool nashc_layout_to_last(const nashc_node *n);
bool nashc_layout_to_first(const nashc_node *n);

/* Is v constant, or a quantiser of constants? Turned it has no layout that would say so: not what
 * data operands may be. */
bool nashc_layout_none(const nashc_value *v);

/* v in the other layout; a constant at once, of lower rank widened with leading 1s as it broadcasts
 * (a scalar stays), a quantiser of constants as a quantiser of permuted ones, all else by a
 * transpose. rank: 3 or 4, of what v is broadcast against. */
nashc_value *nashc_layout_last(nashc_rw *rw, nashc_value *v, int rank);
nashc_value *nashc_layout_first(nashc_rw *rw, nashc_value *v, int rank);

/* v, in row-major order, with shape and layout of type: v itself, or a reshape of it. */
nashc_value *nashc_layout_relabelled(nashc_rw *rw, nashc_value *v, const nashc_type *type);

/* Runs n channels-last: its data turns in front of it and back behind it, attributes follow the
 * axes. Transposes that are there already are undone or shared. False if n is channels-last, or,
 * with a miss, if it cannot be. Nothing turns the other way, so what only does this terminates. */
bool nashc_layout_turn(nashc_rw *rw, nashc_node *n);

/* The image [N,H,W,C] or [N,W,C] that v [N, C H W] is, by a transpose to channels-first and a
 * reshape; NULL if it is none. */
nashc_value *nashc_flat_image(const nashc_value *v);

/* image as [N, H W C] for node n; a reshape in front of n that does it is shared. */
nashc_value *nashc_flat_last(nashc_rw *rw, nashc_value *image, const nashc_node *n);

/* Constant v whose axis counts (c, h, w) of image, with it counting (h, w, c); v itself if the axis
 * is not that long. */
nashc_value *nashc_flat_const(nashc_rw *rw, nashc_value *v, int axis, const nashc_value *image);

/* An element-wise op, or one with rows for each element, on a flattened image: run in front of the
 * transpose. False, with a miss where there is something to say, if n is none. Terminates: the
 * transpose moves towards the outputs. */
bool nashc_flat_turn(nashc_rw *rw, nashc_node *n);

/* Rewrite of a convolution of either direction: conv(x * a, w) ==> conv(x, w) * a, for a scalar a.
 */
bool nashc_scalar_mul_past_conv(nashc_rw *rw, nashc_node *n);

#endif
