/* integer.h: how scaled-integer works, and what its files share.
 *
 * THE IDEA. A quantised network is trained with floats that lie on grids: each is a scale times an
 * integer, plus a bias. The pass finds the integers. It does not move constants around; it walks
 * the imported graph ("the model") once, in topological order, notes for every value what it is
 * (si_value), and builds the integer graph beside the model as it goes. Nothing of the model is
 * edited until the end, when floats that someone still reads are recomputed from integers.
 *
 * WORDS
 *
 *     tensor           an integer tensor of the new graph with what it stands for in the model:
 *                      real = scale * integer + bias, and an interval for each channel, from the
 *                      actual weights (si_tensor)
 *     constant         a value known at compile time; weights also as integer codes with a scale
 *     host             a float that the model's own nodes compute: what lies in front of the first
 *                      quantiser, and what has no rule
 *     function         any other value: element by element a function of ONE tensor; affine (then
 *                      layers can use it), monotone, or neither
 *     products layer   a convolution or matrix product, kept with its tensor so that output
 *                      channels can change their sign through the weights (si_products_layer)
 *     chain            the model's element-wise nodes from a tensor to a quantiser (chain.h)
 *     thresholds       the integers at which the code of a chain steps (threshold_search.h)
 *     common scale     one unit for several scales: s1 = m1 u, s2 = m2 u with small integers m
 *     pending sum      a sum of tensors whose scales have no small common scale. It has no integer
 *                      yet: who reads it decides on the multipliers (sum_search.h for a quantiser,
 *                      sum_fallback.c for the rest)
 *
 * ONE NETWORK (tests/passes/scaled_integer_example.nashir; the pass gives these numbers)
 *
 *     x: u2[2]   a = 0.5 x   w = quant([0.75, -0.25], scale 0.25)   m = a w
 *     n = batchnorm(m, gamma 2, beta -0.25)   r = relu(n)   y = quant(r, scale 0.5, codes 0..3)
 *
 *     a  is affine on tensor x:  scale 0.5, bias 0; nothing is built
 *     w  is constant:            codes [3, -1], scale 0.25
 *     m  products layer:         i = 3 x0 - x1, interval -3..9 (0 - 3 to 9 - 0), scale 0.5 * 0.25
 *     n  affine on i:            0.25 i - 0.25
 *     r  function of i:          not affine any more, monotone
 *     y  quantiser; chain i -> 0.125 i -> n -> r -> y, run as the model runs it for i = -3..9:
 *
 *            i        -3..1   2     3   4     5   6     7   8     9
 *            r / 0.5   0      0.5   1   1.5   2   2.5   3   3.5   4
 *            code      0      0     1   2     2   2     3   3     3      (half to even, clamped)
 *
 *        thresholds 3, 4, 7. i = 2 is a tie that goes down, 4 one that goes up, 6 one that goes
 *        down: no formula with a rounded division gives that for all scales, evaluation does.
 *
 *     new graph: i = matmul(x, [3, -1]); code = multithreshold(i, [3, 4, 7]); y = 0.5 code
 *
 * THE WALK (scaled_integer.c). For each node of the model: all operands constant: so are the
 * results (const_fold.c). A quantiser: quantiser.c. An operator with a rule, an impl of the
 * interface "scaled-integer" (<nashc/integer.h>): that. Else by kind, from the operator's flags:
 * element-wise ones make functions of functions (eltwise.c), moving ones move integers, scales and
 * intervals alike (moves.c). What is left stays on the host, with the reason for --explain.
 *
 * FILES. Pure, with a job and nothing of the walk: array, evaluate, channel_index, multipliers,
 * threshold_search, sum_search (with sum_operands, sum_table), products, class_scores; each can be
 * read alone, and has a test of its name in tests/unit. The rest takes the walk, which is
 * called `walk` everywhere, and `job` is its job. `n` is the node of the model, `x` an operand, `y`
 * the result.
 *
 * A function that returns bool says false where it refuses or the job has failed (job.h).
 */
#ifndef NASHC_PASSES_INTEGER_INTEGER_H
#define NASHC_PASSES_INTEGER_INTEGER_H

#include <nashc/integer.h>
#include <nashc/rewrite.h>

