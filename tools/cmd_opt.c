/* cmd_opt.c: nashc opt: runs passes on a model and writes the result. */
#include "tool.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* .reserved holds the value of an option that is given without one. */
static const nashc_param options[] = {
    {.name = "passes",
     .def = "",
     .help = "pipeline: a,b(opt=1;x=y),repeat<4>(c,d),fixpoint(e,f),try(g),@FILE",
     .kind = NASHC_P_STRING},
    {.name = "o",
     .def = "",
     .help = "output, by suffix (.nashir, .onnx, .dot ...); - prints text",
     .kind = NASHC_P_PATH},
    TOOL_EXTRA_PASSES,
    TOOL_BACKEND_OPTION,
    TOOL_LOAD_OPTIONS,
    TOOL_INPUT_OPTIONS,
    {.name = "print-before",
     .def = "",
     .help = "print the graph before this pass, or all",
     .kind = NASHC_P_STRING,
     .flags = NASHC_P_REPEAT},
    {.name = "print-after",
     .def = "",
     .help = "print the graph after this pass, or all",
     .kind = NASHC_P_STRING,
     .flags = NASHC_P_REPEAT},
    {.name = "print-changed",
     .def = "false",
     .help = "print the lines each pass changed",
     .kind = NASHC_P_BOOL},
    {.name = "verify-each",
     .def = "0",
     .domain = "0..4",
     .help = "verify the graph after each pass, up to this level",
     .kind = NASHC_P_INT,
     .flags = NASHC_P_OPTIONAL,
     .reserved = {"3"}},
    {.name = "check-each",
     .def = "0",
     .domain = "0..1000000",
     .help = "run the graph before and after each pass on corner and N random inputs",
     .kind = NASHC_P_INT,
     .flags = NASHC_P_OPTIONAL,
     .reserved = {"4"}},
    {.name = "seed",
     .def = "1",
     .domain = "0..",
     .help = "of the random inputs",
     .kind = NASHC_P_INT},
    {.name = "time-passes", .def = "false", .help = "time of each pass", .kind = NASHC_P_BOOL},
    {.name = "stats", .def = "false", .help = "counters of each pass", .kind = NASHC_P_BOOL},
    {.name = "explain",
     .def = "",
     .help = "say why this pass (or all) left a near match alone",
     .kind = NASHC_P_STRING,
     .flags = NASHC_P_REPEAT},
    {.name = "bisect-limit",
     .def = "-1",
     .domain = "-1..",
     .help = "stop rewriting after this many edits",
     .kind = NASHC_P_INT},
    {.name = "shuffle-uses",
     .def = "0",
     .domain = "0..",
     .help = "seed for another order of uses, which must not matter",
     .kind = NASHC_P_INT},
    {.name = "save-temps",
     .def = "",
     .help = "folder for the graph after every pass that changed it",
     .kind = NASHC_P_PATH,
     .flags = NASHC_P_OPTIONAL,
     .reserved = {"temps"}},
    {.name = "repro",
     .def = "",
     .help = "on failure write graph and remaining passes here",
     .kind = NASHC_P_PATH},
    TOOL_TIMEOUT_OPTION,
    {.name = "run-repro",
     .def = "false",
     .help = "run the passes that a file of --repro names",
     .kind = NASHC_P_BOOL},
    {0},
};

static const char *
or_null(const char *s)
{
    return s[0] ? s : NULL;
}

/* Lists live in a; strings are the options' own. */
static nashc_pm_options
pass_options(const nashc_opts *o, nashc_arena *a)
{
    return (nashc_pm_options){
        .struct_size = sizeof(nashc_pm_options),
        .verify_each = (int)nashc_opts_int(o, "verify-each"),
        .check_each = (int)nashc_opts_int(o, "check-each"),
        .seed = (uint64_t)nashc_opts_int(o, "seed"),
        .bisect_limit = nashc_opts_int(o, "bisect-limit"),
        .shuffle_uses = (uint64_t)nashc_opts_int(o, "shuffle-uses"),
        .print_before = tool_list(o, "print-before", a),
        .print_after = tool_list(o, "print-after", a),
        .explain = tool_list(o, "explain", a),
        .print_changed = nashc_opts_bool(o, "print-changed"),
        .time_passes = nashc_opts_bool(o, "time-passes"),
        .stats = nashc_opts_bool(o, "stats"),
        .save_temps = or_null(nashc_opts_str(o, "save-temps")),
        .repro = or_null(nashc_opts_str(o, "repro")),
        .repro_on_bug = "nashc-repro.nashir",
        .progress = tool_pass_progress,
        .extra_passes = tool_list(o, "extra-passes", a),
    };
}

