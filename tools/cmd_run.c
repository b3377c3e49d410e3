/* cmd_run.c: nashc run: executes a model on tensors from files. */
#include "tool.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PRINTED 1000 /* elements of an output that is shown as text */

static const nashc_param options[] = {
    {.name = "input",
     .def = "",
     .help = ".npy (one tensor) or .npz (array names are input names); axis 0 counts samples",
     .kind = NASHC_P_PATH},
    TOOL_RESULT_OPTIONS,
    {.name = "executor",
     .def = "reference",
     .help = "who runs the model; see `nashc list executors`",
     .kind = NASHC_P_STRING},
    {.name = "executor-option",
     .def = "",
     .help = "KEY=VALUE for the executor",
     .kind = NASHC_P_STRING,
     .flags = NASHC_P_REPEAT},
    {.name = "threads",
     .def = "0",
     .domain = "0..1024",
     .help = "the executor's option threads: how many compute; 0: as it likes",
     .kind = NASHC_P_INT},
    {.name = "repeat",
     .def = "1",
     .domain = "1..1000000",
     .help = "run everything so often and tell the time",
     .kind = NASHC_P_INT},
    TOOL_LOAD_OPTIONS,
    {0},
};

typedef struct job {
    nashc_ctx *ctx;
    nashc_diag *diag;
    const nashc_opts *opts;
    nashc_arena *arena;
    nashc_module *module;
    const nashc_graph *graph;
    const nashc_executor *executor;
    void *program;
    tool_arrays in, out, want;
    tool_samples samples;
    double seconds, cpu_seconds; /* of the executor: on the clock, and of all its threads */
} job;

/* --threads is short for an option of the executor; one without it refuses. */
static nashc_status
prepare(job *j)
{
    const char *name = nashc_opts_str(j->opts, "executor");
    j->executor = nashc_lookup(j->ctx, NASHC_D_EXECUTOR, name, j->diag);
    if (!j->executor) {
        if (strcmp(name, "cpu") == 0)
            nashc_help(j->diag,
                       "it is in the llvm plugin, which was not found: it is built where a "
                       "package like llvm-19-dev is installed");
        return NASHC_EUSAGE;
    }
    nashc_opts *o = nashc_opts_create(j->arena, j->executor->options);
    const char *owner = nashc_arena_printf(j->arena, "executor \"%s\"", j->executor->name);
    const char *const *pairs = tool_list(j->opts, "executor-option", j->arena);
    if (!o || !owner || !pairs)
        return nashc_enomem(j->diag);
    nashc_status s = nashc_opts_set_pairs(o, pairs, owner, j->diag);
    if (s == NASHC_OK && nashc_opts_given(j->opts, "threads"))
        s = nashc_opts_set(o, "threads", nashc_opts_str(j->opts, "threads"), NULL, j->diag);
    if (s != NASHC_OK)
        return s;
    nashc_frame f;
    nashc_enter(&f, j->ctx, NASHC_D_EXECUTOR, j->executor->name, NULL, j->diag);
    return nashc_leave(&f, j->executor->prepare(j->module, o, &j->program, j->diag));
}

static nashc_status
read_inputs(job *j)
{
    const char *path = nashc_opts_str(j->opts, "input");
    if (!path[0] && nashc_graph_n_inputs(j->graph) > 0) {
        nashc_usage(j->diag, "the model has %d input%s: give --input",
                    nashc_graph_n_inputs(j->graph), nashc_graph_n_inputs(j->graph) == 1 ? "" : "s");
        return NASHC_EUSAGE;
    }
    nashc_status s = path[0] ? tool_arrays_read(path, &j->in, j->diag) : NASHC_OK;
    if (s != NASHC_OK)
        return s;
    return tool_samples_plan(j->graph, &j->in, j->arena, &j->samples, j->diag);
}

/* Names are those of outputs, which may differ from their values'. */
static nashc_status
make_results(job *j)
{
    for (int i = 0; i < nashc_graph_n_outputs(j->graph); i++)
        if (!tool_results_add(&j->out, nashc_graph_output_name(j->graph, i),
                              nashc_value_type(nashc_graph_output(j->graph, i)), j->samples.n))
            return nashc_enomem(j->diag);
    return NASHC_OK;
}

/* Samples that go through the executor in one call, and their buffers: in[k * n_in + i]. */
typedef struct block {
    nashc_buf *in, *out;
    const nashc_buf **pin;
    int64_t size;
    int n_in, n_out;
} block;

#define MAX_BLOCK       1024
#define MAX_BLOCK_CELLS (1 << 24)

/* As many samples as the executor takes and memory bears. */
static int64_t
block_size(const job *j)
{
    int64_t cells = 1;
    if (!NASHC_HAS(j->executor, run_many) || !j->executor->run_many)
        return 1;
    for (int i = 0; i < nashc_graph_n_inputs(j->graph); i++)
        cells += nashc_type_count(nashc_value_type(nashc_graph_input(j->graph, i)));
    for (int i = 0; i < nashc_graph_n_outputs(j->graph); i++)
        cells += nashc_type_count(nashc_value_type(nashc_graph_output(j->graph, i)));
    int64_t n = MAX_BLOCK_CELLS / cells + 1;
    n = n < MAX_BLOCK ? n : MAX_BLOCK;
    return n < j->samples.n ? n : j->samples.n;
}

