/* scaled.h: scaled-integer analysis and rebuild, shared by the files of this folder.
 *
 * The walk goes once through the imported graph M in topological order and notes for each value
 * what it is (si_val). Integer counterparts of M's nodes are built beside them as the walk goes;
 * nothing of M is edited until the end, when floats that are still needed are recomputed from the
 * integers.
 *
 *     base:  an integer tensor of the new graph; its value in M is s * i + b
 *     fun:   a value of M that is a function, element by element, of one base
 */
#ifndef NASHC_PASSES_SCALED_H
#define NASHC_PASSES_SCALED_H

#include <nashc/rewrite.h>

/* Array that is broadcast (numpy rules, aligned right) against a tensor; n == 1: a scalar. */
typedef struct si_arr {
    int rank;
    int64_t dim[NASHC_MAX_RANK], n;
    double *v;
} si_arr;

/* The MatMul or Conv that made a base, kept so that output channels can change their sign. */
typedef struct si_core {
    const char *op, *attrs;
    nashc_node *node;       /* of M */
    nashc_value *x, *w;     /* integer operands in the new graph */
    const nashc_tensor *wt; /* data of w */
    bool w_first;           /* w is operand 0 (matmul with the constant on the left) */
    int axis;               /* of ival, along which output channels lie */
    int64_t period, repeat; /* element k of w belongs to channel (k / repeat) % period */
} si_core;

typedef struct si_base si_base;
typedef struct si_val si_val;

#define SI_MAX_TERMS 8 /* integer tensors in one pending sum */

/* One step of a pending sum, in the order in which M adds: operands in front of their sum. */
typedef struct si_term {
    const si_val *x; /* leaf: affine on integers; else on the sum of the two values before it */
    double sign;     /* with which it enters its own sum */
} si_term;

struct si_base {
    nashc_value *ival;   /* NULL: a pending sum, see join.c */
    nashc_value *origin; /* value of M with the real number s * ival + b, before any via */
    si_arr s, b;         /* in the shape of ival */
    si_arr lo, hi;       /* interval of ival */
    si_core *core;
    si_base *below;   /* base before via; NULL: ival belongs to origin itself */
    nashc_node *via;  /* max pool or shape op of M that leads from below to here */
    int via_out;      /* which result of via */
    bool via_is_pool; /* else it moves elements */
    /* A pending sum of tensors whose scales have no small common unit: ival is NULL, and the value
     * of origin stands for the integer (s = 1, b = 0) until a user decides on multipliers. The sum
     * of all steps, n_left of which are those of the left operand. */
    const si_term *term;
    int n_term, n_left, n_leaf;
    si_base *exact;   /* with multipliers that are right for every user; NULL: none yet */
    si_base *pending; /* the pending sum that this base resolves */
};

typedef enum si_kind {
    SI_NONE,  /* not seen */
    SI_HOST,  /* a float of M (or an index), computed by M's own nodes */
    SI_CONST, /* known at compile time */
    SI_FUN    /* a function of base->ival */
} si_kind;

struct si_val {
    si_kind kind;
    si_base *base;
    bool affine; /* value = s * base->ival + b; if not, s and b are a guess that seeds searches */
    si_arr s, b; /* CONST with codes: value = s * codes + b */
    bool by_channel;     /* the function depends on the channel only, not on the position */
    bool mono;           /* never decreasing in dir * base->ival */
    si_arr dir;          /* -1, 0 (constant), 1 */
    nashc_tensor *codes; /* CONST: integers; NULL: only known */
    nashc_tensor *known; /* CONST: real values as M has them; computed on demand */
    si_val *other;       /* an affine form made for users that need one; NULL: none yet */
};

typedef struct si_float {
    nashc_value *old, *real; /* old's value recomputed from integers */
    nashc_value *same;       /* the integers themselves where they equal it; else NULL */
    struct si_float *next;
} si_float;

/* Counters of the pass. */
enum { SI_STAT_INTEGER, SI_STAT_FLOAT, SI_STAT_THRESHOLDS, SI_STAT_TABLES };

