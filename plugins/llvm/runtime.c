/* runtime.c: walking the steps of a program over samples, on several threads. */
#include "jit.h"
#include "memplan.h"
#include "plugins/threads/pool.h"
#include "program.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A thread, and the sample that it runs, alone or in a team. */
typedef struct cpu_frame {
    const cpu_program *p;
    char *raw;   /* memory for a sample that it runs first in; NULL: none so far */
    char **slot; /* of a kernel */
    char *memory;
    const nashc_buf *const *in;
    nashc_buf *out;
    int32_t fault;
    thread_team *team;
    int member, members;
} frame;

/* Samples shared among threads: each runs as many as any other, then teams run those left. */
typedef struct work {
    cpu_program *p;
    int64_t n;
    const nashc_buf *const *in;
    nashc_buf *out;
    bool shares; /* steps of those that are left */
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

/* Pointers of all slots, then the function, for one part of several. False at a fault. */
static bool
run_kernel(frame *f, const cpu_step *s, int part, int parts)
{
    int64_t from = s->units * part / parts, to = s->units * (part + 1) / parts;

    for (int i = 0; i < s->n_slot; i++)
        f->slot[i] = s->slot[i].value >= 0 ? data_of(f, s->slot[i].value)
                     : s->slot[i].data     ? (char *)(uintptr_t)s->slot[i].data
                                           : f->memory + s->scratch_at;
    f->fault = 0;
    s->fn(f->slot, &f->fault, from, to);
    return f->fault == 0;
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

/* One sample from inputs to results, with the others of the team, who all come here; the first one
 * has the results. A step that is not worth sharing is left to it. False: the reference is to run
 * it. */
static bool
run_sample(frame *f)
{
    int before = 1;
    bool ok = true;

    for (int i = 0; i < f->p->n_step; i++) {
        const cpu_step *s = &f->p->step[i];
        int parts = s->parts < f->members ? s->parts : f->members;
        if ((before > 1 || parts > 1) && thread_team_meet(f->team, f->members, !ok))
            return false;
        before = parts;
        if (ok && f->member < parts)
            ok = s->kind == CPU_KERNEL ? run_kernel(f, s, f->member, parts) : run_on_buffers(f, s);
    }
    ok = !thread_team_meet(f->team, f->members, !ok);
    return ok && (f->member > 0 || collect(f));
}

/* --- samples --------------------------------------------------------------------------------- */

/* Memory for samples, on the first of them. */
static bool
has_memory(frame *f)
{
    if (!f->raw)
        f->raw = malloc(f->p->memory + 2 * CPU_ALIGN);
    f->memory = f->raw ? f->raw + (CPU_ALIGN - (uintptr_t)f->raw % CPU_ALIGN) % CPU_ALIGN : NULL;
    return f->memory != NULL;
}

/* Sample k as member of a team of n threads from first on. */
static void
run_in_team(work *w, int64_t k, int first, int n, int member)
{
    cpu_program *p = w->p;
    frame *f = &p->frame[first + member], *head = &p->frame[first];

    f->team = thread_pool_team(p->pool, first);
    f->member = member;
    f->members = n;
    f->in = w->in + k * nashc_graph_n_inputs(p->graph);
    f->out = w->out + k * nashc_graph_n_outputs(p->graph);
    bool failed = thread_team_meet(f->team, n, member == 0 && !has_memory(head));
    if (member > 0)
        f->memory = head->memory;
    failed = failed || !run_sample(f);
    if (member == 0)
        w->again[k] = failed;
}

/* Members of each team of those that run the last samples. */
static int
team_size(const work *w)
{
    int64_t left = w->n % w->p->threads;
    int most = left ? (int)(w->p->threads / left) : 1;

    return !w->shares ? 1 : w->p->parts < most ? w->p->parts : most;
}

/* The samples of thread t: always the same ones. */
static void
run_range(void *user, int t)
{
    work *w = user;
    int64_t each = w->n / w->p->threads, shared = each * w->p->threads;
    int size = team_size(w);

    for (int64_t k = each * t; k < each * (t + 1); k++)
        run_in_team(w, k, t, 1, 0);
    if (t / size < w->n - shared)
        run_in_team(w, shared + t / size, t / size * size, size, t % size);
}

static double
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void
run_all(work *w)
{
    cpu_program *p = w->p;
    bool choice = !p->always && w->n < p->threads && team_size(w) > 1;

    if (choice)
        w->shares = cpu_pace_shares(&p->pace);
    double start = choice ? now() : 0;
    thread_pool_run(p->pool, w->n < p->threads ? (int)w->n * team_size(w) : p->threads, run_range,
                    w);
    if (choice)
        cpu_pace_took(&p->pace, w->shares, now() - start);
}

nashc_status
cpu_start(cpu_program *p, int threads, int64_t grain, nashc_diag *d)
{
    int slots = 1;

    for (int i = 0; i < p->n_step; i++) {
        cpu_step *s = &p->step[i];
        double most = grain > 0 ? s->cost / (double)grain : (double)s->units;
        most = most < (double)s->units ? most : (double)s->units;
        s->parts = most < 1 ? 1 : most > threads ? threads : (int)most;
        p->parts = s->parts > p->parts ? s->parts : p->parts;
        slots = s->n_slot > slots ? s->n_slot : slots;
    }
    p->parts = p->parts ? p->parts : 1;
    p->always = grain == 0;
    p->threads = threads;
    p->pool = thread_pool_open(threads, 1);
    p->frame = calloc((size_t)threads, sizeof *p->frame);
    bool ok = p->pool && p->frame;
    for (int t = 0; ok && t < threads; t++) {
        p->frame[t] = (frame){.p = p, .slot = calloc((size_t)slots, sizeof(char *))};
        ok = p->frame[t].slot != NULL;
    }
    return ok ? NASHC_OK : nashc_enomem(d);
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
    work w = {p, n, in, out, true, calloc((size_t)n + 1, sizeof *w.again)};
    nashc_status s = w.again ? NASHC_OK : nashc_enomem(d);
    bool fits = true;

    for (int64_t k = 0; s == NASHC_OK && fits && k < n; k++)
        s = check_inputs(p, in + k * n_in, &fits);
    if (s == NASHC_OK && fits)
        run_all(&w);
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
    thread_pool_free(p->pool);
    for (int t = 0; p->frame && t < p->threads; t++) {
        free(p->frame[t].raw);
        free(p->frame[t].slot);
    }
    free(p->frame);
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