#include "array.h"
#include "channel_index.h"
#include "evaluate.h"
#include "multipliers.h"

typedef struct nashc_integer_walk si_walk;
typedef struct si_tensor si_tensor;
typedef struct nashc_integer_form si_value;

/* --- tensors -----------------------------------------------------------------------------------
 */

/* The products layer that made a tensor. */
typedef struct si_products_layer {
    const char *op, *attrs;
    nashc_node *node;             /* of the model */
    nashc_value *x, *w;           /* integer operands in the new graph */
    const nashc_tensor *w_tensor; /* data of w */
    bool w_first;                 /* w is operand 0 (matmul with the constant on the left) */
    int axis;                     /* of the result, along which output channels lie */
    int64_t period, repeat;       /* element k of w belongs to channel (k / repeat) % period */
} si_products_layer;

/* One term of a pending sum, in the order in which the model adds: operands in front of their sum.
 */
typedef struct si_term {
    const si_value *x; /* leaf: affine on integers; else on the sum of the two values before it */
    double sign;       /* with which it enters its own sum */
} si_term;

struct si_tensor {
    nashc_value *integer; /* NULL: a pending sum */
    nashc_value *origin;  /* value of the model with the real number, before any via */
    si_array scale, bias; /* in the shape of integer */
    si_array lo, hi;      /* interval of integer */
    si_products_layer *layer;
    /* Where a max pool or moving op of the model, via, leads from another tensor to this one. */
    si_tensor *source; /* NULL: integer belongs to origin itself */
    nashc_node *via;
    int via_out;      /* which result of via */
    bool via_is_pool; /* else it moves elements */
    /* Of a pending sum: the value of origin stands for the integer (scale 1, bias 0) until a user
     * decides on multipliers. The sum of all terms, n_left of which are those of the left operand.
     */
    const si_term *term;
    int n_term, n_left, n_leaf;
    si_tensor *exact;   /* with multipliers that are right for every user; NULL: none yet */
    si_tensor *pending; /* the pending sum that this tensor resolves */
};

/* A tensor that new integers make: scale and bias as given, the interval that of its type. */
si_tensor *si_new_tensor(si_job *job, nashc_value *integer, nashc_value *origin,
                         const si_array *scale, const si_array *bias);
/* The tensor with integer multiplied by sign (-1 or 1) through other weights, behind moving ops
 * too; NULL: cannot, or failed. */
si_tensor *si_flip_weights(si_walk *walk, const si_tensor *tensor, const si_array *sign);
/* The same by a multiplication. */
si_tensor *si_flip_mul(si_walk *walk, const si_tensor *tensor, const si_array *sign);
/* Does v reach nothing but reader, through values with one use each? */
bool si_leads_only_to(const nashc_value *v, const nashc_node *reader);

/* --- values ------------------------------------------------------------------------------------
 */

typedef enum si_kind {
    SI_NONE,  /* not seen */
    SI_HOST,  /* a float of the model (or an index), computed by the model's own nodes */
    SI_CONST, /* known at compile time */
    SI_FUN    /* a function of tensor->integer */
} si_kind;

struct nashc_integer_form {
    si_kind kind;
    bool behind;  /* HOST: computed from integers */
    bool no_grid; /* FUN: it was tried to find a grid for its values (implied.c) */
    si_tensor *tensor;
    bool affine;          /* scale * integer + bias; if not, they are a guess that seeds searches */
    si_array scale, bias; /* CONST with codes: value = scale * codes + bias */
    bool by_channel;      /* the function depends on the channel only, not on the position */
    bool monotone;        /* never decreasing in direction * integer */
    si_array direction;   /* -1, 0 (constant), 1 */
    nashc_tensor *codes;  /* CONST: integers; NULL: only known */
    nashc_tensor *known;  /* CONST: real values as the model has them; computed on demand */
    si_value *form;       /* an affine form made for users that need one; NULL: none yet */
};

si_value *si_of(const si_walk *walk, const nashc_value *v);
bool si_is_const(const si_walk *walk, const nashc_value *v);

/* --- the walk ----------------------------------------------------------------------------------
 */

