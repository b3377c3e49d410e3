/* hw.c: what the passes on graphs of hardware layers share. */
#include "hw.h"

uint64_t
hw_score(const nashc_cost *c)
{
    return c->lut + c->ff / 4 + 150 * c->bram18 + 120 * c->dsp + 1000 * c->uram;
}

uint64_t
hw_node_score(const nashc_node *n, const nashc_backend *b, const nashc_device *dev)
{
    nashc_cost c;

    return nashc_layer_cost(n, b, dev, &c) ? hw_score(&c) : 0;
}

const nashc_backend *
hw_backend(nashc_run *r)
{
    return nashc_model_backend(nashc_run_ctx(r), nashc_opts_str(nashc_run_opts(r), "backend"),
                               nashc_run_diag(r));
}

bool
hw_lanes(const nashc_node *n, int64_t *in, int64_t *out)
{
    nashc_stream is[NASHC_FLOW_PORTS], os[NASHC_FLOW_PORTS];
    const nashc_hw *hw = nashc_node_op(n)->hw;

    if (!hw->streams || nashc_node_n_in(n) > NASHC_FLOW_PORTS ||
        nashc_node_n_out(n) > NASHC_FLOW_PORTS || hw->streams(n, is, os, NULL) != NASHC_OK)
        return false;
    *in = is[0].lanes;
    *out = os[0].lanes;
    return true;
}

uint64_t
hw_dwc_score(int64_t from, int64_t to, uint32_t bits)
{
    uint64_t sum = (uint64_t)(from + to) * bits;
    bool ratio = from % to == 0 || to % from == 0;

    if (from == to)
        return 0;
    return 25 + sum * (ratio ? 1 : 4) + (uint64_t)(from + 3 * to) * bits / 4;
}

nashc_status
hw_set_fold(nashc_node *n, const nashc_fold *f, nashc_diag *d)
{
    nashc_status s = NASHC_OK;

    for (int i = 0; i < f->n && s == NASHC_OK; i++)
        s = nashc_node_set_attr_int(n, f->name[i], f->value[i], d);
    return s;
}

nashc_status
hw_splice(nashc_build *b, nashc_value *v, const char *op, const char *attrs, nashc_value **out)
{
    nashc_node *reader = nashc_value_one_user(v), *def = nashc_value_def(v);
    nashc_graph *g = nashc_build_graph(b);

    nashc_build_before(b, reader ? reader : def ? nashc_node_next(def) : nashc_graph_first(g));
    if (reader || def)
        nashc_build_loc(b, nashc_node_loc(reader ? reader : def));
    nashc_value *w = nashc_build_op(b, op, &v, 1, "%s", attrs);
    if (!w)
        return nashc_build_status(b);
    if (reader) {
        for (int i = 0; i < nashc_node_n_in(reader); i++)
            if (nashc_node_in(reader, i) == v)
                nashc_node_set_in(reader, i, w);
    }
    for (int i = 0; i < nashc_graph_n_outputs(g); i++)
        if (nashc_graph_output(g, i) == v)
            nashc_graph_set_output(g, i, w);
    *out = w;
    return NASHC_OK;
}
