/* cmd_synth.c: nashc synth: figures of the generated layers from Yosys, beside the estimates. */
#include "yosys.h"
#include <inttypes.h>
#include <jansson.h>
#include <sha2.h>
#include <stdlib.h>
#include <string.h>

static const nashc_param options[] = {
    {.name = "family",
     .def = "",
     .help = "xcup, xc7, ice40 or ecp5; by the design's device if not given, else xcup",
     .kind = NASHC_P_STRING},
    {.name = "liberty",
     .def = "",
     .help = "cells of a chip, a Liberty file: area and number of cells, in place of a family",
     .kind = NASHC_P_PATH},
    {.name = "layer", .def = "", .help = "this layer only", .kind = NASHC_P_STRING},
    {.name = "layer-time",
     .def = "900",
     .domain = "0..1000000",
     .help = "most seconds for a layer; 0: no limit",
     .kind = NASHC_P_INT},
    {.name = "layer-memory",
     .def = "4096",
     .domain = "0..16777216",
     .help = "most MiB of memory for a layer; 0: no limit",
     .kind = NASHC_P_INT},
    {.name = "again",
     .def = "false",
     .help = "also layers whose figures are there already",
     .kind = NASHC_P_BOOL},
    {0},
};

#define REPORT "report/post_synth_resources.json"

typedef struct job {
    yosys_job y;
    nashc_ctx *ctx;
    const nashc_opts *o;
    const nashc_device *device; /* of the design; NULL: none */
    nashc_module *m;
    const nashc_graph *f;
    const char *const *names;
    json_t *report; /* the document, as it is in the file */
    int n_failed;
    const char *failed, *why; /* the first layer that Yosys did not do */
} job;

/* The family follows the device of the design, unless a target is given. */
static nashc_status
load(job *j)
{
    const char *path = nashc_arena_printf(j->y.a, "%s/manifest.json", j->y.dir);
    const char *family = nashc_opts_str(j->o, "family");
    char *text;
    size_t size;
    nashc_status s = nashc_file_read(path, 1 << 24, &text, &size, j->y.d);

    if (s != NASHC_OK) {
        nashc_help(j->y.d, "DIR is what `nashc compile -o DIR` wrote");
        return s;
    }
    json_t *root = json_loadb(text, size, 0, NULL);
    nashc_mem_free(text);
    const char *top = json_string_value(json_object_get(root, "top"));
    const char *device = json_string_value(json_object_get(root, "device"));
    j->y.top = top ? nashc_arena_strdup(j->y.a, top) : NULL;
    j->device = device && device[0] ? nashc_find(j->ctx, NASHC_D_DEVICE, device) : NULL;
    json_decref(root);
    if (!j->y.top || !nashc_is_top_name(j->y.top))
        return nashc_error(j->y.d, &(nashc_loc){.file = path}, "this is no manifest of a design");
    const char *liberty = nashc_opts_str(j->o, "liberty");
    if (liberty[0] && family[0])
        return nashc_usage(j->y.d, "--liberty and --family are two targets: give one");
    if (!family[0])
        family = j->device ? j->device->family : "xcup";
    j->y.family = yosys_find_family(family);
    if (liberty[0]) {
        if ((s = yosys_use_liberty(&j->y, liberty)) != NASHC_OK)
            return s;
    } else if (!j->y.family) {
        s = nashc_usage(j->y.d, "Yosys is not asked for family %s here",
                        nashc_quote(j->y.d, family));
        nashc_help(j->y.d, "give --family xcup, xc7, ice40 or ecp5");
        return s;
    }
    s = nashc_read_nashir(j->ctx, nashc_arena_printf(j->y.a, "%s/model.nashir", j->y.dir), &j->m,
                          j->y.d);
    j->f = s == NASHC_OK ? nashc_flow_graph(j->m, j->y.d) : NULL;
    return s == NASHC_OK && !j->f ? NASHC_EINPUT : s;
}

static json_t *
figures(const job *j, const yosys_figures *r)
{
    const nashc_cost *c = &r->cost;

    if (j->y.liberty)
        return json_pack("{s:f, s:I}", "AREA", r->area, "CELLS", (json_int_t)r->gates);
    return json_pack("{s:I, s:I, s:I, s:I, s:I}", "LUT", (json_int_t)c->lut, "FF",
                     (json_int_t)c->ff, "BRAM_18K", (json_int_t)c->bram18, "URAM",
                     (json_int_t)c->uram, "DSP", (json_int_t)c->dsp);
}

