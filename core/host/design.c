/* design.c: the folder of a compiled design: files of the backend, the final graph, manifest.json.
 */
#include "compile.h"
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_MANIFEST ((int64_t)1 << 24)

typedef struct design {
    const nashc_module *m;
    const nashc_compile_options *o;
    const nashc_compile_result *r;
    const nashc_backend *backend;
    nashc_opts *opts; /* of the backend */
    const char *dir;
    nashc_ports ports;
    nashc_arena *a;
    nashc_diag *d;
} design;

/* --- the backend ----------------------------------------------------------------------------- */

/* Backends of plugins have what options they like: common values are handed on only by name. */
static bool
has_option(const nashc_backend *be, const char *name)
{
    const nashc_param *p = be->options;
    while (p && p->name && strcmp(p->name, name) != 0)
        p++;
    return p && p->name;
}

/* What a backend can be told of the compilation, where it has options of these names. Given as
 * options of the backend as well they could differ, so that is refused. */
static nashc_status
set_common(const nashc_compile_options *o, const nashc_compile_result *r, const nashc_backend *be,
           nashc_opts *opts, nashc_arena *a, nashc_diag *d)
{
    bool checked = o->pm && o->pm->check_each > 0;
    const struct {
        const char *name, *value;
    } values[] = {
        {"top", o->top},
        {"clock-ns", nashc_arena_printf(a, "%.17g", o->clock_ns)},
        {"device", r && r->device ? r->device->name : o->device},
        {"verified", o->verified ? o->verified
                     : checked   ? "every pass compared with the imported model"
                                 : "none"},
    };
    nashc_status s = NASHC_OK;
    for (size_t i = 0; i < NASHC_COUNT(values) && s == NASHC_OK; i++) {
        size_t len = strlen(values[i].name);
        for (const char *const *p = o->backend_options; p && *p; p++)
            if (strncmp(*p, values[i].name, len) == 0 && ((*p)[len] == '=' || !(*p)[len]))
                return nashc_usage(d, "backend option \"%s\" is an option of the compilation",
                                   values[i].name);
        if (values[i].value && has_option(be, values[i].name))
            s = nashc_opts_set(opts, values[i].name, values[i].value, NULL, d);
    }
    return s;
}

/* Without r, before compiling, only the options are checked: a typing error should show before
 * minutes of work. */
nashc_status
nashc_design_backend(nashc_ctx *c, const nashc_compile_options *o, const nashc_compile_result *r,
                     nashc_arena *a, const nashc_backend **out, nashc_opts **opts, nashc_diag *d)
{
    const nashc_backend *be =
        nashc_lookup(c, NASHC_D_BACKEND, o->backend ? o->backend : "verilog", d);
    if (!be)
        return NASHC_EUSAGE;
    if (be->suffixes)
        return nashc_usage(d, "backend \"%s\" writes one file: use `nashc opt MODEL -o FILE`",
                           be->name);
    const char *owner = nashc_arena_printf(a, "backend \"%s\"", be->name);
    *opts = nashc_opts_create(a, be->options);
    *out = be;
    if (!owner || !*opts)
        return nashc_enomem(d);
    nashc_status s = set_common(o, r, be, *opts, a, d);
    return s == NASHC_OK ? nashc_opts_set_pairs(*opts, o->backend_options, owner, d) : s;
}

/* --- manifest -------------------------------------------------------------------------------- */

/* Text of the user may be no UTF-8. */
static json_t *
text_json(const design *z, const char *s)
{
    return json_string(nashc_text_plain(s, z->a));
}

/* "a=1", "b=2" as an object. */
static void
add_pairs(const design *z, json_t *to, const char *const *pairs)
{
    for (; pairs && *pairs; pairs++) {
        const char *eq = strchr(*pairs, '=');
        const char *key = nashc_arena_printf(z->a, "%.*s", (int)strcspn(*pairs, "="), *pairs);
        if (key)
            json_object_set_new(to, key, text_json(z, eq ? eq + 1 : "true"));
    }
}

