/* cmd_export.c: nashc export: a model as another program's file, by a backend that writes one file.
 */
#include "tool.h"
#include <string.h>

static const nashc_param options[] = {
    {.name = "to",
     .def = NULL,
     .help = "a backend that writes one file: ngt, python, qonnx, brevitas ...; see "
             "`nashc list backends`",
     .kind = NASHC_P_STRING},
    {.name = "o", .def = NULL, .help = "output", .kind = NASHC_P_PATH},
    TOOL_LOAD_OPTIONS,
    {0},
};

/* QONNX is what the ONNX writer writes. */
static const char *
backend_name(const char *to)
{
    return strcmp(to, "qonnx") == 0 ? "onnx" : to;
}

static int
export_main(nashc_ctx *c, const nashc_opts *o, int n_args, const char *const *args)
{
    nashc_diag *d = nashc_ctx_diag(c);
    nashc_module *m = NULL;
    const char *to = nashc_opts_str(o, "to");
    const nashc_backend *be = nashc_lookup(c, NASHC_D_BACKEND, backend_name(to), d);
    (void)n_args;
    if (!be)
        return nashc_status_exit(NASHC_EUSAGE);
    if (!be->suffixes)
        return nashc_status_exit(
            nashc_usage(d, "backend \"%s\" writes a folder: use `nashc compile`", be->name));
    nashc_status s = tool_load(c, o, args[0], &m);
    if (s == NASHC_OK)
        s = nashc_write_by(be, m, nashc_opts_str(o, "o"), NULL, d);
    nashc_module_free(m);
    return nashc_status_exit(s);
}

const nashc_command nashc_command_export = {
    NASHC_DESC(nashc_command),
    .name = "export",
    .help = "write a model for another program",
    .usage = "MODEL --to ngt|python|qonnx|brevitas|... -o FILE [options]",
    .example = "nashc export net.ngt --to python -o genotype.py\n"
               "nashc export net.ngt --weights w.npz --to qonnx -o net.onnx\n"
               "nashc export net.ngt --to brevitas -o train.py",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .main = export_main,
};