typedef struct si_float {
    nashc_value *old, *real; /* old's value recomputed from integers */
    nashc_value *same;       /* the integers themselves where they equal it; else NULL */
    struct si_float *next;
} si_float;

/* A node that was built, so that an equal one is not built again. */
typedef struct si_made {
    uint64_t hash;
    const char *op, *attrs;
    nashc_value *in[3], *out;
    struct si_made *next;
} si_made;

/* A node whose results lie on a grid, though it is no quantiser: see implied.c. */
typedef struct si_implied {
    nashc_node *node;
    bool known;           /* the grid is: value = scale * (code - zero) */
    si_array scale, zero; /* against the result */
    double off_grid;      /* a value that was not on it */
} si_implied;

struct nashc_integer_walk {
    nashc_run *run;
    nashc_ctx *ctx;
    si_job *job;
    nashc_graph *graph;  /* the model, and the new nodes between its own */
    nashc_build *build;  /* in front of the next node of the model */
    si_value *value;     /* by id of the model's value; what is built has none */
    nashc_node *node;    /* of the model, being rebuilt */
    si_implied *implied; /* being quantised; NULL: none */
    bool unsorted;       /* what an earlier node reads may be built behind it */
    si_float *floats, **floats_end;
    si_made **made; /* n_made hash chains, a power of two */
    size_t n_made;
};

/* Counters of the pass. */
enum { SI_STAT_INTEGER, SI_STAT_FLOAT, SI_STAT_THRESHOLDS, SI_STAT_TABLES };

/* --- tensor.c, emit.c: what the walk writes ---------------------------------------------------
 */

/* v as an affine function of tensor (which may be new); the second makes it what v is. */
bool si_make_affine(si_job *job, const nashc_value *v, si_tensor *tensor, const si_array *scale,
                    const si_array *bias, si_value *out);
bool si_set_affine(si_walk *walk, nashc_value *v, si_tensor *tensor, const si_array *scale,
                   const si_array *bias);
/* v = scale * integer + bias from here on. lo, hi: interval of integer, NULL: of its type. real: v
 * as a float, NULL: to be computed from integer. layer may be NULL. */
bool si_anchor(si_walk *walk, nashc_value *v, nashc_value *integer, const si_array *scale,
               const si_array *bias, const si_array *lo, const si_array *hi,
               si_products_layer *layer, nashc_value *real);
/* Who reads v reads real; same NULL, or the integers that equal it. */
bool si_replace_float(si_walk *walk, nashc_value *v, nashc_value *real, nashc_value *same);
/* Result of a new node, or of an equal one that was built before. */
nashc_value *si_emit(si_walk *walk, const char *op, nashc_value *const *in, int n,
                     const char *attrs);
/* Constants in the shape of a; real: f32 where that holds the values, else f64. */
nashc_value *si_const_int(si_walk *walk, const si_array *a);
nashc_value *si_const_real(si_walk *walk, const si_array *a);
/* integer * m, m integral and broadcast against it; integer itself where m is all 1 */
nashc_value *si_times(si_walk *walk, nashc_value *integer, const si_array *m);

/* --- const.c, const_fold.c: constants ---------------------------------------------------------
 */

/* The real values of constant v, not rounded to float32. NULL: not constant, or failed. */
const nashc_tensor *si_known(si_walk *walk, nashc_value *v);
/* They as an array, squeezed; v NULL: the number absent. */
bool si_known_array(si_walk *walk, nashc_value *v, double absent, si_array *out);
/* Integer codes with scale (offset 0) of a constant of the model. */
bool si_const_codes(si_walk *walk, nashc_value *v, nashc_tensor **codes, si_array *scale);
/* The same of weights, whose outputs lie along axis: floats that a quantiser gave have a grid, too
 * (folded.c). */
bool si_weight_codes(si_walk *walk, nashc_value *v, int axis, nashc_tensor **codes,
                     si_array *scale);
/* All operands of n are constants: so are its results. */
bool si_const_node(si_walk *walk, nashc_node *n);

/* --- kinds.c -----------------------------------------------------------------------------------
 */

