/* manifest.c: manifest.json: the streams of the design. */
#include "build.h"
#include <jansson.h>
#include <stdlib.h>

static json_t *
port_json(hls_design *z, const hls_link *l, const char *name)
{
    const nashc_type *t = nashc_value_type(l->v);
    char elem[NASHC_TYPE_STR_MAX] = "";
    json_t *shape = json_array();

    for (int i = 0; i < t->rank; i++)
        json_array_append_new(shape, json_integer(t->dim[i]));
    nashc_type_finn_name(t, elem, sizeof elem);
    return json_pack("{s:s, s:s, s:o, s:s, s:I, s:I, s:I}", "name", nashc_text_plain(name, z->a),
                     "port", l->name, "shape", shape, "datatype", elem, "lanes",
                     (json_int_t)l->s.lanes, "beats", (json_int_t)l->s.beats, "width",
                     (json_int_t)l->s.width);
}

/* What only this backend knows; the host adds the rest. */
nashc_status
hls_write_manifest(hls_design *z)
{
    json_t *j = json_object(), *in = json_array(), *out = json_array();

    for (int i = 0; i < nashc_graph_n_inputs(z->f); i++)
        json_array_append_new(
            in, port_json(z, hls_input(z, i), nashc_value_name(nashc_graph_input(z->f, i))));
    for (int i = 0; i < nashc_graph_n_outputs(z->f); i++)
        json_array_append_new(out,
                              port_json(z, hls_output(z, i), nashc_graph_output_name(z->f, i)));
    json_object_set_new(j, "inputs", in);
    json_object_set_new(j, "outputs", out);
    char *text = json_dumps(j, JSON_INDENT(2));
    json_decref(j);
    nashc_outfile *f = text ? hls_open(z, "manifest.json") : NULL;
    if (f)
        nashc_out_printf(f, "%s\n", text);
    nashc_status s = !text ? nashc_enomem(z->d) : f ? nashc_out_commit(f, z->d) : NASHC_EIO;
    free(text);
    return s;
}
