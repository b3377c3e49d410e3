/* hwflow.c: from a model to a folded hardware graph: what compile and estimate share. */
#include "hwflow.h"
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool
is_word(const char *folding)
{
    return strcmp(folding, "exact") == 0 || strcmp(folding, "compat") == 0;
}

/* --- dataflow_build_config.json -----------------------------------------------------------------
 */

static double
number(const json_t *v)
{
    return json_is_number(v) ? json_number_value(v) : NAN;
}

/* A file that the configuration names lies beside it. */
static const char *
beside(hwflow *h, const char *config, const char *name)
{
    const char *slash = strrchr(config, '/');

    return !slash || name[0] == '/'
               ? name
               : nashc_arena_printf(h->a, "%.*s/%s", (int)(slash - config), config, name);
}

static nashc_status
take_key(hwflow *h, const char *path, const char *key, const json_t *v, bool *used)
{
    nashc_loc loc = {.file = path};
    const char *text = json_is_string(v) ? json_string_value(v) : NULL;

    *used = true;
    if (strcmp(key, "synth_clk_period_ns") == 0 || strcmp(key, "target_fps") == 0 ||
        strcmp(key, "mvau_wwidth_max") == 0) {
        double x = number(v);
        if (json_is_null(v))
            return NASHC_OK;
        if (!(x > 0) || x > 1e15)
            return nashc_error(h->d, &loc, "%s must be a positive number", key);
        if (key[0] == 's' && !nashc_opts_given(h->o, "clock-ns"))
            h->clk_ns = x;
        else if (key[0] == 't' && !nashc_opts_given(h->o, "target-fps"))
            h->fps = x;
        else if (key[0] == 'm' && !nashc_opts_given(h->o, "mvau-wwidth-max"))
            h->wwidth_max = (int64_t)x;
        return NASHC_OK;
    }
    if (strcmp(key, "folding_config_file") == 0) {
        if (!json_is_null(v) && !text)
            return nashc_error(h->d, &loc, "%s must be a string", key);
        if (text && !nashc_opts_given(h->o, "folding"))
            h->folding = beside(h, path, nashc_arena_strdup(h->a, text));
        return NASHC_OK;
    }
    if (strcmp(key, "board") == 0 || strcmp(key, "fpga_part") == 0) {
        if (!json_is_null(v) && !text)
            return nashc_error(h->d, &loc, "%s must be a string", key);
        if (!text || nashc_opts_given(h->o, "device") || (h->device && key[0] == 'f'))
            return NASHC_OK;
        h->device = nashc_lookup(h->ctx, NASHC_D_DEVICE, text, h->d);
        return h->device ? NASHC_OK : NASHC_EINPUT;
    }
    if (strcmp(key, "folding_two_pass_relaxation") == 0) {
        h->two_pass = !json_is_false(v);
        return NASHC_OK;
    }
    *used = strcmp(key, "output_dir") == 0 || strcmp(key, "minimize_bit_width") == 0;
    return NASHC_OK;
}

static nashc_status
finn_config(hwflow *h, const char *path)
{
    const char *key, *ignored = "";
    json_error_t error;
    char *text;
    size_t size;
    json_t *v;
    nashc_status s = nashc_file_read(path, 1 << 24, &text, &size, h->d);

    if (s != NASHC_OK)
        return s;
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
    nashc_mem_free(text);
    if (!json_is_object(root)) {
        nashc_loc loc = {.file = path, .line = root ? 1 : error.line};
        s = nashc_error(h->d, &loc, "%s",
                        root ? "a build configuration is a JSON object" : error.text);
        json_decref(root);
        return s;
    }
    json_object_foreach(root, key, v)
    {
        bool used = true;
        if (s == NASHC_OK)
            s = take_key(h, path, key, v, &used);
        if (!used)
            ignored = nashc_arena_printf(h->a, "%s%s%s", ignored, ignored[0] ? ", " : "",
                                         nashc_quote(h->d, key));
    }
    json_decref(root);
    if (s == NASHC_OK && ignored[0])
        nashc_remark(h->d, &(nashc_loc){.file = path}, "keys without a meaning here: %s", ignored);
    return s;
}

/* --------------------------------------------------------------------------------------------- */

