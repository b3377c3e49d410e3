/* cmd_compile.c: nashc compile: a model to a folder with hardware. */
#include "hwflow.h"
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <sha2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const nashc_param options[] = {
    {.name = "o", .def = "", .help = "output folder", .kind = NASHC_P_PATH},
    {.name = "backend",
     .def = "verilog",
     .help = "what to write; see `nashc list backends`",
     .kind = NASHC_P_STRING},
    {.name = "top", .def = "finn_design", .help = "name of the top module", .kind = NASHC_P_STRING},
    HWFLOW_OPTIONS,
    {.name = "verify",
     .def = "ir",
     .domain = "none|ir|sim",
     .help = "check every pass against the imported model; sim: run the generated bench too",
     .kind = NASHC_P_ENUM},
    {.name = "save-temps",
     .def = "false",
     .help = "keep the graph after every pass that changed it, in DIR/temps",
     .kind = NASHC_P_BOOL},
    TOOL_LOAD_OPTIONS,
    TOOL_INPUT_OPTIONS,
    {0},
};

typedef struct job {
    hwflow h;
    const char *model, *out, *hash, *verify;
    nashc_outdir *dir;
    nashc_flow_result flow;
} job;

static nashc_status
hash_model(job *j)
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    char text[2 * SHA256_DIGEST_LENGTH + 1];
    SHA2_CTX ctx;
    char *data;
    size_t size;
    nashc_status s = nashc_file_read(j->model, NASHC_MAX_BYTES, &data, &size, j->h.d);

    if (s != NASHC_OK)
        return s;
    SHA256Init(&ctx);
    SHA256Update(&ctx, (const uint8_t *)data, size);
    SHA256Final(digest, &ctx);
    nashc_mem_free(data);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    j->hash = nashc_arena_strdup(j->h.a, text);
    return NASHC_OK;
}

static const char *
temps_folder(job *j)
{
    const char *path;

    if (!nashc_opts_bool(j->h.o, "save-temps"))
        return NULL;
    path = nashc_arena_printf(j->h.a, "%s/temps", nashc_outdir_path(j->dir));
    return path && (mkdir(path, 0777) == 0 || errno == EEXIST) ? path : NULL;
}

static nashc_status
run_passes(job *j)
{
    bool check = strcmp(j->verify, "none") != 0;
    nashc_pm_options po = {.struct_size = sizeof po,
                           .bisect_limit = -1,
                           .seed = 1,
                           .verify_each = check ? 3 : 0,
                           .check_each = check ? 2 : 0,
                           .save_temps = temps_folder(j),
                           .repro_on_bug = "nashc-repro.nashir",
                           .progress = tool_pass_progress};
    nashc_status s = tool_make_static(&j->h.m, j->h.d);
    const char *passes = s == NASHC_OK ? hwflow_passes(&j->h, &s) : NULL;

    if (!passes)
        return s;
    tool_flush(j->h.ctx);
    return nashc_run_pipeline(&j->h.m, passes, &po, j->h.d);
}

/* Options that decide the result, a line each: names of files are left out on purpose. */
static const char *
settings(job *j)
{
    hwflow *h = &j->h;
    const char *s = nashc_arena_printf(
        h->a, "backend=%s\nclock-ns=%.9g\ntarget-fps=%.9g\nmvau-wwidth-max=%" PRId64 "\nfolding=%s",
        j->h.backend->name, h->clk_ns, h->fps, h->wwidth_max,
        h->folding[0] ? "file"
        : h->compat   ? "compat"
                      : "exact");
    static const char *const repeated[] = {"input-datatype", "input-scale", "input-bias"};

    for (size_t k = 0; k < NASHC_COUNT(repeated); k++)
        for (int i = 0; s && i < nashc_opts_n(h->o, repeated[k]); i++)
            s = nashc_arena_printf(h->a, "%s\n%s=%s", s, repeated[k],
                                   nashc_opts_str_at(h->o, repeated[k], i));
    if (s && nashc_opts_given(h->o, "passes"))
        s = nashc_arena_printf(h->a, "%s\npasses=%s", s, nashc_opts_str(h->o, "passes"));
    return s ? s : "";
}

