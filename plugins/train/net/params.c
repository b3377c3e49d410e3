/* params.c: parameters of a network: from constants of the graph, and back into them. */
#include "plugins/train/net/choice.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int
add_param(train_net *n, const char *name, const nashc_tensor *t, bool trains)
{
    int64_t count = nashc_tensor_count(t);

    if (n->n_params == n->cap_params) {
        int cap = n->cap_params ? 2 * n->cap_params : 64;
        train_param *grown = realloc(n->param, (size_t)cap * sizeof *grown);
        if (!grown)
            return -1;
        n->param = grown;
        n->cap_params = cap;
    }
    train_param *p = &n->param[n->n_params];
    *p = (train_param){.name = nashc_arena_strdup(n->arena, name),
                       .rank = nashc_tensor_type(t)->rank,
                       .n = count,
                       .trains = trains};
    memcpy(p->dim, nashc_tensor_type(t)->dim, sizeof p->dim);
    p->v = NASHC_NEW_N(n->arena, float, count);
    p->g = trains ? NASHC_NEW_N(n->arena, float, count) : NULL;
    if (!p->name || !p->v || (trains && !p->g))
        return -1;
    for (int64_t i = 0; i < count; i++)
        p->v[i] = (float)nashc_tensor_get(t, i);
    return n->n_params++;
}

int
train_param_add(train_net *n, const char *name, const nashc_value *value, bool trains)
{
    return add_param(n, name, nashc_value_const(value), trains);
}

int
train_param_add_numbers(train_net *n, const char *name, int64_t count)
{
    nashc_type t = nashc_type_shaped(nashc_type_f32(), 1, &count);
    float zero[8] = {0};
    nashc_tensor *zeros = count <= 8 ? nashc_tensor_create(&t, zero) : NULL;
    int p = zeros ? add_param(n, name, zeros, false) : -1;

    nashc_tensor_unref(zeros);
    return p;
}

train_param *
train_net_param(const train_net *n, const char *name)
{
    for (int i = 0; i < n->n_params; i++)
        if (strcmp(n->param[i].name, name) == 0)
            return &n->param[i];
    return NULL;
}

static bool
all_finite(const float *v, int64_t n)
{
    bool good = true;

    for (int64_t i = 0; i < n; i++)
        good &= isfinite(v[i]);
    return good;
}

/* The first value whose step gives something that is not finite. */
static const char *
first_result(train_net *n, int64_t batch)
{
    n->batch = batch;
    for (int i = 0; i < n->n_steps; i++) {
        const train_slot *out = &n->slot[n->step[i].out_slot[0]];
        nashc_grad_call c;
        if ((n->step[i].rule->flags & NASHC_GRAD_VIEW) || train_step_off(n, &n->step[i]))
            continue;
        train_step_call(n, &n->step[i], &c, true);
        if (n->step[i].rule->forward(&c) != NASHC_OK)
            return NULL;
        if (!all_finite(out->v, train_slot_size(out, batch)))
            return nashc_value_name(out->value);
    }
    return NULL;
}

const char *
train_net_not_finite(train_net *n, int64_t batch)
{
    for (int i = 0; i < n->n_params; i++)
        if (n->param[i].trains && !all_finite(n->param[i].v, n->param[i].n))
            return n->param[i].name;
    const char *name = first_result(n, batch);
    for (int i = 0; !name && i < n->n_params; i++)
        if (n->param[i].g && !all_finite(n->param[i].g, n->param[i].n))
            name = n->param[i].name;
    return name;
}

/* --- back into a module ---------------------------------------------------------------------- */

/* The values of a constant as they are now; NULL: those it has. */
static const float *
current(const train_net *n, const train_slot *s)
{
    return s->param >= 0 ? n->param[s->param].v : s->scale >= 0 ? s->v : NULL;
}

/* Gives the constant that is called `name` in b's graph other values. */
static nashc_status
replace(nashc_build *b, nashc_value *old, const float *v, nashc_diag *d)
{
    const nashc_tensor *t = nashc_value_const(old);
    int64_t count = nashc_tensor_count(t);
    double *wide = malloc((size_t)count * sizeof *wide);
    char *name = nashc_arena_strdup(nashc_build_arena(b), nashc_value_name(old));

    if (!wide || !name) {
        free(wide);
        return nashc_enomem(d);
    }
    for (int64_t i = 0; i < count; i++)
        wide[i] = (double)v[i];
    nashc_tensor *made = nashc_tensor_from_f64(nashc_tensor_type(t), wide);
    free(wide);
    char *aside = nashc_arena_printf(nashc_build_arena(b), "%s.before", name);
    if (!made || !aside || !nashc_value_set_name(old, aside)) {
        nashc_tensor_unref(made);
        return nashc_bug(d, NULL, "the constant \"%s\" cannot be replaced", name);
    }
    nashc_value *fresh = nashc_build_const(b, name, made);
    if (fresh)
        nashc_value_replace(old, fresh);
    return nashc_build_status(b);
}

/* The constant operand of that name in g; NULL: none. */
static nashc_value *
constant_of(const nashc_graph *g, const char *name)
{
    NASHC_EACH_NODE(g, node)
    for (int i = 0; i < nashc_node_n_in(node); i++) {
        nashc_value *v = nashc_node_in(node, i);
        if (v && nashc_value_const(v) && strcmp(nashc_value_name(v), name) == 0)
            return v;
    }
    return NULL;
}

nashc_status
train_net_module(const train_net *n, nashc_module **out, nashc_diag *d)
{
    nashc_module *m = nashc_module_clone(nashc_graph_module(n->graph));
    nashc_graph *g = m ? nashc_module_graph(m, nashc_graph_name(n->graph)) : NULL;
    nashc_build *b = g ? nashc_build_create(g, d) : NULL;
    nashc_status s = b ? NASHC_OK : nashc_enomem(d);

    for (int i = 0; s == NASHC_OK && i < n->n_slots; i++) {
        const float *v = current(n, &n->slot[i]);
        nashc_value *old = v ? constant_of(g, nashc_value_name(n->slot[i].value)) : NULL;
        if (old)
            s = replace(b, old, v, d);
    }
    if (s == NASHC_OK)
        *out = m;
    else if (m)
        nashc_module_free(m);
    return s;
}
