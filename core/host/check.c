/* check.c: compares two graphs on corner and random inputs with the reference executor.
 *
 * Both are run in real-number meaning. Two results are equal when integers agree exactly and floats
 * within the rounding of their arithmetic. Where they are not, graph a is run again with what
 * double arithmetic rounded moved up, or down: values that lie on a boundary as far as doubles can
 * tell are not decided by graph a. Last, it is run with float32 rounding after each operator: if b
 * agrees with that, rounding had moved a value over a boundary. Such boundary cases are counted
 * apart; a few are allowed.
 */
#include "check_grid.h"
#include "host.h"
#include <math.h>
#include <string.h>

#define BOUNDARY_FRACTION 1e-4
#define EXACT_TOLERANCE   0x1p-16 /* of the largest output, for floats of exact passes */
#define INEXACT_TOLERANCE 1e-3
#define FLOAT32_STEP      0x1p-149 /* of the smallest floats, which outputs are rounded to */

/* --- filling --------------------------------------------------------------------------------- */

/* Runs 0 to 3 are corners: all low, all high, alternating, one high among zeros. They meet
 * overflows that random inputs hardly ever do. */
static int64_t
pick_int(const nashc_type *t, int k, int64_t i, int64_t hot, nashc_rng *rng)
{
    int64_t zero = t->lo > 0 ? t->lo : t->hi < 0 ? t->hi : 0;
    bool bip = t->kind == NASHC_K_BIP;
    switch (k) {
    case 0:
        return t->lo;
    case 1:
        return t->hi;
    case 2:
        return i % 2 ? t->hi : t->lo;
    case 3:
        return i == hot ? t->hi : bip ? t->lo : zero;
    default:
        break;
    }
    if (bip && t->lo != t->hi)
        return nashc_rng_range(rng, 0, 1) ? 1 : -1;
    return nashc_rng_range(rng, t->lo, t->hi);
}

static double
pick_float(double lo, double hi, int k, int64_t i, int64_t hot, nashc_rng *rng)
{
    switch (k) {
    case 0:
        return lo;
    case 1:
        return hi;
    case 2:
        return i % 2 ? hi : lo;
    case 3:
        return i == hot ? hi : lo <= 0 && hi >= 0 ? 0 : lo;
    default:
        return lo + (hi - lo) * nashc_rng_unit(rng);
    }
}

/* The same k and seed give the same buffer on all machines. Floats without bounds lie in -4..4. */
void
nashc_fill(nashc_buf *b, int k, uint64_t seed, const double *lo, const double *hi)
{
    nashc_rng rng;
    nashc_rng_seed(&rng, seed + (uint64_t)k);
    int64_t hot = b->n > 0 ? nashc_rng_range(&rng, 0, b->n - 1) : 0;
    bool real = nashc_type_is_float(&b->type);
    double from = lo ? *lo : -4, to = hi ? *hi : 4;
    for (int64_t i = 0; i < b->n; i++) {
        if (real)
            nashc_buf_set(b, i, pick_float(from, to, k, i, hot, &rng));
        else
            nashc_buf_set_int(b, i, pick_int(&b->type, k, i, hot, &rng));
    }
}

/* --- the comparison -------------------------------------------------------------------------- */

typedef struct compare {
    const nashc_module *a, *b;
    const nashc_graph *ga, *gb;
    const char *what;
    nashc_diag *diag;
    nashc_arena *arena;
    uint64_t seed;
    bool inexact;
    int n_in, n_out;
    check_grid *range; /* one an input */
    nashc_buf *in_a, *in_b;
    const nashc_buf **pa, **pb;
    int64_t n_elements; /* computed by a, over all runs */
    int64_t n_boundary; /* output elements that only float32 rounding of a explains */
    int64_t n_ties;     /* those that double arithmetic cannot decide */
} compare;

static void
count_elements(void *user, const nashc_value *v, nashc_buf *b)
{
    (void)v;
    ((compare *)user)->n_elements += b->n;
}

static nashc_status
differ(compare *c, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const char *text = nashc_arena_vprintf(c->arena, fmt, ap);
    va_end(ap);
    nashc_error(c->diag, NULL, "\"%s\" changed the interface: %s", c->what, text ? text : "");
    return NASHC_EMISMATCH;
}

