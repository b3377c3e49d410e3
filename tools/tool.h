/* tool.h: what the subcommands share: options, models, tensors in files, child processes, progress.
 */
#ifndef NASHC_TOOL_H
#define NASHC_TOOL_H

#include <nashc/nashc.h>
#include <stdio.h>

/* --- nashc.c: what main found out ------------------------------------------------------------ */

bool tool_json(void);  /* --json: the result on standard output is one JSON document */
bool tool_quiet(void); /* -q: no progress */

/* Sends the collected messages to standard error. */
void tool_flush(nashc_ctx *c);

/* The command that is running, for usage messages. */
const nashc_command *tool_command(void);

/* Usage and the list of commands. */
void tool_print_overview(nashc_ctx *c, FILE *f);

/* All commands in the order of help; NULL-terminated (generated from tools/meson.build). */
extern const nashc_command *const tool_commands[];

/* --- args.c ---------------------------------------------------------------------------------- */

/* Splits argv (without program and command name) into options and arguments. args has room for n
 * pointers. */
nashc_status tool_parse_args(nashc_opts *o, const nashc_param *schema, int n, char **argv,
                             const char **args, int *n_args, nashc_diag *d);

/* Text for people. */
void tool_print_usage(FILE *f, const nashc_command *c);
void tool_print_help(FILE *f, const nashc_command *c);
void tool_print_params(FILE *f, const nashc_param *schema, const char *dashes);

/* "--pe" or "-o"; into buf of 128 bytes. */
const char *tool_option_name(const nashc_param *p, char *buf);

/* What kind of value it takes: "N", "FILE", "floor|ceil", "" for a switch. */
const char *tool_value_name(const nashc_param *p);

/* --- load.c ---------------------------------------------------------------------------------- */

/* Options of every command that reads a model; rows of its schema. */
#define TOOL_LOAD_OPTIONS                                                                          \
    {.name = "frontend",                                                                           \
     .def = "",                                                                                    \
     .help = "reader of the model; by content if not given",                                       \
     .kind = NASHC_P_STRING},                                                                      \
        {.name = "weights",                                                                        \
         .def = "",                                                                                \
         .help = "parameters of a genotype's network by name, .npz",                               \
         .kind = NASHC_P_PATH},                                                                    \
    {                                                                                              \
        .name = "frontend-option", .def = "", .help = "KEY=VALUE for the reader of the model",     \
        .kind = NASHC_P_STRING, .flags = NASHC_P_REPEAT                                            \
    }

/* Options that say where results go and what they are compared with: run and sim have them. */
#define TOOL_RESULT_OPTIONS                                                                        \
    {.name = "output", .def = "", .help = ".npy or .npz for the results", .kind = NASHC_P_PATH},   \
        {.name = "expect",                                                                         \
         .def = "",                                                                                \
         .help = "compare with these tensors; exit status 3 if they differ",                       \
         .kind = NASHC_P_PATH},                                                                    \
        {.name = "atol",                                                                           \
         .def = "0",                                                                               \
         .domain = "0..",                                                                          \
         .help = "absolute difference allowed",                                                    \
         .kind = NASHC_P_FLOAT},                                                                   \
    {                                                                                              \
        .name = "rtol", .def = "0", .domain = "0..",                                               \
        .help = "difference allowed relative to the expected value", .kind = NASHC_P_FLOAT         \
    }

/* Options that say what the hardware receives: opt, compile and estimate have them. */
#define TOOL_INPUT_OPTIONS                                                                         \
    {.name = "input-datatype",                                                                     \
     .def = "",                                                                                    \
     .help = "datatype of the input, as [NAME=]UINT8",                                             \
     .kind = NASHC_P_STRING,                                                                       \
     .flags = NASHC_P_REPEAT},                                                                     \
        {.name = "input-scale",                                                                    \
         .def = "",                                                                                \
         .help = "real input = scale * integer + bias, as [NAME=]X",                               \
         .kind = NASHC_P_STRING,                                                                   \
         .flags = NASHC_P_REPEAT},                                                                 \
    {                                                                                              \
        .name = "input-bias", .def = "", .help = "see --input-scale", .kind = NASHC_P_STRING,      \
        .flags = NASHC_P_REPEAT                                                                    \
    }

