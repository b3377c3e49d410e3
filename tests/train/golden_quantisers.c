/* golden_quantisers.c: quantisers of weights and activations: values, codes, all gradients, ties.
 */
#include "tests/train/golden.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const golden_bound value_bound = {.of_largest = 2e-7};
static const golden_bound two_ulp = {.relative = 2.4e-7};

static bool
begins(const char *s, const char *with)
{
    return strncmp(s, with, strlen(with)) == 0;
}

/* The number behind `letter` in the name: bits of "relu_b4", window of "avgpool_b1_k7". */
static int
number_in(const char *name, const char *letter)
{
    const char *at = strstr(name, letter);

    return at ? atoi(at + 2) : 8;
}

static nashc_value *
quant(golden_graph *g, nashc_value *x, nashc_value *scale, int qmin, int qmax)
{
    if (!g->zero)
        g->zero = golden_number(g, "zero", 0);
    nashc_value *in[] = {x, scale, g->zero};

    return nashc_build_op(g->b, "q.quant", in, 3, "qmin=%d qmax=%d", qmin, qmax);
}

/* Values in units of the scale are the codes. */
static void
compare_codes(golden *t, const char *codes, const float *y, int64_t n, const float *s, int64_t each)
{
    const tool_array *q = golden_array(t, codes);

    for (int64_t i = 0; q && i < n; i++) {
        double code = nearbyint((double)y[i] / (double)s[each ? i / each : 0]);
        if (code != golden_at(q, i)) {
            golden_fault(t, "%s[%d] is %g, not %g", codes, (int)i, code, golden_at(q, i));
            return;
        }
    }
}

/* --- ties: the scale is given ---------------------------------------------------------------- */

static void
ties(golden *t, bool relu, int qmin, int qmax)
{
    golden_graph g;

    if (!golden_find(t, "x_tie") || !golden_begin(t, &g))
        return;
    nashc_value *x = golden_input(t, &g, "x_tie");
    if (relu)
        x = nashc_build_op(g.b, "nn.relu", &x, 1, NULL);
    nashc_value *s = golden_const(t, &g, "s_tie", "s.scale");
    bool gradient = golden_find(t, "g_tie") != NULL;
    if (golden_make(t, &g, quant(&g, x, s, qmin, qmax), true)) {
        train_slot *slot = train_net_slot(g.net, s), *out = &g.net->slot[g.net->output];
        g.net->scale[slot->scale].kind = TRAIN_SCALE_FIXED;
        slot->v[0] = (float)golden_at(golden_array(t, "s_tie"), 0);
        if (golden_run(t, &g, true, gradient ? "g_tie" : NULL)) {
            const train_slot *in = train_net_slot(g.net, nashc_graph_input(g.graph, 0));
            golden_compare(t, "y_tie", out->v, g.batch, (golden_bound){0});
            compare_codes(t, "q_tie", out->v, g.batch, slot->v, 0);
            if (gradient)
                golden_compare(t, "dx_tie", in->g, g.batch, two_ulp);
        }
    }
    golden_end(&g);
}

/* --- weights --------------------------------------------------------------------------------- */

static nashc_value *
weight_scale(golden *t, golden_graph *g, bool channels)
{
    const tool_array *w = golden_array(t, "w");
    int64_t dim[] = {w ? w->dim[0] : 1, 1, 1, 1};
    nashc_type type = nashc_type_shaped(nashc_type_f32(), 4, dim);

    if (!channels)
        return golden_const(t, g, "s", "s");
    double *v = nashc_buf_to_f64(&golden_array(t, "s_f64")->buf);
    nashc_value *s = nashc_build_const(g->b, "s", nashc_tensor_from_f64(&type, v));
    nashc_mem_free(v);
    return s;
}

static void
compare_weights(golden *t, golden_graph *g, nashc_value *s, int64_t channels)
{
    const train_slot *out = &g->net->slot[g->net->output], *scale = train_net_slot(g->net, s);
    const train_param *w = train_net_param(g->net, "w");
    int64_t each = w->n / channels;

    golden_compare(t, "y", out->v, w->n, value_bound);
    golden_compare(t, "s", scale->v, scale->count, two_ulp);
    compare_codes(t, "q", out->v, w->n, scale->v, scale->count > 1 ? each : 0);
    for (int64_t c = 0; c < channels; c++)
        golden_compare_at(t, "dw", c * each, w->g + c * each, each,
                          (golden_bound){.of_largest = 2e-6});
    if (golden_find(t, "w_stored_after"))
        golden_compare(t, "w_stored_after", w->v, w->n, (golden_bound){0});
}