/* By elements, not by shape: passes may reshape or turn layouts of inputs. */
static nashc_status
check_interface(compare *c)
{
    if (nashc_graph_n_inputs(c->gb) != c->n_in || nashc_graph_n_outputs(c->gb) != c->n_out)
        return differ(c, "%d inputs and %d outputs, were %d and %d", nashc_graph_n_inputs(c->gb),
                      nashc_graph_n_outputs(c->gb), c->n_in, c->n_out);
    for (int i = 0; i < c->n_in; i++) {
        const nashc_value *a = nashc_graph_input(c->ga, i), *b = nashc_graph_input(c->gb, i);
        if (nashc_type_count(nashc_value_type(a)) != nashc_type_count(nashc_value_type(b)))
            return differ(c, "input \"%s\" is %s, was %s", nashc_value_name(b),
                          nashc_type_str(c->diag, nashc_value_type(b)),
                          nashc_type_str(c->diag, nashc_value_type(a)));
    }
    for (int i = 0; i < c->n_out; i++) {
        const nashc_value *a = nashc_graph_output(c->ga, i), *b = nashc_graph_output(c->gb, i);
        if (nashc_type_count(nashc_value_type(a)) != nashc_type_count(nashc_value_type(b)))
            return differ(c, "output \"%s\" is %s, was %s", nashc_graph_output_name(c->gb, i),
                          nashc_type_str(c->diag, nashc_value_type(b)),
                          nashc_type_str(c->diag, nashc_value_type(a)));
    }
    return NASHC_OK;
}

static bool
has_unknown_shapes(const nashc_graph *g)
{
    for (int i = 0; i < nashc_graph_n_inputs(g); i++)
        if (!nashc_type_is_static(nashc_value_type(nashc_graph_input(g, i))))
            return true;
    return false;
}

static nashc_status
prepare(compare *c)
{
    size_t n = (size_t)c->n_in + 1;
    c->range = NASHC_NEW_N(c->arena, check_grid, n);
    c->in_a = NASHC_NEW_N(c->arena, nashc_buf, n);
    c->in_b = NASHC_NEW_N(c->arena, nashc_buf, n);
    c->pa = NASHC_NEW_N(c->arena, const nashc_buf *, n);
    c->pb = NASHC_NEW_N(c->arena, const nashc_buf *, n);
    if (!c->range || !c->in_a || !c->in_b || !c->pa || !c->pb)
        return nashc_enomem(c->diag);
    for (int i = 0; i < c->n_in; i++) {
        const nashc_value *a = nashc_graph_input(c->ga, i), *b = nashc_graph_input(c->gb, i);
        c->pa[i] = &c->in_a[i];
        c->pb[i] = &c->in_b[i];
        if (!nashc_buf_alloc(&c->in_a[i], nashc_value_type(a)) ||
            !nashc_buf_alloc(&c->in_b[i], nashc_value_type(b)))
            return nashc_enomem(c->diag);
        nashc_check_grid(c->ga, c->gb, i, c->arena, &c->range[i]);
    }
    return NASHC_OK;
}

/* Run k: the corners, then random; every second one of those on the grid of the quantiser. Both
 * graphs get the same numbers, though their input types may differ. */
static void
fill_input(compare *c, int i, int k)
{
    const check_grid *g = &c->range[i];
    nashc_buf *to = &c->in_b[i];
    uint64_t seed = c->seed + 1000003u * (uint64_t)i;
    double margin = g->only_grid ? 0 : 0.1 * (g->hi - g->lo);
    double lo = g->lo - margin, hi = g->hi + margin;
    if (nashc_type_is_float(&to->type) && nashc_type_is_float(&c->in_a[i].type)) {
        nashc_fill(to, k, seed, &lo, &hi);
        if (g->step > 0 && (g->only_grid || k < NASHC_CHECK_CORNERS || k % 2 == 0))
            for (int64_t e = 0; e < to->n; e++) {
                double step = nearbyint((nashc_buf_get(to, e) - g->at) / g->step);
                nashc_buf_set(to, e, g->at + step * g->step);
            }
    } else if (nashc_type_is_float(&to->type)) { /* a is the narrower one */
        nashc_fill(&c->in_a[i], k, seed, NULL, NULL);
        for (int64_t e = 0; e < to->n; e++)
            nashc_buf_set(to, e, nashc_buf_get(&c->in_a[i], e));
        return;
    } else {
        nashc_fill(to, k, seed, NULL, NULL);
    }
    bool integers = nashc_type_is_int(&to->type) && nashc_type_is_int(&c->in_a[i].type);
    for (int64_t e = 0; e < to->n; e++)
        if (integers) /* of more bits than a double has */
            nashc_buf_set_int(&c->in_a[i], e, nashc_buf_get_int(to, e));
        else
            nashc_buf_set(&c->in_a[i], e, nashc_buf_get(to, e));
}