static void
add_hardware_options(const nashc_compile_options *o, json_t *j)
{
    bool file = o->folding_file && o->folding_file[0];
    json_object_set_new(j, "clock-ns", json_sprintf("%.9g", o->clock_ns));
    json_object_set_new(j, "target-fps", json_sprintf("%.9g", o->target_fps));
    if (o->fit)
        json_object_set_new(j, "fit", json_sprintf("%.9g", o->fill));
    json_object_set_new(j, "mvau-wwidth-max", json_sprintf("%lld", (long long)o->mvau_wwidth_max));
    if (o->mem_mode && o->mem_mode[0])
        json_object_set_new(j, "mem-mode", json_string(o->mem_mode));
    if (o->runtime_writeable_weights)
        json_object_set_new(j, "runtime-writeable-weights", json_string("true"));
    json_object_set_new(j, "mul", json_string(o->mul ? o->mul : "auto"));
    json_object_set_new(j, "adder-graphs", json_string(o->adder_graphs ? o->adder_graphs : "auto"));
    json_object_set_new(j, "folding",
                        json_string(file                                 ? "file"
                                    : o->folding == NASHC_FOLDING_COMPAT ? "compat"
                                                                         : "exact"));
}

/* Options that decide the result. Names of files are left out: they say nothing elsewhere. */
static json_t *
options_json(const design *z)
{
    const nashc_compile_options *o = z->o;
    const char *const *extra = o->pm && NASHC_HAS(o->pm, extra_passes) ? o->pm->extra_passes : NULL;
    json_t *j = json_object(), *list = json_array(), *options = json_object();
    json_object_set_new(j, "backend", json_string(z->backend->name));
    if (z->r->flow)
        add_hardware_options(o, j);
    add_pairs(z, j, o->notes);
    if (o->passes)
        json_object_set_new(j, "passes", text_json(z, o->passes));
    for (; extra && *extra; extra++)
        json_array_append_new(list, text_json(z, *extra));
    if (json_array_size(list) > 0)
        json_object_set(j, "extra-passes", list);
    add_pairs(z, options, o->backend_options);
    if (json_object_size(options) > 0)
        json_object_set(j, "backend-options", options);
    json_decref(list);
    json_decref(options);
    return j;
}

/* An input or output of the model itself, which the host sees. */
static json_t *
port_json(const design *z, const nashc_value *v, const char *name)
{
    const nashc_type *t = nashc_value_type(v);
    json_t *shape = json_array();
    char elem[NASHC_TYPE_STR_MAX] = "";
    for (int i = 0; i < t->rank; i++)
        json_array_append_new(shape, json_integer(t->dim[i]));
    nashc_type_finn_name(t, elem, sizeof elem);
    return json_pack("{s:s, s:o, s:s}", "name", nashc_text_plain(name, z->a), "shape", shape,
                     "datatype", elem);
}

static void
add_ports(const design *z, json_t *j)
{
    const nashc_graph *g = nashc_module_main(z->m);
    json_t *in = json_array(), *out = json_array();
    for (int i = 0; g && i < nashc_graph_n_inputs(g); i++) {
        const nashc_value *v = nashc_graph_input(g, i);
        json_array_append_new(in, port_json(z, v, nashc_value_name(v)));
    }
    for (int i = 0; g && i < nashc_graph_n_outputs(g); i++)
        json_array_append_new(
            out, port_json(z, nashc_graph_output(g, i), nashc_graph_output_name(g, i)));
    json_object_set_new(j, "model_inputs", in);
    json_object_set_new(j, "model_outputs", out);
}

/* Per cent of each resource of the device; null where it has nothing of what is needed. */
static json_t *
demand_json(const nashc_compile_result *r)
{
    nashc_demand demand[NASHC_DEMANDS];
    json_t *j = json_object();
    nashc_device_demand(r->device, r->cost, demand);
    for (int i = 0; i < NASHC_DEMANDS; i++)
        json_object_set_new(j, demand[i].name,
                            isinf(demand[i].percent) ? json_null() : json_real(demand[i].percent));
    return j;
}

