/* implied.c: quantisers that nobody calls so.
 *
 *     x / s, round, clip, * s      a hand-written fake quantiser        values 0, s, 2 s, ...
 *     floor(sum / 4)               a pool that rounds
 *     |x - y|, x > 0 ? x : x / 8   a function with kinks of one tensor
 *
 * A layer wants integers times a scale. Where its operand is a function of integers that is not
 * affine, its values may lie on a grid all the same. The grid is guessed from values at some
 * integers; then the thresholds are searched as for any quantiser, and every value that is
 * evaluated on the way must lie on the grid, those on both sides of each threshold included. A
 * monotone function that does so takes no value between; others are evaluated at all integers.
 */
#include "quantiser.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NO_GRID      "its operand is a function of integers that has no grid of its own"
#define MAX_MULTIPLE 65536.0 /* codes have up to 16 bits, and a sign */
#define FEW          1024    /* points of a variant, in the first and in the last attempt */
#define MANY         16384
#define MAX_CELLS    (1 << 22) /* of all variants */
#define MAX_PATH     64

/* --- points ------------------------------------------------------------------------------------
 */

/* Magnitude that the sum of x cannot exceed. */
static double
largest_sum(const si_tensor *sum)
{
    double most = 0;
    for (int k = 0; k < sum->n_term; k++) {
        const si_value *x = sum->term[k].x;
        double scale = 0, bias = 0, integer = 1;
        for (int64_t i = 0; i < x->scale.n; i++)
            scale = fmax(scale, fabs(x->scale.v[i]));
        for (int64_t i = 0; i < x->bias.n; i++)
            bias = fmax(bias, fabs(x->bias.v[i]));
        if (x->tensor->integer) {
            const nashc_type *t = nashc_value_type(x->tensor->integer);
            integer = fmax(fabs((double)t->lo), fabs((double)t->hi));
        }
        most += scale * integer + bias;
    }
    return most;
}

/* Point k of n in lo..hi: half of them evenly, the others nearer and nearer to where the function
 * changes most, and to the ends. */
static double
point(double lo, double hi, double middle, int64_t k, int64_t n)
{
    int64_t half = n / 2, j = k - half;
    double span = hi - lo;
    if (k < half)
        return lo + span * (double)k / (double)(half - 1);
    double far = ldexp(span, -(int)(j / 4 % 52)) * (1 + (double)(j / 208) / 8);
    double from = j % 4 == 0 ? lo : j % 4 == 1 ? hi : middle;
    double x = j % 4 == 0 || j % 4 == 2 ? from + far : from - far;
    return x < lo ? lo : x > hi ? hi : x;
}

/* Points of all variants, numbers of rows n; all integers where they are no more than that. */
static void
set_points(const si_chain *chain, int64_t n, double *x)
{
    bool real = !chain->tensor->integer;
    double most = real ? largest_sum(chain->tensor) : 0;
    for (int64_t i = 0; i < chain->n_variants; i++) {
        double lo = real ? -most : chain->lo[i], hi = real ? most : chain->hi[i];
        double middle =
            chain->guess_scale[i] != 0 ? -chain->guess_bias[i] / chain->guess_scale[i] : 0;
        for (int64_t k = 0; k < n; k++) {
            double at = !real && hi - lo < (double)n ? fmin(lo + (double)k, hi)
                                                     : point(lo, hi, middle, k, n);
            x[k * chain->n_variants + i] = real ? at : nearbyint(at);
        }
    }
}

/* --- the grid ----------------------------------------------------------------------------------
 */

/* Unit and offset of n values: multiples of the unit, or else a constant more. False: none. */
static bool
unit_of(double *v, int64_t n, double *unit, double *base)
{
    double least = v[0], most = v[0];
    for (int64_t i = 0; i < n; i++) {
        if (!isfinite(v[i]))
            return false;
        least = fmin(least, v[i]);
        most = fmax(most, v[i]);
    }
    *base = 0;
    if (si_common_unit(v, n, MAX_MULTIPLE, unit))
        return true;
    *base = least;
    for (int64_t i = 0; i < n; i++)
        v[i] -= least;
    return most > least && si_common_unit(v, n, MAX_MULTIPLE, unit);
}

