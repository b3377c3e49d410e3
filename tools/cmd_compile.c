/* cmd_compile.c: nashc compile: a model to a folder with hardware. */
#include "compile_options.h"
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <sha2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LEAST_CHECKS 2
#define MOST_CHECKS  20
#define MAX_STEPS    0x1p21 /* of the model, for all checks of a pass */

static const nashc_param options[] = {
    {.name = "o", .def = "", .help = "output folder", .kind = NASHC_P_PATH},
    {.name = "backend",
     .def = "verilog",
     .help = "what to write; see `nashc list backends`",
     .kind = NASHC_P_STRING},
    {.name = "top", .def = "finn_design", .help = "name of the top", .kind = NASHC_P_STRING},
    COMPILE_OPTIONS,
    TOOL_BACKEND_OPTION,
    {.name = "verify",
     .def = "ir",
     .domain = "none|ir|sim",
     .help = "check every pass against the imported model; sim: run the generated bench too",
     .kind = NASHC_P_ENUM},
    {.name = "save-temps",
     .def = "false",
     .help = "keep the graph after every pass that changed it, in DIR/temps",
     .kind = NASHC_P_BOOL},
    TOOL_TIMEOUT_OPTION,
    TOOL_LOAD_OPTIONS,
    TOOL_INPUT_OPTIONS,
    {0},
};

typedef struct job {
    nashc_ctx *ctx;
    nashc_diag *d;
    nashc_arena *a;
    const nashc_opts *opts;
    const char *model, *out, *verify;
    nashc_compile_options o;
    nashc_pm_options pm;
    nashc_module *m;
    nashc_outdir *dir;
    nashc_compile_result r;
} job;

/* For the manifest: which model a design is of, whatever its name. */
static nashc_status
hash_model(job *j)
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    char text[2 * SHA256_DIGEST_LENGTH + 1];
    SHA2_CTX ctx;
    char *data;
    size_t size;
    nashc_status s = nashc_file_read(j->model, NASHC_MAX_BYTES, &data, &size, j->d);

    if (s != NASHC_OK)
        return s;
    SHA256Init(&ctx);
    SHA256Update(&ctx, (const uint8_t *)data, size);
    SHA256Final(digest, &ctx);
    nashc_mem_free(data);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    j->o.input_sha256 = nashc_arena_strdup(j->a, text);
    return NASHC_OK;
}

/* NULL where it cannot be made: the copies are then left out, the design is not. */
static const char *
temps_folder(job *j)
{
    const char *path;

    if (!nashc_opts_bool(j->opts, "save-temps"))
        return NULL;
    path = nashc_arena_printf(j->a, "%s/temps", nashc_outdir_path(j->dir));
    return path && (mkdir(path, 0777) == 0 || errno == EEXIST) ? path : NULL;
}

/* Who wrote the Verilog of n: "built-in", or the file of a plugin. */
static const char *
emitter_origin(nashc_ctx *c, const nashc_node *n)
{
    const nashc_impl *impl;

    for (int i = 0; (impl = nashc_desc_at(c, NASHC_D_IMPL, i)); i++)
        if (strcmp(impl->iface, "verilog") == 0 && nashc_node_is(n, impl->op))
            return nashc_desc_origin(c, NASHC_D_IMPL, i);
    return "built-in";
}

/* A bench that fails is a bug of ours, unless a plugin wrote a part of the design. */
static nashc_status
bench_failed(job *j, const char *text)
{
    int len = (int)strcspn(text, "\n");

    NASHC_EACH_NODE(j->r.graph, n)
    {
        const char *origin = emitter_origin(j->ctx, n);
        if (strcmp(origin, "built-in") == 0)
            continue;
        nashc_error(j->d, NULL, "the generated bench failed: %.*s", len, text);
        nashc_help(j->d, "the Verilog of layer %s is of the plugin %s: look there first",
                   j->r.names[nashc_node_id(n)], origin);
        return NASHC_EPLUGIN;
    }
    return nashc_bug(j->d, NULL, "the generated bench failed: %.*s", len, text);
}

static const nashc_backend *
backend_with_bench(const job *j)
{
    const nashc_backend *be = nashc_find(j->ctx, NASHC_D_BACKEND, j->o.backend);

    return be && NASHC_HAS(be, bench_needs) && be->bench ? be : NULL;
}

