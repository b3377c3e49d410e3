/* compile.c: from a model in memory to folded layers with their cycles and costs.
 *
 *     model ------------ pipeline `compile` --+
 *     graph of layers -- pipeline `refold` ---+--> layers --> simulation, costs --> checks
 *     any, o->passes --- those ---------------+                   |
 *                        `retarget` <- target missed, device full +
 */
#include "compile.h"
#include <string.h>

/* As take_options in pm.c: struct_size says what the caller knows. */
void
nashc_compile_take(nashc_compile_options *to, const nashc_compile_options *o)
{
    *to = (nashc_compile_options)NASHC_COMPILE_DEFAULTS;
    if (o)
        memcpy(to, o, o->struct_size < sizeof *to ? o->struct_size : sizeof *to);
    to->struct_size = sizeof *to;
}

static const char *
or_empty(const char *s)
{
    return s ? s : "";
}

static const char *
or_auto(const char *s)
{
    return s ? s : "auto";
}

/* --- options --------------------------------------------------------------------------------- */

static bool
is_one_of(const char *s, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(s, *words) == 0)
            return true;
    return false;
}

/* Is something asked of weight words that are all zero? */
static bool
says_of_zeros(const nashc_compile_options *o)
{
    return strcmp(or_auto(o->zero_words), "auto") != 0;
}

/* Written so that NaN fails every range. */
static nashc_status
check_numbers(const nashc_compile_options *o, nashc_diag *d)
{
    if (!(o->clock_ns >= 0.01 && o->clock_ns <= 1e6))
        return nashc_usage(d, "--clock-ns must lie in 0.01..1000000");
    if (!(o->target_fps >= 0 && o->target_fps <= 1e15))
        return nashc_usage(d, "--target-fps must lie in 0..10^15");
    if (o->mvau_wwidth_max < 0)
        return nashc_usage(d, "--mvau-wwidth-max must not be negative");
    if (!(o->fill >= 0 && o->fill <= 100))
        return nashc_usage(d, "--fill must lie in 0..100");
    if (o->fit && !or_empty(o->device)[0])
        return nashc_usage(d, "--fit needs --device");
    if (o->fit && o->target_fps > 0)
        return nashc_usage(d, "--fit and --target-fps exclude each other");
    if (o->fit && o->folding == NASHC_FOLDING_COMPAT)
        return nashc_usage(d, "--fit is not of FINN's algorithm: leave --folding compat out");
    if (o->folding != NASHC_FOLDING_EXACT && o->folding != NASHC_FOLDING_COMPAT)
        return nashc_usage(d, "folding must be exact or compat");
    if (!is_one_of(or_auto(o->mul), (const char *const[]){"auto", "lut", "dsp", NULL}))
        return nashc_usage(d, "--mul must be auto, lut or dsp");
    if (!is_one_of(or_auto(o->adder_graphs), (const char *const[]){"auto", "off", "on", NULL}))
        return nashc_usage(d, "--adder-graphs must be auto, off or on");
    if (!is_one_of(or_auto(o->zero_words), (const char *const[]){"auto", "read", "skip", NULL}))
        return nashc_usage(d, "--zero-words must be auto, read or skip");
    const char *mode = or_empty(o->mem_mode);
    if (mode[0] && strcmp(mode, "internal_decoupled") != 0 &&
        strcmp(mode, "internal_embedded") != 0 && strcmp(mode, "external") != 0)
        return nashc_usage(d,
                           "--mem-mode \"%s\": it is internal_decoupled, internal_embedded or "
                           "external",
                           nashc_quote(d, mode));
    if ((mode[0] || o->runtime_writeable_weights || says_of_zeros(o)) && o->passes)
        return nashc_usage(d, "--mem-mode, --runtime-writeable-weights and --zero-words are of the "
                              "pipeline compile: --passes has set-weights for that");
    if (strpbrk(or_empty(o->folding_file), "\"\n"))
        return nashc_usage(d, "the name of the folding file must not hold quotes");
    return NASHC_OK;
}

