/* cmd_sim.c: nashc sim: a compiled design on real data, in a simulator.
 *
 * model input -- host prefix -- beats -- generated Verilog or C -- beats -- host tail -- model
 * output
 */
#include "simulate.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FRAMES 4096

static const nashc_param options[] = {
    {.name = "input",
     .def = "",
     .help = ".npy or .npz with the model's inputs; axis 0 counts samples",
     .kind = NASHC_P_PATH},
    TOOL_RESULT_OPTIONS,
    {.name = "classes",
     .def = "",
     .help = "names of the scores, separated by commas: print the best of each sample",
     .kind = NASHC_P_STRING},
    {.name = "simulator",
     .def = "icarus",
     .domain = "icarus|verilator|cc",
     .help = "icarus and verilator for Verilog, cc for the C of the hls backend",
     .kind = NASHC_P_ENUM},
    {.name = "wave", .def = "", .help = "waveform, .vcd or .fst", .kind = NASHC_P_PATH},
    {.name = "weights",
     .def = "",
     .help = ".npz of weights by layer that the design gets before it begins; .npy for one layer",
     .kind = NASHC_P_PATH},
    TOOL_CACHE_OPTION,
    {.name = "throttle",
     .def = "0",
     .domain = "0..1000000000",
     .help = "seed: stall inputs and outputs at random; 0: never",
     .kind = NASHC_P_INT},
    {0},
};

typedef struct job {
    sim_job sim;
    const nashc_opts *o;
    nashc_module *m;
    host_part host;
    tool_arrays in, out, want;
    tool_samples samples;
    double clk_ns;
    int64_t period, steady;
    int64_t told_latency; /* what the manifest says; 0: nothing */
    double told_interval;
    nashc_stream *sin, *sout;
} job;

/* Frames that a manifest may ask to be simulated beyond the samples. */
static bool
in_range(int64_t frames)
{
    return frames >= 0 && frames <= MAX_FRAMES;
}

/* A manifest may be edited by hand or come from elsewhere: numbers that ask for memory or name
 * files are checked. */
static nashc_status
read_manifest(job *j)
{
    sim_job *s = &j->sim;
    const char *path = nashc_arena_printf(s->a, "%s/manifest.json", s->dir);
    json_error_t error;
    char *text;
    size_t size;
    nashc_status st = nashc_file_read(path, 1 << 24, &text, &size, s->d);

    if (st != NASHC_OK) {
        nashc_help(s->d, "DIR is what `nashc compile -o DIR` wrote");
        return st;
    }
    json_t *root = json_loadb(text, size, 0, &error);
    nashc_mem_free(text);
    nashc_loc loc = {.file = path, .line = root ? 0 : error.line};
    const char *top = json_string_value(json_object_get(root, "top"));
    const char *graph = json_string_value(json_object_get(root, "graph"));
    const char *backend = json_string_value(json_object_get(root, "backend"));
    j->clk_ns = json_number_value(json_object_get(root, "clock_ns"));
    j->period = json_integer_value(json_object_get(root, "interval_frames"));
    j->steady = json_integer_value(json_object_get(root, "steady_frames"));
    j->told_latency = json_integer_value(json_object_get(root, "latency_cycles"));
    j->told_interval = json_number_value(json_object_get(root, "interval_cycles"));
    const char *wanted = sim_counts_cycles(s) ? "verilog" : "hls";
    if (backend && strcmp(backend, wanted) != 0) {
        nashc_error(s->d, &loc,
                    "the design was not written by the %s backend, which --simulator %s "
                    "takes",
                    wanted, s->simulator);
        json_decref(root);
        return NASHC_EINPUT;
    }
    if (!backend || !top || !graph || !(j->clk_ns > 0) || !nashc_is_top_name(top) ||
        !in_range(j->period) || !in_range(j->steady) || j->told_latency < 0) {
        json_decref(root);
        return nashc_error(s->d, &loc, "this is no manifest of a design");
    }
    s->top = nashc_arena_strdup(s->a, top);
    const char *name = nashc_arena_strdup(s->a, graph);
    json_decref(root);
    st =
        nashc_read_nashir(s->ctx, nashc_arena_printf(s->a, "%s/model.nashir", s->dir), &j->m, s->d);
    if (st == NASHC_OK)
        st = host_split(j->m, name, &j->host, s->d);
    s->layers = j->host.layers;
    return st;
}

