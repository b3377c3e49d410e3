/* values.c: the IR node being written: its attributes, and its values as tensors of the file. */
#include "frontends/onnx/write/writer.h"

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

/* A value is cast to another container once, and the result shared by all that ask for it. */
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
            *other = onnx_put_tensor(o, onnx_scoped(o, nashc_value_name(v)), t, elem);
        return *other;
    }
    if (!x->name) {
        nashc_bug(o->d, NULL, "value \"%s\" is read before it is written", nashc_value_name(v));
        return "";
    }
    if (x->elem == elem)
        return x->name;
    if (!*other) {
        const char *name = onnx_unique(o, nashc_arena_printf(o->arena, "%s_cast", x->name));
        *other = onnx_emit_cast(o, x->name, elem, name);
        onnx_set_elem(o, name, elem);
        onnx_put_info(o, name, nashc_value_type(v), elem);
        onnx_put_note(o, name, nashc_value_type(v)); /* a new container, the same integers */
    }
    return *other;
}

/* Where a node is written its results get name, shape and annotation. */
const char *
onnx_define(onnx_out *o, const nashc_value *v, int elem)
{
    onnx_value *x = value_of(o, v);
    const nashc_type *t = nashc_value_type(v);

    if (!x->name) /* graph inputs and outputs are named before */
        x->name = onnx_unique(o, onnx_scoped(o, nashc_value_name(v)));
    x->elem = elem;
    onnx_set_elem(o, x->name, elem);
    onnx_put_info(o, x->name, t, elem);
    onnx_put_note(o, x->name, t);
    return x->name;
}

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

/* A node computed in double for exactness ends in a Cast to the container that its readers expect.
 */
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

/* --- attributes ---------------------------------------------------------------------------------
 */

int64_t
onnx_get_int(const onnx_out *o, const char *name)
{
    return nashc_node_int(o->node, name);
}

bool
onnx_get_bool(const onnx_out *o, const char *name)
{
    return nashc_node_bool(o->node, name);
}

double
onnx_get_float(const onnx_out *o, const char *name)
{
    return nashc_node_float(o->node, name);
}

const char *
onnx_get_str(const onnx_out *o, const char *name)
{
    return nashc_node_str(o->node, name);
}

const int64_t *
onnx_get_ints(const onnx_out *o, const char *name, int *n)
{
    return nashc_node_ints(o->node, name, n);
}
