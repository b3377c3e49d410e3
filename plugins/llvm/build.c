/* build.c: a graph to the steps of a program: kernels, moves, and what the reference evaluates. */
#include "jit.h"
#include "kernel.h"
#include "lines.h"
#include "memplan.h"
#include "move.h"
#include <llvm-c/Core.h>
#include <nashc/pass.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What becomes of each node. */
typedef struct plan {
    cpu_kernel *kernel;
    int n_kernel;
    int *of; /* by node id: index of its kernel + 1; 0: none */
} plan;

/* --- values ---------------------------------------------------------------------------------- */

/* How the elements of a result are kept: as the reference keeps them in its real-number meaning. */
static nashc_cell
cell_of(const nashc_type *t)
{
    return t->kind == NASHC_K_F32 ? NASHC_DOUBLE : nashc_type_cell(t);
}

static void
enter(cpu_program *p, const nashc_value *v, cpu_place place)
{
    cpu_value *at = &p->value[cpu_id(v)];
    const nashc_tensor *t = nashc_value_const(v);

    if (at->v)
        return;
    *at = (cpu_value){.v = v, .root = cpu_id(v), .place = place, .first = -1, .last = -1};
    at->n = nashc_type_count(nashc_value_type(v));
    at->cell =
        place == CPU_NOWHERE ? cell_of(nashc_value_type(v)) : nashc_type_cell(nashc_value_type(v));
    if (t) {
        at->place = CPU_CONST;
        at->data = nashc_tensor_data(t);
        at->cell = nashc_tensor_buf(t)->cell;
    }
}

/* All inputs, constants and results; where results lie is decided later. */
static nashc_status
enter_values(cpu_program *p, nashc_diag *d)
{
    const nashc_graph *g = p->graph;

    p->n_value = (int)nashc_graph_max_id(g) + 1;
    p->value = NASHC_NEW_N(p->arena, cpu_value, p->n_value);
    if (!p->value)
        return nashc_enomem(d);
    for (int i = 0; i < nashc_graph_n_inputs(g); i++) {
        enter(p, nashc_graph_input(g, i), CPU_INPUT);
        p->value[cpu_id(nashc_graph_input(g, i))].input = i;
    }
    for (nashc_node *n = nashc_graph_first(g); n; n = nashc_node_next(n)) {
        for (int i = 0; i < nashc_node_n_in(n); i++)
            if (nashc_node_in(n, i))
                enter(p, nashc_node_in(n, i), CPU_NOWHERE);
        for (int i = 0; i < nashc_node_n_out(n); i++)
            enter(p, nashc_node_out(n, i), CPU_NOWHERE);
    }
    for (int i = 0; i < nashc_graph_n_outputs(g); i++)
        enter(p, nashc_graph_output(g, i), CPU_NOWHERE);
    return NASHC_OK;
}

/* --- steps ----------------------------------------------------------------------------------- */

static cpu_step *
new_step(cpu_program *p, cpu_kind kind, const nashc_node *n)
{
    cpu_step *s;

    if (p->n_step == p->max_step) {
        int max = 2 * p->max_step + 16;
        cpu_step *more = realloc(p->step, (size_t)max * sizeof *more);
        if (!more)
            return NULL;
        p->step = more;
        p->max_step = max;
    }
    s = &p->step[p->n_step++];
    *s = (cpu_step){
        .kind = kind, .node = n, .n_nodes = 1, .out = -1, .units = 1, .how = "reference"};
    snprintf(s->symbol, sizeof s->symbol, "k%d", p->n_step - 1);
    return s;
}

/* Which nodes go into one kernel together, in order of the graph. */
static nashc_status
choose(cpu_cg *g, plan *pl, nashc_diag *d)
{
    const nashc_graph *graph = g->p->graph;

    pl->of = calloc((size_t)g->p->n_value, sizeof *pl->of);
    pl->kernel = calloc((size_t)nashc_graph_n_nodes(graph) + 1, sizeof *pl->kernel);
    if (!pl->of || !pl->kernel)
        return nashc_enomem(d);
    for (nashc_node *n = nashc_graph_first(graph); n; n = nashc_node_next(n)) {
        cpu_kernel *k = &pl->kernel[pl->n_kernel];
        bool moves = nashc_node_op(n)->flags & NASHC_OP_SHAPE;
        if (pl->of[nashc_node_id(n)] || moves || !cpu_kernel_begin(g, n, k))
            continue;
        cpu_kernel_extend(k, pl->of);
        pl->n_kernel++;
        if (k->head_node)
            pl->of[nashc_node_id(k->head_node)] = pl->n_kernel;
        for (int i = 0; i < k->n_chain; i++)
            pl->of[nashc_node_id(k->chain[i])] = pl->n_kernel;
    }
    return NASHC_OK;
}

