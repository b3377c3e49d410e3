/* lower.h: what the lowering rules of the built-in operators share (nashc/lower.h says what a rule
 * is). One file a family of operators; a rule is a pair why_not_X and convert_X.
 */
#ifndef NASHC_PASSES_HW_LOWER_H
#define NASHC_PASSES_HW_LOWER_H

#include <nashc/lower.h>

static inline bool
lower_is_int(const nashc_value *v)
{
    return v && nashc_type_is_int(nashc_value_type(v));
}

/* --- loops.c, moves.c, moves_by_axis.c: elements of a tensor in another order --------------------
 */

/* Does n leave the elements and their order as they are? Then it takes no layer. */
bool lower_relabels(const nashc_node *n);

/* Loops over the elements of a frame, outermost first: the operand of hw.window. */
typedef struct lower_loops {
    int n;
    int64_t dim[2 * NASHC_MAX_RANK], stride[2 * NASHC_MAX_RANK], offset;
} lower_loops;

/* The loops that give elements map[0 .. count-1]; false: there are none, or too many. */
bool lower_fit_loops(const int64_t *map, int64_t count, nashc_arena *a, lower_loops *out);

/* hw.window of x in rows of `channels`, called by its role; x itself if they give x. */
nashc_value *lower_put_loops(nashc_lower *l, nashc_value *x, const lower_loops *nest,
                             int64_t channels, const char *role);

/* y[i][j].. = x[at[0][i]][at[1][j]]..: places along each axis, from[i] of x, n[i] of y. */
typedef struct lower_places {
    int rank;
    int64_t from[NASHC_MAX_RANK], n[NASHC_MAX_RANK], *at[NASHC_MAX_RANK];
    bool whole[NASHC_MAX_RANK]; /* one nest of loops gives them */
} lower_places;

/* The elements map of x that y has as places along each axis; false: they are none, or too many
 * runs. */
bool lower_fit_places(const int64_t *map, const nashc_type *x, const nashc_type *y, nashc_arena *a,
                      lower_places *out);

/* Layers for these places; NULL: building them failed. */
nashc_value *lower_put_places(nashc_lower *l, nashc_value *x, const lower_places *p);

/* For an operator whose result consists of elements of operand 0. */
const char *lower_why_not_move(const nashc_node *n, nashc_arena *a);
nashc_status lower_convert_move(nashc_lower *l, nashc_node *n);

/* --- matmul.c: products --------------------------------------------------------------------------
 */

/* A layer that multiplies: hw.mvau or hw.vvau with weights [mw,mh]. */
typedef struct lower_mvau {
    const char *op, *attrs;
    int64_t mw, mh, *w;
    int64_t inner; /* vectors whose results lie transposed in the tensor: [mh,inner] */
    bool bipolar;  /* every weight is 1 or -1 */
} lower_mvau;

/* Zeroed weights of m->mw rows; NULL: out of memory. */
int64_t *lower_new_weights(nashc_lower *l, lower_mvau *m);
void lower_set_weight(lower_mvau *m, int64_t row, int64_t column, int64_t v);

/* The layer for result 0 of n, and for the constant added and the thresholds behind n where it can
 * take these over. */
nashc_status lower_put_mvau(nashc_lower *l, nashc_node *n, nashc_value *x, const lower_mvau *m);

/* NULL if n joins an integer tensor and an integer constant, else why not. *count: elements of the
 * result after which the constant repeats, 1 for a scalar. Where out is given, *out is the constant
 * over these; NULL *out: no memory. */
const char *lower_constant_operand(const nashc_node *n, nashc_arena *a, int64_t **out,
                                   int64_t *count);

/* --- layer.c -------------------------------------------------------------------------------------
 */

/* hw.channelwise of x with `count` constants; NULL: building it failed. */
nashc_value *lower_put_channelwise(nashc_lower *l, nashc_value *x, const char *func,
                                   const int64_t *v, int64_t count);

/* hw.pool of x, rows of so many channels. */
nashc_value *lower_put_pool(nashc_lower *l, nashc_value *x, const char *func,
                            const int64_t window[3], int64_t channels);

/* The attribute for so many columns of a layer that reads x: 0 where x has them. */
int64_t lower_columns(const nashc_value *x, int64_t columns);

/* --- threshold.c, threshold_table.c
 * --------------------------------------------------------------------------------
 */

const char *lower_why_not_thresholds(const nashc_node *n, nashc_arena *a);

/* Thresholds as a layer holds them. */
typedef struct lower_thresholds {
    int64_t rows, n; /* n thresholds a row */
    int64_t *t;      /* ascending rows */
    int64_t *dir;    /* +1 or -1 a channel; NULL: all +1 */
    int64_t bias;
    bool bipolar;
    int64_t scale, offset; /* of what is counted, in layers behind */
} lower_thresholds;

/* Thresholds of q.multithreshold mt over integers in [lo, hi] of `channels` channels, to which
 * add[c] (NULL: nothing; n_add 1: for all) is added first: rounded up, moved, clipped to
 * [lo, hi + 1], steps that never or always fire in every channel dropped, equal rows merged. */
nashc_status lower_prepare_thresholds(const nashc_node *mt, const int64_t *add, int64_t n_add,
                                      int64_t channels, int64_t lo, int64_t hi, nashc_arena *a,
                                      lower_thresholds *out, nashc_diag *d);

/* A direction for each channel as a constant; NULL: all count upwards, or building it failed. */
nashc_value *lower_directions(nashc_lower *l, const lower_thresholds *s, int64_t channels);

/* The attributes of the layer with these thresholds. */
const char *lower_thresholds_text(nashc_lower *l, const lower_thresholds *s);

/* offset + scale * v for the counts v of a layer with these thresholds. */
nashc_value *lower_put_affine(nashc_lower *l, nashc_value *v, const lower_thresholds *s);

#endif
