/* cmd_pareto.c: nashc pareto: trained networks as points of accuracy against cost. */
#include "pareto.h"
#include <jansson.h>
#include <nashc/compile.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const nashc_param options[] = {
    {.name = "o", .def = "", .help = "folder of the result", .kind = NASHC_P_PATH},
    {.name = "device",
     .def = "",
     .help = "board or part; see `nashc list devices`; several are set side by side",
     .kind = NASHC_P_STRING,
     .flags = NASHC_P_REPEAT},
    {.name = "liberty",
     .def = "",
     .help = "cells of a chip, a Liberty file: area of each network's Verilog by Yosys, too",
     .kind = NASHC_P_PATH},
    {.name = "clock-ns",
     .def = "10",
     .domain = "0.01..1000000",
     .help = "clock period; not given: the usual one of each device",
     .kind = NASHC_P_FLOAT},
    {.name = "target-fps",
     .def = "",
     .help = "frames a second to fold for; several give a curve each",
     .kind = NASHC_P_STRING,
     .flags = NASHC_P_REPEAT},
    {.name = "group",
     .def = "",
     .help = "NAME=RUN,...: runs that are compared with the others",
     .kind = NASHC_P_STRING,
     .flags = NASHC_P_REPEAT},
    {0},
};

typedef struct job {
    nashc_ctx *ctx;
    nashc_diag *d;
    nashc_arena *a;
    const nashc_opts *opts;
    const char *const *run;
    int n_runs;
    const char *liberty; /* NULL: none */
    pareto p;
} job;

/* --- options --------------------------------------------------------------------------------- */

static nashc_status
take_rate(const job *j, const char *text, double *out)
{
    char *end;

    *out = strtod(text, &end);
    return *end || end == text || !(*out >= 0.0 && *out < 1e12)
               ? nashc_usage(j->d, "--target-fps \"%s\" is no number of frames",
                             nashc_quote(j->d, text))
               : NASHC_OK;
}

/* A goal, unless it is there already. */
static nashc_status
add_goal(job *j, const nashc_device *dev, double fps)
{
    bool own = !nashc_opts_given(j->opts, "clock-ns") && dev && dev->clk_ns > 0;
    pareto_goal g = {dev ? dev->name : NULL,
                     own ? dev->clk_ns : nashc_opts_float(j->opts, "clock-ns"), fps};

    for (int i = 0; i < j->p.n_goals; i++)
        if (j->p.goal[i].device == g.device && j->p.goal[i].fps == fps)
            return nashc_usage(j->d, "--device %s with --target-fps %g is given twice",
                               g.device ? g.device : "none", fps);
    j->p.goal[j->p.n_goals++] = g;
    return NASHC_OK;
}

/* Each device at each rate. */
static nashc_status
take_goals(job *j)
{
    int n = nashc_opts_n(j->opts, "target-fps"), m = nashc_opts_n(j->opts, "device");
    nashc_status s = NASHC_OK;

    j->p.goal = NASHC_NEW_N(j->a, pareto_goal, (n + 1) * (m + 1));
    if (!j->p.goal)
        return nashc_enomem(j->d);
    for (int i = 0; s == NASHC_OK && i < (m ? m : 1); i++) {
        const char *name = m ? nashc_opts_str_at(j->opts, "device", i) : "";
        const nashc_device *dev = *name ? nashc_lookup(j->ctx, NASHC_D_DEVICE, name, j->d) : NULL;
        if (*name && !dev)
            return NASHC_EUSAGE;
        for (int k = 0; s == NASHC_OK && k < (n ? n : 1); k++) {
            double fps = 0.0;
            s = n ? take_rate(j, nashc_opts_str_at(j->opts, "target-fps", k), &fps) : NASHC_OK;
            if (s == NASHC_OK)
                s = add_goal(j, dev, fps);
        }
    }
    return s;
}