/* The pipeline to run: as given, or as the repro file says (whose marks are taken off). */
static const char *
choose_passes(const nashc_opts *o, nashc_module *m, nashc_arena *a, nashc_status *s, nashc_diag *d)
{
    if (!nashc_opts_bool(o, "run-repro"))
        return tool_passes(o, nashc_opts_str(o, "passes"), a, s, d);
    const char *text = nashc_module_meta(m, "repro_passes");
    if (!text) {
        *s = nashc_error(d, NULL, "the file was not written by --repro: it names no passes");
        return NULL;
    }
    text = nashc_arena_strdup(a, text);
    /* else the result would look like a repro file itself */
    nashc_module_set_meta(m, "repro_passes", NULL);
    nashc_module_set_meta(m, "repro_version", NULL);
    *s = text ? NASHC_OK : nashc_enomem(d);
    return text;
}

static json_t *
json_value(const char *name, const nashc_value *v, nashc_arena *a)
{
    char type[NASHC_TYPE_STR_MAX];
    nashc_type_print(nashc_value_type(v), type, sizeof type);
    return json_pack("{s:s,s:s}", "name", nashc_text_plain(name, a), "type", type);
}

/* What is left, for scripts. */
static void
print_json(const nashc_module *m, nashc_arena *a)
{
    json_t *graphs = json_array();
    for (int i = 0; i < nashc_module_n_graphs(m); i++) {
        const nashc_graph *g = nashc_module_graph_at(m, i);
        json_t *in = json_array(), *out = json_array();
        for (int k = 0; k < nashc_graph_n_inputs(g); k++) {
            const nashc_value *v = nashc_graph_input(g, k);
            json_array_append_new(in, json_value(nashc_value_name(v), v, a));
        }
        for (int k = 0; k < nashc_graph_n_outputs(g); k++)
            json_array_append_new(
                out, json_value(nashc_graph_output_name(g, k), nashc_graph_output(g, k), a));
        json_array_append_new(
            graphs, json_pack("{s:s,s:i,s:o,s:o}", "name", nashc_text_plain(nashc_graph_name(g), a),
                              "nodes", nashc_graph_n_nodes(g), "inputs", in, "outputs", out));
    }
    json_t *all = json_pack("{s:o}", "graphs", graphs);
    char *text = json_dumps(all, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    printf("%s\n", text ? text : "{}");
    free(text);
    json_decref(all);
}

static int
opt_main(nashc_ctx *c, const nashc_opts *o, int n_args, const char *const *args)
{
    nashc_diag *d = nashc_ctx_diag(c);
    nashc_arena *a = nashc_arena_create();
    nashc_module *m = NULL;
    const char *passes = NULL, *out = nashc_opts_str(o, "o");
    (void)n_args;
    if (!a)
        return nashc_status_exit(nashc_enomem(d));
    if (!nashc_opts_bool(o, "run-repro")) { /* a typing error should show before a long import */
        nashc_status early;
        const char *text = tool_passes(o, nashc_opts_str(o, "passes"), a, &early, d);
        nashc_pm_options po = pass_options(o, a);
        early = text ? nashc_check_pipeline_opts(c, text, &po, d) : early;
        if (early != NASHC_OK) {
            nashc_arena_free(a);
            return nashc_status_exit(early);
        }
    }
    nashc_status s = tool_load(c, o, args[0], &m);
    if (s == NASHC_OK)
        passes = choose_passes(o, m, a, &s, d);
    nashc_pm_options po = pass_options(o, a);
    if (s == NASHC_OK && passes[0] && po.check_each > 0)
        /* the reference executor is slow: it is told before hours of it begin */
        s = tool_check_size(m, tool_checked_runs(po.check_each),
                            "without --check-each nothing is run", d);
    tool_flush(c);
    if (s == NASHC_OK) {
        s = nashc_run_pipeline(&m, passes, &po, d);
    }
    if (s == NASHC_OK && out[0])
        s = nashc_write_model_opts(m, out, tool_list(o, "backend-option", a), d);
    if (s == NASHC_OK && tool_json() && strcmp(out, "-") != 0)
        print_json(m, a);
    nashc_module_free(m);
    nashc_arena_free(a);
    return nashc_status_exit(s);
}

const nashc_command nashc_command_opt = {
    NASHC_DESC(nashc_command),
    .name = "opt",
    .help = "run passes on a model (- is standard input)",
    .usage = "MODEL -passes='...' [-o OUT.nashir|OUT.onnx] [options]",
    .example = "nashc opt net.onnx -passes=streamline,check-streamlined -o net.nashir\n"
               "nashc opt net.onnx -passes='fixpoint(fold-constants)' --verify-each -o -\n"
               "nashc opt net.nashir -passes= -o net.onnx",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .main = opt_main,
};
