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

/* Element-wise nodes alone: loops over the space, lanes along its last axis. */
static void
run_space(cpu_cg *g, const cpu_kernel *k, const cpu_space *s)
{
    int last = s->rank - 1, lanes = 16;
    int64_t n = s->dim[last], bulk = n / lanes * lanes;
    cpu_loop l[NASHC_MAX_RANK];
    cpu_point pt = {.space = s};

    for (int a = 0; a < last; a++) {
        cpu_loop_begin(g, &l[a], cpu_int(g, 0), cpu_int(g, s->dim[a]), 1, NULL, 0);
        pt.at[a] = l[a].i;
    }
    if (bulk) {
        g->lanes = lanes;
        cpu_loop_begin(g, &l[last], cpu_int(g, 0), cpu_int(g, bulk), lanes, NULL, 0);
        pt.at[last] = l[last].i;
        run_chain(g, &pt, (cpu_vec){NULL, CPU_I32}, (void *)(uintptr_t)k);
        cpu_loop_end(g, &l[last], NULL);
    }
    if (n > bulk) {
        g->lanes = (int)(n - bulk);
        pt.at[last] = cpu_int(g, bulk);
        run_chain(g, &pt, (cpu_vec){NULL, CPU_I32}, (void *)(uintptr_t)k);
    }
    for (int a = last - 1; a >= 0; a--)
        cpu_loop_end(g, &l[a], NULL);
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
    cpu_fn_begin(g, s);
    if (k->head == CPU_HEAD_DOT && cpu_dot_of(g, k->head_node, &d)) {
        s->how = how[d.kind];
        s->scratch = (size_t)cpu_feed_size(&d);
        cpu_space_rows(&space, NULL, 0, out);
        cpu_dot_emit(g, &d, &space, run_chain, user);
    } else if (k->head == CPU_HEAD_WINDOW && cpu_window_of(k->head_node, &w)) {
        s->how = "window";
        s->scratch = (size_t)cpu_slide_size(g->p, &w);
        cpu_space_rows(&space, NULL, 0, out);
        cpu_window_emit(g, &w, &space, run_chain, user);
    } else {
        s->how = "elements";
        cpu_space_of(&space, k->chain, k->n_chain, out);
        run_space(g, k, &space);
    }
    cpu_fn_end(g);
}