/* A node that was built, so that an equal one is not built again. */
typedef struct si_made {
    uint64_t hash;
    const char *op, *attrs;
    nashc_value *in[3], *out;
    struct si_made *next;
} si_made;

typedef struct si_state {
    nashc_run *run;
    nashc_ctx *ctx;
    nashc_diag *diag;
    nashc_arena *a;
    nashc_graph *g;
    nashc_build *b;
    si_val *val; /* by value id */
    uint32_t n_val;
    nashc_node *at; /* node of M being rebuilt */
    si_float *floats, **floats_end;
    si_made **made; /* n_made hash chains, a power of two */
    size_t n_made;
    nashc_tensor **owned; /* tensors to release at the end */
    int n_owned, cap_owned;
    const char *why; /* reason why the node at hand was left in float; NULL: none worth a word */
    nashc_status st; /* first failure that is not a mere refusal */
} si_state;

/* All si_* that return bool: false means that the node stays in float (why says it, if anything),
 * or that S->st is set. */

/* --- arr.c --- */
si_arr si_scalar(si_state *S, double v);
bool si_shape_arr(si_state *S, si_arr *out, int rank, const int64_t *dim); /* zeroed */
int64_t si_index(const si_arr *a, const nashc_type *t, int64_t e);
double si_at(const si_arr *a, const nashc_type *t, int64_t e);
bool si_zero(const si_arr *a);
bool si_all_eq(const si_arr *a, double v);
bool si_from_tensor(si_state *S, const nashc_tensor *t, si_arr *out); /* squeezed */
void si_squeeze(si_arr *a); /* dims along which nothing changes become 1 */
bool si_varies(const si_arr *a, const nashc_type *t, int axis);
bool si_channel_only(const si_arr *a, const nashc_type *t);
double si_channel(const si_arr *a, const nashc_type *t, int64_t c);
typedef double si_fn(double x, double y);
/* Shape to which both are broadcast; false: they do not fit. */
bool si_joint_shape(const si_arr *x, const si_arr *y, nashc_type *t);
/* All elements of t, unlike the results of the others, which are squeezed. */
bool si_spread(si_state *S, const si_arr *a, const nashc_type *t, si_arr *out);
bool si_zip(si_state *S, const si_arr *x, const si_arr *y, si_fn *f, si_arr *out);
double si_add(double x, double y);
double si_sub(double x, double y);
double si_mul(double x, double y);
double si_div(double x, double y);
double si_min(double x, double y);
double si_max(double x, double y);
double si_sgn_mul(double x, double y); /* x * sign(y) */
bool si_along(si_state *S, const si_arr *a, const nashc_type *t, int axis, si_arr *out);
bool si_gather(si_state *S, const si_arr *a, const nashc_type *from, const nashc_type *to,
               const int64_t *map, si_arr *out);
/* result has a single axis, the channel axis of t */
bool si_per_channel(si_state *S, const nashc_type *t, const double *v, si_arr *out);
/* values v_k = m_k * unit with integer m_k below max; false if there is no such unit */
bool si_common_unit(const double *v, int64_t n, double max, double *unit);
void *si_alloc(si_state *S, int64_t n, size_t size); /* arena; sets S->st when out */
bool si_fail(si_state *S, nashc_status st);
bool si_no(si_state *S, const char *why);

/* --- const.c --- */
nashc_tensor *si_ref(const nashc_tensor *t); /* one more reference to t */
nashc_tensor *si_own(si_state *S, nashc_tensor *t); /* released at the end; NULL sets S->st */
si_val *si_of(si_state *S, const nashc_value *v);
bool si_is_const(si_state *S, const nashc_value *v);
const nashc_tensor *si_known(si_state *S, nashc_value *v);
/* Integer codes with scale (offset 0) of a constant of M. */
bool si_codes(si_state *S, nashc_value *v, nashc_tensor **codes, si_arr *s);
bool si_const_node(si_state *S, nashc_node *n);
bool si_eval(si_state *S, const nashc_node *like, const char *op, const char *attrs,
             nashc_tensor *const *in, int n_in, int n_out, nashc_tensor **out);
nashc_tensor *si_int_tensor(si_state *S, const nashc_type *shape, const int64_t *v);

