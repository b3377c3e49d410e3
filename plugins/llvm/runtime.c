/* runtime.c: walking the steps of a program over samples, on several threads. */
#include "jit.h"
#include "memplan.h"
#include "pool.h"
#include "program.h"
#include <stdlib.h>
#include <string.h>

/* One sample being run by one thread. */
typedef struct frame {
    const cpu_program *p;
    char *memory;
    const nashc_buf *const *in;
    nashc_buf *out;
    char **slot;
    int32_t fault;
} frame;

/* Samples shared among threads: each has a range of them, whoever is faster. */
typedef struct work {
    cpu_program *p;
    int64_t n;
    const nashc_buf *const *in;
    nashc_buf *out;
    bool *again; /* samples that did not go through */
} work;

static char *
data_of(const frame *f, int id)
{
    const cpu_value *v = &f->p->value[id];

    if (v->place == CPU_INPUT)
        return f->in[v->input]->data;
    if (v->place == CPU_CONST)
        return (char *)(uintptr_t)v->data;
    return f->memory + v->offset;
}

static nashc_buf
view_of(const frame *f, const nashc_value *v)
{
    const cpu_value *at = &f->p->value[cpu_id(v)];

    return (nashc_buf){
        .type = *nashc_value_type(v), .n = at->n, .data = data_of(f, cpu_id(v)), .cell = at->cell};
}

/* --- steps ----------------------------------------------------------------------------------- */

/* Pointers of all slots, then the function. */
static void
run_kernel(frame *f, const cpu_step *s)
{
    for (int i = 0; i < s->n_slot; i++)
        f->slot[i] = s->slot[i].value >= 0 ? data_of(f, s->slot[i].value)
                     : s->slot[i].data     ? (char *)(uintptr_t)s->slot[i].data
                                           : f->memory + s->scratch_at;
    s->fn(f->slot, &f->fault);
}

/* The reference meaning of one node; messages are left to the run that follows a failure. */
static bool
run_eval(frame *f, const cpu_step *s, const nashc_buf *const *in)
{
    int n_out = nashc_node_n_out(s->node);
    nashc_buf *out = calloc((size_t)n_out, sizeof *out);
    bool ok = out && nashc_eval_node(s->node, in, out, NASHC_EVAL_WIDE, NULL) == NASHC_OK;

    for (int i = 0; ok && i < n_out; i++) {
        const cpu_value *v = &f->p->value[cpu_id(nashc_node_out(s->node, i))];
        memcpy(f->memory + v->offset, out[i].data, (size_t)v->n * nashc_cell_size(v->cell));
        nashc_buf_free(&out[i]);
    }
    free(out);
    return ok;
}

/* A step on buffers. */
static bool
run_on_buffers(frame *f, const cpu_step *s)
{
    int n_in = nashc_node_n_in(s->node);
    nashc_buf *view = calloc((size_t)n_in + 1, sizeof *view);
    const nashc_buf **in = calloc((size_t)n_in + 1, sizeof *in);
    bool ok = view && in;

    for (int i = 0; ok && i < n_in; i++)
        if (nashc_node_in(s->node, i)) {
            view[i] = view_of(f, nashc_node_in(s->node, i));
            in[i] = &view[i];
        }
    ok = ok && run_eval(f, s, in);
    free(view);
    free(in);
    return ok;
}

/* Copies the results to buffers of the caller. */
static bool
collect(frame *f)
{
    const nashc_graph *g = f->p->graph;
    int n = nashc_graph_n_outputs(g);

    for (int i = 0; i < n; i++) {
        nashc_buf from = view_of(f, nashc_graph_output(g, i));
        nashc_type storage = from.type, f64 = nashc_type_f64();
        bool real = from.type.kind == NASHC_K_F32;
        if (real)
            storage = nashc_type_with_elem(&storage, &f64);
        if (!nashc_buf_alloc(&f->out[i], &storage)) {
            while (i-- > 0)
                nashc_buf_free(&f->out[i]);
            return false;
        }
        f->out[i].type = from.type;
        if (from.cell == f->out[i].cell)
            memcpy(f->out[i].data, from.data, (size_t)from.n * nashc_cell_size(from.cell));
        for (int64_t k = 0; from.cell != f->out[i].cell && k < from.n; k++)
            ((double *)f->out[i].data)[k] = nashc_buf_get(&from, k);
    }
    return true;
}

