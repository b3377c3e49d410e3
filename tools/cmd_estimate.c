/* cmd_estimate.c: nashc estimate: cycles, throughput and resources per layer without generating. */
#include "compile_options.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const nashc_param options[] = {
    {.name = "backend",
     .def = "",
     .help = "whose layers; of a compiled design, the one that wrote it",
     .kind = NASHC_P_STRING},
    COMPILE_OPTIONS,
    TOOL_LOAD_OPTIONS,
    TOOL_INPUT_OPTIONS,
    {0},
};

typedef struct job {
    nashc_ctx *ctx;
    nashc_diag *d;
    nashc_arena *a;
    const nashc_opts *opts;
    nashc_compile_options o;
    nashc_pm_options pm;
    nashc_module *m;
    nashc_compile_result r;
} job;

/* The model itself, or DIR/model.nashir of a compiled design, whose clock and device count. */
static nashc_status
load(job *j, const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
        return tool_load(j->ctx, j->opts, path, &j->m);
    const char *manifest = nashc_arena_printf(j->a, "%s/manifest.json", path);
    char *text;
    size_t size;
    nashc_status s = nashc_file_read(manifest, 1 << 24, &text, &size, j->d);
    if (s != NASHC_OK)
        return s;
    json_t *root = json_loadb(text, size, 0, NULL);
    nashc_mem_free(text);
    const char *name = json_string_value(json_object_get(root, "device"));
    const char *backend = json_string_value(json_object_get(root, "backend"));
    const nashc_device *device = name ? nashc_find(j->ctx, NASHC_D_DEVICE, name) : NULL;
    double clk = json_number_value(json_object_get(root, "clock_ns"));
    /* what the command line gives counts; the design says the rest */
    if (!nashc_opts_given(j->opts, "clock-ns") && clk > 0)
        j->o.clock_ns = clk;
    if (!j->o.device && device)
        j->o.device = device->name;
    /* cycles and costs of another backend's layers would be nonsense */
    bool known = !backend || nashc_find(j->ctx, NASHC_D_BACKEND, backend);
    if (!j->o.backend && backend)
        j->o.backend = nashc_arena_strdup(j->a, backend);
    json_decref(root);
    if (!known) {
        nashc_error(j->d, &(nashc_loc){.file = path},
                    "the backend \"%s\" wrote it, which is not there",
                    nashc_quote(j->d, j->o.backend));
        nashc_help(j->d, "load its plugin (--load-plugin), or name another one (--backend)");
        return NASHC_EINPUT;
    }
    return tool_load(j->ctx, j->opts, nashc_arena_printf(j->a, "%s/model.nashir", path), &j->m);
}

/* The folding comes last, as it has no width. */
static void
print_text(const job *j)
{
    const nashc_compile_result *r = &j->r;
    const nashc_cost *sum = r->cost;

    printf("%-32s %10s %8s %8s %7s %6s %6s  %s\n", "layer", "cycles", "LUT", "FF", "BRAM18", "URAM",
           "DSP", "folding");
    NASHC_EACH_NODE(r->graph, n)
    {
        const nashc_cost *c = &r->layer_cost[nashc_node_id(n)];
        printf("%-32s %10" PRIu64 " %8" PRIu64 " %8" PRIu64 " %7" PRIu64 " %6" PRIu64 " %6" PRIu64
               "  %s\n",
               r->names[nashc_node_id(n)], r->layer_cycles[nashc_node_id(n)], c->lut, c->ff,
               c->bram18, c->uram, c->dsp, nashc_node_attr_text(n, j->a));
    }
    printf("%-32s %10s %8" PRIu64 " %8" PRIu64 " %7" PRIu64 " %6" PRIu64 " %6" PRIu64 "\n", "total",
           "", sum->lut, sum->ff, sum->bram18, sum->uram, sum->dsp);
    tool_print_rate(r->interval, "", r->latency, r->fps, j->o.clock_ns);
    compile_print_demand(r);
}

static json_t *
layer_json(const job *j, const nashc_node *n)
{
    const nashc_cost *c = &j->r.layer_cost[nashc_node_id(n)];

    return json_pack(
        "{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:s}", "name", j->r.names[nashc_node_id(n)], "cycles",
        (json_int_t)j->r.layer_cycles[nashc_node_id(n)], "LUT", (json_int_t)c->lut, "FF",
        (json_int_t)c->ff, "BRAM_18K", (json_int_t)c->bram18, "URAM", (json_int_t)c->uram, "DSP",
        (json_int_t)c->dsp, "folding", nashc_node_attr_text(n, j->a));
}

static void
print_json(const job *j)
{
    json_t *o = json_object(), *layers = json_array();

    NASHC_EACH_NODE(j->r.graph, n)
    {
        json_array_append_new(layers, layer_json(j, n));
    }
    json_object_set_new(o, "layers", layers);
    json_object_set_new(o, "interval_cycles", json_real(j->r.interval));
    json_object_set_new(o, "latency_cycles", json_integer((json_int_t)j->r.latency));
    json_object_set_new(o, "throughput_fps", json_real(j->r.fps));
    json_object_set_new(o, "clock_ns", json_real(j->o.clock_ns));
    json_t *demand = compile_demand_json(&j->r);
    if (demand)
        json_object_set_new(o, "utilisation_percent", demand);
    char *text = json_dumps(o, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
    printf("%s\n", text ? text : "{}");
    free(text);
    json_decref(o);
}

/* All that can be wrong with the options is said before the model is read. No folder is made:
 * passes run as for `compile`, without checks. */
static nashc_status
estimate(job *j, const char *path)
{
    nashc_status s = compile_options_take(&j->o, &j->pm, j->ctx, j->opts, j->a);

    const char *backend = nashc_opts_str(j->opts, "backend");
    if (s == NASHC_OK && backend[0] && !nashc_model_backend(j->ctx, backend, j->d))
        s = NASHC_EUSAGE;
    if (backend[0])
        j->o.backend = backend;
    if (s != NASHC_OK || (s = nashc_compile_check(j->ctx, &j->o, j->d)) != NASHC_OK ||
        (s = load(j, path)) != NASHC_OK)
        return s;
    j->r.struct_size = sizeof j->r;
    tool_flush(j->ctx);
    if ((s = nashc_compile(&j->m, &j->o, &j->r, j->a, j->d)) != NASHC_OK)
        return s;
    if (tool_json())
        print_json(j);
    else
        print_text(j);
    return NASHC_OK;
}

static int
estimate_main(nashc_ctx *c, const nashc_opts *o, int n_args, const char *const *args)
{
    job j = {.ctx = c, .d = nashc_ctx_diag(c), .a = nashc_arena_create(), .opts = o};

    (void)n_args;
    nashc_status s = j.a ? estimate(&j, args[0]) : nashc_enomem(j.d);
    nashc_module_free(j.m);
    nashc_arena_free(j.a);
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
