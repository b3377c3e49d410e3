/* cmd_estimate.c: nashc estimate: cycles, throughput and resources per layer without generating. */
#include "hwflow.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const nashc_param options[] = {
    {.name = "backend",
     .def = NASHC_MODEL_BACKEND,
     .help = "whose layers; of a compiled design, the one that wrote it",
     .kind = NASHC_P_STRING},
    HWFLOW_OPTIONS,
    TOOL_LOAD_OPTIONS,
    TOOL_INPUT_OPTIONS,
    {0},
};

/* The model itself, or DIR/model.nashir of a compiled design, whose clock and device count. */
static nashc_status
load(hwflow *h, const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
        return tool_load(h->ctx, h->o, path, &h->m);
    const char *manifest = nashc_arena_printf(h->a, "%s/manifest.json", path);
    char *text;
    size_t size;
    nashc_status s = nashc_file_read(manifest, 1 << 24, &text, &size, h->d);
    if (s != NASHC_OK)
        return s;
    json_t *root = json_loadb(text, size, 0, NULL);
    nashc_mem_free(text);
    const char *device = json_string_value(json_object_get(root, "device"));
    const char *backend = json_string_value(json_object_get(root, "backend"));
    double clk = json_number_value(json_object_get(root, "clock_ns"));
    if (!nashc_opts_given(h->o, "clock-ns") && clk > 0)
        h->clk_ns = clk;
    if (!nashc_opts_given(h->o, "backend") && backend)
        h->backend = nashc_lookup(h->ctx, NASHC_D_BACKEND, backend, h->d);
    if (!h->device && device && device[0])
        h->device = nashc_find(h->ctx, NASHC_D_DEVICE, device);
    json_decref(root);
    if (!h->backend)
        return NASHC_EINPUT;
    return tool_load(h->ctx, h->o, nashc_arena_printf(h->a, "%s/model.nashir", path), &h->m);
}

static nashc_cost
cost_of(const hwflow *h, const nashc_node *n)
{
    nashc_cost c;

    nashc_layer_cost(n, h->backend, h->device, &c);
    return c;
}

static void
print_text(const hwflow *h, const nashc_graph *f, const nashc_flow_result *r)
{
    const char *const *names = nashc_flow_names(f, h->a);
    double interval = nashc_flow_interval(r);
    nashc_cost sum = hwflow_cost(h, f);

    printf("%-32s %10s %8s %8s %7s %6s %6s  %s\n", "layer", "cycles", "LUT", "FF", "BRAM18", "URAM",
           "DSP", "folding");
    NASHC_EACH_NODE(f, n)
    {
        nashc_cost c = cost_of(h, n);
        printf("%-32s %10" PRIu64 " %8" PRIu64 " %8" PRIu64 " %7" PRIu64 " %6" PRIu64 " %6" PRIu64
               "  %s\n",
               names[nashc_node_id(n)], nashc_layer_cycles(n, h->backend), c.lut, c.ff, c.bram18,
               c.uram, c.dsp, nashc_node_attr_text(n, h->a));
    }
    printf("%-32s %10s %8" PRIu64 " %8" PRIu64 " %7" PRIu64 " %6" PRIu64 " %6" PRIu64 "\n", "total",
           "", sum.lut, sum.ff, sum.bram18, sum.uram, sum.dsp);
    printf("interval: %g cycles\nlatency: %" PRIu64 " cycles\nthroughput: %.6g fps at %g ns\n",
           interval, r->latency, 1e9 / h->clk_ns / interval, h->clk_ns);
}

static void
print_json(const hwflow *h, const nashc_graph *f, const nashc_flow_result *r)
{
    const char *const *names = nashc_flow_names(f, h->a);
    double interval = nashc_flow_interval(r);
    json_t *o = json_object(), *layers = json_array();

    NASHC_EACH_NODE(f, n)
    {
        nashc_cost c = cost_of(h, n);
        json_array_append_new(layers, json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:s}", "name",
                                                names[nashc_node_id(n)], "cycles",
                                                (json_int_t)nashc_layer_cycles(n, h->backend),
                                                "LUT", (json_int_t)c.lut, "FF", (json_int_t)c.ff,
                                                "BRAM_18K", (json_int_t)c.bram18, "URAM",
                                                (json_int_t)c.uram, "DSP", (json_int_t)c.dsp,
                                                "folding", nashc_node_attr_text(n, h->a)));
    }
    json_object_set_new(o, "layers", layers);
    json_object_set_new(o, "interval_cycles", json_real(interval));
    json_object_set_new(o, "latency_cycles", json_integer((json_int_t)r->latency));
    json_object_set_new(o, "throughput_fps", json_real(1e9 / h->clk_ns / interval));
    json_object_set_new(o, "clock_ns", json_real(h->clk_ns));
    char *text = json_dumps(o, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
    printf("%s\n", text ? text : "{}");
    free(text);
    json_decref(o);
}

static nashc_status
estimate(hwflow *h, const char *path)
{
    nashc_pm_options po = {.struct_size = sizeof po,
                           .bisect_limit = -1,
                           .repro_on_bug = "nashc-repro.nashir",
                           .progress = tool_pass_progress};
    nashc_status s = load(h, path);
    nashc_flow_result r;

    if (s != NASHC_OK)
        return s;
    const char *passes = hwflow_passes(h, &s);
    if (!passes)
        return s;
    tool_flush(h->ctx);
    if ((s = nashc_run_pipeline(&h->m, passes, &po, h->d)) != NASHC_OK)
        return s;
    const nashc_graph *f = nashc_flow_graph(h->m, h->d);
    if (!f)
        return NASHC_EINPUT;
    const nashc_flow_options fo = {.struct_size = sizeof fo, .backend = h->backend};
    if ((s = nashc_flow_simulate(f, &fo, &r, h->a, h->d)) != NASHC_OK ||
        (s = hwflow_check(h, f, &r)) != NASHC_OK)
        return s;
    if (tool_json())
        print_json(h, f, &r);
    else
        print_text(h, f, &r);
    return NASHC_OK;
}

static int
estimate_main(nashc_ctx *c, const nashc_opts *o, int n_args, const char *const *args)
{
    nashc_arena *a = nashc_arena_create();
    hwflow h = {0};

    (void)n_args;
    nashc_status s = a ? hwflow_options(&h, c, o, a) : nashc_enomem(nashc_ctx_diag(c));
    if (s == NASHC_OK)
        s = estimate(&h, args[0]);
    nashc_module_free(h.m);
    nashc_arena_free(a);
    return nashc_status_exit(s);
}

const nashc_command nashc_command_estimate = {
    NASHC_DESC(nashc_command),
    .name = "estimate",
    .help = "cycles, throughput and resources per layer, without generating",
    .usage = "MODEL|DIR [--device NAME] [options]",
    .example = "nashc estimate net.onnx --device U250 --clock-ns 5 --target-fps 10000\n"
               "nashc estimate build/",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .main = estimate_main,
};
