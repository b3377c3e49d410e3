/* compile_options.c: what compile and estimate are asked for, as options of nashc_compile. */
#include "compile_options.h"
#include <math.h>
#include <string.h>

/* --folding is a word or a file. */
static void
take_folding(nashc_compile_options *out, const char *folding)
{
    if (strcmp(folding, "compat") == 0)
        out->folding = NASHC_FOLDING_COMPAT;
    else if (folding[0] && strcmp(folding, "exact") != 0)
        out->folding_file = folding;
}

/* What was said of the inputs, for the manifest. */
static const char *const *
input_notes(const nashc_opts *o, nashc_arena *a)
{
    static const char *const names[] = {"input-datatype", "input-scale", "input-bias"};
    int n = 0;

    for (size_t k = 0; k < NASHC_COUNT(names); k++)
        n += nashc_opts_n(o, names[k]);
    const char **notes = NASHC_NEW_N(a, const char *, n + 1);
    n = 0;
    for (size_t k = 0; notes && k < NASHC_COUNT(names); k++)
        for (int i = 0; i < nashc_opts_n(o, names[k]); i++)
            notes[n++] =
                nashc_arena_printf(a, "%s=%s", names[k], nashc_opts_str_at(o, names[k], i));
    return notes;
}

/* Nobody gave a clock: the usual one of the device counts, which a configuration may have named,
 * else the default of the option. */
static void
default_clock(nashc_compile_options *out, nashc_ctx *c, const nashc_opts *o)
{
    const nashc_device *dev = out->device ? nashc_find(c, NASHC_D_DEVICE, out->device) : NULL;

    out->clock_ns = dev && dev->clk_ns > 0 ? dev->clk_ns : nashc_opts_float(o, "clock-ns");
}

/* The command line first, then the file, which fills what is left; then what follows from the
 * device. */
nashc_status
compile_options_take(nashc_compile_options *out, nashc_pm_options *pm, nashc_ctx *c,
                     const nashc_opts *o, nashc_arena *a)
{
    const char *config = nashc_opts_str(o, "finn-config"), *device = nashc_opts_str(o, "device");
    const bool given = nashc_opts_given(o, "clock-ns");
    nashc_status s = NASHC_OK;

    *out = (nashc_compile_options)NASHC_COMPILE_DEFAULTS;
    *pm = (nashc_pm_options){.struct_size = sizeof *pm,
                             .bisect_limit = -1,
                             .repro_on_bug = "nashc-repro.nashir",
                             .progress = tool_pass_progress,
                             .extra_passes = tool_list(o, "extra-passes", a)};
    out->pm = pm;
    out->device = device[0] ? device : NULL;
    out->clock_ns = given ? nashc_opts_float(o, "clock-ns") : 0;
    out->fit = nashc_opts_bool(o, "fit");
    out->fill = nashc_opts_float(o, "fill");
    out->target_fps = nashc_opts_float(o, "target-fps");
    out->mul = nashc_opts_str(o, "mul");
    out->adder_graphs = nashc_opts_str(o, "adder-graphs");
    out->zero_words = nashc_opts_str(o, "zero-words");
    out->mvau_wwidth_max = nashc_opts_int(o, "mvau-wwidth-max");
    out->mem_mode = nashc_opts_str(o, "mem-mode");
    out->runtime_writeable_weights = nashc_opts_bool(o, "runtime-writeable-weights");
    take_folding(out, nashc_opts_str(o, "folding"));
    out->first_passes = tool_input_passes(o, a, &s, nashc_ctx_diag(c));
    out->passes = nashc_opts_given(o, "passes") ? nashc_opts_str(o, "passes") : NULL;
    out->notes = input_notes(o, a);
    if (s == NASHC_OK && (!pm->extra_passes || !out->notes))
        s = nashc_enomem(nashc_ctx_diag(c));
    if (s == NASHC_OK && config[0])
        s = finn_config_take(out, config, c, o, a);
    if (!given && out->clock_ns == 0) /* nor does the configuration say */
        default_clock(out, c, o);
    return s;
}

void
compile_print_demand(const nashc_compile_result *r)
{
    nashc_demand demand[NASHC_DEMANDS];

    if (!r->device)
        return;
    nashc_device_demand(r->device, r->cost, demand);
    printf("of %s:", r->device->name);
    for (int i = 0; i < NASHC_DEMANDS; i++)
        printf("%s %.3g %% %s", i ? "," : "", demand[i].percent, demand[i].name);
    printf("\n");
}

json_t *
compile_demand_json(const nashc_compile_result *r)
{
    nashc_demand demand[NASHC_DEMANDS];
    json_t *j = r->device ? json_object() : NULL;

    if (!j)
        return NULL;
    nashc_device_demand(r->device, r->cost, demand);
    for (int i = 0; i < NASHC_DEMANDS; i++)
        json_object_set_new(j, demand[i].name,
                            isinf(demand[i].percent) ? json_null() : json_real(demand[i].percent));
    return j;
}