/* The first program of a list that is not there; NULL: all are. */
static const char *
missing_program(const char *list, nashc_arena *a)
{
    for (const char *s = list; s && *s; s += strspn(s, " ")) {
        int len = (int)strcspn(s, " ");
        const char *name = nashc_arena_printf(a, "%.*s", len, s);
        if (name && !tool_program_exists(name))
            return name;
        s += len;
    }
    return NULL;
}

/* The command of the backend runs in the new folder before that gets its name: a design whose bench
 * fails does not appear. */
static nashc_status
run_bench(job *j)
{
    const nashc_backend *be = backend_with_bench(j);
    const char *missing = missing_program(be->bench_needs, j->a);
    const char *const argv[] = {"sh", "-c", be->bench, NULL};
    tool_process p = {0};
    nashc_status s;

    if (missing) {
        s = nashc_io_error(j->d, NULL, "%s is needed for --verify sim and was not found", missing);
        nashc_help(j->d, "install it, or use --verify ir");
        return s;
    }
    if ((s = tool_process_run(argv, nashc_outdir_path(j->dir), 0, &p, j->d)) != NASHC_OK)
        return s;
    if (p.exit_status != 0) {
        const char *line = p.out && strstr(p.out, "FAIL") ? strstr(p.out, "FAIL") : p.err;
        s = bench_failed(j, line ? line : "");
    }
    tool_process_free(&p);
    return s;
}

/* Of a backend that writes no hardware. */
static void
program_summary(job *j)
{
    if (tool_json()) {
        json_t *o = json_pack("{s:s}", "output", j->out);
        char *text = json_dumps(o, JSON_INDENT(2));
        printf("%s\n", text ? text : "{}");
        free(text);
        json_decref(o);
    } else {
        printf("written: %s\n", j->out);
    }
}

static void
print_numbers(const char *what, const double *x, int n, double plain)
{
    if (n > 1)
        printf(", %s of each channel", what);
    else if (x[0] != plain)
        printf(", %s %.9g", what, x[0]);
}

static void
print_port(job *j, const char *side, const nashc_port *p)
{
    char elem[NASHC_TYPE_STR_MAX] = "";

    nashc_type_finn_name(&p->s.elem, elem, sizeof elem);
    printf("%s %s: %" PRId64 " beats of %" PRId64 " x %s, %u byte%s, %s, first element low", side,
           nashc_quote(j->d, p->name), p->s.beats, p->s.lanes, elem, (p->s.width + 7) / 8,
           p->s.width > 8 ? "s" : "", p->layout);
    print_numbers("scale", p->scale, p->n, 1);
    print_numbers("zero point", p->zero_point, p->n, 0);
    print_numbers("bias", p->bias, p->n, 0);
    printf("\n");
}

/* What the host has to do, and how it fills the streams. */
static void
print_host(job *j)
{
    nashc_ports z;

    if (nashc_ports_of(j->m, j->r.graph, &z, j->a, j->d) != NASHC_OK)
        return;
    printf("host: %s in front of the hardware, %s behind it\n", z.front[0] ? z.front : "nothing",
           z.behind[0] ? z.behind : "nothing");
    for (int i = 0; i < z.n_in; i++)
        print_port(j, "input", &z.in[i]);
    for (int i = 0; i < z.n_out; i++)
        print_port(j, "output", &z.out[i]);
}

