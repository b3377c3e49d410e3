/* golden_supernet.c: groups of a supernet with given gates, both gradients of the architecture, and
 * three iterations of a search. */
#include "plugins/train/net/loss.h"
#include "plugins/train/search/gates.h"
#include "plugins/train/search/space.h"
#include "tests/train/golden.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_EDGES = 21, MAX_OPS = 6 };

static const char *const six[] = {"none",     "max_pool_3x3", "skip_connect",
                                  "conv_1x1", "conv_3x3",     "conv_5x5"};
static const char *const four[] = {"none", "conv_1x1", "conv_3x3", "conv_5x5"};

static const nashc_backbone_block basic = {
    2,
    {{.kernel = 3, .strided = true, .mul = 1, .div = 1}, {.kernel = 3, .mul = 1, .div = 1}},
    true};
static const nashc_backbone_group blocks = {.rest = NASHC_DOWN_IDENTITY, .block = &basic};

/* --- what is searched ------------------------------------------------------------------------ */

static const char *
form_of(const char *name)
{
    return strstr(name, "_v2") ? "binary" : strstr(name, "_r34") ? "float" : "tanh";
}

static void
set_space(const char *name, nashc_genotype *g, search_space *s)
{
    bool v4 = strstr(name, "_v4") != NULL;

    *s = (search_space){.geno = g, .form = search_form_named(form_of(name))};
    s->n_ops = v4 ? 4 : 6;
    for (int k = 0; k < s->n_ops; k++) {
        const char *op = v4 ? four[k] : six[k];
        s->op[k] = (search_op){.name = op, .tag = op};
        if (strncmp(op, "conv", 4) == 0)
            s->op[k].kernel = op[5] - '0';
    }
}

static search_group
group_of(const char *scope, int in, int out, int stride, int steps, bool down, int first)
{
    return (search_group){.scope = scope,
                          .in = in,
                          .out = out,
                          .stride = stride,
                          .steps = steps,
                          .down = down ? NASHC_DOWN_CONV : NASHC_DOWN_IDENTITY,
                          .blocks = &blocks,
                          .first_edge = first,
                          .n_edges = steps * (steps + 1) / 2};
}

/* The file's parameters into the net; running values that it has not begin as they are made. */
static void
load(golden *t, train_net *n)
{
    for (int i = 0; i < n->n_params; i++) {
        char name[160];
        snprintf(name, sizeof name, "param.%s", n->param[i].name);
        const tool_array *a = n->param[i].trains ? golden_array(t, name) : golden_find(t, name);
        if (a && a->buf.n != n->param[i].n)
            golden_fault(t, "%s has another size", name);
        for (int64_t k = 0; a && k < a->buf.n && k < n->param[i].n; k++)
            n->param[i].v[k] = (float)golden_at(a, k);
    }
}

/* --- one group ------------------------------------------------------------------------------- */

typedef struct group {
    golden *t;
    golden_graph g;
    int n_edges, n_ops, samples;
    float alpha[MAX_EDGES * MAX_OPS];
} group;

static bool
make_group(golden *t, const char *name, group *g)
{
    nashc_genotype geno = {.bits = {1, 2, 1, 8, 8, 8}};
    search_space space;
    const tool_array *x = golden_array(t, "x"), *y = golden_array(t, "gy"),
                     *gates = golden_array(t, "gates");

    *g = (group){.t = t};
    if (!x || !y || !gates || !golden_begin(t, &g->g))
        return false;
    g->samples = (int)gates->dim[0];
    g->n_edges = (int)gates->dim[1];
    int steps = g->n_edges == 21 ? 6 : 4, in = (int)x->dim[1], out = (int)y->dim[1];
    bool down = golden_find(t, "param.down.conv.weight") != NULL;
    set_space(name, &geno, &space);
    g->n_ops = space.n_ops;
    search_group spec = group_of("", in, out, (int)(x->dim[2] / y->dim[2]), steps, down, 0);
    search_build b = {.space = &space, .b = g->g.b, .a = nashc_build_arena(g->g.b), .seed = 1};
    nashc_value *input = golden_input(t, &g->g, "x");
    if (!golden_make(t, &g->g, search_put_group(&b, &spec, input), true))
        return false;
    load(t, g->g.net);
    golden_numbers(t, "alpha", 0, (int64_t)g->n_edges * g->n_ops, g->alpha);
    return g->g.net->n_choices == g->n_edges;
}