/* Options of hardware that a program has no use for. */
static nashc_status
check_program(const nashc_compile_options *o, const nashc_backend *be, nashc_diag *d)
{
    const struct {
        const char *name;
        bool given;
    } hardware[] = {
        {"--device", or_empty(o->device)[0]},
        {"--target-fps", o->target_fps > 0},
        {"--fit", o->fit},
        {"--mvau-wwidth-max", o->mvau_wwidth_max > 0},
        {"--mem-mode", or_empty(o->mem_mode)[0]},
        {"--runtime-writeable-weights", o->runtime_writeable_weights},
        {"--mul", o->mul && strcmp(o->mul, "auto") != 0},
        {"--adder-graphs", o->adder_graphs && strcmp(o->adder_graphs, "auto") != 0},
        {"--zero-words", says_of_zeros(o)},
        {"--folding", or_empty(o->folding_file)[0] || o->folding == NASHC_FOLDING_COMPAT},
    };
    for (size_t i = 0; i < NASHC_COUNT(hardware); i++)
        if (hardware[i].given)
            return nashc_usage(d, "%s is for hardware, and backend \"%s\" writes a program",
                               hardware[i].name, be->name);
    return NASHC_OK;
}

static nashc_status
check_options(nashc_ctx *c, const nashc_compile_options *o, nashc_arena *a, nashc_diag *d)
{
    const nashc_backend *backend;
    nashc_opts *opts;
    if (or_empty(o->device)[0] && !nashc_lookup(c, NASHC_D_DEVICE, o->device, d))
        return NASHC_EUSAGE;
    nashc_status s = check_numbers(o, d);
    if (s == NASHC_OK && o->first_passes)
        s = nashc_check_pipeline(c, o->first_passes, d);
    if (s == NASHC_OK && o->passes)
        s = nashc_check_pipeline(c, o->passes, d);
    /* Who compiles only, may do so without any backend. */
    if (s == NASHC_OK && (o->backend || o->backend_options))
        s = nashc_design_backend(c, o, NULL, a, &backend, &opts, d);
    if (s == NASHC_OK && o->backend && nashc_writes_program(backend))
        s = check_program(o, backend, d);
    return s;
}

nashc_status
nashc_compile_check(nashc_ctx *c, const nashc_compile_options *o, nashc_diag *d)
{
    nashc_compile_options all;
    nashc_arena *a = nashc_arena_create();
    nashc_compile_take(&all, o);
    nashc_status s = a ? check_options(c, &all, a, d) : nashc_enomem(d);
    nashc_arena_free(a);
    return s;
}

/* --- backends without hardware --------------------------------------------------------------- */

/* The backend gets the model itself, streamlined or as the passes of the caller leave it. */
static nashc_status
compile_program(nashc_module **m, const nashc_compile_options *o, nashc_compile_result *out,
                nashc_arena *a, nashc_diag *d)
{
    const char *first = or_empty(o->first_passes);
    const char *text = nashc_arena_printf(a, "fix-batch%s%s,%s", first[0] ? "," : "", first,
                                          o->passes && o->passes[0] ? o->passes : "streamline");
    nashc_compile_result r = {.struct_size = out->struct_size, .fits = true};
    nashc_status s = text ? nashc_run_pipeline(m, text, o->pm, d) : nashc_enomem(d);
    r.graph = nashc_module_main(*m);
    if (s == NASHC_OK)
        memcpy(out, &r, r.struct_size < sizeof r ? r.struct_size : sizeof r);
    return s;
}

/* --- passes ---------------------------------------------------------------------------------- */

static bool
has_layers(const nashc_module *m)
{
    for (int i = 0; i < nashc_module_n_graphs(m); i++)
        NASHC_EACH_NODE(nashc_module_graph_at(m, i), n)
        {
            if (nashc_node_op(n)->hw)
                return true;
        }
    return false;
}

static bool
is_static(const nashc_module *m)
{
    const nashc_graph *g = nashc_module_main(m);
    for (int i = 0; g && i < nashc_graph_n_inputs(g); i++)
        if (!nashc_type_is_static(nashc_value_type(nashc_graph_input(g, i))))
            return false;
    return true;
}

/* The text of what is run; owned by a, NULL when memory is out. All options stand in it, numbers
 * with the 17 digits that read back as the same double: `nashc opt -passes` can repeat it. */
static const char *
pipeline_text(const nashc_module *m, const nashc_compile_options *o, nashc_arena *a)
{
    const char *first = or_empty(o->first_passes), *comma = first[0] ? "," : "";
    if (o->passes)
        return nashc_arena_printf(a, "%s%s%s", first, o->passes[0] ? comma : "", o->passes);
    if (has_layers(m))
        return nashc_arena_printf(
            a, "refold(backend=\"%s\";device=\"%s\";folding-file=\"%s\";adder-graphs=%s)",
            or_empty(o->backend), or_empty(o->device), or_empty(o->folding_file),
            or_auto(o->adder_graphs));
    return nashc_arena_printf(
        a,
        "%s%scompile(backend=\"%s\";device=\"%s\";clock-ns=%.17g;target-fps=%.17g;"
        "mvau-wwidth-max=%" PRId64 ";folding=%s;two-pass=%s;fit=%s;fill=%.17g;"
        "folding-file=\"%s\";mem-mode=\"%s\";runtime-writeable-weights=%s;mul=%s;"
        "adder-graphs=%s;zero-words=\"%s\")",
        first, comma, or_empty(o->backend), or_empty(o->device), o->clock_ns, o->target_fps,
        o->mvau_wwidth_max, o->folding == NASHC_FOLDING_COMPAT ? "compat" : "exact",
        o->two_pass ? "true" : "false", o->fit ? "true" : "false", o->fill,
        or_empty(o->folding_file), or_empty(o->mem_mode),
        o->runtime_writeable_weights ? "true" : "false", or_auto(o->mul), or_auto(o->adder_graphs),
        says_of_zeros(o) ? o->zero_words : "");
}

