/* kernel.c: fusing: a product, window or element-wise node with what follows it element by element.
 *
 * The chain goes on while the result has a single reader, of the same shape, all of whose other
 * operands are constants or results of earlier nodes: the kernel runs where its last node stands.
 */
#include "kernel.h"
#include <string.h>

bool
cpu_kernel_begin(cpu_cg *g, const nashc_node *n, cpu_kernel *k)
{
    cpu_dot d;
    cpu_window w;

    memset(k, 0, sizeof *k);
    if (nashc_node_n_out(n) != 1)
        return false;
    if (cpu_elt_can(n)) {
        k->chain[0] = n;
        k->operand[0] = -1;
        k->n_chain = 1;
        return true;
    }
    if (nashc_node_n_in(n) < 1 || !nashc_node_in(n, 0) || nashc_value_const(nashc_node_in(n, 0)))
        return false;
    k->head_node = n;
    if (cpu_window_of(n, &w))
        k->head = CPU_HEAD_WINDOW;
    else if (cpu_dot_of(g, n, &d))
        k->head = CPU_HEAD_DOT;
    return k->head != CPU_HEAD_NONE;
}

const nashc_node *
cpu_kernel_last(const cpu_kernel *k)
{
    return k->n_chain ? k->chain[k->n_chain - 1] : k->head_node;
}

void
cpu_kernel_extend(cpu_kernel *k, const int *taken)
{
    while (k->n_chain < CPU_MAX_CHAIN) {
        const nashc_value *v = nashc_node_out(cpu_kernel_last(k), 0);
        const nashc_node *u = nashc_value_one_user(v);
        const nashc_type *out = nashc_value_type(v);
        cpu_space s;
        int operand = 0;

        if (!u || taken[nashc_node_id(u)] || !cpu_elt_can(u) ||
            !nashc_type_same_shape(out, nashc_value_type(nashc_node_out(u, 0))))
            return;
        while (nashc_node_in(u, operand) != v)
            operand++;
        if (k->head != CPU_HEAD_NONE && !cpu_space_rows(&s, u, operand, out))
            return;
        /* operators with code of their own look at operand 0 only */
        if (operand > 0 && nashc_node_n_in(u) > 2)
            return;
        k->chain[k->n_chain] = u;
        k->operand[k->n_chain++] = operand;
    }
}

/* Index of the point among the elements of its space. */
static LLVMValueRef
index_of(cpu_cg *g, const cpu_point *pt)
{
    LLVMValueRef at = cpu_int(g, 0);
    int64_t size = 1;

    for (int a = pt->space->rank - 1; a >= 0; a--) {
        if (pt->at[a])
            at = cpu_addi(g, at, cpu_muli(g, pt->at[a], size));
        size *= pt->space->dim[a];
    }
    return at;
}

/* The chain on a sum of the head (or nothing), then the store. */
static void
run_chain(cpu_cg *g, const cpu_point *pt, cpu_vec v, void *user)
{
    const cpu_kernel *k = user;
    const nashc_value *y = nashc_node_out(cpu_kernel_last(k), 0);
    const cpu_value *to = &g->p->value[cpu_id(y)];
    LLVMValueRef base = cpu_ptr_value(g, cpu_id(y));
    bool levels = pt->affine && k->n_chain && cpu_sum_levels_can(k->chain[0], pt->affine);

    if (levels) {
        v.v = cpu_sum_levels(g, pt, k->chain[0], v.v);
        if (k->n_chain == 1) { /* bytes they are, and bytes are stored */
            cpu_store(g, v.v, cpu_at(g, base, index_of(g, pt)), 1);
            return;
        }
        const nashc_value *u = nashc_node_out(k->chain[0], 0);
        v.v = LLVMBuildIntCast2(g->b, v.v, cpu_vec_type(g, g->i32),
                                cpu_cell_signed(nashc_type_cell(nashc_value_type(u))), "");
    } else {
        v = cpu_sum_value(g, pt, v);
    }
    for (int i = levels; i < k->n_chain; i++)
        v = cpu_elt(g, pt, k->chain[i], k->operand[i], v);
    cpu_put(g, v, base, to->cell, index_of(g, pt));
}

typedef struct line {
    const cpu_kernel *k;
    cpu_point *pt;
} line;

