/* set_weights.c: where the weights of all layers live, whether they can be written, and whether
 * words of zeros take a step: FINN's mem_mode and runtime_writeable_weights, and our zero_words,
 * for all of them at once. Folding files say it a layer (apply-folding), on top of this.
 */
#include "hw.h"
#include <string.h>

static nashc_status
run(nashc_run *r, nashc_graph *g)
{
    const nashc_opts *o = nashc_run_opts(r);
    const char *mode = nashc_opts_str(o, "mem-mode");
    const char *zeros = nashc_opts_str(o, "zero-words");
    const bool written = nashc_opts_bool(o, "runtime-writeable-weights");
    nashc_diag *d = nashc_run_diag(r);
    nashc_graph *f = nashc_flow_graph(nashc_graph_module(g), d);
    const char *const *names = f ? nashc_flow_names(f, nashc_run_arena(r)) : NULL;
    nashc_status s = NASHC_OK;
    nashc_weights w;

    if (!names)
        return f ? nashc_enomem(d) : NASHC_EINPUT;
    NASHC_EACH_NODE(f, n)
    {
        if (s != NASHC_OK || !nashc_flow_weights(n, &w))
            continue;
        if (strcmp(mode, "keep") != 0)
            s = nashc_node_set_attr(n, "mem_mode", mode, d);
        if (s == NASHC_OK && written)
            s = nashc_node_set_attr(n, "runtime_writeable_weights", "true", d);
        if (s == NASHC_OK && strcmp(zeros, "keep") != 0 && nashc_attr_index(n, "zero_words") >= 0)
            s = nashc_node_set_attr(n, "zero_words", zeros, d);
        if (s == NASHC_OK)
            s = nashc_node_op(n)->verify(n, d);
    }
    return s == NASHC_OK ? hw_free_weights(f, names, d) : s;
}

static const nashc_param options[] = {
    {.name = "mem-mode",
     .def = "keep",
     .domain = "keep|internal_decoupled|internal_embedded|external",
     .help = "memories, LUTs, or a stream from outside for each layer; or as it is",
     .kind = NASHC_P_ENUM},
    {.name = "runtime-writeable-weights",
     .def = "false",
     .help = "AXI-Lite can replace the weights",
     .kind = NASHC_P_BOOL},
    {.name = "zero-words",
     .def = "keep",
     .domain = "keep|auto|read|skip",
     .help = "weight words that are all zero: no step where that saves, a step, no step; or as it "
             "is",
     .kind = NASHC_P_ENUM},
    {0},
};

const nashc_pass nashc_pass_set_weights = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_MODULE,
    .name = "set-weights",
    .help = "say where the weights of all layers come from",
    .options = options,
    .needs = "hw-only",
    .run = run,
};