/* The runs of "NAME=RUN,RUN" are among those of the command. */
static nashc_status
take_group(job *j, const char *text, const char **group_of)
{
    char *copy = nashc_arena_strdup(j->a, text), *rest = NULL;
    char *list = copy ? strchr(copy, '=') : NULL;

    if (!copy)
        return nashc_enomem(j->d);
    if (!list || list == copy)
        return nashc_usage(j->d, "--group \"%s\": expected NAME=RUN,...", nashc_quote(j->d, text));
    *list = 0;
    j->p.group[j->p.n_groups++] = copy;
    for (char *w = strtok_r(list + 1, ",", &rest); w; w = strtok_r(NULL, ",", &rest)) {
        int at = -1;
        for (int i = 0; i < j->n_runs; i++)
            if (strcmp(j->run[i], w) == 0)
                at = i;
        if (at < 0)
            return nashc_usage(j->d, "--group %s: \"%s\" is none of the runs", copy,
                               nashc_quote(j->d, w));
        if (group_of[at])
            return nashc_usage(j->d, "--group %s: \"%s\" is in a group already", copy,
                               nashc_quote(j->d, w));
        group_of[at] = copy;
    }
    return NASHC_OK;
}

/* --- one run --------------------------------------------------------------------------------- */

/* The best accuracy of metrics.json: that of best.onnx. */
static nashc_status
read_accuracy(const job *j, const char *run, double *out)
{
    nashc_loc loc = {.file = nashc_arena_printf(j->a, "%s/metrics.json", run)};
    char *text = NULL;
    size_t size = 0, i;
    json_t *row;

    if (!loc.file)
        return nashc_enomem(j->d);
    nashc_status s = nashc_file_read(loc.file, 1 << 28, &text, &size, j->d);
    if (s != NASHC_OK) {
        nashc_help(j->d, "a RUN is a folder that `nashc train` wrote");
        return s;
    }
    json_t *root = json_loadb(text, size, 0, NULL);
    nashc_mem_free(text);
    *out = -1.0;
    json_array_foreach(root, i, row)
    {
        double v = json_number_value(json_object_get(row, "accuracy"));
        *out = v > *out ? v : *out;
    }
    json_decref(root);
    return *out >= 0.0 && *out <= 1.0
               ? NASHC_OK
               : nashc_error(j->d, &loc, "there is no accuracy in it: nothing was trained");
}

static void
take_result(pareto_point *q, const nashc_compile_result *r)
{
    q->at[PARETO_LUT] = (double)r->cost->lut;
    q->at[PARETO_BRAM] = (double)r->cost->bram18;
    q->at[PARETO_DSP] = (double)r->cost->dsp;
    q->at[PARETO_FPS] = r->fps;
    q->ff = r->cost->ff;
    q->uram = r->cost->uram;
    q->latency = r->latency;
    q->fits = r->fits;
    q->reached = q->goal->fps <= 0.0 || r->fps >= q->goal->fps;
}

/* A target that is missed is a point, not a failure: compilation fills r before it refuses. */
static nashc_status
compile(job *j, const char *run, pareto_point *q)
{
    nashc_compile_options o = NASHC_COMPILE_DEFAULTS;
    nashc_compile_result r = {.struct_size = sizeof r};
    nashc_module *m = NULL;
    const char *model = nashc_arena_printf(j->a, "%s/best.onnx", run);
    int before = nashc_diag_count(j->d, NASHC_NOTE);

    o.device = q->goal->device;
    o.clock_ns = q->goal->clock_ns;
    o.target_fps = q->goal->fps;
    nashc_status s = model ? nashc_read_model(j->ctx, model, NULL, &m, j->d) : nashc_enomem(j->d);
    if (s == NASHC_OK)
        s = nashc_compile(&m, &o, &r, j->a, j->d);
    if (s == NASHC_EINPUT && r.graph) { /* too slow: a point that says so */
        nashc_diag_truncate(j->d, before);
        nashc_warning(j->d, NULL, "pareto-slow", "%s: %.6g frames a second of %g", run, r.fps,
                      q->goal->fps);
        s = NASHC_OK;
    }
    if (s == NASHC_OK)
        take_result(q, &r);
    if (m)
        nashc_module_free(m);
    tool_flush(j->ctx);
    return s;
}

/* --- area ------------------------------------------------------------------------------------ */

