/* hw.c: what the passes on graphs of hardware layers share. */
#include "hw.h"
#include <string.h>

uint64_t
hw_score(const nashc_cost *c)
{
    return c->lut + c->ff / 4 + 150 * c->bram18 + 60 * c->dsp + 1000 * c->uram;
}

void
hw_cost_subtract(nashc_cost *sum, const nashc_cost *c)
{
    sum->lut -= c->lut;
    sum->ff -= c->ff;
    sum->bram18 -= c->bram18;
    sum->uram -= c->uram;
    sum->dsp -= c->dsp;
}

const nashc_backend *
hw_backend(nashc_run *r)
{
    return nashc_model_backend(nashc_run_ctx(r), nashc_opts_str(nashc_run_opts(r), "backend"),
                               nashc_run_diag(r));
}

/* A register of either side and two output words; muxes where neither divides the other. */
nashc_cost
hw_dwc_cost(int64_t from, int64_t to, uint32_t bits)
{
    bool ratio = from % to == 0 || to % from == 0;
    nashc_cost c = {0};

    if (from == to)
        return c;
    c.lut = 25 + (uint64_t)(from + to) * bits * (ratio ? 1 : 4);
    c.ff = (uint64_t)(from + 3 * to) * bits;
    return c;
}

uint64_t
hw_dwc_score(int64_t from, int64_t to, uint32_t bits)
{
    const nashc_cost c = hw_dwc_cost(from, to, bits);

    return hw_score(&c);
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
hw_forget_adders(nashc_graph *f, nashc_diag *d)
{
    nashc_status s = NASHC_OK;

    NASHC_EACH_NODE(f, n)
    {
        if (s == NASHC_OK && nashc_node_is(n, "hw.mvau") &&
            strcmp(nashc_node_str(n, "res_type"), "adders") == 0)
            s = nashc_node_set_attr(n, "res_type", "auto", d);
    }
    return s;
}

void
hw_tell_adders(nashc_diag *d, const char *name, uint64_t sums, uint64_t products)
{
    if (nashc_diag_verbosity(d) >= 2)
        nashc_remark(d, NULL,
                     "%s: additions of constants, %" PRIu64 " LUT equivalents in place of %" PRIu64,
                     name, sums, products);
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
    bool leaves = nashc_value_is_output(v);
    for (int i = 0; leaves && i < nashc_graph_n_outputs(g); i++)
        if (nashc_graph_output(g, i) == v)
            nashc_graph_set_output(g, i, w);
    *out = w;
    return NASHC_OK;
}