/* Streams as the graph of layers has them, which the bench was written for. */
static nashc_status
find_streams(job *j)
{
    const nashc_graph *f = j->sim.layers;
    int n_in = nashc_graph_n_inputs(f), n_out = nashc_graph_n_outputs(f);
    nashc_status s = NASHC_OK;

    if (n_in != j->host.n_args || n_out != j->host.n_results)
        return nashc_error(j->sim.d, NULL, "the call does not fit the graph of layers");
    j->sin = NASHC_NEW_N(j->sim.a, nashc_stream, n_in + 1);
    j->sout = NASHC_NEW_N(j->sim.a, nashc_stream, n_out + 1);
    if (!j->sin || !j->sout)
        return nashc_enomem(j->sim.d);
    for (int i = 0; i < n_in && s == NASHC_OK; i++)
        s = nashc_flow_stream(nashc_graph_input(f, i), &j->sin[i], j->sim.d);
    for (int i = 0; i < n_out && s == NASHC_OK; i++)
        s = nashc_flow_stream(nashc_graph_output(f, i), &j->sout[i], j->sim.d);
    return s;
}

/* Buffers of the inputs of g, filled with sample k of the model's inputs. */
static nashc_status
load_sample(job *j, int64_t k, nashc_buf *x, int n)
{
    nashc_status s = NASHC_OK;

    for (int i = 0; i < n && s == NASHC_OK; i++)
        s = tool_samples_get(&j->samples, i, k, &x[i], j->sim.d);
    return s;
}

static nashc_buf *
input_buffers(job *j, const nashc_graph *g, const nashc_buf ***list)
{
    int n = nashc_graph_n_inputs(g);
    nashc_buf *x = NASHC_NEW_N(j->sim.a, nashc_buf, n + 1);

    *list = NASHC_NEW_N(j->sim.a, const nashc_buf *, n + 1);
    for (int i = 0; x && *list && i < n; i++) {
        if (!nashc_buf_alloc(&x[i], nashc_value_type(nashc_graph_input(g, i))))
            return NULL;
        (*list)[i] = &x[i];
    }
    return *list ? x : NULL;
}

static void
free_buffers(nashc_buf *x, int n)
{
    for (int i = 0; x && i < n; i++)
        nashc_buf_free(&x[i]);
}

/* *text stays a string; room doubles, so that frames add up in linear time. */
static bool
append(char **text, size_t *used, size_t *cap, const char *s, size_t n)
{
    if (*used + n + 1 > *cap) {
        size_t want = 2 * (*used + n + 1);
        char *t = realloc(*text, want);
        if (!t)
            return false;
        *text = t;
        *cap = want;
    }
    memcpy(*text + *used, s, n + 1);
    *used += n;
    return true;
}

/* Beats of all frames, one text an input stream. Samples are repeated until the design is in its
 * steady state. */
static nashc_status
make_beats(job *j, char **text)
{
    const nashc_graph *g = nashc_module_main(j->host.prefix);
    int n_in = nashc_graph_n_inputs(g), n_out = nashc_graph_n_outputs(g), n = j->host.n_args;
    const nashc_buf **px;
    nashc_buf *x = input_buffers(j, g, &px), *y = NASHC_NEW_N(j->sim.a, nashc_buf, n_out + 1);
    size_t *used = NASHC_NEW_N(j->sim.a, size_t, n + 1),
           *cap = NASHC_NEW_N(j->sim.a, size_t, n + 1);
    nashc_status s = x && y && used && cap ? NASHC_OK : nashc_enomem(j->sim.d);

    for (int64_t k = 0; k < j->samples.n && s == NASHC_OK; k++) {
        if ((s = load_sample(j, k, x, n_in)) != NASHC_OK ||
            (s = nashc_run_graph(g, px, y, 0, NULL, NULL, j->sim.d)) != NASHC_OK)
            break;
        for (int i = 0; i < n && s == NASHC_OK; i++) {
            size_t size = 0;
            char *beats = nashc_flow_print_beats(&j->sin[i], &y[n_out - n + i], &size);
            if (!beats || !append(&text[i], &used[i], &cap[i], beats, size))
                s = nashc_enomem(j->sim.d);
            nashc_mem_free(beats);
        }
        free_buffers(y, n_out);
    }
    for (int i = 0; i < n && s == NASHC_OK; i++) {
        size_t frame = used[i] / (size_t)j->samples.n;
        for (int64_t k = j->samples.n; k < j->sim.frames && s == NASHC_OK; k++) {
            char *again = malloc(frame + 1);
            if (again) {
                memcpy(again, text[i] + (size_t)(k % j->samples.n) * frame, frame);
                again[frame] = 0;
            }
            if (!again || !append(&text[i], &used[i], &cap[i], again, frame))
                s = nashc_enomem(j->sim.d);
            free(again);
        }
    }
    free_buffers(x, n_in);
    return s;
}

