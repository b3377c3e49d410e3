/* integer.h: scaled-integer analysis and rebuild, shared by the files of this folder.
 *
 * The walk goes once through the imported graph the model in topological order and notes for each
 * value what it is (si_val). Integer counterparts of the model's nodes are built beside them as the
 * walk goes; nothing of the model is edited until the end, when floats that are still needed are
 * recomputed from the integers.
 *
 *     tensor:  an integer tensor of the new graph; its value in the model is s * i + b
 *     fun:   a value of the model that is a function, element by element, of one tensor
 */
#ifndef NASHC_PASSES_INTEGER_H
#define NASHC_PASSES_INTEGER_H

#include <nashc/rewrite.h>

/* Array that is broadcast (numpy rules, aligned right) against a tensor; n == 1: a scalar. */
typedef struct si_array {
    int rank;
    int64_t dim[NASHC_MAX_RANK], n;
    double *v;
} si_array;

/* The MatMul or Conv that made a tensor, kept so that output channels can change their sign. */
typedef struct si_products_layer {
    const char *op, *attrs;
    nashc_node *node;       /* of the model */
    nashc_value *x, *w;     /* integer operands in the new graph */
    const nashc_tensor *wt; /* data of w */
    bool w_first;           /* w is operand 0 (matmul with the constant on the left) */
    int axis;               /* of ival, along which output channels lie */
    int64_t period, repeat; /* element k of w belongs to channel (k / repeat) % period */
} si_products_layer;

typedef struct si_tensor si_tensor;
typedef struct si_val si_val;

#define SI_MAX_TERMS 8 /* integer tensors in one pending sum */

/* One step of a pending sum, in the order in which the model adds: operands in front of their sum.
 */
typedef struct si_term {
    const si_val *x; /* leaf: affine on integers; else on the sum of the two values before it */
    double sign;     /* with which it enters its own sum */
} si_term;

struct si_tensor {
    nashc_value *ival;   /* NULL: a pending sum, see add.c */
    nashc_value *origin; /* value of the model with the real number s * ival + b, before any via */
    si_array s, b;       /* in the shape of ival */
    si_array lo, hi;     /* interval of ival */
    si_products_layer *layer;
    si_tensor *before_via; /* tensor before via; NULL: ival belongs to origin itself */
    nashc_node *via;  /* max pool or shape op of the model that leads from before_via to here */
    int via_out;      /* which result of via */
    bool via_is_pool; /* else it moves elements */
    /* A pending sum of tensors whose scales have no small common unit: ival is NULL, and the value
     * of origin stands for the integer (s = 1, b = 0) until a user decides on multipliers. The sum
     * of all steps, n_left of which are those of the left operand. */
    const si_term *term;
    int n_term, n_left, n_leaf;
    si_tensor *exact;   /* with multipliers that are right for every user; NULL: none yet */
    si_tensor *pending; /* the pending sum that this tensor resolves */
};

typedef enum si_kind {
    SI_NONE,  /* not seen */
    SI_HOST,  /* a float of the model (or an index), computed by the model's own nodes */
    SI_CONST, /* known at compile time */
    SI_FUN    /* a function of tensor->ival */
} si_kind;

