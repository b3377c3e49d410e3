/* verilate.c: the bench of a design as a program, by Verilator and make; kept for the next time.
 *
 * What Verilator writes is cut into files that make compiles side by side. -O1 builds three times
 * as fast as Verilator's -Os and runs about as fast; code that runs once is not optimised at all.
 * Frames, seed and progress are told to the program as it starts, so that one build serves all.
 */
#include "simulate.h"
#include <dirent.h>
#include <sha2.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SPLIT "20000" /* operations in a file, about */

static void
hash_text(SHA2_CTX *c, const char *s)
{
    SHA256Update(c, (const uint8_t *)s, strlen(s) + 1);
}

/* Of the versions, the command and all sources, which are the arguments that end in ".v". */
static nashc_status
make_key(sim_job *j, const char *const *argv, char key[SHA256_DIGEST_STRING_LENGTH])
{
    static const char *const version[] = {"verilator", "--version", NULL};
    tool_process p = {0};
    nashc_status s = tool_process_run(version, NULL, 0, &p, j->d);
    SHA2_CTX c;

    SHA256Init(&c);
    hash_text(&c, NASHC_VERSION);
    hash_text(&c, s == NASHC_OK ? p.out : "");
    for (; s == NASHC_OK && *argv; argv++) {
        size_t len = strlen(*argv), size;
        char *data;
        hash_text(&c, *argv);
        if (len < 2 || strcmp(*argv + len - 2, ".v") != 0)
            continue;
        s = nashc_file_read(nashc_arena_printf(j->a, "%s/%s", j->folder, *argv), NASHC_MAX_BYTES,
                            &data, &size, j->d);
        if (s == NASHC_OK) {
            uint64_t n = size; /* so that files cannot run into each other */
            SHA256Update(&c, (const uint8_t *)&n, sizeof n);
            SHA256Update(&c, (const uint8_t *)data, size);
            nashc_mem_free(data);
        }
    }
    SHA256End(&c, key);
    tool_process_free(&p);
    return s;
}

/* --- building -----------------------------------------------------------------------------------
 */

typedef struct building {
    const char *what;
    int64_t done, total; /* files */
    bool in_line;        /* the line that goes on in the next piece was counted */
} building;

/* make says each command before it runs it. */
static void
watch(void *user, const char *text, size_t n)
{
    building *b = user;

    for (size_t i = 0; i < n; i++) {
        if (text[i] == '\n')
            b->in_line = false;
        else if (!b->in_line && i + 4 <= n && memcmp(text + i, " -c ", 4) == 0) {
            b->in_line = true;
            b->done++;
        }
    }
    if (b->done >= b->total)
        b->total = b->done + 1;
    tool_progress(b->what, b->done > 0 ? b->done - 1 : 0, b->total);
}

/* An estimate for the bar: make compiles each file once. */
static int64_t
count_files(sim_job *j, const char *folder)
{
    const char *path = nashc_arena_printf(j->a, "%s/%s", j->folder, folder);
    DIR *dir = path ? opendir(path) : NULL;
    struct dirent *e;
    int64_t n = 2; /* of Verilator itself */

    while (dir && (e = readdir(dir)))
        n += strlen(e->d_name) > 4 && strcmp(e->d_name + strlen(e->d_name) - 4, ".cpp") == 0;
    if (dir)
        closedir(dir);
    return n;
}

static nashc_status
build_step(sim_job *j, const char *const *argv, const char *what, int64_t total)
{
    building b = {.what = what, .total = total};
    tool_process p = {.watch = watch, .user = &b};

    tool_progress(what, 0, total);
    nashc_status s = sim_run_program(j, argv, &p);
    tool_progress(what, b.total, b.total);
    tool_process_free(&p);
    return s;
}

static nashc_status
build(sim_job *j, const char *const *argv)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    const char *const make[] = {"make",
                                "-C",
                                "obj",
                                "-f",
                                nashc_arena_printf(j->a, "Vtb_%s.mk", j->top),
                                "OPT_FAST=-O1",
                                "OPT_SLOW=-O0",
                                nashc_arena_printf(j->a, "-j%ld", cpus > 0 ? cpus : 1),
                                NULL};
    nashc_status s = build_step(j, argv, "verilator", 1);

    return s == NASHC_OK ? build_step(j, make, "files compiled", count_files(j, "obj")) : s;
}

nashc_status
sim_verilate(sim_job *j, const char **program)
{
    bool fst = sim_wave_is_fst(j);
    const char *command[] = {
        "verilator",
        "--cc",
        "--exe",
        "--main",
        "--timing",
        "-O3",
        "-fno-localize", /* 5.006 makes the file that $fscanf reads a local variable */
        "-Wno-fatal",
        "-Wno-lint",
        "-Wno-style",
        "-Wno-TIMESCALEMOD",
        "--output-split",
        SPLIT,
        "--Mdir",
        "obj",
        "-o",
        "sim",
        "--top-module",
        nashc_arena_printf(j->a, "tb_%s", j->top),
        "-GCHECK=0",
        j->wave[0] ? "-GWAVE=1" : "-GWAVE=0",
        "-GMEM_DIR=\"rtl\"",
        !j->wave[0] ? "--no-trace"
        : fst       ? "--trace-fst"
                    : "--trace",
        "-GW_DIR=\"weights\"", /* only where it is known */
    };
    const char **argv =
        sim_with_sources(j, command, (int)NASHC_COUNT(command) - (j->n_weights == 0), ".v");
    char key[SHA256_DIGEST_STRING_LENGTH];
    nashc_status s = argv ? make_key(j, argv, key) : nashc_enomem(j->d);

    if (s != NASHC_OK || (*program = tool_cache_find(j->cache, key, j->a)))
        return s;
    *program = nashc_arena_printf(j->a, "%s/obj/sim", j->folder);
    s = build(j, argv);
    if (s == NASHC_OK && j->cache)
        tool_cache_keep(j->cache, key, *program, j->a);
    return s;
}
