/* hwflow.h: from a model to a folded hardware graph: what compile and estimate share. */
#ifndef NASHC_TOOL_HWFLOW_H
#define NASHC_TOOL_HWFLOW_H

#include "tool.h"

/* Options of both commands; rows of their schemas. */
#define HWFLOW_OPTIONS                                                                             \
    {.name = "device",                                                                             \
     .def = "",                                                                                    \
     .help = "board or part; see `nashc list devices`",                                            \
     .kind = NASHC_P_STRING},                                                                      \
        {.name = "clock-ns", .def = "10", .help = "clock period", .kind = NASHC_P_FLOAT},          \
        {.name = "target-fps",                                                                     \
         .def = "0",                                                                               \
         .help = "fold until so many frames a second; 0: at most 64 multipliers a layer",          \
         .kind = NASHC_P_FLOAT},                                                                   \
        {.name = "mvau-wwidth-max",                                                                \
         .def = "0",                                                                               \
         .domain = "0..",                                                                          \
         .help = "most weight bits a PE reads a cycle; 0: no limit",                               \
         .kind = NASHC_P_INT},                                                                     \
        {.name = "folding",                                                                        \
         .def = "",                                                                                \
         .help = "FINN folding file; or exact (default) or compat, how to choose",                 \
         .kind = NASHC_P_PATH},                                                                    \
        {.name = "finn-config",                                                                    \
         .def = "",                                                                                \
         .help = "FINN dataflow_build_config.json",                                                \
         .kind = NASHC_P_PATH},                                                                    \
    {                                                                                              \
        .name = "passes", .def = "", .help = "pipeline in place of the default one",               \
        .kind = NASHC_P_STRING                                                                     \
    }

typedef struct hwflow {
    nashc_ctx *ctx;
    nashc_diag *d;
    nashc_arena *a;
    const nashc_opts *o;
    const nashc_backend *backend; /* whose layers are meant */
    const nashc_device *device;   /* NULL: none given */
    double clk_ns, fps;
    int64_t wwidth_max;
    const char *folding; /* file, "" if none */
    bool compat, two_pass;
    nashc_module *m;
} hwflow;

/* Takes options and --finn-config (keys that do not apply are noted). h is zeroed before. */
nashc_status hwflow_options(hwflow *h, nashc_ctx *c, const nashc_opts *o, nashc_arena *a);

/* The passes for m: those of --passes; none for a graph of layers without a folding file; else the
 * default. Owned by h->a; NULL: reported. */
const char *hwflow_passes(hwflow *h, nashc_status *s);

/* Checks the target and the device against the result; flow is the simulation of the graph. */
nashc_status hwflow_check(hwflow *h, const nashc_graph *f, const nashc_flow_result *flow);

/* Costs of all layers of f. */
nashc_cost hwflow_cost(const hwflow *h, const nashc_graph *f);

#endif
