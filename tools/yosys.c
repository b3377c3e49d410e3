/* yosys.c: one layer of a design through Yosys: its cells, or why there are none. */
#define _DEFAULT_SOURCE 1 /* realpath */
#include "yosys.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* Cells of a family by the prefix of their names; the first match counts. */
struct yosys_cell {
    const char *prefix;
    int lut, ff, bram18, uram, dsp;
};
typedef struct yosys_cell cell;

static const cell xilinx_cells[] = {
    {"LUT", 1, 0, 0, 0, 0},
    {"RAM32M16", 8, 0, 0, 0, 0},
    {"RAM64M8", 8, 0, 0, 0, 0},
    {"RAM32M", 4, 0, 0, 0, 0},
    {"RAM64M", 4, 0, 0, 0, 0},
    {"RAM128X1D", 4, 0, 0, 0, 0},
    {"RAM64X1D", 2, 0, 0, 0, 0},
    {"RAM32X1D", 2, 0, 0, 0, 0},
    {"RAM256X1", 4, 0, 0, 0, 0},
    {"RAM32X1S", 1, 0, 0, 0, 0},
    {"RAM64X1S", 1, 0, 0, 0, 0},
    {"RAM128X1S", 2, 0, 0, 0, 0},
    {"RAM512X1", 8, 0, 0, 0, 0},
    {"RAM", 0, 0, 0, 0, 0},
    {"SRL", 1, 0, 0, 0, 0},
    {"FD", 0, 1, 0, 0, 0},
    {"DSP", 0, 0, 0, 0, 1},
    {"URAM", 0, 0, 0, 1, 0},
    {0},
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

static const yosys_family families[] = {
    {"xcup", "synth_xilinx -flatten -family xcup", xilinx_cells},
    {"xc7", "synth_xilinx -flatten -family xc7", xilinx_cells},
    {"ice40", "synth_ice40 -dsp", ice40_cells},
    {"ecp5", "synth_ecp5", ecp5_cells},
};

/* Cells of a library: memories become registers and gates, values before the reset are not there.
 */
static const yosys_family asic = {"asic", "synth -flatten", NULL};

const yosys_family *
yosys_find_family(const char *name)
{
    for (size_t i = 0; i < NASHC_COUNT(families); i++)
        if (strcmp(families[i].name, name) == 0)
            return &families[i];
    return NULL;
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

/* The last "Chip area for ...: X" of the text; false: there is none. */
static bool
read_area(const char *text, double *out)
{
    static const char words[] = "Chip area for";
    bool found = false;

    for (const char *p = strstr(text, words); p; p = strstr(p, words)) {
        p += strcspn(p, "\n:");
        while (*p && *p != '\n' && strspn(p, ":' \t") == 0)
            p++;
        p += strspn(p, ":' \t");
        *out = strtod(p, NULL);
        found = true;
    }
    return found;
}

/* The statistics lie between the first and the last brace. */
static nashc_status
read_stat(const yosys_job *j, const char *text, yosys_figures *out)
{
    const char *from = strchr(text, '{'), *to = strrchr(text, '}');
    json_t *root = from && to ? json_loadb(from, (size_t)(to - from) + 1, 0, NULL) : NULL;
    const json_t *design = json_object_get(root, "design");
    const json_t *cells = json_object_get(design, "num_cells_by_type");
    nashc_status s = NASHC_OK;

    if (cells && j->family->cells)
        count_cells(j->family->cells, cells, &out->cost);
    if (cells && j->liberty && !read_area(text, &out->area))
        s = nashc_io_error(j->d, NULL, "Yosys wrote no area");
    out->gates = (uint64_t)json_integer_value(json_object_get(design, "num_cells"));
    if (!cells)
        s = nashc_io_error(j->d, NULL, "Yosys wrote no statistics");
    json_decref(root);
    return s;
}

/* --- why there are none ----------------------------------------------------------------------- */

/* The last line of text that holds something; "" if none does. */
static const char *
last_line(const char *text, int *len)
{
    const char *found = "";

    *len = 0;
    for (const char *p = text; *p; p += *p == '\n') {
        int n = (int)strcspn(p, "\n");
        if (strspn(p, " \t") < (size_t)n) {
            found = p;
            *len = n;
        }
        p += n;
    }
    return found;
}

/* Under a limit of address space an allocation fails, which ends Yosys by abort (6) or by a null
 * pointer (11); 9 is the kernel's killer. */
static bool
out_of_memory(const yosys_job *j, const tool_process *p)
{
    return strstr(p->err, "bad_alloc") || strstr(p->err, "Cannot allocate memory") ||
           strstr(p->out, "bad_alloc") || p->exit_status == 128 + 9 ||
           (j->memory > 0 && (p->exit_status == 128 + 6 || p->exit_status == 128 + 11));
}

/* In words, owned by j->a: our limit, Yosys's own words, memory, then the bare status. */
static const char *
reason(const yosys_job *j, const tool_process *p)
{
    const char *error = strstr(p->err, "ERROR");
    int len;

    if (p->timed_out)
        return nashc_arena_printf(j->a, "not done within %.0f s (--layer-time)", j->seconds);
    if (error)
        return nashc_arena_printf(j->a, "%.*s", (int)strcspn(error, "\n"), error);
    if (out_of_memory(j, p))
        return j->memory > 0 ? nashc_arena_printf(j->a, "needs more than %llu MiB (--layer-memory)",
                                                  (unsigned long long)(j->memory >> 20))
                             : nashc_arena_printf(j->a, "memory ran out");
    error = last_line(p->err[0] ? p->err : p->out, &len);
    if (p->exit_status > 128)
        return nashc_arena_printf(j->a, "ended by signal %d%s%.*s", p->exit_status - 128,
                                  len > 0 ? " behind: " : ", without a word", len, error);
    return nashc_arena_printf(j->a, "exit status %d%s%.*s", p->exit_status,
                              len > 0 ? ": " : " and not a word", len, error);
}

/* The whole path, as Yosys runs in another folder; and a look inside, so that a file of another
 * kind is told plainly. */
nashc_status
yosys_use_liberty(yosys_job *j, const char *path)
{
    nashc_loc loc = {.file = path};
    char *full = realpath(path, NULL), *text = NULL;
    size_t size;
    nashc_status s = full ? NASHC_OK : nashc_io_error(j->d, &loc, "the file cannot be read");

    if (s == NASHC_OK && strpbrk(full, "\"\n"))
        s = nashc_error(j->d, &loc, "Yosys takes no quotes in names");
    if (s == NASHC_OK)
        s = nashc_file_read(full, NASHC_MAX_BYTES, &text, &size, j->d);
    if (s == NASHC_OK && (memchr(text, 0, size) || !strstr(text, "library")))
        s = nashc_error(j->d, &loc, "this is no Liberty file: there is no \"library\" in it");
    if (s == NASHC_OK) {
        j->family = &asic;
        j->liberty = nashc_arena_strdup(j->a, full);
        s = j->liberty ? NASHC_OK : nashc_enomem(j->d);
    }
    nashc_mem_free(text);
    free(full);
    return s;
}

/* From sources to figures on standard output. -defer: parameters are known where modules are
 * instantiated. Of a library `stat -liberty` knows the areas, `stat -json` all else. */
static const char *
script_of(const yosys_job *j, const char *name)
{
    if (!j->liberty)
        return nashc_arena_printf(j->a,
                                  "read_verilog -defer *.v; %s -top %s_%s; "
                                  "tee -o /dev/stdout stat -json",
                                  j->family->command, j->top, name);
    return nashc_arena_printf(j->a,
                              "read_verilog -defer *.v; %s -top %s_%s; attrmap -remove init; "
                              "dfflibmap -liberty \"%s\"; abc -liberty \"%s\"; clean; "
                              "tee -o /dev/stdout stat -liberty \"%s\"; "
                              "tee -o /dev/stdout stat -json",
                              j->family->command, j->top, name, j->liberty, j->liberty, j->liberty);
}

/* OK with *why: Yosys did not do it, which is a result. Other statuses are of ours. */
nashc_status
yosys_layer(const yosys_job *j, const char *name, yosys_figures *out, const char **why)
{
    const char *rtl = nashc_arena_printf(j->a, "%s/rtl", j->dir);
    tool_process p = {.max_memory = j->memory};
    const char *script = script_of(j, name);
    const char *const argv[] = {"yosys", "-q", "-p", script, NULL};
    nashc_status s =
        rtl && script ? tool_process_run(argv, rtl, j->seconds, &p, j->d) : nashc_enomem(j->d);

    *why = NULL;
    if (s == NASHC_OK && (p.exit_status != 0 || p.timed_out))
        *why = reason(j, &p);
    else if (s == NASHC_OK)
        s = read_stat(j, p.out, out);
    tool_process_free(&p);
    return s;
}

nashc_status
yosys_version(yosys_job *j)
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
    j->version = nashc_arena_printf(j->a, "%.*s", (int)n, p.out);
    tool_process_free(&p);
    return NASHC_OK;
}
