/* constant.c: operators whose result is known while reading: Constant, Shape and their kin. */
#include "frontends/onnx/ops/family.h"
#include "frontends/onnx/reader.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FILL = 1 << 22 }; /* elements that ConstantOfShape may make */

/* Integers of an element type, with the interval they lie in. */
static nashc_tensor *
ints(int bits, const int64_t *v, int rank, const int64_t *dim)
{
    nashc_type t = nashc_type_shaped(nashc_type_int(bits), rank, dim);
    int64_t n = nashc_type_count(&t);

    if (n < 1)
        return NULL;
    /* an exact interval: sizes computed from it stay narrow types */
    t.lo = t.hi = v[0];
    for (int64_t i = 1; i < n; i++) {
        t.lo = v[i] < t.lo ? v[i] : t.lo;
        t.hi = v[i] > t.hi ? v[i] : t.hi;
    }
    return nashc_tensor_from_i64(&t, v);
}

/* A result without elements stays known, too: an empty shape is that of a scalar. */
static nashc_status
set_empty(nashc_onnx_in *r, int elem)
{
    onnx_sym *s = onnx_sym_find(r, r->node->output[0]);

    if (s) {
        s->empty = s->loaded = true;
        s->elem = elem;
    }
    return NASHC_OK;
}

/* Values of float attributes, n of them. */
static nashc_status
floats(nashc_onnx_in *r, const float *v, int rank, int64_t n)
{
    double *f = malloc(sizeof *f * (size_t)n);

    if (!f)
        return nashc_enomem(r->d);
    for (int64_t i = 0; i < n; i++)
        f[i] = (double)v[i];
    nashc_tensor *t = nashc_onnx_tensor_f32(f, rank, &n);
    free(f);
    return nashc_onnx_set_tensor(r, 0, t, NASHC_ONNX_FLOAT);
}

/* Exactly one of the attributes holds the value. */
static nashc_status
read_constant(nashc_onnx_in *r)
{
    const Onnx__AttributeProto *a;

    if (r->node->n_attribute != 1)
        return nashc_onnx_error(r, "%zu attributes, expected one that holds the value",
                                r->node->n_attribute);
    if ((a = onnx_attr(r, "value"))) {
        const char *what = nashc_arena_printf(r->arena, "value of constant \"%s\"",
                                              nashc_quote(r->d, r->node->output[0]));
        onnx_sym *s = onnx_sym_find(r, r->node->output[0]);
        nashc_tensor *t;
        if (!a->t)
            return nashc_onnx_error(r, "attribute value holds no tensor");
        nashc_status st = onnx_tensor_read(r, a->t, what, s ? s->note : NULL, &t);
        if (st)
            return st;
        return t ? nashc_onnx_set_tensor(r, 0, t, a->t->data_type) : set_empty(r, a->t->data_type);
    }
    if ((a = onnx_attr(r, "value_float")))
        return floats(r, &a->f, 0, 1);
    if ((a = onnx_attr(r, "value_floats")))
        return a->n_floats ? floats(r, a->floats, 1, (int64_t)a->n_floats)
                           : set_empty(r, NASHC_ONNX_FLOAT);
    if ((a = onnx_attr(r, "value_int")))
        return nashc_onnx_set_tensor(r, 0, ints(64, &a->i, 0, NULL), NASHC_ONNX_INT64);
    if ((a = onnx_attr(r, "value_ints"))) {
        int64_t n = (int64_t)a->n_ints;
        return n ? nashc_onnx_set_tensor(r, 0, ints(64, a->ints, 1, &n), NASHC_ONNX_INT64)
                 : set_empty(r, NASHC_ONNX_INT64);
    }
    if ((a = onnx_attr(r, "sparse_value")) && a->sparse_tensor) {
        const char *what = nashc_arena_printf(r->arena, "value of constant \"%s\"",
                                              nashc_quote(r->d, r->node->output[0]));
        nashc_tensor *t;
        nashc_status st = onnx_sparse_read(r, a->sparse_tensor, what, NULL, &t);
        return st ? st : nashc_onnx_set_tensor(r, 0, t, a->sparse_tensor->values->data_type);
    }
    return nashc_onnx_unsup(r, "constant of attribute %s (strings are not supported)",
                            nashc_quote(r->d, r->node->attribute[0]->name));
}

/* One value, zero by default, as often as the shape asks; the count is limited, as a few bytes ask
 * for it. */
