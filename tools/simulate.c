/* simulate.c: the generated bench in Icarus or Verilator, or built by a C compiler, on vectors in a
 * temporary folder. */
#define _DEFAULT_SOURCE 1 /* symlink, realpath */
#include "simulate.h"
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

nashc_status
sim_write_file(sim_job *j, const char *name, const char *text)
{
    nashc_outfile *f = nashc_out_open(nashc_arena_printf(j->a, "%s/%s", j->folder, name), j->d);

    if (!f)
        return NASHC_EIO;
    nashc_out_write(f, text, strlen(text));
    return nashc_out_commit(f, j->d);
}

/* The folder holds links to "rtl", or "src", and "tb" of the design, so that no name in it meets
 * the simulator. */
static nashc_status
link_to(sim_job *j, const char *what)
{
    char *real = realpath(nashc_arena_printf(j->a, "%s/%s", j->dir, what), NULL);
    nashc_status s = NASHC_OK;

    if (!real || symlink(real, nashc_arena_printf(j->a, "%s/%s", j->folder, what)) != 0)
        s = nashc_io_error(j->d, &(nashc_loc){.file = j->dir}, "has no folder %s: %s", what,
                           strerror(errno));
    free(real);
    return s;
}

bool
sim_counts_cycles(const sim_job *j)
{
    return strcmp(j->simulator, "cc") != 0;
}

/* Folder of the design with what is simulated. */
static const char *
sources(const sim_job *j)
{
    return sim_counts_cycles(j) ? "rtl" : "src";
}

/* The temporary folder has in0.hex .. and gets out0.got ..; the design itself is not written to. */
nashc_status
sim_prepare(sim_job *j, char *const *in)
{
    nashc_status s = tool_temp_folder("sim", j->a, &j->folder, j->d);

    if (s != NASHC_OK)
        return s;
    if ((s = link_to(j, sources(j))) != NASHC_OK || (s = link_to(j, "tb")) != NASHC_OK)
        return s;
    for (int i = 0; i < nashc_graph_n_inputs(j->layers) && s == NASHC_OK; i++)
        s = sim_write_file(j, nashc_arena_printf(j->a, "in%d.hex", i), in[i]);
    return s == NASHC_OK && j->n_weights > 0 ? sim_weights_write(j) : s;
}

void
sim_free(sim_job *j)
{
    tool_temp_remove(j->folder);
    j->folder = NULL;
}

/* --- running ------------------------------------------------------------------------------------
 */

/* What each needs, and what to call it in a message. */
static const struct simulator {
    const char *name, *programs[3], *package;
    bool verilog;
} simulators[] = {
    {"icarus", {"iverilog", "vvp"}, "Icarus Verilog", true},
    {"verilator", {"verilator", "make", "c++"}, "Verilator, make and a C++ compiler", true},
    {"cc", {"cc"}, "a C compiler", false},
};

/* The first program of s that is missing; NULL: it is there. */
static const char *
missing(const struct simulator *s)
{
    for (size_t i = 0; i < NASHC_COUNT(s->programs) && s->programs[i]; i++)
        if (!tool_program_exists(s->programs[i]))
            return s->programs[i];
    return NULL;
}

bool
sim_is_there(const char *value)
{
    const struct simulator *s = simulators;

    while (s < simulators + NASHC_COUNT(simulators) && strcmp(s->name, value) != 0)
        s++;
    return s < simulators + NASHC_COUNT(simulators) && !missing(s);
}

/* Names what else of the same kind is there: of Verilog there are two. */
static nashc_status
check_there(sim_job *j)
{
    const struct simulator *s = simulators;

    while (strcmp(s->name, j->simulator) != 0)
        s++;
    const char *program = missing(s);
    if (!program)
        return NASHC_OK;
    nashc_status st = nashc_io_error(j->d, NULL, "program %s was not found", program);
    nashc_help(j->d, "install %s and have it in PATH", s->package);
    for (size_t i = 0; i < NASHC_COUNT(simulators); i++)
        if (simulators[i].verilog == s->verilog && !missing(&simulators[i]))
            nashc_note(j->d, "what is there: --simulator %s", simulators[i].name);
    return st;
}

static bool
ends_in(const char *s, const char *suffix)
{
    size_t n = strlen(s), k = strlen(suffix);
    return n > k && strcmp(s + n - k, suffix) == 0;
}

bool
sim_wave_is_fst(const sim_job *j)
{
    return ends_in(j->wave, ".fst");
}

