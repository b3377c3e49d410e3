/* samples.c: arrays with an axis of samples to and from the inputs and outputs of a graph. */
#include "tool.h"
#include <math.h>
#include <string.h>

/* --- inputs ---------------------------------------------------------------------------------- */

static bool
dims_equal(const int64_t *a, const int64_t *b, int n)
{
    for (int i = 0; i < n; i++)
        if (a[i] != b[i])
            return false;
    return true;
}

/* Samples in array a for an input of type t; -1: the shapes do not fit.
 *   (N, rest) for (B, rest): N / B runs      (N, B, rest) for (B, rest): N runs */
static int64_t
count_samples(const tool_array *a, const nashc_type *t)
{
    if (a->rank == t->rank && t->rank > 0 && dims_equal(a->dim + 1, t->dim + 1, t->rank - 1) &&
        t->dim[0] > 0 && a->dim[0] % t->dim[0] == 0)
        return a->dim[0] / t->dim[0];
    if (a->rank == t->rank + 1 && dims_equal(a->dim + 1, t->dim, t->rank))
        return a->dim[0];
    return -1;
}

static const tool_array *
find_array(const nashc_graph *g, const tool_arrays *in, int i)
{
    const tool_array *a = tool_arrays_find(in, nashc_value_name(nashc_graph_input(g, i)));
    if (!a && nashc_graph_n_inputs(g) == 1 && in->n == 1)
        a = &in->at[0]; /* no doubt what is meant */
    return a;
}

static nashc_status
missing_array(const nashc_graph *g, const tool_arrays *in, int i, nashc_diag *d)
{
    nashc_error(d, NULL, "no array for input \"%s\"",
                nashc_quote(d, nashc_value_name(nashc_graph_input(g, i))));
    if (in->n == 1 && !in->at[0].name)
        nashc_help(d, "the model has %d inputs: give a .npz with one array for each",
                   nashc_graph_n_inputs(g));
    for (size_t k = 0; k < in->n && k < 8; k++)
        if (in->at[k].name)
            nashc_note(d, "the file has an array \"%s\"", nashc_quote(d, in->at[k].name));
    return NASHC_EINPUT;
}

/* All inputs must have the same number of samples; a graph without inputs has one. */
nashc_status
tool_samples_plan(const nashc_graph *g, const tool_arrays *in, nashc_arena *a, tool_samples *out,
                  nashc_diag *d)
{
    int n_in = nashc_graph_n_inputs(g);
    char have[200];
    *out = (tool_samples){.graph = g, .n = 1};
    out->of_input = NASHC_NEW_N(a, const tool_array *, n_in + 1);
    if (!out->of_input)
        return nashc_enomem(d);
    for (int i = 0; i < n_in; i++) {
        const nashc_value *v = nashc_graph_input(g, i);
        const nashc_type *t = nashc_value_type(v);
        const tool_array *array = find_array(g, in, i);
        if (!array)
            return missing_array(g, in, i, d);
        int64_t n = count_samples(array, t);
        if (n < 0) {
            nashc_error(d, NULL, "the array for input \"%s\" has shape %s, the input is %s",
                        nashc_quote(d, nashc_value_name(v)),
                        tool_shape_text(array->dim, array->rank, have), nashc_type_str(d, t));
            nashc_help(d, "the first axis counts samples, the others must be those of the input");
            return NASHC_EINPUT;
        }
        if (i > 0 && n != out->n)
            return nashc_error(d, NULL,
                               "the array for input \"%s\" has %" PRId64
                               " samples, that for \"%s\" %" PRId64,
                               nashc_quote(d, nashc_value_name(v)), n,
                               nashc_quote(d, nashc_value_name(nashc_graph_input(g, 0))), out->n);
        out->n = n;
        out->of_input[i] = array;
    }
    return NASHC_OK;
}

/* Integers by int64, others by double. What the type cannot hold is an error, never rounded:
 * pictures of 0..255 for an input of u4 are a mistake. */