struct si_val {
    si_kind kind;
    si_tensor *tensor;
    bool affine; /* value = s * tensor->ival + b; if not, s and b are a guess that seeds searches */
    si_array s, b;       /* CONST with codes: value = s * codes + b */
    bool by_channel;     /* the function depends on the channel only, not on the position */
    bool mono;           /* never decreasing in dir * tensor->ival */
    si_array dir;        /* -1, 0 (constant), 1 */
    nashc_tensor *codes; /* CONST: integers; NULL: only known */
    nashc_tensor *known; /* CONST: real values as the model has them; computed on demand */
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
    nashc_node *at; /* node of the model being rebuilt */
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

/* --- array.c --- */
si_array si_scalar(si_state *S, double v);
bool si_shape_array(si_state *S, si_array *out, int rank, const int64_t *dim); /* zeroed */
int64_t si_index(const si_array *a, const nashc_type *t, int64_t e);
double si_at(const si_array *a, const nashc_type *t, int64_t e);
bool si_zero(const si_array *a);
bool si_all_eq(const si_array *a, double v);
bool si_from_tensor(si_state *S, const nashc_tensor *t, si_array *out); /* squeezed */
void si_squeeze(si_array *a); /* dims along which nothing changes become 1 */
bool si_varies(const si_array *a, const nashc_type *t, int axis);
bool si_channel_only(const si_array *a, const nashc_type *t);
double si_channel(const si_array *a, const nashc_type *t, int64_t c);
typedef double si_fn(double x, double y);
/* Shape to which both are broadcast; false: they do not fit. */
bool si_joint_shape(const si_array *x, const si_array *y, nashc_type *t);
/* All elements of t, unlike the results of the others, which are squeezed. */
bool si_spread(si_state *S, const si_array *a, const nashc_type *t, si_array *out);
bool si_zip(si_state *S, const si_array *x, const si_array *y, si_fn *f, si_array *out);
double si_add(double x, double y);
double si_sub(double x, double y);
double si_mul(double x, double y);
double si_div(double x, double y);
double si_min(double x, double y);
double si_max(double x, double y);
double si_sgn_mul(double x, double y); /* x * sign(y) */
bool si_along(si_state *S, const si_array *a, const nashc_type *t, int axis, si_array *out);
bool si_gather(si_state *S, const si_array *a, const nashc_type *from, const nashc_type *to,
               const int64_t *map, si_array *out);
/* result has a single axis, the channel axis of t */
bool si_per_channel(si_state *S, const nashc_type *t, const double *v, si_array *out);
/* values v_k = m_k * unit with integer m_k before_via max; false if there is no such unit */
bool si_common_unit(const double *v, int64_t n, double max, double *unit);
void *si_alloc(si_state *S, int64_t n, size_t size); /* arena; sets S->st when out */
bool si_fail(si_state *S, nashc_status st);
bool si_no(si_state *S, const char *why);

/* --- const.c --- */
nashc_tensor *si_ref(const nashc_tensor *t);         /* one more reference to t */
nashc_tensor *si_keep(si_state *S, nashc_tensor *t); /* released at the end; NULL sets S->st */
si_val *si_of(si_state *S, const nashc_value *v);
bool si_is_const(si_state *S, const nashc_value *v);
const nashc_tensor *si_known(si_state *S, nashc_value *v);
/* Integer codes with scale (offset 0) of a constant of the model. */
bool si_const_codes(si_state *S, nashc_value *v, nashc_tensor **codes, si_array *s);
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

/* --- moves.c, index_map.c --- */
int64_t *si_index_map(si_state *S, const nashc_node *n, int out, const nashc_type *in);
bool si_shape_node(si_state *S, nashc_node *n);
bool si_maxpool(si_state *S, nashc_node *n);
bool si_pad(si_state *S, nashc_node *n);
bool si_concat(si_state *S, nashc_node *n);
/* Channel c of a tensor of type t: index of its first element. */
int64_t si_first_of_channel(const nashc_type *t, int64_t c);

/* --- products_layer.c --- */
bool si_conv(si_state *S, nashc_node *n);
bool si_matmul(si_state *S, nashc_node *n);
bool si_sum_pool(si_state *S, nashc_node *n);

/* --- add.c --- */
bool si_add_node(si_state *S, nashc_node *n);

/* --- common_scale.c --- */

/* Integers of a sum: tensors with their scales; offsets by tensor, and that of the sum besides. */
typedef struct si_parts {
    int n;
    nashc_value *ival[SI_MAX_TERMS];
    si_array s[SI_MAX_TERMS], b[SI_MAX_TERMS], rest;
} si_parts;

/* s[k] = m[k] u; bits: 0, or how many the rounded multipliers have where that is not exact. */
typedef struct si_common_scale {
    si_array m[SI_MAX_TERMS], u;
    int bits;
} si_common_scale;

/* Exact where all multipliers are before_via max or the sum of integers is before_via limit, else
 * rounded; zero scales get multiplier zero. */
bool si_find_common_scale(si_state *S, const si_parts *p, double max, double limit,
                          si_common_scale *w);
/* The sum of weight[k] * ival[k]. */
nashc_value *si_emit_weighted(si_state *S, int n, nashc_value *const *ival, const si_array *weight);

/* --- sum_fallback.c --- */

/* x itself, or a twin of it on an integer tensor if its tensor is a pending sum. NULL: no. */
si_val *si_with_fallback(si_state *S, si_val *x);
/* The sum of m[k] times leaf k of a pending sum. */
nashc_value *si_emit_sum(si_state *S, const si_tensor *sum, const si_array *m);
/* Warning that the multipliers of node n are rounded to so many bits. */
void si_warn_rounded(si_state *S, const nashc_node *n, const char *what, int bits,
                     const char *help);

/* --- argmax.c --- */
bool si_argmax(si_state *S, nashc_node *n);

/* --- tensor.c --- */
si_tensor *si_new_tensor(si_state *S, nashc_value *ival, nashc_value *origin, const si_array *s,
                         const si_array *b);
/* v of the model becomes an affine function of tensor (which may be new). */
bool si_set_affine(si_state *S, nashc_value *v, si_tensor *tensor, const si_array *s,
                   const si_array *b);
/* v = s * ival + b from here on. lo, hi: interval of ival, NULL: of its type. real: v as a float,
 * NULL: to be computed from ival. */
bool si_anchor(si_state *S, nashc_value *v, nashc_value *ival, const si_array *s, const si_array *b,
               const si_array *lo, const si_array *hi, si_products_layer *layer, nashc_value *real);
nashc_value *si_const_int(si_state *S, const si_array *a);
nashc_value *si_const_real(si_state *S, const si_array *a);
nashc_value *si_emit(si_state *S, const char *op, nashc_value *const *in, int n, const char *attrs);
/* ival * m, m integral and broadcast against it; ival itself where m is all 1 */
nashc_value *si_times(si_state *S, nashc_value *ival, const si_array *m);
/* The tensor with ival multiplied by sign (-1 or 1) through other weights, behind moving ops too;
 * NULL: cannot, or S->st. */
si_tensor *si_flip_weights(si_state *S, const si_tensor *tensor, const si_array *sign);
/* The same by a multiplication. */
si_tensor *si_flip_mul(si_state *S, const si_tensor *tensor, const si_array *sign);
/* Does v reach nothing but w, through values with one use each? */
bool si_leads_only_to(si_state *S, const nashc_value *v, const nashc_node *w);

/* --- chain.c: chains evaluated as the model does, many points at a time --- */

/* The chain from tensor to the codes of quantiser q, as one function of an integer for each
 * variant: variants are the different ones among the elements of q's operand. tensor is that of the
 * operand, or one before_via it with nothing but pools between. per_channel: refuse if it varies
 * otherwise. */
typedef struct si_chain si_chain;
si_chain *si_chain_create(si_state *S, si_tensor *tensor, nashc_node *q, bool per_channel);
void si_chain_free(si_chain *l);
int64_t si_chain_variants(const si_chain *l);
int64_t si_chain_rows(const si_chain *l); /* rows: 1, one a channel, or one an element */
int64_t si_chain_variant_of(const si_chain *l, int64_t row);
double si_chain_lo(const si_chain *l, int64_t variant); /* interval of the integer */
double si_chain_hi(const si_chain *l, int64_t variant);
/* Element of the origin of tensor that the variant stands for. */
int64_t si_chain_element(const si_chain *l, int64_t variant);
/* About the least integer (in the direction of rising codes) that reaches code. False: no idea. */
bool si_chain_guess(const si_chain *l, int64_t variant, double code, double *n);
/* code[p * R + i]: the code for the point n[p * R + i] of variant idx[i] (NULL: i), R = n_idx.
 * real: points are values of the origin, not integers. */
bool si_chain_eval(si_state *S, si_chain *l, const int64_t *idx, int64_t n_idx, int64_t points,
                   const double *n, bool real, int64_t *code);

/* --- threshold_search.c: the steps of a chain --- */

/* Codes of one variant over its interval. t[k]: least n, counted in the direction dir, that reaches
 * code cmin + k + 1; cmax - cmin of them. */
typedef struct si_thresholds {
    int64_t lo, hi, cmin, cmax;
    int dir;        /* 1 up, -1 down, 0 constant, 2: neither, table holds all codes */
    int64_t *t;     /* heap */
    int64_t *table; /* heap; hi - lo + 1 codes */
} si_thresholds;
/* One for each variant, on the heap; NULL: refused, or S->st. rises: the chain is monotone. */
si_thresholds *si_thresholds_find(si_state *S, si_chain *l, bool rises);
void si_thresholds_free(si_thresholds *p, int64_t n);
/* The same in doubles, which are numbered in their order, for a chain that is monotone: p holds the
 * numbers of the ends. Refused if there are more than max steps. */
bool si_thresholds_real(si_state *S, si_chain *l, si_thresholds *p, int64_t max);
int64_t si_number_of(double v); /* 0 for 0; |v| before_via 2^500, and before_via 2^-500 only if 0 */
double si_real_of(int64_t number);

/* --- sum_search.c --- */

/* Steps of the chain of a pending sum in u = m[0] i[0] + m[1] i[1] + ... of its leaves, with the
 * smallest multipliers found that are right for all combinations of integers: m[k * variants +
 * variant]. rises: the chain is monotone. NULL: refused (too many combinations, no such
 * multipliers), or S->st. */
si_thresholds *si_thresholds_of_sum(si_state *S, si_chain *l, const si_tensor *sum, bool rises,
                                    int64_t *m);

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

/* --- quantiser.c --- */
bool si_is_quantiser(const nashc_node *n);
bool si_quantiser(si_state *S, nashc_node *n);

#endif
