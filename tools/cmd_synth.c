/* cmd_synth.c: nashc synth: figures of the generated layers from Yosys, beside the estimates. */
#include "tool.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const nashc_param options[] = {
    {.name = "family",
     .def = "",
     .help = "xcup, xc7, ice40 or ecp5; by the design's device if not given, else xcup",
     .kind = NASHC_P_STRING},
    {.name = "layer", .def = "", .help = "this layer only", .kind = NASHC_P_STRING},
    {0},
};

/* Cells of a family by the prefix of their names; the first match counts. */
typedef struct cell {
    const char *prefix;
    int lut, ff, bram18, uram, dsp;
} cell;

static const cell xilinx_cells[] = {
    {"LUT", 1, 0, 0, 0, 0},      {"RAM32M16", 8, 0, 0, 0, 0}, {"RAM64M8", 8, 0, 0, 0, 0},
    {"RAM32M", 4, 0, 0, 0, 0},   {"RAM64M", 4, 0, 0, 0, 0},   {"RAM128X1D", 4, 0, 0, 0, 0},
    {"RAM64X1D", 2, 0, 0, 0, 0}, {"RAM32X1D", 2, 0, 0, 0, 0}, {"RAM256X1", 4, 0, 0, 0, 0},
    {"RAM", 0, 0, 0, 0, 0},      {"SRL", 1, 0, 0, 0, 0},      {"FD", 0, 1, 0, 0, 0},
    {"DSP", 0, 0, 0, 0, 1},      {"URAM", 0, 0, 0, 1, 0},     {0},
};

static const cell ice40_cells[] = {
    {"SB_LUT4", 1, 0, 0, 0, 0},
    {"SB_DFF", 0, 1, 0, 0, 0},
    {"SB_RAM", 0, 0, 1, 0, 0},
    {"SB_MAC16", 0, 0, 0, 0, 1},
    {0},
};

static const cell ecp5_cells[] = {
    {"LUT4", 1, 0, 0, 0, 0},   {"CCU2C", 2, 0, 0, 0, 0},    {"TRELLIS_FF", 0, 1, 0, 0, 0},
    {"DP16KD", 0, 0, 1, 0, 0}, {"PDPW16KD", 0, 0, 1, 0, 0}, {"TRELLIS_DPR16X4", 4, 0, 0, 0, 0},
    {"MULT", 0, 0, 0, 0, 1},   {"ALU54B", 0, 0, 0, 0, 0},   {0},
};

static const struct family {
    const char *name, *command;
    const cell *cells;
} families[] = {
    {"xcup", "synth_xilinx -flatten -family xcup", xilinx_cells},
    {"xc7", "synth_xilinx -flatten -family xc7", xilinx_cells},
    {"ice40", "synth_ice40 -dsp", ice40_cells},
    {"ecp5", "synth_ecp5", ecp5_cells},
};

typedef struct job {
    nashc_ctx *ctx;
    nashc_diag *d;
    nashc_arena *a;
    const nashc_opts *o;
    const nashc_device *device; /* of the design; NULL: none */
    nashc_module *m;
    const char *dir, *top, *yosys; /* yosys: its version */
    const struct family *family;
    const nashc_graph *f;
    nashc_cost *real; /* by node id */
} job;

static nashc_status
load(job *j)
{
    const char *path = nashc_arena_printf(j->a, "%s/manifest.json", j->dir);
    const char *family = nashc_opts_str(j->o, "family");
    char *text;
    size_t size;
    nashc_status s = nashc_file_read(path, 1 << 24, &text, &size, j->d);

    if (s != NASHC_OK) {
        nashc_help(j->d, "DIR is what `nashc compile -o DIR` wrote");
        return s;
    }
    json_t *root = json_loadb(text, size, 0, NULL);
    nashc_mem_free(text);
    const char *top = json_string_value(json_object_get(root, "top"));
    const char *device = json_string_value(json_object_get(root, "device"));
    j->top = top ? nashc_arena_strdup(j->a, top) : NULL;
    j->device = device && device[0] ? nashc_find(j->ctx, NASHC_D_DEVICE, device) : NULL;
    json_decref(root);
    if (!j->top || !nashc_is_top_name(j->top))
        return nashc_error(j->d, &(nashc_loc){.file = path}, "this is no manifest of a design");
    if (!family[0])
        family = j->device ? j->device->family : "xcup";
    for (size_t i = 0; i < NASHC_COUNT(families); i++)
        if (strcmp(families[i].name, family) == 0)
            j->family = &families[i];
    if (!j->family) {
        s = nashc_usage(j->d, "Yosys is not asked for family %s here", nashc_quote(j->d, family));
        nashc_help(j->d, "give --family xcup, xc7, ice40 or ecp5");
        return s;
    }
    s = nashc_read_nashir(j->ctx, nashc_arena_printf(j->a, "%s/model.nashir", j->dir), &j->m, j->d);
    j->f = s == NASHC_OK ? nashc_flow_graph(j->m, j->d) : NULL;
    return s == NASHC_OK && !j->f ? NASHC_EINPUT : s;
}

