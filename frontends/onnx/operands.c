/* operands.c: operands of the node at hand: values, contents, types. */
#include "frontends/onnx/graph.h"
#include <inttypes.h>
#include <math.h>

/* Exporters write "" for operands left out, at the end too. */
int
nashc_onnx_n_in(const nashc_onnx_in *r)
{
    size_t n = r->node->n_input;

    while (n && !*r->node->input[n - 1])
        n--;
    return (int)n;
}

/* The order of the nodes has made sure that every name is defined. */
onnx_sym *
onnx_in_sym(const nashc_onnx_in *r, int i)
{
    return i >= 0 && (size_t)i < r->node->n_input ? onnx_sym_find(r, r->node->input[i]) : NULL;
}

const char *
nashc_onnx_in_name(const nashc_onnx_in *r, int i)
{
    return (size_t)i < r->node->n_input ? nashc_quote(r->d, r->node->input[i]) : "";
}

int
nashc_onnx_in_elem(const nashc_onnx_in *r, int i)
{
    const onnx_sym *s = onnx_in_sym(r, i);

    return s ? s->elem : 0;
}

/* Initialisers are read when a node first asks: those that nobody reads may be broken, and large
 * ones cost time. */
static nashc_status
load(nashc_onnx_in *r, onnx_sym *s)
{
    const char *what;
    nashc_status st;

    if (s->loaded || !s->proto)
        return NASHC_OK;
    what = nashc_arena_printf(r->arena, "initialiser \"%s\"", nashc_quote(r->d, s->name));
    if ((st = onnx_sym_read(r, s, what, &s->tensor))) {
        nashc_note(r->d, "read by %s", onnx_node_title(r));
        r->failed = true;
        return st;
    }
    s->loaded = true;
    s->empty = !s->tensor;
    return NASHC_OK;
}

bool
nashc_onnx_given(const nashc_onnx_in *r, int i)
{
    return onnx_in_sym(r, i) != NULL;
}

/* Exporters leave out an operand also by an empty tensor: the roi of Resize. */
bool
nashc_onnx_has(const nashc_onnx_in *r, int i)
{
    const onnx_sym *s = onnx_in_sym(r, i);

    if (!s)
        return false;
    for (size_t k = 0; s->proto && k < s->proto->n_dims; k++)
        if (s->proto->dims[k] == 0)
            return false;
    return !s->empty;
}

/* A known result that is not in the graph yet becomes a constant there now. */
nashc_value *
nashc_onnx_in_value(nashc_onnx_in *r, int i)
{
    onnx_sym *s = onnx_in_sym(r, i);

    if (!s || load(r, s))
        return NULL;
    if (s->part) {
        nashc_onnx_error(r, "input \"%s\" is a sequence, expected a tensor",
                         nashc_quote(r->d, s->name));
        return NULL;
    }
    if (s->tensor && (!s->value || nashc_value_const(s->value)) &&
        !(r->row->flags & NASHC_ONNX_INF) && nashc_type_is_float(nashc_tensor_type(s->tensor)) &&
        !nashc_tensor_all_finite(s->tensor)) {
        nashc_onnx_error(r, "%s \"%s\" holds an infinite value",
                         s->proto ? "initialiser" : "constant", nashc_quote(r->d, s->name));
        return NULL;
    }
    if (!s->value && s->tensor)
        s->value = nashc_onnx_const(r, s->name, nashc_tensor_ref(s->tensor));
    if (!s->value && s->empty)
        nashc_onnx_error(r, "operand \"%s\" has no elements", nashc_quote(r->d, s->name));
    return s->value;
}

/* Does not put a constant into the graph, unlike in_value. */
const nashc_type *
nashc_onnx_in_type(nashc_onnx_in *r, int i)
{
    onnx_sym *s = onnx_in_sym(r, i);

    if (!s || load(r, s))
        return NULL;
    return s->value ? nashc_value_type(s->value) : s->tensor ? nashc_tensor_type(s->tensor) : NULL;
}

const nashc_tensor *
nashc_onnx_in_const(nashc_onnx_in *r, int i)
{
    onnx_sym *s = onnx_in_sym(r, i);

    return s && !load(r, s) ? s->tensor : NULL;
}

/* Found out once: the next who asks finds it with the name. */
const nashc_tensor *
nashc_onnx_in_param(nashc_onnx_in *r, int i)
{
    onnx_sym *s = onnx_in_sym(r, i);
    const nashc_tensor *t = nashc_onnx_in_const(r, i);

    if (t || !s || !s->value || r->failed)
        return t;
    if ((t = onnx_find_out(r, s->value)))
        s->tensor = nashc_tensor_ref((nashc_tensor *)(uintptr_t)t);
    return t;
}

