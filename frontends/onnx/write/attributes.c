/* attributes.c: attributes of the ONNX node that was written last, and of the IR node that it is
 * for. */
#include "frontends/onnx/write/writer.h"
#include <string.h>

static Onnx__AttributeProto *
attribute(onnx_out *o, const char *name, int type)
{
    Onnx__NodeProto *n = onnx_last(o);
    Onnx__AttributeProto *a = onnx_grab(o, sizeof *a), **all;

    *a = (Onnx__AttributeProto)ONNX__ATTRIBUTE_PROTO__INIT;
    a->name = onnx_text(o, name);
    a->has_type = true;
    a->type = type;
    all = onnx_grab(o, sizeof(void *) * (n->n_attribute + 1));
    if (n->n_attribute)
        memcpy(all, n->attribute, sizeof(void *) * n->n_attribute);
    all[n->n_attribute++] = a;
    n->attribute = all;
    return a;
}

void
onnx_put_int(onnx_out *o, const char *name, int64_t v)
{
    Onnx__AttributeProto *a = attribute(o, name, 2);

    a->has_i = true;
    a->i = v;
}

void
onnx_put_float(onnx_out *o, const char *name, double v)
{
    Onnx__AttributeProto *a = attribute(o, name, 1);

    a->has_f = true;
    a->f = (float)v;
}

void
onnx_put_str(onnx_out *o, const char *name, const char *v)
{
    Onnx__AttributeProto *a = attribute(o, name, 3);

    a->has_s = true;
    a->s.data = (uint8_t *)onnx_text(o, v);
    a->s.len = strlen(v);
}

void
onnx_put_ints(onnx_out *o, const char *name, const int64_t *v, int n)
{
    Onnx__AttributeProto *a = attribute(o, name, 7);

    a->n_ints = (size_t)n;
    a->ints = onnx_grab(o, sizeof(int64_t) * (size_t)(n + 1));
    memcpy(a->ints, v, sizeof(int64_t) * (size_t)n);
}

void
onnx_put_floats(onnx_out *o, const char *name, const double *v, int n)
{
    Onnx__AttributeProto *a = attribute(o, name, 6);

    a->n_floats = (size_t)n;
    a->floats = onnx_grab(o, sizeof(float) * (size_t)(n + 1));
    for (int i = 0; a->floats && i < n; i++)
        a->floats[i] = (float)v[i];
}

/* --- of the IR node -----------------------------------------------------------------------------
 */

int64_t
onnx_get_int(const onnx_out *o, const char *name)
{
    return nashc_attr_int(o->node, nashc_attr_index(o->node, name));
}

bool
onnx_get_bool(const onnx_out *o, const char *name)
{
    return nashc_attr_bool(o->node, nashc_attr_index(o->node, name));
}

double
onnx_get_float(const onnx_out *o, const char *name)
{
    return nashc_attr_float(o->node, nashc_attr_index(o->node, name));
}

const char *
onnx_get_str(const onnx_out *o, const char *name)
{
    return nashc_attr_str(o->node, nashc_attr_index(o->node, name));
}

const int64_t *
onnx_get_ints(const onnx_out *o, const char *name, int *n)
{
    return nashc_attr_ints(o->node, nashc_attr_index(o->node, name), n);
}