static bool
close_enough(double x, double y, double tolerance)
{
    return x == y || fabs(x - y) <= tolerance || (isnan(x) && isnan(y));
}

/* Tolerance for output i: 0 for integers on both sides; else a part of the largest element, as sums
 * of large terms that cancel carry the rounding of those. */
static double
tolerance_of(const compare *c, const nashc_buf *x, const nashc_buf *y)
{
    double largest = 0;
    if (!nashc_type_is_float(&x->type) && !nashc_type_is_float(&y->type))
        return 0;
    for (int64_t e = 0; e < x->n; e++) {
        double v = fabs(nashc_buf_get(x, e));
        largest = isfinite(v) && v > largest ? v : largest;
    }
    return largest * (c->inexact ? INEXACT_TOLERANCE : EXACT_TOLERANCE) + FLOAT32_STEP;
}

static const char *
index_text(compare *c, const nashc_type *t, int64_t e)
{
    nashc_str s = {0};
    int64_t at[NASHC_MAX_RANK] = {0};
    for (int k = t->rank - 1; k >= 0; k--) {
        at[k] = t->dim[k] > 0 ? e % t->dim[k] : 0;
        e = t->dim[k] > 0 ? e / t->dim[k] : 0;
    }
    nashc_str_putc(&s, '[');
    for (int k = 0; k < t->rank; k++)
        nashc_str_printf(&s, k ? ",%" PRId64 : "%" PRId64, at[k]);
    nashc_str_putc(&s, ']');
    const char *out = s.data ? nashc_arena_strdup(c->arena, s.data) : NULL;
    nashc_str_free(&s);
    return out ? out : "[?]";
}

static const char *
run_text(compare *c, int k)
{
    static const char *const corners[NASHC_CHECK_CORNERS] = {"all low", "all high", "alternating",
                                                             "one-hot"};
    if (k < NASHC_CHECK_CORNERS)
        return corners[k];
    const char *s = nashc_arena_printf(c->arena, "random %d", k - NASHC_CHECK_CORNERS);
    return s ? s : "random";
}

static nashc_status
report_difference(compare *c, int k, int i, int64_t e, const nashc_buf *x, const nashc_buf *y)
{
    int64_t n = 0;
    double tolerance = tolerance_of(c, x, y), worst = 0;
    char was[NASHC_NUM_MAX], is[NASHC_NUM_MAX], by[NASHC_NUM_MAX];
    for (int64_t j = 0; j < x->n; j++) {
        double p = nashc_buf_get(x, j), q = nashc_buf_get(y, j);
        n += !close_enough(p, q, tolerance);
        worst = fabs(p - q) > worst ? fabs(p - q) : worst;
    }
    nashc_error(c->diag, NULL, "\"%s\" changed the result: output \"%s\" element %s is %s, was %s",
                c->what, nashc_graph_output_name(c->gb, i), index_text(c, &y->type, e),
                nashc_num_print_f64(nashc_buf_get(y, e), is),
                nashc_num_print_f64(nashc_buf_get(x, e), was));
    nashc_note(c->diag,
               "inputs: %s (seed %" PRIu64 "); %" PRId64 " of %" PRId64
               " elements differ, by up to %s",
               run_text(c, k), c->seed, n, x->n, nashc_num_print_f64(worst, by));
    return NASHC_EMISMATCH;
}