/* One sample from inputs to results; false: the reference is to run it. */
static bool
run_sample(frame *f)
{
    f->fault = 0;
    for (int i = 0; i < f->p->n_step; i++) {
        const cpu_step *s = &f->p->step[i];
        if (s->kind == CPU_KERNEL)
            run_kernel(f, s);
        else if (!run_on_buffers(f, s))
            return false;
        if (f->fault)
            return false;
    }
    return collect(f);
}

/* --- samples --------------------------------------------------------------------------------- */

static int
most_slots(const cpu_program *p)
{
    int most = 1;

    for (int i = 0; i < p->n_step; i++)
        most = p->step[i].n_slot > most ? p->step[i].n_slot : most;
    return most;
}

/* The samples of thread t: always the same share, in memory of its own. */
static void
run_range(void *user, int t)
{
    work *w = user;
    cpu_program *p = w->p;
    int64_t from = w->n * t / p->threads, to = w->n * (t + 1) / p->threads;
    int n_in = nashc_graph_n_inputs(p->graph), n_out = nashc_graph_n_outputs(p->graph);
    char *raw = from < to ? malloc(p->memory + 2 * CPU_ALIGN) : NULL;
    frame f = {.p = p, .slot = calloc((size_t)most_slots(p), sizeof(char *))};

    f.memory = raw ? raw + (CPU_ALIGN - (uintptr_t)raw % CPU_ALIGN) % CPU_ALIGN : NULL;
    for (int64_t k = from; k < to; k++) {
        f.in = w->in + k * n_in;
        f.out = w->out + k * n_out;
        w->again[k] = !raw || !f.slot || !run_sample(&f);
    }
    free(raw);
    free(f.slot);
}

static nashc_status
check_inputs(const cpu_program *p, const nashc_buf *const *in, bool *fits)
{
    for (int i = 0; i < nashc_graph_n_inputs(p->graph); i++) {
        const nashc_type *t = nashc_value_type(nashc_graph_input(p->graph, i));
        const cpu_value *v = &p->value[cpu_id(nashc_graph_input(p->graph, i))];
        *fits = in[i] && nashc_type_same_shape(&in[i]->type, t) &&
                nashc_type_same_elem(&in[i]->type, t) && !in[i]->fault && in[i]->cell == v->cell;
        if (!*fits)
            break;
    }
    return NASHC_OK;
}

nashc_status
cpu_run(cpu_program *p, int64_t n, const nashc_buf *const *in, nashc_buf *out, nashc_diag *d)
{
    int n_in = nashc_graph_n_inputs(p->graph), n_out = nashc_graph_n_outputs(p->graph);
    work w = {p, n, in, out, calloc((size_t)n + 1, sizeof *w.again)};
    nashc_status s = w.again ? NASHC_OK : nashc_enomem(d);
    bool fits = true;

    for (int64_t k = 0; s == NASHC_OK && fits && k < n; k++)
        s = check_inputs(p, in + k * n_in, &fits);
    if (s == NASHC_OK && fits)
        cpu_pool_run(p->pool, run_range, &w);
    /* what did not go through: the reference says why, or has the result */
    for (int64_t k = 0; s == NASHC_OK && k < n; k++)
        if (!fits || w.again[k]) {
            s = nashc_run_module(p->plain, in + k * n_in, out + k * n_out, d);
            w.again[k] = s != NASHC_OK;
        }
    for (int64_t k = 0; s != NASHC_OK && w.again && fits && k < n; k++)
        for (int i = 0; !w.again[k] && i < n_out; i++)
            nashc_buf_free(&out[k * n_out + i]);
    free(w.again);
    return s;
}

void
cpu_program_free(cpu_program *p)
{
    if (!p)
        return;
    cpu_pool_free(p->pool);
    cpu_jit_free(p->jit);
    for (int i = 0; i < p->n_step; i++)
        free(p->step[i].slot);
    free(p->step);
    free(p->blob);
    nashc_module_free(p->plain);
    nashc_module_free(p->module);
    nashc_arena_free(p->arena);
    free(p);
}