/* An option of those that run a pipeline. */
#define TOOL_EXTRA_PASSES                                                                          \
    {                                                                                              \
        .name = "extra-passes", .def = "",                                                         \
        .help = "after:NAME=PASSES or before:NAME=PASSES: put in at each pass or pipeline NAME",   \
        .kind = NASHC_P_STRING, .flags = NASHC_P_REPEAT                                            \
    }

/* An option of those that write through a backend. */
#define TOOL_BACKEND_OPTION                                                                        \
    {                                                                                              \
        .name = "backend-option", .def = "",                                                       \
        .help = "KEY=VALUE for the backend that writes; see `nashc list backends`",                \
        .kind = NASHC_P_STRING, .flags = NASHC_P_REPEAT                                            \
    }

/* A repeatable option as a NULL-terminated array owned by a; NULL: memory is out. */
const char *const *tool_list(const nashc_opts *o, const char *name, nashc_arena *a);

/* Reads a model with the options above (those the schema lacks count as not given). */
nashc_status tool_load(nashc_ctx *c, const nashc_opts *o, const char *path, nashc_module **out);

/* A set-input-datatype for each --input-datatype, commas between, "" for none; owned by a. NULL:
 * reported, *s has the status. */
const char *tool_input_passes(const nashc_opts *o, nashc_arena *a, nashc_status *s, nashc_diag *d);

/* passes with those in front. */
const char *tool_passes(const nashc_opts *o, const char *passes, nashc_arena *a, nashc_status *s,
                        nashc_diag *d);

/* Gives unknown dimensions the value 1 (pass fix-batch), so that the graph can be run. */
nashc_status tool_make_static(nashc_module **m, nashc_diag *d);

/* --- stdin.c --------------------------------------------------------------------------------- */

/* Puts what comes on standard input into a temporary file, whose name goes into *path (owned by a);
 * messages call it <stdin>. tool_stdin_drop removes it, as does any end of the process. */
nashc_status tool_stdin_take(const char **path, nashc_arena *a, nashc_diag *d);
void tool_stdin_drop(void);

/* --- completion.c ---------------------------------------------------------------------------- */

/* Writes the completion script for a shell: bash, zsh or fish. */
void tool_print_completion(nashc_ctx *c, const char *shell);

/* --- npy.c, npz.c ---------------------------------------------------------------------------- */

#define TOOL_MAX_RANK (NASHC_MAX_RANK + 1) /* a tensor and the axis of samples */

/* One array of a file: elements in row-major order in buf, whose type has the element alone. */
typedef struct tool_array {
    char *name; /* NULL in a .npy */
    int rank;
    int64_t dim[TOOL_MAX_RANK];
    nashc_buf buf;
} tool_array;

typedef struct tool_arrays {
    tool_array *at;
    size_t n, cap;
} tool_arrays;

/* Reads a .npy or .npz, told apart by content. Nothing of the file is trusted. */
nashc_status tool_arrays_read(const char *path, tool_arrays *out, nashc_diag *d);

/* Writes .npz, or .npy where there is one array, by suffix; same arrays, same bytes. */
nashc_status tool_arrays_write(const char *path, const tool_arrays *a, nashc_diag *d);
void tool_arrays_free(tool_arrays *a);
tool_array *tool_arrays_find(const tool_arrays *a, const char *name); /* NULL: none */

/* A new zeroed array at the end of a; name is copied (NULL: none). NULL: memory out. */
tool_array *tool_arrays_add(tool_arrays *a, const char *name, const nashc_type *elem, int rank,
                            const int64_t *dim);

/* One .npy file in memory. */
nashc_status tool_npy_parse(const char *file, const uint8_t *data, size_t size, tool_array *out,
                            nashc_diag *d);
bool tool_npy_format(const tool_array *a, char **data, size_t *size); /* data: freed by free */

