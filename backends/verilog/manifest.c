/* manifest.c: manifest.json: the streams of the design. */
#include "build.h"
#include <inttypes.h>

static json_t *
shape_json(const nashc_type *t)
{
    json_t *list = json_array();

    for (int i = 0; i < t->rank; i++)
        json_array_append_new(list, json_integer(t->dim[i]));
    return list;
}

/* Port, shape and beats: what a driver needs to fill the stream. Scales are of the host's part. */
static json_t *
port_json(design *z, const nashc_value *v, const char *name, const char *port)
{
    const link *l = &z->links[nashc_value_id(v)];
    const nashc_type *t = nashc_value_type(v);
    char elem[NASHC_TYPE_STR_MAX] = "";

    nashc_type_finn_name(t, elem, sizeof elem);
    return json_pack("{s:s, s:s, s:o, s:s, s:I, s:I, s:I, s:I}", "name",
                     nashc_text_plain(name, z->a), "port", port, "shape", shape_json(t), "datatype",
                     elem, "lanes", (json_int_t)l->s.lanes, "beats", (json_int_t)l->s.beats,
                     "width", (json_int_t)l->s.width, "padded_width", (json_int_t)l->padded);
}

/* What only this backend knows; the host adds the rest. */
nashc_status
write_manifest(design *z)
{
    json_t *j = json_object(), *in = json_array(), *out = json_array();

    for (int i = 0; i < nashc_graph_n_inputs(z->f); i++)
        json_array_append_new(in, port_json(z, nashc_graph_input(z->f, i),
                                            nashc_value_name(nashc_graph_input(z->f, i)),
                                            nashc_arena_printf(z->a, "s_axis_%d", i)));
    for (int i = 0; i < nashc_graph_n_outputs(z->f); i++)
        json_array_append_new(out, port_json(z, nashc_graph_output(z->f, i),
                                             nashc_graph_output_name(z->f, i),
                                             nashc_arena_printf(z->a, "m_axis_%d", i)));
    json_object_set_new(j, "inputs", in);
    json_object_set_new(j, "outputs", out);
    json_object_set_new(j, "weights", weights_json(z));
    return json_write(j, z->dir, "manifest.json", z->d);
}