nashc_status
hwflow_options(hwflow *h, nashc_ctx *c, const nashc_opts *o, nashc_arena *a)
{
    const char *config = nashc_opts_str(o, "finn-config"), *device = nashc_opts_str(o, "device");
    nashc_status s = NASHC_OK;

    h->ctx = c;
    h->d = nashc_ctx_diag(c);
    h->o = o;
    h->a = a;
    h->clk_ns = nashc_opts_float(o, "clock-ns");
    h->fps = nashc_opts_float(o, "target-fps");
    h->wwidth_max = nashc_opts_int(o, "mvau-wwidth-max");
    h->folding = nashc_opts_str(o, "folding");
    h->two_pass = true;
    if (is_word(h->folding)) {
        h->compat = strcmp(h->folding, "compat") == 0;
        h->folding = "";
    }
    if (!(h->backend = nashc_lookup(c, NASHC_D_BACKEND, nashc_opts_str(o, "backend"), h->d)))
        return NASHC_EUSAGE;
    if (device[0] && !(h->device = nashc_lookup(c, NASHC_D_DEVICE, device, h->d)))
        return NASHC_EUSAGE;
    if (config[0])
        s = finn_config(h, config);
    if (s != NASHC_OK)
        return s;
    if (!(h->clk_ns >= 0.01 && h->clk_ns <= 1e6))
        return nashc_usage(h->d, "--clock-ns must lie in 0.01..1000000");
    if (!(h->fps >= 0 && h->fps <= 1e15))
        return nashc_usage(h->d, "--target-fps must not be negative");
    if (strpbrk(h->folding, "\"\n"))
        return nashc_usage(h->d, "the name of the folding file must not hold quotes");
    return NASHC_OK;
}

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

const char *
hwflow_passes(hwflow *h, nashc_status *s)
{
    const char *given = nashc_opts_str(h->o, "passes"), *device = "", *file = "", *depths = "";
    const char *text;

    if (nashc_opts_given(h->o, "passes"))
        return tool_passes(h->o, given, h->a, s, h->d);
    if (h->device)
        device = nashc_arena_printf(h->a, ";device=\"%s\"", h->device->name);
    if (h->folding[0]) {
        file = nashc_arena_printf(h->a, "apply-folding(file=\"%s\")", h->folding);
        depths = nashc_arena_printf(h->a, ";file=\"%s\"", h->folding);
    }
    if (has_layers(h->m)) {
        *s = NASHC_OK;
        return file && file[0]
                   ? nashc_arena_printf(h->a,
                                        "remove-dwc-fifo,%s,insert-dwc,insert-fifo(backend=%s%s)",
                                        file, h->backend->name, depths ? depths : "")
                   : "";
    }
    text = nashc_arena_printf(
        h->a,
        "streamline,check-streamlined,to-channels-last,to-hw,"
        "set-folding(clock-ns=%.17g;target-fps=%.17g;"
        "mvau-wwidth-max=%" PRId64 ";folding=%s;two-pass=%s;backend=%s%s),%s%sinsert-dwc,"
        "insert-fifo(backend=%s%s)",
        h->clk_ns, h->fps, h->wwidth_max, h->compat ? "compat" : "exact",
        h->two_pass ? "true" : "false", h->backend->name, device ? device : "", file ? file : "",
        file && file[0] ? "," : "", h->backend->name, depths ? depths : "");
    return tool_passes(h->o, text ? text : "", h->a, s, h->d);
}

nashc_cost
hwflow_cost(const hwflow *h, const nashc_graph *f)
{
    nashc_cost sum = {0};

    NASHC_EACH_NODE(f, n)
    {
        nashc_cost c;
        nashc_layer_cost(n, h->backend, h->device, &c);
        nashc_cost_add(&sum, &c);
    }
    return sum;
}

static void
check_fit(hwflow *h, const char *what, uint64_t need, uint64_t have)
{
    if (need > have)
        nashc_warning(h->d, NULL, "device-full",
                      "the layers need about %" PRIu64 " %s, %s has %" PRIu64, need, what,
                      h->device->name, have);
}

nashc_status
hwflow_check(hwflow *h, const nashc_graph *f, const nashc_flow_result *flow)
{
    double interval = nashc_flow_interval(flow), reached = 1e9 / h->clk_ns / interval;
    nashc_cost c = hwflow_cost(h, f);

    if (h->device) {
        check_fit(h, "LUTs", c.lut, h->device->lut);
        check_fit(h, "flip-flops", c.ff, h->device->ff);
        check_fit(h, "block RAMs", c.bram18, h->device->bram18);
        check_fit(h, "DSPs", c.dsp, h->device->dsp);
    }
    if (h->fps > 0 && reached < h->fps * (1 - 1e-9)) {
        const char *const *names = nashc_flow_names(f, h->a), *slowest = "?";
        uint64_t most = 0;
        NASHC_EACH_NODE(f, n)
        {
            uint64_t cycles = nashc_layer_cycles(n, h->backend);
            if (names && cycles > most) {
                most = cycles;
                slowest = names[nashc_node_id(n)];
            }
        }
        nashc_status s =
            nashc_error(h->d, NULL,
                        "the design reaches %.6g frames a second, not %.6g: layer %s takes %" PRIu64
                        " cycles a frame",
                        reached, h->fps, slowest, most);
        nashc_help(h->d, h->folding[0] ? "the folding file overrides the search for a folding"
                                       : "lower --target-fps or --clock-ns");
        return s;
    }
    return NASHC_OK;
}