static void
summary(job *j)
{
    const nashc_compile_result *r = &j->r;
    const nashc_cost *c = r->cost;

    if (!r->flow) {
        program_summary(j);
        return;
    }
    if (tool_json()) {
        json_t *o = json_pack(
            "{s:s, s:f, s:I, s:f, s:I, s:I, s:I, s:I, s:I}", "output", j->out, "interval_cycles",
            r->interval, "latency_cycles", (json_int_t)r->latency, "throughput_fps", r->fps, "LUT",
            (json_int_t)c->lut, "FF", (json_int_t)c->ff, "BRAM_18K", (json_int_t)c->bram18, "URAM",
            (json_int_t)c->uram, "DSP", (json_int_t)c->dsp);
        json_t *demand = compile_demand_json(r);
        if (demand)
            json_object_set_new(o, "utilisation_percent", demand);
        char *text = json_dumps(o, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
        printf("%s\n", text ? text : "{}");
        free(text);
        json_decref(o);
        return;
    }
    tool_print_rate(r->interval, "", r->latency, r->fps, j->o.clock_ns);
    printf("estimate: %" PRIu64 " LUT, %" PRIu64 " FF, %" PRIu64 " BRAM18, %" PRIu64 " DSP\n",
           c->lut, c->ff, c->bram18, c->dsp);
    compile_print_demand(r);
    print_host(j);
}

/* Level 3 after each pass: structure, types, rules of ops. The same inputs in each run (seed 1), so
 * that a failure can be repeated. */
static nashc_status
take_options(job *j)
{
    nashc_status s = compile_options_take(&j->o, &j->pm, j->ctx, j->opts, j->a);
    bool check;

    if (s != NASHC_OK)
        return s;
    j->verify = nashc_opts_str(j->opts, "verify");
    check = strcmp(j->verify, "none") != 0;
    j->pm.seed = 1;
    j->pm.verify_each = check ? 3 : 0;
    j->o.backend = nashc_opts_str(j->opts, "backend");
    j->o.backend_options = tool_list(j->opts, "backend-option", j->a);
    j->o.top = nashc_opts_given(j->opts, "top") ? nashc_opts_str(j->opts, "top") : NULL;
    if (strcmp(j->verify, "sim") == 0)
        j->o.verified = "every pass compared with the imported model; bench simulated";
    if (!j->out[0])
        return nashc_usage(j->d, "an output folder is needed: -o DIR");
    return nashc_compile_check(j->ctx, &j->o, j->d);
}

/* Random inputs that each pass is checked with: few of a large model, which has many elements in
 * each; of a small one as many as --check-each takes elsewhere. */
static int
checks_of(const nashc_module *m)
{
    double n = MAX_STEPS / tool_steps(m);

    return n < LEAST_CHECKS ? LEAST_CHECKS : n > MOST_CHECKS ? MOST_CHECKS : (int)n;
}

/* What the checks of all passes compute, before anything is computed. */
static nashc_status
check_size(job *j)
{
    static const char remedy[] = "`--verify none` computes nothing, a smaller input takes less";
    double runs = j->pm.check_each > 0 ? tool_checked_runs(j->pm.check_each) : 0;

    return j->pm.verify_each ? tool_check_size(j->m, runs, remedy, j->d) : NASHC_OK;
}

/* In order of price: options, then reading, then passes, then files, then simulation. The folder
 * gets its name last. */
static nashc_status
compile(job *j)
{
    nashc_status s = take_options(j);

    if (s != NASHC_OK || (s = hash_model(j)) != NASHC_OK ||
        (s = tool_load(j->ctx, j->opts, j->model, &j->m)) != NASHC_OK)
        return s;
    j->pm.check_each = j->pm.verify_each && nashc_module_main(j->m) ? checks_of(j->m) : 0;
    if ((s = check_size(j)) != NASHC_OK)
        return s;
    j->dir = nashc_outdir_open(j->out, j->d);
    if (!j->dir)
        return NASHC_EIO;
    j->pm.save_temps = temps_folder(j);
    j->r.struct_size = sizeof j->r;
    tool_flush(j->ctx);
    if ((s = nashc_compile(&j->m, &j->o, &j->r, j->a, j->d)) != NASHC_OK)
        return s;
    if (strcmp(j->verify, "sim") == 0 && !backend_with_bench(j))
        return nashc_usage(j->d, "--verify sim is for backends that write a bench");
    if ((s = nashc_compile_write(j->m, &j->o, &j->r, j->dir, j->d)) != NASHC_OK ||
        (strcmp(j->verify, "sim") == 0 && (s = run_bench(j)) != NASHC_OK))
        return s;
    s = nashc_outdir_commit(j->dir, j->d);
    j->dir = NULL;
    if (s == NASHC_OK)
        summary(j);
    return s;
}

static int
compile_main(nashc_ctx *c, const nashc_opts *o, int n_args, const char *const *args)
{
    job j = {.ctx = c,
             .d = nashc_ctx_diag(c),
             .a = nashc_arena_create(),
             .opts = o,
             .model = args[0],
             .out = nashc_opts_str(o, "o")};

    (void)n_args;
    nashc_status s = j.a ? compile(&j) : nashc_enomem(j.d);
    nashc_outdir_drop(j.dir);
    nashc_module_free(j.m);
    nashc_arena_free(j.a);
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