/* Sets what the backend has an option for. */
static nashc_status
backend_options(job *j, nashc_opts **out)
{
    hwflow *h = &j->h;
    const struct {
        const char *name, *value;
    } values[] = {
        {"top", nashc_opts_str(h->o, "top")},
        {"clock-ns", nashc_arena_printf(h->a, "%.17g", h->clk_ns)},
        {"device", h->device ? h->device->name : ""},
        {"input-hash", j->hash},
        {"settings", settings(j)},
        {"verified", strcmp(j->verify, "none") == 0 ? "none"
                     : strcmp(j->verify, "ir") == 0
                         ? "every pass compared with the imported model"
                         : "every pass compared with the imported model; bench simulated"},
    };
    nashc_status s = NASHC_OK;

    *out = nashc_opts_create(h->a, j->h.backend->options);
    if (!*out)
        return nashc_enomem(h->d);
    for (size_t i = 0; i < NASHC_COUNT(values) && s == NASHC_OK; i++)
        for (const nashc_param *p = j->h.backend->options; p && p->name; p++)
            if (strcmp(p->name, values[i].name) == 0 && values[i].value && s == NASHC_OK)
                s = nashc_opts_set(*out, p->name, values[i].value, NULL, h->d);
    return s;
}

static nashc_status
run_bench(job *j)
{
    const char *dir = nashc_arena_printf(j->h.a, "%s/tb", nashc_outdir_path(j->dir));
    const char *const argv[] = {"sh", "run_iverilog.sh", NULL};
    tool_process p;
    nashc_status s;

    if (!tool_program_exists("iverilog") || !tool_program_exists("vvp")) {
        s = nashc_io_error(j->h.d, NULL, "iverilog is needed for --verify sim and was not found");
        nashc_help(j->h.d, "install Icarus Verilog, or use --verify ir");
        return s;
    }
    if ((s = tool_process_run(argv, dir, 0, &p, j->h.d)) != NASHC_OK)
        return s;
    if (p.exit_status != 0) {
        const char *line = p.out && strstr(p.out, "FAIL") ? strstr(p.out, "FAIL") : p.err;
        line = line ? line : "";
        s = nashc_bug(j->h.d, NULL, "the generated bench failed: %.*s", (int)strcspn(line, "\n"),
                      line);
    }
    tool_process_free(&p);
    static const char *const left[] = {"vvp", "log"};
    for (size_t i = 0; i < NASHC_COUNT(left); i++)
        remove(
            nashc_arena_printf(j->h.a, "%s/tb_%s.%s", dir, nashc_opts_str(j->h.o, "top"), left[i]));
    return s;
}

static nashc_status
write_all(job *j)
{
    const char *path = nashc_outdir_path(j->dir);
    nashc_opts *bo;
    nashc_status s = backend_options(j, &bo);

    if (s == NASHC_OK)
        s = j->h.backend->write(j->h.m, path, bo, j->h.d);
    if (s == NASHC_OK)
        s = nashc_write_model(j->h.m, nashc_arena_printf(j->h.a, "%s/model.nashir", path), j->h.d);
    if (s == NASHC_OK && nashc_find(j->h.ctx, NASHC_D_BACKEND, "onnx"))
        s = nashc_write_model(j->h.m, nashc_arena_printf(j->h.a, "%s/model.onnx", path), j->h.d);
    if (s == NASHC_OK && strcmp(j->verify, "sim") == 0)
        s = run_bench(j);
    return s;
}

