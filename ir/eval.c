/* eval.c: the reference executor: runs graphs node by node through op->eval. */
#include "core/base/mem.h"
#include "ir/impl.h"
#include <math.h>
#include <nashc/eval.h>
#include <nashc/running.h>
#include <string.h>

#define MAX_CALL_DEPTH 16

/* One result while it is needed. */
typedef struct live {
    nashc_buf buf;
    const nashc_buf *view; /* what readers see: &buf, a constant, or a buffer of the caller */
    int uses;              /* reads still to come */
} live;

/* The run of one graph. Memory in use follows the live values: a result goes with its last
 * reader. */
typedef struct machine {
    const nashc_graph *graph;
    nashc_diag *diag;
    uint32_t flags;
    int depth;
    nashc_eval_watch watch;
    void *user;
    live *value; /* by value id */
} machine;

/* What op->eval sees: one node with operands and results, no graph. */
struct nashc_eval {
    const nashc_node *node;
    const nashc_buf *const *in;
    nashc_buf *out;
    nashc_diag *diag;
    uint32_t flags;
    int depth, n_in, n_out;
    nashc_eval_watch watch;
    void *user;
    struct scratch { /* freed after the node */
        struct scratch *next;
        void *owned;
    } * scratch;
};

/* --- inside op->eval ------------------------------------------------------------------------- */

const nashc_buf *
nashc_eval_in(nashc_eval *e, int i)
{
    return i >= 0 && i < e->n_in ? e->in[i] : NULL;
}

nashc_buf *
nashc_eval_out(nashc_eval *e, int i)
{
    return i >= 0 && i < e->n_out ? &e->out[i] : NULL;
}

nashc_diag *
nashc_eval_diag(nashc_eval *e)
{
    return e->diag;
}

uint32_t
nashc_eval_flags(const nashc_eval *e)
{
    return e->flags;
}

/* p is freed after the node, also where no note of it can be made (then NULL comes back). */
static void *
keep(nashc_eval *e, void *p)
{
    struct scratch *s = p ? nashc_mem_alloc(sizeof *s) : NULL;
    if (!s) {
        nashc_mem_free(p);
        return NULL;
    }
    s->owned = p;
    s->next = e->scratch;
    e->scratch = s;
    return p;
}

/* Operand i as doubles, without a copy where it is stored so. Valid until the node is done. */
const double *
nashc_eval_f64(nashc_eval *e, int i)
{
    const nashc_buf *b = nashc_eval_in(e, i);
    if (!b)
        return NULL;
    if (b->cell == NASHC_DOUBLE)
        return b->data;
    return keep(e, nashc_buf_to_f64(b));
}

const int64_t *
nashc_eval_i64(nashc_eval *e, int i)
{
    const nashc_buf *b = nashc_eval_in(e, i);
    if (!b)
        return NULL;
    if (b->cell == NASHC_I64)
        return b->data;
    return keep(e, nashc_buf_to_i64(b));
}

void *
nashc_eval_scratch(nashc_eval *e, size_t size)
{
    return keep(e, nashc_mem_calloc(1, size));
}

/* From the last dimension to the first, as shapes align there; a dimension of 1 stands still. For
 * strange shapes only: inner loops know their strides. */
int64_t
nashc_broadcast_index(const nashc_type *in, const nashc_type *out, int64_t i)
{
    int64_t index = 0, stride = 1;
    int shift = out->rank - in->rank;
    for (int k = out->rank - 1; k >= shift && k >= 0; k--) {
        int64_t at = out->dim[k] > 0 ? i % out->dim[k] : 0;
        i = out->dim[k] > 0 ? i / out->dim[k] : 0;
        int64_t dim = in->dim[k - shift];
        index += dim == 1 ? 0 : at * stride;
        stride *= dim;
    }
    return index;
}

/* --- one node -------------------------------------------------------------------------------- */

/* A zeroed buffer; in wide mode one whose f32 elements are kept as doubles. */
static bool
alloc_result(nashc_buf *b, const nashc_type *t, uint32_t flags)
{
    nashc_type storage = *t;
    if ((flags & NASHC_EVAL_WIDE) && t->kind == NASHC_K_F32) {
        nashc_type f64 = nashc_type_f64();
        storage = nashc_type_with_elem(t, &f64);
    }
    if (!nashc_buf_alloc(b, &storage))
        return false;
    /* the type says f32, the cells are doubles: readers go by cell */
    b->type = *t;
    return true;
}

