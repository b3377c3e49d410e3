/* golden_search.c: search: binarisation, the term of cost, steps of two paths, and the rules that
 * derive a genotype; groups and iterations are in golden_supernet.c. */
#include "plugins/train/search/derive.h"
#include "plugins/train/search/gates.h"
#include "tests/train/golden.h"
#include <math.h>
#include <string.h>

enum { MAX_EDGES = 21, MAX_OPS = 6 };

/* --- binarisation, cost, two paths ----------------------------------------------------------- */

static void
binarise(golden *t)
{
    golden_graph g;
    const golden_bound exact = {0}, ulp = {.relative = 2.4e-7, .absolute = 1e-38};
    const golden_bound close = {.relative = 1e-6, .absolute = 1e-38};
    const tool_array *gw = golden_array(t, "gw"), *e = golden_array(t, "E");

    if (golden_begin(t, &g)) {
        nashc_value *x = golden_input(t, &g, "x");
        if (golden_make(t, &g, nashc_build_op(g.b, "search.sign", &x, 1, "%s", ""), true) &&
            golden_run(t, &g, true, "g")) {
            golden_compare(t, "y", g.net->slot[g.net->output].v, 70, exact);
            golden_compare(t, "dx", train_net_slot(g.net, x)->g, 70, ulp);
        }
        golden_end(&g);
    }
    if (!gw || !e || !golden_begin(t, &g))
        return;
    nashc_value *w = golden_const(t, &g, "w", "w"), *in[2];
    in[0] = nashc_build_op(g.b, "search.sign", &w, 1, "slope=identity");
    in[1] = nashc_build_op(g.b, "search.mean_abs", &w, 1, "%s", "");
    if (golden_make(t, &g, nashc_build_op(g.b, "nn.mul", in, 2, "%s", ""), true) &&
        golden_run(t, &g, true, NULL)) {
        const train_param *p = train_net_param(g.net, "w");
        golden_compare(t, "E", train_net_slot(g.net, in[1])->v, 1, close);
        golden_compare(t, "wb", g.net->slot[g.net->output].v, p->n, close);
        golden_run(t, &g, true, "gw");
        golden_compare(t, "dw", p->g, p->n, close);
    }
    golden_end(&g);
}

static void
cost_term(golden *t)
{
    float alpha[60], cost[60], d[60] = {0}, value = 0.0f, lambda = 0.0f;

    golden_numbers(t, "alpha", 0, 60, alpha);
    golden_numbers(t, "cost", 0, 60, cost);
    golden_numbers(t, "lam", 0, 1, &lambda);
    double sum = 0.0, wide[6], p[6], lam = golden_at(golden_array(t, "lam"), 0);
    for (int e = 0; e < 10; e++) {
        search_softmax(alpha + 6 * e, 6, p);
        for (int k = 0; k < 6; k++)
            wide[k] = (double)cost[6 * e + k];
        sum += search_cost_gradient(p, wide, lam, 6, d + 6 * e);
    }
    value = (float)sum;
    golden_compare(t, "value", &value, 1, (golden_bound){.relative = 1e-6});
    golden_compare(t, "dalpha", d, 60, (golden_bound){.relative = 1e-6, .of_largest = 1e-7});
}

static void
two_path_update(golden *t)
{
    const tool_array *pairs = golden_array(t, "pair"), *dgate = golden_array(t, "dgate");
    float alpha[120], adam[120], m[120] = {0}, u[120] = {0}, m2[120] = {0}, u2[120] = {0}, d2[40];
    train_optim o = {TRAIN_ADAM, 0.0, 0.999, 1e-8, .decay = 1e-3};
    golden_bound b = {.absolute = 1e-6, .relative = 1e-6};

    golden_numbers(t, "alpha", 0, 120, alpha);
    memcpy(adam, alpha, sizeof adam);
    for (int e = 0; pairs && dgate && e < 20; e++) {
        int pair[2] = {golden_integer(pairs, 2 * e), golden_integer(pairs, 2 * e + 1)};
        double g[6] = {0}, before[6], after[6];
        float d[6] = {0};
        for (int k = 0; k < 2; k++)
            g[pair[k]] = golden_at(dgate, 2 * e + k);
        search_softmax(alpha + 6 * e, 6, before);
        search_pair_gradient(alpha + 6 * e, g, pair, d);
        for (int k = 0; k < 2; k++) {
            int i = 6 * e + pair[k];
            d2[2 * e + k] = d[pair[k]];
            train_optim_step(&o, 1, 3e-4, 1.0, 1, &adam[i], &d[pair[k]], &m2[i], &u2[i]);
        }
        search_pair_step(&o, 1, 3e-4, pair, alpha + 6 * e, d, m + 6 * e, u + 6 * e);
        search_softmax(alpha + 6 * e, 6, after);
        for (int k = 0; k < 6; k++)
            if (k != pair[0] && k != pair[1] && fabs(after[k] - before[k]) > 1e-7)
                golden_fault(t, "p of edge %d, candidate %d, changes", e, k);
    }
    golden_compare(t, "dalpha", d2, 40, b);
    golden_compare(t, "alpha_adam", adam, 120, b);
    golden_compare(t, "alpha_rescaled", alpha, 120, b);
}