static nashc_status
run_passes(nashc_module **m, const nashc_compile_options *o, nashc_arena *a, nashc_diag *d)
{
    const char *text = pipeline_text(*m, o, a);
    nashc_status s = text ? NASHC_OK : nashc_enomem(d);
    if ((or_empty(o->mem_mode)[0] || o->runtime_writeable_weights || says_of_zeros(o)) &&
        has_layers(*m))
        return nashc_usage(d, "the model consists of layers: where their weights live and what is "
                              "done with words of zeros is said by a folding file");
    /* `compile` does this itself; passes of the caller must not have to think of it. */
    if (s == NASHC_OK && o->passes && !is_static(*m))
        s = nashc_run_pipeline(m, "fix-batch", NULL, d);
    return s == NASHC_OK ? nashc_run_pipeline(m, text, o->pm, d) : s;
}

/* --- results --------------------------------------------------------------------------------- */

/* Layers without a model count as nothing: the simulation before has refused those. */
static nashc_status
add_costs(nashc_compile_result *r, nashc_arena *a, nashc_diag *d)
{
    nashc_cost *sum = NASHC_NEW(a, nashc_cost);
    nashc_cost *each = NASHC_NEW_N(a, nashc_cost, nashc_graph_max_id(r->graph) + 1);
    uint64_t *cycles = NASHC_NEW_N(a, uint64_t, nashc_graph_max_id(r->graph) + 1);
    if (!sum || !each || !cycles)
        return nashc_enomem(d);
    NASHC_EACH_NODE(r->graph, n)
    {
        uint32_t id = nashc_node_id(n);
        nashc_layer_cost(n, r->backend, r->device, &each[id]);
        nashc_cost_add(sum, &each[id]);
        cycles[id] = nashc_layer_cycles(n, r->backend);
    }
    r->layer_cycles = cycles;
    r->cost = sum;
    r->layer_cost = each;
    return NASHC_OK;
}

nashc_status
nashc_compile_measure(const nashc_module *m, const nashc_compile_options *o,
                      nashc_compile_result *r, nashc_arena *a, nashc_diag *d)
{
    const nashc_flow_options fo = {.struct_size = sizeof fo, .backend = r->backend};
    nashc_flow_result *flow = NASHC_NEW(a, nashc_flow_result);
    r->graph = nashc_flow_graph(m, d);
    if (!r->graph)
        return NASHC_EINPUT;
    r->names = nashc_flow_names(r->graph, a);
    if (!flow || !r->names)
        return nashc_enomem(d);
    nashc_status s = nashc_flow_simulate(r->graph, &fo, flow, a, d);
    if (s != NASHC_OK)
        return s;
    r->flow = flow;
    r->interval = nashc_flow_interval(flow);
    r->latency = flow->latency;
    r->fps = 1e9 / o->clock_ns / r->interval;
    return add_costs(r, a, d);
}

/* The first in graph order among equals. */
uint64_t
nashc_compile_slowest(const nashc_compile_result *r, const char **name)
{
    uint64_t most = 0;
    NASHC_EACH_NODE(r->graph, n)
    {
        uint64_t cycles = r->layer_cycles[nashc_node_id(n)];
        if (cycles <= most)
            continue;
        most = cycles;
        if (name)
            *name = r->names[nashc_node_id(n)];
    }
    return most;
}

static void
check_fit(nashc_compile_result *r, nashc_diag *d)
{
    const nashc_device *dev = r->device;
    nashc_demand demand[NASHC_DEMANDS];
    r->fits = true;
    if (!dev)
        return;
    nashc_device_demand(dev, r->cost, demand);
    for (int i = 0; i < NASHC_DEMANDS; i++) {
        /* a warning only: estimates are no synthesis */
        if (demand[i].need <= demand[i].have)
            continue;
        r->fits = false;
        nashc_warning(d, NULL, "device-full",
                      "the layers need about %" PRIu64 " %s, %s has %" PRIu64, demand[i].need,
                      demand[i].name, dev->name, demand[i].have);
    }
}

