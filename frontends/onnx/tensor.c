/* tensor.c: TensorProto to IR tensor: typed, raw or external data of every element type. */
#include "frontends/onnx/tensor.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Where the elements of one tensor come from. */
typedef struct source {
    const Onnx__TensorProto *t;
    const onnx_elem_info *info;
    const uint8_t *raw; /* NULL: the typed arrays */
    int elem;
} source;

static uint64_t
raw_code(const source *s, int64_t i)
{
    int bits = s->info->bits;
    uint64_t v = 0;

    if (bits < 8) /* first element in the low bits */
        return s->raw[i * bits / 8] >> (i * bits % 8) & ((1u << bits) - 1);
    for (int k = bits / 8; k--;)
        v = v << 8 | s->raw[i * (bits / 8) + k];
    return v;
}

/* Bits of element i, for everything but FLOAT and DOUBLE in typed arrays. */
static uint64_t
code_at(const source *s, int64_t i)
{
    int bits = s->info->bits;

    if (s->raw)
        return raw_code(s, i);
    switch (s->elem) {
    case NASHC_ONNX_INT64:
        return (uint64_t)s->t->int64_data[i];
    case NASHC_ONNX_UINT32:
    case NASHC_ONNX_UINT64:
        return s->t->uint64_data[i];
    default:
        if (bits < 8) /* packed as in raw data, a byte in each entry */
            return (uint64_t)s->t->int32_data[i * bits / 8] >> (i * bits % 8) & ((1u << bits) - 1);
        return (uint64_t)(int64_t)s->t->int32_data[i];
    }
}

static double
float_at(const source *s, int64_t i)
{
    if (s->elem == NASHC_ONNX_FLOAT) {
        float f;
        if (!s->raw)
            return (double)s->t->float_data[i];
        uint32_t bits = (uint32_t)raw_code(s, i);
        memcpy(&f, &bits, sizeof f);
        return (double)f;
    }
    if (s->elem == NASHC_ONNX_DOUBLE) {
        double v;
        if (!s->raw)
            return s->t->double_data[i];
        uint64_t bits = raw_code(s, i);
        memcpy(&v, &bits, sizeof v);
        return v;
    }
    return onnx_float_decode(s->elem, code_at(s, i) & ((UINT64_C(1) << s->info->bits) - 1));
}

/* False: does not fit the element (typed data), or 64 bits. */
static bool
int_at(const source *s, int64_t i, int64_t *out)
{
    uint64_t code = code_at(s, i);
    int bits = s->info->bits;

    if (s->elem == NASHC_ONNX_BOOL) {
        *out = (code & 0xff) != 0;
        return true;
    }
    if (s->elem == NASHC_ONNX_UINT64) {
        *out = (int64_t)code;
        return code <= INT64_MAX;
    }
    if (s->raw || bits < 8) {
        if (s->info->kind == NASHC_K_INT && bits < 64 && code >> (bits - 1) & 1)
            code |= ~UINT64_C(0) << bits;
        *out = (int64_t)code;
        return true;
    }
    *out = (int64_t)code;
    if (bits == 64)
        return true;
    if (s->info->kind == NASHC_K_UINT)
        return *out >= 0 && *out < INT64_C(1) << bits;
    return *out >= -(INT64_C(1) << (bits - 1)) && *out < INT64_C(1) << (bits - 1);
}

/* Zero sizes are legal in the standard, so the product is taken only where it must be a count. */
static nashc_status
check_dims(nashc_onnx_in *r, const Onnx__TensorProto *t, const char *what, int64_t *count)
{
    int64_t n = 1;

    if (t->n_dims > NASHC_MAX_RANK)
        return nashc_unsup(r->d, &r->file, "%s has %zu dimensions, at most %d are supported", what,
                           t->n_dims, NASHC_MAX_RANK);
    for (size_t i = 0; i < t->n_dims; i++)
        if (t->dims[i] < 0)
            return nashc_error(r->d, &r->file, "%s has the negative dimension %" PRId64, what,
                               t->dims[i]);
    for (size_t i = 0; i < t->n_dims; i++)
        if (t->dims[i] == 0) {
            *count = 0;
            return NASHC_OK;
        }
    for (size_t i = 0; i < t->n_dims; i++)
        if (!nashc_mul_size(n, t->dims[i], &n) || n > NASHC_MAX_ELEMENTS)
            return nashc_error(r->d, &r->file,
                               "%s: its dimensions multiply to more than %" PRId64 " elements",
                               what, (int64_t)NASHC_MAX_ELEMENTS);
    *count = n;
    return NASHC_OK;
}

