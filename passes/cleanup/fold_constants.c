/* fold_constants.c: computes nodes whose operands are all constant.
 *
 *     c1, c2 -- op -- y     ==>     constant op(c1, c2)
 *
 * One sweep in topological order suffices: what becomes constant is met before its readers. All
 * results of a node are folded. The value is the real number that the reference executor computes:
 * an f32 result that is no float32 becomes an f64 constant, which gives f32 results their digits.
 * Quantisers of constants stay unless `quant` asks for them: they say which integers the weights
 * are, which the float value does not.
 * Terminates: each edit removes a node.
 */
#include <nashc/pass.h>
#include <string.h>

/* May n be folded at all? Explains near misses. */
static bool
foldable(nashc_run *r, const nashc_node *n)
{
    const nashc_op *op = nashc_node_op(n);
    int64_t in = 0, out = 0, most = nashc_opts_int(nashc_run_opts(r), "growth");

    for (int i = 0; i < nashc_node_n_in(n); i++) {
        const nashc_value *v = nashc_node_in(n, i);
        if (v && !nashc_value_const(v))
            return false;
        in += v ? nashc_type_count(nashc_value_type(v)) : 0;
    }
    if (!op->eval || (op->flags & (NASHC_OP_OPAQUE | NASHC_OP_STATEFUL)))
        return nashc_run_miss(r, n, "the op cannot be executed");
    if (!strncmp(op->name, "q.", 2) && !nashc_opts_bool(nashc_run_opts(r), "quant"))
        return nashc_run_miss(r, n, "quantiser of a constant, kept without the option quant");
    for (int i = 0; i < nashc_node_n_out(n); i++) {
        int64_t count = nashc_type_count(nashc_value_type(nashc_node_out(n, i)));
        if (count < 0)
            return nashc_run_miss(r, n, "the size of the result is not known");
        out += count;
    }
    if (out > 4096 && out / most > in)
        return nashc_run_miss(r, n, "the result would have %" PRId64 " elements from %" PRId64, out,
                              in);
    return true;
}

/* An output of the graph keeps its element; what the executor rounds there is rounded here. */
static nashc_tensor *
rounded(const nashc_tensor *t, const nashc_type *elem)
{
    nashc_type type = nashc_type_with_elem(nashc_tensor_type(t), elem);
    double *v = nashc_buf_to_f64(nashc_tensor_buf(t));
    nashc_tensor *out = v ? nashc_tensor_from_f64(&type, v) : NULL;

    nashc_mem_free(v);
    return out;
}

static bool
put(nashc_build *b, nashc_value *v, nashc_tensor *t)
{
    const nashc_type *want = nashc_value_type(v);
    nashc_graph *g = nashc_build_graph(b);

    if (t && nashc_value_is_output(v) && want->kind == NASHC_K_F32 &&
        nashc_tensor_type(t)->kind == NASHC_K_F64) {
        nashc_value *c = nashc_build_const(b, NULL, rounded(t, want));
        for (int i = 0; c && i < nashc_graph_n_outputs(g); i++)
            if (nashc_graph_output(g, i) == v)
                nashc_graph_set_output(g, i, c);
    }
    nashc_value *c = nashc_build_const(b, NULL, t);
    if (c)
        nashc_value_replace(v, c);
    return c != NULL;
}

/* A small file can ask for any amount of work: sums of products of large constants that are all
 * alike, say. Nobody waits for it in silence. */
static nashc_status
check_steps(nashc_run *r, const nashc_node *n)
{
    double steps = nashc_node_steps(n);
    int64_t most = nashc_opts_int(nashc_run_opts(r), "steps");

    if (steps <= (double)most)
        return NASHC_OK;
    nashc_node_unsup(
        nashc_run_diag(r), n,
        "to compute it from constants takes %.0f million steps, more than %.0f million",
        steps / 1e6, (double)most / 1e6);
    nashc_help(nashc_run_diag(r),
               "store the result in the model, or raise fold-constants(steps=N)");
    return NASHC_EUNSUP;
}

static nashc_status
fold(nashc_run *r, nashc_build *b, nashc_node *n)
{
    int n_in = nashc_node_n_in(n), n_out = nashc_node_n_out(n);
    const nashc_buf **in = NASHC_NEW_N(nashc_run_arena(r), const nashc_buf *, n_in + 1);
    nashc_buf *out = NASHC_NEW_N(nashc_run_arena(r), nashc_buf, n_out + 1);

    if (!in || !out)
        return nashc_enomem(nashc_run_diag(r));
    for (int i = 0; i < n_in; i++) {
        const nashc_value *v = nashc_node_in(n, i);
        in[i] = v ? nashc_tensor_buf(nashc_value_const(v)) : NULL;
    }
    nashc_status s = check_steps(r, n);
    if (s || (s = nashc_eval_node(n, in, out, NASHC_EVAL_WIDE, nashc_run_diag(r))))
        return s;
    nashc_build_before(b, n);
    for (int i = 0; i < n_out; i++)
        if (nashc_value_n_uses(nashc_node_out(n, i)) == 0)
            nashc_buf_free(&out[i]);
        else if (!put(b, nashc_node_out(n, i), nashc_tensor_take(&out[i])))
            return nashc_build_status(b);
    nashc_node_erase(n, true);
    return NASHC_OK;
}

static nashc_status
fold_constants(nashc_run *r, nashc_graph *g)
{
    nashc_build *b = nashc_run_build(r, g);
    bool folded = false;

    NASHC_EACH_NODE(g, n)
    {
        if (!foldable(r, n))
            continue;
        if (!nashc_run_edit(r, "fold", n))
            break;
        nashc_status s = fold(r, b, n);
        if (s)
            return s;
        folded = true;
    }
    /* Readers of a constant have intervals from its values. */
    return folded ? nashc_graph_infer(g, nashc_run_diag(r)) : NASHC_OK;
}

static const nashc_param fold_constants_options[] = {
    {.name = "quant",
     .def = "false",
     .help = "fold quantisers too, to the float values they give",
     .kind = NASHC_P_BOOL},
    {.name = "growth",
     .def = "16",
     .domain = "1..",
     .help = "largest ratio of result to operand elements beyond 4096",
     .kind = NASHC_P_INT},
    {.name = "steps",
     .def = "100000000000",
     .domain = "1..",
     .help = "most steps of a node, multiply-accumulates and elements; more are an error",
     .kind = NASHC_P_INT},
    {0},
};

const nashc_pass nashc_pass_fold_constants = {
    NASHC_DESC(nashc_pass),
    .name = "fold-constants",
    .alias = "FoldConstants|FoldConstantsFiltered",
    .help = "compute nodes whose operands are all constant",
    .options = fold_constants_options,
    .run = fold_constants,
};
