/* steps.c: how much the reference executor computes, told by shapes alone. */
#include <nashc/eval.h>
#include <nashc/ir.h>

/* Elements; 0 where they are not known. */
static int64_t
known(const nashc_value *v)
{
    int64_t n = v ? nashc_type_count(nashc_value_type(v)) : 0;

    return n > 0 ? n : 0;
}

/* Products that make one result; 0: n is no layer of sums of products, or its shapes are not
 * known. of_input: those that one element of operand 0 takes part in. */
static int64_t
terms_of(const nashc_node *n, bool *of_input)
{
    static const char *const layers[] = {"nn.conv", "nn.conv_transpose", "nn.matmul",
                                         "nn.gemm", "hw.mvau",           NULL};
    const nashc_type *x, *w;

    *of_input = nashc_node_is(n, "nn.conv_transpose");
    if (!nashc_node_is_any(n, layers))
        return 0;
    x = nashc_value_type(nashc_node_in(n, 0));
    w = nashc_value_type(nashc_node_in(n, 1));
    if (x->rank < 1 || w->rank < 1)
        return 0;
    /* weights [out, in / group, ...], or [in, out / group, ...] transposed: what is behind the
     * first dimension */
    if (*of_input || nashc_node_is(n, "nn.conv"))
        return w->dim[0] > 0 ? known(nashc_node_in(n, 1)) / w->dim[0] : 0;
    bool turned = nashc_node_is(n, "nn.gemm") && nashc_attr_bool(n, nashc_attr_index(n, "trans_a"));
    int64_t terms = x->dim[turned ? 0 : x->rank - 1];
    return terms > 0 ? terms : 0;
}

int64_t
nashc_node_macs(const nashc_node *n)
{
    bool of_input;
    int64_t macs, terms = terms_of(n, &of_input);

    return nashc_mul_size(known(of_input ? nashc_node_in(n, 0) : nashc_node_out(n, 0)), terms,
                          &macs)
               ? macs
               : INT64_MAX;
}

/* Reads of operands, products, and for pools a window for each result. */
double
nashc_node_steps(const nashc_node *n)
{
    double steps = (double)nashc_node_macs(n), out = 0;
    int rank = 0, kernel = nashc_attr_index(n, "kernel");
    const int64_t *k = kernel >= 0 ? nashc_attr_ints(n, kernel, &rank) : NULL;
    double window = 1;

    for (int i = 0; i < rank; i++)
        window *= (double)k[i];
    for (int i = 0; i < nashc_node_n_in(n); i++)
        if (nashc_node_in(n, i) && !nashc_value_const(nashc_node_in(n, i)))
            steps += (double)known(nashc_node_in(n, i));
    for (int i = 0; i < nashc_node_n_out(n); i++)
        out += (double)known(nashc_node_out(n, i));
    return steps + out * window;
}