static nashc_cost
estimate_of(const job *j, const nashc_node *n)
{
    nashc_cost c;

    nashc_layer_cost(n, NULL, j->device, &c);
    return c;
}

static void
print_row(const char *name, const nashc_cost *r, const nashc_cost *e)
{
    printf("%-34s %7" PRIu64 " %7" PRIu64 " %7" PRIu64 " %7" PRIu64 " %5" PRIu64 " %5" PRIu64
           " %4" PRIu64 " %4" PRIu64 " %4" PRIu64 " %4" PRIu64 "\n",
           name, r->lut, e->lut, r->ff, e->ff, r->bram18, e->bram18, r->uram, e->uram, r->dsp,
           e->dsp);
}

/* The inverse of figures(); what is not there reads as 0. */
static yosys_figures
figures_in(const json_t *o)
{
    yosys_figures r = {.gates = (uint64_t)json_integer_value(json_object_get(o, "CELLS")),
                       .area = json_number_value(json_object_get(o, "AREA"))};

    r.cost = (nashc_cost){.lut = (uint64_t)json_integer_value(json_object_get(o, "LUT")),
                          .ff = (uint64_t)json_integer_value(json_object_get(o, "FF")),
                          .bram18 = (uint64_t)json_integer_value(json_object_get(o, "BRAM_18K")),
                          .uram = (uint64_t)json_integer_value(json_object_get(o, "URAM")),
                          .dsp = (uint64_t)json_integer_value(json_object_get(o, "DSP"))};
    return r;
}

static void
add(yosys_figures *sum, const yosys_figures *r)
{
    nashc_cost_add(&sum->cost, &r->cost);
    sum->gates += r->gates;
    sum->area += r->area;
}

/* --- what is kept -------------------------------------------------------------------------------
 *
 * The report is written after each layer, so that nothing is lost when a later one ends the run. A
 * layer has the hash of all that its figures follow from, by which they are found again.
 */

static const char *
in_rtl(job *j, const char *name)
{
    return name ? nashc_arena_printf(j->y.a, "%s/rtl/%s", j->y.dir, name) : NULL;
}

static nashc_status
hash_file(job *j, SHA2_CTX *c, const char *path)
{
    char *text;
    size_t size;
    nashc_status s =
        path ? nashc_file_read(path, NASHC_MAX_BYTES, &text, &size, j->y.d) : nashc_enomem(j->y.d);

    if (s == NASHC_OK) {
        SHA256Update(c, (const uint8_t *)text, size);
        nashc_mem_free(text);
    }
    return s;
}

/* Of the layer's module, which names its memory images by content, and of the library. */
static nashc_status
hash_layer(job *j, const char *name, char key[SHA256_DIGEST_STRING_LENGTH])
{
    const char *list = nashc_arena_printf(j->y.a, "%s/rtl/all_verilog_srcs.txt", j->y.dir);
    char *files;
    size_t size;
    nashc_status s = nashc_file_read(list, NASHC_MAX_BYTES, &files, &size, j->y.d);
    SHA2_CTX c;

    if (s != NASHC_OK)
        return s;
    SHA256Init(&c);
    SHA256Update(&c, (const uint8_t *)j->y.version, strlen(j->y.version) + 1);
    SHA256Update(&c, (const uint8_t *)j->y.family->command, strlen(j->y.family->command) + 1);
    if (j->y.liberty)
        s = hash_file(j, &c, j->y.liberty);
    if (s == NASHC_OK)
        s = hash_file(j, &c, in_rtl(j, nashc_arena_printf(j->y.a, "%s_%s.v", j->y.top, name)));
    for (char *p = strtok(files, "\n"); p && s == NASHC_OK; p = strtok(NULL, "\n")) {
        const char *base = strrchr(p, '/') ? strrchr(p, '/') + 1 : p;
        if (strncmp(base, "nashc_", 6) == 0)
            /* the library's modules: any of them may be instantiated by the layer */
            s = hash_file(j, &c, in_rtl(j, base));
    }
    nashc_mem_free(files);
    SHA256End(&c, key);
    return s;
}