static void
compare_running(const group *g, const char *what)
{
    const train_net *n = g->g.net;

    for (int i = 0; i < n->n_params; i++) {
        char name[160];
        snprintf(name, sizeof name, "s0.%s.%s", what, n->param[i].name);
        if (!n->param[i].trains)
            golden_compare(g->t, name, n->param[i].v, n->param[i].n,
                           (golden_bound){.absolute = 1e-6, .relative = 1e-6});
    }
}

static void
compare_theta(const group *g, int s)
{
    const train_net *n = g->g.net;

    for (int i = 0; i < n->n_params; i++) {
        char name[160], wide[160];
        if (!n->param[i].trains)
            continue;
        snprintf(name, sizeof name, "s%d.dtheta.%s", s, n->param[i].name);
        snprintf(wide, sizeof wide, "s%d.dtheta_f64.%s", s, n->param[i].name);
        const char *want = golden_find(g->t, wide) ? wide : name;
        if (golden_find(g->t, want)) {
            golden_compare(g->t, want, n->param[i].g, n->param[i].n,
                           (golden_bound){.of_largest = 2e-5, .absolute = 1e-12});
            continue;
        }
        if (s == 0) /* all of them are stored */
            golden_fault(g->t, "%s is missing", name);
        for (int64_t k = 0; k < n->param[i].n; k++)
            if (n->param[i].g[k] != 0.0f) {
                golden_fault(g->t, "%s is not 0", name);
                break;
            }
    }
}

static void
compare_gates(const group *g, int s, const char *kind, const float *dgate, const float *dalpha)
{
    char name[64];
    golden_bound b = {.of_largest = 2e-5};
    int64_t n = (int64_t)g->n_edges * g->n_ops;

    snprintf(name, sizeof name, "s%d.dgate%s", s, kind);
    golden_compare(g->t, name, dgate, n, b);
    snprintf(name, sizeof name, "s%d.dalpha%s", s, kind);
    golden_compare(g->t, name, dalpha, n, b);
}

static void
compare_values(const group *g, int s, const char *kind)
{
    const train_net *n = g->g.net;
    char name[64];

    snprintf(name, sizeof name, "s%d.y%s", s, kind);
    const train_slot *y = &n->slot[n->output];
    golden_compare(g->t, name, y->v, y->count * g->g.batch, (golden_bound){.of_largest = 2e-5});
}

/* Sample s with all candidates, from the stored parameters. */
static void
full(group *g, int s, double momentum)
{
    train_net *n = g->g.net;
    const tool_array *gates = golden_array(g->t, "gates");
    float dgate[MAX_EDGES * MAX_OPS] = {0}, dalpha[MAX_EDGES * MAX_OPS] = {0};
    char name[64];

    load(g->t, n);
    for (int e = 0; e < g->n_edges; e++) {
        n->choice[e].active = golden_integer(gates, s * g->n_edges + e);
        n->choice[e].asked = ~(uint64_t)0;
    }
    n->choice_momentum = momentum;
    golden_set(g->t, &g->g, nashc_graph_input(g->g.graph, 0), "x");
    if (!golden_run(g->t, &g->g, true, "gy"))
        return;
    for (int e = 0; e < g->n_edges; e++) {
        double p[MAX_OPS];
        search_softmax(g->alpha + e * g->n_ops, g->n_ops, p);
        search_gate_gradient(p, n->choice[e].dgate, g->n_ops, dalpha + e * g->n_ops);
        for (int k = 0; k < g->n_ops; k++)
            dgate[e * g->n_ops + k] = (float)n->choice[e].dgate[k];
    }
    compare_values(g, s, "");
    compare_gates(g, s, "", dgate, dalpha);
    const train_slot *x = train_net_slot(n, nashc_graph_input(g->g.graph, 0));
    snprintf(name, sizeof name, "s%d.dx", s);
    golden_compare(g->t, name, x->g, x->count * g->g.batch, (golden_bound){.of_largest = 2e-5});
    compare_theta(g, s);
    if (s == 0)
        compare_running(g, momentum > 0.0 ? "running_recomputed" : "running_once");
}

