/* match.h: what the algebraic passes share: constants beside data, arithmetic on them, steps. */
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

/* Attributes by name. */
int64_t match_int(const nashc_node *n, const char *attr);
const int64_t *match_ints(const nashc_node *n, const char *attr, int *count);
const char *match_str(const nashc_node *n, const char *attr);

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

/* --- numbers: a constant under construction ------------------------------------------------------
 */

/* Doubles in the scratch arena. v NULL: out of memory, or integers beyond 2^53; sticky. */
typedef struct number {
    nashc_type type; /* shape and layout */
    int64_t n;
    double *v;
    bool integer; /* came from integer elements only: stays an integer constant if it can */
} number;

number number_of(nashc_rw *rw, const nashc_tensor *t);
number number_new(nashc_rw *rw, const nashc_type *shape, bool integer); /* zeroed */

/* Broadcast f over two constants, or map it over one with a fixed second argument. */
number number_zip(nashc_rw *rw, const number *a, const number *b, double (*f)(double, double));
number number_map(nashc_rw *rw, const number *a, double (*f)(double, double), double b);

double number_add(double a, double b);
double number_mul(double a, double b);

/* All finite (false for a failed one)? Equal, broadcast against each other? */
bool number_finite(const number *a);
bool number_equal(nashc_rw *rw, const number *a, const number *b);

/* The constant: the smallest integer type if all sources were integers and all values are, else
 * f64. A failed number makes the rewrite fail. */
nashc_value *number_const(nashc_rw *rw, const number *a);

/* --- steps: a multithreshold under construction --------------------------------------------------
 */

typedef struct thresholds {
    nashc_node *node;
    nashc_value *x;
    int64_t rows, n;  /* rows: 1 or channels */
    double *t;        /* rows * n, scratch */
    signed char *dir; /* a row each: +1 counts x >= t, -1 counts x < t */
    bool integer;
} thresholds;

/* Reads node; false with a miss if its thresholds are too wide. */
bool thresholds_of(nashc_rw *rw, nashc_node *node, thresholds *s);

/* One row for each channel of x. */
bool thresholds_grow(nashc_rw *rw, thresholds *s);

/* Smallest double not below t - a: comparing with it is comparing with the exact value. */
double thresholds_sub(double t, double a);

/* Smallest double whose product with a, as it is computed, reaches t; a < 0: is below t. a != 0,
 * finite; infinite t passes through. */
double thresholds_div(double t, double a);

/* A multithreshold of x with the attributes of s->node and these rows (sorted here). */
nashc_value *thresholds_build(nashc_rw *rw, thresholds *s, nashc_value *x);

/* --- layouts -------------------------------------------------------------------------------------
 */

/* Is n a transpose from channels-first to channels-last, or back (rank 3 or 4)? NULL n: false. */
bool layout_to_last(const nashc_node *n);
bool layout_to_first(const nashc_node *n);

/* Is v constant, or a quantiser of constants? Turned it has no layout that would say so: not what
 * data operands may be. */
bool layout_none(const nashc_value *v);

/* v in the other layout; a constant at once, of lower rank widened with leading 1s as it broadcasts
 * (a scalar stays), a quantiser of constants as a quantiser of permuted ones, all else by a
 * transpose. rank: 3 or 4, of what v is broadcast against. */
nashc_value *layout_last(nashc_rw *rw, nashc_value *v, int rank);
nashc_value *layout_first(nashc_rw *rw, nashc_value *v, int rank);

/* v, in row-major order, with shape and layout of type: v itself, or a reshape of it. */
nashc_value *layout_relabelled(nashc_rw *rw, nashc_value *v, const nashc_type *type);

/* Runs n channels-last: its data turns in front of it and back behind it, attributes follow the
 * axes. Transposes that are there already are undone or shared. False if n is channels-last, or,
 * with a miss, if it cannot be. Nothing turns the other way, so what only does this terminates. */
bool layout_channels_last(nashc_rw *rw, nashc_node *n);

/* The image [N,H,W,C] or [N,W,C] that v [N, C H W] is, by a transpose to channels-first and a
 * reshape; NULL if it is none. */
nashc_value *flatten_image(const nashc_value *v);

/* image as [N, H W C] for node n; a reshape in front of n that does it is shared. */
nashc_value *flatten_last(nashc_rw *rw, nashc_value *image, const nashc_node *n);

/* Constant v whose axis counts (c, h, w) of image, with it counting (h, w, c); v itself if the axis
 * is not that long. */
nashc_value *flatten_const(nashc_rw *rw, nashc_value *v, int axis, const nashc_value *image);

/* An element-wise op, or one with rows for each element, on a flattened image: run in front of the
 * transpose. False, with a miss where there is something to say, if n is none. Terminates: the
 * transpose moves towards the outputs. */
bool flatten_channels_last(nashc_rw *rw, nashc_node *n);

/* Rewrite of a convolution of either direction: conv(x * a, w) ==> conv(x, w) * a, for a scalar a.
 */
bool scalar_mul_past_conv(nashc_rw *rw, nashc_node *n);

#endif