static void
weights(golden *t, const char *name)
{
    golden_graph g;
    bool channels = strstr(name, "per_channel"), binary = begins(name, "binary");
    int top = (1 << (number_in(name, "_b") - 1)) - 1;

    if (!golden_begin(t, &g))
        return;
    nashc_value *w = golden_const(t, &g, "w", "w"), *s = weight_scale(t, &g, channels);
    nashc_value *in[] = {w, s};
    nashc_value *y =
        binary ? nashc_build_op(g.b, "q.bipolar_quant", in, 2, NULL) : quant(&g, w, s, -top, top);
    if (golden_make(t, &g, y, true) && golden_run(t, &g, true, "g"))
        compare_weights(t, &g, s, 8);
    golden_end(&g);
    if (!binary)
        ties(t, false, -top, top);
}

/* --- activations ----------------------------------------------------------------------------- */

/* A learned scale that starts anywhere: v is given. */
static void
set_v(golden *t, golden_graph *g, const char *param)
{
    train_param *v = train_net_param(g->net, param);

    if (v && golden_find(t, "v"))
        v->v[0] = (float)golden_at(golden_find(t, "v"), 0);
    else
        golden_fault(t, "there is no parameter %s", param);
}

static void
compare_v(golden *t, golden_graph *g, const char *param, const char *array)
{
    const train_param *v = train_net_param(g->net, param);
    const tool_array *want = golden_array(t, array);
    double most = want ? fmax(1.0, fabs(golden_at(want, 0))) : 1.0;

    if (v && want)
        golden_compare(t, array, v->g, 1, (golden_bound){.absolute = 2e-5 * most});
}

static void
activation(golden *t, const char *name)
{
    golden_graph g;
    int bits = number_in(name, "_b"), top = (1 << (bits - 1)) - 1;
    bool relu = begins(name, "relu"), fixed = begins(name, "const");
    int qmin = relu ? 0 : -top, qmax = relu ? (1 << bits) - 1 : top;

    if (!golden_begin(t, &g))
        return;
    nashc_value *x = golden_input(t, &g, "x"), *s = golden_const(t, &g, "s", "q.scale");
    nashc_value *in[] = {relu ? nashc_build_op(g.b, "nn.relu", &x, 1, NULL) : x, s};
    nashc_value *y = fixed && bits == 1 ? nashc_build_op(g.b, "q.bipolar_quant", in, 2, NULL)
                                        : quant(&g, in[0], s, qmin, qmax);
    if (golden_make(t, &g, y, true)) {
        if (!fixed)
            set_v(t, &g, "q.v");
        if (golden_run(t, &g, true, "g")) {
            const train_slot *out = &g.net->slot[g.net->output], *scale = train_net_slot(g.net, s);
            golden_compare(t, "y", out->v, g.batch, value_bound);
            golden_compare(t, "s", scale->v, 1, two_ulp);
            compare_codes(t, "q", out->v, g.batch, scale->v, 0);
            golden_compare(t, "dx", train_net_slot(g.net, x)->g, g.batch, two_ulp);
            if (!fixed)
                compare_v(t, &g, "q.v", "dv");
        }
    }
    golden_end(&g);
    if (bits > 1)
        ties(t, relu, qmin, qmax);
}

/* y = q(q(a) + q(b)), one scale. */
static void
shared(golden *t)
{
    golden_graph g;

    if (!golden_begin(t, &g))
        return;
    nashc_value *a = golden_input(t, &g, "a"), *b = golden_input(t, &g, "b");
    nashc_value *s = golden_number(&g, "q.scale", 0.1);
    nashc_value *in[] = {quant(&g, a, s, -127, 127), quant(&g, b, s, -127, 127)};
    nashc_value *y = quant(&g, nashc_build_op(g.b, "nn.add", in, 2, NULL), s, -127, 127);
    if (golden_make(t, &g, y, true)) {
        set_v(t, &g, "q.v");
        if (golden_run(t, &g, true, "g")) {
            const train_slot *out = &g.net->slot[g.net->output];
            golden_compare(t, "y", out->v, out->count * g.batch, value_bound);
            golden_compare(t, "da", train_net_slot(g.net, a)->g, out->count * g.batch, two_ulp);
            golden_compare(t, "db", train_net_slot(g.net, b)->g, out->count * g.batch, two_ulp);
            compare_v(t, &g, "q.v", "dv");
        }
    }
    golden_end(&g);
}

/* --- pooling of codes ------------------------------------------------------------------------ */

/* Sum of the codes of a window, low bits dropped: y = floor(S / 2^shift) s. */
static nashc_value *
truncated(golden_graph *g, nashc_value *x, nashc_value *s, int bits, int kernel)
{
    int width = (int)ceil(log2((double)(((1 << bits) - 1) * kernel * kernel)));
    nashc_value *y = nashc_build_op(g->b, "nn.sumpool", &x, 1, "kernel=[%d,%d]", kernel, kernel);
    nashc_value *in[] = {y, s, golden_number(g, "z", 0)};
    nashc_value *times[] = {y, golden_number(g, "up", ldexp(1.0, 4 - width))};

    return width < 4 ? nashc_build_op(g->b, "nn.mul", times, 2, NULL)
                     : nashc_build_op(g->b, "q.trunc", in, 3,
                                      "in_bits=%d out_bits=4 signed=false rounding=floor", width);
}