/* Which typed array holds elements of elem, and how many entries it has. */
static size_t
typed_entries(const Onnx__TensorProto *t, int elem)
{
    switch (elem) {
    case NASHC_ONNX_FLOAT:
        return t->n_float_data;
    case NASHC_ONNX_DOUBLE:
        return t->n_double_data;
    case NASHC_ONNX_INT64:
        return t->n_int64_data;
    case NASHC_ONNX_UINT32:
    case NASHC_ONNX_UINT64:
        return t->n_uint64_data;
    default:
        return t->n_int32_data;
    }
}

/* Exactly one store, of the right length. *bytes: length of raw or external data. */
static nashc_status
check_store(nashc_onnx_in *r, const Onnx__TensorProto *t, const char *what, int64_t count,
            int64_t *bytes)
{
    int elem = t->data_type, bits = onnx_elem_get(elem)->bits;
    int64_t have;
    size_t typed = typed_entries(t, elem), all = t->n_float_data + t->n_double_data +
                                                 t->n_int64_data + t->n_uint64_data +
                                                 t->n_int32_data;
    bool external = t->data_location == 1 || t->n_external_data;

    if (!nashc_mul_size(count, bits, &have))
        return nashc_error(r->d, &r->file, "%s: its size overflows", what);
    *bytes = have / 8 + (have % 8 != 0);
    if (*bytes > NASHC_MAX_BYTES)
        return nashc_error(r->d, &r->file, "%s has %" PRId64 " bytes, more than %" PRId64, what,
                           *bytes, (int64_t)NASHC_MAX_BYTES);
    if (t->n_string_data)
        return nashc_error(r->d, &r->file, "%s holds strings beside its %s elements", what,
                           nashc_onnx_elem_name(elem));
    if ((t->has_raw_data && t->raw_data.len && all) || (external && (t->raw_data.len || all)))
        return nashc_error(r->d, &r->file, "%s has its data twice: %s", what,
                           external          ? "external and in the file"
                           : t->n_float_data ? "raw_data and float_data"
                                             : "raw_data and a typed array");
    if (all != typed)
        return nashc_error(r->d, &r->file, "%s of %s has its data in an array of another type",
                           what, nashc_onnx_elem_name(elem));
    if (external)
        return NASHC_OK;
    if (typed) {
        int64_t per = bits < 8 ? 8 / bits : 1;
        if ((int64_t)typed != (count + per - 1) / per)
            return nashc_error(r->d, &r->file,
                               "%s: its dimensions need %" PRId64 " elements, its data hold %zu",
                               what, count, typed * (size_t)per);
        return NASHC_OK;
    }
    if ((int64_t)t->raw_data.len != *bytes)
        return nashc_error(r->d, &r->file,
                           "%s: its dimensions need %" PRId64 " %s elements, that is %" PRId64
                           " bytes; raw_data holds %zu",
                           what, count, nashc_onnx_elem_name(elem), *bytes, t->raw_data.len);
    return NASHC_OK;
}

/* The type of an initialiser is the range of its values, not that of the container: that is what
 * datatypes are. */
static nashc_status
read_ints(nashc_onnx_in *r, const source *s, const char *what, nashc_type *type, int64_t count,
          nashc_tensor **out)
{
    int64_t v, lo = INT64_MAX, hi = INT64_MIN;
    nashc_buf b;

    for (int64_t i = 0; i < count; i++) {
        if (!int_at(s, i, &v))
            return nashc_error(r->d, &r->file, "%s: element %" PRId64 " does not fit %s", what, i,
                               s->elem == NASHC_ONNX_UINT64 ? "63 bits"
                                                            : nashc_onnx_elem_name(s->elem));
        lo = v < lo ? v : lo;
        hi = v > hi ? v : hi;
    }
    type->lo = lo; /* so that ranges computed from constants are narrow */
    type->hi = hi;
    if (!nashc_buf_alloc(&b, type))
        return nashc_enomem(r->d);
    for (int64_t i = 0; i < count && int_at(s, i, &v); i++)
        nashc_buf_set_int(&b, i, v);
    *out = nashc_tensor_take(&b);
    if (!*out)
        nashc_buf_free(&b);
    return *out ? NASHC_OK : nashc_enomem(r->d);
}