/* Frames of the layers as the reference executor runs them, with the weights that were given: what
 * came out must be the same. */
static nashc_status
check_weights(job *j, char *const *got)
{
    const nashc_graph *g = nashc_module_main(j->host.prefix), *f = j->sim.layers;
    int n_in = nashc_graph_n_inputs(g), n_y = nashc_graph_n_outputs(g), n = j->host.n_results;
    const nashc_buf **px, **args = NASHC_NEW_N(j->sim.a, const nashc_buf *, j->host.n_args + 1);
    nashc_buf *x = input_buffers(j, g, &px), *y = NASHC_NEW_N(j->sim.a, nashc_buf, n_y + 1);
    nashc_buf *want = NASHC_NEW_N(j->sim.a, nashc_buf, n + 1);
    const char **at = NASHC_NEW_N(j->sim.a, const char *, n + 1);
    nashc_status s = x && y && want && at && args ? NASHC_OK : nashc_enomem(j->sim.d);

    for (int i = 0; i < n && s == NASHC_OK; i++)
        at[i] = got[i];
    for (int64_t k = 0; k < j->samples.n && s == NASHC_OK; k++) {
        if ((s = load_sample(j, k, x, n_in)) != NASHC_OK ||
            (s = nashc_run_graph(g, px, y, 0, NULL, NULL, j->sim.d)) != NASHC_OK)
            break;
        for (int i = 0; i < j->host.n_args; i++)
            args[i] = &y[n_y - j->host.n_args + i];
        s = nashc_run_graph(f, args, want, 0, NULL, NULL, j->sim.d);
        for (int i = 0; i < n && s == NASHC_OK; i++) {
            size_t size = 0;
            char *beats = nashc_flow_print_beats(&j->sout[i], &want[i], &size);
            if (!beats)
                s = nashc_enomem(j->sim.d);
            else if (strncmp(at[i], beats, size) != 0)
                s = nashc_error(j->sim.d, NULL,
                                "output %d of sample %" PRId64
                                " is not that of the layers with the weights given",
                                i, k);
            at[i] += size;
            nashc_mem_free(beats);
        }
        free_buffers(want, n);
        free_buffers(y, n_y);
    }
    free_buffers(x, n_in);
    return s;
}

/* The tail on what came out of the simulator. */
static nashc_status
run_tail(job *j, char *const *got)
{
    const nashc_graph *g = nashc_module_main(j->host.tail);
    int n_in = nashc_graph_n_inputs(g), n_out = nashc_graph_n_outputs(g), n = j->host.n_results;
    const nashc_buf **px;
    nashc_buf *x = input_buffers(j, g, &px), *y = NASHC_NEW_N(j->sim.a, nashc_buf, n_out + 1);
    const char **at = NASHC_NEW_N(j->sim.a, const char *, n + 1);
    nashc_status s = x && y && at ? NASHC_OK : nashc_enomem(j->sim.d);

    for (int i = 0; i < n_out && s == NASHC_OK; i++)
        if (!tool_results_add(&j->out, nashc_graph_output_name(g, i),
                              nashc_value_type(nashc_graph_output(g, i)), j->samples.n))
            s = nashc_enomem(j->sim.d);
    for (int i = 0; i < n && s == NASHC_OK; i++)
        at[i] = got[i];
    for (int64_t k = 0; k < j->samples.n && s == NASHC_OK; k++) {
        s = load_sample(j, k, x, n_in - n);
        for (int i = 0; i < n && s == NASHC_OK; i++) {
            nashc_buf *b = &x[n_in - n + i];
            b->fault = false;
            s = nashc_flow_parse_beats(&j->sout[i], &at[i], b, j->sim.d);
            if (s == NASHC_OK && b->fault)
                s = nashc_error(j->sim.d, NULL,
                                "frame %" PRId64 " of output %d holds values outside its type", k,
                                i);
        }
        if (s == NASHC_OK)
            s = nashc_run_graph(g, px, y, 0, NULL, NULL, j->sim.d);
        for (int i = 0; i < n_out && s == NASHC_OK; i++)
            if (!tool_results_put(&j->out.at[i], &y[i], k))
                s = nashc_bug(j->sim.d, NULL, "output %d does not fit its type", i);
        free_buffers(y, n_out);
    }
    free_buffers(x, n_in);
    return s;
}

/* At least as many frames as it takes to get into the steady state and through one period of it, so
 * that the interval is that of a long run. Without a clock one frame does. */
