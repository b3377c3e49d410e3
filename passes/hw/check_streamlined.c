/* check_streamlined.c: accepts exactly the integer normal form, and says what is in its way.
 *
 *     inputs -- floats of the host -- quantiser -- integer ops of hardware -- floats of the host
 *
 * Two questions. Floats: one may lie in front of the first quantiser or behind the last layer,
 * never between integers and a product, and products are of integers. Layers: what to-hw would say
 * of the graph, channels-last: the same split by the same lowering rules, so neither can know
 * better.
 */
#include "split.h"
#include <string.h>

/* Of a value: behind an integer op, in front of a product, on the way to or from a fault. */
enum { AFTER = 1, BEFORE = 2, FAULTY = 4 };

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

/* What is wrong with n, which has floats between integers. */
static const char *
float_fault(const nashc_node *n)
{
    bool product = nashc_node_is_any(n, products);
    const nashc_value *x = nashc_node_in(n, 0);
    bool first = computed(x), second = computed(nashc_node_in(n, 1));
    if (nashc_node_reason(n))
        return nashc_node_reason(n);
    if (product && first && second)
        return "both its operands are computed, and one is not on a grid of integers";
    if (product && rescaled(first ? x : nashc_node_in(n, 1)))
        return "its weights are float, not quantised";
    if (product)
        return "its input is float";
    if (boundary(n))
        return "it quantises a float that is computed from integers";
    return "it computes floats between integer layers";
}

static void
report(nashc_diag *d, const nashc_node *n, const char *fault)
{
    nashc_node_error(d, n, "not streamlined: %s", fault);
    if (strstr(fault, "weights are float"))
        nashc_help(d, "quantise the weights (train with quantisation, or insert quantisers)");
    else if (nashc_node_is_any(n, products) && !nashc_node_reason(n))
        nashc_help(d, "quantise its input, or give the datatype of the graph input "
                      "(--input-datatype)");
    else
        nashc_help(d, "a layer behind it needs integers: put a quantiser between them, or write "
                      "what it does in operators that have a rule (docs/streamline.md)");
}

/* --- floats ------------------------------------------------------------------------------------
 */

typedef struct floats {
    uint8_t *mark; /* by value id: AFTER, BEFORE, FAULTY */
    nashc_diag *d;
    int n_faults;
} floats;

/* Is some computed operand of n marked so? */
static bool
reads(const floats *f, const nashc_node *n, int mark)
{
    for (int i = 0; i < nashc_node_n_in(n); i++) {
        const nashc_value *v = nashc_node_in(n, i);
        if (computed(v) && f->mark[nashc_value_id(v)] & mark)
            return true;
    }
    return false;
}

static bool
gives(const floats *f, const nashc_node *n, int mark)
{
    for (int i = 0; i < nashc_node_n_out(n); i++)
        if (f->mark[nashc_value_id(nashc_node_out(n, i))] & mark)
            return true;
    return false;
}

static void
mark_operands(const floats *f, const nashc_node *n, int mark)
{
    for (int i = 0; i < nashc_node_n_in(n); i++)
        if (computed(nashc_node_in(n, i)))
            f->mark[nashc_value_id(nashc_node_in(n, i))] |= (uint8_t)mark;
}

static void
mark_results(const floats *f, const nashc_node *n, int mark)
{
    for (int i = 0; i < nashc_node_n_out(n); i++)
        f->mark[nashc_value_id(nashc_node_out(n, i))] |= (uint8_t)mark;
}

/* Marks what lies behind integers, and what leads to a product: what else reads floats, a
 * quantiser too, is the host's. Are there integers? */
static bool
mark_values(const floats *f, const nashc_graph *g)
{
    bool integers = false;

    NASHC_EACH_NODE(g, n)
    {
        bool integer = integer_node(n) || boundary(n);
        integers = integers || integer;
        if (integer || reads(f, n, AFTER))
            mark_results(f, n, AFTER);
    }
    for (nashc_node *n = nashc_graph_last(g); n; n = nashc_node_prev(n))
        if (nashc_node_is_any(n, products) || gives(f, n, BEFORE))
            mark_operands(f, n, BEFORE);
    return integers;
}

/* Does n compute floats behind integers and in front of a product, or is it that product? */
static bool
between(const floats *f, const nashc_node *n)
{
    return !integer_node(n) && reads(f, n, AFTER) &&
           (gives(f, n, BEFORE) || nashc_node_is_any(n, products));
}

static void
fault_of(floats *f, const nashc_node *n)
{
    report(f->d, n, float_fault(n));
    f->n_faults++;
}

