/* tensors.c: tensors of an ONNX file in the making: names, initialisers, types and notes.
 *
 * Integer tensors are kept in float32 containers with a finn_datatype annotation, as QONNX and FINN
 * have them; beyond 2^24 in float64. The indices of ArgMax and TopK are int64.
 */
#include "frontends/onnx/write/writer.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Never NULL for small structures: without memory they share a spare place, so that callers need
 * not check; the failure is told once, at the end, and nothing is written. */
void *
onnx_grab(onnx_out *o, size_t size)
{
    void *p = nashc_arena_alloc(o->arena, size);

    if (!p)
        o->no_memory = true;
    return p ? p : size <= sizeof o->spare ? o->spare : NULL;
}

/* Doubles, in the arena: what is outgrown is lost until the end. */
void
onnx_push(onnx_out *o, onnx_list *l, void *item)
{
    if (l->n == l->size) {
        size_t size = l->size ? 2 * l->size : 64;
        void **items = NASHC_NEW_N(o->arena, void *, size);
        if (!items) {
            o->no_memory = true;
            return;
        }
        if (l->n)
            memcpy(items, l->items, l->n * sizeof *items);
        l->items = items;
        l->size = size;
    }
    l->items[l->n++] = item;
}

/* protobuf-c wants char *, but does not write to it. */
char *
onnx_text(onnx_out *o, const char *s)
{
    char *copy = nashc_arena_strdup(o->arena, s);

    if (!copy)
        o->no_memory = true;
    return copy ? copy : (char *)"";
}

/* Names of IR values are unique in a graph, not with those of called graphs and of parts. */
const char *
onnx_unique(onnx_out *o, const char *name)
{
    const char *base = *name ? name : "t", *try = base;
    onnx_taken *of = onnx_names_get(o->taken, base), *own;

    /* Those of the same base that were given before are not tried again. */
    while (try && onnx_names_get(o->taken, try))
        try = nashc_arena_printf(o->arena, "%s_%d", base, ++of->n);
    try = onnx_text(o, try ? try : base);
    own = onnx_grab(o, sizeof *own);
    if (!own || !onnx_names_put(o->taken, try, own))
        o->no_memory = true;
    return try;
}

/* The container that a name was given, for those that read it. */
void
onnx_set_elem(onnx_out *o, const char *name, int elem)
{
    onnx_taken *at = onnx_names_get(o->taken, name);

    if (at)
        at->elem = elem;
}

/* float32 holds integers up to 2^24. */
int
onnx_container(const nashc_type *t)
{
    int64_t limit = INT64_C(1) << 24;

    if (nashc_type_is_int(t) && (t->lo < -limit || t->hi > limit))
        return NASHC_ONNX_DOUBLE;
    return t->kind == NASHC_K_F64   ? NASHC_ONNX_DOUBLE
           : t->kind == NASHC_K_F16 ? NASHC_ONNX_FLOAT16
                                    : NASHC_ONNX_FLOAT;
}

/* May the tensor be kept in float32 without loss? By type where that tells, else element by
 * element. */
bool
onnx_fits_float(const nashc_tensor *t)
{
    const nashc_type *type = nashc_tensor_type(t);
    int64_t n = nashc_tensor_count(t);

    if (type->kind == NASHC_K_F32 ||
        (nashc_type_is_int(type) && onnx_container(type) == NASHC_ONNX_FLOAT))
        return true;
    for (int64_t i = 0; i < n; i++) {
        double v = nashc_tensor_get(t, i);
        if ((double)(float)v != v || (nashc_type_is_int(type) && fabs(v) > 9e15))
            return false;
    }
    return true;
}

/* --- initialisers -------------------------------------------------------------------------------
 */

/* Little endian, as raw_data is. */
static void
store(uint8_t *to, int elem, double v, int64_t i)
{
    if (elem == NASHC_ONNX_DOUBLE) {
        memcpy(to, &v, sizeof v);
    } else if (elem == NASHC_ONNX_INT64) {
        uint64_t u = (uint64_t)i;
        for (int k = 0; k < 8; k++)
            to[k] = (uint8_t)(u >> 8 * k);
    } else {
        float f = (float)v;
        memcpy(to, &f, sizeof f);
    }
}