/* Does key of the document say so? */
static bool
says(const json_t *o, const char *key, const char *text)
{
    const char *have = json_string_value(json_object_get(o, key));
    return have && strcmp(have, text) == 0;
}

/* The report of an earlier run, if it is of the same program and family: figures of two are not
 * mixed. */
static void
start_report(job *j)
{
    j->report = json_load_file(nashc_arena_printf(j->y.a, "%s/" REPORT, j->y.dir), 0, NULL);
    if (!says(j->report, "tool", j->y.version) || !says(j->report, "family", j->y.family->name)) {
        json_decref(j->report);
        j->report = json_object();
    }
    json_object_set_new(j->report, "tool", json_string(j->y.version));
    json_object_set_new(j->report, "family", json_string(j->y.family->name));
}

/* The sum of the layers that are there; layers that the design has no more are dropped. */
static nashc_status
write_report(job *j)
{
    json_t *o = json_object();
    yosys_figures sum = {0};

    json_object_set(o, "tool", json_object_get(j->report, "tool"));
    json_object_set(o, "family", json_object_get(j->report, "family"));
    NASHC_EACH_NODE(j->f, n)
    {
        const char *name = j->names[nashc_node_id(n)];
        json_t *entry = json_object_get(j->report, name);
        yosys_figures r = figures_in(entry);
        if (entry)
            json_object_set(o, name, entry);
        add(&sum, &r);
    }
    json_object_set_new(o, "(top)", figures(j, &sum));
    json_decref(j->report);
    j->report = o;
    char *text = json_dumps(o, JSON_INDENT(2));
    nashc_outfile *f = text ? nashc_out_open_below(j->y.dir, REPORT, j->y.d) : NULL;
    if (f)
        nashc_out_printf(f, "%s\n", text);
    nashc_status s = !text ? nashc_enomem(j->y.d) : f ? nashc_out_commit(f, j->y.d) : NASHC_EIO;
    if (s == NASHC_OK)
        s = nashc_outdir_own(j->y.dir, REPORT, j->y.d);
    free(text);
    return s;
}

/* A layer that failed is tried again in the next run, maybe with more room; the failure is kept in
 * the report meanwhile. */
static nashc_status
do_layer(job *j, const nashc_node *n)
{
    const char *name = j->names[nashc_node_id(n)], *why = NULL;
    const json_t *old = json_object_get(j->report, name);
    nashc_cost estimate = estimate_of(j, n);
    yosys_figures real = {0};
    char key[SHA256_DIGEST_STRING_LENGTH];
    nashc_status s = hash_layer(j, name, key);

    if (s != NASHC_OK)
        return s;
    if (says(old, "sources", key) && !json_object_get(old, "failed") &&
        !nashc_opts_bool(j->o, "again"))
        return NASHC_OK;
    if ((s = yosys_layer(&j->y, name, &real, &why)) != NASHC_OK)
        return s;
    json_t *e = why ? json_object() : figures(j, &real);
    if (why) {
        json_object_set_new(e, "failed", json_string(why));
        j->failed = j->n_failed++ == 0 ? name : j->failed;
        j->why = j->why ? j->why : why;
    } else if (!j->y.liberty) {
        json_object_set_new(e, "BRAM_36K", json_integer(0));
        json_object_set_new(e, "SRL", json_integer(0));
    }
    if (!j->y.liberty)
        json_object_set_new(e, "estimate", figures(j, &(yosys_figures){.cost = estimate}));
    json_object_set_new(e, "sources", json_string(key));
    json_object_set_new(j->report, name, e);
    return write_report(j);
}

/* --- the command --------------------------------------------------------------------------------
 */

/* A line of an FPGA has estimates; r NULL: the head. */
static void
print_line(const job *j, const char *name, const yosys_figures *r, const nashc_cost *e)
{
    if (!j->y.liberty && r)
        print_row(name, &r->cost, e);
    else if (r)
        printf("%-34s %12.6g %9" PRIu64 "\n", name, r->area, r->gates);
    else if (j->y.liberty)
        printf("%s, %s\n%-34s %12s %9s\n", j->y.version, j->y.liberty, "layer", "area", "cells");
    else
        printf("%s, family %s; each figure is followed by its estimate\n"
               "%-34s %15s %15s %11s %9s %9s\n",
               j->y.version, j->y.family->name, "layer", "LUT", "FF", "BRAM18", "URAM", "DSP");
}