nashc_status
tool_samples_get(const tool_samples *s, int i, int64_t k, nashc_buf *b, nashc_diag *d)
{
    const nashc_buf *from = &s->of_input[i]->buf;
    bool ints = nashc_type_is_int(&from->type) && nashc_type_is_int(&b->type);
    for (int64_t e = 0; e < b->n; e++) {
        int64_t at = k * b->n + e;
        double v = nashc_buf_get(from, at);
        b->fault = false;
        if (ints)
            nashc_buf_set_int(b, e, nashc_buf_get_int(from, at));
        else
            nashc_buf_set(b, e, v);
        if (b->fault)
            return nashc_error(d, NULL,
                               "sample %" PRId64 ", element %" PRId64
                               " for input \"%s\" is %g, which %s cannot hold",
                               k, e,
                               nashc_quote(d, nashc_value_name(nashc_graph_input(s->graph, i))), v,
                               nashc_type_str(d, &b->type));
    }
    return NASHC_OK;
}

/* --- outputs --------------------------------------------------------------------------------- */

/* Without a batch of one a new axis counts the samples. */
tool_array *
tool_results_add(tool_arrays *a, const char *name, const nashc_type *t, int64_t n)
{
    int64_t dim[TOOL_MAX_RANK], first = n;
    int rank = t->rank;
    /* A batch axis becomes the axis of samples. */
    bool batch = rank > 0 && t->dim[0] == 1;
    if (!batch) {
        dim[0] = n;
        memcpy(dim + 1, t->dim, (size_t)rank * sizeof *dim);
        rank++;
    } else {
        memcpy(dim, t->dim, (size_t)rank * sizeof *dim);
        if (!nashc_mul_size(dim[0], n, &first))
            return NULL;
        dim[0] = first;
    }
    return tool_arrays_add(a, name, t, rank, dim);
}

bool
tool_results_put(tool_array *a, const nashc_buf *b, int64_t k)
{
    bool ints = nashc_type_is_int(&b->type) && nashc_type_is_int(&a->buf.type);
    if (k < 0 || (k + 1) * b->n > a->buf.n)
        return false;
    for (int64_t e = 0; e < b->n; e++) {
        if (ints)
            nashc_buf_set_int(&a->buf, k * b->n + e, nashc_buf_get_int(b, e));
        else
            nashc_buf_set(&a->buf, k * b->n + e, nashc_buf_get(b, e));
    }
    return !a->buf.fault;
}

/* --- comparison ------------------------------------------------------------------------------ */

typedef struct difference {
    int64_t n, first;
    double worst;
} difference;

/* No tolerance reaches infinity, or comes back from it. */
static bool
close_to(double x, double y, double atol, double rtol)
{
    if (x == y || (isnan(x) && isnan(y)))
        return true;
    return isfinite(x) && isfinite(y) && fabs(x - y) <= atol + rtol * fabs(y);
}

static difference
measure(const tool_array *got, const tool_array *want, double atol, double rtol)
{
    difference diff = {0, -1, 0};
    for (int64_t i = 0; i < got->buf.n; i++) {
        double x = nashc_buf_get(&got->buf, i), y = nashc_buf_get(&want->buf, i);
        if (close_to(x, y, atol, rtol))
            continue;
        double by = fabs(x - y);
        diff.first = diff.n++ == 0 ? i : diff.first;
        diff.worst = by > diff.worst || isnan(by) ? by : diff.worst;
    }
    return diff;
}

/* Axes of one element apart: (8, 10), (8, 1, 10) and, for 8 samples of one number, (8,) are one. */
static bool
same_shape(const tool_array *a, const tool_array *b)
{
    int i = 0, k = 0;
    for (;; i++, k++) {
        while (i < a->rank && a->dim[i] == 1)
            i++;
        while (k < b->rank && b->dim[k] == 1)
            k++;
        if (i == a->rank || k == b->rank)
            return i == a->rank && k == b->rank;
        if (a->dim[i] != b->dim[k])
            return false;
    }
}

