/* choose_adder_graphs.c: constant weights as graphs of additions where that is cheaper.
 *
 *     hw.mvau res_type=auto  ->  res_type=adders      the same folding, the same rate
 *
 * Whole matrices, or those of a few weight words, at a cost that the models of the backend tell.
 */
#include "hw.h"
#include <string.h>

typedef struct choosing {
    const nashc_backend *backend;
    const nashc_device *dev;
    const char *const *names;
    nashc_diag *d;
    bool always; /* wherever it can be */
} choosing;

/* May n, a layer of that res_type, be changed? What somebody asked for stays. */
static bool
is_open(const choosing *z, const nashc_node *n)
{
    const char *res = nashc_node_str(n, "res_type");

    if (strcmp(nashc_node_str(n, "mem_mode"), "external") == 0 ||
        nashc_node_bool(n, "runtime_writeable_weights"))
        return false; /* those are no constants */
    return strcmp(res, "adders") != 0 && (z->always || strcmp(res, "auto") == 0);
}

static nashc_status
choose(choosing *z, nashc_node *n)
{
    const char *before = nashc_node_str(n, "res_type");
    const uint64_t cycles = nashc_layer_cycles(n, z->backend);
    nashc_cost products, sums;
    bool known = nashc_layer_cost(n, z->backend, z->dev, &products);
    nashc_status s = nashc_node_set_attr(n, "res_type", "adders", z->d);

    if (s != NASHC_OK)
        return s;
    known = nashc_layer_cost(n, z->backend, z->dev, &sums) && known;
    /* a graph of additions takes a step for words of zeros too, which products may leave out */
    known = known && nashc_layer_cycles(n, z->backend) <= cycles;
    if (known && (z->always || hw_score(&sums) < hw_score(&products))) {
        hw_tell_adders(z->d, z->names[nashc_node_id(n)], hw_score(&sums), hw_score(&products));
        return NASHC_OK;
    }
    if (z->always)
        nashc_warning(z->d, nashc_node_loc(n), "adder-graph",
                      "%s keeps its multipliers: backend %s has no graph of additions for so many "
                      "weight words, digits or bits",
                      z->names[nashc_node_id(n)], z->backend->name);
    return nashc_node_set_attr(n, "res_type", before, z->d);
}

static nashc_status
run(nashc_run *r, nashc_graph *g)
{
    const char *device = nashc_opts_str(nashc_run_opts(r), "device");
    const char *use = nashc_opts_str(nashc_run_opts(r), "use");
    choosing z = {.d = nashc_run_diag(r), .always = strcmp(use, "on") == 0};
    nashc_graph *f = nashc_flow_graph(nashc_graph_module(g), z.d);
    nashc_status s = NASHC_OK;

    if (!f)
        return NASHC_EINPUT;
    if (!(z.backend = hw_backend(r)))
        return NASHC_EUNSUP;
    if (device[0] && !(z.dev = nashc_lookup(nashc_run_ctx(r), NASHC_D_DEVICE, device, z.d)))
        return NASHC_EINPUT;
    if (!(z.names = nashc_flow_names(f, nashc_run_arena(r))))
        return nashc_enomem(z.d);
    NASHC_EACH_NODE(f, n)
    {
        if (s == NASHC_OK && strcmp(use, "off") != 0 && nashc_node_is(n, "hw.mvau") &&
            is_open(&z, n))
            s = choose(&z, n);
    }
    return s;
}

static const nashc_param options[] = {
    {.name = "use",
     .def = "auto",
     .domain = "auto|off|on",
     .help = "where it is cheaper, nowhere, or wherever it can be",
     .kind = NASHC_P_ENUM},
    {.name = "device",
     .def = "",
     .help = "device that costs are counted for",
     .kind = NASHC_P_STRING},
    HW_BACKEND_OPTION,
    {0},
};

const nashc_pass nashc_pass_choose_adder_graphs = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_MODULE,
    .name = "choose-adder-graphs",
    .help = "constant weights as graphs of additions where that is cheaper than multipliers",
    .options = options,
    .needs = "hw-only",
    .run = run,
};
