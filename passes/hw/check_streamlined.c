/* check_streamlined.c: accepts exactly the integer normal form, and says what is in its way.
 *
 *     inputs -- floats of the host -- quantiser -- integer ops of hardware -- floats of the host
 *
 * Integer ops are those that hardware has (layers, joins, moves), with integer constants; a float
 * may lie in front of the first quantiser or behind the last integer, never between two integers.
 */
#include <nashc/pass.h>
#include <string.h>

enum { AFTER = 1, BEFORE = 2 }; /* behind, in front of an integer op */

static bool
is_int(const nashc_value *v)
{
    return nashc_type_is_int(nashc_value_type(v));
}

/* Neither a constant nor a quantised or moved one. */
static bool
computed(const nashc_value *v)
{
    for (int depth = 0; v && depth < 64; depth++) {
        const nashc_node *d = nashc_value_def(v);
        if (!d)
            return !nashc_value_const(v);
        for (int i = 1; i < nashc_node_n_in(d); i++)
            if (nashc_node_in(d, i) && !nashc_value_const(nashc_node_in(d, i)))
                return true;
        v = nashc_node_in(d, 0);
    }
    return v != NULL;
}

/* Does n give integers from integers only? */
static bool
integer_node(const nashc_node *n)
{
    bool dynamic = false;
    for (int i = 0; i < nashc_node_n_in(n); i++) {
        const nashc_value *v = nashc_node_in(n, i);
        if (computed(v) && !is_int(v))
            return false;
        dynamic = dynamic || computed(v);
    }
    for (int i = 0; i < nashc_node_n_out(n); i++)
        if (!is_int(nashc_node_out(n, i)))
            return false;
    return dynamic;
}

/* Does n make integers of floats? */
static bool
boundary(const nashc_node *n)
{
    return nashc_node_n_out(n) > 0 && is_int(nashc_node_out(n, 0)) && !integer_node(n);
}

static const char *const products[] = {"nn.conv", "nn.conv_transpose", "nn.matmul", "nn.gemm",
                                       NULL};

static const char *
constant_fault(const nashc_node *n)
{
    for (int i = 0; i < nashc_node_n_in(n); i++) {
        const nashc_value *v = nashc_node_in(n, i);
        if (v && nashc_value_const(v) && !is_int(v))
            return "a constant operand is float";
    }
    return NULL;
}

/* What keeps integer node n from being a layer; NULL: nothing. */
static const char *
layer_fault(const nashc_node *n)
{
    static const char *const layers[] = {"nn.conv",
                                         "nn.conv_transpose",
                                         "nn.matmul",
                                         "nn.maxpool",
                                         "nn.global_maxpool",
                                         "nn.sumpool",
                                         "nn.global_sumpool",
                                         "q.multithreshold",
                                         "q.requant",
                                         "q.lut",
                                         "nn.add",
                                         "nn.sub",
                                         "nn.mul",
                                         "nn.min",
                                         "nn.max",
                                         "nn.relu",
                                         "nn.clip",
                                         "nn.neg",
                                         "nn.abs",
                                         "nn.reshape",
                                         "nn.transpose",
                                         "nn.concat",
                                         "nn.split",
                                         "nn.slice",
                                         "nn.pad",
                                         "nn.gather",
                                         "nn.expand",
                                         "nn.tile",
                                         "nn.resize",
                                         "nn.depth_to_space",
                                         "nn.space_to_depth",
                                         "nn.topk",
                                         "nn.argmax",
                                         "nn.reduce_sum",
                                         "nn.reduce_max",
                                         "nn.reduce_min",
                                         "nn.identity",
                                         "nn.cast",
                                         "call",
                                         NULL};
    if (!strncmp(nashc_node_opname(n), "hw.", 3))
        return NULL;
    if (!nashc_node_is_any(n, layers))
        return "no layer computes this op";
    if (constant_fault(n))
        return constant_fault(n);
    if (nashc_node_is(n, "q.multithreshold")) {
        int64_t scale = nashc_attr_int(n, nashc_attr_index(n, "out_scale"));
        if (scale != 1 && nashc_value_type(nashc_node_out(n, 0))->kind != NASHC_K_BIP)
            return "out_scale is not 1";
    }
    return NULL;
}

