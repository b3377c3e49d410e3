/* index_map.c: which element of its operand each element of a moving operator's result is. */
#include <nashc/diag.h>
#include <nashc/eval.h>

/* n with its operand 0 as an input of f64, as all of a graph. */
typedef struct copy {
    nashc_module *m;
    nashc_graph *g;
    nashc_status status;
} copy;

/* Operand i > 0 of n as a constant of b's graph. */
static nashc_value *
constant_of(nashc_build *b, const nashc_node *n, const nashc_tensor *const *constant, int i)
{
    const nashc_tensor *t = constant && constant[i] ? constant[i]
                            : nashc_node_in(n, i)   ? nashc_value_const(nashc_node_in(n, i))
                                                    : NULL;

    return t ? nashc_build_const(b, NULL, nashc_tensor_ref((nashc_tensor *)(uintptr_t)t)) : NULL;
}

/* A graph of its own, so that the operator runs on numbers that are indices, whatever its real
 * operand is. */
static copy
copy_of(const nashc_node *n, const nashc_tensor *const *constant, const nashc_type *x,
        nashc_diag *d)
{
    copy c = {.m = nashc_module_create(nashc_module_ctx(nashc_graph_module(nashc_node_graph(n))))};
    int n_in = nashc_node_n_in(n);

    c.g = c.m ? nashc_module_add_graph(c.m, "main") : NULL;
    nashc_build *b = c.g ? nashc_build_create(c.g, d) : NULL;
    nashc_value **v = b ? NASHC_NEW_N(nashc_build_arena(b), nashc_value *, n_in + 1) : NULL;
    if (!v) {
        c.status = nashc_enomem(d);
        return c;
    }
    v[0] = nashc_graph_add_input(c.g, "x", x);
    for (int i = 1; i < n_in; i++)
        v[i] = constant_of(b, n, constant, i);
    nashc_build_loc(b, nashc_node_loc(n));
    nashc_node *k = nashc_build_node(b, nashc_node_opname(n), v, n_in, nashc_node_n_out(n), "%s",
                                     nashc_node_attr_text(n, nashc_build_arena(b)));
    for (int i = 0; k && i < nashc_node_n_out(k); i++)
        nashc_graph_add_output(c.g, NULL, nashc_node_out(k, i));
    c.status = nashc_build_status(b);
    return c;
}

/* Runs c on x; result out as integers. */
static int64_t *
run(const copy *c, const nashc_buf *x, int n_out, int out, nashc_diag *d)
{
    nashc_buf *y = NASHC_NEW_N(nashc_module_arena(c->m), nashc_buf, n_out);
    int64_t *map = NULL;

    if (y && nashc_run_graph(c->g, &x, y, NASHC_EVAL_WIDE, NULL, NULL, d) == NASHC_OK)
        map = nashc_buf_to_i64(&y[out]);
    for (int i = 0; y && i < n_out; i++)
        nashc_buf_free(&y[i]);
    return map;
}

/* Each element is its own index, in double: exact below 2^53. Only for operators that move
 * elements; what others make of indices means nothing. NULL: failed, told to d. Freed by
 * nashc_mem_free. */
int64_t *
nashc_index_map(const nashc_node *n, const nashc_tensor *const *constant, int out, nashc_diag *d)
{
    nashc_type f64 = nashc_type_f64();
    nashc_type t = nashc_type_with_elem(nashc_value_type(nashc_node_in(n, 0)), &f64);
    int64_t *map = NULL;
    nashc_buf x = {0};

    if (!nashc_buf_alloc(&x, &t)) {
        nashc_enomem(d);
        return NULL;
    }
    for (int64_t i = 0; i < x.n; i++)
        nashc_buf_set(&x, i, (double)i);
    copy c = copy_of(n, constant, &t, d);
    if (c.status == NASHC_OK)
        map = run(&c, &x, nashc_node_n_out(n), out, d);
    nashc_buf_free(&x);
    nashc_module_free(c.m);
    return map;
}