static void
free_all(nashc_buf *b, int n)
{
    for (int i = 0; i < n; i++)
        nashc_buf_free(&b[i]);
}

static nashc_status
report_fault(nashc_diag *d, const nashc_node *n, int i)
{
    nashc_value *v = nashc_node_out(n, i);
    nashc_node_error(d, n, "a computed element of result \"%%%s\" does not fit its type %s",
                     nashc_value_name(v), nashc_type_str(d, nashc_value_type(v)));
    nashc_help(d, "the inputs leave the range that the graph declares, or the type is wrong");
    return NASHC_EINPUT;
}

/* Asked when the node's turn comes, so a graph with an unknown operator runs up to it and names
 * it. */
static nashc_status
check_evaluable(const nashc_node *n, nashc_diag *d)
{
    if (!nashc_node_op(n)->eval) {
        nashc_node_unsup(d, n, "the operator has no reference meaning, so it cannot be run");
        if (strncmp(nashc_node_opname(n), "unknown.", 8) == 0)
            nashc_help(d, "a plugin may bring it: see --load-plugin");
        return NASHC_EUNSUP;
    }
    for (int i = 0; i < nashc_node_n_out(n); i++)
        if (nashc_type_count(nashc_value_type(nashc_node_out(n, i))) < 0) {
            nashc_node_error(d, n, "result \"%%%s\" has unknown dimensions: %s",
                             nashc_value_name(nashc_node_out(n, i)),
                             nashc_type_str(d, nashc_value_type(nashc_node_out(n, i))));
            nashc_help(d, "fix them first: -passes=fix-batch");
            return NASHC_EINPUT;
        }
    return NASHC_OK;
}

/* Where no result has elements there is nothing to compute: no operator is asked. */
static bool
any_elements(const nashc_eval *e)
{
    for (int i = 0; i < e->n_out; i++)
        if (e->out[i].n > 0)
            return true;
    return e->n_out == 0;
}

/* Allocates the results, evaluates e->node, checks what came out. On failure no result is left
 * allocated; scratch goes in any case. */
static nashc_status
run_node(nashc_eval *e)
{
    const nashc_node *n = e->node;
    nashc_status s = check_evaluable(n, e->diag);
    int made = 0;
    for (; s == NASHC_OK && made < e->n_out; made++)
        if (!alloc_result(&e->out[made], nashc_value_type(nashc_node_out(n, made)), e->flags)) {
            s = nashc_enomem(e->diag);
            break;
        }
    if (s == NASHC_OK && any_elements(e)) {
        nashc_frame f;
        nashc_enter(&f, nashc_module_ctx(nashc_graph_module(nashc_node_graph(n))), NASHC_D_OP,
                    nashc_node_opname(n), n, e->diag);
        s = nashc_node_op(n)->eval(e, n);
        for (int i = 0; s == NASHC_OK && i < e->n_out; i++)
            if (e->out[i].fault)
                s = report_fault(e->diag, n, i);
        s = nashc_leave(&f, s);
    }
    if (s != NASHC_OK)
        free_all(e->out, made);
    while (e->scratch) {
        struct scratch *next = e->scratch->next;
        nashc_mem_free(e->scratch->owned);
        nashc_mem_free(e->scratch);
        e->scratch = next;
    }
    return s;
}

/* For folding of constants and for tests: results are the caller's to free. */
nashc_status
nashc_eval_node(const nashc_node *n, const nashc_buf *const *in, nashc_buf *out, uint32_t flags,
                nashc_diag *d)
{
    nashc_eval e = {.node = n,
                    .in = in,
                    .out = out,
                    .diag = d,
                    .flags = flags,
                    .n_in = nashc_node_n_in(n),
                    .n_out = nashc_node_n_out(n)};
    return run_node(&e);
}

/* --- a graph --------------------------------------------------------------------------------- */

/* Constants are read where they are, never copied into the run. */
static const nashc_buf *
view_of(machine *m, nashc_value *v)
{
    const nashc_tensor *t = nashc_value_const(v);
    return t ? nashc_tensor_buf(t) : m->value[nashc_value_id(v)].view;
}

/* One read of v is done. Only buffers that the run made are freed: views into constants and the
 * caller's inputs stay. */