static nashc_status
simulate(job *j)
{
    char **in = NASHC_NEW_N(j->sim.a, char *, j->host.n_args + 1);
    char **got = NASHC_NEW_N(j->sim.a, char *, j->host.n_results + 1);
    int64_t warm = !sim_counts_cycles(&j->sim)       ? 1
                   : j->steady > 0 && j->steady < 64 ? j->steady + j->period
                                                     : 2;
    nashc_status s;

    if (!in || !got)
        return nashc_enomem(j->sim.d);
    j->sim.frames = j->samples.n > warm ? j->samples.n : warm;
    if (sim_counts_cycles(&j->sim) && j->told_interval > 0)
        j->sim.cycles =
            j->told_latency + (int64_t)(j->told_interval * (double)(j->sim.frames - 1)) + 1;
    s = make_beats(j, in);
    if (s == NASHC_OK)
        s = sim_prepare(&j->sim, in);
    if (s == NASHC_OK)
        s = sim_run(&j->sim);
    for (int i = 0; i < j->host.n_results && s == NASHC_OK; i++)
        s = sim_output(&j->sim, i, &got[i]);
    if (s == NASHC_OK && nashc_opts_given(j->o, "weights"))
        s = check_weights(j, got);
    if (s == NASHC_OK)
        s = run_tail(j, got);
    for (int i = 0; i < j->host.n_args; i++)
        free(in[i]);
    for (int i = 0; i < j->host.n_results; i++)
        nashc_mem_free(got[i]);
    return s;
}

/* Cycles a frame over the last period. */
static double
interval(const job *j)
{
    int64_t p = j->period > 0 ? j->period : 1, n = j->sim.frames;

    return n > p ? (double)(j->sim.done[n - 1] - j->sim.done[n - 1 - p]) / (double)p : 0;
}

/* A layer that is not as its model says makes every estimate wrong: nothing lost in silence. */
static void
compare_cycles(const job *j)
{
    int64_t latency = j->sim.done[0] - j->sim.first;
    double measured = interval(j), told = j->told_interval;

    if (nashc_opts_int(j->o, "throttle") || !(told > 0) || j->told_latency <= 0)
        return;
    if (latency != j->told_latency)
        nashc_warning(j->sim.d, NULL, "cycle-model",
                      "the first frame takes %" PRId64
                      " cycles, the models of the layers say %" PRId64,
                      latency, j->told_latency);
    if (measured > 0 && (measured > told * 1.01 || measured < told * 0.99))
        nashc_warning(j->sim.d, NULL, "cycle-model",
                      "a frame takes %g cycles, the models of the layers say %g", measured, told);
}

static int
by_stalls(const void *a, const void *b)
{
    const sim_stall *p = a, *q = b;
    return p->cycles != q->cycles ? p->cycles < q->cycles ? 1 : -1 : strcmp(p->name, q->name);
}

/* Where streams wait: the worst three, all of them with -v. */
static void
report_stalls(const job *j)
{
    int most = nashc_diag_verbosity(j->sim.d) > 1 ? j->sim.n_stalls : 3;

    qsort(j->sim.stalls, (size_t)j->sim.n_stalls, sizeof *j->sim.stalls, by_stalls);
    for (int i = 0; i < j->sim.n_stalls && i < most; i++)
        if (j->sim.stalls[i].cycles > 0 || most > 3)
            printf("stalls: %" PRId64 " cycles on %s\n", j->sim.stalls[i].cycles,
                   j->sim.stalls[i].name);
}

/* What a clock tells. */
static void
report_cycles(const job *j)
{
    double fps = 1e9 / j->clk_ns / interval(j);

    report_stalls(j);
    tool_print_rate(interval(j), nashc_opts_int(j->o, "throttle") ? " (throttled)" : "",
                    (uint64_t)(j->sim.done[0] - j->sim.first), fps, j->clk_ns);
}

static void
add_cycles(const job *j, json_t *o)
{
    json_t *stalls = json_object();

    json_object_set_new(o, "latency_cycles", json_integer(j->sim.done[0] - j->sim.first));
    json_object_set_new(o, "interval_cycles", json_real(interval(j)));
    json_object_set_new(o, "throughput_fps", json_real(1e9 / j->clk_ns / interval(j)));
    for (int i = 0; i < j->sim.n_stalls; i++)
        json_object_set_new(stalls, j->sim.stalls[i].name, json_integer(j->sim.stalls[i].cycles));
    json_object_set_new(o, "stalls", stalls);
}