static void
print_table(const job *j, const char *only)
{
    yosys_figures real = {0};
    nashc_cost estimate = {0};

    print_line(j, NULL, NULL, NULL);
    NASHC_EACH_NODE(j->f, n)
    {
        const char *name = j->names[nashc_node_id(n)];
        json_t *entry = json_object_get(j->report, name);
        const char *why = json_string_value(json_object_get(entry, "failed"));
        nashc_cost e = estimate_of(j, n);
        yosys_figures r = figures_in(entry);
        if (only[0] && strcmp(only, name) != 0)
            continue;
        if (why) {
            printf("%-34s %s\n", name, why);
            continue;
        }
        print_line(j, name, &r, &e);
        add(&real, &r);
        nashc_cost_add(&estimate, &e);
    }
    print_line(j, "total", &real, &estimate);
}

/* Layers without figures are a failure of the program; the others are told all the same. */
static nashc_status
finish(job *j, const char *only)
{
    if (tool_json()) {
        char *text = json_dumps(j->report, JSON_INDENT(2));
        printf("%s\n", text ? text : "{}");
        free(text);
    } else {
        print_table(j, only);
    }
    if (j->n_failed == 0)
        return NASHC_OK;
    nashc_io_error(j->y.d, NULL, "yosys did not do %d layer%s: %s %s", j->n_failed,
                   j->n_failed > 1 ? "s" : "", j->failed, j->why);
    nashc_help(j->y.d,
               "give the limit more room, or fold the layer less; the other layers are in " REPORT);
    return NASHC_EIO;
}

/* The version first: it is part of every key. */
static nashc_status
run(job *j)
{
    const char *only = nashc_opts_str(j->o, "layer");
    int done = 0, total = 0, found = 0;
    nashc_status s = load(j);

    if (s != NASHC_OK || (s = yosys_version(&j->y)) != NASHC_OK)
        return s;
    j->names = nashc_flow_names(j->f, j->y.a);
    if (!j->names)
        return nashc_enomem(j->y.d);
    NASHC_EACH_NODE(j->f, n)
    {
        found += strcmp(j->names[nashc_node_id(n)], only) == 0;
        total++;
    }
    if (only[0] && !found) {
        nashc_usage(j->y.d, "the design has no layer \"%s\"", nashc_quote(j->y.d, only));
        nashc_help(j->y.d, "`nashc estimate %s` lists its layers", nashc_quote(j->y.d, j->y.dir));
        return NASHC_EUSAGE;
    }
    total = only[0] ? 1 : total;
    start_report(j);
    tool_progress("layers", 0, total);
    NASHC_EACH_NODE(j->f, n)
    {
        if (s != NASHC_OK || (only[0] && strcmp(j->names[nashc_node_id(n)], only) != 0))
            continue;
        s = do_layer(j, n);
        tool_progress("layers", ++done, total);
    }
    return s == NASHC_OK ? finish(j, only) : s;
}

static int
synth_main(nashc_ctx *c, const nashc_opts *o, int n_args, const char *const *args)
{
    job j = {.ctx = c,
             .o = o,
             .y = {.d = nashc_ctx_diag(c),
                   .a = nashc_arena_create(),
                   .dir = args[0],
                   .seconds = (double)nashc_opts_int(o, "layer-time"),
                   .memory = (uint64_t)nashc_opts_int(o, "layer-memory") << 20}};

    (void)n_args;
    nashc_status s = j.y.a ? run(&j) : nashc_enomem(j.y.d);
    json_decref(j.report);
    nashc_module_free(j.m);
    nashc_arena_free(j.y.a);
    return nashc_status_exit(s);
}

const nashc_command nashc_command_synth = {
    NASHC_DESC(nashc_command),
    .name = "synth",
    .help = "synthesize the layers of a design with Yosys and compare with the estimates",
    .usage = "DIR [--family xcup|xc7|ice40|ecp5 | --liberty FILE] [--layer NAME] [options]",
    .example = "nashc synth build --family xc7\n"
               "nashc synth build --liberty cells.lib\n"
               "nashc synth build --layer MVAU_hls_0",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .main = synth_main,
};