static void
count_cells(const cell *cells, const json_t *by_type, nashc_cost *out)
{
    const char *type;
    json_t *v;

    json_object_foreach((json_t *)(uintptr_t)by_type, type, v)
    {
        uint64_t n = (uint64_t)json_integer_value(v);
        if (strncmp(type, "RAMB36", 6) == 0) {
            out->bram18 += 2 * n;
            continue;
        }
        if (strncmp(type, "RAMB18", 6) == 0) {
            out->bram18 += n;
            continue;
        }
        for (const cell *c = cells; c->prefix; c++)
            if (strncmp(type, c->prefix, strlen(c->prefix)) == 0) {
                out->lut += n * (uint64_t)c->lut;
                out->ff += n * (uint64_t)c->ff;
                out->bram18 += n * (uint64_t)c->bram18;
                out->uram += n * (uint64_t)c->uram;
                out->dsp += n * (uint64_t)c->dsp;
                break;
            }
    }
}

/* The statistics lie between the first and the last brace. */
static nashc_status
read_stat(job *j, const char *text, nashc_cost *out)
{
    const char *from = strchr(text, '{'), *to = strrchr(text, '}');
    json_t *root = from && to ? json_loadb(from, (size_t)(to - from) + 1, 0, NULL) : NULL;
    const json_t *design = json_object_get(root, "design");
    const json_t *cells = json_object_get(design, "num_cells_by_type");
    nashc_status s = NASHC_OK;

    if (cells)
        count_cells(j->family->cells, cells, out);
    else
        s = nashc_io_error(j->d, NULL, "Yosys wrote no statistics");
    json_decref(root);
    return s;
}

static nashc_status
synthesize(job *j, const char *name, nashc_cost *out)
{
    const char *rtl = nashc_arena_printf(j->a, "%s/rtl", j->dir);
    tool_process p = {0};
    const char *script = nashc_arena_printf(j->a,
                                            "read_verilog -defer *.v; %s -top %s_%s; "
                                            "tee -o /dev/stdout stat -json",
                                            j->family->command, j->top, name);
    const char *const argv[] = {"yosys", "-q", "-p", script, NULL};
    nashc_status s = rtl && script ? tool_process_run(argv, rtl, 0, &p, j->d) : nashc_enomem(j->d);
    if (s == NASHC_OK && p.exit_status != 0) {
        const char *line = strstr(p.err, "ERROR") ? strstr(p.err, "ERROR") : p.err;
        s = nashc_io_error(j->d, NULL, "yosys failed on layer %s", name);
        nashc_note(j->d, "%.*s", (int)strcspn(line, "\n"), line);
    }
    if (s == NASHC_OK)
        s = read_stat(j, p.out, out);
    tool_process_free(&p);
    return s;
}

static nashc_status
version(job *j)
{
    const char *const argv[] = {"yosys", "-V", NULL};
    tool_process p = {0};
    nashc_status s;

    if (!tool_program_exists("yosys")) {
        s = nashc_io_error(j->d, NULL, "program yosys was not found");
        nashc_help(j->d, "install Yosys and have it in PATH");
        return s;
    }
    if ((s = tool_process_run(argv, NULL, 0, &p, j->d)) != NASHC_OK)
        return s;
    size_t n = strcspn(p.out, "(\n");
    while (n > 0 && p.out[n - 1] == ' ')
        n--;
    j->yosys = nashc_arena_printf(j->a, "%.*s", (int)n, p.out);
    tool_process_free(&p);
    return NASHC_OK;
}