/* Runs nashc itself; what it says on its standard output, freed by the caller. NULL: reported. */
static char *
call_nashc(const job *j, const char *const *argv)
{
    tool_process p = {0};
    char *out = NULL;

    if (tool_process_run(argv, NULL, 0, &p, j->d) != NASHC_OK)
        return NULL;
    if (p.exit_status == 0) {
        out = p.out;
        p.out = NULL;
    } else {
        nashc_io_error(j->d, NULL, "nashc %s ended with %d: %.*s", argv[1], p.exit_status,
                       (int)strcspn(p.err, "\n"), p.err);
    }
    tool_process_free(&p);
    return out;
}

/* The network's Verilog through Yosys with the library. A NULL within argv ends it: without a
 * device nothing stands behind that place. */
static nashc_status
synthesize(const job *j, const char *model, const char *dir, pareto_point *q)
{
    const char *clock = nashc_arena_printf(j->a, "%.17g", q->goal->clock_ns);
    const char *fps = nashc_arena_printf(j->a, "%.17g", q->goal->fps);
    const char *compile[] = {"/proc/self/exe",
                             "compile",
                             model,
                             "-o",
                             dir,
                             "--verify",
                             "none",
                             "-q",
                             "--clock-ns",
                             clock,
                             "--target-fps",
                             fps,
                             q->goal->device ? "--device" : NULL,
                             q->goal->device,
                             NULL};
    const char *synth[] = {"/proc/self/exe", "synth",  dir,  "--liberty",
                           j->liberty,       "--json", "-q", NULL};

    if (!clock || !fps)
        return nashc_enomem(j->d);
    if (q->goal->fps <= 0.0) /* without a target */
        memmove(&compile[10], &compile[12], 3 * sizeof *compile);
    char *text = call_nashc(j, compile);
    free(text);
    text = text ? call_nashc(j, synth) : NULL;
    json_t *root = text ? json_loads(text, 0, NULL) : NULL;
    const json_t *area = json_object_get(json_object_get(root, "(top)"), "AREA");
    nashc_status s = !text  ? NASHC_EIO
                     : area ? NASHC_OK
                            : nashc_io_error(j->d, NULL, "%s: no area came out", model);
    q->at[PARETO_AREA] = json_number_value(area);
    json_decref(root);
    free(text);
    return s;
}

static nashc_status
measure_area(const job *j, pareto_point *q)
{
    const char *model = nashc_arena_printf(j->a, "%s/best.onnx", q->run);
    char *folder;
    nashc_status s = tool_temp_folder("pareto", j->a, &folder, j->d);

    if (s != NASHC_OK)
        return s;
    const char *dir = nashc_arena_printf(j->a, "%s/design", folder);
    s = model && dir ? synthesize(j, model, dir, q) : nashc_enomem(j->d);
    tool_temp_remove(folder);
    return s;
}

/* All runs are of tasks with one figure; a run that names none is one of accuracy. */
static nashc_status
read_figure(job *j, const char *run)
{
    nashc_loc loc = {.file = nashc_arena_printf(j->a, "%s/manifest.json", run)};
    json_t *root = loc.file ? json_load_file(loc.file, 0, NULL) : NULL;
    const char *name = json_string_value(json_object_get(root, "figure"));
    const char *mine =
        !name || strcmp(name, "top-1") == 0 ? "accuracy" : nashc_arena_strdup(j->a, name);
    nashc_status s = mine ? NASHC_OK : nashc_enomem(j->d);

    json_decref(root);
    if (s == NASHC_OK && j->p.figure && strcmp(j->p.figure, mine) != 0)
        return nashc_error(j->d, &loc, "this run is judged by %s, the first one by %s", mine,
                           j->p.figure);
    j->p.figure = mine;
    return s;
}

static nashc_status
all_points(job *j, const char *const *group_of)
{
    nashc_status s = NASHC_OK;
    int total = j->n_runs * j->p.n_goals;

    j->p.point = NASHC_NEW_N(j->a, pareto_point, total + 1);
    if (!j->p.point)
        return nashc_enomem(j->d);
    for (int i = 0; s == NASHC_OK && i < j->n_runs; i++) {
        double accuracy = 0.0;
        s = read_accuracy(j, j->run[i], &accuracy);
        if (s == NASHC_OK)
            s = read_figure(j, j->run[i]);
        for (int t = 0; s == NASHC_OK && t < j->p.n_goals; t++) {
            pareto_point *q = &j->p.point[j->p.n];
            tool_progress("networks", j->p.n, total);
            *q = (pareto_point){.run = j->run[i],
                                .group = group_of[i],
                                .goal = &j->p.goal[t],
                                .accuracy = accuracy};
            s = compile(j, j->run[i], q);
            if (s == NASHC_OK && j->liberty)
                s = measure_area(j, q);
            j->p.n += s == NASHC_OK;
        }
    }
    tool_progress("networks", total, total);
    return s;
}