/* Of nodes that follow each other one is at fault: the first of which a pass knows the reason;
 * where none knows, the first that is more than a scale. The others lead to it or suffer from it:
 * FAULTY. */
static void
find_faults(floats *f, const nashc_graph *g, bool reasoned)
{
    NASHC_EACH_NODE(g, n)
    {
        bool faulty = gives(f, n, FAULTY) || reads(f, n, FAULTY), known = nashc_node_reason(n);
        bool scale = nashc_node_n_out(n) == 1 && rescaled(nashc_node_out(n, 0));
        if (reads(f, n, FAULTY))
            mark_results(f, n, FAULTY);
        if (faulty || !between(f, n) || (reasoned ? !known : scale))
            continue;
        fault_of(f, n);
        mark_results(f, n, FAULTY);
        mark_operands(f, n, FAULTY);
    }
    for (nashc_node *n = nashc_graph_last(g); n; n = nashc_node_prev(n))
        if (gives(f, n, FAULTY) && between(f, n))
            mark_operands(f, n, FAULTY);
}

static void
check_floats(floats *f, const nashc_graph *g)
{
    bool integers = mark_values(f, g);
    const nashc_node *product = NULL;

    find_faults(f, g, true);
    find_faults(f, g, false);
    NASHC_EACH_NODE(g, n)
    if (!integer_node(n) && nashc_node_is_any(n, products))
        product = n;
    if (!f->n_faults && !integers && product)
        fault_of(f, product);
}

/* --- layers ------------------------------------------------------------------------------------
 */

/* A copy of m as to-hw wants it, for the caller to free; NULL: *s says why not. */
static nashc_module *
channels_last(const nashc_module *m, nashc_diag *d, nashc_status *s)
{
    nashc_module *copy = nashc_module_clone(m);
    int verbosity = nashc_diag_verbosity(d);

    if (!copy) {
        *s = nashc_enomem(d);
        return NULL;
    }
    nashc_diag_set_verbosity(d, 0); /* of a question, nothing is told */
    *s = nashc_run_pipeline(&copy, "to-channels-last", NULL, d);
    nashc_diag_set_verbosity(d, verbosity);
    if (*s == NASHC_OK)
        return copy;
    nashc_module_free(copy);
    return NULL;
}

/* Reports nodes of g that would have to be layers; others than those that compute integers from
 * integers only where floats are not at fault. */
static nashc_status
check_layers(nashc_graph *g, bool all, nashc_arena *a, nashc_diag *d)
{
    nashc_status st = NASHC_OK;
    split s;

    if (!split_graph(&s, g, false, a))
        return nashc_enomem(d);
    NASHC_EACH_NODE(g, n)
    {
        const char *why = nashc_node_op(n)->hw ? NULL : split_fault(&s, n);
        if (!why || !(all || integer_node(n)))
            continue;
        st = nashc_node_error(d, n, "not streamlined: %s", why);
        split_note_operands(n, d);
        nashc_help(d, "`nashc list impls` shows which operators become layers: to-hw/OP");
    }
    return st;
}

static nashc_status
check_graph(nashc_run *r, const nashc_graph *g, nashc_graph *last)
{
    nashc_arena *a = nashc_run_arena(r);
    floats f = {.mark = NASHC_NEW_N(a, uint8_t, nashc_graph_max_id(g) + 1), .d = nashc_run_diag(r)};

    if (!f.mark)
        return nashc_enomem(f.d);
    check_floats(&f, g);
    nashc_status s = last ? check_layers(last, f.n_faults == 0, a, f.d) : NASHC_OK;
    return s != NASHC_OK ? s : f.n_faults ? NASHC_EINPUT : NASHC_OK;
}

static nashc_status
check(nashc_run *r, nashc_graph *g)
{
    const nashc_module *m = nashc_graph_module(g);
    nashc_status s = NASHC_OK, one;
    nashc_module *last = channels_last(m, nashc_run_diag(r), &s);

    for (int i = 0; last && i < nashc_module_n_graphs(m); i++) {
        g = nashc_module_graph_at(m, i);
        one = check_graph(r, g, nashc_module_graph(last, nashc_graph_name(g)));
        s = one == NASHC_OK ? s : one;
    }
    if (last)
        nashc_module_free(last);
    return s;
}

const nashc_pass nashc_pass_check_streamlined = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_CHECK | NASHC_PASS_MODULE,
    .name = "check-streamlined",
    .help = "accept the integer normal form only; one diagnostic for each node that is left over",
    .gives = "integer-only",
    .run = check,
};
