/* report.c: FINN's JSON reports and folding file: docs/reports.md, docs/folding.md. */
#include "build.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What FINN does not count as layers of the network. */
static bool
is_plumbing(const nashc_node *n)
{
    return nashc_node_is(n, "hw.fifo") || nashc_node_is(n, "hw.dwc");
}

nashc_cost
cost_of(const design *z, const nashc_node *n)
{
    nashc_cost c;

    nashc_layer_cost(n, z->backend, z->dev, &c);
    return c;
}

uint64_t
cycles_of(const design *z, const nashc_node *n)
{
    return nashc_layer_cycles(n, z->backend);
}

json_t *
resources_json(const nashc_cost *c)
{
    return json_pack("{s:I, s:f, s:I, s:I, s:f, s:I}", "BRAM_18K", (json_int_t)c->bram18,
                     "BRAM_efficiency", c->bram_efficiency, "LUT", (json_int_t)c->lut, "URAM",
                     (json_int_t)c->uram, "URAM_efficiency", c->uram_efficiency, "DSP",
                     (json_int_t)c->dsp);
}

static nashc_status
layer_cycles(design *z)
{
    json_t *j = json_object();

    NASHC_EACH_NODE(z->f, n)
    {
        if (!is_plumbing(n))
            json_object_set_new(j, z->names[nashc_node_id(n)],
                                json_integer((json_int_t)cycles_of(z, n)));
    }
    return json_write(j, z->dir, "report/estimate_layer_cycles.json", z->d);
}

/* "total" in floats, as FINN's reader wants. */
static nashc_status
layer_resources(design *z)
{
    json_t *j = json_object();
    nashc_cost sum = {0};

    NASHC_EACH_NODE(z->f, n)
    {
        if (is_plumbing(n))
            continue;
        nashc_cost c = cost_of(z, n);
        json_object_set_new(j, z->names[nashc_node_id(n)], resources_json(&c));
        nashc_cost_add(&sum, &c);
    }
    json_object_set_new(j, "total",
                        json_pack("{s:f, s:f, s:f, s:f}", "BRAM_18K", (double)sum.bram18, "LUT",
                                  (double)sum.lut, "URAM", (double)sum.uram, "DSP",
                                  (double)sum.dsp));
    return json_write(j, z->dir, "report/estimate_layer_resources.json", z->d);
}

/* Matrix-vector units once with DSPs and once without; other layers have one entry. The cost is
 * asked of a clone, so that the design is left alone. */
static nashc_status
alternatives(design *z)
{
    json_t *j = json_object();
    nashc_module *m = nashc_module_clone(z->m);
    nashc_graph *f = m ? nashc_module_graph(m, nashc_graph_name(z->f)) : NULL;
    static const char *const types[] = {"dsp", "lut"};

    if (!f) {
        json_decref(j);
        return nashc_enomem(z->d);
    }
    const char *const *names = nashc_flow_names(f, z->a);
    NASHC_EACH_NODE(f, n)
    {
        json_t *list;
        if (is_plumbing(n) || !names)
            continue;
        list = json_array();
        for (int i = 0; i < 2; i++) {
            bool has = nashc_attr_index(n, "res_type") >= 0;
            if (has)
                nashc_node_set_attr(n, "res_type", types[i], z->d);
            if (has || i == 0) {
                nashc_cost c = cost_of(z, n);
                json_array_append_new(list, resources_json(&c));
            }
        }
        json_object_set_new(j, names[nashc_node_id(n)], list);
    }
    nashc_module_free(m);
    return json_write(j, z->dir, "report/estimate_layer_config_alternatives.json", z->d);
}

/* Per layer integers, in the total floats: FINN's form again. */
static void
count(json_t *entry, json_t *total, const char *key, int64_t n)
{
    json_object_set_new(
        entry, key, json_integer((json_int_t)n + json_integer_value(json_object_get(entry, key))));
    json_object_set_new(total, key,
                        json_real((double)n + json_real_value(json_object_get(total, key))));
}

/* Multiplications by the widths of both sides, the narrower first; parameters by their width.
 * Nothing is counted twice: weights are those of the model, however often they are read. */