/* binary16 bits of a value that is one. */
static uint16_t
half(double v)
{
    int e;
    double m = frexp(fabs(v), &e); /* m in [0.5, 1) */
    uint16_t sign = signbit(v) ? 0x8000 : 0;

    if (v == 0)
        return sign;
    if (isinf(v))
        return (uint16_t)(sign | 0x7c00);
    if (e < -13) /* subnormal: multiples of 2^-24 */
        return (uint16_t)(sign | (uint16_t)ldexp(fabs(v), 24));
    return (uint16_t)(sign | ((e + 14) << 10) | (uint16_t)((m * 2 - 1) * 1024));
}

const char *
onnx_put_tensor(onnx_out *o, const char *name, const nashc_tensor *t, int elem)
{
    const nashc_type *type = nashc_tensor_type(t);
    Onnx__TensorProto *p = onnx_grab(o, sizeof *p);
    int64_t n = nashc_tensor_count(t);
    size_t size = elem == NASHC_ONNX_FLOAT16 ? 2 : elem == NASHC_ONNX_FLOAT ? 4 : 8;
    uint8_t *raw = onnx_grab(o, (size_t)n * size);

    if (!raw)
        return "";
    *p = (Onnx__TensorProto)ONNX__TENSOR_PROTO__INIT;
    p->name = (char *)onnx_unique(o, name);
    p->has_data_type = true;
    p->data_type = elem;
    p->n_dims = type->rank;
    p->dims = onnx_grab(o, sizeof(int64_t) * (type->rank + 1u));
    memcpy(p->dims, type->dim, sizeof(int64_t) * type->rank);
    for (int64_t i = 0; i < n; i++) {
        if (elem == NASHC_ONNX_FLOAT16) {
            uint16_t h = half(nashc_tensor_get(t, i));
            raw[2 * i] = (uint8_t)h;
            raw[2 * i + 1] = (uint8_t)(h >> 8);
        } else {
            store(raw + (size_t)i * size, elem, nashc_tensor_get(t, i),
                  nashc_type_is_int(type) ? nashc_tensor_get_int(t, i) : 0);
        }
    }
    p->has_raw_data = true;
    p->raw_data = (ProtobufCBinaryData){(size_t)n * size, raw};
    onnx_push(o, &o->initialisers, p);
    onnx_set_elem(o, p->name, elem);
    if (nashc_type_is_int(type))
        onnx_put_note(o, p->name, type);
    return p->name;
}

/* As int64_data, not raw: people read shapes in dumps. */
const char *
onnx_put_shape(onnx_out *o, const int64_t *v, int n)
{
    Onnx__TensorProto *p = onnx_grab(o, sizeof *p);

    *p = (Onnx__TensorProto)ONNX__TENSOR_PROTO__INIT;
    p->name = (char *)onnx_unique(o, "shape");
    p->has_data_type = true;
    p->data_type = NASHC_ONNX_INT64;
    p->n_dims = 1;
    p->dims = onnx_grab(o, sizeof(int64_t));
    p->dims[0] = n;
    p->int64_data = onnx_grab(o, sizeof(int64_t) * (size_t)(n + 1));
    p->n_int64_data = p->int64_data ? (size_t)n : 0;
    for (size_t i = 0; i < p->n_int64_data; i++)
        p->int64_data[i] = v[i];
    onnx_push(o, &o->initialisers, p);
    return p->name;
}

/* Values of a parameter that the IR has as an attribute and ONNX as an operand. */
const char *
onnx_put_array(onnx_out *o, const double *v, const nashc_type *shape, int elem)
{
    nashc_type t = nashc_type_shaped(
        elem == NASHC_ONNX_DOUBLE ? nashc_type_f64() : nashc_type_f32(), shape->rank, shape->dim);
    nashc_buf b;
    const char *name = "";

    if (!nashc_buf_alloc(&b, &t)) {
        o->no_memory = true;
        return name;
    }
    for (int64_t i = 0; i < b.n; i++)
        nashc_buf_set(&b, i, v[i]);
    nashc_tensor *tensor = nashc_tensor_take(&b);
    if (tensor)
        name = onnx_put_tensor(o, "param", tensor, elem);
    else
        o->no_memory = true;
    nashc_tensor_unref(tensor);
    return name;
}

/* Shared: factors and limits of one value are many. */
const char *
onnx_put_scalar(onnx_out *o, double v, int elem)
{
    nashc_type scalar = nashc_type_f32();
    const char *key = nashc_arena_printf(o->arena, "%d %a", elem, v);
    const char *name = key ? onnx_names_get(o->scalars, key) : NULL;

    if (name)
        return name;
    name = onnx_put_array(o, &v, &scalar, elem);
    if (!key || !onnx_names_put(o->scalars, key, (void *)name))
        o->no_memory = true;
    return name;
}

