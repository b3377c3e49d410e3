/* golden_layers.c: layers and losses: values and all gradients, by the name of the file. */
#include "plugins/train/net/loss.h"
#include "tests/train/golden.h"
#include <stdlib.h>
#include <string.h>

static int
attribute(const golden *t, const char *name, int def)
{
    const json_t *v = json_object_get(json_object_get(t->entry, "attributes"), name);

    return json_is_boolean(v)   ? json_boolean_value(v)
           : json_is_integer(v) ? (int)json_integer_value(v)
                                : def;
}

static double
number(const golden *t, const char *name, double def)
{
    const json_t *v = json_object_get(json_object_get(t->entry, "attributes"), name);

    return json_is_number(v) ? json_number_value(v) : def;
}

static bool
begins(const char *s, const char *with)
{
    return strncmp(s, with, strlen(with)) == 0;
}

static nashc_value *
op1(golden_graph *g, const char *op, nashc_value *x, const char *attrs)
{
    return nashc_build_op(g->b, op, &x, 1, "%s", attrs);
}

static nashc_value *
op2(golden_graph *g, const char *op, nashc_value *x, nashc_value *y, const char *attrs)
{
    nashc_value *in[] = {x, y};

    return nashc_build_op(g->b, op, in, 2, "%s", attrs);
}

/* Convolutions and linear layers: x, w, [b]. */
static nashc_value *
weighted(golden *t, golden_graph *g, const char *name)
{
    bool bias = golden_find(t, "b") != NULL;
    nashc_value *in[] = {golden_input(t, g, "x"), golden_const(t, g, "w", "w"),
                         bias ? golden_const(t, g, "b", "b") : NULL};
    int s = attribute(t, "stride", 1), p = attribute(t, "pad", 0), d = attribute(t, "dilation", 1);

    if (begins(name, "linear"))
        return nashc_build_op(g->b, "nn.gemm", in, 2 + bias, "trans_b=true");
    return nashc_build_op(g->b, "nn.conv", in, 2 + bias,
                          "stride=[%d,%d] pads=[%d,%d,%d,%d] dilation=[%d,%d] group=%d", s, s, p, p,
                          p, p, d, d, attribute(t, "groups", 1));
}

static nashc_value *
norm(golden *t, golden_graph *g)
{
    nashc_value *in[] = {golden_input(t, g, "x"), golden_const(t, g, "gamma", "gamma"),
                         golden_const(t, g, "beta", "beta"),
                         golden_const(t, g, "running_mean", "mean"),
                         golden_const(t, g, "running_var", "var")};

    return nashc_build_op(g->b, "nn.batchnorm", in, 5, "eps=%.17g", number(t, "eps", 1e-5));
}

static nashc_value *
pool(golden *t, golden_graph *g, const char *name)
{
    nashc_value *x = golden_input(t, g, "x");
    int k = attribute(t, "kernel", 1), s = attribute(t, "stride", 1), p = attribute(t, "pad", 0);
    bool mean = begins(name, "avg");

    if (begins(name, "global"))
        return op1(g, "nn.global_avgpool", x, "");
    return nashc_build_op(
        g->b, mean ? "nn.avgpool" : "nn.maxpool", &x, 1,
        "kernel=[%d,%d] stride=[%d,%d] pads=[%d,%d,%d,%d]%s", k, k, s, s, p, p, p, p,
        mean && attribute(t, "count_include_pad", 0) ? " count_include_pad=true" : "");
}

static nashc_value *
none_s2(golden *t, golden_graph *g)
{
    nashc_value *x = golden_input(t, g, "x");
    const char *every = "starts=[0,0] ends=[6,6] axes=[2,3] steps=[2,2]";
    nashc_value *z =
        op2(g, "nn.mul", op1(g, "nn.slice", x, every), golden_number(g, "zero", 0), "");

    return op2(g, "nn.concat", z, z, "axis=1");
}

static nashc_value *
moved(golden *t, golden_graph *g, const char *name)
{
    if (begins(name, "none"))
        return none_s2(t, g);
    nashc_value *a = golden_input(t, g, golden_find(t, "a") ? "a" : "x");
    nashc_value *b = golden_find(t, "b") ? golden_input(t, g, "b") : a;
    if (begins(name, "add"))
        return op2(g, "nn.add", a, b, "");
    if (begins(name, "concat"))
        return op2(g, "nn.concat", a, b, "axis=1");
    if (strcmp(name, "slice_crop11") == 0)
        return op1(g, "nn.slice", a, "starts=[1,1] ends=[6,6] axes=[2,3] steps=[1,1]");
    return op1(g, "nn.slice", a, "starts=[0,0] ends=[7,6] axes=[2,3] steps=[2,2]");
}