static nashc_status
compare_one(const char *name, const tool_array *got, const tool_array *want, double atol,
            double rtol, nashc_diag *d)
{
    char have[200], expected[200];
    tool_array flat = *got; /* samples of batches: one axis, as for inputs */
    if (flat.rank > 1) {
        flat.dim[0] *= flat.dim[1];
        memmove(flat.dim + 1, flat.dim + 2, (size_t)(flat.rank - 2) * sizeof *flat.dim);
        flat.rank--;
    }
    if (!same_shape(got, want) && !same_shape(&flat, want)) {
        nashc_error(d, NULL, "output \"%s\" has shape %s, expected %s", name,
                    tool_shape_text(got->dim, got->rank, have),
                    tool_shape_text(want->dim, want->rank, expected));
        return NASHC_EMISMATCH;
    }
    difference diff = measure(got, want, atol, rtol);
    if (diff.n == 0)
        return NASHC_OK;
    nashc_error(d, NULL, "output \"%s\": %" PRId64 " of %" PRId64 " elements differ, by up to %.9g",
                name, diff.n, got->buf.n, diff.worst);
    nashc_note(d, "the first is element %" PRId64 ": %.9g, expected %.9g", diff.first,
               nashc_buf_get(&got->buf, diff.first), nashc_buf_get(&want->buf, diff.first));
    return NASHC_EMISMATCH;
}

/* By name; an only array, or the first of a file without names, need not match. All outputs are
 * compared, so that the first difference does not hide others. */
nashc_status
tool_compare(const tool_arrays *got, const tool_arrays *want, double atol, double rtol,
             nashc_diag *d)
{
    nashc_status s = NASHC_OK;
    size_t n_compared = 0;
    for (size_t i = 0; i < got->n; i++) {
        const char *name = got->at[i].name ? got->at[i].name : "?";
        const tool_array *w = tool_arrays_find(want, name);
        if (!w && want->n == 1 && (got->n == 1 || (i == 0 && !want->at[0].name)))
            w = &want->at[0];
        if (!w)
            continue;
        n_compared++;
        nashc_status one = compare_one(nashc_quote(d, name), &got->at[i], w, atol, rtol, d);
        s = s == NASHC_OK ? one : s;
    }
    if (n_compared == 0 || n_compared < want->n) {
        nashc_error(d, NULL, "%zu of %zu expected arrays have the name of an output", n_compared,
                    want->n);
        for (size_t i = 0; i < got->n && i < 8; i++)
            nashc_note(d, "the model has an output \"%s\"", nashc_quote(d, got->at[i].name));
        return s == NASHC_OK ? NASHC_EINPUT : s;
    }
    return s;
}

/* --- classes --------------------------------------------------------------------------------- */

/* Ties: the lower index, as hw.label_select. */
nashc_status
tool_print_classes(const tool_arrays *results, const char *names, nashc_diag *d)
{
    const tool_array *a = results->n ? &results->at[0] : NULL;
    int64_t n = 1;

    if (!names[0] || !a)
        return NASHC_OK;
    for (const char *c = names; *c; c++)
        n += *c == ',';
    if (a->buf.n % n != 0)
        return nashc_usage(d, "--classes has %" PRId64 " names for %" PRId64 " scores", n,
                           a->buf.n);
    for (int64_t k = 0; k < a->buf.n / n; k++) {
        const char *name = names;
        int64_t best = 0;
        for (int64_t i = 1; i < n; i++)
            if (nashc_buf_get(&a->buf, k * n + i) > nashc_buf_get(&a->buf, k * n + best))
                best = i;
        for (int64_t i = 0; i < best; i++)
            name += strcspn(name, ",") + 1;
        printf("sample %" PRId64 ": %.*s\n", k, (int)strcspn(name, ","), name);
    }
    return NASHC_OK;
}