static Onnx__StringStringEntryProto *
entry(onnx_out *o, const char *key, const char *value)
{
    Onnx__StringStringEntryProto *e = onnx_grab(o, sizeof *e);

    *e = (Onnx__StringStringEntryProto)ONNX__STRING_STRING_ENTRY_PROTO__INIT;
    e->key = onnx_text(o, key);
    e->value = onnx_text(o, value);
    return e;
}

/* finn_datatype and tensor_layout, as FINN and QONNX read them; nothing for plain floats without
 * layout. */
void
onnx_put_note(onnx_out *o, const char *name, const nashc_type *type)
{
    bool typed = nashc_type_is_int(type) || nashc_type_is_fixed(type);
    char finn[64];

    if (!typed && type->layout == NASHC_LAYOUT_DEFAULT)
        return;
    Onnx__TensorAnnotation *a = onnx_grab(o, sizeof *a);
    *a = (Onnx__TensorAnnotation)ONNX__TENSOR_ANNOTATION__INIT;
    a->tensor_name = onnx_text(o, name);
    a->quant_parameter_tensor_names = onnx_grab(o, 2 * sizeof(void *));
    if (typed)
        a->quant_parameter_tensor_names[a->n_quant_parameter_tensor_names++] =
            entry(o, "finn_datatype", nashc_type_finn_name(type, finn, sizeof finn));
    if (type->layout != NASHC_LAYOUT_DEFAULT)
        a->quant_parameter_tensor_names[a->n_quant_parameter_tensor_names++] =
            entry(o, "tensor_layout",
                  type->layout == NASHC_LAYOUT_NHWC ? "['N', 'H', 'W', 'C']" : "['N', 'W', 'C']");
    onnx_push(o, &o->notes, a);
}

/* Names of a graph that is written in the place of its call have its prefix. */
const char *
onnx_scoped(onnx_out *o, const char *name)
{
    return *o->scope->prefix ? nashc_arena_printf(o->arena, "%s%s", o->scope->prefix, name) : name;
}

/* An unknown dimension is "N". */
void
onnx_put_info(onnx_out *o, const char *name, const nashc_type *t, int elem)
{
    Onnx__ValueInfoProto *v = onnx_grab(o, sizeof *v);
    Onnx__TypeProto *type = onnx_grab(o, sizeof *type);
    Onnx__TypeProto__Tensor *tensor = onnx_grab(o, sizeof *tensor);
    Onnx__TensorShapeProto *shape = onnx_grab(o, sizeof *shape);

    *v = (Onnx__ValueInfoProto)ONNX__VALUE_INFO_PROTO__INIT;
    *type = (Onnx__TypeProto)ONNX__TYPE_PROTO__INIT;
    *tensor = (Onnx__TypeProto__Tensor)ONNX__TYPE_PROTO__TENSOR__INIT;
    *shape = (Onnx__TensorShapeProto)ONNX__TENSOR_SHAPE_PROTO__INIT;
    v->name = onnx_text(o, name);
    v->type = type;
    type->tensor_type = tensor;
    tensor->has_elem_type = true;
    tensor->elem_type = elem;
    tensor->shape = shape;
    shape->n_dim = t->rank;
    shape->dim = onnx_grab(o, sizeof(void *) * (t->rank + 1u));
    for (int i = 0; i < t->rank; i++) {
        Onnx__TensorShapeProto__Dimension *dim = onnx_grab(o, sizeof *dim);
        *dim = (Onnx__TensorShapeProto__Dimension)ONNX__TENSOR_SHAPE_PROTO__DIMENSION__INIT;
        if (t->dim[i] >= 0) {
            dim->has_dim_value = true;
            dim->dim_value = t->dim[i];
        } else {
            dim->dim_param = onnx_text(o, "N");
        }
        shape->dim[i] = dim;
    }
    onnx_push(o, &o->infos, v);
}

const char *
onnx_between(onnx_out *o, const nashc_type *type, int elem)
{
    return onnx_between_like(o, nashc_node_out(o->node, 0), type, elem);
}

const char *
onnx_between_like(onnx_out *o, const nashc_value *shape, const nashc_type *type, int elem)
{
    const nashc_value *y = nashc_node_out(o->node, 0);
    const char *name = onnx_unique(
        o, nashc_arena_printf(o->arena, "%s_%d", onnx_scoped(o, nashc_value_name(y)), o->n_parts));

    onnx_set_elem(o, name, elem);
    onnx_put_info(o, name, nashc_value_type(shape), elem);
    if (type)
        onnx_put_note(o, name, type);
    return name;
}