/* "(2,3)", into a buffer of 200 bytes. */
const char *tool_shape_text(const int64_t *dim, int rank, char *buf);

/* --- arrays.c: the reader of .npz files that the library asks for ------------------------------
 */

extern const nashc_impl *const tool_impls[]; /* NULL-terminated */

/* --- warnings.c ------------------------------------------------------------------------------ */

extern const nashc_warn *const tool_warnings[]; /* NULL-terminated */

/* --- samples.c ------------------------------------------------------------------------------- */

/* How arrays map to the inputs of a graph: the first axis of each array counts samples. */
typedef struct tool_samples {
    const nashc_graph *graph;
    int64_t n;                   /* samples to run */
    const tool_array **of_input; /* by graph input */
} tool_samples;

nashc_status tool_samples_plan(const nashc_graph *g, const tool_arrays *in, nashc_arena *a,
                               tool_samples *out, nashc_diag *d);

/* Copies sample k of input i into b, which has the type of the input. */
nashc_status tool_samples_get(const tool_samples *s, int i, int64_t k, nashc_buf *b, nashc_diag *d);

/* Prints the name of the largest score of each sample of the first result; names are separated by
 * commas, as many as a sample has scores. "" prints nothing. */
nashc_status tool_print_classes(const tool_arrays *results, const char *names, nashc_diag *d);

/* An array with room for n results of type t: axis 0 of a result is the axis of samples if it has
 * one (dimension 1, or as large as that of input 0); else a new axis is put in front. */
tool_array *tool_results_add(tool_arrays *a, const char *name, const nashc_type *t, int64_t n);

/* Stores b as sample k of n. False: it does not fit. */
bool tool_results_put(tool_array *a, const nashc_buf *b, int64_t k);

/* Compares results with what was expected, by name, or by position where there is one only:
 * EMISMATCH says how many elements differ and by how much. */
nashc_status tool_compare(const tool_arrays *got, const tool_arrays *want, double atol, double rtol,
                          nashc_diag *d);

/* --- process.c ------------------------------------------------------------------------------- */

typedef struct tool_process {
    /* Set before the run; 0: none. watch is told of what the program writes to standard output as
     * it does, and with n = 0 now and then while it does not. */
    void (*watch)(void *user, const char *text, size_t n);
    void *user;
    uint64_t max_memory; /* bytes of address space of the program */
    const char *temp;    /* the TMPDIR it has, while it runs: a folder of ours, removed behind it */

    /* What came out of it. */
    int exit_status; /* of the child; 128 + signal if it was killed */
    char *out, *err; /* what it wrote, 0-terminated; freed by tool_process_free */
    size_t out_size, err_size;
    bool timed_out;
} tool_process;

/* out is zeroed, but for what is set before the run. Runs argv[0] (looked up in PATH) without a
 * shell, in folder dir (NULL: here), nothing on standard input, at most seconds (0: no limit). EIO
 * if it cannot be started: the message says which program is missing. A child that fails is no
 * error here. */
nashc_status tool_process_run(const char *const *argv, const char *dir, double seconds,
                              tool_process *out, nashc_diag *d);
void tool_process_free(tool_process *p);

/* Kills what tool_process_run waits for. Async-signal-safe. */
void tool_process_kill(void);

bool tool_program_exists(const char *name);

/* --- temp_folder.c --------------------------------------------------------------------------- */

/* A new folder nashc-WHAT-XXXXXX in $TMPDIR or /tmp that does not outlive the process; path is
 * owned by a, which must live until tool_temp_remove removes the folder with all below it. */
nashc_status tool_temp_folder(const char *what, nashc_arena *a, char **path, nashc_diag *d);
void tool_temp_remove(const char *path); /* NULL allowed */

/* --- cache.c --------------------------------------------------------------------------------- */

/* The folder that keeps what was built, owned by a: that of an option --cache ("off": NULL), by
 * default $XDG_CACHE_HOME/nashc, else ~/.cache/nashc; NULL if there is none. */
const char *tool_cache_folder(const char *option, nashc_arena *a);