bool si_is_quantiser(const nashc_node *n);
bool si_is_eltwise(const nashc_node *n);
bool si_is_curve(const nashc_node *n);
bool si_is_moving(si_walk *walk, const nashc_node *n);
/* Is n, with constants but for operand at, never decreasing in that one? */
bool si_rises(si_walk *walk, const nashc_node *n, int at);
/* Is n, with constants but for operand v, a monotone function of it, in either direction? */
bool si_monotone(si_walk *walk, const nashc_node *n, const nashc_value *v);

/* --- eltwise.c, affine.c: functions -----------------------------------------------------------
 */

/* All dynamic operands of n are functions of one tensor: so is the result. */
bool si_eltwise(si_walk *walk, nashc_node *n);
/* An affine form of v, if it has one or can be given one by an integer op. NULL: no. */
si_value *si_affine(si_walk *walk, nashc_value *v);
/* The same for a relu or clip, with corners off the grid rounded and the warning `rounded-scales`:
 * for sums, whose terms need no grid in common. NULL: it is none, or the job has failed. */
si_value *si_nearly_affine(si_walk *walk, nashc_value *v);

/* --- moves.c, maxpool.c, pad.c, concat.c --------------------------------------------------------
 */

bool si_moving_node(si_walk *walk, nashc_node *n);
/* nashc_index_map of result out of n, with the constants that n has in the model. */
int64_t *si_map_of(si_walk *walk, const nashc_node *n, int out);
/* Intervals that differ by more than the channel are not worth thresholds of their own. */
void si_plain_interval(si_job *job, si_tensor *tensor, const nashc_type *t);
bool si_pad(si_walk *walk, nashc_node *n);
/* The integers of x, a tensor of type t, that stand for real values, as nn.pad takes them: one, or
 * a vector by channel. What is wrong, or NULL: nothing. */
const char *si_padding_fault(si_job *job, const si_value *x, const nashc_type *t,
                             const si_array *real, si_array *out);

/* --- add.c, common_scale.c, sum_fallback.c: sums ----------------------------------------------
 */

/* Sums, differences and products of tensors. */
bool si_add_node(si_walk *walk, nashc_node *n);

/* Integers of a sum: tensors with their scales; offsets by tensor, and that of the sum besides. */
typedef struct si_parts {
    int n;
    nashc_value *integer[SI_MAX_TERMS];
    si_array scale[SI_MAX_TERMS], bias[SI_MAX_TERMS], rest;
    bool is_sum[SI_MAX_TERMS]; /* its scale is a unit that was chosen for a sum in front of this */
} si_parts;

/* scale[k] = m[k] unit; bits: 0, or how many the rounded multipliers have where that is not exact.
 */
typedef struct si_common_scale {
    si_array m[SI_MAX_TERMS], unit;
    int bits;
} si_common_scale;

/* Exact where all multipliers are below max or the sum of integers is below limit, else rounded;
 * zero scales get multiplier zero. */
bool si_find_common_scale(si_job *job, const si_parts *parts, double max, double limit,
                          si_common_scale *common);
/* The sum of weight[k] * integer[k]. */
nashc_value *si_emit_weighted(si_walk *walk, int n, nashc_value *const *integer,
                              const si_array *weight);
/* The sum of m[k] times leaf k of a pending sum. */
nashc_value *si_emit_sum(si_walk *walk, const si_tensor *sum, const si_array *m);

/* x itself, or a twin of it on an integer tensor if its tensor is a pending sum. NULL: no. */
si_value *si_resolved(si_walk *walk, si_value *x);

/* --- scaled_integer.c, quantiser.c -------------------------------------------------------------
 */

/* The rule of n's operator; NULL: none. */
const nashc_integer_rule *si_rule_of(const si_walk *walk, const nashc_node *n);

bool si_quantiser(si_walk *walk, nashc_node *n);
/* The node of the model again, now that what an operand is has changed. */
bool si_rebuild(si_walk *walk, nashc_node *n);

/* --- implied.c --- */

/* v, a function of integers that is not affine, is on a grid of its own from here on, where its
 * values are. False: they are not, or failed. */
bool si_imply_quantiser(si_walk *walk, nashc_value *v);
/* The same for n of the host, in front of all integers: its results are small whole numbers. */
bool si_imply_on_host(si_walk *walk, nashc_node *n);

#endif
