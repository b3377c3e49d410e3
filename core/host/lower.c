/* lower.c: rules that turn operators into layers (interface "to-hw"), and what a rule may do. */
#include "host.h"

struct nashc_lower {
    nashc_run *run;
    nashc_build *build;   /* at the end of the graph of layers */
    nashc_value **stream; /* by value id of the graph of integers; NULL: none yet */
    bool *absorbed;       /* by node id: an earlier layer does its work */
};

/* Owned by the run's arena. */
nashc_lower *
nashc_lower_create(nashc_run *r, const nashc_graph *from, nashc_graph *to)
{
    nashc_lower *l = NASHC_NEW(r->arena, nashc_lower);
    size_t ids = nashc_graph_max_id(from) + 1;

    if (l) {
        l->run = r;
        l->build = nashc_run_build(r, to);
        l->stream = NASHC_NEW_N(r->arena, nashc_value *, ids);
        l->absorbed = NASHC_NEW_N(r->arena, bool, ids);
    }
    if (!l || !l->build || !l->stream || !l->absorbed) {
        nashc_enomem(r->diag);
        return NULL;
    }
    return l;
}

nashc_run *
nashc_lower_run(nashc_lower *l)
{
    return l->run;
}

nashc_arena *
nashc_lower_arena(nashc_lower *l)
{
    return l->run->arena;
}

nashc_diag *
nashc_lower_diag(nashc_lower *l)
{
    return l->run->diag;
}

nashc_build *
nashc_lower_build(nashc_lower *l)
{
    return l->build;
}

nashc_status
nashc_lower_status(const nashc_lower *l)
{
    return nashc_build_status(l->build);
}

/* --- streams -----------------------------------------------------------------------------------
 */

void
nashc_lower_set_stream(nashc_lower *l, const nashc_value *v, nashc_value *s)
{
    l->stream[nashc_value_id(v)] = s;
}

nashc_value *
nashc_lower_stream(const nashc_lower *l, const nashc_value *v)
{
    return v ? l->stream[nashc_value_id(v)] : NULL;
}

nashc_value *
nashc_lower_in(const nashc_lower *l, const nashc_node *n, int i)
{
    return nashc_lower_stream(l, nashc_node_in(n, i));
}

/* The layer takes the name of the value that it stands for, so that reports speak the model's
 * names; not a stream that passes through, which has one. */
nashc_status
nashc_lower_put(nashc_lower *l, const nashc_node *n, int i, nashc_value *v)
{
    const nashc_value *old = nashc_node_out(n, i);
    nashc_status s = nashc_lower_status(l);

    if (!v)
        return s == NASHC_OK ? nashc_enomem(l->run->diag) : s;
    if (nashc_type_count(nashc_value_type(v)) != nashc_type_count(nashc_value_type(old)))
        return nashc_bug(l->run->diag, nashc_node_loc(n),
                         "the rule of %s gives result %d %" PRId64 " elements",
                         nashc_node_opname(n), i, nashc_type_count(nashc_value_type(v)));
    nashc_lower_set_stream(l, old, v);
    for (int k = 0; k < nashc_node_n_in(n); k++)
        if (nashc_lower_in(l, n, k) == v)
            return NASHC_OK;
    nashc_value_set_name(v, nashc_value_name(old));
    return NASHC_OK;
}

void
nashc_lower_absorb(nashc_lower *l, const nashc_node *n)
{
    l->absorbed[nashc_node_id(n)] = true;
}

bool
nashc_lower_absorbed(const nashc_lower *l, const nashc_node *n)
{
    return l->absorbed[nashc_node_id(n)];
}

/* --- layers ------------------------------------------------------------------------------------
 */

nashc_value *
nashc_lower_op(nashc_lower *l, const char *op, nashc_value *const *in, int n_in, const char *attrs,
               ...)
{
    va_list ap;

    va_start(ap, attrs);
    const char *text = attrs ? nashc_arena_vprintf(l->run->arena, attrs, ap) : "";
    va_end(ap);
    return text ? nashc_build_op(l->build, op, in, n_in, "%s", text) : NULL;
}

nashc_node *
nashc_lower_node(nashc_lower *l, const char *op, nashc_value *const *in, int n_in, int n_out,
                 const char *attrs, ...)
{
    va_list ap;

    va_start(ap, attrs);
    const char *text = attrs ? nashc_arena_vprintf(l->run->arena, attrs, ap) : "";
    va_end(ap);
    return text ? nashc_build_node(l->build, op, in, n_in, n_out, "%s", text) : NULL;
}

const char *
nashc_lower_ints(nashc_lower *l, const int64_t *v, int n)
{
    return nashc_build_ints(l->build, v, n);
}

/* elem NULL: the narrowest that holds all of v, which has at least one element. */
nashc_value *
nashc_lower_matrix(nashc_lower *l, const int64_t *v, int64_t rows, int64_t cols,
                   const nashc_type *elem)
{
    nashc_type t;

    if (elem) {
        t = *elem;
    } else {
        int64_t lo = v[0], hi = v[0];
        for (int64_t i = 1; i < rows * cols; i++) {
            lo = v[i] < lo ? v[i] : lo;
            hi = v[i] > hi ? v[i] : hi;
        }
        t = nashc_type_for_range(lo, hi);
    }
    t = nashc_type_shaped(t, 2, (int64_t[]){rows, cols});
    return nashc_build_const(l->build, NULL, nashc_tensor_from_i64(&t, v));
}

/* --- rules -------------------------------------------------------------------------------------
 */

static const nashc_lower_rule *
rule_of(const nashc_node *n)
{
    nashc_ctx *c = nashc_module_ctx(nashc_graph_module(nashc_node_graph(n)));

    return nashc_impl_rule(c, "to-hw", nashc_node_opname(n));
}

const char *
nashc_lower_why_not(const nashc_node *n, nashc_arena *a)
{
    const nashc_lower_rule *r = rule_of(n);

    if (!r)
        return "there is no layer for this operator";
    return r->why_not ? r->why_not(n, a) : NULL;
}

/* Has every result of n that a node beside the absorbed ones, or an output, reads its stream? */
static bool
all_put(const nashc_lower *l, const nashc_node *n)
{
    for (int i = 0; i < nashc_node_n_out(n); i++) {
        const nashc_value *v = nashc_node_out(n, i);
        int count;
        nashc_node **users = nashc_value_users(v, l->run->arena, &count);
        bool read = nashc_value_is_output(v);
        for (int k = 0; users && k < count; k++)
            read = read || !nashc_lower_absorbed(l, users[k]);
        if (read && !nashc_lower_stream(l, v))
            return false;
    }
    return true;
}

nashc_status
nashc_lower_convert(nashc_lower *l, nashc_node *n)
{
    const nashc_lower_rule *r = rule_of(n);
    nashc_diag *d = l->run->diag;

    nashc_build_loc(l->build, nashc_node_loc(n));
    nashc_status s = r ? r->convert(l, n) : nashc_node_unsup(d, n, "no hardware layer");
    if (s == NASHC_OK && !all_put(l, n))
        s = nashc_bug(d, nashc_node_loc(n), "the rule of %s left a result without stream",
                      nashc_node_opname(n));
    return s;
}