static void
summary(job *j, const nashc_graph *f)
{
    double interval = nashc_flow_interval(&j->flow);
    nashc_cost c = hwflow_cost(&j->h, f);

    if (tool_json()) {
        json_t *o = json_pack(
            "{s:s, s:f, s:I, s:f, s:I, s:I, s:I, s:I}", "output", j->out, "interval_cycles",
            interval, "latency_cycles", (json_int_t)j->flow.latency, "throughput_fps",
            1e9 / j->h.clk_ns / interval, "LUT", (json_int_t)c.lut, "FF", (json_int_t)c.ff,
            "BRAM_18K", (json_int_t)c.bram18, "DSP", (json_int_t)c.dsp);
        char *text = json_dumps(o, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
        printf("%s\n", text ? text : "{}");
        free(text);
        json_decref(o);
        return;
    }
    printf("interval: %g cycles\nlatency: %" PRIu64 " cycles\nthroughput: %.6g fps at %g ns\n",
           interval, j->flow.latency, 1e9 / j->h.clk_ns / interval, j->h.clk_ns);
    printf("estimate: %" PRIu64 " LUT, %" PRIu64 " FF, %" PRIu64 " BRAM18, %" PRIu64 " DSP\n",
           c.lut, c.ff, c.bram18, c.dsp);
}

static nashc_status
compile(job *j)
{
    hwflow *h = &j->h;
    nashc_status s = hash_model(j);

    if (s != NASHC_OK || (s = tool_load(h->ctx, h->o, j->model, &h->m)) != NASHC_OK)
        return s;
    j->dir = nashc_outdir_open(j->out, h->d);
    if (!j->dir)
        return NASHC_EIO;
    if ((s = run_passes(j)) != NASHC_OK)
        return s;
    const nashc_graph *f = nashc_flow_graph(h->m, h->d);
    if (!f)
        return NASHC_EINPUT;
    const nashc_flow_options fo = {.struct_size = sizeof fo, .backend = h->backend};
    if ((s = nashc_flow_simulate(f, &fo, &j->flow, h->a, h->d)) != NASHC_OK ||
        (s = hwflow_check(h, f, &j->flow)) != NASHC_OK || (s = write_all(j)) != NASHC_OK)
        return s;
    s = nashc_outdir_commit(j->dir, h->d);
    j->dir = NULL;
    if (s == NASHC_OK)
        summary(j, f);
    return s;
}

static int
compile_main(nashc_ctx *c, const nashc_opts *o, int n_args, const char *const *args)
{
    nashc_diag *d = nashc_ctx_diag(c);
    nashc_arena *a = nashc_arena_create();
    job j = {.model = args[0], .out = nashc_opts_str(o, "o")};

    (void)n_args;
    nashc_status s = a ? hwflow_options(&j.h, c, o, a) : nashc_enomem(d);
    j.verify = nashc_opts_str(o, "verify");
    if (s == NASHC_OK && !j.out[0])
        s = nashc_usage(d, "an output folder is needed: -o DIR");
    if (s == NASHC_OK && j.h.backend->suffixes)
        s = nashc_usage(d, "backend \"%s\" writes one file: use `nashc opt MODEL -o FILE`",
                        j.h.backend->name);
    if (s == NASHC_OK && !nashc_model_backend(c, j.h.backend->name, d))
        s = NASHC_EUNSUP;
    if (s == NASHC_OK)
        s = compile(&j);
    nashc_outdir_drop(j.dir);
    nashc_module_free(j.h.m);
    nashc_arena_free(a);
    return nashc_status_exit(s);
}

const nashc_command nashc_command_compile = {
    NASHC_DESC(nashc_command),
    .name = "compile",
    .help = "turn a model into hardware",
    .usage = "MODEL -o DIR [--device NAME] [--clock-ns X] [--target-fps N] [options]",
    .example = "nashc compile net.onnx -o build --device Pynq-Z1 --target-fps 1000\n"
               "nashc compile net.onnx -o build --folding folding_config.json --verify sim",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .main = compile_main,
};
