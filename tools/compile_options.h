/* compile_options.h: what compile and estimate are asked for, as options of nashc_compile. */
#ifndef NASHC_TOOL_COMPILE_OPTIONS_H
#define NASHC_TOOL_COMPILE_OPTIONS_H

#include "tool.h"
#include <jansson.h>

/* Options of both commands; rows of their schemas. */
#define COMPILE_OPTIONS                                                                            \
    {.name = "device",                                                                             \
     .def = "",                                                                                    \
     .help = "board or part; see `nashc list devices`",                                            \
     .kind = NASHC_P_STRING},                                                                      \
        {.name = "clock-ns",                                                                       \
         .def = "10",                                                                              \
         .help = "clock period; not given: the usual one of the device",                           \
         .kind = NASHC_P_FLOAT},                                                                   \
        {.name = "target-fps",                                                                     \
         .def = "0",                                                                               \
         .help = "fold until so many frames a second; 0: at most 64 multipliers a layer",          \
         .kind = NASHC_P_FLOAT},                                                                   \
        {.name = "mvau-wwidth-max",                                                                \
         .def = "0",                                                                               \
         .domain = "0..",                                                                          \
         .help = "most weight bits a PE reads a cycle; 0: no limit",                               \
         .kind = NASHC_P_INT},                                                                     \
        {.name = "mul",                                                                            \
         .def = "auto",                                                                            \
         .domain = "auto|lut|dsp",                                                                 \
         .help = "what multiplies: LUTs, DSP blocks, or as the device has room",                   \
         .kind = NASHC_P_ENUM},                                                                    \
        {.name = "adder-graphs",                                                                   \
         .def = "auto",                                                                            \
         .domain = "auto|off|on",                                                                  \
         .help = "constant weights as additions: where cheaper, nowhere, wherever they can be",    \
         .kind = NASHC_P_ENUM},                                                                    \
        {.name = "zero-words",                                                                     \
         .def = "auto",                                                                            \
         .domain = "auto|read|skip",                                                               \
         .help = "all-zero weight words: no step where that saves, a step, no step",               \
         .kind = NASHC_P_ENUM},                                                                    \
        {.name = "fit",                                                                            \
         .def = "false",                                                                           \
         .help = "in place of a target: most frames a second that the device has room for",        \
         .kind = NASHC_P_BOOL},                                                                    \
        {.name = "fill",                                                                           \
         .def = "0",                                                                               \
         .help = "--fit: per cent of each resource to fill; 0: what the device allows planners",   \
         .kind = NASHC_P_FLOAT},                                                                   \
        {.name = "folding",                                                                        \
         .def = "",                                                                                \
         .help = "FINN folding file; or exact (default) or compat, how to choose",                 \
         .kind = NASHC_P_PATH},                                                                    \
        {.name = "mem-mode",                                                                       \
         .def = "",                                                                                \
         .help = "where weights live: internal_decoupled, internal_embedded or external",          \
         .kind = NASHC_P_STRING},                                                                  \
        {.name = "runtime-writeable-weights",                                                      \
         .def = "false",                                                                           \
         .help = "AXI-Lite can replace the weights of all layers",                                 \
         .kind = NASHC_P_BOOL},                                                                    \
        {.name = "finn-config",                                                                    \
         .def = "",                                                                                \
         .help = "FINN dataflow_build_config.json",                                                \
         .kind = NASHC_P_PATH},                                                                    \
        {.name = "passes",                                                                         \
         .def = "",                                                                                \
         .help = "pipeline in place of the default one, which is `compile`",                       \
         .kind = NASHC_P_STRING},                                                                  \
        TOOL_EXTRA_PASSES

/* Takes these options, those of TOOL_INPUT_OPTIONS and --finn-config (keys that do not apply are
 * noted). pm is zeroed and becomes out->pm; all is owned by a. Not checked: nashc_compile_check. */
nashc_status compile_options_take(nashc_compile_options *out, nashc_pm_options *pm, nashc_ctx *c,
                                  const nashc_opts *o, nashc_arena *a);

/* What of r->device is needed, in per cent: a line of the terminal, and an object with null where
 * the device has nothing of what is needed. Nothing, and NULL, without a device. */
void compile_print_demand(const nashc_compile_result *r);
json_t *compile_demand_json(const nashc_compile_result *r);

/* finn_config.c: takes the keys of a FINN dataflow_build_config.json that have no option of their
 * own in o. Strings are owned by a. EINPUT: not such a file. */
nashc_status finn_config_take(nashc_compile_options *out, const char *path, nashc_ctx *c,
                              const nashc_opts *o, nashc_arena *a);

#endif