nashc_status
sim_check(sim_job *j)
{
    nashc_status s = check_there(j);

    if (s != NASHC_OK || !j->wave[0] || ends_in(j->wave, ".vcd") || sim_wave_is_fst(j))
        return s;
    s = nashc_usage(j->d, "--wave \"%s\": waveforms are written as .vcd or .fst",
                    nashc_quote(j->d, j->wave));
    nashc_help(j->d, "give a name that ends in one of them");
    return s;
}

/* The first lines of what the program said go into notes: a compiler's first error is the one that
 * counts. */
nashc_status
sim_run_program(sim_job *j, const char *const *argv, tool_process *p)
{
    nashc_status s = tool_process_run(argv, j->folder, 0, p, j->d);

    if (s == NASHC_OK && p->exit_status != 0) {
        s = nashc_io_error(j->d, NULL, "%s failed with exit status %d", argv[0], p->exit_status);
        const char *line = p->err && p->err[0] ? p->err : p->out ? p->out : "";
        for (int i = 0; i < 5 && *line; i++) {
            nashc_note(j->d, "%.*s", (int)strcspn(line, "\n"), line);
            line += strcspn(line, "\n");
            line += *line == '\n';
        }
    }
    return s;
}

/* argv, then all sources of the design in the order of their names, then the bench: the same
 * command each time, as its hash is the key of the cache. */
const char **
sim_with_sources(sim_job *j, const char *const *argv, int n, const char *suffix)
{
    struct dirent **names = NULL;
    const char *dir = nashc_arena_printf(j->a, "%s/%s", j->folder, sources(j));
    int count = scandir(dir, &names, NULL, alphasort);
    const char **all = NASHC_NEW_N(j->a, const char *, n + (count > 0 ? count : 0) + 2);

    for (int i = 0; all && i < n; i++)
        all[i] = argv[i];
    for (int i = 0; i < count; i++) {
        size_t len = strlen(names[i]->d_name);
        if (all && len > 2 && strcmp(names[i]->d_name + len - 2, suffix) == 0)
            all[n++] = nashc_arena_printf(j->a, "%s/%s", sources(j), names[i]->d_name);
        free(names[i]);
    }
    free(names);
    if (all)
        all[n] = nashc_arena_printf(j->a, "tb/tb_%s%s", j->top, suffix);
    return all;
}

/* The bench says "cycle N" now and then. */
static void
watch(void *user, const char *text, size_t n)
{
    sim_job *j = user;
    const char *line = text;

    for (size_t i = 0; i < n; i++) {
        int64_t cycle;
        if (text[i] != '\n')
            continue;
        if (sscanf(line, "cycle %" SCNd64, &cycle) == 1)
            j->cycle = cycle;
        line = text + i + 1;
    }
    if (j->cycles > 0)
        tool_progress("cycles simulated", j->cycle < j->cycles ? j->cycle : j->cycles - 1,
                      j->cycles);
}

/* Runs the simulation itself. */
static nashc_status
go(sim_job *j, const char *const *argv, tool_process *p)
{
    p->watch = watch;
    p->user = j;
    if (j->cycles > 0)
        tool_progress("cycles simulated", 0, j->cycles);
    nashc_status s = sim_run_program(j, argv, p);
    if (j->cycles > 0)
        tool_progress("cycles simulated", j->cycles, j->cycles);
    return s;
}

/* The bench's parameter CHECK=0: results are written, not compared, as expectations in tb/ are of
 * other vectors. */
static nashc_status
icarus(sim_job *j, tool_process *p)
{
    const char *build[] = {
        "iverilog",
        "-g2005",
        "-o",
        "sim.vvp",
        "-s",
        nashc_arena_printf(j->a, "tb_%s", j->top),
        nashc_arena_printf(j->a, "-Ptb_%s.CHECK=0", j->top),
        nashc_arena_printf(j->a, "-Ptb_%s.WAVE=%d", j->top, j->wave[0] != 0),
        nashc_arena_printf(j->a, "-Ptb_%s.MEM_DIR=\"rtl\"", j->top),
        nashc_arena_printf(j->a, "-Ptb_%s.W_DIR=\"weights\"", j->top), /* only where it is known */
    };
    const char *const run[] = {"vvp",
                               "-n",
                               "sim.vvp",
                               nashc_arena_printf(j->a, "+frames=%" PRId64, j->frames),
                               nashc_arena_printf(j->a, "+seed=%" PRId64, j->seed),
                               "+told=1",
                               j->rewrites ? "+weights=1" : "+weights=0",
                               sim_wave_is_fst(j) ? "-fst" : NULL,
                               NULL};
    const char **argv =
        sim_with_sources(j, build, (int)NASHC_COUNT(build) - (j->n_weights == 0), ".v");
    nashc_status s = argv ? sim_run_program(j, argv, p) : nashc_enomem(j->d);

    tool_process_free(p);
    return s == NASHC_OK ? go(j, run, p) : s;
}

