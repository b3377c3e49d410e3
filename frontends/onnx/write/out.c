/* out.c: tensors, nodes and attributes of an ONNX file in the making.
 *
 * Integer tensors are kept in float32 containers with a finn_datatype annotation, as QONNX and FINN
 * have them; beyond 2^24 in float64. The indices of ArgMax and TopK are int64.
 */
#include "frontends/onnx/write/writer.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void *
onnx_grab(onnx_out *o, size_t size)
{
    void *p = nashc_arena_alloc(o->arena, size);

    if (!p)
        o->no_memory = true;
    return p ? p : size <= sizeof o->spare ? o->spare : NULL;
}

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

char *
onnx_text(onnx_out *o, const char *s)
{
    char *copy = nashc_arena_strdup(o->arena, s);

    if (!copy)
        o->no_memory = true;
    return copy ? copy : (char *)"";
}

/* name, made unique among the tensors. */
static const char *
unique(onnx_out *o, const char *name)
{
    const char *try = *name ? name : "t";

    for (int i = 1; onnx_names_get(o->taken, try); i++)
        try = nashc_arena_printf(o->arena, "%s_%d", *name ? name : "t", i);
    try = onnx_text(o, try);
    int *elem = onnx_grab(o, sizeof *elem);
    if (!onnx_names_put(o->taken, try, elem))
        o->no_memory = true;
    return try;
}

static void
set_elem(onnx_out *o, const char *name, int elem)
{
    int *at = onnx_names_get(o->taken, name);

    if (at)
        *at = elem;
}

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
    p->name = (char *)unique(o, name);
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
    set_elem(o, p->name, elem);
    if (nashc_type_is_int(type))
        onnx_put_note(o, p->name, type);
    return p->name;
}

const char *
onnx_put_shape(onnx_out *o, const int64_t *v, int n)
{
    Onnx__TensorProto *p = onnx_grab(o, sizeof *p);

    *p = (Onnx__TensorProto)ONNX__TENSOR_PROTO__INIT;
    p->name = (char *)unique(o, "shape");
    p->has_data_type = true;
    p->data_type = NASHC_ONNX_INT64;
    p->n_dims = 1;
    p->dims = onnx_grab(o, sizeof(int64_t));
    p->dims[0] = n;
    p->n_int64_data = (size_t)n;
    p->int64_data = onnx_grab(o, sizeof(int64_t) * (size_t)(n + 1));
    memcpy(p->int64_data, v, sizeof(int64_t) * (size_t)n);
    onnx_push(o, &o->initialisers, p);
    return p->name;
}

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

/* --- values -------------------------------------------------------------------------------------
 */

static onnx_value *
value_of(onnx_out *o, const nashc_value *v)
{
    return &o->scope->values[nashc_value_id(v)];
}

static int
const_elem(const nashc_value *v)
{
    const nashc_tensor *t = nashc_value_const(v);
    const nashc_type *type = nashc_tensor_type(t);

    if (type->kind == NASHC_K_F16)
        return NASHC_ONNX_FLOAT16;
    return onnx_fits_float(t) ? NASHC_ONNX_FLOAT : NASHC_ONNX_DOUBLE;
}

int
onnx_elem_of(onnx_out *o, const nashc_value *v)
{
    return nashc_value_const(v) ? const_elem(v) : value_of(o, v)->elem;
}

static const char *
scoped(onnx_out *o, const char *name)
{
    return *o->scope->prefix ? nashc_arena_printf(o->arena, "%s%s", o->scope->prefix, name) : name;
}