static json_t *
figures(const nashc_cost *c)
{
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

/* Everything as JSON, FINN's post_synth_resources.json with the estimates beside. */
static json_t *
document(job *j, const char *const *names, const char *only)
{
    json_t *o = json_object();
    nashc_cost sum = {0};

    json_object_set_new(o, "tool", json_string(j->yosys));
    json_object_set_new(o, "family", json_string(j->family->name));
    NASHC_EACH_NODE(j->f, n)
    {
        const char *name = names[nashc_node_id(n)];
        const nashc_cost *r = &j->real[nashc_node_id(n)];
        if (only[0] && strcmp(only, name) != 0)
            continue;
        json_t *e = figures(r);
        nashc_cost est = estimate_of(j, n);
        json_object_set_new(e, "BRAM_36K", json_integer(0));
        json_object_set_new(e, "SRL", json_integer(0));
        json_object_set_new(e, "estimate", figures(&est));
        json_object_set_new(o, name, e);
        nashc_cost_add(&sum, r);
    }
    json_object_set_new(o, "(top)", figures(&sum));
    return o;
}

static nashc_status
report(job *j, const char *const *names, const char *only)
{
    nashc_cost real = {0}, estimate = {0};
    json_t *o = document(j, names, only);
    char *text = json_dumps(o, JSON_INDENT(2));
    nashc_status s = NASHC_OK;

    json_decref(o);
    if (!text)
        return nashc_enomem(j->d);
    if (!only[0]) {
        static const char name[] = "report/post_synth_resources.json";
        nashc_outfile *f = nashc_out_open_below(j->dir, name, j->d);
        if (f)
            nashc_out_printf(f, "%s\n", text);
        s = f ? nashc_out_commit(f, j->d) : NASHC_EIO;
        if (s == NASHC_OK)
            s = nashc_outdir_own(j->dir, name, j->d);
    }
    if (tool_json()) {
        printf("%s\n", text);
        free(text);
        return s;
    }
    free(text);
    printf("%s, family %s; each figure is followed by its estimate\n", j->yosys, j->family->name);
    printf("%-34s %15s %15s %11s %9s %9s\n", "layer", "LUT", "FF", "BRAM18", "URAM", "DSP");
    NASHC_EACH_NODE(j->f, n)
    {
        const char *name = names[nashc_node_id(n)];
        nashc_cost e = estimate_of(j, n);
        if (only[0] && strcmp(only, name) != 0)
            continue;
        print_row(name, &j->real[nashc_node_id(n)], &e);
        nashc_cost_add(&real, &j->real[nashc_node_id(n)]);
        nashc_cost_add(&estimate, &e);
    }
    print_row("total", &real, &estimate);
    return s;
}

static nashc_status
run(job *j)
{
    const char *only = nashc_opts_str(j->o, "layer");
    int done = 0, total = 0, found = 0;
    nashc_status s = load(j);

    if (s != NASHC_OK || (s = version(j)) != NASHC_OK)
        return s;
    const char *const *names = nashc_flow_names(j->f, j->a);
    j->real = NASHC_NEW_N(j->a, nashc_cost, nashc_graph_max_id(j->f) + 1);
    if (!names || !j->real)
        return nashc_enomem(j->d);
    NASHC_EACH_NODE(j->f, n)
    {
        found += strcmp(names[nashc_node_id(n)], only) == 0;
        total++;
    }
    if (only[0] && !found)
        return nashc_usage(j->d, "the design has no layer %s", nashc_quote(j->d, only));
    total = only[0] ? 1 : total;
    tool_progress("layers", 0, total);
    NASHC_EACH_NODE(j->f, n)
    {
        if (s != NASHC_OK || (only[0] && strcmp(names[nashc_node_id(n)], only) != 0))
            continue;
        s = synthesize(j, names[nashc_node_id(n)], &j->real[nashc_node_id(n)]);
        tool_progress("layers", ++done, total);
    }
    return s == NASHC_OK ? report(j, names, only) : s;
}

static int
synth_main(nashc_ctx *c, const nashc_opts *o, int n_args, const char *const *args)
{
    job j = {.dir = args[0], .ctx = c, .d = nashc_ctx_diag(c), .o = o};

    (void)n_args;
    j.a = nashc_arena_create();
    nashc_status s = j.a ? run(&j) : nashc_enomem(j.d);
    nashc_module_free(j.m);
    nashc_arena_free(j.a);
    return nashc_status_exit(s);
}

const nashc_command nashc_command_synth = {
    NASHC_DESC(nashc_command),
    .name = "synth",
    .help = "synthesize the layers of a design with Yosys and compare with the estimates",
    .usage = "DIR [--family xcup|xc7|ice40|ecp5] [--layer NAME]",
    .example = "nashc synth build --family xc7\n"
               "nashc synth build --layer MVAU_hls_0",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .main = synth_main,
};