static void
two_path(group *g, int s)
{
    train_net *n = g->g.net;
    const tool_array *pairs = golden_array(g->t, "pair"), *active = golden_array(g->t, "active");
    float dgate[MAX_EDGES * MAX_OPS] = {0}, dalpha[MAX_EDGES * MAX_OPS] = {0};

    load(g->t, n);
    for (int e = 0; e < g->n_edges; e++) {
        int at = s * g->n_edges + e;
        n->choice[e].active = golden_integer(active, at);
        n->choice[e].asked = (uint64_t)1 << golden_integer(pairs, 2 * at) |
                             (uint64_t)1 << golden_integer(pairs, 2 * at + 1);
    }
    n->choice_momentum = 0.0;
    golden_set(g->t, &g->g, nashc_graph_input(g->g.graph, 0), "x");
    if (!golden_run(g->t, &g->g, true, "gy"))
        return;
    for (int e = 0; e < g->n_edges; e++) {
        int at = 2 * (s * g->n_edges + e),
            pair[2] = {golden_integer(pairs, at), golden_integer(pairs, at + 1)};
        search_pair_gradient(g->alpha + e * g->n_ops, n->choice[e].dgate, pair,
                             dalpha + e * g->n_ops);
        for (int k = 0; k < g->n_ops; k++)
            dgate[e * g->n_ops + k] = (float)n->choice[e].dgate[k];
    }
    compare_values(g, s, "_two_path");
    compare_gates(g, s, "_two_path", dgate, dalpha);
}

void
golden_group(golden *t, const char *name)
{
    group g;

    if (!make_group(t, name, &g)) {
        golden_fault(t, "the group cannot be made");
        return;
    }
    for (int s = 0; s < g.samples; s++) {
        full(&g, s, 0.0);
        two_path(&g, s);
    }
    full(&g, 0, g.g.net->bn_momentum);
    golden_end(&g.g);
}

/* --- three iterations ------------------------------------------------------------------------ */

typedef struct iteration {
    golden *t;
    search_space space;
    nashc_genotype geno;
    train_net *net;
    nashc_module *module;
    const char *kind; /* which running values are expected */
    bool r34;
    float alpha[2 * 10 * MAX_OPS], m[2 * 10 * MAX_OPS], u[2 * 10 * MAX_OPS];
    float **velocity;
} iteration;

static bool
make_network(golden *t, const char *name, iteration *it)
{
    const tool_array *x = golden_array(t, "images_alpha"),
                     *stem = golden_array(t, "param.stem.conv.weight");
    train_net_options o = {.batch = x ? x->dim[1] : 1, .backward = true, .pool = t->pool};

    if (!x || !stem)
        return false;
    it->geno.input =
        (nashc_geno_input){.c = (int)x->dim[2], .h = (int)x->dim[3], .w = (int)x->dim[4]};
    it->geno.classes = 10;
    it->geno.width = (int)stem->dim[0];
    it->geno.stem = (nashc_geno_stem){
        .kernel = (int)stem->dim[2], .stride = it->r34 ? 1 : 2, .pad = (int)(stem->dim[2] - 1) / 2};
    set_space(name, &it->geno, &it->space);
    it->space.n_groups = 2;
    it->space.group[0] = group_of("group0.", 4, 4, 1, 4, true, 0);
    it->space.group[1] = group_of("group1.", 4, 8, 2, 4, true, 10);
    it->space.n_edges = 20;
    if (search_supernet(t->ctx, &it->space, 1, &it->module, t->diag) != NASHC_OK ||
        train_net_create(nashc_module_main(it->module), &o, true, &it->net, t->diag) != NASHC_OK)
        return false;
    load(t, it->net);
    golden_numbers(t, "alpha", 0, (int64_t)it->space.n_edges * it->space.n_ops, it->alpha);
    it->velocity = calloc((size_t)it->net->n_params, sizeof *it->velocity);
    for (int i = 0; it->velocity && i < it->net->n_params; i++)
        it->velocity[i] = calloc((size_t)it->net->param[i].n, sizeof(float));
    return it->velocity != NULL;
}

static void
compare_number(golden *t, int step, const char *name, double got, double relative)
{
    char full_name[64];
    float v = (float)got;

    snprintf(full_name, sizeof full_name, "i%d.%s", step, name);
    golden_compare(t, full_name, &v, 1, (golden_bound){.absolute = 1e-5, .relative = relative});
}

