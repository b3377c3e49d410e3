/* scaled_integer.c: pass scaled-integer: the integer graph of an imported network, built afresh.
 *
 * One walk in topological order decides for each value of the model whether it is a constant, a
 * float of the host, or a function of an integer tensor, and builds the integer graph beside the
 * model. Then floats of the model that anyone still needs are recomputed from integers, and what
 * nobody needs goes. integer.h explains the method, with a network and its numbers.
 */
#include "integer.h"

#define MODEL_BITS 32 /* of integers that the model itself has */
#define MIN_LISTS  1024

static bool
all_const(const si_walk *walk, const nashc_node *n)
{
    for (int i = 0; i < nashc_node_n_in(n); i++)
        if (nashc_node_in(n, i) && !si_is_const(walk, nashc_node_in(n, i)))
            return false;
    return nashc_node_n_in(n) > 0;
}

/* Is some operand a function of integers? Else n belongs to the host, with nothing to explain. */
static bool
reads_integers(const si_walk *walk, const nashc_node *n)
{
    for (int i = 0; i < nashc_node_n_in(n); i++)
        if (nashc_node_in(n, i) && si_of(walk, nashc_node_in(n, i))->kind == SI_FUN)
            return true;
    return false;
}

const nashc_integer_rule *
si_rule_of(const si_walk *walk, const nashc_node *n)
{
    return nashc_impl_rule(walk->ctx, "scaled-integer", nashc_node_opname(n));
}

/* Does n compute with floats behind integers? What follows from them is the host's for good. */
static bool
is_tail(const si_walk *walk, const nashc_node *n)
{
    bool behind = reads_integers(walk, n), ints = true;
    for (int i = 0; i < nashc_node_n_in(n); i++) {
        const nashc_value *v = nashc_node_in(n, i);
        behind = behind || (v && si_of(walk, v)->behind);
        ints = ints && (!v || si_is_const(walk, v) || nashc_type_is_int(nashc_value_type(v)));
    }
    for (int k = 0; k < nashc_node_n_out(n); k++)
        ints = ints && nashc_type_is_int(nashc_value_type(nashc_node_out(n, k)));
    return behind && !ints;
}

bool
si_rebuild(si_walk *walk, nashc_node *n)
{
    const nashc_integer_rule *rule = si_rule_of(walk, n);
    if (si_is_quantiser(n))
        return si_quantiser(walk, n);
    if (!reads_integers(walk, n) && !is_tail(walk, n) && si_imply_on_host(walk, n))
        return true;
    if (!reads_integers(walk, n) && !(rule && rule->flags & NASHC_INTEGER_LOOKS_BEHIND))
        return false;
    if (rule)
        return rule->rebuild(walk, n);
    if (!si_is_eltwise(n))
        return si_moving_node(walk, n);
    if (nashc_node_n_out(n) == 1 && si_eltwise(walk, n))
        return true;
    return !si_failed(walk->job) && si_add_node(walk, n);
}

/* Integers that the model itself has (typed inputs, counts of thresholds) are a tensor as they are.
 */
static bool
model_integer(si_walk *walk, nashc_value *v)
{
    const nashc_type *t = nashc_value_type(v);
    si_array one = si_scalar(walk->job, 1.0), zero = si_scalar(walk->job, 0.0);
    si_of(walk, v)->kind = SI_HOST;
    if (!nashc_type_is_int(t) || t->bits > MODEL_BITS || nashc_type_count(t) == 0)
        return true;
    return si_anchor(walk, v, v, &one, &zero, NULL, NULL, NULL, NULL);
}

/* n stays as it is. False: failed. */
static bool
leave_on_host(si_walk *walk, nashc_node *n)
{
    const char *why = walk->job->why ? walk->job->why : "it has no form on integers";
    bool tail = is_tail(walk, n);
    if (si_failed(walk->job))
        return false;
    if (reads_integers(walk, n)) {
        nashc_stat(walk->run, SI_STAT_FLOAT, 1);
        nashc_run_miss(walk->run, n, "stays in float: %s", why);
        nashc_node_set_reason(n, why);
    }
    for (int k = 0; k < nashc_node_n_out(n); k++) {
        si_value *y = si_of(walk, nashc_node_out(n, k));
        y->behind = tail;
        if (tail)
            y->kind = SI_HOST;
        else if (!model_integer(walk, nashc_node_out(n, k)))
            return false;
    }
    return true;
}