/* --- result ---------------------------------------------------------------------------------- */

static json_t *
result_json(const job *j)
{
    json_t *root = json_object(), *points = json_array(), *volumes = json_array();

    for (int i = 0; i < j->p.n; i++) {
        const pareto_point *q = &j->p.point[i];
        json_t *x =
            json_pack("{s:s,s:s?,s:f,s:f,s:f,s:b,s:b}", "run", q->run, "device", q->goal->device,
                      "clock_ns", q->goal->clock_ns, "target_fps", q->goal->fps, "accuracy",
                      q->accuracy, "fits", q->fits, "reached", q->reached);
        json_t *front = json_array();
        json_object_set_new(x, "group", q->group ? json_string(q->group) : json_null());
        for (int a = 0; a < j->p.n_axes; a++) {
            json_object_set_new(x, pareto_keys[a], json_real(q->at[a]));
            if (q->front[a])
                json_array_append_new(front, json_string(pareto_keys[a]));
        }
        json_object_set_new(x, "front", front);
        json_array_append_new(points, x);
    }
    for (int t = 0; t < j->p.n_goals; t++)
        for (int g = -1; g < j->p.n_groups; g++) {
            json_t *x = json_pack("{s:s?,s:f}", "device", j->p.goal[t].device, "target_fps",
                                  j->p.goal[t].fps);
            json_object_set_new(x, "without", g < 0 ? json_null() : json_string(j->p.group[g]));
            for (int a = 0; a < j->p.n_axes; a++)
                json_object_set_new(
                    x, pareto_keys[a],
                    json_real(pareto_hypervolume(&j->p, (pareto_axis)a, &j->p.goal[t],
                                                 g < 0 ? NULL : j->p.group[g])));
            json_array_append_new(volumes, x);
        }
    json_object_set_new(root, "figure", json_string(j->p.figure));
    json_object_set_new(root, "points", points);
    json_object_set_new(root, "hypervolume", volumes);
    return root;
}

static void
print_text(const job *j)
{
    char text[200];

    printf("%-32s %-28s %9s %9s %8s %6s %12s%s  front\n", "run", "target", j->p.figure, "LUT",
           "BRAM18", "DSP", "frames/s", j->p.library ? "         area" : "");
    for (int i = 0; i < j->p.n; i++) {
        const pareto_point *q = &j->p.point[i];
        printf("%-32s %-28s %7.2f %% %9.0f %8.0f %6.0f %12.6g", q->run,
               pareto_goal_name(&j->p, q->goal, text), 100.0 * q->accuracy, q->at[0], q->at[1],
               q->at[2], q->at[3]);
        if (j->p.library)
            printf(" %12.6g", q->at[PARETO_AREA]);
        printf(" ");
        for (int a = 0; a < j->p.n_axes; a++)
            printf("%s%s", q->front[a] ? " " : "", q->front[a] ? pareto_keys[a] : "");
        printf("%s%s\n", q->fits ? "" : " (does not fit)",
               q->reached ? "" : " (misses the target)");
    }
    for (int t = 0; t < j->p.n_goals; t++)
        for (int g = -1; g < j->p.n_groups; g++) {
            printf("hypervolume at %s%s%s:", pareto_goal_name(&j->p, &j->p.goal[t], text),
                   g < 0 ? "" : " without ", g < 0 ? "" : j->p.group[g]);
            for (int a = 0; a < j->p.n_axes; a++)
                printf(" %s %.4f", pareto_keys[a],
                       pareto_hypervolume(&j->p, (pareto_axis)a, &j->p.goal[t],
                                          g < 0 ? NULL : j->p.group[g]));
            printf("\n");
        }
}

