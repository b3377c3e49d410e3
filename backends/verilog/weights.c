/* weights.c: weights/LAYER.dat, what the host sends to a layer whose weights come from outside, or
 * can: words of 32 bits for AXI-Lite, beats for a stream (docs/weights.md); the manifest's entries.
 */
#include "build.h"
#include <inttypes.h>
#include <stdlib.h>

nashc_status
write_weights(design *z)
{
    nashc_status s = NASHC_OK;

    for (int i = 0; i < z->n_weights && s == NASHC_OK; i++) {
        const weight_port *p = &z->weights[i];
        const nashc_buf *b = nashc_tensor_buf(nashc_value_const(nashc_node_in(p->n, p->w.operand)));
        text t;
        char *data = p->w.streamed ? nashc_flow_print_weights(&p->w, b, NULL)
                                   : nashc_flow_print_weight_words(&p->w, b, NULL);
        if (!data || !text_stream_open(&t)) {
            nashc_mem_free(data);
            return nashc_enomem(z->d);
        }
        fputs(data, t.f);
        nashc_mem_free(data);
        s = text_write(&t, z->dir,
                       nashc_arena_printf(z->a, "weights/%s.dat", z->names[nashc_node_id(p->n)]),
                       z->d);
    }
    return s;
}

/* What a host needs to send other weights: the order of elements as loops, and how they lie in
 * words or beats. */
json_t *
weights_json(const design *z)
{
    json_t *list = json_array();

    for (int i = 0; i < z->n_weights; i++) {
        const weight_port *p = &z->weights[i];
        const nashc_type *t = nashc_value_type(nashc_node_in(p->n, p->w.operand));
        const char *name = z->names[nashc_node_id(p->n)];
        char elem[NASHC_TYPE_STR_MAX] = "";
        json_t *order = json_array(), *o;

        nashc_type_finn_name(&p->w.elem, elem, sizeof elem);
        for (int k = 0; k < NASHC_WEIGHT_LOOPS; k++)
            json_array_append_new(
                order, json_pack("[I, I]", (json_int_t)p->w.count[k], (json_int_t)p->w.stride[k]));
        o = json_pack("{s:s, s:s, s:s, s:[I, I], s:s, s:I, s:I, s:I, s:I, s:o, s:s}", "layer", name,
                      "port", p->name, "access", p->w.streamed ? "stream" : "axilite", "shape",
                      (json_int_t)t->dim[0], (json_int_t)t->dim[1], "datatype", elem, "bits",
                      (json_int_t)p->w.elem.bits, "lanes", (json_int_t)p->w.lanes, "lines",
                      (json_int_t)p->w.lines, "width",
                      (json_int_t)p->w.lanes * (json_int_t)p->w.elem.bits, "order", order, "file",
                      nashc_arena_printf(z->a, "weights/%s.dat", name));
        if (p->w.streamed) {
            json_object_set_new(o, "padded_width", json_integer(p->padded));
            json_object_set_new(o, "rounds_a_frame", json_integer(p->w.rounds));
        } else {
            int64_t words = nashc_flow_weight_words(&p->w);
            json_object_set_new(o, "base", json_integer(0));
            json_object_set_new(o, "address_bits", json_integer(lite_address_bits(&p->w)));
            json_object_set_new(o, "words_a_line", json_integer(words));
            json_object_set_new(o, "words", json_integer(words * p->w.lines));
            json_object_set_new(o, "bits_a_word", json_integer(32));
            if (p->w.empty)
                json_object_set_new(o, "starts_empty", json_true());
        }
        json_array_append_new(list, o);
    }
    return list;
}