/* The file kept there under key (hexadecimal), owned by a, if it is there, is ours and nobody
 * else's to write: NULL if not. It counts as used now. */
const char *tool_cache_find(const char *folder, const char *key, nashc_arena *a);

/* Keeps a copy of a program, written aside and renamed. The folder is held below 1 GiB: what was
 * not used for longest goes. That nothing can be kept is no error. */
void tool_cache_keep(const char *folder, const char *key, const char *program, nashc_arena *a);

#define TOOL_CACHE_OPTION                                                                          \
    {                                                                                              \
        .name = "cache", .def = "",                                                                \
        .help = "folder that keeps what is built, or off; by default below ~/.cache",              \
        .kind = NASHC_P_PATH                                                                       \
    }

/* --- progress.c ------------------------------------------------------------------------------ */

/* Shows done of total on standard error: a bar with the time left on a terminal, a line now and
 * then elsewhere, nothing under -q. done == total ends it. */
void tool_progress(const char *what, int64_t done, int64_t total);

/* As nashc_pm_options.progress; starts the clock of --pass-timeout anew. */
void tool_pass_progress(void *user, const char *pass, int done, int total);

double tool_clock(void); /* seconds, monotonic */
/* Interval (cycles a frame; note behind it), latency and rate of a design, on standard output. */
void tool_print_rate(double interval, const char *note, uint64_t latency, double fps,
                     double clock_ns);

double tool_cpu_clock(void); /* seconds that all threads of this process have computed */

/* --- hand_down.c ----------------------------------------------------------------------------- */

/* The n files of --load-plugin join NASHC_PLUGIN_PATH, so processes below this one load them too;
 * texts are of a. NASHC_ENOMEM at most. */
nashc_status tool_hand_down(const char *const *plugin, int n, nashc_arena *a, nashc_diag *d);

/* --- limits.c -------------------------------------------------------------------------------- */

/* The memory that the whole run may take, all libraries included: "500M", "2G", 0 for no limit;
 * NULL: half of the machine's. Builds with ASan have none. */
nashc_status tool_limit_memory(const char *size, nashc_diag *d);
uint64_t tool_memory_limit(void);   /* in bytes; 0: none was set */
const char *tool_limits_told(void); /* the limit in words; NULL: none */
void tool_limits_lift(void);        /* in a child, before it becomes another program */

/* Ends the run after so many seconds, as a signal would; "0": never. */
nashc_status tool_limit_time(const char *seconds, nashc_diag *d);

/* --- size.c ---------------------------------------------------------------------------------- */

/* About the steps of one run of the entry graph (nashc_node_steps), at least 1. */
double tool_steps(const nashc_module *m);

/* Runs of the model, about, when each pass of a long pipeline is checked with n random inputs. */
double tool_checked_runs(int n);

/* Refuses a model with a result larger than the memory limit, or that cannot be run so often within
 * days, and warns (long-run) where it takes minutes; by its shapes, at the cost of a look at each
 * node. remedy: what asks for less, for the note. For commands that compute the model. */
nashc_status tool_check_size(const nashc_module *m, double runs, const char *remedy, nashc_diag *d);

/* --- signals.c ------------------------------------------------------------------------------- */

/* From here on the process does not end in silence: a crash, Ctrl-C, the time-out of a pass and an
 * exit() inside a plugin say whose code ran; half-written files and started programs are removed.
 */
void tool_catch_signals(void);

/* A row of the schema of commands that run passes. */
#define TOOL_TIMEOUT_OPTION                                                                        \
    {                                                                                              \
        .name = "pass-timeout", .def = "0", .domain = "0..1000000",                                \
        .help = "most seconds for a pass and its checks; 0: no limit", .kind = NASHC_P_INT         \
    }

/* Options of the whole run (nashc.c); commands ask by the functions above. */
extern struct tool_state {
    bool json, quiet, json_diag, help, version, color;
    int verbosity;
    unsigned pass_timeout; /* seconds; 0: none */
    uint64_t max_time;     /* likewise, of the whole run */
    const nashc_command *command;
} tool_state;

#endif
