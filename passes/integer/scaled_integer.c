/* scaled_integer.c: pass scaled-integer: the integer graph of an imported network, built afresh.
 *
 * One walk in topological order decides for each value of the model whether it is a constant, a
 * float of the host, or a function of an integer tensor, and builds the integer graph beside the
 * model (scaled/). Then floats of the model that anyone still needs are recomputed from integers,
 * and what nobody needs goes.
 */
#include "integer.h"

#include <stdlib.h>
#include <string.h>

static bool
all_const(si_state *S, const nashc_node *n)
{
    for (int i = 0; i < nashc_node_n_in(n); i++)
        if (nashc_node_in(n, i) && !si_is_const(S, nashc_node_in(n, i)))
            return false;
    return nashc_node_n_in(n) > 0;
}

/* Is some operand a function of integers? Else n belongs to the host, with nothing to explain. */
static bool
reads_integers(si_state *S, const nashc_node *n)
{
    for (int i = 0; i < nashc_node_n_in(n); i++)
        if (nashc_node_in(n, i) && si_of(S, nashc_node_in(n, i))->kind == SI_FUN)
            return true;
    return false;
}

typedef bool handler(si_state *S, nashc_node *n);
static const struct {
    const char *op;
    handler *fn;
} handlers[] = {
    {"nn.conv", si_conv},
    {"nn.conv_transpose", si_conv},
    {"nn.matmul", si_matmul},
    {"nn.gemm", si_matmul},
    {"nn.maxpool", si_maxpool},
    {"nn.global_maxpool", si_maxpool},
    {"nn.avgpool", si_sum_pool},
    {"nn.sumpool", si_sum_pool},
    {"nn.global_avgpool", si_sum_pool},
    {"nn.global_sumpool", si_sum_pool},
    {"nn.reduce_mean", si_sum_pool},
    {"nn.reduce_sum", si_sum_pool},
    {"nn.concat", si_concat},
    {"nn.argmax", si_argmax},
    {"nn.topk", si_argmax},
};

static bool
rebuild(si_state *S, nashc_node *n)
{
    if (si_is_quantiser(n))
        return si_quantiser(S, n);
    bool ranks = nashc_node_is(n, "nn.argmax") || nashc_node_is(n, "nn.topk");
    if (!ranks && !reads_integers(S, n)) /* those look through Softmax */
        return false;
    for (size_t i = 0; i < NASHC_COUNT(handlers); i++)
        if (nashc_node_is(n, handlers[i].op))
            return handlers[i].fn(S, n);
    if (si_is_eltwise(n)) {
        if (nashc_node_n_out(n) == 1 && si_eltwise(S, n))
            return true;
        return S->st == NASHC_OK && si_add_node(S, n);
    }
    return si_shape_node(S, n);
}

/* Integers that the model itself has (typed inputs, counts of thresholds) are a tensor as they are.
 */
static bool
model_integer(si_state *S, nashc_value *v)
{
    const nashc_type *t = nashc_value_type(v);
    si_array one = si_scalar(S, 1.0), zero = si_scalar(S, 0.0);
    si_of(S, v)->kind = SI_HOST;
    if (!nashc_type_is_int(t) || t->bits > 32)
        return true;
    return si_anchor(S, v, v, &one, &zero, NULL, NULL, NULL, NULL);
}

static bool
walk_node(si_state *S, nashc_node *n)
{
    nashc_node *next = nashc_node_next(n);
    nashc_build_before(S->b, next);
    nashc_build_loc(S->b, nashc_node_loc(n));
    S->at = n;
    S->why = NULL;
    if (all_const(S, n)) {
        if (si_const_node(S, n) || S->st != NASHC_OK)
            return S->st == NASHC_OK;
    } else if (!nashc_run_edit(S->run, "integers", n)) {
        S->why = NULL;
    } else if (rebuild(S, n)) {
        nashc_stat(S->run, SI_STAT_INTEGER, 1);
        return true;
    }
    if (S->st != NASHC_OK)
        return false;
    if (reads_integers(S, n)) {
        nashc_stat(S->run, SI_STAT_FLOAT, 1);
        nashc_run_miss(S->run, n, "stays in float: %s", S->why ? S->why : "no rule for this op");
    }
    for (int k = 0; k < nashc_node_n_out(n); k++)
        if (!model_integer(S, nashc_node_out(n, k)))
            return false;
    return true;
}

/* Floats that are still read are computed from integers; outputs that equal them become them. */
static nashc_status
finish(si_state *S)
{
    bool narrower =
        false; /* integers of the model that are read by nodes of the model got another type */
    for (si_float *f = S->floats; f; f = f->next) {
        narrower = narrower || nashc_type_is_int(nashc_value_type(f->old));
        for (int i = 0; f->same && i < nashc_graph_n_outputs(S->g); i++)
            if (nashc_graph_output(S->g, i) == f->old)
                nashc_graph_set_output(S->g, i, f->same);
        nashc_value_replace(f->old, f->real);
    }
    nashc_graph_remove_dead(S->g);
    return narrower ? nashc_graph_infer(S->g, S->diag) : NASHC_OK;
}

static nashc_status
run(nashc_run *r, nashc_graph *g)
{
    si_state S = {.run = r,
                  .ctx = nashc_run_ctx(r),
                  .diag = nashc_run_diag(r),
                  .a = nashc_run_arena(r),
                  .g = g,
                  .b = nashc_run_build(r, g),
                  .n_val = nashc_graph_max_id(g),
                  .n_made = 1024};
    S.floats_end = &S.floats;
    while (S.n_made < S.n_val)
        S.n_made *= 2;
    S.val = si_alloc(&S, S.n_val, sizeof(*S.val));
    S.made = si_alloc(&S, S.n_made, sizeof(*S.made));
    nashc_node *last = nashc_graph_last(g);
    bool ok = S.val && S.made && S.b && last;

    if (S.b && nashc_graph_first(g))
        nashc_build_before(S.b, nashc_graph_first(g));
    for (int i = 0; ok && i < nashc_graph_n_inputs(g); i++)
        ok = model_integer(&S, nashc_graph_input(g, i));
    /* nodes built on the way lie in front of the next node of the model */
    for (nashc_node *n = nashc_graph_first(g), *next; ok && n; n = n == last ? NULL : next) {
        next = nashc_node_next(n);
        ok = walk_node(&S, n);
    }
    if (ok && S.st == NASHC_OK)
        S.st = finish(&S);
    if (S.st == NASHC_OK && S.b)
        S.st = nashc_build_status(S.b);
    for (int i = 0; i < S.n_owned; i++)
        nashc_tensor_unref(S.owned[i]);
    free(S.owned);
    return S.st;
}

const nashc_pass nashc_pass_scaled_integer = {
    NASHC_DESC(nashc_pass),
    .name = "scaled-integer",
    .help = "build the integer graph: exact thresholds, integer weights, scales at the end only",
    .stats = (const char *const[]){"nodes on integers", "nodes left in float", "thresholds",
                                   "tables", NULL},
    .run = run,
};
