/* check_grid.c: what a float input should range over, so that a comparison asks what matters. */
#include "check_grid.h"
#include <math.h>

/* Scalar stand-in for a constant: its first element. */
static bool
const_scalar(const nashc_value *v, double *out)
{
    const nashc_tensor *t = v ? nashc_value_const(v) : NULL;
    if (!t || nashc_tensor_count(t) < 1)
        return false;
    *out = nashc_tensor_get(t, 0);
    return isfinite(*out);
}

/* Follows x -> scale * x + shift through a node; false where the chain ends. A guide to inputs that
 * are worth trying: where it is wrong, they tell less, and the comparison is as strict. */
static bool
follow(const nashc_node *n, const nashc_value *x, double *scale, double *shift)
{
    const nashc_value *other = nashc_node_in(n, 0) == x ? nashc_node_in(n, 1) : nashc_node_in(n, 0);
    bool first = nashc_node_in(n, 0) == x;
    double c;
    if (nashc_node_op(n)->flags & NASHC_OP_SHAPE)
        return true;
    if (!(nashc_node_op(n)->flags & NASHC_OP_ELTWISE))
        return false;
    if (!const_scalar(other, &c))
        return nashc_node_n_in(n) == 1; /* a curve: taken as the identity */
    if (nashc_node_is(n, "nn.mul") && c != 0) {
        *scale *= c;
        *shift *= c;
    } else if (nashc_node_is(n, "nn.div") && first && c != 0) {
        *scale /= c;
        *shift /= c;
    } else if (nashc_node_is(n, "nn.add")) {
        *shift += c;
    } else if (nashc_node_is(n, "nn.sub") && first) {
        *shift -= c;
    }
    return true;
}

/* Range and step of the first quantiser's own input; false if n is none. */
static bool
quantiser_range(const nashc_node *n, check_grid *q)
{
    double s, z = 0;
    if (nashc_node_is(n, "q.quant") && const_scalar(nashc_node_in(n, 1), &s)) {
        const_scalar(nashc_node_in(n, 2), &z);
        double qmin = (double)nashc_node_int(n, "qmin");
        double qmax = (double)nashc_node_int(n, "qmax");
        *q = (check_grid){(qmin - z) * s, (qmax - z) * s, s, -z * s, false};
        return true;
    }
    if (nashc_node_is(n, "q.bipolar_quant") && const_scalar(nashc_node_in(n, 1), &s)) {
        *q = (check_grid){-2 * fabs(s), 2 * fabs(s), 0, 0, false};
        return true;
    }
    if (nashc_node_is(n, "q.multithreshold") && const_scalar(nashc_node_in(n, 1), &s)) {
        nashc_tensor_min_max(nashc_value_const(nashc_node_in(n, 1)), &q->lo, &q->hi);
        q->step = 0;
        return isfinite(q->lo) && isfinite(q->hi);
    }
    return false;
}

/* Walks forward from a graph input to the first quantiser. */
static bool
find_grid(const nashc_value *input, nashc_arena *a, check_grid *out)
{
    enum { MAX_CHAIN = 32 };
    const nashc_value *v = input;
    double scale = 1, shift = 0;
    for (int hops = 0; hops < MAX_CHAIN; hops++) {
        int n;
        nashc_node **users = nashc_value_users(v, a, &n);
        const nashc_node *next = NULL;
        for (int i = 0; users && i < n; i++) {
            if (nashc_node_in(users[i], 0) == v && quantiser_range(users[i], out)) {
                double lo = (out->lo - shift) / scale, hi = (out->hi - shift) / scale;
                out->lo = fmin(lo, hi);
                out->hi = fmax(lo, hi);
                out->step = fabs(out->step / scale);
                out->at = (out->at - shift) / scale;
                return isfinite(out->lo) && isfinite(out->hi);
            }
            next = next ? next : users[i];
        }
        double s = scale, b = shift;
        if (!next || nashc_node_n_out(next) != 1 || !follow(next, v, &s, &b))
            return false;
        scale = s;
        shift = b;
        v = nashc_node_out(next, 0);
    }
    return false;
}

/* The quantiser that alone reads an input and ends the float part of the graph there, maybe behind
 * the subtraction of a bias: as set-input-datatype leaves it. */
static const nashc_node *
entry_quantiser(const nashc_value *input)
{
    const nashc_node *n = nashc_value_one_user(input);
    double c;
    if (n && nashc_node_is(n, "nn.sub") && nashc_node_in(n, 0) == input &&
        const_scalar(nashc_node_in(n, 1), &c)) {
        input = nashc_node_out(n, 0);
        n = nashc_value_one_user(input);
    }
    return nashc_node_is(n, "q.quant") && nashc_node_in(n, 0) == input ? n : NULL;
}

static double
entry_bias(const nashc_node *quantiser)
{
    const nashc_node *sub = nashc_value_def(nashc_node_in(quantiser, 0));
    double c = 0;
    if (sub)
        const_scalar(nashc_node_in(sub, 1), &c);
    return c;
}

static bool
same_quantiser(const nashc_node *a, const nashc_node *b)
{
    if (!a || !b)
        return a == b;
    if (entry_bias(a) != entry_bias(b))
        return false;
    for (int i = 1; i < 3; i++) {
        const nashc_tensor *x = nashc_value_const(nashc_node_in(a, i));
        const nashc_tensor *y = nashc_value_const(nashc_node_in(b, i));
        if (!x || !y || nashc_tensor_count(x) != nashc_tensor_count(y))
            return false;
        for (int64_t k = 0; k < nashc_tensor_count(x); k++)
            if (nashc_tensor_get(x, k) != nashc_tensor_get(y, k))
                return false;
    }
    static const char *const names[] = {"qmin", "qmax"};
    for (int i = 0; i < 2; i++)
        if (nashc_node_int(a, names[i]) != nashc_node_int(b, names[i]))
            return false;
    return true;
}

static int
count_quantisers(const nashc_graph *g)
{
    int count = 0;
    NASHC_EACH_NODE(g, n)
    count += nashc_node_is(n, "q.quant");
    return count;
}

/* The grid of the entry quantiser that only one graph has. If b has one in front of a's, what it
 * declares of the input counts, as far as a's reaches; else a's. */
void
nashc_check_grid(const nashc_graph *ga, const nashc_graph *gb, int i, nashc_arena *arena,
                 check_grid *out)
{
    const nashc_value *a = nashc_graph_input(ga, i), *b = nashc_graph_input(gb, i);
    check_grid of_a, of_b;
    bool has_a = find_grid(a, arena, &of_a), has_b = find_grid(b, arena, &of_b);
    const nashc_node *qa = entry_quantiser(a), *qb = entry_quantiser(b);
    bool more = has_a && qa && qb && count_quantisers(gb) > count_quantisers(ga);
    *out = (check_grid){-4, 4, 0, 0, false};
    if (has_b && (!has_a || more || (qb && !qa)))
        *out = of_b;
    else if (has_a)
        *out = of_a;
    if (more && has_b && of_a.lo < of_b.hi && of_b.lo < of_a.hi) {
        out->lo = fmax(of_a.lo, of_b.lo);
        out->hi = fmin(of_a.hi, of_b.hi);
    }
    out->only_grid = out->step > 0 && (qa || qb) && !same_quantiser(qa, qb);
}