/* Buffers are made once and filled anew for each block. */
static nashc_status
make_block(job *j, block *b)
{
    b->n_in = nashc_graph_n_inputs(j->graph);
    b->n_out = nashc_graph_n_outputs(j->graph);
    b->size = block_size(j);
    b->in = NASHC_NEW_N(j->arena, nashc_buf, b->size * b->n_in + 1);
    b->out = NASHC_NEW_N(j->arena, nashc_buf, b->size * b->n_out + 1);
    b->pin = NASHC_NEW_N(j->arena, const nashc_buf *, b->size * b->n_in + 1);
    if (!b->in || !b->out || !b->pin)
        return nashc_enomem(j->diag);
    for (int64_t i = 0; i < b->size * b->n_in; i++) {
        const nashc_value *v = nashc_graph_input(j->graph, (int)(i % b->n_in));
        b->pin[i] = &b->in[i];
        if (!nashc_buf_alloc(&b->in[i], nashc_value_type(v)))
            return nashc_enomem(j->diag);
    }
    return NASHC_OK;
}

/* Stores the results of n samples from k on, if asked, and frees them. */
static nashc_status
keep_results(job *j, block *b, int64_t k, int64_t n, bool store)
{
    nashc_status s = NASHC_OK;
    for (int64_t i = 0; i < n * b->n_out; i++) {
        int o = (int)(i % b->n_out);
        if (store && s == NASHC_OK &&
            !tool_results_put(&j->out.at[o], &b->out[i], k + i / b->n_out))
            s = nashc_bug(j->diag, NULL, "output \"%s\" does not fit its type",
                          nashc_graph_output_name(j->graph, o));
        nashc_buf_free(&b->out[i]);
    }
    return s;
}

/* n samples from k on through the executor. */
static nashc_status
run_block(job *j, block *b, int64_t k, int64_t n, bool store)
{
    const nashc_executor *e = j->executor;
    nashc_status s = NASHC_OK;
    for (int64_t i = 0; s == NASHC_OK && i < n * b->n_in; i++)
        s = tool_samples_get(&j->samples, (int)(i % b->n_in), k + i / b->n_in, &b->in[i], j->diag);
    double start = tool_clock(), cpu_start = tool_cpu_clock();
    if (s == NASHC_OK) {
        nashc_frame f;
        nashc_enter(&f, j->ctx, NASHC_D_EXECUTOR, e->name, NULL, j->diag);
        s = nashc_leave(&f, b->size > 1 ? e->run_many(j->program, n, b->pin, b->out, j->diag)
                                        : e->run(j->program, b->pin, b->out, j->diag));
    }
    j->seconds += tool_clock() - start;
    j->cpu_seconds += tool_cpu_clock() - cpu_start;
    return s == NASHC_OK ? keep_results(j, b, k, n, store) : s;
}

/* The reference executor is slow enough to tell what it will take. */
static nashc_status
check_size(job *j)
{
    double runs = (double)j->samples.n * (double)nashc_opts_int(j->opts, "repeat");
    nashc_status s = NASHC_OK;

    if (strcmp(j->executor->name, "reference") == 0)
        s = tool_check_size(j->module, runs, "--executor cpu is faster, less input takes less",
                            j->diag);
    tool_flush(j->ctx);
    return s;
}

static nashc_status
run_all(job *j)
{
    int64_t repeat = nashc_opts_int(j->opts, "repeat"), total = 0;
    block b = {0};
    nashc_status s = make_block(j, &b);
    if (s == NASHC_OK && !nashc_mul_size(repeat, j->samples.n, &total))
        s = nashc_usage(j->diag, "too many runs");
    for (int64_t r = 0; s == NASHC_OK && r < repeat; r++)
        /* only the first round is kept: the others are for the clock */
        for (int64_t k = 0; s == NASHC_OK && k < j->samples.n; k += b.size) {
            int64_t left = j->samples.n - k;
            tool_progress("samples", r * j->samples.n + k, total);
            s = run_block(j, &b, k, left < b.size ? left : b.size, r == 0);
        }
    tool_progress("samples", total, total);
    for (int64_t i = 0; b.in && i < b.size * b.n_in; i++)
        nashc_buf_free(&b.in[i]);
    return s;
}

/* --- results --------------------------------------------------------------------------------- */

static void
print_text(const job *j)
{
    for (size_t i = 0; i < j->out.n; i++) {
        const tool_array *a = &j->out.at[i];
        char shape[200];
        printf("%s %s:", a->name, tool_shape_text(a->dim, a->rank, shape));
        for (int64_t e = 0; e < a->buf.n && e < MAX_PRINTED; e++)
            printf(" %.9g", nashc_buf_get(&a->buf, e));
        printf(a->buf.n > MAX_PRINTED ? " ...\n" : "\n");
    }
}