static nashc_value *
function(golden *t, golden_graph *g, const char *name)
{
    nashc_value *x = golden_input(t, g, "x");

    return strcmp(name, "hardtanh") == 0  ? op1(g, "nn.clip", x, "min=-1 max=1")
           : strcmp(name, "softmax") == 0 ? op1(g, "nn.softmax", x, "")
           : strcmp(name, "tanh") == 0    ? op1(g, "nn.tanh", x, "")
           : strcmp(name, "relu") == 0    ? op1(g, "nn.relu", x, "")
                                          : op1(g, "nn.log_softmax", x, "");
}

/* The stated tolerances, of the largest entry unless said. */
static golden_bound
bound(const char *name, bool gradient)
{
    if (strstr(name, "offset") || strstr(name, "constant"))
        return (golden_bound){.of_largest = 1e-4};
    if (begins(name, "bn"))
        return (golden_bound){.of_largest = gradient ? 2e-5 : 1e-5};
    if (strstr(name, "conv") || begins(name, "linear"))
        return (golden_bound){.of_largest = 1e-5};
    if (strstr(name, "avgpool") || (begins(name, "maxpool") && gradient))
        return (golden_bound){.of_largest = 1e-6};
    if (strcmp(name, "concat_self") == 0)
        return (golden_bound){.relative = 1.2e-7};
    if (strstr(name, "softmax") || strcmp(name, "tanh") == 0)
        return (golden_bound){.absolute = 1e-6, .relative = 1e-6};
    return (golden_bound){0};
}

static void
loss(golden *t)
{
    const tool_array *x = golden_array(t, "x"), *labels = golden_array(t, "labels");
    float v[256], dx[256], y;
    int32_t label[64];

    if (!x || !labels)
        return;
    for (int64_t i = 0; i < x->buf.n; i++)
        v[i] = (float)golden_at(x, i);
    for (int64_t i = 0; i < labels->buf.n; i++)
        label[i] = (int32_t)golden_at(labels, i);
    y = (float)train_cross_entropy(v, label, x->dim[0], x->dim[1], number(t, "label_smoothing", 0),
                                   dx);
    golden_compare(t, "y", &y, 1, (golden_bound){.absolute = 1e-6, .relative = 1e-6});
    golden_compare(t, "dx", dx, x->buf.n, (golden_bound){.absolute = 1e-7});
}

/* Every gradient that the file has: of inputs dNAME, of parameters too. */
static void
compare_gradients(golden *t, golden_graph *g, const char *name)
{
    for (int i = 0; i < nashc_graph_n_inputs(g->graph); i++) {
        const train_slot *s = train_net_slot(g->net, nashc_graph_input(g->graph, i));
        char d[64];
        snprintf(d, sizeof d, "d%s", nashc_value_name(s->value));
        golden_compare(t, d, s->g, s->count * g->batch, bound(name, true));
    }
    for (int i = 0; i < g->net->n_params; i++) {
        const train_param *p = &g->net->param[i];
        char d[64];
        snprintf(d, sizeof d, "d%s", p->name);
        if (p->g)
            golden_compare(t, d, p->g, p->n, bound(name, true));
    }
}

static void
compare_running(golden *t, golden_graph *g, const char *name)
{
    golden_bound b = {.relative = strstr(name, "offset") ? 1e-4 : 1e-6, .absolute = 1e-9};
    const train_param *mean = train_net_param(g->net, "mean"),
                      *var = train_net_param(g->net, "var");

    golden_compare(t, "running_mean_after", mean->v, mean->n, b);
    golden_compare(t, "running_var_after", var->v, var->n, b);
}

void
golden_layer(golden *t, const char *name)
{
    golden_graph g;
    bool bn = begins(name, "bn");

    if (begins(name, "cross_entropy")) {
        loss(t);
        return;
    }
    if (!golden_begin(t, &g))
        return;
    nashc_value *y = strstr(name, "conv") || begins(name, "linear") ? weighted(t, &g, name)
                     : bn                                           ? norm(t, &g)
                     : strstr(name, "pool")                         ? pool(t, &g, name)
                     : begins(name, "add") || begins(name, "concat") || begins(name, "slice") ||
                             begins(name, "none")
                         ? moved(t, &g, name)
                         : function(t, &g, name);
    if (golden_make(t, &g, y, true)) {
        g.net->bn_momentum = number(t, "momentum", 0.1);
        if (golden_run(t, &g, !strstr(name, "eval"), "g")) {
            const train_slot *out = &g.net->slot[g.net->output];
            golden_compare(t, "y", out->v, out->count * g.batch, bound(name, false));
            compare_gradients(t, &g, name);
            if (bn)
                compare_running(t, &g, name);
        }
    }
    golden_end(&g);
}