static void
release(machine *m, nashc_value *v)
{
    if (!v || nashc_value_const(v))
        return;
    live *l = &m->value[nashc_value_id(v)];
    if (--l->uses <= 0 && l->view == &l->buf) {
        nashc_buf_free(&l->buf);
        l->view = NULL;
    }
}

static nashc_status
step(machine *m, const nashc_node *n)
{
    /* no allocation for nodes of the usual size */
    enum { FEW = 16 };
    const nashc_buf *few_in[FEW];
    nashc_buf few_out[FEW];
    int n_in = nashc_node_n_in(n), n_out = nashc_node_n_out(n);
    const nashc_buf **in = n_in <= FEW ? few_in : nashc_mem_calloc((size_t)n_in, sizeof *in);
    nashc_buf *out = n_out <= FEW ? few_out : nashc_mem_calloc((size_t)n_out, sizeof *out);
    nashc_status s = in && out ? NASHC_OK : nashc_enomem(m->diag);
    for (int i = 0; s == NASHC_OK && i < n_in; i++)
        in[i] = nashc_node_in(n, i) ? view_of(m, nashc_node_in(n, i)) : NULL;
    if (s == NASHC_OK) {
        nashc_eval e = {.node = n,
                        .in = in,
                        .out = out,
                        .diag = m->diag,
                        .flags = m->flags,
                        .depth = m->depth,
                        .n_in = n_in,
                        .n_out = n_out,
                        .watch = m->watch,
                        .user = m->user};
        s = run_node(&e);
    }
    for (int i = 0; s == NASHC_OK && i < n_out; i++) {
        nashc_value *v = nashc_node_out(n, i);
        live *l = &m->value[nashc_value_id(v)];
        l->buf = out[i];
        l->view = &l->buf;
        /* counts outputs, which collect() reads at the end */
        l->uses = nashc_value_n_uses(v);
        /* before the value may be freed: a result that nobody reads is shown, too */
        if (m->watch)
            m->watch(m->user, v, &l->buf);
        if (l->uses == 0) {
            nashc_buf_free(&l->buf);
            l->view = NULL;
        }
    }
    for (int i = 0; s == NASHC_OK && i < n_in; i++)
        release(m, nashc_node_in(n, i));
    if (in != few_in)
        nashc_mem_free(in);
    if (out != few_out)
        nashc_mem_free(out);
    return s;
}

/* A copy of any buffer, typed t. */
static bool
copy_buf(const nashc_buf *from, nashc_buf *to)
{
    *to = *from;
    to->data = nashc_mem_alloc((size_t)from->n * nashc_cell_size(from->cell) + 1);
    if (to->data)
        memcpy(to->data, from->data, (size_t)from->n * nashc_cell_size(from->cell));
    return to->data != NULL;
}

/* Moves results that nobody else reads to the caller, copies the others. */
static nashc_status
collect(machine *m, nashc_buf *out)
{
    const nashc_graph *g = m->graph;
    for (int i = 0; i < nashc_graph_n_outputs(g); i++) {
        nashc_value *v = nashc_graph_output(g, i);
        const nashc_buf *from = view_of(m, v);
        live *l = nashc_value_const(v) ? NULL : &m->value[nashc_value_id(v)];
        if (l && l->view == &l->buf && l->uses == 1) {
            out[i] = l->buf;
            l->view = NULL;
            memset(&l->buf, 0, sizeof l->buf);
        } else if (!copy_buf(from, &out[i])) {
            free_all(out, i);
            return nashc_enomem(m->diag);
        }
        if (l)
            l->uses--;
    }
    return NASHC_OK;
}

static nashc_status
check_input(const nashc_graph *g, int i, const nashc_buf *b, nashc_diag *d)
{
    const nashc_value *v = nashc_graph_input(g, i);
    const nashc_type *t = nashc_value_type(v);
    if (b && nashc_type_same_shape(&b->type, t) && nashc_type_same_elem(&b->type, t) && !b->fault)
        return NASHC_OK;
    if (!b)
        return nashc_error(d, NULL, "no data for input \"%s\" of graph @%s", nashc_value_name(v),
                           nashc_graph_name(g));
    return nashc_error(d, NULL, "input \"%s\" of graph @%s is %s, but the data are %s%s",
                       nashc_value_name(v), nashc_graph_name(g), nashc_type_str(d, t),
                       nashc_type_str(d, &b->type), b->fault ? " with elements out of range" : "");
}