/* Has an operand or result no elements? There is nothing to compute then, here or in hardware. */
static bool
is_empty(const nashc_node *n)
{
    for (int i = 0; i < nashc_node_n_in(n); i++)
        if (nashc_node_in(n, i) && nashc_type_count(nashc_value_type(nashc_node_in(n, i))) == 0)
            return true;
    for (int i = 0; i < nashc_node_n_out(n); i++)
        if (nashc_type_count(nashc_value_type(nashc_node_out(n, i))) == 0)
            return true;
    return false;
}

static bool
walk_node(si_walk *walk, nashc_node *n)
{
    nashc_build_before(walk->build, nashc_node_next(n));
    nashc_build_loc(walk->build, nashc_node_loc(n));
    walk->node = n;
    walk->job->why = NULL;
    if (is_empty(n)) {
        walk->job->why = "a tensor has no elements";
    } else if (all_const(walk, n)) {
        if (si_const_node(walk, n))
            return !si_failed(walk->job);
    } else if (!nashc_run_edit(walk->run, "integers", n)) {
        walk->job->why = NULL;
    } else if (si_rebuild(walk, n)) {
        nashc_stat(walk->run, SI_STAT_INTEGER, 1);
        return true;
    }
    return leave_on_host(walk, n);
}

/* Nodes that are built on the way lie in front of the next node of the model. */
static bool
walk_graph(si_walk *walk)
{
    nashc_graph *g = walk->graph;
    nashc_node *last = nashc_graph_last(g);
    bool ok = last != NULL;
    if (nashc_graph_first(g))
        nashc_build_before(walk->build, nashc_graph_first(g));
    for (int i = 0; ok && i < nashc_graph_n_inputs(g); i++)
        ok = model_integer(walk, nashc_graph_input(g, i));
    for (nashc_node *n = nashc_graph_first(g), *next; ok && n; n = n == last ? NULL : next) {
        next = nashc_node_next(n);
        ok = walk_node(walk, n);
    }
    return ok;
}

/* Floats that are still read are computed from integers; outputs that equal them become them. */
static nashc_status
replace_floats(si_walk *walk)
{
    bool narrower = false; /* nodes of the model read integers of another type now */
    for (si_float *f = walk->floats; f; f = f->next) {
        narrower = narrower || nashc_type_is_int(nashc_value_type(f->old));
        bool leaves = f->same && nashc_value_is_output(f->old);
        for (int i = 0; leaves && i < nashc_graph_n_outputs(walk->graph); i++)
            if (nashc_graph_output(walk->graph, i) == f->old)
                nashc_graph_set_output(walk->graph, i, f->same);
        nashc_value_replace(f->old, f->real);
    }
    nashc_graph_remove_dead(walk->graph);
    if (walk->unsorted) {
        nashc_status s = nashc_graph_sort(walk->graph, walk->job->diag);
        if (s != NASHC_OK)
            return s;
    }
    return narrower ? nashc_graph_infer(walk->graph, walk->job->diag) : NASHC_OK;
}

static nashc_status
run(nashc_run *r, nashc_graph *g)
{
    si_job job = {.arena = nashc_run_arena(r), .diag = nashc_run_diag(r)};
    uint32_t n_values = nashc_graph_max_id(g);
    si_walk walk = {.run = r,
                    .ctx = nashc_run_ctx(r),
                    .job = &job,
                    .graph = g,
                    .build = nashc_run_build(r, g),
                    .n_made = MIN_LISTS};
    walk.floats_end = &walk.floats;
    while (walk.n_made < n_values)
        walk.n_made *= 2;
    walk.value = si_alloc(&job, n_values, sizeof(*walk.value));
    walk.made = si_alloc(&job, (int64_t)walk.n_made, sizeof(*walk.made));
    bool ok = walk.value && walk.made && walk.build && walk_graph(&walk);
    if (ok && !si_failed(&job))
        job.status = replace_floats(&walk);
    if (!si_failed(&job) && walk.build)
        job.status = nashc_build_status(walk.build);
    si_job_end(&job);
    return job.status;
}

const nashc_pass nashc_pass_scaled_integer = {
    NASHC_DESC(nashc_pass),
    .name = "scaled-integer",
    .help = "build the integer graph: exact thresholds, integer weights, scales at the end only",
    .stats = (const char *const[]){"nodes on integers", "nodes left in float", "thresholds",
                                   "tables", NULL},
    .run = run,
};