static nashc_status
write_manifest(const job *j, const char *dir)
{
    char path[4096];
    json_t *root = result_json(j);

    json_object_set_new(root, "nashc", json_string(NASHC_VERSION));
    json_object_set_new(root, "kind", json_string("pareto"));
    if (j->p.library)
        json_object_set_new(root, "library", json_string(j->p.library));
    char *text = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    json_decref(root);
    snprintf(path, sizeof path, "%s/manifest.json", dir);
    nashc_outfile *f = text ? nashc_out_open(path, j->d) : NULL;
    if (f)
        nashc_out_printf(f, "%s\n", text);
    free(text);
    return f ? nashc_out_commit(f, j->d) : NASHC_EIO;
}

/* The folder appears whole, or not at all. */
static nashc_status
write_all(const job *j)
{
    nashc_outdir *dir = nashc_outdir_open(nashc_opts_str(j->opts, "o"), j->d);

    if (!dir)
        return NASHC_EIO;
    const char *path = nashc_outdir_path(dir);
    nashc_status s = pareto_write_csv(&j->p, path, j->d);
    if (s == NASHC_OK)
        s = pareto_write_svg(&j->p, path, j->d);
    if (s == NASHC_OK)
        s = pareto_write_html(&j->p, path, j->d);
    if (s == NASHC_OK)
        s = write_manifest(j, path);
    if (s == NASHC_OK)
        return nashc_outdir_commit(dir, j->d);
    nashc_outdir_drop(dir);
    return s;
}

static void
print(const job *j)
{
    if (!tool_json()) {
        print_text(j);
        return;
    }
    json_t *root = result_json(j);
    char *text = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    printf("%s\n", text ? text : "{}");
    free(text);
    json_decref(root);
}

static nashc_status
set_up(job *j, const char **group_of)
{
    const char *liberty = nashc_opts_str(j->opts, "liberty");
    nashc_status s = take_goals(j);

    if (s != NASHC_OK)
        return s;
    j->liberty = *liberty ? liberty : NULL;
    if (j->liberty)
        j->p.library = strrchr(liberty, '/') ? strrchr(liberty, '/') + 1 : liberty;
    j->p.n_axes = j->liberty ? PARETO_N : PARETO_AREA;
    j->p.group = NASHC_NEW_N(j->a, const char *, nashc_opts_n(j->opts, "group") + 1);
    if (!j->p.group)
        return nashc_enomem(j->d);
    for (int i = 0; s == NASHC_OK && i < nashc_opts_n(j->opts, "group"); i++)
        s = take_group(j, nashc_opts_str_at(j->opts, "group", i), group_of);
    return s;
}

static int
pareto_main(nashc_ctx *c, const nashc_opts *o, int n_args, const char *const *args)
{
    job j = {.ctx = c,
             .d = nashc_ctx_diag(c),
             .a = nashc_arena_create(),
             .opts = o,
             .run = args,
             .n_runs = n_args};
    const char **group_of = j.a ? NASHC_NEW_N(j.a, const char *, n_args + 1) : NULL;
    nashc_status s = group_of ? NASHC_OK : nashc_enomem(j.d);

    if (s == NASHC_OK && !*nashc_opts_str(o, "o"))
        s = nashc_usage(j.d, "pareto needs -o");
    if (s == NASHC_OK)
        s = set_up(&j, group_of);
    if (s == NASHC_OK)
        s = all_points(&j, group_of);
    if (s == NASHC_OK) {
        pareto_mark(&j.p);
        s = write_all(&j);
    }
    if (s == NASHC_OK)
        print(&j);
    nashc_arena_free(j.a);
    return nashc_status_exit(s);
}

extern const nashc_command nashc_command_pareto;

const nashc_command nashc_command_pareto = {
    NASHC_DESC(nashc_command),
    .name = "pareto",
    .help = "accuracy of trained networks against what their hardware costs",
    .usage = "RUN... -o DIR [options]",
    .example =
        "nashc pareto base found random -o pareto --device U250 --target-fps 1000 "
        "--group nash=found\n"
        "nashc pareto r18 mobilenet --device ice40-up5k --device ecp5-25k --liberty cells.lib "
        "-o pareto",
    .options = options,
    .min_args = 1,
    .max_args = -1,
    .main = pareto_main,
};