/* by variant, as an array against the result of the quantiser */
static bool
by_row(si_job *job, const si_chain *chain, const double *v, si_array *out)
{
    const nashc_type *t = nashc_value_type(nashc_node_out(chain->quantiser, 0));
    int64_t n = nashc_type_count(t);
    if (chain->n_rows == 1) {
        *out = si_scalar(job, v[0]);
        return !si_failed(job);
    }
    double *row = si_alloc(job, chain->n_rows, sizeof(*row));
    for (int64_t r = 0; row && r < chain->n_rows; r++)
        row[r] = v[chain->variant_of[r]];
    if (!row || chain->n_rows != n)
        return row && si_per_channel(job, t, row, out);
    nashc_type full = nashc_type_shaped(nashc_type_f64(), t->rank, t->dim);
    if (!si_shape_array(job, out, full.rank, full.dim))
        return false;
    for (int64_t r = 0; r < n; r++)
        out->v[r] = row[r];
    si_squeeze(out);
    return true;
}

/* Scale and zero point of the values of a chain at n points. */
static bool
guess_grid(si_walk *walk, si_chain *chain, int64_t n, si_implied *grid)
{
    si_job *job = walk->job;
    int64_t all = chain->n_variants;
    double *x = malloc((size_t)(n * all) * sizeof(*x));
    double *v = malloc((size_t)(n * all) * sizeof(*v)), *one = malloc((size_t)n * sizeof(*one));
    double *scale = si_alloc(job, all, sizeof(*scale)), *zero = si_alloc(job, all, sizeof(*zero));
    bool ok = (x && v && one && scale && zero) || si_no_memory(job);
    if (ok)
        set_points(chain, n, x);
    ok = ok && si_chain_values(chain, n, x, !chain->tensor->integer, v);
    for (int64_t i = 0; ok && i < all; i++) {
        double base = 0;
        for (int64_t k = 0; k < n; k++)
            one[k] = v[k * all + i];
        ok = unit_of(one, n, &scale[i], &base) || si_no(job, NO_GRID);
        zero[i] = ok ? -base / scale[i] : 0;
    }
    free(x);
    free(v);
    free(one);
    return ok && by_row(job, chain, scale, &grid->scale) && by_row(job, chain, zero, &grid->zero);
}

/* The node that gives u as a quantiser on the grid that n points show. */
static bool
quantise_at(si_walk *walk, nashc_value *u, int64_t n)
{
    const si_value x = *si_of(walk, u);
    si_implied grid = {.node = nashc_value_def(u)};
    si_chain *chain = si_chain_create(walk, x.tensor, grid.node, false);
    bool ok = chain && chain->n_variants * n <= MAX_CELLS && guess_grid(walk, chain, n, &grid);
    si_chain_free(chain);
    if (!ok)
        return false;
    grid.known = true;
    walk->implied = &grid;
    si_grid codes = {grid.scale, grid.zero};
    ok = si_quantise(walk, grid.node, &x, &codes);
    walk->implied = NULL;
    return ok;
}

/* --- on the host -------------------------------------------------------------------------------
 */

/* What is known of a float that the host computes. */
typedef struct si_bounds {
    double lo, hi;
    bool whole; /* it is a whole number */
} si_bounds;

/* The number that operand i of n is everywhere; false: it is not one. */
static bool
one_number(si_walk *walk, const nashc_node *n, int i, double *c)
{
    const nashc_value *v = i < nashc_node_n_in(n) ? nashc_node_in(n, i) : NULL;
    const nashc_tensor *t = v && si_is_const(walk, v) ? si_known(walk, nashc_node_in(n, i)) : NULL;
    if (!t || nashc_tensor_count(t) < 1)
        return false;
    *c = nashc_tensor_get(t, 0);
    return nashc_tensor_all_eq(t, *c);
}

