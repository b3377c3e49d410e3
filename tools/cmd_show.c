/* cmd_show.c: nashc show: prints or draws a graph. */
#include "tool.h"
#include <string.h>

#define MAX_PICTURE ((int64_t)1 << 30)

static const nashc_param options[] = {
    {.name = "format",
     .def = "",
     .help = "text, or a backend that writes one file: dot, svg, html ...; by the suffix of -o if "
             "not given",
     .kind = NASHC_P_STRING},
    {.name = "o", .def = "-", .help = "output; - is standard output", .kind = NASHC_P_PATH},
    {.name = "passes", .def = "", .help = "run this pipeline first", .kind = NASHC_P_STRING},
    TOOL_BACKEND_OPTION,
    TOOL_LOAD_OPTIONS,
    {0},
};

/* Lets the backend write a temporary file and copies that to standard output. */
static nashc_status
write_to_stdout(const nashc_backend *be, const nashc_module *m, const char *const *pairs,
                nashc_arena *a, nashc_diag *d)
{
    char *folder, *data = NULL;
    size_t size = 0;
    nashc_status s = tool_temp_folder("show", a, &folder, d);
    if (s != NASHC_OK)
        return s;
    const char *path = nashc_arena_printf(a, "%s/out", folder);
    s = path ? nashc_write_by(be, m, path, pairs, d) : nashc_enomem(d);
    if (s == NASHC_OK)
        s = nashc_file_read(path, MAX_PICTURE, &data, &size, d);
    if (s == NASHC_OK)
        fwrite(data, 1, size, stdout);
    nashc_mem_free(data);
    tool_temp_remove(folder);
    return s;
}

/* Without --format the suffix of -o decides, as for `opt`. A backend without suffixes writes a
 * folder, for which `compile` is there. */
static nashc_status
show(nashc_ctx *c, const nashc_module *m, const nashc_opts *o, nashc_arena *a)
{
    nashc_diag *d = nashc_ctx_diag(c);
    const char *format = nashc_opts_str(o, "format"), *out = nashc_opts_str(o, "o");
    const char *const *pairs = tool_list(o, "backend-option", a);
    if (!pairs)
        return nashc_enomem(d);
    if (!format[0])
        return nashc_write_model_opts(m, out, pairs, d);
    if (strcmp(format, "text") == 0)
        return *pairs ? nashc_usage(d, "--format text takes no --backend-option")
                      : nashc_write_nashir(m, out, d);
    const nashc_backend *be = nashc_lookup(c, NASHC_D_BACKEND, format, d);
    if (!be)
        return NASHC_EUSAGE;
    if (!be->suffixes)
        return nashc_usage(d, "backend \"%s\" writes a folder: use `nashc compile`", be->name);
    return strcmp(out, "-") == 0 ? write_to_stdout(be, m, pairs, a, d)
                                 : nashc_write_by(be, m, out, pairs, d);
}

static int
show_main(nashc_ctx *c, const nashc_opts *o, int n_args, const char *const *args)
{
    nashc_diag *d = nashc_ctx_diag(c);
    nashc_module *m = NULL;
    nashc_arena *a = nashc_arena_create();
    (void)n_args;
    nashc_status s = a ? tool_load(c, o, args[0], &m) : nashc_enomem(d);
    if (s == NASHC_OK && nashc_opts_given(o, "passes"))
        s = nashc_run_pipeline(&m, nashc_opts_str(o, "passes"), NULL, d);
    if (s == NASHC_OK)
        s = show(c, m, o, a);
    nashc_module_free(m);
    nashc_arena_free(a);
    return nashc_status_exit(s);
}

const nashc_command nashc_command_show = {
    NASHC_DESC(nashc_command),
    .name = "show",
    .help = "print or draw a graph",
    .usage = "MODEL [--format text|dot|svg|html] [-o FILE]",
    .example = "nashc show net.onnx\nnashc show net.onnx -o net.svg\n"
               "nashc show net.onnx --passes=streamline --format html -o net.html",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .main = show_main,
};