static void
add_cycles(const design *z, json_t *j)
{
    const nashc_compile_result *r = z->r;
    json_object_set_new(j, "clock_ns", json_real(z->o->clock_ns));
    json_object_set_new(j, "device", json_string(r->device ? r->device->name : ""));
    if (r->device)
        json_object_set_new(j, "utilisation_percent", demand_json(r));
    json_object_set_new(j, "interval_cycles", json_real(r->interval));
    /* the interval may only come out even over several frames */
    json_object_set_new(j, "interval_frames", json_integer(r->flow->period));
    json_object_set_new(j, "latency_cycles", json_integer((json_int_t)r->latency));
    json_object_set_new(j, "steady_frames", json_integer(r->flow->frames));
}

/* One number, or a list of one a channel. */
static json_t *
numbers_json(const double *x, int n)
{
    json_t *list = json_array();
    for (int i = 0; n > 1 && i < n; i++)
        json_array_append_new(list, json_real(x[i]));
    if (n > 1)
        return list;
    json_decref(list);
    return json_real(x[0]);
}

/* Adds to what the backend said of its streams how the host fills them. */
static void
describe_ports(const design *z, json_t *list, const nashc_port *ports, int n)
{
    for (int i = 0; i < n; i++) {
        json_t *o = json_array_get(list, (size_t)i);
        const nashc_port *p = &ports[i];
        json_object_set_new(o, "layout", json_string(p->layout));
        json_object_set_new(o, "encoding", json_string(nashc_port_encoding(p)));
        json_object_set_new(o, "bit_order", json_string("first element in the low bits"));
        json_object_set_new(o, "byte_order", json_string("little"));
        json_object_set_new(o, "scale", numbers_json(p->scale, p->n));
        json_object_set_new(o, "zero_point", numbers_json(p->zero_point, p->n));
        json_object_set_new(o, "bias", numbers_json(p->bias, p->n));
        json_object_set_new(o, "model_name", text_json(z, p->name));
    }
}

static void
add_host_part(const design *z, json_t *j)
{
    describe_ports(z, json_object_get(j, "inputs"), z->ports.in, z->ports.n_in);
    describe_ports(z, json_object_get(j, "outputs"), z->ports.out, z->ports.n_out);
    json_object_set_new(j, "host_front", json_string(z->ports.front));
    json_object_set_new(j, "host_behind", json_string(z->ports.behind));
}

/* What every design has, with the keys of own that are not among them: a backend cannot overwrite
 * what all readers rely on. */
static json_t *
manifest_json(const design *z, const json_t *own)
{
    const nashc_compile_result *r = z->r;
    json_t *j = json_object();
    json_object_set_new(j, "tool", json_string("nashc"));
    json_object_set_new(j, "version", json_string(NASHC_VERSION));
    json_object_set_new(j, "backend", json_string(z->backend->name));
    json_object_set_new(j, "input_sha256",
                        text_json(z, z->o->input_sha256 ? z->o->input_sha256 : ""));
    json_object_set_new(j, "options", options_json(z));
    if (has_option(z->backend, "top"))
        json_object_set_new(j, "top", text_json(z, nashc_opts_str(z->opts, "top")));
    json_object_set_new(j, "graph", text_json(z, nashc_graph_name(r->graph)));
    if (r->flow)
        add_cycles(z, j);
    json_object_update_missing(j, (json_t *)(uintptr_t)own);
    add_ports(z, j);
    if (r->flow)
        add_host_part(z, j);
    return j;
}

