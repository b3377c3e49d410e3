/* layer.c: the models of layers that backends bring (nashc/model.h). */
#include "host.h"
#include <math.h>

/* Does b, maybe from a plugin, say where its models are? */
static const char *
models_of(const nashc_backend *b)
{
    return NASHC_HAS(b, model) && b->model && b->model[0] ? b->model : NULL;
}

/* b, if it has models; else NULL, reported. */
static const nashc_backend *
need_models(const nashc_backend *b, nashc_diag *d)
{
    if (models_of(b))
        return b;
    nashc_unsup(d, NULL, "backend \"%s\" has no models of layers: nothing tells their cycles",
                b->name);
    if (d)
        nashc_help(d,
                   "a backend names them in nashc_backend.model; \"verilog.model\" if its layers "
                   "behave as those of the backend verilog");
    return NULL;
}

const nashc_backend *
nashc_model_backend(nashc_ctx *c, const char *name, nashc_diag *d)
{
    const nashc_backend *b =
        nashc_lookup(c, NASHC_D_BACKEND, name && name[0] ? name : NASHC_MODEL_BACKEND, d);

    return b ? need_models(b, d) : NULL;
}

/* A model must tell cycles and, by steps or a ring, when beats move. */
static bool
is_whole(const nashc_layer_model *m)
{
    return NASHC_HAS(m, cost) && m->cycles && m->timing && (m->step || m->ring);
}

static const nashc_layer_model *
not_modelled(const nashc_node *n, const nashc_backend *b, bool incomplete, nashc_diag *d)
{
    nashc_node_unsup(d, n, "backend \"%s\" has %s of %s layers", b->name,
                     incomplete ? "an incomplete model" : "no model", nashc_node_opname(n));
    if (d)
        nashc_help(d, "a plugin can bring it: NASHC_IMPL_MODEL(\"%s\", \"%s\", ...)", b->model,
                   nashc_node_opname(n));
    return NULL;
}

const nashc_layer_model *
nashc_layer_model_of(const nashc_node *n, const nashc_backend *b, nashc_diag *d)
{
    nashc_ctx *c = nashc_module_ctx(nashc_graph_module(nashc_node_graph(n)));

    b = b ? need_models(b, d) : nashc_model_backend(c, NULL, d);
    if (!b)
        return NULL;
    const nashc_layer_model *m = nashc_impl_rule(c, b->model, nashc_node_opname(n));
    if (!m || !is_whole(m))
        return not_modelled(n, b, m != NULL, d);
    if (nashc_hw_positions(n) > 1 && !(m->flags & NASHC_MODEL_POSITIONS)) {
        nashc_node_unsup(
            d, n, "positions=%" PRId64 ": backend \"%s\" builds layers of one position a beat",
            nashc_hw_positions(n), b->name);
        if (d)
            nashc_help(d, "fold without positions, or take backend \"%s\"", NASHC_MODEL_BACKEND);
        return NULL;
    }
    return m;
}

void
nashc_timing_end(const nashc_layer_model *m, nashc_timing *t)
{
    if (t->table && NASHC_HAS(m, end) && m->end)
        m->end(t);
    t->table = NULL;
}

uint64_t
nashc_layer_cycles(const nashc_node *n, const nashc_backend *b)
{
    const nashc_layer_model *m = nashc_layer_model_of(n, b, NULL);

    return m ? m->cycles(n) : 0;
}

/* What f, a function of a model, says; nothing if there is none. */
static bool
ask(nashc_status (*f)(const nashc_node *n, const nashc_device *dev, nashc_cost *out),
    const nashc_node *n, const nashc_device *dev, nashc_cost *out)
{
    const nashc_cost nothing = {.bram_efficiency = 1, .uram_efficiency = 1};
    bool known;

    *out = nothing;
    known = f && f(n, dev, out) == NASHC_OK;
    if (!known)
        *out = nothing;
    return known;
}

bool
nashc_layer_cost(const nashc_node *n, const nashc_backend *b, const nashc_device *dev,
                 nashc_cost *out)
{
    const nashc_layer_model *m = nashc_layer_model_of(n, b, NULL);

    return ask(m ? m->cost : NULL, n, dev, out);
}

bool
nashc_layer_least_cost(const nashc_node *n, const nashc_backend *b, const nashc_device *dev,
                       nashc_cost *out)
{
    const nashc_layer_model *m = nashc_layer_model_of(n, b, NULL);
    bool less = m && NASHC_HAS(m, least) && m->least;

    return ask(!m ? NULL : less ? m->least : m->cost, n, dev, out);
}

void
nashc_cost_add(nashc_cost *sum, const nashc_cost *c)
{
    sum->lut += c->lut;
    sum->ff += c->ff;
    sum->bram18 += c->bram18;
    sum->uram += c->uram;
    sum->dsp += c->dsp;
}

void
nashc_device_demand(const nashc_device *dev, const nashc_cost *c, nashc_demand out[NASHC_DEMANDS])
{
    const nashc_demand all[NASHC_DEMANDS] = {{"LUT", c->lut, dev->lut, 0},
                                             {"FF", c->ff, dev->ff, 0},
                                             {"BRAM_18K", c->bram18, dev->bram18, 0},
                                             {"URAM", c->uram, dev->uram, 0},
                                             {"DSP", c->dsp, dev->dsp, 0}};

    for (int i = 0; i < NASHC_DEMANDS; i++) {
        out[i] = all[i];
        if (out[i].need > 0)
            out[i].percent =
                out[i].have > 0 ? 100.0 * (double)out[i].need / (double)out[i].have : INFINITY;
    }
}

double
nashc_device_room(const nashc_device *dev, double percent)
{
    return percent > 0 ? percent / 100 : dev->usable_lut > 0 ? dev->usable_lut : 0.7;
}
