/* plain.c: IR nodes that become one ONNX node: by a row of the tables, or under their own name. */
#include "frontends/onnx/write/writer.h"
#include <stdlib.h>
#include <string.h>

const char **
onnx_operands(onnx_out *o, int work, int *n)
{
    /* valid to read, n is 0 */
    static const char *none[1] = {""};
    int count = nashc_node_n_in(o->node);
    const char **in = NASHC_NEW_N(o->arena, const char *, count + 1);

    *n = in ? count : 0;
    /* n alone would tell nobody, and a node without operands would be written */
    o->no_memory = o->no_memory || !in;
    for (int i = 0; in && i < count; i++) {
        const nashc_value *v = nashc_node_in(o->node, i);
        in[i] = v ? onnx_use(o, v, work) : "";
    }
    return in ? in : none;
}

/* IR attribute i as the row names it. */
static void
put_attr(onnx_out *o, const onnx_attr_spec *spec, int i)
{
    const double *f;
    const int64_t *v;
    int n;

    switch (spec->kind) {
    case 'f':
        onnx_put_float(o, spec->name, nashc_attr_float(o->node, i));
        break;
    case 'i':
        onnx_put_int(o, spec->name, nashc_attr_int(o->node, i));
        break;
    case 's':
        onnx_put_str(o, spec->name, nashc_attr_str(o->node, i));
        break;
    case 'I':
        v = nashc_attr_ints(o->node, i, &n);
        onnx_put_ints(o, spec->name, v, n);
        break;
    default:
        f = nashc_attr_floats(o->node, i, &n);
        onnx_put_floats(o, spec->name, f, n);
    }
}

/* Attributes as the row names them; what is the default in both worlds is left out. */
static void
put_row_attrs(onnx_out *o, const nashc_onnx_row *row)
{
    const char *at = row->attrs;
    onnx_attr_spec spec;

    while (onnx_attr_next(&at, &spec)) {
        int i = spec.copied ? nashc_attr_index(o->node, spec.ir) : -1;
        const char *def = i >= 0 ? nashc_node_op(o->node)->attrs[i].def : NULL;
        bool same = spec.kind == 'f' && def && strtod(def, NULL) == nashc_attr_float(o->node, i);
        if (i >= 0 && !same)
            put_attr(o, &spec, i);
    }
}

/* The node as it is: each operand and result in its own container. */
static nashc_status
emit_whole(onnx_out *o, const char *domain, const char *name)
{
    int n_in, n_out = nashc_node_n_out(o->node);
    const char **in = onnx_operands(o, 0, &n_in);
    const char **out = NASHC_NEW_N(o->arena, const char *, n_out + 1);

    if (!out)
        return nashc_enomem(o->d);
    for (int i = 0; i < n_out; i++) {
        const nashc_value *v = nashc_node_out(o->node, i);
        out[i] = onnx_define(o, v, onnx_container(nashc_value_type(v)));
    }
    onnx_emit(o, domain, name, in, n_in, out, n_out);
    return NASHC_OK;
}

/* 1:1, by the operator's row. */
nashc_status
onnx_write_row(onnx_out *o, const nashc_onnx_row *row)
{
    bool standard = !strcmp(onnx_domain_of(row->domain), ONNX_DOMAIN_STD);
    const char *domain = standard ? "" : row->domain;
    int n, work = onnx_work_elem(o);
    nashc_status s;

    if (!standard)
        onnx_add_domain(o, domain, row->since, true);
    else if (row->since > o->opset)
        o->opset = row->since;
    if (nashc_node_n_out(o->node) > 1) {
        if ((s = emit_whole(o, domain, row->name)))
            return s;
        put_row_attrs(o, row);
        return NASHC_OK;
    }
    const char **in = onnx_operands(o, work, &n), *out = onnx_begin(o, work);
    onnx_emit(o, domain, row->name, in, n, &out, 1);
    put_row_attrs(o, row);
    return onnx_finish(o, work, out);
}

/* Under the name of the IR, attributes as text. */
nashc_status
onnx_write_vendor(onnx_out *o)
{
    const char *attrs = nashc_node_attr_text(o->node, o->arena);
    nashc_status s = emit_whole(o, ONNX_DOMAIN_OWN, nashc_node_opname(o->node));

    if (!s && attrs && *attrs)
        onnx_put_str(o, "attributes", attrs);
    return s;
}