/* The step of a kernel; what is computed on the way to its result has no memory. */
static bool
add_kernel(cpu_cg *g, const cpu_kernel *k)
{
    const nashc_node *last = cpu_kernel_last(k);
    bool fed = cpu_kernel_feeds(g, k);
    cpu_step *s = fed ? new_step(g->p, CPU_KERNEL, last) : NULL;

    if (s) {
        s->feeds = true;
        s->n_nodes = 0;
        cpu_kernel_feed(g, k, s);
    }
    if ((fed && !s) || !(s = new_step(g->p, CPU_KERNEL, last)))
        return false;
    s->fed = fed;
    g->p->value[cpu_id(nashc_node_out(last, 0))].place = CPU_ARENA;
    cpu_kernel_emit(g, k, s);
    return !g->failed;
}

/* The cell of result y of a move: that of what is moved, where types say so. */
static nashc_cell
moved_cell(const cpu_program *p, const nashc_node *n, const cpu_map *m, const cpu_value *y)
{
    const cpu_value *x = &p->value[cpu_id(nashc_node_in(n, 0))];

    for (int i = 0; i < m->n_operand; i++) {
        const nashc_value *v = nashc_node_in(n, i);
        if (p->value[cpu_id(v)].cell != x->cell ||
            nashc_type_cell(nashc_value_type(v)) != nashc_type_cell(nashc_value_type(y->v)))
            return y->cell;
    }
    return x->cell;
}

/* The steps of one result of a move: what no element is moved to, then the elements. */
static cpu_step *
add_move(cpu_cg *g, const nashc_node *n, int out, cpu_map *m)
{
    cpu_step *s = NULL;

    for (int pass = m->holes ? 0 : 1; pass < 2; pass++) {
        if (!(s = new_step(g->p, CPU_KERNEL, n)))
            return NULL;
        s->out = out;
        s->how = pass ? "move" : "fill";
        s->n_nodes = pass;
        if (pass)
            cpu_move_emit(g, s, m);
        else
            cpu_fill_emit(g, s, m);
    }
    return s;
}

/* Steps of a node that only moves elements; no step where a result is its operand. */
static bool
add_moves(cpu_cg *g, const nashc_node *n, bool *done)
{
    cpu_program *p = g->p;

    *done = true;
    for (int i = 0; i < nashc_node_n_out(n); i++) {
        cpu_value *y = &p->value[cpu_id(nashc_node_out(n, i))];
        const cpu_value *x = &p->value[cpu_id(nashc_node_in(n, 0))];
        cpu_map map;
        if (!cpu_map_of(p, n, i, &map)) {
            *done = false;
            return true;
        }
        y->cell = moved_cell(p, n, &map, y);
        y->place = CPU_ARENA;
        cpu_step *s = NULL;
        if (map.whole && y->cell == x->cell) {
            y->root = x->root;
        } else {
            s = add_move(g, n, i, &map);
        }
        cpu_map_free(&map);
        if (g->failed || (!s && y->root != x->root))
            return false;
    }
    return true;
}

/* The step of a node by itself: loops along axes, or what only the reference can compute. */
static bool
add_alone(cpu_cg *g, const nashc_node *n)
{
    bool lines = cpu_lines_can(n);
    cpu_step *s = new_step(g->p, lines ? CPU_KERNEL : CPU_EVAL, n);

    for (int i = 0; i < nashc_node_n_out(n); i++)
        g->p->value[cpu_id(nashc_node_out(n, i))].place = CPU_ARENA;
    if (s && lines) {
        s->how = "lines";
        cpu_lines_emit(g, s);
    }
    return s && !g->failed;
}

static nashc_status
add_steps(cpu_cg *g, const plan *pl, nashc_diag *d)
{
    for (nashc_node *n = nashc_graph_first(g->p->graph); n; n = nashc_node_next(n)) {
        int k = pl->of[nashc_node_id(n)];
        bool ok = true, moved = false;
        if (k) {
            if (cpu_kernel_last(&pl->kernel[k - 1]) == n)
                ok = add_kernel(g, &pl->kernel[k - 1]);
        } else {
            ok = add_moves(g, n, &moved);
            if (ok && !moved)
                ok = add_alone(g, n);
        }
        if (!ok)
            return nashc_enomem(d);
    }
    return NASHC_OK;
}

/* --- memory ---------------------------------------------------------------------------------- */

static void
reads(cpu_program *p, int value, int step)
{
    cpu_value *root = &p->value[p->value[value].root];

    root->last = step > root->last ? step : root->last;
}

static void
writes(cpu_program *p, int value, int step)
{
    if (p->value[value].first < 0)
        p->value[value].first = step;
    p->value[value].last = step > p->value[value].last ? step : p->value[value].last;
}

/* From the step that writes a value to the last one that reads it or what shares its memory. */
static void
lifetimes(cpu_program *p)
{
    for (int i = 0; i < p->n_step; i++) {
        const cpu_step *s = &p->step[i];
        for (int k = 0; k < s->n_slot; k++)
            if (s->slot[k].value >= 0)
                reads(p, s->slot[k].value, i); /* what it writes too: it lives from here on */
        for (int k = 0; s->kind != CPU_KERNEL && k < nashc_node_n_in(s->node); k++)
            if (nashc_node_in(s->node, k))
                reads(p, cpu_id(nashc_node_in(s->node, k)), i);
        for (int k = 0; !s->feeds && k < nashc_node_n_out(s->node); k++)
            if (s->out < 0 || k == s->out)
                writes(p, cpu_id(nashc_node_out(s->node, k)), i);
    }
    for (int i = 0; i < nashc_graph_n_outputs(p->graph); i++)
        reads(p, cpu_id(nashc_graph_output(p->graph, i)), p->n_step);
}