/* The larger (or the smaller) of x and c. */
static si_bounds
limited(si_bounds x, double c, bool larger)
{
    if (larger)
        return (si_bounds){fmax(x.lo, c), fmax(x.hi, c), x.whole && c == nearbyint(c)};
    return (si_bounds){fmin(x.lo, c), fmin(x.hi, c), x.whole && c == nearbyint(c)};
}

/* Bounds of the result of n, whose first operand has those of x. */
static si_bounds
bounds_behind(si_walk *walk, const nashc_node *n, si_bounds x)
{
    static const char *const rounding[] = {"nn.round", "nn.floor", "nn.ceil", NULL};
    static const char *const same[] = {"nn.identity", "nn.cast", NULL};
    double c;
    if (nashc_node_is_any(n, rounding))
        return (si_bounds){floor(x.lo), ceil(x.hi), true};
    if (nashc_node_is(n, "nn.sign"))
        return (si_bounds){-1, 1, true};
    if (nashc_node_is(n, "nn.relu"))
        return limited(x, 0, true);
    if (nashc_node_is(n, "nn.clip"))
        return limited(limited(x, nashc_node_float(n, "min"), true), nashc_node_float(n, "max"),
                       false);
    if ((nashc_node_is(n, "nn.max") || nashc_node_is(n, "nn.min")) && one_number(walk, n, 1, &c))
        return limited(x, c, nashc_node_is(n, "nn.max"));
    if (nashc_node_is_any(n, same))
        return x;
    if ((nashc_node_is(n, "nn.add") || nashc_node_is(n, "nn.sub")) && one_number(walk, n, 1, &c)) {
        c = nashc_node_is(n, "nn.sub") ? -c : c;
        return (si_bounds){x.lo + c, x.hi + c, x.whole && c == nearbyint(c)};
    }
    return (si_bounds){-INFINITY, INFINITY, false};
}

/* Bounds of v, from the ops right in front of it. */
static si_bounds
bounds_of(si_walk *walk, const nashc_value *v)
{
    const nashc_node *path[MAX_PATH];
    si_bounds b = {-INFINITY, INFINITY, false};
    int n = 0;
    for (const nashc_node *d = nashc_value_def(v);
         d && n < MAX_PATH && si_is_eltwise(d) && nashc_node_n_out(d) == 1;
         d = nashc_node_in(d, 0) ? nashc_value_def(nashc_node_in(d, 0)) : NULL)
        path[n++] = d;
    while (n--)
        b = bounds_behind(walk, path[n], b);
    return b;
}

/* The node of the host stays, its results are cast to integers, and the model reads those. */
bool
si_imply_on_host(si_walk *walk, nashc_node *n)
{
    nashc_value *y = nashc_node_out(n, 0), **in;
    int n_in = nashc_node_n_in(n);
    if (!si_is_eltwise(n) || nashc_node_n_out(n) != 1 || !nashc_type_is_float(nashc_value_type(y)))
        return false;
    si_bounds b = bounds_of(walk, y);
    if (!b.whole || !(b.hi - b.lo < MAX_MULTIPLE) || fabs(b.lo) > MAX_MULTIPLE ||
        !(in = si_alloc(walk->job, n_in, sizeof(*in))))
        return false;
    for (int i = 0; i < n_in; i++)
        in[i] = nashc_node_in(n, i);
    nashc_node *copy = nashc_build_like(walk->build, n, in, n_in);
    if (!copy)
        return si_fail(walk->job, nashc_build_status(walk->build));
    nashc_type t = nashc_type_for_range((int64_t)b.lo, (int64_t)b.hi);
    char text[NASHC_TYPE_STR_MAX];
    nashc_type_print(&t, text, sizeof text);
    text[strcspn(text, "[")] = 0;
    nashc_value *whole = nashc_node_out(copy, 0);
    nashc_value *codes =
        si_emit(walk, "nn.cast", &whole, 1, nashc_arena_printf(walk->job->arena, "to=%s", text));
    si_array one = si_scalar(walk->job, 1.0), zero = si_scalar(walk->job, 0.0);
    return codes && si_anchor(walk, y, codes, &one, &zero, NULL, NULL, NULL, NULL);
}

