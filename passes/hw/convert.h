/* convert.h: one node of the integer graph to one hardware layer. */
#ifndef NASHC_PASSES_HW_CONVERT_H
#define NASHC_PASSES_HW_CONVERT_H

#include "hw.h"

typedef struct hw_conv {
    nashc_run *r;
    nashc_arena *a;
    nashc_diag *d;
    nashc_build *b;    /* into the graph of layers */
    nashc_value **map; /* by value id of the integer graph: its stream */
    bool *done;        /* by node id: absorbed into an earlier layer */
    nashc_type bip;    /* the element of bipolar constants */
} hw_conv;

/* How one operator becomes layers. */
typedef struct hw_rule {
    const char *op;
    const char *(*why_not)(const nashc_node *n, nashc_arena *a); /* NULL: convert will do it */
    nashc_status (*convert)(hw_conv *c, nashc_node *n);
} hw_rule;

/* Each ends with {0}. */
extern const hw_rule hw_matmul_rules[], hw_conv_rules[], hw_threshold_rules[],
    hw_arithmetic_rules[], hw_reduce_rules[], hw_pad_rules[], hw_move_rules[];

/* NULL if n has a layer, else the first precondition that it misses; owned by a. */
const char *hw_why_not(const nashc_node *n, nashc_arena *a);

/* Emits the layer of n, for which hw_why_not was NULL; operands are in c->map, results go there. */
nashc_status hw_convert(hw_conv *c, nashc_node *n);

/* --- what the rules share ----------------------------------------------------------------------
 */

int64_t hw_attr(const nashc_node *n, const char *name);

bool hw_is_int(const nashc_value *v);

/* Does n only relabel the stream (hardware.md B.22)? */
bool hw_relabels(const nashc_node *n);

/* v as the stream of result 0 of n, with its name; NULL: building it failed. */
nashc_status hw_put(hw_conv *c, const nashc_node *n, nashc_value *v);

/* Integers as a constant [rows,cols] of element elem; NULL: the smallest that holds them. */
nashc_value *hw_matrix(hw_conv *c, const int64_t *v, int64_t rows, int64_t cols,
                       const nashc_type *elem);

/* Loops over the elements of a frame, outermost first: the operand of hw.window. */
typedef struct hw_loops {
    int n;
    int64_t dim[2 * NASHC_MAX_RANK], stride[2 * NASHC_MAX_RANK], offset;
} hw_loops;

/* The loops that give elements map[0 .. count-1]; false: there are none, or too many. */
bool hw_fit_loops(const int64_t *map, int64_t count, nashc_arena *a, hw_loops *out);

/* hw.window of x in rows of `channels`, called by its role; x itself if they give x. */
nashc_value *hw_put_loops(hw_conv *c, nashc_value *x, const hw_loops *nest, int64_t channels,
                          const char *role);

/* y[i][j].. = x[at[0][i]][at[1][j]]..: places along each axis, from[i] of x, n[i] of y. */
typedef struct hw_places {
    int rank;
    int64_t from[NASHC_MAX_RANK], n[NASHC_MAX_RANK], *at[NASHC_MAX_RANK];
    bool whole[NASHC_MAX_RANK]; /* one nest of loops gives them */
} hw_places;

/* The elements map of x that y has as places along each axis; false: they are none, or too many
 * runs. */
bool hw_fit_places(const int64_t *map, const nashc_type *x, const nashc_type *y, nashc_arena *a,
                   hw_places *out);

/* Layers for these places; NULL: building them failed. */
nashc_value *hw_put_places(hw_conv *c, nashc_value *x, const hw_places *p);

/* For an operator whose result consists of elements of operand 0. */
const char *hw_why_not_move(const nashc_node *n, nashc_arena *a);
nashc_status hw_convert_move(hw_conv *c, nashc_node *n);

/* A layer that multiplies: hw.mvau or hw.vvau with weights [mw,mh]. */
typedef struct hw_matmul {
    const char *op, *attrs;
    int64_t mw, mh, *w;
    int64_t inner; /* vectors whose results lie transposed in the tensor: [mh,inner] */
    bool bipolar;  /* every weight is 1 or -1 */
} hw_matmul;

/* Zeroed weights of u->mw rows; NULL: out of memory. */
int64_t *hw_new_weights(hw_conv *c, hw_matmul *u);
void hw_set_weight(hw_matmul *u, int64_t row, int64_t column, int64_t v);

/* The unit for result 0 of n, with the constant and the thresholds behind n that it can take over.
 */
nashc_status hw_put_matmul(hw_conv *c, nashc_node *n, nashc_value *x, const hw_matmul *u);

/* NULL if n joins an integer tensor and an integer constant, else why not. *count: elements of the
 * result after which the constant repeats, 1 for a scalar. Where out is given, *out is the constant
 * over these; NULL *out: no memory. */
const char *hw_constant_operand(const nashc_node *n, nashc_arena *a, int64_t **out, int64_t *count);

/* hw.channelwise of x with `count` constants; NULL: building it failed. */
nashc_value *hw_put_channelwise(hw_conv *c, nashc_value *x, const char *func, const int64_t *v,
                                int64_t count);

/* hw.pool of x, rows of so many channels. */
nashc_value *hw_put_pool(hw_conv *c, nashc_value *x, const char *func, const int64_t window[3],
                         int64_t channels);

/* The attribute for so many columns of a layer that reads x: 0 where x has them. */
int64_t hw_columns(const nashc_value *x, int64_t columns);

/* --- thresholds --------------------------------------------------------------------------------
 */

const char *hw_why_not_thresholds(const nashc_node *n, nashc_arena *a);

/* Thresholds as a layer holds them. */
typedef struct hw_thresholds {
    int64_t rows, n; /* n thresholds a row */
    int64_t *t;      /* ascending rows */
    int64_t *dir;    /* +1 or -1 a channel; NULL: all +1 */
    int64_t bias;
    bool bipolar;
    int64_t scale, offset; /* of what is counted, in layers behind */
} hw_thresholds;

/* Thresholds of q.multithreshold mt over integers in [lo, hi] of `channels` channels, to which
 * add[c] (NULL: nothing; n_add 1: for all) is added first: rounded up, moved, clipped to
 * [lo, hi + 1], steps that never or always fire in every channel dropped, equal rows merged. */
nashc_status hw_prepare_thresholds(const nashc_node *mt, const int64_t *add, int64_t n_add,
                                   int64_t channels, int64_t lo, int64_t hi, nashc_arena *a,
                                   hw_thresholds *out, nashc_diag *d);

nashc_value *hw_directions(hw_conv *c, const hw_thresholds *s, int64_t channels);
const char *hw_thresholds_text(hw_conv *c, const hw_thresholds *s);

/* offset + scale * v for the counts v of a layer with these thresholds. */
nashc_value *hw_put_affine(hw_conv *c, nashc_value *v, const hw_thresholds *s);

#endif