/* NaN is refused here once, so that no pass has to think of it. */
static nashc_status
read_floats(nashc_onnx_in *r, const source *s, const char *what, const nashc_type *type,
            int64_t count, nashc_tensor **out)
{
    nashc_buf b;

    if (!nashc_buf_alloc(&b, type))
        return nashc_enomem(r->d);
    for (int64_t i = 0; i < count; i++) {
        double v = float_at(s, i);
        if (isnan(v)) {
            nashc_buf_free(&b);
            return nashc_error(r->d, &r->file, "%s holds NaN (element %" PRId64 ")", what, i);
        }
        if (b.cell == NASHC_FLOAT)
            ((float *)b.data)[i] = (float)v;
        else
            ((double *)b.data)[i] = v;
    }
    *out = nashc_tensor_take(&b);
    if (!*out)
        nashc_buf_free(&b);
    return *out ? NASHC_OK : nashc_enomem(r->d);
}

/* Elements of an integer datatype in a container of another type become integers. */
static nashc_status
apply_note(nashc_onnx_in *r, const char *what, const nashc_type *note, nashc_tensor **t)
{
    const nashc_type *have = nashc_tensor_type(*t);
    int64_t n = nashc_tensor_count(*t);
    nashc_type type = nashc_type_with_elem(have, note);
    char name[64];

    if (!nashc_type_is_int(note) || nashc_type_same_elem(have, note))
        return NASHC_OK;
    double *v = nashc_buf_to_f64(nashc_tensor_buf(*t));
    if (!v)
        return nashc_enomem(r->d);
    for (int64_t i = 0; i < n; i++)
        if (!nashc_type_holds(note, v[i])) {
            nashc_warning(r->d, &r->file, "datatype",
                          "%s is annotated %s, but element %" PRId64 " is %.9g; read as %s", what,
                          nashc_type_finn_name(note, name, sizeof name), i, v[i],
                          nashc_type_str(r->d, have));
            nashc_mem_free(v);
            return NASHC_OK;
        }
    if (note->kind == NASHC_K_INT || note->kind == NASHC_K_UINT) {
        double lo, hi;
        nashc_tensor_min_max(*t, &lo, &hi);
        type.lo = (int64_t)lo;
        type.hi = (int64_t)hi;
    }
    nashc_tensor *to = nashc_tensor_from_f64(&type, v);
    nashc_mem_free(v);
    if (!to)
        return nashc_enomem(r->d);
    nashc_tensor_unref(*t);
    *t = to;
    return NASHC_OK;
}

static nashc_status
read_elements(nashc_onnx_in *r, source *s, const char *what, int64_t count, const nashc_type *note,
              nashc_tensor **out)
{
    nashc_type elem, type;
    nashc_status st;

    if (!nashc_onnx_elem_type(s->elem, &elem))
        return nashc_bug(r->d, &r->file, "element type %d", s->elem);
    type = nashc_type_shaped(elem, (int)s->t->n_dims, s->t->dims);
    st = nashc_onnx_elem_is_int(s->elem) ? read_ints(r, s, what, &type, count, out)
                                         : read_floats(r, s, what, &type, count, out);
    if (st || !note)
        return st;
    st = apply_note(r, what, note, out);
    if (st) {
        nashc_tensor_unref(*out);
        *out = NULL;
    }
    return st;
}

nashc_status
onnx_tensor_read(nashc_onnx_in *r, const Onnx__TensorProto *t, const char *what,
                 const nashc_type *note, nashc_tensor **out)
{
    source s = {.t = t, .elem = t->data_type, .info = onnx_elem_get(t->data_type)};
    int64_t count = 0, bytes = 0;
    uint8_t *external = NULL;
    nashc_status st;

    *out = NULL;
    if (t->data_type == NASHC_ONNX_STRING)
        return nashc_unsup(r->d, &r->file, "%s is a string tensor; strings are not supported",
                           what);
    if (!s.info->bits)
        return nashc_unsup(r->d, &r->file, "%s has data type %d (%s), which is not supported", what,
                           t->data_type, nashc_onnx_elem_name(t->data_type));
    if (t->segment)
        return nashc_unsup(r->d, &r->file, "%s is stored in segments, which is not supported",
                           what);
    if ((st = check_dims(r, t, what, &count)) || (st = check_store(r, t, what, count, &bytes)))
        return st;
    if (t->data_location == 1 || t->n_external_data) {
        if ((st = onnx_external_read(r, t, what, bytes, &external)))
            return st;
        s.raw = external;
    } else if (!typed_entries(t, s.elem)) {
        s.raw = t->raw_data.data;
    }
    if (count)
        st = read_elements(r, &s, what, count, note, out);
    free(external);
    return st;
}