/* --- eltwise.c --- */
bool si_is_eltwise(const nashc_node *n);
bool si_eltwise(si_state *S, nashc_node *n);
bool si_monotone(si_state *S, const nashc_node *n, const nashc_value *v);
/* An affine form of v, if it has one or can be given one by an integer op. NULL: no. */
si_val *si_affine(si_state *S, nashc_value *v);

/* --- shape.c --- */
int64_t *si_index_map(si_state *S, const nashc_node *n, int out, const nashc_type *in);
bool si_shape_node(si_state *S, nashc_node *n);
bool si_maxpool(si_state *S, nashc_node *n);
bool si_pad(si_state *S, nashc_node *n);
bool si_concat(si_state *S, nashc_node *n);
/* Channel c of a tensor of type t: index of its first element. */
int64_t si_first_of_channel(const nashc_type *t, int64_t c);

/* --- core.c --- */
bool si_conv(si_state *S, nashc_node *n);
bool si_matmul(si_state *S, nashc_node *n);
bool si_sum_pool(si_state *S, nashc_node *n);

/* --- join.c --- */
bool si_join(si_state *S, nashc_node *n);

/* --- weights.c --- */

/* Integers of a sum: tensors with their scales; offsets by tensor, and that of the sum besides. */
typedef struct si_parts {
    int n;
    nashc_value *ival[SI_MAX_TERMS];
    si_arr s[SI_MAX_TERMS], b[SI_MAX_TERMS], rest;
} si_parts;

/* s[k] = m[k] u; bits: 0, or how many the rounded multipliers have where that is not exact. */
typedef struct si_weights {
    si_arr m[SI_MAX_TERMS], u;
    int bits;
} si_weights;

/* Exact where all multipliers are below max or the sum of integers is below limit, else rounded;
 * zero scales get multiplier zero. */
bool si_weigh(si_state *S, const si_parts *p, double max, double limit, si_weights *w);
/* The sum of weight[k] * ival[k]. */
nashc_value *si_emit_weighted(si_state *S, int n, nashc_value *const *ival, const si_arr *weight);

/* --- resolve.c --- */

/* x itself, or a twin of it on an integer base if its base is a pending sum. NULL: no. */
si_val *si_resolved(si_state *S, si_val *x);
/* The sum of m[k] times leaf k of a pending sum. */
nashc_value *si_emit_sum(si_state *S, const si_base *sum, const si_arr *m);
/* Warning that the multipliers of node n are rounded to so many bits. */
void si_warn_rounded(si_state *S, const nashc_node *n, const char *what, int bits,
                     const char *help);

/* --- rank.c --- */
bool si_rank_op(si_state *S, nashc_node *n);

/* --- base.c --- */
si_base *si_new_base(si_state *S, nashc_value *ival, nashc_value *origin, const si_arr *s,
                     const si_arr *b);
/* v of M becomes an affine function of base (which may be new). */
bool si_set_affine(si_state *S, nashc_value *v, si_base *base, const si_arr *s, const si_arr *b);
/* v = s * ival + b from here on. lo, hi: interval of ival, NULL: of its type. real: v as a float,
 * NULL: to be computed from ival. */
bool si_anchor(si_state *S, nashc_value *v, nashc_value *ival, const si_arr *s, const si_arr *b,
               const si_arr *lo, const si_arr *hi, si_core *core, nashc_value *real);
nashc_value *si_const_int(si_state *S, const si_arr *a);
nashc_value *si_const_real(si_state *S, const si_arr *a);
nashc_value *si_emit(si_state *S, const char *op, nashc_value *const *in, int n, const char *attrs);
/* ival * m, m integral and broadcast against it; ival itself where m is all 1 */
nashc_value *si_times(si_state *S, nashc_value *ival, const si_arr *m);
/* The base with ival multiplied by sign (-1 or 1) through other weights, behind moving ops too;
 * NULL: cannot, or S->st. */
si_base *si_flip_core(si_state *S, const si_base *base, const si_arr *sign);
/* The same by a multiplication. */
si_base *si_flip_mul(si_state *S, const si_base *base, const si_arr *sign);
/* Does v reach nothing but w, through values with one use each? */
bool si_leads_only_to(si_state *S, const nashc_value *v, const nashc_node *w);