/* stdout has the results; differences from the model of cycles are warnings. */
static void
report(const job *j, nashc_status s)
{
    if (tool_json()) {
        json_t *o = json_object();
        json_object_set_new(o, "samples", json_integer(j->samples.n));
        json_object_set_new(o, "frames", json_integer(j->sim.frames));
        if (sim_counts_cycles(&j->sim))
            add_cycles(j, o);
        if (nashc_opts_given(j->o, "expect"))
            json_object_set_new(o, "equal", json_boolean(s == NASHC_OK));
        char *text = json_dumps(o, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
        printf("%s\n", text ? text : "{}");
        free(text);
        json_decref(o);
        return;
    }
    if (sim_counts_cycles(&j->sim)) {
        compare_cycles(j);
        report_cycles(j);
    }
}

/* A wrong result is reported together with the cycles it took. */
static nashc_status
deliver(job *j)
{
    const char *output = nashc_opts_str(j->o, "output"), *expect = nashc_opts_str(j->o, "expect");
    nashc_status s = output[0] ? tool_arrays_write(output, &j->out, j->sim.d) : NASHC_OK;

    if (s == NASHC_OK && expect[0]) {
        s = tool_arrays_read(expect, &j->want, j->sim.d);
        if (s == NASHC_OK)
            s = tool_compare(&j->out, &j->want, nashc_opts_float(j->o, "atol"),
                             nashc_opts_float(j->o, "rtol"), j->sim.d);
    }
    if (s == NASHC_OK || s == NASHC_EMISMATCH)
        report(j, s);
    if (s == NASHC_OK && !tool_json())
        s = tool_print_classes(&j->out, nashc_opts_str(j->o, "classes"), j->sim.d);
    if (s == NASHC_OK && !tool_json() && expect[0])
        printf("equal: %" PRId64 " samples\n", j->samples.n);
    if (s == NASHC_OK && !tool_json() && nashc_opts_given(j->o, "weights"))
        printf("equal to the layers with these weights: %" PRId64 " samples\n", j->samples.n);
    return s;
}

/* What can fail cheaply comes first; the simulator last. */
static nashc_status
run_job(job *j)
{
    const char *input = nashc_opts_str(j->o, "input");
    nashc_status s;

    if (!sim_counts_cycles(&j->sim) && (j->sim.wave[0] || j->sim.seed))
        return nashc_usage(j->sim.d, "--simulator cc has no clock: no --wave, no --throttle");
    if (!input[0])
        return nashc_usage(j->sim.d, "inputs are needed: --input FILE");
    j->sim.cache = tool_cache_folder(nashc_opts_str(j->o, "cache"), j->sim.a);
    if ((s = read_manifest(j)) != NASHC_OK || (s = find_streams(j)) != NASHC_OK ||
        (s = sim_check(&j->sim)) != NASHC_OK ||
        (s = sim_weights_take(&j->sim, nashc_module_graph(j->m, nashc_graph_name(j->sim.layers)),
                              nashc_opts_str(j->o, "weights"))) != NASHC_OK ||
        (s = tool_arrays_read(input, &j->in, j->sim.d)) != NASHC_OK ||
        (s = tool_samples_plan(nashc_module_main(j->m), &j->in, j->sim.a, &j->samples, j->sim.d)) !=
            NASHC_OK)
        return s;
    if (j->samples.n < 1)
        return nashc_error(j->sim.d, &(nashc_loc){.file = input}, "the file holds no sample");
    s = simulate(j);
    return s == NASHC_OK ? deliver(j) : s;
}

static int
sim_main(nashc_ctx *c, const nashc_opts *o, int n_args, const char *const *args)
{
    job j = {.o = o,
             .sim = {.ctx = c,
                     .d = nashc_ctx_diag(c),
                     .a = nashc_arena_create(),
                     .dir = args[0],
                     .simulator = nashc_opts_str(o, "simulator"),
                     .wave = nashc_opts_str(o, "wave"),
                     .seed = nashc_opts_int(o, "throttle")}};

    (void)n_args;
    nashc_status s = j.sim.a ? run_job(&j) : nashc_enomem(j.sim.d);
    sim_free(&j.sim);
    tool_arrays_free(&j.in);
    tool_arrays_free(&j.out);
    tool_arrays_free(&j.want);
    host_free(&j.host);
    nashc_module_free(j.m);
    nashc_arena_free(j.sim.a);
    return nashc_status_exit(s);
}

const nashc_command nashc_command_sim = {
    NASHC_DESC(nashc_command),
    .name = "sim",
    .help = "run a compiled design on real data in a simulator",
    .usage = "DIR --input X.npz [--output Y.npz] [--expect Y.npz] [options]",
    .example = "nashc sim build --input images.npy --expect scores.npy --atol 1e-4\n"
               "nashc sim build --input x.npz --output y.npz --throttle 7 --wave stalls.vcd",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .main = sim_main,
};
