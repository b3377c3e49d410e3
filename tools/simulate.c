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

static nashc_status
write_file(sim_job *j, const char *name, const char *text)
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

nashc_status
sim_prepare(sim_job *j, char *const *in)
{
    nashc_status s = tool_temp_folder("sim", j->a, &j->folder, j->d);

    if (s != NASHC_OK)
        return s;
    if ((s = link_to(j, sources(j))) != NASHC_OK || (s = link_to(j, "tb")) != NASHC_OK)
        return s;
    for (int i = 0; i < nashc_graph_n_inputs(j->layers) && s == NASHC_OK; i++)
        s = write_file(j, nashc_arena_printf(j->a, "in%d.hex", i), in[i]);
    return s;
}

void
sim_free(sim_job *j)
{
    tool_temp_remove(j->folder);
    j->folder = NULL;
}

/* --- running ------------------------------------------------------------------------------------
 */

static nashc_status
need(sim_job *j, const char *program, const char *package)
{
    if (tool_program_exists(program))
        return NASHC_OK;
    nashc_status s = nashc_io_error(j->d, NULL, "program %s was not found", program);
    nashc_help(j->d, "install %s and have it in PATH", package);
    return s;
}

/* Runs argv in the folder; its output in p, to be freed also after an error. */
static nashc_status
run(sim_job *j, const char *const *argv, tool_process *p)
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

/* Names of the files of the design that end so, and of its bench, behind the n arguments in argv.
 */
static const char **
with_sources(sim_job *j, const char *const *argv, int n, const char *suffix)
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

static nashc_status
icarus(sim_job *j, tool_process *p)
{
    bool fst =
        j->wave[0] && strlen(j->wave) > 4 && strcmp(j->wave + strlen(j->wave) - 4, ".fst") == 0;
    const char *parameter[] = {
        nashc_arena_printf(j->a, "-Ptb_%s.FRAMES=%" PRId64, j->top, j->frames),
        nashc_arena_printf(j->a, "-Ptb_%s.SEED=%" PRId64, j->top, j->seed),
        nashc_arena_printf(j->a, "-Ptb_%s.CHECK=0", j->top),
        nashc_arena_printf(j->a, "-Ptb_%s.WAVE=%d", j->top, j->wave[0] != 0),
        nashc_arena_printf(j->a, "-Ptb_%s.MEM_DIR=\"rtl\"", j->top),
        nashc_arena_printf(j->a, "tb_%s", j->top),
    };
    const char *build[] = {"iverilog",   "-g2005",     "-o",         "sim.vvp",
                           "-s",         parameter[5], parameter[0], parameter[1],
                           parameter[2], parameter[3], parameter[4]};
    const char *const go[] = {"vvp", "-n", "sim.vvp", fst ? "-fst" : NULL, NULL};
    nashc_status s = need(j, "iverilog", "Icarus Verilog");

    if (s == NASHC_OK)
        s = need(j, "vvp", "Icarus Verilog");
    if (s != NASHC_OK)
        return s;
    const char **argv = with_sources(j, build, (int)NASHC_COUNT(build), ".v");
    if (!argv)
        return nashc_enomem(j->d);
    s = run(j, argv, p);
    tool_process_free(p);
    return s == NASHC_OK ? run(j, go, p) : s;
}

static nashc_status
verilator(sim_job *j, tool_process *p)
{
    const char *build[] = {
        "verilator",
        "--binary",
        "--timing",
        "-O3",
        "-Wno-fatal",
        "-Wno-lint",
        "-Wno-style",
        "--Mdir",
        "obj",
        "-o",
        "sim",
        "-j",
        "2",
        "--top-module",
        nashc_arena_printf(j->a, "tb_%s", j->top),
        nashc_arena_printf(j->a, "-GFRAMES=%" PRId64, j->frames),
        nashc_arena_printf(j->a, "-GSEED=%" PRId64, j->seed),
        "-GCHECK=0",
        nashc_arena_printf(j->a, "-GWAVE=%d", j->wave[0] != 0),
        "-GMEM_DIR=\"rtl\"",
        j->wave[0] ? "--trace" : "-O3",
    };
    const char *const go[] = {"./obj/sim", NULL};
    nashc_status s = need(j, "verilator", "Verilator");

    if (s != NASHC_OK)
        return s;
    const char **argv = with_sources(j, build, (int)NASHC_COUNT(build), ".v");
    if (!argv)
        return nashc_enomem(j->d);
    s = run(j, argv, p);
    tool_process_free(p);
    return s == NASHC_OK ? run(j, go, p) : s;
}

/* The C of the hls backend: no clock, but every value. */
static nashc_status
compiled(sim_job *j, tool_process *p)
{
    static const char *const build[] = {"cc",    "-std=c99", "-O2", "-Wno-unknown-pragmas",
                                        "-Isrc", "-o",       "sim"};
    const char *const go[] = {"./sim", nashc_arena_printf(j->a, "%" PRId64, j->frames), "got",
                              NULL};
    nashc_status s = need(j, "cc", "a C compiler");

    if (s != NASHC_OK)
        return s;
    const char **argv = with_sources(j, build, (int)NASHC_COUNT(build), ".c");
    if (!argv)
        return nashc_enomem(j->d);
    s = run(j, argv, p);
    tool_process_free(p);
    return s == NASHC_OK ? run(j, go, p) : s;
}

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
    j->stall = NASHC_NEW_N(j->a, int64_t, cap + 1);
    j->stall_name = NASHC_NEW_N(j->a, const char *, cap + 1);
    if (!j->done || !j->stall || !j->stall_name)
        return nashc_enomem(j->d);
    for (const char *p = text; p && *p; p += *p == '\n') {
        char name[128];
        int64_t a, b;
        if (sscanf(p, "first %" SCNd64, &a) == 1)
            j->first = a;
        else if (sscanf(p, "frame %" SCNd64 " %" SCNd64, &a, &b) == 2 && a >= 0 && a < j->frames)
            j->done[a] = b;
        else if (sscanf(p, "stall %127s %" SCNd64, name, &a) == 2) {
            j->stall_name[j->n_stalls] = nashc_arena_strdup(j->a, name);
            j->stall[j->n_stalls++] = a;
        } else if (strncmp(p, "PASS", 4) == 0)
            pass = true;
        else if (strncmp(p, "FAIL", 4) == 0)
            return nashc_error(j->d, NULL, "the simulated design failed: %.*s",
                               (int)strcspn(p, "\n"), p);
        p += strcspn(p, "\n");
    }
    return pass ? NASHC_OK : nashc_io_error(j->d, NULL, "the simulator ended without a result");
}

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