static nashc_status
run_graph(machine *m, const nashc_buf *const *in, nashc_buf *out)
{
    const nashc_graph *g = m->graph;
    nashc_status s = NASHC_OK;
    if (m->depth > MAX_CALL_DEPTH)
        return nashc_error(m->diag, NULL, "calls of graphs are nested deeper than %d at graph @%s",
                           MAX_CALL_DEPTH, nashc_graph_name(g));
    m->value = nashc_mem_calloc((size_t)nashc_graph_max_id(g) + 1, sizeof *m->value);
    if (!m->value)
        return nashc_enomem(m->diag);
    for (int i = 0; s == NASHC_OK && i < nashc_graph_n_inputs(g); i++) {
        s = check_input(g, i, in[i], m->diag);
        live *l = &m->value[nashc_value_id(nashc_graph_input(g, i))];
        l->view = in[i];
        l->uses = nashc_value_n_uses(nashc_graph_input(g, i));
    }
    for (nashc_node *n = nashc_graph_first(g); s == NASHC_OK && n; n = nashc_node_next(n))
        s = step(m, n);
    if (s == NASHC_OK)
        s = collect(m, out);
    for (uint32_t i = 0; i < nashc_graph_max_id(g); i++)
        if (m->value[i].view == &m->value[i].buf)
            nashc_buf_free(&m->value[i].buf);
    nashc_mem_free(m->value);
    return s;
}

/* For op->eval of calls: one level deeper, flags and watch as outside. */
nashc_status
nashc_eval_graph(nashc_eval *e, const nashc_graph *g, const nashc_buf *const *in, nashc_buf *out)
{
    machine m = {.graph = g,
                 .diag = e->diag,
                 .flags = e->flags,
                 .depth = e->depth + 1,
                 .watch = e->watch,
                 .user = e->user};
    return run_graph(&m, in, out);
}

nashc_status
nashc_run_graph(const nashc_graph *g, const nashc_buf *const *in, nashc_buf *out, uint32_t flags,
                nashc_eval_watch watch, void *user, nashc_diag *d)
{
    machine m = {.graph = g, .diag = d, .flags = flags, .watch = watch, .user = user};
    return run_graph(&m, in, out);
}

/* The oracle: f32 results are kept as doubles, as near to real numbers as it goes. */
nashc_status
nashc_run_module(const nashc_module *m, const nashc_buf *const *in, nashc_buf *out, nashc_diag *d)
{
    const nashc_graph *g = nashc_module_main(m);
    if (!g)
        return nashc_error(d, NULL, "the module has no graph");
    return nashc_run_graph(g, in, out, NASHC_EVAL_WIDE, NULL, NULL, d);
}

/* --- the executor ---------------------------------------------------------------------------- */

uint32_t
nashc_floats_flags(const nashc_opts *o)
{
    bool f32 = strcmp(nashc_opts_str(o, "floats"), "f32") == 0;
    return f32 ? NASHC_EVAL_FLOAT_SUMS : NASHC_EVAL_WIDE;
}

static const nashc_param reference_options[] = {NASHC_FLOATS_OPTION, {0}};

/* A module, and how its f32 results are kept. */
typedef struct reference {
    nashc_module *module;
    uint32_t flags;
} reference;

static nashc_status
reference_prepare(const nashc_module *m, const nashc_opts *o, void **program, nashc_diag *d)
{
    reference *r = nashc_mem_calloc(1, sizeof *r);
    if (!r || !(r->module = nashc_module_clone(m))) {
        nashc_mem_free(r);
        return nashc_enomem(d);
    }
    r->flags = nashc_floats_flags(o);
    *program = r;
    return NASHC_OK;
}

static nashc_status
reference_run(void *program, const nashc_buf *const *in, nashc_buf *out, nashc_diag *d)
{
    const reference *r = program;
    const nashc_graph *g = nashc_module_main(r->module);
    if (!g)
        return nashc_error(d, NULL, "the module has no graph");
    return nashc_run_graph(g, in, out, r->flags, NULL, NULL, d);
}

static void
reference_free(void *program)
{
    reference *r = program;
    if (r)
        nashc_module_free(r->module);
    nashc_mem_free(r);
}

extern const nashc_executor nashc_executor_reference;

const nashc_executor nashc_executor_reference = {
    NASHC_DESC(nashc_executor),
    .name = "reference",
    .help = "interprets the definition of each operator; slow and exact",
    .options = reference_options,
    .prepare = reference_prepare,
    .run = reference_run,
    .free = reference_free,
};