/* --- explanations ------------------------------------------------------------------------------
 *
 * Why an element of b may differ from that of a although b is right: graph a run with the errors of
 * double arithmetic all in one direction, or with float32 rounding.
 */

typedef enum explanation { ABOVE, BELOW, NARROW, N_EXPLANATIONS } explanation;

#define DOUBLE_ERROR 0x1p-44 /* of the largest element of a tensor, or term of its sums */

static nashc_status
run_explanation(compare *c, explanation how, nashc_buf *out)
{
    if (how == NARROW)
        return nashc_run_graph(c->ga, c->pa, out, 0, NULL, NULL, NULL);
    return nashc_run_perturbed(c->ga, c->pa, out, how == ABOVE ? DOUBLE_ERROR : -DOUBLE_ERROR);
}

/* Compares the results of run k. other: room for the outputs of all explanations, which are run
 * when they are needed. */
static nashc_status
compare_run(compare *c, int k, const nashc_buf *x, const nashc_buf *y, nashc_buf *other)
{
    bool ran[N_EXPLANATIONS] = {false};
    nashc_status s = NASHC_OK;
    for (int i = 0; s == NASHC_OK && i < c->n_out; i++) {
        double tolerance = tolerance_of(c, &x[i], &y[i]);
        for (int64_t e = 0; s == NASHC_OK && e < x[i].n; e++) {
            double now = nashc_buf_get(&y[i], e);
            if (close_enough(nashc_buf_get(&x[i], e), now, tolerance))
                continue;
            double with[N_EXPLANATIONS];
            for (int how = 0; how < N_EXPLANATIONS; how++) {
                nashc_buf *z = other + (int64_t)how * c->n_out;
                ran[how] = ran[how] || run_explanation(c, (explanation)how, z) == NASHC_OK;
                with[how] = ran[how] ? nashc_buf_get(&z[i], e) : NAN;
            }
            bool tie = close_enough(with[ABOVE], now, tolerance) ||
                       close_enough(with[BELOW], now, tolerance) ||
                       (ran[ABOVE] && ran[BELOW] && (now > with[ABOVE]) != (now > with[BELOW]));
            c->n_ties += tie;
            c->n_boundary += !tie && close_enough(with[NARROW], now, tolerance);
            if (!tie && !close_enough(with[NARROW], now, tolerance))
                s = report_difference(c, k, i, e, &x[i], &y[i]);
        }
    }
    for (int64_t i = 0; i < (int64_t)N_EXPLANATIONS * c->n_out; i++)
        if (ran[i / c->n_out])
            nashc_buf_free(&other[i]);
    return s;
}

/* A graph that could not be run before the pass is no fault of the pass; one that can no more be
 * run after it is. */
static nashc_status
one_run(compare *c, int k, nashc_buf *out)
{
    nashc_buf *x = out, *y = out + c->n_out, *other = out + 2 * (int64_t)c->n_out;
    for (int i = 0; i < c->n_in; i++)
        fill_input(c, i, k);
    int before = nashc_diag_count(c->diag, NASHC_NOTE);
    nashc_status s = nashc_run_graph(c->ga, c->pa, x, NASHC_EVAL_WIDE, count_elements, c, c->diag);
    if (s != NASHC_OK) {
        if (s == NASHC_ENOMEM)
            return s;
        nashc_diag_truncate(c->diag, before);
        nashc_warning(c->diag, NULL, "unchecked",
                      "\"%s\" is not checked: the graph before it cannot be run", c->what);
        return NASHC_EUNSUP;
    }
    s = nashc_run_graph(c->gb, c->pb, y, NASHC_EVAL_WIDE, NULL, NULL, c->diag);
    if (s == NASHC_OK) {
        s = compare_run(c, k, x, y, other);
        for (int i = 0; i < c->n_out; i++)
            nashc_buf_free(&y[i]);
    } else if (s != NASHC_ENOMEM) {
        nashc_note(c->diag, "the graph could be run before \"%s\" (inputs: %s, seed %" PRIu64 ")",
                   c->what, run_text(c, k), c->seed);
        s = NASHC_EMISMATCH;
    }
    for (int i = 0; i < c->n_out; i++)
        nashc_buf_free(&x[i]);
    return s;
}