/* As it is if it is one in the graph, so that it keeps its name and is shared. */
nashc_value *
nashc_onnx_in_param_value(nashc_onnx_in *r, int i)
{
    const nashc_tensor *t = nashc_onnx_in_param(r, i);
    nashc_value *v = t ? nashc_onnx_in_value(r, i) : NULL;

    if (!v || nashc_value_const(v))
        return v;
    return nashc_onnx_const(r, NULL, nashc_tensor_ref((nashc_tensor *)(uintptr_t)t));
}

/* Float containers are accepted where the values are integers: QONNX stores bit widths so. */
nashc_status
nashc_onnx_in_ints(nashc_onnx_in *r, int i, const char *what, const int64_t **v, int *n)
{
    onnx_sym *s = onnx_in_sym(r, i);
    nashc_status st;

    *v = NULL;
    *n = 0;
    if (!s)
        return NASHC_OK;
    if ((st = load(r, s)))
        return st;
    if (s->empty) {
        *v = NASHC_NEW_N(r->arena, int64_t, 1);
        return NASHC_OK;
    }
    if (!nashc_onnx_in_param(r, i)) {
        nashc_onnx_unsup(r, "%s \"%s\" is not a constant", what, nashc_quote(r->d, s->name));
        nashc_help(r->d, "shapes and parameters must be known when the model is compiled");
        return NASHC_EUNSUP;
    }
    int64_t count = nashc_tensor_count(s->tensor);
    if (count > ONNX_SMALL)
        return nashc_onnx_error(r, "%s \"%s\" has %" PRId64 " elements", what,
                                nashc_quote(r->d, s->name), count);
    int64_t *out = NASHC_NEW_N(r->arena, int64_t, count);
    if (!out)
        return nashc_enomem(r->d);
    bool integer = nashc_type_is_int(nashc_tensor_type(s->tensor));
    for (int64_t k = 0; k < count; k++) {
        double f = nashc_tensor_get(s->tensor, k);
        if (!integer && (f != floor(f) || fabs(f) > 9e15))
            return nashc_onnx_error(r, "%s \"%s\" holds %g, not an integer", what,
                                    nashc_quote(r->d, s->name), f);
        out[k] = integer ? nashc_tensor_get_int(s->tensor, k) : (int64_t)f;
    }
    *v = out;
    *n = (int)count;
    return NASHC_OK;
}

nashc_status
nashc_onnx_in_number(nashc_onnx_in *r, int i, const char *what, double def, double *out)
{
    const nashc_tensor *t = nashc_onnx_in_param(r, i);

    *out = def;
    if (!nashc_onnx_has(r, i))
        return NASHC_OK;
    if (!t)
        return nashc_onnx_unsup(r, "%s \"%s\" is not a constant", what, nashc_onnx_in_name(r, i));
    if (!nashc_tensor_is_scalar(t))
        return nashc_onnx_error(r, "%s \"%s\" has %" PRId64 " elements, expected 1", what,
                                nashc_onnx_in_name(r, i), nashc_tensor_count(t));
    *out = nashc_tensor_get(t, 0);
    return NASHC_OK;
}

/* A reshape to the same shape takes the label off. */
nashc_value *
nashc_onnx_in_plain(nashc_onnx_in *r, int i)
{
    nashc_value *v = nashc_onnx_in_value(r, i);
    const nashc_type *t = v ? nashc_value_type(v) : NULL;

    return t && t->layout != NASHC_LAYOUT_DEFAULT ? nashc_onnx_reshape(r, v, t->dim, t->rank) : v;
}

nashc_status
nashc_onnx_axis(nashc_onnx_in *r, int64_t axis, int rank, int *out)
{
    if (axis < -rank || axis >= rank)
        return nashc_onnx_error(r, "axis %" PRId64 " is out of range for %d dimensions", axis,
                                rank);
    *out = (int)(axis < 0 ? axis + rank : axis);
    return NASHC_OK;
}

/* Sorted by a mark per axis, which finds doubles as well. */
nashc_status
nashc_onnx_axes(nashc_onnx_in *r, const int64_t *axes, int n, int rank, int64_t **out)
{
    bool seen[NASHC_MAX_RANK] = {false};
    int64_t *v = NASHC_NEW_N(r->arena, int64_t, NASHC_MAX_RANK + 1);
    int axis = 0, k = 0;
    nashc_status s;

    if (!v)
        return nashc_enomem(r->d);
    if (rank > NASHC_MAX_RANK)
        return nashc_onnx_unsup(r, "the result has %d dimensions, at most %d are supported", rank,
                                NASHC_MAX_RANK);
    for (int i = 0; i < n; i++) {
        if ((s = nashc_onnx_axis(r, axes[i], rank, &axis)))
            return s;
        if (seen[axis])
            return nashc_onnx_error(r, "axis %d is given twice", axis);
        seen[axis] = true;
    }
    for (int i = 0; i < rank; i++)
        if (seen[i])
            v[k++] = i;
    *out = v;
    return NASHC_OK;
}