static nashc_status
verilator(sim_job *j, tool_process *p)
{
    const char *program = NULL;
    nashc_status s = sim_verilate(j, &program);
    const char *const run[] = {program,
                               nashc_arena_printf(j->a, "+frames=%" PRId64, j->frames),
                               nashc_arena_printf(j->a, "+seed=%" PRId64, j->seed),
                               "+told=1",
                               j->rewrites ? "+weights=1" : "+weights=0",
                               NULL};

    return s == NASHC_OK ? go(j, run, p) : s;
}

/* The C of the hls backend: no clock, but every value. */
static nashc_status
compiled(sim_job *j, tool_process *p)
{
    static const char *const build[] = {"cc",    "-std=c99", "-O2", "-Wno-unknown-pragmas",
                                        "-Isrc", "-o",       "sim"};
    const char *const run[] = {"./sim", nashc_arena_printf(j->a, "%" PRId64, j->frames), "got",
                               NULL};
    const char **argv = sim_with_sources(j, build, (int)NASHC_COUNT(build), ".c");
    nashc_status s = argv ? sim_run_program(j, argv, p) : nashc_enomem(j->d);

    tool_process_free(p);
    return s == NASHC_OK ? sim_run_program(j, run, p) : s;
}

/* Room for the stalls first: a line that begins with s is one. A bench that neither passed nor
 * failed was cut off. */
static nashc_status
parse_report(sim_job *j, const char *text)
{
    bool pass = false;
    int cap = 0;

    j->done = NASHC_NEW_N(j->a, int64_t, j->frames);
    for (const char *p = text; p && *p; p += *p == '\n') {
        cap += *p == 's';
        p += strcspn(p, "\n");
    }
    j->stalls = NASHC_NEW_N(j->a, sim_stall, cap + 1);
    if (!j->done || !j->stalls)
        return nashc_enomem(j->d);
    for (const char *p = text; p && *p; p += *p == '\n') {
        char name[128];
        int64_t a, b;
        if (sscanf(p, "first %" SCNd64, &a) == 1)
            j->first = a;
        else if (sscanf(p, "frame %" SCNd64 " %" SCNd64, &a, &b) == 2 && a >= 0 && a < j->frames)
            j->done[a] = b;
        else if (sscanf(p, "stall %127s %" SCNd64, name, &a) == 2) {
            j->stalls[j->n_stalls++] = (sim_stall){nashc_arena_strdup(j->a, name), a};
        } else if (strncmp(p, "PASS", 4) == 0)
            pass = true;
        else if (strncmp(p, "FAIL", 4) == 0)
            return nashc_error(j->d, NULL, "the simulated design failed: %.*s",
                               (int)strcspn(p, "\n"), p);
        p += strcspn(p, "\n");
    }
    return pass ? NASHC_OK : nashc_io_error(j->d, NULL, "the simulator ended without a result");
}

/* Waveforms may be large: no limit but memory. */
static nashc_status
copy_wave(sim_job *j)
{
    const char *from = nashc_arena_printf(j->a, "%s/wave.vcd", j->folder);
    char *data;
    size_t size;
    nashc_status s = nashc_file_read(from, INT64_MAX, &data, &size, j->d);

    if (s != NASHC_OK)
        return s;
    nashc_outfile *f = nashc_out_open(j->wave, j->d);
    if (f)
        nashc_out_write(f, data, size);
    nashc_mem_free(data);
    return f ? nashc_out_commit(f, j->d) : NASHC_EIO;
}

nashc_status
sim_run(sim_job *j)
{
    tool_process p = {0};
    nashc_status s;

    if (strcmp(j->simulator, "verilator") == 0)
        s = verilator(j, &p);
    else if (strcmp(j->simulator, "cc") == 0)
        s = compiled(j, &p);
    else
        s = icarus(j, &p);
    if (s == NASHC_OK)
        s = parse_report(j, p.out);
    tool_process_free(&p);
    return s == NASHC_OK && j->wave[0] ? copy_wave(j) : s;
}

nashc_status
sim_output(sim_job *j, int i, char **text)
{
    size_t size;

    return nashc_file_read(nashc_arena_printf(j->a, "%s/out%d.got", j->folder, i), INT64_MAX, text,
                           &size, j->d);
}
