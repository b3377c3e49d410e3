/* sparse.c: sparse tensors of a file, made dense.
 *
 *     values [n], indices [n] of elements in row-major order, or [n, rank] of coordinates
 *
 * Weights that were pruned are stored so. The size is limited, as a few bytes may ask for any.
 */
#include "frontends/onnx/reader.h"
#include <inttypes.h>
#include <stdlib.h>

/* Parts of one. */
typedef struct sparse {
    nashc_tensor *values, *indices;
    nashc_type type; /* of the dense tensor */
    int64_t count, given;
} sparse;

static nashc_status
measure(nashc_onnx_in *r, const Onnx__SparseTensorProto *t, const char *what, sparse *s)
{
    nashc_type elem;

    if (!t->values || !t->indices)
        return nashc_error(r->d, &r->file, "%s is sparse and has no values or no indices", what);
    if (t->n_dims > NASHC_MAX_RANK || !nashc_onnx_elem_type(t->values->data_type, &elem))
        return nashc_unsup(r->d, &r->file, "%s is sparse, with %zu dimensions and element type %d",
                           what, t->n_dims, t->values->data_type);
    s->type = nashc_type_shaped(elem, (int)t->n_dims, t->dims);
    s->count = nashc_type_count(&s->type);
    if (s->count < 1 || s->count > ONNX_LARGE)
        return nashc_unsup(r->d, &r->file,
                           "%s is sparse and has no elements, or more than %d when dense", what,
                           ONNX_LARGE);
    return NASHC_OK;
}

/* The element that entry i gives; false: there is none of that index. */
static bool
element_of(const sparse *s, int64_t i, int64_t *at)
{
    bool linear = nashc_tensor_type(s->indices)->rank == 1;
    int rank = linear ? 1 : s->type.rank;

    *at = 0;
    for (int k = 0; k < rank; k++) {
        int64_t size = linear ? s->count : s->type.dim[k];
        int64_t c = nashc_tensor_get_int(s->indices, i * rank + k);
        if (c < 0 || c >= size)
            return false;
        *at = *at * size + c;
    }
    return true;
}

static nashc_status
fill(nashc_onnx_in *r, const char *what, const sparse *s, double *v)
{
    const nashc_type *t = s->given ? nashc_tensor_type(s->indices) : NULL;
    int64_t at;

    if (t && (!nashc_type_is_int(t) || t->rank < 1 || t->rank > 2 || t->dim[0] != s->given ||
              (t->rank == 2 && t->dim[1] != s->type.rank)))
        return nashc_error(r->d, &r->file,
                           "%s is sparse, and its indices are %s for %" PRId64 " values", what,
                           nashc_type_str(r->d, t), s->given);
    for (int64_t i = 0; i < s->given; i++) {
        if (!element_of(s, i, &at))
            return nashc_error(r->d, &r->file,
                               "%s is sparse, and index %" PRId64 " lies outside of it", what, i);
        v[at] = nashc_tensor_get(s->values, i);
    }
    return NASHC_OK;
}

/* The interval of integers takes in 0. */
static nashc_status
dense(nashc_onnx_in *r, const char *what, sparse *s, nashc_tensor **out)
{
    double *v = calloc((size_t)s->count, sizeof(*v)), lo = 0, hi = 0;
    nashc_status st = v ? fill(r, what, s, v) : nashc_enomem(r->d);

    if (!st && nashc_type_is_int(&s->type)) {
        for (int64_t i = 0; i < s->count; i++) {
            lo = v[i] < lo ? v[i] : lo;
            hi = v[i] > hi ? v[i] : hi;
        }
        s->type.lo = (int64_t)lo;
        s->type.hi = (int64_t)hi;
    }
    *out = st ? NULL : nashc_tensor_from_f64(&s->type, v);
    free(v);
    return st ? st : *out ? NASHC_OK : nashc_enomem(r->d);
}

nashc_status
onnx_sparse_read(nashc_onnx_in *r, const Onnx__SparseTensorProto *t, const char *what,
                 const nashc_type *note, nashc_tensor **out)
{
    sparse s = {0};
    nashc_status st = measure(r, t, what, &s);

    *out = NULL;
    if (!st)
        st = onnx_tensor_read(r, t->values, what, note, &s.values);
    if (!st)
        st = onnx_tensor_read(r, t->indices, what, NULL, &s.indices);
    s.given = s.values ? nashc_tensor_count(s.values) : 0;
    if (!st && s.values)
        s.type = nashc_type_with_elem(&s.type, nashc_tensor_type(s.values));
    if (!st && s.given && !s.indices)
        st = nashc_error(r->d, &r->file, "%s is sparse and has no indices", what);
    if (!st)
        st = dense(r, what, &s, out);
    nashc_tensor_unref(s.values);
    nashc_tensor_unref(s.indices);
    return st;
}

nashc_status
onnx_sym_read(nashc_onnx_in *r, const onnx_sym *s, const char *what, nashc_tensor **out)
{
    return s->sparse ? onnx_sparse_read(r, s->sparse, what, s->note, out)
                     : onnx_tensor_read(r, s->proto, what, s->note, out);
}