/* --- lanes.c: tails evaluated as M does, many points at a time --- */

/* The tail from base to the codes of quantiser q, as one function of an integer for each lane:
 * lanes are the different ones among the elements of q's operand. base is that of the operand, or
 * one below it with nothing but pools between. per_channel: refuse if it varies otherwise. */
typedef struct si_lanes si_lanes;
si_lanes *si_lanes_create(si_state *S, si_base *base, nashc_node *q, bool per_channel);
void si_lanes_free(si_lanes *l);
int64_t si_lanes_count(const si_lanes *l);
int64_t si_lanes_span(const si_lanes *l); /* rows: 1, one a channel, or one an element */
int64_t si_lanes_of(const si_lanes *l, int64_t row);
double si_lanes_lo(const si_lanes *l, int64_t lane); /* interval of the integer */
double si_lanes_hi(const si_lanes *l, int64_t lane);
/* Element of the origin of base that the lane stands for. */
int64_t si_lanes_element(const si_lanes *l, int64_t lane);
/* About the least integer (in the direction of rising codes) that reaches code. False: no idea. */
bool si_lanes_guess(const si_lanes *l, int64_t lane, double code, double *n);
/* code[p * R + i]: the code for the point n[p * R + i] of lane idx[i] (NULL: i), R = n_idx. real:
 * points are values of the origin, not integers. */
bool si_lanes_eval(si_state *S, si_lanes *l, const int64_t *idx, int64_t n_idx, int64_t points,
                   const double *n, bool real, int64_t *code);

/* --- steps.c: the steps of a tail --- */

/* Codes of one lane over its interval. t[k]: least n, counted in the direction dir, that reaches
 * code cmin + k + 1; cmax - cmin of them. */
typedef struct si_step {
    int64_t lo, hi, cmin, cmax;
    int dir;        /* 1 up, -1 down, 0 constant, 2: neither, table holds all codes */
    int64_t *t;     /* heap */
    int64_t *table; /* heap; hi - lo + 1 codes */
} si_step;
/* One for each lane, on the heap; NULL: refused, or S->st. rises: the tail is monotone. */
si_step *si_steps_find(si_state *S, si_lanes *l, bool rises);
void si_steps_free(si_step *p, int64_t n);
/* The same in doubles, which are numbered in their order, for a tail that is monotone: p holds the
 * numbers of the ends. Refused if there are more than max steps. */
bool si_steps_real(si_state *S, si_lanes *l, si_step *p, int64_t max);
int64_t si_number_of(double v); /* 0 for 0; |v| below 2^500, and below 2^-500 only if 0 */
double si_real_of(int64_t number);

/* --- sums.c --- */

/* Steps of the tail of a pending sum in u = m[0] i[0] + m[1] i[1] + ... of its leaves, with the
 * smallest multipliers found that are right for all combinations of integers: m[k * lanes + lane].
 * rises: the tail is monotone. NULL: refused (too many combinations, no such multipliers), or
 * S->st. */
si_step *si_steps_of_sum(si_state *S, si_lanes *l, const si_base *sum, bool rises, int64_t *m);

/* --- multipliers.c --- */

/* Candidates for multipliers m[k] ~ s[k] / unit, few bits first. learn: si_multipliers_exclude will
 * be called for each that is wrong. */
typedef struct si_multipliers si_multipliers;
/* NULL: out of memory. */
si_multipliers *si_multipliers_create(const double *s, int n, bool learn);
void si_multipliers_free(si_multipliers *c);
/* False: no more. Adds to work what it took. */
bool si_multipliers_next(si_multipliers *c, int64_t *m, int64_t *work);
/* Remember that m must have a positive product with d; later candidates that do not are skipped. */
bool si_multipliers_exclude(si_multipliers *c, const int64_t *d); /* false: out of memory */

/* --- tail.c --- */
bool si_is_quantiser(const nashc_node *n);
bool si_quantiser(si_state *S, nashc_node *n);

#endif