/* --- rules ----------------------------------------------------------------------------------- */

static void
derive_tables(golden *t, const char *rule_name, search_rule rule, int g)
{
    static const search_kind kinds6[] = {SEARCH_NONE, SEARCH_POOL, SEARCH_POOL,
                                         SEARCH_CONV, SEARCH_CONV, SEARCH_CONV};
    static const search_kind kinds4[] = {SEARCH_NONE, SEARCH_CONV, SEARCH_CONV, SEARCH_CONV};
    char name[64], want[64];

    snprintf(name, sizeof name, "alpha_g%d", g);
    snprintf(want, sizeof want, "%s_g%d", rule_name, g);
    const tool_array *a = golden_array(t, name), *w = golden_array(t, want);
    if (!a || !w)
        return;
    int steps = (int)w->dim[1], ops = (int)a->dim[2], size = (int)a->dim[1] * ops;
    for (int64_t i = 0; i < a->dim[0]; i++) {
        float alpha[MAX_EDGES * MAX_OPS];
        search_pick pick[8];
        golden_numbers(t, name, i * size, size, alpha);
        bool good = search_derive(rule, alpha, steps, ops, ops == 6 ? kinds6 : kinds4, pick);
        for (int k = 0; k < steps; k++)
            if (!good || pick[k].op != golden_integer(w, 2 * (i * steps + k)) ||
                pick[k].source != golden_integer(w, 2 * (i * steps + k) + 1))
                golden_fault(t, "%s, table %d, step %d: %d@%d", want, (int)i, k, pick[k].op,
                             pick[k].source);
    }
}

static void
derive(golden *t, const char *name)
{
    int groups = strstr(name, "r34") ? 6 : 4;

    for (int g = 0; g < groups; g++) {
        bool reduce = groups == 4 ? g > 0 : g % 2 == 1;
        derive_tables(t, "free", SEARCH_FREE, g);
        if (strstr(name, "6ops")) {
            derive_tables(t, "conv_on_reduce", reduce ? SEARCH_CONV_ON_REDUCE : SEARCH_FREE, g);
            derive_tables(t, "drop_on_reduce", reduce ? SEARCH_DROP_ON_REDUCE : SEARCH_FREE, g);
            derive_tables(t, "compat_v3", reduce ? SEARCH_COMPAT_V3 : SEARCH_FREE, g);
        }
        if (groups == 6)
            derive_tables(t, "v3", reduce ? SEARCH_DROP_ON_REDUCE : SEARCH_FREE, g);
    }
}

void
golden_searching(golden *t, const char *name)
{
    if (strncmp(name, "group", 5) == 0)
        golden_group(t, name);
    else if (strncmp(name, "derive", 6) == 0)
        derive(t, name);
    else if (strcmp(name, "binarise") == 0)
        binarise(t);
    else if (strcmp(name, "cost_term") == 0)
        cost_term(t);
    else if (strcmp(name, "two_path_update") == 0)
        two_path_update(t);
    else if (strncmp(name, "iteration", 9) == 0) {
        golden_iterations(t, name, "none");
        golden_iterations(t, name, "alpha");
        golden_iterations(t, name, "both");
    } else {
        golden_fault(t, "a file that no test knows");
    }
}