/* Forward and backward of batch `step` of `what`, which is "alpha" or "weight". */
static double
pass(iteration *it, int step, const char *what, bool ask, bool moves)
{
    train_net *n = it->net;
    char name[64];
    int64_t batch = n->max_batch,
            size = (int64_t)it->geno.input.c * it->geno.input.h * it->geno.input.w;
    train_slot *x = train_net_slot(n, nashc_graph_input(n->graph, 0)), *y = &n->slot[n->output];
    int32_t label[64];

    snprintf(name, sizeof name, "images_%s", what);
    golden_numbers(it->t, name, step * batch * size, batch * size, x->v);
    for (int64_t i = 0; i < batch * size; i++)
        x->v[i] /= 256.0f;
    snprintf(name, sizeof name, "labels_%s", what);
    const tool_array *labels = golden_array(it->t, name);
    snprintf(name, sizeof name, "gates_%s", what);
    const tool_array *gates = golden_array(it->t, name);
    for (int64_t i = 0; i < batch; i++)
        label[i] = golden_integer(labels, step * batch + i);
    for (int e = 0; e < n->n_choices; e++) {
        n->choice[e].active = golden_integer(gates, (int64_t)step * n->n_choices + e);
        n->choice[e].asked = ask || moves ? ~(uint64_t)0 : 0;
    }
    n->choice_momentum = moves ? n->bn_momentum : 0.0;
    if (train_net_forward(n, batch, true) != NASHC_OK)
        golden_fault(it->t, "forward fails");
    double loss = train_cross_entropy(y->v, label, batch, y->count, 0.0, y->g);
    if (train_net_backward(n) != NASHC_OK)
        golden_fault(it->t, "backward fails");
    return loss;
}

static void
step_alpha(iteration *it, int step)
{
    int n = it->space.n_ops, all = it->space.n_edges * n;
    float d[2 * 10 * MAX_OPS] = {0};
    double p[MAX_OPS];
    char name[64];
    train_optim adam = {TRAIN_ADAM, 0.0, 0.999, 1e-8, .decay = 1e-3};

    for (int e = 0; e < it->space.n_edges; e++) {
        search_softmax(it->alpha + e * n, n, p);
        search_gate_gradient(p, it->net->choice[e].dgate, n, d + e * n);
    }
    snprintf(name, sizeof name, "i%d.dalpha", step);
    golden_compare(it->t, name, d, all, (golden_bound){.of_largest = 2e-5});
    train_optim_step(&adam, step + 1, it->r34 ? 6e-3 : 3e-4, 1.0, all, it->alpha, d, it->m, it->u);
    snprintf(name, sizeof name, "i%d.alpha_after", step);
    golden_compare(it->t, name, it->alpha, all, (golden_bound){.absolute = 2e-6});
}

static void
step_weights(iteration *it, int step)
{
    train_net *n = it->net;
    double sum = 0.0;
    train_optim sgd = {TRAIN_SGD, .momentum = 0.9, .decay = 3e-4, .nesterov = it->r34};

    for (int i = 0; i < n->n_params; i++) {
        char name[160];
        const train_param *p = &n->param[i];
        snprintf(name, sizeof name, "i0.dtheta.%s", p->name);
        sum += p->trains ? train_square_sum(p->g, p->n) : 0.0;
        if (step == 0 && p->trains && golden_find(it->t, name))
            golden_compare(it->t, name, p->g, p->n,
                           (golden_bound){.of_largest = 5e-5, .absolute = 1e-9});
    }
    compare_number(it->t, step, "grad_norm", sqrt(sum), 2e-5);
    for (int i = 0; i < n->n_params; i++)
        if (n->param[i].trains)
            train_optim_step(&sgd, step + 1, 0.025, train_clip_factor(sqrt(sum), 5.0),
                             n->param[i].n, n->param[i].v, n->param[i].g, it->velocity[i], NULL);
}

void
golden_iterations(golden *t, const char *name, const char *kind)
{
    iteration it = {.t = t, .kind = kind, .r34 = strstr(name, "_r34") != NULL};

    if (!make_network(t, name, &it)) {
        golden_fault(t, "the network cannot be made");
        return;
    }
    for (int s = 0; s < 3; s++) {
        compare_number(t, s, "loss_alpha", pass(&it, s, "alpha", true, strcmp(kind, "none") != 0),
                       0.0);
        step_alpha(&it, s);
        compare_number(t, s, "loss_weight",
                       pass(&it, s, "weight", false, strcmp(kind, "both") == 0), 0.0);
        step_weights(&it, s);
    }
    for (int i = 0; i < it.net->n_params; i++) {
        const train_param *p = &it.net->param[i];
        char array[160];
        if (p->trains)
            snprintf(array, sizeof array, "i2.theta.%s", p->name);
        else
            snprintf(array, sizeof array, "i2.running_%s.%s", kind, p->name);
        golden_compare(t, array, p->v, p->n, (golden_bound){.absolute = 2e-6, .relative = 2e-6});
        free(it.velocity[i]);
    }
    free(it.velocity);
    train_net_free(it.net);
    nashc_module_free(it.module);
}
