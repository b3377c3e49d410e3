/* minimize_types.c: the smallest element and interval of every tensor.
 *
 * Constants get the smallest integer type of their values; the types of results follow from those
 * of operands and the actual weights (docs/datatypes.md, intervals of sums).
 */
#include <nashc/pass.h>

/* The constant in the smallest type, or NULL if it has that already. */
static nashc_tensor *
narrowed(const nashc_tensor *t)
{
    nashc_type type = *nashc_tensor_type(t);
    int64_t n = nashc_tensor_count(t), *v, lo, hi;

    if ((type.kind != NASHC_K_INT && type.kind != NASHC_K_UINT) || n == 0)
        return NULL;
    lo = hi = nashc_tensor_get_int(t, 0);
    for (int64_t i = 1; i < n; i++) {
        int64_t x = nashc_tensor_get_int(t, i);
        lo = x < lo ? x : lo;
        hi = x > hi ? x : hi;
    }
    nashc_type_set_range(&type, lo, hi);
    if (nashc_type_same_elem(&type, nashc_tensor_type(t)) && type.lo == nashc_tensor_type(t)->lo &&
        type.hi == nashc_tensor_type(t)->hi)
        return NULL;
    v = nashc_buf_to_i64(nashc_tensor_buf(t));
    nashc_tensor *r = v ? nashc_tensor_from_i64(&type, v) : NULL;
    nashc_mem_free(v);
    return r;
}

static nashc_status
run(nashc_run *r, nashc_graph *g)
{
    nashc_build *b = nashc_run_build(r, g);
    int narrower = 0;

    NASHC_EACH_NODE(g, n)
    for (int i = 0; b && i < nashc_node_n_in(n); i++) {
        nashc_value *v = nashc_node_in(n, i);
        nashc_tensor *t = v && nashc_value_const(v) ? narrowed(nashc_value_const(v)) : NULL;
        if (!t)
            continue;
        if (!nashc_run_edit(r, "narrow a constant", n)) {
            nashc_tensor_unref(t);
            continue;
        }
        nashc_build_before(b, n);
        nashc_node_set_in(n, i, nashc_build_const(b, NULL, t));
        nashc_stat(r, 0, 1);
        narrower++;
    }
    nashc_status st = b ? nashc_build_status(b) : nashc_enomem(nashc_run_diag(r));
    return st || !narrower ? st : nashc_graph_infer(g, nashc_run_diag(r));
}

const nashc_pass nashc_pass_minimize_types = {
    NASHC_DESC(nashc_pass),
    .name = "minimize-types",
    .alias = "MinimizeAccumulatorWidth|MinimizeWeightBitWidth",
    .help = "smallest element and interval of every integer tensor",
    .stats = (const char *const[]){"constants narrowed", NULL},
    .run = run,
};