/* Is v an integer tensor times a scale, plus an offset? */
static bool
rescaled(const nashc_value *v)
{
    static const char *const affine[] = {"nn.mul", "nn.add", "nn.cast", "q.dequant", NULL};
    for (int depth = 0; depth < 8; depth++) {
        const nashc_node *d = nashc_value_def(v);
        if (is_int(v))
            return true;
        if (!d || !nashc_node_is_any(d, affine) ||
            (nashc_node_n_in(d) > 1 && computed(nashc_node_in(d, 1))))
            return false;
        v = nashc_node_in(d, 0);
    }
    return false;
}

static const char *
float_fault(const nashc_node *n)
{
    bool product = nashc_node_is_any(n, products);
    const nashc_value *x = nashc_node_in(n, 0);
    bool first = computed(x), second = computed(nashc_node_in(n, 1));
    if (product && first && second)
        return "both its operands are computed, and one is not on a grid of integers";
    if (product && rescaled(first ? x : nashc_node_in(n, 1)))
        return "its weights are float, not quantised";
    if (product)
        return "its input is float";
    if (boundary(n))
        return "it quantises a float that is computed from integers";
    if (nashc_node_n_out(n) == 1 && rescaled(nashc_node_out(n, 0)))
        return NULL; /* what reads it is at fault */
    return "it computes floats between integer layers";
}

static void
report(nashc_run *r, const nashc_node *n, const char *fault)
{
    nashc_diag *d = nashc_run_diag(r);
    nashc_node_error(d, n, "not streamlined: %s", fault);
    if (strstr(fault, "weights"))
        nashc_help(d, "quantise the weights (train with quantisation, or insert quantisers)");
    else if (nashc_node_is_any(n, products))
        nashc_help(d, "quantise its input, or give the datatype of the graph input "
                      "(--input-datatype)");
    else
        nashc_help(d, "put a quantiser directly in front of the next layer; --explain="
                      "scaled-integer tells why this node stayed in float");
}

static nashc_status
check(nashc_run *r, nashc_graph *g)
{
    uint8_t *mark = NASHC_NEW_N(nashc_run_arena(r), uint8_t, nashc_graph_max_id(g) + 1);
    int faults = 0, integers = 0;
    const nashc_node *product = NULL;

    if (!mark)
        return nashc_enomem(nashc_run_diag(r));
    for (nashc_node *n = nashc_graph_first(g); n; n = nashc_node_next(n)) {
        uint8_t m = integer_node(n) || boundary(n) ? AFTER : 0;
        integers += m != 0;
        for (int i = 0; i < nashc_node_n_in(n); i++)
            if (computed(nashc_node_in(n, i)))
                m |= mark[nashc_value_id(nashc_node_in(n, i))] & AFTER;
        for (int i = 0; i < nashc_node_n_out(n); i++)
            mark[nashc_value_id(nashc_node_out(n, i))] |= m;
    }
    for (nashc_node *n = nashc_graph_last(g); n; n = nashc_node_prev(n)) {
        uint8_t m = integer_node(n) || boundary(n) ? BEFORE : 0;
        for (int i = 0; i < nashc_node_n_out(n); i++)
            m |= mark[nashc_value_id(nashc_node_out(n, i))] & BEFORE;
        for (int i = 0; i < nashc_node_n_in(n); i++)
            if (computed(nashc_node_in(n, i)))
                mark[nashc_value_id(nashc_node_in(n, i))] |= m;
    }
    for (nashc_node *n = nashc_graph_first(g); n; n = nashc_node_next(n)) {
        const char *fault = NULL;
        uint8_t in = 0, out = 0;
        for (int i = 0; i < nashc_node_n_in(n); i++)
            if (computed(nashc_node_in(n, i)))
                in |= mark[nashc_value_id(nashc_node_in(n, i))] & AFTER;
        for (int i = 0; i < nashc_node_n_out(n); i++)
            out |= mark[nashc_value_id(nashc_node_out(n, i))] & BEFORE;
        product = nashc_node_is_any(n, products) && !integer_node(n) ? n : product;
        if (integer_node(n))
            fault = layer_fault(n);
        else if (in && (out || boundary(n) || nashc_node_is_any(n, products)))
            fault = float_fault(n);
        if (fault)
            report(r, n, fault);
        faults += fault != NULL;
    }
    if (!faults && !integers && product) {
        report(r, product, float_fault(product));
        faults++;
    }
    return faults ? NASHC_EINPUT : NASHC_OK;
}

const nashc_pass nashc_pass_check_streamlined = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_CHECK,
    .name = "check-streamlined",
    .help = "accept the integer normal form only; one diagnostic for each node that is left over",
    .gives = "integer-only",
    .run = check,
};
