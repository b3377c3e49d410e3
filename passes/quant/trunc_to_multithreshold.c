/* trunc_to_multithreshold.c
 *
 *     x integer -- mul, div, add scalar ... -- trunc s, z -- y
 *     ==>  multithreshold(x; T) + q(lo) -- add -z' -- mul s'
 *
 * q(x) is the integer the trunc leaves, s' its scale (that of the input, or s_out) and z' its zero
 * point (z, or z / 2^n). The chain is executed on every x of the interval; T[k] is where q reaches
 * q(lo) + 1 + k. It must not decrease, and x must be an integer of at most 2^20 values.
 * Terminates: each rewrite removes a trunc.
 */
#include "passes/support/match.h"
#include "passes/support/number.h"
#include "passes/support/thresholds.h"
#include <math.h>

enum { MAX_CHAIN = 8 };

/* The scalar ops in front of v down to an integer; their number, *x the integer. -1: none there. */
static int
collect(nashc_value *v, nashc_node **chain, nashc_value **x)
{
    static const char *const ops[] = {"nn.mul", "nn.div", "nn.add", "nn.sub"};
    affine a;
    int n = 0;

    while (!nashc_type_is_int(nashc_value_type(v))) {
        nashc_node *f = nashc_value_def(v);
        bool found = false;
        for (size_t i = 0; f && i < NASHC_COUNT(ops) && !found; i++)
            found = affine_of(f, ops[i], &a) && nashc_tensor_is_scalar(a.t);
        if (!found || n == MAX_CHAIN)
            return -1;
        chain[n++] = f;
        v = a.x;
    }
    *x = v;
    return n;
}

/* Result of chain and trunc for x = lo .. hi; NULL when something fails. */
static double *
sweep(nashc_rw *rw, nashc_node *const *chain, int n_chain, nashc_node *trunc, const nashc_type *x)
{
    nashc_type type = nashc_type_shaped(*x, 1, (int64_t[]){x->hi - x->lo + 1});
    nashc_diag *d = nashc_rw_diag(rw);
    nashc_module *m = nashc_module_create(nashc_run_ctx(nashc_rw_run(rw)));
    nashc_graph *g = m ? nashc_module_add_graph(m, "sweep") : NULL;
    nashc_build *b = g ? nashc_build_create(g, d) : NULL;
    nashc_buf in = {0}, out = {0};
    const nashc_buf *pin = &in;
    double *y = NULL;

    if (b && nashc_buf_alloc(&in, &type)) {
        nashc_value *v = nashc_graph_add_input(g, "x", &type);
        for (int i = n_chain; i-- >= 0;) {
            nashc_node *f = i < 0 ? trunc : chain[i];
            nashc_value *args[4] = {0};
            for (int k = 0; k < nashc_node_n_in(f) && k < 4; k++) {
                nashc_tensor *t = (nashc_tensor *)nashc_value_const(nashc_node_in(f, k));
                args[k] = t ? nashc_build_const(b, NULL, nashc_tensor_reshaped(t, 0, NULL)) : v;
            }
            nashc_node *made = nashc_build_like(b, f, args, nashc_node_n_in(f));
            v = made ? nashc_node_out(made, 0) : NULL;
        }
        for (int64_t i = 0; i < in.n; i++)
            nashc_buf_set_int(&in, i, x->lo + i);
        if (v) {
            nashc_graph_add_output(g, NULL, v);
            if (!nashc_run_graph(g, &pin, &out, NASHC_EVAL_WIDE, NULL, NULL, d))
                y = NASHC_NEW_N(nashc_rw_arena(rw), double, out.n);
        }
        for (int64_t i = 0; y && i < out.n; i++)
            y[i] = nashc_buf_get(&out, i);
    }
    nashc_buf_free(&in);
    nashc_buf_free(&out);
    if (m)
        nashc_module_free(m);
    return y;
}

/* Number of steps between the n integers y / s + z, which t (if not NULL) gets; -1: they fall. */
static int64_t
count_steps(const double *y, int64_t n, double s, double z, double lo, double *t)
{
    double level = rint(y[0] / s + z);
    int64_t steps = 0;

    for (int64_t i = 1; i < n; i++) {
        double q = rint(y[i] / s + z);
        if (q < level)
            return -1;
        for (; level < q; level++, steps++)
            if (t)
                t[steps] = lo + (double)i;
    }
    return steps;
}

static bool
convert(nashc_rw *rw, nashc_node *n)
{
    nashc_node *chain[MAX_CHAIN];
    nashc_value *x = NULL;
    int n_chain = collect(nashc_node_in(n, 0), chain, &x), n_in = nashc_node_n_in(n);

    if (n_chain < 0)
        return nashc_rw_miss(rw, n, "its input is no scaled integer");
    for (int i = 1; i < n_in; i++)
        if (!nashc_tensor_is_scalar(nashc_value_const(nashc_node_in(n, i))))
            return nashc_rw_miss(rw, n, "operand %d is not a scalar", i);
    const nashc_type *xt = nashc_value_type(x);
    if (xt->lo < -(1 << 30) || xt->hi > 1 << 30 || xt->hi - xt->lo >= 1 << 20)
        return nashc_rw_miss(rw, n, "its input has more than 2^20 values");
    double s = nashc_tensor_get(nashc_value_const(nashc_node_in(n, 1)), 0);
    double z = nashc_tensor_get(nashc_value_const(nashc_node_in(n, 2)), 0);
    double so = n_in > 3 ? nashc_tensor_get(nashc_value_const(nashc_node_in(n, 3)), 0) : s;
    if (n_in > 3)
        z /= exp2(rint(log2(so / s)));
    double *y = sweep(rw, chain, n_chain, n, xt);
    if (!y)
        return false; /* and the executor has said why */
    int64_t size = xt->hi - xt->lo + 1, steps = count_steps(y, size, so, z, 0, NULL);
    if (steps < 1 || steps >= 1 << 16)
        return nashc_rw_miss(rw, n, "it falls, is constant, or takes more than 65535 steps");

    nashc_type shape = nashc_type_shaped(nashc_type_f64(), 2, (int64_t[]){1, steps});
    number t = number_new(rw, &shape, true);
    if (t.v)
        count_steps(y, size, so, z, (double)xt->lo, t.v);
    nashc_value *v =
        nashc_rw_opf(rw, "q.multithreshold", (nashc_value *[]){x, number_const(rw, &t)}, 2,
                     "out_bias=%" PRId64, (int64_t)rint(y[0] / so + z));
    if (z != 0.0)
        v = nashc_rw_op(rw, "nn.add", (nashc_value *[]){v, nashc_rw_f64(rw, -z)}, 2);
    v = nashc_rw_op(rw, "nn.mul", (nashc_value *[]){v, nashc_node_in(n, n_in > 3 ? 3 : 1)}, 2);
    nashc_rw_replace(rw, nashc_node_out(n, 0), v);
    return true;
}

static const nashc_pattern convert_pattern = {"q.trunc", convert};

const nashc_pass nashc_pass_trunc_to_multithreshold = {
    NASHC_DESC(nashc_pass),
    .name = "trunc-to-multithreshold",
    .alias = "AvgPoolAndTruncToQuantAvgPool",
    .help = "a trunc of a scaled integer as thresholds, found by executing it",
    .patterns = (const nashc_pattern *const[]){&convert_pattern, NULL},
};