static bool
owns_memory(const cpu_program *p, int i)
{
    return p->value[i].v && p->value[i].place == CPU_ARENA && p->value[i].root == i;
}

/* Offsets of all values and scratch. */
static nashc_status
plan_memory(cpu_program *p, nashc_diag *d)
{
    cpu_lease *lease = calloc((size_t)(p->n_value + p->n_step) + 1, sizeof *lease);
    int n = 0;

    if (!lease)
        return nashc_enomem(d);
    lifetimes(p);
    for (int i = 0; i < p->n_value; i++)
        if (owns_memory(p, i))
            lease[n++] = (cpu_lease){(size_t)p->value[i].n * nashc_cell_size(p->value[i].cell), 0,
                                     p->value[i].first, p->value[i].last};
    for (int i = 0; i < p->n_step; i++)
        lease[n++] = (cpu_lease){p->step[i].scratch, 0, i - p->step[i].fed, i};
    bool ok = cpu_memplan(lease, n, &p->memory);
    n = 0;
    for (int i = 0; ok && i < p->n_value; i++)
        if (owns_memory(p, i))
            p->value[i].offset = lease[n++].offset;
    for (int i = 0; ok && i < p->n_step; i++)
        p->step[i].scratch_at = lease[n++].offset;
    for (int i = 0; i + 1 < p->n_step; i++)
        if (p->step[i].feeds)
            p->step[i].scratch_at = p->step[i + 1].scratch_at;
    for (int i = 0; i < p->n_value; i++) { /* what shares storage lies where its root does */
        cpu_value *v = &p->value[i], *root = &p->value[v->root];
        v->place = root->place;
        v->offset = root->offset;
        v->input = root->input;
        v->data = root->data;
    }
    free(lease);
    return ok ? NASHC_OK : nashc_enomem(d);
}

/* --- the whole ------------------------------------------------------------------------------- */

static void
cg_begin(cpu_cg *g)
{
    g->ctx = LLVMContextCreate();
    g->module = LLVMModuleCreateWithNameInContext("nashc", g->ctx);
    g->b = LLVMCreateBuilderInContext(g->ctx);
    g->i1 = LLVMInt1TypeInContext(g->ctx);
    g->i8 = LLVMInt8TypeInContext(g->ctx);
    g->i16 = LLVMInt16TypeInContext(g->ctx);
    g->i32 = LLVMInt32TypeInContext(g->ctx);
    g->i64 = LLVMInt64TypeInContext(g->ctx);
    g->f32 = LLVMFloatTypeInContext(g->ctx);
    g->f64 = LLVMDoubleTypeInContext(g->ctx);
    g->ptr = LLVMPointerType(g->i8, 0);
}

static void
cg_end(cpu_cg *g)
{
    LLVMDisposeBuilder(g->b);
    LLVMDisposeModule(g->module);
    LLVMContextDispose(g->ctx);
    cpu_host_free(&g->host);
}

static nashc_status
dump(const cpu_cg *g, const char *path, nashc_diag *d)
{
    char *text = NULL;

    if (path[0] && LLVMPrintModuleToFile(g->module, path, &text)) {
        nashc_io_error(d, NULL, "%s: %s", path, text);
        LLVMDisposeMessage(text);
        return NASHC_EIO;
    }
    return NASHC_OK;
}

/* Under -v: what became of which node. */
static void
report(const cpu_program *p, nashc_diag *d)
{
    int level = nashc_diag_verbosity(d);

    for (int i = 0; i < p->n_step; i++)
        if (p->step[i].n_nodes && level >= (p->step[i].kind == CPU_EVAL ? 2 : 3))
            nashc_remark(d, nashc_node_loc(p->step[i].node), "cpu: %s (%d node%s): %s",
                         nashc_node_opname(p->step[i].node), p->step[i].n_nodes,
                         p->step[i].n_nodes == 1 ? "" : "s", p->step[i].how);
}

nashc_status
cpu_build(cpu_program *p, const cpu_options *o, cpu_finish *finish, const void *user, nashc_diag *d)
{
    cpu_cg g = {.p = p, .diag = d};
    plan pl = {0};
    nashc_status s = enter_values(p, d);

    if (s != NASHC_OK)
        return s;
    if ((s = cpu_host_of(&g.host, o, d)) != NASHC_OK) {
        cpu_host_free(&g.host);
        return s;
    }
    cg_begin(&g);
    s = choose(&g, &pl, d);
    if (s == NASHC_OK)
        s = add_steps(&g, &pl, d);
    if (s == NASHC_OK)
        s = plan_memory(p, d);
    if (s == NASHC_OK)
        report(p, d);
    if (s == NASHC_OK)
        s = finish(&g, user, d);
    if (s == NASHC_OK)
        s = dump(&g, o->dump, d);
    free(pl.of);
    free(pl.kernel);
    cg_end(&g);
    return s;
}