static nashc_status
op_counts(design *z)
{
    json_t *j = json_object(), *total = json_object();

    NASHC_EACH_NODE(z->f, n)
    {
        json_t *e;
        char key[64];
        if (is_plumbing(n))
            continue;
        e = json_object();
        bool matrix = nashc_node_is(n, "hw.mvau"), macs = matrix || nashc_node_is(n, "hw.vvau");
        if (macs) {
            const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
            const nashc_type *w = nashc_value_type(nashc_node_in(n, 1));
            int a = x->bits < w->bits ? x->bits : w->bits, b = x->bits + w->bits - a;
            int64_t each = 1; /* products of an input element */
            if (matrix)
                each = w->dim[1] / nashc_node_int(n, "groups");
            snprintf(key, sizeof key, "op_mac_%dbx%db", a, b);
            count(e, total, key, nashc_type_count(x) * each);
            snprintf(key, sizeof key, "param_weight_%db", w->bits);
            count(e, total, key, w->dim[0] * w->dim[1]);
        }
        int t = macs ? 2 : nashc_node_is(n, "hw.thresholding") ? 1 : -1;
        if (t > 0 && nashc_node_in(n, t)) {
            const nashc_type *tt = nashc_value_type(nashc_node_in(n, t));
            snprintf(key, sizeof key, "param_threshold_%db", tt->bits);
            count(e, total, key, nashc_type_count(tt));
        }
        json_object_set_new(j, z->names[nashc_node_id(n)], e);
    }
    json_object_set_new(j, "total", total);
    return json_write(j, z->dir, "report/op_and_param_counts.json", z->d);
}

/* Longest sum of cycles along a path: FINN's pessimistic latency. */
static uint64_t
critical_path(design *z)
{
    uint64_t *at = NASHC_NEW_N(z->a, uint64_t, nashc_graph_max_id(z->f) + 1), most = 0;

    NASHC_EACH_NODE(z->f, n)
    {
        uint64_t start = 0;
        for (int i = 0; at && i < nashc_node_n_in(n); i++) {
            const nashc_value *v = nashc_node_in(n, i);
            const nashc_node *p = v ? nashc_value_def(v) : NULL;
            if (p && at[nashc_node_id(p)] > start)
                start = at[nashc_node_id(p)];
        }
        start += is_plumbing(n) ? 0 : cycles_of(z, n);
        if (at)
            at[nashc_node_id(n)] = start;
        most = start > most ? start : most;
    }
    return most;
}

/* FINN's estimate goes by the slowest layer, ours by simulation: both are there, under names that
 * say so. */
static nashc_status
performance(design *z)
{
    uint64_t most = 0, path = critical_path(z);
    const char *slowest = "";

    NASHC_EACH_NODE(z->f, n)
    {
        uint64_t c = cycles_of(z, n);
        if (is_plumbing(n) || c <= most)
            continue;
        most = c;
        slowest = z->names[nashc_node_id(n)];
    }
    double interval = nashc_flow_interval(&z->flow);
    double pace = most > 0 ? (double)most : interval; /* nothing but plumbing */
    json_t *j = json_pack(
        "{s:I, s:I, s:s, s:f, s:f, s:f, s:I, s:f, s:f}", "critical_path_cycles", (json_int_t)path,
        "max_cycles", (json_int_t)most, "max_cycles_node_name", slowest, "estimated_throughput_fps",
        1e9 / z->clk_ns / pace, "estimated_latency_ns", (double)path * z->clk_ns,
        "simulated_interval_cycles", interval, "simulated_latency_cycles",
        (json_int_t)z->flow.latency, "simulated_throughput_fps", 1e9 / z->clk_ns / interval,
        "simulated_latency_ns", (double)z->flow.latency * z->clk_ns);
    return json_write(j, z->dir, "report/estimate_network_performance.json", z->d);
}

/* That nothing dead-locks: flowproof.c has the order and the argument. Checked by other means. */
static nashc_status
certificate(design *z, json_t *j)
{
    const nashc_flow_options o = {.struct_size = sizeof o, .backend = z->backend};
    nashc_flow_proof p;
    char order[17];
    nashc_status s = nashc_flow_prove(z->f, &o, &p, z->a, z->d);

    if (s == NASHC_OK)
        s = nashc_flow_check_proof(z->f, &o, &p, z->a, z->d);
    if (s != NASHC_OK)
        return s;
    snprintf(order, sizeof order, "%016" PRIx64, p.order);
    json_object_set_new(
        j, "no_deadlock",
        json_pack("{s:I, s:I, s:I, s:s, s:s}", "units", (json_int_t)p.units, "steps",
                  (json_int_t)p.steps, "visits", (json_int_t)p.visits, "order", order, "argument",
                  "one frame, done without time with these depths, ends as it began; layers are "
                  "determinate, so no timing dead-locks"));
    return NASHC_OK;
}