static nashc_status
judge_boundary(compare *c)
{
    double limit = BOUNDARY_FRACTION * (double)c->n_elements;
    if ((double)c->n_boundary > limit) {
        nashc_error(c->diag, NULL,
                    "\"%s\" changed the result at %" PRId64 " boundary cases among %" PRId64
                    " computed elements, more than 1 in 10000",
                    c->what, c->n_boundary, c->n_elements);
        return NASHC_EMISMATCH;
    }
    if (c->n_boundary + c->n_ties > 0 && nashc_diag_verbosity(c->diag) >= 2)
        nashc_remark(c->diag, NULL,
                     "[%s] among %" PRId64
                     " elements of the old graph, float32 rounding decides %" PRId64
                     ", rounding of doubles %" PRId64,
                     c->what, c->n_elements, c->n_boundary, c->n_ties);
    return NASHC_OK;
}

/* Compares graph ga of a with graph gb of b. */
static nashc_status
check_graphs(const nashc_module *a, const nashc_module *b, const nashc_graph *ga,
             const nashc_graph *gb, int n, uint64_t seed, bool inexact, const char *what,
             nashc_diag *d)
{
    compare c = {.a = a,
                 .b = b,
                 .ga = ga,
                 .gb = gb,
                 .what = what,
                 .diag = d,
                 .seed = seed,
                 .inexact = inexact};
    c.n_in = nashc_graph_n_inputs(c.ga);
    c.n_out = nashc_graph_n_outputs(c.ga);
    if (has_unknown_shapes(c.ga))
        return NASHC_OK; /* nothing can be run yet */
    c.arena = nashc_arena_create();
    nashc_buf *out =
        c.arena ? NASHC_NEW_N(c.arena, nashc_buf, (2 + (int64_t)N_EXPLANATIONS) * c.n_out + 1)
                : NULL;
    nashc_status s = out ? check_interface(&c) : nashc_enomem(d);
    if (s == NASHC_OK)
        s = prepare(&c);
    for (int k = 0; s == NASHC_OK && k < NASHC_CHECK_CORNERS + n; k++)
        s = one_run(&c, k, out);
    if (s == NASHC_OK)
        s = judge_boundary(&c);
    for (int i = 0; i < c.n_in && c.in_a && c.in_b; i++) {
        nashc_buf_free(&c.in_a[i]);
        nashc_buf_free(&c.in_b[i]);
    }
    nashc_arena_free(c.arena);
    return s == NASHC_EUNSUP ? NASHC_OK : s; /* a warning said so */
}

/* Does a node of another graph call g? */
static bool
is_called(const nashc_module *m, const nashc_graph *g)
{
    for (int i = 0; i < nashc_module_n_graphs(m); i++) {
        NASHC_EACH_NODE(nashc_module_graph_at(m, i), n)
        {
            int at = nashc_node_is(n, "call") ? nashc_attr_index(n, "graph") : -1;
            if (at >= 0 && nashc_module_graph(m, nashc_attr_str(n, at)) == g)
                return true;
        }
    }
    return false;
}

nashc_status
nashc_check_equal(const nashc_module *a, const nashc_module *b, int n, uint64_t seed, bool inexact,
                  const char *what, nashc_diag *d)
{
    const nashc_graph *ga = nashc_module_main(a), *gb = nashc_module_main(b);
    if (!ga || !gb)
        return ga == gb ? NASHC_OK : nashc_error(d, NULL, "\"%s\" left no graph", what);
    nashc_status s = check_graphs(a, b, ga, gb, n, seed, inexact, what, d);
    /* A file of tests has many entries: all graphs that nobody calls. */
    for (int i = 0; s == NASHC_OK && i < nashc_module_n_graphs(a); i++) {
        const nashc_graph *g = nashc_module_graph_at(a, i);
        const nashc_graph *h = nashc_module_graph(b, nashc_graph_name(g));
        if (g != ga && h && h != gb && !is_called(a, g) && !is_called(b, h))
            s = check_graphs(a, b, g, h, n, seed, inexact, what, d);
    }
    return s;
}