/* --- ops behind it -----------------------------------------------------------------------------
 */

/* Does the result of n stand for elements of its operand, moved or pooled? */
static bool
passes_on(const si_walk *walk, const nashc_node *n, const nashc_value *v)
{
    const si_tensor *tensor = si_of(walk, v)->tensor;
    return n && tensor && tensor->via == n;
}

/* The nodes between the grid and v, again. */
static bool
rebuild_path(si_walk *walk, nashc_node *const *path, int n)
{
    nashc_node *at = walk->node;
    bool ok = true;
    for (int k = n - 1; ok && k >= 0; k--) {
        walk->node = path[k];
        ok = si_rebuild(walk, path[k]);
    }
    walk->node = at;
    return ok;
}

/* The operand of n that is a function, but no affine one; NULL: none. */
static nashc_node *
curved_operand(const si_walk *walk, const nashc_node *n)
{
    for (int i = 0; i < nashc_node_n_in(n); i++) {
        const nashc_value *v = nashc_node_in(n, i);
        const si_value *x = v ? si_of(walk, v) : NULL;
        if (x && x->kind == SI_FUN && !x->affine)
            return nashc_value_def(v);
    }
    return NULL;
}

/* The function from which on the result of n has no grid: what rounds gives one, and a line through
 * it is no new function. */
static nashc_node *
source_of(const si_walk *walk, nashc_node *n)
{
    static const char *const rounds[] = {"nn.round", "nn.floor", "nn.ceil", "nn.sign", NULL};
    static const char *const lines[] = {"nn.mul",       "nn.div",  "nn.add",    "nn.sub", "nn.neg",
                                        "nn.batchnorm", "nn.cast", "q.dequant", NULL};
    nashc_node *source = n;
    for (n = curved_operand(walk, n); n && !nashc_node_is_any(n, rounds);
         n = curved_operand(walk, n)) {
        if (nashc_type_is_int(nashc_value_type(nashc_node_out(n, 0))))
            break;
        source = nashc_node_is_any(n, lines) ? source : n;
    }
    return source;
}

/* The trouble arises at that function, though only what reads it asks for a grid. */
static void
blame_source(si_walk *walk, nashc_node *n)
{
    const nashc_loc *loc = walk->node ? nashc_node_loc(walk->node) : NULL;
    n = source_of(walk, n);
    const char *reader = loc && loc->name ? loc->name
                         : walk->node     ? nashc_node_opname(walk->node)
                                          : "";
    const char *why = nashc_arena_printf(
        walk->job->arena,
        "what it gives lies on no grid of integers, and \"%s\" needs one: a quantiser between them "
        "gives it one",
        reader);
    if (why && !nashc_node_reason(n))
        nashc_node_set_reason(n, why);
}

bool
si_imply_quantiser(si_walk *walk, nashc_value *v)
{
    nashc_node *path[MAX_PATH];
    nashc_value *u = v;
    int n = 0;
    while (n < MAX_PATH && passes_on(walk, nashc_value_def(u), u)) {
        path[n++] = nashc_value_def(u);
        u = nashc_node_in(path[n - 1], 0);
    }
    si_value *x = si_of(walk, u);
    if (x->kind == SI_FUN && x->no_grid)
        return si_no(walk->job, NO_GRID);
    if (n == MAX_PATH || x->kind != SI_FUN || x->affine || !nashc_value_def(u))
        return false;
    x->no_grid = true;
    const char *why = walk->job->why;
    bool ok = quantise_at(walk, u, FEW);
    if (!ok && !si_failed(walk->job)) {
        walk->job->why = why;
        ok = quantise_at(walk, u, MANY);
    }
    if (ok)
        walk->job->why = why;
    else if (!si_failed(walk->job))
        blame_source(walk, nashc_value_def(u));
    /* Its values are computed from codes built here; nodes of the host may have read it before. */
    walk->unsorted = walk->unsorted || ok;
    return ok && rebuild_path(walk, path, n);
}