/* Written even if the proof failed: the depths are what one looks at then. */
static nashc_status
fifo_report(design *z)
{
    json_t *j = json_object();
    nashc_status s = certificate(z, j);

    NASHC_EACH_NODE(z->f, n)
    {
        if (!nashc_node_is(n, "hw.fifo"))
            continue;
        const link *l = &z->links[nashc_value_id(nashc_node_out(n, 0))];
        int64_t depth = nashc_node_int(n, "depth");
        json_object_set_new(j, z->names[nashc_node_id(n)],
                            json_pack("{s:I, s:I, s:I, s:I, s:s}", "depth", (json_int_t)depth,
                                      "width", (json_int_t)l->s.width, "bits",
                                      (json_int_t)(depth * l->s.width), "max_occupancy",
                                      (json_int_t)z->flow.occupancy[nashc_value_id(l->v)], "method",
                                      "schedule"));
    }
    nashc_status w = json_write(j, z->dir, "report/fifo_report.json", z->d);
    return s != NASHC_OK ? s : w;
}

nashc_status
write_reports(design *z)
{
    nashc_status (*const all[])(design *) = {layer_cycles, layer_resources, alternatives,
                                             op_counts,    performance,     fifo_report};
    nashc_status s = NASHC_OK;

    for (size_t i = 0; i < NASHC_COUNT(all) && s == NASHC_OK; i++)
        s = all[i](z);
    return s;
}

/* --- final_hw_config.json ------------------------------------------------------------------------
 */

static const struct {
    const char *finn, *ours;
} attributes[] = {{"PE", "pe"},
                  {"SIMD", "simd"},
                  {"parallel_window", "parallel_window"},
                  {"positions", "positions"},
                  {"ram_style", "ram_style"},
                  {"ram_style_thresholds", "ram_style_thresholds"},
                  {"resType", "res_type"},
                  {"mem_mode", "mem_mode"}};

/* Depth of the FIFO at the other end of v, 0 if there is none. */
static int64_t
fifo_depth(const nashc_node *n)
{
    return n && nashc_node_is(n, "hw.fifo") ? nashc_node_int(n, "depth") : 0;
}

/* FINN's folding file has depths at both ends of a stream; here a FIFO is a node between them. */
static json_t *
depths(const nashc_node *n, bool input)
{
    json_t *list = json_array();

    for (int i = 0; i < (input ? nashc_node_n_in(n) : nashc_node_n_out(n)); i++) {
        const nashc_value *v = input ? nashc_node_in(n, i) : nashc_node_out(n, i);
        if (!v || nashc_value_const(v))
            continue;
        json_array_append_new(
            list, json_integer(fifo_depth(input ? nashc_value_def(v) : nashc_value_one_user(v))));
    }
    return list;
}

/* A folding file that gives this very design again: tests read it back. */
static json_t *
config_of(const nashc_node *n)
{
    json_t *e = json_object();

    for (size_t i = 0; i < NASHC_COUNT(attributes); i++) {
        int a = nashc_attr_index(n, attributes[i].ours);
        if (a < 0)
            continue;
        if (nashc_node_op(n)->attrs[a].kind == NASHC_P_INT)
            json_object_set_new(e, attributes[i].finn, json_integer(nashc_attr_int(n, a)));
        else
            json_object_set_new(e, attributes[i].finn, json_string(nashc_attr_str(n, a)));
    }
    if (nashc_node_is(n, "hw.mvau") || nashc_node_is(n, "hw.vvau"))
        json_object_set_new(e, "runtime_writeable_weights",
                            json_integer(nashc_node_bool(n, "runtime_writeable_weights")));
    if (nashc_flow_weights_free(n)) {
        char type[32];
        nashc_type_finn_name(nashc_value_type(nashc_node_in(n, 1)), type, sizeof type);
        json_object_set_new(e, "weightDataType", json_string(type));
    }
    if (nashc_node_is(n, "hw.mvau") && strcmp(nashc_node_str(n, "zero_words"), "auto") != 0)
        json_object_set_new(e, "zero_words", json_string(nashc_node_str(n, "zero_words")));
    if (nashc_node_is(n, "hw.fifo")) {
        json_object_set_new(e, "depth", json_integer(fifo_depth(n)));
        json_object_set_new(e, "impl_style", json_string("rtl"));
    } else {
        json_object_set_new(e, "inFIFODepths", depths(n, true));
        json_object_set_new(e, "outFIFODepths", depths(n, false));
    }
    return e;
}

nashc_status
write_config(design *z)
{
    json_t *j = json_object();

    json_object_set_new(j, "Defaults", json_object());
    NASHC_EACH_NODE(z->f, n)
    {
        json_object_set_new(j, z->names[nashc_node_id(n)], config_of(n));
    }
    return json_write(j, z->dir, "final_hw_config.json", z->d);
}
