/* manifest.c: manifest.json: what made the design, its ports, and the cycles to expect. */
#include "build.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static json_t *
shape_json(const nashc_type *t)
{
    json_t *list = json_array();

    for (int i = 0; i < t->rank; i++)
        json_array_append_new(list, json_integer(t->dim[i]));
    return list;
}

static json_t *
port_json(design *z, const nashc_value *v, const char *name, const char *port)
{
    const link *l = &z->links[nashc_value_id(v)];
    const nashc_type *t = nashc_value_type(v);
    char elem[NASHC_TYPE_STR_MAX] = "";

    nashc_type_finn_name(t, elem, sizeof elem);
    return json_pack("{s:s, s:s, s:o, s:s, s:I, s:I, s:I, s:I}", "name", name, "port", port,
                     "shape", shape_json(t), "datatype", elem, "lanes", (json_int_t)l->s.lanes,
                     "beats", (json_int_t)l->s.beats, "width", (json_int_t)l->s.width,
                     "padded_width", (json_int_t)l->padded);
}

/* Inputs and outputs of the model itself, which the host sees. */
static json_t *
model_port(const nashc_value *v, const char *name)
{
    const nashc_type *t = nashc_value_type(v);
    char elem[NASHC_TYPE_STR_MAX] = "";

    nashc_type_finn_name(t, elem, sizeof elem);
    return json_pack("{s:s, s:o, s:s}", "name", name, "shape", shape_json(t), "datatype", elem);
}

/* "a=1\nb=2" as an object. */
static json_t *
settings_json(design *z, const char *s)
{
    json_t *j = json_object();
    char *copy = nashc_arena_strdup(z->a, s), *line = copy;

    while (line && *line) {
        char *end = strchr(line, '\n'), *eq;
        if (end)
            *end = 0;
        eq = strchr(line, '=');
        if (eq) {
            *eq = 0;
            json_t *value = json_string(eq + 1);
            json_object_set_new(j, line, value ? value : json_string("?"));
        }
        line = end ? end + 1 : NULL;
    }
    return j;
}

nashc_status
write_manifest(design *z)
{
    const nashc_graph *g = nashc_module_main(z->m);
    json_t *j = json_object(), *in = json_array(), *out = json_array();
    json_t *min = json_array(), *mout = json_array();

    for (int i = 0; i < nashc_graph_n_inputs(z->f); i++)
        json_array_append_new(in, port_json(z, nashc_graph_input(z->f, i),
                                            nashc_value_name(nashc_graph_input(z->f, i)),
                                            nashc_arena_printf(z->a, "s_axis_%d", i)));
    for (int i = 0; i < nashc_graph_n_outputs(z->f); i++)
        json_array_append_new(out, port_json(z, nashc_graph_output(z->f, i),
                                             nashc_graph_output_name(z->f, i),
                                             nashc_arena_printf(z->a, "m_axis_%d", i)));
    for (int i = 0; i < nashc_graph_n_inputs(g); i++)
        json_array_append_new(
            min, model_port(nashc_graph_input(g, i), nashc_value_name(nashc_graph_input(g, i))));
    for (int i = 0; i < nashc_graph_n_outputs(g); i++)
        json_array_append_new(mout,
                              model_port(nashc_graph_output(g, i), nashc_graph_output_name(g, i)));
    json_object_set_new(j, "tool", json_string("nashc"));
    json_object_set_new(j, "version", json_string(NASHC_VERSION));
    json_object_set_new(j, "backend", json_string("verilog"));
    json_object_set_new(j, "input_sha256", json_string(nashc_opts_str(z->o, "input-hash")));
    json_object_set_new(j, "options", settings_json(z, nashc_opts_str(z->o, "settings")));
    json_object_set_new(j, "top", json_string(z->top));
    json_object_set_new(j, "graph", json_string(nashc_graph_name(z->f)));
    json_object_set_new(j, "clock_ns", json_real(z->clk_ns));
    json_object_set_new(j, "device", json_string(z->dev ? z->dev->name : ""));
    json_object_set_new(j, "interval_cycles", json_real(nashc_flow_interval(&z->flow)));
    json_object_set_new(j, "interval_frames", json_integer(z->flow.period));
    json_object_set_new(j, "latency_cycles", json_integer((json_int_t)z->flow.latency));
    json_object_set_new(j, "steady_frames", json_integer(z->flow.frames));
    json_object_set_new(j, "inputs", in);
    json_object_set_new(j, "outputs", out);
    json_object_set_new(j, "model_inputs", min);
    json_object_set_new(j, "model_outputs", mout);
    return json_write(j, z->dir, "manifest.json", z->d);
}