static void
pooled(golden *t, const char *name)
{
    golden_graph g;
    int bits = number_in(name, "_b"), kernel = number_in(name, "_k");

    if (!golden_begin(t, &g))
        return;
    nashc_value *x = golden_input(t, &g, "x"), *s = golden_const(t, &g, "s", "q.scale");
    nashc_value *r = nashc_build_op(g.b, "nn.relu", &x, 1, NULL);
    nashc_value *y = truncated(&g, quant(&g, r, s, 0, (1 << bits) - 1), s, bits, kernel);
    if (golden_make(t, &g, y, true)) {
        set_v(t, &g, "q.v");
        if (golden_run(t, &g, true, "g")) {
            const train_slot *out = &g.net->slot[g.net->output];
            const train_slot *in = train_net_slot(g.net, x);
            golden_compare(t, "y08", out->v, out->count * g.batch, value_bound);
            golden_compare(t, "dx08", in->g, in->count * g.batch, value_bound);
            compare_v(t, &g, "q.v", "dv08");
        }
    }
    golden_end(&g);
}

/* --- scales that are measured first ---------------------------------------------------------- */

enum { COLLECT = 5, FORWARDS = 8 };

static void
load(golden *t, golden_graph *g, nashc_value *v, const char *array, int64_t at, int64_t n)
{
    const tool_array *a = golden_array(t, array);

    for (int64_t i = 0; a && i < n; i++)
        train_net_slot(g->net, v)->v[i] = (float)golden_at(a, at + i);
}

/* One training forward and backward, k, then an evaluation. The file learns the threshold itself,
 * whose gradient is that of v over 2^v ln 2; where it went is given. */
static void
statistics_step(golden *t, golden_graph *g, nashc_value *x, int64_t k)
{
    train_net *net = g->net;
    train_param *v = train_net_param(net, "q.v"), *r = train_net_param(net, "q.v.collected");
    train_slot *out = &net->slot[net->output], *s = &net->slot[net->scale[0].slot];
    int64_t n = out->count * g->batch;
    const tool_array *after = golden_array(t, "value_after"), *up = golden_array(t, "g");
    golden_bound loose = {.absolute = 2e-5};

    if (!v || !r || !after || !up)
        return;
    load(t, g, x, "x", k * n, n);
    if (k > COLLECT)
        v->v[0] = (float)log2(golden_at(after, k - 1));
    train_net_forward(net, g->batch, true);
    golden_compare_at(t, "y", k * n, out->v, n, value_bound);
    golden_compare_at(t, "s", k, s->v, 1, (golden_bound){.relative = 4e-7});
    golden_compare_at(t, "running", k, r->v, 1, (golden_bound){.relative = 4e-7});
    for (int64_t i = 0; i < n; i++)
        out->g[i] = (float)golden_at(up, k * n + i);
    train_net_backward(net);
    golden_compare_at(t, "dx", k * n, train_net_slot(net, x)->g, n, loose);
    float dv = k < COLLECT ? v->g[0] : v->g[0] / (exp2f(v->v[0]) * 0.69314718f);
    golden_compare_at(t, "dv", k, &dv, 1, (golden_bound){.absolute = 1e-5, .relative = 2e-5});
    if (k >= COLLECT)
        v->v[0] = (float)log2(golden_at(after, k));
    load(t, g, x, "x_eval", 0, n);
    train_net_forward(net, g->batch, false);
    golden_compare_at(t, "s_eval", k, s->v, 1, (golden_bound){.relative = 4e-7});
    golden_compare_at(t, "y_eval", k * n, out->v, n, value_bound);
}

static void
statistics(golden *t, const char *name)
{
    golden_graph g;
    bool plain = strcmp(name, "stats_uint8") == 0;

    if (!golden_begin(t, &g))
        return;
    nashc_value *x = golden_input(t, &g, "x_eval"), *s = golden_number(&g, "q.scale", 1.0);
    g.collect = COLLECT;
    nashc_value *y = quant(&g, x, s, plain ? 0 : -128, plain ? 255 : 127);
    if (golden_make(t, &g, y, true))
        for (int64_t k = 0; k < FORWARDS; k++)
            statistics_step(t, &g, x, k);
    golden_end(&g);
}

void
golden_quantiser(golden *t, const char *name)
{
    if (begins(name, "int") || begins(name, "binary"))
        weights(t, name);
    else if (begins(name, "shared"))
        shared(t);
    else if (begins(name, "avgpool"))
        pooled(t, name);
    else if (begins(name, "stats"))
        statistics(t, name);
    else
        activation(t, name);
}