/* What the backend left as manifest.json; an empty object if nothing. */
static nashc_status
read_own(const design *z, const char *path, json_t **out)
{
    char *text = NULL;
    size_t size = 0;
    nashc_status s = NASHC_OK;
    if (access(path, F_OK) == 0)
        s = nashc_file_read(path, MAX_MANIFEST, &text, &size, z->d);
    if (s != NASHC_OK)
        return s;
    *out = text ? json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL) : json_object();
    nashc_mem_free(text);
    if (json_is_object(*out))
        return NASHC_OK;
    json_decref(*out);
    *out = NULL;
    return nashc_error(z->d, NULL, "backend \"%s\" left a manifest.json that is no JSON object",
                       z->backend->name);
}

static nashc_status
write_manifest(const design *z)
{
    const char *path = nashc_arena_printf(z->a, "%s/manifest.json", z->dir);
    json_t *own = NULL;
    nashc_status s = path ? read_own(z, path, &own) : nashc_enomem(z->d);
    if (s != NASHC_OK)
        return s;
    json_t *j = manifest_json(z, own);
    char *text = j ? json_dumps(j, JSON_INDENT(2) | JSON_REAL_PRECISION(12)) : NULL;
    json_decref(own);
    json_decref(j);
    nashc_outfile *f = text ? nashc_out_open(path, z->d) : NULL;
    if (f)
        nashc_out_printf(f, "%s\n", text);
    bool written = text != NULL;
    free(text);
    if (!written)
        return nashc_enomem(z->d);
    return f ? nashc_out_commit(f, z->d) : NASHC_EIO;
}

/* --- entry ----------------------------------------------------------------------------------- */

nashc_status
nashc_design_folder(const char *dir, const char *name, nashc_arena *a, nashc_diag *d)
{
    const char *path = nashc_arena_printf(a, "%s/%s", dir, name);
    if (!path)
        return nashc_enomem(d);
    if (mkdir(path, 0777) == 0 || errno == EEXIST)
        return NASHC_OK;
    return nashc_io_error(d, &(nashc_loc){.file = path}, "cannot be created: %s", strerror(errno));
}

static nashc_status
write_graph(const design *z, const char *name)
{
    const char *path = nashc_arena_printf(z->a, "%s/%s", z->dir, name);
    return path ? nashc_write_model(z->m, path, z->d) : nashc_enomem(z->d);
}

/* Of hardware: how the host fills its streams. */
static nashc_status
write_packing(design *z)
{
    nashc_status s = nashc_ports_of(z->m, z->r->graph, &z->ports, z->a, z->d);
    return s == NASHC_OK ? nashc_design_packing(&z->ports, z->r->graph, z->dir, z->a, z->d) : s;
}

/* The manifest after the backend's files, as it takes over what the backend left under that name.
 * The caller's folder is one aside (nashc_outdir): it gets its name when all of it is there. */
static nashc_status
write_all(design *z)
{
    nashc_ctx *c = nashc_module_ctx(z->m);
    nashc_status s = nashc_design_backend(c, z->o, z->r, z->a, &z->backend, &z->opts, z->d);
    if (s == NASHC_OK)
        s = nashc_backend_write(z->backend, z->m, z->dir, z->opts, z->d);
    if (s == NASHC_OK && z->r->flow)
        s = write_packing(z);
    if (s == NASHC_OK)
        s = write_manifest(z);
    if (s == NASHC_OK)
        s = write_graph(z, "model.nashir");
    if (s == NASHC_OK && nashc_find(c, NASHC_D_BACKEND, "onnx"))
        s = write_graph(z, "model.onnx");
    return s;
}

nashc_status
nashc_compile_write(const nashc_module *m, const nashc_compile_options *o,
                    const nashc_compile_result *r, const nashc_outdir *dir, nashc_diag *d)
{
    nashc_compile_options all;
    nashc_compile_take(&all, o);
    design z = {.m = m,
                .o = &all,
                .r = r,
                .dir = nashc_outdir_path(dir),
                .a = nashc_arena_create(),
                .d = d};
    nashc_status s = z.a ? write_all(&z) : nashc_enomem(d);
    nashc_arena_free(z.a);
    return s;
}