/* What keeps r from the target: the slowest layer, or streams that wait for each other. */
static const char *
reason(const nashc_compile_result *r, nashc_arena *a)
{
    const char *slowest = "?";
    uint64_t most = nashc_compile_slowest(r, &slowest);
    const char *text =
        (double)most > 0.99 * r->interval
            ? nashc_arena_printf(a, "layer %s takes %" PRIu64 " cycles a frame", slowest, most)
            : nashc_arena_printf(
                  a,
                  "streams wait for each other: a frame takes %g cycles, the slowest "
                  "layer, %s, only %" PRIu64,
                  r->interval, slowest, most);
    return text ? text : "";
}

/* Missed by little, the design is worth having and says so; else it is refused. */
static nashc_status
check_target(const nashc_compile_options *o, const nashc_compile_result *r, nashc_arena *a,
             nashc_diag *d)
{
    double missed = 100 * (1 - r->fps / o->target_fps);
    /* room for the rounding of periods into rates */
    if (!(o->target_fps > 0 && r->fps < o->target_fps * (1 - 1e-9)))
        return NASHC_OK;
    if (missed <= NASHC_TARGET_SHORT) {
        nashc_warning(d, NULL, "target-missed",
                      "the design reaches %.6g frames a second, %.2g %% less than the %.6g asked "
                      "for: %s",
                      r->fps, missed, o->target_fps, reason(r, a));
        return NASHC_OK;
    }
    nashc_status s = nashc_error(d, NULL, "the design reaches %.6g frames a second, not %.6g: %s",
                                 r->fps, o->target_fps, reason(r, a));
    nashc_help(d, or_empty(o->folding_file)[0]
                      ? "the folding file overrides the search for a folding"
                      : "lower --target-fps or --clock-ns");
    return s;
}

/* Without a target a rate was chosen for the user, who is told. */
static void
note_default(const nashc_compile_options *o, const nashc_compile_result *r, nashc_diag *d)
{
    const char *slowest = "?";
    uint64_t most = nashc_compile_slowest(r, &slowest);
    if (o->target_fps > 0 || o->fit)
        return;
    nashc_remark(d, NULL,
                 "no target given: at most 64 multipliers a layer; layer %s limits the rate with "
                 "%" PRIu64 " cycles a frame; --target-fps%s for more",
                 slowest, most, r->device ? " or --fit" : ", or --device and --fit");
}

nashc_status
nashc_compile(nashc_module **m, const nashc_compile_options *options, nashc_compile_result *out,
              nashc_arena *a, nashc_diag *d)
{
    nashc_ctx *c = nashc_module_ctx(*m);
    nashc_compile_options o;
    nashc_compile_result r = {.struct_size = out->struct_size};
    nashc_compile_take(&o, options);
    if (!NASHC_HAS(out, layer_cycles))
        return nashc_usage(d, "nashc_compile: struct_size of the result is not set");
    const bool ours = !o.passes && !or_empty(o.folding_file)[0] && !has_layers(*m);
    const bool extra =
        o.pm && NASHC_HAS(o.pm, extra_passes) && o.pm->extra_passes && o.pm->extra_passes[0];
    const nashc_backend *be = o.backend ? nashc_find(c, NASHC_D_BACKEND, o.backend) : NULL;
    nashc_status s = check_options(c, &o, a, d);
    if (s == NASHC_OK && be && nashc_writes_program(be))
        return compile_program(m, &o, out, a, d);
    if (s == NASHC_OK && !(r.backend = nashc_model_backend(c, o.backend, d)))
        s = NASHC_EUNSUP;
    if (s == NASHC_OK)
        s = run_passes(m, &o, a, d);
    if (s != NASHC_OK)
        return s;
    r.device = or_empty(o.device)[0] ? nashc_find(c, NASHC_D_DEVICE, o.device) : NULL;
    s = nashc_compile_measure(*m, &o, &r, a, d);
    if (s == NASHC_OK && ours && !extra && o.folding == NASHC_FOLDING_EXACT)
        s = nashc_compile_retarget(m, &o, &r, a, d);
    if (s != NASHC_OK)
        return s;
    if (ours)
        note_default(&o, &r, d);
    check_fit(&r, d);
    memcpy(out, &r, r.struct_size < sizeof r ? r.struct_size : sizeof r);
    return check_target(&o, &r, a, d);
}