static nashc_status
read_constant_of_shape(nashc_onnx_in *r)
{
    const int64_t *dim;
    int rank, elem = NASHC_ONNX_FLOAT;
    int64_t count = 1;
    nashc_tensor *value = NULL, *out = NULL;
    nashc_status s = nashc_onnx_in_ints(r, 0, "shape", &dim, &rank);
    nashc_buf b;

    if (s)
        return s;
    for (int i = 0; i < rank; i++)
        if (dim[i] < 1 || !nashc_mul_size(count, dim[i], &count) || count > MAX_FILL)
            return nashc_onnx_error(r, "shape %s is empty or has more than %d elements",
                                    nashc_onnx_ints(r, dim, rank), MAX_FILL);
    if (rank > NASHC_MAX_RANK)
        return nashc_onnx_unsup(r, "%d dimensions, at most %d are supported", rank, NASHC_MAX_RANK);
    /* ours from here on: unref on all ways out */
    if ((s = nashc_onnx_attr_tensor(r, "value", &value, &elem)))
        return s;
    if (nashc_onnx_has_attr(r, "value") && (!value || nashc_tensor_count(value) != 1)) {
        nashc_tensor_unref(value);
        return nashc_onnx_error(r, "attribute value must hold one element");
    }
    nashc_type t =
        nashc_type_shaped(value ? *nashc_tensor_type(value) : nashc_type_f32(), rank, dim);
    if (nashc_buf_alloc(&b, &t)) {
        for (int64_t i = 0; value && i < b.n; i++) {
            /* by integers: double has no digits for all of int64 */
            if (nashc_type_is_int(&t))
                nashc_buf_set_int(&b, i, nashc_tensor_get_int(value, 0));
            else
                nashc_buf_set(&b, i, nashc_tensor_get(value, 0));
        }
        out = nashc_tensor_take(&b);
    }
    nashc_tensor_unref(value);
    return nashc_onnx_set_tensor(r, 0, out, elem);
}

/* Known while reading, whatever the input is: shapes are static. */
static nashc_status
read_shape(nashc_onnx_in *r)
{
    const nashc_type *x = nashc_onnx_in_type(r, 0);
    int64_t start = nashc_onnx_attr_int(r, "start", 0),
            end = nashc_onnx_attr_int(r, "end", NASHC_MAX_RANK);

    if (!x)
        return r->failed ? nashc_onnx_status(r) : nashc_onnx_unsup(r, "shape of an empty tensor");
    /* negative ends count from behind; then both are cut to the rank, as slices are */
    start = start < 0 ? start + x->rank : start;
    end = end < 0 ? end + x->rank : end;
    start = start < 0 ? 0 : start > x->rank ? x->rank : start;
    end = end < 0 ? 0 : end > x->rank ? x->rank : end;
    int64_t n = end - start;
    if (n <= 0)
        return set_empty(r, NASHC_ONNX_INT64);
    return nashc_onnx_set_tensor(r, 0, ints(64, x->dim + start, 1, &n), NASHC_ONNX_INT64);
}

/* A number, int64 as the standard has it. */
static nashc_status
read_size(nashc_onnx_in *r)
{
    const nashc_type *x = nashc_onnx_in_type(r, 0);
    int64_t n;

    if (!x)
        return r->failed ? nashc_onnx_status(r) : nashc_onnx_unsup(r, "size of an empty tensor");
    n = nashc_type_count(x);
    return nashc_onnx_set_tensor(r, 0, ints(64, &n, 0, NULL), NASHC_ONNX_INT64);
}

static const nashc_onnx_row rows[] = {
    {AI_ONNX, "Constant", 1, NULL,
     "value-:* value_float-:f value_floats-:F value_int-:i value_ints-:I value_string-:* "
     "value_strings-:* sparse_value-:*",
     0, 0, 1, INF, read_constant},
    {AI_ONNX, "ConstantOfShape", 9, NULL, "value-:t", 1, 1, 1, INF, read_constant_of_shape},
    {AI_ONNX, "Shape", 1, NULL, "start-:i end-:i", 1, 1, 1, INF, read_shape},
    {AI_ONNX, "Size", 1, NULL, "", 1, 1, 1, INF, read_size},
    {0},
};

extern const nashc_impl nashc_impl_onnx_constant;

const nashc_impl nashc_impl_onnx_constant = NASHC_IMPL_ONNX("constant", rows);
