/* evaluate.c: constants that are computed: one op on constant tensors, integers in small types. */
#include "evaluate.h"

#include <nashc/eval.h>

nashc_tensor *
si_ref(const nashc_tensor *t)
{
    return nashc_tensor_ref((nashc_tensor *)(uintptr_t)t);
}

/* The least and the largest value decide on the type. */
nashc_tensor *
si_int_tensor(si_job *job, const nashc_type *t, const int64_t *v)
{
    nashc_type type = *t;
    int64_t n = nashc_type_count(t), lo = 0, hi = 0;
    for (int64_t i = 0; i < n; i++) {
        lo = i == 0 || v[i] < lo ? v[i] : lo;
        hi = i == 0 || v[i] > hi ? v[i] : hi;
    }
    if (type.kind != NASHC_K_BIP)
        nashc_type_set_range(&type, lo, hi);
    return si_keep(job, nashc_tensor_from_i64(&type, v));
}

nashc_tensor *
si_real_tensor(si_job *job, const nashc_type *t, const si_array *a)
{
    nashc_type f64 = nashc_type_f64(), type = nashc_type_with_elem(t, &f64);
    nashc_buf buf;
    if (!nashc_buf_alloc(&buf, &type)) {
        si_no_memory(job);
        return NULL;
    }
    for (int64_t i = 0; i < buf.n; i++)
        nashc_buf_set(&buf, i, si_at(a, &type, i));
    return si_keep(job, nashc_tensor_take(&buf));
}

/* A graph of the one node: x, of the type of in[0], to all results. */
static nashc_node *
one_node(si_job *job, nashc_build *b, const nashc_node *like, const char *op, const char *attrs,
         const nashc_tensor *const *in, int n_in, int n_out)
{
    nashc_graph *g = nashc_build_graph(b);
    nashc_value **v = si_alloc(job, n_in, sizeof(*v));
    if (!v)
        return NULL;
    nashc_build_loc(b, nashc_node_loc(like));
    v[0] = nashc_graph_add_input(g, "x", nashc_tensor_type(in[0]));
    for (int i = 1; i < n_in; i++) /* ops ask whether the others are constant */
        v[i] = in[i] ? nashc_build_const(b, NULL, si_ref(in[i])) : NULL;
    if (!v[0]) {
        si_no_memory(job);
        return NULL;
    }
    nashc_node *n = nashc_build_node(b, op ? op : nashc_node_opname(like), v, n_in, n_out, "%s",
                                     attrs ? attrs : nashc_node_attr_text(like, job->arena));
    for (int i = 0; n && i < n_out; i++)
        nashc_graph_add_output(g, NULL, nashc_node_out(n, i));
    if (nashc_build_status(b) != NASHC_OK)
        si_fail(job, nashc_build_status(b));
    return n;
}

/* Wide: results are kept as the doubles that the op computes (docs/numerics.md). */
static bool
run_on(si_job *job, nashc_graph *g, const nashc_tensor *input, int n_out, nashc_tensor **out)
{
    const nashc_buf *x = nashc_tensor_buf(input);
    nashc_buf *res = si_alloc(job, n_out, sizeof(*res));
    if (!res)
        return false;
    nashc_status st = nashc_run_graph(g, &x, res, NASHC_EVAL_WIDE, NULL, NULL, job->diag);
    if (st != NASHC_OK)
        return si_fail(job, st);
    for (int i = 0; i < n_out; i++) {
        nashc_type f64 = nashc_type_f64();
        if (res[i].cell == NASHC_DOUBLE) /* f32 results come unrounded */
            res[i].type = nashc_type_with_elem(&res[i].type, &f64);
        out[i] = si_keep(job, nashc_tensor_take(&res[i]));
    }
    return !si_failed(job);
}

/* A module of its own for one node: the op itself says what it means, so no op needs a second
 * definition here. */
bool
si_eval(si_job *job, const nashc_node *like, const char *op, const char *attrs,
        const nashc_tensor *const *in, int n_in, int n_out, nashc_tensor **out)
{
    nashc_module *m =
        nashc_module_create(nashc_module_ctx(nashc_graph_module(nashc_node_graph(like))));
    nashc_graph *g = m ? nashc_module_add_graph(m, "main") : NULL;
    nashc_build *b = g ? nashc_build_create(g, job->diag) : NULL;
    bool ok = b ? one_node(job, b, like, op, attrs, in, n_in, n_out) != NULL : si_no_memory(job);
    ok = ok && !si_failed(job) && run_on(job, g, in[0], n_out, out);
    nashc_module_free(m);
    return ok;
}