const char *
onnx_use(onnx_out *o, const nashc_value *v, int elem)
{
    onnx_value *x = value_of(o, v);
    const nashc_tensor *t = nashc_value_const(v);

    elem = elem ? elem : onnx_elem_of(o, v);
    const char **other = &x->as[elem == NASHC_ONNX_DOUBLE    ? 1
                                : elem == NASHC_ONNX_INT64   ? 2
                                : elem == NASHC_ONNX_FLOAT16 ? 3
                                                             : 0];
    if (t) {
        /* One initialiser for each container that is asked for. */
        if (!*other)
            *other = onnx_put_tensor(o, scoped(o, nashc_value_name(v)), t, elem);
        return *other;
    }
    if (!x->name) {
        nashc_bug(o->d, NULL, "value \"%s\" is read before it is written", nashc_value_name(v));
        return "";
    }
    if (x->elem == elem)
        return x->name;
    if (!*other) {
        const char *name = unique(o, nashc_arena_printf(o->arena, "%s_cast", x->name));
        *other = onnx_emit_cast(o, x->name, elem, name);
        set_elem(o, name, elem);
        onnx_put_info(o, name, nashc_value_type(v), elem);
        onnx_put_note(o, name, nashc_value_type(v)); /* a new container, the same integers */
    }
    return *other;
}

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
onnx_define(onnx_out *o, const nashc_value *v, int elem)
{
    onnx_value *x = value_of(o, v);
    const nashc_type *t = nashc_value_type(v);

    if (!x->name) /* graph inputs and outputs are named before */
        x->name = unique(o, scoped(o, nashc_value_name(v)));
    x->elem = elem;
    set_elem(o, x->name, elem);
    onnx_put_info(o, x->name, t, elem);
    onnx_put_note(o, x->name, t);
    return x->name;
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
    const char *name = unique(
        o, nashc_arena_printf(o->arena, "%s_%d", scoped(o, nashc_value_name(y)), o->n_parts));

    set_elem(o, name, elem);
    onnx_put_info(o, name, nashc_value_type(shape), elem);
    if (type)
        onnx_put_note(o, name, type);
    return name;
}

/* --- nodes --------------------------------------------------------------------------------------
 */

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
    if (name && *name)
        n->name = o->n_parts ? (char *)nashc_arena_printf(o->arena, "%s_%d", name, o->n_parts)
                             : onnx_text(o, name);
    o->n_parts++;
    n->n_input = (size_t)n_in;
    n->input = onnx_grab(o, sizeof(char *) * (size_t)(n_in + 1));
    for (int i = 0; i < n_in; i++)
        n->input[i] = onnx_text(o, in[i] ? in[i] : "");
    n->n_output = (size_t)n_out;
    n->output = onnx_grab(o, sizeof(char *) * (size_t)(n_out + 1));
    for (int i = 0; i < n_out; i++)
        n->output[i] = onnx_text(o, out[i]);
    if (*domain)
        onnx_add_domain(o, domain, 1, true);
    onnx_push(o, &o->nodes, n);
    return n->output[0];
}

const char *
onnx_emit1(onnx_out *o, const char *op, const char *a, const char *b, const nashc_type *type,
           const char *out)
{
    const char *in[2] = {a, b};

    if (!out) {
        const int *elem = onnx_names_get(o->taken, a);
        out = onnx_between(o, type, elem && *elem ? *elem : NASHC_ONNX_FLOAT);
    }
    return onnx_emit(o, "", op, in, b ? 2 : 1, &out, 1);
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

Onnx__NodeProto *
onnx_last(onnx_out *o)
{
    return o->nodes.items[o->nodes.n - 1];
}

/* --- the IR node --------------------------------------------------------------------------------
 */

int
onnx_work_elem(onnx_out *o)
{
    int elem = onnx_container(nashc_value_type(nashc_node_out(o->node, 0)));

    for (int i = 0; i < nashc_node_n_in(o->node); i++) {
        const nashc_value *v = nashc_node_in(o->node, i);
        if (v && elem == NASHC_ONNX_FLOAT && onnx_elem_of(o, v) == NASHC_ONNX_DOUBLE)
            elem = NASHC_ONNX_DOUBLE;
    }
    return elem;
}

const char *
onnx_begin(onnx_out *o, int work)
{
    const nashc_value *v = nashc_node_out(o->node, 0);
    int elem = onnx_container(nashc_value_type(v));

    return work == elem ? onnx_define(o, v, elem) : onnx_between(o, nashc_value_type(v), work);
}

nashc_status
onnx_finish(onnx_out *o, int work, const char *name)
{
    const nashc_value *v = nashc_node_out(o->node, 0);
    int elem = onnx_container(nashc_value_type(v));

    if (work == elem)
        return NASHC_OK;
    onnx_emit_cast(o, name, elem, onnx_define(o, v, elem));
    return NASHC_OK;
}
