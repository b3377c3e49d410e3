/* nodes.c: nodes of an ONNX file in the making, their attributes, and the domains they are of. */
#include "frontends/onnx/write/writer.h"
#include <string.h>

/* The highest version that any node asks for; domains that no node uses are not written. */
void
onnx_add_domain(onnx_out *o, const char *name, int version, bool used)
{
    onnx_domain *d = NULL;

    if (o->no_memory)
        return;
    for (size_t i = 0; i < o->domains.n && !d; i++)
        if (!strcmp(((onnx_domain *)o->domains.items[i])->name, name))
            d = o->domains.items[i];
    if (!d) {
        d = onnx_grab(o, sizeof *d);
        *d = (onnx_domain){.name = onnx_text(o, name)};
        onnx_push(o, &o->domains, d);
    }
    d->version = version > d->version ? version : d->version;
    d->used = d->used || used;
}

/* Parts of one IR node are numbered, so that Netron shows where they come from. */
const char *
onnx_emit(onnx_out *o, const char *domain, const char *op, const char *const *in, int n_in,
          const char *const *out, int n_out)
{
    Onnx__NodeProto *n = onnx_grab(o, sizeof *n);
    const char *name = o->node ? nashc_node_loc(o->node)->name : NULL, *between;

    if (!out) {
        between = onnx_between(o, NULL, NASHC_ONNX_FLOAT);
        out = &between;
        n_out = 1;
    }
    *n = (Onnx__NodeProto)ONNX__NODE_PROTO__INIT;
    n->op_type = onnx_text(o, op);
    if (*domain)
        n->domain = onnx_text(o, domain);
    /* the first part has the node's own name */
    if (name && *name)
        n->name = o->n_parts ? (char *)nashc_arena_printf(o->arena, "%s_%d", name, o->n_parts)
                             : onnx_text(o, name);
    o->n_parts++;
    n->input = onnx_grab(o, sizeof(char *) * (size_t)(n_in + 1));
    n->n_input = n->input ? (size_t)n_in : 0;
    for (size_t i = 0; i < n->n_input; i++)
        /* an empty name is an operand left out */
        n->input[i] = onnx_text(o, in[i] ? in[i] : "");
    n->output = onnx_grab(o, sizeof(char *) * (size_t)(n_out + 1));
    n->n_output = n->output ? (size_t)n_out : 0;
    for (size_t i = 0; i < n->n_output; i++)
        n->output[i] = onnx_text(o, out[i]);
    if (*domain)
        onnx_add_domain(o, domain, 1, true);
    onnx_push(o, &o->nodes, n);
    return n->n_output > 0 ? n->output[0] : "";
}

/* Between two parts the container is that of the first operand. */
const char *
onnx_emit1(onnx_out *o, const char *op, const char *a, const char *b, const nashc_type *type,
           const char *out)
{
    const char *in[2] = {a, b};

    if (!out) {
        const onnx_taken *of = onnx_names_get(o->taken, a);
        out = onnx_between(o, type, of && of->elem ? of->elem : NASHC_ONNX_FLOAT);
    }
    return onnx_emit(o, "", op, in, b ? 2 : 1, &out, 1);
}

/* Attributes go to the node that was emitted last. */
Onnx__NodeProto *
onnx_last(onnx_out *o)
{
    return o->nodes.items[o->nodes.n - 1];
}

/* --- attributes ---------------------------------------------------------------------------------
 */

/* The array grows by one each time: nodes have a dozen at most. */
static Onnx__AttributeProto *
attribute(onnx_out *o, const char *name, int type)
{
    Onnx__AttributeProto *a = onnx_grab(o, sizeof *a), **all;

    *a = (Onnx__AttributeProto)ONNX__ATTRIBUTE_PROTO__INIT;
    if (o->no_memory) /* there may be no node */
        return a;
    Onnx__NodeProto *n = onnx_last(o);
    a->name = onnx_text(o, name);
    a->has_type = true;
    a->type = type;
    all = onnx_grab(o, sizeof(void *) * (n->n_attribute + 1));
    if (o->no_memory)
        return a;
    if (n->n_attribute)
        memcpy(all, n->attribute, sizeof(void *) * n->n_attribute);
    all[n->n_attribute++] = a;
    n->attribute = all;
    return a;
}

/* Types of attributes by their numbers in onnx.proto: 1 float, 2 int, 3 string, 6 floats, 7
 * ints. */
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

/* Bytes and length, no zero at the end. */
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

    a->ints = onnx_grab(o, sizeof(int64_t) * (size_t)(n + 1));
    a->n_ints = a->ints ? (size_t)n : 0;
    for (size_t i = 0; i < a->n_ints; i++)
        a->ints[i] = v[i];
}

void
onnx_put_floats(onnx_out *o, const char *name, const double *v, int n)
{
    Onnx__AttributeProto *a = attribute(o, name, 6);

    a->floats = onnx_grab(o, sizeof(float) * (size_t)(n + 1));
    a->n_floats = a->floats ? (size_t)n : 0;
    for (size_t i = 0; i < a->n_floats; i++)
        a->floats[i] = (float)v[i];
}

const char *
onnx_emit_cast(onnx_out *o, const char *a, int elem, const char *out)
{
    if (!out)
        out = onnx_between(o, NULL, elem);
    onnx_emit(o, "", "Cast", &a, 1, &out, 1);
    onnx_put_int(o, "to", elem);
    return out;
}