/* Cut like the text; "complete" tells. */
static json_t *
json_array_of(const tool_array *a)
{
    json_t *o = json_object(), *shape = json_array(), *values = json_array();
    for (int k = 0; k < a->rank; k++)
        json_array_append_new(shape, json_integer(a->dim[k]));
    for (int64_t e = 0; e < a->buf.n && e < MAX_PRINTED; e++) {
        json_t *v = nashc_type_is_int(&a->buf.type) ? json_integer(nashc_buf_get_int(&a->buf, e))
                                                    : json_real(nashc_buf_get(&a->buf, e));
        json_array_append_new(values, v ? v : json_null()); /* JSON has no NaN */
    }
    json_object_set_new(o, "name", json_string(a->name));
    json_object_set_new(o, "shape", shape);
    json_object_set_new(o, "values", values);
    json_object_set_new(o, "complete", json_boolean(a->buf.n <= MAX_PRINTED));
    return o;
}

static void
print_json(const job *j, nashc_status s, bool values)
{
    json_t *o = json_object(), *outputs = json_array();
    json_object_set_new(o, "samples", json_integer(j->samples.n));
    json_object_set_new(o, "executor", json_string(j->executor->name));
    if (nashc_opts_given(j->opts, "repeat"))
        json_object_set_new(o, "seconds", json_real(j->seconds));
    if (nashc_opts_given(j->opts, "repeat"))
        json_object_set_new(o, "cpu_seconds", json_real(j->cpu_seconds));
    if (nashc_opts_given(j->opts, "expect"))
        json_object_set_new(o, "equal", json_boolean(s == NASHC_OK));
    for (size_t i = 0; values && i < j->out.n; i++)
        json_array_append_new(outputs, json_array_of(&j->out.at[i]));
    if (values)
        json_object_set(o, "outputs", outputs);
    json_decref(outputs);
    char *text = json_dumps(o, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    printf("%s\n", text ? text : "{}");
    free(text);
    json_decref(o);
}

/* A difference is told after the outputs are written: they are what one looks at then. */
static nashc_status
deliver(job *j)
{
    const char *output = nashc_opts_str(j->opts, "output");
    const char *expect = nashc_opts_str(j->opts, "expect");
    nashc_status s = NASHC_OK;
    if (output[0])
        s = tool_arrays_write(output, &j->out, j->diag);
    if (s == NASHC_OK && expect[0]) {
        s = tool_arrays_read(expect, &j->want, j->diag);
        if (s == NASHC_OK)
            s = tool_compare(&j->out, &j->want, nashc_opts_float(j->opts, "atol"),
                             nashc_opts_float(j->opts, "rtol"), j->diag);
        if (s != NASHC_OK && s != NASHC_EMISMATCH)
            return s;
    }
    bool values = !output[0] && !expect[0];
    if (tool_json())
        print_json(j, s, values);
    else if (values)
        print_text(j);
    if (!tool_json() && s == NASHC_OK && expect[0])
        printf("equal: %" PRId64 " samples\n", j->samples.n);
    if (!tool_json() && nashc_opts_given(j->opts, "repeat")) {
        double runs = (double)(j->samples.n * nashc_opts_int(j->opts, "repeat"));
        printf("%.6g ms a sample, %.6g samples a second, %.6g ms of processor time\n",
               1e3 * j->seconds / runs, j->seconds > 0 ? runs / j->seconds : 0,
               1e3 * j->cpu_seconds / runs);
    }
    return s;
}

static int
run_main(nashc_ctx *c, const nashc_opts *o, int n_args, const char *const *args)
{
    job j = {.ctx = c, .diag = nashc_ctx_diag(c), .opts = o, .arena = nashc_arena_create()};
    (void)n_args;
    nashc_status s = j.arena ? tool_load(c, o, args[0], &j.module) : nashc_enomem(j.diag);
    if (s == NASHC_OK)
        s = tool_make_static(&j.module, j.diag);
    if (s == NASHC_OK) {
        j.graph = nashc_module_main(j.module);
        if (!j.graph)
            s = nashc_error(j.diag, NULL, "the model has no graph");
    }
    if (s == NASHC_OK)
        s = read_inputs(&j);
    if (s == NASHC_OK)
        s = prepare(&j);
    if (s == NASHC_OK)
        s = check_size(&j);
    if (s == NASHC_OK)
        s = make_results(&j);
    if (s == NASHC_OK)
        s = run_all(&j);
    if (s == NASHC_OK)
        s = deliver(&j);
    if (j.program)
        j.executor->free(j.program);
    tool_arrays_free(&j.in);
    tool_arrays_free(&j.out);
    tool_arrays_free(&j.want);
    nashc_module_free(j.module);
    nashc_arena_free(j.arena);
    return nashc_status_exit(s);
}

const nashc_command nashc_command_run = {
    NASHC_DESC(nashc_command),
    .name = "run",
    .help = "execute a model on tensors from files",
    .usage = "MODEL --input X.npy [--output Y.npy] [--expect Y.npy] [options]",
    .example = "nashc run net.onnx --input images.npy --output scores.npy\n"
               "nashc run net.nashir --input x.npz --expect y.npz --atol 1e-5",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .main = run_main,
};