/* g->lanes elements of a line from at on. */
static void
on_line(cpu_cg *g, LLVMValueRef at, void *user)
{
    const line *l = user;

    l->pt->at[l->pt->space->rank - 1] = at;
    run_chain(g, l->pt, (cpu_vec){NULL, CPU_I32}, (void *)(uintptr_t)l->k);
}

#define LANES 16

/* Element-wise nodes alone: loops over the space, lanes along its last axis; units are places on
 * the first one, or vectors if it is the last too. */
static void
run_space(cpu_cg *g, const cpu_kernel *k, const cpu_space *s)
{
    int last = s->rank - 1;
    int64_t n = s->dim[last];
    LLVMValueRef none = cpu_int(g, 0), all = cpu_int(g, cpu_vectors(n, LANES));
    cpu_loop l[NASHC_MAX_RANK];
    cpu_point pt = {.space = s};
    line user = {k, &pt};

    for (int a = 0; a < last; a++) {
        cpu_loop_begin(g, &l[a], a ? none : g->from, a ? cpu_int(g, s->dim[a]) : g->to, 1, NULL, 0);
        pt.at[a] = l[a].i;
    }
    cpu_each_vector(g, last ? none : g->from, last ? all : g->to, n, LANES, on_line, &user);
    for (int a = last - 1; a >= 0; a--)
        cpu_loop_end(g, &l[a], NULL);
}

/* Cycles of a chain on the elements of its result. */
static double
chain_cost(const cpu_kernel *k, const nashc_type *out)
{
    return (double)nashc_type_count(out) / LANES * 8 * k->n_chain;
}

bool
cpu_kernel_feeds(cpu_cg *g, const cpu_kernel *k)
{
    cpu_dot d;
    cpu_window w;

    if (k->head == CPU_HEAD_DOT)
        return cpu_dot_of(g, k->head_node, &d) && cpu_feed_size(&d) > 0;
    return k->head == CPU_HEAD_WINDOW && cpu_window_of(k->head_node, &w) &&
           cpu_slide_size(g->p, &w) > 0;
}

void
cpu_kernel_feed(cpu_cg *g, const cpu_kernel *k, cpu_step *s)
{
    cpu_dot d;
    cpu_window w;

    cpu_fn_begin(g, s);
    if (k->head == CPU_HEAD_DOT && cpu_dot_of(g, k->head_node, &d)) {
        s->cost = cpu_feed_share(&d, &s->units);
        cpu_feed_emit(g, &d);
    } else if (cpu_window_of(k->head_node, &w)) {
        s->cost = cpu_slide_share(g->p, &w, &s->units);
        cpu_slide_feed(g, &w);
    }
    cpu_fn_end(g);
}

void
cpu_kernel_emit(cpu_cg *g, const cpu_kernel *k, cpu_step *s)
{
    static const char *const how[] = {"bits", "int8", "int16", "int32", "int64", "double"};
    const nashc_type *out = nashc_value_type(nashc_node_out(cpu_kernel_last(k), 0));
    void *user = (void *)(uintptr_t)k;
    cpu_space space;
    cpu_dot d;
    cpu_window w;

    s->n_nodes = k->n_chain + (k->head != CPU_HEAD_NONE);
    s->cost = chain_cost(k, out);
    cpu_fn_begin(g, s);
    if (k->head == CPU_HEAD_DOT && cpu_dot_of(g, k->head_node, &d)) {
        s->how = how[d.kind];
        s->scratch = (size_t)(d.batch * cpu_feed_size(&d));
        s->cost += cpu_dot_share(&d, &g->host, &s->units);
        cpu_space_rows(&space, NULL, 0, out);
        cpu_dot_emit(g, &d, &space, run_chain, user);
    } else if (k->head == CPU_HEAD_WINDOW && cpu_window_of(k->head_node, &w)) {
        s->how = "window";
        s->scratch = (size_t)cpu_slide_size(g->p, &w);
        s->cost += cpu_window_share(g->p, &w, &s->units);
        cpu_space_rows(&space, NULL, 0, out);
        cpu_window_emit(g, &w, &space, run_chain, user);
    } else {
        s->how = "elements";
        cpu_space_of(&space, k->chain, k->n_chain, out);
        s->units = space.rank > 1 ? space.dim[0] : cpu_vectors(space.dim[0], LANES);
        run_space(g, k, &space);
    }
    cpu_fn_end(g);
}
