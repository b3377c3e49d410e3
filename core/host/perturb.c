/* perturb.c: runs a graph with the errors of double arithmetic all in one direction. */
#include "host.h"
#include <fenv.h>
#include <math.h>
#include <string.h>

typedef struct perturb {
    const nashc_graph *graph;
    double by;
    double *largest; /* by value id: of the magnitudes of the computed values of graph */
    const nashc_node *node;
    bool rounded; /* was any result of node? */
} perturb;

static double
largest_in(const nashc_buf *b)
{
    double largest = 0;
    for (int64_t e = 0; e < b->n; e++) {
        double m = fabs(nashc_buf_get(b, e));
        largest = isfinite(m) && m > largest ? m : largest;
    }
    return largest;
}

static double
largest_operand(const perturb *z, const nashc_node *n, int i)
{
    const nashc_value *v = nashc_node_in(n, i);
    const nashc_tensor *t = v ? nashc_value_const(v) : NULL;
    double lo, hi;
    if (!t)
        return v ? z->largest[nashc_value_id(v)] : 0;
    nashc_tensor_min_max(t, &lo, &hi);
    return fmax(fabs(lo), fabs(hi));
}

/* The terms of a sum may cancel; what was lost is relative to them, not to the sum. */
static double
largest_term(const perturb *z, const nashc_node *n)
{
    static const char *const products[] = {"nn.conv", "nn.conv_transpose", "nn.matmul", "nn.gemm",
                                           NULL};
    if (nashc_node_graph(n) != z->graph)
        return 0;
    if (nashc_node_is(n, "nn.add") || nashc_node_is(n, "nn.sub"))
        return fmax(largest_operand(z, n, 0), largest_operand(z, n, 1));
    if (nashc_node_is_any(n, products))
        return largest_operand(z, n, 0) * largest_operand(z, n, 1);
    return 0;
}

/* Moves results that were rounded. What was computed exactly stays: its ties are real ones. Later
 * elements of a row move more: moved down, equal scores get the order in which ties are ranked. */
static void
perturb_result(void *user, const nashc_value *v, nashc_buf *b)
{
    perturb *z = user;
    const nashc_node *n = nashc_value_def(v);
    if (n != z->node)
        z->rounded = fetestexcept(FE_INEXACT) != 0;
    z->node = n;
    bool moves =
        z->rounded && nashc_type_is_float(&b->type) && strncmp(nashc_node_opname(n), "q.", 2);
    double largest = largest_in(b);
    if (nashc_node_graph(n) == z->graph)
        z->largest[nashc_value_id(v)] = largest;
    double step = moves ? z->by * fmax(largest, largest_term(z, n)) : 0;
    int64_t row = 1; /* the innermost axis that has elements to tell apart */
    for (int i = b->type.rank - 1; i >= 0 && row == 1; i--)
        row = b->type.dim[i];
    for (int64_t e = 0; moves && e < b->n; e++)
        nashc_buf_set(b, e, nashc_buf_get(b, e) + step * (1 + (double)(e % row) / 16));
    feclearexcept(FE_INEXACT);
}

nashc_status
nashc_run_perturbed(const nashc_graph *g, const nashc_buf *const *in, nashc_buf *out, double by)
{
    perturb z = {.graph = g, .by = by};
    z.largest = nashc_mem_calloc((size_t)nashc_graph_max_id(g) + 1, sizeof *z.largest);
    if (!z.largest)
        return NASHC_ENOMEM;
    for (int i = 0; i < nashc_graph_n_inputs(g); i++)
        z.largest[nashc_value_id(nashc_graph_input(g, i))] = largest_in(in[i]);
    feclearexcept(FE_INEXACT);
    nashc_status s = nashc_run_graph(g, in, out, NASHC_EVAL_WIDE, perturb_result, &z, NULL);
    nashc_mem_free(z.largest);
    return s;
}
